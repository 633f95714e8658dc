/* Years of schedules with everything going wrong now and then. DDB_SEEDS (default 5) seeds from DDB_SEED (default 1)
 * on, DDB_DAYS (default 30) simulated days each; tools/soak runs many. A violation prints how to repeat it. */

#include <time.h>

#include "base/text.h"
#include "core/aws/retry.h"
#include "disk.h"
#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

/* Of two seeds of four. */
static const char accounts[] = "accounts = { prod = { role_arn = \"arn:aws:iam::111111111111:role/ddbackupd\";\n"
                               "                      regions = [\"eu-central-1\", \"us-east-1\"]; };\n"
                               "             shop = { regions = \"ap-south-1\"; }; };\n";
/* Of two seeds of three; else it is only said what would go. */
static const char expires[] = "defaults = { expire = \"delete\"; };\n";
static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = {\n"
    "  nightly = { action = \"backup\"; when = \"02:00\"; timezone = \"Europe/Berlin\"; spread = \"1h\"; max_age = "
    "\"50h\";\n"
    "              keep = { last = 2; daily = 4; weekly = 2; floor = 2; }; };\n"
    "  often = { action = \"backup\"; when = \"0/6:15\"; catch_up = \"none\"; max_age = \"1d\";\n"
    "            keep = { last = 5; within = \"30h\"; floor = 3; }; };\n"
    "  weekly = { action = \"export\"; when = \"Sun 03:00\"; timezone = \"America/New_York\";\n"
    "             s3 = { bucket = \"acme-%{region}\"; prefix = \"%{table}\"; }; max_age = \"9d\"; };\n"
    "};\n"
    "tables = ( { match = \"orders\"; schedules = [\"nightly\", \"often\", \"weekly\"]; },\n"
    "           { match = \"app-*\"; exclude = \"app-9*\"; schedules = [\"nightly\"]; } );\n";
static const char *const tables[] = {"orders:pitr", "app-1", "app-2", "app-9", NULL};

/* What the service does wrong for a while, one line of its fault script; all of it passes by itself. */
static const char *const troubles[] = {
    "* times=20 error ThrottlingException",
    "CreateBackup times=2 drop-after",
    "CreateBackup times=1 drop-before",
    "CreateBackup times=3 error InternalServerError 500",
    "CreateBackup times=1 error-after InternalServerError 500",
    "ListBackups times=forever lag 3min",
    "ExportTableToPointInTime times=2 drop-after",
    "ExportTableToPointInTime times=1 error-after InternalServerError 500",
    "ExportTableToPointInTime times=1 fail-export UNKNOWN",
    "Describe* times=5 truncate",
    "Describe* times=3 garbage",
    "DescribeBackup times=4 error BackupNotFoundException",
    "* times=2 html",
    "* times=2 empty",
    "* times=2 crc",
    "CreateBackup times=2 error LimitExceededException",
    "ListTables times=3 error InternalServerError 500",
    "* times=3 delay 40s",
    "DeleteBackup times=2 drop-after",
    "DeleteBackup times=2 drop-before",
    "DeleteBackup times=3 error InternalServerError 500",
    "DeleteBackup times=1 error-after InternalServerError 500",
    "DeleteBackup times=5 error BackupInUseException",
    "DeleteBackup times=40 error AccessDeniedException",
    "ListBackups times=10 error InternalServerError 500",
};

static void add_trouble(House *h, uint64_t *random) {
    if (retry_random(random) % 4 == 0)
        house_clear_faults(h);
    house_add_fault(h, troubles[retry_random(random) % ARRAY_SIZE(troubles)]);
}

static Usec up_to(uint64_t *random, Usec max) { return (Usec)(retry_random(random) % (uint64_t)max); }

/* Something that lasts for a part of the day, from `begin` to `end`. */
static void do_mischief(House *h, Usec begin, Usec end, uint64_t *random) {
    static const Usec offsets[] = {4 * USEC_PER_MINUTE, -4 * USEC_PER_MINUTE, 10 * USEC_PER_HOUR,
                                   -10 * USEC_PER_HOUR, 365 * USEC_PER_DAY,   -365 * USEC_PER_DAY};
    Usec down = up_to(random, 10 * USEC_PER_MINUTE);
    uint64_t kind = retry_random(random) % 5, number = retry_random(random);
    house_run(h, begin, down);
    if (kind == 0)
        house_set_secret(h, "wrong/secret/of/nobody/at/all/0000000000");
    else if (kind == 1)
        world_set_offset(house_world(h), offsets[number % ARRAY_SIZE(offsets)]);
    else if (kind == 2)
        disk_fill_at(1 + number % 200);
    else if (kind == 3)
        disk_fail_sync_at(1 + number % 20);
    else {
        house_clear_faults(h); /* which might strike others */
        free(others_create_backup(h, "orders", "by-hand"));
        AUTO_FREE char *arn = others_find_backup(h, "orders", (int)(number % 4));
        AUTO_FREE char *later = others_find_backup(h, "orders", (int)(number % 4) + 2); /* the last may be in use */
        if (arn && later)
            others_delete_backup(h, arn);
    }
    if (kind == 2) /* a daemon that starts again and again takes us long */
        end = usec_min(end, begin + USEC_PER_HOUR);
    house_run(h, end, down);
    house_set_secret(h, NULL);
    world_set_offset(house_world(h), 0);
    disk_fill_at(0);
    disk_fail_sync_at(0);
}

/* What is beyond its policy has gone, whatever was in the way, or nothing has. */
static void check_shelf(House *h, uint64_t seed) {
    const Shelf *shelf = book_shelf(house_book(h));
    size_t n_places = seed % 4 < 2 ? 1 : 3, n_deleted = house_figures(h)->n_deleted;
    size_t n_nightly = shelf_count(shelf, "nightly", NULL), n_often = shelf_count(shelf, "often", NULL);
    if (seed % 3 == 0 && n_deleted > 0)
        house_violated(h, "%zu backups were deleted", n_deleted);
    if (seed % 3 != 0 && (n_nightly > n_places * 3 * 7 || n_often > n_places * 9))
        house_violated(h, "%zu and %zu backups remain", n_nightly, n_often);
}

/* People want runs at odd times, and pauses. */
static void give_orders(House *h, Usec until, uint64_t *random) {
    static const char *const schedules[] = {"nightly", "often", "weekly", "none"};
    static const OrderKind kinds[] = {ORDER_RUN, ORDER_RUN, ORDER_PAUSE, ORDER_RESUME};
    for (int n = (int)(retry_random(random) % 4); n > 0; n--) {
        Usec left = until - world_true_wall(house_world(h));
        if (left > 0)
            house_run(h, until - left + up_to(random, left), USEC_PER_MINUTE);
        Order *o;
        assert_int_equal(order_new(kinds[retry_random(random) % ARRAY_SIZE(kinds)], &o), 0);
        if (o->kind == ORDER_RUN) {
            assert_int_equal(text_set(&o->object, schedules[retry_random(random) % ARRAY_SIZE(schedules)]), 0);
            assert_int_equal(text_set(&o->table, retry_random(random) % 2 ? "app-*" : NULL), 0);
        }
        if (o->kind == ORDER_PAUSE)
            o->until_wall = world_true_wall(house_world(h)) + up_to(random, 8 * USEC_PER_HOUR);
        house_suggest(h, o);
    }
}

static void confirm(House *h) {
    Order *o;
    assert_int_equal(order_new(ORDER_CONFIRM_PRUNE, &o), 0);
    o->count = INT32_MAX;
    house_suggest(h, o);
}

static void live(uint64_t seed, int n_days, HouseFigures *sum) {
    uint64_t random = seed, people = ~seed;
    char replay[80];
    snprintf(replay, sizeof replay, "DDB_SEED=%" PRIu64 " DDB_SEEDS=1 DDB_DAYS=%d", seed, n_days);
    AUTO_FREE char *text = text_format("%s%s%s", seed % 3 ? expires : "", seed % 4 < 2 ? "" : accounts, conf);
    House *h = house_new(&(HouseSettings){.seed = seed, .conf = text, .start_wall = START, .tables = tables,
                                          .latency_usec = USEC_PER_SEC, .expires = true, .power_cuts = seed % 2,
                                          .replay = replay});
    int permille[WORLD_FAULTS];
    for (int day = 0; day < n_days; day++) {
        for (int f = 0; f < WORLD_FAULTS; f++)
            permille[f] = retry_random(&random) % 3 ? 0 : (int)(retry_random(&random) % 40);
        world_set_faults(house_world(h), permille);
        if (retry_random(&random) % 3 == 0)
            add_trouble(h, &random);
        if (retry_random(&random) % 4 == 0)
            world_crash_at(house_world(h), 1 + retry_random(&random) % 120);
        Usec until = START + (day + 1) * USEC_PER_DAY;
        if (retry_random(&random) % 30 == 0)
            house_sleep(h, until - USEC_PER_DAY + (Usec)(retry_random(&random) % USEC_PER_DAY));
        if (retry_random(&random) % 6 == 0) {
            Usec begin = world_true_wall(house_world(h)) + up_to(&random, USEC_PER_DAY / 2);
            do_mischief(h, begin, begin + up_to(&random, USEC_PER_DAY / 2), &random);
        }
        if (retry_random(&people) % 3 == 0)
            give_orders(h, until, &people);
        house_run(h, until, (Usec)(retry_random(&random) % (10 * USEC_PER_MINUTE)));
    }
    /* the dust settles */
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    house_clear_faults(h);
    world_crash_at(house_world(h), 0);
    house_run(h, START + n_days * USEC_PER_DAY + USEC_PER_HOUR, 0);
    confirm(h); /* runs at odd times may have made more than what may go at once */
    house_run(h, START + (n_days + 2) * USEC_PER_DAY, 0);
    house_audit(h, USEC_PER_DAY + USEC_PER_HOUR);
    check_shelf(h, seed);
    const HouseFigures *f = house_figures(h);
    sum->n_runs += f->n_runs;
    sum->n_succeeded += f->n_succeeded;
    sum->n_failed += f->n_failed;
    sum->n_skipped += f->n_skipped;
    sum->n_ranges += f->n_ranges;
    sum->n_calls += f->n_calls;
    sum->n_throttled += f->n_throttled;
    sum->n_crashes += f->n_crashes;
    sum->n_deleted += f->n_deleted;
    house_free(h);
}

static void everything_goes_wrong_now_and_then(void **state) {
    long first = house_number("DDB_SEED", 1), n_seeds = house_number("DDB_SEEDS", 5),
         n_days = house_number("DDB_DAYS", 30);
    HouseFigures sum = {};
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long seed = first; seed < first + n_seeds; seed++)
        live((uint64_t)seed, (int)n_days, &sum);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds = (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("seeds %ld to %ld, %ld days each: %.0f simulated days a second; %zu runs (%zu succeeded, %zu failed, %zu "
           "skipped), %zu ranges, %zu backups expired, %zu calls, %zu crashes; 0 violations\n",
           first, first + n_seeds - 1, n_days, (double)(n_seeds * n_days) / seconds, sum.n_runs, sum.n_succeeded,
           sum.n_failed, sum.n_skipped, sum.n_ranges, sum.n_deleted, sum.n_calls, sum.n_crashes);
    assert_int_equal(sum.n_throttled, 0);
    assert_true(sum.n_deleted > 0 || n_days < 20);
    assert_true(sum.n_succeeded * 10 > sum.n_runs * 8);
}

UNIT_MAIN(cmocka_unit_test(everything_goes_wrong_now_and_then))
