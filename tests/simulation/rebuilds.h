#pragma once
/* `ddbackupctl rebuild` in the simulation: the same code, with the ledger on the disk in memory. */

#include "house.h"

/* The ledger is lost, found again as far as it can be, and the host starts with what was found. Tables have to be named
 * by the configuration. Returns how many runs, links and chains that were. */
size_t rebuilds_lost_ledger(House *h);
/* The same with the ledger as it is. */
size_t rebuilds_again(House *h);
