#include "sim/service.h"
#include "sim/service_auth.h"

#include "base/date.h"
#include "unit.h"

#define NOON INT64_C(1795521600123456) /* 2026-11-24T12:00:00.123456Z */
#define HERE "us-east-1"

/* A service with the buckets "acme" (here), "far" (eu-west-1), "theirs" (of another account) and "short" (objects live
 * for two days). */
typedef struct Bench {
    Service *service;
    Usec now;
    const char *region, *host, *date;
    ServiceHeader extra[3];
    size_t n_extra;
    ServiceReply reply;
} Bench;

static void bench_open(Bench *b, bool with_auth) {
    static const ServiceBucketSeed seeds[] = {
        {.name = (char *)"acme"},
        {.name = (char *)"far", .region = (char *)"eu-west-1", .versioned = true},
        {.name = (char *)"theirs", .owner = (char *)"333333333333"},
        {.name = (char *)"short", .expire_days = 2},
    };
    ServiceSettings settings = service_settings_default();
    settings.without_auth = !with_auth;
    *b = (Bench){.now = NOON, .region = HERE, .host = "localhost:8000"};
    assert_int_equal(service_new(&settings, 1, &b->service), 0);
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
        assert_int_equal(service_add_bucket(b->service, &seeds[i]), 0);
}

static void bench_close(Bench *b) {
    service_reply_done(&b->reply);
    service_free(b->service);
}

static void with(Bench *b, const char *name, const char *value) {
    b->extra[b->n_extra++] = (ServiceHeader){name, value};
}

/* Sends a request with the headers that were given for it alone, signed as S3 wants it; "METHOD /TARGET". */
static void send(Bench *b, const char *line, const char *body) {
    char method[8], date[DATE_COMPACT_SIZE], hash[SERVICE_AUTH_HEX_SIZE], signature[SERVICE_AUTH_HEX_SIZE];
    ServiceSettings settings = service_settings_default();
    size_t n = strcspn(line, " "), n_headers = 0;
    ServiceHeader headers[8] = {};
    snprintf(method, sizeof method, "%.*s", (int)n, line);
    date_to_compact(NOON, date);
    assert_int_equal(service_auth_hash(body, strlen(body), hash), 0);
    headers[n_headers++] = (ServiceHeader){"Host", b->host};
    headers[n_headers++] = (ServiceHeader){"x-amz-content-sha256", hash};
    headers[n_headers++] = (ServiceHeader){"x-amz-date", date};
    for (size_t i = 0; i < b->n_extra; i++)
        headers[n_headers++] = b->extra[i];
    ServiceRequest q = {.method = method,
                        .target = line + n + 1,
                        .headers = headers,
                        .n_headers = n_headers,
                        .body = body,
                        .body_len = strlen(body)};
    static const char signed_headers[] = "host;x-amz-content-sha256;x-amz-date";
    AUTO_TEXT canonical = TEXT_INIT(10000);
    assert_int_equal(service_auth_canonical(&q, signed_headers, true, &canonical), 0);
    char canonical_hash[SERVICE_AUTH_HEX_SIZE];
    assert_int_equal(service_auth_hash(text_get(&canonical), canonical.len, canonical_hash), 0);
    AUTO_FREE char *scope = text_format("%.8s/%s/s3/aws4_request", date, b->region);
    AUTO_FREE char *to_sign = text_format("AWS4-HMAC-SHA256\n%s\n%s\n%s", date, scope, canonical_hash);
    char day[9];
    snprintf(day, sizeof day, "%.8s", date);
    assert_int_equal(service_auth_sign(settings.secret_key, day, b->region, "s3", to_sign, signature), 0);
    AUTO_FREE char *authorization = text_format("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                                                settings.access_key, scope, signed_headers, signature);
    headers[q.n_headers++] = (ServiceHeader){"Authorization", authorization};
    service_reply_done(&b->reply);
    service_handle(b->service, b->now, &q, &b->reply);
    b->n_extra = 0;
}

static const char *header(const Bench *b, const char *name) {
    for (size_t i = 0; i < b->reply.n_headers; i++)
        if (strcasecmp(b->reply.headers[i].name, name) == 0)
            return b->reply.headers[i].value;
    return "(absent)";
}

/* Sends, and expects a status and a code ("" for none). */
static void ask(Bench *b, const char *line, const char *body, int status, const char *code) {
    send(b, line, body);
    if (b->reply.status != status || strcmp(b->reply.code, code) != 0)
        fail_msg("%s: %d %s, expected %d %s: %s", line, b->reply.status, b->reply.code, status, code,
                 text_get(&b->reply.body));
    AUTO_FREE char *element = text_format("<Code>%s</Code>", code);
    if (*code && !b->reply.is_head)
        assert_non_null(strstr(text_get(&b->reply.body), element));
}

static void expect_body(const Bench *b, const char *body) { assert_string_equal(text_get(&b->reply.body), body); }

static void expect_part(const Bench *b, const char *part) {
    if (!strstr(text_get(&b->reply.body), part))
        fail_msg("no %s in %s", part, text_get(&b->reply.body));
}

/* ---- objects ---- */

static void objects_are_put_read_and_deleted(void **state) {
    Bench b;
    bench_open(&b, true);
    ask(&b, "GET /acme/a", "", 404, "NoSuchKey");
    ask(&b, "HEAD /acme/a", "", 404, "NoSuchKey");
    expect_body(&b, "");
    ask(&b, "PUT /acme/a", "hello", 200, "");
    assert_true(b.reply.effect);
    assert_string_equal(header(&b, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_string_equal(b.reply.operation, "PutObject");
    assert_string_equal(b.reply.table, "acme/a");
    ask(&b, "GET /acme/a", "", 200, "");
    expect_body(&b, "hello");
    assert_string_equal(header(&b, "ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_string_equal(header(&b, "Last-Modified"), "Tue, 24 Nov 2026 12:00:00 GMT");
    assert_string_equal(header(&b, "Content-Type"), "binary/octet-stream");
    ask(&b, "HEAD /acme/a", "", 200, "");
    assert_true(b.reply.is_head);
    assert_int_equal(b.reply.head_len, 5);
    expect_body(&b, "");
    with(&b, "Content-Type", "application/json");
    ask(&b, "PUT /acme/a", "{}", 200, "");
    ask(&b, "GET /acme/a", "", 200, "");
    expect_body(&b, "{}");
    assert_string_equal(header(&b, "Content-Type"), "application/json");
    ask(&b, "DELETE /acme/a", "", 204, "");
    assert_true(b.reply.effect);
    ask(&b, "DELETE /acme/a", "", 204, "");
    assert_false(b.reply.effect);
    ask(&b, "GET /acme/a", "", 404, "NoSuchKey");
    bench_close(&b);
}

static void tests_reach_in(void **state) {
    const char *bytes = NULL;
    size_t n = 0;
    Bench b;
    bench_open(&b, true);
    assert_int_equal(service_read_object(b.service, "acme", "a", NOON, &bytes, &n), -ENOENT);
    assert_int_equal(service_write_object(b.service, "acme", "a", NULL, 0, NOON), -ENOENT);
    assert_int_equal(service_write_object(b.service, "nobody", "a", "x", 1, NOON), -ENOENT);
    assert_int_equal(service_write_object(b.service, "acme", "a", "x\0y", 3, NOON), 0);
    assert_int_equal(service_read_object(b.service, "acme", "a", NOON, &bytes, &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(bytes, "x\0y", 3);
    ask(&b, "HEAD /acme/a", "", 200, "");
    assert_int_equal(b.reply.head_len, 3);
    assert_int_equal(service_write_object(b.service, "acme", "a", NULL, 0, NOON), 0);
    ask(&b, "GET /acme/a", "", 404, "NoSuchKey");
    bench_close(&b);
}

static void keys_are_decoded(void **state) {
    Bench b;
    bench_open(&b, true);
    ask(&b, "PUT /acme/pre%20fix/%C3%BC//x%2By", "1", 200, "");
    assert_string_equal(b.reply.table, "acme/pre fix/\xc3\xbc//x+y");
    ask(&b, "GET /acme/pre%20fix/%c3%bc//x+y", "", 200, "");
    ask(&b, "GET /acme/pre%20fix/%c3%bc/x+y", "", 404, "NoSuchKey");
    ask(&b, "GET /acme/100%", "", 400, "InvalidURI");
    ask(&b, "GET /acme/a%00b", "", 400, "InvalidURI");
    bench_close(&b);
}

static void hosts_name_buckets(void **state) {
    static const struct {
        const char *host, *line;
        int status;
        const char *code;
    } rows[] = {
        {"acme.localhost:8000", "GET /dir/a", 200, ""},
        {"acme.s3.us-east-1.amazonaws.com", "GET /dir/a", 200, ""},
        {"acme.s3.amazonaws.com", "GET /dir/a", 200, ""},
        {"s3.us-east-1.amazonaws.com", "GET /acme/dir/a", 200, ""},
        {"s3.dualstack.us-east-1.amazonaws.com", "GET /acme/dir/a", 200, ""},
        {"127.0.0.1:8000", "GET /acme/dir/a", 200, ""},
        {"nobody.localhost:8000", "GET /dir/a", 404, "NoSuchBucket"},
        /* of a host in another region than the signature's, the host's counts */
        {"acme.s3.eu-west-1.amazonaws.com", "GET /dir/a", 301, "PermanentRedirect"},
        {"far.s3.eu-west-1.amazonaws.com", "GET /dir/a", 400, "AuthorizationHeaderMalformed"},
    };
    Bench b;
    bench_open(&b, true);
    ask(&b, "PUT /acme/dir/a", "hello", 200, "");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        b.host = rows[i].host;
        ask(&b, rows[i].line, "", rows[i].status, rows[i].code);
    }
    bench_close(&b);
}

static void conditions_and_ranges(void **state) {
    static const struct {
        const char *range, *body, *part;
    } rows[] = {
        {"bytes=0-0", "0", "bytes 0-0/10"},
        {"bytes=3-5", "345", "bytes 3-5/10"},
        {"bytes=7-", "789", "bytes 7-9/10"},
        {"bytes=8-99", "89", "bytes 8-9/10"},
        {"bytes=-2", "89", "bytes 8-9/10"},
        {"bytes=-99", "0123456789", "bytes 0-9/10"},
        {"bytes=5-3", "0123456789", NULL},
        {"lines=1-2", "0123456789", NULL},
        {"bytes=0-1,3-4", "0123456789", NULL},
    };
    Bench b;
    bench_open(&b, true);
    with(&b, "If-None-Match", "*");
    ask(&b, "PUT /acme/n", "0123456789", 200, "");
    with(&b, "If-None-Match", "*");
    ask(&b, "PUT /acme/n", "other", 412, "PreconditionFailed");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        with(&b, "Range", rows[i].range);
        ask(&b, "GET /acme/n", "", rows[i].part ? 206 : 200, "");
        expect_body(&b, rows[i].body);
        assert_string_equal(header(&b, "Content-Range"), rows[i].part ? rows[i].part : "(absent)");
    }
    with(&b, "Range", "bytes=10-");
    ask(&b, "GET /acme/n", "", 416, "InvalidRange");
    with(&b, "Range", "bytes=2-4");
    ask(&b, "HEAD /acme/n", "", 206, "");
    assert_int_equal(b.reply.head_len, 3);
    with(&b, "If-Match", "\"781e5e245d69b566979b86e28d23f2c7\"");
    ask(&b, "GET /acme/n", "", 200, "");
    with(&b, "If-Match", "\"0000\"");
    ask(&b, "GET /acme/n", "", 412, "PreconditionFailed");
    with(&b, "If-None-Match", "\"781e5e245d69b566979b86e28d23f2c7\"");
    ask(&b, "GET /acme/n", "", 304, "");
    with(&b, "Content-MD5", "eB5eJF1ptWaXm4bijSPyxw==");
    ask(&b, "PUT /acme/n", "0123456789", 200, "");
    with(&b, "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==");
    ask(&b, "PUT /acme/n", "0123456789", 400, "BadDigest");
    bench_close(&b);
}

/* ---- buckets ---- */

static void buckets_answer(void **state) {
    Bench b;
    bench_open(&b, true);
    ask(&b, "HEAD /acme", "", 200, "");
    assert_string_equal(header(&b, "x-amz-bucket-region"), HERE);
    ask(&b, "GET /acme?location", "", 200, "");
    expect_part(&b, "/\"></LocationConstraint>");
    ask(&b, "GET /acme?versioning", "", 200, "");
    assert_null(strstr(text_get(&b.reply.body), "Status"));
    ask(&b, "GET /acme?lifecycle", "", 404, "NoSuchLifecycleConfiguration");
    ask(&b, "GET /short?lifecycle=", "", 200, "");
    expect_part(&b, "<Days>2</Days>");
    b.region = "eu-west-1";
    ask(&b, "GET /far?location", "", 200, "");
    expect_part(&b, ">eu-west-1</LocationConstraint>");
    ask(&b, "GET /far?versioning", "", 200, "");
    expect_part(&b, "<Status>Enabled</Status>");
    b.region = HERE;
    ask(&b, "GET /nothing?location", "", 404, "NoSuchBucket");
    ask(&b, "PUT /acme", "", 409, "BucketAlreadyOwnedByYou");
    ask(&b, "PUT /theirs", "", 409, "BucketAlreadyExists");
    ask(&b, "PUT /No", "", 400, "InvalidBucketName");
    ask(&b, "PUT /fresh", "", 200, "");
    ask(&b, "GET /", "", 200, "");
    expect_part(&b, "<Name>acme</Name>");
    expect_part(&b, "<Name>fresh</Name>");
    assert_null(strstr(text_get(&b.reply.body), "theirs"));
    ask(&b, "GET /acme?acl", "", 501, "NotImplemented");
    ask(&b, "GET /acme/a?tagging", "", 501, "NotImplemented");
    bench_close(&b);
}

static void a_bucket_has_one_region_and_one_owner(void **state) {
    Bench b;
    bench_open(&b, true);
    ask(&b, "GET /far/a", "", 301, "PermanentRedirect");
    assert_string_equal(header(&b, "x-amz-bucket-region"), "eu-west-1");
    expect_part(&b, "<Endpoint>far.s3.eu-west-1.amazonaws.com</Endpoint>");
    ask(&b, "HEAD /far/a", "", 301, "PermanentRedirect");
    assert_string_equal(header(&b, "x-amz-bucket-region"), "eu-west-1");
    expect_body(&b, "");
    with(&b, "x-amz-expected-bucket-owner", "333333333333");
    ask(&b, "GET /acme/a", "", 403, "AccessDenied");
    with(&b, "x-amz-expected-bucket-owner", "333333333333");
    ask(&b, "GET /theirs/a", "", 404, "NoSuchKey");
    bench_close(&b);
}

static void a_lifecycle_rule_takes_objects(void **state) {
    Bench b;
    bench_open(&b, false);
    ask(&b, "PUT /short/a", "1", 200, "");
    b.now += 2 * USEC_PER_DAY - USEC_PER_SEC;
    ask(&b, "GET /short/a", "", 200, "");
    b.now += USEC_PER_SEC;
    ask(&b, "GET /short/a", "", 404, "NoSuchKey");
    ask(&b, "GET /short?list-type=2", "", 200, "");
    expect_part(&b, "<KeyCount>0</KeyCount>");
    bench_close(&b);
}

/* The keys of a listing, joined by blanks; common prefixes stand after them in brackets. */
static char *keys_of(const Bench *b) {
    AUTO_TEXT t = TEXT_INIT(100000);
    char *ret = NULL;
    static const char *const elements[] = {"<Key>", "<CommonPrefixes><Prefix>"};
    for (int i = 0; i < 2; i++)
        for (const char *s = text_get(&b->reply.body); (s = strstr(s, elements[i])); s++)
            text_addf(&t, i ? "%s[%.*s]" : "%s%.*s", t.len > 0 ? " " : "", (int)strcspn(s + strlen(elements[i]), "<"),
                      s + strlen(elements[i]));
    assert_int_equal(text_take(&t, &ret), 0);
    return ret;
}

static void listings(void **state) {
    static const char *const keys[] = {"a/1", "a/2", "a/b/3", "c", "d/4", "\xc3\xbc"};
    static const struct {
        const char *query, *keys;
    } rows[] = {
        {"", "a/1 a/2 a/b/3 c d/4 \xc3\xbc"},
        {"&prefix=a%2F", "a/1 a/2 a/b/3"},
        {"&prefix=a/&delimiter=%2F", "a/1 a/2 [a/b/]"},
        {"&delimiter=/", "c \xc3\xbc [a/] [d/]"},
        {"&start-after=c", "d/4 \xc3\xbc"},
        {"&prefix=a/&max-keys=2", "a/1 a/2"},
        {"&prefix=x", ""},
        {"&max-keys=0", ""},
        {"&encoding-type=url&start-after=d/4", "%C3%BC"},
    };
    Bench b;
    bench_open(&b, true);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        AUTO_FREE char *line = text_format("PUT /acme/%s", i == 5 ? "%C3%BC" : keys[i]);
        ask(&b, line, "x", 200, "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *line = text_format("GET /acme?list-type=2%s", rows[i].query);
        ask(&b, line, "", 200, "");
        AUTO_FREE char *found = keys_of(&b);
        assert_string_equal(found, rows[i].keys);
    }
    ask(&b, "GET /acme?list-type=2&max-keys=x", "", 400, "InvalidArgument");
    ask(&b, "GET /acme?list-type=2&continuation-token=zz", "", 400, "InvalidArgument");
    ask(&b, "GET /acme?list-type=1", "", 501, "NotImplemented");
    bench_close(&b);
}

/* Page by page comes the same as at once, with and without folders. */
static void listings_go_on(void **state) {
    static const char *const queries[] = {"", "&delimiter=/", "&prefix=k1&delimiter=0"};
    Bench b;
    bench_open(&b, false);
    for (int i = 0; i < 120; i++) {
        AUTO_FREE char *line = text_format("PUT /acme/k%d/%d%03d", i % 3, i % 7, i);
        ask(&b, line, "x", 200, "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        size_t n_whole = 0, n_paged = 0;
        AUTO_FREE char *line = text_format("GET /acme?list-type=2%s", queries[i]);
        ask(&b, line, "", 200, "");
        AUTO_FREE char *whole = keys_of(&b);
        for (const char *s = whole; *s; s += strcspn(s, " ") + (s[strcspn(s, " ")] ? 1 : 0))
            n_whole++;
        AUTO_FREE char *token = NULL;
        for (int page = 0; page < 100; page++) {
            AUTO_FREE char *next = text_format("GET /acme?list-type=2&max-keys=7%s%s%s", queries[i],
                                               token ? "&continuation-token=" : "", token ? token : "");
            ask(&b, next, "", 200, "");
            AUTO_FREE char *found = keys_of(&b);
            for (char *rest = found, *key; (key = strsep(&rest, " "));)
                if (*key) {
                    n_paged++;
                    assert_non_null(strstr(whole, key));
                }
            const char *s = strstr(text_get(&b.reply.body), "<NextContinuationToken>");
            free(token);
            token = s ? strndup(s + 23, strcspn(s + 23, "<")) : NULL;
            if (!token)
                break;
        }
        assert_int_equal(n_paged, n_whole);
    }
    bench_close(&b);
}

/* ---- who may ask ---- */

static void signatures_are_looked_at(void **state) {
    Bench b;
    bench_open(&b, true);
    ServiceHeader bare[] = {{"Host", "localhost"}};
    ServiceRequest q = {.method = "GET", .target = "/acme/a", .headers = bare, .n_headers = 1};
    service_handle(b.service, b.now, &q, &b.reply);
    assert_string_equal(b.reply.code, "AccessDenied");
    assert_int_equal(b.reply.status, 403);
    ServiceHeader wrong[] = {
        {"Host", "localhost"},
        {"x-amz-date", "20261124T120000Z"},
        {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEMULATOR00000000/20261124/us-east-1/s3/aws4_request, "
                          "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00"}};
    q.headers = wrong;
    q.n_headers = ARRAY_SIZE(wrong);
    service_reply_done(&b.reply);
    service_handle(b.service, b.now, &q, &b.reply);
    assert_string_equal(b.reply.code, "SignatureDoesNotMatch");
    assert_string_equal(b.reply.key_id, "AKIAEMULATOR00000000");
    /* fifteen minutes, three times what DynamoDB allows */
    b.now = NOON + 15 * USEC_PER_MINUTE - USEC_PER_SEC;
    ask(&b, "GET /acme/a", "", 404, "NoSuchKey");
    b.now = NOON + 15 * USEC_PER_MINUTE + USEC_PER_SEC;
    ask(&b, "GET /acme/a", "", 403, "RequestTimeTooSkewed");
    expect_part(&b, "<ServerTime>2026-11-24T12:15:01Z</ServerTime>");
    b.now = NOON;
    with(&b, "x-amz-security-token", "nonsense");
    ask(&b, "GET /acme/a", "", 403, "InvalidAccessKeyId");
    bench_close(&b);
}

static void faults_strike(void **state) {
    char *why = NULL;
    Bench b;
    bench_open(&b, true);
    ask(&b, "PUT /acme/a", "hello", 200, "");
    assert_int_equal(service_add_faults(b.service,
                                        "GetObject table=acme/* error SlowDown\n"
                                        "HeadObject error AccessDenied\n"
                                        "PutObject error-after InternalError\n"
                                        "GetObject truncate\n"
                                        "GetObject flip\n"
                                        "DeleteObject drop-after\n",
                                        &why),
                     0);
    ask(&b, "GET /acme/a", "", 503, "SlowDown");
    ask(&b, "GET /acme/a", "", 200, "");
    assert_int_equal(b.reply.ending, SERVICE_TRUNCATE);
    ask(&b, "GET /acme/a", "", 200, "");
    assert_int_equal(b.reply.body.len, 5);
    expect_body(&b, "hemlo");
    ask(&b, "HEAD /acme/a", "", 403, "AccessDenied");
    ask(&b, "PUT /acme/b", "made", 500, "InternalError");
    ask(&b, "GET /acme/b", "", 200, "");
    expect_body(&b, "made");
    ask(&b, "DELETE /acme/b", "", 0, "");
    assert_int_equal(b.reply.ending, SERVICE_CLOSED);
    ask(&b, "GET /acme/b", "", 404, "NoSuchKey");
    bench_close(&b);
}

static void seeds_are_checked(void **state) {
    static const ServiceBucketSeed rows[] = {
        {.name = (char *)"ab"},
        {.name = (char *)"Upper"},
        {.name = (char *)"a..b"},
        {.name = (char *)"-ab"},
        {.name = (char *)"abc", .region = (char *)"nowhere"},
    };
    static const ServiceBucketSeed twice = {.name = (char *)"acme"};
    Bench b;
    bench_open(&b, true);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(service_add_bucket(b.service, &rows[i]), -EINVAL);
    assert_int_equal(service_add_bucket(b.service, &twice), -EEXIST);
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(objects_are_put_read_and_deleted),
          cmocka_unit_test(tests_reach_in),
          cmocka_unit_test(keys_are_decoded),
          cmocka_unit_test(hosts_name_buckets),
          cmocka_unit_test(conditions_and_ranges),
          cmocka_unit_test(buckets_answer),
          cmocka_unit_test(a_bucket_has_one_region_and_one_owner),
          cmocka_unit_test(a_lifecycle_rule_takes_objects),
          cmocka_unit_test(listings),
          cmocka_unit_test(listings_go_on),
          cmocka_unit_test(signatures_are_looked_at),
          cmocka_unit_test(faults_strike),
          cmocka_unit_test(seeds_are_checked))
