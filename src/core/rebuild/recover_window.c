/* What the exports of a chain come to, window by window. */

#include "core/rebuild/recover_inside.h"

#include <errno.h>

#include "base/array.h"

/* Takes it. */
static int add_link(RecoverWork *w, Run *r, bool is_recorded) {
    if (ARRAY_GROW(w->finds.links, w->finds.n_links, w->finds.n_links_room) < 0) {
        run_free(r);
        return -ENOMEM;
    }
    w->finds.links[w->finds.n_links++] = (ChainLink){.run = r, .is_recorded = is_recorded};
    return 0;
}

/* Its row. `why_not`: it does not count, and why. */
static int take_link(RecoverWork *w, const Chain *c, const LinkClue *clue, int attempt, const char *why_not,
                     Run **ret) {
    int r = recover_link(w->clues, c, clue, attempt, why_not, w->now, ret);
    if (r < 0)
        return r;
    bool recorded = recover_stands(clue), failed = !recorded && (clue->is_gone || clue->info->status == EXPORT_FAILED);
    w->finds.n_recorded += recorded;
    w->finds.n_failed += failed;
    w->finds.n_adopted += !recorded && !failed && !why_not;
    w->finds.n_surplus += !recorded && !failed && why_not;
    return add_link(w, *ret, clue->record != NULL);
}

/* Nothing shows of it: it may have been asked for all the same. */
static int take_doubt(RecoverWork *w, Chain *c, Usec to_wall) {
    Run *run;
    ChainWindow *window;
    int r = recover_link_doubt(w->clues, c, chain_frontier(c), to_wall, w->now, &run);
    if (r < 0 || (r = add_link(w, run, false)) < 0 || (r = chain_add_window(c, to_wall, &window)) < 0)
        return r;
    window->attempt = 1;
    window->run = run;
    w->finds.n_doubted++;
    return 0;
}

/* Windows up to where a later one begins. 1: done; 0: there is no way there. */
static int fill_hole(RecoverWork *w, Chain *c, Usec until_wall) {
    const ScheduleConf *s = w->clues->schedule;
    int r = 0;
    while (r >= 0 && chain_frontier(c) < until_wall) {
        LinkPlan p;
        Usec rest = until_wall - chain_frontier(c);
        r = link_plan(&(LinkSituation){.when = s->when,
                                       .zone = s->zone,
                                       .frontier_wall = chain_frontier(c),
                                       .until_wall = until_wall,
                                       .earliest_wall = lineage_earliest(w->lineage, c),
                                       .latest_wall = until_wall,
                                       .max_open = 1},
                      &p);
        if (r < 0)
            return r;
        if (p.verdict == LINK_WAITS && rest >= LINK_MIN_USEC && rest <= LINK_MAX_USEC) /* by another calendar */
            p = (LinkPlan){.verdict = LINK_PLANNED, .to_wall = until_wall};
        if (p.verdict != LINK_PLANNED)
            return 0;
        r = take_doubt(w, c, p.to_wall);
    }
    return r < 0 ? r : 1;
}

/* Of the exports of one window: the last one that is recorded, else the last attempt. */
static size_t find_winner(const LinkClue *items, size_t n) {
    size_t winner = 0;
    for (size_t i = 1; i < n; i++)
        if (items[i].to_wall == items[0].to_wall && recover_stands(&items[i]) == recover_stands(&items[0]) &&
            items[i].attempt > items[winner].attempt)
            winner = i;
    return winner;
}

static void settle_window(RecoverWork *w, Chain *c, ChainWindow *window, Run *run) {
    if (run->state == RUN_SUCCEEDED)
        chain_take_verified(c, window);
    else if (run_is_settled(run))
        chain_take_failed(c, window, w->now);
    else
        window->run = run;
}

/* The exports of one window, the `n` from items[first] on: one counts, the others are attempts before it. */
static int take_window(RecoverWork *w, Chain *c, size_t first, size_t n) {
    const LinkClue *items = &w->items[first];
    size_t winner = find_winner(items, n);
    ChainWindow *window = chain_window(c, items[0].from_wall);
    int r = window ? 0 : chain_add_window(c, items[0].to_wall, &window);
    if (r < 0)
        return r;
    if (window->is_verified || window->run || items[0].to_wall != window->to_wall)
        return 0; /* the ledger has it, and finds out by itself */
    Run *run;
    int known = window->attempt;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        bool other = items[i].to_wall != items[0].to_wall;
        w->finds.n_surplus += other;
        if (i == winner || other || items[i].attempt <= known)
            continue;
        LinkClue clue = items[i];
        clue.is_gone |= clue.record != NULL; /* it was found damaged, or gone: else there was none after it */
        r = take_link(w, c, &clue, clue.attempt, "another attempt at its window was made", &run);
        window->attempt = int_max(window->attempt, items[i].attempt);
    }
    int attempt = items[winner].attempt > 0 ? items[winner].attempt : window->attempt + 1;
    if (r < 0 || attempt <= known)
        return r;
    window->attempt = int_max(window->attempt, attempt);
    const char *why_not = items[winner].is_gone ? "it does not lie in its bucket any more" : NULL;
    if ((r = take_link(w, c, &items[winner], attempt, why_not, &run)) >= 0)
        settle_window(w, c, window, run);
    return r;
}

/* What lies behind time that is lost, or behind the end of its chain. */
static int take_rest(RecoverWork *w, Chain *c, size_t first, size_t n, const char *why) {
    int r = 0, last = 0;
    for (size_t i = first; i < first + n; i++)
        last = int_max(last, w->items[i].attempt);
    for (size_t i = first; r >= 0 && i < first + n; i++) {
        Run *taken;
        int attempt = w->items[i].attempt > 0 ? w->items[i].attempt : ++last;
        r = take_link(w, c, &w->items[i], attempt, why, &taken);
    }
    return r;
}

int recover_walk(RecoverWork *w, const RecoverBase *b) {
    Chain *c = b->chain;
    Usec known = c->covered_wall; /* the ledger has what comes before it */
    size_t index = (size_t)(b - w->bases), n;
    bool is_cut = false;
    const char *const is_lost = "what comes before it is lost";
    int r = 0;
    for (size_t i = 0; r >= 0 && i < w->n_items; i += n) {
        Usec from = w->items[i].from_wall;
        for (n = 1; i + n < w->n_items && w->items[i + n].base == w->items[i].base &&
                    w->items[i + n].from_wall == from;)
            n++;
        if (w->items[i].base != index || from < known)
            continue;
        bool overlaps = from < chain_frontier(c) && !chain_window(c, from);
        if (!is_cut && !overlaps && from > chain_frontier(c) && from < c->end_wall)
            is_cut = (r = fill_hole(w, c, from)) == 0;
        if (r < 0)
            return r;
        if (is_cut || overlaps)
            r = take_rest(w, c, i, n, is_cut ? is_lost : "another window has its time");
        else if (from >= c->end_wall)
            r = take_rest(w, c, i, n, c->state == CHAIN_BROKEN ? is_lost : "the next chain has it");
        else
            r = take_window(w, c, i, n);
    }
    return r;
}
