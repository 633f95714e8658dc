#pragma once
/* An order: what a person or a program wants of the daemon, as a value. It goes into the engine with
 * engine_push_order, is carried out in the next turn by core/engine/engine_order.c, and comes back in
 * EngineOutbox.orders with its answer: what it changed is on disk then.
 *
 * What carries out a kind of order is a function of the engine,
 *
 *     int engine_KIND(Engine *e, Order *o, Now now, EngineOutbox *out);
 *
 * that changes what there is to change, answers with order_answer, and returns 0, or -errno to end the process. What
 * cannot be done is an answer, no error. `now` is the time that is trusted. */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"

typedef enum OrderKind {
    ORDER_RUN,           /* a run outside the calendar. object: a schedule; table: of that table alone */
    ORDER_PAUSE,         /* nothing new starts until until_wall */
    ORDER_RESUME,        /* it ends now */
    ORDER_HOLD,          /* object: an artefact's ARN, which stays until until_wall whatever retention says */
    ORDER_RELEASE,       /* object: an artefact's ARN; the hold ends */
    ORDER_ADOPT,         /* object: an artefact's ARN that only a listing knows */
    ORDER_CONFIRM_PRUNE, /* count: so many may go at once */
    ORDER_VERIFY,        /* object: an export's ARN, which is checked in its bucket now; level */
    ORDER_RESUME_EXPIRY, /* expiry may begin with a ledger that was rebuilt or is new */
    ORDER_KINDS,
} OrderKind;

typedef enum OrderOutcome {
    ORDER_DONE,
    ORDER_UNCHANGED, /* it was so already */
    ORDER_NOT_FOUND, /* no such schedule, table, artefact */
    ORDER_REFUSED,   /* not now, or not like this */
} OrderOutcome;

/* No word of an order is longer. */
#define ORDER_WORD_MAX 2048
#define ORDER_MESSAGE_MAX 4096

typedef struct Order {
    OrderKind kind;
    uint64_t ticket; /* of whoever waits for the answer; means nothing to the engine */
    char *object;
    char *table;     /* a table's name, or account/region/table; NULL: every one */
    char *who;       /* "root", "anna (uid 1000)" */
    char *why;       /* in their words; NULL: they gave none */
    char *level;     /* a word of core/conf/conf.h, VerifyLevel; NULL: the schedule's */
    Usec until_wall; /* USEC_INFINITY: for good */
    int64_t count;

    OrderOutcome outcome;
    char *message; /* for people: what was done, or why not, with a HINT where one helps */
    int64_t *runs; /* of ORDER_RUN: begun, or found under way; ascending */
    size_t n_runs, n_runs_room;
} Order;

/* Nothing is set, and it has no end. -ENOMEM. */
int order_new(OrderKind kind, Order **ret);
void order_free(Order *o);
DEFINE_CLEANUP(Order, order_free)

/* Its answer, in place of one that it had. -ENOMEM. */
int order_answer(Order *o, OrderOutcome outcome, const char *format, ...) PRINTF_LIKE(3, 4);
/* A run that it begot. -ENOMEM. */
int order_add_run(Order *o, int64_t id);

/* In the ledger: never rename one. */
const char *order_kind_to_string(OrderKind k);
int order_kind_from_string(const char *s, OrderKind *ret); /* -EINVAL */
