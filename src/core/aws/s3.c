#include "core/aws/s3.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "core/format/xml_find.h"

#define URL_MAX 16384

/* --- out --- */

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
}

static void add_key(Text *t, const char *key) {
    for (; *key; key++)
        if (is_plain(*key))
            text_add_char(t, *key);
        else
            text_addf(t, "%%%02X", (unsigned char)*key);
}

static int make_url(const AwsRequest *r, const char *endpoint, bool path_style, char **ret) {
    AUTO_TEXT t = TEXT_INIT(URL_MAX);
    const char *host = strstr(endpoint, "://");
    if (!host)
        return -EINVAL;
    host += 3;
    if (path_style || strchr(r->object.bucket, '.'))
        text_addf(&t, "%s%s/", endpoint, r->object.bucket);
    else
        text_addf(&t, "%.*s%s.%s", (int)(host - endpoint), endpoint, r->object.bucket, host);
    if (r->object.key)
        add_key(&t, r->object.key);
    if (r->object.query)
        text_addf(&t, "?%s", r->object.query);
    return text_take(&t, ret);
}

static int add_header(HttpRequest *q, const char *name, const char *value) {
    return value ? http_headers_add(&q->headers, name, value) : 0;
}

static int add_range(HttpRequest *q, int64_t first, int64_t last) {
    char range[64];
    if (last < 0)
        return 0;
    snprintf(range, sizeof range, "bytes=%" PRId64 "-%" PRId64, first, last);
    return http_headers_add(&q->headers, "Range", range);
}

static HttpMethod method_of(AwsOp op) {
    return op == AWS_OP_PUT_OBJECT                                ? HTTP_PUT
           : op == AWS_OP_DELETE_OBJECT                           ? HTTP_DELETE
           : op == AWS_OP_HEAD_OBJECT || op == AWS_OP_HEAD_BUCKET ? HTTP_HEAD
                                                                  : HTTP_GET;
}

int s3_make_request(const AwsRequest *r, const char *endpoint, bool path_style, HttpRequest *q) {
    q->method = method_of(r->op);
    int rc = make_url(r, endpoint, path_style, &q->url);
    if (rc >= 0 && r->object.body) {
        q->body_len = strlen(r->object.body);
        q->body = strdup(r->object.body);
        rc = q->body ? http_headers_add(&q->headers, "Content-Type", "application/json") : -ENOMEM;
    }
    if (rc < 0 || (rc = add_range(q, r->object.first, r->object.last)) < 0 ||
        (rc = add_header(q, "If-Match", r->object.if_match)) < 0 ||
        (rc = add_header(q, "If-None-Match", r->object.only_new ? "*" : NULL)) < 0)
        return rc;
    return add_header(q, "x-amz-expected-bucket-owner", r->object.bucket_owner);
}

/* --- in --- */

static int copy_element(const char *body, size_t len, const char *path, char *ret, size_t size) {
    CLEANUP(secret_done) Secret text = {};
    int rc = xml_find(body, len, path, &text);
    if (rc == -ENOMEM)
        return rc;
    snprintf(ret, size, "%s", rc >= 0 ? text.bytes : "");
    return 0;
}

int s3_error(const char *body, size_t len, char *ret_code, size_t code_size, char *ret_message, size_t message_size) {
    int rc = copy_element(body, len, "Error/Code", ret_code, code_size);
    return rc < 0 ? rc : copy_element(body, len, "Error/Message", ret_message, message_size);
}

/* "bytes 0-1023/146515" */
static int read_range(const char *text, ObjectReply *o) {
    int64_t last;
    const char *dash = strchr(text, '-'), *slash = strchr(text, '/');
    char first[24], end[24];
    if (!text_starts_with(text, "bytes ") || !dash || !slash || slash < dash || dash - text - 6 >= 24 ||
        slash - dash - 1 >= 24)
        return -EBADMSG;
    snprintf(first, sizeof first, "%.*s", (int)(dash - text - 6), text + 6);
    snprintf(end, sizeof end, "%.*s", (int)(slash - dash - 1), dash + 1);
    if (parse_int(first, 0, INT64_MAX / 2, &o->first) < 0 || parse_int(end, o->first, INT64_MAX / 2, &last) < 0 ||
        parse_int(slash + 1, last + 1, INT64_MAX / 2, &o->size) < 0 || (size_t)(last - o->first + 1) != o->len)
        return -EBADMSG;
    return 0;
}

/* Without its quotes. */
static int take_etag(const HttpReply *reply, char **ret) {
    const char *etag = http_headers_get(&reply->headers, "ETag");
    size_t n = etag ? strlen(etag) : 0;
    bool quoted = n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
    if (etag && !(*ret = quoted ? strndup(etag + 1, n - 2) : strdup(etag)))
        return -ENOMEM;
    return 0;
}

static int read_size(AwsOp op, const HttpReply *reply, ObjectReply *o) {
    const char *range = http_headers_get(&reply->headers, "Content-Range");
    const char *length = http_headers_get(&reply->headers, "Content-Length");
    o->size = (int64_t)o->len;
    if (range)
        return read_range(range, o);
    if (op == AWS_OP_HEAD_OBJECT && (!length || parse_int(length, 0, INT64_MAX / 2, &o->size) < 0))
        return -EBADMSG;
    return 0;
}

int s3_decode(AwsOp op, HttpReply *reply, AwsReply **ret, char ret_why[static CODEC_WHY_SIZE]) {
    CLEANUP(aws_reply_free_ptr) AwsReply *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->op = op;
    a->object.len = reply->body_len;
    const char *encryption = http_headers_get(&reply->headers, "x-amz-server-side-encryption");
    const char *region = http_headers_get(&reply->headers, "x-amz-bucket-region");
    if (read_size(op, reply, &a->object) < 0) {
        snprintf(ret_why, CODEC_WHY_SIZE, "Content-Range or Content-Length does not fit the body");
        return -EBADMSG;
    }
    if (take_etag(reply, &a->object.etag) < 0 || text_set(&a->object.encryption, encryption) < 0 ||
        text_set(&a->object.region, region) < 0)
        return -ENOMEM;
    a->object.body = TAKE_PTR(reply->body);
    *ret = TAKE_PTR(a);
    return 0;
}
