/* An export in a bucket of the test's own, damaged in every way that we can think of: each level finds what it
 * promises, and what nobody could tell is unknown, never bad. */

#include "core/verify/verify.h"

#include "bucket_bench.h"

#include "unit.h"

typedef enum Ending { PASSED, BAD, UNKNOWN } Ending;

static VerifyWish wish(VerifyLevel level) {
    return (VerifyWish){.level = level,
                        .region = "eu-central-1",
                        .bucket = "acme",
                        .prefix = "p",
                        .manifest_key = SUMMARY_KEY,
                        .export_arn = ARN,
                        .table_id = "the-id",
                        .from_wall = WALL_UNKNOWN,
                        .to_wall = WALL_UNKNOWN,
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
        serve(b, verify_region(v), q, &done);
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
static void multipart_etag(Bucket *b) {
    snprintf(find(b, data_keys[1])->etag, 48, "b5443265c5e545b6c8d8275e0b6f8c15-3");
}
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
static void edited_list(Bucket *b) {
    find(b, LIST_KEY)->bytes[13] = '7'; /* an item count, whose MD5 was not renewed */
}
static void list_of_more_items(Bucket *b) { /* its MD5 fits, and no sum of its does */
    edited_list(b);
    put_md5(b, FOLDER "manifest-files.md5", LIST_KEY);
}
static void wrong_count(Bucket *b) { put_manifests(b, "", 7); }
static void broken_list(Bucket *b) { put_manifests(b, "{\"itemCount\":", 6); }
static void stranger_in_list(Bucket *b) {
    put_manifests(b,
                  "{\"itemCount\":0,\"md5Checksum\":\"y+zg5fVeudb3R3DOQ+RKgA==\","
                  "\"dataFileS3Key\":\"p/precious.json.gz\"}\n",
                  6);
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
static void another_bucket(Bucket *b) {
    Object *o = find(b, SUMMARY_KEY);
    memcpy(strstr((char *)o->bytes, "acme"), "acne", 4);
    put_md5(b, FOLDER "manifest-summary.md5", SUMMARY_KEY);
}
static void list_elsewhere(Bucket *b) { /* one that is good, where no export writes */
    Object *o = find(b, SUMMARY_KEY);
    put(b, "p/AWSDynamoDB/01768385930622-efd1a09x/manifest-files.json", find(b, LIST_KEY)->bytes, find(b, LIST_KEY)->n);
    put_md5(b, "p/AWSDynamoDB/01768385930622-efd1a09x/manifest-files.md5", LIST_KEY);
    memcpy(strstr((char *)o->bytes, "efd1a093/manifest"), "efd1a09x", 8);
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
static void other_content_old_etag(Bucket *b) { /* as many items, and a good stream */
    Object *o = find(b, data_keys[2]);
    char etag[48];
    unsigned char packed[400];
    memcpy(etag, o->etag, sizeof etag);
    memcpy(put(b, data_keys[2], packed, gzip("{}\n{}\n{}\n{}\n", 12, packed, sizeof packed))->etag, etag, sizeof etag);
}
static void cut_off_as_told(Bucket *b) { /* manifest and object agree in all that is told */
    Object *o = find(b, data_keys[2]);
    o->n -= 8;
    set_etag(o);
    put_manifests(b, "", 6);
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
        {"list of more items", list_of_more_items, BAD, BAD, BAD, "have 13 items, its summary tells of 6"},
        {"wrong count", wrong_count, BAD, BAD, BAD, "tells of 7 items, DescribeExport of 6"},
        {"broken list", broken_list, BAD, BAD, BAD, "line 4"},
        {"stranger in the list", stranger_in_list, BAD, BAD, BAD, "names what is no data object"},
        {"climbing in the list", climbing_in_list, BAD, BAD, BAD, "names what is no data object"},
        {"another export", another_export, BAD, BAD, BAD, "is of another export"},
        {"another table", another_table, BAD, BAD, BAD, "TableId her-id"},
        {"another bucket", another_bucket, BAD, BAD, BAD, "is of another bucket, acne"},
        {"list elsewhere", list_elsewhere, BAD, BAD, BAD, "names a list outside of its folder"},
        {"bucket gone", bucket_gone, BAD, BAD, BAD, "the bucket acme is not there"},
        {"missing object", missing_object, PASSED, BAD, BAD, "cc.json.gz is not there"},
        {"short object", short_object, PASSED, BAD, BAD, "cc.json.gz "},
        {"emptied object", emptied_object, PASSED, BAD, BAD, "cc.json.gz "},
        {"flipped byte", flipped_byte, PASSED, BAD, BAD, "cc.json.gz "},
        {"flipped byte, old ETag", flipped_byte_old_etag, PASSED, PASSED, BAD, "cc.json.gz "},
        {"other content, old ETag", other_content_old_etag, PASSED, PASSED, BAD,
         "does not have the MD5 that the manifest"},
        {"cut off as told", cut_off_as_told, PASSED, PASSED, BAD, "is a gzip stream that is cut off"},
        {"items are missing", items_are_missing, PASSED, PASSED, BAD, "has 1 items, the manifest tells of 4"},
        {"denied summary", denied_summary, UNKNOWN, UNKNOWN, UNKNOWN, "AccessDenied: Access Denied"},
        {"slow list", slow_list, UNKNOWN, UNKNOWN, UNKNOWN, "NoReply: timed out"},
        {"denied object", denied_object, PASSED, UNKNOWN, UNKNOWN, "AccessDenied"},
        {"slow object", slow_object, PASSED, UNKNOWN, UNKNOWN, "NoReply"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (VerifyLevel level = VERIFY_MANIFEST; level <= VERIFY_CONTENT; level++) {
            Ending expected = level == VERIFY_MANIFEST  ? rows[i].manifest
                              : level == VERIFY_OBJECTS ? rows[i].objects
                                                        : rows[i].content;
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

/* Both manifests written anew, and each fits the other: what was recorded tells. */
static void replaced_as_a_whole(void **state) {
    static const struct {
        int n_items; /* of the summary */
        const char *more, *why;
    } rows[] = {{6, "", NULL},
                {6, "{\"itemCount\":0,\"md5Checksum\":\"FjvgqIxwymKf1RbbqtrZag==\",\"dataFileS3Key\":\"" FOLDER
                    "data/dddddddddddddddddddddddddd.json.gz\"}\n", "manifest-files.json has been replaced since"},
                {7, "{\"itemCount\":1,\"md5Checksum\":\"FjvgqIxwymKf1RbbqtrZag==\",\"dataFileS3Key\":\"" FOLDER
                    "data/dddddddddddddddddddddddddd.json.gz\"}\n", "manifest-summary.json has been replaced since"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bucket b;
        VerifyFacts before;
        char why[600];
        VerifyWish w = wish(VERIFY_MANIFEST);
        bucket_open(&b);
        assert_int_equal(check(&b, &w, why, sizeof why, &before), PASSED);
        put_manifests(&b, rows[i].more, rows[i].n_items);
        w.item_count = rows[i].n_items;
        assert_int_equal(check(&b, &w, why, sizeof why, NULL), PASSED);
        w.summary_md5 = before.summary_md5;
        w.files_md5 = before.files_md5;
        assert_int_equal(check(&b, &w, why, sizeof why, NULL), rows[i].why ? BAD : PASSED);
        assert_true(!rows[i].why || strstr(why, rows[i].why));
        bucket_close(&b);
    }
}

/* An object of 10 MiB is read in pieces; one that is replaced by another of its length meanwhile is begun again. */
static void pieces(void **state) {
    enum { N = 10 << 20 };
    Bucket b;
    CLEANUP(verify_free_ptr) Verify *v = NULL;
    AUTO_FREE unsigned char *bytes = malloc(N + N / 100), *other = malloc(N + N / 100), *noise = malloc(N);
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
    size_t n = gzip((char *)noise, N, bytes, N + N / 100);
    put(&b, data_keys[2], bytes, n);
    put_manifests(&b, "", 6);
    noise[0] ^= 1;
    assert_int_equal(gzip((char *)noise, N, other, N + N / 100), n);
    put(&b, data_keys[2], other, n);
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
            put(&b, data_keys[2], bytes, n);
            replaced = true;
        }
        serve(&b, verify_region(v), q, &done);
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

/* Lines of objects that are all there, until the list is longer than a piece. */
static void lengthen_list(Bucket *b) {
    AUTO_TEXT lines = TEXT_INIT(4 << 20);
    char md5[25];
    md5_text(find(b, data_keys[0])->bytes, find(b, data_keys[0])->n, md5);
    for (int i = 0; i < 9000; i++)
        text_addf(&lines, "{\"itemCount\":0,\"md5Checksum\":\"%s\",\"dataFileS3Key\":\"%s\"}\n", md5, data_keys[0]);
    assert_int_equal(lines.error, 0);
    put_manifests(b, lines.data, 6);
}

/* A list of several pieces, which is replaced while it is read: it is begun again, from its start. One that never stays
 * the same is unknown. One that is another when it is done as it says is bad. */
static void a_list_that_changes(void **state) {
    enum { AT_COUNT = 13 }; /* the digit of the first line's items */
    static const struct {
        const char *name;
        int n_changes;        /* before pieces that are not the first; the last makes it the one that is told of */
        bool of_second_reading;
        Ending ending;
        const char *why;
    } rows[] = {{"once", 1, false, PASSED, ""},
                {"thrice", 3, false, PASSED, ""},
                {"for ever", 100, false, UNKNOWN, "manifest-files.json changes while it is read"},
                {"between the readings", 1, true, BAD, "has changed while it was read"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bucket b;
        CLEANUP(verify_free_ptr) Verify *v = NULL;
        VerifyWish w = wish(rows[i].of_second_reading ? VERIFY_OBJECTS : VERIFY_MANIFEST);
        bool unknown = false, seen_md5 = false;
        int n_changes = 0;
        Usec wait;
        bucket_open(&b);
        lengthen_list(&b);
        Object *list = find(&b, LIST_KEY);
        if (!rows[i].of_second_reading)
            list->bytes[AT_COUNT] = rows[i].n_changes % 2 ? '1' : '0';
        assert_int_equal(verify_new(&w, &v), 0);
        while (verify_state(v) == VERIFY_ASKS && !unknown) {
            CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
            CallDone done;
            assert_int_equal(verify_request(v, &q), 0);
            bool of_list = strcmp(q->object.key, LIST_KEY) == 0;
            seen_md5 |= strcmp(q->object.key, FOLDER "manifest-files.md5") == 0;
            if (of_list && rows[i].of_second_reading && seen_md5 && n_changes == 0) {
                list->bytes[list->n - 1] = ' '; /* means the same */
                set_etag(list);
                n_changes++;
            } else if (of_list && !rows[i].of_second_reading && q->object.first > 0 && n_changes < rows[i].n_changes) {
                list->bytes[AT_COUNT] = list->bytes[AT_COUNT] == '1' ? '0' : '1';
                snprintf(list->etag, sizeof list->etag, "other-%d", ++n_changes);
            }
            serve(&b, verify_region(v), q, &done);
            assert_int_equal(verify_answer(v, &done, &unknown, &wait), 0);
            aws_reply_free(done.reply);
        }
        Ending got = unknown ? UNKNOWN : verify_state(v) == VERIFY_PASSED ? PASSED : BAD;
        if (got != rows[i].ending || !strstr(verify_why(v), rows[i].why))
            fail_msg("%s: ends in %d, \"%s\"", rows[i].name, got, verify_why(v));
        bucket_close(&b);
    }
}

/* What answers with other bytes than were asked for tells nothing of the object. */
static void another_range(void **state) {
    Bucket b;
    CLEANUP(verify_free_ptr) Verify *v = NULL;
    VerifyWish w = wish(VERIFY_CONTENT);
    bool unknown = false;
    int n_unknown = 0;
    Usec wait;
    bucket_open(&b);
    assert_int_equal(verify_new(&w, &v), 0);
    while (verify_state(v) == VERIFY_ASKS) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        assert_int_equal(verify_request(v, &q), 0);
        serve(&b, verify_region(v), q, &done);
        bool whole = strcmp(q->object.key, LIST_KEY) != 0 && strcmp(q->object.key, data_keys[1]) != 0;
        if (!whole && !unknown)
            done.reply->object.first++;
        assert_int_equal(verify_answer(v, &done, &unknown, &wait), 0);
        aws_reply_free(done.reply);
        n_unknown += unknown;
        assert_true(!unknown || strstr(verify_why(v), "another range"));
    }
    assert_int_equal(verify_state(v), VERIFY_PASSED);
    assert_int_equal(n_unknown, 3);
    bucket_close(&b);
}

UNIT_MAIN(cmocka_unit_test(every_damage), cmocka_unit_test(facts), cmocka_unit_test(windows),
          cmocka_unit_test(replaced_as_a_whole), cmocka_unit_test(pieces), cmocka_unit_test(a_list_that_changes),
          cmocka_unit_test(another_range))
