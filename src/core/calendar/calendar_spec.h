#pragma once
/* The inside of a calendar expression, shared by those who read the dialects (core/calendar/calendar_reader.h), by
 * calendar_print.c and by calendar.c, which finds when it elapses. */

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "core/calendar/calendar.h"

typedef enum CalendarUnit {
    CALENDAR_YEAR,
    CALENDAR_MONTH,
    CALENDAR_DAY,
    CALENDAR_HOUR,
    CALENDAR_MINUTE,
    CALENDAR_SECOND, /* in microseconds */
    CALENDAR_UNITS,
} CalendarUnit;

/* An expression elapses in these years alone, as in systemd and at AWS. */
#define CALENDAR_YEAR_MIN 1970
#define CALENDAR_YEAR_MAX 2199
#define CALENDAR_PARTS_MAX 240 /* of a field */
#define CALENDAR_WEEKDAYS_ALL 127u

/* start, start + step, ... up to stop */
typedef struct CalendarPart {
    int start;
    int stop; /* -1: the end of the unit */
    int step; /* 0: start alone */
} CalendarPart;

/* Normal: sorted, each part once, stop - start a multiple of step. */
typedef struct CalendarField {
    CalendarPart *parts;
    size_t n_parts, n_room; /* none: every value ("*"), but for seconds, where "*" is 0/1 */
} CalendarField;

typedef enum CalendarDays {
    CALENDAR_DAYS_BOTH,    /* the day of the month and the weekday must fit */
    CALENDAR_DAYS_EITHER,  /* cron, where neither begins with "*": one of them must */
    CALENDAR_DAYS_NEAREST, /* AWS's "15W": of the same month, the day from Monday to Friday nearest to the one named */
} CalendarDays;

struct Calendar {
    unsigned weekdays; /* bit 0 = Monday; 0: every day */
    bool from_month_end; /* days count backwards: 1 is the last ("~") */
    CalendarDays days;
    CalendarField fields[CALENDAR_UNITS];
    Usec rate_usec; /* not 0: this much apart, from 1970-01-01T00:00:00Z on, and nothing else counts */
    char *zone; /* or NULL */
};

/* "Mon..Fri,Sun"; bit 0 is Monday. */
void calendar_add_weekdays(unsigned weekdays, Text *t);
