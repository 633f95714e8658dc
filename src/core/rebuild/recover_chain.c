#include "core/rebuild/recover_chain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/rebuild/recover_link.h"

/* A full export that a chain may begin with. */
typedef struct Base {
    const char *arn, *table_id, *table_arn;
    Usec wall;
    int64_t run_id;
    bool is_verified;
    bool has_chain; /* the ledger had one: it is recorded, or there are links of it */
    const char *lost; /* nothing can be restored from it, and why; else NULL */
    Chain *chain;   /* in the lineage; NULL: none, or the ledger knows it as settled */
} Base;

typedef struct Work {
    const ChainClues *clues;
    Lineage *lineage;
    Base *bases;
    size_t n_bases, n_bases_room;
    LinkClue *items;
    size_t n_items, n_room;
    Now now;
    ChainFinds finds;
} Work;

void chain_finds_done(ChainFinds *f) {
    for (size_t i = 0; i < f->n_links; i++)
        run_free(f->links[i].run);
    free(f->links);
    *f = (ChainFinds){};
}

static void work_done(Work *w) {
    free(w->bases);
    free(w->items);
    chain_finds_done(&w->finds);
}

/* --- bases --- */

static Base *find_base(const Work *w, const char *arn) {
    for (size_t i = 0; i < w->n_bases; i++)
        if (strcmp(w->bases[i].arn, arn) == 0)
            return &w->bases[i];
    return NULL;
}

static bool is_ours(const Work *w, const Record *d) { return strcmp(d->schedule, w->lineage->schedule) == 0; }

static bool is_recorded(const Work *w, const char *arn) {
    for (size_t i = 0; i < w->clues->facts.n_records; i++)
        if (record_is_base(&w->clues->facts.records[i]) && is_ours(w, &w->clues->facts.records[i]) &&
            strcmp(w->clues->facts.records[i].base_arn, arn) == 0)
            return true;
    return false;
}

static int add_base(Work *w, const Base *base) {
    if (ARRAY_GROW(w->bases, w->n_bases, w->n_bases_room) < 0)
        return -ENOMEM;
    size_t i = w->n_bases++;
    for (; i > 0 && w->bases[i - 1].wall > base->wall; i--)
        w->bases[i] = w->bases[i - 1];
    w->bases[i] = *base;
    return 0;
}

static bool may_begin_chains(const Work *w, const Run *r) {
    const char *name = w->clues->schedule->base;
    const Enrolment *e = name ? target_enrolment(w->clues->target, name) : NULL;
    bool is_of_base = e && e->schedule ? conf_schedule_is(e->schedule, r->schedule) : text_equal(name, r->schedule);
    return r->action == ACTION_EXPORT && is_of_base && r->artefact && r->artefact->created_wall != WALL_UNKNOWN &&
           (r->artefact->life == ARTEFACT_IN_PROGRESS || r->artefact->life == ARTEFACT_VERIFIED);
}

static int find_bases(Work *w) {
    const ChainClues *k = w->clues;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < k->n_runs; i++) {
        const Run *run = k->runs[i];
        if (!may_begin_chains(w, run))
            continue;
        bool recorded = is_recorded(w, run->artefact->arn);
        r = add_base(w, &(Base){.arn = run->artefact->arn,
                                .table_id = run->table_id,
                                .table_arn = run->table_arn,
                                .wall = run->artefact->created_wall,
                                .run_id = run->id,
                                .is_verified = recorded || run->state == RUN_SUCCEEDED,
                                .has_chain = recorded});
    }
    for (size_t i = 0; r >= 0 && i < k->facts.n_records; i++) {
        const Record *d = &k->facts.records[i];
        if (record_is_base(d) && is_ours(w, d) && !find_base(w, d->base_arn))
            r = add_base(w, &(Base){.arn = d->base_arn,
                                    .table_id = d->table_id,
                                    .table_arn = d->table_arn,
                                    .wall = d->base_wall,
                                    .is_verified = true,
                                    .has_chain = true});
    }
    for (size_t i = 0; i < k->facts.n_losses; i++) {
        const Record *d = &k->facts.losses[i];
        Base *b = is_ours(w, d) && d->export_arn ? find_base(w, d->export_arn) : NULL;
        if (b)
            b->lost = d->lost;
    }
    return r;
}

/* --- links --- */

static int add_clue(Work *w, const LinkClue *c) {
    for (size_t i = 0; c->info && i < w->n_items; i++) /* described, and recorded */
        if (w->items[i].record && strcmp(w->items[i].record->export_arn, c->info->arn) == 0) {
            w->items[i].info = c->info;
            w->items[i].attempt = c->attempt;
            return 0;
        }
    if (ARRAY_GROW(w->items, w->n_items, w->n_room) < 0)
        return -ENOMEM;
    w->items[w->n_items++] = *c;
    w->bases[c->base].has_chain = true;
    return 0;
}

/* The chain with the nearest start comes first: most links are of that one. */
static int find_chain(Work *w, const ExportInfo *info, LinkClue *ret) {
    int r = 0;
    for (size_t i = w->n_bases; r >= 0 && ret->attempt == 0 && i > 0; i--) {
        ret->base = i - 1;
        r = recall_attempt(w->clues->facts.deployment, w->lineage->schedule, link_first_from(w->bases[i - 1].wall),
                           info, &ret->attempt);
    }
    return r;
}

/* The token of what is recorded is the one that its chain and window have in one of its attempts. */
static int add_recorded(Work *w, const Record *d, bool is_gone) {
    const Base *base = is_ours(w, d) && !record_is_base(d) ? find_base(w, d->base_arn) : NULL;
    if (!base)
        return 0;
    LinkClue c = {.base = (size_t)(base - w->bases),
                  .from_wall = d->from_wall,
                  .to_wall = d->to_wall,
                  .record = d,
                  .is_gone = is_gone};
    const ExportInfo info = {.client_token = d->client_token,
                             .table_arn = d->table_arn,
                             .table_id = d->table_id,
                             .from_wall = d->from_wall,
                             .to_wall = d->to_wall};
    int r = recall_attempt(w->clues->facts.deployment, d->schedule, link_first_from(base->wall), &info, &c.attempt);
    if (r < 0 || (d->client_token && c.attempt == 0))
        return r;
    c.attempt = int_max(c.attempt, d->attempt);
    return add_clue(w, &c);
}

static int find_links(Work *w) {
    const ChainClues *k = w->clues;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < k->facts.n_records; i++)
        r = add_recorded(w, &k->facts.records[i], false);
    for (size_t i = 0; r >= 0 && i < k->facts.n_gone; i++)
        r = add_recorded(w, &k->facts.gone[i], true);
    for (size_t i = 0; r >= 0 && i < k->facts.n_exports; i++) {
        const ExportInfo *info = &k->facts.exports[i];
        LinkClue c = {.from_wall = info->from_wall, .to_wall = info->to_wall, .info = info};
        r = find_chain(w, info, &c);
        if (r >= 0 && c.attempt > 0)
            r = add_clue(w, &c);
    }
    return r;
}

static bool stands(const LinkClue *c) { return c->record && !c->is_gone; }

/* By chain and window; of exports of one window, first those that are recorded, then by attempt. */
static int by_window(const void *a, const void *b) {
    const LinkClue *x = a, *y = b;
    if (x->base != y->base)
        return x->base < y->base ? -1 : 1;
    if (x->from_wall != y->from_wall)
        return x->from_wall < y->from_wall ? -1 : 1;
    if (stands(x) != stands(y))
        return stands(x) ? -1 : 1;
    if (x->to_wall != y->to_wall)
        return x->to_wall < y->to_wall ? -1 : 1;
    return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* --- chains --- */

static int add_chain(Work *w, Base *b, int64_t *next_chain_id) {
    const Lineage *l = w->lineage;
    CLEANUP(chain_free_ptr) Chain *c = NULL;
    Artefact artefact = {.arn = (char *)b->arn, .created_wall = b->wall};
    Run base = {.id = b->run_id,
                .account = l->account,
                .region = l->region,
                .table = l->table,
                .table_id = (char *)b->table_id,
                .table_arn = (char *)b->table_arn,
                .artefact = &artefact};
    int r = chain_new(*next_chain_id, &base, l->schedule, w->now.wall, &c);
    if (r < 0)
        return r;
    c->base_is_made = b->is_verified;
    if (b->lost)
        chain_apply(c, CHAIN_EV_BASE_FAILED, b->lost);
    else if (b->is_verified)
        chain_apply(c, CHAIN_EV_BASE_VERIFIED, NULL);
    if ((r = lineage_add_chain(w->lineage, c)) < 0)
        return r;
    ++*next_chain_id;
    w->finds.n_chains++;
    b->chain = TAKE_PTR(c);
    return 0;
}

/* Since there were chains, each new base has begun one. */
static Usec chains_since(const Work *w) {
    Usec since = w->lineage->first_wall == WALL_UNKNOWN ? USEC_INFINITY : w->lineage->first_wall;
    for (size_t i = 0; i < w->n_bases; i++)
        if (w->bases[i].has_chain)
            since = usec_min(since, w->bases[i].wall);
    return since;
}

static bool is_newest(const Work *w, const Base *b) {
    for (size_t i = 0; i < w->n_bases; i++)
        if (w->bases[i].has_chain && w->bases[i].wall > b->wall)
            return false;
    return text_equal(b->table_id, w->clues->target->table_id);
}

static int find_chains(Work *w, int64_t *next_chain_id) {
    Usec since = chains_since(w);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < w->n_bases; i++) {
        Base *b = &w->bases[i];
        bool known = false;
        b->chain = lineage_chain_of_base(w->lineage, b->arn);
        if (b->chain || !(b->has_chain || (b->wall > since && is_newest(w, b))))
            continue;
        r = w->clues->knows(w->clues->context, b->arn, &known);
        if (r >= 0 && !known)
            r = add_chain(w, b, next_chain_id);
    }
    return r;
}

/* --- windows --- */

/* Takes it. */
static int add_link(Work *w, Run *r, bool is_recorded) {
    if (ARRAY_GROW(w->finds.links, w->finds.n_links, w->finds.n_links_room) < 0) {
        run_free(r);
        return -ENOMEM;
    }
    w->finds.links[w->finds.n_links++] = (ChainLink){.run = r, .is_recorded = is_recorded};
    return 0;
}

/* Its row. `why_not`: it does not count, and why. */
static int take_link(Work *w, const Chain *c, const LinkClue *clue, int attempt, const char *why_not, Run **ret) {
    int r = recover_link(w->clues, c, clue, attempt, why_not, w->now, ret);
    if (r < 0)
        return r;
    bool recorded = stands(clue), failed = !recorded && (clue->is_gone || clue->info->status == EXPORT_FAILED);
    w->finds.n_recorded += recorded;
    w->finds.n_failed += failed;
    w->finds.n_adopted += !recorded && !failed && !why_not;
    w->finds.n_surplus += !recorded && !failed && why_not;
    return add_link(w, *ret, clue->record != NULL);
}

/* Nothing shows of it: it may have been asked for all the same. */
static int take_doubt(Work *w, Chain *c, Usec to_wall) {
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
static int fill_hole(Work *w, Chain *c, Usec until_wall) {
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
        if (items[i].to_wall == items[0].to_wall && stands(&items[i]) == stands(&items[0]) &&
            items[i].attempt > items[winner].attempt)
            winner = i;
    return winner;
}

static void settle_window(Work *w, Chain *c, ChainWindow *window, Run *run) {
    if (run->state == RUN_SUCCEEDED)
        chain_take_verified(c, window);
    else if (run_is_settled(run))
        chain_take_failed(c, window, w->now);
    else
        window->run = run;
}

/* The exports of one window, the `n` from items[first] on: one counts, the others are attempts before it. */
static int take_window(Work *w, Chain *c, size_t first, size_t n) {
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
static int take_rest(Work *w, Chain *c, size_t first, size_t n, const char *why) {
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

static int walk(Work *w, Base *b) {
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

/* --- all of it --- */

/* What is recorded as lost, and where chains have broken off. */
static int take_losses(Work *w) {
    const RecallFacts *f = &w->clues->facts;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < f->n_losses; i++) {
        const Record *d = &f->losses[i];
        Chain *c = is_ours(w, d) ? lineage_chain_of_base(w->lineage, d->base_arn) : NULL;
        if (!c) /* another schedule's, or of a chain that the ledger knows: so it knows what that has lost */
            continue;
        if (c->state != CHAIN_BROKEN || c->end_wall > d->from_wall) {
            chain_apply(c, CHAIN_EV_LOST, d->lost);
            chain_cut(c, d->from_wall);
        }
        r = lineage_lose(w->lineage, c->id, d->from_wall, d->to_wall, d->lost, w->now.wall);
    }
    return r;
}

/* What is lost of chains that have a successor. What the last one has lost is the daemon's to find out, and to say. */
static int judge(Work *w) {
    Lineage *l = w->lineage;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++) {
        Chain *c = l->chains[i];
        if (c != lineage_head(l) && c->state != CHAIN_FORMING && c->state != CHAIN_VOID)
            r = recall_judge(l, c, w->now.wall);
    }
    for (size_t i = 0; i < l->n_chains; i++) {
        Chain *c = l->chains[i];
        if (!chain_is_over(c) || c->settled_wall != WALL_UNKNOWN)
            continue;
        c->settled_wall = w->now.wall;
        c->changed = true;
    }
    return r;
}

int recover_chains(const ChainClues *clues, Lineage *l, int64_t *next_chain_id, Now now, ChainFinds *ret) {
    CLEANUP(work_done) Work w = {.clues = clues, .lineage = l, .now = now};
    int r = find_bases(&w);
    if (r < 0 || (r = find_links(&w)) < 0 || (r = find_chains(&w, next_chain_id)) < 0)
        return r;
    if (w.n_items > 0)
        qsort(w.items, w.n_items, sizeof *w.items, by_window);
    lineage_succeed(l); /* before any window: which chains have an end */
    r = take_losses(&w);
    for (size_t i = 0; r >= 0 && i < w.n_bases; i++)
        if (w.bases[i].chain && w.bases[i].chain->state != CHAIN_VOID)
            r = walk(&w, &w.bases[i]);
    if (r < 0)
        return r;
    lineage_succeed(l);
    if ((r = judge(&w)) < 0)
        return r;
    *ret = w.finds;
    w.finds = (ChainFinds){};
    return 0;
}
