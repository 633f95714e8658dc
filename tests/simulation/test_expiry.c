/* Backups that are no longer wanted go, and nothing else does: whatever the service, the network, the clock and other people
 * do meanwhile. The shelf (shelf.h) holds every deletion against the service's own state. */

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
    house_expect_count(h, table ? table : "backups on the shelf", shelf_count(book_shelf(house_book(h)), "nightly", table), n);
}

static void expect_said(House *h, ReportKind kind, size_t n) {
    house_expect_count(h, book_last_said(house_book(h), kind), house_figures(h)->n_said[kind], n);
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

UNIT_MAIN(cmocka_unit_test(what_is_beyond_goes))
