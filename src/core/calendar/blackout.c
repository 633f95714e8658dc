#include "core/calendar/blackout.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "core/calendar/calendar_reader.h"

#define DAY_MINUTES (24 * 60)

static int take_char(CalendarReader *r, char c, const char *message) {
    if (*r->p != c)
        return calendar_fail(r, r->p, message);
    r->p++;
    return 0;
}

/* "08:00", and as an end "24:00", in minutes. */
static int take_time(CalendarReader *r, const char *missing, int *ret) {
    static const CalendarRange hours = {0, 24, 1, NULL, "expected an hour between 0 and 24", NULL, false};
    const char *start = r->p;
    int hour = 0, minute = 0;
    int rc = calendar_take_value(r, &hours, missing, &hour);
    if (rc >= 0)
        rc = take_char(r, ':', "expected \":\" and minutes after the hour");
    if (rc >= 0)
        rc = calendar_take_value(r, &calendar_ranges[CALENDAR_MINUTE], "expected two digits of minutes", &minute);
    if (rc < 0)
        return rc;
    if (minute > 59)
        return calendar_fail(r, start, calendar_ranges[CALENDAR_MINUTE].outside);
    if (hour > 24 || (hour == 24 && minute > 0))
        return calendar_fail(r, start, "expected a time between 00:00 and 24:00");
    *ret = 60 * hour + minute;
    return 0;
}

static int take_times(CalendarReader *r, Blackout *b) {
    const char *start = r->p;
    int rc = take_time(r, "expected a span of times such as 08:00..18:00", &b->from);
    if (rc >= 0)
        rc = take_char(r, '.', "expected \"..\" and the end, such as 08:00..18:00");
    if (rc >= 0)
        rc = take_char(r, '.', "expected \"..\" and the end, such as 08:00..18:00");
    if (rc >= 0)
        rc = take_time(r, "expected the end of the span, such as 18:00", &b->to);
    if (rc >= 0 && *r->p)
        rc = calendar_fail(r, r->p, "expected the end");
    if (rc < 0)
        return rc;
    if (b->from == b->to || b->from == DAY_MINUTES)
        return calendar_fail(r, start, "the span is empty; a whole day is 00:00..24:00");
    if (b->to < b->from)
        b->to += DAY_MINUTES;
    return 0;
}

int blackout_from_string(const char *s, Blackout *ret, CalendarError *ret_error) {
    Calendar days = {};
    CalendarReader r = {.p = s, .start = s, .calendar = &days, .error = ret_error};
    Blackout b = {.to = DAY_MINUTES};
    if (!*s)
        return calendar_fail(&r, s, "expected a span such as Mon..Fri 08:00..18:00");
    int rc = calendar_take_weekdays(&r, "expected a weekday such as Mon, or a span of times");
    if (rc >= 0 && *r.p)
        rc = take_times(&r, &b);
    if (rc < 0)
        return rc;
    b.weekdays = days.weekdays ? days.weekdays : CALENDAR_WEEKDAYS_ALL;
    *ret = b;
    return 0;
}

int blackout_add_string(const Blackout *b, Text *t) {
    int to = b->to > DAY_MINUTES ? b->to - DAY_MINUTES : b->to;
    bool whole_day = b->from == 0 && b->to == DAY_MINUTES, every_day = b->weekdays == CALENDAR_WEEKDAYS_ALL;
    if (!every_day)
        calendar_add_weekdays(b->weekdays, t);
    if (!every_day && !whole_day)
        text_add_char(t, ' ');
    if (every_day || !whole_day)
        text_addf(t, "%02d:%02d..%02d:%02d", b->from / 60, b->from % 60, to / 60, to % 60);
    return t->error;
}

static Usec floor_days(Usec local) { return local / USEC_PER_DAY - (local % USEC_PER_DAY < 0); }

/* The local time at which the last of those ends that hold at `local`; `local` where none does. */
static Usec local_end(const Blackout *items, size_t n, Usec local) {
    Usec end = local, today = floor_days(local);
    for (size_t i = 0; i < n; i++)
        for (Usec day = today - 1; day <= today; day++) {
            int weekday = (int)((day % 7 + 10) % 7); /* 1970-01-01 was a Thursday */
            Usec midnight = day * USEC_PER_DAY, to = midnight + items[i].to * USEC_PER_MINUTE;
            if (items[i].weekdays & 1u << weekday && local >= midnight + items[i].from * USEC_PER_MINUTE && local < to)
                end = usec_max(end, to);
        }
    return end;
}

Usec blackouts_end(const Blackout *items, size_t n, const Zone *zone, Usec wall) {
    if (n == 0)
        return wall;
    /* a week and a day without a break is the whole of time */
    for (Usec at = wall; at <= wall + USEC_PER_WEEK + USEC_PER_DAY;) {
        Usec local = at + zone_offset(zone, at, NULL) * USEC_PER_SEC, end = local_end(items, n, local);
        if (end == local)
            return at;
        at = usec_min(at + (end - local), zone_change_after(zone, at));
    }
    return USEC_INFINITY;
}
