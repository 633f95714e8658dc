/* Chains of incremental exports, whatever happens to them: windows are adjacent and disjoint, the watermark covers
 * verified links alone, and every second from the first base on is covered or recorded as lost. */

#include "base/text.h"
#include "chains.h"
#include "core/aws/retry.h"
#include "house.h"
#include "others.h"
#include "rebuilds.h"
#include "recalls.h"
#include "replay.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z, a Monday */
#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
/* How far behind a chain is when all is well: half an hour to the next slot, five minutes until that can be
 * restored, and what an export takes; and some patience. */
#define BEHIND (50 * MINUTE)

static const char conf[] = "deployment = \"acme\";\n"
                           "defaults = { s3 = { bucket = \"acme-bucket\"; }; };\n"
                           "schedules = {\n"
                           "  full = { action = \"export\"; when = \"Sun 03:00\"; };\n"
                           "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; \n"
                           "           max_age = \"90min\"; on_lost = \"full\"; };\n"
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

static void set_recovery(House *h, bool on, int days) { others_set_recovery(h, "orders", on ? days : 0); }

/* A link up to now, if the daemon is up to hear of it. */
static void order_half(House *h) {
    Order *o = NULL;
    if (order_new(ORDER_RUN, &o) < 0 || text_set(&o->object, "half") < 0 || text_set(&o->who, "root") < 0)
        fail();
    house_suggest(h, o);
}

/* People write and delete items all the time, also while the daemon is away, and order links now and then. */
static void live(House *h, Usec until_wall, bool asleep, uint64_t *random) {
    World *w = house_world(h);
    char mark[32];
    for (Usec at; (at = world_true_wall(w)) < until_wall;) {
        Usec next = usec_min(until_wall, at + (Usec)(retry_random(random) % (uint64_t)(2 * HOUR)));
        if (asleep)
            house_sleep(h, next);
        else
            house_run(h, next, MINUTE);
        if (!asleep && retry_random(random) % 16 == 0)
            order_half(h);
        snprintf(mark, sizeof mark, "%" PRId64, next);
        int64_t first = (int64_t)(retry_random(random) % 60), n = 1 + (int64_t)(retry_random(random) % 4);
        if (service_write_items(world_service(w), "eu-central-1", "orders", first, n,
                                retry_random(random) % 4 ? mark : NULL, world_true_wall(w)) < 0)
            house_violated(h, "items cannot be written");
    }
}

/* Sixty days in which everything happens: exports fail, replies are lost, the host dies, and is off for 20 hours and
 * for 3 days with a horizon of 2, recovery is switched off and on. In the end each chain restores the table as it
 * was at its watermark; and at any time what is in the bucket tells of the same time as the ledger. */
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
        if (day % 3 == 1)
            world_crash_at(house_world(h), 1 + retry_random(&random) % 1500);
        if (day == 10)
            live(h, from + 20 * HOUR, true, &random);
        if (day == 20)
            live(h, from + 3 * DAY, true, &random);
        if (day == 30 || day == 44) {
            live(h, from + 10 * HOUR, false, &random);
            set_recovery(h, false, 0);
            live(h, from + (day == 30 ? 10 * HOUR + MINUTE : 20 * HOUR), false, &random);
            if (day == 44) /* what is lost has no end yet */
                recalls_expect(h, "half", "orders", 2 * HOUR);
            set_recovery(h, true, 2);
        }
        live(h, from + DAY, false, &random);
        if (day == 12 || day == 23 || day == 45)
            recalls_expect(h, "half", "orders", 2 * HOUR);
    }
    house_clear_faults(h);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    live(h, START + 60 * DAY + 4 * HOUR, false, &random);
    recalls_expect(h, "half", "orders", HOUR);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain restored the table", replay_chains(h, "half", "orders", "acme-bucket"),
                       t.n_chains - t.n_void);
    house_expect_count(h, "time was lost", t.n_losses, 3);
    if (t.n_failed < 30)
        house_violated(h, "only %zu links failed", t.n_failed);
    /* three days less what a horizon of two would have kept; and from the watermark to the base after it */
    if (t.lost_usec > 3 * DAY + DAY + 4 * HOUR || t.covered_usec < 55 * DAY)
        house_violated(h, "more was lost than had to be");
    house_free(h);
}

/* What is lost is found out whatever has become of the table, and said; what a chain does without a base is as
 * on_lost says. */
static void waits_for_its_base(void **state) {
    AUTO_FREE char *ask = text_format("%s", conf);
    char *word = strstr(ask, "on_lost = \"full\"");
    memcpy(word, "on_lost = \"ask\" ", strlen("on_lost = \"ask\" "));
    House *h = house_of(ask, 2);
    /* the first base is of Sunday */
    house_run(h, START + 6 * DAY, 0);
    house_expect(h, "half", "orders", START + 5 * DAY, RUN_SKIPPED);
    house_expect_made(h, 0, 0);
    house_run(h, START + 8 * DAY, 0);
    house_expect(h, "half", "orders", START + 7 * DAY, RUN_SUCCEEDED);
    /* recovery is off for an hour: the rest of the week is lost */
    set_recovery(h, false, 0);
    house_run(h, START + 8 * DAY + HOUR, 0);
    set_recovery(h, true, 35);
    house_run(h, START + 12 * DAY, 0);
    house_expect(h, "half", "orders", START + 10 * DAY, RUN_FAILED);
    house_expect_count(h, "lost was said", house_figures(h)->n_said[REPORT_CHAIN_LOST], 1);
    if (!strstr(book_last_said(house_book(h), REPORT_CHAIN_LOST), "recovery is off"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_CHAIN_LOST));
    house_run(h, START + 15 * DAY, 0);
    house_expect(h, "half", "orders", START + 14 * DAY, RUN_SUCCEEDED);
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said > 4, 1);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    house_expect_count(h, "a chain was begun", t.n_chains, 2);
    house_free(h);
}

/* The bucket refuses for days: half, a quarter and a tenth of the horizon are said on the way, and then that it is
 * lost. */
static void refused_until_it_is_lost(void **state) {
    House *h = house_of(conf, 3);
    set_recovery(h, true, 2);
    house_run(h, START + 2 * DAY, 0);
    house_add_fault(h, "ExportTableToPointInTime times=forever fail-export S3AccessDenied");
    house_run(h, START + 3 * DAY + 20 * HOUR, 0);
    house_expect_count(h, "behind was said", house_figures(h)->n_said[REPORT_CHAIN_BEHIND], 3);
    house_expect_count(h, "lost was said", house_figures(h)->n_said[REPORT_CHAIN_LOST], 0);
    house_run(h, START + 4 * DAY + 2 * HOUR, 0);
    house_expect_count(h, "lost was said", house_figures(h)->n_said[REPORT_CHAIN_LOST], 1);
    house_clear_faults(h);
    house_run(h, START + 6 * DAY, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    if (t.covered_usec < 3 * DAY)
        house_violated(h, "it does not go on");
    house_free(h);
}

/* One that is refused for a shorter time makes all of it good: eight windows wait, the last of them as wide as need
 * be. */
static void refused_for_a_day(void **state) {
    House *h = house_of(conf, 4);
    set_recovery(h, true, 2);
    house_run(h, START + 2 * DAY, 0);
    house_add_fault(h, "ExportTableToPointInTime times=forever fail-export S3AccessDenied");
    house_run(h, START + 3 * DAY, 0);
    house_clear_faults(h);
    house_run(h, START + 3 * DAY + 2 * HOUR, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "time was lost", t.n_losses, 0);
    house_expect_count(h, "it took few links", t.n_links - t.n_failed < 2 * 48 + 14, 1);
    house_free(h);
}

/* What lies in the bucket is not what was asked for, three times in a row: each attempt is another export. */
static void bad_content(void **state) {
    AUTO_FREE char *checked = text_format("%s", conf);
    char *word = strstr(checked, "max_age = \"90min\"");
    memcpy(word, "verify = \"content\"", strlen("verify = \"content\""));
    House *h = house_of(checked, 11);
    house_run(h, START + 6 * HOUR, 0);
    house_add_fault(h, "GetObject times=3 error NoSuchKey 404");
    house_run(h, START + 12 * HOUR, 0);
    house_add_fault(h, "GetObject times=20 error AccessDenied 403"); /* tells nothing of the content */
    house_run(h, START + 18 * HOUR, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a link failed", t.n_failed, 3);
    house_expect_count(h, "time was lost", t.n_losses, 0);
    house_free(h);
}

/* No chain waits for its records; that they fail is said once, and that none is missing any more. */
static void records_are_refused(void **state) {
    House *h = house_of(conf, 13);
    house_run(h, START + 2 * HOUR, 0);
    house_add_fault(h, "PutObject times=forever error AccessDenied 403");
    house_run(h, START + 10 * HOUR, 0);
    house_expect_count(h, "it was said", house_figures(h)->n_said[REPORT_NOT_RECORDED], 1);
    house_expect_count(h, "it was taken back", house_figures(h)->n_said[REPORT_RECORDED_AGAIN], 0);
    house_clear_faults(h);
    house_run(h, START + 12 * HOUR, 0);
    house_expect_count(h, "it was said", house_figures(h)->n_said[REPORT_NOT_RECORDED], 1);
    house_expect_count(h, "it was taken back", house_figures(h)->n_said[REPORT_RECORDED_AGAIN], 1);
    recalls_expect(h, "half", "orders", HOUR);
    house_expect_count(h, "time was lost", audit(h, BEHIND).n_losses, 0);
    house_free(h);
}

static void another_table_of_the_name(void **state) {
    House *h = house_of(conf, 5);
    house_run(h, START + DAY, 0);
    others_recreate_table(h, "orders");
    house_run(h, START + DAY + 10 * MINUTE, 0);
    set_recovery(h, true, 35);
    house_run(h, START + 2 * DAY, 0);
    house_expect_count(h, "lost was said", house_figures(h)->n_said[REPORT_CHAIN_LOST], 1);
    if (!strstr(book_last_said(house_book(h), REPORT_CHAIN_LOST), "created again"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_CHAIN_LOST));
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 2);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    house_free(h);
}

/* The recovery period is shortened while the chain is behind. */
static void shorter_recovery(void **state) {
    House *h = house_of(conf, 6);
    house_run(h, START + DAY, 0);
    house_sleep(h, START + 4 * DAY);
    set_recovery(h, true, 1);
    house_run(h, START + 5 * DAY, 0);
    if (!strstr(book_last_said(house_book(h), REPORT_CHAIN_LOST), "keeps 1 days"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_CHAIN_LOST));
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "time was lost", t.n_losses, 1);
    house_free(h);
}

/* A table that is too large gets no base unasked. */
static void too_large_a_base(void **state) {
    AUTO_FREE char *small = text_format("%slimits = { max_new_full_bytes = \"600B\"; };\n", conf);
    House *h = house_of(small, 7);
    house_run(h, START + 3 * DAY, 0);
    house_expect_made(h, 0, 0);
    house_expect_count(h, "behind was said", house_figures(h)->n_said[REPORT_CHAIN_BEHIND], 1);
    if (!strstr(book_last_said(house_book(h), REPORT_CHAIN_BEHIND), "max_new_full_bytes is 600B"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_CHAIN_BEHIND));
    house_run(h, START + 7 * DAY, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 1);
    house_free(h);
}

/* A service that does not tell how far back the table can be restored makes nothing lost: the chain waits, and says
 * so. */
static void recovery_is_not_told(void **state) {
    static const struct {
        const char *fault;
        size_t n_behind;
    } rows[] = {{"DescribeContinuousBackups times=forever error AccessDeniedException", 1},
                {"DescribeContinuousBackups times=forever error TableNotFoundException", 0},
                {"DescribeContinuousBackups times=forever error InternalServerError 500", 0},
                {"DescribeContinuousBackups times=forever garbage", 0},
                {"DescribeContinuousBackups times=forever omit PointInTimeRecoveryStatus", 0}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        House *h = house_of(conf, 20 + i);
        house_run(h, START + 6 * HOUR, 0);
        house_add_fault(h, rows[i].fault);
        house_run(h, START + 18 * HOUR, 0);
        house_expect_count(h, "behind was said", house_figures(h)->n_said[REPORT_CHAIN_BEHIND], rows[i].n_behind);
        house_clear_faults(h);
        house_run(h, START + DAY, 0);
        ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders", START + DAY - BEHIND);
        house_expect_count(h, "time was lost", t.n_losses, 0);
        house_free(h);
    }
}

static const char full_alone[] = "deployment = \"acme\";\n"
                                 "defaults = { s3 = { bucket = \"acme-bucket\"; }; };\n"
                                 "schedules = { full = { action = \"export\"; when = \"Sun 03:00\"; }; };\n"
                                 "tables = ( { match = \"orders\"; schedules = \"full\"; } );\n";

/* A chain begins with the export that is there, and covers all time since. */
static void a_base_that_is_there(void **state) {
    char changing[sizeof conf];
    snprintf(changing, sizeof changing, "%s", full_alone);
    House *h = house_of(changing, 9);
    house_run(h, START + 8 * DAY, 0);
    memcpy(changing, conf, sizeof conf);
    house_sleep(h, START + 8 * DAY + HOUR);
    house_run(h, START + 9 * DAY, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 1);
    if (t.covered_usec < 2 * DAY + 20 * HOUR || t.n_losses > 0)
        house_violated(h, "it does not cover the time since its base");
    house_run(h, START + 14 * DAY, 0);
    house_expect_count(h, "a chain was begun", audit(h, BEHIND).n_chains, 2);
    house_free(h);
}

/* The export that is there is older than what the table can be restored to: it begins nothing, and nothing is lost. */
static void a_base_that_is_too_old(void **state) {
    char changing[sizeof conf];
    snprintf(changing, sizeof changing, "%s", full_alone);
    House *h = house_of(changing, 12);
    house_run(h, START + 8 * DAY, 0);
    set_recovery(h, false, 0);
    house_run(h, START + 8 * DAY + HOUR, 0);
    set_recovery(h, true, 35);
    memcpy(changing, conf, sizeof conf);
    house_sleep(h, START + 8 * DAY + 2 * HOUR);
    house_run(h, START + 9 * DAY, 0);
    ChainTally t = audit(h, BEHIND);
    house_expect_count(h, "a chain was begun", t.n_chains, 1);
    house_expect_count(h, "time was lost", t.n_losses, 0);
    house_free(h);
}

/* After an outage those tables come first whose time runs out first. */
static void least_margin_first(void **state) {
    AUTO_FREE char *many = text_format("%stables = ( { match = \"many-*\"; schedules = [\"full\", \"half\"]; } );\n"
                                       "limits = { rate_share = 0.1; };\n",
                                       conf);
    char *own = strstr(many, "tables = (");
    memset(own, ' ', (size_t)(strchr(own, '\n') - own));
    static char names[40][32];
    const char *list[41] = {};
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "many-%03d:pitr", i);
        list[i] = names[i];
    }
    House *h = house_new(&(HouseSettings){.seed = 8, .conf = many, .start_wall = START, .tables = list,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 2 * HOUR, 0);
    for (int i = 0; i < 40; i += 4) { /* these keep a day */
        char body[256];
        snprintf(body, sizeof body, "{\"TableName\":\"many-%03d\",\"PointInTimeRecoverySpecification\":{"
                                    "\"PointInTimeRecoveryEnabled\":true,\"RecoveryPeriodInDays\":1}}", i);
        free(others_call(h, "UpdateContinuousBackups", body));
    }
    house_sleep(h, START + 20 * HOUR);
    house_run(h, START + 20 * HOUR + 6 * MINUTE, 0); /* a link each 20 seconds */
    Usec hurried = USEC_INFINITY;
    int n_waiting = 0;
    for (int i = 0; i < 40; i++) {
        names[i][8] = '\0';
        Usec reach = chain_book_frontier(book_chains(house_book(h)), "half", names[i]);
        if (i % 4 == 0)
            hurried = usec_min(hurried, reach);
        else
            n_waiting += reach < START + 19 * HOUR;
    }
    house_expect_count(h, "other tables waited", n_waiting > 10, 1);
    if (hurried < START + 19 * HOUR)
        house_violated(h, "a table whose time runs out has to wait for others");
    house_run(h, START + DAY, 0);
    for (int i = 0; i < 40; i++)
        house_expect_count(
            h, "time was lost",
            chain_book_audit(book_chains(house_book(h)), "half", names[i], START + 23 * HOUR).n_losses, 0);
    house_free(h);
}

/* A base and three hours of its chain, and the host dies at its n-th point: by kill -9, and by a power cut. */
static void dies_at_every_point(void **state) {
    uint64_t n_points = 1, step = (uint64_t)house_number("DDB_STRIDE", 5);
    for (int power_cuts = 0; power_cuts < 2; power_cuts++)
        for (uint64_t at = 0; at < n_points; at += at == 0 ? 1 + (uint64_t)power_cuts : step) {
            char replay[64];
            snprintf(replay, sizeof replay, "crash at %" PRIu64 ", power cut %d", at, power_cuts);
            House *h = house_new(&(HouseSettings){.seed = 10 + at, .conf = conf, .start_wall = START, .tables = tables,
                                                  .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = power_cuts,
                                                  .replay = replay});
            world_crash_at(house_world(h), at);
            house_run(h, START + 3 * HOUR, MINUTE);
            ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", "orders", START + 3 * HOUR - BEHIND);
            house_expect_count(h, "time was lost", t.n_losses, 0);
            house_expect_count(h, "a base was made", t.n_chains, 1);
            if (at == 0)
                n_points = world_n_points(house_world(h));
            house_free(h);
        }
}

UNIT_MAIN(cmocka_unit_test(a_fortnight_in_the_sun), cmocka_unit_test(sixty_days), cmocka_unit_test(waits_for_its_base),
          cmocka_unit_test(refused_until_it_is_lost), cmocka_unit_test(refused_for_a_day),
          cmocka_unit_test(bad_content), cmocka_unit_test(records_are_refused),
          cmocka_unit_test(another_table_of_the_name),
          cmocka_unit_test(shorter_recovery), cmocka_unit_test(too_large_a_base),
          cmocka_unit_test(a_base_that_is_there), cmocka_unit_test(a_base_that_is_too_old),
          cmocka_unit_test(recovery_is_not_told), cmocka_unit_test(least_margin_first),
          cmocka_unit_test(dies_at_every_point))
