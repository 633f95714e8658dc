#pragma once
/* What the ledger forgets: the links of chains that have expired long ago, with all that was said of them. Their
 * chains, and the time that they lost, stay. */

#include "base/clock.h"

struct sqlite3;

/* So long the links of an expired chain stay. */
#define STORE_HISTORY_USEC (30 * USEC_PER_DAY)

/* The export of that ARN has expired: takes the oldest of the chains of its table whose history is over, if the export
 * was one's base. Within a transaction. An SQLite code. */
int store_prune_chains(struct sqlite3 *db, const char *base_arn, Usec now_wall);
