/* The text of an AWS config file, for its services sections. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "core/services_section.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const services[] = {"dynamodb", "sts", ""};
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        AUTO_FREE char *value = NULL;
        int r = services_section_value((const char *)data, size, "here", services[i], "endpoint_url", &value);
        require(r == 0 || r == -ENOENT || r == -ENODATA);
        require((r == 0) == (value != NULL));
        require(!value || (*value && !strchr(value, '\n')));
    }
    return 0;
}
