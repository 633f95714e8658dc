#pragma once
/* The chains of a table under one schedule as a lost ledger had them: out of the full exports that were found again,
 * the records in the bucket (core/chain/record.h), and what the service tells of incremental exports, whose client
 * tokens say of which chain, window and attempt they are. Pure.
 *
 * A base and a link are verified when their record says so. What has none is followed again to its end, and checked as
 * its schedule asks for. Where nothing shows of a window that later ones presuppose, it is asked for under the token
 * that it would have had, so that it is not made twice. */

#include "core/chain/recall.h"

/* Strings and arrays are borrowed. */
typedef struct ChainClues {
    RecallFacts facts;            /* of exports, those that records name may be missing */
    const ScheduleConf *schedule; /* as it is configured now; the lineage may bear a former name of it */
    Target *target;               /* as the service describes it */
    Run *const *runs;             /* the table's, with the numbers that they have in the ledger */
    size_t n_runs;
    /* Has the ledger a chain on this base? */
    int (*knows)(void *context, const char *base_arn, bool *ret);
    void *context;
} ChainClues;

typedef struct ChainLink {
    Run *run; /* owned; its number is 0 */
    bool is_recorded;
} ChainLink;

typedef struct ChainFinds {
    ChainLink *links; /* that the ledger does not have, in the order of their windows */
    size_t n_links, n_links_room;
    size_t n_chains;   /* that it does not have */
    size_t n_recorded; /* links: verified, as their records say */
    size_t n_adopted;  /* links without a record: followed again */
    size_t n_failed;   /* attempts that have failed */
    size_t n_doubted;  /* windows of which nothing shows */
    size_t n_surplus;  /* exports of chains that these have no use for */
} ChainFinds;

void chain_finds_done(ChainFinds *f);

/* Brings the lineage (the ledger's unsettled chains, or none) in line with what is there: chains and losses that it
 * does not have are added, those that go on have come further. What changed is marked so; fresh chains have numbers
 * from *next_chain_id on. Chains that are over stay in the lineage. The lineage's `recovery` and `recovery_wall` are
 * set. */
int recover_chains(const ChainClues *clues, Lineage *l, int64_t *next_chain_id, Now now, ChainFinds *ret);
