#include "sim/service_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_MEMBERS 256
#define MAX_VALUES 20000

typedef struct Reader {
    const unsigned char *at, *end;
    unsigned depth;
    size_t n_values;
} Reader;

void service_json_free(ServiceJson *j) {
    while (j) {
        ServiceJson *next = j->next;
        service_json_free(j->first);
        free(j->name);
        free(j->text);
        free(j);
        j = next;
    }
}

static void skip_space(Reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(Reader *r, char c) {
    if (r->at == r->end || *r->at != (unsigned char)c)
        return false;
    r->at++;
    return true;
}

static int read_hex4(Reader *r, uint32_t *ret) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int c = r->at < r->end ? *r->at++ : 0;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -EBADMSG;
        value = value << 4 | (uint32_t)digit;
    }
    *ret = value;
    return 0;
}

static void add_utf8(Text *t, uint32_t c) {
    char bytes[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[n] | c);
    text_add_bytes(t, bytes, n);
}

static int read_escape(Reader *r, Text *t) {
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? (char)*r->at++ : '\0';
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter)
        return text_add_char(t, values[letter - letters]);
    uint32_t code, low;
    if (c != 'u' || read_hex4(r, &code) < 0 || code == 0)
        return -EBADMSG;
    if (code >= 0xd800 && code <= 0xdfff) {
        if (code >= 0xdc00 || !take(r, '\\') || !take(r, 'u') || read_hex4(r, &low) < 0 || low < 0xdc00 || low > 0xdfff)
            return -EBADMSG;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    add_utf8(t, code);
    return 0;
}

/* One character of UTF-8 beyond ASCII, copied as it is. */
static int read_utf8(Reader *r, Text *t) {
    unsigned char c = *r->at;
    size_t n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (n == 0 || (size_t)(r->end - r->at) < n)
        return -EBADMSG;
    for (size_t i = 1; i < n; i++)
        if ((r->at[i] & 0xc0) != 0x80)
            return -EBADMSG;
    unsigned char second = r->at[1];
    bool overlong = (c == 0xe0 && second < 0xa0) || (c == 0xf0 && second < 0x90);
    bool outside = (c == 0xed && second >= 0xa0) || (c == 0xf4 && second >= 0x90);
    if (overlong || outside)
        return -EBADMSG;
    text_add_bytes(t, r->at, n);
    r->at += n;
    return 0;
}

static int read_string(Reader *r, char **ret) {
    AUTO_TEXT t = TEXT_INIT((size_t)(r->end - r->at));
    if (!take(r, '"'))
        return -EBADMSG;
    for (;;) {
        if (r->at == r->end || *r->at < 0x20)
            return -EBADMSG;
        int rc = 0;
        if (take(r, '"'))
            return text_take(&t, ret);
        if (take(r, '\\'))
            rc = read_escape(r, &t);
        else if (*r->at < 0x80)
            text_add_char(&t, (char)*r->at++);
        else
            rc = read_utf8(r, &t);
        if (rc < 0 || t.error)
            return rc < 0 ? rc : t.error;
    }
}

static size_t skip_digits(Reader *r) {
    const unsigned char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - start);
}

static int read_number(Reader *r, char **ret) {
    const unsigned char *start = r->at;
    take(r, '-');
    if (!take(r, '0') && skip_digits(r) == 0)
        return -EBADMSG;
    if (take(r, '.') && skip_digits(r) == 0)
        return -EBADMSG;
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (skip_digits(r) == 0)
            return -EBADMSG;
    }
    if (r->at - start > 64)
        return -E2BIG;
    *ret = strndup((const char *)start, (size_t)(r->at - start));
    return *ret ? 0 : -ENOMEM;
}

static int read_value(Reader *r, ServiceJson **ret);

static int read_member(Reader *r, ServiceJson *parent, ServiceJson **ret) {
    AUTO_FREE char *name = NULL;
    skip_space(r);
    int rc = read_string(r, &name);
    if (rc < 0)
        return rc;
    for (const ServiceJson *j = parent->first; j; j = j->next)
        if (strcmp(j->name, name) == 0)
            return -EBADMSG;
    if (parent->n_items >= MAX_MEMBERS)
        return -E2BIG;
    skip_space(r);
    if (!take(r, ':'))
        return -EBADMSG;
    rc = read_value(r, ret);
    if (rc >= 0)
        (*ret)->name = TAKE_PTR(name);
    return rc;
}

/* The rest of a list or an object, after its bracket. */
static int read_items(Reader *r, ServiceJson *parent) {
    char end = parent->type == SERVICE_JSON_LIST ? ']' : '}';
    ServiceJson **tail = &parent->first;
    skip_space(r);
    if (take(r, end))
        return 0;
    do {
        ServiceJson *item = NULL;
        int rc = parent->type == SERVICE_JSON_LIST ? read_value(r, &item) : read_member(r, parent, &item);
        if (rc < 0)
            return rc;
        *tail = item;
        tail = &item->next;
        parent->n_items++;
        skip_space(r);
    } while (take(r, ','));
    return take(r, end) ? 0 : -EBADMSG;
}

static int read_word(Reader *r, const char *word) {
    for (; *word; word++)
        if (!take(r, *word))
            return -EBADMSG;
    return 0;
}

static int read_typed(Reader *r, ServiceJson *j) {
    switch (r->at < r->end ? *r->at : 0) {
    case '{':
    case '[':
        j->type = *r->at++ == '{' ? SERVICE_JSON_OBJECT : SERVICE_JSON_LIST;
        if (++r->depth > MAX_DEPTH)
            return -E2BIG;
        int rc = read_items(r, j);
        r->depth--;
        return rc;
    case '"':
        j->type = SERVICE_JSON_STRING;
        return read_string(r, &j->text);
    case 't':
        j->type = SERVICE_JSON_TRUE;
        return read_word(r, "true");
    case 'f':
        j->type = SERVICE_JSON_FALSE;
        return read_word(r, "false");
    case 'n':
        j->type = SERVICE_JSON_NULL;
        return read_word(r, "null");
    default:
        j->type = SERVICE_JSON_NUMBER;
        return read_number(r, &j->text);
    }
}

static int read_value(Reader *r, ServiceJson **ret) {
    if (++r->n_values > MAX_VALUES)
        return -E2BIG;
    CLEANUP(service_json_free_ptr) ServiceJson *j = calloc(1, sizeof *j);
    if (!j)
        return -ENOMEM;
    skip_space(r);
    int rc = read_typed(r, j);
    if (rc >= 0)
        *ret = TAKE_PTR(j);
    return rc;
}

int service_json_parse(const char *bytes, size_t n, ServiceJson **ret) {
    Reader r = {.at = (const unsigned char *)bytes, .end = (const unsigned char *)bytes + n};
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
    int rc = read_value(&r, &j);
    if (rc < 0)
        return rc;
    skip_space(&r);
    if (r.at != r.end)
        return -EBADMSG;
    *ret = TAKE_PTR(j);
    return 0;
}

const ServiceJson *service_json_get(const ServiceJson *j, const char *name) {
    if (!j || j->type != SERVICE_JSON_OBJECT)
        return NULL;
    for (const ServiceJson *m = j->first; m; m = m->next)
        if (strcmp(m->name, name) == 0)
            return m->type == SERVICE_JSON_NULL ? NULL : m;
    return NULL;
}

const char *service_json_get_string(const ServiceJson *j, const char *name) {
    const ServiceJson *m = service_json_get(j, name);
    return m && m->type == SERVICE_JSON_STRING ? m->text : NULL;
}

int service_json_to_int(const ServiceJson *j, int64_t *ret) {
    if (!j || j->type != SERVICE_JSON_NUMBER)
        return -EINVAL;
    if (strpbrk(j->text, ".eE")) {
        double d = strtod(j->text, NULL);
        if (!(d >= -9007199254740992.0 && d <= 9007199254740992.0))
            return -ERANGE;
        if (d != (double)(int64_t)d)
            return -EINVAL;
        *ret = (int64_t)d;
        return 0;
    }
    errno = 0;
    long long value = strtoll(j->text, NULL, 10);
    if (errno)
        return -ERANGE;
    *ret = value;
    return 0;
}

int service_json_to_wall(const ServiceJson *j, Usec *ret) {
    if (!j || j->type != SERVICE_JSON_NUMBER)
        return -EINVAL;
    double seconds = strtod(j->text, NULL);
    double limit = (double)(WALL_MAX / USEC_PER_SEC);
    if (!(seconds >= -limit && seconds <= limit))
        return -ERANGE;
    *ret = (Usec)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5)) * USEC_PER_MSEC;
    return 0;
}

static void add_string(Text *t, const char *s) {
    text_add_char(t, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_addf(t, "\\%c", c);
        else if (c < 0x20)
            text_addf(t, "\\u%04x", c);
        else
            text_add_char(t, *s);
    }
    text_add_char(t, '"');
}

static void add_name(Text *t, const char *name) {
    char last = t->len > 0 ? t->data[t->len - 1] : '{';
    if (last != '{' && last != '[' && last != '\n')
        text_add_char(t, ',');
    if (name) {
        add_string(t, name);
        text_add_char(t, ':');
    }
}

void service_json_open(Text *t, const char *name, char bracket) {
    add_name(t, name);
    text_add_char(t, bracket);
}

void service_json_close(Text *t, char bracket) { text_add_char(t, bracket); }

void service_json_add_string(Text *t, const char *name, const char *value) {
    if (!value)
        return;
    add_name(t, name);
    add_string(t, value);
}

void service_json_add_int(Text *t, const char *name, int64_t value) {
    add_name(t, name);
    text_addf(t, "%lld", (long long)value);
}

void service_json_add_bool(Text *t, const char *name, bool value) {
    add_name(t, name);
    text_add(t, value ? "true" : "false");
}

/* Takes back the zeros that end a fraction, and a point that is left alone. */
static void strip_zeros(Text *t) {
    while (t->len > 0 && t->data[t->len - 1] == '0')
        t->data[--t->len] = '\0';
    if (t->len > 0 && t->data[t->len - 1] == '.')
        t->data[--t->len] = '\0';
}

void service_json_add_wall(Text *t, const char *name, Usec wall) {
    add_name(t, name);
    text_addf(t, "%lld.%03lld", (long long)(wall / USEC_PER_SEC), (long long)(wall % USEC_PER_SEC / USEC_PER_MSEC));
    strip_zeros(t);
}

void service_json_add_wall_scientific(Text *t, const char *name, Usec wall) {
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)(wall / USEC_PER_MSEC));
    if (n < 4 || n > 20) {
        service_json_add_wall(t, name, wall);
        return;
    }
    add_name(t, name);
    text_addf(t, "%c.%s", digits[0], digits + 1);
    strip_zeros(t);
    text_addf(t, "E%d", n - 4);
}

void service_json_add_raw(Text *t, const char *name, const char *json) {
    if (!json)
        return;
    add_name(t, name);
    text_add(t, json);
}

void service_json_add_value(Text *t, const char *name, const ServiceJson *value) {
    if (!value)
        return;
    switch (value->type) {
    case SERVICE_JSON_NULL:
        service_json_add_raw(t, name, "null");
        break;
    case SERVICE_JSON_FALSE:
    case SERVICE_JSON_TRUE:
        service_json_add_bool(t, name, value->type == SERVICE_JSON_TRUE);
        break;
    case SERVICE_JSON_NUMBER:
        service_json_add_raw(t, name, value->text);
        break;
    case SERVICE_JSON_STRING:
        service_json_add_string(t, name, value->text);
        break;
    case SERVICE_JSON_LIST:
    case SERVICE_JSON_OBJECT:
        service_json_open(t, name, value->type == SERVICE_JSON_LIST ? '[' : '{');
        for (const ServiceJson *j = value->first; j; j = j->next)
            service_json_add_value(t, j->name, j);
        service_json_close(t, value->type == SERVICE_JSON_LIST ? ']' : '}');
        break;
    }
}
