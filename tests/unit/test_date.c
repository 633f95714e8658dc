#include "base/date.h"

#include "unit.h"

static void iso_pairs(void **state) {
    static const struct {
        const char *text;
        Usec wall;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T12:00:00Z", INT64_C(951825600) * USEC_PER_SEC},
        {"2026-11-23T02:00:00Z", INT64_C(1795399200) * USEC_PER_SEC},
        {"2026-11-23T02:00:00.123Z", INT64_C(1795399200123) * USEC_PER_MSEC},
        {"9999-12-31T23:59:59Z", WALL_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char buffer[DATE_ISO_SIZE];
        Usec wall = -1;
        assert_int_equal(date_from_iso(rows[i].text, &wall), 0);
        assert_int_equal(wall, rows[i].wall);
        assert_string_equal(date_to_iso(rows[i].wall, buffer), rows[i].text);
    }
}

static void iso_accepts_offsets_and_compact(void **state) {
    Usec wall;
    assert_int_equal(date_from_iso("1970-01-01T01:00:00+01:00", &wall), 0);
    assert_int_equal(wall, 0);
    assert_int_equal(date_from_iso("19700101T000001Z", &wall), 0);
    assert_int_equal(wall, USEC_PER_SEC);
    char buffer[DATE_COMPACT_SIZE];
    assert_string_equal(date_to_compact(INT64_C(1795399200) * USEC_PER_SEC, buffer), "20261123T020000Z");
}

static void iso_refuses(void **state) {
    static const char *const rows[] = {
        "",
        "2026",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00",
        "1969-12-31T23:59:59Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00.Z",
        "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:00+2",
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Usec wall = 7;
        assert_int_equal(date_from_iso(rows[i], &wall), -EINVAL);
        assert_int_equal(wall, 7);
    }
}

static void http_pairs(void **state) {
    char buffer[DATE_HTTP_SIZE];
    Usec wall;
    assert_int_equal(date_from_http("Sun, 06 Nov 1994 08:49:37 GMT", &wall), 0);
    assert_int_equal(wall, INT64_C(784111777) * USEC_PER_SEC);
    assert_string_equal(date_to_http(wall, buffer), "Sun, 06 Nov 1994 08:49:37 GMT");
    static const char *const rows[] = {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT",
                                       "Sun, 06 Nov 1994 0a:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(date_from_http(rows[i], &wall), -EINVAL);
}

static void every_day_of_four_centuries(void **state) {
    int64_t days = date_days(1970, 1, 1);
    assert_int_equal(days, 0);
    for (int year = 1970; year < 2370; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= date_month_length(year, month); day++, days++) {
                Date d = {};
                date_set_days(&d, days);
                assert_int_equal(date_days(year, month, day), days);
                assert_true(d.year == year && d.month == month && d.day == day);
                assert_int_equal(date_weekday(year, month, day), (days + 3) % 7);
            }
}

UNIT_MAIN(cmocka_unit_test(iso_pairs), cmocka_unit_test(iso_accepts_offsets_and_compact), cmocka_unit_test(iso_refuses),
          cmocka_unit_test(http_pairs), cmocka_unit_test(every_day_of_four_centuries))
