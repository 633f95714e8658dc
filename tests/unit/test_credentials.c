#include "core/aws/credentials.h"

#include "unit.h"

static void only_what_can_stand_in_a_header_is_taken(void **state) {
    static const struct {
        const char *id, *secret, *token;
        int result;
    } rows[] = {
        {"AKID", "s/+=", NULL, 0},        {"AKID", "s", "T", 0},       {"AKID", "s", "", 0},
        {"", "s", NULL, -EBADMSG},        {"AKID", "", NULL, -EBADMSG}, {"AK ID", "s", NULL, -EBADMSG},
        {"AKID", "s\n", NULL, -EBADMSG},  {"AKID", "s", "T\r", -EBADMSG}, {"AKID\x7f", "s", NULL, -EBADMSG},
        {"AKID", "\xc3\xa4", NULL, -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(credentials_free_ptr) Credentials *c = NULL;
        int r = credentials_new(rows[i].id, rows[i].secret, rows[i].token, 7, &c);
        if (r != rows[i].result)
            fail_msg("row %zu: %d", i, r);
        assert_true((r == 0) == (c != NULL));
        if (!c)
            continue;
        assert_string_equal(c->access_key_id, rows[i].id);
        assert_string_equal(c->secret_access_key.bytes, rows[i].secret);
        assert_true((c->session_token.bytes != NULL) == (rows[i].token && *rows[i].token));
        assert_true(c->expires_wall == 7);
    }
}

static void equal_is_what_signs_alike_and_lives_as_long(void **state) {
    CLEANUP(credentials_free_ptr) Credentials *a = NULL;
    CLEANUP(credentials_free_ptr) Credentials *b = NULL;
    CLEANUP(credentials_free_ptr) Credentials *copy = NULL;
    assert_int_equal(credentials_new("AKID", "s", "T", 7, &a), 0);
    assert_int_equal(credentials_new("AKID", "s", "T", 8, &b), 0);
    assert_int_equal(credentials_copy(a, &copy), 0);
    assert_true(credentials_equal(a, copy));
    assert_false(credentials_equal(a, b));
}

UNIT_MAIN(cmocka_unit_test(only_what_can_stand_in_a_header_is_taken),
          cmocka_unit_test(equal_is_what_signs_alike_and_lives_as_long))
