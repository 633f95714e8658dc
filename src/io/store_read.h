#pragma once
/* The ledger, for reading: with the daemon up, stopped or killed, by root or by a member of its group. Takes no lock
 * that could delay the daemon, and changes nothing. A reader sees one instant: what was committed when it was opened.
 * It is meant to be short: read, close, then print.
 *
 * Errors are -errno, and the message names the file and says what to do: -ENOENT no ledger yet, -EACCES no permission,
 * -ENOTSUP made by a newer or an older version, -EBADMSG damaged or no ledger, -EBUSY, -EIO, -ENOMEM. */

#include "base/macros.h"
#include "core/chain/span.h"
#include "core/engine/ledger.h"

typedef struct StoreRead StoreRead;

/* On failure *ret_error is a message for people (owned by the caller), or NULL without memory. */
int store_read_open(const char *directory, StoreRead **ret, char **ret_error);
void store_read_close(StoreRead *s);
DEFINE_CLEANUP(StoreRead, store_read_close)
/* What the last failure was, for people. Borrowed, until the next call. */
const char *store_read_error(const StoreRead *s);

/* Does a daemon hold the state directory? Asks without taking the lock. */
typedef enum DaemonState { DAEMON_UNKNOWN, DAEMON_STOPPED, DAEMON_RUNNING } DaemonState;
DaemonState store_read_daemon(const char *directory);

/* The run of its schedule, target and slot; *ret_id 0: there is none. */
int store_read_find_run(StoreRead *s, const Run *r, int64_t *ret_id);
/* Is there a chain on that base? */
int store_read_knows_chain(StoreRead *s, const char *base_arn, bool *ret);

/* The pause that holds, also one that has run out since; nothing is set where there is none. */
int store_read_pause(StoreRead *s, Pause *ret);

/* All targets with their enrolments, also those that ended (active is false). */
int store_read_targets(StoreRead *s, Targets *ret);

/* The tables that listings showed, by account, region and name. Takes the row, whose strings it is to free. */
typedef int (*StoreTableRow)(void *context, LedgerTable *table);
int store_read_inventory(StoreRead *s, StoreTableRow row, void *context);

/* Artefacts that are there, of one table (one TableId) and schedule; strings are borrowed. */
typedef struct StoreOrphan {
    const char *account, *region, *table, *schedule;
    const char *table_id; /* or NULL */
    Action action;
    int64_t n_artefacts, size_bytes; /* COUNT_UNKNOWN: none tells its size */
    Usec oldest_wall, newest_wall;
} StoreOrphan;
/* All of them, whether they are orphans or not: by account, region, table and schedule. */
typedef int (*StoreOrphanRow)(void *context, const StoreOrphan *orphan);
int store_read_orphans(StoreRead *s, StoreOrphanRow row, void *context);

/* The ARN of every artefact that the ledger has ever known; borrowed. */
typedef int (*StoreArnRow)(void *context, const char *arn);
int store_read_arns(StoreRead *s, StoreArnRow row, void *context);

typedef enum StoreRuns {
    STORE_RUNS_ALL,       /* newest slot first */
    STORE_RUNS_UNSETTLED, /* by the instant at which they were due */
    STORE_RUNS_LATEST,    /* of each active enrolment: the settled one of the newest slot */
    STORE_RUNS_SUCCEEDED, /* of each active enrolment: the one of the newest slot that succeeded */
    STORE_RUNS_NAMED,     /* whose id, name, client token or artefact's ARN the word is; also links
                             of chains, and those of a window: FROM/TO */
} StoreRuns;

/* Row functions return 0 to go on, 1 to stop, -errno to fail with. */

/* Takes the run, which holds its newest artefact, if any. `word` is for STORE_RUNS_NAMED. */
typedef int (*StoreRunRow)(void *context, Run *run);
int store_read_runs(StoreRead *s, StoreRuns which, const char *word, StoreRunRow row, void *context);

/* Every artefact of a run, oldest first. Takes it. */
typedef int (*StoreArtefactRow)(void *context, Artefact *artefact);
int store_read_artefacts(StoreRead *s, int64_t run_id, StoreArtefactRow row, void *context);

/* The members of an artefact's details, in the service's order; strings are borrowed. */
typedef int (*StoreDetailRow)(void *context, const char *name, const char *value);
int store_read_details(StoreRead *s, const char *arn, StoreDetailRow row, void *context);

/* The story of a run in order; strings are borrowed. */
typedef struct StoreNote {
    Usec wall;
    const char *event, *state; /* as run_event_to_string, run_state_to_string */
    const char *why;           /* or NULL */
} StoreNote;
typedef int (*StoreNoteRow)(void *context, const StoreNote *note);
int store_read_notes(StoreRead *s, int64_t run_id, StoreNoteRow row, void *context);

/* As StockPort's `read` (core/expiry/stock.h). */
int store_read_stock(StoreRead *s, const char *prefix, Stock *ret);
/* Whether artefacts expire, what waits for a person, what is being deleted. */
int store_read_stock_state(StoreRead *s, StockState *ret);
/* The decisions about an artefact, oldest first; strings are borrowed, `who` may be NULL. */
typedef int (*StoreDecisionRow)(void *context, Usec wall, const char *decision, const char *why, const char *who);
int store_read_decisions(StoreRead *s, const char *arn, StoreDecisionRow row, void *context);

/* The hold on an artefact, also one that has ended; strings are borrowed, `why` and `who` may be NULL. */
typedef int (*StoreHoldRow)(void *context, Usec until_wall, const char *why, const char *who);
int store_read_hold(StoreRead *s, const char *arn, StoreHoldRow row, void *context);
/* How many are held at that time. */
int store_read_n_held(StoreRead *s, Usec now_wall, size_t *ret);

/* The chains of one table under one schedule: those that have settled are among the reaches alone. */
typedef struct StoreLineage {
    const Lineage *lineage;
    ChainReach *reaches; /* by the instants of their bases */
    size_t n_reaches, n_room;
} StoreLineage;
typedef struct StoreChains {
    Ledger ledger; /* that owns the lineages */
    StoreLineage *items;
    size_t n_items;
} StoreChains;
int store_read_chains(StoreRead *s, StoreChains *ret);
void store_chains_done(StoreChains *c);
/* Lineages with nothing but their open losses. */
int store_read_open_losses(StoreRead *s, Ledger *into);

/* Slots that did not run, newest first; strings are borrowed. */
typedef int (*StoreRangeRow)(void *context, const LedgerRange *range, Usec decided_wall);
int store_read_ranges(StoreRead *s, StoreRangeRow row, void *context);
