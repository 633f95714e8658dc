#pragma once
/* A damaged ledger makes way. It is renamed, never deleted, and never by itself: only where a person says so. */

#include "base/clock.h"

/* Renames ledger.db with its -wal and -shm, looking at nothing inside, to ledger.db.damaged-<stamp>, where sqlite3
 * opens them as they were. *ret_path is the new path of ledger.db. -ENOENT: there is nothing; -EBUSY: a daemon runs. On
 * failure *ret_error is a message for people, or NULL without memory. */
int store_set_aside(const char *directory, Usec now_wall, char **ret_path, char **ret_error);
