#pragma once
/* The ledger's chains, links and lost time: what the writer (io/store) and the reader (io/store_read) share. Functions
 * return an SQLite code, but where they say -errno. */

#include "core/ledger.h"
#include "io/store_read.h"

struct sqlite3;

/* Within the transaction of a batch. */
int store_chain_put(struct sqlite3 *db, const LedgerBatch *batch);

/* Lineages with the chains that have not settled, and what open attempts there are, at the end of the runs. Numbers
 * go on from the largest. *ret_error: -errno for a row that makes no sense, with SQLITE_OK. */
int store_chain_load(struct sqlite3 *db, Ledger *into, int *ret_error);
/* As store_read_chains. */
int store_chain_read(struct sqlite3 *db, StoreChains *ret, int *ret_error);
/* As store_read_open_losses. */
int store_chain_read_losses(struct sqlite3 *db, Ledger *into, int *ret_error);
