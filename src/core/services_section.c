#include "core/services_section.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

typedef struct Span {
    const char *at;
    size_t n;
} Span;

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static Span trim(Span s) {
    while (s.n > 0 && is_blank(s.at[0]))
        s = (Span){.at = s.at + 1, .n = s.n - 1};
    while (s.n > 0 && is_blank(s.at[s.n - 1]))
        s.n--;
    return s;
}

static bool is(Span s, const char *text) { return s.n == strlen(text) && strncasecmp(s.at, text, s.n) == 0; }

/* Cuts the next line off, without its comment. */
static bool next_line(Span *rest, Span *ret) {
    if (rest->n == 0)
        return false;
    const char *newline = memchr(rest->at, '\n', rest->n);
    size_t n = newline ? (size_t)(newline - rest->at) : rest->n, end = n;
    for (size_t i = 0; i < end; i++)
        if ((rest->at[i] == '#' || rest->at[i] == ';') && (i == 0 || is_blank(rest->at[i - 1])))
            end = i;
    *ret = (Span){.at = rest->at, .n = end};
    n += newline != NULL;
    *rest = (Span){.at = rest->at + n, .n = rest->n - n};
    return true;
}

/* "[services NAME]" */
static bool is_section(Span line, const char *section) {
    static const char word[] = "services";
    size_t n = sizeof word - 1;
    const char *close = memchr(line.at, ']', line.n);
    if (!close)
        return false;
    Span name = trim((Span){.at = line.at + 1, .n = (size_t)(close - line.at) - 1});
    if (name.n <= n || memcmp(name.at, word, n) != 0 || !is_blank(name.at[n]))
        return false;
    name = trim((Span){.at = name.at + n, .n = name.n - n});
    if (name.n >= 2 && (name.at[0] == '"' || name.at[0] == '\'') && name.at[name.n - 1] == name.at[0])
        name = (Span){.at = name.at + 1, .n = name.n - 2};
    return name.n == strlen(section) && memcmp(name.at, section, name.n) == 0;
}

/* "key = value"; without "=" all of it is the key. */
static Span key_of(Span line, Span *ret_value) {
    const char *equals = memchr(line.at, '=', line.n);
    size_t n = equals ? (size_t)(equals - line.at) : line.n;
    *ret_value = equals ? trim((Span){.at = equals + 1, .n = line.n - n - 1}) : (Span){.at = line.at + n};
    return trim((Span){.at = line.at, .n = n});
}

int services_section_value(const char *text, size_t len, const char *section, const char *service, const char *key,
                           char **ret) {
    Span rest = {.at = text, .n = len}, line, value, found = {};
    bool here = false, has_section = false, of_service = false;
    size_t indent = 0;
    while (next_line(&rest, &line)) {
        Span words = trim(line);
        if (words.n == 0)
            continue;
        size_t depth = (size_t)(words.at - line.at);
        if (words.at[0] == '[') {
            here = is_section(words, section);
            has_section |= here;
            of_service = false;
        } else if (here && of_service && depth > indent) {
            if (is(key_of(words, &value), key))
                found = value;
        } else if (here) {
            of_service = is(key_of(words, &value), service);
            indent = depth;
        }
    }
    if (!has_section)
        return -ENOENT;
    if (found.n == 0 || memchr(found.at, '\0', found.n))
        return -ENODATA;
    char *copy = strndup(found.at, found.n);
    if (!copy)
        return -ENOMEM;
    free(*ret);
    *ret = copy;
    return 0;
}
