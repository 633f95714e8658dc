#include "core/table/freshness.h"

/* The instant at which it becomes stale. */
static Usec stale_at(const Enrolment *e) {
    if (!e->active || e->max_age_usec <= 0)
        return USEC_INFINITY;
    Usec since = e->newest_wall != WALL_UNKNOWN ? e->newest_wall : e->first_seen_wall;
    return usec_add(since, e->max_age_usec);
}

Freshness freshness_of(const Enrolment *e, Usec now_wall) {
    Usec at = stale_at(e);
    if (at == USEC_INFINITY)
        return FRESH_UNWATCHED;
    if (now_wall >= at)
        return FRESH_STALE;
    return e->newest_wall != WALL_UNKNOWN ? FRESH_YES : FRESH_PENDING;
}

FreshnessNews freshness_turn(Enrolment *e, Usec now_wall) {
    bool stale = freshness_of(e, now_wall) == FRESH_STALE;
    if (!stale) {
        if (e->stale_wall == WALL_UNKNOWN)
            return FRESH_NEWS_NONE;
        e->stale_wall = e->stale_said_wall = WALL_UNKNOWN;
        e->changed = true;
        return FRESH_NEWS_RECOVERED;
    }
    bool first = e->stale_wall == WALL_UNKNOWN;
    if (!first && now_wall < usec_add(e->stale_said_wall, FRESHNESS_REPEAT_USEC))
        return FRESH_NEWS_NONE;
    if (first)
        e->stale_wall = stale_at(e);
    e->stale_said_wall = now_wall;
    e->changed = true;
    return first ? FRESH_NEWS_STALE : FRESH_NEWS_STILL_STALE;
}

Usec freshness_next(const Enrolment *e) {
    Usec at = stale_at(e);
    if (at == USEC_INFINITY)
        return USEC_INFINITY;
    return e->stale_wall == WALL_UNKNOWN ? at : usec_add(e->stale_said_wall, FRESHNESS_REPEAT_USEC);
}
