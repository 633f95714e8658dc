/* Weeks in which everything goes wrong all the time, while people change the configuration, the tables and what they
 * want of them: schedules come, go and change their names, targets leave and return, tables are made anew, recovery is
 * switched off, expiry deletes down to the smallest floors. DDB_SEEDS (default 2) seeds from DDB_SEED (default 1) on,
 * DDB_DAYS (default 6) days each; tools/soak storm runs many. */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "chains.h"
#include "core/aws/retry.h"
#include "disk.h"
#include "others.h"
#include "replay.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define BUCKET "acme-bucket"

static const char *const tables[] = {"orders:pitr", "users:pitr", "app-1", "app-2", "app-9", NULL};

typedef struct Storm {
    House *house;
    uint64_t seed, random;
    char *conf, *former; /* what the house borrows; what it may still borrow */
    bool renamed;        /* the nightly schedule has its other name */
} Storm;

static uint64_t below(Storm *s, uint64_t n) { return retry_random(&s->random) % n; }
static Usec up_to(Storm *s, Usec max) { return (Usec)below(s, (uint64_t)max); }
static bool one_in(Storm *s, uint64_t n) { return below(s, n) == 0; }

/* --- what people write into the configuration --- */

static const char *expire_word(Storm *s) {
    static const char *const words[] = {"delete", "delete", "delete", "report", "off"};
    return words[below(s, ARRAY_SIZE(words))];
}

/* Calm: everything is there, and what is not wanted goes. */
static char *write_conf(Storm *s, bool calm) {
    bool has_often = calm || !one_in(s, 4), has_half = calm || !one_in(s, 5), has_users = calm || !one_in(s, 4);
    bool has_apps = calm || !one_in(s, 3), is_shut = !calm && one_in(s, 3);
    s->renamed ^= !calm && one_in(s, 3);
    const char *night = s->renamed ? "night" : "nightly", *before = s->renamed ? "nightly" : "night";
    const char *often = has_often ? "\"often\"," : "", *half = has_half ? ",\"half\"" : "";
    AUTO_FREE char *often_is = text_format(
        "  often = { action = \"backup\"; when = \"%s\"; catch_up = \"none\"; max_age = \"1d\"; expire = \"%s\";\n"
        "            keep = { last = %d; floor = 1; }; };\n",
        calm || !one_in(s, 3) ? "0/6:15" : "0/4:40", calm ? "delete" : expire_word(s), calm ? 2 : 1 + (int)below(s, 4));
    AUTO_FREE char *half_is = text_format(
        "  half = { action = \"incremental\"; base = \"full\"; when = \"*:%s\"; on_lost = \"full\";\n"
        "           max_age = \"3h\"; };\n",
        calm || !one_in(s, 4) ? "0/30" : "10");
    char *text = text_format(
        "deployment = \"acme\";\n"
        "limits = { max_delete_share = %s; rate_share = %s; };\n"
        "aws = { discovery_interval = \"5min\"; inspection_interval = \"%dmin\"; };\n"
        "defaults = { s3 = { bucket = \"" BUCKET "\"; }; verify = \"manifest\"; reverify = \"4d\"; %s };\n"
        "schedules = {\n"
        "  %s = { action = \"backup\"; when = \"02:00\"; timezone = \"Europe/Berlin\"; spread = \"%d min\";\n"
        "         max_age = \"50h\"; formerly = \"%s\"; expire = \"%s\";\n"
        "         keep = { last = %d; daily = %d; floor = 1; }; };\n"
        "  full = { action = \"export\"; when = \"03:00\"; max_age = \"3d\"; expire = \"%s\";\n"
        "           keep = { last = 2; }; };\n"
        "%s%s"
        "};\n"
        "tables = ( { match = %s; schedules = [\"%s\", %s \"full\"%s]; },\n"
        "           { match = \"app-*\"; exclude = \"app-%d\"; schedules = %s; } );\n",
        calm || one_in(s, 2) ? "1.0" : "0.1", calm || !one_in(s, 4) ? "0.5" : "0.05", 20 + (int)below(s, 60),
        is_shut ? "not_during = \"08:00..12:00\";" : "", night, (int)below(s, 90), before,
        calm ? "delete" : expire_word(s), calm ? 2 : 1 + (int)below(s, 3), calm ? 2 : (int)below(s, 4),
        s->seed % 2 ? "report" : "delete", has_often ? often_is : "", has_half ? half_is : "",
        has_users ? "[\"orders\", \"users\"]" : "\"orders\"", night, often, half, (int)below(s, 3),
        has_apps ? (s->renamed ? "\"night\"" : "\"nightly\"") : "\"full\"");
    assert_non_null(text);
    return text;
}

static void reload(Storm *s, bool calm) {
    char *text = write_conf(s, calm);
    if (getenv("DDB_VERBOSE"))
        printf("reload: %s\n", text);
    house_set_conf(s->house, text);
    free(s->former);
    s->former = s->conf;
    s->conf = text;
}

/* --- what they do at the service --- */

static void set_recovery(Storm *s, const char *table, bool on, int days) {
    char period[60] = "", body[256];
    if (on)
        snprintf(period, sizeof period, ",\"RecoveryPeriodInDays\":%d", days);
    snprintf(body, sizeof body,
             "{\"TableName\":\"%s\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":%s%s}}", table,
             on ? "true" : "false", period);
    free(others_call(s->house, "UpdateContinuousBackups", body));
}

/* Lets time pass, with items written. */
static void live(Storm *s, Usec until_wall) {
    World *w = house_world(s->house);
    static const char *const written[] = {"orders", "users"};
    while (world_true_wall(w) < until_wall) {
        house_run(s->house, usec_min(until_wall, world_true_wall(w) + up_to(s, 3 * HOUR)), up_to(s, 10 * MINUTE));
        char mark[32];
        snprintf(mark, sizeof mark, "%" PRId64, world_true_wall(w));
        int64_t first = (int64_t)below(s, 60), n = 1 + (int64_t)below(s, 4);
        int r = service_write_items(world_service(w), "eu-central-1", written[below(s, 2)], first, n,
                                    one_in(s, 4) ? NULL : mark, world_true_wall(w));
        if (r < 0 && r != -ENOENT) /* the table may be away */
            house_violated(s->house, "items cannot be written");
    }
}

static void make_anew(Storm *s, const char *table, bool pitr) {
    others_delete_table(s->house, table);
    live(s, world_true_wall(house_world(s->house)) + up_to(s, 2 * HOUR));
    house_clear_faults(s->house);
    others_create_table(s->house, table, NULL, NULL);
    live(s, world_true_wall(house_world(s->house)) + MINUTE); /* until it is ACTIVE */
    house_clear_faults(s->house);
    if (pitr)
        set_recovery(s, table, true, 2 + (int)below(s, 34));
}

/* What it does for a while; all of it passes by itself. */
static const char *const troubles[] = {
    "* times=60 error ThrottlingException",
    "* times=20 error RequestLimitExceeded",
    "* times=6 error ServiceUnavailable 503",
    "* times=10 drop-before",
    "* times=3 drop-after",
    "* times=3 delay 40s",
    "* times=3 html",
    "* times=3 empty",
    "* times=2 crc",
    "* times=4 late 2min",
    "Describe* times=6 truncate",
    "Describe* times=4 garbage",
    "CreateBackup times=3 drop-after",
    "CreateBackup times=1 error-after InternalServerError 500",
    "CreateBackup times=4 error LimitExceededException",
    "CreateBackup times=2 error TableInUseException",
    "ListBackups times=forever lag 4min",
    "ListBackups times=20 error InternalServerError 500",
    "ListTables times=5 error InternalServerError 500",
    "ListTables times=10 error AccessDeniedException",
    "DescribeBackup times=1 error BackupNotFoundException",
    "DescribeTable times=5 error ResourceNotFoundException",
    "DescribeContinuousBackups times=20 error AccessDeniedException",
    "DescribeContinuousBackups times=6 error TableNotFoundException",
    "ExportTableToPointInTime times=3 drop-after",
    "ExportTableToPointInTime times=2 error-after InternalServerError 500",
    "ExportTableToPointInTime times=4 error LimitExceededException",
    "ExportTableToPointInTime after=3 times=3 fail-export UNKNOWN",
    "ExportTableToPointInTime times=4 fail-export S3AccessDenied",
    "DescribeExport times=5 error ExportNotFoundException",
    "DeleteBackup times=3 drop-after",
    "DeleteBackup times=2 error-after InternalServerError 500",
    "DeleteBackup times=6 error BackupInUseException",
    "DeleteBackup times=40 error AccessDeniedException",
    "DeleteObject times=20 error AccessDenied 403",
    "DeleteObject times=3 drop-after",
    "GetObject times=5 error SlowDown 503",
};

static void strike_service(Storm *s) {
    for (uint64_t n = below(s, 4); n > 0; n--)
        house_add_fault(s->house, troubles[below(s, ARRAY_SIZE(troubles))]);
}

static void strike_tables(Storm *s) {
    house_clear_faults(s->house); /* which might strike these people */
    switch (below(s, 7)) {
    case 0:
        make_anew(s, one_in(s, 2) ? "app-1" : "app-2", false);
        break;
    case 1:
        make_anew(s, "users", true);
        break;
    case 2:
        set_recovery(s, "users", false, 0);
        live(s, world_true_wall(house_world(s->house)) + up_to(s, 6 * HOUR));
        house_clear_faults(s->house);
        set_recovery(s, "users", true, 1 + (int)below(s, 4));
        break;
    case 3:
        set_recovery(s, "orders", true, 1 + (int)below(s, 35));
        break;
    default: {
        const char *table = tables[2 + below(s, 2)];
        free(others_create_backup(s->house, "orders", "by-hand"));
        AUTO_FREE char *arn = others_find_backup(s->house, table, 0);
        AUTO_FREE char *later = others_find_backup(s->house, table, 2); /* the newest may be in use */
        if (arn && later)
            others_delete_backup(s->house, arn);
    }
    }
}

/* --- what becomes of the host --- */

static void strike_host(Storm *s) {
    static const Usec offsets[] = {4 * MINUTE, -4 * MINUTE, 10 * HOUR, -10 * HOUR, 365 * DAY, -365 * DAY};
    Usec until = world_true_wall(house_world(s->house)) + up_to(s, 8 * HOUR);
    switch (below(s, 6)) {
    case 0:
        house_set_secret(s->house, "wrong/secret/of/nobody/at/all/0000000000");
        live(s, until);
        house_set_secret(s->house, NULL);
        break;
    case 1:
        world_set_offset(house_world(s->house), offsets[below(s, ARRAY_SIZE(offsets))]);
        live(s, until);
        world_set_offset(house_world(s->house), 0);
        break;
    case 2:
        if (s->seed % 3 == 0) { /* a disk that was full once leaves the book in doubt of chains */
            disk_fill_at(1 + below(s, 200));
            live(s, world_true_wall(house_world(s->house)) + HOUR);
            disk_fill_at(0);
        }
        break;
    case 3:
        world_set_cut(house_world(s->house), "dynamodb");
        live(s, until);
        world_set_cut(house_world(s->house), NULL);
        break;
    default:
        house_sleep(s->house, until);
    }
}

static void suggest(Storm *s, OrderKind kind, const char *object, Usec until_wall) {
    Order *o;
    assert_int_equal(order_new(kind, &o), 0);
    assert_int_equal(text_set(&o->object, object), 0);
    assert_int_equal(text_set(&o->table, kind == ORDER_RUN && one_in(s, 2) ? "app-*" : NULL), 0);
    o->until_wall = until_wall;
    o->count = INT32_MAX;
    house_suggest(s->house, o);
}

static void give_orders(Storm *s) {
    static const char *const schedules[] = {"nightly", "night", "often", "full", "half", "none"};
    Usec now = world_true_wall(house_world(s->house));
    house_clear_faults(s->house);
    AUTO_FREE char *arn = others_find_backup(s->house, one_in(s, 2) ? "orders" : "users", (int)below(s, 4));
    switch (below(s, 6)) {
    case 0:
        suggest(s, ORDER_PAUSE, NULL, now + up_to(s, 8 * HOUR));
        break;
    case 1:
        suggest(s, ORDER_RESUME, NULL, 0);
        break;
    case 2:
        suggest(s, ORDER_CONFIRM_PRUNE, NULL, 0);
        break;
    case 3:
        if (arn)
            suggest(s, one_in(s, 3) ? ORDER_RELEASE : ORDER_HOLD, arn, now + up_to(s, 3 * DAY));
        break;
    default:
        suggest(s, ORDER_RUN, schedules[below(s, ARRAY_SIZE(schedules))], 0);
    }
}

static void one_day(Storm *s, Usec until_wall) {
    int permille[WORLD_FAULTS];
    for (int f = 0; f < WORLD_FAULTS; f++)
        permille[f] = one_in(s, 2) ? (int)below(s, 40) : 0;
    world_set_faults(house_world(s->house), permille);
    for (Usec now; (now = world_true_wall(house_world(s->house))) < until_wall;) {
        strike_service(s);
        if (one_in(s, 2))
            world_crash_at(house_world(s->house), 1 + below(s, 200));
        if (one_in(s, 5))
            reload(s, false);
        if (one_in(s, 4))
            give_orders(s);
        if (one_in(s, 10))
            strike_host(s);
        if (one_in(s, 12))
            strike_tables(s);
        live(s, now + up_to(s, 8 * HOUR));
    }
}

static void calm_down(Storm *s) {
    world_set_faults(house_world(s->house), (int[WORLD_FAULTS]){});
    house_clear_faults(s->house);
    world_crash_at(house_world(s->house), 0);
    house_run(s->house, world_true_wall(house_world(s->house)) + MINUTE, 0);
    set_recovery(s, "users", true, 35);
    set_recovery(s, "orders", true, 35);
    reload(s, true);
    suggest(s, ORDER_RESUME, NULL, 0);
    live(s, world_true_wall(house_world(s->house)) + 4 * HOUR);
    suggest(s, ORDER_CONFIRM_PRUNE, NULL, 0);
}

/* All is well: nothing failed in the last day, chains go on, and what is not wanted has gone. */
static void judge(Storm *s, Usec now) {
    static const char *const exported[] = {"orders", "users"};
    House *h = s->house;
    house_audit(h, DAY + HOUR);
    for (size_t i = 0; i < ARRAY_SIZE(exported); i++) {
        house_expect(h, s->renamed ? "night" : "nightly", exported[i], (now - HOUR) / DAY * DAY + HOUR, RUN_SUCCEEDED);
        house_expect(h, "full", exported[i], (now - 3 * HOUR) / DAY * DAY + 3 * HOUR, RUN_SUCCEEDED);
        house_expect(h, "half", exported[i], (now - HOUR) / HOUR * HOUR, RUN_SUCCEEDED);
        if (s->seed % 3 == 0)
            continue;
        ChainTally t = chain_book_audit(book_chains(house_book(h)), "half", exported[i], now - 50 * MINUTE);
        if (s->seed % 2 && i == 0) /* every export is still there, and nobody made the table anew */
            house_expect_count(h, "a chain restored the table", replay_chains(h, "half", exported[i], BUCKET),
                               t.n_chains - t.n_void);
    }
    size_t n = shelf_count(book_shelf(house_book(h)), "often", "orders");
    if (n > 6)
        house_violated(h, "%zu backups remain that nobody wants", n);
}

static void weather(uint64_t seed, int n_days, HouseFigures *sum) {
    char replay[80];
    snprintf(replay, sizeof replay, "DDB_SEED=%" PRIu64 " DDB_SEEDS=1 DDB_DAYS=%d", seed, n_days);
    Storm s = {.seed = seed, .random = seed * 977};
    s.conf = write_conf(&s, true);
    s.house = house_new(&(HouseSettings){.seed = seed, .conf = s.conf, .start_wall = START, .tables = tables,
                                         .latency_usec = USEC_PER_SEC, .expires = true, .power_cuts = seed % 2,
                                         .replay = replay});
    for (int day = 0; day < n_days; day++)
        one_day(&s, START + (day + 1) * DAY);
    calm_down(&s);
    Usec end = START + (n_days + 4) * DAY - 5 * HOUR / 2;
    live(&s, end);
    judge(&s, end);
    const HouseFigures *f = house_figures(s.house);
    sum->n_runs += f->n_runs;
    sum->n_succeeded += f->n_succeeded;
    sum->n_calls += f->n_calls;
    sum->n_crashes += f->n_crashes;
    sum->n_deleted += f->n_deleted;
    house_free(s.house);
    free(s.conf);
    free(s.former);
}

static void storms_pass(void **state) {
    long first = house_number("DDB_SEED", 1), n_seeds = house_number("DDB_SEEDS", 2);
    int n_days = (int)house_number("DDB_DAYS", 6);
    HouseFigures sum = {};
    for (long seed = first; seed < first + n_seeds; seed++)
        weather((uint64_t)seed, n_days, &sum);
    printf("seeds %ld to %ld, %d days each: %zu runs (%zu succeeded), %zu backups expired, %zu calls, %zu crashes; 0 "
           "violations\n",
           first, first + n_seeds - 1, n_days, sum.n_runs, sum.n_succeeded, sum.n_deleted, sum.n_calls, sum.n_crashes);
    assert_true(sum.n_deleted > 0 && sum.n_crashes > 0);
}

UNIT_MAIN(cmocka_unit_test(storms_pass))
