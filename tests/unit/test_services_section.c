#include "core/services_section.h"

#include <errno.h>

#include "base/text.h"
#include "unit.h"

static void values_are_found(void **state) {
    static const struct {
        const char *text, *value;
        int r;
    } rows[] = {
        {"[services x]\ndynamodb =\n  endpoint_url = http://a\n", "http://a", 0},
        {"[services x]\r\ndynamodb=\r\n\tendpoint_url=http://a\r\n", "http://a", 0},
        {"[ services \"x\" ]\nDynamoDB =\n  endpoint_url = http://a", "http://a", 0},
        {"[services x]\nsts =\n  endpoint_url = http://s\ndynamodb =\n  endpoint_url = http://a # ours\n", "http://a", 0},
        {"[services x]\ndynamodb =\n  endpoint_url = http://a\n# a comment\n\nsts =\n  endpoint_url = http://s\n",
         "http://a", 0},
        {"[services x]\ndynamodb =\n  endpoint_url = http://a\n[services x]\ndynamodb =\n  endpoint_url = http://b\n",
         "http://b", 0},
        {"[services x]\ndynamodb =\n  retries = 1\n", NULL, -ENODATA},
        {"[services x]\nendpoint_url = http://a\n", NULL, -ENODATA},
        {"[services x]\nsts =\n  endpoint_url = http://s\n", NULL, -ENODATA},
        {"[services x]\ndynamodb =\n  endpoint_url =\n", NULL, -ENODATA},
        {"[services xx]\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
        {"[profile x]\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
        {"[services]\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
        {"[services x\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
        {"", NULL, -ENOENT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *value = NULL;
        int r = services_section_value(rows[i].text, strlen(rows[i].text), "x", "dynamodb", "endpoint_url", &value);
        if (r != rows[i].r || !text_equal(value, rows[i].value))
            fail_msg("row %zu: %d, \"%s\"", i, r, value ? value : "-");
    }
}

UNIT_MAIN(cmocka_unit_test(values_are_found))
