#include "io/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "io/store_chain.h"
#include "io/store_lock.h"
#include "io/store_record.h"
#include "io/store_rows.h"
#include "io/store_schema.h"
#include "io/store_stock.h"

enum { PUT_TARGET, PUT_ENROLMENT, PUT_RUN, PUT_ARTEFACT, PUT_NOTE, PUT_RANGE, PUT_ORDER, PUT_TABLE, DROP_TABLE,
       N_STATEMENTS };

struct Store {
    sqlite3 *db;
    int lock_fd;
    Text why;
    sqlite3_stmt *statements[N_STATEMENTS];
};

static const char *const statement_sql[N_STATEMENTS] = {
    [PUT_TARGET] = "INSERT INTO targets (account, region, name, table_id, table_arn, described, gone, recovery,"
                   " recovery_seen) VALUES (?,?,?,?,?,?,?,?,?)"
                   " ON CONFLICT DO UPDATE SET table_id=excluded.table_id, table_arn=excluded.table_arn,"
                   " described=excluded.described, gone=excluded.gone, recovery=excluded.recovery,"
                   " recovery_seen=excluded.recovery_seen",
    [PUT_ENROLMENT] = "INSERT INTO enrolments (account, region, name, schedule, active, calendar, max_age, first_seen,"
                      " cursor, newest, stale, stale_said, ordered) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
                      " ON CONFLICT DO UPDATE SET active=excluded.active, calendar=excluded.calendar,"
                      " max_age=excluded.max_age, cursor=excluded.cursor, newest=excluded.newest, stale=excluded.stale,"
                      " stale_said=excluded.stale_said, ordered=excluded.ordered",
    [PUT_RUN] = "INSERT INTO runs (id, state, action, schedule, account, region, name, slot, due, start_by, warn_at,"
                " finish_by, warned, handle, table_id, table_arn, s3_bucket, s3_bucket_owner, s3_prefix,"
                " s3_sse_algorithm, s3_kms_key_id, s3_format, attempt, intent, first_sent, sent, n_sends, n_deferred,"
                " settled, why, hint, request_id, verify)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                " ON CONFLICT (id) DO UPDATE SET state=excluded.state, warned=excluded.warned, handle=excluded.handle,"
                " table_id=excluded.table_id, table_arn=excluded.table_arn, s3_bucket=excluded.s3_bucket,"
                " s3_prefix=excluded.s3_prefix, attempt=excluded.attempt, intent=excluded.intent,"
                " first_sent=excluded.first_sent, sent=excluded.sent, n_sends=excluded.n_sends,"
                " n_deferred=excluded.n_deferred, settled=excluded.settled, why=excluded.why, hint=excluded.hint,"
                " request_id=excluded.request_id",
    [PUT_ARTEFACT] =
        "INSERT INTO artefacts (run_id, action, life, arn, status, handle, table_id, created, finished,"
        " verified, size_bytes, item_count, details, level, found) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (arn) DO UPDATE SET life=excluded.life, status=excluded.status, handle=excluded.handle,"
        " table_id=excluded.table_id, created=excluded.created, finished=excluded.finished,"
        " verified=excluded.verified, size_bytes=excluded.size_bytes, item_count=excluded.item_count,"
        " details=excluded.details, level=excluded.level, found=excluded.found",
    [PUT_NOTE] = "INSERT INTO notes (run_id, wall, event, state, why) VALUES (?,?,?,?,?)",
    [PUT_RANGE] = ("INSERT INTO ranges (schedule, account, region, name, from_slot, to_slot, n_slots, wall, why)"
                   " VALUES (?,?,?,?,?,?,?,?,?)"),
    [PUT_ORDER] = ("INSERT INTO orders (wall, kind, object, name, until, count, who, why, answer)"
                   " VALUES (?,?,?,?,?,?,?,?,?)"),
    [PUT_TABLE] = "INSERT INTO inventory (account, region, name, tags, tags_read, seen) VALUES (?,?,?,?,?,?)"
                  " ON CONFLICT DO UPDATE SET tags=excluded.tags, tags_read=excluded.tags_read",
    [DROP_TABLE] = "DELETE FROM inventory WHERE account = ? AND region = ? AND name = ?",
};

static int failed(Store *s, int code, const char *what) {
    text_clear(&s->why);
    return store_schema_failed(s->db, code, what, &s->why);
}

const char *store_error(const Store *s) { return text_get(&s->why); }

void store_close(Store *s) {
    if (!s)
        return;
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(s->statements[i]);
    if (s->db)
        sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    text_done(&s->why);
    free(s);
}

void store_rest(Store *s) { sqlite3_db_release_memory(s->db); }

static int exec(Store *s, const char *sql, const char *what) {
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : failed(s, code, what);
}

static int check_integrity(Store *s) {
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(q);
    if (code != SQLITE_ROW)
        r = failed(s, code, "the ledger cannot be checked");
    else if (!text_equal((const char *)sqlite3_column_text(q, 0), "ok")) {
        text_clear(&s->why);
        text_addf(&s->why, "the ledger is damaged: %s; HINT: " STORE_DAMAGED_HINT,
                  (const char *)sqlite3_column_text(q, 0));
        r = -EBADMSG;
    }
    sqlite3_finalize(q);
    return r;
}

static int identify(Store *s) {
    int version;
    text_clear(&s->why);
    return store_schema_identify(s->db, &version, &s->why);
}

/* A ledger has its first page before it has a -wal. SQLite would take it for a new one, and drop the -wal. */
static int check_cut(Store *s, const char *path) {
    struct stat db;
    AUTO_FREE char *wal_path = text_format("%s-wal", path);
    if (!wal_path)
        return -ENOMEM;
    if (stat(path, &db) < 0 || db.st_size > 0 || access(wal_path, F_OK) < 0)
        return 0;
    text_clear(&s->why);
    text_add(&s->why, "the ledger is damaged: it is empty, and has a -wal beside it; HINT: " STORE_DAMAGED_HINT);
    return -EBADMSG;
}

static int open_locked(Store *s, const char *path) {
    int on = 1, r = check_cut(s, path);
    if (r < 0)
        return r;
    /* each page by itself, so that store_rest can give all of them back; heard once in a process */
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    int code = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, "the ledger cannot be opened");
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, 5000);
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    /* before anything is written: somebody else's database stays as it is */
    r = identify(s);
    /* foreign keys are checked; 1 MB of page cache is plenty for one writer of small rows */
    if (r >= 0)
        r = exec(s,
                 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-1024;"
                 "PRAGMA journal_size_limit=4194304; PRAGMA trusted_schema=OFF",
                 "the ledger cannot be opened");
    if (r >= 0)
        r = check_integrity(s);
    if (r >= 0) {
        text_clear(&s->why);
        r = store_schema_migrate(s->db, &s->why);
    }
    if (r >= 0) /* so that a copy of the file alone is not taken for a new ledger */
        r = exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", "the ledger cannot be opened");
    for (int i = 0; r >= 0 && i < N_STATEMENTS; i++) {
        code = sqlite3_prepare_v3(s->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL);
        if (code != SQLITE_OK)
            r = failed(s, code, "the ledger does not have this version's tables");
    }
    return r;
}

int store_open(const char *directory, Store **ret, char **ret_error) {
    AUTO_TEXT why = TEXT_INIT(4096);
    CLEANUP(store_close_ptr) Store *s = calloc(1, sizeof *s);
    AUTO_FREE char *path = text_format("%s/" STORE_FILE, directory);
    if (!s)
        return -ENOMEM;
    *s = (Store){.lock_fd = -1, .why = TEXT_INIT(4096)};
    int r = path ? store_lock(directory, &s->lock_fd, &why) : -ENOMEM;
    if (r >= 0 && (r = open_locked(s, path)) < 0)
        text_addf(&why, "%s: %s", path, store_error(s));
    if (r < 0) {
        (void)text_take(&why, ret_error);
        return r;
    }
    *ret = TAKE_PTR(s);
    return 0;
}

/* --- writing --- */

typedef struct Binder {
    sqlite3_stmt *q;
    int n;
    int code;
} Binder;

static void bind_text(Binder *b, const char *s) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_bind_text(b->q, ++b->n, s, -1, SQLITE_STATIC);
}

static void bind_int(Binder *b, int64_t value) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_bind_int64(b->q, ++b->n, value);
}

/* NULL for an instant that is not known or never. */
static void bind_wall(Binder *b, Usec wall) {
    if (wall != WALL_UNKNOWN && wall != USEC_INFINITY)
        bind_int(b, wall);
    else
        b->n++;
}

static void bind_count(Binder *b, int64_t count) {
    if (count != COUNT_UNKNOWN)
        bind_int(b, count);
    else
        b->n++;
}

static Binder binder(Store *s, int statement) {
    sqlite3_reset(s->statements[statement]);
    sqlite3_clear_bindings(s->statements[statement]);
    return (Binder){.q = s->statements[statement], .code = SQLITE_OK};
}

static int put(Store *s, Binder *b) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_step(b->q);
    if (b->code != SQLITE_DONE)
        return failed(s, b->code, "the ledger could not be written");
    sqlite3_reset(b->q);
    return 0;
}

static int put_target(Store *s, const Target *t) {
    Binder b = binder(s, PUT_TARGET);
    bind_text(&b, t->account);
    bind_text(&b, t->region);
    bind_text(&b, t->table);
    bind_text(&b, t->table_id);
    bind_text(&b, t->table_arn);
    bind_wall(&b, t->described_wall);
    bind_wall(&b, t->gone_wall);
    bind_count(&b, t->recovery == RECOVERY_UNKNOWN ? COUNT_UNKNOWN : t->recovery == RECOVERY_ON);
    bind_wall(&b, t->recovery_wall);
    return put(s, &b);
}

static int put_enrolment(Store *s, const Enrolment *e) {
    Binder b = binder(s, PUT_ENROLMENT);
    bind_text(&b, e->target->account);
    bind_text(&b, e->target->region);
    bind_text(&b, e->target->table);
    bind_text(&b, e->schedule_name);
    bind_int(&b, e->active);
    bind_text(&b, e->when);
    bind_int(&b, e->max_age_usec);
    bind_int(&b, e->first_seen_wall);
    bind_int(&b, e->cursor_wall);
    bind_wall(&b, e->newest_wall);
    bind_wall(&b, e->stale_wall);
    bind_wall(&b, e->stale_said_wall);
    bind_wall(&b, e->ordered_wall);
    return put(s, &b);
}

static int put_artefact(Store *s, const Artefact *a) {
    Binder b = binder(s, PUT_ARTEFACT);
    bind_int(&b, a->run_id);
    bind_text(&b, action_to_string(a->action));
    bind_text(&b, artefact_life_to_string(a->life));
    bind_text(&b, a->arn);
    bind_text(&b, a->status);
    bind_text(&b, a->name);
    bind_text(&b, a->table_id);
    bind_wall(&b, a->created_wall);
    bind_wall(&b, a->finished_wall);
    bind_wall(&b, a->verified_wall);
    bind_count(&b, a->size_bytes);
    bind_count(&b, a->item_count);
    bind_text(&b, a->details);
    bind_text(&b, verify_level_to_string(a->level));
    bind_text(&b, a->found);
    int r = put(s, &b);
    int code = r < 0 ? SQLITE_OK
                     : store_stock_put_manifests(s->db, a->arn, a->summary_md5, a->files_md5, a->verified_wall);
    return code == SQLITE_OK ? r : failed(s, code, "the ledger could not be written");
}

static int put_note(Store *s, int64_t run_id, const RunNote *note) {
    Binder b = binder(s, PUT_NOTE);
    bind_int(&b, run_id);
    bind_int(&b, note->wall);
    bind_text(&b, run_event_to_string(note->event));
    bind_text(&b, run_state_to_string(note->state));
    bind_text(&b, note->why);
    return put(s, &b);
}

static int put_run_row(Store *s, const Run *r) {
    Binder b = binder(s, PUT_RUN);
    bind_int(&b, r->id);
    bind_text(&b, run_state_to_string(r->state));
    bind_text(&b, action_to_string(r->action));
    bind_text(&b, r->schedule);
    bind_text(&b, r->account);
    bind_text(&b, r->region);
    bind_text(&b, r->table);
    bind_int(&b, r->slot_wall);
    bind_int(&b, r->due_wall);
    bind_wall(&b, r->start_by_wall);
    bind_wall(&b, r->warn_at_wall);
    bind_wall(&b, r->finish_by_wall);
    bind_int(&b, r->warned);
    bind_text(&b, r->name);
    bind_text(&b, r->table_id);
    bind_text(&b, r->table_arn);
    bind_text(&b, r->s3.bucket);
    bind_text(&b, r->s3.bucket_owner);
    bind_text(&b, r->s3.prefix);
    bind_text(&b, r->s3.sse_algorithm);
    bind_text(&b, r->s3.kms_key_id);
    bind_text(&b, r->s3.format);
    bind_int(&b, r->attempt);
    bind_wall(&b, r->intent_wall);
    bind_wall(&b, r->first_sent_wall);
    bind_wall(&b, r->sent_wall);
    bind_int(&b, r->n_sends);
    bind_int(&b, r->n_deferred);
    bind_wall(&b, r->settled_wall);
    bind_text(&b, r->why);
    bind_text(&b, r->hint);
    bind_text(&b, r->request_id);
    bind_text(&b, verify_level_to_string(r->verify));
    return put(s, &b);
}

static int put_run(Store *s, const Run *r) {
    int rc = r->closed ? 0 : put_run_row(s, r);
    for (size_t i = 0; rc >= 0 && i < r->n_notes; i++)
        rc = put_note(s, r->id, &r->notes[i]);
    if (rc >= 0 && r->failed_artefact)
        rc = put_artefact(s, r->failed_artefact);
    if (rc >= 0 && r->artefact)
        rc = put_artefact(s, r->artefact);
    return rc;
}

static int put_range(Store *s, const LedgerRange *range, Usec wall) {
    Binder b = binder(s, PUT_RANGE);
    bind_text(&b, range->schedule);
    bind_text(&b, range->account);
    bind_text(&b, range->region);
    bind_text(&b, range->table);
    bind_int(&b, range->from_wall);
    bind_int(&b, range->to_wall);
    bind_int(&b, range->n_slots);
    bind_int(&b, wall);
    bind_text(&b, range->why);
    return put(s, &b);
}

static int put_order(Store *s, const Order *o, Usec wall) {
    Binder b = binder(s, PUT_ORDER);
    bind_int(&b, wall);
    bind_text(&b, order_kind_to_string(o->kind));
    bind_text(&b, o->object);
    bind_text(&b, o->table);
    bind_wall(&b, o->until_wall);
    bind_int(&b, o->count);
    bind_text(&b, o->who);
    bind_text(&b, o->why);
    bind_text(&b, o->message);
    return put(s, &b);
}

static int put_table(Store *s, const LedgerTable *t) {
    Binder b = binder(s, t->gone ? DROP_TABLE : PUT_TABLE);
    bind_text(&b, t->account);
    bind_text(&b, t->region);
    bind_text(&b, t->table);
    if (t->gone)
        return put(s, &b);
    bind_text(&b, t->tags);
    bind_wall(&b, t->tags_wall);
    bind_int(&b, t->seen_wall);
    return put(s, &b);
}

static int put_batch(Store *s, const LedgerBatch *batch) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < batch->n_targets; i++)
        r = put_target(s, batch->targets[i]);
    for (size_t i = 0; r >= 0 && i < batch->n_enrolments; i++)
        r = put_enrolment(s, batch->enrolments[i]);
    for (size_t i = 0; r >= 0 && i < batch->n_runs; i++)
        r = put_run(s, batch->runs[i]);
    for (size_t i = 0; r >= 0 && i < batch->n_ranges; i++)
        r = put_range(s, &batch->ranges[i], batch->wall);
    for (size_t i = 0; r >= 0 && i < batch->n_orders; i++)
        r = put_order(s, batch->orders[i], batch->wall);
    for (size_t i = 0; r >= 0 && i < batch->n_tables; i++)
        r = put_table(s, &batch->tables[i]);
    for (size_t i = 0; r >= 0 && i < batch->stock.n_artefacts; i++)
        r = put_artefact(s, batch->stock.artefacts[i]);
    int code = r < 0 ? SQLITE_OK : store_stock_put(s->db, &batch->stock, batch->wall);
    if (r >= 0 && code == SQLITE_OK)
        code = store_chain_put(s->db, batch);
    if (r >= 0 && code == SQLITE_OK)
        code = store_record_put(s->db, batch);
    return code == SQLITE_OK ? r : failed(s, code, "the ledger could not be written");
}

/* A ledger that was deleted or moved away while we run would take everything and keep nothing. */
static int check_in_place(Store *s) {
    int moved = 0;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved)
        return 0;
    text_clear(&s->why);
    text_add(&s->why, "the ledger was moved or deleted while the daemon used it; HINT: put it back, or stop the daemon "
                      "before it is moved; 'ddbackupctl rebuild' finds again what the service knows");
    return -ESTALE;
}

int store_commit(Store *s, const LedgerBatch *batch) {
    if (ledger_batch_is_empty(batch))
        return 0;
    int r = check_in_place(s);
    if (r < 0)
        return r;
    r = exec(s, "BEGIN IMMEDIATE", "the ledger could not be written");
    if (r >= 0)
        r = put_batch(s, batch);
    if (r >= 0)
        r = exec(s, "COMMIT", "the ledger could not be written");
    if (r < 0 && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int store_has_run(Store *s, const Run *r, bool *ret) {
    int64_t id = 0;
    int rc = store_find_run(s, r, &id);
    if (rc >= 0)
        *ret = id > 0;
    return rc;
}

/* --- loading --- */

typedef int (*LoadRow)(sqlite3_stmt *q, Ledger *l);

static int load_target(sqlite3_stmt *q, Ledger *l) { return store_row_target(q, &l->targets); }

static int load_enrolment(sqlite3_stmt *q, Ledger *l) { return store_row_enrolment(q, &l->targets); }

/* What a state needs is there, so that nothing has to be derived anew. */
static int load_run(sqlite3_stmt *q, Ledger *l) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = store_row_run(q, &r);
    if (rc < 0)
        return rc;
    bool needs_artefact = r->state == RUN_IN_PROGRESS || r->state == RUN_VERIFYING;
    bool needs_intent = r->state != RUN_DUE;
    if ((needs_artefact && !r->artefact) || (needs_intent && (!r->name || !r->table_id || !r->table_arn)))
        return -EBADMSG;
    r->closed = run_is_settled(r);
    if (ARRAY_GROW(l->runs, l->n_runs, l->n_runs_room) < 0)
        return -ENOMEM;
    l->runs[l->n_runs++] = TAKE_PTR(r);
    return 0;
}

static int load_pause(sqlite3_stmt *q, Ledger *l) { return store_row_pause(q, &l->pause); }

static int load_table(sqlite3_stmt *q, Ledger *l) {
    if (ARRAY_GROW(l->tables, l->n_tables, l->n_tables_room) < 0)
        return -ENOMEM;
    return store_row_table(q, &l->tables[l->n_tables++]);
}

static int load_next_id(sqlite3_stmt *q, Ledger *l) {
    l->next_run_id = sqlite3_column_int64(q, 0) + 1;
    return 0;
}

static const struct {
    const char *what, *sql;
    LoadRow row;
} loads[] = {
    {"a target", STORE_TARGETS_SQL, load_target},
    {"an enrolment", STORE_ENROLMENTS_SQL, load_enrolment},
    {"a run",
     "SELECT " STORE_RUN_COLUMNS " FROM runs r LEFT JOIN artefacts a ON a.id ="
     " (SELECT max(id) FROM artefacts WHERE run_id = r.id AND life <> 'failed') WHERE r.id IN"
     " (SELECT id FROM runs WHERE settled IS NULL UNION SELECT run_id FROM artefacts WHERE life = 'in_progress')"
     " ORDER BY r.id",
     load_run},
    {"a pause", STORE_PAUSE_SQL, load_pause},
    {"a table of the inventory", STORE_INVENTORY_SQL, load_table},
    {"the run numbers", "SELECT coalesce(max(id), 0) FROM runs", load_next_id},
};

static int row_failed(Store *s, int error, const char *what) {
    text_clear(&s->why);
    if (error == -ENOMEM)
        text_add(&s->why, "the ledger cannot be read: out of memory");
    else
        text_addf(&s->why,
                  "the ledger holds %s that makes no sense: it was edited or is damaged; HINT: " STORE_DAMAGED_HINT,
                  what);
    return error == -ENOMEM ? error : -EBADMSG;
}

static int stock_failed(Store *s, int code, int error) {
    return error < 0 ? row_failed(s, error, "an artefact") : failed(s, code, "the ledger cannot be read");
}

static int by_id(const void *a, const void *b) {
    const Run *x = *(Run *const *)a, *y = *(Run *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

int store_load(Store *s, Ledger *ret) {
    CLEANUP(ledger_done) Ledger l = {};
    for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
        sqlite3_stmt *q = NULL;
        int r = 0, code = sqlite3_prepare_v2(s->db, loads[i].sql, -1, &q, NULL);
        while (code == SQLITE_OK && r >= 0) {
            int step = sqlite3_step(q);
            if (step == SQLITE_ROW)
                r = loads[i].row(q, &l);
            else {
                code = step;
                break;
            }
        }
        sqlite3_finalize(q);
        if (r < 0)
            return row_failed(s, r, loads[i].what);
        if (code != SQLITE_DONE)
            return failed(s, code, "the ledger cannot be read");
    }
    int r, code = store_stock_load(s->db, &l.stock, &r);
    if (code != SQLITE_OK || r < 0)
        return stock_failed(s, code, r);
    code = store_chain_load(s->db, &l, &r);
    if (code != SQLITE_OK || r < 0)
        return r < 0 ? row_failed(s, r, "a chain") : failed(s, code, "the ledger cannot be read");
    if (l.n_runs > 0)
        qsort(l.runs, l.n_runs, sizeof *l.runs, by_id);
    *ret = l;
    l = (Ledger){};
    return 0;
}

int store_find_run(void *store, const Run *r, int64_t *ret_id) {
    int code = store_row_find_run(((Store *)store)->db, r, ret_id);
    return code == SQLITE_OK ? 0 : failed(store, code, "the ledger cannot be read");
}

int store_next_record(void *store, const char *account, const char *region, RecordMark after, RecordTask *ret) {
    int r, code = store_record_next(((Store *)store)->db, account, region, after, ret, &r);
    return code == SQLITE_OK && (r >= 0 || r == -ENOENT) ? r : stock_failed(store, code, r);
}

int store_stock(void *store, const char *prefix, Stock *ret) {
    int r, code = store_stock_read(((Store *)store)->db, prefix, ret, &r);
    return code == SQLITE_OK && r >= 0 ? 0 : stock_failed(store, code, r);
}
