#pragma once
/* Times of the week in which nothing is begun: `not_during` of a schedule. By the clock of the schedule's zone, so that
 * such a time is an hour shorter or longer where that changes. */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "core/calendar/calendar.h"

typedef struct Blackout {
    unsigned weekdays; /* on which it begins; bit 0 = Monday */
    int from, to;      /* minutes after midnight, from < to <= 48 h: it may end on the next day */
} Blackout;

/* "Mon..Fri 08:00..18:00"; without weekdays every day, without times the whole day; "22:00..06:00" ends on the next
 * day. -EINVAL: *ret_error says where and why; -ENOMEM. */
int blackout_from_string(const char *s, Blackout *ret, CalendarError *ret_error);
/* Its normal form, which is read back as the same; never longer than BLACKOUT_TEXT_MAX. */
#define BLACKOUT_TEXT_MAX 64
int blackout_add_string(const Blackout *b, Text *t);

/* The first instant at or after `wall` at which none of them holds. USEC_INFINITY: there is none. */
Usec blackouts_end(const Blackout *items, size_t n, const Zone *zone, Usec wall);
