#pragma once
/* The engine: turns schedules, stored state and replies into stored changes, requests and reports. It has no clock and
 * no timer; whoever owns it calls engine_turn when something happened or when the last turn asked for it.
 *
 *     engine_turn(e, now, &outbox, &next);
 *     store_commit(store, &outbox.batch);     -- failed: end the process, start again from disk
 *     engine_committed(e);
 *     send outbox.requests, say outbox.reports, answer outbox.orders
 *
 * Nothing may be sent or said before the commit. */

#include "core/aws/client.h"
#include "core/conf/conf.h"
#include "core/engine/ledger.h"
#include "core/engine/report.h"

typedef struct Engine Engine;

typedef struct EngineOutbox {
    LedgerBatch batch;
    HttpRequest **requests; /* in this order; TAKE_PTR to send */
    size_t n_requests, n_requests_room;
    Report **reports;
    size_t n_reports, n_reports_room;
    Order **orders; /* with their answers; TAKE_PTR to keep one */
    size_t n_orders, n_orders_room;
} EngineOutbox;

/* Frees what is left and makes it empty for the next turn. */
void engine_outbox_clear(EngineOutbox *o);
void engine_outbox_done(EngineOutbox *o);

typedef struct EngineSettings {
    const char *region; /* of accounts that name none; NULL: all do */
    const char *user_agent;
    uint64_t seed; /* jitter of retries */
    StockPort stock; /* for engine_new; without `read` nothing expires */
} EngineSettings;

/* Takes the configuration and what is in the ledger (which is left empty). Unsettled runs go on where they were; what
 * had been asked without an answer is uncertain. */
int engine_new(Conf *conf, Ledger *ledger, const EngineSettings *settings, Now now, Engine **ret);
void engine_free(Engine *e);
DEFINE_CLEANUP(Engine, engine_free)

/* A new configuration (taken): runs in flight keep what they copied; targets and schedules follow with the next turn.
 */
int engine_reconfigure(Engine *e, Conf *conf, const EngineSettings *settings, Now now);
/* Of an account of the configuration, or ACCOUNT_OWN. NULL: there are none, and its calls end with NoCredentials.
 * Copied; they stay while the account is away from the configuration. */
int engine_set_credentials(Engine *e, const char *account, const Credentials *c);
/* As client_await_credentials and client_expired_account. */
int engine_await_credentials(Engine *e, const char *account);
const char *engine_expired_account(Engine *e);

/* Queues a reply for the next turn; taken. */
int engine_push(Engine *e, HttpReply *reply);

/* Queues an order for the next turn; taken. Its answer comes with the outbox of that turn or, where there is much to
 * do, of a later one. */
int engine_push_order(Engine *e, Order *order);

/* One turn. `now` is what the clocks say; whether that is the time is the engine's business (core/run/trust.h).
 * *ret_next_wall, on the same clock: when it wants the next one although nothing happens (USEC_INFINITY: never).
 * Bounded: what does not fit is done in further turns, with *ret_next_wall == now.wall. -ENOMEM, or another errno from
 * the core: end the process and start again from disk. */
int engine_turn(Engine *e, Now now, EngineOutbox *out, Usec *ret_next_wall);
/* The outbox's batch is on disk. */
void engine_committed(Engine *e, EngineOutbox *out);

/* From now on nothing new is begun or sent; answers are still taken. */
void engine_stop(Engine *e);
/* No request that makes something waits for its answer. */
bool engine_is_quiet(const Engine *e);

/* For STATUS= and tests. */
typedef struct EngineSummary {
    size_t n_targets, n_enrolments, n_stale, n_unsettled;
    bool trusts_clock;
    Usec paused_until_wall; /* 0: it is not paused */
    bool qualified; /* names need account and region */
    Usec next_due_wall; /* of the slot that comes next; USEC_INFINITY: none */
    const Enrolment *next;
} EngineSummary;
void engine_summary(const Engine *e, Now now, EngineSummary *ret);

/* What lasts and is no table's own: a service that is not reached, credentials that are not taken, tables that cannot
 * be listed, a time that is not known. As it was said, until it is over; borrowed until the next turn. */
typedef struct EngineTrouble {
    const char *account, *region; /* NULL: of everything */
    const char *message;
} EngineTrouble;
/* The i-th of them, from 0; false: there are no more. */
bool engine_trouble(const Engine *e, size_t i, EngineTrouble *ret);
const Targets *engine_targets(const Engine *e);
const Conf *engine_conf(const Engine *e);
