/* The text of a shared credentials or config file. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/credentials/aws_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void read_file(const char *text, size_t len, bool config_file) {
    CLEANUP(profiles_done) Profiles p = {};
    CLEANUP(profiles_done) Profiles merged = {};
    const char *why = NULL;
    unsigned line = 0;
    int r = profiles_read(&p, text, len, config_file, &why, &line);
    require(r == 0 ? !why : why && line > 0);
    require(profiles_merge(&merged, &p) == 0 && merged.n_items == p.n_items);
    for (size_t i = 0; i < p.n_items; i++) {
        const Profile *q = profiles_find(&merged, p.items[i]->kind, p.items[i]->name);
        require(q != NULL);
        for (size_t j = 0; j < p.items[i]->n_values; j++) {
            const char *value = profile_get(q, p.items[i]->values[j].key);
            AUTO_FREE char *nested = NULL;
            require(value ? strcmp(value, p.items[i]->values[j].value) == 0 : !*p.items[i]->values[j].value);
            (void)profile_get_nested(q, p.items[i]->values[j].key, "endpoint_url", &nested);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    read_file((const char *)data, size, false);
    read_file((const char *)data, size, true);
    return 0;
}
