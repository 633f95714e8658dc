/* A service that is slow, busy or away, and credentials that are wrong: what fails is one target's or one day's, and it
 * is said. */

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define SLOT (START + 2 * HOUR)
#define N_MANY 60

static const char *const tables[] = {"orders:pitr", NULL};
static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"27h\"; };\n"
                           "  full = { action = \"export\"; when = \"03:00\"; max_age = \"27h\";\n"
                           "           s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "};\n"
                           "tables = ( { match = \"*\"; schedules = [\"nightly\"]; },\n"
                           "           { match = \"orders\"; schedules = [\"full\"]; } );\n";

static House *house(size_t n_more_tables) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                          .n_more_tables = n_more_tables, .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, SLOT - MINUTE, 0);
    return h;
}

/* All but the stuck one have succeeded. */
static void expect_others(House *h, int stuck) {
    for (int i = 0; i < N_MANY; i++) {
        char table[32];
        snprintf(table, sizeof table, "many-%03d", i);
        if (i != stuck)
            house_expect(h, "nightly", table, SLOT, RUN_SUCCEEDED);
    }
    house_expect(h, "nightly", "orders", SLOT, RUN_SUCCEEDED);
}

/* One table's calls hang, fail or get nowhere: the others are done at their usual time. */
static void one_stuck_target(void **state) {
    static const char *const faults[] = {
        "DescribeTable times=forever table=many-000 delay 25s",
        "DescribeTable times=forever table=many-000 error InternalServerError 500",
        "CreateBackup times=forever table=many-000 delay 10min",
        "CreateBackup times=forever table=many-000 drop-before",
        "CreateBackup times=forever table=many-000 error BackupInUseException",
        "DescribeBackup times=forever table=many-000 status CREATING",
        "DescribeBackup times=forever table=many-000 delay 25s",
        "DescribeBackup times=forever table=many-000 garbage",
    };
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        House *h = house(N_MANY);
        house_add_fault(h, faults[i]);
        house_run(h, SLOT + MINUTE, 0);
        expect_others(h, 0);
        house_clear_faults(h);
        house_run(h, SLOT + 20 * HOUR, 0);
        house_expect(h, "nightly", "many-000", SLOT, RUN_SUCCEEDED);
        house_audit(h, MINUTE);
        house_free(h);
    }
}

/* A service that refuses everything for a while is asked less and less, and loses nothing. */
static void throttle_storm(void **state) {
    static const char *const faults[] = {"* times=400 error ThrottlingException", "* times=400 html",
                                         "CreateBackup times=200 error LimitExceededException"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        House *h = house(N_MANY);
        house_add_fault(h, faults[i]);
        house_run(h, SLOT + 20 * HOUR, 0);
        expect_others(h, -1);
        house_expect_made(h, N_MANY + 1, 1);
        house_audit(h, MINUTE);
        house_free(h);
    }
}

/* Everything is due at once after a week: the book counts the calls of each second. */
static void week_off(void **state) {
    House *h = house(N_MANY);
    house_sleep(h, START + 7 * DAY + 12 * HOUR);
    house_run(h, START + 7 * DAY + 13 * HOUR, 0);
    house_expect_made(h, N_MANY + 1, 1);
    house_expect_count(h, "the service throttled", house_figures(h)->n_throttled, 0);
    house_audit(h, MINUTE);
    house_free(h);
}

/* Wrong credentials defer; the right ones are tried as soon as they are there. */
static void credentials_rotated(void **state) {
    ServiceSettings right = service_settings_default();
    House *h = house(0);
    house_set_secret(h, "wrong/secret/of/nobody/at/all/0000000000");
    house_run(h, SLOT + 2 * HOUR - 90 * SEC, 0);
    house_expect_made(h, 0, 0);
    int is = book_state(house_book(h), "nightly", "orders", SLOT);
    if (is < 0 || is >= RUN_SUCCEEDED)
        house_violated(h, "wrong credentials did not defer");
    house_set_secret(h, right.secret_key);
    house_run(h, world_true_wall(house_world(h)) + 20 * SEC, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_SUCCEEDED);
    house_run(h, SLOT + 3 * HOUR, 0);
    house_expect_made(h, 1, 1);
    house_audit(h, MINUTE);
    house_free(h);
}

/* Wrong ones for days: each slot ends in a skip with its reason; stale is said once a day, and its end once. */
static void credentials_wrong_for_days(void **state) {
    ServiceSettings right = service_settings_default();
    House *h = house(0);
    house_run(h, START + 12 * HOUR, 0);
    house_set_secret(h, "wrong/secret/of/nobody/at/all/0000000000");
    house_run(h, START + 5 * DAY + 12 * HOUR, 0);
    const HouseFigures *f = house_figures(h);
    house_expect_count(h, "a run was skipped", f->n_skipped, 2 * 5);
    if (!strstr(book_last_said(house_book(h), REPORT_SKIPPED), "InvalidSignatureException"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_SKIPPED));
    house_expect_count(h, "stale was said", f->n_stale_said, 2 * 5);
    house_set_secret(h, right.secret_key);
    house_run(h, START + 7 * DAY, 0);
    house_expect_count(h, "recovered was said", f->n_recovered_said, 2);
    house_audit(h, MINUTE);
    house_free(h);
}

/* The network is away for days, and the daemon starts without it. */
static void no_network(void **state) {
    House *h = house(0);
    house_run(h, START + 12 * HOUR, 0);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){[WORLD_REFUSED] = 1000});
    house_sleep(h, START + 13 * HOUR);
    house_run(h, START + 5 * DAY + 12 * HOUR, 0);
    house_expect_made(h, 1, 1);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    house_run(h, START + 6 * DAY + 12 * HOUR, 0);
    house_expect_made(h, 3, 3);
    house_expect_count(h, "recovered was said", house_figures(h)->n_recovered_said, 2);
    house_audit(h, MINUTE);
    house_free(h);
}

/* A listing of tables that fails takes no table out of its schedules. */
/* The run that met the trouble is over, and nothing else asks the service for a day: its end is seen all the same. */
static void nothing_is_due_at_its_end(void **state) {
    static const char named[] = "deployment = \"acme\";\n"
                                "schedules = { nightly = { action = \"backup\"; when = \"02:00\";\n"
                                "                          start_within = \"1h\"; }; };\n"
                                "tables = ( { match = \"orders\"; schedules = \"nightly\"; } );\n";
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = named, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, SLOT - MINUTE, 0);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){[WORLD_REFUSED] = 1000});
    house_run(h, SLOT + 2 * HOUR, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_SKIPPED);
    house_expect_count(h, "trouble was said", house_figures(h)->n_said[REPORT_UNREACHABLE], 1);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    house_run(h, SLOT + 2 * HOUR + 2 * MINUTE, 0);
    house_expect_count(h, "its end was said", house_figures(h)->n_said[REPORT_REACHED], 1);
    size_t n_calls = house_figures(h)->n_calls;
    house_run(h, SLOT + 12 * HOUR, 0);
    house_expect_count(h, "calls after it", house_figures(h)->n_calls - n_calls, 0);
    house_free(h);
}

static void tables_not_listed(void **state) {
    House *h = house(N_MANY);
    house_add_fault(h, "ListTables times=forever error InternalServerError 500");
    house_run(h, SLOT + DAY + HOUR, 0);
    house_expect_made(h, 2 * (N_MANY + 1), 1);
    house_audit(h, MINUTE);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(one_stuck_target), cmocka_unit_test(throttle_storm), cmocka_unit_test(week_off),
          cmocka_unit_test(credentials_rotated), cmocka_unit_test(credentials_wrong_for_days),
          cmocka_unit_test(no_network), cmocka_unit_test(nothing_is_due_at_its_end),
          cmocka_unit_test(tables_not_listed))
