/* cron, in two dialects: the five fields of crontab(5), and cron(...) of Amazon EventBridge (Scheduler User Guide,
 * "Cron-based schedules"), which has a year, counts weekdays from 1, and takes ? L W #. */

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/calendar/calendar_reader.h"

#define WEEKDAY CALENDAR_UNITS /* stands for the weekdays among the units */

static const char month_names[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
static const char weekday_names[] = "SUNMONTUEWEDTHUFRISAT";
static const char aws_alone[] = "L, W, # and ? are taken in AWS's form alone, cron(...)";
static const char no_list[] = "L, W and # stand in no list or range";
static const char week_step[] = "this step leads out of the week; its start alone means the same, 0 for */8";

static const CalendarRange weekdays_of_cron = {
    0, 7, 1, "expected a weekday or \"*\"", "expected a weekday from 0 to 7, both of which are Sunday, or SUN to SAT",
    week_step, false,
};
static const CalendarRange weekdays_of_aws = {
    1, 7, 1, "expected a weekday or \"*\"", "expected a weekday from 1, which is Sunday, to 7, or SUN to SAT",
    week_step, false,
};

typedef struct Cron {
    CalendarReader *r;
    bool aws;
} Cron;

static const CalendarRange *range_of(const Cron *c, CalendarUnit unit) {
    return unit != WEEKDAY ? &calendar_ranges[unit] : c->aws ? &weekdays_of_aws : &weekdays_of_cron;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static bool is_field_end(const Cron *c, const char *p) {
    return *p == '\0' || is_space(*p) || (c->aws && *p == ')');
}

static void skip_spaces(const Cron *c) {
    while (is_space(*c->r->p))
        c->r->p++;
}

/* --- fields --- */

/* The number of the name at p, three letters, from 0; or -1. AWS has an L after some ("FRIL"). */
static int name_at(const Cron *c, const char *p, const char *names) {
    for (int i = 0; names[3 * i]; i++)
        if (strncasecmp(p, names + 3 * i, 3) == 0 &&
            (!calendar_is_letter(p[3]) || (c->aws && p[3] == 'L' && !calendar_is_letter(p[4]))))
            return i;
    return -1;
}

static int take_value(const Cron *c, CalendarUnit unit, const char *missing, int *ret) {
    const CalendarRange *range = range_of(c, unit);
    const char *names = unit == CALENDAR_MONTH ? month_names : unit == WEEKDAY ? weekday_names : NULL;
    int name = names ? name_at(c, c->r->p, names) : -1;
    if (!c->aws && (*c->r->p == 'L' || *c->r->p == '?'))
        missing = aws_alone;
    if (name < 0)
        return calendar_take_value(c->r, range, missing, ret);
    c->r->p += 3;
    *ret = range->min + name;
    return 0;
}

/* Bit 0 is Monday. */
static void add_weekdays(const Cron *c, CalendarPart part) {
    int first_monday = c->aws ? 2 : 1, step = int_max(part.step, 1);
    int last = part.stop >= 0 ? part.stop : part.step == 0 ? part.start : weekdays_of_aws.max - !c->aws;
    for (int day = part.start; day <= last; day += step)
        c->r->calendar->weekdays |= 1u << (day + 7 - first_monday) % 7;
}

static int add_part(const Cron *c, CalendarUnit unit, const CalendarPlaces *at, CalendarPart part) {
    int rc = calendar_check_part(c->r, range_of(c, unit), at, &part);
    if (rc >= 0 && unit == WEEKDAY)
        add_weekdays(c, part);
    return rc < 0 || unit == WEEKDAY ? rc : calendar_add_part(c->r, unit, at->start, part);
}

/* AWS's "20-2", which goes on from the start of the unit: two parts. */
static int add_wrapped(const Cron *c, CalendarUnit unit, const CalendarPlaces *at, CalendarPart part) {
    const CalendarRange *range = range_of(c, unit);
    if (part.stop < range->min)
        return calendar_fail(c->r, at->stop, range->outside);
    int n_first = (range->max - part.start) / part.step + 1;
    CalendarPart first = {.start = part.start, .stop = range->max, .step = part.step}, rest = part;
    rest.start = part.start + n_first * part.step - (range->max - range->min + 1);
    int rc = add_part(c, unit, at, first);
    return rc < 0 || rest.start > rest.stop ? rc : add_part(c, unit, at, rest);
}

static bool may_wrap(const Cron *c, CalendarUnit unit) { return c->aws && unit != CALENDAR_YEAR; }

/* One value, range or repetition; *every becomes true for "*". */
static int take_part(const Cron *c, CalendarUnit unit, bool *every) {
    const CalendarRange *range = range_of(c, unit);
    CalendarReader *r = c->r;
    CalendarPlaces at = {r->p, r->p, r->p};
    CalendarPart part = {.start = range->min, .stop = -1};
    bool star = *r->p == '*';
    int rc = 0;
    if (star)
        r->p++;
    else
        rc = take_value(c, unit, range->missing, &part.start);
    if (rc >= 0 && !star && *r->p == '-') {
        at.stop = ++r->p;
        part.step = 1;
        rc = take_value(c, unit, "expected the end of the range", &part.stop);
        if (unit == WEEKDAY && part.stop == 0 && part.start > 0) /* "fri-sun" */
            part.stop = weekdays_of_cron.max;
        if (rc >= 0 && part.stop < part.start && !may_wrap(c, unit))
            return calendar_fail(r, at.stop, "the range ends before it starts; write two, such as 22-23,0-2");
    }
    if (rc >= 0)
        rc = calendar_take_step(r, range, &at, &part);
    if (rc >= 0 && star && part.step <= 1) {
        *every = true;
        return 0;
    }
    if (rc < 0)
        return rc;
    bool wraps = may_wrap(c, unit) && part.start <= range->max && part.stop >= 0 && part.stop < part.start;
    return wraps ? add_wrapped(c, unit, &at, part) : add_part(c, unit, &at, part);
}

/* What is wrong with that character behind a part. */
static const char *junk(const Cron *c, char character) {
    if (!strchr("LW#?", character))
        return "expected \",\", \"-\", \"/\" or a space";
    return c->aws ? no_list : aws_alone;
}

static int take_list(const Cron *c, CalendarUnit unit) {
    CalendarReader *r = c->r;
    bool every = false;
    for (;;) {
        int rc = take_part(c, unit, &every);
        if (rc < 0)
            return rc;
        if (*r->p != ',')
            break;
        r->p++;
    }
    if (!is_field_end(c, r->p))
        return calendar_fail(r, r->p, junk(c, *r->p));
    if (every && unit == WEEKDAY)
        r->calendar->weekdays = 0;
    else if (every)
        r->calendar->fields[unit].n_parts = 0;
    else if (unit != WEEKDAY)
        calendar_normalize(r->calendar, unit);
    return 0;
}

/* --- what AWS has besides --- */

static int end_day(const Cron *c) {
    return is_field_end(c, c->r->p) ? 0 : calendar_fail(c->r, c->r->p, no_list);
}

/* "L", "LW", "15W", or a list. */
static int take_aws_day(const Cron *c) {
    CalendarReader *r = c->r;
    const char *start = r->p;
    CalendarPart part = {.start = 1, .stop = -1};
    size_t n_digits = strspn(start, "0123456789");
    bool last = *start == 'L', nearest = last ? start[1] == 'W' : n_digits > 0 && start[n_digits] == 'W';
    if (!last && !nearest)
        return take_list(c, CALENDAR_DAY);
    int rc = 0;
    if (last)
        r->p++;
    else
        rc = calendar_take_value(r, &calendar_ranges[CALENDAR_DAY], NULL, &part.start);
    r->p += nearest;
    r->calendar->from_month_end = last;
    r->calendar->days = nearest ? CALENDAR_DAYS_NEAREST : CALENDAR_DAYS_BOTH;
    CalendarPlaces at = {start, start, start};
    if (rc >= 0)
        rc = calendar_check_part(r, &calendar_ranges[CALENDAR_DAY], &at, &part);
    if (rc >= 0)
        rc = end_day(c);
    return rc < 0 ? rc : calendar_add_part(r, CALENDAR_DAY, start, part);
}

/* "L", which is Saturday; "6L", the last Friday of the month; "3#2", its second Tuesday; or a list. The day of the
 * month has none then, and so can say which week is meant. */
static int take_aws_weekday(const Cron *c) {
    CalendarReader *r = c->r;
    const char *start = r->p;
    CalendarPart day = {.stop = -1};
    size_t length = strcspn(start, ", \t)L#");
    char kind = start[length];
    if (kind != 'L' && kind != '#')
        return take_list(c, WEEKDAY);
    int rc = 0, week = 1;
    if (length == 0 && kind == 'L')
        day.start = weekdays_of_aws.max;
    else
        rc = take_value(c, WEEKDAY, weekdays_of_aws.missing, &day.start);
    CalendarPlaces at = {start, start, start};
    if (rc >= 0)
        rc = calendar_check_part(r, &weekdays_of_aws, &at, &day);
    if (rc < 0)
        return rc;
    if (*r->p != kind)
        return calendar_fail(r, r->p, no_list);
    const char *week_at = ++r->p;
    if (kind == '#' && (*week_at < '1' || *week_at > '5'))
        return calendar_fail(r, week_at, "expected the number of the week in the month, from 1 to 5");
    if (kind == '#')
        week = *r->p++ - '0';
    add_weekdays(c, day);
    r->calendar->from_month_end = kind == 'L' && length > 0;
    rc = end_day(c);
    if (rc < 0 || length == 0)
        return rc;
    CalendarPart days = {.start = 7 * week - 6, .stop = week < 5 ? 7 * week : 31, .step = 1};
    return calendar_add_part(r, CALENDAR_DAY, start, days);
}

/* --- expressions --- */

/* Reads a field, and the spaces after it. `missing` is said where there is none. */
static int take_field(const Cron *c, CalendarUnit unit, const char *missing) {
    CalendarReader *r = c->r;
    int rc;
    if (!*r->p || (c->aws && *r->p == ')'))
        return calendar_fail(r, r->p, missing);
    if (c->aws && unit == CALENDAR_DAY)
        rc = take_aws_day(c);
    else if (c->aws && unit == WEEKDAY)
        rc = take_aws_weekday(c);
    else
        rc = take_list(c, unit);
    skip_spaces(c);
    return rc;
}

static int add_second(CalendarReader *r) {
    return calendar_add_part(r, CALENDAR_SECOND, r->p, (CalendarPart){.stop = -1});
}

static void combine_days(Calendar *c, bool either) {
    if (c->weekdays == CALENDAR_WEEKDAYS_ALL)
        c->weekdays = 0;
    if (either && c->weekdays != 0 && c->fields[CALENDAR_DAY].n_parts > 0)
        c->days = CALENDAR_DAYS_EITHER;
    else if (either) { /* one of them is every day */
        c->weekdays = 0;
        c->fields[CALENDAR_DAY].n_parts = 0;
    }
}

int calendar_read_cron(CalendarReader *r) {
    static const CalendarUnit order[] = {CALENDAR_MINUTE, CALENDAR_HOUR, CALENDAR_DAY, CALENDAR_MONTH, WEEKDAY};
    Cron c = {.r = r};
    bool either = true;
    int rc = add_second(r);
    skip_spaces(&c);
    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(order); i++) {
        if (order[i] == CALENDAR_DAY || order[i] == WEEKDAY)
            either = either && *r->p != '*';
        rc = take_field(&c, order[i], "cron takes five fields: minute, hour, day of the month, month, weekday");
    }
    if (rc >= 0 && *r->p)
        rc = calendar_fail(r, r->p, "cron takes five fields, without seconds and years, and here is one more");
    if (rc >= 0)
        combine_days(r->calendar, either);
    return rc;
}

/* Of day and weekday one is "?", which stands for nothing. */
static int take_question(const Cron *c, CalendarUnit unit, bool *other_is_question, bool *ret_is_question) {
    CalendarReader *r = c->r;
    if (unit != CALENDAR_DAY && unit != WEEKDAY)
        return 0;
    bool is = *r->p == '?' && is_field_end(c, r->p + 1);
    if (unit == WEEKDAY && is == *other_is_question && !is_field_end(c, r->p))
        return calendar_fail(r, r->p, "of day of the month and weekday, one is \"?\" and the other is not");
    *other_is_question = is;
    *ret_is_question = is;
    if (is)
        r->p++;
    skip_spaces(c);
    return 0;
}

int calendar_read_aws_cron(CalendarReader *r) {
    static const CalendarUnit order[] = {CALENDAR_MINUTE, CALENDAR_HOUR, CALENDAR_DAY,
                                         CALENDAR_MONTH,  WEEKDAY,       CALENDAR_YEAR};
    Cron c = {.r = r, .aws = true};
    bool has_question = false;
    int rc = add_second(r);
    r->p += strlen("cron(");
    skip_spaces(&c);
    for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(order); i++) {
        bool is_question = false;
        rc = take_question(&c, order[i], &has_question, &is_question);
        if (rc >= 0 && !is_question)
            rc = take_field(&c, order[i],
                            "cron(...) takes six fields: minute, hour, day of the month, month, weekday, year");
    }
    if (rc >= 0 && *r->p != ')')
        rc = calendar_fail(r, r->p, *r->p ? "cron(...) takes six fields, and here is one more" : "expected \")\"");
    if (rc >= 0 && *++r->p)
        rc = calendar_fail(r, r->p, "expected the end, or a space and a time zone, after \")\"");
    if (r->calendar->weekdays == CALENDAR_WEEKDAYS_ALL)
        r->calendar->weekdays = 0;
    return rc;
}
