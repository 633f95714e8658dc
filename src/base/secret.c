#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void secret_wipe(void *bytes, size_t n) {
    if (bytes && n > 0)
        explicit_bzero(bytes, n);
}

void secret_done(Secret *s) {
    if (!s)
        return;
    secret_wipe(s->bytes, s->len);
    free(s->bytes);
    *s = (Secret){};
}

int secret_set(Secret *s, const char *bytes, size_t n) {
    char *copy = malloc(n + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    secret_done(s);
    *s = (Secret){.bytes = copy, .len = n};
    return 0;
}

int secret_copy(Secret *to, const Secret *from) {
    if (!from->bytes) {
        secret_done(to);
        return 0;
    }
    return secret_set(to, from->bytes, from->len);
}

bool secret_equal(const Secret *a, const Secret *b) {
    if (!a->bytes || !b->bytes)
        return !a->bytes && !b->bytes;
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
