#include "core/aws/sigv4.h"

#include "base/date.h"

#include "unit.h"

#define T_2026 (INT64_C(1767323045) * USEC_PER_SEC) /* 2026-01-02T03:04:05Z */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef struct Row {
    const char *date;
    const char *key_id, *secret, *token;
    HttpMethod method;
    const char *url;
    const char *headers[8]; /* name, value, ... */
    const char *body;
    const char *region, *service;
    const char *signed_headers, *signature;
} Row;

#define KEY "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define KEY_S3 "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

static const Row rows[] = {
    /* made with botocore 1.43.11 */
    {"20260102T030405Z", KEY, NULL, HTTP_POST, "https://dynamodb.us-east-1.amazonaws.com/",
     {"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "DynamoDB_20120810.CreateBackup"},
     "{\"TableName\":\"Music\",\"BackupName\":\"ddbackupd-music-20260102T030405Z\"}", "us-east-1", "dynamodb",
     "content-type;host;x-amz-date;x-amz-target", "b2e9771f8c8b5aafd2f8ec9787169b3cb2b62e10a1a4123ec9e1bfca49c15928"},
    {"20260102T030405Z", KEY, "TOKEN/EXAMPLE==", HTTP_POST, "https://dynamodb.eu-west-1.amazonaws.com/",
     {"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "DynamoDB_20120810.ListBackups"}, "{}",
     "eu-west-1", "dynamodb", "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
     "59bf6a93167041edb57bae7d0db3a3c79208a3c9ea51af24028905a7f0a47a50"},
    {"20260102T030405Z", KEY, NULL, HTTP_GET,
     "https://bkt.s3.us-east-1.amazonaws.com/pre%20fix/AWSDynamoDB/01693685827463-2d8752fd/manifest-summary.json", {},
     NULL, "us-east-1", "s3", "host;x-amz-content-sha256;x-amz-date",
     "ac7dd45a0edfd31b1b66b7a5bfbf3179914f89a2d7c9dab4eeb03ec875517aa4"},
    {"20260102T030405Z", KEY, "TOKEN/EXAMPLE==", HTTP_GET,
     "https://s3.us-east-1.amazonaws.com/my.bkt?list-type=2&prefix=a%20b%2F%C3%BC&max-keys=10", {}, NULL, "us-east-1",
     "s3", "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
     "c120cc4e2c510e1de33749990221714d5c4761e8bc976472ded3cb068956032f"},
    {"20260102T030405Z", KEY, NULL, HTTP_POST, "https://sts.us-west-2.amazonaws.com/",
     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
     "Action=GetCallerIdentity&Version=2011-06-15", "us-west-2", "sts", "content-type;host;x-amz-date",
     "746791eeb13ecd8d5fcea708e607783136562ba6c3f903f171c3f787690744a8"},
    /* AWS's signature test suite, get-vanilla */
    {"20150830T123600Z", KEY, NULL, HTTP_GET, "https://example.amazonaws.com/", {}, NULL, "us-east-1", "service",
     "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    /* AWS General Reference: the request to IAM that it signs step by step */
    {"20150830T123600Z", KEY, NULL, HTTP_GET, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
     {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, NULL, "us-east-1", "iam",
     "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
    /* Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header" */
    {"20130524T000000Z", KEY_S3, NULL, HTTP_GET, "https://examplebucket.s3.amazonaws.com/test.txt",
     {"Range", "bytes=0-9"}, NULL, "us-east-1", "s3", "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"20130524T000000Z", KEY_S3, NULL, HTTP_GET, "https://examplebucket.s3.amazonaws.com/?lifecycle", {}, NULL,
     "us-east-1", "s3", "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"20130524T000000Z", KEY_S3, NULL, HTTP_GET, "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J", {},
     NULL, "us-east-1", "s3", "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"20130524T000000Z", KEY_S3, NULL, HTTP_PUT, "https://examplebucket.s3.amazonaws.com/test%24file.text",
     {"Date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY"}, "Welcome to Amazon S3.",
     "us-east-1", "s3", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
};

static HttpRequest *make_request(HttpMethod method, const char *url, const char *body) {
    HttpRequest *q = calloc(1, sizeof *q);
    assert_non_null(q);
    q->method = method;
    q->url = strdup(url);
    q->body = body ? strdup(body) : NULL;
    q->body_len = body ? strlen(body) : 0;
    return q;
}

/* Longer than any, and than what can be kept. */
#define TEN "0123456789"
#define LONG_REGION TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static Credentials *make_credentials(const char *key_id, const char *secret, const char *token) {
    Credentials *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_int_equal(text_set(&c->access_key_id, key_id), 0);
    assert_int_equal(secret_set(&c->secret_access_key, secret, strlen(secret)), 0);
    if (token)
        assert_int_equal(secret_set(&c->session_token, token, strlen(token)), 0);
    return c;
}

static void signatures_are_the_known_ones(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Row *row = &rows[i];
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(row->method, row->url, row->body);
        CLEANUP(credentials_free_ptr) Credentials *c = make_credentials(row->key_id, row->secret, row->token);
        SigV4Scope scope = {.region = row->region, .service = row->service};
        char expected[400];
        for (size_t j = 0; row->headers[j]; j += 2)
            assert_int_equal(http_headers_add(&q->headers, row->headers[j], row->headers[j + 1]), 0);
        assert_int_equal(date_from_iso(row->date, &scope.wall), 0);
        assert_int_equal(sigv4_sign(q, &scope, c, NULL), 0);
        snprintf(expected, sizeof expected,
                 "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", row->key_id,
                 row->date, row->region, row->service, row->signed_headers, row->signature);
        assert_string_equal(http_headers_get(&q->headers, "authorization"), expected);
        assert_string_equal(http_headers_get(&q->headers, "x-amz-date"), row->date);
        const char *token = http_headers_get(&q->headers, "x-amz-security-token");
        assert_true(row->token ? token && strcmp(token, row->token) == 0 : token == NULL);
    }
}

/* A request that is signed again carries the new signature alone. */
static void signing_again_replaces(void **state) {
    static const char url[] = "https://b.s3.us-east-1.amazonaws.com/k";
    CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, url, NULL);
    CLEANUP(http_request_free_ptr) HttpRequest *fresh = make_request(HTTP_GET, url, NULL);
    CLEANUP(credentials_free_ptr) Credentials *old = make_credentials("AKIDOLD", "old", "OLD");
    CLEANUP(credentials_free_ptr) Credentials *new = make_credentials("AKIDNEW", "new", NULL);
    SigV4Scope scope = {.region = "us-east-1", .service = "s3", .wall = T_2026};
    assert_int_equal(sigv4_sign(q, &scope, old, NULL), 0);
    assert_int_equal(q->headers.n_items, 4);
    scope.wall += USEC_PER_HOUR;
    assert_int_equal(sigv4_sign(q, &scope, new, NULL), 0);
    assert_int_equal(sigv4_sign(fresh, &scope, new, NULL), 0);
    assert_int_equal(q->headers.n_items, 3);
    assert_null(http_headers_get(&q->headers, "x-amz-security-token"));
    assert_string_equal(http_headers_get(&q->headers, "authorization"),
                        http_headers_get(&fresh->headers, "authorization"));
}

/* The line of the canonical request, from 0. */
static char *canonical_line(const HttpRequest *q, const char *service, int line, char *ret_names) {
    AUTO_TEXT canonical = TEXT_INIT(65536);
    AUTO_TEXT names = TEXT_INIT(65536);
    assert_int_equal(sigv4_canonical_request(q, service, &canonical, &names), 0);
    if (ret_names)
        strcpy(ret_names, text_get(&names));
    const char *s = canonical.data;
    for (; line > 0; line--)
        s = strchr(s, '\n') + 1;
    return strndup(s, strcspn(s, "\n"));
}

static void paths_are_canonical(void **state) {
    static const struct {
        const char *url, *path, *s3;
    } paths[] = {
        {"https://h", "/", "/"},
        {"https://h/", "/", "/"},
        {"https://h?a", "/", "/"},
        {"https://h/a/../b/./c", "/b/c", "/a/../b/./c"},
        {"https://h/a/..", "/", "/a/.."},
        {"https://h/a/b/..", "/a", "/a/b/.."},
        {"https://h/a/./", "/a/", "/a/./"},
        {"https://h/../../x", "/x", "/../../x"},
        {"https://h//a///b//", "/a/b/", "//a///b//"},
        {"https://h//", "/", "//"},
        {"https://h/a%20b", "/a%2520b", "/a%20b"},
        {"https://h/~-_.A9", "/~-_.A9", "/~-_.A9"},
        {"https://h/a:b@c=d,e", "/a%3Ab%40c%3Dd%2Ce", "/a:b@c=d,e"},
        {"https://h/%C3%BC/...", "/%25C3%25BC/...", "/%C3%BC/..."},
        {"https://h/a#b", "/a", "/a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, paths[i].url, NULL);
        AUTO_FREE char *path = canonical_line(q, "dynamodb", 1, NULL);
        AUTO_FREE char *s3 = canonical_line(q, "s3", 1, NULL);
        assert_string_equal(path, paths[i].path);
        assert_string_equal(s3, paths[i].s3);
    }
}

static void queries_are_sorted(void **state) {
    static const struct {
        const char *url, *query;
    } queries[] = {
        {"https://h/", ""},
        {"https://h/?", ""},
        {"https://h/?b=2&a=1", "a=1&b=2"},
        {"https://h/?a", "a="},
        {"https://h/?a=&a", "a=&a="},
        {"https://h/?a=2&a=10&a=1", "a=1&a=10&a=2"},
        {"https://h/?a-b=1&a=2", "a=2&a-b=1"},
        {"https://h/?x=a=b", "x=a=b"},
        {"https://h/?b&&a", "=&a=&b="},
        {"https://h/?A=1&a=2&%41=3", "%41=3&A=1&a=2"},
        {"https://h/?q=1#f=2", "q=1"},
        {"https://h?z=%2F", "z=%2F"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, queries[i].url, NULL);
        AUTO_FREE char *query = canonical_line(q, "dynamodb", 2, NULL);
        assert_string_equal(query, queries[i].query);
    }
}

static void hosts_are_canonical(void **state) {
    static const struct {
        const char *url, *line;
    } hosts[] = {
        {"https://Example.COM/", "host:example.com"},
        {"https://example.com:443/", "host:example.com"},
        {"https://example.com:80/", "host:example.com:80"},
        {"http://example.com:80", "host:example.com"},
        {"http://127.0.0.1:8000/x", "host:127.0.0.1:8000"},
        {"http://u:p@h:1/", "host:h:1"},
        {"http://[::1]:8000/", "host:[::1]:8000"},
        {"http://[::1]:80/", "host:[::1]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, hosts[i].url, NULL);
        AUTO_FREE char *line = canonical_line(q, "dynamodb", 3, NULL);
        assert_string_equal(line, hosts[i].line);
    }
}

static void headers_are_canonical(void **state) {
    CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, "https://h/", NULL);
    static const char *const given[] = {
        "X-B",  "2",     "x-a",     " one   two\t three ", "X-b",        "  1",
        "Host", "other", "X-Empty", "",                    "X-C",        " \t",
        "TE",   "never", "User-Agent", "never",            "CONNECTION", "never", "Authorization", "old",
    };
    char names[200];
    for (size_t i = 0; i < ARRAY_SIZE(given); i += 2)
        assert_int_equal(http_headers_add(&q->headers, given[i], given[i + 1]), 0);
    static const char *const lines[] = {"host:other", "x-a:one two three", "x-b:2,1", "x-c:", "x-empty:", ""};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        AUTO_FREE char *line = canonical_line(q, "dynamodb", 3 + (int)i, names);
        assert_string_equal(line, lines[i]);
    }
    assert_string_equal(names, "host;x-a;x-b;x-c;x-empty");
}

/* What was derived is used again for the same day, region and service, and for no others. */
static void keys_are_kept_for_their_scope(void **state) {
    static const SigV4Scope scopes[] = {
        {"us-east-1", "dynamodb", T_2026},
        {"us-east-1", "dynamodb", T_2026 + USEC_PER_SEC},
        {"us-east-1", "s3", T_2026},
        {"us-east-2", "s3", T_2026},
        {"us-east-2", "s3", T_2026 + USEC_PER_DAY},
        {LONG_REGION, "s3", T_2026},
        {LONG_REGION "2", "s3", T_2026},
    };
    CLEANUP(credentials_free_ptr) Credentials *c = make_credentials("AKID", "secret", NULL);
    CLEANUP(credentials_free_ptr) Credentials *other = make_credentials("AKID", "other", NULL);
    SigV4Key key = {};
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, "https://h/", NULL);
        CLEANUP(http_request_free_ptr) HttpRequest *fresh = make_request(HTTP_GET, "https://h/", NULL);
        assert_int_equal(sigv4_sign(q, &scopes[i], c, &key), 0);
        assert_int_equal(sigv4_sign(fresh, &scopes[i], c, NULL), 0);
        AUTO_FREE char *expected = strdup(http_headers_get(&fresh->headers, "authorization"));
        assert_string_equal(http_headers_get(&q->headers, "authorization"), expected);
        assert_int_equal(sigv4_sign(q, &scopes[i], other, &key), 0);
        bool kept = strcmp(http_headers_get(&q->headers, "authorization"), expected) == 0;
        assert_true(kept == (strlen(scopes[i].region) < sizeof key.scope));
    }
}

static void the_payload_hash_can_be_given(void **state) {
    CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, "https://h/", NULL);
    AUTO_FREE char *computed = canonical_line(q, "sts", 6, NULL);
    assert_string_equal(computed, EMPTY_HASH);
    assert_int_equal(http_headers_add(&q->headers, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"), 0);
    AUTO_FREE char *given = canonical_line(q, "sts", 7, NULL);
    assert_string_equal(given, "UNSIGNED-PAYLOAD");
}

static void urls_without_a_host_are_refused(void **state) {
    static const char *const urls[] = {"", "h", "https:", "https://", "https:///path", "//h/", "http://u@/"};
    CLEANUP(credentials_free_ptr) Credentials *c = make_credentials("AKID", "secret", NULL);
    SigV4Scope scope = {.region = "us-east-1", .service = "dynamodb", .wall = T_2026};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        CLEANUP(http_request_free_ptr) HttpRequest *q = make_request(HTTP_GET, urls[i], NULL);
        assert_int_equal(sigv4_sign(q, &scope, c, NULL), -EINVAL);
    }
}

UNIT_MAIN(cmocka_unit_test(signatures_are_the_known_ones), cmocka_unit_test(signing_again_replaces),
          cmocka_unit_test(paths_are_canonical), cmocka_unit_test(queries_are_sorted),
          cmocka_unit_test(hosts_are_canonical), cmocka_unit_test(headers_are_canonical),
          cmocka_unit_test(keys_are_kept_for_their_scope), cmocka_unit_test(the_payload_hash_can_be_given),
          cmocka_unit_test(urls_without_a_host_are_refused))
