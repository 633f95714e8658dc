/* What people ask for: runs outside the calendar, and pauses. */

#include "chains.h"
#include "house.h"

#include "base/text.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define SLOT (START + 2 * HOUR)
#define N_MANY 700 /* more than a turn takes */

static const char *const tables[] = {"orders:pitr", NULL};
static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = {\n"
    "  nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"27h\"; spread = \"30min\"; };\n"
    "  none = { action = \"backup\"; when = \"05:00\"; catch_up = \"none\"; };\n"
    "  full = { action = \"export\"; when = \"Sun 03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
    "};\n"
    "tables = ( { match = \"*\"; schedules = [\"nightly\"]; },\n"
    "           { match = \"orders\"; schedules = [\"full\", \"none\"]; } );\n";

static House *house(size_t n_more_tables) {
    House *h = house_new(&(HouseSettings){.seed = 1,
                                          .conf = conf,
                                          .start_wall = START,
                                          .tables = tables,
                                          .n_more_tables = n_more_tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + HOUR, 0);
    return h;
}

static Order *run_order(const char *schedule, const char *table) {
    Order *o;
    assert_int_equal(order_new(ORDER_RUN, &o), 0);
    assert_int_equal(text_set(&o->object, schedule), 0);
    assert_int_equal(text_set(&o->table, table), 0);
    return o;
}

static Order *pause_order(Usec until_wall) {
    Order *o;
    assert_int_equal(order_new(ORDER_PAUSE, &o), 0);
    o->until_wall = until_wall;
    return o;
}

static Order *resume_order(void) {
    Order *o;
    assert_int_equal(order_new(ORDER_RESUME, &o), 0);
    return o;
}

/* It begins at once, whatever the spread; the calendar goes on as if nothing had been. */
static void a_run_outside_the_calendar(void **state) {
    House *h = house(0);
    Usec at = START + HOUR;
    assert_int_equal(house_order(h, run_order("nightly", NULL)), ORDER_DONE);
    house_run(h, at + MINUTE, 0);
    house_expect(h, "nightly", "orders", at, RUN_SUCCEEDED);
    house_expect_made(h, 1, 0);
    assert_int_equal(house_order(h, run_order("full", "orders")), ORDER_DONE);
    assert_int_equal(house_order(h, run_order("full", "orders")), ORDER_UNCHANGED); /* it is under way */
    house_run(h, at + HOUR / 2, 0);
    house_expect(h, "full", "orders", at + MINUTE, RUN_SUCCEEDED);
    assert_int_equal(house_order(h, run_order("full", "or?ers")), ORDER_DONE);
    assert_int_equal(house_order(h, run_order("full", "other")), ORDER_NOT_FOUND);
    assert_int_equal(house_order(h, run_order("fulll", NULL)), ORDER_NOT_FOUND);
    house_run(h, START + 12 * HOUR, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_SUCCEEDED);
    house_expect_made(h, 3, 2);
    house_audit(h, MINUTE);
    house_free(h);
}

/* Orders at the very second of a slot have seconds of their own, and the slot has its run. */
static void orders_beside_a_slot(void **state) {
    House *h = house(0);
    house_run(h, START + 5 * HOUR, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(house_order(h, run_order("none", "orders")), i == 0 ? ORDER_UNCHANGED : ORDER_DONE);
        house_run(h, world_true_wall(house_world(h)) + 10 * SEC, 0);
    }
    house_expect(h, "none", "orders", START + 5 * HOUR, RUN_SUCCEEDED);
    house_run(h, START + 12 * HOUR, 0);
    house_expect_made(h, 4, 0);
    house_audit(h, MINUTE);
    house_free(h);
}

/* An order is more than a turn takes: it has one answer, and each table one run, over a crash, too. */
static void an_order_for_many_tables(void **state) {
    House *h = house(N_MANY);
    assert_int_equal(house_order(h, run_order("nightly", "many-*")), ORDER_DONE);
    house_sleep(h, START + HOUR + MINUTE);
    house_run(h, START + HOUR + 50 * MINUTE, 0);
    house_expect_made(h, N_MANY, 0);
    house_expect(h, "nightly", "many-699", START + HOUR, RUN_SUCCEEDED);
    house_audit(h, 0);
    house_free(h);
}

/* What waits after a refusal is tried at once. */
static void an_order_hurries_what_waits(void **state) {
    House *h = house(0);
    house_add_fault(h, "CreateBackup times=6 error LimitExceededException");
    house_run(h, SLOT + 31 * MINUTE, 0);
    house_clear_faults(h);
    assert_int_equal(house_order(h, run_order("nightly", "orders")), ORDER_UNCHANGED);
    house_run(h, world_true_wall(house_world(h)) + 10 * SEC, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_SUCCEEDED);
    house_free(h);
}

/* Nothing begins, over restarts; then the newest slot is caught up with. */
static void a_pause_with_its_end(void **state) {
    House *h = house(20);
    assert_int_equal(house_order(h, pause_order(START)), ORDER_REFUSED);
    assert_int_equal(house_order(h, pause_order(START + 60 * DAY)), ORDER_REFUSED);
    assert_int_equal(house_order(h, pause_order(START + 3 * DAY)), ORDER_DONE);
    assert_int_equal(house_order(h, run_order("nightly", NULL)), ORDER_REFUSED);
    house_run(h, START + DAY, 0);
    house_sleep(h, START + DAY + HOUR);
    house_run(h, START + 3 * DAY - MINUTE, 0);
    house_expect_made(h, 0, 0);
    house_run(h, START + 4 * DAY, 0);
    house_expect(h, "nightly", "many-000", SLOT + 2 * DAY, RUN_SUCCEEDED);
    house_expect(h, "nightly", "many-000", SLOT + 3 * DAY, RUN_SUCCEEDED);
    house_expect_made(h, 2 * 21 + 1, 0);
    house_audit(h, MINUTE);
    house_free(h);
}

/* What has begun goes on; what was to be asked waits until it is resumed. */
static void a_pause_in_the_middle(void **state) {
    House *h = house(0);
    house_add_fault(h, "CreateBackup times=6 error LimitExceededException");
    assert_int_equal(house_order(h, run_order("full", "orders")), ORDER_DONE);
    house_run(h, SLOT + 31 * MINUTE, 0);
    assert_int_equal(house_order(h, run_order("full", "orders")), ORDER_DONE);
    assert_int_equal(house_order(h, pause_order(START + 20 * HOUR)), ORDER_DONE);
    house_clear_faults(h);
    house_run(h, START + 4 * HOUR, 0);
    house_expect(h, "full", "orders", SLOT + 31 * MINUTE, RUN_SUCCEEDED);
    house_expect_made(h, 0, 2);
    assert_int_equal(house_order(h, resume_order()), ORDER_DONE);
    assert_int_equal(house_order(h, resume_order()), ORDER_UNCHANGED);
    house_run(h, START + 4 * HOUR + MINUTE, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_SUCCEEDED);
    house_audit(h, MINUTE);
    house_free(h);
}

static const char half_conf[] =
    "deployment = \"acme\";\n"
    "defaults = { s3 = { bucket = \"acme-bucket\"; }; };\n"
    "schedules = { full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
    "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; on_lost = \"full\"; }; };\n"
    "tables = ( { match = \"orders\"; schedules = [\"full\", \"half\"]; } );\n";

/* A slot that waits for its chain asks for nothing itself: not when a pause ends, nor when somebody orders it. */
static void slots_of_a_chain(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = half_conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 2 * HOUR + MINUTE, 0);
    size_t n_exports = house_figures(h)->n_exports;
    assert_int_equal(house_order(h, pause_order(START + 3 * HOUR + 10 * MINUTE)), ORDER_DONE);
    house_run(h, START + 3 * HOUR + 9 * MINUTE, 0);
    house_expect_made(h, 0, n_exports);
    house_run(h, START + 3 * HOUR + 25 * MINUTE, 0);
    house_expect(h, "half", "orders", START + 3 * HOUR, RUN_SUCCEEDED);
    house_expect_made(h, 0, n_exports + 1);
    (void)house_order(h, run_order("half", NULL)); /* the latter of the two may find the former's run */
    (void)house_order(h, run_order("half", NULL));
    house_run(h, START + 4 * HOUR + 20 * MINUTE, 0);
    ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders", START + 4 * HOUR);
    house_expect_count(h, "an export was made that is no link", house_figures(h)->n_exports - t.n_chains - t.n_links,
                       0);
    house_audit(h, 20 * MINUTE);
    house_free(h);
}

static const char daily_conf[] =
    "deployment = \"acme\";\n"
    "defaults = { s3 = { bucket = \"acme-bucket\"; }; };\n"
    "schedules = { full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
    "  day = { action = \"incremental\"; base = \"full\"; when = \"12:00\"; on_lost = \"full\"; spread = \"6h\";\n"
    "          not_during = \"13:00..20:00\"; }; };\n"
    "tables = ( { match = \"orders\"; schedules = [\"full\", \"day\"]; } );\n";

/* A link up to now, which is no slot of the calendar, also where not_during holds; the next one begins there. Twice in
 * a row the second lasts 15 minutes, which is the least. */
static void a_link_by_order(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = daily_conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + DAY + 14 * HOUR, 0);
    size_t n_exports = house_figures(h)->n_exports;
    assert_int_equal(house_order(h, run_order("day", NULL)), ORDER_DONE);
    assert_int_equal(house_order(h, run_order("day", NULL)), ORDER_UNCHANGED);
    house_expect(h, "day", "orders", START + DAY + 14 * HOUR, RUN_DUE);
    house_run(h, START + DAY + 14 * HOUR + 15 * MINUTE, 0);
    house_expect(h, "day", "orders", START + DAY + 14 * HOUR, RUN_SUCCEEDED);
    house_expect_made(h, 0, n_exports + 2); /* that of noon, and the rest */
    assert_int_equal(house_order(h, run_order("day", NULL)), ORDER_DONE);
    house_run(h, START + DAY + 14 * HOUR + 19 * MINUTE, 0);
    house_expect_made(h, 0, n_exports + 2); /* it cannot be restored to its end yet */
    house_run(h, START + DAY + 14 * HOUR + 30 * MINUTE, 0);
    house_expect(h, "day", "orders", START + DAY + 14 * HOUR + 15 * MINUTE, RUN_SUCCEEDED);
    house_expect_made(h, 0, n_exports + 3);
    house_run(h, START + 2 * DAY + 21 * HOUR, 0);
    house_expect(h, "day", "orders", START + 2 * DAY + 12 * HOUR, RUN_SUCCEEDED);
    chain_book_audit(book_chains(house_book(h)), "day", "orders", START + 2 * DAY + 12 * HOUR);
    house_audit(h, 20 * MINUTE);
    house_free(h);
}

/* A pause that has run out is told of once, and no restart tells of it again. */
static void a_pause_of_long_ago(void **state) {
    House *h = house(0);
    const HouseFigures *f = house_figures(h);
    assert_int_equal(house_order(h, pause_order(START + 3 * HOUR)), ORDER_DONE);
    house_sleep(h, START + 2 * HOUR);
    house_run(h, START + 4 * HOUR, 0);
    house_expect_count(h, "a pause was said", f->n_said[REPORT_PAUSED], 2);
    house_expect_count(h, "its end was said", f->n_said[REPORT_RESUMED], 1);
    house_sleep(h, START + 5 * HOUR);
    house_run(h, START + 6 * HOUR, 0);
    house_expect_count(h, "a pause was said", f->n_said[REPORT_PAUSED], 2);
    house_expect_count(h, "its end was said", f->n_said[REPORT_RESUMED], 1);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(a_run_outside_the_calendar), cmocka_unit_test(orders_beside_a_slot),
          cmocka_unit_test(an_order_for_many_tables), cmocka_unit_test(an_order_hurries_what_waits),
          cmocka_unit_test(a_pause_with_its_end), cmocka_unit_test(a_pause_in_the_middle),
          cmocka_unit_test(slots_of_a_chain), cmocka_unit_test(a_link_by_order),
          cmocka_unit_test(a_pause_of_long_ago))
