#pragma once
/* Which window a chain asks for next, and why there is none. Windows are half-open, [from, to), in whole seconds, and
 * each begins where the one before it ends, so that a chain has no gap and no overlap, however it came about. Pure.
 *
 * A window ends at an instant of the calendar, once the table can be restored to it; instants that come sooner than 15
 * minutes after another merge; where several have passed, one window spans as many as 24 hours allow. Where the
 * calendar leaves more than 24 hours between two of its instants, the time between them is cut into even parts. An
 * instant that somebody ordered is an end, too, or the first one after it that leaves its window 15 minutes.
 *
 * ExportTableToPointInTime, IncrementalExportSpecification: from inclusive, to exclusive, 15 minutes to 24 hours. */

#include <stdbool.h>
#include <stddef.h>

#include "core/calendar/calendar.h"

#define LINK_MIN_USEC (15 * USEC_PER_MINUTE)
#define LINK_MAX_USEC (24 * USEC_PER_HOUR)
/* How far the content of a full export may be from its ExportTime. The first link of a chain begins so much before it:
 * replaying a little twice is harmless, missing a little is not. */
#define LINK_FUZZ_USEC USEC_PER_MINUTE

/* The start of the first link on a base of that ExportTime. */
Usec link_first_from(Usec export_wall);

typedef struct LinkSituation {
    const Calendar *when;
    const Zone *zone;
    Usec frontier_wall; /* the end of the last window, or the start of the first */
    Usec until_wall;    /* no more is wanted; USEC_INFINITY: for ever */
    Usec earliest_wall; /* that can be restored */
    Usec latest_wall;
    Usec ordered_wall; /* somebody wants it up to there; at or before the frontier: nobody does */
    size_t n_open, max_open; /* windows that are not verified yet; how many there may be */
} LinkSituation;

typedef enum LinkVerdict {
    LINK_PLANNED, /* from, to */
    LINK_WAITS,   /* the table cannot be restored to the end of the next window yet: `to` */
    LINK_CROWDED, /* enough are under way */
    LINK_REACHED, /* what is wanted has been asked for */
    LINK_LOST,    /* the table cannot be restored to the start of the next window any more */
    LINK_ENDED,   /* the calendar has no further instant */
} LinkVerdict;

const char *link_verdict_to_string(LinkVerdict v);

typedef struct LinkPlan {
    LinkVerdict verdict;
    Usec from_wall, to_wall; /* WALL_UNKNOWN where there is no such window */
    bool is_ordered;         /* it ends where no instant of the calendar is */
} LinkPlan;

/* -ENOMEM and whatever else the calendar says; its -ENOENT is LINK_ENDED. */
int link_plan(const LinkSituation *s, LinkPlan *ret);
/* Where the window that starts at `from` will end, if it is asked for as soon as that can be restored. -ENOENT. */
int link_next_boundary(const Calendar *when, const Zone *zone, Usec from_wall, Usec *ret_wall);
