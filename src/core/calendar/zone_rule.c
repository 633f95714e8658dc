#include "core/calendar/zone_rule.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static bool take_char(const char **s, char c) {
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static bool take_number(const char **s, int min, int max, int *ret) {
    int value = 0, n = 0;
    for (; is_digit(**s) && n < 4; (*s)++, n++)
        value = value * 10 + (**s - '0');
    if (n == 0 || is_digit(**s) || value < min || value > max)
        return false;
    *ret = value;
    return true;
}

/* [+-]h[:mm[:ss]] in seconds */
static bool take_time(const char **s, int max_hours, int *ret) {
    int sign = take_char(s, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;
    if (sign > 0)
        take_char(s, '+');
    if (!take_number(s, 0, max_hours, &hours))
        return false;
    if (take_char(s, ':')) {
        if (!take_number(s, 0, 59, &minutes))
            return false;
        if (take_char(s, ':') && !take_number(s, 0, 59, &seconds))
            return false;
    }
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* At least three letters, or anything like "+03" in angle brackets. */
static bool take_name(const char **s, char name[static ZONE_ABBREVIATION_SIZE]) {
    bool quoted = take_char(s, '<');
    size_t n = 0;
    for (; is_letter(**s) || (quoted && (is_digit(**s) || **s == '+' || **s == '-')); (*s)++) {
        if (n + 1 == ZONE_ABBREVIATION_SIZE)
            return false;
        name[n++] = **s;
    }
    name[n] = '\0';
    return n >= 3 && (!quoted || take_char(s, '>'));
}

static bool take_date(const char **s, ZoneRuleDate *ret) {
    ZoneRuleDate d = {.time = 2 * 3600};
    bool good;
    if (take_char(s, 'J')) {
        d.kind = ZONE_RULE_JULIAN;
        good = take_number(s, 1, 365, &d.day);
    } else if (take_char(s, 'M')) {
        d.kind = ZONE_RULE_WEEKDAY;
        good = take_number(s, 1, 12, &d.month) && take_char(s, '.') && take_number(s, 1, 5, &d.week) &&
               take_char(s, '.') && take_number(s, 0, 6, &d.day);
    } else {
        d.kind = ZONE_RULE_DAY;
        good = take_number(s, 0, 365, &d.day);
    }
    if (!good || (take_char(s, '/') && !take_time(s, 167, &d.time)))
        return false;
    *ret = d;
    return true;
}

int zone_rule_from_string(const char *s, ZoneRule *ret) {
    ZoneRule r = {};
    int west;
    if (!take_name(&s, r.abbreviation[0]) || !take_time(&s, 24, &west))
        return -EBADMSG;
    r.offset[0] = -west;
    if (*s) {
        r.has_dst = true;
        if (!take_name(&s, r.abbreviation[1]))
            return -EBADMSG;
        r.offset[1] = r.offset[0] + 3600;
        if (*s && *s != ',') {
            if (!take_time(&s, 24, &west))
                return -EBADMSG;
            r.offset[1] = -west;
        }
        if (!take_char(&s, ',') || !take_date(&s, &r.change[1]) || !take_char(&s, ',') ||
            !take_date(&s, &r.change[0]) || *s)
            return -EBADMSG;
    }
    *ret = r;
    return 0;
}

static int64_t rule_days(const ZoneRuleDate *d, int year) {
    int day;
    switch (d->kind) {
    case ZONE_RULE_JULIAN:
        return date_days(year, 1, 1) + d->day - 1 + (date_is_leap(year) && d->day >= 60);
    case ZONE_RULE_DAY:
        return date_days(year, 1, 1) + d->day;
    case ZONE_RULE_WEEKDAY:
        day = 1 + (d->day + 6 - date_weekday(year, d->month, 1)) % 7 + 7 * (d->week - 1);
        if (day > date_month_length(year, d->month))
            day -= 7;
        return date_days(year, d->month, day);
    }
    return 0;
}

int64_t zone_rule_change(const ZoneRule *r, int which, int year) {
    return rule_days(&r->change[which], year) * 86400 + r->change[which].time - r->offset[!which];
}
