#pragma once
/* Holds what is recalled of a table's chains without the ledger, by the records in the bucket and what the service says
 * (core/chain/recaller.h), against what the ledger knows of them. */

#include "caller.h"
#include "core/chain/recaller.h"

/* The same time is covered and lost, to the second. What was noticed at one side alone, or is not recorded yet, may
 * differ for so long; time passes meanwhile. Returns how many spans of both kinds there are. */
size_t recalls_expect(House *h, const char *schedule, const char *table, Usec patience_usec);
/* Leads the conversation to its end, in which nothing may go wrong. */
void recalls_converse(House *h, Caller *c, Recaller *r);
