#include "core/aws/sigv4.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/date.h"

/* Far above any URL and header set that a service takes. */
#define CANONICAL_MAX (256 << 10)

/* --- the URL --- */

/* A piece of a string; not terminated. */
typedef struct Span {
    const char *at;
    size_t n;
} Span;

typedef struct UrlParts {
    Span scheme, host, path, query; /* host: with its port */
} UrlParts;

static Span span_until(const char *s, const char *stops) { return (Span){.at = s, .n = strcspn(s, stops)}; }

static int split_url(const char *url, UrlParts *ret) {
    UrlParts u = {.scheme = span_until(url, ":")};
    const char *s = url + u.scheme.n;
    if (strncmp(s, "://", 3) != 0)
        return -EINVAL;
    u.host = span_until(s + 3, "/?#");
    s = u.host.at + u.host.n;
    const char *user = memrchr(u.host.at, '@', u.host.n);
    if (user)
        u.host = (Span){.at = user + 1, .n = (size_t)(s - user) - 1};
    if (u.host.n == 0)
        return -EINVAL;
    u.path = span_until(s, "?#");
    s += u.path.n;
    u.query = *s == '?' ? span_until(s + 1, "#") : (Span){.at = s};
    *ret = u;
    return 0;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool span_ends_with(Span s, const char *suffix) {
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.at + s.n - n, suffix, n) == 0;
}

/* As clients send it: lower-case, without the scheme's own port. */
static int host_value(const UrlParts *u, char **ret) {
    bool tls = u->scheme.n == 5 && strncasecmp(u->scheme.at, "https", 5) == 0;
    Span host = u->host;
    const char *port = tls ? ":443" : ":80";
    if (span_ends_with(host, port))
        host.n -= strlen(port);
    char *value = strndup(host.at, host.n);
    if (!value)
        return -ENOMEM;
    for (char *c = value; *c; c++)
        *c = lower(*c);
    *ret = value;
    return 0;
}

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

static void add_encoded(Text *t, Span s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (is_unreserved(c))
            text_add_char(t, (char)c);
        else
            text_addf(t, "%%%02X", c);
    }
}

/* "." and empty segments go, ".." takes the one before it along; what is left is encoded. */
static int add_normal_path(Text *t, Span path) {
    AUTO_FREE Span *kept = calloc(path.n + 1, sizeof *kept);
    if (!kept)
        return -ENOMEM;
    size_t n_kept = 0;
    for (const char *s = path.at, *end = path.at + path.n; s < end;) {
        const char *slash = memchr(s, '/', (size_t)(end - s));
        Span segment = {.at = s, .n = (size_t)((slash ? slash : end) - s)};
        s = segment.at + segment.n + 1;
        if (segment.n == 0 || (segment.n == 1 && segment.at[0] == '.'))
            continue;
        if (segment.n == 2 && segment.at[0] == '.' && segment.at[1] == '.')
            n_kept -= n_kept > 0;
        else
            kept[n_kept++] = segment;
    }
    for (size_t i = 0; i < n_kept; i++) {
        text_add_char(t, '/');
        add_encoded(t, kept[i]);
    }
    if (n_kept == 0 || path.at[path.n - 1] == '/')
        text_add_char(t, '/');
    return t->error;
}

typedef struct Parameter {
    Span name, value;
} Parameter;

static int span_compare(Span a, Span b) {
    int c = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);
    return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

static int by_parameter(const void *a, const void *b) {
    const Parameter *x = a, *y = b;
    int c = span_compare(x->name, y->name);
    return c != 0 ? c : span_compare(x->value, y->value);
}

static int add_query(Text *t, Span query) {
    if (query.n == 0)
        return t->error;
    size_t n = 1;
    for (size_t i = 0; i < query.n; i++)
        n += query.at[i] == '&';
    AUTO_FREE Parameter *list = calloc(n, sizeof *list);
    if (!list)
        return -ENOMEM;
    const char *s = query.at, *end = query.at + query.n;
    for (size_t i = 0; i < n; i++) {
        const char *stop = memchr(s, '&', (size_t)(end - s));
        stop = stop ? stop : end;
        const char *equals = memchr(s, '=', (size_t)(stop - s));
        const char *name_end = equals ? equals : stop, *value = equals ? equals + 1 : stop;
        list[i] = (Parameter){.name = {s, (size_t)(name_end - s)}, .value = {value, (size_t)(stop - value)}};
        s = stop + 1;
    }
    qsort(list, n, sizeof *list, by_parameter);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text_add_char(t, '&');
        text_add_bytes(t, list[i].name.at, list[i].name.n);
        text_add_char(t, '=');
        text_add_bytes(t, list[i].value.at, list[i].value.n);
    }
    return t->error;
}

/* --- headers --- */

/* Changed or added by proxies and libraries on the way. */
static bool is_never_signed(const char *name) {
    static const char *const names[] = {
        "authorization", "baggage",           "connection",        "expect",          "keep-alive",
        "tracestate",    "proxy-authenticate", "proxy-authorization", "te",             "traceparent",
        "trailer",       "transfer-encoding", "upgrade",           "user-agent",      "x-amzn-trace-id",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

typedef struct SignedHeader {
    const char *name, *value;
    size_t order; /* of equal names: as they stand in the request */
} SignedHeader;

static int by_name(const void *a, const void *b) {
    const SignedHeader *x = a, *y = b;
    int c = strcasecmp(x->name, y->name);
    return c != 0 ? c : x->order < y->order ? -1 : x->order > y->order;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Trimmed, and each run of white space inside one space. */
static void add_value(Text *t, const char *value) {
    bool gap = false, begun = false;
    for (; *value; value++) {
        if (is_space(*value)) {
            gap = begun;
            continue;
        }
        if (gap)
            text_add_char(t, ' ');
        text_add_char(t, *value);
        gap = false;
        begun = true;
    }
}

static void add_header_lines(Text *t, const SignedHeader *list, size_t n, Text *ret_signed_headers) {
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && strcasecmp(list[i - 1].name, list[i].name) == 0;
        if (again)
            text_add_char(t, ',');
        else {
            if (i > 0) {
                text_add_char(t, '\n');
                text_add_char(ret_signed_headers, ';');
            }
            for (const char *c = list[i].name; *c; c++) {
                text_add_char(t, lower(*c));
                text_add_char(ret_signed_headers, lower(*c));
            }
            text_add_char(t, ':');
        }
        add_value(t, list[i].value);
    }
}

static int add_headers(Text *t, const HttpRequest *request, const UrlParts *u, Text *ret_signed_headers) {
    AUTO_FREE SignedHeader *list = calloc(request->headers.n_items + 1, sizeof *list);
    AUTO_FREE char *host = NULL;
    if (!list || host_value(u, &host) < 0)
        return -ENOMEM;
    size_t n = 0;
    if (!http_headers_get(&request->headers, "host"))
        list[n++] = (SignedHeader){.name = "host", .value = host};
    for (size_t i = 0; i < request->headers.n_items; i++) {
        const HttpHeader *h = &request->headers.items[i];
        if (!is_never_signed(h->name))
            list[n++] = (SignedHeader){.name = h->name, .value = h->value, .order = i};
    }
    qsort(list, n, sizeof *list, by_name);
    add_header_lines(t, list, n, ret_signed_headers);
    return t->error;
}

static void remove_header(HttpHeaders *h, const char *name) {
    size_t n_kept = 0;
    for (size_t i = 0; i < h->n_items; i++) {
        if (strcasecmp(h->items[i].name, name) != 0) {
            h->items[n_kept++] = h->items[i];
            continue;
        }
        free(h->items[i].name);
        secret_wipe(h->items[i].value, strlen(h->items[i].value));
        free(h->items[i].value);
    }
    h->n_items = n_kept;
}

static int set_header(HttpHeaders *h, const char *name, const char *value) {
    remove_header(h, name);
    return http_headers_add(h, name, value);
}

/* --- the signature --- */

static bool is_s3(const char *service) { return strcmp(service, "s3") == 0; }

static int body_hash(const HttpRequest *request, char ret[static DIGEST_HEX_SIZE]) {
    return digest_sha256_hex(request->body, request->body ? request->body_len : 0, ret);
}

int sigv4_canonical_request(const HttpRequest *request, const char *service, Text *ret, Text *ret_signed_headers) {
    UrlParts u;
    int r = split_url(request->url, &u);
    if (r < 0)
        return r;
    text_addf(ret, "%s\n", http_method_to_string(request->method));
    if (u.path.n == 0)
        text_add_char(ret, '/');
    else if (is_s3(service))
        text_add_bytes(ret, u.path.at, u.path.n);
    else
        r = add_normal_path(ret, u.path);
    text_add_char(ret, '\n');
    if (r >= 0)
        r = add_query(ret, u.query);
    text_add_char(ret, '\n');
    if (r >= 0)
        r = add_headers(ret, request, &u, ret_signed_headers);
    text_addf(ret, "\n\n%s\n", text_get(ret_signed_headers));
    const char *hash = http_headers_get(&request->headers, "x-amz-content-sha256");
    char computed[DIGEST_HEX_SIZE];
    if (r >= 0 && !hash)
        r = body_hash(request, computed);
    if (r < 0)
        return r;
    text_add(ret, hash ? hash : computed);
    return ret->error ? ret->error : ret_signed_headers->error;
}

/* The key that is derived for one day, region and service. */
static int signing_key(const Secret *secret, const char *date, const SigV4Scope *scope,
                       uint8_t key[static DIGEST_SIZE]) {
    size_t n = secret->len + 4;
    char *first = malloc(n);
    if (!first)
        return -ENOMEM;
    memcpy(first, "AWS4", 4);
    if (secret->len > 0)
        memcpy(first + 4, secret->bytes, secret->len);
    int r = digest_hmac_sha256(first, n, date, 8, key);
    secret_wipe(first, n);
    free(first);
    const char *const parts[] = {scope->region, scope->service, "aws4_request"};
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++) {
        uint8_t next[DIGEST_SIZE];
        r = digest_hmac_sha256(key, DIGEST_SIZE, parts[i], strlen(parts[i]), next);
        memcpy(key, next, DIGEST_SIZE);
        secret_wipe(next, sizeof next);
    }
    return r;
}

/* Derives it anew when it is not of this day, region and service. */
static int key_bring(SigV4Key *key, const Secret *secret, const char *date, const SigV4Scope *scope) {
    char wanted[sizeof key->scope];
    int n = snprintf(wanted, sizeof wanted, "%.8s/%s/%s", date, scope->region, scope->service);
    bool can_be_kept = n > 0 && (size_t)n < sizeof wanted;
    if (can_be_kept && strcmp(key->scope, wanted) == 0)
        return 0;
    key->scope[0] = '\0';
    int r = signing_key(secret, date, scope, key->bytes);
    if (r >= 0 && can_be_kept)
        memcpy(key->scope, wanted, (size_t)n + 1);
    return r;
}

static int add_authorization(HttpRequest *request, const SigV4Scope *scope, const Credentials *credentials,
                             const char *date, SigV4Key *key) {
    AUTO_TEXT canonical = TEXT_INIT(CANONICAL_MAX);
    AUTO_TEXT names = TEXT_INIT(CANONICAL_MAX);
    AUTO_TEXT to_sign = TEXT_INIT(CANONICAL_MAX);
    AUTO_TEXT value = TEXT_INIT(CANONICAL_MAX);
    uint8_t signature[DIGEST_SIZE];
    char hex[DIGEST_HEX_SIZE];
    int r = sigv4_canonical_request(request, scope->service, &canonical, &names);
    if (r < 0 || (r = digest_sha256_hex(canonical.data, canonical.len, hex)) < 0)
        return r;
    text_addf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", date, date, scope->region, scope->service,
              hex);
    if (to_sign.error)
        return to_sign.error;
    r = key_bring(key, &credentials->secret_access_key, date, scope);
    if (r >= 0)
        r = digest_hmac_sha256(key->bytes, sizeof key->bytes, to_sign.data, to_sign.len, signature);
    if (r < 0)
        return r;
    digest_to_hex(signature, hex);
    text_addf(&value, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
              credentials->access_key_id, date, scope->region, scope->service, text_get(&names), hex);
    return value.error ? value.error : http_headers_add(&request->headers, "Authorization", value.data);
}

int sigv4_sign(HttpRequest *request, const SigV4Scope *scope, const Credentials *credentials, SigV4Key *key) {
    SigV4Key own = {};
    char date[DATE_COMPACT_SIZE], hash[DIGEST_HEX_SIZE];
    date_to_compact(scope->wall, date);
    remove_header(&request->headers, "Authorization");
    int r = set_header(&request->headers, "X-Amz-Date", date);
    if (r >= 0 && credentials->session_token.bytes)
        r = set_header(&request->headers, "X-Amz-Security-Token", credentials->session_token.bytes);
    else
        remove_header(&request->headers, "X-Amz-Security-Token");
    if (r >= 0 && is_s3(scope->service) && (r = body_hash(request, hash)) >= 0)
        r = set_header(&request->headers, "X-Amz-Content-SHA256", hash);
    if (r >= 0)
        r = add_authorization(request, scope, credentials, date, key ? key : &own);
    secret_wipe(&own, sizeof own);
    return r;
}
