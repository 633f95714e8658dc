#include "core/run/slot.h"

#include "base/date.h"
#include "base/text.h"

#include "unit.h"

static Usec at(const char *iso) {
    Usec wall = 0;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

typedef struct Case {
    Zone *zone;
    Calendar *when;
    Target *target;
    ScheduleConf schedule;
    Enrolment *enrolment;
} Case;

static void case_done(Case *c) {
    target_free(c->target);
    calendar_free(c->when);
    zone_free(c->zone);
}

static void case_init(Case *c, const char *when, const char *cursor, CatchUp catch_up) {
    CalendarError error;
    assert_int_equal(zone_utc(&c->zone), 0);
    assert_int_equal(calendar_parse(when, &c->when, &error), 0);
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &c->target), 0);
    assert_int_equal(target_enrol(c->target, "nightly", &c->enrolment), 0);
    c->schedule = (ScheduleConf){.name = "nightly", .when = c->when, .zone = c->zone, .catch_up = catch_up};
    c->enrolment->schedule = &c->schedule;
    c->enrolment->cursor_wall = at(cursor);
}

static void ordered_slots(void **state) {
    static const struct {
        const char *when, *cursor, *ordered, *now, *slot;
    } rows[] = {
        {"02:00", "2026-11-23T02:00:00Z", "-", "2026-11-23T12:00:00.700Z", "2026-11-23T12:00:00Z"},
        /* the calendar's own second, taken and to come */
        {"02:00", "2026-11-23T02:00:00Z", "-", "2026-11-23T02:00:00.100Z", "2026-11-23T02:00:01Z"},
        {"02:00", "2026-11-22T02:00:00Z", "-", "2026-11-23T02:00:00Z", "2026-11-23T02:00:01Z"},
        {"*:*:0/2", "2026-11-23T02:00:00Z", "-", "2026-11-23T02:00:02Z", "2026-11-23T02:00:03Z"},
        {"*:*:*", "2026-11-23T02:00:00Z", "-", "2026-11-23T02:00:02Z", NULL},
        /* ordered twice in a second; a clock that was ahead */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00.900Z", "2026-11-23T12:00:01Z"},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T01:59:59Z", "2026-11-23T12:00:00Z", "2026-11-24T02:00:01Z"},
        {"02:00", "2026-11-24T02:00:00Z", "-", "2026-11-23T12:00:00Z", "2026-11-24T02:00:01Z"},
        {"2026-11-23 02:00", "2026-11-23T02:00:00Z", "-", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Case c;
        Usec slot = 0;
        char text[DATE_ISO_SIZE];
        case_init(&c, rows[i].when, rows[i].cursor, CATCH_UP_LAST);
        if (rows[i].ordered[0] != '-')
            c.enrolment->ordered_wall = at(rows[i].ordered);
        int r = slot_ordered(c.enrolment, at(rows[i].now), &slot);
        assert_int_equal(r, rows[i].slot ? 0 : -EEXIST);
        if (rows[i].slot)
            assert_string_equal(date_to_iso(slot, text), rows[i].slot);
        case_done(&c);
    }
}

static void expect(Usec wall, const char *iso) {
    char text[DATE_ISO_SIZE];
    assert_string_equal(wall == WALL_UNKNOWN ? "-" : date_to_iso(wall, text), iso);
}

static void what_became_due(void **state) {
    static const struct {
        const char *when, *cursor, *until;
        CatchUp catch_up;
        const char *run, *from, *to;
        int n;
    } rows[] = {
        /* nothing yet; exactly now; one */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T01:59:59Z", CATCH_UP_LAST, "-", "-", "-", 0},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T02:00:00Z", CATCH_UP_LAST, "2026-11-24T02:00:00Z", "-", "-", 0},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T23:00:00Z", CATCH_UP_LAST, "2026-11-24T02:00:00Z", "-", "-", 0},
        /* a week off: the newest runs, the others are one range */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-30T12:00:00Z", CATCH_UP_LAST, "2026-11-30T02:00:00Z",
         "2026-11-24T02:00:00Z", "2026-11-29T02:00:00Z", 6},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-25T12:00:00Z", CATCH_UP_LAST, "2026-11-25T02:00:00Z",
         "2026-11-24T02:00:00Z", "2026-11-24T02:00:00Z", 1},
        /* without catch-up none of the missed runs, and one that is not late does */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-30T12:00:00Z", CATCH_UP_NONE, "-", "2026-11-24T02:00:00Z",
         "2026-11-30T02:00:00Z", 7},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T02:15:00Z", CATCH_UP_NONE, "2026-11-24T02:00:00Z", "-", "-", 0},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-24T02:15:01Z", CATCH_UP_NONE, "-", "2026-11-24T02:00:00Z",
         "2026-11-24T02:00:00Z", 1},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-25T02:00:01Z", CATCH_UP_NONE, "2026-11-25T02:00:00Z",
         "2026-11-24T02:00:00Z", "2026-11-24T02:00:00Z", 1},
        /* a clock that went back makes nothing due again */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-01T02:00:00Z", CATCH_UP_LAST, "-", "-", "-", 0},
        /* more than are worth counting */
        {"*:*:*", "2026-11-23T02:00:00Z", "2026-11-30T02:00:00Z", CATCH_UP_LAST, "2026-11-30T02:00:00Z",
         "2026-11-23T02:00:01Z", "2026-11-30T01:59:59Z", SLOT_COUNT_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(case_done) Case c = {};
        SlotPlan plan;
        case_init(&c, rows[i].when, rows[i].cursor, rows[i].catch_up);
        assert_int_equal(slot_plan(c.enrolment, at(rows[i].until), &plan), 0);
        expect(plan.run_wall, rows[i].run);
        expect(plan.range_from_wall, rows[i].from);
        expect(plan.range_to_wall, rows[i].to);
        assert_int_equal(plan.n_range, rows[i].n);
    }
}

static void shares_are_stable_and_spread(void **state) {
    CLEANUP(case_done) Case c = {};
    Usec share, again, n_low = 0;
    case_init(&c, "02:00", "2026-11-23T02:00:00Z", CATCH_UP_LAST);
    assert_int_equal(slot_share("acme", c.enrolment, &share), 0);
    assert_int_equal(share, 0);
    c.schedule.spread_usec = USEC_PER_HOUR;
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "table-%d", i);
        assert_int_equal(text_set(&c.target->table, name), 0);
        assert_int_equal(slot_share("acme", c.enrolment, &share), 0);
        assert_int_equal(slot_share("acme", c.enrolment, &again), 0);
        assert_true(share == again && share >= 0 && share < USEC_PER_HOUR);
        n_low += share < USEC_PER_HOUR / 2;
    }
    assert_in_range(n_low, 70, 130);
}

UNIT_MAIN(cmocka_unit_test(ordered_slots), cmocka_unit_test(what_became_due),
          cmocka_unit_test(shares_are_stable_and_spread))
