/* Reads, checks and normalizes calendar expressions. What is taken and what is not follows systemd, quirks of
 * ranges and steps included; the one difference is a zone's name, of which only the form is looked at here. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/calendar_spec.h"

#define ZONE_NAME_MAX 100
#define WEEKDAYS_ALL 127u

static const char *const weekday_names[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                             "Friday", "Saturday", "Sunday"};

static const struct {
    const char *name, *expression;
} shorthands[] = {
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"biannually", "*-01,07-01 00:00:00"},
    {"bi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
    {"anually", "*-01-01 00:00:00"}, /* systemd takes this one, too */
};

static const struct {
    int min, max, scale;
    const char *missing, *outside, *step;
} units[CALENDAR_UNITS] = {
    [CALENDAR_YEAR] = {CALENDAR_YEAR_MIN, CALENDAR_YEAR_MAX, 1, "expected a year or \"*\"",
                       "expected a year between 1970 and 2199", "this step leads past the year 2199"},
    [CALENDAR_MONTH] = {1, 12, 1, "expected a month or \"*\"", "expected a month between 1 and 12",
                        "this step leads past month 12"},
    [CALENDAR_DAY] = {1, 31, 1, "expected a day of the month or \"*\"", "expected a day of the month between 1 and 31",
                      "this step leads out of the month"},
    [CALENDAR_HOUR] = {0, 23, 1, "expected an hour or \"*\"", "expected an hour between 0 and 23",
                       "this step leads past hour 23"},
    [CALENDAR_MINUTE] = {0, 59, 1, "expected a minute or \"*\"", "expected a minute between 0 and 59",
                         "this step leads past minute 59"},
    [CALENDAR_SECOND] = {0, 60 * USEC_PER_SEC - 1, USEC_PER_SEC, "expected a second or \"*\"",
                         "expected a second between 0 and 59", "this step leads past second 59"},
};

typedef struct Parser {
    const char *p, *start;
    Calendar *calendar;
    CalendarError *error;
} Parser;

static int fail_at(const Parser *parser, const char *p, const char *message) {
    *parser->error = (CalendarError){.position = (size_t)(p - parser->start), .message = message};
    return -EINVAL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* --- fields --- */

/* Six digits after the point count, the seventh rounds. */
static int take_fraction(Parser *parser, int *ret) {
    int value = 0;
    if (!is_digit(*parser->p))
        return fail_at(parser, parser->p, "expected digits after the decimal point");
    for (int scale = USEC_PER_SEC / 10; scale > 0 && is_digit(*parser->p); scale /= 10)
        value += (*parser->p++ - '0') * scale;
    if (*parser->p >= '5' && *parser->p <= '9')
        value++;
    while (is_digit(*parser->p))
        parser->p++;
    *ret = value;
    return 0;
}

static int take_value(Parser *parser, CalendarUnit unit, const char *missing, int *ret) {
    const char *start = parser->p;
    int scale = units[unit].scale, value = 0, fraction = 0;
    if (!is_digit(*start))
        return fail_at(parser, start, missing);
    for (; is_digit(*parser->p); parser->p++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *parser->p - '0', &value))
            return fail_at(parser, start, units[unit].outside);
    if (scale > 1 && parser->p[0] == '.' && parser->p[1] != '.') { /* ".." is a range */
        parser->p++;
        int rc = take_fraction(parser, &fraction);
        if (rc < 0)
            return rc;
    }
    if (__builtin_mul_overflow(value, scale, &value) || __builtin_add_overflow(value, fraction, &value))
        return fail_at(parser, start, units[unit].outside);
    *ret = value;
    return 0;
}

/* 12 is 2012, 89 is 1989. */
static int year_in_full(int year) {
    if (year < 0 || year > 99)
        return year;
    return year < 70 ? year + 2000 : year + 1900;
}

/* One value, range or repetition; checked as systemd checks it. */
static int take_part(Parser *parser, CalendarUnit unit, bool from_month_end, CalendarPart *ret) {
    const char *start = parser->p, *stop_at = start, *step_at = start;
    CalendarPart part = {.stop = -1};
    int rc = take_value(parser, unit, units[unit].missing, &part.start);
    if (rc >= 0 && parser->p[0] == '.' && parser->p[1] == '.') {
        stop_at = parser->p += 2;
        part.step = units[unit].scale;
        rc = take_value(parser, unit, "expected the end of the range", &part.stop);
    }
    if (rc >= 0 && *parser->p == '/') {
        step_at = ++parser->p;
        rc = take_value(parser, unit, "expected a step after \"/\"", &part.step);
        if (rc >= 0 && part.step == 0)
            rc = fail_at(parser, step_at, "a step is at least 1");
    }
    if (rc < 0)
        return rc;

    int min = units[unit].min, max = units[unit].max;
    const char *outside = units[unit].outside;
    if (from_month_end) { /* every month has these */
        max = 28;
        outside = "expected a day between 1 (the last of the month) and 28";
    }
    if (unit == CALENDAR_YEAR) {
        part.start = year_in_full(part.start);
        part.stop = year_in_full(part.stop);
    }
    if (part.start < min || part.start > max)
        return fail_at(parser, start, outside);
    if (unit == CALENDAR_SECOND && part.stop >= part.start && step_at == start && part.stop - part.start < part.step)
        return fail_at(parser, stop_at, "a range of less than a second needs a step such as /0.1");
    if (part.stop > part.start)
        part.stop -= (part.stop - part.start) % part.step;
    if (part.stop == part.start)
        part = (CalendarPart){.start = part.start, .stop = -1};
    if (part.stop >= 0 && part.stop < part.start)
        return fail_at(parser, stop_at, "the range ends before it starts");
    if (part.stop > max)
        return fail_at(parser, stop_at, outside);
    if (part.step > max - min)
        return fail_at(parser, step_at, units[unit].step);
    if (part.stop < 0 && (from_month_end ? part.start - part.step < min : part.start + part.step > max))
        return fail_at(parser, step_at, units[unit].step);
    *ret = part;
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

static void field_normalize(CalendarField *f) {
    qsort(f->parts, f->n_parts, sizeof *f->parts, part_compare);
    size_t n = 1;
    for (size_t i = 1; i < f->n_parts; i++)
        if (part_compare(&f->parts[n - 1], &f->parts[i]) != 0)
            f->parts[n++] = f->parts[i];
    f->n_parts = n;
}

static int field_add(CalendarField *f, CalendarPart part) {
    int rc = ARRAY_GROW(f->parts, f->n_parts, f->n_room);
    if (rc < 0)
        return rc;
    f->parts[f->n_parts++] = part;
    return 0;
}

static int take_field(Parser *parser, CalendarUnit unit) {
    Calendar *c = parser->calendar;
    CalendarField *f = &c->fields[unit];
    if (*parser->p == '*') {
        parser->p++;
        if (unit != CALENDAR_SECOND)
            return 0;
        return field_add(f, (CalendarPart){.stop = -1, .step = USEC_PER_SEC});
    }
    for (;;) {
        CalendarPart part;
        if (f->n_parts == CALENDAR_PARTS_MAX)
            return fail_at(parser, parser->p, "too many values in one list");
        int rc = take_part(parser, unit, unit == CALENDAR_DAY && c->from_month_end, &part);
        if (rc >= 0)
            rc = field_add(f, part);
        if (rc < 0)
            return rc;
        if (*parser->p != ',')
            break;
        parser->p++;
    }
    field_normalize(f);
    return 0;
}

/* --- the expression --- */

static void skip_spaces(Parser *parser) {
    while (*parser->p == ' ')
        parser->p++;
}

/* 0..6 and the length of its name, long or short, or -1. */
static int weekday_at(const char *p, size_t *ret_length) {
    for (int i = 0; i < 7; i++) {
        size_t length = strlen(weekday_names[i]);
        if (strncasecmp(p, weekday_names[i], length) != 0)
            length = 3;
        if (strncasecmp(p, weekday_names[i], length) == 0 && !is_letter(p[length])) {
            *ret_length = length;
            return i;
        }
    }
    return -1;
}

/* "Mon..Fri,Sun"; "Mon-Fri" is an old form of a range, and a comma may trail. */
static int take_weekdays(Parser *parser) {
    int range_from = -1;
    size_t length;
    if (!is_letter(*parser->p))
        return 0;
    for (;;) {
        int day = weekday_at(parser->p, &length);
        if (day < 0)
            return fail_at(parser, parser->p, "expected a weekday, or one of the names such as daily alone");
        if (range_from > day)
            return fail_at(parser, parser->p, "a range of weekdays runs from Monday towards Sunday");
        for (int i = range_from >= 0 ? range_from : day; i <= day; i++)
            parser->calendar->weekdays |= 1u << i;
        parser->p += length;
        bool dots = parser->p[0] == '.' && parser->p[1] == '.', comma = *parser->p == ',';
        if ((dots || *parser->p == '-') && range_from < 0) {
            range_from = day;
            parser->p += dots ? 2 : 1;
        } else if (comma) {
            range_from = -1;
            parser->p++;
        } else if (*parser->p && *parser->p != ' ')
            return fail_at(parser, parser->p, "expected \",\", \"..\" or a space after a weekday");
        if (!*parser->p || *parser->p == ' ')
            break;
    }
    if (range_from >= 0 && (parser->p[-1] == '.' || parser->p[-1] == '-'))
        return fail_at(parser, parser->p, "expected the last weekday of the range");
    skip_spaces(parser);
    return 0;
}

static int take_date(Parser *parser) {
    Calendar *c = parser->calendar;
    const char *end = parser->p + strcspn(parser->p, " "), *start = parser->p;
    int n_separators = 0;
    for (const char *p = start; p < end; p++)
        n_separators += *p == '-' || *p == '~';
    if (n_separators == 0)
        return fail_at(parser, start, "expected a date such as *-*-01 or a time such as 02:00");
    if (n_separators > 1) {
        int rc = take_field(parser, CALENDAR_YEAR);
        if (rc < 0)
            return rc;
        if (*parser->p != '-')
            return fail_at(parser, parser->p, "expected \"-\" after the year");
        parser->p++;
    }
    int rc = take_field(parser, CALENDAR_MONTH);
    if (rc < 0)
        return rc;
    if (*parser->p != '-' && *parser->p != '~')
        return fail_at(parser, parser->p, "expected \"-\" or \"~\" after the month");
    c->from_month_end = *parser->p++ == '~';
    rc = take_field(parser, CALENDAR_DAY);
    if (rc < 0)
        return rc;
    if (*parser->p && *parser->p != ' ')
        return fail_at(parser, parser->p, "expected a space after the date");
    if (c->fields[CALENDAR_DAY].n_parts == 0)
        c->from_month_end = false;
    skip_spaces(parser);
    return 0;
}

static int take_time(Parser *parser) {
    Calendar *c = parser->calendar;
    const CalendarUnit order[] = {CALENDAR_HOUR, CALENDAR_MINUTE, CALENDAR_SECOND};
    size_t n = 0;
    while (*parser->p && n < ARRAY_SIZE(order)) {
        if (n > 0 && *parser->p++ != ':')
            return fail_at(parser, parser->p - 1, n == 1 ? "expected \":\" after the hour"
                                                      : "expected \":\", the end, or a space and a time zone");
        int rc = take_field(parser, order[n++]);
        if (rc < 0)
            return rc;
    }
    if (n == 1)
        return fail_at(parser, parser->p, "expected \":\" and minutes after the hour");
    if (*parser->p)
        return fail_at(parser, parser->p, "expected the end, or a space and a time zone");
    for (; n < ARRAY_SIZE(order); n++) {
        int rc = field_add(&c->fields[order[n]], (CalendarPart){.stop = -1});
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* "@1700000000": that second, in UTC. */
static int take_epoch(Parser *parser) {
    const char *start = parser->p++;
    int64_t seconds = 0, limit = date_days(CALENDAR_YEAR_MAX + 1, 1, 1) * 86400;
    if (!is_digit(*parser->p))
        return fail_at(parser, parser->p, "expected seconds since 1970 after \"@\"");
    for (; is_digit(*parser->p) && seconds < limit; parser->p++)
        seconds = seconds * 10 + (*parser->p - '0');
    if (seconds >= limit)
        return fail_at(parser, start, "expected seconds since 1970 that end before the year 2200");
    if (*parser->p)
        return fail_at(parser, parser->p, "expected the end after \"@\" and seconds");
    Date d = date_from_wall(seconds * USEC_PER_SEC);
    const int values[CALENDAR_UNITS] = {d.year, d.month, d.day, d.hour, d.minute, d.second * (int)USEC_PER_SEC};
    for (size_t unit = 0; unit < CALENDAR_UNITS; unit++) {
        int rc = field_add(&parser->calendar->fields[unit], (CalendarPart){.start = values[unit], .stop = -1});
        if (rc < 0)
            return rc;
    }
    return text_set(&parser->calendar->zone, "UTC");
}

static int take_all(Parser *parser) {
    int rc = take_weekdays(parser);
    if (rc < 0)
        return rc;
    if (parser->calendar->weekdays == WEEKDAYS_ALL)
        parser->calendar->weekdays = 0;
    if (*parser->p == '@')
        return take_epoch(parser);
    if (*parser->p && !memchr(parser->p, ':', strcspn(parser->p, " "))) {
        rc = take_date(parser);
        if (rc < 0)
            return rc;
    }
    return take_time(parser);
}

static const char *shorthand_find(const char *name) {
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++)
        if (strcasecmp(shorthands[i].name, name) == 0)
            return shorthands[i].expression;
    return NULL;
}

/* Could it be a zone? Whether there is one of that name is for the caller to find out. */
static bool zone_name_is_valid(const char *s) {
    size_t length;
    if (!is_letter(*s) || strlen(s) > ZONE_NAME_MAX || weekday_at(s, &length) >= 0 || shorthand_find(s))
        return false;
    for (; *s; s++)
        if (!is_letter(*s) && !is_digit(*s) && !strchr("_+-", *s) && (*s != '/' || s[1] == '/' || !s[1]))
            return false;
    return true;
}

/* Cuts the zone off the end of the text. */
static int take_zone(char *text, Calendar *c) {
    char *space = strrchr(text, ' ');
    if (!space || !zone_name_is_valid(space + 1))
        return 0;
    *space = '\0';
    return text_set(&c->zone, strcasecmp(space + 1, "UTC") == 0 ? "UTC" : space + 1);
}

int calendar_parse(const char *expression, Calendar **ret, CalendarError *ret_error) {
    AUTO_FREE char *text = strdup(expression);
    CLEANUP(calendar_free_ptr) Calendar *c = calloc(1, sizeof *c);
    if (!text || !c)
        return -ENOMEM;
    int rc = take_zone(text, c);
    if (rc < 0)
        return rc;
    const char *shorthand = shorthand_find(text), *start = shorthand ? shorthand : text;
    Parser parser = {.p = start, .start = start, .calendar = c, .error = ret_error};
    if (!*text)
        return fail_at(&parser, start, "expected a calendar expression such as daily or *-*-* 02:00");
    rc = take_all(&parser);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(c);
    return 0;
}
