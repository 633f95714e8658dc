/* The ledger on disk: src/io/store and src/io/store_read, in a directory of their own. */

#include "io/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"
#include "io/store_aside.h"
#include "io/store_read.h"
#include "unit.h"

#define T0 (INT64_C(1790042400) * USEC_PER_SEC)

static char directory[] = "/tmp/ddb-store-XXXXXX";

static char *path_of(const char *name) {
    char *path = text_format("%s/%s", directory, name);
    assert_non_null(path);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

static int make_directory(void **state) {
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) { return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static Store *open_store(void) {
    Store *s = NULL;
    char *error = NULL;
    int r = store_open(directory, &s, &error);
    if (r < 0)
        print_error("store_open: %s\n", error ? error : "?");
    assert_int_equal(r, 0);
    assert_null(error);
    return s;
}

static void assert_refused(int expected, const char *words) {
    Store *s = NULL;
    AUTO_FREE char *error = NULL;
    assert_int_equal(store_open(directory, &s, &error), expected);
    assert_null(s);
    assert_non_null(error);
    if (!strstr(error, words) || !strstr(error, "; HINT: ") || !strstr(error, directory))
        fail_msg("wanted the directory, '%s' and a HINT in: %s", words, error);
}

/* Runs SQL behind the store's back. */
static void tamper(const char *sql) {
    sqlite3 *db = NULL;
    AUTO_FREE char *path = path_of("ledger.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static char *slurp(const char *name, size_t *ret_size) {
    AUTO_FREE char *path = path_of(name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

/* --- objects with every field set, to values that differ --- */

static Target *full_target(void) {
    Target *t;
    assert_int_equal(target_new("own", "eu-central-1", "orders", &t), 0);
    t->table_id = copy("table-id");
    t->table_arn = copy("arn:aws:dynamodb:eu-central-1:111111111111:table/orders");
    t->described_wall = T0 + 1;
    return t;
}

static Enrolment *full_enrolment(Target *t) {
    Enrolment *e;
    assert_int_equal(target_enrol(t, "nightly", &e), 0);
    e->active = true;
    e->when = copy("02:00 in Europe/Berlin");
    e->max_age_usec = 27 * USEC_PER_HOUR;
    e->first_seen_wall = T0 + 2;
    e->cursor_wall = T0 + 3;
    e->newest_wall = T0 + 4;
    e->stale_wall = T0 + 5;
    e->stale_said_wall = T0 + 6;
    e->ordered_wall = T0 + 30;
    return e;
}

static Artefact *full_artefact(const Run *r, const char *arn, ArtefactLife life) {
    Artefact *a = calloc(1, sizeof *a);
    assert_non_null(a);
    *a = (Artefact){
        .run_id = r->id,
        .action = r->action,
        .life = life,
        .arn = copy(arn),
        .status = copy("IN_PROGRESS"),
        .name = copy("token"),
        .table_id = copy("table-id"),
        .created_wall = T0 + 20,
        .finished_wall = T0 + 21,
        .verified_wall = T0 + 22,
        .size_bytes = INT64_C(1) << 60,
        .item_count = 0,
        .details = copy("{\"ExportArn\":\"\\u00fc \\\"x\\\"\",\"ItemCount\":0}"),
    };
    return a;
}

static Run *full_run(int64_t id) {
    Run *r;
    assert_int_equal(run_new(id, &r), 0);
    r->state = RUN_IN_PROGRESS;
    r->action = ACTION_EXPORT;
    r->schedule = copy("weekly");
    r->account = copy("own");
    r->region = copy("eu-central-1");
    r->table = copy("orders");
    r->slot_wall = T0 + 7 + id;
    r->due_wall = T0 + 8;
    r->start_by_wall = T0 + 9;
    r->warn_at_wall = T0 + 10;
    r->finish_by_wall = T0 + 11;
    r->warned = true;
    r->name = copy("token");
    r->table_id = copy("table-id");
    r->table_arn = copy("table-arn");
    r->s3 = (S3Conf){.bucket = copy("bucket"),
                     .bucket_owner = copy("333333333333"),
                     .prefix = copy("pre/fix"),
                     .sse_algorithm = copy("KMS"),
                     .kms_key_id = copy("key"),
                     .format = copy("ION")};
    r->attempt = 2;
    r->intent_wall = T0 + 12;
    r->first_sent_wall = T0 + 13;
    r->sent_wall = T0 + 14;
    r->n_sends = 3;
    r->n_deferred = 4;
    r->why = copy("why 'quoted' \xc3\xbc");
    r->hint = copy("hint");
    r->request_id = copy("request");
    return r;
}

static void add_note(Run *r, RunEvent event, RunState after, const char *why) {
    assert_int_equal(ARRAY_GROW(r->notes, r->n_notes, r->n_notes_room), 0);
    r->notes[r->n_notes++] =
        (RunNote){.wall = T0 + 30 + event, .event = event, .state = after, .why = why ? copy(why) : NULL};
}

static int commit_run(Store *s, Run *r) {
    LedgerBatch b = {.wall = T0, .runs = &r, .n_runs = 1};
    return store_commit(s, &b);
}

static void settle(Run *r, RunState final, Usec wall) {
    r->state = final;
    r->settled_wall = wall;
}

/* --- comparing --- */

static void assert_same_text(const char *a, const char *b) {
    if (!text_equal(a, b))
        fail_msg("'%s' is not '%s'", a ? a : "(null)", b ? b : "(null)");
}

static void assert_same_artefact(const Artefact *a, const Artefact *b) {
    assert_int_equal(a->run_id, b->run_id);
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->life, b->life);
    assert_same_text(a->arn, b->arn);
    assert_same_text(a->status, b->status);
    assert_same_text(a->name, b->name);
    assert_same_text(a->table_id, b->table_id);
    assert_int_equal(a->created_wall, b->created_wall);
    assert_int_equal(a->finished_wall, b->finished_wall);
    assert_int_equal(a->verified_wall, b->verified_wall);
    assert_int_equal(a->size_bytes, b->size_bytes);
    assert_int_equal(a->item_count, b->item_count);
    assert_same_text(a->details, b->details);
}

static void assert_same_run(const Run *a, const Run *b) {
    const char *const texts[][2] = {
        {a->schedule, b->schedule},
        {a->account, b->account},
        {a->region, b->region},
        {a->table, b->table},
        {a->name, b->name},
        {a->table_id, b->table_id},
        {a->table_arn, b->table_arn},
        {a->s3.bucket, b->s3.bucket},
        {a->s3.bucket_owner, b->s3.bucket_owner},
        {a->s3.prefix, b->s3.prefix},
        {a->s3.sse_algorithm, b->s3.sse_algorithm},
        {a->s3.kms_key_id, b->s3.kms_key_id},
        {a->s3.format, b->s3.format},
        {a->why, b->why},
        {a->hint, b->hint},
        {a->request_id, b->request_id},
    };
    const int64_t numbers[][2] = {
        {a->id, b->id},
        {a->state, b->state},
        {a->action, b->action},
        {a->slot_wall, b->slot_wall},
        {a->due_wall, b->due_wall},
        {a->start_by_wall, b->start_by_wall},
        {a->warn_at_wall, b->warn_at_wall},
        {a->finish_by_wall, b->finish_by_wall},
        {a->warned, b->warned},
        {a->attempt, b->attempt},
        {a->intent_wall, b->intent_wall},
        {a->first_sent_wall, b->first_sent_wall},
        {a->sent_wall, b->sent_wall},
        {a->n_sends, b->n_sends},
        {a->n_deferred, b->n_deferred},
        {a->settled_wall, b->settled_wall},
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_same_text(texts[i][0], texts[i][1]);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i][0] != numbers[i][1])
            fail_msg("number %zu: %" PRId64 " is not %" PRId64, i, numbers[i][0], numbers[i][1]);
    assert_int_equal(!a->artefact, !b->artefact);
    if (a->artefact)
        assert_same_artefact(a->artefact, b->artefact);
}

/* --- tests --- */

static void a_fresh_ledger_is_empty(void **state) {
    Store *s = open_store();
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.targets.n_items, 0);
    assert_int_equal(l.n_runs, 0);
    assert_int_equal(l.next_run_id, 1);
    ledger_done(&l);
    LedgerBatch empty = {};
    assert_int_equal(store_commit(s, &empty), 0);
    store_close(s);
}

static void the_lock_refuses_a_second(void **state) {
    assert_int_equal(store_read_daemon(directory), DAEMON_STOPPED);
    Store *s = open_store();
    assert_int_equal(store_read_daemon(directory), DAEMON_RUNNING);
    assert_refused(-EBUSY, "another ddbackupd uses this state directory");
    assert_int_equal(store_read_daemon(directory), DAEMON_RUNNING);
    store_close(s);
    assert_int_equal(store_read_daemon(directory), DAEMON_STOPPED);
    store_close(open_store());
}

static void a_missing_directory_is_said(void **state) {
    Store *s = NULL;
    AUTO_FREE char *error = NULL;
    AUTO_FREE char *missing = path_of("missing");
    assert_int_equal(store_open(missing, &s, &error), -ENOENT);
    assert_non_null(strstr(error, "the state directory must exist"));
}

static void targets_and_enrolments_come_back(void **state) {
    Store *s = open_store();
    CLEANUP(target_free_ptr) Target *t = full_target();
    CLEANUP(target_free_ptr) Target *bare = NULL;
    Enrolment *e = full_enrolment(t), *empty;
    assert_int_equal(target_new("own", "eu-central-1", "bare", &bare), 0);
    assert_int_equal(target_enrol(bare, "nightly", &empty), 0);
    empty->first_seen_wall = empty->cursor_wall = T0;
    Target *targets[] = {t};
    Enrolment *enrolments[] = {e, empty};
    LedgerBatch b = {.targets = targets, .n_targets = 1, .enrolments = enrolments, .n_enrolments = 2};
    assert_int_equal(store_commit(s, &b), 0);
    /* and once more, changed */
    t->described_wall += 100;
    t->gone_wall = T0 + 7;
    t->recovery = RECOVERY_OFF;
    t->recovery_wall = T0 + 8;
    e->cursor_wall += 100;
    e->active = false;
    assert_int_equal(store_commit(s, &b), 0);
    store_close(s);

    s = open_store();
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.targets.n_items, 2);
    const Target *got = targets_find(&l.targets, "own", "eu-central-1", "orders");
    assert_non_null(got);
    assert_same_text(got->table_id, t->table_id);
    assert_same_text(got->table_arn, t->table_arn);
    assert_int_equal(got->described_wall, T0 + 101);
    assert_int_equal(got->gone_wall, T0 + 7);
    assert_int_equal(got->recovery, RECOVERY_OFF);
    assert_int_equal(got->recovery_wall, T0 + 8);
    assert_int_equal(got->n_enrolments, 1);
    const Enrolment *g = target_enrolment(got, "nightly");
    assert_non_null(g);
    assert_false(g->active);
    assert_same_text(g->when, e->when);
    assert_int_equal(g->max_age_usec, e->max_age_usec);
    assert_int_equal(g->first_seen_wall, T0 + 2);
    assert_int_equal(g->cursor_wall, T0 + 103);
    assert_int_equal(g->newest_wall, T0 + 4);
    assert_int_equal(g->stale_wall, T0 + 5);
    assert_int_equal(g->stale_said_wall, T0 + 6);
    assert_int_equal(g->ordered_wall, T0 + 30);
    got = targets_find(&l.targets, "own", "eu-central-1", "bare");
    assert_null(got->table_id);
    assert_int_equal(got->described_wall, WALL_UNKNOWN);
    assert_true(got->gone_wall == WALL_UNKNOWN && got->recovery == RECOVERY_UNKNOWN &&
                got->recovery_wall == WALL_UNKNOWN);
    g = target_enrolment(got, "nightly");
    assert_null(g->when);
    assert_int_equal(g->newest_wall, WALL_UNKNOWN);
    assert_int_equal(g->stale_wall, WALL_UNKNOWN);
    assert_int_equal(g->stale_said_wall, WALL_UNKNOWN);
    assert_int_equal(g->ordered_wall, WALL_UNKNOWN);
    ledger_done(&l);
    store_close(s);
}

static void give(Store *s, OrderKind kind, Usec wall, Usec until_wall, const char *why) {
    CLEANUP(order_free_ptr) Order *o = NULL;
    assert_int_equal(order_new(kind, &o), 0);
    o->who = copy("root");
    o->why = why ? copy(why) : NULL;
    o->until_wall = until_wall;
    assert_int_equal(order_answer(o, ORDER_DONE, "done"), 0);
    LedgerBatch b = {.wall = wall, .orders = &o, .n_orders = 1};
    assert_int_equal(store_commit(s, &b), 0);
}

/* The newest pause or resume says what holds, to the daemon and to readers. */
static void a_pause_comes_back(void **state) {
    static const struct {
        OrderKind kind;
        Usec until_wall, is_until_wall;
        const char *why;
    } rows[] = {
        {ORDER_RUN, USEC_INFINITY, 0, NULL},
        {ORDER_PAUSE, T0 + 100, T0 + 100, "maintenance"},
        {ORDER_RUN, USEC_INFINITY, T0 + 100, "maintenance"},
        {ORDER_PAUSE, T0 + 50, T0 + 50, NULL},
        {ORDER_RESUME, USEC_INFINITY, 0, NULL},
        {ORDER_PAUSE, T0 + 70, T0 + 70, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Store *s = open_store();
        give(s, rows[i].kind, T0 + (Usec)i, rows[i].until_wall, rows[i].why);
        store_close(s);
        s = open_store();
        Ledger l = {};
        assert_int_equal(store_load(s, &l), 0);
        assert_int_equal(l.pause.until_wall, rows[i].is_until_wall);
        assert_int_equal(pause_is_set(&l.pause), rows[i].is_until_wall > 0);
        if (pause_is_set(&l.pause)) {
            assert_string_equal(l.pause.who, "root");
            assert_same_text(l.pause.why, rows[i].why);
        }
        ledger_done(&l);
        store_close(s);
    }
}

static void the_inventory_comes_back(void **state) {
    CLEANUP(store_close_ptr) Store *s = open_store();
    LedgerTable rows[] = {
        {.account = "own",
         .region = "eu-central-1",
         .table = "bbb",
         .tags = "a=b\nc=d",
         .tags_wall = 5,
         .seen_wall = 3},
        {.account = "own", .region = "eu-central-1", .table = "aaa", .tags_wall = WALL_UNKNOWN, .seen_wall = 3},
    };
    LedgerTable gone = {.account = "own", .region = "eu-central-1", .table = "aaa", .gone = true};
    assert_int_equal(store_commit(s, &(LedgerBatch){.tables = rows, .n_tables = 2}), 0);
    rows[0].tags = "";
    rows[0].seen_wall = 4;
    assert_int_equal(store_commit(s, &(LedgerBatch){.tables = rows, .n_tables = 1}), 0);
    CLEANUP(ledger_done) Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_tables, 2);
    assert_string_equal(l.tables[0].table, "aaa");
    assert_null(l.tables[0].tags);
    assert_true(l.tables[0].tags_wall == WALL_UNKNOWN);
    assert_string_equal(l.tables[1].tags, "");
    assert_true(l.tables[1].tags_wall == 5 && l.tables[1].seen_wall == 3);
    assert_int_equal(store_commit(s, &(LedgerBatch){.tables = &gone, .n_tables = 1}), 0);
    CLEANUP(ledger_done) Ledger after = {};
    assert_int_equal(store_load(s, &after), 0);
    assert_int_equal(after.n_tables, 1);
}

static void an_unsettled_run_comes_back_whole(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(7);
    CLEANUP(run_free_ptr) Run *due = NULL;
    assert_int_equal(run_new(3, &due), 0);
    due->schedule = copy("nightly");
    due->account = copy("own");
    due->region = copy("eu-central-1");
    due->table = copy("users");
    due->slot_wall = due->due_wall = T0;
    r->failed_artefact = full_artefact(r, "arn:1", ARTEFACT_FAILED);
    r->artefact = full_artefact(r, "arn:2", ARTEFACT_IN_PROGRESS);
    Run *runs[] = {r, due};
    LedgerBatch b = {.wall = T0, .runs = runs, .n_runs = 2};
    assert_int_equal(store_commit(s, &b), 0);
    store_close(s);

    s = open_store();
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 2);
    assert_int_equal(l.next_run_id, 8);
    assert_same_run(l.runs[0], due);
    assert_same_run(l.runs[1], r);
    ledger_done(&l);
    store_close(s);
}

/* A new attempt begins without what became of the one before. */
static void a_failed_artefact_is_not_taken_up(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    r->state = RUN_INTENDED;
    r->failed_artefact = full_artefact(r, "arn:1", ARTEFACT_FAILED);
    assert_int_equal(commit_run(s, r), 0);
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 1);
    assert_null(l.runs[0]->artefact);
    ledger_done(&l);
    store_close(s);
}

/* Everything that a run may change after its first commit is written again. */
static void a_run_that_goes_on_is_written_again(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    r->artefact = full_artefact(r, "arn:1", ARTEFACT_IN_PROGRESS);
    assert_int_equal(commit_run(s, r), 0);
    r->state = RUN_VERIFYING;
    r->warned = false;
    r->attempt++;
    r->n_sends++;
    r->n_deferred = 0;
    r->intent_wall += 50;
    r->first_sent_wall = WALL_UNKNOWN;
    r->sent_wall += 50;
    assert_int_equal(text_set(&r->name, "token 2"), 0);
    assert_int_equal(text_set(&r->table_id, "id 2"), 0);
    assert_int_equal(text_set(&r->table_arn, "arn 2"), 0);
    assert_int_equal(text_set(&r->s3.bucket, "expanded"), 0);
    assert_int_equal(text_set(&r->s3.prefix, NULL), 0);
    assert_int_equal(text_set(&r->why, NULL), 0);
    assert_int_equal(text_set(&r->hint, "other"), 0);
    assert_int_equal(text_set(&r->request_id, "request 2"), 0);
    assert_int_equal(text_set(&r->artefact->status, "COMPLETED"), 0);
    assert_int_equal(text_set(&r->artefact->details, "{}"), 0);
    r->artefact->life = ARTEFACT_VERIFIED;
    r->artefact->item_count = 5;
    r->artefact->size_bytes = COUNT_UNKNOWN;
    r->artefact->created_wall += 50;
    r->artefact->finished_wall += 50;
    r->artefact->verified_wall = WALL_UNKNOWN;
    assert_int_equal(commit_run(s, r), 0);
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 1);
    assert_same_run(l.runs[0], r);
    ledger_done(&l);
    store_close(s);
}

static int take_run(void *context, Run *run) {
    Run **to = context;
    run_free(*to);
    *to = run;
    return 0;
}

static int count_artefact(void *context, Artefact *a) {
    ++*(int *)context;
    artefact_free(a);
    return 0;
}

static int add_note_words(void *context, const StoreNote *note) {
    return text_addf(context, "%lld %s %s %s\n", (long long)(note->wall - T0), note->event, note->state,
                     note->why ? note->why : "-");
}

static void a_settled_run_is_read_and_never_changes(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    add_note(r, RUN_EV_SENT, RUN_REQUESTED, NULL);
    assert_int_equal(commit_run(s, r), 0);
    run_notes_clear(r);
    r->failed_artefact = full_artefact(r, "arn:1", ARTEFACT_FAILED);
    r->artefact = full_artefact(r, "arn:2", ARTEFACT_VERIFIED);
    add_note(r, RUN_EV_VERIFIED, RUN_SUCCEEDED, "at last");
    settle(r, RUN_SUCCEEDED, T0 + 99);
    assert_int_equal(commit_run(s, r), 0);
    run_notes_clear(r);

    settle(r, RUN_FAILED, T0 + 100);
    CLEANUP(target_free_ptr) Target *t = full_target();
    LedgerBatch b = {.runs = &r, .n_runs = 1, .targets = &t, .n_targets = 1};
    assert_int_equal(store_commit(s, &b), -EEXIST);
    assert_non_null(strstr(store_error(s), "a settled run never changes"));
    settle(r, RUN_SUCCEEDED, T0 + 99);

    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 0); /* settled ones are history */
    assert_int_equal(l.next_run_id, 2);
    assert_int_equal(l.targets.n_items, 0); /* all of a batch or nothing */
    ledger_done(&l);

    CLEANUP(store_read_close_ptr) StoreRead *read = NULL;
    CLEANUP(run_free_ptr) Run *got = NULL;
    AUTO_FREE char *error = NULL;
    AUTO_TEXT notes = TEXT_INIT(1024);
    int n = 0;
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    assert_int_equal(store_read_runs(read, STORE_RUNS_NAMED, "arn:1", take_run, &got), 0);
    assert_non_null(got);
    assert_same_run(got, r);
    assert_int_equal(store_read_artefacts(read, 1, count_artefact, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(store_read_notes(read, 1, add_note_words, &notes), 0);
    assert_string_equal(text_get(&notes), "31 sent requested -\n40 verified succeeded at last\n");
    store_close(s);
}

static void a_slot_has_one_run(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    CLEANUP(run_free_ptr) Run *again = full_run(2);
    again->slot_wall = r->slot_wall;
    r->state = again->state = RUN_INTENDED;
    assert_int_equal(commit_run(s, r), 0);
    assert_int_equal(commit_run(s, again), -EEXIST);
    assert_int_equal(commit_run(s, r), 0); /* the store goes on */
    store_close(s);
}

static void a_reader_sees_one_instant(void **state) {
    Store *s = open_store();
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    CLEANUP(store_read_close_ptr) StoreRead *read = NULL;
    CLEANUP(run_free_ptr) Run *got = NULL;
    AUTO_FREE char *error = NULL;
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    assert_int_equal(commit_run(s, r), 0);
    assert_int_equal(store_read_runs(read, STORE_RUNS_ALL, NULL, take_run, &got), 0);
    assert_null(got);
    store_read_close(TAKE_PTR(read));
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    assert_int_equal(store_read_runs(read, STORE_RUNS_ALL, NULL, take_run, &got), 0);
    assert_non_null(got);
    store_close(s);
}

static void assert_unreadable(int expected, const char *words) {
    StoreRead *read = NULL;
    AUTO_FREE char *error = NULL;
    assert_int_equal(store_read_open(directory, &read, &error), expected);
    assert_null(read);
    if (!error || !strstr(error, words) || !strstr(error, "; HINT: ") || !strstr(error, "ledger.db"))
        fail_msg("wanted the file, '%s' and a HINT in: %s", words, error ? error : "(nothing)");
}

static void a_newer_ledger_is_refused(void **state) {
    store_close(open_store());
    tamper("PRAGMA user_version=99");
    assert_refused(-ENOTSUP, "has schema 99, and this program knows up to");
    assert_unreadable(-ENOTSUP, "has schema 99");
}

static void an_older_ledger_is_not_read(void **state) {
    assert_unreadable(-ENOENT, "there is no ledger yet");
    store_close(open_store());
    tamper("PRAGMA user_version=0");
    assert_unreadable(-ENOTSUP, "start ddbackupd once");
}

static void a_foreign_database_is_left_alone(void **state) {
    size_t before_size, after_size;
    tamper("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
    AUTO_FREE char *before = slurp("ledger.db", &before_size);
    assert_refused(-EBADMSG, "not a ledger of ddbackupd");
    assert_unreadable(-EBADMSG, "not a ledger of ddbackupd");
    AUTO_FREE char *after = slurp("ledger.db", &after_size);
    assert_int_equal(before_size, after_size);
    assert_memory_equal(before, after, before_size);
}

static void scribble(off_t offset, size_t n) {
    AUTO_FREE char *path = path_of("ledger.db");
    int fd = open(path, O_WRONLY | O_CREAT, 0640);
    assert_true(fd >= 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pwrite(fd, "\xa5", 1, offset + (off_t)i), 1);
    close(fd);
}

static void what_is_no_database_is_refused(void **state) {
    scribble(0, 5000);
    assert_refused(-EBADMSG, "file is not a database");
    assert_unreadable(-EBADMSG, "file is not a database");
}

static void a_damaged_page_is_found_at_the_start(void **state) {
    Store *s = open_store();
    for (int i = 1; i <= 50; i++) {
        CLEANUP(run_free_ptr) Run *r = full_run(i);
        r->state = RUN_INTENDED;
        assert_int_equal(commit_run(s, r), 0);
    }
    store_close(s);
    size_t size;
    free(slurp("ledger.db", &size));
    assert_true(size > 5 * 4096);
    scribble(4096, size - 4096);
    assert_refused(-EBADMSG, "damaged");
}

/* SQLite would take it for a new one and drop the -wal. */
static void an_empty_file_beside_a_wal_is_damaged(void **state) {
    AUTO_FREE char *path = path_of("ledger.db"), *wal = path_of("ledger.db-wal");
    store_close(open_store());
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_equal(truncate(path, 0), 0);
    assert_refused(-EBADMSG, "ddbackupctl set-aside --yes");
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_equal(unlink(wal), 0);
    store_close(open_store()); /* a start that came no further */
}

static void a_run_is_known_by_its_slot(void **state) {
    Store *s = open_store();
    StoreRead *read = NULL;
    char *error = NULL;
    int64_t id = 1;
    CLEANUP(run_free_ptr) Run *r = full_run(1);
    assert_int_equal(store_find_run(s, r, &id), 0);
    assert_int_equal(id, 0);
    assert_int_equal(commit_run(s, r), 0);
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    char **const keys[] = {&r->schedule, &r->account, &r->region, &r->table};
    for (size_t i = 0; i <= ARRAY_SIZE(keys) + 1; i++) {
        char *kept = i < ARRAY_SIZE(keys) ? *keys[i] : NULL;
        if (kept)
            *keys[i] = (char *)"another";
        r->slot_wall += i == ARRAY_SIZE(keys);
        int64_t expected = i > ARRAY_SIZE(keys) ? r->id : 0;
        assert_int_equal(store_find_run(s, r, &id), 0);
        assert_int_equal(id, expected);
        assert_int_equal(store_read_find_run(read, r, &id), 0);
        assert_int_equal(id, expected);
        if (kept)
            *keys[i] = kept;
        r->slot_wall -= i == ARRAY_SIZE(keys);
    }
    store_read_close(read);
    store_close(s);
}

static void assert_aside(int expected, const char *words, char **ret_path) {
    AUTO_FREE char *error = NULL;
    assert_int_equal(store_set_aside(directory, T0, ret_path, &error), expected);
    if (expected < 0 && (!error || !strstr(error, words) || !strstr(error, "; HINT: ") || !strstr(error, directory)))
        fail_msg("wanted the directory, '%s' and a HINT in: %s", words, error ? error : "(nothing)");
}

static void a_ledger_is_set_aside_whole(void **state) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    AUTO_FREE char *path = NULL, *expected = path_of("ledger.db.damaged-20260922T020000Z");
    Store *s = open_store();
    assert_aside(-EBUSY, "another ddbackupd", NULL);
    store_close(s);
    scribble(0, 5000);
    assert_aside(0, NULL, &path);
    assert_string_equal(path, expected);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        AUTO_FREE char *now = text_format("%s%s", path, suffixes[i]);
        AUTO_FREE char *before = text_format("%s/ledger.db%s", directory, suffixes[i]);
        assert_int_equal(access(now, F_OK), 0);
        assert_int_equal(access(before, F_OK), -1);
    }
    assert_aside(-ENOENT, "nothing to set aside", NULL);
    store_close(open_store());
    assert_aside(-EEXIST, "cannot be renamed", NULL); /* within the same second nothing is overwritten */
    store_close(open_store());
}

static void a_row_without_sense_is_said(void **state) {
    static const struct {
        const char *sql, *words;
        bool readable; /* the reader needs less than the engine */
    } rows[] = {
        {"UPDATE runs SET state='dreaming'", "a run that makes no sense", false},
        {"UPDATE runs SET state='succeeded'", "a run that makes no sense", false},
        {"UPDATE runs SET action='juggle'", "a run that makes no sense", false},
        {"UPDATE runs SET handle=NULL", "a run that makes no sense", true},
        {"UPDATE runs SET table_id=NULL", "a run that makes no sense", true},
        {"UPDATE artefacts SET life='afterlife'", "a run that makes no sense", false},
        {"DELETE FROM artefacts", "a run that makes no sense", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (i > 0)
            assert_int_equal(remove_directory(NULL) + make_directory(NULL), 0);
        Store *s = open_store();
        Run *r = full_run(1);
        r->artefact = full_artefact(r, "arn:1", ARTEFACT_IN_PROGRESS);
        assert_int_equal(commit_run(s, r), 0);
        run_free(r);
        store_close(s);
        tamper(rows[i].sql);
        s = open_store();
        Ledger l = {};
        if (store_load(s, &l) != -EBADMSG || !strstr(store_error(s), rows[i].words))
            fail_msg("%s: %s", rows[i].sql, store_error(s));
        CLEANUP(store_read_close_ptr) StoreRead *read = NULL;
        CLEANUP(run_free_ptr) Run *got = NULL;
        AUTO_FREE char *error = NULL;
        assert_int_equal(store_read_open(directory, &read, &error), 0);
        int rc = store_read_runs(read, STORE_RUNS_ALL, NULL, take_run, &got);
        assert_int_equal(rc, rows[i].readable ? 0 : -EBADMSG);
        if (rc < 0)
            assert_non_null(strstr(store_read_error(read), rows[i].words));
        store_close(s);
    }
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

UNIT_MAIN(IN_DIRECTORY(a_fresh_ledger_is_empty), IN_DIRECTORY(the_lock_refuses_a_second),
          IN_DIRECTORY(a_missing_directory_is_said), IN_DIRECTORY(targets_and_enrolments_come_back),
          IN_DIRECTORY(a_pause_comes_back),
          IN_DIRECTORY(the_inventory_comes_back),
          IN_DIRECTORY(an_unsettled_run_comes_back_whole), IN_DIRECTORY(a_failed_artefact_is_not_taken_up),
          IN_DIRECTORY(a_run_that_goes_on_is_written_again),
          IN_DIRECTORY(a_settled_run_is_read_and_never_changes), IN_DIRECTORY(a_slot_has_one_run),
          IN_DIRECTORY(a_reader_sees_one_instant), IN_DIRECTORY(a_newer_ledger_is_refused),
          IN_DIRECTORY(an_older_ledger_is_not_read), IN_DIRECTORY(a_foreign_database_is_left_alone),
          IN_DIRECTORY(what_is_no_database_is_refused), IN_DIRECTORY(a_damaged_page_is_found_at_the_start),
          IN_DIRECTORY(an_empty_file_beside_a_wal_is_damaged), IN_DIRECTORY(a_run_is_known_by_its_slot),
          IN_DIRECTORY(a_ledger_is_set_aside_whole), IN_DIRECTORY(a_row_without_sense_is_said))
