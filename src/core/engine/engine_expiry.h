#pragma once
/* Expiry inside the engine: its state, and what its parts do for each other. engine_expiry.c has the passes over the
 * tables, engine_delete.c what a pass deletes, engine_doubt.c the backups of which it is not known whether they exist,
 * engine_stock.c what people order, and engine_erase.c the same of exports. One account and region makes one call at a
 * time, so that expiry never crowds out what runs need. */

#include "core/engine/engine_inside.h"
#include "core/expiry/expire.h"

/* A backup that a pass deletes, or that is looked for; or an export that goes. */
typedef struct ExpiryItem {
    Action action;
    char *arn, *name, *schedule, *account, *region, *table;
    Usec slot_wall, created_wall;
    char *why; /* it goes */
} ExpiryItem;

void expiry_item_done(ExpiryItem *i);
int expiry_item_make(const StockItem *from, const char *why, ExpiryItem *ret);

typedef enum DoubtKind {
    DOUBT_DELETING, /* our DeleteBackup may have taken effect */
    DOUBT_UNSEEN,   /* a listing did not show it, which proves nothing */
    DOUBT_ADOPTED,  /* somebody says that it is ours; `why` of the item is who */
} DoubtKind;

/* Does a backup exist? DescribeBackup tells, and only when it says so several times that it does not. */
typedef struct Doubt {
    DoubtKind kind;
    ExpiryItem item;
    Usec settles_mono; /* DOUBT_DELETING: from then on our request cannot take effect any more */
    int n_unknown;     /* answers in a row that it does not exist */
    HeapNode next;     /* mono */
} Doubt;

void doubt_free(Doubt *d);

typedef enum ExpiryStep { EXPIRY_IDLE, EXPIRY_LISTING, EXPIRY_DELETING, EXPIRY_LOOKING } ExpiryStep;

/* What was in the way last, of some table, until a pass over that table finds nothing in the way. */
typedef struct Obstacle {
    char *table, *message; /* NULL: nothing */
} Obstacle;

/* Says it, every EXPIRY_SAID_USEC at most, for it mostly is the same for all tables; takes the report. */
int engine_say_obstacle(EngineOutbox *out, Report *report, const char *table, Obstacle *o, Usec *said_mono, Now now);
void engine_end_obstacle(Obstacle *o, const char *table); /* NULL: whichever */

/* As engine_trouble, of what keeps exports from going. */
bool engine_erase_trouble(const Engine *e, size_t i, EngineTrouble *ret);

/* Of one account and region. */
struct Expiry {
    char *account, *region;
    Heap due;    /* of Target.expire, mono */
    Heap doubts; /* of Doubt.next, mono */
    ExpiryStep step;
    Target *target; /* whose pass it is */
    ExpireListing listing;
    Usec begun_mono;
    ExpiryItem *removals; /* from `at` on they are to be deleted; that at `at` is, while a call is out */
    size_t n_removals, n_removals_room, at;
    Usec retry_usec; /* the next pass over it comes so soon; 0: as ever */
    Doubt *looking;
    Obstacle obstacle;
    Usec failed_mono; /* when that was said last; 0: never */
};

/* A whole pass comes at least so often: it tells what was deleted by others. */
#define EXPIRY_AUDIT_USEC USEC_PER_DAY
/* A pass that found something in the way comes again then. */
#define EXPIRY_RETRY_USEC (10 * USEC_PER_MINUTE)
/* What is in the way is said so often at most, of all tables: it mostly is the same for all. */
#define EXPIRY_SAID_USEC (6 * USEC_PER_HOUR)
/* A call that takes longer is lost. */
#define EXPIRY_CALL_USEC (5 * USEC_PER_MINUTE)

/* --- engine_expiry.c --- */

int engine_find_expiry(Engine *e, const char *account, const char *region, Expiry **ret);
/* The next pass comes then, or sooner if it was to; USEC_INFINITY takes nothing back but from
 * a table without expiry. */
int engine_arm_expiry(Engine *e, Target *t, Usec at_mono);
/* Sends the request (taken) of the place. */
int engine_expiry_call(Engine *e, const Expiry *x, AwsRequest *request, Now now);
/* What the ledger has, and what this turn has changed of it. */
int engine_read_stock(const Engine *e, const EngineOutbox *out, const char *prefix, Stock *ret);
/* Something is in the way of the pass, which is said once; it comes again soon. */
int engine_expiry_failed(Engine *e, Expiry *x, const CallDone *done, const char *why, Now now, EngineOutbox *out);
int engine_end_pass(Engine *e, Expiry *x, Now now);

/* --- engine_delete.c --- */

/* Notes down what the plan says, and begins with what may go. */
int engine_carry_out(Engine *e, Expiry *x, const ExpirePlan *plan, Now now, EngineOutbox *out);
int engine_deleted(Engine *e, Expiry *x, CallDone *done, Now now, EngineOutbox *out);
/* Takes a brake off, and forgets it: `b` is another one then. */
int engine_let_go(Engine *e, StockBrake *b, EngineOutbox *out);
int engine_say_expired(Engine *e, const ExpiryItem *i, EngineOutbox *out);
/* Somebody has said that what the schedule made may go. */
bool engine_may_delete(const Engine *e, const ScheduleConf *s);
/* May what is beyond the policy of each group of the plan go? Puts brakes on and lets them go; says what stays. */
int engine_decide(Engine *e, const Target *t, const ExpirePlan *plan, Now now, EngineOutbox *out, bool *ret_may_go);
/* Only what is new goes into the ledger. */
int engine_note(const StockItem *i, Decision decision, const char *why, EngineOutbox *out);
/* What was confirmed is done: what comes later needs a word of its own. */
int engine_end_confirmed(Engine *e, const Target *t, Action action, EngineOutbox *out);

/* --- engine_doubt.c --- */

/* Takes the item. */
int engine_doubt(Engine *e, Expiry *x, ExpiryItem *item, DoubtKind kind, Now now);
bool engine_has_doubts(const Expiry *x, const Target *t, DoubtKind kind);
bool engine_is_in_doubt(const Expiry *x, const char *arn);
int engine_look_at_doubt(Engine *e, Expiry *x, Now now);
int engine_looked(Engine *e, Expiry *x, CallDone *done, Now now, EngineOutbox *out);

/* --- engine_stock.c --- */

/* What DescribeBackup says of it; NULL: it does not exist. */
int engine_adopted(Engine *e, const ExpiryItem *i, Target *t, const BackupInfo *info, Now now, EngineOutbox *out);
