#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void text_done(Text *t) {
    if (!t)
        return;
    free(t->data);
    *t = (Text){.max = t->max};
}

void text_clear(Text *t) {
    t->len = 0;
    t->error = 0;
    if (t->data)
        t->data[0] = '\0';
}

/* Room for n more bytes and the terminator. */
static int text_reserve(Text *t, size_t n) {
    if (t->error)
        return t->error;
    if (n > t->max || t->len > t->max - n)
        return t->error = -E2BIG;
    size_t need = t->len + n + 1;
    if (need <= t->size)
        return 0;
    size_t size = t->size ? t->size * 2 : 64;
    if (size < need)
        size = need;
    char *data = realloc(t->data, size);
    if (!data)
        return t->error = -ENOMEM;
    t->data = data;
    t->size = size;
    return 0;
}

int text_add_bytes(Text *t, const void *bytes, size_t n) {
    int r = text_reserve(t, n);
    if (r < 0)
        return r;
    if (n > 0)
        memcpy(t->data + t->len, bytes, n);
    t->len += n;
    t->data[t->len] = '\0';
    return 0;
}

int text_add(Text *t, const char *s) { return text_add_bytes(t, s, strlen(s)); }

int text_addfv(Text *t, const char *format, va_list args) {
    char piece[512]; /* most are short: one formatting, and no guess at the room */
    if (t->error)
        return t->error;
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(piece, sizeof piece, format, again);
    va_end(again);
    if (n < 0)
        return t->error = -EINVAL;
    if ((size_t)n < sizeof piece)
        return text_add_bytes(t, piece, (size_t)n);
    int r = text_reserve(t, (size_t)n);
    if (r < 0)
        return r;
    vsnprintf(t->data + t->len, (size_t)n + 1, format, args);
    t->len += (size_t)n;
    return 0;
}

int text_addf(Text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int r = text_addfv(t, format, args);
    va_end(args);
    return r;
}

size_t text_utf8_length(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n <= 1)
        return n;
    uint32_t c = s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/* What does not stand for itself in a JSON string; returns how many bytes it took. */
static size_t add_special(Text *t, const char *s) {
    unsigned char c = (unsigned char)*s;
    size_t n = text_utf8_length(s);
    if (n == 0)
        text_add(t, "\\ufffd");
    else if (c == '"' || c == '\\')
        text_addf(t, "\\%c", c);
    else if (c == '\n')
        text_add(t, "\\n");
    else if (c == '\t')
        text_add(t, "\\t");
    else if (c < 0x20 || c == 0x7f)
        text_addf(t, "\\u%04x", (unsigned)c);
    else
        text_add_bytes(t, s, n);
    return n ? n : 1;
}

int text_add_json(Text *t, const char *s) {
    text_add_char(t, '"');
    while (*s) {
        size_t n = 0;
        while (is_plain((unsigned char)s[n]))
            n++;
        text_add_bytes(t, s, n);
        s += n;
        if (*s)
            s += add_special(t, s);
    }
    return text_add_char(t, '"');
}

const char *text_get(const Text *t) { return t->data ? t->data : ""; }

int text_take(Text *t, char **ret) {
    int r = text_reserve(t, 0);
    if (r < 0)
        return r;
    t->data[t->len] = '\0';
    *ret = TAKE_PTR(t->data);
    t->len = t->size = 0;
    return 0;
}

char *text_format(const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(SIZE_MAX / 4);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    char *s = NULL;
    return text_take(&t, &s) < 0 ? NULL : s;
}

bool text_equal(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

bool text_starts_with(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

int text_set(char **s, const char *value) {
    char *copy = NULL;
    if (value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(*s);
    *s = copy;
    return 0;
}
