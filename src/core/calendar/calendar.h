#pragma once
/* Calendar expressions, and when they elapse. Four dialects make one type:
 *   systemd.time(7), "CALENDAR EVENTS"   Mon..Fri 02:00      and its names: daily, weekly, ...
 *   crontab(5)                           0 2 * * 1-5         and its names: @daily, @weekly, ...
 *   Amazon EventBridge, cron             cron(0 2 ? * MON-FRI *)
 *   Amazon EventBridge, rate             rate(12 hours)      counted from 1970-01-01T00:00:00Z
 * All but the last may end in a space and a time zone.
 *
 * Rules at changes of the clock (ddbackupd.conf(5) says them too): a local time that does not exist runs once, at the
 * first valid instant after it; one that exists twice runs once, the first time; an expression whose hour field is a
 * wildcard or stepped runs in both passes; instants that coincide are one. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/macros.h"
#include "core/calendar/zone.h"

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
/* The normal form, which is read back as an equal calendar: systemd's, as `systemd-analyze calendar` prints it; that of
 * cron for a day of the month or a weekday, that of AWS for the nearest weekday (W), and that of rates. */
int calendar_to_string(const Calendar *c, char **ret);
bool calendar_equal(const Calendar *a, const Calendar *b);

/* The first elapse strictly after `after_wall`, in `zone`. -ENOENT: never again (before the year 2200). */
int calendar_next(const Calendar *c, const Zone *zone, Usec after_wall, Usec *ret_wall);
/* The last elapse at or before `until_wall` and after `after_wall`. -ENOENT: none. */
int calendar_last(const Calendar *c, const Zone *zone, Usec after_wall, Usec until_wall, Usec *ret_wall);
/* The shortest time between two elapses in the four years after `from_wall` (looks at no more than 10,000 of them);
 * USEC_INFINITY where there are not two. */
Usec calendar_shortest_period(const Calendar *c, const Zone *zone, Usec from_wall);
