#pragma once
/* What the engine and the store hand each other: everything that must outlive the process. This is the StorePort:
 * store_load fills a Ledger, store_commit writes a LedgerBatch in one transaction. */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/chain/lineage.h"
#include "core/chain/record.h"
#include "core/control/order.h"
#include "core/control/pause.h"
#include "core/expiry/stock.h"
#include "core/run/run.h"
#include "core/table/target.h"

/* A table that a listing showed, and its tags: a row of an inventory (core/table/inventory.h). Strings are owned. */
typedef struct LedgerTable {
    char *account, *region, *table;
    char *tags; /* NULL: not read yet */
    Usec tags_wall, seen_wall;
    bool gone; /* a later listing does not show it */
} LedgerTable;

/* The state at start: targets with their enrolments, unsettled runs, the next free run id. */
typedef struct Ledger {
    Targets targets;
    Run **runs; /* by id */
    size_t n_runs, n_runs_room;
    int64_t next_run_id;
    StockState stock;
    Pause pause; /* also one that has run out since */
    LedgerTable *tables;
    size_t n_tables, n_tables_room;
    Lineage **lineages; /* with the chains and losses that matter; the runs of open attempts are among the runs */
    size_t n_lineages, n_lineages_room;
    int64_t next_chain_id;
} Ledger;

/* The one of that name, made when it is not there yet. -ENOMEM. */
int ledger_lineage(Ledger *l, const char *account, const char *region, const char *table, const char *schedule,
                   Lineage **ret);

void ledger_done(Ledger *l);
void ledger_table_done(LedgerTable *t);

/* Slots that will not run, as one row. */
typedef struct LedgerRange {
    char *schedule, *account, *region, *table;
    Usec from_wall, to_wall;
    int64_t n_slots;
    const char *why; /* static */
} LedgerRange;

/* What became of the record of a link, of a chain's base, or of time that it has lost. */
typedef struct LedgerRecord {
    int64_t chain_id, link_id; /* link_id 0: the base, or lost time */
    Usec lost_wall;            /* where that begins; WALL_UNKNOWN: it is the base */
    RecordOutcome outcome;
} LedgerRecord;

/* The changes of one turn. Pointers are borrowed from the engine until engine_committed. */
typedef struct LedgerBatch {
    Usec wall;
    Run **runs;
    size_t n_runs, n_runs_room;
    Target **targets;
    size_t n_targets, n_targets_room;
    Enrolment **enrolments;
    size_t n_enrolments, n_enrolments_room;
    LedgerRange *ranges; /* owned */
    size_t n_ranges, n_ranges_room;
    StockChanges stock; /* owned */
    Order **orders; /* that changed something; owned by the outbox */
    size_t n_orders, n_orders_room;
    LedgerTable *tables; /* owned */
    size_t n_tables, n_tables_room;
    Run **links;        /* runs that are attempts at windows of chains */
    size_t n_links, n_links_room;
    Chain **chains;
    size_t n_chains, n_chains_room;
    Lineage **losses; /* whose losses have changed */
    size_t n_losses, n_losses_room;
    LedgerRecord *records; /* owned */
    size_t n_records, n_records_room;
} LedgerBatch;

bool ledger_batch_is_empty(const LedgerBatch *b);
void ledger_batch_clear(LedgerBatch *b);
void ledger_batch_done(LedgerBatch *b);
