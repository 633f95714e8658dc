#include "core/format/xml_find.h"

#include "unit.h"

static void finds(void **state) {
    static const struct {
        const char *text, *path;
        int r;
        const char *found;
    } rows[] = {
        {"<a><b>1</b><b>2</b></a>", "a/b", 0, "1"},
        {"<?xml version=\"1.0\"?>\n<a x='1'><b/><b>2</b></a>\n", "a/b", 0, ""},
        {"<a><b><c>1</c></b><b>2</b></a>", "a/b", 0, "2"},
        {"<a><b>1<c/></b></a>", "a/b", -ENOENT, NULL},
        {"<a><b>&lt;&#x41;&#233;&#x20ac;&#x1f600;&amp;</b></a>", "a/b", 0, "<A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80&"},
        {"<a>1</a>", "a", 0, "1"},
        {"<a><b>1</b></a>", "b", -ENOENT, NULL},
        {"<a><b>1</b></a>", "a/b/c", -ENOENT, NULL},
        {"<a><bb>1</bb></a>", "a/b", -ENOENT, NULL},
        {"<a><b>1</b>", "a/b", -EBADMSG, NULL},
        {"<a><b>1</c></a>", "a/b", -EBADMSG, NULL},
        {"<a/><a/>", "a", -EBADMSG, NULL},
        {"<a>&nbsp;</a>", "a", -EBADMSG, NULL},
        {"<a>&#0;</a>", "a", -EBADMSG, NULL},
        {"", "a", -EBADMSG, NULL},
        {"<!DOCTYPE a><a/>", "a", -EBADMSG, NULL},
        {"<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a></a></"
         "a></a></a>",
         "a", -EBADMSG, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(secret_done) Secret found = {};
        assert_int_equal(xml_find(rows[i].text, strlen(rows[i].text), rows[i].path, &found), rows[i].r);
        if (rows[i].found)
            assert_string_equal(found.bytes, rows[i].found);
        else
            assert_null(found.bytes);
    }
}

typedef struct Told {
    char text[256];
    int stop_at; /* calls; 0: never */
    int n;
} Told;

/* "b=1 b=2 a" */
static int note(void *context, const XmlPlace *place, const Secret *text) {
    static const char *const paths[] = {"a", "a/b", "a/c", "a/c/d"};
    Told *t = context;
    const char *path = "?";
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        if (xml_is(place, paths[i]))
            path = paths[i];
    snprintf(t->text + strlen(t->text), sizeof t->text - strlen(t->text), "%s%s%s%s", t->n > 0 ? " " : "", path,
             text ? "=" : "", text ? text->bytes : "");
    return ++t->n == t->stop_at ? -ECANCELED : 0;
}

static void tells_of_each(void **state) {
    static const struct {
        const char *text;
        int stop_at, r;
        const char *told;
    } rows[] = {
        {"<a><b>1</b><b>2</b></a>", 0, 0, "a/b=1 a/b=2 a"},
        {"<a> <c><d/>x</c> <b>1</b>\n</a>", 0, 0, "a/c/d= a/c a/b=1 a"},
        {"<a>1</a>", 0, 0, "a=1"},
        {"<a><e>1</e></a>", 0, 0, "?=1 a"},
        {"<a><b>1</b><b>2</b></a>", 1, -ECANCELED, "a/b=1"},
        {"<a><b>1</b><b>2</a>", 0, -EBADMSG, "a/b=1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Told told = {.stop_at = rows[i].stop_at};
        assert_int_equal(xml_each(rows[i].text, strlen(rows[i].text), note, &told), rows[i].r);
        assert_string_equal(told.text, rows[i].told);
    }
}

UNIT_MAIN(cmocka_unit_test(finds), cmocka_unit_test(tells_of_each))
