#pragma once
/* What `ddbackupctl chain` shows, without the ledger: out of the records in the buckets, and what the service says. */

#include "ctl/options.h"
#include "io/store_read.h"

/* Fills both, which are empty before. Negative: said why on standard error. */
int chain_remote(const CtlOptions *o, Usec now_wall, Targets *ret_targets, StoreChains *ret);
