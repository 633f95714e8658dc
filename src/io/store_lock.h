#pragma once
/* The lock on a state directory: one writer of its ledger. */

#include "base/text.h"

/* A descriptor that holds the lock until it is closed. -EBUSY: somebody else does. *why says so for people. */
int store_lock(const char *directory, int *ret_fd, Text *why);
