#pragma once
/* Writes batches into the ledger (io/store): a prepared statement for each kind of row. Functions return an SQLite
 * code. */

#include "base/macros.h"
#include "core/engine/ledger.h"

struct sqlite3;

typedef struct StoreWriter StoreWriter;

/* The database, with this version's schema, outlives it. */
int store_writer_new(struct sqlite3 *db, StoreWriter **ret);
void store_writer_free(StoreWriter *w);
DEFINE_CLEANUP(StoreWriter, store_writer_free)
/* Within the caller's transaction, which is to be rolled back when this fails. */
int store_writer_put(StoreWriter *w, const LedgerBatch *batch);
