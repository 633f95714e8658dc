#pragma once
/* The book's pages on chains of incremental exports: what was committed of links, chains and lost time, and what the
 * service has really made, held against each other. Its own arithmetic: nothing of core/chain/chain.c and
 * core/chain/lineage.c. */

#include "core/engine/ledger.h"
#include "house.h"

typedef struct ChainBook ChainBook;

ChainBook *chain_book_new(House *house);
void chain_book_free(ChainBook *b);

/* An answer about an export: the service's word on it. */
void chain_book_served(ChainBook *b, const ServiceRequest *request, const ServiceReply *reply);
/* Windows are adjacent and of the right length, attempts follow upon failures, and a watermark covers nothing but
 * verified windows on a verified base, which the service has completed. */
void chain_book_committed(ChainBook *b, const LedgerBatch *batch);
/* The ledger was lost: the next one has its own numbers. What was exported for a chain is not exported for it again,
 * and what was lost stays lost. */
void chain_book_lost(ChainBook *b);
/* A run of this slot may call itself covered. */
void chain_book_check_covered(const ChainBook *b, const Run *r);
/* Up to which instant chains of this table and schedule cover; WALL_UNKNOWN. */
Usec chain_book_watermark(const ChainBook *b, const char *schedule, const char *table);

/* The end of the last window that was asked for; WALL_UNKNOWN. */
Usec chain_book_frontier(const ChainBook *b, const char *schedule, const char *table);

/* The largest number of a chain. */
int64_t chain_book_last(const ChainBook *b);
/* Is it one of the table's whose base is verified? */
bool chain_book_is_good(const ChainBook *b, int64_t id, const char *schedule, const char *table,
                        Usec *ret_watermark_wall);
/* The ARN of its base (0), and of its verified links up to its watermark in order (from 1); NULL: there are no more. */
const char *chain_book_export(const ChainBook *b, int64_t id, size_t n);

/* The ledger on disk has what was committed. */
void chain_book_compare(ChainBook *b, const char *directory);

typedef struct ChainTally {
    size_t n_chains, n_void, n_links, n_failed, n_losses; /* n_void: chains without a good base */
    Usec covered_usec, lost_usec; /* of the time from the first base's instant on */
} ChainTally;
/* Every second from the first base's instant up to until_wall is covered by a chain or lies in lost time, and none in
 * both. */
ChainTally chain_book_audit(const ChainBook *b, const char *schedule, const char *table, Usec until_wall);
