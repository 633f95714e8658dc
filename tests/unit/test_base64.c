#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void there_and_back(void **state) {
    static const struct {
        const char *bytes, *text;
    } rows[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t n = strlen(rows[i].bytes);
        char text[16];
        uint8_t bytes[8];
        base64_encode((const uint8_t *)rows[i].bytes, n, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(base64_decode(text, bytes, n), 0);
        assert_memory_equal(bytes, rows[i].bytes, n);
    }
}

static void refused(void **state) {
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {{"Zg=", 1},  {"Zg==", 2}, {"Zg==Zg==", 1}, {"Z===", 1}, {"Zm9", 3},
                {"Zm 9", 3}, {"Z-9v", 3}, {"=g==", 1},     {"", 1}};
    uint8_t bytes[8];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(base64_decode(rows[i].text, bytes, rows[i].n), -EINVAL);
}

UNIT_MAIN(cmocka_unit_test(there_and_back), cmocka_unit_test(refused))
