#include "core/aws/client.h"

#include "client_bench.h"
#include "core/aws/limits.h"

static void a_request_is_complete(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    begin_sent(&b, AWS_OP_CREATE_BACKUP, 7);
    const HttpRequest *q = b.out.requests[0];
    assert_int_equal(q->method, HTTP_POST);
    assert_string_equal(q->url, "https://dynamodb.eu-central-1.amazonaws.com/");
    assert_string_equal(q->body, "{\"TableName\":\"orders\",\"BackupName\":\"name\"}");
    assert_int_equal(q->body_len, strlen(q->body));
    assert_false(q->repeatable);
    assert_true(q->connect_timeout_usec == 5 * USEC_PER_SEC && q->timeout_usec == USEC_PER_MINUTE);
    assert_int_equal(q->max_reply, 1 << 20);
    assert_string_equal(header(&b, "Content-Type"), "application/x-amz-json-1.0");
    assert_string_equal(header(&b, "X-Amz-Target"), "DynamoDB_20120810.CreateBackup");
    assert_string_equal(header(&b, "Accept-Encoding"), "identity");
    assert_string_equal(header(&b, "User-Agent"), "test/1");
    assert_string_equal(header(&b, "X-Amz-Date"), "20261123T020000Z");
    const char *authorization = header(&b, "Authorization");
    assert_true(text_starts_with(authorization,
                                 "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-central-1/dynamodb/aws4_request, "
                                 "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="));
    begin_sent(&b, AWS_OP_LIST_TABLES, 8);
    assert_true(b.out.requests[0]->repeatable);
    assert_int_equal(b.out.requests[0]->max_reply, 8 << 20);
    begin_sent(&b, AWS_OP_EXPORT_TABLE, 9);
    assert_true(b.out.requests[0]->repeatable);
}

static void it_is_signed_when_it_leaves(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    begin_sent(&b, AWS_OP_EXPORT_TABLE, 1);
    begin_sent(&b, AWS_OP_EXPORT_TABLE, 2); /* two seconds later, by its rate */
    assert_string_equal(header(&b, "X-Amz-Date"), "20261123T020002Z");
}

static void replies_reach_their_calls_in_any_order(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t create = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1);
    uint64_t tables = begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    uint64_t denied = begin_sent(&b, AWS_OP_DESCRIBE_BACKUP, 3);
    assert_int_equal(client_n_calls(b.client), 3);
    reply(&b, denied, 400, DENIED);
    reply(&b, 999, 200, TABLES);
    reply_with(&b, tables, 200, TABLES, "date", "Mon, 23 Nov 2026 02:00:09 GMT");
    reply(&b, tables, 400, DENIED); /* the second one of an id is as unknown as any */
    turn(&b);
    assert_int_equal(b.out.n_done, 2);
    assert_true(b.out.done[0].tag == 3 && b.out.done[0].error.class == AWS_DENIED);
    assert_true(b.out.done[0].server_wall == WALL_UNKNOWN);
    assert_true(b.out.done[1].tag == 2 && b.out.done[1].error.class == AWS_OK);
    assert_true(b.out.done[1].reply->op == AWS_OP_LIST_TABLES);
    assert_true(b.out.done[1].server_wall == T0 + 9 * USEC_PER_SEC);
    reply(&b, create, 200, BACKUP);
    const CallDone *d = expect_done(&b, 1, AWS_OK, "", 1);
    assert_string_equal(d->reply->backup.name, "name");
    assert_int_equal(client_n_calls(b.client), 0);
    turn(&b);
    assert_int_equal(b.out.n_done, 0);
    assert_true(b.next_mono == USEC_INFINITY);
}

/* --- rates --- */

/* Answers everything after a little while and keeps when each left. */
static size_t run_all(Bench *b, Usec *sent, size_t room) {
    size_t n = 0;
    while (client_n_calls(b->client) > 0) {
        turn(b);
        for (size_t i = 0; i < b->out.n_requests; i++) {
            assert_true(n < room);
            assert_true(b->out.sends[i] == n); /* in the order in which they were begun */
            sent[n++] = b->now.mono;
            reply(b, b->out.requests[i]->id, 200, TABLES);
        }
        if (b->out.n_requests == 0 && b->out.n_done == 0)
            pass(b, b->next_mono - b->now.mono);
    }
    return n;
}

static void rates_are_kept(void **state) {
    enum { N = 2000 };
    static const double shares[] = {1, 0.5, 0.1};
    static Usec sent[N];
    for (size_t s = 0; s < ARRAY_SIZE(shares); s++) {
        CLEANUP(bench_done) Bench b = bench_make();
        b.settings.rate_share = shares[s];
        assert_int_equal(client_configure(b.client, &b.settings), 0);
        double rate = limits[AWS_OP_LIST_TABLES].rate * shares[s], burst = limits[AWS_OP_LIST_TABLES].burst * shares[s];
        for (uint64_t i = 0; i < N; i++)
            begin(&b, AWS_OP_LIST_TABLES, i);
        assert_int_equal(run_all(&b, sent, N), N);
        for (size_t i = 0; i < N; i++) /* in no span do more leave than the bucket allows */
            for (size_t j = i + 1; j < N && j < i + 50; j++)
                assert_true((double)(j - i + 1) <= (burst > 1 ? burst : 1) +
                                                       rate * ((double)(sent[j] - sent[i]) / USEC_PER_SEC) + 1e-6);
        double took = (double)(sent[N - 1] - sent[0]) / USEC_PER_SEC;
        assert_true(took < N / rate * 1.001); /* and none is wasted */
    }
}

static void lanes_do_not_wait_for_each_other(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    for (uint64_t i = 0; i < 100; i++)
        begin(&b, AWS_OP_EXPORT_TABLE, i);
    begin(&b, AWS_OP_DESCRIBE_EXPORT, 100);
    begin_until(&b, AWS_OP_EXPORT_TABLE, 101, "us-east-1", USEC_INFINITY);
    turn(&b);
    assert_int_equal(b.out.n_requests, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(b.out.sends[i] == 0 || b.out.sends[i] == 100 || b.out.sends[i] == 101);
}

static void throttling_slows_the_lane_down(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    b.settings.max_attempts = 1;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    reply(&b, id, 400, THROTTLED);
    expect_done(&b, 1, AWS_THROTTLED, "ThrottlingException", 1);
    for (uint64_t i = 2; i < 8; i++)
        begin(&b, AWS_OP_LIST_TABLES, i);
    for (int i = 0; i < 5; i++) {
        Usec before = b.now.mono;
        turn_until_news(&b);
        assert_int_equal(b.out.n_requests, 1);
        assert_true(b.now.mono - before == 400 * USEC_PER_MSEC); /* half of 5 a second */
    }
}

static void throttling_need_not_slow_the_lane_down(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    b.settings.max_attempts = 1;
    b.settings.keeps_rate = true;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    pass(&b, USEC_PER_SEC);
    reply(&b, id, 400, THROTTLED);
    expect_done(&b, 1, AWS_THROTTLED, "ThrottlingException", 1);
    for (uint64_t i = 2; i < 8; i++)
        begin(&b, AWS_OP_LIST_TABLES, i);
    turn(&b);
    assert_int_equal(b.out.n_requests, 2); /* as many at once as ever */
    for (int i = 0; i < 4; i++) {
        Usec before = b.now.mono;
        turn_until_news(&b);
        assert_int_equal(b.out.n_requests, 1);
        assert_true(b.now.mono - before == 200 * USEC_PER_MSEC);
    }
}

static void unsigned_requests_need_no_credentials(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    b.settings.unsigned_requests = true;
    b.settings.endpoint_url = "http://127.0.0.1:8000";
    assert_int_equal(client_set_credentials(b.client, "own", NULL), 0);
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    uint64_t id = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1);
    static const char *const absent[] = {"Authorization", "X-Amz-Date", "X-Amz-Security-Token"};
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
        assert_null(http_headers_get(&b.out.requests[0]->headers, absent[i]));
    assert_string_equal(header(&b, "X-Amz-Target"), "DynamoDB_20120810.CreateBackup");
    reply(&b, id, 200, BACKUP);
    expect_done(&b, 1, AWS_OK, "", 1);
}

static void endpoints_follow_the_settings(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    b.settings.fips = true;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    assert_string_equal(b.out.requests[0]->url, "https://dynamodb-fips.eu-central-1.amazonaws.com/");
    b.settings.dual_stack = true;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    begin_sent(&b, AWS_OP_DESCRIBE_BACKUP, 2);
    assert_string_equal(b.out.requests[0]->url, "https://dynamodb-fips.eu-central-1.api.aws/");
    begin_until(&b, AWS_OP_DESCRIBE_BACKUP, 3, "local", USEC_INFINITY);
    expect_done(&b, 3, AWS_REFUSED, "BadEndpoint", 0);
    b.settings.fips = b.settings.dual_stack = false;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    begin_until(&b, AWS_OP_DESCRIBE_BACKUP, 4, "local", USEC_INFINITY);
    turn_until_news(&b);
    assert_string_equal(b.out.requests[0]->url, "http://localhost:8000/");
    assert_non_null(strstr(header(&b, "Authorization"), "/us-east-1/dynamodb/"));
}

static void keys_are_asked_of_kms(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    b.settings.endpoint_url = "http://127.0.0.1:8000";
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    uint64_t id = begin_sent(&b, AWS_OP_TRY_DATA_KEY, 1);
    assert_string_equal(b.out.requests[0]->url, "https://kms.eu-central-1.amazonaws.com/");
    assert_string_equal(header(&b, "Content-Type"), "application/x-amz-json-1.1");
    assert_string_equal(header(&b, "X-Amz-Target"), "TrentService.GenerateDataKey");
    assert_non_null(strstr(header(&b, "Authorization"), "/eu-central-1/kms/aws4_request"));
    reply(&b, id, 412, "{\"__type\":\"DryRunOperationException\",\"message\":\"It would have succeeded\"}");
    assert_int_equal(expect_done(&b, 1, AWS_OK, "DryRunOperationException", 1)->reply->op, AWS_OP_TRY_DATA_KEY);
    b.settings.kms_endpoint_url = "http://127.0.0.1:8001";
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    begin_sent(&b, AWS_OP_DESCRIBE_KEY, 2);
    assert_string_equal(b.out.requests[0]->url, "http://127.0.0.1:8001/");
}

/* --- deadlines, pause, cancel --- */

static void deadlines_end_calls_wherever_they_are(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    Usec deadline = b.now.mono + 10 * USEC_PER_MSEC;
    begin_until(&b, AWS_OP_EXPORT_TABLE, 1, "eu-central-1", deadline); /* will be under way */
    begin_until(&b, AWS_OP_EXPORT_TABLE, 2, "eu-central-1", deadline); /* will wait for its turn */
    begin_until(&b, AWS_OP_LIST_TABLES, 3, "eu-central-1", deadline);  /* will rest after a throttle */
    begin_until(&b, AWS_OP_LIST_BACKUPS, 4, "eu-central-1", deadline); /* will rest after an unknown outcome */
    begin_until(&b, AWS_OP_LIST_EXPORTS, 5, "eu-central-1", deadline + 1);
    turn(&b);
    assert_int_equal(b.out.n_requests, 4);
    uint64_t late = 0;
    for (size_t i = 0; i < 4; i++) {
        if (b.out.sends[i] == 1)
            late = b.out.requests[i]->id;
        if (b.out.sends[i] == 3)
            reply_with(&b, b.out.requests[i]->id, 400, THROTTLED, "x-amz-retry-after", "5000");
        if (b.out.sends[i] == 4)
            reply_with(&b, b.out.requests[i]->id, 500, FAILURE, "x-amz-retry-after", "5000");
    }
    turn(&b);
    assert_int_equal(b.out.n_done, 0);
    assert_true(b.next_mono == deadline);
    pass(&b, 10 * USEC_PER_MSEC);
    turn(&b);
    assert_int_equal(b.out.n_done, 4);
    static const struct {
        AwsErrorClass class;
        const char *code;
        int n_sends;
    } expected[] = {
        {AWS_UNCERTAIN, "NoReply", 1},
        {AWS_TRANSIENT, "NotSent", 0},
        {AWS_TRANSIENT, "ThrottlingException", 1},
        {AWS_UNCERTAIN, "InternalServerError", 1},
    };
    for (size_t i = 0; i < 4; i++) {
        const CallDone *d = &b.out.done[i];
        assert_int_equal(d->error.class, expected[d->tag - 1].class);
        assert_string_equal(d->error.code, expected[d->tag - 1].code);
        assert_int_equal(d->n_sends, expected[d->tag - 1].n_sends);
    }
    assert_int_equal(client_n_calls(b.client), 1);
    reply(&b, late, 200, BACKUP);
    turn(&b);
    assert_int_equal(b.out.n_done, 0);
}

static void nothing_leaves_after_a_pause(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t resting = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1), under_way = begin_sent(&b, AWS_OP_CREATE_BACKUP, 2),
             throttled = begin_sent(&b, AWS_OP_CREATE_BACKUP, 3);
    reply(&b, resting, 400, THROTTLED);
    begin(&b, AWS_OP_LIST_TABLES, 4);
    begin_until(&b, AWS_OP_LIST_TABLES, 5, "eu-central-1", b.now.mono + USEC_PER_MINUTE);
    client_pause(b.client);
    expect_done(&b, 1, AWS_THROTTLED, "ThrottlingException", 1);
    reply(&b, throttled, 400, THROTTLED);
    expect_done(&b, 3, AWS_THROTTLED, "ThrottlingException", 1);
    reply(&b, under_way, 200, BACKUP);
    expect_done(&b, 2, AWS_OK, "", 1);
    pass(&b, 30 * USEC_PER_SEC);
    turn(&b);
    assert_int_equal(b.out.n_requests + b.out.n_done, 0);
    assert_true(b.next_mono == b.now.mono + 30 * USEC_PER_SEC);
    pass(&b, 30 * USEC_PER_SEC);
    expect_done(&b, 5, AWS_TRANSIENT, "NotSent", 0);
    assert_true(b.next_mono == USEC_INFINITY);
    assert_int_equal(client_n_calls(b.client), 1);
}

static void cancelled_calls_are_gone(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t under_way = begin_sent(&b, AWS_OP_CREATE_BACKUP, 1), resting = begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    reply(&b, resting, 500, FAILURE);
    uint64_t ended = begin_sent(&b, AWS_OP_DESCRIBE_BACKUP, 3);
    reply(&b, ended, 400, DENIED);
    begin_until(&b, AWS_OP_EXPORT_TABLE, 4, "eu-central-1", b.now.mono + 1); /* is queued */
    for (uint64_t tag = 0; tag <= 5; tag++)
        client_cancel(b.client, tag);
    assert_int_equal(client_n_calls(b.client), 0);
    reply(&b, under_way, 200, BACKUP);
    pass(&b, USEC_PER_HOUR);
    turn(&b);
    assert_int_equal(b.out.n_requests + b.out.n_done, 0);
    assert_true(b.next_mono == USEC_INFINITY);
    begin_sent(&b, AWS_OP_CREATE_BACKUP, 1); /* the tag is free again */
}

static void many_calls_are_no_burden(void **state) {
    enum { N = 50000 };
    CLEANUP(bench_done) Bench b = bench_make();
    for (uint64_t i = 0; i < N; i++)
        begin_until(&b, AWS_OP_LIST_TABLES, i, "eu-central-1", b.now.mono + USEC_PER_HOUR + (Usec)i);
    assert_int_equal(client_n_calls(b.client), N);
    for (uint64_t i = 0; i < N; i += 2)
        client_cancel(b.client, i);
    pass(&b, 2 * USEC_PER_HOUR);
    turn(&b);
    assert_int_equal(b.out.n_done, N / 2);
    assert_true(b.out.done[0].tag == 1);
}

/* --- credentials, endpoints, settings --- */

static void without_credentials_calls_end_and_say_so(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    CLEANUP(credentials_free_ptr) Credentials *fresh = make_credentials("AKIDFRESH", "TOKEN");
    begin_sent(&b, AWS_OP_EXPORT_TABLE, 1);
    begin(&b, AWS_OP_EXPORT_TABLE, 2); /* would wait two seconds */
    assert_int_equal(client_set_credentials(b.client, "own", NULL), 0);
    const CallDone *d = expect_done(&b, 2, AWS_CREDENTIALS, "NoCredentials", 0);
    assert_non_null(d->error.hint);
    begin(&b, AWS_OP_LIST_TABLES, 3);
    expect_done(&b, 3, AWS_CREDENTIALS, "NoCredentials", 0);
    CallSpec spec = {.account = "other",
                     .region = "eu-central-1",
                     .request = make_request(AWS_OP_LIST_TABLES),
                     .tag = 4,
                     .deadline_mono = USEC_INFINITY};
    assert_int_equal(client_begin(b.client, &spec, b.now), 0);
    expect_done(&b, 4, AWS_CREDENTIALS, "NoCredentials", 0);
    assert_int_equal(client_set_credentials(b.client, "own", fresh), 0);
    begin_sent(&b, AWS_OP_LIST_TABLES, 5);
    assert_string_equal(header(&b, "X-Amz-Security-Token"), "TOKEN");
    assert_non_null(strstr(header(&b, "Authorization"), "Credential=AKIDFRESH/"));
}

/* Nothing that was derived from the old secret signs with the new one. */
static void another_secret_signs_otherwise(void **state) {
    CLEANUP(bench_done) Bench renewed = bench_make();
    CLEANUP(bench_done) Bench fresh = bench_make();
    CLEANUP(credentials_free_ptr) Credentials *other = make_credentials("AKIDEXAMPLE", NULL);
    assert_int_equal(secret_set(&other->secret_access_key, "another", 7), 0);
    begin_sent(&renewed, AWS_OP_LIST_TABLES, 1);
    AUTO_FREE char *before = strdup(header(&renewed, "Authorization"));
    begin_sent(&renewed, AWS_OP_LIST_TABLES, 2);
    assert_string_equal(header(&renewed, "Authorization"), before);
    assert_int_equal(client_set_credentials(renewed.client, "own", other), 0);
    assert_int_equal(client_set_credentials(fresh.client, "own", other), 0);
    renewed.now.wall = fresh.now.wall;
    begin_sent(&renewed, AWS_OP_DESCRIBE_TABLE, 3);
    begin_sent(&fresh, AWS_OP_DESCRIBE_TABLE, 3);
    begin_sent(&renewed, AWS_OP_LIST_TABLES, 4);
    renewed.now.wall = fresh.now.wall;
    begin_sent(&fresh, AWS_OP_LIST_TABLES, 4);
    assert_string_equal(header(&renewed, "Authorization"), header(&fresh, "Authorization"));
    assert_string_not_equal(header(&renewed, "Authorization"), before);
}

#define EXPIRED                                                                                                        \
    "{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\",\"message\":\"The security token is expired\"}"

static void expired_credentials_are_asked_for_anew_once(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    CLEANUP(credentials_free_ptr) Credentials *fresh = make_credentials("AKIDFRESH", "TOKEN");
    uint64_t id = begin_sent(&b, AWS_OP_EXPORT_TABLE, 1);
    reply(&b, id, 400, EXPIRED);
    expect_done(&b, 1, AWS_CREDENTIALS, "ExpiredTokenException", 1); /* nobody looks for others */
    assert_null(client_expired_account(b.client));
    assert_int_equal(client_await_credentials(b.client, "own"), 0);
    id = begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    reply(&b, id, 400, EXPIRED);
    assert_int_equal(b.out.n_done, 0);
    assert_string_equal(client_expired_account(b.client), "own");
    assert_null(client_expired_account(b.client));
    assert_int_equal(client_set_credentials(b.client, "own", fresh), 0);
    id = expect_again(&b, 2);
    assert_non_null(strstr(header(&b, "Authorization"), "Credential=AKIDFRESH/"));
    reply(&b, id, 400, EXPIRED);
    expect_done(&b, 2, AWS_CREDENTIALS, "ExpiredTokenException", 2);
}

static void calls_wait_for_the_first_credentials(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    CLEANUP(credentials_free_ptr) Credentials *fresh = make_credentials("AKIDFRESH", "TOKEN");
    assert_int_equal(client_set_credentials(b.client, "own", NULL), 0);
    assert_int_equal(client_await_credentials(b.client, "own"), 0);
    begin(&b, AWS_OP_LIST_TABLES, 1);
    Usec next;
    client_outbox_clear(&b.out);
    assert_int_equal(client_turn(b.client, b.now, &b.out, &next), 0);
    assert_true(b.out.n_requests == 0 && b.out.n_done == 0 && next == USEC_INFINITY);
    assert_int_equal(client_set_credentials(b.client, "own", fresh), 0);
    expect_again(&b, 1);
    begin(&b, AWS_OP_EXPORT_TABLE, 2);
    assert_int_equal(client_set_credentials(b.client, "own", NULL), 0); /* none were found */
    expect_done(&b, 2, AWS_CREDENTIALS, "NoCredentials", 0);
}

static void bad_regions_and_urls_are_refused(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    begin_until(&b, AWS_OP_LIST_TABLES, 1, "eu/central", USEC_INFINITY);
    const CallDone *d = expect_done(&b, 1, AWS_REFUSED, "BadEndpoint", 0);
    assert_non_null(d->error.hint);
    b.settings.endpoint_url = "nonsense";
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    begin(&b, AWS_OP_LIST_TABLES, 2);
    expect_done(&b, 2, AWS_REFUSED, "BadEndpoint", 0);
}

static void settings_hold_from_now_on(void **state) {
    CLEANUP(bench_done) Bench b = bench_make();
    uint64_t id = begin_sent(&b, AWS_OP_LIST_TABLES, 1);
    reply(&b, id, 500, FAILURE);
    b.settings.endpoint_url = "http://127.0.0.1:8000";
    b.settings.user_agent = "test/2";
    b.settings.read_timeout_usec = USEC_PER_SEC;
    b.settings.max_attempts = 2;
    b.settings.rate_share = 0.1;
    assert_int_equal(client_configure(b.client, &b.settings), 0);
    id = expect_again(&b, 1);
    assert_string_equal(b.out.requests[0]->url, "http://127.0.0.1:8000/");
    assert_string_equal(header(&b, "User-Agent"), "test/2");
    assert_true(b.out.requests[0]->timeout_usec == USEC_PER_SEC);
    Usec sent = b.now.mono;
    reply(&b, id, 500, FAILURE);
    expect_done(&b, 1, AWS_UNCERTAIN, "InternalServerError", 2);
    begin_sent(&b, AWS_OP_LIST_TABLES, 2);
    assert_true(b.now.mono - sent == 2 * USEC_PER_SEC);
}

UNIT_MAIN(cmocka_unit_test(a_request_is_complete), cmocka_unit_test(it_is_signed_when_it_leaves),
          cmocka_unit_test(replies_reach_their_calls_in_any_order), cmocka_unit_test(rates_are_kept),
          cmocka_unit_test(lanes_do_not_wait_for_each_other), cmocka_unit_test(throttling_slows_the_lane_down),
          cmocka_unit_test(throttling_need_not_slow_the_lane_down),
          cmocka_unit_test(unsigned_requests_need_no_credentials), cmocka_unit_test(endpoints_follow_the_settings),
          cmocka_unit_test(keys_are_asked_of_kms),
          cmocka_unit_test(deadlines_end_calls_wherever_they_are), cmocka_unit_test(nothing_leaves_after_a_pause),
          cmocka_unit_test(cancelled_calls_are_gone), cmocka_unit_test(many_calls_are_no_burden),
          cmocka_unit_test(without_credentials_calls_end_and_say_so), cmocka_unit_test(another_secret_signs_otherwise),
          cmocka_unit_test(bad_regions_and_urls_are_refused),
          cmocka_unit_test(expired_credentials_are_asked_for_anew_once),
          cmocka_unit_test(calls_wait_for_the_first_credentials), cmocka_unit_test(settings_hold_from_now_on))
