#include "core/chain/span.h"

#include <errno.h>

#include "base/array.h"

void spans_done(Spans *s) {
    free(s->items);
    *s = (Spans){};
}

const char *span_kind_to_string(SpanKind k) {
    static const char *const names[] = {
        [SPAN_COVERED] = "COVERED", [SPAN_IN_FLIGHT] = "IN FLIGHT", [SPAN_LATE] = "LATE", [SPAN_LOST] = "LOST"};
    return names[k];
}

static int add(Spans *s, Span span) {
    if (ARRAY_GROW(s->items, s->n_items, s->n_room) < 0)
        return -ENOMEM;
    s->items[s->n_items++] = span;
    return 0;
}

static Usec floor_second(Usec wall) { return wall / USEC_PER_SEC * USEC_PER_SEC; }

static Usec reach_of(const ChainReach *c) { return usec_max(floor_second(c->base_wall), c->covered_wall); }

static bool stands(const ChainReach *c) { return c->state != CHAIN_FORMING && c->state != CHAIN_VOID; }

static int add_covered(const ChainReach *c, Spans *s) {
    return add(s, (Span){.kind = SPAN_COVERED,
                         .from_wall = floor_second(c->base_wall),
                         .to_wall = reach_of(c),
                         .chain_id = c->id,
                         .arn = c->base_arn,
                         .n_links = c->n_links});
}

static int add_window(const Chain *c, const ChainWindow *w, Usec late_wall, Spans *s) {
    const Run *r = w->run;
    return add(s, (Span){.kind = w->from_wall < late_wall ? SPAN_LATE : SPAN_IN_FLIGHT,
                         .from_wall = w->from_wall,
                         .to_wall = w->to_wall,
                         .chain_id = c->id,
                         .arn = r && r->artefact ? r->artefact->arn : NULL,
                         .why = r               ? r->why
                                : w->is_damaged ? "what was exported of it is damaged or gone"
                                : w->is_overdue ? "the last attempt goes on, and is overdue"
                                                : NULL,
                         .attempt = w->attempt,
                         .state = r ? run_state_to_string(r->state) : NULL});
}

static bool is_wanted(const Lineage *l, const Chain *c) { return lineage_is_fed(l, c) && c->state != CHAIN_BROKEN; }

/* What is open of a chain: windows that were asked for, and what comes after them. Verified windows behind a hole
 * count for nothing yet. */
static int add_open(const Lineage *l, const Chain *c, Usec late_wall, Usec now_wall, Spans *s) {
    Usec frontier = chain_frontier(c), end = usec_min(c->end_wall, now_wall);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < c->n_windows; i++)
        if (!c->windows[i].is_verified)
            r = add_window(c, &c->windows[i], late_wall, s);
    if (r < 0 || !is_wanted(l, c) || frontier >= end)
        return r;
    return add(s, (Span){.kind = frontier < late_wall ? SPAN_LATE : SPAN_IN_FLIGHT,
                         .from_wall = usec_max(frontier, floor_second(c->base_wall)),
                         .to_wall = end,
                         .chain_id = c->id});
}

static int by_from(const void *a, const void *b) {
    const Span *x = a, *y = b;
    if (x->from_wall != y->from_wall)
        return x->from_wall < y->from_wall ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->chain_id < y->chain_id ? -1 : x->chain_id > y->chain_id;
}

int spans_make(const Lineage *l, const ChainReach *reaches, size_t n_reaches, Usec tolerance_usec, Usec now_wall,
               Spans *ret) {
    CLEANUP(spans_done) Spans s = {};
    Usec late_wall = now_wall - tolerance_usec;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n_reaches; i++)
        r = stands(&reaches[i]) ? add_covered(&reaches[i], &s) : 0;
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++)
        r = add_open(l, l->chains[i], late_wall, now_wall, &s);
    for (size_t i = 0; r >= 0 && i < l->n_losses; i++)
        if (l->losses[i].to_wall > l->losses[i].from_wall)
            r = add(&s, (Span){.kind = SPAN_LOST,
                               .from_wall = l->losses[i].from_wall,
                               .to_wall = l->losses[i].to_wall,
                               .chain_id = l->losses[i].chain_id,
                               .why = l->losses[i].why});
    if (r < 0)
        return r;
    if (s.n_items > 0)
        qsort(s.items, s.n_items, sizeof *s.items, by_from);
    *ret = s;
    s = (Spans){};
    return 0;
}

Usec spans_watermark(const Spans *s) {
    Usec watermark = WALL_UNKNOWN;
    for (size_t i = 0; i < s->n_items; i++)
        if (s->items[i].kind == SPAN_COVERED)
            watermark = usec_max(watermark, s->items[i].to_wall);
    return watermark;
}

int spans_level(const Spans *s) {
    int level = spans_watermark(s) == WALL_UNKNOWN ? 2 : 0;
    for (size_t i = 0; i < s->n_items; i++) {
        if (s->items[i].kind == SPAN_LATE)
            level = int_max(level, 1);
        if (s->items[i].kind == SPAN_LOST && s->items[i].to_wall == USEC_INFINITY)
            level = 2;
    }
    return level;
}
