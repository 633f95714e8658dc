/* systemd.time(7), "CALENDAR EVENTS", without the zone at the end. */

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/calendar/calendar_reader.h"

/* 12 is 2012, 89 is 1989. */
static int year_in_full(int year) {
    if (year < 0 || year > 99)
        return year;
    return year < 70 ? year + 2000 : year + 1900;
}

/* One value, range or repetition. */
static int take_part(CalendarReader *r, CalendarUnit unit) {
    bool from_month_end = unit == CALENDAR_DAY && r->calendar->from_month_end;
    const CalendarRange *range = from_month_end ? &calendar_range_from_month_end : &calendar_ranges[unit];
    CalendarPlaces at = {r->p, r->p, r->p};
    CalendarPart part = {.stop = -1};
    int rc = calendar_take_value(r, range, range->missing, &part.start);
    if (rc >= 0 && r->p[0] == '.' && r->p[1] == '.') {
        at.stop = r->p += 2;
        part.step = range->scale;
        rc = calendar_take_value(r, range, "expected the end of the range", &part.stop);
    }
    if (rc >= 0)
        rc = calendar_take_step(r, range, &at, &part);
    if (rc >= 0 && unit == CALENDAR_YEAR) {
        part.start = year_in_full(part.start);
        part.stop = year_in_full(part.stop);
    }
    if (rc >= 0)
        rc = calendar_check_part(r, range, &at, &part);
    return rc < 0 ? rc : calendar_add_part(r, unit, at.start, part);
}

static int take_field(CalendarReader *r, CalendarUnit unit) {
    if (*r->p == '*') {
        if (*++r->p == '/')
            return calendar_fail(r, r->p, "a step stands behind a number, such as 0/15, and not behind \"*\"");
        if (unit != CALENDAR_SECOND)
            return 0;
        return calendar_add_part(r, unit, r->p, (CalendarPart){.stop = -1, .step = USEC_PER_SEC});
    }
    for (;;) {
        int rc = take_part(r, unit);
        if (rc < 0)
            return rc;
        if (*r->p != ',')
            break;
        r->p++;
    }
    calendar_normalize(r->calendar, unit);
    return 0;
}

/* --- the expression --- */

static void skip_spaces(CalendarReader *r) {
    while (*r->p == ' ')
        r->p++;
}

/* "Mon..Fri,Sun"; "Mon-Fri" is an old form of a range, and a comma may trail. */
int calendar_take_weekdays(CalendarReader *r, const char *missing) {
    int range_from = -1;
    size_t length;
    if (!calendar_is_letter(*r->p))
        return 0;
    for (;;) {
        int day = calendar_weekday_at(r->p, &length);
        if (day < 0)
            return calendar_fail(r, r->p, missing);
        if (range_from > day)
            return calendar_fail(r, r->p,
                                 "a range of weekdays runs from Monday towards Sunday; write two: Fri..Sun,Mon");
        for (int i = range_from >= 0 ? range_from : day; i <= day; i++)
            r->calendar->weekdays |= 1u << i;
        r->p += length;
        bool dots = r->p[0] == '.' && r->p[1] == '.', comma = *r->p == ',';
        if ((dots || *r->p == '-') && range_from < 0) {
            range_from = day;
            r->p += dots ? 2 : 1;
        } else if (comma) {
            range_from = -1;
            r->p++;
        } else if (*r->p && *r->p != ' ')
            return calendar_fail(r, r->p, "expected \",\", \"..\" or a space after a weekday");
        if (!*r->p || *r->p == ' ')
            break;
    }
    if (range_from >= 0 && (r->p[-1] == '.' || r->p[-1] == '-'))
        return calendar_fail(r, r->p, "expected the last weekday of the range");
    skip_spaces(r);
    return 0;
}

static int take_date(CalendarReader *r) {
    Calendar *c = r->calendar;
    const char *end = r->p + strcspn(r->p, " "), *start = r->p;
    int n_separators = 0;
    for (const char *p = start; p < end; p++)
        n_separators += *p == '-' || *p == '~';
    if (n_separators == 0)
        return calendar_fail(r, start, "expected a date such as *-*-01 or a time such as 02:00");
    if (n_separators > 1) {
        int rc = take_field(r, CALENDAR_YEAR);
        if (rc < 0)
            return rc;
        if (*r->p != '-')
            return calendar_fail(r, r->p, "expected \"-\" after the year");
        r->p++;
    }
    int rc = take_field(r, CALENDAR_MONTH);
    if (rc < 0)
        return rc;
    if (*r->p != '-' && *r->p != '~')
        return calendar_fail(r, r->p, "expected \"-\" or \"~\" after the month");
    c->from_month_end = *r->p++ == '~';
    rc = take_field(r, CALENDAR_DAY);
    if (rc < 0)
        return rc;
    if (*r->p && *r->p != ' ')
        return calendar_fail(r, r->p, "expected a space after the date");
    if (c->fields[CALENDAR_DAY].n_parts == 0)
        c->from_month_end = false;
    skip_spaces(r);
    return 0;
}

static int take_time(CalendarReader *r) {
    const CalendarUnit order[] = {CALENDAR_HOUR, CALENDAR_MINUTE, CALENDAR_SECOND};
    size_t n = 0;
    if (!*r->p && r->p > r->start && r->p[-1] == ' ' && !r->calendar->zone)
        return calendar_fail(r, r->p, "expected a time behind the space");
    while (*r->p && n < ARRAY_SIZE(order)) {
        if (n > 0 && *r->p++ != ':')
            return calendar_fail(r, r->p - 1, n == 1 ? "expected \":\" after the hour"
                                                      : "expected \":\", the end, or a space and a time zone");
        int rc = take_field(r, order[n++]);
        if (rc < 0)
            return rc;
    }
    if (n == 1)
        return calendar_fail(r, r->p, "expected \":\" and minutes after the hour");
    if (*r->p)
        return calendar_fail(r, r->p, "expected the end, or a space and a time zone");
    for (; n < ARRAY_SIZE(order); n++) {
        int rc = calendar_add_part(r, order[n], r->p, (CalendarPart){.stop = -1});
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* "@1700000000": that second, in UTC. */
static int take_epoch(CalendarReader *r) {
    const char *start = r->p++;
    int64_t seconds = 0, limit = date_days(CALENDAR_YEAR_MAX + 1, 1, 1) * 86400;
    if (!calendar_is_digit(*r->p))
        return calendar_fail(r, r->p, "expected seconds since 1970, or one of cron's names such as @daily");
    for (; calendar_is_digit(*r->p) && seconds < limit; r->p++)
        seconds = seconds * 10 + (*r->p - '0');
    if (seconds >= limit)
        return calendar_fail(r, start, "expected seconds since 1970 that end before the year 2200");
    if (*r->p)
        return calendar_fail(r, r->p, "expected the end after \"@\" and seconds");
    Date d = date_from_wall(seconds * USEC_PER_SEC);
    const int values[CALENDAR_UNITS] = {d.year, d.month, d.day, d.hour, d.minute, d.second * (int)USEC_PER_SEC};
    for (size_t unit = 0; unit < CALENDAR_UNITS; unit++) {
        int rc = calendar_add_part(r, (CalendarUnit)unit, r->p, (CalendarPart){.start = values[unit], .stop = -1});
        if (rc < 0)
            return rc;
    }
    return text_set(&r->calendar->zone, "UTC");
}

int calendar_read_systemd(CalendarReader *r) {
    int rc = calendar_take_weekdays(r, "expected a weekday, or one of the names such as daily alone");
    if (rc < 0)
        return rc;
    if (r->calendar->weekdays == CALENDAR_WEEKDAYS_ALL)
        r->calendar->weekdays = 0;
    if (*r->p == '@')
        return take_epoch(r);
    if (*r->p && !memchr(r->p, ':', strcspn(r->p, " "))) {
        rc = take_date(r);
        if (rc < 0)
            return rc;
    }
    return take_time(r);
}
