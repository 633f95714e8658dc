/* The life of links after they were made: what is found damaged, or gone, is exported again while it can be, and lost
 * when it cannot; what the service never finishes is asked for once more. Never do two of a window count. */

#include "base/text.h"
#include "chains.h"
#include "core/aws/retry.h"
#include "house.h"
#include "others.h"
#include "replay.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z, a Monday */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define BEHIND (80 * MINUTE)
#define BUCKET "acme-bucket"

static const char conf[] =
    "deployment = \"acme\";\n"
    "defaults = { s3 = { bucket = \"" BUCKET "\"; }; verify = \"manifest\"; reverify = \"18h\"; };\n"
    "schedules = {\n"
    "  full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
    "  hourly = { action = \"incremental\"; base = \"full\"; when = \"*:00\"; max_age = \"2h\"; on_lost = \"full\";\n"
    "             finish_within = \"6h\"; };\n"
    "};\n"
    "tables = ( { match = \"orders\"; schedules = [\"full\", \"hourly\"]; } );\n";

static House *house_of(uint64_t seed, const char *replay) {
    static const char *const tables[] = {"orders:pitr", NULL};
    return house_new(&(HouseSettings){.seed = seed, .conf = conf, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = seed % 2, .replay = replay});
}

static void set_days(House *h, int days) {
    char body[256];
    snprintf(body, sizeof body,
             "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true,"
             "\"RecoveryPeriodInDays\":%d}}",
             days);
    free(others_call(h, "UpdateContinuousBackups", body));
}

/* People write and delete items all the time. */
static void live(House *h, Usec until_wall, uint64_t *random) {
    World *w = house_world(h);
    char mark[32];
    for (Usec at; (at = world_true_wall(w)) < until_wall;) {
        Usec next = usec_min(until_wall, at + HOUR);
        house_run(h, next, MINUTE);
        snprintf(mark, sizeof mark, "%" PRId64, next);
        int64_t first = (int64_t)(retry_random(random) % 60);
        if (service_write_items(world_service(w), "eu-central-1", "orders", first, 3,
                                retry_random(random) % 4 ? mark : NULL, world_true_wall(w)) < 0)
            house_violated(h, "items cannot be written");
    }
}

/* Somebody deletes the list of its objects. */
static void damage(House *h, int64_t chain, size_t n) {
    World *w = house_world(h);
    const char *arn = chain_book_export(book_chains(house_book(h)), chain, n);
    if (!arn)
        house_violated(h, "chain %d has no export %zu", (int)chain, n);
    AUTO_FREE char *key = text_format("AWSDynamoDB/%s/manifest-files.json", strrchr(arn, '/') + 1);
    if (service_write_object(world_service(w), BUCKET, key, NULL, 0, world_true_wall(w)) < 0)
        house_violated(h, "there is no %s", key);
}

static ChainTally audit(House *h) {
    house_audit(h, DAY + HOUR);
    ChainTally t = chain_book_audit(book_chains(house_book(h)), "hourly", "orders",
                                    world_true_wall(house_world(h)) - BEHIND);
    house_expect_count(h, "a chain restored the table", replay_chains(h, "hourly", "orders", BUCKET),
                       t.n_chains - t.n_void);
    return t;
}

static size_t n_said(const House *h, ReportKind kind) { return house_figures(h)->n_said[kind]; }

static Usec watermark(const House *h) { return chain_book_watermark(book_chains(house_book(h)), "hourly", "orders"); }

/* Three links, one of them twice, are exported again, and the chain restores what it did. */
static void damaged_links_are_exported_again(void **state) {
    uint64_t random = 1;
    House *h = house_of(1, NULL);
    live(h, START + 2 * DAY, &random);
    damage(h, 1, 5);
    damage(h, 1, 20);
    damage(h, 1, 44); /* the watermark goes back over what has come since */
    live(h, START + 3 * DAY, &random);
    house_expect_count(h, "damaged was said", n_said(h, REPORT_DAMAGED), 3);
    house_expect_count(h, "it is whole again", watermark(h) > START + 3 * DAY - BEHIND, 1);
    damage(h, 1, 5);
    live(h, START + 4 * DAY, &random);
    house_expect_count(h, "damaged was said", n_said(h, REPORT_DAMAGED), 4);
    house_expect_count(h, "recovered was said", house_figures(h)->n_recovered_said, house_figures(h)->n_stale_said);
    ChainTally t = audit(h);
    house_expect_count(h, "time was lost", t.n_losses, 0);
    house_expect_count(h, "a link failed", t.n_failed, 0);
    house_free(h);
}

/* While it is not mended the table is not as fresh as it was. */
static void damage_makes_stale(void **state) {
    uint64_t random = 2;
    House *h = house_of(2, NULL);
    live(h, START + 2 * DAY, &random);
    house_add_fault(h, "ExportTableToPointInTime times=forever fail-export S3AccessDenied");
    damage(h, 1, 25);
    live(h, START + 2 * DAY + 20 * HOUR, &random);
    if (watermark(h) > START + 26 * HOUR)
        house_violated(h, "the watermark stays beyond what is damaged");
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 1);
    house_clear_faults(h);
    live(h, START + 3 * DAY, &random);
    house_expect_count(h, "recovered was said", house_figures(h)->n_recovered_said, 1);
    house_expect_count(h, "time was lost", audit(h).n_losses, 0);
    house_free(h);
}

/* The table can be restored for a day alone: what is damaged and older is lost, up to a new base. */
static void damage_that_is_too_old_is_lost(void **state) {
    uint64_t random = 3;
    House *h = house_of(3, NULL);
    live(h, START + 2 * DAY, &random);
    set_days(h, 1);
    damage(h, 1, 10);
    live(h, START + 4 * DAY, &random);
    house_expect_count(h, "lost was said", n_said(h, REPORT_CHAIN_LOST), 1);
    if (!strstr(book_last_said(house_book(h), REPORT_CHAIN_LOST), "what was exported is damaged or gone, and"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_CHAIN_LOST));
    ChainTally t = audit(h);
    house_expect_count(h, "a chain was begun", t.n_chains, 2);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    if (t.lost_usec < DAY || t.lost_usec > 3 * DAY)
        house_violated(h, "another time was lost");
    house_free(h);
}

/* The same of a chain that was complete: it comes back, and is complete again, or loses its end, and no other chain
 * has to do with it. */
static void complete_chains_come_back(void **state) {
    for (int days = 35; days > 0; days -= 34) {
        uint64_t random = 4;
        House *h = house_of(4 + (uint64_t)days, NULL);
        live(h, START + 7 * DAY, &random);
        set_days(h, days);
        damage(h, 1, 100);
        damage(h, 1, 101);
        live(h, START + 8 * DAY, &random);
        house_expect_count(h, "damaged was said", n_said(h, REPORT_DAMAGED), 2);
        house_expect_count(h, "lost was said", n_said(h, REPORT_CHAIN_LOST), days == 1);
        house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 0);
        ChainTally t = audit(h);
        house_expect_count(h, "a chain was begun", t.n_chains, 2);
        house_expect_count(h, "time was lost", t.n_losses, days == 1);
        house_free(h);
    }
}

/* Without its base a chain restores nothing: the growing one makes way for a new one, a complete one is gone. */
static void damaged_bases_end_their_chains(void **state) {
    uint64_t random = 5;
    House *h = house_of(5, NULL);
    live(h, START + 7 * DAY, &random);
    damage(h, 1, 0);
    live(h, START + 8 * DAY, &random);
    house_expect_count(h, "damaged was said", n_said(h, REPORT_DAMAGED), 1);
    house_expect_count(h, "lost was said", n_said(h, REPORT_CHAIN_LOST), 1);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 0);
    damage(h, 2, 0);
    live(h, START + 9 * DAY, &random);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 1);
    house_expect_count(h, "recovered was said", house_figures(h)->n_recovered_said, 1);
    ChainTally t = audit(h);
    house_expect_count(h, "a chain was begun", t.n_chains, 3);
    house_expect_count(h, "a chain is void", t.n_void, 2);
    house_expect_count(h, "time was lost", t.n_losses, 2);
    house_free(h);
}

/* The service never finishes one of them, and says so of none: its window is had by another, in time. */
static void unfinished_links_are_asked_for_again(void **state) {
    static const struct {
        const char *fault;
        int days;
        size_t n_overdue;
        Usec there_wall; /* by then the chain has passed it */
    } rows[] = {
        {"ExportTableToPointInTime times=1 hold-export 20h", 35, 1, 7 * HOUR},
        {"ExportTableToPointInTime times=1 hold-export 52w", 35, 1, 7 * HOUR},
        /* it completes before the next one does, which is not needed then */
        {"ExportTableToPointInTime times=1 hold-export 6h10min\n"
         "ExportTableToPointInTime times=5 hold-export 1s\nExportTableToPointInTime times=2 hold-export 3h",
         35, 1, 7 * HOUR},
        {"ExportTableToPointInTime times=1 hold-export 5h", 35, 0, 6 * HOUR},
        /* half of what is left of a day is more than the six hours */
        {"ExportTableToPointInTime times=1 hold-export 52w", 1, 1, 7 * HOUR},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t random = 6;
        House *h = house_of(60 + i, NULL);
        set_days(h, rows[i].days);
        live(h, START + DAY, &random);
        house_add_fault(h, rows[i].fault);
        live(h, START + DAY + rows[i].there_wall, &random);
        house_expect_count(h, "overdue was said", n_said(h, REPORT_OVERDUE), rows[i].n_overdue);
        if (watermark(h) < START + DAY + rows[i].there_wall - 2 * HOUR)
            house_violated(h, "row %zu: the chain waits for it", i);
        house_clear_faults(h);
        live(h, START + 2 * DAY + 2 * HOUR, &random);
        ChainTally t = audit(h);
        house_expect_count(h, "time was lost", t.n_losses, 0);
        house_expect_count(h, "a chain was begun", t.n_chains, 1);
        house_expect_count(h, "a link was outrun", t.n_failed, rows[i].n_overdue);
        house_free(h);
    }
}

/* Behind as it is, it waits for no six hours: half of the time that is left must do for another attempt. */
static void short_of_time_it_waits_less(void **state) {
    uint64_t random = 7;
    House *h = house_of(7, NULL);
    live(h, START + DAY, &random);
    set_days(h, 1);
    house_sleep(h, START + DAY + 14 * HOUR);
    house_add_fault(h, "ExportTableToPointInTime times=1 hold-export 52w");
    live(h, START + DAY + 20 * HOUR, &random);
    house_expect_count(h, "overdue was said", n_said(h, REPORT_OVERDUE), 1);
    house_expect_count(h, "time was lost", audit(h).n_losses, 0);
    house_free(h);
}

/* All of it, and the host dies again and again. */
static void everything_and_crashes(void **state) {
    uint64_t n = (uint64_t)house_number("DDB_LINK_SEEDS", 1), first = (uint64_t)house_number("DDB_SEED", 111);
    for (uint64_t seed = first; seed < first + n; seed++) {
        uint64_t random = seed;
        char replay[64];
        snprintf(replay, sizeof replay, "DDB_LINK_SEEDS=1 DDB_SEED=%" PRIu64, seed);
        House *h = house_of(seed, replay);
        live(h, START + DAY, &random);
        for (int day = 1; day < 10; day++) {
            char line[100];
            Usec mark = watermark(h);
            world_crash_at(house_world(h), 1 + retry_random(&random) % 900);
            snprintf(line, sizeof line, "ExportTableToPointInTime after=%d times=%d hold-export %dh",
                     (int)(retry_random(&random) % 40), 1 + (int)(retry_random(&random) % 2),
                     1 + (int)(retry_random(&random) % 30));
            house_add_fault(h, line);
            if (mark != WALL_UNKNOWN && day % 2)
                damage(h, chain_book_last(book_chains(house_book(h))), retry_random(&random) % 20);
            if (day % 5 == 0)
                set_days(h, day == 5 ? 1 : 35);
            live(h, START + (day + 1) * DAY, &random);
        }
        house_clear_faults(h);
        live(h, START + 12 * DAY, &random);
        ChainTally t = audit(h);
        printf("seed %" PRIu64 ": %zu chains (%zu void), %zu links (%zu failed), %zu losses; %zu damaged, %zu "
               "overdue\n",
               seed, t.n_chains, t.n_void, t.n_links, t.n_failed, t.n_losses, n_said(h, REPORT_DAMAGED),
               n_said(h, REPORT_OVERDUE));
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(damaged_links_are_exported_again), cmocka_unit_test(damage_makes_stale),
          cmocka_unit_test(damage_that_is_too_old_is_lost), cmocka_unit_test(complete_chains_come_back),
          cmocka_unit_test(damaged_bases_end_their_chains), cmocka_unit_test(unfinished_links_are_asked_for_again),
          cmocka_unit_test(short_of_time_it_waits_less), cmocka_unit_test(everything_and_crashes))
