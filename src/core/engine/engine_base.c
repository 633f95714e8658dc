/* The bases that chains begin with, one after the other: exports of another schedule, made by its calendar, asked
 * for by the chain, or found in the ledger. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"

/* So long apart a chain asks for bases by itself. */
#define BASE_APART_USEC USEC_PER_HOUR
/* The first link begins before its base: there must be so much to restore before one is made. */
#define BASE_AFTER_USEC (2 * USEC_PER_MINUTE)

static int say_base(Engine *e, Lineage *l, ReportKind kind, EngineOutbox *out, const char *what) {
    Report *report = NULL;
    if (l->base_said)
        return 0;
    l->base_said = true;
    int r = report_enrolment(l->enrolment, kind, e->qualified, &report, "the chain of %s has no base: %s", l->schedule,
                             what);
    return r < 0 ? r : engine_say(out, report);
}

static int ask_for_base(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    const ScheduleConf *s = l->enrolment->schedule;
    Target *t = l->enrolment->target;
    Enrolment *base = target_enrolment(t, s->base);
    const RecoveryInfo *recovery = &l->recovery;
    char what[300], size[SIZE_TEXT_SIZE], max[SIZE_TEXT_SIZE];
    if (lineage_head(l)) {
        l->base_said = false;
        return 0;
    }
    if (s->on_lost != ON_LOST_FULL || !base || !base->schedule || base->n_unsettled > 0 || l->table_is_gone ||
        !recovery->pitr_enabled || recovery->latest_wall < recovery->earliest_wall + BASE_AFTER_USEC)
        return 0;
    if (t->size_bytes != COUNT_UNKNOWN && (uint64_t)t->size_bytes > e->conf->limits.max_new_full_bytes) {
        snprintf(what, sizeof what,
                 "the table has %s, and limits.max_new_full_bytes is %s; HINT: raise it, or wait for the next slot of "
                 "%s",
                 size_to_string((uint64_t)t->size_bytes, size),
                 size_to_string(e->conf->limits.max_new_full_bytes, max), s->base);
        return say_base(e, l, REPORT_CHAIN_BEHIND, out, what);
    }
    if (l->base_tried_wall != WALL_UNKNOWN && now.wall - l->base_tried_wall < BASE_APART_USEC)
        return 0;
    Run *begun;
    int r = engine_begin_now(e, base, now, out, &begun);
    l->base_tried_wall = now.wall;
    if (r == -EEXIST)
        return 0;
    snprintf(what, sizeof what, "a full export of %s is asked for, outside of its calendar", s->base);
    l->base_said = false;
    return r < 0 ? r : say_base(e, l, REPORT_CHAIN_BASE, out, what);
}

static int say_begun(Engine *e, const Lineage *l, const Chain *c, EngineOutbox *out) {
    char base[DATE_ISO_SIZE];
    Report *report = NULL;
    int r = report_enrolment(l->enrolment, REPORT_CHAIN_BEGUN, e->qualified, &report,
                             "a chain of %s begins with the export of %s, %s", l->schedule,
                             date_to_iso(c->base_wall, base), c->base_arn);
    return r < 0 ? r : engine_say(out, report);
}

/* What became of a base. */
static int take_base(Engine *e, Lineage *l, Chain *c, ArtefactLife life, const char *why, Now now, EngineOutbox *out) {
    bool good = life == ARTEFACT_VERIFIED;
    int r = 0;
    if (c->base_is_made || life == ARTEFACT_IN_PROGRESS)
        return 0;
    c->base_is_made = c->changed = true;
    if (chain_apply(c, good ? CHAIN_EV_BASE_VERIFIED : CHAIN_EV_BASE_FAILED, good ? NULL : why))
        r = good ? say_begun(e, l, c, out)
                 : engine_cut_chain(e, c, c->start_wall, "the base of its chain has failed", now, out);
    if (r >= 0)
        r = engine_chain_moved(e, l, now, out);
    return r < 0 ? r : engine_schedule_chain(e, l, now);
}

static int note_artefact(Engine *e, Lineage *l, const Run *r, const Artefact *a, Now now, EngineOutbox *out) {
    const ScheduleConf *s = l->enrolment->schedule;
    Chain *c = lineage_chain_of_base(l, a->arn);
    bool is_base = s && s->action == ACTION_INCREMENTAL && text_equal(s->base, r->schedule);
    bool begins = is_base && a == r->artefact && a->created_wall != WALL_UNKNOWN &&
                  (a->life == ARTEFACT_IN_PROGRESS || a->life == ARTEFACT_VERIFIED);
    if (!c && !begins)
        return 0;
    if (!c) {
        CLEANUP(chain_free_ptr) Chain *fresh = NULL;
        int rc = chain_new(e->next_chain_id, r, l->schedule, now.wall, &fresh);
        if (rc < 0 || (rc = lineage_add_chain(l, fresh)) < 0)
            return rc;
        e->next_chain_id++;
        c = TAKE_PTR(fresh);
        if ((rc = engine_put_chain(out, c)) < 0)
            return rc;
        if (l->asking == LINEAGE_IDLE && (rc = heap_set(&e->looks, &l->look, now.wall)) < 0)
            return rc;
    }
    return take_base(e, l, c, a->life, r->why, now, out);
}

int engine_base_noted(Engine *e, const Run *r, Now now, EngineOutbox *out) {
    const Target *t = r->action == ACTION_EXPORT ? targets_find(&e->targets, r->account, r->region, r->table) : NULL;
    int rc = 0;
    for (size_t i = 0; t && rc >= 0 && i < t->n_enrolments; i++) {
        Lineage *l = t->enrolments[i]->lineage;
        if (l && r->failed_artefact)
            rc = note_artefact(e, l, r, r->failed_artefact, now, out);
        if (l && rc >= 0 && r->artefact)
            rc = note_artefact(e, l, r, r->artefact, now, out);
    }
    return rc;
}

/* The newest export of the base's schedule that the ledger has, if the table can still be restored from there. */
static const StockItem *newest_base(const Lineage *l, const Stock *stock) {
    const StockItem *newest = NULL;
    const Target *t = l->enrolment->target;
    for (size_t i = 0; i < stock->n_items; i++) {
        const Artefact *a = stock->items[i].artefact;
        if (a->life == ARTEFACT_VERIFIED && a->action == ACTION_EXPORT && text_equal(a->table_id, t->table_id) &&
            text_equal(stock->items[i].schedule, l->enrolment->schedule->base) && a->created_wall != WALL_UNKNOWN &&
            link_first_from(a->created_wall) >= l->recovery.earliest_wall &&
            (!newest || a->created_wall > newest->artefact->created_wall))
            newest = &stock->items[i];
    }
    return newest;
}

/* Once, where there was no chain before: whatever is made from then on is noted. */
static int find_base(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    const Target *t = l->enrolment->target;
    CLEANUP(stock_done) Stock stock = {};
    AUTO_FREE char *prefix = text_format("%s/export/", t->table_arn);
    l->has_searched = true;
    int r = prefix ? e->port.read(e->port.context, prefix, &stock) : -ENOMEM;
    const StockItem *newest = r < 0 ? NULL : newest_base(l, &stock);
    if (!newest)
        return r;
    Run base = {.id = newest->artefact->run_id,
                .action = ACTION_EXPORT,
                .schedule = newest->schedule,
                .account = l->account,
                .region = l->region,
                .table = l->table,
                .table_id = t->table_id,
                .table_arn = t->table_arn,
                .artefact = newest->artefact};
    return note_artefact(e, l, &base, base.artefact, now, out);
}

int engine_want_base(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    bool is_new = l->first_wall == WALL_UNKNOWN && l->n_chains == 0;
    int r = is_new && !l->has_searched && e->port.read && l->recovery.pitr_enabled && l->enrolment->target->table_arn
                ? find_base(e, l, now, out)
                : 0;
    return r < 0 ? r : ask_for_base(e, l, now, out);
}
