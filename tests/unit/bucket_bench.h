#pragma once
/* An export in a bucket of a test's own, and what S3 says of it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/text.h"
#include "core/aws/client.h"
#include "core/verify/manifest.h"

#include "unit.h"

#define ARN "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/export/01768385930622-efd1a093"
#define FOLDER "p/AWSDynamoDB/01768385930622-efd1a093/"
#define SUMMARY_KEY FOLDER "manifest-summary.json"
#define LIST_KEY FOLDER "manifest-files.json"
#define N_FILES 3

static const char *const data_keys[N_FILES] = {FOLDER "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz",
                                               FOLDER "data/bbbbbbbbbbbbbbbbbbbbbbbbbb.json.gz",
                                               FOLDER "data/cccccccccccccccccccccccccc.json.gz"};

typedef struct Object {
    char *key;
    unsigned char *bytes;
    size_t n;
    char etag[48];
    const char *encryption;
    const AwsError *error; /* what S3 says instead */
} Object;

typedef struct Bucket {
    Object objects[20];
    size_t n_objects;
    size_t n_requests, n_deletions, largest;
    const char *region; /* it is elsewhere */
} Bucket;

static Object *find(Bucket *b, const char *key) {
    for (size_t i = 0; i < b->n_objects; i++)
        if (strcmp(b->objects[i].key, key) == 0)
            return &b->objects[i];
    return NULL;
}

static void md5_text(const void *bytes, size_t n, char ret[static 25]) {
    uint8_t md5[DIGEST_MD5_SIZE];
    assert_int_equal(digest_md5(bytes, n, md5), 0);
    base64_encode(md5, sizeof md5, ret);
}

/* As S3 makes it of an object that was uploaded in one part. */
static void set_etag(Object *o) {
    uint8_t md5[DIGEST_MD5_SIZE], twice[DIGEST_MD5_SIZE];
    assert_int_equal(digest_md5(o->bytes, o->n, md5), 0);
    assert_int_equal(digest_md5(md5, sizeof md5, twice), 0);
    digest_md5_to_hex(twice, o->etag);
    strcat(o->etag, "-1");
}

static Object *put(Bucket *b, const char *key, const void *bytes, size_t n) {
    Object *o = find(b, key);
    if (!o)
        o = &b->objects[b->n_objects++];
    free(o->key);
    free(o->bytes);
    *o = (Object){.key = strdup(key), .bytes = malloc(n + 1), .n = n};
    assert_true(o->key && o->bytes && b->n_objects <= ARRAY_SIZE(b->objects));
    memcpy(o->bytes, bytes, n);
    set_etag(o);
    return o;
}

static void put_md5(Bucket *b, const char *key, const char *of) {
    char text[25];
    md5_text(find(b, of)->bytes, find(b, of)->n, text);
    put(b, key, text, 24);
}

static size_t gzip(const char *text, size_t n, unsigned char *ret, size_t room) {
    z_stream z = {.next_in = (unsigned char *)text,
                  .avail_in = (unsigned)n,
                  .next_out = ret,
                  .avail_out = (unsigned)room};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* The manifests of the objects as they are now. */
static void put_manifests(Bucket *b, const char *more_lines, int n_items) {
    AUTO_TEXT list = TEXT_INIT(4 << 20), summary = TEXT_INIT(1 << 16);
    for (int i = 0; i < N_FILES; i++) {
        Object *o = find(b, data_keys[i]);
        char md5[25];
        md5_text(o->bytes, o->n, md5);
        text_addf(&list, "{\"itemCount\":%d,\"md5Checksum\":\"%s\",\"etag\":\"%s\",\"dataFileS3Key\":\"%s\"}\n", i * 2,
                  md5, o->etag, o->key);
    }
    text_add(&list, more_lines);
    assert_int_equal(list.error, 0);
    put(b, LIST_KEY, list.data, list.len);
    put_md5(b, FOLDER "manifest-files.md5", LIST_KEY);
    text_addf(&summary,
              "{\"version\":\"2020-06-30\",\"exportArn\":\"" ARN "\",\"startTime\":\"2026-11-23T02:00:00.000Z\","
              "\"tableArn\":\"arn:aws:dynamodb:eu-central-1:123456789012:table/orders\",\"tableId\":\"the-id\","
              "\"exportTime\":\"2026-11-23T02:00:00.123Z\",\"s3Bucket\":\"acme\",\"s3Prefix\":\"p\","
              "\"s3SseKmsKeyId\":null,\"manifestFilesS3Key\":\"" LIST_KEY "\",\"billedSizeBytes\":0,\"itemCount\":%d,"
              "\"outputFormat\":\"DYNAMODB_JSON\"}",
              n_items);
    put(b, SUMMARY_KEY, summary.data, summary.len);
    put_md5(b, FOLDER "manifest-summary.md5", SUMMARY_KEY);
}

static void bucket_open(Bucket *b) {
    *b = (Bucket){};
    for (int i = 0; i < N_FILES; i++) {
        AUTO_TEXT lines = TEXT_INIT(1 << 16);
        unsigned char packed[4096];
        for (int j = 0; j < i * 2; j++)
            text_addf(&lines, "{\"Item\":{\"id\":{\"S\":\"%d-%d\"}}}\n", i, j);
        put(b, data_keys[i], packed, gzip(lines.data ? lines.data : "", lines.len, packed, sizeof packed));
    }
    put_manifests(b, "", 6);
}

static void bucket_close(Bucket *b) {
    for (size_t i = 0; i < b->n_objects; i++) {
        free(b->objects[i].key);
        free(b->objects[i].bytes);
    }
}

static void drop(Bucket *b, const char *key) {
    Object *o = find(b, key);
    assert_non_null(o);
    free(o->key);
    free(o->bytes);
    *o = b->objects[--b->n_objects];
}

static const AwsError not_found = {.class = AWS_NOT_FOUND, .code = "NoSuchKey", .status = 404},
                      moved = {.class = AWS_REFUSED, .code = "PermanentRedirect", .status = 301, .region = "us-east-1"},
                      empty = {.class = AWS_REFUSED, .code = "InvalidRange", .status = 416},
                      changed = {.class = AWS_REFUSED, .code = "PreconditionFailed", .status = 412};

static void serve(Bucket *b, const char *region, const AwsRequest *q, CallDone *ret) {
    *ret = (CallDone){};
    b->n_requests++;
    assert_string_equal(q->object.bucket, "acme");
    Object *o = find(b, q->object.key);
    if (b->region && strcmp(region, b->region) != 0) {
        ret->error = moved;
        return;
    }
    if (!o || o->error) {
        ret->error = o ? *o->error : not_found;
        return;
    }
    bool whole = q->op != AWS_OP_GET_OBJECT || q->object.last < 0;
    if (!whole && q->object.first >= (int64_t)o->n) {
        ret->error = empty;
        return;
    }
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", o->etag);
    if (q->object.if_match && strcmp(q->object.if_match, quoted) != 0) {
        ret->error = changed;
        return;
    }
    if (q->op == AWS_OP_DELETE_OBJECT) {
        b->n_deletions++;
        drop(b, q->object.key);
        ret->reply = calloc(1, sizeof *ret->reply);
        return;
    }
    int64_t first = whole ? 0 : q->object.first,
            last = whole || q->object.last >= (int64_t)o->n ? (int64_t)o->n - 1 : q->object.last;
    AwsReply *a = ret->reply = calloc(1, sizeof *a);
    a->op = q->op;
    a->object = (ObjectReply){.first = first, .size = (int64_t)o->n, .etag = strdup(o->etag)};
    a->object.encryption = o->encryption ? strdup(o->encryption) : NULL;
    if (q->op == AWS_OP_GET_OBJECT) {
        a->object.len = (size_t)(last - first + 1);
        a->object.body = malloc(a->object.len + 1);
        memcpy(a->object.body, o->bytes + first, a->object.len);
        b->largest = a->object.len > b->largest ? a->object.len : b->largest;
    }
}
