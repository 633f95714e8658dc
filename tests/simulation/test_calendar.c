/* The days on which a zone changes its clock, and the leap day: exactly these slots run. The instants were worked out
 * by hand from the zones' rules: a time that does not exist runs at the first instant after the gap, one that exists
 * twice runs in its first pass, and what runs every half hour runs every half hour. */

#include "base/date.h"
#include "house.h"

#include "../unit/unit.h"

#define HALF (30 * USEC_PER_MINUTE)

typedef struct ChangeRow {
    const char *zone, *when;
    const char *slots[3]; /* the day before, the day, the day after */
    size_t n_more;        /* half hours in the gap that run at its end, where no other does */
} ChangeRow;

static const ChangeRow changes[] = {
    {"Europe/Berlin", "02:30", {"2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"}},
    {"Europe/Berlin", "02:30", {"2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"}},
    {"America/New_York", "02:30", {"2027-03-13T07:30:00Z", "2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"}},
    {"America/New_York", "01:30", {"2027-11-06T05:30:00Z", "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"}},
    {"Australia/Lord_Howe", "02:10", {"2027-10-01T15:40:00Z", "2027-10-02T15:30:00Z", "2027-10-03T15:10:00Z"}},
    {"Australia/Lord_Howe", "01:40", {"2027-04-02T14:40:00Z", "2027-04-03T14:40:00Z", "2027-04-04T15:10:00Z"}},
    {"America/Santiago", "00:30", {"2027-09-04T04:30:00Z", "2027-09-05T04:00:00Z", "2027-09-06T03:30:00Z"}},
    {"America/Santiago", "23:30", {"2027-04-03T02:30:00Z", "2027-04-04T02:30:00Z", "2027-04-05T03:30:00Z"}},
    {"Pacific/Chatham", "03:00", {"2027-09-24T14:15:00Z", "2027-09-25T14:00:00Z", "2027-09-26T13:15:00Z"}, 1},
    {"Pacific/Chatham", "03:00", {"2027-04-02T13:15:00Z", "2027-04-03T13:15:00Z", "2027-04-04T14:15:00Z"}},
};

static const char *const tables[] = {"orders", "app-1", NULL};

static Usec instant(const char *iso) {
    Usec wall;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

static House *house(const char *conf, Usec start_wall) {
    return house_new(&(HouseSettings){
        .seed = 1, .conf = conf, .start_wall = start_wall, .tables = tables, .latency_usec = 200 * USEC_PER_MSEC});
}

static void clock_changes(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        const ChangeRow *row = &changes[i];
        char conf[700];
        snprintf(conf, sizeof conf,
                 "deployment = \"acme\";\n"
                 "schedules = { once = { action = \"backup\"; timezone = \"%s\"; when = \"%s\"; };\n"
                 "              often = { action = \"backup\"; timezone = \"%s\"; when = \"*:0/30\"; }; };\n"
                 "tables = ( { match = \"orders\"; schedules = [\"once\"]; },\n"
                 "           { match = \"app-1\"; schedules = [\"often\"]; } );\n",
                 row->zone, row->when, row->zone);
        Usec from = instant(row->slots[0]) / USEC_PER_HOUR * USEC_PER_HOUR - 12 * USEC_PER_HOUR - 7 * USEC_PER_MINUTE;
        House *h = house(conf, from);
        house_run(h, from + 72 * USEC_PER_HOUR, 0);
        house_audit(h, USEC_PER_MINUTE);
        for (size_t j = 0; j < ARRAY_SIZE(row->slots); j++)
            house_expect(h, "once", "orders", instant(row->slots[j]), RUN_SUCCEEDED);
        /* Chatham's clocks are three quarters of an hour off */
        Usec shift = strcmp(row->zone, "Pacific/Chatham") == 0 ? HALF / 2 : 0;
        for (Usec at = (from / HALF + 1) * HALF + shift; at < from + 72 * USEC_PER_HOUR; at += HALF)
            house_expect(h, "often", "app-1", at, RUN_SUCCEEDED);
        house_expect_made(h, 3 + 144 + row->n_more, 0);
        house_free(h);
    }
}

static void leap_day(void **state) {
    static const char conf[] = "deployment = \"acme\";\n"
                               "schedules = { leap = { action = \"backup\"; when = \"*-02-29 12:00\"; };\n"
                               "              last = { action = \"backup\"; when = \"*-*~01 12:00\"; }; };\n"
                               "tables = ( { match = \"orders\"; schedules = [\"leap\"]; },\n"
                               "           { match = \"app-1\"; schedules = [\"last\"]; } );\n";
    House *h = house(conf, instant("2028-02-27T00:00:00Z"));
    house_run(h, instant("2028-03-03T00:00:00Z"), 0);
    house_expect(h, "leap", "orders", instant("2028-02-29T12:00:00Z"), RUN_SUCCEEDED);
    house_expect(h, "last", "app-1", instant("2028-02-29T12:00:00Z"), RUN_SUCCEEDED);
    house_expect_made(h, 2, 0);
    house_free(h);

    h = house(conf, instant("2027-02-26T00:00:00Z"));
    house_run(h, instant("2027-03-03T00:00:00Z"), 0);
    house_expect(h, "last", "app-1", instant("2027-02-28T12:00:00Z"), RUN_SUCCEEDED);
    house_expect_made(h, 1, 0);
    house_free(h);
}

/* Nothing is asked for in the shut hours, which end at 18:00 by Berlin's clock, in winter and in summer; at their end
 * the newest slot of each table runs, and the others are in a range. */
static void not_during(void **state) {
    static const char conf[] =
        "deployment = \"acme\";\n"
        "defaults = { timezone = \"Europe/Berlin\"; not_during = \"Mon..Fri 08:00..18:00\"; };\n"
        "schedules = { hourly = { action = \"backup\"; when = \"*:00\"; };\n"
        "              noon = { action = \"backup\"; when = \"12:30\"; catch_up = \"none\"; }; };\n"
        "tables = ( { match = \"orders\"; schedules = [\"hourly\"]; },\n"
        "           { match = \"app-1\"; schedules = [\"noon\"]; } );\n";
    /* Friday to Monday, over the night in which the clock is put forward */
    House *h = house(conf, instant("2027-03-25T23:10:00Z"));
    house_run(h, instant("2027-03-29T22:30:00Z"), 0);
    house_audit(h, USEC_PER_MINUTE);
    house_expect(h, "hourly", "orders", instant("2027-03-26T06:00:00Z"), RUN_SUCCEEDED);
    house_expect(h, "hourly", "orders", instant("2027-03-26T17:00:00Z"), RUN_SUCCEEDED);
    house_expect(h, "hourly", "orders", instant("2027-03-29T05:00:00Z"), RUN_SUCCEEDED);
    house_expect(h, "hourly", "orders", instant("2027-03-29T16:00:00Z"), RUN_SUCCEEDED);
    house_expect(h, "noon", "app-1", instant("2027-03-27T11:30:00Z"), RUN_SUCCEEDED);
    house_expect(h, "noon", "app-1", instant("2027-03-28T10:30:00Z"), RUN_SUCCEEDED);
    /* 95 hours less 10 on each of two days, and two noons at the weekend */
    house_expect_made(h, 95 - 20 + 2, 0);
    /* nothing is wrong: no warning says that they will not run */
    house_expect_count(h, "slots shut out", house_figures(h)->n_said[REPORT_SHUT_OUT], 4);
    house_expect_count(h, "slots missed", house_figures(h)->n_said[REPORT_SUPERSEDED], 0);
    house_free(h);
}

/* A run that could not begin before the shut hours waits for their end, and so does what was due while the host was
 * off. */
static void not_during_holds_back(void **state) {
    static const char conf[] =
        "deployment = \"acme\";\n"
        "schedules = { early = { action = \"backup\"; when = \"07:59\"; start_within = \"12h\";\n"
        "                        not_during = [\"08:00..18:00\"]; }; };\n"
        "tables = ( { match = \"orders\"; schedules = [\"early\"]; } );\n";
    House *h = house(conf, instant("2027-03-01T07:00:00Z"));
    house_add_fault(h, "CreateBackup times=forever error LimitExceededException 400");
    house_run(h, instant("2027-03-01T08:30:00Z"), 0);
    house_clear_faults(h);
    house_run(h, instant("2027-03-01T17:59:00Z"), 0);
    house_expect_made(h, 0, 0);
    house_run(h, instant("2027-03-01T18:10:00Z"), 0);
    house_expect(h, "early", "orders", instant("2027-03-01T07:59:00Z"), RUN_SUCCEEDED);
    house_run(h, instant("2027-03-02T07:00:00Z"), 0);
    house_sleep(h, instant("2027-03-02T12:00:00Z"));
    house_run(h, instant("2027-03-02T17:59:00Z"), 0);
    house_expect_made(h, 1, 0);
    house_run(h, instant("2027-03-02T18:10:00Z"), 0);
    house_expect(h, "early", "orders", instant("2027-03-02T07:59:00Z"), RUN_SUCCEEDED);
    house_expect_made(h, 2, 0);
    house_free(h);
}

/* What somebody orders begins in the shut hours: a run of its own, and one that waits for their end. */
static void an_order_opens(void **state) {
    static const char conf[] =
        "deployment = \"acme\";\n"
        "schedules = { early = { action = \"backup\"; when = \"07:59\"; start_within = \"12h\";\n"
        "                        not_during = [\"08:00..18:00\"]; }; };\n"
        "tables = ( { match = \"orders\"; schedules = [\"early\"]; } );\n";
    for (int waiting = 0; waiting < 2; waiting++) {
        House *h = house(conf, instant("2027-03-01T07:00:00Z") + (waiting ? 0 : 2 * USEC_PER_HOUR));
        Order *o = NULL;
        if (waiting)
            house_add_fault(h, "CreateBackup times=forever error LimitExceededException 400");
        house_run(h, instant("2027-03-01T12:00:00Z"), 0);
        house_clear_faults(h);
        house_run(h, instant("2027-03-01T12:30:00Z"), 0);
        house_expect_made(h, 0, 0);
        assert_int_equal(order_new(ORDER_RUN, &o), 0);
        assert_int_equal(text_set(&o->object, "early"), 0);
        assert_int_equal(house_order(h, o), waiting ? ORDER_UNCHANGED : ORDER_DONE);
        house_run(h, instant("2027-03-01T12:40:00Z"), 0);
        house_expect_made(h, 1, 0);
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(clock_changes), cmocka_unit_test(leap_day), cmocka_unit_test(not_during),
          cmocka_unit_test(not_during_holds_back), cmocka_unit_test(an_order_opens))
