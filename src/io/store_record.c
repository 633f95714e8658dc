#include "io/store_record.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "io/store_rows.h"
#include "io/store_sql.h"

int store_record_put(sqlite3 *db, const LedgerBatch *b) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < b->n_records; i++) {
        const LedgerRecord *r = &b->records[i];
        SqlValue outcome = sql_text(record_outcome_to_string(r->outcome)), wall = sql_wall(b->wall);
        if (r->lost_wall != WALL_UNKNOWN)
            code = SQL_RUN(db, "INSERT INTO loss_records (record, recorded, chain, from_wall) VALUES (?,?,?,?)",
                           outcome, wall, sql_number(r->chain_id), sql_wall(r->lost_wall));
        else
            code = r->link_id
                       ? SQL_RUN(db, "UPDATE links SET record=?, recorded=? WHERE id=?", outcome, wall,
                                 sql_number(r->link_id))
                       : SQL_RUN(db, "UPDATE chains SET record=?, recorded=? WHERE id=?", outcome, wall,
                                 sql_number(r->chain_id));
    }
    return code;
}

/* What all kinds begin with; ?1 account, ?2 region, ?3 after. Chains that stand alone are recorded, and of exports
 * those that are there. */
#define COLUMNS(window, previous)                                                                                      \
    "c.id, " window ", c.base, c.name, c.schedule, c.table_arn, c.table_id, c.base_arn, " previous
#define STANDS " c.account = ?1 AND c.region = ?2 AND c.state NOT IN ('forming', 'void')"

#define BASE_SQL                                                                                                       \
    "SELECT " COLUMNS("0, NULL, NULL", "NULL") ", m.summary_md5, m.files_md5, NULL, 0, " STORE_ARTEFACT_COLUMNS        \
    " FROM chains c JOIN artefacts a ON a.arn = c.base_arn LEFT JOIN manifests m ON m.arn = a.arn"                     \
    " WHERE c.record IS NULL AND c.id > ?3 AND" STANDS " AND a.life = 'verified' ORDER BY c.id LIMIT 1"

/* What it says is what was written, but for the link before it, which may have been made again since. */
#define ATTEMPT                                                                                                        \
    "CASE WHEN EXISTS (SELECT 1 FROM links o WHERE o.chain = k.chain AND o.from_wall = k.from_wall"                    \
    " AND o.attempt < k.attempt AND o.record IS NOT NULL) THEN k.attempt ELSE 0 END, "
#define STALE " c.account = ?1 AND c.region = ?2 AND"
#define STALE_BASE_SQL                                                                                                 \
    "SELECT " COLUMNS("0, NULL, NULL", "NULL") ", m.summary_md5, m.files_md5, NULL, 0, " STORE_ARTEFACT_COLUMNS        \
    " FROM chains c JOIN artefacts a ON a.arn = c.base_arn LEFT JOIN manifests m ON m.arn = a.arn"                     \
    " WHERE c.record = 'written' AND c.id > ?3 AND" STALE " a.life = 'expired' ORDER BY c.id LIMIT 1"
#define STALE_LINK_SQL                                                                                                 \
    "SELECT " COLUMNS("k.id, k.from_wall, k.to_wall", "NULL") ", m.summary_md5, m.files_md5, NULL, " ATTEMPT           \
    STORE_LINK_ARTEFACT_COLUMNS                                                                                        \
    " FROM links k JOIN chains c ON c.id = k.chain LEFT JOIN manifests m ON m.arn = k.arn"                             \
    " WHERE k.record = 'written' AND k.life = 'expired' AND" STALE " k.id > ?3 ORDER BY k.id LIMIT 1"

/* The link before it is at most a day long. */
#define LINK_SQL                                                                                                       \
    "SELECT " COLUMNS("k.id, k.from_wall, k.to_wall",                                                                  \
                      "coalesce((SELECT p.arn FROM links p WHERE p.chain = k.chain AND p.to_wall = k.from_wall"        \
                      " AND p.from_wall BETWEEN k.from_wall - 86400000000 AND k.from_wall"                             \
                      " AND p.state = 'succeeded' ORDER BY p.attempt DESC LIMIT 1), c.base_arn)")                      \
    ", m.summary_md5, m.files_md5, NULL, " ATTEMPT                                                                     \
    STORE_LINK_ARTEFACT_COLUMNS                                                                                        \
    " FROM links k JOIN chains c ON c.id = k.chain LEFT JOIN manifests m ON m.arn = k.arn"                             \
    " WHERE k.record IS NULL AND k.state = 'succeeded' AND k.id > ?3 AND" STANDS                                      \
    " AND k.to_wall <= c.covered AND k.life = 'verified' ORDER BY k.id LIMIT 1"

/* Once its end is known; ?4 is where the last one begins. It lies with its chain's base, whatever became of that, and
 * names it where it is no good. */
#define LOSS_SQL                                                                                                       \
    "SELECT " COLUMNS("0, l.from_wall, l.to_wall", "NULL") ", NULL, NULL, l.why, c.state = 'void', "                   \
    STORE_ARTEFACT_COLUMNS                                                                                             \
    " FROM losses l JOIN chains c ON c.id = l.chain JOIN artefacts a ON a.arn = c.base_arn"                            \
    " LEFT JOIN loss_records r ON r.chain = l.chain AND r.from_wall = l.from_wall"                                     \
    " WHERE r.chain IS NULL AND l.to_wall > l.from_wall AND c.account = ?1 AND c.region = ?2"                          \
    " AND (l.chain, l.from_wall) > (?3, ?4) ORDER BY l.chain, l.from_wall LIMIT 1"

#define ARTEFACT_COLUMN 15

static int take_place(RecordTask *t, const Artefact *a) {
    CLEANUP(export_place_done) ExportPlace p = {};
    int r = artefact_export_place(a, &p);
    t->is_nowhere = r == -ENODATA;
    if (r < 0)
        return r == -ENODATA ? 0 : r;
    t->record.bucket = TAKE_PTR(p.bucket);
    t->record.prefix = TAKE_PTR(p.prefix);
    t->record.manifest_key = TAKE_PTR(p.manifest_key);
    t->bucket_owner = TAKE_PTR(p.bucket_owner);
    return 0;
}

static int take_export(Record *r, const Artefact *a, int attempt) {
    r->attempt = attempt;
    r->item_count = a->item_count;
    return text_set(&r->export_arn, a->arn) < 0 ? -ENOMEM : text_set(&r->client_token, a->name);
}

static int take_loss(Record *r, bool is_of_base) {
    free(TAKE_PTR(r->manifest_key));
    r->item_count = COUNT_UNKNOWN;
    return is_of_base ? text_set(&r->export_arn, r->base_arn) : 0;
}

static int read_task(sqlite3_stmt *q, RecordTask *t) {
    CLEANUP(artefact_free_ptr) Artefact *a = NULL;
    Record *r = &t->record;
    char **const texts[] = {&t->table,     &r->schedule,     &r->table_arn,   &r->table_id,
                            &r->base_arn, &r->previous_arn, &r->summary_md5, &r->files_md5, &r->lost};
    t->chain_id = sqlite3_column_int64(q, 0);
    t->link_id = sqlite3_column_int64(q, 1);
    r->from_wall = store_sql_wall(q, 2);
    r->to_wall = store_sql_wall(q, 3);
    r->base_wall = store_sql_wall(q, 4);
    int number = sqlite3_column_int(q, ARTEFACT_COLUMN - 1), rc = store_sql_texts(q, texts, ARRAY_SIZE(texts), 5);
    if (rc < 0 || (rc = store_row_artefact(q, ARTEFACT_COLUMN, &a)) < 0)
        return rc;
    if (!a)
        return -EBADMSG;
    if ((rc = take_place(t, a)) < 0)
        return rc;
    return r->lost ? take_loss(r, number) : take_export(r, a, number);
}

/* `from`: beside `after`; 0 where the statement has no place for it. */
static int next_of(sqlite3 *db, const char *sql, const char *account, const char *region, int64_t after, Usec from,
                   RecordTask *ret, int *ret_error) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_bind_text(q, 1, account, -1, SQLITE_STATIC)) == SQLITE_OK &&
        (code = sqlite3_bind_text(q, 2, region, -1, SQLITE_STATIC)) == SQLITE_OK &&
        (code = sqlite3_bind_int64(q, 3, after)) == SQLITE_OK &&
        (sqlite3_bind_parameter_count(q) < 4 || (code = sqlite3_bind_int64(q, 4, from)) == SQLITE_OK))
        code = sqlite3_step(q);
    *ret_error = code == SQLITE_ROW ? read_task(q, ret) : code == SQLITE_DONE ? -ENOENT : 0;
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_record_next(sqlite3 *db, const char *account, const char *region, RecordMark after, RecordTask *ret,
                      int *ret_error) {
    CLEANUP(record_task_done) RecordTask t = {};
    int code = next_of(db, STALE_BASE_SQL, account, region, after.stale_chain_id, 0, &t, ret_error);
    if (code == SQLITE_OK && *ret_error == -ENOENT)
        code = next_of(db, STALE_LINK_SQL, account, region, after.stale_link_id, 0, &t, ret_error);
    t.is_stale = code == SQLITE_OK && *ret_error >= 0;
    if (code == SQLITE_OK && *ret_error == -ENOENT)
        code = next_of(db, BASE_SQL, account, region, after.chain_id, 0, &t, ret_error);
    if (code == SQLITE_OK && *ret_error == -ENOENT)
        code = next_of(db, LINK_SQL, account, region, after.link_id, 0, &t, ret_error);
    if (code == SQLITE_OK && *ret_error == -ENOENT)
        code = next_of(db, LOSS_SQL, account, region, after.losing_id, after.lost_wall, &t, ret_error);
    if (code == SQLITE_OK && *ret_error >= 0) {
        *ret = t;
        t = (RecordTask){};
    }
    return code;
}
