#include "core/format/varlink.h"

#include "unit.h"

static void calls(void **state) {
    static const struct {
        const char *text;
        int result;
        const char *interface, *method;
        bool more, oneway, has_parameters;
    } rows[] = {
        {"{\"method\":\"a.b.C\"}", 0, "a.b", "C", false, false, false},
        {" {\"parameters\":{\"x\":1},\"method\":\"a.b.C\",\"more\":true,\"oneway\":false} ", 0, "a.b", "C", true, false,
         true},
        {"{\"method\":\"a.b.C\",\"parameters\":null,\"oneway\":true}", 0, "a.b", "C", false, true, false},
        {"{\"method\":\"a.b.C\",\"unknown\":[1,2,{}]}", 0, "a.b", "C", false, false, false},
        {"", -EBADMSG},
        {"{", -EBADMSG},
        {"[]", -EBADMSG},
        {"{}", -EBADMSG},
        {"{\"method\":null}", -EBADMSG},
        {"{\"method\":1}", -EBADMSG},
        {"{\"method\":\"\"}", -EBADMSG},
        {"{\"method\":\"C\"}", -EBADMSG},
        {"{\"method\":\".C\"}", -EBADMSG},
        {"{\"method\":\"a.\"}", -EBADMSG},
        {"{\"method\":\"a.\\\"}{\"}", -EBADMSG},
        {"{\"method\":\"a.b.C\",\"more\":1}", -EBADMSG},
        {"{\"method\":\"a.b.C\",\"parameters\":[]}", -EBADMSG},
        {"{\"method\":\"a.b.C\"}x", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        VarlinkCall c;
        int r = varlink_read_call(rows[i].text, strlen(rows[i].text), &c);
        if (r != rows[i].result)
            fail_msg("%s: %d", rows[i].text, r);
        if (r < 0)
            continue;
        assert_string_equal(c.interface, rows[i].interface);
        assert_string_equal(c.method, rows[i].method);
        assert_int_equal(c.more, rows[i].more);
        assert_int_equal(c.oneway, rows[i].oneway);
        assert_int_equal(c.parameters.at != NULL, rows[i].has_parameters);
    }
}

static void a_name_has_its_maximum(void **state) {
    char text[400];
    VarlinkCall c;
    for (int n = VARLINK_NAME_MAX - 1; n <= VARLINK_NAME_MAX + 1; n++) {
        snprintf(text, sizeof text, "{\"method\":\"a.%0*d\"}", n - 2, 0);
        assert_int_equal(varlink_read_call(text, strlen(text), &c), n <= VARLINK_NAME_MAX ? 0 : -EBADMSG);
    }
}

static JsonSpan span(const char *s) { return json_flat_object(s, strlen(s)); }

static void parameters(void **state) {
    AUTO_FREE char *s = NULL;
    int64_t n = 5;
    JsonSpan p = span("{\"a\":\"x\\u00fc\",\"n\":12,\"null\":null,\"o\":{},\"f\":1.5,"
                      "\"big\":99999999999999999999999999,\"l\":\"\xff\"}");
    assert_int_equal(varlink_string(p, "a", 3, &s), 0);
    assert_string_equal(s, "xü");
    assert_int_equal(varlink_string(p, "a", 2, &s), -EBADMSG);
    assert_int_equal(varlink_string(p, "n", 10, &s), -EBADMSG);
    assert_int_equal(varlink_string(p, "l", 10, &s), -EBADMSG);
    assert_int_equal(varlink_string(p, "null", 10, &s), 0);
    assert_int_equal(varlink_string(p, "absent", 10, &s), 0);
    assert_string_equal(s, "xü");
    assert_int_equal(varlink_int(p, "absent", 0, 100, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(varlink_int(p, "n", 0, 100, &n), 0);
    assert_int_equal(n, 12);
    static const char *const bad[] = {"a", "o", "f", "big"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(varlink_int(p, bad[i], 0, 100, &n), -EBADMSG);
    assert_int_equal(varlink_int(p, "n", 13, 100, &n), -EBADMSG);
}

static void foreign_members(void **state) {
    static const char *const names[] = {"a", "b"};
    assert_null(json_flat_foreign(span("{\"b\":{\"c\":1},\"a\":[1,2]}"), names, 2).at);
    assert_null(json_flat_foreign(span("{}"), NULL, 0).at);
    assert_null(json_flat_foreign((JsonSpan){}, NULL, 0).at);
    JsonSpan s = json_flat_foreign(span("{\"a\":1, \"tabel\" : {}, \"x\":2}"), names, 2);
    assert_int_equal(s.n, 7);
    assert_memory_equal(s.at, "\"tabel\"", 7);
}

static void what_is_written_is_read(void **state) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_REPLY_MAX);
    VarlinkReply reply;
    VarlinkCall call;
    AUTO_FREE char *value = NULL;
    assert_int_equal(varlink_add_reply(&t, "{\"a\":1}", true), 0);
    assert_int_equal(t.data[t.len - 1], '\0');
    assert_int_equal(varlink_read_reply(t.data, t.len - 1, &reply), 0);
    assert_true(reply.continues);
    assert_string_equal(reply.error, "");
    text_clear(&t);
    assert_int_equal(varlink_add_error(&t, "a.b.Bad", "message", "\"quoted\"\n"), 0);
    assert_int_equal(varlink_read_reply(t.data, t.len - 1, &reply), 0);
    assert_string_equal(reply.error, "a.b.Bad");
    assert_int_equal(varlink_string(reply.parameters, "message", 100, &value), 0);
    assert_string_equal(value, "\"quoted\"\n");
    text_clear(&t);
    assert_int_equal(varlink_add_call(&t, "a.b.C", "{}", true), 0);
    assert_int_equal(varlink_read_call(t.data, t.len - 1, &call), 0);
    assert_true(call.more);
    assert_int_equal(varlink_read_reply("nothing", 7, &reply), -EBADMSG);
    assert_int_equal(varlink_read_reply("{\"error\":5}", 11, &reply), -EBADMSG);
}

UNIT_MAIN(cmocka_unit_test(calls), cmocka_unit_test(a_name_has_its_maximum), cmocka_unit_test(parameters),
          cmocka_unit_test(foreign_members), cmocka_unit_test(what_is_written_is_read))
