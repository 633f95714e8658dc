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
#include "io/store_put.h"
#include "io/store_record.h"
#include "io/store_rows.h"
#include "io/store_schema.h"
#include "io/store_stock.h"

struct Store {
    sqlite3 *db;
    int lock_fd;
    Text why;
    StoreWriter *writer;
};

static int failed(Store *s, int code, const char *what) {
    text_clear(&s->why);
    return store_schema_failed(s->db, code, what, &s->why);
}

const char *store_error(const Store *s) { return text_get(&s->why); }

void store_close(Store *s) {
    if (!s)
        return;
    store_writer_free(s->writer);
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
    if (r >= 0 && (code = store_writer_new(s->db, &s->writer)) != SQLITE_OK)
        r = failed(s, code, "the ledger does not have this version's tables");
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
    int code, r = check_in_place(s);
    if (r < 0)
        return r;
    r = exec(s, "BEGIN IMMEDIATE", "the ledger could not be written");
    if (r >= 0 && (code = store_writer_put(s->writer, batch)) != SQLITE_OK)
        r = failed(s, code, "the ledger could not be written");
    if (r >= 0)
        r = exec(s, "COMMIT", "the ledger could not be written");
    if (r < 0 && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}

int store_knows_chain(void *store, const char *base_arn, bool *ret) {
    Store *s = store;
    int code = store_chain_find(s->db, base_arn, ret);
    return code == SQLITE_OK ? 0 : failed(s, code, "the ledger cannot be read");
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

int store_read_chain(void *store, const Lineage *l, const char *base_arn, Usec from_wall, Chain **ret,
                     ChainOthers *ret_others) {
    int r, code = store_chain_read_one(((Store *)store)->db, l, base_arn, from_wall, ret, ret_others, &r);
    return code == SQLITE_OK && (r >= 0 || r == -ENOENT) ? r : stock_failed(store, code, r);
}
