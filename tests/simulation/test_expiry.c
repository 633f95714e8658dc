/* Backups that are no longer wanted go, and nothing else does: whatever the service, the network, the clock and other
 * people do meanwhile. The shelf (shelf.h) holds every deletion against the service's own state. */

#include "base/text.h"
#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY

static const char *const tables[] = {"orders", "users", NULL};

#define CONF(keep, expire, limits)                                                                                     \
    "deployment = \"acme\"; limits = { " limits " };\n"                                                                \
    "schedules = { nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"50h\"; keep = { " keep " };\n"       \
    "  expire = \"" expire "\"; }; };\n"                                                                               \
    "tables = ( { match = [\"orders\", \"users\"]; schedules = [\"nightly\"]; } );\n"

#define KEEP_3 CONF("last = 3; floor = 2;", "delete", "")

static House *house(const char *conf, bool expires) {
    return house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC, .expires = expires});
}

/* Up to the middle of the n-th day, from 1. */
static void live(House *h, int n_days) { house_run(h, START + n_days * DAY - DAY / 2, MINUTE); }

static void expect_on_shelf(House *h, const char *table, size_t n) {
    house_expect_count(h, table ? table : "backups on the shelf",
                       shelf_count(book_shelf(house_book(h)), "nightly", table), n);
}

static void expect_said(House *h, ReportKind kind, size_t n) {
    house_expect_count(h, book_last_said(house_book(h), kind), house_figures(h)->n_said[kind], n);
}

/* Somebody orders it, and it is answered so. `object` may be NULL. */
static void order(House *h, OrderKind kind, const char *object, Usec until_wall, int64_t count, OrderOutcome outcome) {
    Order *o = NULL;
    assert_int_equal(order_new(kind, &o), 0);
    assert_int_equal(text_set(&o->object, object), 0);
    o->until_wall = until_wall;
    o->count = count;
    assert_int_equal(house_order(h, o), outcome);
}

static void finish(House *h) {
    house_audit(h, HOUR);
    house_free(h);
}

static void what_is_beyond_goes(void **state) {
    House *h = house(KEEP_3, true);
    for (int day = 1; day <= 10; day++) {
        live(h, day);
        expect_on_shelf(h, "orders", day < 3 ? (size_t)day : 3);
        expect_on_shelf(h, "users", day < 3 ? (size_t)day : 3);
    }
    house_expect_count(h, "deleted", house_figures(h)->n_deleted, 14);
    expect_said(h, REPORT_EXPIRED, 14);
    expect_said(h, REPORT_EXPIRY_FAILED, 0);
    expect_said(h, REPORT_VANISHED, 0);
    finish(h);
}

/* --- what keeps them --- */

static void a_report_deletes_nothing(void **state) {
    House *h = house(CONF("last = 3;", "report", ""), true);
    live(h, 6);
    expect_on_shelf(h, "orders", 6);
    expect_said(h, REPORT_BEYOND, 6); /* for each table on the fourth, fifth and sixth day */
    house_set_conf(h, CONF("last = 3;", "off", ""));
    live(h, 8);
    expect_said(h, REPORT_BEYOND, 6);
    house_set_conf(h, CONF("last = 3;", "delete", "max_delete_share = 1.0;"));
    live(h, 9);
    expect_on_shelf(h, "orders", 3);
    finish(h);
}

static void an_empty_ledger_deletes_nothing_until_it_is_told_to(void **state) {
    House *h = house(CONF("last = 3;", "delete", "max_delete_share = 1.0;"), false);
    live(h, 5);
    expect_on_shelf(h, "orders", 5);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_BEYOND), "resume --expiry"));
    order(h, ORDER_RESUME_EXPIRY, NULL, USEC_INFINITY, 0, ORDER_DONE);
    order(h, ORDER_RESUME_EXPIRY, NULL, USEC_INFINITY, 0, ORDER_UNCHANGED);
    house_run(h, START + 5 * DAY - DAY / 2 + HOUR, 0);
    expect_on_shelf(h, "orders", 3);
    expect_on_shelf(h, "users", 3);
    finish(h);
}

/* What somebody typed wrong is not carried out at once. */
static void too_many_at_once_wait_for_a_person(void **state) {
    House *h = house(CONF("last = 10; monthly = 2;", "delete", ""), true);
    live(h, 12);
    expect_on_shelf(h, NULL, 20);
    expect_said(h, REPORT_BRAKED, 0);
    house_set_conf(h, CONF("last = 1; monthly = 2;", "delete", ""));
    live(h, 13);
    expect_said(h, REPORT_BRAKED, 4); /* at once, and again when there is one more */
    expect_on_shelf(h, NULL, 22);
    live(h, 14);
    expect_on_shelf(h, NULL, 24);
    order(h, ORDER_CONFIRM_PRUNE, NULL, USEC_INFINITY, 19, ORDER_REFUSED);
    world_crash_at(house_world(h), 1); /* what waits is in the ledger */
    live(h, 15);
    expect_on_shelf(h, NULL, 26);
    order(h, ORDER_CONFIRM_PRUNE, NULL, USEC_INFINITY, 22, ORDER_DONE);
    order(h, ORDER_CONFIRM_PRUNE, NULL, USEC_INFINITY, 22, ORDER_UNCHANGED);
    house_run(h, START + 15 * DAY - DAY / 2 + HOUR, 0);
    expect_on_shelf(h, "orders", 2); /* the last of November, and the last */
    expect_on_shelf(h, "users", 2);
    live(h, 17);
    expect_on_shelf(h, NULL, 4);
    finish(h);
}

static void a_number_is_a_brake_too(void **state) {
    House *h = house(CONF("last = 9;", "delete", ""), true);
    live(h, 9);
    house_set_conf(h, CONF("last = 5;", "delete", "max_delete_share = 1.0; max_delete = 3;"));
    live(h, 10);
    expect_on_shelf(h, "orders", 10);
    house_set_conf(h, CONF("last = 5;", "delete", "max_delete_share = 1.0; max_delete = 5;"));
    live(h, 11);
    expect_on_shelf(h, "orders", 5);
    order(h, ORDER_CONFIRM_PRUNE, NULL, USEC_INFINITY, 100, ORDER_UNCHANGED);
    finish(h);
}

/* A change that is taken back leaves nothing behind that waits. */
static void a_brake_ends_with_what_it_was_for(void **state) {
    static const char *const confs[] = {CONF("last = 9;", "delete", ""), CONF("last = 1;", "report", ""),
                                        CONF("last = 1;", "off", "")};
    for (size_t i = 0; i < ARRAY_SIZE(confs); i++) {
        House *h = house(CONF("last = 9;", "delete", ""), true);
        live(h, 9);
        house_set_conf(h, CONF("last = 1;", "delete", ""));
        house_run(h, START + 9 * DAY, 0);
        expect_said(h, REPORT_BRAKED, 2);
        house_set_conf(h, confs[i]);
        house_run(h, START + 9 * DAY + HOUR, 0);
        order(h, ORDER_CONFIRM_PRUNE, NULL, USEC_INFINITY, 100, ORDER_UNCHANGED);
        live(h, 11);
        expect_on_shelf(h, "orders", i == 0 ? 9 : 11);
        finish(h);
    }
}

static void what_is_held_stays(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 2);
    AUTO_FREE char *first = others_find_backup(h, "orders", 0);
    AUTO_FREE char *second = others_find_backup(h, "orders", 1);
    order(h, ORDER_RELEASE, first, USEC_INFINITY, 0, ORDER_UNCHANGED);
    order(h, ORDER_HOLD, first, START, 0, ORDER_REFUSED);
    order(h, ORDER_HOLD, first, USEC_INFINITY, 0, ORDER_DONE);
    order(h, ORDER_HOLD, first, USEC_INFINITY, 0, ORDER_UNCHANGED);
    order(h, ORDER_HOLD, second, START + 6 * DAY, 0, ORDER_DONE);
    order(h, ORDER_HOLD, "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/backup/01", USEC_INFINITY, 0,
                ORDER_NOT_FOUND);
    live(h, 6);
    expect_on_shelf(h, "orders", 5);
    live(h, 7); /* the second's hold has ended */
    expect_on_shelf(h, "orders", 4);
    world_crash_at(house_world(h), 1); /* the first's stays */
    live(h, 9);
    expect_on_shelf(h, "orders", 4);
    order(h, ORDER_RELEASE, first, USEC_INFINITY, 0, ORDER_DONE);
    house_run(h, START + 9 * DAY, 0);
    expect_on_shelf(h, "orders", 3);
    finish(h);
}

/* --- what others do --- */

static void backups_of_others_are_left_alone(void **state) {
    static const char *const names[] = {"by-hand", "acme.weekly.20261123T020000Z.00000000",
                                        "other.nightly.20261123T020000Z.b5df6abd",
                                        "acme.nightly.20261123T020000Z.00000000",
                                        "acme.nightly.20261122T020000Z.b5df6abd"};
    House *h = house(KEEP_3, true);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        free(others_create_backup(h, "orders", names[i]));
    live(h, 8);
    for (int i = 0; i < (int)ARRAY_SIZE(names); i++) {
        AUTO_FREE char *arn = others_find_backup(h, "orders", i + 3);
        assert_non_null(arn);
    }
    house_expect_count(h, "deleted", house_figures(h)->n_deleted, 10);
    finish(h);
}

/* A second backup of the very name: only the one that the ledger has is ours. */
static void a_twin_is_left_alone_until_it_is_adopted(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 1);
    AUTO_FREE char *twin = others_create_backup(h, "orders",
                                                book_name(house_book(h), "nightly", "orders", START + 2 * HOUR));
    AUTO_FREE char *foreign = others_create_backup(h, "orders", "by-hand");
    live(h, 5);
    expect_on_shelf(h, "orders", 4);
    order(h, ORDER_ADOPT, "arn:aws:dynamodb:eu-central-1:123456789012:table/none/backup/01", USEC_INFINITY, 0,
                ORDER_NOT_FOUND);
    order(h, ORDER_ADOPT, foreign, USEC_INFINITY, 0, ORDER_DONE);
    order(h, ORDER_ADOPT, twin, USEC_INFINITY, 0, ORDER_DONE);
    order(h, ORDER_ADOPT, twin, USEC_INFINITY, 0, ORDER_UNCHANGED);
    house_run(h, START + 5 * DAY - DAY / 2 + HOUR, 0);
    expect_said(h, REPORT_NOT_ADOPTED, 1);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_NOT_ADOPTED), "its name is not one"));
    expect_on_shelf(h, "orders", 3);
    finish(h);
}

static void what_others_delete_is_said_and_does_not_count(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 3);
    AUTO_FREE char *oldest = others_find_backup(h, "orders", 0);
    AUTO_FREE char *newest = others_find_backup(h, "orders", 2);
    others_delete_backup(h, newest);
    live(h, 4); /* three remain: without the one that is gone, all of them are wanted */
    expect_on_shelf(h, "orders", 3);
    expect_said(h, REPORT_VANISHED, 1);
    live(h, 5);
    expect_on_shelf(h, "orders", 3);
    others_delete_backup(h, oldest = (free(oldest), others_find_backup(h, "orders", 0)));
    live(h, 7);
    expect_said(h, REPORT_VANISHED, 2);
    expect_on_shelf(h, "orders", 3);
    finish(h);
}

/* It was the newest: the table is not as fresh as it seemed. */
static void a_table_whose_backups_are_deleted_is_stale(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 3);
    house_add_fault(h, "CreateBackup times=forever error LimitExceededException");
    for (int i = 0; i < 3; i++) {
        AUTO_FREE char *arn = others_find_backup(h, "orders", 0);
        others_delete_backup(h, arn);
    }
    house_run(h, START + 4 * DAY, 0); /* 50 hours after the last one it would be the fifth day */
    house_expect_count(h, "stale was said", house_figures(h)->n_stale_said, 1);
    house_free(h);
}

/* Each incarnation on its own: the new one's backups do not push out those of the old one. */
static void a_table_that_is_made_anew_keeps_its_old_backups(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 5);
    others_recreate_table(h, "orders");
    live(h, 12);
    expect_on_shelf(h, "orders", 6);
    expect_on_shelf(h, "users", 3);
    finish(h);
}

static void a_schedule_is_known_by_its_former_name(void **state) {
    House *h = house(KEEP_3, true);
    live(h, 3);
    house_set_conf(h, "deployment = \"acme\";\n"
                      "schedules = { daily = { action = \"backup\"; when = \"02:00\"; keep = { last = 3; }; expire = "
                      "\"delete\";\n"
                      "  formerly = \"nightly\"; }; };\n"
                      "tables = ( { match = [\"orders\", \"users\"]; schedules = [\"daily\"]; } );\n");
    live(h, 5);
    expect_on_shelf(h, "orders", 1);
    house_expect_count(h, "daily", shelf_count(book_shelf(house_book(h)), "daily", "orders"), 2);
    house_free(h);
}

/* --- what goes wrong --- */

/* However the answer is lost, the backup goes once, and nothing is said to have gone by itself. */
static void a_lost_answer_is_looked_for(void **state) {
    static const struct {
        const char *fault;
        size_t n_left; /* ten hours later: where it had no effect, it is tried again once that is certain */
        bool is_said;
    } rows[] = {
        {"DeleteBackup times=1 drop-after", 3, false},
        {"DeleteBackup times=1 drop-before", 3, false},
        {"DeleteBackup times=1 error InternalServerError 500", 3, false},
        {"DeleteBackup times=1 error-after InternalServerError 500", 3, false},
        {"DeleteBackup times=1 truncate", 3, false},
        {"DeleteBackup times=1 error BackupInUseException", 3, false},
        {"DeleteBackup times=30 error ThrottlingException", 3, true},
        {"DeleteBackup times=1 error AccessDeniedException", 3, true},
        {"DeleteBackup times=1 error LimitExceededException", 3, true},
        {"ListBackups times=20 error InternalServerError 500", 3, true},
        {"DeleteBackup times=forever error AccessDeniedException", 4, true},
        {"ListBackups times=forever error AccessDeniedException", 4, true},
        {"ListBackups times=forever lag 20min", 3, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        House *h = house(KEEP_3, true);
        live(h, 3);
        house_add_fault(h, rows[i].fault);
        live(h, 4);
        expect_on_shelf(h, "orders", rows[i].n_left);
        expect_said(h, REPORT_VANISHED, 0);
        expect_said(h, REPORT_EXPIRED, rows[i].n_left == 3 ? 2 : 0);
        size_t n_failed = house_figures(h)->n_said[REPORT_EXPIRY_FAILED];
        assert_true(rows[i].is_said ? n_failed >= 1 && n_failed <= 3 : n_failed == 0);
        house_clear_faults(h);
        live(h, 6);
        expect_on_shelf(h, "orders", 3);
        finish(h);
    }
}

/* What a crash interrupts is finished, at every point of it. */
static void a_crash_anywhere_loses_nothing(void **state) {
    for (uint64_t at = 1, crashed = 1; crashed; at++) {
        House *h = house_new(&(HouseSettings){.seed = at,
                                              .conf = KEEP_3,
                                              .start_wall = START,
                                              .tables = tables,
                                              .latency_usec = 200 * USEC_PER_MSEC,
                                              .expires = true,
                                              .power_cuts = at % 2});
        house_run(h, START + 3 * DAY + 2 * HOUR - MINUTE, 0);
        world_crash_at(house_world(h), at);
        crashed = (uint64_t)house_run(h, START + 4 * DAY, MINUTE);
        expect_on_shelf(h, "orders", 3);
        expect_on_shelf(h, "users", 3);
        expect_said(h, REPORT_VANISHED, 0);
        finish(h);
    }
}

static void a_clock_that_is_set_deletes_nothing(void **state) {
    static const Usec offsets[] = {400 * DAY, 5 * HOUR, -5 * HOUR, -400 * DAY};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        House *h = house(CONF("last = 2; daily = 5; within = \"3d\";", "delete", ""), true);
        live(h, 5);
        size_t n_deleted = house_figures(h)->n_deleted;
        world_set_offset(house_world(h), offsets[i]);
        house_run(h, START + 5 * DAY, 0);
        house_expect_count(h, "deleted", house_figures(h)->n_deleted, n_deleted);
        world_set_offset(house_world(h), 0);
        live(h, 8);
        expect_on_shelf(h, "orders", 5);
        finish(h);
    }
}

/* There is no latency, and a backup is polled for every 101 ms. A look at users waits while one at orders is under way;
 * whenever that ends, also in the turn in which another backup of users is done, what this one pushes out goes at once.
 */
static void a_success_in_the_turn_of_a_look(void **state) {
    static const char two[] =
        "deployment = \"acme\";\n"
        "defaults = { keep = { last = 9; }; expire = \"delete\"; };\n"
        "schedules = { early = { action = \"backup\"; when = \"01:00:00\"; };\n" /* when the daily looks are */
        "              first = { action = \"backup\"; when = \"02:00:00\"; };\n"
        "              last = { action = \"backup\"; when = \"02:00:00\"; keep = { last = 2; }; };\n"
        "              second = { action = \"backup\"; when = \"02:00:03\"; keep = { last = 2; }; }; };\n"
        "tables = ( { match = \"users\"; schedules = [\"early\", \"first\", \"second\"]; },\n"
        "           { match = \"orders\"; schedules = [\"early\", \"last\"]; } );\n";
    ServiceSettings at_once = service_settings_default();
    at_once.backup_usec = 0;
    for (int delay = 0; delay <= 101; delay++) {
        char fault[64];
        snprintf(fault, sizeof fault, "ListBackups table=orders delay %dms", 950 + delay);
        House *h = house_new(&(HouseSettings){.seed = 1, .conf = two, .start_wall = START, .tables = tables,
                                              .service = &at_once, .expires = true, .replay = fault});
        house_run(h, START + 2 * DAY + 2 * HOUR + 2 * USEC_PER_SEC, 0);
        house_add_fault(h, fault);
        house_run(h, START + 2 * DAY + 2 * HOUR + MINUTE, 0);
        house_expect_count(h, "second backups on the shelf", shelf_count(book_shelf(house_book(h)), "second", "users"),
                           2);
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(what_is_beyond_goes), cmocka_unit_test(a_report_deletes_nothing),
          cmocka_unit_test(an_empty_ledger_deletes_nothing_until_it_is_told_to),
          cmocka_unit_test(too_many_at_once_wait_for_a_person), cmocka_unit_test(a_number_is_a_brake_too),
          cmocka_unit_test(a_brake_ends_with_what_it_was_for), cmocka_unit_test(what_is_held_stays),
          cmocka_unit_test(backups_of_others_are_left_alone),
          cmocka_unit_test(a_twin_is_left_alone_until_it_is_adopted),
          cmocka_unit_test(what_others_delete_is_said_and_does_not_count),
          cmocka_unit_test(a_table_whose_backups_are_deleted_is_stale),
          cmocka_unit_test(a_table_that_is_made_anew_keeps_its_old_backups),
          cmocka_unit_test(a_schedule_is_known_by_its_former_name), cmocka_unit_test(a_lost_answer_is_looked_for),
          cmocka_unit_test(a_crash_anywhere_loses_nothing), cmocka_unit_test(a_clock_that_is_set_deletes_nothing),
          cmocka_unit_test(a_success_in_the_turn_of_a_look))
