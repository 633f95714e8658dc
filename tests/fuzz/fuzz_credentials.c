/* The text of a shared credentials or config file. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void read_profile(const char *text, size_t len, const char *profile, bool config_file) {
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    CLEANUP(credentials_free_ptr) Credentials *copy = NULL;
    AUTO_FREE char *region = NULL;
    const char *why = NULL;
    unsigned line = 0;
    int r = credentials_from_profile(text, len, profile, config_file, &c, &why, &line);
    require((r == 0) == (c != NULL));
    require((line > 0) == (why != NULL));
    if (c) { /* what is taken can be sent in a header */
        require(strlen(c->secret_access_key.bytes) == c->secret_access_key.len && c->secret_access_key.len > 0);
        require(strpbrk(c->access_key_id, "\r\n \t") == NULL && *c->access_key_id);
        require(!c->session_token.bytes || strpbrk(c->session_token.bytes, "\r\n \t") == NULL);
        require(credentials_copy(c, &copy) == 0 && credentials_equal(c, copy));
    }
    r = profile_value(text, len, profile, config_file, "region", &region);
    require((r == 0) == (region != NULL));
    require(!region || (*region && !strchr(region, '\n')));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const profiles[] = {"default", "ops", "my ops", "profile ops"};
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        read_profile((const char *)data, size, profiles[i], false);
        read_profile((const char *)data, size, profiles[i], true);
    }
    return 0;
}
