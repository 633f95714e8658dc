#include "base/parse.h"

#include "unit.h"

static void durations(void **state) {
    static const struct {
        const char *text;
        Usec usec;
        const char *shown;
    } rows[] = {
        {"0", 0, "0"},
        {"1s", USEC_PER_SEC, "1s"},
        {"90min", 90 * USEC_PER_MINUTE, "90min"},
        {"1h 30min", 90 * USEC_PER_MINUTE, "90min"},
        {"27h", 27 * USEC_PER_HOUR, "27h"},
        {"8d", 8 * USEC_PER_DAY, "8d"},
        {"2w", 2 * USEC_PER_WEEK, "2w"},
        {"2d12h", 60 * USEC_PER_HOUR, "60h"},
        {"1.5h", 90 * USEC_PER_MINUTE, "90min"},
        {"250ms", 250 * USEC_PER_MSEC, "250ms"},
        {"15 min", 15 * USEC_PER_MINUTE, "15min"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Usec usec = -1;
        char buffer[DURATION_SIZE];
        assert_int_equal(parse_duration(rows[i].text, &usec), 0);
        assert_int_equal(usec, rows[i].usec);
        assert_string_equal(duration_to_string(usec, buffer), rows[i].shown);
    }
    static const struct {
        const char *text;
        int r;
    } bad[] = {{"", -EINVAL},
               {"5", -EINVAL},
               {"h", -EINVAL},
               {"1x", -EINVAL},
               {"1h ", 0},
               {" 1h", -EINVAL},
               {"-1h", -EINVAL},
               {"1.h", -EINVAL},
               {"1h30", -EINVAL},
               {"99999999999999999999h", -ERANGE},
               {"999999999999999w", -ERANGE}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        Usec usec;
        assert_int_equal(parse_duration(bad[i].text, &usec), bad[i].r);
    }
}

static void sizes(void **state) {
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *shown;
    } rows[] = {{"0", 0, "0B"},          {"512", 512, "512B"},          {"500G", UINT64_C(500) << 30, "500G"},
                {"64KiB", 65536, "64K"}, {"1536K", 1536 << 10, "1.5M"}, {"2TB", UINT64_C(2) << 40, "2T"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t bytes;
        char buffer[SIZE_TEXT_SIZE];
        assert_int_equal(parse_size(rows[i].text, &bytes), 0);
        assert_true(bytes == rows[i].bytes);
        assert_string_equal(size_to_string(bytes, buffer), rows[i].shown);
    }
    uint64_t bytes;
    assert_int_equal(parse_size("", &bytes), -EINVAL);
    assert_int_equal(parse_size("G", &bytes), -EINVAL);
    assert_int_equal(parse_size("5X", &bytes), -EINVAL);
    assert_int_equal(parse_size("5Gx", &bytes), -EINVAL);
    assert_int_equal(parse_size("-5", &bytes), -EINVAL);
    assert_int_equal(parse_size("99999999999P", &bytes), -ERANGE);
    assert_int_equal(parse_size("99999999999999999999", &bytes), -ERANGE);
}

static void integers(void **state) {
    int64_t n;
    assert_int_equal(parse_int("42", 0, 100, &n), 0);
    assert_int_equal(n, 42);
    assert_int_equal(parse_int("-42", -100, 100, &n), 0);
    assert_int_equal(n, -42);
    assert_int_equal(parse_int("101", 0, 100, &n), -ERANGE);
    assert_int_equal(parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n), 0);
    assert_true(n == INT64_MIN);
    assert_int_equal(parse_int("9223372036854775808", INT64_MIN, INT64_MAX, &n), -ERANGE);
    assert_int_equal(parse_int("", 0, 1, &n), -EINVAL);
    assert_int_equal(parse_int("1 ", 0, 1, &n), -EINVAL);
    assert_int_equal(parse_int("+1", 0, 1, &n), -EINVAL);
}

static void globs(void **state) {
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"*", "", true},
        {"*", "orders", true},
        {"app-*", "app-", true},
        {"app-*", "ap", false},
        {"*-tmp", "x-tmp", true},
        {"*-tmp", "x-tmp2", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[]]x", "]x", true},
        {"[a", "a", false},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*b*c", "xxaxxbxx", false},
        {"orders", "orders", true},
        {"orders", "orders2", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (glob_match(rows[i].pattern, rows[i].name) != rows[i].matches)
            fail_msg("%s on %s", rows[i].pattern, rows[i].name);
}

static void nearest_names(void **state) {
    static const char *const names[] = {"schedules", "tables", "timezone", "when"};
    assert_string_equal(name_nearest("schedule", names, 4), "schedules");
    assert_string_equal(name_nearest("tabels", names, 4), "tables");
    assert_string_equal(name_nearest("timezon", names, 4), "timezone");
    assert_null(name_nearest("colour", names, 4));
    assert_int_equal(name_distance("ab", "ba"), 1);
    assert_int_equal(name_distance("", "abc"), 3);
}

UNIT_MAIN(cmocka_unit_test(durations), cmocka_unit_test(sizes), cmocka_unit_test(integers), cmocka_unit_test(globs),
          cmocka_unit_test(nearest_names))
