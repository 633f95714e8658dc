#include "core/aws/call.h"

#include "client_bench.h"

static void what_had_no_effect_is_asked_again(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1), before = id;
    Usec sent = b.now.mono;
    reply(&b, id, 400, THROTTLED);
    id = expect_again(&b, 1);
    assert_true(id != before);
    assert_true(b.now.mono - sent < USEC_PER_SEC);
    break_off(&b, id, HTTP_NOT_SENT);
    id = expect_again(&b, 1);
    reply(&b, id, 400, THROTTLED);
    sent = b.now.mono;
    id = expect_again(&b, 1);
    assert_true(b.now.mono - sent < 4 * USEC_PER_SEC);
    reply(&b, before, 200, BACKUP); /* the reply of a request that is over */
    turn(&b);
    assert_int_equal(b.out.n_done, 0);
    reply(&b, id, 400, THROTTLED);
    expect_done(&b, 1, AWS_THROTTLED, "ThrottlingException", 4);
}

/* Ways of not knowing what became of a request. */
static void make_unsure(Bench *b, uint64_t id, int way) {
    if (way == 0)
        break_off(b, id, HTTP_UNKNOWN);
    else if (way == 1)
        reply(b, id, 500, FAILURE);
    else if (way == 2)
        reply(b, id, 503, "<html>");
    else if (way == 3)
        reply(b, id, 200, "{\"BackupDetails\":");
    else if (way == 4)
        reply(b, id, 200, "{}");
    else
        reply_with(b, id, 200, BACKUP, "x-amz-crc32", "1");
}
#define N_WAYS 6

static void a_mutation_is_never_repeated_unseen(void **state) {
    static const AwsOp mutations[] = {AWS_OP_CREATE_BACKUP, AWS_OP_EXPORT_TABLE};
    for (size_t i = 0; i < ARRAY_SIZE(mutations); i++)
        for (int way = 0; way < N_WAYS; way++) {
            CLEANUP(bench_done) Bench b = bench_make();
            uint64_t id = begin_sent(&b, mutations[i], 1);
            make_unsure(&b, id, way);
            turn(&b);
            assert_int_equal(b.out.n_requests, 0);
            assert_int_equal(b.out.n_done, 1);
            assert_int_equal(b.out.done[0].error.class, AWS_UNCERTAIN);
            assert_int_equal(b.out.done[0].n_sends, 1);
            assert_int_equal(client_n_calls(b.client), 0);
        }
}

static void a_read_is_repeated_a_few_times(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_DESCRIBE_BACKUP, 1);
    for (int i = 0; i < 3; i++) {
        Usec sent = b.now.mono;
        make_unsure(&b, id, i);
        id = expect_again(&b, 1);
        assert_true(b.now.mono - sent < 300 * USEC_PER_MSEC);
    }
    make_unsure(&b, id, 3);
    expect_done(&b, 1, AWS_UNCERTAIN, "UnreadableReply", 4);
    id = begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    make_unsure(&b, id, 0);
    id = expect_again(&b, 2);
    reply(&b, id, 200, TABLES);
    expect_done(&b, 2, AWS_OK, "", 2);
}

static void what_cannot_help_is_not_repeated(void **state) {
    static const struct {
        const char *body, *code;
        AwsErrorClass class;
    } rows[] = {
        {DENIED, "AccessDeniedException", AWS_DENIED},
        {"{\"__type\":\"x#LimitExceededException\",\"message\":\"too many\"}", "LimitExceededException", AWS_QUOTA},
        {"{\"__type\":\"x#TableNotFoundException\",\"message\":\"Table not found: x\"}", "TableNotFoundException",
         AWS_NOT_FOUND},
        {"{\"__type\":\"x#ExpiredTokenException\",\"message\":\"\"}", "ExpiredTokenException", AWS_CREDENTIALS},
        {"{\"__type\":\"x#ValidationException\",\"message\":\"\"}", "ValidationException", AWS_REFUSED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b = bench_make();
        uint64_t id = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1);
        reply(&b, id, 400, rows[i].body);
        expect_done(&b, 1, rows[i].class, rows[i].code, 1);
    }
}

/* What is asked again has waited already: it goes before what has not been sent yet. */
static void a_repetition_goes_first(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    begin(&b, AWS_OP_LIST_TABLES, 2);
    begin(&b, AWS_OP_LIST_TABLES, 3);
    reply(&b, id, 500, FAILURE);
    for (uint64_t tag = 1; tag <= 3; tag++)
        expect_again(&b, tag);
}

static void the_services_hint_is_heard(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    Usec sent = b.now.mono;
    reply_with(&b, id, 500, FAILURE, "x-amz-retry-after", "1500");
    expect_again(&b, 1);
    assert_true(b.now.mono - sent == 1500 * USEC_PER_MSEC);
}

static void the_retry_quota_is_shared_by_the_region(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    int n_repeated = 0;
    for (uint64_t tag = 1; tag <= 100; tag++) {
        uint64_t id = begin_sent(&b, AWS_OP_DESCRIBE_BACKUP, tag);
        reply(&b, id, 500, FAILURE);
        turn_until_news(&b);
        if (b.out.n_done > 0)
            continue;
        n_repeated++;
        reply(&b, b.out.requests[0]->id, 400, DENIED);
        expect_done(&b, tag, AWS_DENIED, "AccessDeniedException", 2);
    }
    assert_int_equal(n_repeated, 500 / 14);
}

static void the_same_seed_waits_the_same(void **state) {
    Usec waits[3];
    for (int i = 0; i < 3; i++) {
        CLEANUP(bench_done) Bench b = bench_make();
        CLEANUP(credentials_free_ptr) Credentials *c = make_credentials("AKIDEXAMPLE", NULL);
        client_free(b.client);
        assert_int_equal(client_new(&b.settings, i == 2 ? 2 : 1, &b.client), 0);
        assert_int_equal(client_set_credentials(b.client, "own", c), 0);
        uint64_t id = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1);
        Usec sent = b.now.mono;
        reply(&b, id, 400, THROTTLED);
        expect_again(&b, 1);
        waits[i] = b.now.mono - sent;
    }
    assert_true(waits[0] == waits[1]);
    assert_true(waits[0] != waits[2]);
}

/* --- clocks --- */

static void a_wrong_clock_is_corrected_once(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1);
    reply_with(&b, id, 400, SKEWED, "Date", "Mon, 23 Nov 2026 03:30:00 GMT");
    Usec sent = b.now.mono;
    id = expect_again(&b, 1);
    assert_true(b.now.mono - sent <= 20 * USEC_PER_MSEC); /* its rate is all that it waits for */
    assert_true(text_starts_with(header(&b, "X-Amz-Date"), "20261123T033000Z"));
    reply_with(&b, id, 400, SKEWED, "Date", "Mon, 23 Nov 2026 04:30:00 GMT");
    expect_done(&b, 1, AWS_CLOCK_SKEW, "InvalidSignatureException", 2);
    /* what was learnt holds for later calls of this endpoint, and for them alone */
    begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    assert_true(text_starts_with(header(&b, "X-Amz-Date"), "20261123T043000Z"));
    begin_until(&b, AWS_OP_LIST_TABLES, 3, "us-east-1", USEC_INFINITY);
    turn_until_news(&b);
    assert_true(text_starts_with(header(&b, "X-Amz-Date"), "20261123T020000Z"));
}

static void without_a_date_no_clock_is_corrected(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    reply(&b, id, 400, SKEWED);
    expect_done(&b, 1, AWS_CLOCK_SKEW, "InvalidSignatureException", 1);
    id = begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    reply_with(&b, id, 400, SKEWED, "Date", "yesterday");
    expect_done(&b, 2, AWS_CLOCK_SKEW, "InvalidSignatureException", 1);
    id = begin_sent(&b, AWS_OP_LIST_TABLES, 3);
    HttpReply *cached = make_reply(id, 400, SKEWED);
    assert_int_equal(http_headers_add(&cached->headers, "Date", "Mon, 23 Nov 2026 04:30:00 GMT"), 0);
    assert_int_equal(http_headers_add(&cached->headers, "Age", "3600"), 0);
    assert_int_equal(client_reply(b.client, cached, b.now), 0);
    expect_done(&b, 3, AWS_CLOCK_SKEW, "InvalidSignatureException", 1);
}

/* --- damaged replies --- */

static void the_checksum_is_checked(void **state) {
    static const struct {
        const char *crc, *encoding;
        bool good;
    } rows[] = {
        {"1315925753", NULL, true},        {"1315925754", NULL, false},      {"x", NULL, false},
        {"-1", NULL, false},               {"5610893049", NULL, false}, /* the right one, and 2^32 more */
        {"1315925754", "gzip", true}, /* over what was sent: not ours to check */
        {"1315925754", "identity", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b = bench_make();
        b.settings.max_attempts = 1;
        assert_int_equal(client_configure(b.client, &b.settings), 0);
        HttpReply *r = make_reply(begin_sent(&b, AWS_OP_LIST_TABLES, 1), 200, TABLES);
        assert_int_equal(http_headers_add(&r->headers, "X-Amz-CRC32", rows[i].crc), 0);
        if (rows[i].encoding)
            assert_int_equal(http_headers_add(&r->headers, "content-encoding", rows[i].encoding), 0);
        assert_int_equal(client_reply(b.client, r, b.now), 0);
        expect_done(&b, 1, rows[i].good ? AWS_OK : AWS_UNCERTAIN, rows[i].good ? "" : "UnreadableReply", 1);
    }
    /* a damaged error could be any error */
    CLEANUP(bench_done) Bench b = bench_make();
    reply_with(&b, begin_sent(&b, AWS_OP_CREATE_BACKUP, 1), 400, THROTTLED, "x-amz-crc32", "7");
    expect_done(&b, 1, AWS_UNCERTAIN, "UnreadableReply", 1);
}

UNIT_MAIN(cmocka_unit_test(what_had_no_effect_is_asked_again), cmocka_unit_test(a_mutation_is_never_repeated_unseen),
          cmocka_unit_test(a_read_is_repeated_a_few_times), cmocka_unit_test(what_cannot_help_is_not_repeated),
          cmocka_unit_test(a_repetition_goes_first), cmocka_unit_test(the_services_hint_is_heard),
          cmocka_unit_test(the_retry_quota_is_shared_by_the_region), cmocka_unit_test(the_same_seed_waits_the_same),
          cmocka_unit_test(a_wrong_clock_is_corrected_once), cmocka_unit_test(without_a_date_no_clock_is_corrected),
          cmocka_unit_test(the_checksum_is_checked))
