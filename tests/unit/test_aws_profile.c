#include "core/credentials/aws_profile.h"

#include "unit.h"

typedef struct Row {
    const char *profile, *key;
    bool config_file;
    const char *text;
    const char *value; /* NULL: none */
} Row;

static const Row rows[] = {
    /* the two forms of sections */
    {"default", "a", false, "[default]\na = 1\n", "1"},
    {"default", "a", true, "[default]\na = 1\n", "1"},
    {"ops", "a", true, "[profile ops]\na = 2\n[default]\na = 1\n", "2"},
    {"ops", "a", true, "[ops]\na = 2\n", NULL},
    {"ops", "a", false, "[profile ops]\na = 2\n", NULL},
    {"profile ops", "a", false, "[profile ops]\na = 2\n", "2"},
    {"op", "a", false, "[ops]\na = 2\n[o]\na = 3\n", NULL},
    {"Ops", "a", false, "[ops]\na = 2\n", NULL},
    {"ops", "a", true, "[profile\t ops ]\na = 2\n", "2"},
    {"my ops", "a", true, "[profile \"my ops\"]\na = 2\n", "2"},
    {"my ops", "a", true, "[profile 'my ops']\na = 2\n", "2"},
    {"ops", "a", true, "[profileops]\na = 2\n", NULL},
    {"ops", "a", true, "[sso-session ops]\na = 2\n[services ops]\na = 3\n", NULL},
    {"ops", "a", false, "", NULL},
    /* [profile default] and [default] */
    {"default", "a", true, "[default]\na = 1\n[profile default]\na = 2\n", "2"},
    {"default", "b", true, "[profile default]\na = 2\n[default]\na = 1\nb = 3\n", NULL},
    {"default", "a", true, "[default]\na = 1\n[profile default]\nb = x\n", NULL},
    /* white space, comments, line ends, duplicates */
    {"ops", "b", false, "\xef\xbb\xbf[ops]\r\na=1\r\nb=2\r\n", "2"},
    {"ops", "b", false, "  [ ops ]  \n  a  =\t1  \n  b = 2", "2"},
    {"ops", "t", false, "[ops] # mine\n; x\n\n#y\nt = abc#def ;old\n", "abc#def"},
    {"ops", "a", false, "[ops]\na : 1\n", "1"},
    {"ops", "aws_secret", false, "[ops]\nAWS_Secret = sec=ret:2\n", "sec=ret:2"},
    {"ops", "a", false, "[ops]\na = 1\na = 2\n", "2"},
    {"ops", "a", false, "[ops]\na = 1\n[x]\na = 9\n[ops]\nb = 2\n", "1"},
    {"ops", "a", false, "[ops]\na =\n", NULL},
    /* values that go on are one; nested ones are no keys of the profile */
    {"ops", "a", true, "[profile ops]\ns3 =\n  a = NO\n", NULL},
    {"ops", "a", true, "[profile ops]\ns3 =\n  a = NO\n\n  x\na = 1\n", "1"},
    {"ops", "s3", true, "[profile ops]\ns3 =\n  a = NO\n\n  x\na = 1\n", "\na = NO\nx"},
    {"ops", "a", true, "[profile ops]\na = 1\n  2\n", "1\n2"},
    {"ops", "a", true, "[profile x]\ns = y\n  [profile ops]\n[profile ops]\na = 2\n", "2"},
};

static void values_are_found(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(profiles_done) Profiles p = {};
        const char *why = NULL;
        unsigned line = 0;
        assert_int_equal(
            profiles_read(&p, rows[i].text, strlen(rows[i].text), rows[i].config_file, &why, &line), 0);
        const char *value = profile_get(profiles_find(&p, PROFILE_NORMAL, rows[i].profile), rows[i].key);
        if (!rows[i].value && value)
            fail_msg("row %zu: %s", i, value);
        if (rows[i].value && (!value || strcmp(value, rows[i].value) != 0))
            fail_msg("row %zu: %s instead of %s", i, value ? value : "nothing", rows[i].value);
    }
}

static void what_is_no_such_file_is_refused_with_its_line(void **state) {
    static const struct {
        const char *text;
        size_t len;
        unsigned line;
    } bad[] = {{"a = 1\n", 6, 1}, {"[ops\na = 1\n", 11, 1}, {"[ops]\n\nnonsense\n", 16, 3}, {"[ops]\n= 1\n", 10, 2},
               {"[]\n", 3, 1},    {"[ops]\na = \0\n", 12, 2}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(profiles_done) Profiles p = {};
        const char *why = NULL;
        unsigned line = 0;
        assert_int_equal(profiles_read(&p, bad[i].text, bad[i].len, true, &why, &line), -EBADMSG);
        assert_non_null(why);
        assert_int_equal(line, bad[i].line);
    }
}

static void later_files_go_over_earlier_ones(void **state) {
    CLEANUP(profiles_done) Profiles a = {};
    CLEANUP(profiles_done) Profiles b = {};
    const char *one = "[profile ops]\na = 1\nb = 1\n[services s]\nsts =\n  endpoint_url = http://x\n",
               *two = "[ops]\na = 2\n[new]\nc = 3\n";
    const char *why;
    unsigned line;
    AUTO_FREE char *nested = NULL;
    assert_int_equal(profiles_read(&a, one, strlen(one), true, &why, &line), 0);
    assert_int_equal(profiles_read(&b, two, strlen(two), false, &why, &line), 0);
    assert_int_equal(profiles_merge(&a, &b), 0);
    assert_string_equal(profile_get(profiles_find(&a, PROFILE_NORMAL, "ops"), "a"), "2");
    assert_string_equal(profile_get(profiles_find(&a, PROFILE_NORMAL, "ops"), "b"), "1");
    assert_string_equal(profile_get(profiles_find(&a, PROFILE_NORMAL, "new"), "c"), "3");
    assert_int_equal(
        profile_get_nested(profiles_find(&a, PROFILE_SERVICES, "s"), "sts", "endpoint_url", &nested), 0);
    assert_string_equal(nested, "http://x");
    assert_int_equal(profile_get_nested(profiles_find(&a, PROFILE_SERVICES, "s"), "sts", "url", &nested), -ENOENT);
}

UNIT_MAIN(cmocka_unit_test(values_are_found), cmocka_unit_test(what_is_no_such_file_is_refused_with_its_line),
          cmocka_unit_test(later_files_go_over_earlier_ones))
