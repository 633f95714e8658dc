/* What chains have come to: the runs that wait until a chain has come to their slots, chains that are over, and time
 * that is lost. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"

/* --- runs that wait for their chain --- */

const char *engine_chain_hint(const Engine *e, const Run *r, char buffer[static CHAIN_HINT_SIZE]) {
    if (e->qualified)
        snprintf(buffer, CHAIN_HINT_SIZE, "'ddbackupctl chain %s/%s/%s' shows how far it has come", r->account,
                 r->region, r->table);
    else
        snprintf(buffer, CHAIN_HINT_SIZE, "'ddbackupctl chain %s' shows how far it has come", r->table);
    return buffer;
}

static int settle_slot(Engine *e, const Lineage *l, Run *r, Now now, EngineOutbox *out) {
    char why[400], iso[DATE_ISO_SIZE], hint[CHAIN_HINT_SIZE];
    const LostSpan *loss;
    engine_chain_hint(e, r, hint);
    switch (lineage_slot(l, r->slot_wall)) {
    case SLOT_OPEN:
        return 0;
    case SLOT_COVERED:
        snprintf(why, sizeof why, "every instant up to %s can be restored", date_to_iso(lineage_watermark(l), iso));
        run_apply(r, RUN_EV_COVERED, &(RunCause){.why = why}, now);
        break;
    case SLOT_LOST:
        loss = lineage_loss_at(l, r->slot_wall);
        snprintf(why, sizeof why, "it lies in time that is lost, after %s: %.300s", date_to_iso(loss->from_wall, iso),
                 loss->why);
        run_apply(r, RUN_EV_REFUSED, &(RunCause){.why = why, .hint = hint}, now);
        break;
    case SLOT_BASELESS:
        snprintf(why, sizeof why, "the chain has no base yet; schedule %.64s makes it",
                 l->enrolment->schedule ? l->enrolment->schedule->base : "of its base");
        run_apply(r, RUN_EV_START_EXPIRED, &(RunCause){.why = why, .hint = hint}, now);
        break;
    }
    return engine_settle_notes(e, r, now, out);
}

int engine_slot_noted(Engine *e, Run *r, Now now, EngineOutbox *out) {
    const Lineage *l = r->enrolment ? r->enrolment->lineage : NULL;
    return l && !run_is_settled(r) ? settle_slot(e, l, r, now, out) : 0;
}

static int settle_slots(Engine *e, const Lineage *l, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && l->enrolment && i < e->n_runs; i++)
        if (run_waits_for_chain(e->runs[i]) && e->runs[i]->enrolment == l->enrolment)
            r = engine_slot_noted(e, e->runs[i], now, out);
    return r;
}

/* --- what has changed --- */

static int put_losses(EngineOutbox *out, Lineage *l) {
    LedgerBatch *b = &out->batch;
    bool changed = false;
    for (size_t i = 0; i < l->n_losses; i++)
        changed |= l->losses[i].changed;
    for (size_t i = 0; i < b->n_losses; i++)
        changed &= b->losses[i] != l;
    if (!changed)
        return 0;
    if (ARRAY_GROW(b->losses, b->n_losses, b->n_losses_room) < 0)
        return -ENOMEM;
    b->losses[b->n_losses++] = l;
    return 0;
}

int engine_cut_chain(Engine *e, Chain *c, Usec at_wall, const char *why, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < c->n_windows; i++) {
        ChainWindow *w = &c->windows[i];
        Run *run = w->from_wall >= at_wall ? w->run : NULL;
        if (!run)
            continue;
        w->run = NULL;
        if (run_apply(run, RUN_EV_REFUSED, &(RunCause){.why = why}, now))
            r = engine_settle_notes(e, run, now, out);
    }
    chain_cut(c, at_wall);
    return r;
}

static int say_ended(Engine *e, const Lineage *l, const Chain *c, EngineOutbox *out) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    Report *report = NULL;
    int r = report_enrolment(l->enrolment, REPORT_CHAIN_ENDED, e->qualified, &report,
                             "a chain of %s is complete: the table can be restored to every instant from %s to %s; the "
                             "next one goes on from there",
                             l->schedule, date_to_iso(c->base_wall, from), date_to_iso(c->covered_wall, to));
    return r < 0 ? r : engine_say(out, report);
}

int engine_chain_moved(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    Enrolment *n = l->enrolment;
    int r = 0;
    lineage_succeed(l);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++) {
        Chain *c = l->chains[i];
        bool ends = c->state == CHAIN_CLOSING || c->state == CHAIN_CLOSED;
        if (ends && c->n_windows > 0 && c->windows[c->n_windows - 1].from_wall >= c->end_wall &&
            (r = engine_cut_chain(e, c, c->end_wall, "the next chain has it", now, out)) < 0)
            return r;
        if (chain_is_over(c) && c->settled_wall == WALL_UNKNOWN) {
            c->settled_wall = now.wall;
            c->changed = true;
            if (c->state == CHAIN_CLOSED && n)
                r = say_ended(e, l, c, out);
            if (r >= 0 && n) /* it may go with its base from now on */
                r = engine_expiry_after(e, n->target, now);
        }
        if (r >= 0)
            r = engine_put_chain(out, c);
    }
    if (r < 0 || (r = engine_want_records(e, l, now)) < 0 || (r = put_losses(out, l)) < 0 || !n)
        return r;
    if (lineage_watermark(l) > n->newest_wall) {
        n->newest_wall = lineage_watermark(l);
        r = engine_put_enrolment(out, n);
        if (r >= 0 && n->schedule)
            r = engine_freshness(e, n, now, out);
    }
    return r < 0 ? r : settle_slots(e, l, now, out);
}

/* --- losses --- */

static int say_lost(Engine *e, const Lineage *l, const LostSpan *loss, EngineOutbox *out) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    const Enrolment *n = l->enrolment;
    const ScheduleConf *s = n->schedule;
    Report *report = NULL;
    target_label(n->target, e->qualified, label);
    date_to_iso(loss->from_wall, from);
    int r;
    const char *act = l->table_is_gone            ? "if it is created again, "
                      : !l->recovery.pitr_enabled ? "switch point-in-time recovery on (billed); "
                                                  : "";
    if (loss->to_wall != USEC_INFINITY)
        r = report_enrolment(n, REPORT_CHAIN_LOST, e->qualified, &report,
                             "LOST: what was between %s and %s cannot be restored by %s: %s; HINT: 'ddbackupctl chain "
                             "%s' shows what can",
                             from, date_to_iso(loss->to_wall, to), l->schedule, loss->why, label);
    else
        r = report_enrolment(n, REPORT_CHAIN_LOST, e->qualified, &report,
                             "LOST: what came after %s cannot be restored by %s: %s; HINT: %sa new export of schedule "
                             "%s begins the next chain%s",
                             from, l->schedule, loss->why, act, s->base,
                             s->on_lost == ON_LOST_FULL ? ", and is asked for by itself" : "");
    return r < 0 ? r : engine_say(out, report);
}

/* The chain before it has a little more than the instant of its base, or will have. */
static int reach_before(const Engine *e, const Lineage *l, const Chain *c, Usec *ret_wall) {
    CLEANUP(chain_free_ptr) Chain *known = NULL;
    ChainOthers others = {.earlier_wall = WALL_UNKNOWN};
    int r = e->port.read_chain
                ? e->port.read_chain(e->port.context, l, c->base_arn, USEC_INFINITY, &known, &others)
                : 0;
    Usec reach = others.earlier_wall;
    for (size_t i = 0; i < l->n_chains && l->chains[i] != c; i++) {
        const Chain *before = l->chains[i];
        if (chain_watermark(before) != WALL_UNKNOWN)
            reach = usec_max(reach, chain_frontier(before));
        if (before->state == CHAIN_CLOSING)
            reach = usec_max(reach, before->end_wall);
    }
    *ret_wall = reach;
    return r == -ENOENT ? 0 : r;
}

/* What of it is not recorded yet, and says so. */
static int record_loss(Engine *e, Lineage *l, const Chain *c, Usec from_wall, Usec until_wall, const char *why, Now now,
                       EngineOutbox *out) {
    size_t n_losses = l->n_losses;
    Usec before;
    int r = reach_before(e, l, c, &before);
    Usec from = usec_max(usec_max(from_wall, before), c->base_wall / USEC_PER_SEC * USEC_PER_SEC);
    if (r < 0 || (r = lineage_lose(l, c->id, from, until_wall, why, now.wall)) < 0)
        return r;
    if (!l->enrolment || !l->enrolment->schedule || l->n_losses == n_losses)
        return 0;
    for (size_t i = 0; r >= 0 && i < l->n_losses; i++)
        if (l->losses[i].chain_id == c->id && l->losses[i].from_wall == from)
            r = say_lost(e, l, &l->losses[i], out);
    return r;
}

static int lose(Engine *e, Lineage *l, Chain *c, Usec gap_wall, Now now, EngineOutbox *out) {
    char explained[300], why[360];
    bool was_forming = c->state == CHAIN_FORMING;
    Usec until = lineage_lost_until(l, c);
    const ChainWindow *w = chain_window(c, gap_wall);
    lineage_explain(l, c, explained, sizeof explained);
    snprintf(why, sizeof why, "%s%s", w && w->is_damaged ? "what was exported is damaged or gone, and " : "",
             explained);
    int r = engine_cut_chain(e, c, gap_wall, why, now, out);
    if (r < 0 || gap_wall >= until)
        return r;
    chain_apply(c, CHAIN_EV_LOST, why);
    return was_forming ? 0 : record_loss(e, l, c, gap_wall, until, why, now, out);
}

int engine_void_chain(Engine *e, Lineage *l, Chain *c, const char *why, Now now, EngineOutbox *out) {
    char words[300];
    Usec until = usec_min(c->end_wall, lineage_lost_until(l, c));
    bool stood = chain_watermark(c) != WALL_UNKNOWN;
    snprintf(words, sizeof words, "the export that the chain begins with is damaged: %.240s", why);
    c->settled_wall = WALL_UNKNOWN;
    int r = engine_cut_chain(e, c, c->start_wall, words, now, out);
    chain_apply(c, CHAIN_EV_BASE_FAILED, words);
    if (r < 0)
        return r;
    if (stood && (r = record_loss(e, l, c, c->start_wall, until, words, now, out)) < 0)
        return r;
    r = engine_chain_moved(e, l, now, out);
    if (r >= 0 && l->asking == LINEAGE_IDLE)
        r = heap_set(&e->looks, &l->look, now.wall);
    return r;
}

/* Half, a quarter and a tenth of the period: each is said once. */
static const int thresholds[] = {50, 25, 10};

static int warn_of_margin(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    Usec margin = lineage_margin(l, now.wall);
    if (margin == USEC_INFINITY || margin == 0) /* what has passed is lost, and said to be so */
        return 0;
    Usec period = l->recovery.period_days * USEC_PER_DAY;
    int n = 0;
    while (n < (int)ARRAY_SIZE(thresholds) && margin < period / 100 * thresholds[n])
        n++;
    bool worse = n > l->n_warned;
    l->n_warned = n;
    if (!worse)
        return 0;
    char left[DURATION_SIZE], from[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    Report *report = NULL;
    Usec oldest = now.wall + margin - period;
    int r = report_enrolment(l->enrolment, REPORT_CHAIN_BEHIND, e->qualified, &report,
                             "the chain of %s is behind: what came after %s is not exported yet, and in %s it cannot "
                             "be any more (%d %% of %lld days are left); HINT: 'ddbackupctl chain %s' shows what fails",
                             l->schedule, date_to_iso(oldest, from),
                             duration_to_string(margin / USEC_PER_SEC * USEC_PER_SEC, left),
                             (int)(margin / (period / 100)), (long long)l->recovery.period_days,
                             target_label(l->enrolment->target, e->qualified, label));
    return r < 0 ? r : engine_say(out, report);
}

int engine_judge_losses(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    int r = warn_of_margin(e, l, now, out);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++) {
        Chain *c = l->chains[i];
        Usec gap = c->state == CHAIN_CLOSED || c->state == CHAIN_VOID ? USEC_INFINITY
                                                                      : chain_gap(c, lineage_earliest(l, c));
        if (gap != USEC_INFINITY)
            r = lose(e, l, c, gap, now, out);
    }
    return r < 0 ? r : engine_chain_moved(e, l, now, out);
}
