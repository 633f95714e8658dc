#include "core/format/json_flat.h"

#include "base/text.h"

#include "unit.h"

/* The elements of the member "a", each in brackets. */
static void elements(void **state) {
    static const struct {
        const char *text, *elements;
    } rows[] = {
        {"{\"a\":[]}", ""},
        {"{\"a\":[ ]}", ""},
        {"{\"a\":[1]}", "<1>"},
        {"{\"a\": [ 1 , \"x,]\" , null ] , \"b\":[2]}", "<1><\"x,]\"><null>"},
        {"{\"a\":[{\"b\":[1,2]},[3,[4]],true]}", "<{\"b\":[1,2]}><[3,[4]]><true>"},
        {"{\"a\":[\"\\\"\",\"\\\\\"]}", "<\"\\\"\"><\"\\\\\">"},
        {"{\"a\":{\"b\":1}}", ""},
        {"{\"a\":\"[1]\"}", ""},
        {"{\"a\":null}", ""},
        {"{}", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        JsonSpan array = json_flat_member(json_flat_object(rows[i].text, strlen(rows[i].text)), "a"), element;
        AUTO_TEXT found = TEXT_INIT(256);
        const char *at = NULL;
        while (json_flat_next(array, &at, &element))
            text_addf(&found, "<%.*s>", (int)element.n, element.at);
        assert_string_equal(text_get(&found), rows[i].elements);
    }
}

UNIT_MAIN(cmocka_unit_test(elements))
