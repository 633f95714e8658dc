#pragma once
/* Rows of the ledger as the core's types: what the writer (io/store) and the reader (io/store_read) share.
 * -EBADMSG, -EINVAL: the row makes no sense; -ENOMEM. */

#include "core/control/pause.h"
#include "core/engine/ledger.h"
#include "core/run/artefact.h"
#include "core/run/run.h"
#include "core/table/target.h"

struct sqlite3;
struct sqlite3_stmt;

#define STORE_TARGETS_SQL \
    "SELECT account, region, name, table_id, table_arn, described, gone, recovery, recovery_seen FROM targets"         \
    " ORDER BY 1, 2, 3"
int store_row_target(struct sqlite3_stmt *q, Targets *into);

#define STORE_ENROLMENTS_SQL                                                                                           \
    "SELECT account, region, name, schedule, active, calendar, first_seen, cursor, newest, stale, stale_said, "        \
    "max_age,"                                                                                                         \
    " ordered FROM enrolments ORDER BY 1, 2, 3, 4"
int store_row_enrolment(struct sqlite3_stmt *q, Targets *into);

/* The pause that holds, unless it has run out. */
#define STORE_PAUSE_SQL                                                                                                \
    "SELECT wall, until, who, why FROM orders WHERE kind = 'pause' AND id ="                                           \
    " (SELECT max(id) FROM orders WHERE kind IN ('pause', 'resume'))"
int store_row_pause(struct sqlite3_stmt *q, Pause *ret);

#define STORE_INVENTORY_SQL                                                                                            \
    "SELECT account, region, name, tags, tags_read, seen FROM inventory ORDER BY 1, 2, 3"
/* Fills it, also when it fails. */
int store_row_table(struct sqlite3_stmt *q, LedgerTable *ret);

/* Of artefacts a; details that are no JSON read as NULL. */
#define STORE_ARTEFACT_COLUMNS                                                                                         \
    "a.id, a.run_id, a.action, a.life, a.arn, a.status, a.handle, a.table_id, a.created, a.finished, a.verified,"      \
    " a.size_bytes, a.item_count, CASE WHEN json_valid(a.details) THEN a.details END, a.level, a.found"
/* The same of links k that have one. */
#define STORE_LINK_ARTEFACT_COLUMNS                                                                                    \
    "CASE WHEN k.arn IS NULL THEN NULL ELSE k.id END, k.id, 'incremental', k.life, k.arn, k.status, k.handle,"         \
    " k.table_id, k.created, k.finished, k.verified, k.size_bytes, k.item_count,"                                      \
    " CASE WHEN json_valid(k.details) THEN k.details END, k.level, k.found"
/* The artefact in the columns from `first` on; *ret stays NULL where an outer join found none. */
int store_row_artefact(struct sqlite3_stmt *q, int first, Artefact **ret);

/* Of runs r and artefacts a. */
#define STORE_RUN_COLUMNS                                                                                              \
    "r.id, r.state, r.action, r.schedule, r.account, r.region, r.name, r.handle, r.table_id, r.table_arn,"             \
    " r.s3_bucket, r.s3_bucket_owner, r.s3_prefix, r.s3_sse_algorithm, r.s3_kms_key_id, r.s3_format,"                  \
    " r.why, r.hint, r.request_id,"                                                                                    \
    " r.slot, r.due, r.start_by, r.warn_at, r.finish_by, r.warned, r.attempt, r.intent, r.first_sent, r.sent,"         \
    " r.n_sends, r.n_deferred, r.settled, r.verify, " STORE_ARTEFACT_COLUMNS
int store_row_run(struct sqlite3_stmt *q, Run **ret);

/* The run of its schedule, target and slot; *ret_id 0: there is none. An SQLite code. */
int store_row_find_run(struct sqlite3 *db, const Run *r, int64_t *ret_id);
