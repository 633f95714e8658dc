#pragma once
/* The inside of a calendar expression, shared by calendar_parse.c (reads and checks) and calendar.c (prints and
 * elapses). */

#include <stddef.h>
#include <stdint.h>

#include "core/calendar.h"

typedef enum CalendarUnit {
    CALENDAR_YEAR,
    CALENDAR_MONTH,
    CALENDAR_DAY,
    CALENDAR_HOUR,
    CALENDAR_MINUTE,
    CALENDAR_SECOND, /* in microseconds */
    CALENDAR_UNITS,
} CalendarUnit;

/* An expression elapses in these years alone, as in systemd. */
#define CALENDAR_YEAR_MIN 1970
#define CALENDAR_YEAR_MAX 2199
#define CALENDAR_PARTS_MAX 240 /* of a field */

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

struct Calendar {
    unsigned weekdays; /* bit 0 = Monday; 0: every day */
    bool from_month_end; /* days count backwards: 1 is the last ("~") */
    CalendarField fields[CALENDAR_UNITS];
    char *zone; /* or NULL */
};
