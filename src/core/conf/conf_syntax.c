#include "core/conf/conf_syntax.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "core/conf/conf_token.h"

/* Far above any real nesting; the stack of the parser is finite. */
#define DEPTH_MAX 16
/* Every token grows by a blank or an L at most. */
#define GROWTH_MAX 2

typedef struct Name {
    const char *start;
    size_t len;
    unsigned line;
    unsigned scope; /* the group that it stands in, each with its own number */
} Name;

typedef struct Syntax {
    Lexer lexer;
    Token token; /* the one to look at next */
    const char *file;
    ConfProblems *problems;
    Text out;
    unsigned out_line;
    Name *names;
    size_t n_names, n_room;
    unsigned n_scopes;
    int depth;
    bool in_list; /* its elements are the values that come next */
} Syntax;

static void syntax_done(Syntax *s) {
    text_done(&s->out);
    free(s->names);
}

#define FAIL(s, line, ...) (conf_problems_add((s)->problems, (s)->file, (line), __VA_ARGS__) < 0 ? -ENOMEM : -EINVAL)
/* A token as an argument of %.*s, not too long for a message. */
#define SHOWN(t) (int)((t).len < 60 ? (t).len : 60), (t).start

static bool is_punct(const Token *t, char c) { return t->kind == TOKEN_PUNCT && *t->start == c; }

/* Looks at the next token, as a value or as a name. */
static int look(Syntax *s, bool as_value) {
    unsigned line = 0;
    const char *problem = lexer_next(&s->lexer, as_value, &s->token, &line);
    return problem ? FAIL(s, line, "%s", problem) : 0;
}

/* Hands the token on. Line ends wait for the next name or value, so that the parser, which looks one token ahead,
 * gives each value its own line. */
static void pass(Syntax *s) {
    const Token *t = &s->token;
    bool holds = t->kind == TOKEN_PUNCT && strchr(",;=:)]}", *t->start) != NULL;
    if (!holds && s->out_line < t->line)
        for (; s->out_line < t->line; s->out_line++)
            text_add_char(&s->out, '\n');
    else if (!holds)
        text_add_char(&s->out, ' ');
    text_add_bytes(&s->out, t->start, t->len);
    if (t->kind == TOKEN_WORD && token_is_long_number(t))
        text_add_char(&s->out, 'L');
}

static int read_value(Syntax *s, const Token *name, const Token *assign);

/* Quotation marks of books and of other languages: ' ` and U+00AB, U+00BB, U+2018 to U+201F, U+2039, U+203A. */
static bool is_other_quote(const Token *t) {
    const unsigned char *s = (const unsigned char *)t->start;
    if (*s == '\'' || *s == '`' || (t->len >= 2 && s[0] == 0xc2 && (s[1] == 0xab || s[1] == 0xbb)))
        return true;
    return t->len >= 3 && s[0] == 0xe2 && s[1] == 0x80 &&
           ((s[2] >= 0x98 && s[2] <= 0x9f) || s[2] == 0xb9 || s[2] == 0xba);
}

static bool is_word(const Token *t, const char *word) {
    return t->len == strlen(word) && strncasecmp(t->start, word, t->len) == 0;
}

/* What stands where a value should, and is none. */
static int explain_value(Syntax *s, const Token *name, const Token *assign) {
    const Token *t = &s->token;
    if (t->kind != TOKEN_WORD)
        return FAIL(s, name->line, "%.*s: has no value; HINT: write one, or take the key out", SHOWN(*name));
    if (*assign->start == ':' && t->line == name->line && lexer_peek_is(&s->lexer, "=:{"))
        return FAIL(s, t->line, "%.*s:%.*s: a key may not hold ':'; HINT: letters, digits, '_' and '-'", SHOWN(*name),
                    SHOWN(*t));
    if (t->line > name->line && lexer_peek_is(&s->lexer, "="))
        return FAIL(s, name->line, "%.*s: has no value; HINT: write one, or take the key out", SHOWN(*name));
    Token raw = lexer_rest_of_value(&s->lexer, t);
    if (s->in_list && lexer_peek_is(&s->lexer, "=:"))
        return FAIL(s, t->line, "%.*s: %.*s = stands in a list; HINT: write { ... } around the keys of each element",
                    SHOWN(*name), SHOWN(*t));
    if (is_word(t, "yes") || is_word(t, "on") || is_word(t, "no") || is_word(t, "off"))
        return FAIL(s, t->line,
                    "%.*s: %.*s stands without quotes; HINT: write %.*s = %s, or \"%.*s\" where a text is meant",
                    SHOWN(*name), SHOWN(*t), SHOWN(*name), is_word(t, "yes") || is_word(t, "on") ? "true" : "false",
                    SHOWN(*t));
    if (is_other_quote(t))
        return FAIL(s, t->line, "%.*s: %.*s is quoted with other than '\"'; HINT: write plain double quotes",
                    SHOWN(*name), SHOWN(raw));
    return FAIL(s, t->line, "%.*s: %.*s stands without quotes; HINT: write %.*s = \"%.*s\"", SHOWN(*name), SHOWN(raw),
                SHOWN(*name), SHOWN(raw));
}

static int check_duplicate(Syntax *s, unsigned scope) {
    const Token *t = &s->token;
    for (size_t i = 0; i < s->n_names; i++) {
        const Name *n = &s->names[i];
        if (n->scope == scope && n->len == t->len && memcmp(n->start, t->start, t->len) == 0)
            return FAIL(s, t->line, "%.*s: is set in line %u already; HINT: keep one of the two", SHOWN(*t), n->line);
    }
    if (ARRAY_GROW(s->names, s->n_names, s->n_room) < 0)
        return -ENOMEM;
    s->names[s->n_names++] = (Name){.start = t->start, .len = t->len, .line = t->line, .scope = scope};
    return 0;
}

/* A setting as read: its key and the first token of its value. */
typedef struct Setting {
    Token key, assign, value;
} Setting;

/* What may not stand where a key should. */
static int explain_key(Syntax *s, const Token *group, const Token *open) {
    const Token *t = &s->token;
    switch (t->kind) {
    case TOKEN_END:
        return FAIL(s, open->line, "%.*s: '{' is never closed; HINT: count the braces from here", SHOWN(*group));
    case TOKEN_STRING:
        return FAIL(s, t->line, "expected a key, found %.*s; HINT: keys stand without quotes", SHOWN(*t));
    case TOKEN_WORD:
        return *t->start == '@'
                   ? FAIL(s, t->line, "%.*s: is not taken; HINT: put the file into conf.d beside this one", SHOWN(*t))
                   : FAIL(s, t->line, "%.*s: is no key; HINT: letters, digits, '_' and '-', a letter first", SHOWN(*t));
    case TOKEN_PUNCT:
        break;
    }
    if (*t->start == ';' || *t->start == ',')
        return FAIL(s, t->line, "a '%c' too many; HINT: take it out", *t->start);
    if (strchr(")]}", *t->start) && open)
        return FAIL(s, t->line, "%.*s: the '{' of line %u is closed by '%c'; HINT: close it with '}'", SHOWN(*group),
                    open->line, *t->start);
    if (strchr(")]}", *t->start))
        return FAIL(s, t->line, "'%c' closes nothing; HINT: take it out, or find the '%c' before it that is too many",
                    *t->start, *t->start);
    if (!open && strchr("{[", *t->start))
        return FAIL(s, t->line,
                    "expected a key, found '%c'; HINT: settings are key = value;, groups name = { ... };, as "
                    "ddbackupd.conf(5) shows",
                    *t->start);
    return FAIL(s, t->line, "expected a key, found '%c'", *t->start);
}

/* Looks at a token that should be a key. `last` is the setting before it, when nothing ended that. */
static int check_key(Syntax *s, const Token *group, const Token *open, const Setting *last, unsigned scope) {
    const Token *t = &s->token;
    bool goes_on = last && t->line == last->value.line && (t->kind == TOKEN_WORD || t->kind == TOKEN_STRING);
    if (goes_on && !lexer_peek_is(&s->lexer, "=:") && last->value.kind == TOKEN_WORD) {
        Token raw = lexer_rest_of_value(&s->lexer, &last->value);
        return FAIL(s, t->line, "%.*s: %.*s stands without quotes; HINT: write %.*s = \"%.*s\"", SHOWN(last->key),
                    SHOWN(raw), SHOWN(last->key), SHOWN(raw));
    }
    if (goes_on && !lexer_peek_is(&s->lexer, "=:") && last->value.kind == TOKEN_STRING)
        return FAIL(s, t->line, "%.*s: expected ';' after %.*s, found %.*s", SHOWN(last->key), SHOWN(last->value),
                    SHOWN(*t));
    if (t->kind != TOKEN_WORD || !token_is_name(t))
        return explain_key(s, group, open);
    return check_duplicate(s, scope);
}

static int read_assignment(Syntax *s, Token *ret_name, Token *ret_assign) {
    *ret_name = s->token;
    pass(s);
    int r = look(s, false);
    if (r < 0)
        return r;
    const Token *t = &s->token;
    if (!is_punct(t, '=') && !is_punct(t, ':')) {
        if (is_word(ret_name, "include"))
            return FAIL(s, ret_name->line, "include: is not taken; HINT: put the file into conf.d beside this one");
        bool can_show = t->kind == TOKEN_STRING || is_punct(t, '{') || is_punct(t, '[') || is_punct(t, '(');
        return can_show ? FAIL(s, ret_name->line, "%.*s: '=' is missing; HINT: write %.*s = %.*s", SHOWN(*ret_name),
                               SHOWN(*ret_name), SHOWN(*t))
                        : FAIL(s, ret_name->line, "%.*s: '=' is missing; HINT: a setting is key = value;",
                               SHOWN(*ret_name));
    }
    *ret_assign = *t;
    pass(s);
    return look(s, true);
}

/* The settings of a group up to its '}', or of the file up to its end. */
static int read_settings(Syntax *s, const Token *name, const Token *open) {
    unsigned scope = s->n_scopes++;
    Setting last = {};
    bool loose = false; /* nothing ended the last value */
    for (;;) {
        int r = look(s, false);
        if (r < 0)
            return r;
        if (s->token.kind == TOKEN_END && !open)
            return 0;
        if (open && is_punct(&s->token, '}')) {
            pass(s);
            return 0;
        }
        if (loose && (is_punct(&s->token, ';') || is_punct(&s->token, ','))) {
            pass(s);
            loose = false;
            continue;
        }
        if ((r = check_key(s, name, open, loose ? &last : NULL, scope)) < 0 ||
            (r = read_assignment(s, &last.key, &last.assign)) < 0)
            return r;
        last.value = s->token;
        s->in_list = false;
        if ((r = read_value(s, &last.key, &last.assign)) < 0)
            return r;
        loose = true;
    }
}

/* Kinds of which an array holds one alone: '"' strings, '1' whole numbers, 'L' those of 64 bits, '.' others, 'b'. */
static char kind_of(const Token *t) {
    if (t->kind == TOKEN_STRING)
        return '"';
    if (t->kind != TOKEN_WORD)
        return '\0';
    return token_is_number(t) ? token_number_kind(t) : 'b';
}

/* The elements of [ ] or ( ). */
static int read_list(Syntax *s, const Token *name, const Token *assign, const Token *open) {
    char close = *open->start == '[' ? ']' : ')', kind = '\0';
    for (bool first = true;; first = false) {
        int r = look(s, true);
        if (r < 0)
            return r;
        if (s->token.kind == TOKEN_END)
            return FAIL(s, open->line, "%.*s: '%c' is never closed; HINT: close it with '%c'", SHOWN(*name),
                        *open->start, close);
        if (is_punct(&s->token, close) && !first)
            return FAIL(s, s->token.line, "%.*s: a ',' stands before the '%c'; HINT: take it out", SHOWN(*name), close);
        if (is_punct(&s->token, close))
            break;
        char this = kind_of(&s->token);
        if (close == ']' && !this && strchr("{[(", *s->token.start))
            return FAIL(s, s->token.line, "%.*s: [ ] holds no groups and no lists; HINT: write ( ) around them",
                        SHOWN(*name));
        if (close == ']' && kind && this && this != kind)
            return FAIL(s, s->token.line,
                        "%.*s: [ ] holds values of one type alone, and %.*s is of another; HINT: write "
                        "them all with quotes, or all without",
                        SHOWN(*name), SHOWN(s->token));
        kind = this;
        Token element = s->token;
        s->in_list = true;
        if ((r = read_value(s, name, assign)) < 0 || (r = look(s, false)) < 0)
            return r;
        if (is_punct(&s->token, close))
            break;
        if (s->token.kind != TOKEN_END && !is_punct(&s->token, ','))
            return s->token.kind == TOKEN_PUNCT && strchr(";)]}", *s->token.start)
                       ? FAIL(s, s->token.line, "%.*s: expected ',' or '%c', found '%c'", SHOWN(*name), close,
                              *s->token.start)
                       : FAIL(s, element.line, "%.*s: a ',' is missing after this element", SHOWN(*name));
        if (s->token.kind != TOKEN_END)
            pass(s);
    }
    pass(s);
    return 0;
}

/* At the first token of a value; passes it on, and what belongs to it. */
static int read_value(Syntax *s, const Token *name, const Token *assign) {
    Token first = s->token;
    bool opens = first.kind == TOKEN_PUNCT && strchr("{[(", *first.start);
    if (!opens && first.kind != TOKEN_STRING && (first.kind != TOKEN_WORD || !token_is_scalar(&first)))
        return explain_value(s, name, assign);
    pass(s);
    if (first.kind == TOKEN_STRING && lexer_peek_is(&s->lexer, "\""))
        return FAIL(s, first.line, "%.*s: two strings in a row would be joined; HINT: put a ',' or ';' between them",
                    SHOWN(*name));
    if (!opens)
        return 0;
    if (s->depth == DEPTH_MAX)
        return FAIL(s, first.line, "%.*s: is nested too deep", SHOWN(*name));
    s->depth++;
    int r = *first.start == '{' ? read_settings(s, name, &first) : read_list(s, name, assign, &first);
    s->depth--;
    return r;
}

int conf_syntax_check(const char *text, size_t len, const char *file, ConfProblems *problems, char **ret) {
    CLEANUP(syntax_done)
    Syntax s = {
        .file = file,
        .problems = problems,
        .out = TEXT_INIT(len * GROWTH_MAX + 64),
        .out_line = 1,
    };
    unsigned line = 0;
    const char *problem = lexer_begin(&s.lexer, text, len, &line);
    if (problem)
        return FAIL(&s, line, "%s", problem);
    int r = read_settings(&s, NULL, NULL);
    if (r < 0)
        return r;
    text_add_char(&s.out, '\n');
    return text_take(&s.out, ret);
}
