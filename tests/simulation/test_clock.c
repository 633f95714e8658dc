/* Hosts whose clock is wrong, is set, or jumps: slots fall due by trusted time alone. */

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY

static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"27h\"; };\n"
                           "  full = { action = \"export\"; when = \"03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "};\n"
                           "tables = ( { match = \"orders\"; schedules = [\"nightly\", \"full\"]; } );\n";
static const char *const tables[] = {"orders:pitr", NULL};

static House *house(void) {
    return house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC});
}

/* At boot the clock says another time; an hour of true time later it is set. */
static void wrong_at_boot(void **state) {
    static const Usec offsets[] = {365 * DAY, -365 * DAY, 10 * HOUR, -10 * HOUR, 6 * USEC_PER_MINUTE};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        House *h = house();
        house_run(h, START + HOUR / 2, 0);
        world_set_offset(house_world(h), offsets[i]);
        house_sleep(h, START + HOUR);
        house_run(h, START + 4 * HOUR, 0);
        house_expect_made(h, 0, 0);
        world_set_offset(house_world(h), 0);
        house_run(h, START + 5 * HOUR, 0);
        house_expect_made(h, 1, 1);
        house_run(h, START + 3 * DAY + 5 * HOUR, 0);
        house_expect_made(h, 4, 4);
        house_audit(h, USEC_PER_MINUTE);
        house_free(h);
    }
}

/* The very first start happens with a clock that is ahead: nothing waits for that time to come. */
static void wrong_at_first_sight(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .offset_usec = 365 * DAY});
    house_run(h, START + HOUR, 0);
    world_set_offset(house_world(h), 0);
    house_run(h, START + DAY + 5 * HOUR, 0);
    house_expect_made(h, 2, 2);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 0);
    house_free(h);
}

/* Set while it runs, by so much, at every minute of a quarter of an hour around the slots. */
static void set_while_it_runs(void **state) {
    static const Usec steps[] = {10 * HOUR,  -10 * HOUR,          365 * DAY,
                                 -365 * DAY, 4 * USEC_PER_MINUTE, -4 * USEC_PER_MINUTE};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        for (int minute = -3; minute < 12; minute++) {
            House *h = house();
            Usec at = START + 3 * HOUR + minute * USEC_PER_MINUTE + 300 * USEC_PER_MSEC;
            house_run(h, at, 0);
            world_set_offset(house_world(h), steps[i]);
            house_run(h, at + 2 * HOUR, 0);
            world_set_offset(house_world(h), 0);
            house_run(h, START + DAY + 5 * HOUR, 0);
            house_expect_made(h, 2, 2);
            house_audit(h, USEC_PER_MINUTE);
            const HouseFigures *f = house_figures(h);
            house_expect_count(h, "a run failed or was skipped", f->n_failed + f->n_skipped, 0);
            house_free(h);
        }
}

/* Set wrong for good while a run is under way: it is finished all the same, signed by the service's time. */
static void wrong_under_way(void **state) {
    static const Usec offsets[] = {10 * HOUR, -10 * HOUR, 365 * DAY, -365 * DAY};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        House *h = house();
        house_run(h, START + 3 * HOUR + 2 * USEC_PER_SEC, 0);
        world_set_offset(house_world(h), offsets[i]);
        house_run(h, START + 4 * HOUR, 0);
        house_expect(h, "full", "orders", START + 3 * HOUR, RUN_SUCCEEDED);
        house_run(h, START + DAY + 4 * HOUR, 0);
        house_expect_made(h, 1, 1);
        house_free(h);
    }
}

/* Off for a week, off for a year: one catch-up, and the rest is one range. */
static void off_for_long(void **state) {
    static const int days[] = {7, 365};
    for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
        House *h = house();
        house_run(h, START + 5 * HOUR, 0);
        house_sleep(h, START + days[i] * DAY + 12 * HOUR);
        house_run(h, START + days[i] * DAY + 13 * HOUR, 0);
        house_expect_made(h, 2, 2);
        house_audit(h, USEC_PER_MINUTE);
        house_expect_count(h, "a range was recorded", house_figures(h)->n_ranges, 2);
        house_free(h);
    }
}

/* What does not catch up is still missing: no slot that was left out makes a table fresh. */
static void off_without_catching_up(void **state) {
    static const char late[] = "deployment = \"acme\";\n"
                               "schedules = { nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"27h\";\n"
                               "                          catch_up = \"none\"; }; };\n"
                               "tables = ( { match = \"orders\"; schedules = [\"nightly\"]; } );\n";
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = late, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 5 * HOUR, 0);
    house_sleep(h, START + 3 * DAY + 5 * HOUR);
    house_run(h, START + 4 * DAY + HOUR, 0);
    house_expect_made(h, 1, 0);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 1);
    house_run(h, START + 4 * DAY + 5 * HOUR, 0);
    house_expect_made(h, 2, 0);
    house_audit(h, USEC_PER_MINUTE);
    house_expect_count(h, "recovered was said", house_figures(h)->n_recovered_said, 1);
    house_expect_count(h, "a range was recorded", house_figures(h)->n_ranges, 1);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(wrong_at_boot), cmocka_unit_test(wrong_at_first_sight), cmocka_unit_test(set_while_it_runs),
          cmocka_unit_test(wrong_under_way), cmocka_unit_test(off_for_long), cmocka_unit_test(off_without_catching_up))
