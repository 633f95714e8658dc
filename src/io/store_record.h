#pragma once
/* Records in buckets (core/chain/record.h): which are wanted is told by the chains and links themselves. */

#include "core/chain/record.h"
#include "core/engine/ledger.h"

struct sqlite3;

/* Within the transaction of a batch. An SQLite code. */
int store_record_put(struct sqlite3 *db, const LedgerBatch *b);
/* As StockPort's next_record. *ret_error: -errno, with SQLITE_OK. */
int store_record_next(struct sqlite3 *db, const char *account, const char *region, RecordMark after, RecordTask *ret,
                      int *ret_error);
