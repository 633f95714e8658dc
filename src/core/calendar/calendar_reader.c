/* Values, parts and lists: what all dialects are made of. What is taken and what is not follows systemd, quirks of
 * ranges and steps included. */

#include "core/calendar/calendar_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"

const CalendarRange calendar_ranges[CALENDAR_UNITS] = {
    [CALENDAR_YEAR] = {CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX, 1, "expected a year or \"*\"",
                       "expected a year between 1970 and 2199",
                       "this step leads past the year 2199; its start alone means the same"},
    [CALENDAR_MONTH] = {1, 12, 1, "expected a month or \"*\"", "expected a month between 1 and 12",
                        "this step leads past month 12; its start alone means the same, 1 for */12"},
    [CALENDAR_DAY] = {1, 31, 1, "expected a day of the month or \"*\"", "expected a day of the month between 1 and 31",
                      "this step leads out of the month; its start alone means the same, 1 for */31"},
    [CALENDAR_HOUR] = {0, 23, 1, "expected an hour or \"*\"", "expected an hour between 0 and 23",
                       "this step leads past hour 23; its start alone means the same, 0 for */24"},
    [CALENDAR_MINUTE] = {0, 59, 1, "expected a minute or \"*\"", "expected a minute between 0 and 59",
                         "this step leads past minute 59; its start alone means the same, 0 for */60"},
    [CALENDAR_SECOND] = {0, 60 * USEC_PER_SEC - 1, USEC_PER_SEC, "expected a second or \"*\"",
                         "expected a second between 0 and 59",
                         "this step leads past second 59; its start alone means the same, 0 for 0/60"},
};

const CalendarRange calendar_range_from_month_end = { /* every month has these */
    1, 28, 1, "expected a day of the month or \"*\"", "expected a day between 1 (the last of the month) and 28",
    "this step leads out of the month; its start alone means the same", .backwards = true,
};

int calendar_fail(const CalendarReader *r, const char *at, const char *message) {
    *r->error = (CalendarError){.position = (size_t)(at - r->start), .message = message};
    return -EINVAL;
}

int calendar_weekday_at(const char *p, size_t *ret_length) {
    static const char *const names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                         "Friday", "Saturday", "Sunday"};
    for (int i = 0; i < 7; i++) {
        size_t length = strlen(names[i]);
        if (strncasecmp(p, names[i], length) != 0)
            length = 3;
        if (strncasecmp(p, names[i], length) == 0 && !calendar_is_letter(p[length])) {
            *ret_length = length;
            return i;
        }
    }
    return -1;
}

/* Six digits after the point count, the seventh rounds. */
static int take_fraction(CalendarReader *r, int *ret) {
    int value = 0;
    if (!calendar_is_digit(*r->p))
        return calendar_fail(r, r->p, "expected digits after the decimal point");
    for (int scale = USEC_PER_SEC / 10; scale > 0 && calendar_is_digit(*r->p); scale /= 10)
        value += (*r->p++ - '0') * scale;
    if (*r->p >= '5' && *r->p <= '9')
        value++;
    while (calendar_is_digit(*r->p))
        r->p++;
    *ret = value;
    return 0;
}

int calendar_take_value(CalendarReader *r, const CalendarRange *range, const char *missing, int *ret) {
    const char *start = r->p;
    int scale = range->scale, value = 0, fraction = 0;
    if (!calendar_is_digit(*start))
        return calendar_fail(r, start, missing);
    for (; calendar_is_digit(*r->p); r->p++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *r->p - '0', &value))
            return calendar_fail(r, start, range->outside);
    if (scale > 1 && r->p[0] == '.' && r->p[1] != '.') { /* ".." is a range */
        r->p++;
        int rc = take_fraction(r, &fraction);
        if (rc < 0)
            return rc;
    }
    if (__builtin_mul_overflow(value, scale, &value) || __builtin_add_overflow(value, fraction, &value))
        return calendar_fail(r, start, range->outside);
    *ret = value;
    return 0;
}

int calendar_take_step(CalendarReader *r, const CalendarRange *range, CalendarPlaces *at, CalendarPart *part) {
    if (*r->p != '/')
        return 0;
    at->step = ++r->p;
    int rc = calendar_take_value(r, range, "expected a step after \"/\"", &part->step);
    return rc >= 0 && part->step == 0 ? calendar_fail(r, at->step, "a step is at least 1") : rc;
}

int calendar_check_part(const CalendarReader *r, const CalendarRange *range, const CalendarPlaces *at,
                        CalendarPart *part) {
    bool has_step = at->step != at->start;
    if (part->start < range->min || part->start > range->max)
        return calendar_fail(r, at->start, range->outside);
    if (range->scale > 1 && part->stop >= part->start && !has_step && part->stop - part->start < part->step)
        return calendar_fail(r, at->stop, "a range of less than a second needs a step such as /0.1");
    if (part->stop > part->start)
        part->stop -= (part->stop - part->start) % part->step;
    if (part->stop == part->start)
        *part = (CalendarPart){.start = part->start, .stop = -1};
    if (part->stop >= 0 && part->stop < part->start)
        return calendar_fail(r, at->stop, "the range ends before it starts; write two, such as 22..23,0..2");
    if (part->stop > range->max)
        return calendar_fail(r, at->stop, range->outside);
    if (part->step > range->max - range->min)
        return calendar_fail(r, at->step, range->step);
    if (part->stop < 0 &&
        (range->backwards ? part->start - part->step < range->min : part->start + part->step > range->max))
        return calendar_fail(r, at->step, range->step);
    return 0;
}

static int part_compare(const void *a, const void *b) {
    const CalendarPart *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->stop != y->stop)
        return x->stop < y->stop ? -1 : 1;
    return (x->step > y->step) - (x->step < y->step);
}

void calendar_normalize(Calendar *c, CalendarUnit unit) {
    CalendarField *f = &c->fields[unit];
    if (f->n_parts == 0)
        return;
    qsort(f->parts, f->n_parts, sizeof *f->parts, part_compare);
    size_t n = 1;
    for (size_t i = 1; i < f->n_parts; i++)
        if (part_compare(&f->parts[n - 1], &f->parts[i]) != 0)
            f->parts[n++] = f->parts[i];
    f->n_parts = n;
}

int calendar_add_part(const CalendarReader *r, CalendarUnit unit, const char *at, CalendarPart part) {
    CalendarField *f = &r->calendar->fields[unit];
    if (f->n_parts == CALENDAR_PARTS_MAX)
        return calendar_fail(r, at, "too many values in one list");
    int rc = ARRAY_GROW(f->parts, f->n_parts, f->n_room);
    if (rc < 0)
        return rc;
    f->parts[f->n_parts++] = part;
    return 0;
}
