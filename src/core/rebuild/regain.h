#pragma once
/* What a lost ledger had of one table, as one batch: the runs that a search has found (core/run/search.h), its chains
 * by their records and exports (recover_chain.h), and how far its enrolments had come. What the ledger still has stays
 * as it is, so that it can be done again. Pure. */

#include "core/chain/recaller.h"
#include "core/engine/ledger.h"
#include "core/rebuild/recover_chain.h"
#include "core/run/search.h"

typedef struct RegainSettings {
    const Conf *conf;
    Ledger *ledger;   /* as it was loaded: its targets are those that are searched */
    Usec begun_wall;  /* enrolments that were first seen then are not in the ledger */
    /* The run of that schedule, target and slot; *ret_id 0: there is none. */
    int (*find_run)(void *context, const Run *r, int64_t *ret_id);
    /* Is there a chain on that base? */
    int (*knows_chain)(void *context, const char *base_arn, bool *ret);
    void *context;
} RegainSettings;

/* Of one enrolment. */
typedef struct RegainRow {
    const Enrolment *enrolment;
    size_t n_found;                            /* runs: these are either */
    size_t n_known;                            /* in the ledger already, and stay as they are, or */
    size_t n_succeeded, n_unsettled, n_failed; /* taken in */
    Usec newest_slot_wall;                     /* WALL_UNKNOWN: nothing was found */
    Usec doubt_wall;                           /* the slot that may have been asked for, or WALL_UNKNOWN */
    size_t n_chains, n_links;                  /* taken in: chains, and their exports; these are either */
    size_t n_recorded;                         /* verified, as their records say, or */
    size_t n_adopted;                          /* followed again, until they are verified, or */
    size_t n_failed_links;                     /* attempts that failed, or are not needed, or */
    size_t n_doubted;                          /* windows that are asked for again under the same token */
    Usec watermark_wall;                       /* of its chains, or WALL_UNKNOWN */
    const Lineage *lineage;                    /* its chains and losses, of the ledger; NULL: it makes none */
} RegainRow;

typedef struct RegainTable {
    Search search;      /* without its runs once they are taken in */
    Recaller *recaller; /* NULL: nothing makes chains of it */
    Target *mirror;     /* the recaller's own */
    bool failed;        /* its owner's: that conversation has not found all that there may be */
    RegainRow *rows;
    size_t n_rows;
    size_t n_surplus;  /* artefacts more than one a slot */
    char *surplus_arn; /* the first of them */
    ChainFinds *finds; /* of each lineage, while the batch borrows from them */
    size_t n_finds, n_finds_room;
} RegainTable;

void regain_table_done(RegainTable *t);

/* The search is over and has found the table: begins the conversation about its chains, where it has some.
 * `place` is where it is. */
int regain_begin_chains(const RegainSettings *s, const Place *place, RegainTable *t);

/* Both conversations are over: fills the batch, which is empty and borrows from the table and the ledger. */
int regain_table(const RegainSettings *s, RegainTable *t, Now now, LedgerBatch *batch);
/* The batch is committed. */
void regain_committed(RegainTable *t, const LedgerBatch *batch);

size_t regain_row_taken(const RegainRow *row); /* runs */
