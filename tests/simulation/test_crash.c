/* The crash walk: a day of backups and an export, and the host dies at its n-th point, for all n: by kill -9 and by a
 * power cut. DDB_STRIDE walks every so many-th point (default: each); DDB_CRASH_AT walks that one alone, with
 * DDB_POWER_CUT=1 by a power cut. */

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = {\n"
    "  nightly = { action = \"backup\"; when = \"02:00\"; spread = \"10min\"; max_age = \"27h\"; };\n"
    "  full = { action = \"export\"; when = \"03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
    "};\n"
    "tables = ( { match = [\"orders\", \"app-*\"]; schedules = [\"nightly\"]; },\n"
    "           { match = \"orders\"; schedules = [\"full\"]; } );\n";
static const char *const tables[] = {"orders:pitr", "app-1", "app-2", NULL};

/* The points of a day when nothing crashes. */
static uint64_t day(uint64_t crash_at, bool power_cuts) {
    char replay[64];
    snprintf(replay, sizeof replay, "DDB_CRASH_AT=%" PRIu64 " DDB_POWER_CUT=%d", crash_at, power_cuts);
    House *h = house_new(&(HouseSettings){.seed = 1 + crash_at, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = power_cuts,
                                          .replay = replay});
    world_crash_at(house_world(h), crash_at);
    int n_crashes = house_run(h, START + 12 * USEC_PER_HOUR, USEC_PER_MINUTE);
    if (n_crashes != (crash_at > 0))
        house_violated(h, "it crashed %d times", n_crashes);
    size_t n = house_audit(h, USEC_PER_MINUTE);
    if (n != 4)
        house_violated(h, "%zu runs have succeeded, not 4", n);
    house_expect_made(h, 3, 1);
    uint64_t n_points = world_n_points(house_world(h));
    house_free(h);
    return n_points;
}

static void walk(bool power_cuts) {
    long only = house_number("DDB_CRASH_AT", -1);
    if (only >= 0) {
        if (house_number("DDB_POWER_CUT", 0) == power_cuts)
            day((uint64_t)only, power_cuts);
        return;
    }
    uint64_t n_points = day(0, power_cuts), step = (uint64_t)house_number("DDB_STRIDE", 1), n_walked = 0;
    for (uint64_t n = 1; n < n_points - 1; n += step, n_walked++)
        day(n, power_cuts);
    printf("%s: %" PRIu64 " of %" PRIu64 " crash points walked, 0 lost, 0 doubled\n",
           power_cuts ? "power cut" : "kill -9", n_walked, n_points);
}

static void killed_at_every_point(void **state) { walk(false); }
static void power_cut_at_every_point(void **state) { walk(true); }

UNIT_MAIN(cmocka_unit_test(killed_at_every_point), cmocka_unit_test(power_cut_at_every_point))
