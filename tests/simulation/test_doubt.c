/* Requests whose outcome nobody told us of: the slot has its one artefact in the end, whatever the service, the network
 * and other people do meanwhile. */

#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define SLOT (START + 2 * HOUR)
#define NAME "acme.nightly.20261123T020000Z."

static const char *const tables[] = {"orders:pitr", NULL};

#define NIGHTLY "nightly = { action = \"backup\"; when = \"02:00\"; };"
#define FULL "full = { action = \"export\"; when = \"02:00\"; s3 = { bucket = \"acme-bucket\"; }; };"
#define CONF(schedule, limits)                                                                                         \
    "deployment = \"acme\"; limits = { " limits " }; schedules = { " schedule " };\n"                                  \
    "tables = ( { match = \"orders\"; schedules = [\"nightly\"]; } );\n"

static House *house(const char *conf) {
    House *h = house_new(&(HouseSettings){
        .seed = 1, .conf = conf, .start_wall = START, .tables = tables, .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, SLOT - 20 * MINUTE, 0);
    return h;
}

static House *backup_house(void) { return house(CONF(NIGHTLY, "")); }

static House *export_house(void) {
    return house("deployment = \"acme\"; schedules = { " FULL " };\n"
                 "tables = ( { match = \"orders\"; schedules = [\"full\"]; } );\n");
}

static void lost_reply(House *h) { house_add_fault(h, "CreateBackup drop-after"); }

static void finish(House *h, const char *schedule, RunState state, size_t n_backups, size_t n_exports) {
    house_clear_faults(h);
    house_run(h, START + 26 * HOUR - MINUTE, 0);
    house_expect(h, schedule, "orders", SLOT, state);
    house_expect_made(h, n_backups, n_exports);
    house_audit(h, 2 * HOUR);
    house_free(h);
}

/* --- what the network does --- */

/* The request arrives after its time-out, when it was looked for already. */
static void late_request(void **state) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        House *h = house_new(&(HouseSettings){.seed = seed, .conf = CONF(NIGHTLY, ""), .start_wall = START,
                                              .tables = tables, .latency_usec = 200 * USEC_PER_MSEC});
        house_run(h, SLOT + 300 * USEC_PER_MSEC, 0);
        world_set_faults(house_world(h), (int[WORLD_FAULTS]){[WORLD_REQUEST_LATE] = 1000});
        house_run(h, SLOT + 3 * SEC, 0);
        world_set_faults(house_world(h), (int[WORLD_FAULTS]){});
        finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
    }
}

/* As late as a signature allows, and then listings hide it for as long as they may. */
static void late_and_hidden(void **state) {
    House *h = house(CONF(NIGHTLY, "listing_lag = \"30min\";"));
    house_add_fault(h, "CreateBackup late 4min");
    house_add_fault(h, "ListBackups times=forever lag 29min");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* The service did it, and says that it failed. */
static void error_after_effect(void **state) {
    House *h = backup_house();
    house_add_fault(h, "CreateBackup error-after InternalServerError 500");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* The host dies in doubt and is off for hours; the listing still reaches back to what was asked. */
static void off_in_doubt(void **state) {
    House *h = backup_house();
    lost_reply(h);
    house_run(h, SLOT + 2 * SEC, 0);
    house_sleep(h, SLOT + 3 * HOUR);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* Asked again after the first was looked for long enough; the host dies in the second doubt, and the look counts from
 * the second request. */
static void doubted_again(void **state) {
    House *h = backup_house();
    house_add_fault(h, "CreateBackup drop-before");
    house_add_fault(h, "CreateBackup drop-after");
    house_add_fault(h, "ListBackups times=forever lag 4min");
    house_run(h, SLOT + 20 * MINUTE + 2 * SEC, 0);
    house_expect_made(h, 1, 0);
    house_sleep(h, SLOT + 20 * MINUTE + 10 * SEC);
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* --- what the listing says --- */

/* There are more backups of the table than a page holds; ours comes last. */
static void second_page(void **state) {
    House *h = backup_house();
    for (int i = 0; i < 150; i++) {
        free(others_create_backup(h, "orders", "by-hand"));
        house_run(h, world_true_wall(house_world(h)) + SEC / 20, 0);
    }
    lost_reply(h);
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* A listing that cannot be had says nothing: not even that there is nothing. */
static void no_listing(void **state) {
    House *h = backup_house();
    lost_reply(h);
    house_add_fault(h, "ListBackups times=forever error InternalServerError 500");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* Nothing can be found out before the hard deadline: the run fails, says why, and nothing is asked again. */
static void no_listing_at_all(void **state) {
    House *h = backup_house();
    lost_reply(h);
    house_add_fault(h, "ListBackups times=forever error InternalServerError 500");
    house_run(h, SLOT + 23 * HOUR, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_UNCERTAIN);
    house_run(h, SLOT + 24 * HOUR + MINUTE, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_FAILED);
    if (!strstr(book_last_said(house_book(h), REPORT_FAILED), "finish_within; last: InternalServerError"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_FAILED));
    house_free(h);
}

/* The name that the run's backup has, to be freed. */
static char *name_of_backup(void) {
    House *h = backup_house();
    house_run(h, SLOT + MINUTE, 0);
    char *name = strdup(book_name(house_book(h), "nightly", "orders", SLOT));
    house_free(h);
    assert_non_null(name);
    return name;
}

/* Somebody makes backups of the same name: the earliest is kept, and the others are spoken of. */
static void surplus(void **state) {
    AUTO_FREE char *name = name_of_backup();
    House *h = backup_house();
    lost_reply(h);
    house_add_fault(h, "ListBackups times=1 error InternalServerError 500");
    house_run(h, SLOT + 3 * SEC / 2, 0);
    for (int i = 1; i <= 2; i++) {
        free(others_create_backup(h, "orders", name));
        house_run(h, SLOT + 3 * SEC / 2 + i * SEC / 10, 0);
    }
    house_run(h, SLOT + HOUR, 0);
    if (!strstr(book_last_said(house_book(h), REPORT_ADOPTED), "3 backups of this name exist; kept the earliest"))
        house_violated(h, "the surplus is not reported: %s", book_last_said(house_book(h), REPORT_ADOPTED));
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0); /* with ours: the book compares ARNs */
}

/* A backup of our name, of the table that had its name before: it is not what was meant. */
static void foreign_incarnation(void **state) {
    AUTO_FREE char *name = name_of_backup();
    House *h = backup_house();
    free(others_create_backup(h, "orders", name));
    house_run(h, SLOT - MINUTE, 0);
    others_recreate_table(h, "orders");
    house_add_fault(h, "CreateBackup drop-before");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);
}

/* The table is deleted and made again while the request is on its way: what is made is of the new one, no success. */
static void recreated_under_way(void **state) {
    House *h = backup_house();
    house_add_fault(h, "CreateBackup late 10s");
    house_run(h, SLOT + 5 * SEC, 0);
    others_recreate_table(h, "orders");
    house_run(h, SLOT + HOUR, 0);
    if (!strstr(book_last_said(house_book(h), REPORT_FAILED), "the table was deleted and created again meanwhile"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_FAILED));
    finish(h, "nightly", RUN_FAILED, 1, 0);
}

/* The same, and nobody told us what came of the request: what is found is of the new table, and it
 * is not made again. */
static void recreated_in_doubt(void **state) {
    House *h = backup_house();
    house_add_fault(h, "CreateBackup late 10s");
    house_add_fault(h, "CreateBackup drop-after");
    house_run(h, SLOT + 5 * SEC, 0);
    others_recreate_table(h, "orders");
    house_run(h, SLOT + 2 * HOUR, 0);
    finish(h, "nightly", RUN_FAILED, 1, 0);
}

/* --- what the service says of it --- */

/* A word that is new is no end, neither good nor bad. */
static void unknown_status(void **state) {
    House *h = backup_house();
    house_add_fault(h, "DescribeBackup times=5 status HIBERNATING");
    house_run(h, SLOT + 2 * SEC, 0);
    house_expect(h, "nightly", "orders", SLOT, RUN_IN_PROGRESS);
    house_run(h, SLOT + HOUR, 0);
    finish(h, "nightly", RUN_SUCCEEDED, 1, 0);

    h = export_house();
    house_add_fault(h, "DescribeExport times=5 status HIBERNATING");
    house_run(h, SLOT + 10 * SEC, 0);
    house_expect(h, "full", "orders", SLOT, RUN_IN_PROGRESS);
    house_run(h, SLOT + HOUR, 0);
    finish(h, "full", RUN_SUCCEEDED, 0, 1);
}

/* Somebody deletes it before it was verified: that is recorded, and it is not made again. */
static void deleted_by_others(void **state) {
    House *h = backup_house();
    house_add_fault(h, "DescribeBackup times=forever error InternalServerError 500");
    house_run(h, SLOT + 10 * SEC, 0);
    house_clear_faults(h);
    AUTO_FREE char *arn = others_find_backup(h, "orders", 0);
    assert_non_null(arn);
    others_delete_backup(h, arn);
    house_run(h, SLOT + HOUR, 0);
    if (!strstr(book_last_said(house_book(h), REPORT_FAILED), "somebody deleted it"))
        house_violated(h, "it does not say why: %s", book_last_said(house_book(h), REPORT_FAILED));
    finish(h, "nightly", RUN_FAILED, 1, 0);
}

/* --- exports --- */

/* Its token is asked with again while that is valid. */
static void token_repeated(void **state) {
    House *h = export_house();
    house_add_fault(h, "ExportTableToPointInTime times=3 drop-after");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "full", RUN_SUCCEEDED, 0, 1);
}

/* The host dies in doubt and comes back when the token no longer protects: the export is looked for. */
static void token_expired(void **state) {
    House *h = export_house();
    house_add_fault(h, "ExportTableToPointInTime drop-after");
    house_run(h, SLOT + SEC, 0);
    house_sleep(h, SLOT + 9 * HOUR);
    finish(h, "full", RUN_SUCCEEDED, 0, 1);
}

/* A failure that may pass is tried once more, under another token; one that needs a person is not. */
static void failed_there(void **state) {
    House *h = export_house();
    house_add_fault(h, "ExportTableToPointInTime fail-export UNKNOWN");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "full", RUN_SUCCEEDED, 0, 2);

    h = export_house();
    house_add_fault(h, "ExportTableToPointInTime times=forever fail-export UNKNOWN");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "full", RUN_FAILED, 0, 2);

    h = export_house();
    house_add_fault(h, "ExportTableToPointInTime times=forever fail-export S3AccessDenied");
    house_run(h, SLOT + HOUR, 0);
    finish(h, "full", RUN_FAILED, 0, 1);
}

UNIT_MAIN(cmocka_unit_test(late_request), cmocka_unit_test(late_and_hidden), cmocka_unit_test(error_after_effect),
          cmocka_unit_test(off_in_doubt), cmocka_unit_test(doubted_again), cmocka_unit_test(second_page),
          cmocka_unit_test(no_listing), cmocka_unit_test(no_listing_at_all), cmocka_unit_test(surplus),
          cmocka_unit_test(foreign_incarnation), cmocka_unit_test(recreated_under_way),
          cmocka_unit_test(recreated_in_doubt), cmocka_unit_test(unknown_status), cmocka_unit_test(deleted_by_others),
          cmocka_unit_test(token_repeated), cmocka_unit_test(token_expired), cmocka_unit_test(failed_there))
