#pragma once
/* The ledger's tables, and how an older ledger becomes one of this version. */

#include "base/text.h"

struct sqlite3;

#define STORE_FILE "ledger.db"

/* What a person can do about a ledger that is damaged. */
#define STORE_DAMAGED_HINT                                                                                             \
    "restore it from a copy; or stop ddbackupd, move the ledger aside with 'ddbackupctl set-aside --yes' and find "    \
    "again with 'ddbackupctl rebuild' what the service knows"

/* Is it a ledger (or empty), and of which version? Writes nothing. -EBADMSG: somebody else's database, or none at all;
 * -ENOTSUP: newer than this program. *why is added to. */
int store_schema_identify(struct sqlite3 *db, int *ret_version, Text *why);
/* Runs what is missing, in one transaction a step. Else as store.h. */
int store_schema_migrate(struct sqlite3 *db, Text *why);
/* For readers: is it of this version? -ENOTSUP. */
int store_schema_check(struct sqlite3 *db, Text *why);
/* -errno for SQLite's code, with SQLite's words and a HINT added to `why`. Returns the -errno. */
int store_schema_failed(struct sqlite3 *db, int code, const char *what, Text *why);
