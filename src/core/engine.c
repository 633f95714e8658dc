#include "core/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "core/discovery.h"
#include "core/drive.h"
#include "core/enrol.h"
#include "core/freshness.h"
#include "core/slot.h"

/* Work of one turn: due slots and steps of runs taken at most. */
#define TURN_MAX 512
/* The discovery's calls; runs use their id. */
#define TAG_DISCOVERY UINT64_MAX

struct Engine {
    Conf *conf;
    Client *client;
    char *region;
    Targets targets;
    Run **runs; /* unsettled (and, until the commit, just settled), by id */
    size_t n_runs, n_runs_room;
    int64_t next_run_id;
    Discovery discovery;
    bool has_listing;  /* a walk was completed since the configuration was loaded */
    bool enrol_wanted; /* targets are to be brought in line */
    bool stopping;
    bool qualified;    /* names need account and region */
    Heap due, fresh;   /* of enrolments, wall */
    Heap steps;        /* of runs, mono */
    Heap deadlines;    /* of runs, wall */
    HttpReply **inbox;
    size_t n_inbox, n_inbox_room;
    ClientOutbox calls;
};

void engine_outbox_clear(EngineOutbox *o) {
    ledger_batch_clear(&o->batch);
    for (size_t i = 0; i < o->n_requests; i++)
        http_request_free(o->requests[i]);
    for (size_t i = 0; i < o->n_reports; i++)
        report_free(o->reports[i]);
    o->n_requests = o->n_reports = 0;
}

void engine_outbox_done(EngineOutbox *o) {
    engine_outbox_clear(o);
    ledger_batch_done(&o->batch);
    free(o->requests);
    free(o->reports);
    *o = (EngineOutbox){};
}

void engine_free(Engine *e) {
    if (!e)
        return;
    heap_done(&e->due);
    heap_done(&e->fresh);
    heap_done(&e->steps);
    heap_done(&e->deadlines);
    for (size_t i = 0; i < e->n_runs; i++)
        run_free(e->runs[i]);
    free(e->runs);
    for (size_t i = 0; i < e->n_inbox; i++)
        http_reply_free(e->inbox[i]);
    free(e->inbox);
    targets_done(&e->targets);
    discovery_done(&e->discovery);
    client_outbox_done(&e->calls);
    client_free(e->client);
    conf_free(e->conf);
    free(e->region);
    free(e);
}

const Targets *engine_targets(const Engine *e) { return &e->targets; }
const Conf *engine_conf(const Engine *e) { return e->conf; }

static ClientSettings client_settings(const Conf *c, const EngineSettings *s) {
    return (ClientSettings){
        .endpoint_url = c->aws.endpoint_url,
        .connect_timeout_usec = c->aws.connect_timeout_usec,
        .read_timeout_usec = c->aws.read_timeout_usec,
        .max_attempts = c->aws.max_attempts,
        .rate_share = c->limits.rate_share,
        .user_agent = s->user_agent,
    };
}

int engine_new(Conf *conf, Ledger *ledger, const EngineSettings *settings, Now now, Engine **ret) {
    CLEANUP(engine_free_ptr) Engine *e = calloc(1, sizeof *e);
    if (!e) {
        conf_free(conf);
        return -ENOMEM;
    }
    e->conf = conf;
    ClientSettings client = client_settings(conf, settings);
    int r = client_new(&client, settings->seed, &e->client);
    if (r < 0)
        return r;
    if (text_set(&e->region, settings->region) < 0)
        return -ENOMEM;
    e->targets = ledger->targets;
    e->runs = ledger->runs;
    e->n_runs = ledger->n_runs;
    e->n_runs_room = ledger->n_runs_room;
    e->next_run_id = ledger->next_run_id;
    *ledger = (Ledger){};
    for (size_t i = 0; i < e->targets.n_items; i++)
        for (size_t j = 0; j < e->targets.items[i]->n_enrolments; j++)
            e->targets.items[i]->selected |= e->targets.items[i]->enrolments[j]->active;
    for (size_t i = 0; i < e->n_runs; i++) {
        run_apply(e->runs[i], RUN_EV_INTERRUPTED, &(RunCause){.why = "the daemon ended before the reply came"}, now);
        if (heap_set(&e->steps, &e->runs[i]->step, now.mono) < 0 ||
            heap_set(&e->deadlines, &e->runs[i]->deadline, run_deadline(e->runs[i])) < 0)
            return -ENOMEM;
    }
    discovery_restart(&e->discovery, conf_needs_discovery(conf), now);
    e->enrol_wanted = true;
    *ret = TAKE_PTR(e);
    return 0;
}

int engine_reconfigure(Engine *e, Conf *conf, const EngineSettings *settings, Now now) {
    /* schedules point into the old configuration until the next turn has enrolled anew */
    for (size_t i = 0; i < e->targets.n_items; i++)
        for (size_t j = 0; j < e->targets.items[i]->n_enrolments; j++) {
            Enrolment *enrolment = e->targets.items[i]->enrolments[j];
            enrolment->schedule = NULL;
            heap_set(&e->due, &enrolment->due, USEC_INFINITY);
            heap_set(&e->fresh, &enrolment->fresh, USEC_INFINITY);
        }
    conf_free(e->conf);
    e->conf = conf;
    ClientSettings client = client_settings(conf, settings);
    int r = client_configure(e->client, &client);
    if (r < 0 || (r = text_set(&e->region, settings->region)) < 0)
        return r;
    client_cancel(e->client, TAG_DISCOVERY);
    e->discovery.calling = false;
    discovery_restart(&e->discovery, conf_needs_discovery(conf), now);
    e->has_listing = false;
    e->enrol_wanted = true;
    return 0;
}

int engine_set_credentials(Engine *e, const Credentials *c) {
    return client_set_credentials(e->client, ACCOUNT_OWN, c);
}

int engine_push(Engine *e, HttpReply *reply) {
    CLEANUP(http_reply_free_ptr) HttpReply *taken = reply;
    if (ARRAY_GROW(e->inbox, e->n_inbox, e->n_inbox_room) < 0)
        return -ENOMEM;
    e->inbox[e->n_inbox++] = TAKE_PTR(taken);
    return 0;
}

void engine_stop(Engine *e) {
    e->stopping = true;
    client_pause(e->client);
}

bool engine_is_quiet(const Engine *e) {
    for (size_t i = 0; i < e->n_runs; i++)
        if (e->runs[i]->state == RUN_REQUESTED && e->runs[i]->calling)
            return false;
    return true;
}

/* --- what a turn collects --- */

/* Takes the report; NULL is nothing to say. */
static int say(EngineOutbox *out, Report *report) {
    if (!report)
        return 0;
    CLEANUP(report_free_ptr) Report *taken = report;
    if (ARRAY_GROW(out->reports, out->n_reports, out->n_reports_room) < 0)
        return -ENOMEM;
    out->reports[out->n_reports++] = TAKE_PTR(taken);
    return 0;
}

static int put_enrolment(EngineOutbox *out, Enrolment *e) {
    LedgerBatch *b = &out->batch;
    if (e->listed)
        return 0;
    if (ARRAY_GROW(b->enrolments, b->n_enrolments, b->n_enrolments_room) < 0)
        return -ENOMEM;
    b->enrolments[b->n_enrolments++] = e;
    e->listed = true;
    return 0;
}

static int put_target(EngineOutbox *out, Target *t) {
    LedgerBatch *b = &out->batch;
    if (!t->changed || t->listed)
        return 0;
    if (ARRAY_GROW(b->targets, b->n_targets, b->n_targets_room) < 0)
        return -ENOMEM;
    b->targets[b->n_targets++] = t;
    t->listed = true;
    return 0;
}

/* --- enrolments: slots and freshness --- */

static int arm_due(Engine *e, Enrolment *n) {
    Usec share, slot;
    int r = slot_next(n, n->cursor_wall, &slot);
    if (r == -ENOENT)
        return heap_set(&e->due, &n->due, USEC_INFINITY);
    if (r < 0 || (r = slot_share(e->conf->deployment, n, &share)) < 0)
        return r;
    n->next_slot_wall = slot;
    return heap_set(&e->due, &n->due, slot + share);
}

static int turn_freshness(Engine *e, Enrolment *n, Now now, EngineOutbox *out) {
    Report *report = NULL;
    char age[DURATION_SIZE], newest[DATE_ISO_SIZE];
    int r = 0;
    FreshnessNews news = freshness_turn(n, now.wall);
    switch (news) {
    case FRESH_NEWS_NONE:
        break;
    case FRESH_NEWS_STALE:
    case FRESH_NEWS_STILL_STALE:
        duration_to_string(n->max_age_usec, age);
        if (n->newest_wall == WALL_UNKNOWN)
            r = report_enrolment(n, REPORT_STALE, e->qualified, &report,
                                 "stale: schedule %s has made no verified artefact yet, and max_age is %s; HINT: "
                                 "'ddbackupctl list --table %s' shows what became of its runs",
                                 n->schedule_name, age, n->target->table);
        else
            r = report_enrolment(
                n, REPORT_STALE, e->qualified, &report,
                "stale: the newest verified artefact of schedule %s is of %s, and max_age is %s; HINT: "
                "'ddbackupctl list --table %s' shows what became of its runs",
                n->schedule_name, date_to_iso(n->newest_wall, newest), age, n->target->table);
        break;
    case FRESH_NEWS_RECOVERED:
        r = report_enrolment(n, REPORT_RECOVERED, e->qualified, &report, "recovered: schedule %s is fresh again",
                             n->schedule_name);
        break;
    }
    if (r >= 0)
        r = say(out, report);
    if (r >= 0 && news != FRESH_NEWS_NONE)
        r = put_enrolment(out, n);
    return r < 0 ? r : heap_set(&e->fresh, &n->fresh, freshness_next(n));
}

typedef struct EnrolContext {
    Engine *engine;
    EngineOutbox *out;
} EnrolContext;

static int enrol_news(void *context, Enrolment *n, bool enrolled) {
    EnrolContext *c = context;
    Report *report = NULL;
    int r = enrolled
                ? report_enrolment(n, REPORT_ENROLLED, c->engine->qualified, &report, "enrolled in schedule %s",
                                   n->schedule_name)
                : report_enrolment(n, REPORT_WITHDRAWN, c->engine->qualified, &report,
                                   "withdrawn from schedule %s: %s; what was made stays", n->schedule_name,
                                   c->engine->has_listing && !discovery_has(&c->engine->discovery, n->target->table)
                                       ? "the table does not exist any more"
                                       : "the configuration no longer selects it");
    return r < 0 ? r : say(c->out, report);
}

static int turn_enrol(Engine *e, Now now, EngineOutbox *out) {
    EnrolContext context = {.engine = e, .out = out};
    int r = enrol_update(&e->targets, e->conf, e->region, &e->discovery, e->has_listing, now, enrol_news, &context);
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        for (size_t j = 0; r >= 0 && j < e->targets.items[i]->n_enrolments; j++) {
            Enrolment *n = e->targets.items[i]->enrolments[j];
            if (n->changed)
                r = put_enrolment(out, n);
            if (r >= 0 && n->schedule)
                r = arm_due(e, n);
            else
                heap_set(&e->due, &n->due, USEC_INFINITY);
            if (r >= 0 && n->schedule)
                r = turn_freshness(e, n, now, out);
            else
                heap_set(&e->fresh, &n->fresh, USEC_INFINITY);
        }
    e->enrol_wanted = r < 0;
    return r;
}

/* --- runs --- */

static Run *find_run(const Engine *e, uint64_t id) {
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
        .target = targets_find(&e->targets, r->account, r->region, r->table),
    };
}

/* After events: says what the new notes of the run's story are worth saying, re-arms its deadline, and gives a success
 * to the enrolment's freshness. */
static int settle_notes(Engine *e, Run *r, Now now, EngineOutbox *out) {
    for (; r->n_said < r->n_notes; r->n_said++) {
        Report *report = NULL;
        int rc = report_run(r, r->notes[r->n_said].event, e->qualified, &report);
        if (rc < 0 || (rc = say(out, report)) < 0)
            return rc;
    }
    int rc = heap_set(&e->deadlines, &r->deadline, run_deadline(r));
    if (rc < 0 || !run_is_settled(r))
        return rc;
    heap_set(&e->steps, &r->step, USEC_INFINITY);
    if (r->calling)
        client_cancel(e->client, (uint64_t)r->id);
    r->calling = false;
    Target *t = targets_find(&e->targets, r->account, r->region, r->table);
    Enrolment *n = t ? target_enrolment(t, r->schedule) : NULL;
    if (!n || r->state != RUN_SUCCEEDED || r->artefact->created_wall <= n->newest_wall)
        return 0;
    n->newest_wall = r->artefact->created_wall;
    rc = put_enrolment(out, n);
    return rc < 0 || !n->schedule ? rc : turn_freshness(e, n, now, out);
}

/* A run that has not begun makes way for a newer slot of the same enrolment. */
static int supersede_waiting(Engine *e, const Enrolment *n, Now now, EngineOutbox *out) {
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if ((r->state != RUN_DUE && r->state != RUN_INTENDED) || strcmp(r->schedule, n->schedule_name) != 0 ||
            target_compare(n->target, r->account, r->region, r->table) != 0)
            continue;
        char why[700];
        snprintf(why, sizeof why, "a newer slot came before it could start%s%s", r->why ? "; last: " : "",
                 r->why ? r->why : "");
        run_apply(r, RUN_EV_START_EXPIRED, &(RunCause){.why = why, .hint = r->hint}, now);
        int rc = settle_notes(e, r, now, out);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int begin_run(Engine *e, Enrolment *n, Usec slot, Now now, EngineOutbox *out) {
    const ScheduleConf *s = n->schedule;
    const Target *t = n->target;
    Usec share;
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = supersede_waiting(e, n, now, out);
    if (rc < 0 || (rc = slot_share(e->conf->deployment, n, &share)) < 0 || (rc = run_new(e->next_run_id, &r)) < 0)
        return rc;
    if (text_set(&r->schedule, s->name) < 0 || text_set(&r->account, t->account) < 0 ||
        text_set(&r->region, t->region) < 0 || text_set(&r->table, t->table) < 0 || s3_conf_copy(&s->s3, &r->s3) < 0 ||
        ARRAY_GROW(e->runs, e->n_runs, e->n_runs_room) < 0)
        return -ENOMEM;
    r->action = s->action;
    r->slot_wall = slot;
    r->due_wall = slot + share;
    /* deadlines count from when it could begin: a slot that is caught up with has its full time, too */
    r->start_by_wall = usec_add(usec_max(now.wall, r->due_wall), s->start_within_usec);
    r->warn_at_wall = s->warn_after_usec > 0 ? usec_add(now.wall, s->warn_after_usec) : USEC_INFINITY;
    r->finish_by_wall = usec_add(now.wall, s->finish_within_usec);
    r->changed = true;
    if ((rc = heap_set(&e->steps, &r->step, now.mono)) < 0 ||
        (rc = heap_set(&e->deadlines, &r->deadline, run_deadline(r))) < 0)
        return rc;
    e->next_run_id++;
    e->runs[e->n_runs++] = TAKE_PTR(r);
    return 0;
}

static int record_range(const Enrolment *n, const SlotPlan *plan, EngineOutbox *out) {
    LedgerBatch *b = &out->batch;
    const Target *t = n->target;
    if (ARRAY_GROW(b->ranges, b->n_ranges, b->n_ranges_room) < 0)
        return -ENOMEM;
    LedgerRange *range = &b->ranges[b->n_ranges++];
    *range = (LedgerRange){
        .schedule = strdup(n->schedule_name),
        .account = strdup(t->account),
        .region = strdup(t->region),
        .table = strdup(t->table),
        .from_wall = plan->range_from_wall,
        .to_wall = plan->range_to_wall,
        .n_slots = plan->n_range,
        .why = plan->run_wall != WALL_UNKNOWN ? "a newer slot was due when the daemon could act again"
                                              : "missed, and catch_up is none",
    };
    return range->schedule && range->account && range->region && range->table ? 0 : -ENOMEM;
}

static int turn_due(Engine *e, Enrolment *n, Now now, EngineOutbox *out) {
    Usec share;
    SlotPlan plan;
    int r = slot_share(e->conf->deployment, n, &share);
    if (r < 0 || (r = slot_plan(n, now.wall - share, &plan)) < 0)
        return r;
    if (plan.range_from_wall != WALL_UNKNOWN) {
        Report *report = NULL;
        char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
        r = record_range(n, &plan, out);
        if (r >= 0)
            r = report_enrolment(n, REPORT_SUPERSEDED, e->qualified, &report,
                                 "%lld slots of schedule %s from %s to %s were missed and will not run; %s",
                                 (long long)plan.n_range, n->schedule_name, date_to_iso(plan.range_from_wall, from),
                                 date_to_iso(plan.range_to_wall, to),
                                 plan.run_wall != WALL_UNKNOWN ? "the newest is run now" : "catch_up is \"none\"");
        if (r < 0 || (r = say(out, report)) < 0)
            return r;
        n->cursor_wall = plan.range_to_wall;
    }
    if (plan.run_wall != WALL_UNKNOWN) {
        if ((r = begin_run(e, n, plan.run_wall, now, out)) < 0)
            return r;
        n->cursor_wall = plan.run_wall;
    }
    r = put_enrolment(out, n);
    return r < 0 ? r : arm_due(e, n);
}

/* The run asks its next thing, if there is one to ask. */
static int turn_step(Engine *e, Run *r, Now now, EngineOutbox *out) {
    DriveContext context = context_of(e, r);
    heap_set(&e->steps, &r->step, USEC_INFINITY);
    int rc = drive_prepare(r, &context, now);
    if (rc < 0 || (rc = settle_notes(e, r, now, out)) < 0)
        return rc;
    AwsRequest *request = NULL;
    if ((rc = drive_request(r, &context, now, &request, &r->asking)) < 0)
        return rc;
    rc = client_begin(e->client,
                      &(CallSpec){.account = r->account,
                                  .region = r->region,
                                  .request = request,
                                  .tag = (uint64_t)r->id,
                                  .deadline_mono = USEC_INFINITY},
                      now);
    r->calling = rc >= 0;
    return rc;
}

static int turn_answer(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Run *r = find_run(e, done->tag);
    if (!r || !r->calling)
        return 0;
    r->calling = r->asking = false;
    DriveContext context = context_of(e, r);
    Usec wait = 0;
    int rc = drive_answer(r, &context, done, now, &wait);
    if (rc < 0 || (rc = settle_notes(e, r, now, out)) < 0)
        return rc;
    if (context.target && (rc = put_target(out, context.target)) < 0)
        return rc;
    return run_is_settled(r) ? 0 : heap_set(&e->steps, &r->step, now.mono + wait);
}

static int turn_deadline(Engine *e, Run *r, Now now, EngineOutbox *out) {
    if (now.wall >= r->finish_by_wall || (now.wall >= r->start_by_wall && run_deadline(r) == r->start_by_wall)) {
        bool start = now.wall < r->finish_by_wall || r->state == RUN_DUE;
        char why[700];
        snprintf(why, sizeof why, "%s%s%s",
                 start ? "it could not start within start_within" : "it did not finish within finish_within",
                 r->why ? "; last: " : "", r->why ? r->why : "");
        run_apply(r, start ? RUN_EV_START_EXPIRED : RUN_EV_FINISH_EXPIRED, &(RunCause){.why = why, .hint = r->hint},
                  now);
    } else if (!r->warned) {
        Report *report = NULL;
        r->warned = r->changed = true;
        int rc = report_late(r, e->qualified, now, &report);
        if (rc < 0 || (rc = say(out, report)) < 0)
            return rc;
    }
    return settle_notes(e, r, now, out);
}

/* --- discovery --- */

static int turn_discovery(Engine *e, Now now) {
    AwsRequest *request = NULL;
    int r = discovery_request(&e->discovery, &request);
    return r < 0 ? r
                 : client_begin(e->client,
                                &(CallSpec){.account = ACCOUNT_OWN,
                                            .region = e->region,
                                            .request = request,
                                            .tag = TAG_DISCOVERY,
                                            .deadline_mono = now.mono + 10 * USEC_PER_MINUTE},
                                now);
}

static int turn_discovered(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    DiscoveryNews news;
    int r = discovery_answer(&e->discovery, done, e->conf->aws.discovery_interval_usec, now, &news);
    if (r < 0)
        return r;
    Report *report = NULL;
    switch (news) {
    case DISCOVERY_GOES_ON:
        return 0;
    case DISCOVERY_COMPLETE:
        e->has_listing = true;
        e->enrol_wanted = true;
        return 0;
    case DISCOVERY_FAILED:
        r = report_plain(REPORT_DISCOVERY_FAILED, &report,
                         "%s: the tables could not be listed: %s%s%s; patterns keep the tables that they had%s%s",
                         e->region, done->error.code, done->error.message[0] ? ": " : "", done->error.message,
                         done->error.hint ? "; HINT: " : "", done->error.hint ? done->error.hint : "");
        return r < 0 ? r : say(out, report);
    }
    return 0;
}

/* --- the turn --- */

static int take_inbox(Engine *e, Now now) {
    int r = 0;
    for (size_t i = 0; i < e->n_inbox; i++) {
        HttpReply *reply = TAKE_PTR(e->inbox[i]);
        if (r >= 0)
            r = client_reply(e->client, reply, now);
        else
            http_reply_free(reply);
    }
    e->n_inbox = 0;
    return r;
}

/* Everything that is due; counts it. */
static int take_due(Engine *e, Now now, EngineOutbox *out, size_t *n_taken) {
    Enrolment *n;
    Run *run;
    int r = 0;
    while (r >= 0 && *n_taken < TURN_MAX && (run = heap_due(&e->deadlines, now.wall))) {
        r = turn_deadline(e, run, now, out);
        ++*n_taken;
    }
    while (r >= 0 && *n_taken < TURN_MAX && (n = heap_due(&e->due, now.wall))) {
        r = turn_due(e, n, now, out);
        ++*n_taken;
    }
    while (r >= 0 && *n_taken < TURN_MAX && (run = heap_due(&e->steps, now.mono))) {
        r = turn_step(e, run, now, out);
        ++*n_taken;
    }
    while (r >= 0 && *n_taken < TURN_MAX && (n = heap_due(&e->fresh, now.wall))) {
        r = turn_freshness(e, n, now, out);
        ++*n_taken;
    }
    if (r >= 0 && e->discovery.wanted && !e->discovery.calling && e->discovery.next_mono <= now.mono)
        r = turn_discovery(e, now);
    return r;
}

/* Lets the client move, and takes what it ended and what it sends. */
static int take_calls(Engine *e, Now now, EngineOutbox *out, Usec *ret_next_mono) {
    client_outbox_clear(&e->calls);
    int r = client_turn(e->client, now, &e->calls, ret_next_mono);
    for (size_t i = 0; r >= 0 && i < e->calls.n_requests; i++) {
        if (ARRAY_GROW(out->requests, out->n_requests, out->n_requests_room) < 0)
            return -ENOMEM;
        out->requests[out->n_requests++] = TAKE_PTR(e->calls.requests[i]);
        Run *run = find_run(e, e->calls.sends[i]);
        if (run && run->calling && run->asking) {
            run_apply(run, RUN_EV_SENT, NULL, now);
            r = settle_notes(e, run, now, out);
        }
    }
    for (size_t i = 0; r >= 0 && i < e->calls.n_done; i++)
        r = e->calls.done[i].tag == TAG_DISCOVERY ? turn_discovered(e, &e->calls.done[i], now, out)
                                                  : turn_answer(e, &e->calls.done[i], now, out);
    return r;
}

static int collect_runs(Engine *e, EngineOutbox *out) {
    LedgerBatch *b = &out->batch;
    for (size_t i = 0; i < e->n_runs; i++) {
        if (!e->runs[i]->changed)
            continue;
        if (ARRAY_GROW(b->runs, b->n_runs, b->n_runs_room) < 0)
            return -ENOMEM;
        b->runs[b->n_runs++] = e->runs[i];
    }
    return 0;
}

/* A mono instant on the wall clock of this turn. */
static Usec on_wall(Usec mono, Now now) { return mono == USEC_INFINITY ? USEC_INFINITY : now.wall + (mono - now.mono); }

int engine_turn(Engine *e, Now now, EngineOutbox *out, Usec *ret_next_wall) {
    size_t n_taken = 0;
    Usec client_next = USEC_INFINITY;
    out->batch.wall = now.wall;
    int r = take_inbox(e, now);
    /* an answer can make the next question due at once: a few rounds, then the next turn */
    for (int round = 0; r >= 0 && round < 4; round++) {
        if (e->enrol_wanted)
            r = turn_enrol(e, now, out);
        if (r >= 0 && !e->stopping)
            r = take_due(e, now, out, &n_taken);
        if (r >= 0)
            r = take_calls(e, now, out, &client_next);
        if (e->calls.n_done == 0 && !e->enrol_wanted)
            break;
    }
    if (r < 0 || (r = collect_runs(e, out)) < 0)
        return r;
    Usec mono = usec_min(client_next, heap_next(&e->steps));
    if (e->discovery.wanted && !e->discovery.calling)
        mono = usec_min(mono, e->discovery.next_mono);
    Usec next = on_wall(mono, now);
    next = usec_min(next, usec_min(heap_next(&e->due), heap_next(&e->fresh)));
    next = usec_min(next, heap_next(&e->deadlines));
    *ret_next_wall = e->enrol_wanted ? now.wall : usec_max(next, now.wall);
    return 0;
}

void engine_committed(Engine *e, EngineOutbox *out) {
    for (size_t i = 0; i < out->batch.n_enrolments; i++)
        out->batch.enrolments[i]->changed = out->batch.enrolments[i]->listed = false;
    for (size_t i = 0; i < out->batch.n_targets; i++)
        out->batch.targets[i]->changed = out->batch.targets[i]->listed = false;
    size_t n_kept = 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (r->changed) {
            r->changed = false;
            r->n_said = 0;
            run_notes_clear(r);
            artefact_free(TAKE_PTR(r->failed_artefact));
        }
        if (run_is_settled(r))
            run_free(r);
        else
            e->runs[n_kept++] = r;
    }
    e->n_runs = n_kept;
    ledger_batch_clear(&out->batch);
}

void engine_summary(const Engine *e, Now now, EngineSummary *ret) {
    EngineSummary s = {.n_unsettled = e->n_runs, .next_due_wall = heap_next(&e->due)};
    s.next = heap_due(&e->due, USEC_INFINITY);
    for (size_t i = 0; i < e->targets.n_items; i++) {
        s.n_targets += e->targets.items[i]->selected;
        for (size_t j = 0; j < e->targets.items[i]->n_enrolments; j++) {
            const Enrolment *n = e->targets.items[i]->enrolments[j];
            s.n_enrolments += n->schedule != NULL;
            s.n_stale += n->schedule && freshness_of(n, now.wall) == FRESH_STALE;
        }
    }
    *ret = s;
}
