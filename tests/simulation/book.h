#pragma once
/* The book of a simulation: what was committed, sent, served and said, and the invariants that hold between them. It
 * takes nothing from the engine's own memory but the list of enrolments. A broken invariant ends the program through
 * house_violated. */

#include "core/engine/engine.h"
#include "shelf.h"
#include "sim/service.h"

typedef struct Book Book;

typedef struct HouseFigures {
    size_t n_runs, n_succeeded, n_failed, n_skipped, n_ranges;
    size_t n_backups, n_exports; /* made at the service */
    size_t n_deleted;            /* backups, by the daemon */
    size_t n_lists, n_describes, n_table_describes; /* ListBackups, DescribeBackup, DescribeTable */
    size_t n_tag_reads;                             /* ListTagsOfResource */
    size_t n_commits;                               /* that wrote something */
    size_t n_calls, n_throttled, n_crashes, n_stale_said, n_recovered_said;
    size_t n_said[REPORT_KINDS];
    size_t n_renewals, n_renewals_failed, n_expired; /* of credentials; calls that were refused for expired ones */
} HouseFigures;

/* A table is "orders" in the daemon's own account, else "account/region/orders".
 * Runs and ranges of slots before begun_wall are a violation. */
Book *book_new(House *house, Usec begun_wall);
void book_free(Book *b);
/* Each run of tables like this succeeds within two minutes; borrowed. */
void book_hold_undelayed(Book *b, const char *pattern);
HouseFigures *book_figures(Book *b);
Shelf *book_shelf(Book *b);

/* The batch is on disk. */
void book_committed(Book *b, const LedgerBatch *batch, Usec true_wall);
/* The batch may be on disk or not: its commit failed. */
void book_doubted(Book *b, const LedgerBatch *batch);
/* The host starts: the ledger must hold what was committed, and nothing else. */
void book_booted(Book *b, const char *directory, Usec true_wall);
/* The ledger was lost. What had settled has; what the next ledger knows of it again is held against that. */
void book_lost(Book *b);
void book_sent(Book *b, const HttpRequest *request, Usec true_wall);
void book_served(Book *b, const ServiceRequest *request, const ServiceReply *reply);
void book_said(Book *b, const Report *r, Usec true_wall);
void book_turned(Book *b, const Engine *e, Usec true_wall);
/* The dust has settled: every slot up to until_wall has one outcome, and the ledger says the same. Returns how many
 * runs have succeeded. */
size_t book_audit(Book *b, const Engine *e, const char *directory, Usec until_wall);

/* What the book knows of one slot; -1: it has no run. */
int book_state(const Book *b, const char *schedule, const char *table, Usec slot_wall);
/* The name or token of its run; NULL: none yet. Borrowed. */
const char *book_name(const Book *b, const char *schedule, const char *table, Usec slot_wall);
/* The last message of that kind; "": none yet. Borrowed, until the next one. */
const char *book_last_said(const Book *b, ReportKind kind);
/* Its pages on chains (chains.h). */
struct ChainBook *book_chains(Book *b);
