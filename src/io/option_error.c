#include "io/option_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/parse.h"

#define MAX_OPTIONS 64

int option_error(const char *program, const struct option *options, const char *word) {
    const char *names[MAX_OPTIONS];
    char name[64];
    size_t n = 0;
    const char *bare = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    for (; n < MAX_OPTIONS && options[n].name; n++) {
        names[n] = options[n].name;
        if (strcmp(names[n], name) != 0)
            continue;
        fprintf(stderr, "%s: %s: %s; HINT: --%s%s\n", program, word,
                options[n].has_arg ? "its value is missing" : "it takes no value", name,
                options[n].has_arg ? "=VALUE" : "");
        return -EINVAL;
    }
    const char *nearest = name_nearest(name, names, n);
    fprintf(stderr, "%s: %s: no such option; HINT: %s%s%s\n", program, word, nearest ? "did you mean --" : "see ",
            nearest ? nearest : program, nearest ? "?" : " --help");
    return -EINVAL;
}
