#include "core/aws/s3.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/aws_error.h"
#include "core/aws/endpoint.h"

#include "unit.h"

static AwsRequest *request(AwsOp op, const char *bucket, const char *key) {
    AwsRequest *r = aws_request_new(op);
    assert_non_null(r);
    r->object.bucket = strdup(bucket);
    r->object.key = key ? strdup(key) : NULL;
    return r;
}

static void urls(void **state) {
    static const struct {
        const char *endpoint;
        bool path_style;
        const char *bucket, *key, *query, *url;
    } rows[] = {
        {"https://s3.eu-central-1.amazonaws.com/", false, "acme", "AWSDynamoDB/01-a/_started", NULL,
         "https://acme.s3.eu-central-1.amazonaws.com/AWSDynamoDB/01-a/_started"},
        {"https://s3.eu-central-1.amazonaws.com/", false, "ac.me", "a", NULL,
         "https://s3.eu-central-1.amazonaws.com/ac.me/a"},
        {"http://127.0.0.1:8000/", true, "acme", "a b/c+d%//\xc3\xa9..", NULL,
         "http://127.0.0.1:8000/acme/a%20b/c%2Bd%25//%C3%A9.."},
        {"http://127.0.0.1:8000/", true, "acme", NULL, "list-type=2&prefix=a",
         "http://127.0.0.1:8000/acme/?list-type=2&prefix=a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(aws_request_free_ptr) AwsRequest *r = request(AWS_OP_GET_OBJECT, rows[i].bucket, rows[i].key);
        CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
        r->object.query = rows[i].query ? strdup(rows[i].query) : NULL;
        assert_int_equal(s3_make_request(r, rows[i].endpoint, rows[i].path_style, q), 0);
        assert_string_equal(q->url, rows[i].url);
        assert_null(http_headers_get(&q->headers, "Range"));
    }
}

static void headers(void **state) {
    CLEANUP(aws_request_free_ptr) AwsRequest *get = request(AWS_OP_GET_OBJECT, "acme", "k");
    CLEANUP(aws_request_free_ptr) AwsRequest *put = request(AWS_OP_PUT_OBJECT, "acme", "k");
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q), *p = calloc(1, sizeof *p);
    get->object.first = 1024;
    get->object.last = 2047;
    get->object.if_match = strdup("\"abc\"");
    get->object.bucket_owner = strdup("123456789012");
    assert_int_equal(s3_make_request(get, "https://s3.eu-central-1.amazonaws.com/", false, q), 0);
    assert_int_equal(q->method, HTTP_GET);
    assert_string_equal(http_headers_get(&q->headers, "Range"), "bytes=1024-2047");
    assert_string_equal(http_headers_get(&q->headers, "If-Match"), "\"abc\"");
    assert_string_equal(http_headers_get(&q->headers, "x-amz-expected-bucket-owner"), "123456789012");
    put->object.only_new = true;
    put->object.body = strdup("{}");
    assert_int_equal(s3_make_request(put, "https://s3.eu-central-1.amazonaws.com/", false, p), 0);
    assert_int_equal(p->method, HTTP_PUT);
    assert_string_equal(http_headers_get(&p->headers, "If-None-Match"), "*");
    assert_int_equal(p->body_len, 2);
}

static HttpReply *reply(int status, const char *body, const char *const *pairs) {
    HttpReply *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->outcome = HTTP_REPLIED;
    r->status = status;
    r->body = strdup(body);
    r->body_len = strlen(body);
    for (; pairs && *pairs; pairs += 2)
        assert_int_equal(http_headers_add(&r->headers, pairs[0], pairs[1]), 0);
    return r;
}

static void objects(void **state) {
    static const struct {
        AwsOp op;
        const char *headers[7];
        const char *body;
        int64_t first, size; /* size negative: refused */
        const char *etag;
    } rows[] = {
        {AWS_OP_GET_OBJECT, {"ETag", "\"ab-1\""}, "12345", 0, 5, "ab-1"},
        {AWS_OP_GET_OBJECT, {"Content-Range", "bytes 5-9/100", "ETag", "x"}, "12345", 5, 100, "x"},
        {AWS_OP_HEAD_OBJECT, {"Content-Length", "4096"}, "", 0, 4096, NULL},
        {AWS_OP_GET_OBJECT, {"Content-Range", "bytes 5-9/9"}, "12345", 0, -1, NULL},
        {AWS_OP_GET_OBJECT, {"Content-Range", "bytes 5-8/100"}, "12345", 0, -1, NULL},
        {AWS_OP_GET_OBJECT, {"Content-Range", "bytes */100"}, "12345", 0, -1, NULL},
        {AWS_OP_GET_OBJECT, {"Content-Range", "bytes 0-99999999999999999999999999999/1"}, "12345", 0, -1, NULL},
        {AWS_OP_HEAD_OBJECT, {NULL}, "", 0, -1, NULL},
        {AWS_OP_HEAD_OBJECT, {"Content-Length", "-1"}, "", 0, -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(http_reply_free_ptr) HttpReply *r = reply(200, rows[i].body, rows[i].headers);
        CLEANUP(aws_reply_free_ptr) AwsReply *a = NULL;
        char why[CODEC_WHY_SIZE] = "";
        assert_int_equal(s3_decode(rows[i].op, r, &a, why), rows[i].size < 0 ? -EBADMSG : 0);
        if (rows[i].size < 0) {
            assert_string_not_equal(why, "");
            continue;
        }
        assert_true(a->object.first == rows[i].first && a->object.size == rows[i].size);
        assert_true(text_equal(a->object.etag, rows[i].etag));
        assert_string_equal(a->object.body, rows[i].body);
    }
}

static void errors(void **state) {
    static const struct {
        AwsOp op;
        int status;
        const char *body, *region, *code;
        AwsErrorClass class;
    } rows[] = {
        {AWS_OP_GET_OBJECT, 404,
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
         "specified key does not exist.</Message></Error>",
         NULL, "NoSuchKey", AWS_NOT_FOUND},
        {AWS_OP_HEAD_OBJECT, 404, "", NULL, "HTTP404", AWS_NOT_FOUND},
        {AWS_OP_HEAD_OBJECT, 403, "", NULL, "HTTP403", AWS_DENIED},
        {AWS_OP_GET_OBJECT, 403, "<Error><Code>AccessDenied</Code></Error>", NULL, "AccessDenied", AWS_DENIED},
        {AWS_OP_GET_OBJECT, 301, "<Error><Code>PermanentRedirect</Code></Error>", "us-east-1", "PermanentRedirect",
         AWS_REFUSED},
        {AWS_OP_GET_OBJECT, 503, "<Error><Code>SlowDown</Code></Error>", NULL, "SlowDown", AWS_THROTTLED},
        {AWS_OP_GET_OBJECT, 503, "no XML", NULL, "HTTP503", AWS_UNCERTAIN},
        {AWS_OP_PUT_OBJECT, 412, "<Error><Code>PreconditionFailed</Code></Error>", NULL, "PreconditionFailed",
         AWS_REFUSED},
        {AWS_OP_GET_BUCKET, 404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>", NULL,
         "NoSuchLifecycleConfiguration", AWS_NOT_FOUND},
        {AWS_OP_GET_BUCKET, 404, "<Error><Code>NoSuchPolicy</Code></Error>", NULL, "NoSuchPolicy", AWS_REFUSED},
        {AWS_OP_GET_BUCKET, 403, "<Error><Code>AccessDenied</Code></Error>", NULL, "AccessDenied", AWS_DENIED},
        {AWS_OP_HEAD_BUCKET, 403, "", "eu-west-1", "HTTP403", AWS_DENIED},
        {AWS_OP_GET_OBJECT, 206, "part", NULL, "", AWS_OK},
        {AWS_OP_DELETE_OBJECT, 204, "", NULL, "", AWS_OK},
        {AWS_OP_DESCRIBE_TABLE, 204, "", NULL, "HTTP204", AWS_UNCERTAIN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *pairs[] = {rows[i].region ? "x-amz-bucket-region" : NULL, rows[i].region, NULL};
        CLEANUP(http_reply_free_ptr) HttpReply *r = reply(rows[i].status, rows[i].body, pairs);
        AwsError e;
        assert_int_equal(aws_error_classify(rows[i].op, r, &e), rows[i].class);
        assert_string_equal(e.code, rows[i].code);
        assert_string_equal(e.region, rows[i].region ? rows[i].region : "");
    }
}

static void endpoints(void **state) {
    static const struct {
        bool fips, dual_stack;
        const char *region, *url;
    } rows[] = {
        {false, false, "us-east-1", "https://s3.us-east-1.amazonaws.com/"},
        {true, false, "us-east-1", "https://s3-fips.us-east-1.amazonaws.com/"},
        {false, true, "eu-central-1", "https://s3.dualstack.eu-central-1.amazonaws.com/"},
        {true, true, "us-gov-west-1", "https://s3-fips.dualstack.us-gov-west-1.amazonaws.com/"},
        {false, false, "cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/"},
        {false, true, "cn-north-1", "https://s3.dualstack.cn-north-1.amazonaws.com.cn/"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        EndpointWish w = {.service = ENDPOINT_S3, .fips = rows[i].fips, .dual_stack = rows[i].dual_stack};
        AUTO_FREE char *url = NULL;
        assert_int_equal(endpoint_url(&w, rows[i].region, &url), 0);
        assert_string_equal(url, rows[i].url);
    }
}

UNIT_MAIN(cmocka_unit_test(urls), cmocka_unit_test(headers), cmocka_unit_test(objects), cmocka_unit_test(errors),
          cmocka_unit_test(endpoints))
