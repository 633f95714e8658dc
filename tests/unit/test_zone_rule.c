#include "core/calendar/zone_rule.h"

#include "base/date.h"
#include "unit.h"

static void rules_change_on_their_days(void **state) {
    static const struct {
        const char *rule;
        int year, offset[2];
        const char *change[2]; /* to standard time, to daylight saving */
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 2026, {3600, 7200}, {"2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z"}},
        {"EST5EDT,M3.2.0,M11.1.0", 2040, {-18000, -14400}, {"2040-11-04T06:00:00Z", "2040-03-11T07:00:00Z"}},
        {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
         2026,
         {37800, 39600},
         {"2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"}},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", 2026, {3600, 0}, {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"}},
        {"EET-2EEST,M4.5.5/0,M10.5.4/24", 2026, {7200, 10800}, {"2026-10-29T21:00:00Z", "2026-04-23T22:00:00Z"}},
        /* hours beyond the day, both ways */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, {-7200, -3600}, {"2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z"}},
        {"IST-2IDT,M3.4.4/26,M10.5.0", 2026, {7200, 10800}, {"2026-10-24T23:00:00Z", "2026-03-27T00:00:00Z"}},
        {"AAA0BBB,J60/-167:59:59,J365/167", 2026, {0, 3600}, {"2027-01-06T22:00:00Z", "2026-02-22T00:00:01Z"}},
        /* Jn leaves 29 February out, n counts it */
        {"AAA0BBB,J59/0,J60/0", 2028, {0, 3600}, {"2028-02-29T23:00:00Z", "2028-02-28T00:00:00Z"}},
        {"AAA0BBB,58/0,59/0", 2028, {0, 3600}, {"2028-02-28T23:00:00Z", "2028-02-28T00:00:00Z"}},
        {"AAA0BBB,0/0,365/0", 2028, {0, 3600}, {"2028-12-30T23:00:00Z", "2028-01-01T00:00:00Z"}},
        {"AAA+1:02:03BBB-4:05:06,M1.1.6/0,M5.4.6/0",
         2026,
         {-3723, 14706},
         {"2026-05-22T19:54:54Z", "2026-01-03T01:02:03Z"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ZoneRule r;
        assert_int_equal(zone_rule_from_string(rows[i].rule, &r), 0);
        assert_true(r.has_dst);
        for (int which = 0; which < 2; which++) {
            char iso[DATE_ISO_SIZE];
            assert_int_equal(r.offset[which], rows[i].offset[which]);
            date_to_iso(zone_rule_change(&r, which, rows[i].year) * USEC_PER_SEC, iso);
            assert_string_equal(iso, rows[i].change[which]);
        }
    }
}

static void names_and_offsets(void **state) {
    ZoneRule r;
    assert_int_equal(zone_rule_from_string("<+0545>-5:45", &r), 0);
    assert_false(r.has_dst);
    assert_string_equal(r.abbreviation[0], "+0545");
    assert_int_equal(r.offset[0], 20700);
    assert_int_equal(zone_rule_from_string("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", &r), 0);
    assert_string_equal(r.abbreviation[0], "-03");
    assert_string_equal(r.abbreviation[1], "-02");
}

static void bad_rules_are_refused(void **state) {
    static const char *const rows[] = {
        "",
        "UTC",
        "CE-1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3,",
        "CET-1CEST,M3.5.0,M10.5.0/3 ",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,M10.5.0",
        "CET-1CEST,J366,M10.5.0",
        "CET-1CEST,366,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0/-168,M10.5.0",
        "CET-1CEST,M3.5.0/1:60,M10.5.0",
        "CET-1CEST,M3.5.0/1:,M10.5.0",
        "CET-1CEST,M3.5.0/1:00:60,M10.5.0",
        "CET-25",
        "CET--1",
        "CET-1CEST-25,M3.5.0,M10.5.0",
        "<+01-1",
        "<>-1",
        "<a b>-1",
        "CET-00000001",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ-1",
        ":Europe/Berlin",
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ZoneRule r;
        assert_int_equal(zone_rule_from_string(rows[i], &r), -EBADMSG);
    }
}

UNIT_MAIN(cmocka_unit_test(rules_change_on_their_days), cmocka_unit_test(names_and_offsets),
          cmocka_unit_test(bad_rules_are_refused))
