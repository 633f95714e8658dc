/* rate(...) of Amazon EventBridge. AWS counts from when the rule was made; here it counts from the epoch, so that a
 * restart shifts nothing. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/calendar/calendar_reader.h"

#define RATE_MAX (36500 * USEC_PER_DAY)

int calendar_read_rate(CalendarReader *r) {
    static const struct {
        const char *name;
        Usec usec;
    } units[] = {{"minute", USEC_PER_MINUTE}, {"hour", USEC_PER_HOUR}, {"day", USEC_PER_DAY}};
    const char *number = r->p += strlen("rate(");
    int64_t n = 0;
    for (; calendar_is_digit(*r->p); r->p++)
        n = n > INT32_MAX ? n : n * 10 + (*r->p - '0');
    if (n == 0)
        return calendar_fail(r, number, "expected a number above 0");
    if (*r->p != ' ')
        return calendar_fail(r, r->p, "expected a space, and minutes, hours or days");
    const char *unit = ++r->p;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (!text_starts_with(unit, units[i].name))
            continue;
        r->p = unit + strlen(units[i].name);
        bool plural = *r->p == 's';
        r->p += plural;
        if (plural == (n == 1))
            return calendar_fail(r, unit, n == 1 ? "1 takes minute, hour or day" : "a number above 1 takes minutes, "
                                                                                  "hours or days");
        if (*r->p != ')')
            return calendar_fail(r, r->p, "expected \")\"");
        if (n > RATE_MAX / units[i].usec)
            return calendar_fail(r, number, "expected 36500 days at most");
        r->calendar->rate_usec = n * units[i].usec;
        if (*++r->p || r->calendar->zone)
            return calendar_fail(r, r->p, *r->p ? "expected the end after \")\""
                                                : "a rate counts from 1970-01-01 in UTC, and takes no time zone");
        return 0;
    }
    return calendar_fail(r, unit, "expected minutes, hours or days");
}
