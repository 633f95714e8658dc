#include "base/date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char weekdays[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Both conversions follow Howard Hinnant, "chrono-compatible low-level date algorithms": years start in March, eras
 * have 400 years. */
int64_t date_days(int year, int month, int day) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void date_set_days(Date *d, int64_t days) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    d->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    d->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    d->year = (int)(yoe + era * 400 + (d->month <= 2));
}

bool date_is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int date_month_length(int year, int month) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && date_is_leap(year) ? 29 : lengths[month - 1];
}

int date_weekday(int year, int month, int day) {
    int64_t days = date_days(year, month, day);
    return (int)(((days + 3) % 7 + 7) % 7);
}

bool date_is_valid(const Date *d) {
    return d->year >= 1970 && d->year <= 9999 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
           d->day <= date_month_length(d->year, d->month) && d->hour >= 0 && d->hour <= 23 && d->minute >= 0 &&
           d->minute <= 59 && d->second >= 0 && d->second <= 59 && d->usec >= 0 && d->usec < USEC_PER_SEC;
}

Usec date_to_wall(const Date *d) {
    int64_t seconds = date_days(d->year, d->month, d->day) * 86400 + d->hour * 3600 + d->minute * 60 + d->second;
    return seconds * USEC_PER_SEC + d->usec;
}

Date date_from_wall(Usec wall) {
    int64_t days = wall / USEC_PER_DAY, rest = wall % USEC_PER_DAY;
    if (rest < 0) {
        rest += USEC_PER_DAY;
        days--;
    }
    Date d = {
        .hour = (int)(rest / USEC_PER_HOUR),
        .minute = (int)(rest / USEC_PER_MINUTE % 60),
        .second = (int)(rest / USEC_PER_SEC % 60),
        .usec = (int)(rest % USEC_PER_SEC),
    };
    date_set_days(&d, days);
    return d;
}

/* Instants outside the years that a format can write are shown as its nearest end. */
static Date date_clamped(Usec wall) { return date_from_wall(usec_max(0, usec_min(wall, WALL_MAX))); }

const char *date_to_iso(Usec wall, char buffer[static DATE_ISO_SIZE]) {
    Date d = date_clamped(wall);
    int n = snprintf(buffer, DATE_ISO_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)d.year % 10000,
                     (unsigned)d.month % 100, (unsigned)d.day % 100, (unsigned)d.hour % 100, (unsigned)d.minute % 100,
                     (unsigned)d.second % 100);
    unsigned msec = (unsigned)d.usec / 1000 % 1000;
    if (msec > 0)
        snprintf(buffer + n, DATE_ISO_SIZE - (size_t)n, ".%03uZ", msec);
    else
        snprintf(buffer + n, DATE_ISO_SIZE - (size_t)n, "Z");
    return buffer;
}

const char *date_to_compact(Usec wall, char buffer[static DATE_COMPACT_SIZE]) {
    Date d = date_clamped(wall);
    snprintf(buffer, DATE_COMPACT_SIZE, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)d.year % 10000, (unsigned)d.month % 100,
             (unsigned)d.day % 100, (unsigned)d.hour % 100, (unsigned)d.minute % 100, (unsigned)d.second % 100);
    return buffer;
}

const char *date_to_http(Usec wall, char buffer[static DATE_HTTP_SIZE]) {
    Date d = date_clamped(wall);
    snprintf(buffer, DATE_HTTP_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
             weekdays[date_weekday(d.year, d.month, d.day)], (unsigned)d.day % 100, months[d.month - 1],
             (unsigned)d.year % 10000, (unsigned)d.hour % 100, (unsigned)d.minute % 100, (unsigned)d.second % 100);
    return buffer;
}

/* Exactly n digits at *s; moves on. -1 when there are fewer. */
static int take_digits(const char **s, int n) {
    int value = 0;
    for (int i = 0; i < n; i++, (*s)++) {
        if (**s < '0' || **s > '9')
            return -1;
        value = value * 10 + (**s - '0');
    }
    return value;
}

static bool take_char(const char **s, char c) {
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

int date_from_iso(const char *s, Usec *ret_wall) {
    Date d = {};
    d.year = take_digits(&s, 4);
    bool dashed = take_char(&s, '-');
    d.month = take_digits(&s, 2);
    if (dashed && !take_char(&s, '-'))
        return -EINVAL;
    d.day = take_digits(&s, 2);
    if (!take_char(&s, 'T') && !take_char(&s, ' '))
        return -EINVAL;
    d.hour = take_digits(&s, 2);
    if (dashed && !take_char(&s, ':'))
        return -EINVAL;
    d.minute = take_digits(&s, 2);
    if (dashed && !take_char(&s, ':'))
        return -EINVAL;
    d.second = take_digits(&s, 2);
    if (take_char(&s, '.')) {
        int scale = 100000;
        if (*s < '0' || *s > '9')
            return -EINVAL;
        for (; *s >= '0' && *s <= '9'; s++, scale /= 10)
            d.usec += (*s - '0') * scale;
    }
    Usec offset = 0;
    if (!take_char(&s, 'Z')) {
        int sign = take_char(&s, '-') ? -1 : take_char(&s, '+') ? 1 : 0;
        int hours = take_digits(&s, 2);
        take_char(&s, ':');
        int minutes = hours < 0 ? -1 : take_digits(&s, 2);
        if (sign == 0 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
            return -EINVAL;
        offset = sign * (hours * USEC_PER_HOUR + minutes * USEC_PER_MINUTE);
    }
    if (*s || !date_is_valid(&d))
        return -EINVAL;
    *ret_wall = date_to_wall(&d) - offset;
    return 0;
}

int date_from_http(const char *s, Usec *ret_wall) {
    Date d = {};
    if (strlen(s) != DATE_HTTP_SIZE - 1 || s[3] != ',' || s[4] != ' ' || s[16] != ' ' || strcmp(s + 25, " GMT") != 0)
        return -EINVAL;
    s += 5;
    d.day = take_digits(&s, 2);
    if (d.day < 0 || !take_char(&s, ' '))
        return -EINVAL;
    for (int m = 0; m < 12; m++)
        if (strncmp(s, months[m], 3) == 0)
            d.month = m + 1;
    s += 3;
    if (!take_char(&s, ' '))
        return -EINVAL;
    d.year = take_digits(&s, 4);
    if (d.year < 0 || !take_char(&s, ' '))
        return -EINVAL;
    d.hour = take_digits(&s, 2);
    if (d.hour < 0 || !take_char(&s, ':'))
        return -EINVAL;
    d.minute = take_digits(&s, 2);
    if (d.minute < 0 || !take_char(&s, ':'))
        return -EINVAL;
    d.second = take_digits(&s, 2);
    if (d.second == 60) /* a leap second, which POSIX time does not have */
        d.second = 59;
    if (!date_is_valid(&d))
        return -EINVAL;
    *ret_wall = date_to_wall(&d);
    return 0;
}
