#include "io/directories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first of several, as systemd lists them. */
static const char *first_of(const char *variable, char *buffer, size_t size, const char *standard) {
    const char *list = getenv(variable);
    if (!list || !*list)
        return standard;
    snprintf(buffer, size, "%.*s", (int)strcspn(list, ":"), list);
    return buffer;
}

const char *directories_state(void) {
    static char first[4096];
    return first_of("STATE_DIRECTORY", first, sizeof first, LOCALSTATEDIR "/lib/ddbackupd");
}

const char *directories_runtime(void) {
    static char first[4096];
    return first_of("RUNTIME_DIRECTORY", first, sizeof first, "/run/ddbackupd");
}
