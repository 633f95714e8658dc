#pragma once
/* The chains of a table under one schedule, out of the records in its buckets (core/chain/record.h) and what the
 * service says of the table: what the ledger knows of them, without the ledger. Pure.
 *
 * A chain stands when its base has a record. It reaches to the end of the longest row of links of which each begins
 * where the one before it ends and names it. */

#include "core/chain/record.h"
#include "core/chain/span.h"

/* Adds to the lineage, which has none, the chains that still go on and the losses; all chains become *ret, by the
 * instants of their bases. Records of other schedules are passed over. The lineage's enrolment has the target as the
 * service describes it; its `recovery` and `table_is_gone` are set. -ENOMEM. */
int recall_chains(Lineage *l, const Record *records, size_t n_records, Usec now_wall, ChainReach **ret, size_t *ret_n);
