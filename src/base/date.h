#pragma once
/* The proleptic Gregorian calendar in UTC, and the date formats that appear on the wire, in names and in messages.
 * Nothing here knows of zones (core/calendar/zone.h) or leap seconds. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

typedef struct Date {
    int year;   /* 1970..9999 where an instant is made of it */
    int month;  /* 1..12 */
    int day;    /* 1..31 */
    int hour;   /* 0..23 */
    int minute; /* 0..59 */
    int second; /* 0..59 */
    int usec;   /* 0..999999 */
} Date;

/* Days from 1970-01-01; negative before it. Any year that fits. */
int64_t date_days(int year, int month, int day);
/* The day that lies `days` after 1970-01-01; sets year, month, day alone. */
void date_set_days(Date *d, int64_t days);
int date_month_length(int year, int month);
bool date_is_leap(int year);
/* 0 = Monday .. 6 = Sunday, as in systemd.time(7). */
int date_weekday(int year, int month, int day);

Usec date_to_wall(const Date *d); /* d is valid */
Date date_from_wall(Usec wall);
bool date_is_valid(const Date *d);

#define DATE_ISO_SIZE sizeof("2026-11-23T02:00:00.123Z")
#define DATE_COMPACT_SIZE sizeof("20261123T020000Z")

/* "2026-11-23T02:00:00Z", with ".123" where the instant has milliseconds. `buffer` holds DATE_ISO_SIZE; returned. */
const char *date_to_iso(Usec wall, char buffer[static DATE_ISO_SIZE]);
/* "20261123T020000Z"; seconds are floored. */
const char *date_to_compact(Usec wall, char buffer[static DATE_COMPACT_SIZE]);

/* RFC 3339 in UTC ("Z" or "+00:00" style offsets, optional fraction), or the compact form. -EINVAL. */
int date_from_iso(const char *s, Usec *ret_wall);
/* The Date header, RFC 9110's preferred form: "Sun, 06 Nov 1994 08:49:37 GMT". -EINVAL. */
int date_from_http(const char *s, Usec *ret_wall);
#define DATE_HTTP_SIZE sizeof("Sun, 06 Nov 1994 08:49:37 GMT")
const char *date_to_http(Usec wall, char buffer[static DATE_HTTP_SIZE]);
