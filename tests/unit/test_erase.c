/* An export leaves its bucket, and nothing else does: whatever its manifests say, whoever has written over what, and
 * wherever it was interrupted. */

#include "core/expiry/erase.h"

#include "bucket_bench.h"

#include "unit.h"

#define N_OWN (N_FILES + 5)
#define STARTED_KEY FOLDER "_started"
#define FOREIGN_KEY FOLDER "data/zzzzzzzzzzzzzzzzzzzzzzzzzz.json.gz"
#define PRECIOUS_KEY "p/precious.json.gz"

static const AwsError denied = {.class = AWS_DENIED, .code = "AccessDenied", .status = 403, .message = "Access Denied"},
                      timed_out = {.class = AWS_UNCERTAIN, .code = "NoReply", .message = "timed out"};

static char summary_md5[25], files_md5[25]; /* as recorded */

static void open_bucket(Bucket *b) {
    bucket_open(b);
    put(b, STARTED_KEY, "", 0);
    put(b, FOREIGN_KEY, "x", 1);
    put(b, PRECIOUS_KEY, "x", 1);
    md5_text(find(b, SUMMARY_KEY)->bytes, find(b, SUMMARY_KEY)->n, summary_md5);
    md5_text(find(b, LIST_KEY)->bytes, find(b, LIST_KEY)->n, files_md5);
}

static EraseWish wish(bool resumed) {
    return (EraseWish){.region = "eu-central-1",
                       .bucket = "acme",
                       .prefix = "p",
                       .manifest_key = SUMMARY_KEY,
                       .export_arn = ARN,
                       .summary_md5 = summary_md5,
                       .files_md5 = files_md5,
                       .resumed = resumed};
}

/* Up to its end, to what told nothing, or to its n-th request (-1: none). */
static EraseState erase(Bucket *b, const EraseWish *w, int n_requests, char *ret_why, size_t size,
                        EraseFacts *ret_facts) {
    CLEANUP(erase_free_ptr) Erase *e = NULL;
    bool unknown = false;
    assert_int_equal(erase_new(w, &e), 0);
    for (int n = 0; erase_state(e) == ERASE_ASKS && !unknown && n != n_requests; n++) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        assert_int_equal(erase_request(e, &q), 0);
        assert_true(q->op != AWS_OP_DELETE_OBJECT || q->object.if_match);
        serve(b, erase_region(e), q, &done);
        assert_int_equal(erase_answer(e, &done, &unknown), 0);
        aws_reply_free(done.reply);
        assert_true(n < 100);
    }
    snprintf(ret_why, size, "%s", erase_why(e));
    *ret_facts = *erase_facts(e);
    return erase_state(e);
}

static void only_strangers_are_left(const Bucket *b, size_t n_left) {
    assert_int_equal(b->n_objects, 2 + n_left);
    assert_non_null(find((Bucket *)b, FOREIGN_KEY));
    assert_non_null(find((Bucket *)b, PRECIOUS_KEY));
}

static void all_of_it_goes(void **state) {
    Bucket b;
    char why[600];
    EraseFacts facts;
    open_bucket(&b);
    assert_int_equal(erase(&b,
                           &(EraseWish){.region = "us-east-1",
                                        .bucket = "acme",
                                        .prefix = "p",
                                        .manifest_key = SUMMARY_KEY,
                                        .export_arn = ARN,
                                        .summary_md5 = summary_md5,
                                        .files_md5 = files_md5},
                           -1, why, sizeof why, &facts),
                     ERASE_DONE);
    only_strangers_are_left(&b, 0);
    assert_int_equal(facts.n_deleted, N_OWN);
    assert_int_equal(facts.n_left, 0);
    assert_true(facts.has_begun);
    bucket_close(&b);
}

/* A crash after each of its requests: it goes on from the manifests. */
static void goes_on_after_a_crash(void **state) {
    for (int at = 0; at < 40; at++) {
        Bucket b;
        char why[600];
        EraseFacts facts;
        EraseWish first = wish(false), again = wish(true);
        open_bucket(&b);
        (void)erase(&b, &first, at, why, sizeof why, &facts);
        assert_int_equal(erase(&b, &again, -1, why, sizeof why, &facts), ERASE_DONE);
        only_strangers_are_left(&b, 0);
        bucket_close(&b);
    }
}

static void rewrite(Bucket *b, const char *key) { put(b, key, "other", 5); }
static void nothing(Bucket *b) {}
static void elsewhere(Bucket *b) { b->region = "us-east-1"; }
static void checksum_names(Bucket *b) {
    put_md5(b, FOLDER "manifest-files.checksum", LIST_KEY);
    put_md5(b, FOLDER "manifest-summary.checksum", SUMMARY_KEY);
    drop(b, FOLDER "manifest-files.md5");
    drop(b, FOLDER "manifest-summary.md5");
}
static void kms(Bucket *b) { /* no ETag is an MD5, and the manifest tells them */
    for (size_t i = 0; i < b->n_objects; i++)
        b->objects[i].encryption = "aws:kms";
    for (int i = 0; i < N_FILES; i++)
        snprintf(find(b, data_keys[i])->etag, 48, "0123456789abcdef0123456789abcde%d", i);
    put_manifests(b, "", 6);
    md5_text(find(b, LIST_KEY)->bytes, find(b, LIST_KEY)->n, files_md5);
    md5_text(find(b, SUMMARY_KEY)->bytes, find(b, SUMMARY_KEY)->n, summary_md5);
}
static void copied_in_place(Bucket *b) {
    uint8_t md5[DIGEST_MD5_SIZE];
    Object *o = find(b, data_keys[1]);
    assert_int_equal(digest_md5(o->bytes, o->n, md5), 0);
    digest_md5_to_hex(md5, o->etag);
}
static void one_is_gone(Bucket *b) { drop(b, data_keys[0]); }
static void one_was_replaced(Bucket *b) { rewrite(b, data_keys[2]); }
static void of_many_parts(Bucket *b) {
    snprintf(find(b, data_keys[2])->etag, 48, "b5443265c5e545b6c8d8275e0b6f8c15-3");
}
static void more_in_the_list(Bucket *b) { /* one that is there, with its own MD5 */
    char md5[25];
    AUTO_TEXT t = TEXT_INIT(1000);
    md5_text("x", 1, md5);
    text_addf(&t, "{\"itemCount\":0,\"md5Checksum\":\"%s\",\"dataFileS3Key\":\"" FOREIGN_KEY "\"}\n", md5);
    put_manifests(b, t.data, 6);
}
static void a_foreign_key(Bucket *b) { /* its MD5 was recorded so, and yet it is none of this export */
    char md5[25];
    AUTO_TEXT t = TEXT_INIT(1000);
    md5_text("x", 1, md5);
    text_addf(&t, "{\"itemCount\":0,\"md5Checksum\":\"%s\",\"dataFileS3Key\":\"" PRECIOUS_KEY "\"}\n", md5);
    put_manifests(b, t.data, 6);
    md5_text(find(b, LIST_KEY)->bytes, find(b, LIST_KEY)->n, files_md5);
    md5_text(find(b, SUMMARY_KEY)->bytes, find(b, SUMMARY_KEY)->n, summary_md5);
}
static void another_summary(Bucket *b) { put_manifests(b, "", 7); }
static void no_summary(Bucket *b) { drop(b, SUMMARY_KEY); }
static void no_list(Bucket *b) { drop(b, LIST_KEY); }
static void no_manifests(Bucket *b) {
    no_list(b);
    no_summary(b);
}
static void foreign_checksum(Bucket *b) { rewrite(b, FOLDER "manifest-files.md5"); }
static void something_started(Bucket *b) { rewrite(b, STARTED_KEY); }
static void denied_object(Bucket *b) { find(b, data_keys[1])->error = &denied; }
static void slow_summary(Bucket *b) { find(b, SUMMARY_KEY)->error = &timed_out; }

static void what_it_meets(void **state) {
    enum { ALL = -1 };
    static const struct {
        const char *name;
        void (*damage)(Bucket *b);
        EraseState fresh, resumed;
        int n_left, n_resumed; /* strangers aside; ALL: all that was there */
        const char *why;       /* of the fresh one */
    } rows[] = {
        {"nothing", nothing, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"bucket elsewhere", elsewhere, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"checksum names", checksum_names, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"KMS", kms, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"copied in place", copied_in_place, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"one is gone", one_is_gone, ERASE_DONE, ERASE_DONE, 0, 0, ""},
        {"a foreign checksum", foreign_checksum, ERASE_DONE, ERASE_DONE, 1, 1, ""},
        {"something in _started", something_started, ERASE_DONE, ERASE_DONE, 1, 1, ""},
        {"one was replaced", one_was_replaced, ERASE_REFUSED, ERASE_DONE, ALL, 1,
         "cc.json.gz is not the one that was verified"},
        {"an ETag that tells nothing", of_many_parts, ERASE_REFUSED, ERASE_DONE, ALL, 1,
         "is not the one that was verified"},
        {"more in the list", more_in_the_list, ERASE_REFUSED, ERASE_REFUSED, ALL, ALL, "manifest-files.json"},
        {"a foreign key", a_foreign_key, ERASE_REFUSED, ERASE_REFUSED, ALL, N_OWN - N_FILES,
         "names what is no data object"},
        {"another summary", another_summary, ERASE_REFUSED, ERASE_REFUSED, ALL, ALL,
         "manifest-summary.json is not the one"},
        {"no summary", no_summary, ERASE_REFUSED, ERASE_REFUSED, ALL, ALL, "manifest-summary.json is not there"},
        {"no list", no_list, ERASE_REFUSED, ERASE_DONE, ALL, N_FILES + 1, "manifest-files.json is not there"},
        {"no manifests", no_manifests, ERASE_REFUSED, ERASE_DONE, ALL, N_FILES + 2,
         "manifest-summary.json is not there"},
        {"denied", denied_object, ERASE_ASKS, ERASE_ASKS, ALL, N_OWN - 1, "AccessDenied"},
        {"a time-out", slow_summary, ERASE_ASKS, ERASE_ASKS, ALL, ALL, "timed out"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int resumed = 0; resumed < 2; resumed++) {
            Bucket b;
            char why[600];
            EraseFacts facts;
            open_bucket(&b);
            rows[i].damage(&b);
            size_t n_own = b.n_objects - 2;
            int n_left = resumed ? rows[i].n_resumed : rows[i].n_left;
            EraseWish w = wish(resumed);
            EraseState end = erase(&b, &w, -1, why, sizeof why, &facts);
            if (end != (resumed ? rows[i].resumed : rows[i].fresh) || (!resumed && !strstr(why, rows[i].why)))
                fail_msg("%s, resumed %d: state %d, %s", rows[i].name, resumed, end, why);
            if (b.n_objects - 2 != (n_left == ALL ? n_own : (size_t)n_left))
                fail_msg("%s, resumed %d: %zu of %zu are left", rows[i].name, resumed, b.n_objects - 2, n_own);
            only_strangers_are_left(&b, b.n_objects - 2);
            if (n_left == ALL)
                assert_false(facts.has_begun);
            bucket_close(&b);
        }
}

/* Between the look at it and its deletion somebody writes over it. */
static void replaced_at_the_last_moment(void **state) {
    Bucket b;
    char why[600];
    CLEANUP(erase_free_ptr) Erase *e = NULL;
    EraseWish w = wish(false);
    open_bucket(&b);
    assert_int_equal(erase_new(&w, &e), 0);
    for (bool unknown = false; erase_state(e) == ERASE_ASKS;) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        assert_int_equal(erase_request(e, &q), 0);
        if (q->op == AWS_OP_DELETE_OBJECT && strcmp(q->object.key, data_keys[1]) == 0)
            rewrite(&b, data_keys[1]);
        serve(&b, erase_region(e), q, &done);
        assert_int_equal(erase_answer(e, &done, &unknown), 0);
        aws_reply_free(done.reply);
        assert_false(unknown);
    }
    snprintf(why, sizeof why, "%s", erase_why(e));
    assert_int_equal(erase_state(e), ERASE_DONE);
    assert_int_equal(erase_facts(e)->n_left, 1);
    assert_int_equal(erase_facts(e)->n_deleted, N_OWN - 1);
    assert_non_null(find(&b, data_keys[1]));
    only_strangers_are_left(&b, 1);
    bucket_close(&b);
}

/* A deletion whose reply is lost: it is looked at again. */
static void lost_replies(void **state) {
    Bucket b;
    CLEANUP(erase_free_ptr) Erase *e = NULL;
    EraseWish w = wish(false);
    int n_unknown = 0, n_deletions = 0;
    open_bucket(&b);
    assert_int_equal(erase_new(&w, &e), 0);
    for (int n = 0; erase_state(e) == ERASE_ASKS; n++) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        CallDone done;
        bool unknown;
        assert_int_equal(erase_request(e, &q), 0);
        serve(&b, erase_region(e), q, &done);
        n_deletions += q->op == AWS_OP_DELETE_OBJECT;
        if (q->op == AWS_OP_DELETE_OBJECT && n_deletions % 2)
            done.error = timed_out;
        assert_int_equal(erase_answer(e, &done, &unknown), 0);
        aws_reply_free(done.reply);
        n_unknown += unknown;
        assert_true(n < 200);
    }
    assert_true(n_unknown > 2);
    only_strangers_are_left(&b, 0);
    bucket_close(&b);
}

static void nothing_was_recorded(void **state) {
    Bucket b;
    char why[600];
    EraseFacts facts;
    EraseWish w = wish(false);
    open_bucket(&b);
    w.files_md5 = NULL;
    assert_int_equal(erase(&b, &w, -1, why, sizeof why, &facts), ERASE_REFUSED);
    assert_string_equal(why, "what its manifests are was not recorded");
    assert_int_equal(b.n_requests, 0);
    bucket_close(&b);
}

UNIT_MAIN(cmocka_unit_test(all_of_it_goes), cmocka_unit_test(goes_on_after_a_crash), cmocka_unit_test(what_it_meets),
          cmocka_unit_test(replaced_at_the_last_moment), cmocka_unit_test(lost_replies),
          cmocka_unit_test(nothing_was_recorded))
