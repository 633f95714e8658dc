#pragma once
/* "Is every table protected right now, and how do I know?": the ledger's answer, for status and check alike.
 *
 * What is not known counts as a failure: no ledger, no daemon, no enrolment. */

#include "core/table/freshness.h"
#include "ctl/daemon_voice.h"
#include "ctl/options.h"
#include "io/store_read.h"

typedef enum Level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL } Level;

const char *level_to_string(Level l); /* "ok", "warning", "critical" */

/* How an active enrolment stands. */
typedef struct Standing {
    const Enrolment *enrolment;
    Freshness freshness;
    Run *latest;  /* the settled run of its newest slot, or NULL */
    Run *success; /* the newest that succeeded, or NULL */
    Level level;
} Standing;

typedef struct Problem {
    Level level;
    char *text; /* names the object first, and holds a HINT where a person can act */
} Problem;

typedef struct Situation {
    Usec now_wall;
    DaemonState daemon;
    DaemonVoice voice; /* of a daemon that runs */
    char *deployment; /* as in the name of the newest backup; NULL: no backup tells it */
    Ledger lost; /* lineages with losses that have no end */
    Targets targets;
    LedgerTable *tables; /* the inventory */
    size_t n_tables, n_tables_room;
    bool qualified;      /* names need account and region */
    Standing *standings; /* what the options select: the worst first */
    size_t n_standings, n_room;
    Run **unsettled; /* of those, by the instant at which they were due */
    size_t n_unsettled, n_unsettled_room;
    Problem *problems; /* the worst first */
    size_t n_problems, n_problems_room;
    Pause pause;       /* also one that has run out */
    StockState stock; /* whether artefacts expire, and what waits for a person */
    size_t n_held;    /* artefacts, of all tables */
    bool conf_is_bad;  /* the daemon has another, or would not start */
    Level level;       /* of the worst problem */
    bool is_protected; /* every table has a fresh artefact, no enrolment is stale or still without one, and no chain has
                          lost time without an end */
    Usec oldest_usec;  /* age of the oldest newest artefact of the enrolments that are watched; WALL_UNKNOWN: none */
    struct {
        size_t tables, unwatched_tables;              /* with no enrolment that is watched */
        size_t fresh, stale, pending, unwatched;      /* enrolments */
        size_t not_enrolled;                          /* enrolments that the configuration wants and the ledger lacks */
        size_t too_few;                               /* entries of the configuration */
        size_t gone, unrecoverable; /* tables: that do not exist, that want recovery and are without */
        size_t failed;                                /* enrolments whose newest settled run did not succeed */
        size_t uncertain, late, overdue;              /* unsettled runs; overdue: no daemon acts on them */
        size_t lost;                                  /* lineages with a loss that has no end */
        size_t braked;                                /* groups whose expiry waits for a person */
        size_t troubles;                              /* what keeps the daemon from its work, by its own word */
    } n;
} Situation;

/* Reads and judges. On failure *ret_error is a message for people. */
int situation_load(const CtlOptions *o, Usec now_wall, Situation *ret, char **ret_error);
void situation_done(Situation *s);

/* One sentence: what is so, counted. */
int situation_summary(const Situation *s, Text *t);
const char *daemon_to_string(DaemonState s); /* "running", "stopped", "unknown" */
