/* The grammar of the shared files, as the AWS SDKs and Tools Reference ("Format of the config file") and the AWS CLI
 * have it: sections, "key = value", comments on their own line or after white space, and lines that are indented deeper
 * than the key which they continue. Sections of one name are one profile, later values win. */

#include "core/credentials.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

void credentials_free(Credentials *c) {
    if (!c)
        return;
    free(c->access_key_id);
    secret_done(&c->secret_access_key);
    secret_done(&c->session_token);
    free(c->source);
    free(c);
}

int credentials_copy(const Credentials *c, Credentials **ret) {
    CLEANUP(credentials_free_ptr) Credentials *copy = calloc(1, sizeof *copy);
    if (!copy)
        return -ENOMEM;
    copy->expires_wall = c->expires_wall;
    if (text_set(&copy->access_key_id, c->access_key_id) < 0 || text_set(&copy->source, c->source) < 0 ||
        secret_copy(&copy->secret_access_key, &c->secret_access_key) < 0 ||
        secret_copy(&copy->session_token, &c->session_token) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(copy);
    return 0;
}

bool credentials_equal(const Credentials *a, const Credentials *b) {
    return text_equal(a->access_key_id, b->access_key_id) && a->expires_wall == b->expires_wall &&
           secret_equal(&a->secret_access_key, &b->secret_access_key) &&
           secret_equal(&a->session_token, &b->session_token);
}

/* --- lines --- */

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

static bool span_is(Span s, const char *text) { return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0; }

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

/* --- sections --- */

/* Which of the sections that could be the profile it is: "[profile default]" makes "[default]" irrelevant. */
typedef enum SectionKind { SECTION_OTHER, SECTION_PLAIN, SECTION_NAMED } SectionKind;

/* The name inside of quotes, if there are any. */
static Span unquote(Span s) {
    bool quoted = s.n >= 2 && (s.at[0] == '"' || s.at[0] == '\'') && s.at[s.n - 1] == s.at[0];
    return quoted ? (Span){.at = s.at + 1, .n = s.n - 2} : s;
}

static SectionKind section_kind(Span name, const char *profile, bool config_file) {
    static const char word[] = "profile";
    size_t n = sizeof word - 1;
    if (!config_file)
        return span_is(name, profile) ? SECTION_PLAIN : SECTION_OTHER;
    if (name.n > n && memcmp(name.at, word, n) == 0 && is_blank(name.at[n])) {
        Span rest = unquote(span_trim((Span){.at = name.at + n, .n = name.n - n}));
        return span_is(rest, profile) ? SECTION_NAMED : SECTION_OTHER;
    }
    return span_is(name, "default") && strcmp(profile, "default") == 0 ? SECTION_PLAIN : SECTION_OTHER;
}

/* --- the values of one profile --- */

typedef struct Setting {
    const char *key;
    Span value; /* at: NULL while it is not there */
    unsigned line;
    bool continued; /* it goes on in further lines */
} Setting;

typedef struct Reader {
    const char *profile;
    bool config_file;
    Setting *settings; /* that are looked for */
    size_t n_settings;
    SectionKind best, here; /* the best kind met, the kind of this section */
    bool in_section;        /* a section has begun */
    bool has_key;           /* one of its keys, too: deeper lines continue it */
    size_t indent;          /* of that key */
    Setting *last;          /* that key, if it is looked for */
} Reader;

static void forget_settings(Reader *r) {
    for (size_t i = 0; i < r->n_settings; i++)
        r->settings[i] = (Setting){.key = r->settings[i].key};
}

static const char *read_section(Reader *r, const Line *line) {
    const char *close = memchr(line->text.at, ']', line->text.n);
    if (!close)
        return "a section has no closing bracket";
    Span name = span_trim((Span){.at = line->text.at + 1, .n = (size_t)(close - line->text.at) - 1});
    r->in_section = true;
    r->has_key = false;
    r->last = NULL;
    r->here = section_kind(name, r->profile, r->config_file);
    if (r->here > r->best) {
        r->best = r->here;
        forget_settings(r);
    }
    return NULL;
}

static const char *read_setting(Reader *r, const Line *line) {
    size_t n_key = 0;
    while (n_key < line->text.n && line->text.at[n_key] != '=' && line->text.at[n_key] != ':')
        n_key++;
    if (n_key == 0 || n_key == line->text.n)
        return "a line is neither a [section] nor key = value";
    if (!r->in_section)
        return "a value stands before the first section";
    Span key = span_trim((Span){.at = line->text.at, .n = n_key});
    r->has_key = true;
    r->indent = line->indent;
    r->last = NULL;
    if (r->here != r->best || r->here == SECTION_OTHER)
        return NULL;
    for (size_t i = 0; i < r->n_settings; i++) {
        Setting *s = &r->settings[i];
        if (key.n != strlen(s->key) || strncasecmp(key.at, s->key, key.n) != 0)
            continue;
        s->value = span_trim((Span){.at = line->text.at + n_key + 1, .n = line->text.n - n_key - 1});
        s->line = line->number;
        s->continued = false;
        r->last = s;
    }
    return NULL;
}

/* -ENOENT: no such profile; -EBADMSG. */
static int read_profile(const char *text, size_t len, Reader *r, const char **ret_why, unsigned *ret_line) {
    Lines lines = lines_make(text, len);
    Line line;
    while (lines_next(&lines, &line)) {
        const char *why = NULL;
        if (line.text.n == 0)
            continue;
        if (r->has_key && line.indent > r->indent) {
            if (r->last)
                r->last->continued = true;
            continue;
        }
        why = line.text.at[0] == '[' ? read_section(r, &line) : read_setting(r, &line);
        if (why) {
            *ret_why = why;
            *ret_line = line.number;
            return -EBADMSG;
        }
    }
    return r->best == SECTION_OTHER ? -ENOENT : 0;
}

static bool is_set(const Setting *s) { return s->value.at && (s->value.n > 0 || s->continued); }

int profile_value(const char *text, size_t len, const char *profile, bool config_file, const char *key, char **ret) {
    Setting setting = {.key = key};
    Reader r = {.profile = profile, .config_file = config_file, .settings = &setting, .n_settings = 1};
    const char *why;
    unsigned line;
    if (read_profile(text, len, &r, &why, &line) < 0 || !is_set(&setting) || setting.continued ||
        memchr(setting.value.at, '\0', setting.value.n))
        return -ENOENT;
    char *value = strndup(setting.value.at, setting.value.n);
    if (!value)
        return -ENOMEM;
    *ret = value;
    return 0;
}

/* --- credentials --- */

enum { KEY_ID, SECRET_KEY, TOKEN, FIRST_OTHER };

/* What else a profile can name as the origin of its credentials. With one of them, static keys in the same profile are
 * those of another identity, or stale: they are not taken instead. */
static const char *const other_keys[] = {"role_arn",    "web_identity_token_file", "credential_process",
                                         "sso_session", "sso_start_url",           "login_session"};
static const char *const other_why[] = {
    "role_arn is not supported: the profile must have static keys and nothing else",
    "web_identity_token_file is not supported: the profile must have static keys and nothing else",
    "credential_process is not supported: the profile must have static keys and nothing else",
    "sso_session is not supported: the profile must have static keys and nothing else",
    "sso_start_url is not supported: the profile must have static keys and nothing else",
    "login_session is not supported: the profile must have static keys and nothing else",
};
#define N_OTHER ARRAY_SIZE(other_keys)

/* Keys and tokens go into headers: what cannot stand there is a damaged file. */
static bool is_printable(Span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~')
            return false;
    return true;
}

static const char *check_settings(const Setting *settings, unsigned *ret_line) {
    for (size_t i = 0; i < N_OTHER; i++)
        if (is_set(&settings[FIRST_OTHER + i])) {
            *ret_line = settings[FIRST_OTHER + i].line;
            return other_why[i];
        }
    for (size_t i = 0; i < FIRST_OTHER; i++) {
        *ret_line = settings[i].line;
        if (settings[i].continued)
            return "a key or token goes on in the next line";
        if (!is_printable(settings[i].value))
            return "a key or token holds a character that none can have";
    }
    *ret_line = settings[is_set(&settings[KEY_ID]) ? KEY_ID : SECRET_KEY].line;
    if (is_set(&settings[KEY_ID]) && !is_set(&settings[SECRET_KEY]))
        return "aws_access_key_id is there, but aws_secret_access_key is not";
    if (!is_set(&settings[KEY_ID]) && is_set(&settings[SECRET_KEY]))
        return "aws_secret_access_key is there, but aws_access_key_id is not";
    return NULL;
}

static int make_credentials(const Setting *settings, Credentials **ret) {
    CLEANUP(credentials_free_ptr) Credentials *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    Span id = settings[KEY_ID].value, secret = settings[SECRET_KEY].value, token = settings[TOKEN].value;
    c->expires_wall = USEC_INFINITY;
    c->access_key_id = strndup(id.at, id.n);
    if (!c->access_key_id || secret_set(&c->secret_access_key, secret.at, secret.n) < 0 ||
        (token.n > 0 && secret_set(&c->session_token, token.at, token.n) < 0))
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

int credentials_from_profile(const char *text, size_t len, const char *profile, bool config_file, Credentials **ret,
                             const char **ret_why, unsigned *ret_line) {
    Setting settings[FIRST_OTHER + N_OTHER] = {
        [KEY_ID] = {.key = "aws_access_key_id"},
        [SECRET_KEY] = {.key = "aws_secret_access_key"},
        [TOKEN] = {.key = "aws_session_token"},
    };
    for (size_t i = 0; i < N_OTHER; i++)
        settings[FIRST_OTHER + i].key = other_keys[i];
    Reader r = {
        .profile = profile, .config_file = config_file, .settings = settings, .n_settings = ARRAY_SIZE(settings)};
    int rc = read_profile(text, len, &r, ret_why, ret_line);
    if (rc < 0)
        return rc;
    unsigned line = 0;
    const char *why = check_settings(settings, &line);
    if (why) {
        *ret_why = why;
        *ret_line = line;
        return -EBADMSG;
    }
    return is_set(&settings[KEY_ID]) ? make_credentials(settings, ret) : -ENOENT;
}
