#pragma once
/* The chains of a table under one schedule, out of the records in its buckets (core/chain/record.h) and what the
 * service says of the table and its exports: what the ledger knows of them, without the ledger. Pure.
 *
 * A chain stands when its base has a record. It reaches to the end of the longest row of recorded links of which each
 * begins where the one before it ends and names it. What comes after it is under way where the service has an export of
 * such a window with a client token of ours (core/run/drive.h), and lost where the table can't be restored to it. What
 * is recorded as lost is lost, whatever else there is. */

#include "core/chain/record.h"
#include "core/chain/span.h"

typedef struct RecallFacts {
    const char *deployment;
    const Record *records; /* of exports that are there; those of other schedules are passed over */
    size_t n_records;
    const Record *gone; /* of links that are not there any more: they are named by those that follow them */
    size_t n_gone;
    const Record *losses;
    size_t n_losses;
    const ExportInfo *exports; /* as DescribeExport tells of them; those that have a record are passed over */
    size_t n_exports;
} RecallFacts;

typedef struct Recall {
    ChainReach *reaches; /* of all chains, by the instants of their bases */
    size_t n_reaches;
    Run **runs; /* attempts at windows that have no record yet, which the chains' windows borrow: as they would stand in
                   the ledger, with id 0 */
    size_t n_runs, n_runs_room;
} Recall;

void recall_done(Recall *r);

/* Fills the lineage, which has none, with all chains, numbered from 1, also those that are over, and the losses. Its
 * enrolment has the target as the service describes it, and its schedule; `recovery`, `recovery_wall` and
 * `table_is_gone` are set. -ENOMEM. */
int recall_chains(Lineage *l, const RecallFacts *facts, Now now, Recall *ret);

/* What cannot be had any more of a chain, until the next one: it is cut there, and the time is lost. -ENOMEM. */
int recall_judge(Lineage *l, Chain *c, Usec now_wall);

/* Which attempt at its window the incremental export is, of the chain that starts there under a schedule of that name,
 * by its client token; 0: it is none of that chain's. */
int recall_attempt(const char *deployment, const char *schedule, Usec chain_start_wall, const ExportInfo *e,
                   int *ret_attempt);

/* Whether DescribeExport has to be asked about an export that ListExports shows and no record names: it may be an
 * attempt at a window that is still open. `open_wall`: up to there every chain is recorded, or over. */
bool recall_wants_export(const ExportInfo *listed, Usec open_wall, Usec now_wall);

/* Inside of core/recall: the windows of a chain, from where it is recorded to, that were asked for. */
int recall_windows(const Lineage *l, Chain *c, const RecallFacts *facts, Now now, Recall *into);
