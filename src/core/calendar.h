#pragma once
/* Calendar expressions as in systemd.time(7), "CALENDAR EVENTS", and when they elapse.
 *
 * Rules at changes of the clock (ddbackupd.conf(5) says them too): a local time that does not exist runs once, at the
 * first valid instant after it; one that exists twice runs once, the first time; an expression whose hour field is a
 * wildcard or stepped runs in both passes; instants that coincide are one. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/macros.h"
#include "core/zone.h"

typedef struct Calendar Calendar;

typedef struct CalendarError {
    size_t position;     /* of the character in the expression, from 0 */
    const char *message; /* static: "expected a month between 1 and 12" */
} CalendarError;

/* -EINVAL: *ret_error says where and why; -ENOMEM. */
int calendar_parse(const char *expression, Calendar **ret, CalendarError *ret_error);
void calendar_free(Calendar *c);
DEFINE_CLEANUP(Calendar, calendar_free)

/* The zone that the expression itself names ("UTC", "Europe/Berlin"), or NULL: the schedule's. Borrowed. */
const char *calendar_zone_name(const Calendar *c);
/* The normal form, as `systemd-analyze calendar` prints it. */
int calendar_to_string(const Calendar *c, char **ret);
bool calendar_equal(const Calendar *a, const Calendar *b);

/* The first elapse strictly after `after_wall`, in `zone`. -ENOENT: never again (before the year 2200). */
int calendar_next(const Calendar *c, const Zone *zone, Usec after_wall, Usec *ret_wall);
/* The last elapse at or before `until_wall` and after `after_wall`. -ENOENT: none. */
int calendar_last(const Calendar *c, const Zone *zone, Usec after_wall, Usec until_wall, Usec *ret_wall);
/* The shortest time between two elapses in the four years after `from_wall` (looks at no more than 10,000 of them);
 * USEC_INFINITY where there are not two. */
Usec calendar_shortest_period(const Calendar *c, const Zone *zone, Usec from_wall);
