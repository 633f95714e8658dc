/* Links: the attempts at windows of chains. Which is asked for next, and what becomes of them. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/slot.h"

/* A window is planned by what was asked at most so long ago. */
#define RECOVERY_AGE_USEC (10 * USEC_PER_MINUTE)
/* Links of a place that are being asked for at once: few, so that whose time runs out comes first. */
#define MAX_ASKING 4
/* An attempt is waited for so long at least. */
#define FINISH_MIN_USEC USEC_PER_HOUR

/* --- asking --- */

/* By then another attempt is worth its price: when the schedule says so, or half of the time has passed in which its
 * window can be asked for at all. */
static Usec finish_by(const Lineage *l, const ChainWindow *w, Now now) {
    Usec by = usec_add(now.wall, l->enrolment->schedule->finish_within_usec);
    if (l->recovery.period_days == COUNT_UNKNOWN)
        return by;
    Usec left = w->from_wall + l->recovery.period_days * USEC_PER_DAY - now.wall;
    return usec_min(by, now.wall + usec_max(left / 2, FINISH_MIN_USEC));
}

static int begin_attempt(Engine *e, Lineage *l, const Chain *c, ChainWindow *w, Now now) {
    const ScheduleConf *s = l->enrolment->schedule;
    DriveContext context = {.deployment = e->conf->deployment, .target = l->enrolment->target};
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = run_new(e->next_run_id, &r);
    if (rc < 0)
        return rc;
    if (text_set(&r->schedule, l->schedule) < 0 || text_set(&r->account, l->account) < 0 ||
        text_set(&r->region, l->region) < 0 || text_set(&r->table, l->table) < 0 ||
        text_set(&r->table_id, c->table_id) < 0 || text_set(&r->table_arn, c->table_arn) < 0 ||
        text_set(&r->view_type, s->view_type) < 0 || s3_conf_copy(&s->s3, &r->s3) < 0 ||
        ARRAY_GROW(e->runs, e->n_runs, e->n_runs_room) < 0)
        return -ENOMEM;
    r->action = ACTION_INCREMENTAL;
    r->verify = s->verify;
    r->chain_id = c->id;
    r->from_wall = w->from_wall;
    r->to_wall = r->slot_wall = r->due_wall = w->to_wall;
    r->attempt = w->attempt + 1;
    r->warn_at_wall = s->warn_after_usec > 0 ? usec_add(now.wall, s->warn_after_usec) : USEC_INFINITY;
    r->finish_by_wall = finish_by(l, w, now);
    r->has_room = true;
    if ((rc = export_intend_link(r, &context, c->start_wall, now)) < 0 ||
        (rc = heap_set(&e->steps, &r->step, now.mono)) < 0 ||
        (rc = heap_set(&e->deadlines, &r->deadline, run_deadline(r))) < 0)
        return rc;
    e->next_run_id++;
    w->attempt++;
    w->retry_wall = USEC_INFINITY;
    w->run = e->runs[e->n_runs++] = TAKE_PTR(r);
    return 0;
}

/* Somebody wants it now, whatever not_during says. */
static bool is_ordered(const Lineage *l) {
    for (size_t i = 0; i < l->n_chains; i++)
        if (lineage_is_fed(l, l->chains[i]) && chain_frontier(l->chains[i]) < l->enrolment->ordered_wall)
            return true;
    return false;
}

/* One window: the oldest that has to be asked for again, else the next. */
static int take_turn(Engine *e, Lineage *l, Now now) {
    Usec open_wall = slot_open(l->enrolment->schedule, now.wall);
    if (open_wall > now.wall && !is_ordered(l)) { /* not_during */
        engine_chain_waits(e, l, false);
        return heap_set(&e->looks, &l->look, open_wall);
    }
    if (now.wall - l->recovery_wall > RECOVERY_AGE_USEC) {
        engine_chain_waits(e, l, false);
        return engine_look_at_chain(e, l, now);
    }
    for (size_t i = 0; i < l->n_chains; i++) {
        Chain *c = l->chains[i];
        ChainWindow *w;
        LinkPlan p;
        if (!lineage_is_fed(l, c))
            continue;
        if ((w = engine_retry_window(l, c, now)))
            return begin_attempt(e, l, c, w, now);
        int r = engine_plan_link(l, c, &p);
        if (r < 0)
            return r;
        if (p.verdict != LINK_PLANNED)
            continue;
        r = chain_add_window(c, p.to_wall, &w);
        return r < 0 ? r : begin_attempt(e, l, c, w, now);
    }
    return engine_schedule_chain(e, l, now);
}

static void count_links(Engine *e) {
    for (size_t i = 0; i < e->places.n_items; i++)
        e->places.items[i].n_asking = e->places.items[i].n_exports = 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        const Run *r = e->runs[i];
        Place *p = run_exports(r) ? places_find(&e->places, r->account, r->region) : NULL;
        if (!p)
            continue;
        p->n_exports += engine_holds_room(r);
        p->n_asking += run_is_link(r) && (r->has_room || (r->asking && r->calling));
    }
}

/* Whose time runs out first, of those whose place has room for another one. */
static Lineage *next_in_turn(Engine *e, Now now) {
    Lineage *first = NULL;
    Usec least = USEC_INFINITY;
    for (size_t i = 0; i < e->n_lineages; i++) {
        Lineage *l = e->lineages[i];
        if (!l->waits_for_turn || l->asking != LINEAGE_IDLE || !l->enrolment || !l->enrolment->schedule)
            continue;
        const Place *p = places_find(&e->places, l->account, l->region);
        Usec margin = lineage_margin(l, now.wall);
        if (p && p->n_asking < MAX_ASKING && p->n_exports < e->conf->limits.max_exports_in_flight &&
            (!first || margin < least)) {
            first = l;
            least = margin;
        }
    }
    return first;
}

int engine_turn_of_chains(Engine *e, Now now) {
    Lineage *l;
    int r = 0;
    if (e->n_waiting == 0 || e->stopping)
        return 0;
    count_links(e);
    while (r >= 0 && (l = next_in_turn(e, now))) {
        size_t n_runs = e->n_runs;
        Place *p = places_find(&e->places, l->account, l->region);
        r = take_turn(e, l, now);
        p->n_asking += e->n_runs > n_runs;
        p->n_exports += e->n_runs > n_runs;
    }
    return r;
}

/* --- what becomes of them --- */

/* Another attempt has its window. One that may be at the service, and has no ARN yet, is looked for first. */
static int outrun(Engine *e, Run *r, Now now, EngineOutbox *out) {
    bool is_known = r->state == RUN_INTENDED || r->state == RUN_IN_PROGRESS || r->state == RUN_VERIFYING;
    if (!is_known || !run_apply(r, RUN_EV_OUTRUN, &(RunCause){.why = "another attempt was verified first"}, now))
        return 0;
    return engine_settle_notes(e, r, now, out);
}

static int outrun_others(Engine *e, const Run *winner, Now now, EngineOutbox *out) {
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (r != winner && r->chain_id == winner->chain_id && r->from_wall == winner->from_wall)
            rc = outrun(e, r, now, out);
    }
    return rc;
}

/* An attempt is under way still. */
static int link_goes_on(Engine *e, Lineage *l, const Chain *c, ChainWindow *w, Run *r, Now now, EngineOutbox *out) {
    if (r->from_wall < c->covered_wall || (w && w->is_verified))
        return outrun(e, r, now, out);
    if (!w || w->run || w->attempt != r->attempt || r->state != RUN_VERIFYING)
        return 0;
    w->run = r; /* it was overdue, and has come to its end before another one was asked for */
    w->is_overdue = false;
    return engine_schedule_chain(e, l, now);
}

int engine_link_noted(Engine *e, Run *r, Now now, EngineOutbox *out) {
    Lineage *l = engine_lineage_of(e, r);
    Chain *c = l ? lineage_chain(l, r->chain_id) : NULL;
    ChainWindow *w = c ? chain_window(c, r->from_wall) : NULL;
    if (c && !run_is_settled(r))
        return link_goes_on(e, l, c, w, r, now, out);
    if (!w || w->is_verified || (w->run != r && r->state != RUN_SUCCEEDED))
        return 0;
    if (r->state == RUN_SUCCEEDED)
        chain_take_verified(c, w);
    else
        chain_take_failed(c, w, now);
    c->changed = true; /* so that this turn is committed: nothing waits for an outcome */
    int rc = r->state == RUN_SUCCEEDED ? outrun_others(e, r, now, out) : 0;
    if (rc >= 0)
        rc = engine_chain_moved(e, l, now, out);
    return rc < 0 ? rc : engine_schedule_chain(e, l, now);
}

int engine_link_overdue(Engine *e, Run *r, Now now, EngineOutbox *out) {
    char why[300], hint[CHAIN_HINT_SIZE], by[DATE_ISO_SIZE];
    Lineage *l = engine_lineage_of(e, r);
    Chain *c = l ? lineage_chain(l, r->chain_id) : NULL;
    ChainWindow *w = c ? chain_window(c, r->from_wall) : NULL;
    bool asks = w && w->run == r && r->state == RUN_IN_PROGRESS;
    r->overdue = true;
    snprintf(why, sizeof why, "it should have been %s by %s, and goes on%s",
             r->state == RUN_IN_PROGRESS ? "finished" : "checked", date_to_iso(r->finish_by_wall, by),
             asks ? "; its window is asked for once more, and the first that is verified counts" : "");
    run_apply(r, RUN_EV_OVERDUE, &(RunCause){.why = why, .hint = engine_chain_hint(e, r, hint)}, now);
    if (!asks)
        return 0;
    chain_take_overdue(w, now);
    return engine_schedule_chain(e, l, now);
}
