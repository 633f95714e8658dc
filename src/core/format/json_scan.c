#include "core/format/json_scan.h"

#include <stdbool.h>
#include <string.h>

#define NUMBER_MAX 60 /* cJSON reads at most 63 characters of one */

typedef struct Scan {
    const char *at, *end;
    unsigned max_depth;
    const char *why;
} Scan;

static bool scan_value(Scan *s, unsigned depth);

static bool fail(Scan *s, const char *why) {
    s->why = why;
    return false;
}

static bool fail_here(Scan *s) { return fail(s, s->at < s->end ? "is no JSON" : "ends too early"); }

/* '\0' at the end; a zero byte of the input fits no rule either. */
static char peek(const Scan *s) { return s->at < s->end ? *s->at : '\0'; }

static bool accept(Scan *s, char c) {
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void skip_space(Scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool scan_hex(Scan *s, unsigned *ret) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(s);
        const char *digits = "0123456789abcdefABCDEF", *at = c ? strchr(digits, c) : NULL;
        if (!at)
            return fail_here(s);
        unsigned digit = (unsigned)(at - digits);
        value = value * 16 + (digit < 16 ? digit : digit - 6);
        s->at++;
    }
    *ret = value;
    return true;
}

static bool scan_escape(Scan *s) {
    unsigned unit, low = 0;
    char c = peek(s);
    if (!c || !strchr("\"\\/bfnrtu", c))
        return fail_here(s);
    s->at++;
    if (c != 'u')
        return true;
    if (!scan_hex(s, &unit))
        return false;
    if (unit == 0)
        return fail(s, "holds a zero character");
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff || !accept(s, '\\') || !accept(s, 'u') || !scan_hex(s, &low) || low < 0xdc00 || low > 0xdfff)
        return fail(s, "holds half a surrogate pair");
    return true;
}

static bool scan_string(Scan *s) {
    if (!accept(s, '"'))
        return fail_here(s);
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;
        if (c == '"')
            return true;
        if (c < 0x20)
            return fail(s, "holds a control character");
        if (c == '\\' && !scan_escape(s))
            return false;
    }
    return fail_here(s);
}

static bool scan_digits(Scan *s) {
    const char *start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > start || fail_here(s);
}

static bool scan_number(Scan *s) {
    const char *start = s->at;
    accept(s, '-');
    if (!accept(s, '0') && !scan_digits(s))
        return false;
    if (accept(s, '.') && !scan_digits(s))
        return false;
    if (accept(s, 'e') || accept(s, 'E')) {
        if (!accept(s, '+'))
            accept(s, '-');
        if (!scan_digits(s))
            return false;
    }
    return s->at - start <= NUMBER_MAX || fail(s, "holds too long a number");
}

static bool scan_word(Scan *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return fail_here(s);
    s->at += n;
    return true;
}

/* An array, or with '}' an object, from its opening bracket on. */
static bool scan_items(Scan *s, unsigned depth, char close) {
    if (depth > s->max_depth)
        return fail(s, "is nested too deep");
    s->at++;
    skip_space(s);
    if (accept(s, close))
        return true;
    do {
        skip_space(s);
        if (close == '}') {
            if (!scan_string(s))
                return false;
            skip_space(s);
            if (!accept(s, ':'))
                return fail_here(s);
        }
        if (!scan_value(s, depth))
            return false;
        skip_space(s);
    } while (accept(s, ','));
    return accept(s, close) || fail_here(s);
}

static bool scan_value(Scan *s, unsigned depth) {
    skip_space(s);
    switch (peek(s)) {
    case '{':
        return scan_items(s, depth + 1, '}');
    case '[':
        return scan_items(s, depth + 1, ']');
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        return scan_number(s);
    }
}

const char *json_scan(const char *s, size_t len, unsigned max_depth) {
    if (len == 0)
        return "is empty";
    Scan scan = {.at = s, .end = s + len, .max_depth = max_depth};
    if (!scan_value(&scan, 0))
        return scan.why;
    skip_space(&scan);
    return scan.at == scan.end ? NULL : "has bytes after its end";
}
