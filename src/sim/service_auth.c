#include "sim/service_auth.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "sim/service_arn.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define USUAL_SKEW_USEC (5 * USEC_PER_MINUTE)
#define MAX_TEXT (1u << 20)
#define MAX_PARAMETERS 512

static const char not_recognized[] = "UnrecognizedClientException", invalid[] = "InvalidSignatureException",
                  incomplete[] = "IncompleteSignatureException";

const char *service_header(const ServiceRequest *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static void to_hex(const unsigned char *bytes, size_t n, char *hex) {
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

int service_auth_hash(const void *bytes, size_t n, char hex[static SERVICE_AUTH_HEX_SIZE]) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(bytes, n, digest, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    to_hex(digest, 32, hex);
    return 0;
}

static bool mac(const unsigned char *key, size_t key_len, const char *s, unsigned char to[static EVP_MAX_MD_SIZE]) {
    return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)s, strlen(s), to, NULL) != NULL;
}

int service_auth_sign(const char *secret_key, const char *date, const char *region, const char *service,
                      const char *to_sign, char hex[static SERVICE_AUTH_HEX_SIZE]) {
    unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
    AUTO_FREE char *first = text_format("AWS4%s", secret_key);
    if (!first || !mac((const unsigned char *)first, strlen(first), date, a) || !mac(a, 32, region, b) ||
        !mac(b, 32, service, a) || !mac(a, 32, "aws4_request", b) || !mac(b, 32, to_sign, a))
        return -ENOMEM;
    to_hex(a, 32, hex);
    return 0;
}

static bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c));
}

static void add_encoded(Text *t, const char *s, size_t n, const char *keep) {
    for (size_t i = 0; i < n; i++)
        if (is_unreserved(s[i]) || (s[i] && strchr(keep, s[i])))
            text_add_char(t, s[i]);
        else
            text_addf(t, "%%%02X", (unsigned)(unsigned char)s[i]);
}

/* The path without dot segments and double slashes, encoded once more than it was sent. */
static void add_path(Text *t, const char *path, size_t n, bool s3) {
    if (s3) {
        text_add_bytes(t, path, n);
        return;
    }
    size_t start = t->len, last = 0;
    for (size_t i = 0; i < n; i += last + 1) {
        const char *segment = path + i;
        const char *slash = memchr(segment, '/', n - i);
        last = slash ? (size_t)(slash - segment) : n - i;
        if (last == 0 || (last == 1 && segment[0] == '.'))
            continue;
        if (last == 2 && memcmp(segment, "..", 2) == 0) {
            while (t->len > start && t->data[--t->len] != '/')
                ;
            if (t->data)
                t->data[t->len] = '\0';
            continue;
        }
        text_add_char(t, '/');
        add_encoded(t, segment, last, "");
    }
    if (t->len == start || (n > 0 && path[n - 1] == '/'))
        text_add_char(t, '/');
}

static int compare_strings(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes what was sent and encodes it in the one canonical way. */
static void add_reencoded(Text *t, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (c == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
            c = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
            i += 2;
        }
        add_encoded(t, &c, 1, "");
    }
}

static void free_strings(char **strings, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(strings[i]);
}

/* Parameters sorted by name, then value. '\1' stands for '=' meanwhile, so that "a" sorts before "a-b". */
static int add_query(Text *t, const char *query) {
    char *parameters[MAX_PARAMETERS];
    size_t n = 0;
    int rc = 0;
    while (*query && rc >= 0) {
        size_t length = strcspn(query, "&"), name = strcspn(query, "=&");
        AUTO_TEXT one = TEXT_INIT(MAX_TEXT);
        add_reencoded(&one, query, name);
        text_add_char(&one, '\1');
        if (name < length)
            add_reencoded(&one, query + name + 1, length - name - 1);
        if (length > 0)
            rc = n < MAX_PARAMETERS ? text_take(&one, &parameters[n]) : -E2BIG;
        if (length > 0 && rc >= 0)
            n++;
        query += length + (query[length] ? 1 : 0);
    }
    if (n > 1)
        qsort(parameters, n, sizeof parameters[0], compare_strings);
    for (size_t i = 0; i < n; i++) {
        *strchr(parameters[i], '\1') = '=';
        text_addf(t, "%s%s", i > 0 ? "&" : "", parameters[i]);
    }
    free_strings(parameters, n);
    return rc < 0 ? rc : t->error;
}

/* The value without outer blanks, inner runs of blanks as one. */
static void add_value(Text *t, const char *value) {
    bool blank = false, begun = false;
    for (; *value; value++) {
        if (*value == ' ' || *value == '\t') {
            blank = begun;
            continue;
        }
        if (blank)
            text_add_char(t, ' ');
        text_add_char(t, *value);
        blank = false;
        begun = true;
    }
}

static void add_header(Text *t, const ServiceRequest *request, const char *name, size_t n) {
    const char *comma = "";
    for (size_t i = 0; i < n; i++)
        text_add_char(t, (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]));
    text_add_char(t, ':');
    for (size_t i = 0; i < request->n_headers; i++)
        if (strlen(request->headers[i].name) == n && strncasecmp(request->headers[i].name, name, n) == 0) {
            text_add(t, comma);
            add_value(t, request->headers[i].value);
            comma = ",";
        }
    text_add_char(t, '\n');
}

int service_auth_canonical(const ServiceRequest *request, const char *signed_headers, bool s3, Text *t) {
    char hash[SERVICE_AUTH_HEX_SIZE];
    size_t path = strcspn(request->target, "?");
    text_addf(t, "%s\n", request->method);
    add_path(t, request->target, path, s3);
    text_add_char(t, '\n');
    int rc = add_query(t, request->target[path] ? request->target + path + 1 : "");
    if (rc < 0)
        return rc;
    text_add_char(t, '\n');
    for (const char *name = signed_headers; *name;) {
        size_t n = strcspn(name, ";");
        add_header(t, request, name, n);
        name += n + (name[n] ? 1 : 0);
    }
    const char *said = s3 ? service_header(request, "X-Amz-Content-SHA256") : NULL;
    rc = said ? 0 : service_auth_hash(request->body ? request->body : "", request->body_len, hash);
    if (rc < 0)
        return rc;
    return text_addf(t, "\n%s\n%s", signed_headers, said ? said : hash);
}

/* What an Authorization header says. */
typedef struct Claim {
    char algorithm[64];
    char credential[256], signed_headers[1024], signature[256];
    char part[5][136]; /* key id, date, region, service, terminator */
    unsigned n_parts;
} Claim;

static void claim_split(Claim *c) {
    const char *s = c->credential;
    for (c->n_parts = 0; *s; c->n_parts++) {
        size_t n = strcspn(s, "/");
        if (c->n_parts < 5)
            snprintf(c->part[c->n_parts], sizeof c->part[0], "%.*s", (int)n, s);
        s += n + (s[n] ? 1 : 0);
    }
}

static void claim_parse(const char *authorization, Claim *c) {
    static const struct {
        const char *name;
        size_t offset, size;
    } rows[] = {{"Credential=", offsetof(Claim, credential), sizeof c->credential},
                {"SignedHeaders=", offsetof(Claim, signed_headers), sizeof c->signed_headers},
                {"Signature=", offsetof(Claim, signature), sizeof c->signature}};
    *c = (Claim){};
    size_t n = strcspn(authorization, " ");
    snprintf(c->algorithm, sizeof c->algorithm, "%.*s", (int)n, authorization);
    for (const char *s = authorization + n; *s;) {
        s += strspn(s, " ,");
        n = strcspn(s, " ,");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
            if (text_starts_with(s, rows[i].name))
                snprintf((char *)c + rows[i].offset, rows[i].size, "%.*s", (int)(n - strlen(rows[i].name)),
                         s + strlen(rows[i].name));
        s += n;
    }
    claim_split(c);
}

void service_auth_peek(const ServiceRequest *request, ServiceAuthResult *ret) {
    const char *authorization = service_header(request, "Authorization");
    Claim c;
    *ret = (ServiceAuthResult){.message = TEXT_INIT(MAX_TEXT)};
    if (!authorization)
        return;
    claim_parse(authorization, &c);
    snprintf(ret->key_id, sizeof ret->key_id, "%s", c.part[0]);
    if (service_region_is_valid(c.part[2]))
        snprintf(ret->region, sizeof ret->region, "%.31s", c.part[2]);
    snprintf(ret->service, sizeof ret->service, "%.15s", c.part[3]);
}

static int refuse(ServiceAuthResult *r, const char *code) {
    r->code = code;
    return r->message.error;
}

static const char *check_parameters(const Claim *c, const char *date, const char *authorization, Text *t) {
    if (!c->credential[0])
        text_add(t, "Authorization header requires 'Credential' parameter. ");
    if (!c->signature[0])
        text_add(t, "Authorization header requires 'Signature' parameter. ");
    if (!c->signed_headers[0])
        text_add(t, "Authorization header requires 'SignedHeaders' parameter. ");
    if (!date)
        text_add(t, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    if (t->len > 0)
        text_addf(t, "Authorization=%s", authorization);
    return t->len > 0 ? incomplete : NULL;
}

static const char *check_date(const char *date, Usec now_wall, Usec skew_usec, Usec *ret_wall, Text *t) {
    char now[DATE_COMPACT_SIZE], limit[DATE_COMPACT_SIZE], said[DATE_COMPACT_SIZE];
    if ((strlen(date) != DATE_COMPACT_SIZE - 1 || date_from_iso(date, ret_wall) < 0) &&
        date_from_http(date, ret_wall) < 0) {
        text_addf(t, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
                  date);
        return incomplete;
    }
    date_to_compact(*ret_wall, said);
    date_to_compact(now_wall, now);
    int minutes = (int)(skew_usec / USEC_PER_MINUTE);
    if (*ret_wall < now_wall - skew_usec)
        text_addf(t, "Signature expired: %s is now earlier than %s (%s - %d min.)", said,
                  date_to_compact(now_wall - skew_usec, limit), now, minutes);
    else if (*ret_wall > now_wall + skew_usec)
        text_addf(t, "Signature not yet current: %s is still later than %s (%s + %d min.)", said,
                  date_to_compact(now_wall + skew_usec, limit), now, minutes);
    return t->len > 0 ? invalid : NULL;
}

static bool names_host(const char *signed_headers) {
    while (*signed_headers) {
        size_t n = strcspn(signed_headers, ";");
        if (n == 4 && strncasecmp(signed_headers, "host", 4) == 0)
            return true;
        signed_headers += n + (signed_headers[n] ? 1 : 0);
    }
    return false;
}

static const char *check_scope(const Claim *c, const ServiceAuthKey *key, Usec date_wall, Text *t) {
    char date[DATE_COMPACT_SIZE];
    date_to_compact(date_wall, date);
    bool region_fits = key->region ? strcmp(key->region, c->part[2]) == 0 : service_region_is_valid(c->part[2]);
    if (!region_fits)
        text_addf(t, "Credential should be scoped to a valid region, not '%s'. ", c->part[2]);
    if (strcmp(c->part[3], key->service) != 0)
        text_addf(t, "Credential should be scoped to correct service: '%s'. ", key->service);
    if (strcmp(c->part[4], "aws4_request") != 0)
        text_addf(t, "Credential should be scoped with a valid terminator: 'aws4_request', not '%s'. ", c->part[4]);
    if (strlen(c->part[1]) != 8 || strncmp(c->part[1], date, 8) != 0)
        text_addf(t,
                  "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != "
                  "'%.8s', from '%s'. ",
                  c->part[1], date, date);
    return t->len > 0 ? invalid : NULL;
}

static int check_signature(const ServiceRequest *request, const Claim *c, const ServiceAuthKey *key, Usec date_wall,
                           ServiceAuthResult *ret) {
    char date[DATE_COMPACT_SIZE], hash[SERVICE_AUTH_HEX_SIZE], signature[SERVICE_AUTH_HEX_SIZE];
    AUTO_TEXT canonical = TEXT_INIT(MAX_TEXT);
    AUTO_TEXT to_sign = TEXT_INIT(MAX_TEXT);
    int rc = service_auth_canonical(request, c->signed_headers, strcmp(key->service, "s3") == 0, &canonical);
    if (rc >= 0)
        rc = service_auth_hash(text_get(&canonical), canonical.len, hash);
    if (rc < 0)
        return rc;
    date_to_compact(date_wall, date);
    rc = text_addf(&to_sign, "%s\n%s\n%s/%s/%s/aws4_request\n%s", ALGORITHM, date, c->part[1], c->part[2], c->part[3],
                   hash);
    if (rc >= 0)
        rc = service_auth_sign(key->secret_key, c->part[1], c->part[2], c->part[3], text_get(&to_sign), signature);
    if (rc < 0)
        return rc;
    if (strlen(c->signature) == strlen(signature) && CRYPTO_memcmp(c->signature, signature, strlen(signature)) == 0)
        return 0;
    text_addf(&ret->message,
              "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
              "Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String "
              "for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
              text_get(&canonical), text_get(&to_sign));
    return refuse(ret, invalid);
}

int service_auth_check(const ServiceRequest *request, const ServiceAuthKey *key, Usec now_wall,
                       ServiceAuthResult *ret) {
    const char *authorization = service_header(request, "Authorization"), *code;
    const char *date = service_header(request, "X-Amz-Date"), *token = service_header(request, "X-Amz-Security-Token");
    Usec date_wall = 0;
    Claim c;
    service_auth_peek(request, ret);
    Text *t = &ret->message;
    if (!authorization || !text_starts_with(authorization, "AWS4-")) {
        text_add(t, "Request is missing Authentication Token");
        return refuse(ret, "MissingAuthenticationTokenException");
    }
    if (!date)
        date = service_header(request, "Date");
    claim_parse(authorization, &c);
    Usec skew_usec = key->skew_usec ? key->skew_usec : USUAL_SKEW_USEC;
    if ((code = check_parameters(&c, date, authorization, t)) ||
        (code = check_date(date, now_wall, skew_usec, &date_wall, t)))
        return refuse(ret, code);
    if (!names_host(c.signed_headers)) {
        text_add(t, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
        return refuse(ret, invalid);
    }
    if (strcmp(c.algorithm, ALGORITHM) != 0) {
        text_addf(t, "Unsupported AWS 'algorithm': '%s' (only AWS4-HMAC-SHA256 for now). ", c.algorithm);
        return refuse(ret, incomplete);
    }
    if (c.n_parts != 5) {
        text_addf(t,
                  "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
                  "got '%s'",
                  c.credential);
        return refuse(ret, incomplete);
    }
    if ((code = check_scope(&c, key, date_wall, t)))
        return refuse(ret, code);
    if (strcmp(c.part[0], key->access_key) != 0) {
        text_add(t, "The security token included in the request is invalid.");
        return refuse(ret, not_recognized);
    }
    int rc = check_signature(request, &c, key, date_wall, ret);
    if (rc < 0 || ret->code)
        return rc;
    if (!text_equal(token, key->session_token)) {
        text_add(t, "The security token included in the request is invalid");
        return refuse(ret, not_recognized);
    }
    return 0;
}
