#include "core/format/json_scan.h"

#include "unit.h"

static void grammar(void **state) {
    static const struct {
        const char *text, *why; /* NULL: good */
    } rows[] = {
        {"{}", NULL},
        {" \t\r\n[ ] \n", NULL},
        {"{\"a\":[1,-0.5,1e9,1.36372808007E9,0,true,false,null,\"\\u00e9\\ud83d\\ude00\\n\\/\"],\"a\":{}}", NULL},
        {"\"\xff\"", NULL}, /* UTF-8 is for those who read the string */
        {"", "is empty"},
        {" ", "ends too early"},
        {"{", "ends too early"},
        {"{\"a\"", "ends too early"},
        {"{\"a\":1", "ends too early"},
        {"{\"a\":1,", "ends too early"},
        {"[1", "ends too early"},
        {"\"abc", "ends too early"},
        {"\"\\", "ends too early"},
        {"\"\\u00", "ends too early"},
        {"-", "ends too early"},
        {"1.", "ends too early"},
        {"1e+", "ends too early"},
        {"{,}", "is no JSON"},
        {"{\"a\":1,}", "is no JSON"},
        {"{\"a\" 1}", "is no JSON"},
        {"{a:1}", "is no JSON"},
        {"{'a':1}", "is no JSON"},
        {"[1,]", "is no JSON"},
        {"[1 2]", "is no JSON"},
        {"[1}", "is no JSON"},
        {"+1", "is no JSON"},
        {".5", "is no JSON"},
        {"NaN", "is no JSON"},
        {"tru e", "is no JSON"},
        {"True", "is no JSON"},
        {"\"\\x\"", "is no JSON"},
        {"\"\\u12g4\"", "is no JSON"},
        {"\xef\xbb\xbf{}", "is no JSON"},
        {"<html>", "is no JSON"},
        {"01", "has bytes after its end"},
        {"{}{}", "has bytes after its end"},
        {"{} x", "has bytes after its end"},
        {"1-2", "has bytes after its end"},
        {"\"a\nb\"", "holds a control character"},
        {"\"\\u0000\"", "holds a zero character"},
        {"{\"a\\u0000b\":1}", "holds a zero character"},
        {"\"\\ud83d\"", "holds half a surrogate pair"},
        {"\"\\ud83dx\"", "holds half a surrogate pair"},
        {"\"\\ud83d\\u0041\"", "holds half a surrogate pair"},
        {"\"\\ude00\"", "holds half a surrogate pair"},
        {"\"\\ude00\\ude00\"", "holds half a surrogate pair"},
        {"\"\\uD83D\\uDE00\"", NULL},
        {"\"\\uDE00\"", "holds half a surrogate pair"},
        {"123456789012345678901234567890123456789012345678901234567890", NULL},
        {"1234567890123456789012345678901234567890123456789012345678901", "holds too long a number"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t len = strlen(rows[i].text);
        char *exact = malloc(len ? len : 1); /* not terminated: a byte too far is seen by the sanitizer */
        assert_non_null(exact);
        memcpy(exact, rows[i].text, len);
        const char *why = json_scan(exact, len, 32);
        free(exact);
        if (!rows[i].why && why)
            fail_msg("%s: %s", rows[i].text, why);
        if (rows[i].why)
            assert_string_equal(why ? why : "good", rows[i].why);
    }
    assert_string_equal(json_scan("\"\0\"", 3, 32), "holds a control character");
    assert_string_equal(json_scan("{}\0", 3, 32), "has bytes after its end");
}

static void depth(void **state) {
    enum { N = 200000 };
    static char deep[N];
    for (size_t n = 1; n <= 40; n++) {
        memset(deep, '[', n);
        memset(deep + n, ']', n);
        const char *why = json_scan(deep, 2 * n, 32);
        if (n <= 32)
            assert_null(why);
        else
            assert_string_equal(why, "is nested too deep");
    }
    memset(deep, '[', N);
    assert_string_equal(json_scan(deep, N, 32), "is nested too deep");
    assert_string_equal(json_scan("{\"a\":[{}]}", 10, 2), "is nested too deep");
    assert_null(json_scan("{\"a\":[{}]}", 10, 3));
}

UNIT_MAIN(cmocka_unit_test(grammar), cmocka_unit_test(depth))
