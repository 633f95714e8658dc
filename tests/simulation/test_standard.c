/* A standard day and a month without trouble: what every other scenario starts from. */

#include <time.h>

#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = {\n"
    "  nightly = { action = \"backup\"; when = \"02:00\"; spread = \"1h\"; max_age = \"27h\"; };\n"
    "  hourly = { action = \"backup\"; when = \"hourly\"; max_age = \"3h\"; };\n"
    "  weekly = { action = \"export\"; when = \"Sun 03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
    "};\n"
    "tables = (\n"
    "  { match = \"orders\"; schedules = [\"nightly\", \"hourly\", \"weekly\"]; },\n"
    "  { match = \"app-*\"; schedules = [\"nightly\"]; }\n"
    ");\n";
static const char *const tables[] = {"orders:pitr", "app-1", "app-2", NULL};

static void a_month_in_the_sun(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 28 * USEC_PER_DAY + USEC_PER_HOUR / 2, 0);
    size_t n = house_audit(h, USEC_PER_MINUTE);
    const HouseFigures *f = house_figures(h);
    house_expect_count(h, "a run succeeded", n, f->n_runs);
    house_expect_made(h, 28 * 3 + 28 * 24, 4);
    house_expect_count(h, "a run failed or was skipped, or a range was recorded",
                       f->n_failed + f->n_skipped + f->n_ranges, 0);
    house_expect_count(h, "the service throttled", f->n_throttled, 0);
    house_expect_count(h, "stale was said", f->n_stale_said, 0);
    house_expect_count(h, "it crashed", f->n_crashes, 0);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(a_month_in_the_sun))
