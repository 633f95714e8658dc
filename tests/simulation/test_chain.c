/* Chains of incremental exports, whatever happens to them: windows are adjacent and disjoint, the watermark covers
 * verified links alone, and every second from the first base on is covered or recorded as lost. */

#include "chains.h"
#include "core/retry.h"
#include "house.h"
#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z, a Monday */
#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
/* How far behind a chain is when all is well: half an hour to the next slot, five minutes until that can be restored, and
 * what an export takes; and some patience. */
#define BEHIND (50 * MINUTE)

static const char conf[] = "deployment = \"acme\";\n"
                           "defaults = { s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "schedules = {\n"
                           "  full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
                           "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; max_age = \"90min\";\n"
                           "           on_lost = \"full\"; };\n"
                           "};\n"
                           "tables = ( { match = \"orders\"; schedules = [\"full\", \"half\"]; } );\n";
static const char *const tables[] = {"orders:pitr", NULL};

static House *house_of(const char *text, uint64_t seed) {
    return house_new(&(HouseSettings){.seed = seed, .conf = text, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC});
}

static ChainTally audit(House *h, Usec behind_usec) {
    house_audit(h, DAY + HOUR);
    ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders",
                                    world_true_wall(house_world(h)) - behind_usec);
    printf("%zu chains, %zu links (%zu failed), %zu losses; covered %.1f h, lost %.1f h\n", t.n_chains, t.n_links,
           t.n_failed, t.n_losses, (double)t.covered_usec / HOUR, (double)t.lost_usec / HOUR);
    return t;
}

static void a_fortnight_in_the_sun(void **state) {
    House *h = house_of(conf, 1);
    house_run(h, START + 14 * DAY, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 3);
    house_expect_count(h, "a link failed", t.n_failed, 0);
    house_expect_count(h, "time was lost", t.n_losses, 0);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 0);
    house_expect_count(h, "behind was said", house_figures(h)->n_said[REPORT_CHAIN_BEHIND], 0);
    house_free(h);
}

static void set_recovery(House *h, bool on, int days) {
    char body[256];
    snprintf(body, sizeof body,
             on ? "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true,"
                  "\"RecoveryPeriodInDays\":%d}}"
                : "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":false}}",
             days);
    free(others_call(h, "UpdateContinuousBackups", body));
}

/* Sixty days in which everything happens: exports fail, replies are lost, the host is off for 20 hours and for 3 days with
 * a horizon of 2, recovery is switched off and on. */
static void sixty_days(void **state) {
    uint64_t seed = (uint64_t)house_number("DDB_SEED", 1), random = seed;
    char replay[64];
    snprintf(replay, sizeof replay, "DDB_SEED=%" PRIu64, seed);
    House *h = house_new(&(HouseSettings){.seed = seed, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .replay = replay});
    int faults[WORLD_FAULTS] = {[WORLD_REPLY_LOST] = 20, [WORLD_RESET_AFTER] = 20, [WORLD_RESET_BEFORE] = 10,
                                [WORLD_REQUEST_LATE] = 5};
    world_set_faults(house_world(h), faults);
    set_recovery(h, true, 2);
    for (int day = 0; day < 60; day++) {
        Usec from = START + day * DAY;
        char line[100];
        snprintf(line, sizeof line, "ExportTableToPointInTime after=%d times=%d fail-export UNKNOWN",
                 (int)(retry_random(&random) % 40), 1 + (int)(retry_random(&random) % 3));
        house_add_fault(h, line);
        if (day == 10)
            house_sleep(h, from + 20 * HOUR);
        if (day == 20)
            house_sleep(h, from + 3 * DAY);
        if (day == 30 || day == 44) {
            house_run(h, from + 10 * HOUR, 0);
            set_recovery(h, false, 0);
            house_run(h, from + (day == 30 ? 10 * HOUR + MINUTE : 20 * HOUR), 0);
            set_recovery(h, true, 2);
        }
        house_run(h, from + DAY, 0);
    }
    house_clear_faults(h);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    house_run(h, START + 60 * DAY + 4 * HOUR, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "time was lost", t.n_losses, 3);
    if (t.n_failed < 30)
        house_violated(h, "only %zu links failed", t.n_failed);
    /* three days less what a horizon of two would have kept; and from the watermark to the base after it */
    if (t.lost_usec > 3 * DAY + DAY + 4 * HOUR || t.covered_usec < 55 * DAY)
        house_violated(h, "more was lost than had to be");
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(a_fortnight_in_the_sun), cmocka_unit_test(sixty_days))
