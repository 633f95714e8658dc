#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/conf/conf_client.h"
#include "core/run/drive.h"
#include "core/table/freshness.h"

/* How long a change that nobody waits for may wait for its commit. */
#define LINGER_USEC USEC_PER_SEC

void engine_free(Engine *e) {
    if (!e)
        return;
    heap_done(&e->due);
    heap_done(&e->fresh);
    heap_done(&e->steps);
    heap_done(&e->deadlines);
    engine_ahead_done(e);
    heap_done(&e->looks);
    for (size_t i = 0; i < e->n_lineages; i++)
        lineage_free(e->lineages[i]);
    free(e->lineages);
    for (size_t i = 0; i < e->n_polls; i++)
        poll_free(e->polls[i]);
    free(e->polls);
    engine_expiry_done(e);
    engine_reverify_done(e);
    engine_checks_done(e);
    engine_recorders_done(e);
    engine_erase_done(e);
    for (size_t i = 0; i < e->n_runs; i++)
        run_free(e->runs[i]);
    free(e->runs);
    for (size_t i = 0; i < e->n_inbox; i++)
        http_reply_free(e->inbox[i]);
    free(e->inbox);
    targets_done(&e->targets);
    places_done(&e->places);
    free(e->clock_trouble);
    for (size_t i = 0; i < e->n_tables; i++)
        ledger_table_done(&e->tables[i]);
    free(e->tables);
    free(e->few);
    client_outbox_done(&e->calls);
    for (size_t i = 0; i < e->n_orders; i++)
        order_free(e->orders[i]);
    free(e->orders);
    pause_done(&e->pause);
    client_free(e->client);
    conf_free(e->conf);
    free(e);
}

const Targets *engine_targets(const Engine *e) { return &e->targets; }
const Conf *engine_conf(const Engine *e) { return e->conf; }

int engine_new(Conf *conf, Ledger *ledger, const EngineSettings *settings, Now now, Engine **ret) {
    CLEANUP(engine_free_ptr) Engine *e = calloc(1, sizeof *e);
    if (!e) {
        conf_free(conf);
        return -ENOMEM;
    }
    e->conf = conf;
    ClientSettings client = conf_client_settings(conf, settings->user_agent);
    int r = client_new(&client, settings->seed, &e->client);
    if (r < 0)
        return r;
    if ((r = places_make(conf, settings->region, now, &e->places)) < 0)
        return r;
    e->targets = ledger->targets;
    e->runs = ledger->runs;
    e->n_runs = ledger->n_runs;
    e->n_runs_room = ledger->n_runs_room;
    e->next_run_id = ledger->next_run_id;
    e->port = settings->stock;
    StockState stock = ledger->stock;
    e->pause = ledger->pause;
    ledger->pause = (Pause){};
    e->pause_is_unsaid = engine_is_paused(e);
    ledger->targets = (Targets){};
    ledger->runs = NULL;
    ledger->n_runs = ledger->n_runs_room = 0;
    ledger->stock = (StockState){};
    engine_meet_places(e);
    if ((r = engine_load_chains(e, ledger, now)) < 0 || (r = engine_begin_expiry(e, &stock, now)) < 0 ||
        (r = engine_restore_inventories(e, ledger)) < 0)
        return r;
    ledger_done(ledger);
    for (size_t i = 0; i < e->targets.n_items; i++)
        for (size_t j = 0; j < e->targets.items[i]->n_enrolments; j++)
            e->targets.items[i]->selected |= e->targets.items[i]->enrolments[j]->active;
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *run = e->runs[i];
        const Target *t = targets_find(&e->targets, run->account, run->region, run->table);
        run->enrolment =
            t && !run_is_settled(run) && !run_is_link(run) ? target_enrolment(t, run->schedule) : NULL;
        if (run->enrolment)
            run->enrolment->n_unsettled++;
        run_apply(run, RUN_EV_INTERRUPTED, &(RunCause){.why = "the daemon ended before the reply came"}, now);
        Usec step = run_waits_for_chain(run) ? USEC_INFINITY : now.mono;
        if (engine_wait(e, run, step) < 0 || heap_set(&e->deadlines, &run->deadline, run_deadline(run)) < 0)
            return -ENOMEM;
    }
    e->trust = trust_make(now);
    e->probe.next_mono = now.mono;
    e->enrol_wanted = true;
    e->linger_mono = USEC_INFINITY;
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
    engine_reconfigure_expiry(e);
    engine_reconfigure_chains(e);
    engine_reconfigure_erasing(e);
    conf_free(e->conf);
    e->conf = conf;
    free(TAKE_PTR(e->few));
    ClientSettings client = conf_client_settings(conf, settings->user_agent);
    int r = client_configure(e->client, &client);
    for (size_t i = 0; i < e->places.n_items; i++)
        client_cancel(e->client, tag_make(TAG_OF_PLACE, i));
    client_cancel(e->client, tag_make(TAG_OF_PROBE, 0));
    engine_cancel_tags(e);
    CLEANUP(places_done) Places old = e->places;
    e->places = (Places){};
    if (r < 0 || (r = places_make(conf, settings->region, now, &e->places)) < 0 ||
        (r = engine_keep_inventories(e, &old, now)) < 0)
        return r;
    engine_meet_places(e);
    e->probe = (Probe){.next_mono = now.mono};
    e->enrol_wanted = true;
    return 0;
}

int engine_set_credentials(Engine *e, const char *account, const Credentials *c) {
    for (size_t i = 0; c && i < e->places.n_items; i++)
        if (strcmp(e->places.items[i].account, account) == 0)
            e->places.items[i].hurry = e->hurry = true;
    return client_set_credentials(e->client, account, c);
}

int engine_await_credentials(Engine *e, const char *account) { return client_await_credentials(e->client, account); }

const char *engine_expired_account(Engine *e) { return client_expired_account(e->client); }

int engine_push(Engine *e, HttpReply *reply) {
    CLEANUP(http_reply_free_ptr) HttpReply *taken = reply;
    if (ARRAY_GROW(e->inbox, e->n_inbox, e->n_inbox_room) < 0)
        return -ENOMEM;
    e->inbox[e->n_inbox++] = TAKE_PTR(taken);
    return 0;
}

int engine_push_order(Engine *e, Order *order) {
    CLEANUP(order_free_ptr) Order *taken = order;
    if (ARRAY_GROW(e->orders, e->n_orders, e->n_orders_room) < 0)
        return -ENOMEM;
    e->orders[e->n_orders++] = TAKE_PTR(taken);
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

/* --- the turn --- */

static int take_inbox(Engine *e, Now raw) {
    int r = 0;
    for (size_t i = 0; i < e->n_inbox; i++) {
        HttpReply *reply = TAKE_PTR(e->inbox[i]);
        if (r >= 0)
            r = client_reply(e->client, reply, raw);
        else
            http_reply_free(reply);
    }
    e->n_inbox = 0;
    return r;
}

/* What waited for its turn after a refusal need not wait for it with fresh credentials. */
static int hurry(Engine *e, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_runs; i++) {
        Run *run = e->runs[i];
        const Place *p = places_find(&e->places, run->account, run->region);
        if ((!p || p->hurry) && run->n_deferred > 0 && !run->calling && !run_is_settled(run))
            r = heap_set(&e->steps, &run->step, now.mono);
    }
    for (size_t i = 0; i < e->places.n_items; i++) {
        Place *p = &e->places.items[i];
        if (p->hurry && p->discovery.failed && !p->discovery.calling)
            p->discovery.next_mono = now.mono;
        if (p->hurry)
            p->inventory.resume_mono = now.mono;
        p->hurry = false;
    }
    e->probe.next_mono = now.mono;
    e->hurry = r < 0;
    return r;
}

/* Everything that is due; counts it. */
static int take_due(Engine *e, Now now, EngineOutbox *out, size_t *n_taken) {
    Enrolment *n;
    Run *run;
    int r = 0;
    bool has_time = trust_has_time(&e->trust, now), starts = trust_holds(&e->trust) && !engine_is_paused(e);
    while (r >= 0 && has_time && *n_taken < ENGINE_TURN_MAX && (run = heap_due(&e->deadlines, now.wall))) {
        r = engine_deadline(e, run, now, out);
        ++*n_taken;
    }
    if (e->room_made)
        r = r < 0 ? r : engine_make_room(e, now);
    while (r >= 0 && starts && *n_taken < ENGINE_TURN_MAX && (n = heap_due(&e->due, now.wall))) {
        r = engine_due(e, n, now, out);
        ++*n_taken;
    }
    Lineage *l;
    while (r >= 0 && starts && *n_taken < ENGINE_TURN_MAX && (l = heap_due(&e->looks, now.wall))) {
        r = engine_look_at_chain(e, l, now);
        ++*n_taken;
    }
    if (r >= 0 && starts)
        r = engine_turn_of_chains(e, now);
    if (r >= 0)
        r = engine_take_orders(e, now, out, n_taken);
    if (r >= 0)
        r = engine_poll(e, now);
    /* what was begun just now goes on in the same turn, and into the same commit */
    while (r >= 0 && *n_taken < 2 * ENGINE_TURN_MAX && (run = heap_due(&e->steps, now.mono))) {
        r = engine_step(e, run, now, out);
        ++*n_taken;
    }
    while (r >= 0 && has_time && *n_taken < ENGINE_TURN_MAX && (n = heap_due(&e->fresh, now.wall))) {
        r = engine_freshness(e, n, now, out);
        ++*n_taken;
    }
    if (r >= 0 && starts)
        r = engine_describe_ahead(e, now);
    if (r >= 0 && starts)
        r = engine_expire(e, now, out);
    if (r >= 0 && starts)
        r = engine_erase(e, now, out);
    if (r >= 0 && starts)
        r = engine_reverify(e, now, out);
    if (r >= 0 && starts)
        r = engine_record(e, now, out);
    for (size_t i = 0; r >= 0 && i < e->places.n_items; i++)
        if (discovery_is_due(&e->places.items[i].discovery, now))
            r = engine_discover(e, &e->places.items[i], now);
    if (r >= 0)
        r = engine_read_tags(e, now);
    if (r >= 0)
        r = engine_look_at_recovery(e, now);
    if (r >= 0 && engine_probe_mono(e) <= now.mono)
        r = engine_probe(e, now);
    return r;
}

static int take_done(Engine *e, CallDone *done, Now raw, EngineOutbox *out) {
    int r = done->server_wall != WALL_UNKNOWN ? engine_take_date(e, done->server_wall, raw, out) : 0;
    Now now = trust_now(&e->trust, raw);
    if (r < 0)
        return r;
    switch (tag_kind(done->tag)) {
    case TAG_OF_RUN:
        return engine_answer(e, done, now, out);
    case TAG_OF_PROBE:
        return engine_probed(e, done, raw, out);
    case TAG_OF_PLACE:
        return engine_discovered(e, &e->places.items[tag_index(done->tag)], done, now, out);
    case TAG_OF_TAGS:
        return engine_tags_read(e, done, now, out);
    case TAG_OF_AHEAD:
        return engine_described(e, done, now, out);
    case TAG_OF_LOOK:
        return engine_recovery_looked(e, done, now, out);
    case TAG_OF_POLL:
        return engine_polled(e, done, now, out);
    case TAG_OF_EXPIRY:
        return engine_expiry_answered(e, done, now, out);
    case TAG_OF_REVERIFY:
        return engine_reverified(e, done, now, out);
    case TAG_OF_ERASE:
        return engine_erased(e, done, now, out);
    case TAG_OF_LINEAGE:
        return engine_chain_answered(e, done, now, out);
    case TAG_OF_RECORD:
        return engine_recorded(e, done, now, out);
    }
    return 0;
}

/* Lets the client move, and takes what it ended and what it sends. */
static int take_calls(Engine *e, Now raw, EngineOutbox *out, Usec *ret_next_mono) {
    client_outbox_clear(&e->calls);
    int r = client_turn(e->client, raw, &e->calls, ret_next_mono);
    for (size_t i = 0; r >= 0 && i < e->calls.n_requests; i++) {
        if (ARRAY_GROW(out->requests, out->n_requests, out->n_requests_room) < 0)
            return -ENOMEM;
        out->requests[out->n_requests++] = TAKE_PTR(e->calls.requests[i]);
        Run *run = engine_find_run(e, e->calls.sends[i]);
        if (run && run->calling && run->asking)
            run_apply(run, RUN_EV_SENT, NULL, trust_now(&e->trust, raw));
    }
    for (size_t i = 0; r >= 0 && i < e->calls.n_done; i++)
        r = take_done(e, &e->calls.done[i], raw, out);
    return r;
}

/* What nobody waits for, such as that a request was accepted, shares the commit of a later turn. Nothing rests on it
 * that is sent or said, and after a crash it is found out again. */
static bool may_linger(Engine *e, Now now, const EngineOutbox *out) {
    if (e->stopping || e->room_made || out->n_requests > 0 || out->n_reports > 0 || !ledger_batch_is_empty(&out->batch))
        return false;
    if (e->linger_mono == USEC_INFINITY)
        e->linger_mono = now.mono + LINGER_USEC;
    return now.mono < e->linger_mono;
}

static int collect_runs(Engine *e, Now now, EngineOutbox *out) {
    LedgerBatch *b = &out->batch;
    bool changed = e->n_tables > 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        int r = e->runs[i]->changed ? engine_settle_notes(e, e->runs[i], now, out) : 0;
        if (r < 0)
            return r;
        changed |= e->runs[i]->changed;
    }
    if (changed && may_linger(e, now, out))
        return 0;
    e->linger_mono = USEC_INFINITY;
    int r = engine_put_tables(e, out);
    if (r < 0)
        return r;
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *run = e->runs[i];
        if (!run->changed)
            continue;
        if (ARRAY_GROW(b->runs, b->n_runs, b->n_runs_room) < 0 || ARRAY_GROW(b->links, b->n_links, b->n_links_room) < 0)
            return -ENOMEM;
        *(run_is_link(run) ? &b->links[b->n_links++] : &b->runs[b->n_runs++]) = run;
    }
    return 0;
}

/* A mono instant on the wall clock of this turn. */
static Usec on_wall(Usec mono, Now now) { return mono == USEC_INFINITY ? USEC_INFINITY : now.wall + (mono - now.mono); }

/* When the next turn is wanted, by the time that is trusted. */
static Usec next_wall(const Engine *e, Usec client_next_mono, Now now) {
    if (e->enrol_wanted || e->n_orders > 0 || (e->room_made && !e->stopping))
        return now.wall;
    Usec mono = usec_min(usec_min(client_next_mono, e->linger_mono), heap_next(&e->steps));
    for (size_t i = 0; i < e->places.n_items; i++)
        mono = usec_min(mono, discovery_next_mono(&e->places.items[i].discovery));
    mono = usec_min(mono, usec_min(engine_probe_mono(e), engine_poll_mono(e)));
    mono = usec_min(mono, usec_min(engine_inventory_mono(e), engine_recovery_mono(e)));
    Usec wall = USEC_INFINITY;
    if (trust_has_time(&e->trust, now))
        wall = usec_min(usec_min(heap_next(&e->deadlines), heap_next(&e->fresh)),
                        engine_is_paused(e) ? e->pause.until_wall : USEC_INFINITY);
    else
        mono = usec_min(mono, e->trust.started_mono + TRUST_PATIENCE_USEC);
    if (trust_holds(&e->trust) && !engine_is_paused(e)) {
        mono = usec_min(mono, usec_min(engine_expiry_mono(e), usec_min(engine_erase_mono(e), engine_record_mono(e))));
        wall = usec_min(wall, engine_reverify_wall(e, now));
        wall = usec_min(wall, usec_min(usec_min(heap_next(&e->due), heap_next(&e->looks)), engine_ahead_wall(e)));
    }
    return usec_max(usec_min(wall, on_wall(mono, now)), now.wall);
}

int engine_turn(Engine *e, Now raw, EngineOutbox *out, Usec *ret_next_wall) {
    size_t n_taken = 0;
    Usec client_next = USEC_INFINITY;
    int r = engine_watch_clock(e, raw, out);
    Now now = trust_now(&e->trust, raw);
    if (r >= 0)
        r = take_inbox(e, raw);
    if (r >= 0 && e->hurry)
        r = hurry(e, now);
    /* an answer can make the next question due at once: a few rounds, then the next turn */
    for (int round = 0; r >= 0 && round < 4; round++) {
        if (e->enrol_wanted)
            r = engine_enrol(e, now, out);
        if (r >= 0)
            r = engine_watch_pause(e, now, out);
        if (r >= 0 && e->stopping)
            r = engine_take_orders(e, now, out, &n_taken);
        if (r >= 0 && !e->stopping)
            r = take_due(e, now, out, &n_taken);
        if (r >= 0)
            r = take_calls(e, raw, out, &client_next);
        now = trust_now(&e->trust, raw);
        if (e->calls.n_done == 0 && !e->enrol_wanted)
            break;
    }
    if (r >= 0 && e->count_wanted)
        r = engine_count_tables(e, out);
    if (r < 0 || (r = collect_runs(e, now, out)) < 0)
        return r;
    out->batch.wall = now.wall;
    Usec next = next_wall(e, client_next, now);
    *ret_next_wall = next == USEC_INFINITY ? next : next - e->trust.offset_usec;
    return 0;
}

void engine_committed(Engine *e, EngineOutbox *out) {
    for (size_t i = 0; i < out->batch.n_enrolments; i++)
        out->batch.enrolments[i]->changed = out->batch.enrolments[i]->listed = false;
    for (size_t i = 0; i < out->batch.n_targets; i++)
        out->batch.targets[i]->changed = out->batch.targets[i]->listed = false;
    engine_chains_committed(e, &out->batch);
    if (e->linger_mono != USEC_INFINITY)
        return;
    size_t n_kept = 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (r->changed) {
            r->changed = false;
            r->n_said = 0;
            run_notes_clear(r);
            artefact_free(TAKE_PTR(r->failed_artefact));
        }
        r->closed = run_is_settled(r);
        if (r->closed && !run_is_watched(r))
            run_free(r);
        else
            e->runs[n_kept++] = r;
    }
    e->n_runs = n_kept;
    ledger_batch_clear(&out->batch);
}

void engine_summary(const Engine *e, Now now, EngineSummary *ret) {
    EngineSummary s = {.next_due_wall = heap_next(&e->due),
                       .trusts_clock = trust_holds(&e->trust),
                       .paused_until_wall = e->pause.until_wall,
                       .qualified = e->qualified};
    now = trust_now(&e->trust, now);
    for (size_t i = 0; i < e->n_runs; i++)
        s.n_unsettled += !run_is_settled(e->runs[i]);
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
