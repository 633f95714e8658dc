#include "io/store_read.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "io/store_chain.h"
#include "io/store_rows.h"
#include "io/store_schema.h"
#include "io/store_stock.h"

/* While a daemon starts on a killed one's ledger, its index is rebuilt; that takes a moment. */
#define RETRIES 40
#define RETRY_MSEC 50

struct StoreRead {
    sqlite3 *db;
    char *path;
    Text why;
};

const char *store_read_error(const StoreRead *s) { return text_get(&s->why); }

void store_read_close(StoreRead *s) {
    if (!s)
        return;
    if (s->db)
        sqlite3_close(s->db);
    text_done(&s->why);
    free(s->path);
    free(s);
}

/* --- opening --- */

/* Begins the message with the file. */
static Text *blame(StoreRead *s) {
    text_clear(&s->why);
    text_addf(&s->why, "%s: ", s->path);
    return &s->why;
}

static int failed(StoreRead *s, int code, const char *what) { return store_schema_failed(s->db, code, what, blame(s)); }

/* The group that may read the directory, by its name. */
static void add_group(Text *t, const char *directory) {
    struct stat st;
    const struct group *g = stat(directory, &st) == 0 ? getgrgid(st.st_gid) : NULL;
    text_addf(t, "group %s", g ? g->gr_name : "ddbackupd");
}

static int refused(StoreRead *s, const char *directory, int error) {
    Text *t = blame(s);
    if (error == ENOENT || error == ENOTDIR)
        text_add(t, "there is no ledger yet; HINT: start ddbackupd, or name its directory with --state-directory; "
                    "where one was lost, ddbackupctl rebuild finds again what the service knows");
    else if (error == EACCES || error == EPERM) {
        text_add(t, "no permission to read the ledger; HINT: join ");
        add_group(t, directory);
        text_add(t, " (usermod -aG, then log in again), or ask as root");
        return -EACCES;
    } else
        text_addf(t, "%s; HINT: check the state directory and its file system", strerror(error));
    return error == ENOTDIR ? -ENOENT : -error;
}

/* SQLite's words for a missing file and for a forbidden one are the same: ask the system first. */
static int probe(StoreRead *s, const char *directory) {
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return refused(s, directory, errno);
    struct stat st;
    int r = fstat(fd, &st) < 0 ? refused(s, directory, errno) : 0;
    if (r >= 0 && !S_ISREG(st.st_mode)) {
        text_add(blame(s), "this is no file; HINT: correct --state-directory");
        r = -EBADMSG;
    }
    close(fd);
    return r;
}

/* Begins the one transaction in which everything is read. */
static int begin(StoreRead *s) {
    int code = SQLITE_OK;
    for (int i = 0; i < RETRIES; i++) {
        code = sqlite3_exec(s->db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
        if (code == SQLITE_OK)
            return 0;
        if ((code & 0xff) != SQLITE_BUSY && (code & 0xff) != SQLITE_READONLY && (code & 0xff) != SQLITE_PROTOCOL)
            break;
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_sleep(RETRY_MSEC);
    }
    if ((code & 0xff) != SQLITE_READONLY && (code & 0xff) != SQLITE_CANTOPEN)
        return failed(s, code, "the ledger cannot be read");
    text_addf(blame(s),
              "its -wal and -shm files beside it cannot be used: %s; HINT: ask as root or as the daemon's user, or "
              "start ddbackupd",
              sqlite3_errstr(code));
    return -EACCES;
}

static int open_db(StoreRead *s) {
    int code = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, "the ledger cannot be opened");
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, 2000);
    code = sqlite3_exec(s->db, "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return failed(s, code, "the ledger cannot be opened");
    int r = begin(s);
    return r < 0 ? r : store_schema_check(s->db, blame(s));
}

int store_read_open(const char *directory, StoreRead **ret, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *s = calloc(1, sizeof *s);
    if (!s || !(s->path = text_format("%s/" STORE_FILE, directory)))
        return -ENOMEM;
    s->why = TEXT_INIT(4096);
    int r = probe(s, directory);
    if (r >= 0)
        r = open_db(s);
    if (r < 0) {
        (void)text_take(&s->why, ret_error);
        return r;
    }
    *ret = TAKE_PTR(s);
    return 0;
}

DaemonState store_read_daemon(const char *directory) {
    AUTO_FREE char *path = text_format("%s/lock", directory);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (fd < 0)
        return path && errno == ENOENT ? DAEMON_STOPPED : DAEMON_UNKNOWN;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int r = fcntl(fd, F_OFD_GETLK, &whole);
    close(fd);
    return r < 0 ? DAEMON_UNKNOWN : whole.l_type == F_UNLCK ? DAEMON_STOPPED : DAEMON_RUNNING;
}

/* --- reading --- */

/* One query: what it reads, for messages, and what becomes of a row. */
typedef struct Query {
    const char *what, *sql;
    const char *word; /* for ?1, or NULL: `id` */
    int64_t id;
    int (*take)(sqlite3_stmt *q, const struct Query *query);
    Targets *targets;
    Pause *pause;
    union {
        StoreRunRow run;
        StoreTableRow table;
        StoreOrphanRow orphan;
        StoreArnRow arn;
        StoreArtefactRow artefact;
        StoreDetailRow detail;
        StoreNoteRow note;
        StoreRangeRow range;
    } row;
    void *context;
} Query;

static int take_failed(StoreRead *s, const Query *query, int error) {
    Text *t = blame(s);
    if (error == -ENOMEM)
        text_add(t, "out of memory");
    else
        text_addf(t, "the ledger holds %s that makes no sense: it was edited or is damaged; HINT: " STORE_DAMAGED_HINT,
                  query->what);
    return error == -ENOMEM ? error : -EBADMSG;
}

int store_read_find_run(StoreRead *s, const Run *r, int64_t *ret_id) {
    int code = store_row_find_run(s->db, r, ret_id);
    return code == SQLITE_OK ? 0 : failed(s, code, "the ledger cannot be read");
}

int store_read_knows_chain(StoreRead *s, const char *base_arn, bool *ret) {
    int code = store_chain_find(s->db, base_arn, ret);
    return code == SQLITE_OK ? 0 : failed(s, code, "the ledger cannot be read");
}

static int run_query(StoreRead *s, const Query *query) {
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(s->db, query->sql, -1, &q, NULL);
    if (code == SQLITE_OK && sqlite3_bind_parameter_count(q) > 0)
        code = query->word ? sqlite3_bind_text(q, 1, query->word, -1, SQLITE_STATIC)
                           : sqlite3_bind_int64(q, 1, query->id);
    while (code == SQLITE_OK && r == 0)
        if ((code = sqlite3_step(q)) == SQLITE_ROW) {
            code = SQLITE_OK;
            r = query->take(q, query);
        }
    if (code != SQLITE_OK && code != SQLITE_DONE)
        r = failed(s, code, "the ledger cannot be read");
    else if (r < 0)
        r = take_failed(s, query, r);
    sqlite3_finalize(q);
    return r < 0 ? r : 0;
}

static Usec wall_at(sqlite3_stmt *q, int i) {
    return sqlite3_column_type(q, i) == SQLITE_NULL ? WALL_UNKNOWN : sqlite3_column_int64(q, i);
}

static const char *text_at(sqlite3_stmt *q, int i) { return (const char *)sqlite3_column_text(q, i); }

static int take_target(sqlite3_stmt *q, const Query *query) { return store_row_target(q, query->targets); }

static int take_enrolment(sqlite3_stmt *q, const Query *query) { return store_row_enrolment(q, query->targets); }

static int take_pause(sqlite3_stmt *q, const Query *query) { return store_row_pause(q, query->pause); }

int store_read_pause(StoreRead *s, Pause *ret) {
    return run_query(s, &(Query){.what = "a pause", .sql = STORE_PAUSE_SQL, .take = take_pause, .pause = ret});
}

int store_read_targets(StoreRead *s, Targets *ret) {
    CLEANUP(targets_done) Targets targets = {};
    Query query = {.what = "a target", .sql = STORE_TARGETS_SQL, .take = take_target, .targets = &targets};
    int r = run_query(s, &query);
    query = (Query){.what = "an enrolment", .sql = STORE_ENROLMENTS_SQL, .take = take_enrolment, .targets = &targets};
    if (r < 0 || (r = run_query(s, &query)) < 0)
        return r;
    *ret = targets;
    targets = (Targets){};
    return 0;
}

static int take_table(sqlite3_stmt *q, const Query *query) {
    LedgerTable t;
    int r = store_row_table(q, &t);
    if (r >= 0)
        return query->row.table(query->context, &t);
    ledger_table_done(&t);
    return r;
}

int store_read_inventory(StoreRead *s, StoreTableRow row, void *context) {
    return run_query(s, &(Query){.what = "a table of the inventory",
                                 .sql = STORE_INVENTORY_SQL,
                                 .take = take_table,
                                 .row.table = row,
                                 .context = context});
}

static int take_orphan(sqlite3_stmt *q, const Query *query) {
    StoreOrphan o = {
        .account = text_at(q, 0),
        .region = text_at(q, 1),
        .table = text_at(q, 2),
        .schedule = text_at(q, 3),
        .table_id = text_at(q, 4),
        .n_artefacts = sqlite3_column_int64(q, 6),
        .size_bytes = sqlite3_column_type(q, 7) == SQLITE_NULL ? COUNT_UNKNOWN : sqlite3_column_int64(q, 7),
        .oldest_wall = wall_at(q, 8),
        .newest_wall = wall_at(q, 9),
    };
    int r = action_from_string(text_at(q, 5), &o.action);
    return r < 0 ? r : query->row.orphan(query->context, &o);
}

int store_read_orphans(StoreRead *s, StoreOrphanRow row, void *context) {
    return run_query(s,
                     &(Query){.what = "an artefact",
                              .sql = "SELECT r.account, r.region, r.name, r.schedule, a.table_id, a.action, count(*),"
                                     " sum(a.size_bytes), min(a.created), max(a.created)"
                                     " FROM artefacts a JOIN runs r ON r.id = a.run_id"
                                     " WHERE a.life IN ('verified', 'expiring') GROUP BY 1, 2, 3, 4, 5, 6"
                                     " ORDER BY 1, 2, 3, 4, 9",
                              .take = take_orphan,
                              .row.orphan = row,
                              .context = context});
}

static int take_arn(sqlite3_stmt *q, const Query *query) { return query->row.arn(query->context, text_at(q, 0)); }

int store_read_arns(StoreRead *s, StoreArnRow row, void *context) {
    return run_query(s, &(Query){.what = "an artefact",
                                 .sql = "SELECT arn FROM artefacts",
                                 .take = take_arn,
                                 .row.arn = row,
                                 .context = context});
}

#define NEWEST_ARTEFACT " LEFT JOIN artefacts a ON a.id = (SELECT max(id) FROM artefacts WHERE run_id = r.id)"
/* The newest slot of an enrolment, by the index that keeps (schedule, target, slot) unique. */
#define OF_EACH_ENROLMENT(condition)                                                                                   \
    "SELECT " STORE_RUN_COLUMNS " FROM enrolments e JOIN runs r ON r.id = (SELECT id FROM runs n WHERE n.schedule ="   \
    " e.schedule AND n.account = e.account AND n.region = e.region AND n.name = e.name AND " condition                 \
    " ORDER BY n.slot DESC LIMIT 1)" NEWEST_ARTEFACT " WHERE e.active ORDER BY r.account, r.region, r.name, r.schedule"

static const char *const runs_sql[] = {
    [STORE_RUNS_ALL] = "SELECT " STORE_RUN_COLUMNS " FROM runs r" NEWEST_ARTEFACT " ORDER BY r.slot DESC, r.id DESC",
    [STORE_RUNS_UNSETTLED] =
        "SELECT " STORE_RUN_COLUMNS " FROM runs r" NEWEST_ARTEFACT " WHERE r.settled IS NULL ORDER BY r.due, r.id",
    [STORE_RUNS_LATEST] = OF_EACH_ENROLMENT("n.settled IS NOT NULL"),
    [STORE_RUNS_SUCCEEDED] = OF_EACH_ENROLMENT("n.state = 'succeeded'"),
    [STORE_RUNS_NAMED] = "SELECT " STORE_RUN_COLUMNS " FROM runs r" NEWEST_ARTEFACT
                         " WHERE CAST(r.id AS TEXT) = ?1 OR r.handle = ?1"
                         " OR r.id IN (SELECT run_id FROM artefacts WHERE arn = ?1 OR handle = ?1) ORDER BY r.id",
};

static int take_run(sqlite3_stmt *q, const Query *query) {
    Run *run;
    int r = store_row_run(q, &run);
    return r < 0 ? r : query->row.run(query->context, run);
}

static int take_link(sqlite3_stmt *q, const Query *query) {
    Run *run;
    int r = store_row_link(q, &run);
    return r < 0 ? r : query->row.run(query->context, run);
}

/* "2026-11-23T02:00:00Z/2026-11-23T02:30:00Z" in the ledger's own words; what is no window stays what it is. */
#define WINDOW_SIZE 48
static const char *window_of(const char *word, char buffer[static WINDOW_SIZE]) {
    const char *slash = strchr(word, '/');
    char from[DATE_ISO_SIZE];
    Usec from_wall, to_wall;
    if (!slash || (size_t)(slash - word) >= sizeof from)
        return word;
    memcpy(from, word, (size_t)(slash - word));
    from[slash - word] = '\0';
    if (date_from_iso(from, &from_wall) < 0 || date_from_iso(slash + 1, &to_wall) < 0)
        return word;
    snprintf(buffer, WINDOW_SIZE, "%" PRId64 "/%" PRId64, from_wall, to_wall);
    return buffer;
}

int store_read_runs(StoreRead *s, StoreRuns which, const char *word, StoreRunRow row, void *context) {
    Query query = {
        .what = "a run", .sql = runs_sql[which], .word = word, .take = take_run, .row.run = row, .context = context};
    int r = run_query(s, &query);
    if (r < 0 || which != STORE_RUNS_NAMED)
        return r;
    char window[WINDOW_SIZE];
    query.what = "a link";
    query.sql = STORE_LINKS_SQL " WHERE CAST(k.id AS TEXT) = ?1 OR k.handle = ?1 OR k.arn = ?1"
                                " OR k.from_wall || '/' || k.to_wall = ?1 ORDER BY k.id";
    query.word = window_of(word, window);
    query.take = take_link;
    return run_query(s, &query);
}

static int take_artefact(sqlite3_stmt *q, const Query *query) {
    Artefact *a = NULL;
    int r = store_row_artefact(q, 0, &a);
    return r < 0 ? r : query->row.artefact(query->context, a);
}

int store_read_artefacts(StoreRead *s, int64_t run_id, StoreArtefactRow row, void *context) {
    return run_query(s, &(Query){.what = "an artefact",
                                 .sql = "SELECT " STORE_ARTEFACT_COLUMNS " FROM artefacts a WHERE a.run_id = ?1"
                                        " UNION ALL SELECT " STORE_LINK_ARTEFACT_COLUMNS
                                        " FROM links k WHERE k.id = ?1 AND k.arn IS NOT NULL ORDER BY 1",
                                 .id = run_id,
                                 .take = take_artefact,
                                 .row.artefact = row,
                                 .context = context});
}

static int take_detail(sqlite3_stmt *q, const Query *query) {
    const char *name = text_at(q, 0), *value = text_at(q, 1);
    return query->row.detail(query->context, name ? name : "", value ? value : "");
}

int store_read_details(StoreRead *s, const char *arn, StoreDetailRow row, void *context) {
    return run_query(s, &(Query){.what = "an artefact",
                                 .sql = "SELECT j.key, j.value FROM (SELECT details FROM artefacts WHERE arn = ?1"
                                        " UNION ALL SELECT details FROM links WHERE arn = ?1) a, json_each(a.details) j"
                                        " WHERE json_valid(a.details) ORDER BY j.id",
                                 .word = arn,
                                 .take = take_detail,
                                 .row.detail = row,
                                 .context = context});
}

static int take_note(sqlite3_stmt *q, const Query *query) {
    StoreNote note = {
        .wall = sqlite3_column_int64(q, 0), .event = text_at(q, 1), .state = text_at(q, 2), .why = text_at(q, 3)};
    if (!note.event || !note.state)
        return -ENOMEM;
    return query->row.note(query->context, &note);
}

int store_read_notes(StoreRead *s, int64_t run_id, StoreNoteRow row, void *context) {
    return run_query(s, &(Query){.what = "a note",
                                 .sql = "SELECT wall, event, state, why FROM (SELECT * FROM notes WHERE run_id = ?1"
                                        " UNION ALL SELECT * FROM link_notes WHERE link = ?1) ORDER BY id",
                                 .id = run_id,
                                 .take = take_note,
                                 .row.note = row,
                                 .context = context});
}

static int take_range(sqlite3_stmt *q, const Query *query) {
    LedgerRange range = {.from_wall = wall_at(q, 4),
                         .to_wall = wall_at(q, 5),
                         .n_slots = sqlite3_column_int64(q, 6),
                         .why = text_at(q, 8)};
    int r = 0;
    char **const texts[] = {&range.schedule, &range.account, &range.region, &range.table};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (text_set(texts[i], text_at(q, (int)i)) < 0)
            r = -ENOMEM;
    if (r >= 0)
        r = query->row.range(query->context, &range, wall_at(q, 7));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(*texts[i]);
    return r;
}

int store_read_ranges(StoreRead *s, StoreRangeRow row, void *context) {
    return run_query(s, &(Query){.what = "a range of slots",
                                 .sql = "SELECT schedule, account, region, name, from_slot, to_slot, n_slots, wall, why"
                                        " FROM ranges ORDER BY from_slot DESC, id DESC",
                                 .take = take_range,
                                 .row.range = row,
                                 .context = context});
}

static int stock_read(StoreRead *s, int code, int error) {
    if (code != SQLITE_OK)
        return failed(s, code, "the ledger cannot be read");
    return error < 0 ? take_failed(s, &(Query){.what = "an artefact"}, error) : 0;
}

int store_read_stock(StoreRead *s, const char *prefix, Stock *ret) {
    int error = 0, code = store_stock_read(s->db, prefix, ret, &error);
    return stock_read(s, code, error);
}

static int chains_read(StoreRead *s, int code, int error) {
    return code != SQLITE_OK ? failed(s, code, "the ledger cannot be read")
           : error < 0       ? take_failed(s, &(Query){.what = "a chain"}, error)
                             : 0;
}

int store_read_chains(StoreRead *s, StoreChains *ret) {
    int error, code = store_chain_read(s->db, ret, &error);
    return chains_read(s, code, error);
}

int store_read_open_losses(StoreRead *s, Ledger *into) {
    int error, code = store_chain_read_losses(s->db, into, &error);
    return chains_read(s, code, error);
}

int store_read_stock_state(StoreRead *s, StockState *ret) {
    int error = 0, code = store_stock_load(s->db, ret, &error);
    return stock_read(s, code, error);
}

int store_read_decisions(StoreRead *s, const char *arn, StoreDecisionRow row, void *context) {
    int error = 0, code = store_stock_decisions(s->db, arn, row, context, &error);
    return stock_read(s, code, error);
}

int store_read_hold(StoreRead *s, const char *arn, StoreHoldRow row, void *context) {
    int error = 0, code = store_stock_hold(s->db, arn, row, context, &error);
    return stock_read(s, code, error);
}

int store_read_n_held(StoreRead *s, Usec now_wall, size_t *ret) {
    return stock_read(s, store_stock_n_held(s->db, now_wall, ret), 0);
}
