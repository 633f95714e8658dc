/* An export in a bucket of the test's own, damaged in every way that we can think of: each level finds what it promises,
 * and what nobody could tell is unknown, never bad. */

#include "core/verify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/text.h"

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
    Object objects[16];
    size_t n_objects;
    size_t n_requests, largest;
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
    z_stream z = {.next_in = (unsigned char *)text, .avail_in = (unsigned)n, .next_out = ret, .avail_out = (unsigned)room};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}

/* The manifests of the objects as they are now. */
static void put_manifests(Bucket *b, const char *more_lines, int n_items) {
    AUTO_TEXT list = TEXT_INIT(1 << 16), summary = TEXT_INIT(1 << 16);
    for (int i = 0; i < N_FILES; i++) {
        Object *o = find(b, data_keys[i]);
        char md5[25];
        md5_text(o->bytes, o->n, md5);
        text_addf(&list, "{\"itemCount\":%d,\"md5Checksum\":\"%s\",\"etag\":\"%s\",\"dataFileS3Key\":\"%s\"}\n", i * 2, md5,
                  o->etag, o->key);
    }
    text_add(&list, more_lines);
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

static void serve(Bucket *b, const Verify *v, const AwsRequest *q, CallDone *ret) {
    *ret = (CallDone){};
    b->n_requests++;
    assert_string_equal(q->object.bucket, "acme");
    Object *o = find(b, q->object.key);
    if (b->region && strcmp(verify_region(v), b->region) != 0) {
        ret->error = moved;
        return;
    }
    if (!o || o->error) {
        ret->error = o ? *o->error : not_found;
        return;
    }
    bool whole = q->op == AWS_OP_HEAD_OBJECT || q->object.last < 0;
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
    int64_t first = whole ? 0 : q->object.first, last = whole || q->object.last >= (int64_t)o->n ? (int64_t)o->n - 1 : q->object.last;
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

typedef enum Ending { PASSED, BAD, UNKNOWN } Ending;

static VerifyWish wish(VerifyLevel level) {
    return (VerifyWish){.level = level, .region = "eu-central-1", .bucket = "acme", .prefix = "p", .manifest_key = SUMMARY_KEY,
                        .export_arn = ARN, .table_id = "the-id", .from_wall = WALL_UNKNOWN, .to_wall = WALL_UNKNOWN,
                        .item_count = 6};
}

static Ending check(Bucket *b, const VerifyWish *w, char *ret_why, size_t size, VerifyFacts *ret_facts) {
    CLEANUP(verify_free_ptr) Verify *v = NULL;
    bool unknown = false;
    Usec wait;
    assert_int_equal(verify_new(w, &v), 0);
    b->n_requests = 0;
    while (verify_state(v) == VERIFY_ASKS && !unknown) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        assert_int_equal(verify_request(v, &q), 0);
        serve(b, v, q, &done);
        assert_int_equal(verify_answer(v, &done, &unknown, &wait), 0);
        aws_reply_free(done.reply);
        assert_true(b->n_requests < 100);
    }
    snprintf(ret_why, size, "%s", verify_why(v));
    if (ret_facts)
        *ret_facts = *verify_facts(v);
    return unknown ? UNKNOWN : verify_state(v) == VERIFY_PASSED ? PASSED : BAD;
}

/* --- the damages --- */

static const AwsError denied = {.class = AWS_DENIED, .code = "AccessDenied", .status = 403, .message = "Access Denied"},
                      timed_out = {.class = AWS_UNCERTAIN, .code = "NoReply", .message = "timed out"},
                      no_bucket = {.class = AWS_NOT_FOUND, .code = "NoSuchBucket", .status = 404};

static void nothing(Bucket *b) {}
static void checksum_names(Bucket *b) {
    put_md5(b, FOLDER "manifest-files.checksum", LIST_KEY);
    put_md5(b, FOLDER "manifest-summary.checksum", SUMMARY_KEY);
    drop(b, FOLDER "manifest-files.md5");
    drop(b, FOLDER "manifest-summary.md5");
}
static void space_around_md5(Bucket *b) {
    AUTO_TEXT t = TEXT_INIT(64);
    text_addf(&t, " %.24s\r\n", (const char *)find(b, FOLDER "manifest-files.md5")->bytes);
    put(b, FOLDER "manifest-files.md5", t.data, t.len);
}
static void foreign_files(Bucket *b) { put(b, FOLDER "data/zzzzzzzzzzzzzzzzzzzzzzzzzz.json.gz", "x", 1); }
static void elsewhere(Bucket *b) { b->region = "us-east-1"; }
static void multipart_etag(Bucket *b) { snprintf(find(b, data_keys[1])->etag, 48, "b5443265c5e545b6c8d8275e0b6f8c15-3"); }
static void kms_etag(Bucket *b) {
    Object *o = find(b, data_keys[1]);
    o->encryption = "aws:kms";
    snprintf(o->etag, 48, "0123456789abcdef0123456789abcdef");
}
static void copied_in_place(Bucket *b) {
    Object *o = find(b, data_keys[1]);
    uint8_t md5[DIGEST_MD5_SIZE];
    assert_int_equal(digest_md5(o->bytes, o->n, md5), 0);
    digest_md5_to_hex(md5, o->etag);
}
static void no_summary(Bucket *b) { drop(b, SUMMARY_KEY); }
static void no_list(Bucket *b) { drop(b, LIST_KEY); }
static void no_checksum(Bucket *b) { drop(b, FOLDER "manifest-files.md5"); }
static void wrong_checksum(Bucket *b) { put(b, FOLDER "manifest-summary.md5", "y+zg5fVeudb3R3DOQ+RKgA==", 24); }
static void broken_checksum(Bucket *b) { put(b, FOLDER "manifest-summary.md5", "y+zg5fVeudb3R3DOQ+RKg", 21); }
static void edited_list(Bucket *b) { find(b, LIST_KEY)->bytes[13] = '7'; } /* an item count, whose MD5 was not renewed */
static void wrong_count(Bucket *b) { put_manifests(b, "", 7); }
static void broken_list(Bucket *b) { put_manifests(b, "{\"itemCount\":", 6); }
static void stranger_in_list(Bucket *b) {
    put_manifests(b, "{\"itemCount\":0,\"md5Checksum\":\"y+zg5fVeudb3R3DOQ+RKgA==\",\"dataFileS3Key\":\"p/precious.json.gz\"}\n", 6);
}
static void climbing_in_list(Bucket *b) {
    put_manifests(b, "{\"itemCount\":0,\"md5Checksum\":\"y+zg5fVeudb3R3DOQ+RKgA==\",\"dataFileS3Key\":\"" FOLDER
                     "data/../../x/data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz\"}\n", 6);
}
static void another_export(Bucket *b) {
    Object *o = find(b, SUMMARY_KEY);
    memcpy(strstr((char *)o->bytes, "efd1a093\",\"start"), "efd1a094", 8);
    put_md5(b, FOLDER "manifest-summary.md5", SUMMARY_KEY);
}
static void another_table(Bucket *b) {
    Object *o = find(b, SUMMARY_KEY);
    memcpy(strstr((char *)o->bytes, "the-id"), "her-id", 6);
    put_md5(b, FOLDER "manifest-summary.md5", SUMMARY_KEY);
}
static void missing_object(Bucket *b) { drop(b, data_keys[2]); }
static void short_object(Bucket *b) {
    Object *o = find(b, data_keys[2]);
    o->n -= 5;
    set_etag(o);
}
static void emptied_object(Bucket *b) {
    Object *o = find(b, data_keys[2]);
    o->n = 0;
    snprintf(o->etag, 48, "d41d8cd98f00b204e9800998ecf8427e");
}
static void flipped_byte(Bucket *b) {
    Object *o = find(b, data_keys[2]);
    o->bytes[o->n / 2] ^= 1;
    set_etag(o);
}
static void flipped_byte_old_etag(Bucket *b) { /* S3 itself has lost a bit: no ETag tells */
    Object *o = find(b, data_keys[2]);
    o->bytes[o->n / 2] ^= 1;
}
static void items_are_missing(Bucket *b) { /* manifest and object agree in their MD5, and not in their count */
    unsigned char packed[400];
    put(b, data_keys[2], packed, gzip("{}\n", 3, packed, sizeof packed));
    put_manifests(b, "", 6);
}
static void denied_summary(Bucket *b) { find(b, SUMMARY_KEY)->error = &denied; }
static void denied_object(Bucket *b) { find(b, data_keys[1])->error = &denied; }
static void slow_list(Bucket *b) { find(b, LIST_KEY)->error = &timed_out; }
static void slow_object(Bucket *b) { find(b, data_keys[1])->error = &timed_out; }
static void bucket_gone(Bucket *b) { find(b, SUMMARY_KEY)->error = &no_bucket; }

static void every_damage(void **state) {
    static const struct {
        const char *name;
        void (*damage)(Bucket *b);
        Ending manifest, objects, content;
        const char *why;
    } rows[] = {
        {"nothing", nothing, PASSED, PASSED, PASSED, ""},
        {"checksum names", checksum_names, PASSED, PASSED, PASSED, ""},
        {"space around an MD5", space_around_md5, PASSED, PASSED, PASSED, ""},
        {"foreign files", foreign_files, PASSED, PASSED, PASSED, ""},
        {"bucket elsewhere", elsewhere, PASSED, PASSED, PASSED, ""},
        {"multipart ETag", multipart_etag, PASSED, PASSED, PASSED, ""},
        {"KMS ETag", kms_etag, PASSED, PASSED, PASSED, ""},
        {"copied in place", copied_in_place, PASSED, PASSED, PASSED, ""},
        {"no summary", no_summary, BAD, BAD, BAD, "manifest-summary.json is not there"},
        {"no list", no_list, BAD, BAD, BAD, "manifest-files.json is not there"},
        {"no checksum", no_checksum, BAD, BAD, BAD, "manifest-files.checksum is not there"},
        {"wrong checksum", wrong_checksum, BAD, BAD, BAD, "does not have the MD5"},
        {"broken checksum", broken_checksum, BAD, BAD, BAD, "is no MD5"},
        {"edited list", edited_list, BAD, BAD, BAD, "tells of 6"},
        {"wrong count", wrong_count, BAD, BAD, BAD, "tells of 7 items, DescribeExport of 6"},
        {"broken list", broken_list, BAD, BAD, BAD, "line 4"},
        {"stranger in the list", stranger_in_list, BAD, BAD, BAD, "names what is no data object"},
        {"climbing in the list", climbing_in_list, BAD, BAD, BAD, "names what is no data object"},
        {"another export", another_export, BAD, BAD, BAD, "is of another export"},
        {"another table", another_table, BAD, BAD, BAD, "TableId her-id"},
        {"bucket gone", bucket_gone, BAD, BAD, BAD, "the bucket acme is not there"},
        {"missing object", missing_object, PASSED, BAD, BAD, "cc.json.gz is not there"},
        {"short object", short_object, PASSED, BAD, BAD, "cc.json.gz "},
        {"emptied object", emptied_object, PASSED, BAD, BAD, "cc.json.gz "},
        {"flipped byte", flipped_byte, PASSED, BAD, BAD, "cc.json.gz "},
        {"flipped byte, old ETag", flipped_byte_old_etag, PASSED, PASSED, BAD, "cc.json.gz "},
        {"items are missing", items_are_missing, PASSED, PASSED, BAD, "has 1 items, the manifest tells of 4"},
        {"denied summary", denied_summary, UNKNOWN, UNKNOWN, UNKNOWN, "AccessDenied: Access Denied"},
        {"slow list", slow_list, UNKNOWN, UNKNOWN, UNKNOWN, "NoReply: timed out"},
        {"denied object", denied_object, PASSED, UNKNOWN, UNKNOWN, "AccessDenied"},
        {"slow object", slow_object, PASSED, UNKNOWN, UNKNOWN, "NoReply"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (VerifyLevel level = VERIFY_MANIFEST; level <= VERIFY_CONTENT; level++) {
            Ending expected = level == VERIFY_MANIFEST ? rows[i].manifest : level == VERIFY_OBJECTS ? rows[i].objects : rows[i].content;
            Bucket b;
            char why[600];
            bucket_open(&b);
            rows[i].damage(&b);
            VerifyWish w = wish(level);
            Ending got = check(&b, &w, why, sizeof why, NULL);
            if (got != expected || (expected == PASSED ? why[0] != '\0' : !strstr(why, rows[i].why)))
                fail_msg("%s, level %d: ends in %d, \"%s\"", rows[i].name, level, got, why);
            bucket_close(&b);
        }
}

static void facts(void **state) {
    Bucket b;
    char why[600], text[VERIFY_TEXT_SIZE];
    VerifyFacts f;
    bucket_open(&b);
    kms_etag(&b);
    VerifyWish w = wish(VERIFY_OBJECTS);
    assert_int_equal(check(&b, &w, why, sizeof why, &f), PASSED);
    assert_int_equal(b.n_requests, 4 + 1 + N_FILES);
    assert_true(f.n_objects == 3 && f.n_items == 6 && f.n_uncompared == 1 && f.n_bytes > 60);
    assert_int_equal(strlen(f.summary_md5) + strlen(f.files_md5), 48);
    assert_non_null(strstr(verify_facts_to_string(&f, w.level, text), "3 objects, 6 items, "));
    assert_non_null(strstr(text, "; 1 ETags tell nothing"));
    bucket_close(&b);
}

static void windows(void **state) {
    Bucket b;
    char why[600];
    bucket_open(&b);
    VerifyWish w = wish(VERIFY_MANIFEST);
    w.from_wall = USEC_PER_DAY;
    w.to_wall = 2 * USEC_PER_DAY;
    assert_int_equal(check(&b, &w, why, sizeof why, NULL), BAD);
    assert_non_null(strstr(why, "another window"));
    bucket_close(&b);
}

/* An object of 10 MiB is read in pieces; one that changes meanwhile is begun again. */
static void pieces(void **state) {
    enum { N = 10 << 20 };
    Bucket b;
    CLEANUP(verify_free_ptr) Verify *v = NULL;
    AUTO_FREE unsigned char *bytes = malloc(N + N / 100), *noise = malloc(N);
    uint32_t random = 1;
    for (size_t i = 0; i < N; i++) {
        random = random * 1664525 + 1013904223;
        noise[i] = (unsigned char)(random >> 24);
        if (noise[i] == '\n')
            noise[i] = ' ';
    }
    for (int i = 1; i <= 4; i++)
        noise[(size_t)i * N / 4 - 1] = '\n';
    bucket_open(&b);
    put(&b, data_keys[2], bytes, gzip((char *)noise, N, bytes, N + N / 100));
    put_manifests(&b, "", 6);
    VerifyWish w = wish(VERIFY_CONTENT);
    w.bytes_per_sec = 4 << 20;
    assert_int_equal(verify_new(&w, &v), 0);
    bool unknown, replaced = false;
    Usec wait, waited = 0;
    while (verify_state(v) == VERIFY_ASKS) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        assert_int_equal(verify_request(v, &q), 0);
        if (!replaced && q->object.first > 0) {
            Object *o = find(&b, data_keys[2]);
            snprintf(o->etag, sizeof o->etag, "other");
            replaced = true;
        }
        serve(&b, v, q, &done);
        assert_int_equal(verify_answer(v, &done, &unknown, &wait), 0);
        assert_false(unknown);
        aws_reply_free(done.reply);
        waited += wait;
    }
    assert_string_equal(verify_why(v), "");
    assert_int_equal(verify_state(v), VERIFY_PASSED);
    assert_true(replaced && b.largest == 2 << 20);
    assert_true(waited > 2 * USEC_PER_SEC + USEC_PER_SEC / 2 && waited < 4 * USEC_PER_SEC);
    bucket_close(&b);
}

UNIT_MAIN(cmocka_unit_test(every_damage), cmocka_unit_test(facts), cmocka_unit_test(windows), cmocka_unit_test(pieces))
