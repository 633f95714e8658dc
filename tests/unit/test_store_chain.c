/* Chains, links and lost time in the ledger: every field comes back, and what must not change does not. */

#include "io/store.h"

#include <ftw.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "unit.h"

#define SEC USEC_PER_SEC
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define T0 (INT64_C(1795399200) * SEC) /* 2026-11-23T02:00:00Z */
#define ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"

static char directory[] = "/tmp/ddb-store-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

static int make_directory(void **state) {
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) { return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static Store *open_store(void) {
    Store *s = NULL;
    char *error = NULL;
    if (store_open(directory, &s, &error) < 0)
        fail_msg("store_open: %s", error ? error : "?");
    return s;
}

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

static Chain full_chain(void) {
    return (Chain){.id = 7, .state = CHAIN_CLOSING, .account = "own", .region = "eu-central-1", .table = "orders",
                   .schedule = "half", .table_id = "table-id", .table_arn = ARN, .base_run_id = 3,
                   .base_arn = ARN "/export/01795399200000-00000001", .base_wall = T0, .base_is_made = true,
                   .start_wall = T0 - 60 * SEC, .covered_wall = T0 + HOUR, .end_wall = T0 + 9 * HOUR,
                   .begun_wall = T0 + SEC, .settled_wall = WALL_UNKNOWN, .why = "because", .changed = true};
}

static Run *link_in(RunState state, int64_t id, Usec from_wall, Usec to_wall, int attempt) {
    Run *r;
    assert_int_equal(run_new(id, &r), 0);
    r->state = state;
    r->action = ACTION_INCREMENTAL;
    r->chain_id = 7;
    r->from_wall = from_wall;
    r->to_wall = r->slot_wall = r->due_wall = to_wall;
    r->attempt = attempt;
    r->name = text_format("token-%d", (int)id);
    r->view_type = copy("NEW_IMAGE");
    r->s3 = (S3Conf){.bucket = copy("acme"), .bucket_owner = copy("222222222222"), .prefix = copy("orders"),
                     .sse_algorithm = copy("KMS"), .kms_key_id = copy("key"), .format = copy("ION")};
    r->verify = VERIFY_MANIFEST;
    r->warn_at_wall = T0 + 2 * HOUR;
    r->finish_by_wall = T0 + 3 * HOUR;
    r->overdue = state == RUN_VERIFYING;
    r->warned = true;
    r->intent_wall = T0 + 2;
    r->first_sent_wall = T0 + 3;
    r->sent_wall = T0 + 4;
    r->n_sends = 5;
    r->n_deferred = 6;
    r->settled_wall = state >= RUN_SUCCEEDED ? T0 + 5 : WALL_UNKNOWN;
    r->why = copy("why");
    r->hint = copy("hint");
    r->request_id = copy("request");
    return r;
}

static void with_artefact(Run *r) {
    r->artefact = calloc(1, sizeof *r->artefact);
    assert_non_null(r->artefact);
    *r->artefact = (Artefact){.run_id = r->id, .action = r->action, .life = ARTEFACT_IN_PROGRESS,
                              .arn = text_format(ARN "/export/01795399200000-%08d", (int)r->id),
                              .status = copy("IN_PROGRESS"),
                              .name = copy(r->name), .table_id = copy("table-id"), .created_wall = r->to_wall,
                              .finished_wall = T0 + 6, .verified_wall = T0 + 7, .size_bytes = 8, .item_count = 9,
                              .details = copy("{\"ItemCount\":9}"), .level = VERIFY_OBJECTS, .found = copy("found")};
}

static void same_link(const Run *a, const Run *b) {
    assert_int_equal(a->state, b->state);
    assert_true(a->chain_id == b->chain_id && a->from_wall == b->from_wall && a->to_wall == b->to_wall);
    assert_true(a->attempt == b->attempt && a->verify == b->verify && a->warned == b->warned);
    assert_true(a->finish_by_wall == b->finish_by_wall && a->overdue == b->overdue);
    assert_true(a->warn_at_wall == b->warn_at_wall && a->intent_wall == b->intent_wall);
    assert_true(a->first_sent_wall == b->first_sent_wall && a->sent_wall == b->sent_wall);
    assert_true(a->n_sends == b->n_sends && a->n_deferred == b->n_deferred && a->settled_wall == b->settled_wall);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->view_type, b->view_type);
    assert_string_equal(a->s3.bucket, b->s3.bucket);
    assert_string_equal(a->s3.bucket_owner, b->s3.bucket_owner);
    assert_string_equal(a->s3.prefix, b->s3.prefix);
    assert_string_equal(a->s3.sse_algorithm, b->s3.sse_algorithm);
    assert_string_equal(a->s3.kms_key_id, b->s3.kms_key_id);
    assert_string_equal(a->s3.format, b->s3.format);
    assert_string_equal(a->why, b->why);
    assert_string_equal(a->hint, b->hint);
    assert_string_equal(a->request_id, b->request_id);
    assert_string_equal(a->account, "own");
    assert_string_equal(a->schedule, "half");
    assert_string_equal(a->table_id, "table-id");
    assert_string_equal(a->table_arn, ARN);
}

static void commit_all(Store *s, Chain *c, Run **links, size_t n_links, Lineage *l) {
    LedgerBatch b = {.wall = T0, .chains = &c, .n_chains = c != NULL, .links = links, .n_links = n_links,
                     .losses = &l, .n_losses = l != NULL};
    if (store_commit(s, &b) < 0)
        fail_msg("%s", store_error(s));
}

static void all_comes_back(void **state) {
    Store *s = open_store();
    Chain c = full_chain();
    LostSpan losses[] = {{.chain_id = 7, .from_wall = T0 + 20 * HOUR, .to_wall = T0 + 21 * HOUR, .noticed_wall = T0 + 1,
                          .why = "off", .changed = true},
                         {.chain_id = 7, .from_wall = T0 + 30 * HOUR, .to_wall = USEC_INFINITY, .noticed_wall = T0 + 2,
                          .why = "gone", .changed = true}};
    Lineage lost = {.account = "own", .region = "eu-central-1", .table = "orders", .schedule = "half",
                    .losses = losses, .n_losses = 2};
    /* covered already; failed, and tried again; verified ahead of a hole; failed; intended; beyond the end */
    Run *links[] = {link_in(RUN_SUCCEEDED, 10, T0 - 60 * SEC, T0 + HOUR, 1),
                    link_in(RUN_FAILED, 11, T0 + HOUR, T0 + 2 * HOUR, 1),
                    link_in(RUN_IN_PROGRESS, 12, T0 + HOUR, T0 + 2 * HOUR, 2),
                    link_in(RUN_SUCCEEDED, 13, T0 + 2 * HOUR, T0 + 3 * HOUR, 1),
                    link_in(RUN_FAILED, 14, T0 + 3 * HOUR, T0 + 4 * HOUR, 3),
                    link_in(RUN_INTENDED, 15, T0 + 4 * HOUR, T0 + 9 * HOUR, 1),
                    link_in(RUN_REQUESTED, 16, T0 + 9 * HOUR, T0 + 10 * HOUR, 1)};
    with_artefact(links[2]);
    commit_all(s, &c, links, ARRAY_SIZE(links), &lost);
    store_close(s);

    CLEANUP(ledger_done) Ledger l = {};
    s = open_store();
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_lineages, 1);
    assert_int_equal(l.next_run_id, 17);
    assert_int_equal(l.next_chain_id, 8);
    const Lineage *lineage = l.lineages[0];
    assert_int_equal(lineage->n_chains, 1);
    assert_true(lineage->first_wall == T0);
    const Chain *back = lineage->chains[0];
    assert_int_equal(back->id, 7);
    assert_int_equal(back->state, CHAIN_CLOSING);
    assert_string_equal(back->table_id, c.table_id);
    assert_string_equal(back->table_arn, c.table_arn);
    assert_string_equal(back->base_arn, c.base_arn);
    assert_string_equal(back->why, c.why);
    assert_true(back->base_run_id == 3 && back->base_wall == T0 && back->base_is_made);
    assert_true(back->start_wall == c.start_wall && back->covered_wall == c.covered_wall &&
                back->end_wall == c.end_wall);
    assert_true(back->begun_wall == c.begun_wall && back->settled_wall == WALL_UNKNOWN);
    assert_int_equal(back->n_windows, 4);
    assert_int_equal(back->windows[0].run->id, 12);
    assert_int_equal(back->windows[0].attempt, 2);
    assert_true(back->windows[1].is_verified && !back->windows[1].run);
    assert_true(!back->windows[2].run && back->windows[2].attempt == 3 &&
                back->windows[2].retry_wall == T0 + 5 + 4 * USEC_PER_MINUTE);
    assert_int_equal(back->windows[3].run->id, 15);
    assert_int_equal(l.n_runs, 3);
    same_link(l.runs[0], links[2]);
    same_link(l.runs[1], links[5]);
    same_link(l.runs[2], links[6]);
    const Artefact *a = l.runs[0]->artefact, *was = links[2]->artefact;
    assert_null(l.runs[1]->artefact);
    assert_true(a->life == was->life && a->created_wall == was->created_wall && a->finished_wall == was->finished_wall);
    assert_true(a->verified_wall == was->verified_wall && a->size_bytes == 8 && a->item_count == 9 &&
                a->level == VERIFY_OBJECTS);
    assert_string_equal(a->arn, was->arn);
    assert_string_equal(a->status, was->status);
    assert_string_equal(a->table_id, was->table_id);
    assert_string_equal(a->details, was->details);
    assert_string_equal(a->found, was->found);
    assert_int_equal(lineage->n_losses, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(lineage->losses[i].from_wall == losses[i].from_wall &&
                    lineage->losses[i].to_wall == losses[i].to_wall);
        assert_true(lineage->losses[i].chain_id == 7 && lineage->losses[i].noticed_wall == losses[i].noticed_wall);
        assert_string_equal(lineage->losses[i].why, losses[i].why);
    }
    /* the open loss ends, once */
    losses[0].changed = false;
    losses[1].to_wall = T0 + 40 * HOUR;
    commit_all(s, NULL, NULL, 0, &lost);
    losses[1].to_wall = T0 + 41 * HOUR;
    LedgerBatch again = {.losses = (Lineage *[]){&lost}, .n_losses = 1};
    assert_true(store_commit(s, &again) < 0);
    assert_non_null(strstr(store_error(s), "what is lost stays lost"));
    store_close(s);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        run_free(links[i]);
}

/* A link that another one has outrun goes on being watched, and nothing else of it changes any more. */
static void outrun_links_are_watched(void **state) {
    Store *s = open_store();
    Chain c = full_chain();
    Run *links[] = {link_in(RUN_FAILED, 10, T0 - 60 * SEC, T0 + HOUR, 1),
                    link_in(RUN_SUCCEEDED, 11, T0 - 60 * SEC, T0 + HOUR, 2),
                    link_in(RUN_FAILED, 12, T0 + HOUR, T0 + 2 * HOUR, 1)};
    with_artefact(links[0]);
    commit_all(s, &c, links, ARRAY_SIZE(links), NULL);
    store_close(s);
    CLEANUP(ledger_done) Ledger l = {};
    s = open_store();
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 1);
    Run *r = l.runs[0];
    assert_int_equal(r->id, 10);
    assert_true(r->closed && run_is_watched(r));
    r->artefact->life = ARTEFACT_VERIFIED;
    r->state = RUN_SUCCEEDED;
    commit_all(s, NULL, &r, 1, NULL);
    ledger_done(&l);
    CLEANUP(stock_done) Stock stock = {};
    assert_int_equal(store_stock(s, ARN "/export/", &stock), 0);
    assert_int_equal(stock.n_items, 1);
    assert_true(stock.items[0].is_spare);
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.n_runs, 0);
    store_close(s);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        run_free(links[i]);
}

/* What a link has gone through. */
static void links_have_a_story(void **state) {
    Store *s = open_store();
    Chain c = full_chain();
    Run *r = link_in(RUN_IN_PROGRESS, 10, T0 + HOUR, T0 + 2 * HOUR, 1);
    with_artefact(r);
    assert_true(run_apply(r, RUN_EV_OVERDUE, &(RunCause){.why = "late"}, (Now){.wall = T0 + 9}));
    commit_all(s, &c, &r, 1, NULL);
    store_close(s);
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    AUTO_FREE char *path = text_format("%s/ledger.db", directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT link, wall, event, state, why FROM link_notes", -1, &q, NULL), 0);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(q, 0), 10);
    assert_true(sqlite3_column_int64(q, 1) == T0 + 9);
    assert_string_equal((const char *)sqlite3_column_text(q, 2), "overdue");
    assert_string_equal((const char *)sqlite3_column_text(q, 3), "in_progress");
    assert_string_equal((const char *)sqlite3_column_text(q, 4), "late");
    assert_int_equal(sqlite3_step(q), SQLITE_DONE);
    sqlite3_finalize(q);
    sqlite3_close(db);
    run_free(r);
}

static Lineage lineage_of(const Chain *c) {
    return (Lineage){.account = c->account, .region = c->region, .table = c->table, .schedule = c->schedule};
}

/* A chain that has settled, as it was when it had come to some window; and how far the others of its table reach. */
static void one_chain_comes_back(void **state) {
    static const struct {
        Usec from, covered;
        size_t n_windows;
    } rows[] = {{T0 + HOUR, T0 + HOUR, 2},
                {T0 - 60 * SEC, T0 - 60 * SEC, 3},
                {T0 + 2 * HOUR, T0 + 2 * HOUR, 1},
                {USEC_INFINITY, T0 + 3 * HOUR, 0}};
    Store *s = open_store();
    Chain c = full_chain(), other = full_chain(), bad = full_chain(), *chains[] = {&c, &other, &bad};
    c.state = CHAIN_CLOSED;
    c.covered_wall = c.end_wall = T0 + 3 * HOUR;
    other.id = 6;
    other.state = bad.state = CHAIN_BROKEN;
    other.base_arn = ARN "/export/01795300000000-00000001";
    bad.base_arn = ARN "/export/01795300000000-00000002";
    bad.id = 5;
    bad.state = CHAIN_VOID;
    bad.covered_wall = T0 + 8 * HOUR;
    c.settled_wall = other.settled_wall = bad.settled_wall = T0 + 10 * HOUR;
    Run *links[] = {link_in(RUN_SUCCEEDED, 10, T0 - 60 * SEC, T0 + HOUR, 1),
                    link_in(RUN_FAILED, 11, T0 + HOUR, T0 + 2 * HOUR, 1),
                    link_in(RUN_SUCCEEDED, 12, T0 + HOUR, T0 + 2 * HOUR, 2),
                    link_in(RUN_FAILED, 13, T0 + HOUR, T0 + 2 * HOUR, 3), /* outrun */
                    link_in(RUN_SUCCEEDED, 14, T0 + 2 * HOUR, T0 + 3 * HOUR, 1)};
    LedgerBatch b = {.wall = T0, .chains = chains, .n_chains = 3, .links = links, .n_links = ARRAY_SIZE(links)};
    assert_int_equal(store_commit(s, &b), 0);
    Lineage l = lineage_of(&c);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(chain_free_ptr) Chain *back = NULL;
        ChainOthers others = {};
        assert_int_equal(store_read_chain(s, &l, c.base_arn, rows[i].from, &back, &others), 0);
        assert_int_equal(back->id, 7);
        assert_int_equal(back->state, CHAIN_CLOSED);
        assert_true(back->covered_wall == rows[i].covered && back->end_wall == c.end_wall);
        assert_true(back->settled_wall == c.settled_wall);
        assert_true(others.reach_wall == T0 + HOUR && others.earlier_wall == WALL_UNKNOWN);
        assert_int_equal(back->n_windows, rows[i].n_windows);
        for (size_t j = 0; j < back->n_windows; j++)
            assert_true(back->windows[j].is_verified && !back->windows[j].run &&
                        back->windows[j].attempt == (back->windows[j].from_wall == T0 + HOUR ? 3 : 1));
    }
    CLEANUP(chain_free_ptr) Chain *none = NULL;
    ChainOthers others = {};
    assert_int_equal(store_read_chain(s, &l, ARN "/export/it's none", T0, &none, &others), -ENOENT);
    l.schedule = "another";
    assert_int_equal(store_read_chain(s, &l, c.base_arn, T0, &none, &others), -ENOENT);
    store_close(s);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        run_free(links[i]);
}

static int count(const char *what) {
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    AUTO_FREE char *path = text_format("%s/ledger.db", directory), *sql = text_format("SELECT count(*) FROM %s", what);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int n = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void tamper(const char *sql) {
    sqlite3 *db = NULL;
    char *error = NULL;
    AUTO_FREE char *path = text_format("%s/ledger.db", directory);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
    sqlite3_close(db);
}

static void expire(Store *s, const char *arn, Usec wall) {
    LedgerBatch b = {.wall = wall};
    assert_int_equal(stock_put_decision(&b.stock, arn, DECISION_EXPIRED, "old", NULL), 0);
    assert_int_equal(store_commit(s, &b), 0);
    stock_changes_done(&b.stock);
}

/* A month after a chain has expired, when another one of its table does, its links are forgotten, with all that was
 * said of them; the chain stays, and so does the time that it lost. Not while anything of it is there. */
static void expired_chains_are_forgotten(void **state) {
    static const struct {
        const char *tamper;
        Usec after_usec;
        bool is_forgotten;
    } rows[] = {
        {"SELECT 1", 31 * USEC_PER_DAY, true},
        {"SELECT 1", 29 * USEC_PER_DAY, false},
        {"UPDATE links SET life = 'verified' WHERE id = 11", 31 * USEC_PER_DAY, false},
        {"UPDATE links SET life = 'in_progress' WHERE id = 11", 31 * USEC_PER_DAY, false},
        {"UPDATE links SET life = 'disproved' WHERE id = 11", 31 * USEC_PER_DAY, true},
        {"UPDATE links SET record = 'written' WHERE id = 11", 31 * USEC_PER_DAY, false},
        {"UPDATE links SET record = 'removed' WHERE id = 11", 31 * USEC_PER_DAY, true},
        {"UPDATE chains SET record = 'written' WHERE id = 7", 31 * USEC_PER_DAY, false},
        {"UPDATE chains SET settled = NULL WHERE id = 7", 31 * USEC_PER_DAY, false},
        {"UPDATE chains SET name = 'others' WHERE id = 7", 31 * USEC_PER_DAY, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(make_directory(NULL), 0);
        Store *s = open_store();
        Chain old = full_chain(), next = full_chain(), *chains[] = {&old, &next};
        LostSpan loss = {.chain_id = 7, .from_wall = T0 + 20 * HOUR, .to_wall = T0 + 21 * HOUR, .noticed_wall = T0 + 1,
                         .why = "off", .changed = true};
        Lineage lost = {.account = "own", .region = "eu-central-1", .table = "orders", .schedule = "half",
                        .losses = &loss, .n_losses = 1}, *lineages[] = {&lost};
        old.state = next.state = CHAIN_CLOSED;
        old.settled_wall = next.settled_wall = T0 + 20 * HOUR;
        next.id = 8;
        next.base_arn = ARN "/export/01795999900000-00000002";
        Run *links[] = {link_in(RUN_SUCCEEDED, 10, T0 - 60 * SEC, T0 + HOUR, 1),
                        link_in(RUN_SUCCEEDED, 11, T0 + HOUR, T0 + 2 * HOUR, 1),
                        link_in(RUN_SUCCEEDED, 12, T0 - 60 * SEC, T0 + HOUR, 1)};
        links[2]->chain_id = 8;
        for (size_t j = 0; j < 3; j++)
            with_artefact(links[j]);
        links[0]->notes = calloc(1, sizeof *links[0]->notes);
        links[0]->notes[0] = (RunNote){.wall = T0, .event = RUN_EV_SENT, .state = RUN_REQUESTED};
        links[0]->n_notes = 1;
        LedgerBatch b = {.wall = T0, .chains = chains, .n_chains = 2, .links = links, .n_links = 3,
                         .losses = lineages, .n_losses = 1};
        assert_int_equal(store_commit(s, &b), 0);
        expire(s, links[0]->artefact->arn, T0 + DAY);
        expire(s, links[1]->artefact->arn, T0 + DAY);
        expire(s, old.base_arn, T0 + DAY);
        store_close(s);
        tamper(rows[i].tamper);
        s = open_store();
        expire(s, next.base_arn, T0 + DAY + rows[i].after_usec);
        store_close(s);
        if (count("links") != (rows[i].is_forgotten ? 1 : 3) ||
            count("link_notes") != !rows[i].is_forgotten ||
            count("decisions WHERE arn LIKE '%000010' OR arn LIKE '%000011'") != (rows[i].is_forgotten ? 0 : 2))
            fail_msg("row %zu", i);
        assert_int_equal(count("chains"), 2);
        assert_int_equal(count("losses"), 1);
        for (size_t j = 0; j < 3; j++)
            run_free(links[j]);
        assert_int_equal(remove_directory(NULL), 0);
    }
    assert_int_equal(make_directory(NULL), 0);
}

/* Windows that leave a gap, or overlap, are not taken for a chain. */
static void broken_windows_are_refused(void **state) {
    static const struct {
        const char *sql;
        bool good;
    } rows[] = {{"SELECT 1", true},
                {"DROP TRIGGER windows_stay; UPDATE links SET from_wall = from_wall + 1000000 WHERE id = 11", false},
                {"UPDATE chains SET covered = covered - 1000000", false},
                {"UPDATE links SET state = 'lost'", false},
                {"UPDATE chains SET state = 'gone'", false},
                {"UPDATE links SET from_wall = from_wall + 1 WHERE id = 11", false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(make_directory(NULL), 0);
        Store *s = open_store();
        Chain c = full_chain();
        Run *links[] = {link_in(RUN_INTENDED, 10, T0 + HOUR, T0 + 2 * HOUR, 1),
                        link_in(RUN_INTENDED, 11, T0 + 2 * HOUR, T0 + 3 * HOUR, 1)};
        commit_all(s, &c, links, 2, NULL);
        store_close(s);
        sqlite3 *db = NULL;
        AUTO_FREE char *path = text_format("%s/ledger.db", directory);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        int code = sqlite3_exec(db, rows[i].sql, NULL, NULL, NULL);
        sqlite3_close(db);
        CLEANUP(ledger_done) Ledger l = {};
        s = open_store();
        int r = store_load(s, &l);
        if (code == SQLITE_CONSTRAINT) /* the ledger itself refuses it */
            assert_int_equal(r, 0);
        else
            assert_int_equal(r, rows[i].good ? 0 : -EBADMSG);
        store_close(s);
        run_free(links[0]);
        run_free(links[1]);
        assert_int_equal(remove_directory(NULL), 0);
    }
    assert_int_equal(make_directory(NULL), 0);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(all_comes_back, make_directory, remove_directory),
          cmocka_unit_test_setup_teardown(outrun_links_are_watched, make_directory, remove_directory),
          cmocka_unit_test_setup_teardown(links_have_a_story, make_directory, remove_directory),
          cmocka_unit_test_setup_teardown(one_chain_comes_back, make_directory, remove_directory),
          cmocka_unit_test_setup_teardown(expired_chains_are_forgotten, NULL, remove_directory),
          cmocka_unit_test_setup_teardown(broken_windows_are_refused, NULL, remove_directory))
