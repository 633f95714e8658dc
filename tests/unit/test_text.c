#include "base/text.h"

#include "unit.h"

static void grows_to_its_maximum(void **state) {
    AUTO_TEXT t = TEXT_INIT(8);
    assert_string_equal(text_get(&t), "");
    assert_int_equal(text_add(&t, "12345678"), 0);
    assert_int_equal(text_add_char(&t, '9'), -E2BIG);
    assert_int_equal(text_add(&t, ""), -E2BIG); /* errors stick */
    char *taken = NULL;
    assert_int_equal(text_take(&t, &taken), -E2BIG);
    assert_null(taken);
    text_clear(&t);
    assert_int_equal(text_addf(&t, "%d-%s", 42, "abc"), 0);
    assert_string_equal(text_get(&t), "42-abc");
}

/* A formatted piece that has no room, or may have none, leaves what was there. */
static void formats_into_its_room(void **state) {
    enum { MAX = 2000 };
    static char expected[MAX + 1];
    for (size_t n = 0; n < MAX; n++) {
        AUTO_TEXT t = TEXT_INIT(MAX);
        memset(expected, '.', n);
        expected[n] = '7';
        assert_int_equal(text_addf(&t, "%.*s", (int)n, expected), 0);
        assert_int_equal(text_addf(&t, "%d", 7), 0);
        assert_string_equal(text_get(&t), expected);
        assert_int_equal(text_addf(&t, "%*d", MAX - (int)n, 7), -E2BIG);
        assert_string_equal(text_get(&t), expected);
    }
}

static void json_strings(void **state) {
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01", "\"\\n\\t\\u0001\""},
        {"\xc3\xa4\xe2\x82\xac", "\"\xc3\xa4\xe2\x82\xac\""},
        {"\xff", "\"\\ufffd\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc0\x80", "\"\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_TEXT t = TEXT_INIT(100);
        assert_int_equal(text_add_json(&t, rows[i].in), 0);
        assert_string_equal(text_get(&t), rows[i].out);
    }
}

static void sets_and_compares(void **state) {
    char *s = NULL;
    assert_int_equal(text_set(&s, "x"), 0);
    assert_true(text_equal(s, "x"));
    assert_int_equal(text_set(&s, NULL), 0);
    assert_true(text_equal(s, NULL));
    assert_false(text_equal(s, ""));
    AUTO_FREE char *f = text_format("%s/%d", "a", 1);
    assert_string_equal(f, "a/1");
}

UNIT_MAIN(cmocka_unit_test(grows_to_its_maximum), cmocka_unit_test(formats_into_its_room),
          cmocka_unit_test(json_strings), cmocka_unit_test(sets_and_compares))
