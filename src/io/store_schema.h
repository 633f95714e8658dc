#pragma once
/* The ledger's tables, and how an older ledger becomes one of this version. */

#include <stdbool.h>

#include "base/text.h"

struct sqlite3;

#define STORE_FILE "ledger.db"

/* Runs what is missing, in one transaction a step. -ENOTSUP: newer than this program; else as store.h. *why is added
 * to. */
int store_schema_migrate(struct sqlite3 *db, Text *why);
/* For readers: is it of this version? -ENOTSUP. */
int store_schema_check(struct sqlite3 *db, Text *why);
/* -errno for SQLite's code, with SQLite's words and a HINT added to `why`. Returns the -errno. */
int store_schema_failed(struct sqlite3 *db, int code, const char *what, Text *why);
