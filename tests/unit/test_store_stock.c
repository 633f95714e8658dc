/* Retention's part of the ledger: what is committed is read back, by the daemon and by readers. */

#include "io/store_stock.h"

#include <errno.h>
#include <ftw.h>
#include <unistd.h>

#include "base/text.h"
#include "io/store.h"
#include "unit.h"

#define T0 (INT64_C(1790042400) * USEC_PER_SEC)
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define ARN(id) TABLE_ARN "/backup/0179004240" id

static char directory[] = "/tmp/ddb-stock-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

static int make_directory(void **state) {
    memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) { return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

static Store *open_store(void) {
    Store *s = NULL;
    AUTO_FREE char *error = NULL;
    if (store_open(directory, &s, &error) < 0)
        fail_msg("store_open: %s", error);
    return s;
}

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

/* A settled run with its artefact. */
static void add(Store *s, int64_t id, const char *arn, ArtefactLife life) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    assert_int_equal(run_new(id, &r), 0);
    r->state = RUN_SUCCEEDED;
    r->schedule = copy("nightly");
    r->account = copy("own");
    r->region = copy("eu-central-1");
    r->table = copy("orders");
    r->name = text_format("acme.nightly.%d", (int)id);
    r->table_id = copy("table-id");
    r->table_arn = copy(TABLE_ARN);
    r->slot_wall = T0 + id;
    r->settled_wall = T0;
    r->artefact = calloc(1, sizeof *r->artefact);
    assert_non_null(r->artefact);
    *r->artefact = (Artefact){.run_id = id, .life = life, .arn = copy(arn), .name = copy(r->name),
                              .table_id = copy("table-id"), .created_wall = T0 + id, .finished_wall = WALL_UNKNOWN,
                              .verified_wall = T0, .size_bytes = COUNT_UNKNOWN, .item_count = COUNT_UNKNOWN};
    LedgerBatch b = {.wall = T0, .runs = &r, .n_runs = 1};
    assert_int_equal(store_commit(s, &b), 0);
}

static void read_stock(Store *s, const char *table_arn, Stock *ret) {
    AUTO_FREE char *prefix = NULL;
    assert_int_equal(stock_prefix(table_arn, &prefix), 0);
    assert_int_equal(store_stock(s, prefix, ret), 0);
}

static void the_stock_is_what_is_finished(void **state) {
    Store *s = open_store();
    add(s, 1, ARN("2"), ARTEFACT_VERIFIED);
    add(s, 2, ARN("1"), ARTEFACT_VERIFIED);
    add(s, 3, ARN("3"), ARTEFACT_GONE);
    add(s, 4, ARN("4"), ARTEFACT_EXPIRED);
    add(s, 5, ARN("5"), ARTEFACT_IN_PROGRESS);
    add(s, 6, ARN("6"), ARTEFACT_DISPROVED);
    add(s, 7, ARN("7"), ARTEFACT_EXPIRING);
    add(s, 8, TABLE_ARN "-2/backup/01790042401", ARTEFACT_VERIFIED); /* another table, whose name begins so */
    add(s, 9, TABLE_ARN "/export/01790042401", ARTEFACT_VERIFIED);
    CLEANUP(stock_done) Stock stock = {};
    read_stock(s, TABLE_ARN, &stock);
    assert_int_equal(stock.n_items, 3);
    assert_string_equal(stock.items[0].artefact->arn, ARN("1"));
    assert_string_equal(stock.items[1].artefact->arn, ARN("2"));
    assert_string_equal(stock.items[2].artefact->arn, ARN("7"));
    const StockItem *i = &stock.items[1];
    assert_string_equal(i->schedule, "nightly");
    assert_string_equal(i->intended_name, "acme.nightly.1");
    assert_string_equal(i->account, "own");
    assert_string_equal(i->region, "eu-central-1");
    assert_string_equal(i->table, "orders");
    assert_int_equal(i->slot_wall, T0 + 1);
    assert_int_equal(i->artefact->created_wall, T0 + 1);
    assert_int_equal(i->hold_until_wall, WALL_UNKNOWN);
    assert_int_equal(i->adopted_wall, WALL_UNKNOWN);
    assert_int_equal(i->decision, DECISIONS);
    assert_false(stock_is_held(i, T0));
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_false(l.stock.expires);
    assert_int_equal(l.stock.expiring.n_items, 1);
    assert_string_equal(l.stock.expiring.items[0].artefact->arn, ARN("7"));
    ledger_done(&l);
    store_close(s);
}

static void commit(Store *s, LedgerBatch *b, Usec wall) {
    b->wall = wall;
    assert_false(ledger_batch_is_empty(b));
    assert_int_equal(store_commit(s, b), 0);
    ledger_batch_done(b);
}

static void decide(Store *s, const char *arn, Decision d, Usec wall) {
    LedgerBatch b = {};
    assert_int_equal(stock_put_decision(&b.stock, arn, d, "because", NULL), 0);
    commit(s, &b, wall);
}

static void decisions_move_an_artefact(void **state) {
    static const struct {
        Decision decision;
        size_t n_stock;
        ArtefactLife life;
    } rows[] = {
        {DECISION_KEPT, 1, ARTEFACT_VERIFIED},      {DECISION_BEYOND, 1, ARTEFACT_VERIFIED},
        {DECISION_EXPIRING, 1, ARTEFACT_EXPIRING},  {DECISION_KEPT, 1, ARTEFACT_EXPIRING},
        {DECISION_WITHDRAWN, 1, ARTEFACT_VERIFIED}, {DECISION_ADOPTED, 1, ARTEFACT_VERIFIED},
        {DECISION_EXPIRING, 1, ARTEFACT_EXPIRING},  {DECISION_EXPIRED, 0, ARTEFACT_EXPIRED},
        {DECISION_WITHDRAWN, 1, ARTEFACT_VERIFIED}, {DECISION_GONE, 0, ARTEFACT_GONE},
    };
    Store *s = open_store();
    Usec adopted = WALL_UNKNOWN;
    const char *word = "?";
    add(s, 1, ARN("1"), ARTEFACT_VERIFIED);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(stock_done) Stock stock = {};
        decide(s, ARN("1"), rows[i].decision, T0 + (Usec)i);
        if (rows[i].decision == DECISION_ADOPTED)
            adopted = T0 + (Usec)i;
        else
            word = decision_to_string(rows[i].decision);
        read_stock(s, TABLE_ARN, &stock);
        assert_int_equal(stock.n_items, rows[i].n_stock);
        if (stock.n_items == 0)
            continue;
        assert_int_equal(stock.items[0].artefact->life, rows[i].life);
        assert_string_equal(decision_to_string(stock.items[0].decision), word); /* what people say is no decision */
        assert_string_equal(stock.items[0].decision_why, "because");
        assert_int_equal(stock.items[0].adopted_wall, adopted);
    }
    store_close(s);
}

static int count(void *context, Usec wall, const char *decision, const char *why, const char *who) {
    Decision d;
    assert_int_equal(decision_from_string(decision, &d), 0);
    assert_int_equal(wall, T0 + *(int *)context);
    assert_string_equal(why, d == DECISION_HELD ? "for the auditors" : "because");
    assert_true(text_equal(who, d == DECISION_HELD ? "anna" : NULL));
    ++*(int *)context;
    return 0;
}

static void holds_come_and_go(void **state) {
    Store *s = open_store();
    add(s, 1, ARN("1"), ARTEFACT_VERIFIED);
    decide(s, ARN("1"), DECISION_KEPT, T0);
    LedgerBatch b = {};
    assert_int_equal(stock_put_hold(&b.stock, ARN("1"), T0 + 10, "for the auditors", "anna"), 0);
    assert_int_equal(stock_put_decision(&b.stock, ARN("1"), DECISION_HELD, "for the auditors", "anna"), 0);
    commit(s, &b, T0 + 1);
    CLEANUP(stock_done) Stock held = {};
    read_stock(s, TABLE_ARN, &held);
    assert_true(stock_is_held(&held.items[0], T0 + 9));
    assert_false(stock_is_held(&held.items[0], T0 + 10));
    assert_string_equal(held.items[0].hold_why, "for the auditors");
    assert_string_equal(held.items[0].hold_who, "anna");
    assert_int_equal(held.items[0].decision, DECISION_KEPT);

    assert_int_equal(stock_put_hold(&b.stock, ARN("1"), USEC_INFINITY, "for good", "bert"), 0);
    commit(s, &b, T0 + 2);
    CLEANUP(stock_done) Stock longer = {};
    read_stock(s, TABLE_ARN, &longer);
    assert_true(stock_is_held(&longer.items[0], WALL_MAX));
    assert_string_equal(longer.items[0].hold_who, "bert");

    assert_int_equal(stock_put_hold(&b.stock, ARN("1"), WALL_UNKNOWN, NULL, NULL), 0);
    commit(s, &b, T0 + 3);
    CLEANUP(stock_done) Stock released = {};
    read_stock(s, TABLE_ARN, &released);
    assert_false(stock_is_held(&released.items[0], T0));
    assert_null(released.items[0].hold_who);
    store_close(s);

    StoreRead *read = NULL;
    AUTO_FREE char *error = NULL;
    int n = 0;
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    assert_int_equal(store_read_decisions(read, ARN("1"), count, &n), 0);
    assert_int_equal(n, 2);
    CLEANUP(stock_done) Stock seen = {};
    assert_int_equal(store_read_stock(read, TABLE_ARN "/backup/", &seen), 0);
    assert_int_equal(seen.n_items, 1);
    store_read_close(read);
}

/* A base and two links on it: what they are known by, and what a check and a decision change. */
static void exports_and_their_chains(void **state) {
    Store *s = open_store();
    add(s, 1, TABLE_ARN "/export/1", ARTEFACT_VERIFIED);
    Chain chain = {.id = 5, .state = CHAIN_GROWING, .account = (char *)"own", .region = (char *)"eu-central-1",
                   .table = (char *)"orders", .schedule = (char *)"half", .table_id = (char *)"table-id",
                   .table_arn = (char *)TABLE_ARN, .base_run_id = 1, .base_arn = (char *)TABLE_ARN "/export/1",
                   .start_wall = T0 - 60, .covered_wall = T0, .end_wall = USEC_INFINITY, .begun_wall = T0,
                   .settled_wall = WALL_UNKNOWN};
    Chain *chains[] = {&chain};
    LedgerBatch b = {.wall = T0, .chains = chains, .n_chains = 1};
    assert_int_equal(store_commit(s, &b), 0);
    for (int i = 2; i <= 3; i++) {
        CLEANUP(run_free_ptr) Run *r = NULL;
        assert_int_equal(run_new(i, &r), 0);
        r->state = RUN_SUCCEEDED;
        r->action = ACTION_INCREMENTAL;
        r->chain_id = 5;
        r->name = text_format("token-%d", i);
        r->from_wall = T0 + i * 1000;
        r->to_wall = r->slot_wall = T0 + i * 1000 + 900;
        r->attempt = i;
        r->settled_wall = T0;
        r->artefact = calloc(1, sizeof *r->artefact);
        assert_non_null(r->artefact);
        *r->artefact = (Artefact){.run_id = i, .action = ACTION_INCREMENTAL, .life = ARTEFACT_VERIFIED,
                                  .arn = text_format(TABLE_ARN "/export/%d", i), .created_wall = r->to_wall,
                                  .finished_wall = WALL_UNKNOWN, .verified_wall = T0 + 7, .size_bytes = COUNT_UNKNOWN,
                                  .item_count = COUNT_UNKNOWN, .summary_md5 = copy("sum"), .files_md5 = copy("files")};
        Run *links[] = {r};
        b = (LedgerBatch){.wall = T0, .links = links, .n_links = 1};
        assert_int_equal(store_commit(s, &b), 0);
        free(r->artefact->summary_md5); /* the first that were recorded stay */
        r->artefact->summary_md5 = copy("other");
        assert_int_equal(store_commit(s, &b), 0);
    }
    b = (LedgerBatch){};
    assert_int_equal(stock_put_check(&b.stock, &(StockCheck){.arn = (char *)TABLE_ARN "/export/1", .passed = true,
                                                             .level = VERIFY_OBJECTS, .found = (char *)"all",
                                                             .summary_md5 = (char *)"one", .files_md5 = (char *)"two"}),
                     0);
    assert_int_equal(stock_put_decision(&b.stock, TABLE_ARN "/export/3", DECISION_EXPIRING, "beyond", NULL), 0);
    commit(s, &b, T0 + 9);
    CLEANUP(stock_done) Stock stock = {};
    assert_int_equal(store_stock(s, TABLE_ARN "/export/", &stock), 0);
    assert_int_equal(stock.n_items, 3);
    const StockItem *base = &stock.items[0], *link = &stock.items[1];
    assert_true(base->chain_is_open);
    assert_null(base->base_arn);
    assert_int_equal(base->artefact->verified_wall, T0 + 9);
    assert_string_equal(base->artefact->summary_md5, "one");
    assert_string_equal(base->artefact->files_md5, "two");
    assert_string_equal(link->base_arn, TABLE_ARN "/export/1");
    assert_string_equal(link->schedule, "half");
    assert_string_equal(link->table, "orders");
    assert_string_equal(link->intended_name, "token-2");
    assert_string_equal(link->artefact->name, "token-2");
    assert_int_equal(link->artefact->action, ACTION_INCREMENTAL);
    assert_true(link->chain_is_open);
    assert_int_equal(link->slot_wall, T0 + 2900);
    assert_int_equal(link->from_wall, T0 + 2000);
    assert_int_equal(link->chain_start_wall, T0 - 60);
    assert_int_equal(link->attempt, 2);
    assert_string_equal(link->artefact->summary_md5, "sum");
    assert_int_equal(stock.items[2].artefact->life, ARTEFACT_EXPIRING);
    assert_int_equal(stock.items[2].decision, DECISION_EXPIRING);
    chain.state = CHAIN_CLOSED;
    chain.settled_wall = T0 + 10;
    b = (LedgerBatch){.wall = T0, .chains = chains, .n_chains = 1};
    assert_int_equal(store_commit(s, &b), 0);
    b = (LedgerBatch){};
    assert_int_equal(stock_put_check(&b.stock,
                                     &(StockCheck){.arn = (char *)TABLE_ARN "/export/2", .found = (char *)"gone"}),
                     0);
    commit(s, &b, T0 + 11);
    stock_done(&stock);
    assert_int_equal(store_stock(s, TABLE_ARN "/export/", &stock), 0);
    assert_int_equal(stock.n_items, 2); /* the damaged link is none any more */
    assert_false(stock.items[0].chain_is_open);
    Ledger l = {};
    assert_int_equal(store_load(s, &l), 0);
    assert_int_equal(l.stock.expiring.n_items, 1);
    assert_string_equal(l.stock.expiring.items[0].artefact->arn, TABLE_ARN "/export/3");
    ledger_done(&l);
    store_close(s);
}

static void brakes_and_the_switch_come_back(void **state) {
    StockBrake brake = {.account = (char *)"own", .region = (char *)"eu-central-1", .table = (char *)"orders",
                        .schedule = (char *)"nightly", .table_id = (char *)"id", .n_delete = 20, .n_all = 27,
                        .since_wall = T0};
    LedgerBatch b = {.stock.expiry = STOCK_SWITCH_RESUMED, .stock.expiry_who = copy("anna")};
    Store *s = open_store();
    assert_int_equal(stock_put_brake(&b.stock, &brake), 0);
    commit(s, &b, T0 + 1);
    for (int i = 0; i < 2; i++) {
        CLEANUP(ledger_done) Ledger l = {};
        assert_int_equal(store_load(s, &l), 0);
        assert_true(l.stock.expires);
        assert_int_equal(l.stock.expires_wall, T0 + 1);
        assert_string_equal(l.stock.expires_who, "anna");
        assert_int_equal(l.stock.n_brakes, 1);
        const StockBrake *got = &l.stock.brakes[0];
        assert_string_equal(got->account, "own");
        assert_string_equal(got->region, "eu-central-1");
        assert_string_equal(got->table, "orders");
        assert_string_equal(got->schedule, "nightly");
        assert_string_equal(got->table_id, "id");
        assert_true(text_equal(got->who, i ? "anna" : NULL));
        assert_int_equal(got->n_delete, 20);
        assert_int_equal(got->n_all, 27);
        assert_int_equal(got->n_confirmed, i ? 20 : 0);
        assert_int_equal(got->since_wall, T0);
        brake.n_confirmed = 20;
        brake.who = (char *)"anna";
        assert_int_equal(stock_put_brake(&b.stock, &brake), 0);
        commit(s, &b, T0 + 2);
    }
    brake.n_delete = 0;
    b.stock.expiry = STOCK_SWITCH_PAUSED;
    assert_int_equal(stock_put_brake(&b.stock, &brake), 0);
    commit(s, &b, T0 + 3);
    StockState state_read = {};
    store_close(s);
    StoreRead *read = NULL;
    AUTO_FREE char *error = NULL;
    assert_int_equal(store_read_open(directory, &read, &error), 0);
    assert_int_equal(store_read_stock_state(read, &state_read), 0);
    assert_false(state_read.expires);
    assert_int_equal(state_read.expires_wall, T0 + 3);
    assert_int_equal(state_read.n_brakes, 0);
    stock_state_done(&state_read);
    store_read_close(read);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

UNIT_MAIN(IN_DIRECTORY(the_stock_is_what_is_finished), IN_DIRECTORY(decisions_move_an_artefact),
          IN_DIRECTORY(holds_come_and_go), IN_DIRECTORY(exports_and_their_chains),
          IN_DIRECTORY(brakes_and_the_switch_come_back))
