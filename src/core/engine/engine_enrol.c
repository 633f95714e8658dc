#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "core/run/enrol.h"
#include "core/run/slot.h"
#include "core/table/freshness.h"

int engine_arm_due(Engine *e, Enrolment *n) {
    Usec share, slot;
    int r = slot_next(n, n->cursor_wall, &slot);
    if (r == -ENOENT)
        r = heap_set(&e->due, &n->due, USEC_INFINITY);
    else if (r >= 0 && (r = slot_share(e->conf->deployment, n, &share)) >= 0) {
        n->next_slot_wall = slot;
        r = heap_set(&e->due, &n->due, slot_open(n->schedule, slot + share));
    }
    return r < 0 ? r : engine_arm_ahead(e, n->target);
}

int engine_freshness(Engine *e, Enrolment *n, Now now, EngineOutbox *out) {
    Report *report = NULL;
    char age[DURATION_SIZE], newest[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    int r = 0;
    if (!trust_has_time(&e->trust, now))
        return heap_set(&e->fresh, &n->fresh, freshness_next(n));
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
                                 n->schedule_name, age, target_label(n->target, e->qualified, label));
        else
            r = report_enrolment(
                n, REPORT_STALE, e->qualified, &report,
                "stale: the newest verified artefact of schedule %s is of %s, and max_age is %s; HINT: "
                "'ddbackupctl list --table %s' shows what became of its runs",
                n->schedule_name, date_to_iso(n->newest_wall, newest), age,
                target_label(n->target, e->qualified, label));
        break;
    case FRESH_NEWS_RECOVERED:
        r = report_enrolment(n, REPORT_RECOVERED, e->qualified, &report, "recovered: schedule %s is fresh again",
                             n->schedule_name);
        break;
    }
    if (r >= 0)
        r = engine_say(out, report);
    if (r >= 0 && news != FRESH_NEWS_NONE)
        r = engine_put_enrolment(out, n);
    return r < 0 ? r : heap_set(&e->fresh, &n->fresh, freshness_next(n));
}

typedef struct EnrolContext {
    Engine *engine;
    EngineOutbox *out;
} EnrolContext;

static const char *why_withdrawn(const Engine *e, const Place *p, const Enrolment *n) {
    if (p && p->has_listing && !discovery_has(&p->discovery, n->target->table))
        return "the table does not exist any more";
    const ScheduleConf *s = conf_schedule(e->conf, n->schedule_name);
    TableFacts facts = {};
    if (p && s)
        facts = place_facts(p, n->target->table, n->target->table_arn);
    return p && s && conf_tags_may_give(e->conf, &facts, s) ? "its tags no longer select it"
                                                            : "the configuration no longer selects it";
}

static int enrol_news(void *context, Enrolment *n, bool enrolled) {
    EnrolContext *c = context;
    const Place *p = places_find(&c->engine->places, n->target->account, n->target->region);
    Report *report = NULL;
    int r = enrolled
                ? report_enrolment(n, REPORT_ENROLLED, c->engine->qualified, &report, "enrolled in schedule %s",
                                   n->schedule_name)
                : report_enrolment(n, REPORT_WITHDRAWN, c->engine->qualified, &report,
                                   "withdrawn from schedule %s: %s; what was made stays", n->schedule_name,
                                   why_withdrawn(c->engine, p, n));
    return r < 0 ? r : engine_say(c->out, report);
}

/* What the ledger still has of other places counts, too. */
static bool needs_labels(const Engine *e) {
    bool many = places_are_many(&e->places);
    for (size_t i = 0; !many && i < e->targets.n_items; i++)
        many = !places_find(&e->places, e->targets.items[i]->account, e->targets.items[i]->region);
    return many;
}

static int arm_target(Engine *e, Target *t, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < t->n_enrolments; i++) {
        Enrolment *n = t->enrolments[i];
        if (n->changed)
            r = engine_put_enrolment(out, n);
        if (r >= 0 && n->schedule)
            r = engine_arm_due(e, n);
        else
            heap_set(&e->due, &n->due, USEC_INFINITY);
        if (r >= 0 && n->schedule)
            r = engine_freshness(e, n, now, out);
        else
            heap_set(&e->fresh, &n->fresh, USEC_INFINITY);
        if (r >= 0)
            r = engine_enrol_chain(e, n, now);
    }
    if (r >= 0 && t->place)
        r = engine_arm_recovery(e, t, now);
    return r < 0 ? r : engine_put_target(out, t);
}

int engine_enrol(Engine *e, Now now, EngineOutbox *out) {
    EnrolContext context = {.engine = e, .out = out};
    e->qualified = needs_labels(e);
    int r = enrol_update(&e->targets, e->conf, &e->places, now, enrol_news, &context);
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++)
        r = arm_target(e, e->targets.items[i], now, out);
    if (r >= 0)
        r = engine_arm_all_ahead(e);
    if (r >= 0)
        r = engine_arm_all_reverify(e, now);
    if (r >= 0)
        r = engine_arm_all_expiry(e, now, out);
    if (r >= 0)
        r = engine_compare_listings(e, now, out);
    e->count_wanted = true;
    e->enrol_wanted = r < 0;
    return r;
}

int engine_enrol_table(Engine *e, const Place *p, const char *table, Now now, EngineOutbox *out) {
    EnrolContext context = {.engine = e, .out = out};
    Target *t = NULL;
    int r = enrol_table(&e->targets, e->conf, p, table, now, enrol_news, &context, &t);
    if (r < 0 || !t || (r = arm_target(e, t, now, out)) < 0)
        return r;
    return engine_arm_all_ahead(e);
}

/* Why the slots of the range do not run; `shut`: not_during kept them, not the daemon. */
static const char *range_reason(const SlotPlan *plan, bool shut) {
    if (plan->run_wall != WALL_UNKNOWN)
        return shut ? "a newer slot was due when not_during ended"
                    : "a newer slot was due when the daemon could act again";
    return shut ? "in not_during, and catch_up is none" : "missed, and catch_up is none";
}

/* Do they all lie in one time of not_during? Then the daemon missed nothing. */
static bool is_shut_out(const ScheduleConf *s, const SlotPlan *plan, Usec share) {
    Usec first = plan->range_from_wall + share, last = plan->range_to_wall + share, open_wall = slot_open(s, first);
    return open_wall > last && slot_open(s, last) == open_wall;
}

static int record_range(const Enrolment *n, const SlotPlan *plan, bool shut, EngineOutbox *out) {
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
        .why = range_reason(plan, shut),
    };
    return range->schedule && range->account && range->region && range->table ? 0 : -ENOMEM;
}

int engine_due(Engine *e, Enrolment *n, Now now, EngineOutbox *out) {
    Usec share, open_wall = slot_open(n->schedule, now.wall);
    SlotPlan plan;
    if (open_wall > now.wall) /* it was due before, when the daemon could not act */
        return heap_set(&e->due, &n->due, open_wall);
    int r = slot_share(e->conf->deployment, n, &share);
    if (r < 0 || (r = slot_plan(n, now.wall - share, &plan)) < 0)
        return r;
    if (plan.range_from_wall != WALL_UNKNOWN) {
        Report *report = NULL;
        char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
        bool shut = is_shut_out(n->schedule, &plan, share);
        r = record_range(n, &plan, shut, out);
        if (r >= 0)
            r = report_enrolment(n, shut ? REPORT_SHUT_OUT : REPORT_SUPERSEDED, e->qualified, &report,
                                 "%lld slots of schedule %s from %s to %s %s and will not run; %s",
                                 (long long)plan.n_range, n->schedule_name, date_to_iso(plan.range_from_wall, from),
                                 date_to_iso(plan.range_to_wall, to), shut ? "fell into not_during" : "were missed",
                                 plan.run_wall != WALL_UNKNOWN ? "the newest is run now" : "catch_up is \"none\"");
        if (r < 0 || (r = engine_say(out, report)) < 0)
            return r;
        n->cursor_wall = plan.range_to_wall;
    }
    if (plan.run_wall != WALL_UNKNOWN) {
        if ((r = engine_begin_run(e, n, plan.run_wall, now, out)) < 0)
            return r;
        n->cursor_wall = plan.run_wall;
    }
    r = engine_put_enrolment(out, n);
    return r < 0 ? r : engine_arm_due(e, n);
}

/* --- places --- */

int engine_take_place(Engine *e, Place *p, const CallDone *done, EngineOutbox *out, bool *ret_trouble) {
    char label[PLACE_LABEL_SIZE];
    Report *report = NULL;
    const AwsError *error = &done->error;
    PlaceNews news = places_take(&e->places, p, done);
    int r = 0;
    *ret_trouble = place_trouble_of(done) != PLACE_WELL;
    place_label(p, e->qualified, label);
    switch (news) {
    case PLACE_NEWS_NONE:
        break;
    case PLACE_NEWS_TROUBLE:
        free(TAKE_PTR(p->trouble_text));
        if (strcmp(error->code, "NoCredentials") == 0) /* whoever has none to give says why */
            break;
        r = report_plain(p->trouble == PLACE_CREDENTIALS ? REPORT_CREDENTIALS : REPORT_UNREACHABLE, &report,
                         "%s: %s, and runs wait: %s%s%s%s%s", label,
                         p->trouble == PLACE_CREDENTIALS ? "the credentials are not taken"
                                                         : "the service cannot be reached",
                         error->code, error->message[0] ? ": " : "", error->message, error->hint ? "; HINT: " : "",
                         error->hint ? error->hint : "");
        return r < 0 ? r : engine_say_lasting(out, report, &p->trouble_text);
    case PLACE_NEWS_OVER:
        r = report_plain(REPORT_REACHED, &report, "%s: calls succeed again", label);
        break;
    }
    return r < 0 ? r : engine_say(out, report);
}

int engine_discover(Engine *e, Place *p, Now now) {
    AwsRequest *request = NULL;
    int r = discovery_request(&p->discovery, &request);
    return r < 0 ? r
                 : client_begin(e->client,
                                &(CallSpec){.account = p->account,
                                            .region = p->region,
                                            .request = request,
                                            .tag = tag_make(TAG_OF_PLACE, (uint64_t)(p - e->places.items)),
                                            .deadline_mono = now.mono + 10 * USEC_PER_MINUTE},
                                now);
}

int engine_discovered(Engine *e, Place *p, CallDone *done, Now now, EngineOutbox *out) {
    DiscoveryNews news;
    char label[PLACE_LABEL_SIZE];
    bool trouble;
    int r = engine_take_place(e, p, done, out, &trouble);
    if (r < 0 || (r = discovery_answer(&p->discovery, done, e->conf->aws.discovery_interval_usec, now, &news)) < 0)
        return r;
    Report *report = NULL;
    switch (news) {
    case DISCOVERY_GOES_ON:
        return 0;
    case DISCOVERY_COMPLETE:
        p->has_listing = true;
        free(TAKE_PTR(p->listing_trouble_text));
        e->enrol_wanted = true;
        return engine_take_listing(e, p, now);
    case DISCOVERY_FAILED:
        if (trouble) /* said for the place */
            return 0;
        r = report_plain(REPORT_DISCOVERY_FAILED, &report,
                         "%s: the tables could not be listed: %s%s%s; patterns and tags keep the tables that they "
                         "had%s%s",
                         place_label(p, e->qualified, label), done->error.code, done->error.message[0] ? ": " : "",
                         done->error.message, done->error.hint ? "; HINT: " : "",
                         done->error.hint ? done->error.hint : "");
        return r < 0 ? r : engine_say_lasting(out, report, &p->listing_trouble_text);
    }
    return 0;
}
