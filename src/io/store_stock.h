#pragma once
/* Retention's part of the ledger (core/expiry/stock.h): what the writer (io/store) and the reader (io/store_read)
 * share. Functions return an SQLite code, but where they say -errno. */

#include "core/expiry/stock.h"
#include "io/store_read.h"

struct sqlite3;

/* Within the transaction of a batch. */
int store_stock_put(struct sqlite3 *db, const StockChanges *c, Usec wall);

/* The first that are put stay; NULL: not known. */
int store_stock_put_manifests(struct sqlite3 *db, const char *arn, const char *summary_md5, const char *files_md5,
                              Usec wall);

/* Those whose ARN begins with `prefix` (which ends in '/'); NULL: those that are being deleted. *ret_error: -errno for
 * a row that makes no sense, with the others' code SQLITE_OK. */
int store_stock_read(struct sqlite3 *db, const char *prefix, Stock *ret, int *ret_error);
int store_stock_load(struct sqlite3 *db, StockState *ret, int *ret_error);

/* As store_read_decisions. */
int store_stock_decisions(struct sqlite3 *db, const char *arn, StoreDecisionRow row, void *context, int *ret_error);
/* As store_read_hold. */
int store_stock_hold(struct sqlite3 *db, const char *arn, StoreHoldRow row, void *context, int *ret_error);
int store_stock_n_held(struct sqlite3 *db, Usec now_wall, size_t *ret);
