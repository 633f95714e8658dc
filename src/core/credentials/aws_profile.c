#include "core/credentials/aws_profile.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "base/text.h"

typedef struct Span {
    const char *at;
    size_t n;
} Span;

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static Span span_trim(Span s) {
    while (s.n > 0 && is_blank(s.at[0]))
        s = (Span){.at = s.at + 1, .n = s.n - 1};
    while (s.n > 0 && is_blank(s.at[s.n - 1]))
        s.n--;
    return s;
}

/* --- what was read --- */

static void wipe_free(char *s) {
    if (s)
        secret_wipe(s, strlen(s));
    free(s);
}

static void profile_forget(Profile *p) {
    for (size_t i = 0; i < p->n_values; i++) {
        free(p->values[i].key);
        wipe_free(p->values[i].value);
    }
    p->n_values = 0;
}

static void profile_free(Profile *p) {
    if (!p)
        return;
    profile_forget(p);
    free(p->values);
    free(p->name);
    free(p);
}
DEFINE_CLEANUP(Profile, profile_free)

void profiles_done(Profiles *p) {
    for (size_t i = 0; i < p->n_items; i++)
        profile_free(p->items[i]);
    free(p->items);
    *p = (Profiles){};
}

static Profile *find(const Profiles *p, ProfileKind kind, Span name) {
    for (size_t i = 0; i < p->n_items; i++) {
        Profile *q = p->items[i];
        if (q->kind == kind && strlen(q->name) == name.n && memcmp(q->name, name.at, name.n) == 0)
            return q;
    }
    return NULL;
}

const Profile *profiles_find(const Profiles *p, ProfileKind kind, const char *name) {
    return find(p, kind, (Span){.at = name, .n = strlen(name)});
}

static ProfileValue *find_value(const Profile *p, const char *key) {
    for (size_t i = 0; i < p->n_values; i++)
        if (strcmp(p->values[i].key, key) == 0)
            return &p->values[i];
    return NULL;
}

const char *profile_get(const Profile *p, const char *key) {
    const ProfileValue *v = p ? find_value(p, key) : NULL;
    return v && *v->value ? v->value : NULL;
}

static int add_profile(Profiles *p, ProfileKind kind, Span name, Profile **ret) {
    if ((*ret = find(p, kind, name)))
        return 0;
    CLEANUP(profile_free_ptr) Profile *q = calloc(1, sizeof *q);
    if (!q || !(q->name = strndup(name.at, name.n)) || ARRAY_GROW(p->items, p->n_items, p->n_room) < 0)
        return -ENOMEM;
    q->kind = kind;
    *ret = p->items[p->n_items++] = TAKE_PTR(q);
    return 0;
}

static int set_value(Profile *p, Span key, Span value, unsigned line, ProfileValue **ret) {
    AUTO_FREE char *k = strndup(key.at, key.n);
    AUTO_FREE char *v = strndup(value.at, value.n);
    if (!k || !v)
        return -ENOMEM;
    for (char *c = k; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    ProfileValue *old = find_value(p, k);
    if (!old) {
        if (ARRAY_GROW(p->values, p->n_values, p->n_values_room) < 0)
            return -ENOMEM;
        old = &p->values[p->n_values++];
        *old = (ProfileValue){.key = TAKE_PTR(k)};
    }
    wipe_free(old->value);
    old->value = TAKE_PTR(v);
    old->line = line;
    *ret = old;
    return 0;
}

int profiles_merge(Profiles *into, const Profiles *from) {
    for (size_t i = 0; i < from->n_items; i++) {
        const Profile *f = from->items[i];
        Profile *to;
        ProfileValue *v;
        int r = add_profile(into, f->kind, (Span){.at = f->name, .n = strlen(f->name)}, &to);
        for (size_t j = 0; r >= 0 && j < f->n_values; j++)
            r = set_value(to, (Span){.at = f->values[j].key, .n = strlen(f->values[j].key)},
                          (Span){.at = f->values[j].value, .n = strlen(f->values[j].value)}, f->values[j].line, &v);
        if (r < 0)
            return r;
    }
    return 0;
}

int profile_get_nested(const Profile *p, const char *key, const char *inner, char **ret) {
    const char *at = profile_get(p, key);
    if (!at || *at != '\n')
        return -ENOENT;
    while (*at == '\n') {
        const char *stop = strchrnul(++at, '\n'), *equals = memchr(at, '=', (size_t)(stop - at));
        Span name = span_trim((Span){.at = at, .n = equals ? (size_t)(equals - at) : 0});
        if (equals && name.n == strlen(inner) && memcmp(name.at, inner, name.n) == 0) {
            Span value = span_trim((Span){.at = equals + 1, .n = (size_t)(stop - equals - 1)});
            return (*ret = strndup(value.at, value.n)) ? 0 : -ENOMEM;
        }
        at = stop;
    }
    return -ENOENT;
}

/* --- lines --- */

typedef struct Line {
    Span text;     /* trimmed, without its comment; n = 0: nothing */
    size_t indent; /* white space before it */
    unsigned number;
} Line;

typedef struct Lines {
    const char *at, *end;
    unsigned number;
} Lines;

static Lines lines_make(const char *text, size_t len) {
    Lines l = {.at = text, .end = text + len};
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        l.at += 3;
    return l;
}

static bool lines_next(Lines *l, Line *ret) {
    if (l->at == l->end)
        return false;
    const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at)), *stop = newline ? newline : l->end;
    Span raw = {.at = l->at, .n = (size_t)(stop - l->at)};
    l->at = newline ? newline + 1 : l->end;
    for (size_t i = 0; i < raw.n; i++)
        if ((raw.at[i] == '#' || raw.at[i] == ';') && (i == 0 || is_blank(raw.at[i - 1])))
            raw.n = i;
    Span text = span_trim(raw);
    *ret = (Line){.text = text, .indent = (size_t)(text.at - raw.at), .number = ++l->number};
    return true;
}

/* --- reading --- */

typedef struct Reading {
    Profiles *profiles;
    bool config_file;
    bool in_section;    /* a section has begun */
    Profile *here;      /* NULL: none that matters */
    bool has_key;       /* one of its keys, too: deeper lines continue it */
    size_t indent;      /* of that key */
    ProfileValue *last; /* that key, where it matters */
} Reading;

static Span unquote(Span s) {
    bool quoted = s.n >= 2 && (s.at[0] == '"' || s.at[0] == '\'') && s.at[s.n - 1] == s.at[0];
    return quoted ? (Span){.at = s.at + 1, .n = s.n - 2} : s;
}

/* "profile x": the x, without its quotes. */
static bool has_prefix(Span name, const char *word, Span *ret) {
    size_t n = strlen(word);
    if (name.n <= n || memcmp(name.at, word, n) != 0 || !is_blank(name.at[n]))
        return false;
    *ret = unquote(span_trim((Span){.at = name.at + n, .n = name.n - n}));
    return true;
}

static int begin_section(Reading *r, Span name) {
    Span inner;
    r->in_section = true;
    r->has_key = false;
    r->here = NULL;
    if (!r->config_file)
        return add_profile(r->profiles, PROFILE_NORMAL, name, &r->here);
    if (has_prefix(name, "sso-session", &inner))
        return add_profile(r->profiles, PROFILE_SSO_SESSION, inner, &r->here);
    if (has_prefix(name, "services", &inner))
        return add_profile(r->profiles, PROFILE_SERVICES, inner, &r->here);
    bool named = has_prefix(name, "profile", &inner);
    if (!named && !(name.n == 7 && memcmp(name.at, "default", 7) == 0))
        return 0;
    int rc = add_profile(r->profiles, PROFILE_NORMAL, named ? inner : name, &r->here);
    if (rc < 0)
        return rc;
    if (named && !r->here->named) {
        profile_forget(r->here);
        r->here->named = true;
    } else if (!named && r->here->named)
        r->here = NULL;
    return 0;
}

static int bad(const Line *line, const char *what, const char **ret_why, unsigned *ret_line) {
    *ret_why = what;
    *ret_line = line->number;
    return -EBADMSG;
}

static int take_section(Reading *r, const Line *line, const char **ret_why, unsigned *ret_line) {
    const char *close = memchr(line->text.at, ']', line->text.n);
    if (!close)
        return bad(line, "a section has no closing bracket", ret_why, ret_line);
    Span name = span_trim((Span){.at = line->text.at + 1, .n = (size_t)(close - line->text.at) - 1});
    if (name.n == 0)
        return bad(line, "a section has no name", ret_why, ret_line);
    return begin_section(r, name);
}

static int take_setting(Reading *r, const Line *line, const char **ret_why, unsigned *ret_line) {
    size_t n_key = 0;
    while (n_key < line->text.n && line->text.at[n_key] != '=' && line->text.at[n_key] != ':')
        n_key++;
    if (n_key == 0 || n_key == line->text.n)
        return bad(line, "a line is neither a [section] nor key = value", ret_why, ret_line);
    if (!r->in_section)
        return bad(line, "a value stands before the first section", ret_why, ret_line);
    r->has_key = true;
    r->indent = line->indent;
    r->last = NULL;
    if (!r->here)
        return 0;
    return set_value(r->here, span_trim((Span){.at = line->text.at, .n = n_key}),
                     span_trim((Span){.at = line->text.at + n_key + 1, .n = line->text.n - n_key - 1}), line->number,
                     &r->last);
}

static int continue_setting(Reading *r, const Line *line) {
    if (!r->last)
        return 0;
    char *joined = text_format("%s\n%.*s", r->last->value, (int)line->text.n, line->text.at);
    if (!joined)
        return -ENOMEM;
    wipe_free(r->last->value);
    r->last->value = joined;
    return 0;
}

int profiles_read(Profiles *p, const char *text, size_t len, bool config_file, const char **ret_why,
                  unsigned *ret_line) {
    Lines lines = lines_make(text, len);
    Reading reading = {.profiles = p, .config_file = config_file};
    Line line;
    int r = 0;
    while (r >= 0 && lines_next(&lines, &line)) {
        if (line.text.n == 0)
            continue;
        if (memchr(line.text.at, '\0', line.text.n))
            r = bad(&line, "a line holds a zero byte", ret_why, ret_line);
        else if (reading.has_key && line.indent > reading.indent)
            r = continue_setting(&reading, &line);
        else if (line.text.at[0] == '[')
            r = take_section(&reading, &line, ret_why, ret_line);
        else
            r = take_setting(&reading, &line, ret_why, ret_line);
    }
    return r;
}
