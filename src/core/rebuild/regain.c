#include "core/rebuild/regain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/rebuild/recover_link.h"
#include "core/run/recover.h"

void regain_table_done(RegainTable *t) {
    search_done(&t->search);
    recaller_free(t->recaller);
    target_free(t->mirror);
    free(t->rows);
    free(t->surplus_arn);
    for (size_t i = 0; i < t->n_finds; i++)
        chain_finds_done(&t->finds[i]);
    free(t->finds);
    *t = (RegainTable){};
}

size_t regain_row_taken(const RegainRow *row) { return row->n_succeeded + row->n_unsettled + row->n_failed; }

static bool makes_chains(const Enrolment *e) { return e->schedule && e->schedule->action == ACTION_INCREMENTAL; }

int regain_begin_chains(const RegainSettings *s, const Place *place, RegainTable *t) {
    const Target *target = t->search.target;
    bool wanted = false;
    for (size_t i = 0; i < target->n_enrolments; i++)
        wanted |= makes_chains(target->enrolments[i]);
    if (!wanted)
        return 0;
    int r = target_new(target->account, target->region, target->table, &t->mirror);
    if (r < 0 || (r = recaller_new(s->conf, NULL, place, t->mirror, &t->recaller)) < 0)
        return r;
    for (size_t i = 0; r >= 0 && i < t->search.n_exports; i++)
        r = recaller_add_base(t->recaller, t->search.exports[i].arn, t->search.exports[i].export_wall);
    return r;
}

/* --- runs --- */

static void count(RegainRow *row, const Run *r) {
    if (r->state == RUN_SUCCEEDED)
        row->n_succeeded++;
    else if (run_is_settled(r))
        row->n_failed++;
    else
        row->n_unsettled++;
}

static int add_run(const RegainSettings *s, Run *r, LedgerBatch *batch) {
    if (ARRAY_GROW(batch->runs, batch->n_runs, batch->n_runs_room) < 0)
        return -ENOMEM;
    r->id = s->ledger->next_run_id++;
    if (r->artefact)
        r->artefact->run_id = r->id;
    if (r->failed_artefact)
        r->failed_artefact->run_id = r->id;
    batch->runs[batch->n_runs++] = r;
    return 0;
}

/* The slot of which nothing shows, where the ledger had a hole. Its run goes with those of the search. */
static int add_doubt(const RegainSettings *s, Search *search, Enrolment *e, RegainRow *row, LedgerBatch *batch,
                     Now now) {
    CLEANUP(run_free_ptr) Run *run = NULL;
    int64_t known = 0;
    int r = recover_doubt(s->conf->deployment, e, s->conf->limits.listing_lag_usec, now, &run);
    if (r < 0 || !run || (r = s->find_run(s->context, run, &known)) < 0 || known)
        return r;
    if (ARRAY_GROW(search->runs, search->n_runs, search->n_runs_room) < 0 || add_run(s, run, batch) < 0)
        return -ENOMEM;
    row->doubt_wall = run->slot_wall;
    count(row, run);
    search->runs[search->n_runs++] = TAKE_PTR(run);
    return 0;
}

static int put_enrolment(Enrolment *e, LedgerBatch *batch) {
    if (!e->changed)
        return 0;
    if (ARRAY_GROW(batch->enrolments, batch->n_enrolments, batch->n_enrolments_room) < 0)
        return -ENOMEM;
    batch->enrolments[batch->n_enrolments++] = e;
    return 0;
}

static bool is_new(const RegainSettings *s, const Enrolment *e) { return e->first_seen_wall == s->begun_wall; }

static int take_runs(const RegainSettings *s, Search *search, size_t n_runs, Enrolment *e, RegainRow *row,
                     LedgerBatch *batch, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n_runs; i++) {
        Run *run = search->runs[i];
        if (!recover_is_of(e, run))
            continue;
        row->n_found++;
        row->newest_slot_wall = usec_max(row->newest_slot_wall, run->slot_wall);
        if ((r = s->find_run(s->context, run, &run->id)) < 0)
            return r;
        if (run->id)
            row->n_known++;
        else {
            count(row, run);
            r = add_run(s, run, batch);
        }
    }
    recover_enrolment(e, is_new(s, e), search->runs, n_runs, now);
    if (r >= 0 && regain_row_taken(row) > 0)
        r = add_doubt(s, search, e, row, batch, now);
    return r < 0 ? r : put_enrolment(e, batch);
}

static int count_surplus(RegainTable *t, size_t n_kept) {
    const Search *s = &t->search;
    for (size_t i = n_kept; i < s->n_runs; i++) {
        const Artefact *a = s->runs[i]->artefact;
        if (!a || a->life == ARTEFACT_FAILED)
            continue;
        if (t->n_surplus++ == 0 && text_set(&t->surplus_arn, a->arn) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* --- bases --- */

static bool is_base_of(const Target *t, const Run *r) {
    for (size_t i = 0; i < t->n_enrolments; i++) {
        const Enrolment *base =
            makes_chains(t->enrolments[i]) ? target_enrolment(t, t->enrolments[i]->schedule->base) : NULL;
        if (base && recover_is_of(base, r))
            return true;
    }
    return false;
}

static const Record *record_of(const RecallFacts *facts, const char *arn) {
    for (size_t i = 0; i < facts->n_records; i++)
        if (strcmp(facts->records[i].export_arn, arn) == 0)
            return &facts->records[i];
    return NULL;
}

static Usec newest_recorded(const RecallFacts *facts) {
    Usec newest = WALL_UNKNOWN;
    for (size_t i = 0; i < facts->n_records; i++)
        if (record_is_base(&facts->records[i]))
            newest = usec_max(newest, facts->records[i].base_wall);
    return newest;
}

/* Its record says how it was checked. */
static int take_record(Run *r, const Record *d) {
    Artefact *a = r->artefact;
    if (!d->summary_md5 || !d->files_md5 || a->life != ARTEFACT_VERIFIED)
        return 0;
    r->verify = a->level = VERIFY_MANIFEST;
    return text_set(&a->summary_md5, d->summary_md5) < 0 || text_set(&a->files_md5, d->files_md5) < 0 ||
                   text_set(&a->found, RECOVER_AS_RECORDED) < 0
               ? -ENOMEM
               : 0;
}

static int check_base(const RegainSettings *s, Search *search, Run **run, Now now) {
    Recovered what;
    Run *anew = NULL;
    for (size_t i = 0; i < search->n_exports; i++) {
        if (strcmp(search->exports[i].arn, (*run)->artefact->arn) != 0)
            continue;
        int r = recover_export(s->conf->deployment, search->target, &search->exports[i], true, now, &what, &anew);
        if (r < 0 || what != RECOVERED_RUN)
            return r;
        run_free(*run);
        *run = anew;
        return 0;
    }
    return 0;
}

static bool is_found(const Search *search, const char *arn) {
    for (size_t i = 0; i < search->n_exports; i++)
        if (strcmp(search->exports[i].arn, arn) == 0)
            return true;
    return false;
}

/* A base that the service tells nothing of any more: its record does, and under which token it was asked for. */
static int add_base(const RegainSettings *s, Search *search, const Record *record, Now now) {
    CLEANUP(export_info_done) ExportInfo info = {};
    Recovered what;
    Run *run;
    int r = recover_info(record, &info);
    if (r < 0 || (r = recover_export(s->conf->deployment, search->target, &info, false, now, &what, &run)) < 0 ||
        what != RECOVERED_RUN)
        return r;
    if (ARRAY_GROW(search->runs, search->n_runs, search->n_runs_room) < 0) {
        run_free(run);
        return -ENOMEM;
    }
    search->runs[search->n_runs++] = run;
    return 0;
}

/* A chain stands on what was verified. A base that has no record is checked anew, if a chain may go on from it. */
static int take_bases(const RegainSettings *s, RegainTable *t, const RecallFacts *facts, Now now) {
    Search *search = &t->search;
    Lineage l = {.recovery_wall = WALL_UNKNOWN};
    int r = 0;
    if (t->recaller)
        recaller_tell(t->recaller, &l);
    Usec since = usec_max(newest_recorded(facts), l.recovery.earliest_wall);
    for (size_t i = 0; r >= 0 && i < facts->n_records; i++)
        if (record_is_base(&facts->records[i]) && !is_found(search, facts->records[i].base_arn))
            r = add_base(s, search, &facts->records[i], now);
    for (size_t i = 0; r >= 0 && i < search->n_runs; i++) {
        Run *run = search->runs[i];
        if (run->action != ACTION_EXPORT || !run->artefact || !is_base_of(search->target, run))
            continue;
        const Record *record = record_of(facts, run->artefact->arn);
        if (record)
            r = take_record(run, record);
        else if (run->artefact->created_wall > since)
            r = check_base(s, search, &search->runs[i], now);
    }
    return r;
}

/* --- chains --- */

static int put_record(int64_t chain_id, int64_t link_id, Usec lost_wall, LedgerBatch *batch) {
    if (ARRAY_GROW(batch->records, batch->n_records, batch->n_records_room) < 0)
        return -ENOMEM;
    batch->records[batch->n_records++] =
        (LedgerRecord){.chain_id = chain_id, .link_id = link_id, .lost_wall = lost_wall, .outcome = RECORD_WRITTEN};
    return 0;
}

static bool is_recorded_loss(const RecallFacts *facts, const Chain *c, const LostSpan *loss) {
    for (size_t i = 0; i < facts->n_losses; i++)
        if (strcmp(facts->losses[i].base_arn, c->base_arn) == 0 && facts->losses[i].from_wall == loss->from_wall)
            return true;
    return false;
}

static int put_chains(const Lineage *l, const RecallFacts *facts, LedgerBatch *batch) {
    int r = 0;
    bool lost = false;
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++) {
        if (!l->chains[i]->changed)
            continue;
        if (ARRAY_GROW(batch->chains, batch->n_chains, batch->n_chains_room) < 0)
            return -ENOMEM;
        batch->chains[batch->n_chains++] = l->chains[i];
        if (record_of(facts, l->chains[i]->base_arn))
            r = put_record(l->chains[i]->id, 0, WALL_UNKNOWN, batch);
    }
    for (size_t i = 0; r >= 0 && i < l->n_losses; i++) {
        const LostSpan *loss = &l->losses[i];
        lost |= loss->changed;
        const Chain *c = loss->changed ? lineage_chain(l, loss->chain_id) : NULL;
        if (c && is_recorded_loss(facts, c, loss))
            r = put_record(c->id, 0, loss->from_wall, batch);
    }
    if (r < 0 || !lost)
        return r;
    if (ARRAY_GROW(batch->losses, batch->n_losses, batch->n_losses_room) < 0)
        return -ENOMEM;
    batch->losses[batch->n_losses++] = (Lineage *)l;
    return 0;
}

static int put_links(const RegainSettings *s, const Lineage *l, const ChainFinds *finds, LedgerBatch *batch) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < finds->n_links; i++) {
        Run *run = finds->links[i].run;
        if (ARRAY_GROW(batch->links, batch->n_links, batch->n_links_room) < 0)
            return -ENOMEM;
        run->id = s->ledger->next_run_id++;
        if (run->artefact)
            run->artefact->run_id = run->id;
        batch->links[batch->n_links++] = run;
        if (finds->links[i].is_recorded)
            r = put_record(run->chain_id, run->id, WALL_UNKNOWN, batch);
    }
    return r;
}

static void sum_up(const ChainFinds *f, RegainRow *row) {
    row->n_chains += f->n_chains;
    row->n_links += f->n_links;
    row->n_recorded += f->n_recorded;
    row->n_adopted += f->n_adopted;
    row->n_failed_links += f->n_failed + f->n_surplus;
    row->n_doubted += f->n_doubted;
}

static int take_lineage(const RegainSettings *s, RegainTable *t, size_t n_runs, const RecallFacts *facts, Enrolment *e,
                        const char *schedule, RegainRow *row, LedgerBatch *batch, Now now) {
    Target *target = t->search.target;
    Lineage *l;
    int r = ledger_lineage(s->ledger, target->account, target->region, target->table, schedule, &l);
    if (r < 0 || ARRAY_GROW(t->finds, t->n_finds, t->n_finds_room) < 0)
        return -ENOMEM;
    ChainFinds *f = &t->finds[t->n_finds++];
    *f = (ChainFinds){};
    l->enrolment = e;
    recaller_tell(t->recaller, l);
    r = recover_chains(&(ChainClues){.facts = *facts,
                                     .schedule = e->schedule,
                                     .target = target,
                                     .runs = t->search.runs,
                                     .n_runs = n_runs,
                                     .knows = s->knows_chain,
                                     .context = s->context},
                       l, &s->ledger->next_chain_id, now, f);
    if (r < 0 || (r = put_chains(l, facts, batch)) < 0 || (r = put_links(s, l, f, batch)) < 0)
        return r;
    sum_up(f, row);
    row->lineage = row->lineage ? row->lineage : l;
    row->watermark_wall = usec_max(row->watermark_wall, lineage_watermark(l));
    return 0;
}

/* Slots up to the watermark need no run any more; those after it wait for the chain as before. */
static void take_watermark(const RegainSettings *s, Enrolment *e, const RegainRow *row) {
    Usec watermark = row->watermark_wall;
    bool fresh = is_new(s, e);
    if (watermark == WALL_UNKNOWN)
        return;
    e->changed |= fresh || watermark > e->newest_wall || watermark > e->cursor_wall;
    e->newest_wall = usec_max(e->newest_wall, watermark);
    e->cursor_wall = fresh ? watermark : usec_max(e->cursor_wall, watermark);
    if (fresh && row->lineage->first_wall != WALL_UNKNOWN)
        e->first_seen_wall = usec_min(e->first_seen_wall, row->lineage->first_wall);
}

static int take_chains(const RegainSettings *s, RegainTable *t, size_t n_runs, const RecallFacts *facts, Enrolment *e,
                       RegainRow *row, LedgerBatch *batch, Now now) {
    const ScheduleConf *conf = e->schedule;
    int r = take_lineage(s, t, n_runs, facts, e, conf->name, row, batch, now);
    for (size_t i = 0; r >= 0 && i < conf->n_formerly; i++)
        r = take_lineage(s, t, n_runs, facts, e, conf->formerly[i], row, batch, now);
    take_watermark(s, e, row);
    return r < 0 ? r : put_enrolment(e, batch);
}

/* --- all of it --- */

/* Those that make chains come after those that make their bases. */
static int take_enrolments(const RegainSettings *s, RegainTable *t, size_t n_runs, const RecallFacts *facts,
                           bool of_chains, LedgerBatch *batch, Now now) {
    const Target *target = t->search.target;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < target->n_enrolments; i++) {
        Enrolment *e = target->enrolments[i];
        if (!e->schedule || makes_chains(e) != of_chains)
            continue;
        RegainRow *row = &t->rows[t->n_rows++];
        *row = (RegainRow){.enrolment = e,
                           .newest_slot_wall = WALL_UNKNOWN,
                           .doubt_wall = WALL_UNKNOWN,
                           .watermark_wall = WALL_UNKNOWN};
        r = of_chains ? take_chains(s, t, n_runs, facts, e, row, batch, now)
                      : take_runs(s, &t->search, n_runs, e, row, batch, now);
    }
    return r;
}

int regain_table(const RegainSettings *s, RegainTable *t, Now now, LedgerBatch *batch) {
    RecallFacts facts = {.deployment = s->conf->deployment};
    Target *target = t->search.target;
    batch->wall = now.wall;
    batch->stock.expiry = STOCK_SWITCH_PAUSED; /* holds are lost */
    t->rows = calloc(target->n_enrolments + 1, sizeof *t->rows);
    if (!t->rows || ARRAY_GROW(batch->targets, batch->n_targets, batch->n_targets_room) < 0)
        return -ENOMEM;
    batch->targets[batch->n_targets++] = target;
    if (t->recaller)
        facts = recaller_facts(t->recaller);
    int r = take_bases(s, t, &facts, now);
    if (r < 0)
        return r;
    size_t n_kept = recover_merge(t->search.runs, t->search.n_runs);
    if ((r = count_surplus(t, n_kept)) >= 0 && (r = take_enrolments(s, t, n_kept, &facts, false, batch, now)) >= 0)
        r = take_enrolments(s, t, n_kept, &facts, true, batch, now);
    return r;
}

void regain_committed(RegainTable *t, const LedgerBatch *batch) {
    for (size_t i = 0; i < batch->n_chains; i++) {
        batch->chains[i]->changed = false;
        batch->chains[i]->n_windows = 0; /* they borrow what goes now */
    }
    for (size_t i = 0; i < batch->n_losses; i++)
        for (size_t j = 0; j < batch->losses[i]->n_losses; j++)
            batch->losses[i]->losses[j].changed = false;
    for (size_t i = 0; i < t->search.n_runs; i++)
        run_free(t->search.runs[i]);
    t->search.n_runs = 0;
    for (size_t i = 0; i < t->n_finds; i++)
        chain_finds_done(&t->finds[i]);
    recaller_free(TAKE_PTR(t->recaller));
}
