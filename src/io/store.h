#pragma once
/* The ledger on disk: one SQLite database in the state directory. WAL, synchronous=FULL; a commit that returns 0 is on
 * disk. The daemon holds a lock on the directory; readers (src/io/store_read) need none.
 *
 * Errors are -errno, and store_error says what happened and what to do: -ENOSPC the disk is full, -EROFS it cannot be
 * written, -EBADMSG the file is damaged or is no database, -ESTALE it is not in its place any more, -ENOTSUP it was
 * made by a newer version, -EBUSY another daemon holds the directory, -EIO. */

#include "base/macros.h"
#include "core/engine/ledger.h"

typedef struct Store Store;

/* Locks the directory, opens or makes DIRECTORY/ledger.db, checks it and brings it to this version's schema. On failure
 * *ret_error is a message for people (owned by the caller), or NULL without memory. */
int store_open(const char *directory, Store **ret, char **ret_error);
/* Gives back the memory that makes the next commit cheaper, for when none is expected soon. */
void store_rest(Store *s);
/* Checkpoints and closes; the WAL stays, so that the service's group can read a stopped daemon's ledger. */
void store_close(Store *s);
DEFINE_CLEANUP(Store, store_close)

int store_load(Store *s, Ledger *ret);
/* All of it or nothing, in one transaction. An empty batch touches no disk. */
int store_commit(Store *s, const LedgerBatch *batch);
/* A StockPort's functions, whose context is the store. */
int store_stock(void *store, const char *prefix, Stock *ret);
int store_find_run(void *store, const Run *r, int64_t *ret_id);
int store_read_chain(void *store, const Lineage *l, const char *base_arn, Usec from_wall, Chain **ret,
                     ChainOthers *ret_others);
int store_next_record(void *store, const char *account, const char *region, RecordMark after, RecordTask *ret);
/* Is there a chain on that base? */
int store_knows_chain(void *store, const char *base_arn, bool *ret);
/* What the last failure was, for people. Borrowed, until the next call. */
const char *store_error(const Store *s);
