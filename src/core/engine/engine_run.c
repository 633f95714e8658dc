#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/slot.h"
#include "core/verify/verify.h"

/* How often an artefact is looked at whose run did not wait for it. */
#define WATCH_USEC (10 * USEC_PER_MINUTE)

Run *engine_find_run(const Engine *e, uint64_t id) {
    size_t low = 0, high = e->n_runs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uint64_t)e->runs[middle]->id == id)
            return e->runs[middle];
        if ((uint64_t)e->runs[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static DriveContext context_of(const Engine *e, const Run *r) {
    return (DriveContext){
        .deployment = e->conf->deployment,
        .listing_lag_usec = e->conf->limits.listing_lag_usec,
        .verify_rate = e->conf->limits.verify_rate,
        .target = targets_find(&e->targets, r->account, r->region, r->table),
    };
}

int engine_settle_notes(Engine *e, Run *r, Now now, EngineOutbox *out) {
    bool has_news = r->n_said < r->n_notes; /* it may be settled for a while, and wait for its commit */
    for (; r->n_said < r->n_notes; r->n_said++) {
        Report *report = NULL;
        int rc = report_run(r, r->notes[r->n_said].event, e->qualified, &report);
        if (rc < 0 || (rc = engine_say(out, report)) < 0)
            return rc;
    }
    int rc = heap_set(&e->deadlines, &r->deadline, run_deadline(r));
    if (rc >= 0 && (r->artefact || r->failed_artefact))
        rc = engine_base_noted(e, r, now, out);
    if (rc >= 0 && !run_is_settled(r) && run_is_link(r))
        return engine_link_noted(e, r, now, out);
    if (rc < 0 || !run_is_settled(r))
        return rc;
    if ((rc = engine_reverify_after(e, r, now)) < 0)
        return rc;
    if (!run_is_watched(r))
        verify_free(TAKE_PTR(r->verification));
    if (r->enrolment)
        TAKE_PTR(r->enrolment)->n_unsettled--;
    engine_stop_polling(e, r);
    e->room_made |= has_news && run_exports(r) && !run_is_watched(r);
    if (run_is_watched(r))
        return r->calling ? 0 : heap_set(&e->steps, &r->step, now.mono + WATCH_USEC);
    heap_set(&e->steps, &r->step, USEC_INFINITY);
    if (r->calling)
        client_cancel(e->client, (uint64_t)r->id);
    r->calling = false;
    if (run_is_link(r)) /* what is verified counts only where nothing before it is missing: its chain knows */
        return engine_link_noted(e, r, now, out);
    Target *t = targets_find(&e->targets, r->account, r->region, r->table);
    Enrolment *n = t ? target_enrolment(t, r->schedule) : NULL;
    if (!n || !r->artefact || r->artefact->life != ARTEFACT_VERIFIED || r->artefact->created_wall <= n->newest_wall)
        return 0;
    n->newest_wall = r->artefact->created_wall;
    rc = engine_put_enrolment(out, n);
    if (rc < 0 || !n->schedule || (rc = engine_expiry_after(e, t, now)) < 0)
        return rc;
    return engine_freshness(e, n, now, out);
}

/* A run that has not begun makes way for a newer slot of the same enrolment. */
static int supersede_waiting(Engine *e, const Enrolment *n, Usec slot, Now now, EngineOutbox *out) {
    for (size_t i = 0; n->n_unsettled > 0 && i < e->n_runs; i++) {
        Run *r = e->runs[i];
        bool stays = r->slot_wall == slot || (r->slot_wall > slot && r->slot_wall == n->ordered_wall);
        if ((r->state != RUN_DUE && r->state != RUN_INTENDED) || stays || r->action == ACTION_INCREMENTAL ||
            strcmp(r->schedule, n->schedule_name) != 0 ||
            target_compare(n->target, r->account, r->region, r->table) != 0)
            continue;
        char why[700];
        snprintf(why, sizeof why, "a newer slot came before it could start%s%s", r->why ? "; last: " : "",
                 r->why ? r->why : "");
        run_apply(r, RUN_EV_START_EXPIRED, &(RunCause){.why = why, .hint = r->hint}, now);
        int rc = engine_settle_notes(e, r, now, out);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int engine_begin_run(Engine *e, Enrolment *n, Usec slot, Now now, EngineOutbox *out) {
    const ScheduleConf *s = n->schedule;
    const Target *t = n->target;
    Usec share;
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = supersede_waiting(e, n, slot, now, out);
    if (rc < 0 || (rc = slot_share(e->conf->deployment, n, &share)) < 0 || (rc = run_new(e->next_run_id, &r)) < 0)
        return rc;
    if (text_set(&r->schedule, s->name) < 0 || text_set(&r->account, t->account) < 0 ||
        text_set(&r->region, t->region) < 0 || text_set(&r->table, t->table) < 0 || s3_conf_copy(&s->s3, &r->s3) < 0 ||
        ARRAY_GROW(e->runs, e->n_runs, e->n_runs_room) < 0)
        return -ENOMEM;
    r->enrolment = n;
    n->n_unsettled++;
    r->action = s->action;
    r->verify = s->verify;
    r->slot_wall = slot;
    r->due_wall = slot + share;
    /* deadlines count from when it could begin: a slot that is caught up with has its full time, too */
    r->start_by_wall = usec_add(usec_max(now.wall, r->due_wall), s->start_within_usec);
    r->warn_at_wall = s->warn_after_usec > 0 ? usec_add(now.wall, s->warn_after_usec) : USEC_INFINITY;
    r->finish_by_wall = usec_add(now.wall, s->finish_within_usec);
    r->changed = true;
    if (run_waits_for_chain(r))
        r->start_by_wall = USEC_INFINITY; /* it has nothing to start */
    else if ((rc = heap_set(&e->steps, &r->step, now.mono)) < 0)
        return rc;
    if ((rc = heap_set(&e->deadlines, &r->deadline, run_deadline(r))) < 0)
        return rc;
    e->next_run_id++;
    Run *begun = e->runs[e->n_runs++] = TAKE_PTR(r);
    return run_waits_for_chain(begun) ? engine_slot_noted(e, begun, now, out) : 0;
}

/* --- exports in flight --- */

/* It runs, as far as anybody knows, or is about to be asked for. */
bool engine_holds_room(const Run *r) {
    return run_exports(r) && (r->asking || r->has_room || r->state == RUN_REQUESTED || r->state == RUN_UNCERTAIN ||
                              r->state == RUN_IN_PROGRESS || run_is_watched(r));
}

static bool shares_room(const Run *a, const Run *b) {
    return strcmp(a->account, b->account) == 0 && strcmp(a->region, b->region) == 0;
}

static bool finds_room(const Engine *e, const Run *r) {
    int n = 0;
    for (size_t i = 0; i < e->n_runs; i++)
        n += e->runs[i] != r && engine_holds_room(e->runs[i]) && shares_room(e->runs[i], r);
    return n < e->conf->limits.max_exports_in_flight;
}

/* By id: the one that waits longest comes first. */
int engine_make_room(Engine *e, Now now) {
    const Run *refused = NULL;
    int rc = 0;
    e->room_made = false;
    for (size_t i = 0; rc >= 0 && i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (!r->waits_for_room || run_is_settled(r) || (refused && shares_room(r, refused)))
            continue;
        if (!finds_room(e, r)) {
            refused = r;
            continue;
        }
        r->waits_for_room = false;
        r->has_room = true;
        rc = heap_set(&e->steps, &r->step, now.mono);
    }
    return rc;
}

static int wait_for_room(Engine *e, Run *r, Now now, EngineOutbox *out) {
    char why[120];
    r->asking = false;
    r->waits_for_room = true;
    snprintf(why, sizeof why, "%d exports are in flight, which is all that limits.max_exports_in_flight allows",
             e->conf->limits.max_exports_in_flight);
    run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = why}, now);
    return engine_settle_notes(e, r, now, out);
}

/* It is about to ask for its artefact, and its schedule lets nothing begin before *ret_wall. */
static bool is_shut_out(const Run *r, Now now, Usec *ret_wall) {
    const ScheduleConf *s = r->enrolment ? r->enrolment->schedule : NULL;
    if (!s || r->state != RUN_INTENDED || !r->asking || r->ordered || r->slot_wall == r->enrolment->ordered_wall)
        return false;
    *ret_wall = slot_open(s, now.wall);
    return *ret_wall > now.wall;
}

static int wait_for_opening(Engine *e, Run *r, Usec open_wall, Now now, EngineOutbox *out) {
    char why[120], until[DATE_ISO_SIZE];
    r->asking = false;
    snprintf(why, sizeof why, "not_during holds until %s", date_to_iso(open_wall, until));
    run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = why}, now);
    int rc = engine_settle_notes(e, r, now, out);
    return rc < 0 ? rc : engine_wait(e, r, now.mono + (open_wall - now.wall));
}

int engine_step(Engine *e, Run *r, Now now, EngineOutbox *out) {
    DriveContext context = context_of(e, r);
    heap_set(&e->steps, &r->step, USEC_INFINITY);
    if (run_waits_for_chain(r) || engine_pause_holds(e, r)) /* whoever woke it: its chain asks, and not itself */
        return 0;
    int rc = drive_prepare(r, &context, now);
    if (rc < 0 || (rc = engine_settle_notes(e, r, now, out)) < 0)
        return rc;
    if (context.target && r->state == RUN_INTENDED && (rc = engine_put_target(out, context.target)) < 0)
        return rc;
    CLEANUP(aws_request_free_ptr) AwsRequest *request = NULL;
    if ((rc = drive_request(r, &context, now, &request, &r->asking)) < 0)
        return rc;
    Usec open_wall;
    if (is_shut_out(r, now, &open_wall))
        return wait_for_opening(e, r, open_wall, now, out);
    if (run_exports(r) && r->state == RUN_INTENDED && r->asking && !r->has_room && !finds_room(e, r))
        return wait_for_room(e, r, now, out);
    r->has_room = false;
    rc = client_begin(e->client,
                      &(CallSpec){.account = r->account,
                                  .region = r->verification ? verify_region(r->verification) : r->region,
                                  .request = TAKE_PTR(request),
                                  .tag = tag_make(TAG_OF_RUN, (uint64_t)r->id),
                                  .deadline_mono = USEC_INFINITY},
                      now);
    r->calling = rc >= 0;
    return rc;
}

/* The window of a link, or its table, may be gone. */
static bool is_doubtful(AwsErrorClass class) {
    return class == AWS_TIME_REFUSED || class == AWS_PITR_OFF || class == AWS_NOT_FOUND;
}

int engine_answer(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Run *r = engine_find_run(e, done->tag);
    if (!r || !r->calling)
        return 0;
    bool describing = r->state == RUN_DUE;
    AwsErrorClass class = done->error.class;
    r->calling = r->asking = false;
    DriveContext context = context_of(e, r);
    Usec wait = 0;
    bool watched = run_is_watched(r), trouble = false;
    /* a bucket that cannot be reached is the run's own trouble, and DynamoDB's answers do not end it */
    Place *p = r->state == RUN_VERIFYING ? NULL : places_find(&e->places, r->account, r->region);
    int rc = p ? engine_take_place(e, p, done, out, &trouble) : 0;
    if (rc >= 0)
        rc = drive_answer(r, &context, done, now, &wait);
    if (rc >= 0 && describing && context.target && class == AWS_OK)
        rc = engine_table_described(e, context.target, now, out);
    else if (rc >= 0 && describing && context.target && class == AWS_NOT_FOUND)
        rc = engine_table_gone(e, context.target, now, out);
    if (rc >= 0 && run_is_link(r) && is_doubtful(done->error.class))
        rc = engine_doubt_link(e, r, now);
    e->room_made |= run_exports(r) && !engine_holds_room(r);
    if (rc >= 0 && trouble && r->n_said < r->n_notes && r->notes[r->n_said].event == RUN_EV_DEFERRED)
        r->n_said++; /* said for the place, once for all of its tables; the story in the ledger has it */
    if (rc < 0 || (rc = engine_settle_notes(e, r, now, out)) < 0)
        return rc;
    if (watched && !run_is_watched(r)) {
        Report *report = NULL;
        if ((rc = report_watched(r, e->qualified, &report)) < 0 || (rc = engine_say(out, report)) < 0)
            return rc;
    }
    if (context.target && (rc = engine_put_target(out, context.target)) < 0)
        return rc;
    if (r->verification) /* also of a run that has not waited for it */
        return heap_set(&e->steps, &r->step, now.mono + wait);
    return run_is_settled(r) ? 0 : engine_wait(e, r, now.mono + wait);
}

/* No soft deadline, but one that ends it, or ends the wait for it. */
static bool is_hard(const Run *r, Now now) {
    if (run_is_link(r))
        return now.wall >= r->finish_by_wall && run_deadline(r) == r->finish_by_wall;
    return now.wall >= r->finish_by_wall || (now.wall >= r->start_by_wall && run_deadline(r) == r->start_by_wall);
}

int engine_deadline(Engine *e, Run *r, Now now, EngineOutbox *out) {
    if (is_hard(r, now) && run_is_link(r)) {
        int rc = engine_link_overdue(e, r, now, out);
        if (rc < 0)
            return rc;
    } else if (is_hard(r, now)) {
        bool start = now.wall < r->finish_by_wall || (r->state == RUN_DUE && !run_waits_for_chain(r));
        char why[700], hint[CHAIN_HINT_SIZE];
        snprintf(why, sizeof why, "%s%s%s",
                 start ? "it could not start within start_within" : "it did not finish within finish_within",
                 r->why ? "; last: " : "", r->why ? r->why : "");
        run_apply(r, start ? RUN_EV_START_EXPIRED : RUN_EV_FINISH_EXPIRED,
                  &(RunCause){.why = why, .hint = run_waits_for_chain(r) ? engine_chain_hint(e, r, hint) : r->hint},
                  now);
    } else if (!r->warned) {
        Report *report = NULL;
        r->warned = r->changed = true;
        int rc = report_late(r, e->qualified, now, &report);
        if (rc < 0 || (rc = engine_say(out, report)) < 0)
            return rc;
    }
    return engine_settle_notes(e, r, now, out);
}
