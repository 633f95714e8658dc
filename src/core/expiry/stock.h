#pragma once
/* What retention is about: the finished artefacts of a table as the ledger has them, what was decided about them, and
 * what people said. Read from the ledger when it is needed (StockPort) and not kept; changes go into the batch of a
 * turn. */

#include <stdbool.h>
#include <stddef.h>

#include "core/run/artefact.h"
#include "core/chain/record.h"
#include "core/run/run.h"

/* Why an artefact is where it is. Each change is a row of the ledger's `decisions`, for ever; their
 * names are on disk. */
typedef enum Decision {
    DECISION_KEPT,      /* the policy, a hold or a guard keeps it */
    DECISION_BEYOND,    /* it would go, but expire = "report", the brake or a pause keeps it */
    DECISION_EXPIRING,  /* the intent: DeleteBackup may leave from now on */
    DECISION_WITHDRAWN, /* it was not deleted after all, and provably so */
    DECISION_EXPIRED,   /* deleted */
    DECISION_GONE,      /* the service does not know it any more, and it was not we */
    DECISION_HELD,      /* by somebody, until when the hold says */
    DECISION_RELEASED,
    DECISION_ADOPTED, /* somebody vouches for what was found at the service */
    DECISIONS,
} Decision;

const char *decision_to_string(Decision d);
int decision_from_string(const char *s, Decision *ret);
/* The life that an artefact has from then on. False: it stays what it was. */
bool decision_sets_life(Decision d, ArtefactLife *ret);

typedef struct StockItem {
    Artefact *artefact; /* ARTEFACT_VERIFIED or ARTEFACT_EXPIRING */
    char *schedule;     /* of its run, and the rest of what its name is made of */
    Usec slot_wall;
    char *intended_name;
    char *account, *region, *table; /* of its run */
    Usec hold_until_wall;           /* WALL_UNKNOWN: never held; USEC_INFINITY: until it is released */
    char *hold_why, *hold_who;      /* NULL: never held */
    Usec adopted_wall;              /* WALL_UNKNOWN: it came out of a run of this ledger */
    int attempt;                    /* of its run */
    char *base_arn;                 /* a link: of the export that its chain begins with; else NULL */
    Usec from_wall, chain_start_wall; /* a link: where its window and the first of its chain begin; its
                                       * slot is its end */
    bool chain_is_open; /* a link: its chain may still grow; a base: one of those on it */
    bool is_spare;      /* a link: its window rests on another attempt */
    Decision decision;              /* the last; DECISIONS: none yet */
    char *decision_why;
    Usec decision_wall;
} StockItem;

/* In the order of their ARNs, which is that of their creation. */
typedef struct Stock {
    StockItem *items;
    size_t n_items, n_room;
} Stock;

void stock_done(Stock *s);
StockItem *stock_find(const Stock *s, const char *arn); /* or NULL */
/* Is it held at that time? */
static inline bool stock_is_held(const StockItem *i, Usec now_wall) {
    return i->hold_until_wall != WALL_UNKNOWN && i->hold_until_wall > now_wall;
}

/* The ARNs of a table's backups begin so. -ENOMEM. */
int stock_prefix(const char *table_arn, char **ret);

struct Chain;
struct Lineage;

/* How far the other chains of a lineage reach that have settled; WALL_UNKNOWN: there are none. */
typedef struct ChainOthers {
    Usec reach_wall;
    Usec earlier_wall; /* those alone that begin before it */
} ChainOthers;

/* How the engine reads the ledger in the middle of a turn: what was committed, nothing of the turn itself. */
typedef struct StockPort {
    void *context;
    /* The artefacts whose ARN begins with `prefix`, which ends in '/'. *ret is empty before. An
     * errno ends the process. */
    int (*read)(void *context, const char *prefix, Stock *ret);
    /* The run of that schedule, target and slot; *ret_id 0: there is none. */
    int (*find_run)(void *context, const Run *r, int64_t *ret_id);
    /* The chain on that base, settled or not, as it was when it had come to `from`, with its windows from there to
     * where it has come (none where it has not come so far). -ENOENT: there is no such chain. NULL: what is damaged
     * later changes no chain. */
    int (*read_chain)(void *context, const struct Lineage *l, const char *base_arn, Usec from_wall, struct Chain **ret,
                      ChainOthers *ret_others);
    /* What has expired, in that account and region, and still has a record in its bucket (RecordTask.is_stale); then
     * what is verified and has none yet: the first after the mark,
     * bases before links, and those in the order of their ids. -ENOENT: there is none. *ret is empty before, and
     * without the deployment's name. NULL: nothing is recorded. */
    int (*next_record)(void *context, const char *account, const char *region, RecordMark after, RecordTask *ret);
} StockPort;

/* --- what changes --- */

typedef struct StockDecision {
    char *arn;
    Decision decision;
    char *why;
    char *who; /* NULL: the daemon itself */
} StockDecision;

typedef struct StockHold {
    char *arn;
    Usec until_wall; /* as StockItem's; WALL_UNKNOWN: it is released */
    char *why, *who;
} StockHold;

/* Too many artefacts of one group wanted to go at once, and wait for a person. */
typedef struct StockBrake {
    char *account, *region, *table, *schedule, *table_id;
    size_t n_delete, n_all; /* n_delete 0: it is let go */
    Usec since_wall;
    size_t n_confirmed; /* as many may go */
    char *who;          /* confirmed it; NULL: nobody */
    Usec said_wall;     /* by this process; 0: not yet */
} StockBrake;

/* What a later check of an export found. */
typedef struct StockCheck {
    char *arn;
    VerifyLevel level;
    bool passed;
    char *found;
    char *summary_md5, *files_md5; /* as Artefact's; the first that are known stay */
} StockCheck;

typedef enum StockSwitch { STOCK_SWITCH_STAYS, STOCK_SWITCH_PAUSED, STOCK_SWITCH_RESUMED } StockSwitch;

typedef struct StockChanges {
    Artefact **artefacts; /* beside that of their run, which is in the ledger */
    size_t n_artefacts, n_artefacts_room;
    StockDecision *decisions;
    size_t n_decisions, n_decisions_room;
    StockHold *holds;
    size_t n_holds, n_holds_room;
    StockBrake *brakes;
    size_t n_brakes, n_brakes_room;
    StockCheck *checks;
    size_t n_checks, n_checks_room;
    StockSwitch expiry; /* after an empty or rebuilt ledger nothing expires until somebody resumes it */
    char *expiry_who;   /* NULL: nobody in particular */
} StockChanges;

bool stock_changes_are_empty(const StockChanges *c);
void stock_changes_clear(StockChanges *c);
void stock_changes_done(StockChanges *c);
/* Strings are copied. -ENOMEM. */
int stock_put_decision(StockChanges *c, const char *arn, Decision decision, const char *why, const char *who);
int stock_put_hold(StockChanges *c, const char *arn, Usec until_wall, const char *why, const char *who);
int stock_put_check(StockChanges *c, const StockCheck *check);
int stock_put_brake(StockChanges *c, const StockBrake *brake);
int stock_brake_copy(const StockBrake *from, StockBrake *to);
void stock_brake_done(StockBrake *b);

/* Brings a stock that was read before the changes to what it will be after them. -ENOMEM. */
int stock_overlay(Stock *s, const StockChanges *c);

/* What of it outlives the process, beside the artefacts. */
typedef struct StockState {
    bool expires; /* somebody resumed it in this ledger */
    Usec expires_wall;
    char *expires_who;
    StockBrake *brakes;
    size_t n_brakes, n_brakes_room;
    Stock expiring; /* DeleteBackup may have left for these */
} StockState;
void stock_state_done(StockState *s);
