#pragma once
/* The ledger's chains, links and lost time: what the writer (io/store) and the reader (io/store_read) share. Functions
 * return an SQLite code, but where they say -errno. */

#include "core/engine/ledger.h"
#include "io/store_read.h"

struct sqlite3;
struct sqlite3_stmt;

/* Within the transaction of a batch. */
int store_chain_put(struct sqlite3 *db, const LedgerBatch *batch);

/* Lineages with the chains that have not settled, and what open attempts there are, at the end of the runs. Numbers
 * go on from the largest. *ret_error: -errno for a row that makes no sense, with SQLITE_OK. */
int store_chain_load(struct sqlite3 *db, Ledger *into, int *ret_error);
/* Is there a chain on that base? */
int store_chain_find(struct sqlite3 *db, const char *base_arn, bool *ret);
/* As StockPort's read_chain. */
int store_chain_read_one(struct sqlite3 *db, const Lineage *l, const char *base_arn, Usec from_wall, Chain **ret,
                         ChainOthers *ret_others, int *ret_error);
/* As store_read_chains. */
int store_chain_read(struct sqlite3 *db, StoreChains *ret, int *ret_error);
/* As store_read_open_losses. */
int store_chain_read_losses(struct sqlite3 *db, Ledger *into, int *ret_error);

/* As STORE_RUN_COLUMNS, so that a link reads as any run; then what is a link's own. */
#define STORE_LINKS_SQL                                                                                                \
    "SELECT k.id, k.state, 'incremental', c.schedule, c.account, c.region, c.name, k.handle, c.table_id, c.table_arn," \
    " k.s3_bucket, k.s3_bucket_owner, k.s3_prefix, k.s3_sse_algorithm, k.s3_kms_key_id, k.s3_format, k.why, k.hint,"   \
    " k.request_id, k.to_wall, k.to_wall, NULL, k.warn_at, k.finish_by, k.warned, k.attempt, k.intent,"                \
    " k.first_sent, k.sent, k.n_sends, k.n_deferred, k.settled, k.verify, " STORE_LINK_ARTEFACT_COLUMNS ","            \
    " k.view_type, k.chain, k.from_wall,"                                                                              \
    " k.overdue FROM links k JOIN chains c ON c.id = k.chain"
#define STORE_LINK_OWN_COLUMN 49
/* A row of that. -errno. */
int store_row_link(struct sqlite3_stmt *q, Run **ret);
