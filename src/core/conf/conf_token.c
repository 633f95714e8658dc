#include "core/conf/conf_token.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\n'; }

static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/* How many bytes the UTF-8 sequence at s has, 0: it is none. */
static size_t utf8_length(const unsigned char *s, size_t n) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80                   ? 1
                 : s[0] >= 0xf0 && s[0] < 0xf8 ? 4
                 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
                 : s[0] >= 0xc0 && s[0] < 0xe0 ? 2
                                               : 0;
    if (len == 0 || len > n)
        return 0;
    if (len == 1)
        return 1;
    uint32_t code = s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : len;
}

const char *lexer_begin(Lexer *l, const char *text, size_t len, unsigned *ret_line) {
    *ret_line = 1;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return "begins with a byte order mark; HINT: save the file as UTF-8 without one";
    for (size_t i = 0, n; i < len; i += n) {
        unsigned char c = (unsigned char)text[i];
        if (c == 0)
            return "holds a NUL byte; HINT: save the file as plain UTF-8 text";
        if ((c < 0x20 && !is_blank((char)c)) || c == 0x7f)
            return "holds a control character; HINT: take it out";
        n = utf8_length((const unsigned char *)text + i, len - i);
        if (n == 0)
            return "is not UTF-8; HINT: save the file as UTF-8";
        *ret_line += c == '\n';
    }
    *l = (Lexer){.at = text, .end = text + len, .line = 1};
    return NULL;
}

/* A blank that is none: U+00A0, U+200B to U+200D, U+2060, U+3000, U+FEFF, as pages and editors have them. */
static bool is_odd_blank(const char *s, size_t n) {
    static const char blanks[][4] = {"\xc2\xa0", "\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
                                     "\xe2\x81\xa0", "\xe3\x80\x80", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (n >= strlen(blanks[i]) && memcmp(s, blanks[i], strlen(blanks[i])) == 0)
            return true;
    return false;
}

/* Goes past blanks and comments. */
static const char *skip(Lexer *l, unsigned *ret_line) {
    while (l->at < l->end) {
        bool pair = l->end - l->at >= 2;
        if (is_blank(*l->at)) {
            l->line += *l->at == '\n';
            l->at++;
        } else if (*l->at == '#' || (pair && l->at[0] == '/' && l->at[1] == '/')) {
            while (l->at < l->end && *l->at != '\n')
                l->at++;
        } else if (pair && l->at[0] == '/' && l->at[1] == '*') {
            unsigned line = l->line;
            const char *close = memmem(l->at + 2, (size_t)(l->end - l->at - 2), "*/", 2);
            if (!close) {
                *ret_line = line;
                return "the comment that begins with /* is never closed; HINT: end it with */";
            }
            for (; l->at < close + 2; l->at++)
                l->line += *l->at == '\n';
        } else
            break;
    }
    return NULL;
}

static const char *read_string(Lexer *l, Token *t, unsigned *ret_line) {
    *ret_line = l->line;
    for (l->at++; l->at < l->end && *l->at != '"'; l->at++) {
        if (l->end - l->at >= 4 && strncmp(l->at, "\\x00", 4) == 0)
            return "a string may not hold \\x00";
        if (*l->at == '\\' && l->end - l->at >= 2)
            l->at++;
        if (*l->at == '\n')
            break;
    }
    if (l->at >= l->end || *l->at == '\n')
        return "a string is not closed in its line; HINT: look for the missing '\"'";
    l->at++;
    t->kind = TOKEN_STRING;
    return NULL;
}

static const char *read_word(Lexer *l, bool as_value, Token *t, unsigned *ret_line) {
    const char *stop = as_value ? " \t\r\f\n;,{}[]()\"=#" : " \t\r\f\n;,{}[]()\"=#:";
    t->kind = TOKEN_WORD;
    *ret_line = l->line;
    for (; l->at < l->end && !strchr(stop, *l->at); l->at++) {
        if (is_odd_blank(l->at, (size_t)(l->end - l->at)))
            return "holds a blank that is none, such as a no-break space; HINT: write plain spaces";
        t->len = (size_t)(l->at - t->start);
        bool comment = *l->at == '/' && l->end - l->at >= 2 && (l->at[1] == '/' || l->at[1] == '*');
        if (comment && (!as_value || token_is_scalar(t)))
            break;
    }
    return NULL;
}

const char *lexer_next(Lexer *l, bool as_value, Token *ret, unsigned *ret_line) {
    const char *problem = skip(l, ret_line);
    if (problem)
        return problem;
    Token t = {.kind = TOKEN_END, .start = l->at, .line = l->line};
    if (l->at == l->end)
        ;
    else if (*l->at == '"') {
        problem = read_string(l, &t, ret_line);
    } else if (strchr(";,{}[]()=:", *l->at)) {
        t.kind = TOKEN_PUNCT;
        l->at++;
    } else
        problem = read_word(l, as_value, &t, ret_line);
    if (problem)
        return problem;
    t.len = (size_t)(l->at - t.start);
    *ret = t;
    return NULL;
}

bool lexer_peek_is(const Lexer *l, const char *bytes) {
    Lexer ahead = *l;
    unsigned line;
    return !skip(&ahead, &line) && ahead.at < ahead.end && strchr(bytes, *ahead.at);
}

Token lexer_rest_of_value(const Lexer *l, const Token *first) {
    Token t = *first;
    const char *end = first->start + first->len;
    while (end < l->end && !strchr(";,#\r\n", *end) && !(end + 1 < l->end && end[0] == '/' && end[1] == '/'))
        end++;
    while (end > t.start + 1 && is_blank(end[-1]))
        end--;
    t.len = (size_t)(end - t.start);
    return t;
}

bool token_is_name(const Token *t) {
    if (t->len == 0 || !(is_letter(*t->start) || *t->start == '*'))
        return false;
    for (size_t i = 1; i < t->len; i++)
        if (!is_letter(t->start[i]) && !is_digit(t->start[i]) && !strchr("-_*", t->start[i]))
            return false;
    return true;
}

static size_t count(const char *s, size_t n, bool (*is)(char)) {
    size_t i = 0;
    while (i < n && is(s[i]))
        i++;
    return i;
}

static bool is_long_suffix(const char *s, size_t n) {
    return n == 0 || (n == 1 && *s == 'L') || (n == 2 && s[0] == 'L' && s[1] == 'L');
}

static bool is_hex_number(const Token *t) {
    if (t->len < 3 || t->start[0] != '0' || (t->start[1] != 'x' && t->start[1] != 'X'))
        return false;
    size_t digits = count(t->start + 2, t->len - 2, is_hex);
    return digits > 0 && is_long_suffix(t->start + 2 + digits, t->len - 2 - digits);
}

bool token_is_number(const Token *t) {
    if (is_hex_number(t))
        return true;
    const char *s = t->start, *end = s + t->len;
    if (s < end && (*s == '+' || *s == '-'))
        s++;
    size_t whole = count(s, (size_t)(end - s), is_digit), part = 0;
    s += whole;
    if (whole > 0 && is_long_suffix(s, (size_t)(end - s)))
        return true;
    if (s < end && *s == '.') {
        part = count(s + 1, (size_t)(end - s - 1), is_digit);
        s += 1 + part;
    }
    if (whole + part == 0)
        return false;
    if (s < end && (*s == 'e' || *s == 'E')) {
        s++;
        if (s < end && (*s == '+' || *s == '-'))
            s++;
        size_t exponent = count(s, (size_t)(end - s), is_digit);
        s += exponent;
        if (exponent == 0)
            return false;
    }
    return s == end;
}

bool token_is_scalar(const Token *t) {
    return (t->len == 4 && strncasecmp(t->start, "true", 4) == 0) ||
           (t->len == 5 && strncasecmp(t->start, "false", 5) == 0) || token_is_number(t);
}

bool token_is_long_number(const Token *t) {
    bool hex = is_hex_number(t), negative = *t->start == '-';
    const char *s = t->start + (hex ? 2 : *t->start == '+' || negative), *end = t->start + t->len;
    if (!token_is_number(t))
        return false;
    uint64_t value = 0;
    for (; s < end && (hex ? is_hex(*s) : is_digit(*s)); s++) {
        unsigned digit = is_digit(*s) ? (unsigned)(*s - '0') : (unsigned)((*s | 0x20) - 'a') + 10;
        value = value > INT64_MAX / 16 ? INT64_MAX : value * (hex ? 16 : 10) + digit;
    }
    return s == end && value > (uint64_t)INT32_MAX + negative;
}

char token_number_kind(const Token *t) {
    if (memchr(t->start, 'L', t->len) || token_is_long_number(t))
        return 'L';
    return !is_hex_number(t) &&
                   (memchr(t->start, '.', t->len) || memchr(t->start, 'e', t->len) || memchr(t->start, 'E', t->len))
               ? '.'
               : '1';
}
