#include "core/format/xml_find.h"

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
    bool is_leaf; /* the innermost element has no elements so far */
    Secret text;  /* its characters; room for all of the document's */
    size_t room;
    XmlEnded ended;
    void *context;
} Scan;

/* The elements that are open. */
struct XmlPlace {
    const Span *open;
    size_t depth;
};

static void scan_done(Scan *s) {
    s->text.len = s->text.bytes ? s->room : 0; /* whatever was in it */
    secret_done(&s->text);
}

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

bool xml_is(const XmlPlace *place, const char *path) {
    for (size_t i = 0; i < place->depth; i++) {
        size_t n = strcspn(path, "/");
        if (n != place->open[i].n || memcmp(path, place->open[i].at, n) != 0)
            return false;
        path += n;
        if (*path == '/')
            path++;
        else if (i + 1 < place->depth)
            return false;
    }
    return place->depth > 0 && !*path;
}

/* The innermost element ends. */
static int tell(Scan *s) {
    XmlPlace place = {.open = s->open, .depth = s->depth};
    int r = s->ended(s->context, &place, s->is_leaf ? &s->text : NULL);
    s->depth--;
    s->is_leaf = false; /* of the one around it */
    return r;
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
    s->had_root = s->is_leaf = true;
    s->open[s->depth++] = name;
    s->text.bytes[0] = '\0';
    s->text.len = 0;
    if (take(s, "/>"))
        return tell(s);
    return take(s, ">") ? 0 : -EBADMSG;
}

static int close_element(Scan *s) {
    Span name;
    if (!take_name(s, &name) || s->depth == 0)
        return -EBADMSG;
    Span opened = s->open[s->depth - 1];
    skip_space(s);
    if (!take(s, ">") || name.n != opened.n || memcmp(name.at, opened.at, name.n) != 0)
        return -EBADMSG;
    return tell(s);
}

static void put_byte(Scan *s, uint32_t byte) { s->text.bytes[s->text.len++] = (char)byte; }

/* In UTF-8, which is shorter than any reference. */
static void put(Scan *s, uint32_t code) {
    if (!s->is_leaf)
        return;
    if (code < 0x80)
        put_byte(s, code);
    else if (code < 0x800)
        put_byte(s, 0xc0 | code >> 6);
    else if (code < 0x10000)
        put_byte(s, 0xe0 | code >> 12);
    else
        put_byte(s, 0xf0 | code >> 18);
    if (code >= 0x10000)
        put_byte(s, 0x80 | (code >> 12 & 63));
    if (code >= 0x800)
        put_byte(s, 0x80 | (code >> 6 & 63));
    if (code >= 0x80)
        put_byte(s, 0x80 | (code & 63));
    s->text.bytes[s->text.len] = '\0';
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
    if (s->is_leaf) {
        put_byte(s, (unsigned char)*s->at);
        s->text.bytes[s->text.len] = '\0';
    }
    s->at++;
    return 0;
}

int xml_each(const char *text, size_t len, XmlEnded ended, void *context) {
    CLEANUP(scan_done) Scan s = {.at = text, .end = text + len, .room = len + 1, .ended = ended, .context = context};
    int r = 0;
    if (!(s.text.bytes = calloc(1, s.room)))
        return -ENOMEM;
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
    return s.depth > 0 || !s.had_root ? -EBADMSG : 0;
}

typedef struct Sought {
    const char *path;
    Secret found; /* no bytes: not yet */
} Sought;

static void sought_done(Sought *s) { secret_done(&s->found); }

static int look(void *context, const XmlPlace *place, const Secret *text) {
    Sought *s = context;
    return text && !s->found.bytes && xml_is(place, s->path) ? secret_copy(&s->found, text) : 0;
}

int xml_find(const char *text, size_t len, const char *path, Secret *ret) {
    CLEANUP(sought_done) Sought s = {.path = path};
    int r = xml_each(text, len, look, &s);
    if (r < 0)
        return r;
    if (!s.found.bytes)
        return -ENOENT;
    secret_done(ret);
    *ret = s.found;
    s.found = (Secret){};
    return 0;
}
