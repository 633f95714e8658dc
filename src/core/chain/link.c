#include "core/chain/link.h"

#include <errno.h>

#include "core/aws/codec.h"

static Usec floor_second(Usec wall) { return wall - wall % USEC_PER_SEC; }
static Usec ceil_second(Usec wall) { return floor_second(wall + USEC_PER_SEC - 1); }

const char *link_verdict_to_string(LinkVerdict v) {
    static const char *const names[] = {
        [LINK_PLANNED] = "planned", [LINK_WAITS] = "waits", [LINK_CROWDED] = "crowded",
        [LINK_REACHED] = "reached", [LINK_LOST] = "lost",   [LINK_ENDED] = "ended",
    };
    return names[v];
}

Usec link_first_from(Usec export_wall) { return floor_second(export_wall) - LINK_FUZZ_USEC; }

int link_next_boundary(const Calendar *when, const Zone *zone, Usec from_wall, Usec *ret_wall) {
    Usec slot;
    int r = calendar_next(when, zone, from_wall + LINK_MIN_USEC - 1, &slot);
    if (r < 0)
        return r;
    Usec span = ceil_second(slot) - from_wall;
    if (span > LINK_MAX_USEC) { /* even parts, none of which is short */
        Usec n_parts = (span + LINK_MAX_USEC - 1) / LINK_MAX_USEC;
        span = ceil_second(span / n_parts);
    }
    *ret_wall = from_wall + span;
    return 0;
}

/* The first end that may be, of the calendar or by an order. */
static int first_boundary(const LinkSituation *s, LinkPlan *p) {
    Usec ordered = usec_max(ceil_second(s->ordered_wall), s->frontier_wall + LINK_MIN_USEC);
    int r = link_next_boundary(s->when, s->zone, s->frontier_wall, &p->to_wall);
    if (s->ordered_wall <= s->frontier_wall || (r < 0 && r != -ENOENT) || (r >= 0 && p->to_wall <= ordered))
        return r;
    p->to_wall = usec_min(ordered, s->frontier_wall + LINK_MAX_USEC);
    p->is_ordered = true;
    return 0;
}

/* Several instants have passed: the last that fits. */
static int widen(const LinkSituation *s, Usec first_wall, Usec *ret_wall) {
    Usec slot, limit = usec_min(s->latest_wall, s->frontier_wall + LINK_MAX_USEC);
    int r = calendar_last(s->when, s->zone, first_wall, limit, &slot);
    if (r >= 0 && ceil_second(slot) <= limit)
        *ret_wall = ceil_second(slot);
    if (ceil_second(s->ordered_wall) <= limit)
        *ret_wall = usec_max(*ret_wall, ceil_second(s->ordered_wall));
    return r == -ENOENT ? 0 : r;
}

int link_plan(const LinkSituation *s, LinkPlan *ret) {
    LinkPlan plan = {.from_wall = s->frontier_wall, .to_wall = WALL_UNKNOWN};
    if (s->frontier_wall >= s->until_wall)
        plan.verdict = LINK_REACHED;
    else if (s->frontier_wall < s->earliest_wall)
        plan.verdict = LINK_LOST;
    else {
        int r = first_boundary(s, &plan);
        if (r == -ENOENT)
            plan.verdict = LINK_ENDED;
        else if (r < 0)
            return r;
        else if (plan.to_wall > s->latest_wall)
            plan.verdict = LINK_WAITS;
        else if (s->n_open >= s->max_open)
            plan.verdict = LINK_CROWDED;
        else if ((r = widen(s, plan.to_wall, &plan.to_wall)) < 0)
            return r;
        else
            plan.verdict = LINK_PLANNED;
    }
    *ret = plan;
    return 0;
}
