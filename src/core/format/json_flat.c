#include "core/format/json_flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "core/format/json_scan.h"

#define DEPTH_MAX 16

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static const char *skip_space(const char *at, const char *end) {
    while (at < end && is_space(*at))
        at++;
    return at;
}

/* Behind the value that begins here; what json_scan accepted leaves no doubt where that is. */
static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    bool quoted = false;
    for (; at < end; at++) {
        if (quoted) {
            if (*at == '\\')
                at++;
            else if (*at == '"') {
                quoted = false;
                if (depth == 0)
                    return at + 1;
            }
        } else if (*at == '"')
            quoted = true;
        else if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']') {
            if (depth == 0)
                return at;
            if (--depth == 0)
                return at + 1;
        } else if (depth == 0 && (*at == ',' || is_space(*at)))
            return at;
    }
    return end;
}

JsonSpan json_flat_object(const char *text, size_t len) {
    if (json_scan(text, len, DEPTH_MAX))
        return (JsonSpan){};
    const char *at = skip_space(text, text + len);
    return *at == '{' ? (JsonSpan){.at = at, .n = (size_t)(text + len - at)} : (JsonSpan){};
}

/* A walk through the members of an object. */
typedef struct Walk {
    const char *at, *end;
    JsonSpan key, value;
} Walk;

static Walk walk_begin(JsonSpan object) {
    if (!object.at || *object.at != '{')
        return (Walk){};
    const char *end = object.at + object.n;
    return (Walk){.at = skip_space(object.at + 1, end), .end = end};
}

static bool walk_next(Walk *w) {
    if (w->at >= w->end || *w->at != '"')
        return false;
    const char *key_end = skip_value(w->at, w->end);
    w->key = (JsonSpan){.at = w->at, .n = (size_t)(key_end - w->at)};
    const char *value = skip_space(skip_space(key_end, w->end) + 1, w->end); /* behind the colon */
    const char *value_end = skip_value(value, w->end);
    w->value = (JsonSpan){.at = value, .n = (size_t)(value_end - value)};
    w->at = skip_space(value_end, w->end);
    w->at = w->at < w->end && *w->at == ',' ? skip_space(w->at + 1, w->end) : w->end;
    return true;
}

static bool is_called(JsonSpan key, const char *name) {
    return key.n == strlen(name) + 2 && memcmp(key.at + 1, name, key.n - 2) == 0;
}

JsonSpan json_flat_foreign(JsonSpan object, const char *const *names, size_t n_names) {
    Walk w = walk_begin(object);
    while (walk_next(&w)) {
        size_t i = 0;
        while (i < n_names && !is_called(w.key, names[i]))
            i++;
        if (i == n_names)
            return w.key;
    }
    return (JsonSpan){};
}

JsonSpan json_flat_member(JsonSpan object, const char *name) {
    JsonSpan found = {};
    Walk w = walk_begin(object);
    while (walk_next(&w))
        if (is_called(w.key, name))
            found = w.value;
    if (found.n == 4 && memcmp(found.at, "null", 4) == 0)
        found = (JsonSpan){};
    return found;
}

bool json_flat_next(JsonSpan array, const char **at, JsonSpan *ret) {
    if (!array.at || *array.at != '[')
        return false;
    const char *end = array.at + array.n, *from = skip_space(*at ? *at : array.at + 1, end);
    if (from < end && *from == ',')
        from = skip_space(from + 1, end);
    if (from >= end || *from == ']')
        return false;
    *at = skip_value(from, end);
    *ret = (JsonSpan){.at = from, .n = (size_t)(*at - from)};
    return true;
}

static unsigned hex4(const char *s) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)s[i];
        value = value << 4 | (c <= '9' ? c - (unsigned)'0' : (c | 32u) - 'a' + 10u);
    }
    return value;
}

static char *put_utf8(char *to, unsigned code) {
    if (code < 0x80)
        *to++ = (char)code;
    else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

int json_flat_string(JsonSpan value, Secret *ret) {
    if (!value.at)
        return -ENOENT;
    if (value.n < 2 || *value.at != '"')
        return -EBADMSG;
    Secret s = {.bytes = malloc(value.n)};
    if (!s.bytes)
        return -ENOMEM;
    const char *at = value.at + 1, *end = value.at + value.n - 1;
    char *to = s.bytes;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        const char *simple = strchr(from, at[1]);
        if (at[1] != 'u') {
            *to++ = simple ? into[simple - from] : '?';
            at += 2;
            continue;
        }
        unsigned code = hex4(at + 2);
        at += 6;
        if (code >= 0xd800 && code < 0xdc00) {
            code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 2) - 0xdc00);
            at += 6;
        }
        to = put_utf8(to, code);
    }
    *to = '\0';
    s.len = (size_t)(to - s.bytes);
    secret_done(ret);
    *ret = s;
    return 0;
}
