#pragma once
/* What the readers of calendar expressions share, one reader a dialect. Each reads from r->p to the end into
 * r->calendar, which is empty but for its zone; -EINVAL with *r->error set, or -ENOMEM. */

#include "core/calendar/calendar_spec.h"

typedef struct CalendarReader {
    const char *p, *start; /* where it is, and of what */
    Calendar *calendar;
    CalendarError *error;
} CalendarReader;

int calendar_read_systemd(CalendarReader *r);  /* systemd.time(7), without the zone */
int calendar_read_cron(CalendarReader *r);     /* crontab(5): five fields */
int calendar_read_aws_cron(CalendarReader *r); /* "cron(" and six fields */
int calendar_read_rate(CalendarReader *r);     /* "rate(5 minutes)" */

/* The number of a weekday's name, 0 = Monday, long or short, in any case, with its length; or -1. */
int calendar_weekday_at(const char *p, size_t *ret_length);

/* Says what is wrong at `at`; always -EINVAL. */
int calendar_fail(const CalendarReader *r, const char *at, const char *message);

/* What a number may be. */
typedef struct CalendarRange {
    int min, max, scale;
    const char *missing, *outside, *step; /* messages */
    bool backwards; /* steps lead down to min */
} CalendarRange;
extern const CalendarRange calendar_ranges[CALENDAR_UNITS];
extern const CalendarRange calendar_range_from_month_end;

/* Where the pieces of a part stand, for errors; the start's place: it has no such piece. */
typedef struct CalendarPlaces {
    const char *start, *stop, *step;
} CalendarPlaces;

/* "Mon..Fri,Sun" and the spaces behind it, if a letter comes next. `missing` is said of a word that is no weekday. */
int calendar_take_weekdays(CalendarReader *r, const char *missing);
/* A whole number, and with its fraction where the scale is that of seconds. `missing` is said where there is none. */
int calendar_take_value(CalendarReader *r, const CalendarRange *range, const char *missing, int *ret);
/* "/15", if there is one. */
int calendar_take_step(CalendarReader *r, const CalendarRange *range, CalendarPlaces *at, CalendarPart *part);
/* Checks a part as systemd does, and makes it normal. */
int calendar_check_part(const CalendarReader *r, const CalendarRange *range, const CalendarPlaces *at,
                        CalendarPart *part);
int calendar_add_part(const CalendarReader *r, CalendarUnit unit, const char *at, CalendarPart part);
/* Sorts the parts and takes out those that come twice. */
void calendar_normalize(Calendar *c, CalendarUnit unit);

static inline bool calendar_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool calendar_is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
