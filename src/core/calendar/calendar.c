#include "core/calendar/calendar.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/calendar/calendar_spec.h"

/* More than any offset of a zone, and than the difference of any two. */
#define OFFSETS_SPAN (3 * USEC_PER_DAY)

void calendar_free(Calendar *c) {
    if (!c)
        return;
    for (size_t i = 0; i < CALENDAR_UNITS; i++)
        free(c->fields[i].parts);
    free(c->zone);
    free(c);
}

const char *calendar_zone_name(const Calendar *c) { return c->zone; }

bool calendar_equal(const Calendar *a, const Calendar *b) {
    if (a->weekdays != b->weekdays || a->from_month_end != b->from_month_end || a->days != b->days ||
        a->rate_usec != b->rate_usec || !text_equal(a->zone, b->zone))
        return false;
    for (size_t i = 0; i < CALENDAR_UNITS; i++) {
        const CalendarField *x = &a->fields[i], *y = &b->fields[i];
        if (x->n_parts != y->n_parts)
            return false;
        if (x->n_parts > 0 && memcmp(x->parts, y->parts, x->n_parts * sizeof *x->parts) != 0)
            return false;
    }
    return true;
}

/* --- local time --- */

typedef struct Moment {
    int values[CALENDAR_UNITS];
} Moment;

static const int smallest[CALENDAR_UNITS] = {[CALENDAR_MONTH] = 1, [CALENDAR_DAY] = 1};

static int month_length(const Moment *m) {
    return date_month_length(m->values[CALENDAR_YEAR], m->values[CALENDAR_MONTH]);
}

static int largest(const Moment *m, CalendarUnit unit) {
    switch (unit) {
    case CALENDAR_YEAR:
        return CALENDAR_YEAR_MAX;
    case CALENDAR_MONTH:
        return 12;
    case CALENDAR_DAY:
        return month_length(m);
    case CALENDAR_HOUR:
        return 23;
    case CALENDAR_MINUTE:
        return 59;
    case CALENDAR_SECOND:
        return 60 * USEC_PER_SEC - 1;
    case CALENDAR_UNITS:
        break;
    }
    return 0;
}

/* The smallest value at or above `value` that the part takes, else INT_MAX. */
static int part_next(CalendarPart part, int value) {
    if (part.start >= value)
        return part.start;
    if (part.step == 0)
        return INT_MAX;
    int next = part.start + (value - part.start + part.step - 1) / part.step * part.step;
    return part.stop < 0 || next <= part.stop ? next : INT_MAX;
}

/* "~03..05" of a month of 31 days is 27..29. */
static CalendarPart part_from_month_end(CalendarPart part, int length) {
    int first = part.stop >= 0 ? part.stop : part.start;
    return (CalendarPart){
        .start = length + 1 - first,
        .stop = part.stop >= 0 ? length + 1 - part.start : -1,
        .step = part.step,
    };
}

static int weekday_of(const Moment *m, int day) {
    return date_weekday(m->values[CALENDAR_YEAR], m->values[CALENDAR_MONTH], day);
}

/* The day from Monday to Friday that is nearest to the one day of the field, in the same month, if it is at or after
 * `value`, else INT_MAX. */
static int day_nearest(const Calendar *c, const Moment *m) {
    int day = c->fields[CALENDAR_DAY].parts[0].start, length = month_length(m);
    if (c->from_month_end)
        day = length + 1 - day;
    if (day > length)
        return INT_MAX;
    int weekday = weekday_of(m, day);
    if (weekday == 5)
        day += day > 1 ? -1 : 2;
    if (weekday == 6)
        day += day < length ? 1 : -2;
    return day >= m->values[CALENDAR_DAY] ? day : INT_MAX;
}

static int field_next(const Calendar *c, CalendarUnit unit, const Moment *m) {
    if (unit == CALENDAR_DAY && c->days == CALENDAR_DAYS_NEAREST)
        return day_nearest(c, m);
    const CalendarField *f = &c->fields[unit];
    int value = m->values[unit], next = f->n_parts == 0 ? value : INT_MAX;
    for (size_t i = 0; i < f->n_parts; i++) {
        CalendarPart part = f->parts[i];
        if (unit == CALENDAR_DAY && c->from_month_end)
            part = part_from_month_end(part, month_length(m));
        int candidate = part_next(part, value);
        if (candidate < next)
            next = candidate;
    }
    return next;
}

static bool weekday_matches(const Calendar *c, const Moment *m) {
    return c->weekdays == 0 || c->weekdays & 1u << weekday_of(m, m->values[CALENDAR_DAY]);
}

/* The first day from that of *m on that is one of the month's or of the week's. */
static int day_of_either(const Calendar *c, const Moment *m) {
    Moment day = *m;
    int next = field_next(c, CALENDAR_DAY, m), length = month_length(m);
    while (day.values[CALENDAR_DAY] < next && day.values[CALENDAR_DAY] <= length && !weekday_matches(c, &day))
        day.values[CALENDAR_DAY]++;
    return day.values[CALENDAR_DAY];
}

static void restart_below(Moment *m, int unit) {
    for (int i = unit + 1; i < CALENDAR_UNITS; i++)
        m->values[i] = smallest[i];
}

/* The first matching local time at or after *local. False: none before the year 2200. */
static bool local_match(const Calendar *c, Usec *local) {
    Date d = date_from_wall(*local);
    Moment m = {{d.year, d.month, d.day, d.hour, d.minute, d.second * (int)USEC_PER_SEC + d.usec}};
    for (int unit = 0; unit < CALENDAR_UNITS;) {
        bool either = unit == CALENDAR_DAY && c->days == CALENDAR_DAYS_EITHER;
        int next = either ? day_of_either(c, &m) : field_next(c, (CalendarUnit)unit, &m);
        bool carry = next > largest(&m, (CalendarUnit)unit);
        if (carry && unit == CALENDAR_YEAR)
            return false;
        if (!carry && next > m.values[unit]) {
            m.values[unit] = next;
            restart_below(&m, unit);
        }
        if (carry || (unit == CALENDAR_DAY && !either && !weekday_matches(c, &m))) {
            unit -= carry;
            m.values[unit]++;
            restart_below(&m, unit);
        } else
            unit++;
    }
    const int *v = m.values;
    *local = date_days(v[CALENDAR_YEAR], v[CALENDAR_MONTH], v[CALENDAR_DAY]) * USEC_PER_DAY +
             v[CALENDAR_HOUR] * USEC_PER_HOUR + v[CALENDAR_MINUTE] * USEC_PER_MINUTE + v[CALENDAR_SECOND];
    return true;
}

/* --- elapses --- */

/* A wildcard or a step ("/1" in a range is no step): what is meant is an interval. */
static bool hours_repeat(const Calendar *c) {
    const CalendarField *f = &c->fields[CALENDAR_HOUR];
    for (size_t i = 0; i < f->n_parts; i++)
        if (f->parts[i].step > 1 || (f->parts[i].step == 1 && f->parts[i].stop < 0))
            return true;
    return f->n_parts == 0;
}

static Usec local_at(const Zone *z, Usec wall) { return wall + zone_offset(z, wall, NULL) * USEC_PER_SEC; }

/* The first local time that the clock has not yet shown before `wall`: in the second pass, the end of the first. */
static Usec local_unseen(const Zone *z, Usec wall) {
    Usec local = local_at(z, wall);
    ZoneInstants shown = zone_instants(z, local);
    if (shown.n < 2 || wall < shown.wall[1])
        return local;
    return zone_change_after(z, shown.wall[0]) + zone_offset(z, shown.wall[0], NULL) * USEC_PER_SEC;
}

/* Goes through the spans between changes of the offset. A match in the gap before a span elapses at the span's start.
 * After a fold, an expression of intervals looks for matches from the span's start again; others go on from where the
 * clock had been, so that no local time comes twice. */
static int span_next(const Calendar *c, const Zone *zone, Usec after_wall, Usec *ret_wall) {
    bool repeats = hours_repeat(c);
    Usec at = after_wall + 1;
    Usec match = repeats ? local_at(zone, at) : local_unseen(zone, at);
    bool found = local_match(c, &match);
    for (;;) {
        Usec change = zone_change_after(zone, at), offset = zone_offset(zone, at, NULL) * USEC_PER_SEC;
        if (found && match - offset < change) {
            *ret_wall = match - offset;
            return 0;
        }
        bool near = at <= after_wall + OFFSETS_SPAN;
        if (change == USEC_INFINITY || (!found && !(repeats && near)))
            return -ENOENT;
        Usec local = local_at(zone, change);
        if (found && match < local) {
            *ret_wall = change;
            return 0;
        }
        if (repeats && near && local < change + offset) {
            match = local;
            found = local_match(c, &match);
        }
        /* far from here, no fold leads back behind the match */
        at = near ? change : usec_max(change, match - OFFSETS_SPAN);
    }
}

static int rate_next(Usec rate_usec, Usec after_wall, Usec *ret_wall) {
    Usec next = after_wall < 0 ? 0 : (after_wall / rate_usec + 1) * rate_usec;
    if (next >= date_days(CALENDAR_YEAR_MAX + 1, 1, 1) * USEC_PER_DAY)
        return -ENOENT;
    *ret_wall = next;
    return 0;
}

int calendar_next(const Calendar *c, const Zone *zone, Usec after_wall, Usec *ret_wall) {
    if (after_wall >= WALL_MAX)
        return -ENOENT;
    after_wall = usec_max(after_wall, -1);
    return c->rate_usec > 0 ? rate_next(c->rate_usec, after_wall, ret_wall)
                            : span_next(c, zone, after_wall, ret_wall);
}

int calendar_last(const Calendar *c, const Zone *zone, Usec after_wall, Usec until_wall, Usec *ret_wall) {
    Usec last;
    int rc = calendar_next(c, zone, after_wall, &last);
    if (rc < 0)
        return rc;
    if (last > until_wall)
        return -ENOENT;
    /* nothing elapses in (high, until]: halve (last, high] until it is empty */
    for (Usec high = until_wall, middle, next; last < high;) {
        middle = last + (high - last) / 2;
        if (calendar_next(c, zone, middle, &next) >= 0 && next <= until_wall)
            last = next;
        else
            high = middle;
    }
    *ret_wall = last;
    return 0;
}

#define PERIOD_YEARS_USEC (4 * 366 * USEC_PER_DAY)
#define PERIODS_MAX 10000

Usec calendar_shortest_period(const Calendar *c, const Zone *zone, Usec from_wall) {
    Usec shortest = USEC_INFINITY, before, next, end_wall = usec_add(from_wall, PERIOD_YEARS_USEC);
    if (calendar_next(c, zone, from_wall, &before) < 0)
        return shortest;
    for (int n = 1; n < PERIODS_MAX && calendar_next(c, zone, before, &next) >= 0 && next <= end_wall; n++) {
        shortest = usec_min(shortest, next - before);
        before = next;
    }
    return shortest;
}
