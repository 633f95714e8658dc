#include "core/xml_find.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#define DEPTH_MAX 16

typedef struct Span {
    const char *at;
    size_t n;
} Span;

typedef struct Scan {
    const char *at, *end;
    Span open[DEPTH_MAX]; /* names of the elements that are open */
    size_t depth;
    bool had_root;
    const char *path;
    Secret *found;
    bool has_found, inside; /* the element sought is open now */
    size_t room;
} Scan;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_name_byte(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (unsigned char)c >= 0x80 ||
           (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static void skip_space(Scan *s) {
    while (s->at < s->end && is_space(*s->at))
        s->at++;
}

static bool take(Scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool take_name(Scan *s, Span *ret) {
    const char *begin = s->at;
    while (s->at < s->end && is_name_byte(*s->at, s->at == begin))
        s->at++;
    *ret = (Span){.at = begin, .n = (size_t)(s->at - begin)};
    return ret->n > 0;
}

/* Does the list of open elements spell the path? */
static bool is_sought(const Scan *s) {
    const char *at = s->path;
    for (size_t i = 0; i < s->depth; i++) {
        size_t n = strcspn(at, "/");
        if (n != s->open[i].n || memcmp(at, s->open[i].at, n) != 0)
            return false;
        at += n;
        if (*at == '/')
            at++;
        else if (i + 1 < s->depth)
            return false;
    }
    return s->depth > 0 && !*at;
}

/* name = "value" ..., up to the end of a start tag. */
static bool skip_attributes(Scan *s) {
    Span name;
    for (;;) {
        const char *before = s->at;
        skip_space(s);
        if (s->at == s->end || *s->at == '>' || *s->at == '/')
            return true;
        if (s->at == before || !take_name(s, &name))
            return false;
        skip_space(s);
        if (!take(s, "="))
            return false;
        skip_space(s);
        char quote = s->at < s->end ? *s->at : '\0';
        if (quote != '"' && quote != '\'')
            return false;
        const char *close = memchr(s->at + 1, quote, (size_t)(s->end - s->at - 1));
        if (!close || memchr(s->at + 1, '<', (size_t)(close - s->at - 1)))
            return false;
        s->at = close + 1;
    }
}

static int open_element(Scan *s) {
    Span name;
    if (!take_name(s, &name) || s->depth == DEPTH_MAX || (s->depth == 0 && s->had_root) || !skip_attributes(s))
        return -EBADMSG;
    s->had_root = true;
    if (s->inside) { /* no text, then */
        secret_done(s->found);
        s->has_found = s->inside = false;
    }
    s->open[s->depth++] = name;
    bool sought = is_sought(s) && !s->has_found;
    if (sought) {
        s->room = (size_t)(s->end - s->at) + 1;
        const char *stop = memchr(s->at, '<', (size_t)(s->end - s->at));
        s->room = stop ? (size_t)(stop - s->at) + 1 : s->room;
        if (!(s->found->bytes = malloc(s->room)))
            return -ENOMEM;
        s->found->bytes[0] = '\0';
        s->found->len = 0;
        s->has_found = s->inside = true;
    }
    if (take(s, "/>")) {
        s->depth--;
        s->inside = false;
        return 0;
    }
    return take(s, ">") ? 0 : -EBADMSG;
}

static int close_element(Scan *s) {
    Span name;
    if (!take_name(s, &name) || s->depth == 0)
        return -EBADMSG;
    Span opened = s->open[--s->depth];
    skip_space(s);
    s->inside = false;
    return take(s, ">") && name.n == opened.n && memcmp(name.at, opened.at, name.n) == 0 ? 0 : -EBADMSG;
}

static void put(Scan *s, uint32_t code) {
    if (!s->inside)
        return;
    char *to = s->found->bytes + s->found->len;
    size_t n = 1;
    if (code < 0x80)
        to[0] = (char)code;
    else if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 63));
        n = 2;
    } else if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 63));
        to[2] = (char)(0x80 | (code & 63));
        n = 3;
    } else {
        to[0] = (char)(0xf0 | code >> 18);
        to[1] = (char)(0x80 | (code >> 12 & 63));
        to[2] = (char)(0x80 | (code >> 6 & 63));
        to[3] = (char)(0x80 | (code & 63));
        n = 4;
    }
    s->found->len += n;
    s->found->bytes[s->found->len] = '\0';
}

static bool take_reference(Scan *s, uint32_t *ret) {
    static const struct {
        const char *name;
        char c;
    } named[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        if (take(s, named[i].name)) {
            *ret = (unsigned char)named[i].c;
            return true;
        }
    bool hex = take(s, "&#x");
    if (!hex && !take(s, "&#"))
        return false;
    uint32_t code = 0;
    size_t n = 0;
    for (; s->at < s->end && *s->at != ';' && n < 7; n++, s->at++) {
        char c = *s->at;
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
                         : hex && ((c | 32) >= 'a' && (c | 32) <= 'f') ? (uint32_t)((c | 32) - 'a' + 10)
                                                                       : 99;
        if (digit == 99)
            return false;
        code = code * (hex ? 16 : 10) + digit;
    }
    *ret = code;
    return n > 0 && take(s, ";") && (code >= 32 || code == 9 || code == 10 || code == 13) && code <= 0x10ffff &&
           (code < 0xd800 || code > 0xdfff);
}

static int take_text(Scan *s) {
    if (*s->at == '&') {
        uint32_t code;
        if (s->depth == 0 || !take_reference(s, &code))
            return -EBADMSG;
        put(s, code);
        return 0;
    }
    if ((s->depth == 0 && !is_space(*s->at)) || ((unsigned char)*s->at < 32 && !is_space(*s->at)))
        return -EBADMSG;
    if (s->inside) {
        s->found->bytes[s->found->len++] = *s->at;
        s->found->bytes[s->found->len] = '\0';
    }
    s->at++;
    return 0;
}

int xml_find(const char *text, size_t len, const char *path, Secret *ret) {
    CLEANUP(secret_done) Secret found = {};
    Scan s = {.at = text, .end = text + len, .path = path, .found = &found};
    int r = 0;
    if (take(&s, "<?xml")) {
        const char *close = memchr(s.at, '>', (size_t)(s.end - s.at));
        if (!close || close[-1] != '?')
            return -EBADMSG;
        s.at = close + 1;
    }
    while (r >= 0 && s.at < s.end) {
        if (take(&s, "</"))
            r = close_element(&s);
        else if (take(&s, "<"))
            r = open_element(&s);
        else
            r = take_text(&s);
    }
    if (r < 0)
        return r;
    if (s.depth > 0 || !s.had_root)
        return -EBADMSG;
    if (!s.has_found)
        return -ENOENT;
    secret_done(ret);
    *ret = found;
    found = (Secret){};
    return 0;
}
