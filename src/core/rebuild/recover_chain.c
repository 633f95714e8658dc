#include "core/rebuild/recover_chain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/rebuild/recover_inside.h"

void chain_finds_done(ChainFinds *f) {
    for (size_t i = 0; i < f->n_links; i++)
        run_free(f->links[i].run);
    free(f->links);
    *f = (ChainFinds){};
}

static void work_done(RecoverWork *w) {
    free(w->bases);
    free(w->items);
    chain_finds_done(&w->finds);
}

/* --- bases --- */

static RecoverBase *find_base(const RecoverWork *w, const char *arn) {
    for (size_t i = 0; i < w->n_bases; i++)
        if (strcmp(w->bases[i].arn, arn) == 0)
            return &w->bases[i];
    return NULL;
}

static bool is_ours(const RecoverWork *w, const Record *d) { return strcmp(d->schedule, w->lineage->schedule) == 0; }

static bool is_recorded(const RecoverWork *w, const char *arn) {
    for (size_t i = 0; i < w->clues->facts.n_records; i++)
        if (record_is_base(&w->clues->facts.records[i]) && is_ours(w, &w->clues->facts.records[i]) &&
            strcmp(w->clues->facts.records[i].base_arn, arn) == 0)
            return true;
    return false;
}

static int add_base(RecoverWork *w, const RecoverBase *base) {
    if (ARRAY_GROW(w->bases, w->n_bases, w->n_bases_room) < 0)
        return -ENOMEM;
    size_t i = w->n_bases++;
    for (; i > 0 && w->bases[i - 1].wall > base->wall; i--)
        w->bases[i] = w->bases[i - 1];
    w->bases[i] = *base;
    return 0;
}

static bool may_begin_chains(const RecoverWork *w, const Run *r) {
    const char *name = w->clues->schedule->base;
    const Enrolment *e = name ? target_enrolment(w->clues->target, name) : NULL;
    bool is_of_base = e && e->schedule ? conf_schedule_is(e->schedule, r->schedule) : text_equal(name, r->schedule);
    return r->action == ACTION_EXPORT && is_of_base && r->artefact && r->artefact->created_wall != WALL_UNKNOWN &&
           (r->artefact->life == ARTEFACT_IN_PROGRESS || r->artefact->life == ARTEFACT_VERIFIED);
}

static int find_bases(RecoverWork *w) {
    const ChainClues *k = w->clues;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < k->n_runs; i++) {
        const Run *run = k->runs[i];
        if (!may_begin_chains(w, run))
            continue;
        bool recorded = is_recorded(w, run->artefact->arn);
        r = add_base(w, &(RecoverBase){.arn = run->artefact->arn,
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
            r = add_base(w, &(RecoverBase){.arn = d->base_arn,
                                    .table_id = d->table_id,
                                    .table_arn = d->table_arn,
                                    .wall = d->base_wall,
                                    .is_verified = true,
                                    .has_chain = true});
    }
    for (size_t i = 0; i < k->facts.n_losses; i++) {
        const Record *d = &k->facts.losses[i];
        RecoverBase *b = is_ours(w, d) && d->export_arn ? find_base(w, d->export_arn) : NULL;
        if (b)
            b->lost = d->lost;
    }
    return r;
}

/* --- links --- */

static int add_clue(RecoverWork *w, const LinkClue *c) {
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
static int find_chain(RecoverWork *w, const ExportInfo *info, LinkClue *ret) {
    int r = 0;
    for (size_t i = w->n_bases; r >= 0 && ret->attempt == 0 && i > 0; i--) {
        ret->base = i - 1;
        r = recall_attempt(w->clues->facts.deployment, w->lineage->schedule, link_first_from(w->bases[i - 1].wall),
                           info, &ret->attempt);
    }
    return r;
}

/* The token of what is recorded is the one that its chain and window have in one of its attempts. */
static int add_recorded(RecoverWork *w, const Record *d, bool is_gone) {
    const RecoverBase *base = is_ours(w, d) && !record_is_base(d) ? find_base(w, d->base_arn) : NULL;
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

static int find_links(RecoverWork *w) {
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

/* By chain and window; of exports of one window, first those that are recorded, then by attempt. */
static int by_window(const void *a, const void *b) {
    const LinkClue *x = a, *y = b;
    if (x->base != y->base)
        return x->base < y->base ? -1 : 1;
    if (x->from_wall != y->from_wall)
        return x->from_wall < y->from_wall ? -1 : 1;
    if (recover_stands(x) != recover_stands(y))
        return recover_stands(x) ? -1 : 1;
    if (x->to_wall != y->to_wall)
        return x->to_wall < y->to_wall ? -1 : 1;
    return (x->attempt > y->attempt) - (x->attempt < y->attempt);
}

/* --- chains --- */

static int add_chain(RecoverWork *w, RecoverBase *b, int64_t *next_chain_id) {
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
static Usec chains_since(const RecoverWork *w) {
    Usec since = w->lineage->first_wall == WALL_UNKNOWN ? USEC_INFINITY : w->lineage->first_wall;
    for (size_t i = 0; i < w->n_bases; i++)
        if (w->bases[i].has_chain)
            since = usec_min(since, w->bases[i].wall);
    return since;
}

static bool is_newest(const RecoverWork *w, const RecoverBase *b) {
    for (size_t i = 0; i < w->n_bases; i++)
        if (w->bases[i].has_chain && w->bases[i].wall > b->wall)
            return false;
    return text_equal(b->table_id, w->clues->target->table_id);
}

static int find_chains(RecoverWork *w, int64_t *next_chain_id) {
    Usec since = chains_since(w);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < w->n_bases; i++) {
        RecoverBase *b = &w->bases[i];
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

/* --- all of it --- */

/* What is recorded as lost, and where chains have broken off. */
static int take_losses(RecoverWork *w) {
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
static int judge(RecoverWork *w) {
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
    CLEANUP(work_done) RecoverWork w = {.clues = clues, .lineage = l, .now = now};
    int r = find_bases(&w);
    if (r < 0 || (r = find_links(&w)) < 0 || (r = find_chains(&w, next_chain_id)) < 0)
        return r;
    if (w.n_items > 0)
        qsort(w.items, w.n_items, sizeof *w.items, by_window);
    lineage_succeed(l); /* before any window: which chains have an end */
    r = take_losses(&w);
    for (size_t i = 0; r >= 0 && i < w.n_bases; i++)
        if (w.bases[i].chain && w.bases[i].chain->state != CHAIN_VOID)
            r = recover_walk(&w, &w.bases[i]);
    if (r < 0)
        return r;
    lineage_succeed(l);
    if ((r = judge(&w)) < 0)
        return r;
    *ret = w.finds;
    w.finds = (ChainFinds){};
    return 0;
}
