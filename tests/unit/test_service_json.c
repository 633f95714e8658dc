#include "sim/service_json.h"

#include "unit.h"

static int parse(const char *s, ServiceJson **ret) { return service_json_parse(s, strlen(s), ret); }

/* What parses is written again; NULL: refused. */
static void texts(void **state) {
    static const struct {
        const char *text, *again;
    } rows[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"e\"}}",
         "{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"e\"}}"},
        {"-0.5e+10", "-0.5e+10"},
        {"\"\\u0041\\n\\/\\\"\\\\\"", "\"A\\u000a/\\\"\\\\\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\xc3\xbc\"", "\"\xc3\xbc\""},
        {"\"\xf4\x8f\xbf\xbf\"", "\"\xf4\x8f\xbf\xbf\""},
        {"", NULL},
        {"{", NULL},
        {"{}x", NULL},
        {"{} {}", NULL},
        {"{\"a\":1,}", NULL},
        {"[1,]", NULL},
        {"[,1]", NULL},
        {"{\"a\" 1}", NULL},
        {"{a:1}", NULL},
        {"{'a':1}", NULL},
        {"{\"a\":1,\"a\":2}", NULL},
        {"01", NULL},
        {"+1", NULL},
        {"1.", NULL},
        {".5", NULL},
        {"1e", NULL},
        {"0x10", NULL},
        {"NaN", NULL},
        {"-", NULL},
        {"tru", NULL},
        {"True", NULL},
        {"\"\t\"", NULL},
        {"\"a", NULL},
        {"\"\\x\"", NULL},
        {"\"\\u12\"", NULL},
        {"\"\\u0000\"", NULL},
        {"\"\\ud83d\"", NULL},
        {"\"\\ud83dx\"", NULL},
        {"\"\\ude00\"", NULL},
        {"\"\\ude00\\ude00\"", NULL},
        {"\"\x1f\"", NULL},
        {"\"\\ud83d\\u0041\"", NULL},
        {"\"\xff\"", NULL},
        {"\"\xc0\x80\"", NULL},
        {"\"\xe0\x80\x80\"", NULL},
        {"\"\xed\xa0\x80\"", NULL},
        {"\"\xf4\x90\x80\x80\"", NULL},
        {"\"\xc3\"", NULL},
        {"//\n{}", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceJson *j = NULL;
        AUTO_TEXT t = TEXT_INIT(1000);
        int rc = parse(rows[i].text, &j);
        if (!rows[i].again) {
            if (rc != -EBADMSG)
                fail_msg("row %zu: %s gives %d", i, rows[i].text, rc);
            continue;
        }
        assert_int_equal(rc, 0);
        service_json_add_value(&t, NULL, j);
        assert_string_equal(text_get(&t), rows[i].again);
        service_json_free(j);
    }
}

static void nul_byte_is_refused(void **state) {
    ServiceJson *j;
    assert_int_equal(service_json_parse("\"a\0b\"", 5, &j), -EBADMSG);
    assert_int_equal(service_json_parse("{}\0", 3, &j), -EBADMSG);
}

static void bounds(void **state) {
    static const struct {
        const char *begin, *unit, *end;
        size_t n;
        int rc;
    } rows[] = {
        {"", "[", "", 40, -E2BIG},
        {"", "[", "", 30, -EBADMSG}, /* not closed, but not too deep either */
        {"[0", ",0", "]", 19998, 0},
        {"[0", ",0", "]", 20000, -E2BIG},
        {"1", "0", "", 63, 0},
        {"1", "0", "", 64, -E2BIG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceJson *j = NULL;
        AUTO_TEXT t = TEXT_INIT(100000);
        text_add(&t, rows[i].begin);
        for (size_t k = 0; k < rows[i].n; k++)
            text_add(&t, rows[i].unit);
        text_add(&t, rows[i].end);
        assert_int_equal(parse(text_get(&t), &j), rows[i].rc);
        service_json_free(j);
    }
    ServiceJson *j = NULL;
    for (int n = 256; n <= 257; n++) {
        AUTO_TEXT t = TEXT_INIT(100000);
        service_json_open(&t, NULL, '{');
        for (int i = 0; i < n; i++) {
            char name[8];
            snprintf(name, sizeof name, "m%d", i);
            service_json_add_int(&t, name, i);
        }
        service_json_close(&t, '}');
        assert_int_equal(parse(text_get(&t), &j), n == 256 ? 0 : -E2BIG);
    }
    service_json_free(j);
}

static void members(void **state) {
    ServiceJson *j;
    assert_int_equal(parse("{\"a\":\"x\",\"A\":null,\"n\":7}", &j), 0);
    assert_string_equal(service_json_get_string(j, "a"), "x");
    assert_null(service_json_get(j, "A")); /* null is absent, and names have their case */
    assert_null(service_json_get_string(j, "n"));
    assert_null(service_json_get(NULL, "a"));
    assert_null(service_json_get(service_json_get(j, "a"), "a"));
    service_json_free(j);
}

static void numbers(void **state) {
    static const struct {
        const char *text;
        int rc;
        int64_t value;
        int wall_rc;
        Usec wall;
    } rows[] = {
        {"0", 0, 0, 0, 0},
        {"-7", 0, -7, 0, -7000000},
        {"3.0", 0, 3, 0, 3000000},
        {"3e2", 0, 300, 0, 300000000},
        {"3.5", -EINVAL, 0, 0, 3500000},
        {"1576616366.715", -EINVAL, 0, 0, 1576616366715000},
        {"1.576616366715E9", -EINVAL, 0, 0, 1576616366715000},
        {"1576616366.7154", -EINVAL, 0, 0, 1576616366715000},
        {"1576616366.7156", -EINVAL, 0, 0, 1576616366716000},
        {"9223372036854775807", 0, INT64_MAX, -ERANGE, 0},
        {"9223372036854775808", -ERANGE, 0, -ERANGE, 0},
        {"1e300", -ERANGE, 0, -ERANGE, 0},
        {"1e999", -ERANGE, 0, -ERANGE, 0},
        {"\"3\"", -EINVAL, 0, -EINVAL, 0},
        {"true", -EINVAL, 0, -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceJson *j;
        int64_t value = 0;
        Usec wall = 0;
        assert_int_equal(parse(rows[i].text, &j), 0);
        assert_int_equal(service_json_to_int(j, &value), rows[i].rc);
        assert_true(value == rows[i].value);
        assert_int_equal(service_json_to_wall(j, &wall), rows[i].wall_rc);
        assert_true(wall == rows[i].wall);
        service_json_free(j);
    }
}

static void writer(void **state) {
    AUTO_TEXT t = TEXT_INIT(1000);
    service_json_open(&t, NULL, '{');
    service_json_add_string(&t, "s", "a\"b\\\x01\xc3\xbc{");
    service_json_add_string(&t, "left out", NULL);
    service_json_add_int(&t, "i", INT64_MIN);
    service_json_add_bool(&t, "b", true);
    service_json_open(&t, "l", '[');
    service_json_add_int(&t, NULL, 1);
    service_json_open(&t, NULL, '{');
    service_json_close(&t, '}');
    service_json_add_wall(&t, NULL, INT64_C(1576616366715999));
    service_json_add_wall(&t, NULL, INT64_C(1576616366710000));
    service_json_add_wall(&t, NULL, INT64_C(1576616360000000));
    service_json_add_wall_scientific(&t, NULL, INT64_C(1576616366715000));
    service_json_add_wall_scientific(&t, NULL, INT64_C(1576616300000000));
    service_json_add_wall_scientific(&t, NULL, 0);
    service_json_close(&t, ']');
    service_json_add_raw(&t, "r", "{\"x\":1}");
    service_json_close(&t, '}');
    assert_string_equal(text_get(&t),
                        "{\"s\":\"a\\\"b\\\\\\u0001\xc3\xbc{\",\"i\":-9223372036854775808,\"b\":true,\"l\":[1,{},"
                        "1576616366.715,1576616366.71,1576616360,1.576616366715E9,1.5766163E9,0],\"r\":{\"x\":1}}");
}

UNIT_MAIN(cmocka_unit_test(texts), cmocka_unit_test(nul_byte_is_refused), cmocka_unit_test(bounds),
          cmocka_unit_test(members), cmocka_unit_test(numbers), cmocka_unit_test(writer))
