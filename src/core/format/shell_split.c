#include "core/format/shell_split.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/macros.h"

void shell_split_free(char **words) {
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

/* One word from *line into `to`, which has room for all of it; false: it does not end. */
static bool take_word(const char **line, char *to) {
    const char *at = *line;
    char quote = '\0';
    for (; *at; at++) {
        if (quote == '\'' ? *at == '\'' : quote && *at == quote) {
            quote = '\0';
        } else if (quote == '"' && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
            *to++ = *++at;
        else if (quote)
            *to++ = *at;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (*at == '\\') {
            if (!at[1])
                return false;
            *to++ = *++at;
        } else if (strchr(" \t\r\n", *at))
            break;
        else
            *to++ = *at;
    }
    *to = '\0';
    *line = at;
    return quote == '\0';
}

int shell_split(const char *line, char ***ret) {
    CLEANUP(shell_split_free_ptr) char **words = calloc(1, sizeof *words);
    size_t n = 0, n_room = 1;
    if (!words)
        return -ENOMEM;
    for (;;) {
        line += strspn(line, " \t\r\n");
        if (!*line)
            break;
        AUTO_FREE char *word = malloc(strlen(line) + 1);
        if (!word || array_reserve(&words, &n_room, n + 2, sizeof *words) < 0)
            return -ENOMEM;
        words[n] = NULL;
        if (!take_word(&line, word))
            return -EINVAL;
        words[n++] = TAKE_PTR(word);
        words[n] = NULL;
    }
    *ret = TAKE_PTR(words);
    return 0;
}
