#pragma once
/* Restores a table from a chain's objects in the bucket, as anybody with the bucket would: the base's items, then
 * what each link changed, in order; and holds it against the table as it was at the watermark, item by item. */

#include "chains.h"

/* Each chain of the table and schedule that has a verified base; returns how many were replayed. */
size_t replay_chains(House *h, const char *schedule, const char *table, const char *bucket);
