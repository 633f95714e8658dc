/* A disk that fills up or fails to sync, at every write and every sync of a day: what could not be committed was not
 * sent, and nothing is lost or made twice. DDB_STRIDE walks every so many-th (default 5); DDB_FAIL_AT walks that one
 * alone. */

#include "disk.h"
#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define FULL_USEC (10 * USEC_PER_MINUTE)           /* until somebody makes room */

static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = {\n"
                           "  hourly = { action = \"backup\"; when = \"0/3:00\"; };\n"
                           "  full = { action = \"export\"; when = \"03:00\"; s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "};\n"
                           "tables = ( { match = [\"orders\", \"app-1\"]; schedules = [\"hourly\"]; },\n"
                           "           { match = \"orders\"; schedules = [\"full\"]; } );\n";
static const char *const tables[] = {"orders:pitr", "app-1", NULL};

typedef struct Way {
    const char *what;
    void (*fail_at)(uint64_t n);
    uint64_t (*n_so_far)(void);
    bool power_cuts; /* with the process goes what was not synced */
} Way;

static const Way ways[] = {
    {"full", disk_fill_at, disk_n_writes, false},
    {"full, then a power cut", disk_fill_at, disk_n_writes, true},
    {"sync fails", disk_fail_sync_at, disk_n_syncs, false},
    {"sync fails, then a power cut", disk_fail_sync_at, disk_n_syncs, true},
};

/* Returns how many writes or syncs there are in the day. */
static uint64_t day(const Way *way, uint64_t fail_at) {
    char replay[64];
    snprintf(replay, sizeof replay, "DDB_FAIL_AT=%" PRIu64, fail_at);
    House *h = house_new(&(HouseSettings){.seed = 1 + fail_at, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = way->power_cuts,
                                          .replay = replay});
    uint64_t before = way->n_so_far();
    way->fail_at(fail_at);
    for (Usec at = START; at < START + 10 * USEC_PER_HOUR; at += FULL_USEC) {
        house_run(h, at, USEC_PER_MINUTE);
        if (disk_has_failed())
            disk_fill_at(0);
    }
    uint64_t n = way->n_so_far() - before;
    house_run(h, START + 11 * USEC_PER_HOUR, 0);
    if (fail_at > 0 && !disk_has_failed())
        house_violated(h, "the disk never failed");
    if (house_audit(h, USEC_PER_MINUTE) != 7)
        house_violated(h, "disk %s: %zu runs have succeeded, not 7", way->what, house_figures(h)->n_succeeded);
    house_expect_made(h, 6, 1);
    house_free(h);
    return n;
}

static void failing_at_every_point(void **state) {
    long only = house_number("DDB_FAIL_AT", -1);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (only >= 0) {
            day(&ways[i], (uint64_t)only);
            continue;
        }
        uint64_t n_points = day(&ways[i], 0), step = (uint64_t)house_number("DDB_STRIDE", 5), n_walked = 0;
        if (ways[i].n_so_far == disk_n_syncs && step < 20) /* there are few */
            step = 1;
        for (uint64_t n = 1; n <= n_points; n += step, n_walked++)
            day(&ways[i], n);
        printf("disk %s: %" PRIu64 " of %" PRIu64 " points walked, 0 lost, 0 doubled\n", ways[i].what, n_walked,
               n_points);
    }
}

UNIT_MAIN(cmocka_unit_test(failing_at_every_point))
