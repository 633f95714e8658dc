/* Exports that somebody has checked again, by an order, and what becomes of it: they are good, cannot be asked for, are
 * forgotten with the process, are damaged. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "house.h"
#include "sim/service_s3_store.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY
#define BUCKET "acme-bucket"

static const char *const tables[] = {"orders:pitr", NULL};
static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = { full = { action = \"export\"; when = \"03:00\"; verify = \"manifest\";\n"
    "                       s3 = { bucket = \"" BUCKET "\"; }; }; };\n"
    "tables = ( { match = \"orders\"; schedules = \"full\"; } );\n";

/* With an export, whose ARN is in `arn`. */
static House *house(char arn[static 200]) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    if (service_write_items(world_service(house_world(h)), "eu-central-1", "orders", 0, 50, "x", START) < 0)
        house_violated(h, "items cannot be written");
    house_run(h, START + 4 * HOUR, 0);
    house_expect(h, "full", "orders", START + 3 * HOUR, RUN_SUCCEEDED);
    const char *said = strstr(book_last_said(house_book(h), REPORT_SUCCEEDED), "arn:aws:");
    if (!said)
        house_violated(h, "a success tells no ARN");
    snprintf(arn, 200, "%.*s", (int)strcspn(said, ", ;"), said);
    return h;
}

static OrderOutcome check(House *h, const char *arn, const char *level) {
    Order *o = NULL;
    assert_int_equal(order_new(ORDER_VERIFY, &o), 0);
    assert_int_equal(text_set(&o->object, arn), 0);
    assert_int_equal(text_set(&o->level, level), 0);
    assert_int_equal(text_set(&o->who, "root"), 0);
    return house_order(h, o);
}

static void expect_said(House *h, size_t n_good, size_t n_unknown, size_t n_damaged) {
    const HouseFigures *f = house_figures(h);
    house_expect_count(h, "it is good was said", f->n_said[REPORT_ORDERED], n_good);
    house_expect_count(h, "not known was said", f->n_said[REPORT_CHECK_UNKNOWN], n_unknown);
    house_expect_count(h, "damaged was said", f->n_said[REPORT_DAMAGED], n_damaged);
}

static void a_good_one(void **state) {
    char arn[200];
    House *h = house(arn);
    assert_int_equal(check(h, arn, NULL), ORDER_DONE);
    house_run(h, START + 4 * HOUR + MINUTE, 0);
    expect_said(h, 1, 0, 0);
    if (!strstr(book_last_said(house_book(h), REPORT_ORDERED), "by order of root, and is good: "))
        house_violated(h, "it says: %s", book_last_said(house_book(h), REPORT_ORDERED));
    assert_int_equal(check(h, arn, "content"), ORDER_DONE);
    assert_int_equal(check(h, arn, "content"), ORDER_UNCHANGED); /* five requests take a second */
    house_run(h, START + 4 * HOUR + 2 * MINUTE, 0);
    expect_said(h, 2, 0, 0);
    house_run(h, START + 5 * DAY, 0); /* nobody asked for more */
    expect_said(h, 2, 0, 0);
    house_audit(h, HOUR);
    house_free(h);
}

static void what_cannot_be_asked(void **state) {
    char arn[200];
    House *h = house(arn);
    house_add_fault(h, "GetObject times=20 error SlowDown 503");
    assert_int_equal(check(h, arn, NULL), ORDER_DONE);
    house_run(h, START + 4 * HOUR + 9 * MINUTE, 0);
    expect_said(h, 0, 1, 0);
    assert_int_equal(check(h, arn, NULL), ORDER_UNCHANGED);
    house_clear_faults(h);
    house_run(h, START + 5 * HOUR, 0);
    expect_said(h, 1, 1, 0);
    house_audit(h, HOUR);
    house_free(h);
}

/* An order that had not been carried out is gone with the process, and whoever gave it can give it again. */
static void a_restart(void **state) {
    char arn[200];
    House *h = house(arn);
    house_add_fault(h, "GetObject times=20 error SlowDown 503");
    assert_int_equal(check(h, arn, NULL), ORDER_DONE);
    house_run(h, START + 4 * HOUR + MINUTE, 0);
    house_sleep(h, START + 5 * HOUR);
    house_clear_faults(h);
    house_run(h, START + 6 * HOUR, 0);
    house_expect_count(h, "it is good was said", house_figures(h)->n_said[REPORT_ORDERED], 0);
    assert_int_equal(check(h, arn, NULL), ORDER_DONE);
    house_run(h, START + 7 * HOUR, 0);
    house_expect_count(h, "it is good was said", house_figures(h)->n_said[REPORT_ORDERED], 1);
    house_audit(h, HOUR);
    house_free(h);
}

static void remove_data(House *h) {
    const char prefix[] = "AWSDynamoDB/";
    ServiceS3Bucket *b = service_s3_bucket(world_service(house_world(h)), BUCKET);
    for (size_t i = service_s3_lower_bound(b, prefix); i < b->n_objects; i++)
        if (strstr(b->objects[i]->key, "/data/")) {
            assert_true(service_s3_remove(b, b->objects[i]->key));
            return;
        }
    house_violated(h, "there is no data");
}

static void a_damaged_one(void **state) {
    char arn[200];
    House *h = house(arn);
    remove_data(h);
    assert_int_equal(check(h, arn, NULL), ORDER_DONE); /* by its manifest it is good */
    house_run(h, START + 5 * HOUR, 0);
    expect_said(h, 1, 0, 0);
    assert_int_equal(check(h, arn, "objects"), ORDER_DONE);
    house_run(h, START + 6 * HOUR, 0);
    expect_said(h, 1, 0, 1);
    assert_true(check(h, arn, "objects") >= ORDER_NOT_FOUND); /* it does not count any more */
    house_run(h, START + DAY + 4 * HOUR, 0);
    house_expect(h, "full", "orders", START + DAY + 3 * HOUR, RUN_SUCCEEDED);
    house_audit(h, HOUR);
    house_free(h);
}

static void refused(void **state) {
    char arn[200], other[256];
    House *h = house(arn);
    snprintf(other, sizeof other, "%s0", arn);
    assert_int_equal(check(h, other, NULL), ORDER_NOT_FOUND);
    assert_int_equal(check(h, "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/1", NULL),
                     ORDER_NOT_FOUND);
    assert_int_equal(check(h, arn, "service"), ORDER_REFUSED);
    assert_int_equal(check(h, arn, "thoroughly"), ORDER_REFUSED);
    house_run(h, START + 5 * HOUR, 0);
    expect_said(h, 0, 0, 0);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(a_good_one), cmocka_unit_test(what_cannot_be_asked), cmocka_unit_test(a_restart),
          cmocka_unit_test(a_damaged_one), cmocka_unit_test(refused))
