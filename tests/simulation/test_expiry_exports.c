/* Exports that are no longer wanted leave their bucket with the chains that build on them, and nothing else does:
 * whatever the service, the network and the host do meanwhile. By what the service has made, and what lies in the
 * bucket. */

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "house.h"
#include "others.h"
#include "recalls.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define BUCKET "acme-bucket"
#define MAX_EXPORTS 2000

static const char *const tables[] = {"orders:pitr", NULL};

#define CONF(expire)                                                                                                   \
    "deployment = \"acme\";\n"                                                                                         \
    "defaults = { verify = \"objects\"; s3 = { bucket = \"" BUCKET "\"; }; };\n"                                       \
    "schedules = {\n"                                                                                                  \
    "  full = { action = \"export\"; when = \"03:00\"; keep = { last = 2; }; expire = \"" expire "\"; };\n"            \
    "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; on_lost = \"full\"; };\n"                \
    "};\n"                                                                                                             \
    "tables = ( { match = \"orders\"; schedules = [\"full\", \"half\"]; } );\n"

static House *house(const char *conf, uint64_t seed, bool expires) {
    return house_new(&(HouseSettings){.seed = seed, .conf = conf, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC, .expires = expires});
}

static bool is_there(House *h, const char *arn, const char *name) {
    World *w = house_world(h);
    char key[200];
    const char *bytes;
    size_t n;
    snprintf(key, sizeof key, "AWSDynamoDB/%s/%s", strrchr(arn, '/') + 1, name);
    return service_read_object(world_service(w), BUCKET, key, world_true_wall(w), &bytes, &n) >= 0;
}

/* The record of the chain that begins with it. */
static bool is_recorded(House *h, const char *account, const char *table_id, const char *arn) {
    World *w = house_world(h);
    char key[400];
    const char *bytes;
    size_t n;
    snprintf(key, sizeof key, "ddbackupd/%s/eu-central-1/orders/%s/half.%s/base.json", account, table_id,
             strrchr(arn, '/') + 1);
    return service_read_object(world_service(w), BUCKET, key, world_true_wall(w), &bytes, &n) >= 0;
}

typedef struct Export {
    char arn[200];
    bool is_full, is_there, is_recorded;
} Export;

/* What the service has completed, in the order of its making. */
static size_t exports_of(House *h, Export ret[MAX_EXPORTS]) {
    AUTO_TEXT t = TEXT_INIT(256u << 20);
    const cJSON *e;
    size_t n = 0;
    assert_true(service_state_to_json(world_service(house_world(h)), world_true_wall(house_world(h)), &t) >= 0);
    cJSON *state = cJSON_ParseWithLength(text_get(&t), t.len);
    assert_non_null(state);
    cJSON_ArrayForEach(e, cJSON_GetObjectItemCaseSensitive(state, "exports")) {
        const char *arn = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, "arn"));
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, "type"));
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, "status")), "COMPLETED") != 0)
            continue;
        assert_true(n < MAX_EXPORTS);
        snprintf(ret[n].arn, sizeof ret[n].arn, "%s", arn);
        ret[n].is_full = strcmp(type, "FULL_EXPORT") == 0;
        ret[n].is_there = is_there(h, arn, "manifest-summary.json");
        ret[n].is_recorded =
            is_recorded(h, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(state, "account")),
                        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(e, "table_id")), arn);
        n++;
    }
    cJSON_Delete(state);
    return n;
}

/* Whole chains: from some base on all is there; before it nothing is, but for what went on to the instant of a base
 * after it. */
static void expect_whole_chains(House *h, size_t n_bases_left) {
    static Export exports[MAX_EXPORTS];
    size_t n = exports_of(h, exports), n_left = 0, first = n, n_links_left = 0, n_gone = 0;
    for (size_t i = n; i-- > 0;)
        if (exports[i].is_full && exports[i].is_there)
            first = i;
    for (size_t i = 0; i < n; i++) {
        n_left += exports[i].is_full && exports[i].is_there;
        n_links_left += !exports[i].is_full && exports[i].is_there;
        n_gone += !exports[i].is_there;
        if (i > first + 2 && !exports[i].is_there)
            house_violated(h, "%s is not there, and a base before it is", exports[i].arn);
        if (i < first && exports[i].is_there)
            house_violated(h, "%s is there, and its base is not", exports[i].arn);
        if (exports[i].is_full && exports[i].is_there != exports[i].is_recorded)
            house_violated(h, "%s is %s, and its record is not", exports[i].arn,
                           exports[i].is_there ? "there" : "gone");
        if (!exports[i].is_there && is_there(h, exports[i].arn, "manifest-files.json"))
            house_violated(h, "%s went in part", exports[i].arn);
    }
    printf("%zu bases and %zu links of %zu exports are left\n", n_left, n_links_left, n);
    house_expect_count(h, "a base is left", n_left, n_bases_left);
    house_expect_count(h, "an export expired", house_figures(h)->n_said[REPORT_EXPIRED], n_gone);
    house_expect_count(h, "damage was said", house_figures(h)->n_said[REPORT_DAMAGED], 0);
}

/* Time that the first of them has lost stays known, in the ledger and in the bucket. */
static void chains_go_as_a_whole(void **state) {
    House *h = house(CONF("delete"), 1, true);
    house_run(h, START + 15 * HOUR, 0);
    others_set_recovery(h, "orders", 0);
    house_run(h, START + 17 * HOUR, 0);
    others_set_recovery(h, "orders", 35);
    house_run(h, START + 6 * DAY + 12 * HOUR, 0);
    house_expect_count(h, "time was covered or lost", recalls_expect(h, "half", "orders", 2 * HOUR), 3);
    expect_whole_chains(h, 2);
    house_expect_count(h, "a chain was begun", house_figures(h)->n_said[REPORT_CHAIN_BEGUN] >= 6, 1);
    house_expect_count(h, "expiry failed", house_figures(h)->n_said[REPORT_EXPIRY_FAILED], 0);
    house_free(h);
}

#define WITHOUT_CHECKS                                                                                                 \
    "deployment = \"acme\";\n"                                                                                         \
    "defaults = { verify = \"service\"; s3 = { bucket = \"" BUCKET "\"; }; };\n"                                       \
    "schedules = {\n"                                                                                                  \
    "  full = { action = \"export\"; when = \"03:00\"; };\n"                                                         \
    "  half = { action = \"incremental\"; base = \"full\"; when = \"*:0/30\"; on_lost = \"full\"; };\n"                \
    "};\n"                                                                                                             \
    "tables = ( { match = \"orders\"; schedules = [\"full\", \"half\"]; } );\n"

static void confirm(House *h, int64_t n) {
    Order *o = NULL;
    assert_int_equal(order_new(ORDER_CONFIRM_PRUNE, &o), 0);
    o->count = n;
    assert_int_equal(text_set(&o->who, "test"), 0);
    assert_int_equal(house_order(h, o), ORDER_DONE);
}

/* What the service's word alone was taken for is looked at once it is to expire, and then it does. */
static void unchecked_exports_are_looked_at(void **state) {
    House *h = house(WITHOUT_CHECKS, 3, true);
    house_run(h, START + 3 * DAY + 12 * HOUR, 0);
    house_set_conf(h, CONF("delete"));
    house_sleep(h, START + 3 * DAY + 12 * HOUR + MINUTE);
    house_run(h, START + 5 * DAY + 2 * HOUR, 0);
    confirm(h, 100); /* it is much at once */
    house_run(h, START + 5 * DAY + 12 * HOUR, 0);
    expect_whole_chains(h, 2);
    house_free(h);
}

static void nothing_goes_unasked(void **state) {
    const char *const confs[] = {CONF("delete"), CONF("report")};
    for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
        House *h = house(confs[i], 2, i == 1);
        house_run(h, START + 4 * DAY + 12 * HOUR, 0);
        expect_whole_chains(h, 5 + (house_figures(h)->n_exports > 0)); /* the first was asked for at once */
        house_expect_count(h, "beyond was said", house_figures(h)->n_said[REPORT_BEYOND] > 1, 1);
        house_free(h);
    }
}

/* Replies are lost, S3 is denied for a day, and the host dies again and again. */
static void in_trouble(void **state) {
    uint64_t seed = (uint64_t)house_number("DDB_SEED", 1);
    char replay[64];
    snprintf(replay, sizeof replay, "DDB_SEED=%" PRIu64, seed);
    House *h = house_new(&(HouseSettings){.seed = seed, .conf = CONF("delete"), .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC, .expires = true, .power_cuts = true,
                                          .replay = replay});
    int faults[WORLD_FAULTS] = {[WORLD_REPLY_LOST] = 20, [WORLD_RESET_AFTER] = 20, [WORLD_RESET_BEFORE] = 10};
    world_set_faults(house_world(h), faults);
    for (int day = 0; day < 6; day++) {
        if (day == 3)
            house_add_fault(h, "DeleteObject times=40 error AccessDenied 403");
        if (day > 1) /* in the middle of what the new base lets go */
            for (int i = 0; i < 8; i++) {
                house_run(h, START + day * DAY + 3 * HOUR + (40 + i) * MINUTE, 0);
                house_sleep(h, START + day * DAY + 3 * HOUR + (40 + i) * MINUTE + 10 * USEC_PER_SEC);
            }
        house_run(h, START + (day + 1) * DAY, 0);
    }
    house_clear_faults(h);
    world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
    house_run(h, START + 7 * DAY + 12 * HOUR, 0);
    expect_whole_chains(h, 2);
    house_free(h);
}

/* A table without recovery has no export that could be checked again: nothing is done about it in turn after turn. */
static void nothing_to_check_again(void **state) {
    static const char *const bare[] = {"orders", NULL};
    static const char conf[] =
        "deployment = \"acme\";\n"
        "schedules = { full = { action = \"export\"; when = \"hourly\"; verify = \"objects\"; reverify = \"1d\";\n"
        "                       s3 = { bucket = \"" BUCKET "\"; }; }; };\n"
        "tables = ( { match = \"orders\"; schedules = \"full\"; } );\n";
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = bare,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 2 * HOUR, 0);
    house_sleep(h, START + 2 * HOUR + MINUTE); /* from now on the table is known at start */
    house_run(h, START + 4 * HOUR, 0);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(chains_go_as_a_whole), cmocka_unit_test(unchecked_exports_are_looked_at),
          cmocka_unit_test(nothing_goes_unasked), cmocka_unit_test(in_trouble),
          cmocka_unit_test(nothing_to_check_again))
