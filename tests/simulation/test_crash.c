/* The crash walk: a day of backups and an export, and the host dies at its n-th point, for all n: by kill -9 and by a
 * power cut. DDB_STRIDE walks every so many-th point (default 5). */

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; spread = \"10min\"; max_age = \"27h\"; };\n"
                           "  full = { action = \"export\"; when = \"03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "};\n"
                           "tables = ( { match = [\"orders\", \"app-*\"]; schedules = [\"nightly\"]; },\n"
                           "           { match = \"orders\"; schedules = [\"full\"]; } );\n";
static const char *const tables[] = {"orders:pitr", "app-1", "app-2", NULL};

/* The points of a day when nothing crashes. */
static uint64_t day(uint64_t crash_at, bool power_cuts) {
    House *h = house_new(&(HouseSettings){.seed = 1 + crash_at, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = power_cuts});
    world_crash_at(house_world(h), crash_at);
    int n_crashes = house_run(h, START + 12 * USEC_PER_HOUR, USEC_PER_MINUTE);
    assert_int_equal(n_crashes, crash_at > 0);
    size_t n = house_audit(h, USEC_PER_MINUTE);
    const HouseFigures *f = house_figures(h);
    assert_int_equal(n, 4);
    assert_int_equal(f->n_backups, 3);
    assert_int_equal(f->n_exports, 1);
    uint64_t n_points = world_n_points(house_world(h));
    house_free(h);
    return n_points;
}

static void walk(bool power_cuts) {
    const char *stride = getenv("DDB_STRIDE");
    uint64_t n_points = day(0, power_cuts), step = stride ? strtoull(stride, NULL, 10) : 5, n_walked = 0;
    for (uint64_t n = 1; n < n_points - 1; n += step, n_walked++)
        day(n, power_cuts);
    printf("%s: %" PRIu64 " of %" PRIu64 " crash points walked, 0 lost, 0 doubled\n", power_cuts ? "power cut" : "kill -9",
           n_walked, n_points);
}

static void killed_at_every_point(void **state) { walk(false); }
static void power_cut_at_every_point(void **state) { walk(true); }

UNIT_MAIN(cmocka_unit_test(killed_at_every_point), cmocka_unit_test(power_cut_at_every_point))
