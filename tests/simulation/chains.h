#pragma once
/* The book's pages on chains of incremental exports: what was committed of links, chains and lost time, and what the
 * service has really made, held against each other. Its own arithmetic: nothing of core/chain.c and core/lineage.c. */

#include "core/ledger.h"
#include "house.h"

typedef struct ChainBook ChainBook;

ChainBook *chain_book_new(House *house);
void chain_book_free(ChainBook *b);

/* An answer about an export: the service's word on it. */
void chain_book_served(ChainBook *b, const ServiceRequest *request, const ServiceReply *reply);
/* Windows are adjacent and of the right length, attempts follow upon failures, and a watermark covers nothing but verified
 * windows on a verified base, which the service has completed. */
void chain_book_committed(ChainBook *b, const LedgerBatch *batch);
/* A run of this slot may call itself covered. */
void chain_book_check_covered(const ChainBook *b, const Run *r);
/* Up to which instant chains of this table and schedule cover; WALL_UNKNOWN. */
Usec chain_book_watermark(const ChainBook *b, const char *schedule, const char *table);

/* The end of the last window that was asked for; WALL_UNKNOWN. */
Usec chain_book_frontier(const ChainBook *b, const char *schedule, const char *table);

/* The ledger on disk has what was committed. */
void chain_book_compare(ChainBook *b, const char *directory);

typedef struct ChainTally {
    size_t n_chains, n_links, n_failed, n_losses;
    Usec covered_usec, lost_usec; /* of the time from the first base's instant on */
} ChainTally;
/* Every second from the first base's instant up to until_wall is covered by a chain or lies in lost time, and none in
 * both. */
ChainTally chain_book_audit(const ChainBook *b, const char *schedule, const char *table, Usec until_wall);
