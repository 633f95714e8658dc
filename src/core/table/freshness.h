#pragma once
/* Is the newest verified artefact of an enrolment younger than its schedule's max_age? */

#include "base/clock.h"
#include "core/table/target.h"

typedef enum Freshness {
    FRESH_UNWATCHED, /* no max_age */
    FRESH_YES,
    FRESH_PENDING, /* nothing verified yet, and max_age has not passed since it was first seen */
    FRESH_STALE,
} Freshness;

Freshness freshness_of(const Enrolment *e, Usec now_wall);

/* *Stale* and *recovered* are outcomes: what is to be said at `now`. Changes the enrolment's record of what was said.
 */
typedef enum FreshnessNews {
    FRESH_NEWS_NONE,
    FRESH_NEWS_STALE,
    FRESH_NEWS_STILL_STALE,
    FRESH_NEWS_RECOVERED
} FreshnessNews;
FreshnessNews freshness_turn(Enrolment *e, Usec now_wall);
/* When freshness_turn has something to say next, if nothing else happens. */
Usec freshness_next(const Enrolment *e);

/* While it lasts, stale is said again this often. */
#define FRESHNESS_REPEAT_USEC USEC_PER_DAY
