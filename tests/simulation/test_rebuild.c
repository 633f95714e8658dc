/* The ledger is lost, at whatever moment: what is found again goes on where it was. No window is exported twice, no
 * base is made anew, nothing is missed, and what was lost stays lost (book.h, chains.h). */

#include "base/text.h"
#include "chains.h"
#include "house.h"
#include "others.h"
#include "rebuilds.h"
#include "recalls.h"
#include "replay.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z, a Monday */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define BEHIND (50 * MINUTE)

static const char conf[] = "deployment = \"acme\";\n"
                           "defaults = { s3 = { bucket = \"acme-bucket\"; }; verify = \"objects\"; };\n"
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; };\n"
                           "  full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
                           "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; \n"
                           "           max_age = \"90min\"; on_lost = \"full\"; };\n"
                           "};\n"
                           "tables = ( { match = \"orders\"; schedules = [\"nightly\", \"full\", \"half\"]; } );\n";
static const char *const tables[] = {"orders:pitr", NULL};

static House *house_of(uint64_t seed, bool power_cuts, const char *replay) {
    return house_new(&(HouseSettings){.seed = seed, .conf = conf, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = power_cuts, .replay = replay});
}

/* All is well: so many chains, and so many spans of lost time. */
static void expect(House *h, size_t n_chains, size_t n_losses) {
    Usec now = world_true_wall(house_world(h));
    ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders", now - BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, n_chains);
    house_expect_count(h, "time was lost", t.n_losses, n_losses);
    house_expect_count(h, "a chain restored the table", replay_chains(h, "half", "orders", "acme-bucket"), n_chains);
}

/* At any minute of the first hours: while the base is made, checked, recorded, and links after it. */
static void at_any_minute(void **state) {
    Usec step = house_number("DDB_STRIDE", 7) * MINUTE;
    for (Usec at = 20 * MINUTE; at < 4 * HOUR; at += step) {
        char replay[64];
        snprintf(replay, sizeof replay, "lost after %d min", (int)(at / MINUTE));
        House *h = house_of((uint64_t)(at / MINUTE), false, replay);
        house_add_fault(h, "ExportTableToPointInTime after=3 times=1 fail-export UNKNOWN");
        house_run(h, START + at, 0);
        rebuilds_lost_ledger(h);
        house_run(h, START + 6 * HOUR, 0);
        expect(h, 1, 0);
        house_expect_count(h, "something more was found", rebuilds_again(h), 0);
        house_free(h);
    }
}

/* The host dies at its n-th point, and its disk with it; what had left it arrives. */
static void at_any_point(void **state) {
    uint64_t n_points = 1, step = (uint64_t)house_number("DDB_STRIDE", 23);
    for (uint64_t at = 0; at < n_points; at += step) {
        char replay[64];
        snprintf(replay, sizeof replay, "lost at point %" PRIu64, at);
        House *h = house_of(10 + at, false, replay);
        if (at > 0)
            world_crash_at(house_world(h), at);
        if (house_run_to_crash(h, START + 3 * HOUR)) {
            house_wait(h, world_true_wall(house_world(h)) + MINUTE);
            rebuilds_lost_ledger(h);
        }
        house_run(h, START + 5 * HOUR, 0);
        expect(h, 1, 0);
        if (at == 0)
            n_points = world_n_points(house_world(h)) * 3 / 5;
        house_free(h);
    }
}

static void set_recovery(House *h, bool on) {
    AUTO_FREE char *body =
        text_format("{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":"
                    "{\"PointInTimeRecoveryEnabled\":%s}}", on ? "true" : "false");
    free(others_call(h, "UpdateContinuousBackups", body));
}

/* Weeks with bases after each other and a loss in each of two; the ledger is lost on every day of them. */
static void weeks_of_losses(void **state) {
    House *h = house_of(3, true, NULL);
    for (int day = 0; day < 16; day++) {
        house_run(h, START + day * DAY + 10 * HOUR, 0);
        if (day % 7 == 4) {
            set_recovery(h, false);
            house_run(h, START + day * DAY + 11 * HOUR, 0);
            set_recovery(h, true);
        }
        if (day > 0)
            rebuilds_lost_ledger(h);
    }
    house_run(h, START + 16 * DAY, 0);
    recalls_expect(h, "half", "orders", HOUR);
    expect(h, 5, 2); /* the first, two after losses, two of Sundays */
    house_audit(h, DAY + HOUR);
    house_free(h);
}

/* S3 takes no record for a day: whatever is found again is checked again, and what is bad is bad. */
static void without_records(void **state) {
    House *h = house_of(4, false, NULL);
    house_add_fault(h, "PutObject times=forever error AccessDenied 403");
    house_run(h, START + 9 * HOUR, 0);
    size_t n_exports = house_figures(h)->n_exports;
    house_add_fault(h, "HeadObject after=12 times=1 error NoSuchKey 404"); /* of what lies there */
    rebuilds_lost_ledger(h);
    house_run(h, START + 9 * HOUR + 20 * MINUTE, 0);
    /* the next link, and another attempt at the one that is bad */
    house_expect_count(h, "an export was made", house_figures(h)->n_exports - n_exports, 2);
    house_clear_faults(h);
    house_run(h, START + 12 * HOUR, 0);
    recalls_expect(h, "half", "orders", 2 * HOUR);
    expect(h, 1, 0);
    house_free(h);
}

/* The table is another one since; what the first had is found again, too. */
static void another_table_of_the_name(void **state) {
    House *h = house_of(5, false, NULL);
    house_run(h, START + DAY, 0);
    others_recreate_table(h, "orders");
    house_run(h, START + DAY + 10 * MINUTE, 0);
    set_recovery(h, true);
    house_run(h, START + 2 * DAY, 0);
    rebuilds_lost_ledger(h);
    house_run(h, START + 3 * DAY, 0);
    recalls_expect(h, "half", "orders", HOUR);
    ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders", START + 3 * DAY - BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 2);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    house_free(h);
}

/* The host is repaired two days later. */
static void after_days(void **state) {
    House *h = house_of(6, false, NULL);
    house_run(h, START + DAY, 0);
    house_lose_ledger(h);
    house_wait(h, START + 3 * DAY);
    house_expect_count(h, "nothing was found again", rebuilds_again(h) > 0, 1);
    house_run(h, START + 4 * DAY, 0);
    expect(h, 1, 0); /* it can be restored for 35 days: the chain covers the pause */
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(at_any_minute), cmocka_unit_test(at_any_point), cmocka_unit_test(weeks_of_losses),
          cmocka_unit_test(without_records), cmocka_unit_test(another_table_of_the_name),
          cmocka_unit_test(after_days))
