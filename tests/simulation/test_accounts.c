/* Two accounts, three regions: what is wrong with one delays no other, and is said once. */

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

#define ACCOUNTS                                                                                                       \
    "deployment = \"acme\";\n"                                                                                         \
    "accounts = {\n"                                                                                                   \
    "  shop = { regions = \"ap-south-1\"; };\n"                                                                        \
    "  prod = { role_arn = \"arn:aws:iam::111111111111:role/ddbackupd\";\n"                                            \
    "           regions = [\"eu-central-1\", \"us-east-1\"]; };\n"                                                     \
    "};\n"

static const char conf[] = ACCOUNTS
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; };\n"
                           "  hourly = { action = \"backup\"; when = \"hourly\"; max_age = \"3h\"; };\n"
                           "};\n"
                           "tables = (\n"
                           "  { match = \"orders\"; schedules = [\"nightly\", \"hourly\"]; },\n"
                           "  { match = \"app-*\"; schedules = \"nightly\"; }\n"
                           ");\n";
/* Without patterns nothing is listed, and the time has to be asked for. */
static const char names_alone[] = ACCOUNTS "schedules = { hourly = { action = \"backup\"; when = \"hourly\"; }; };\n"
                                           "tables = ( { match = \"orders\"; schedules = \"hourly\"; } );\n";
static const char *const tables[] = {"orders", "app-1", "app-2", NULL};

static House *a_house(const char *text, const char *broken, const char *undelayed) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = text, .start_wall = START + USEC_PER_HOUR / 2,
                                          .tables = tables, .latency_usec = 200 * USEC_PER_MSEC, .broken = broken});
    book_hold_undelayed(house_book(h), undelayed);
    if (broken)
        house_set_secret(h, "this is not it");
    return h;
}

/* Of a day, in one place. */
enum { PER_DAY = 3 + 24 };

static void all_is_well(void **state) {
    House *h = a_house(conf, NULL, "*");
    assert_int_equal(house_run(h, START + 3 * USEC_PER_DAY + USEC_PER_HOUR / 2, 0), 0);
    assert_int_equal(house_audit(h, USEC_PER_MINUTE), 3 * 3 * PER_DAY);
    const HouseFigures *f = house_figures(h);
    assert_int_equal(f->n_backups, 3 * 3 * PER_DAY);
    assert_int_equal(f->n_failed + f->n_skipped + f->n_ranges, 0);
    assert_int_equal(f->n_said[REPORT_CREDENTIALS] + f->n_said[REPORT_UNREACHABLE], 0);
    assert_int_equal(house_figures(h)->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

static void one_account_is_broken(void **state) {
    House *h = a_house(conf, "shop", "prod/*");
    const HouseFigures *f = house_figures(h);
    assert_int_equal(house_run(h, START + USEC_PER_DAY + USEC_PER_HOUR / 2, 0), 0);
    assert_int_equal(f->n_succeeded, 2 * PER_DAY);
    assert_int_equal(f->n_said[REPORT_CREDENTIALS], 1);
    assert_int_equal(f->n_said[REPORT_DEFERRED] + f->n_said[REPORT_DISCOVERY_FAILED], 0);
    house_set_secret(h, NULL); /* what waits does not wait for its turn */
    assert_int_equal(house_run(h, START + USEC_PER_DAY + USEC_PER_HOUR / 2 + 20 * USEC_PER_SEC, 0), 0);
    assert_int_equal(f->n_succeeded, 2 * PER_DAY + 1);
    assert_int_equal(house_run(h, START + 3 * USEC_PER_DAY + USEC_PER_HOUR / 2, 0), 0);
    house_audit(h, USEC_PER_MINUTE);
    assert_true(f->n_succeeded >= 2 * 3 * PER_DAY + 2 * PER_DAY);
    assert_int_equal(f->n_said[REPORT_CREDENTIALS], 1);
    assert_int_equal(f->n_said[REPORT_REACHED], 1);
    assert_int_equal(f->n_said[REPORT_RECOVERED], 1);
    assert_int_equal(house_figures(h)->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

static void one_region_is_down(void **state) {
    House *h = a_house(conf, NULL, "*/[ea][up]-*"); /* eu-central-1, ap-south-1 */
    const HouseFigures *f = house_figures(h);
    world_set_cut(house_world(h), "us-east-1");
    assert_int_equal(house_run(h, START + 7 * USEC_PER_HOUR + USEC_PER_HOUR / 2, 0), 0);
    assert_int_equal(f->n_succeeded, 2 * (1 + 7 + 2)); /* nightly of orders, hourly, app-1 and app-2 */
    assert_int_equal(f->n_said[REPORT_UNREACHABLE], 1);
    assert_int_equal(f->n_said[REPORT_DEFERRED] + f->n_said[REPORT_DISCOVERY_FAILED], 0);
    world_set_cut(house_world(h), NULL);
    assert_int_equal(house_run(h, START + USEC_PER_DAY + USEC_PER_HOUR / 2, 0), 0);
    house_audit(h, USEC_PER_MINUTE);
    assert_int_equal(f->n_said[REPORT_REACHED], 1);
    assert_int_equal(f->n_said[REPORT_UNREACHABLE], 1);
    assert_int_equal(house_figures(h)->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

/* The place that is asked for the time first is the one that does not answer. */
static void the_first_region_is_down_at_start(void **state) {
    House *h = a_house(names_alone, NULL, "prod/*");
    world_set_cut(house_world(h), "ap-south-1");
    assert_int_equal(house_run(h, START + 6 * USEC_PER_HOUR, 0), 0);
    assert_int_equal(house_figures(h)->n_succeeded, 2 * 5);
    assert_int_equal(house_figures(h)->n_said[REPORT_CLOCK_UNKNOWN], 0);
    assert_int_equal(house_figures(h)->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(all_is_well), cmocka_unit_test(one_account_is_broken), cmocka_unit_test(one_region_is_down),
          cmocka_unit_test(the_first_region_is_down_at_start))
