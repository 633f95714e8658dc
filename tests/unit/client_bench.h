#pragma once
/* A client with scripted replies on virtual clocks, for the tests of core/aws/client.c and core/aws/call.c. */

#include "core/aws/client.h"

#include "base/text.h"

#include "unit.h"

#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */
#define THROTTLED "{\"__type\":\"com.amazon.coral.availability#ThrottlingException\",\"message\":\"Rate exceeded\"}"
#define SKEWED                                                                                                         \
    "{\"__type\":\"com.amazon.coral.service#InvalidSignatureException\",\"message\":\"Signature expired: x is now "    \
    "earlier than y (z - 5 min.)\"}"
#define DENIED "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"Message\":\"no\"}"
#define FAILURE "{\"__type\":\"com.amazonaws.dynamodb.v20120810#InternalServerError\",\"message\":\"\"}"
#define TABLES "{\"TableNames\":[]}"
#define BACKUP                                                                                                         \
    "{\"BackupDetails\":{\"BackupArn\":\"arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/"              \
    "01795399200000-11112222\",\"BackupName\":\"name\",\"BackupStatus\":\"CREATING\",\"BackupType\":\"USER\","         \
    "\"BackupSizeBytes\":0,\"BackupCreationDateTime\":1795399200.0}}"

typedef struct Bench {
    Client *client;
    ClientOutbox out;
    ClientSettings settings;
    Now now;
    Usec next_mono;
} Bench;

static inline Credentials *make_credentials(const char *key_id, const char *token) {
    Credentials *c = calloc(1, sizeof *c);
    assert_non_null(c);
    assert_int_equal(text_set(&c->access_key_id, key_id), 0);
    assert_int_equal(secret_set(&c->secret_access_key, "secret", 6), 0);
    if (token)
        assert_int_equal(secret_set(&c->session_token, token, strlen(token)), 0);
    c->expires_wall = USEC_INFINITY;
    return c;
}

static inline Bench bench_make(void) {
    Bench b = {.now = {.wall = T0, .mono = USEC_PER_HOUR}};
    b.settings = (ClientSettings){
        .connect_timeout_usec = 5 * USEC_PER_SEC,
        .read_timeout_usec = USEC_PER_MINUTE,
        .max_attempts = 4,
        .rate_share = 1,
        .user_agent = "test/1",
    };
    CLEANUP(credentials_free_ptr) Credentials *c = make_credentials("AKIDEXAMPLE", NULL);
    assert_int_equal(client_new(&b.settings, 42, &b.client), 0);
    assert_int_equal(client_set_credentials(b.client, "own", c), 0);
    return b;
}

static inline void bench_done(Bench *b) {
    client_outbox_done(&b->out);
    client_free(b->client);
}

static inline void turn(Bench *b) {
    client_outbox_clear(&b->out);
    assert_int_equal(client_turn(b->client, b->now, &b->out, &b->next_mono), 0);
}

static inline void pass(Bench *b, Usec usec) {
    b->now.mono += usec;
    b->now.wall += usec;
}

/* Turns once, and again at the instants that the client asks for, until something leaves or ends. */
static inline void turn_until_news(Bench *b) {
    for (turn(b); b->out.n_requests == 0 && b->out.n_done == 0; turn(b)) {
        assert_true(b->next_mono != USEC_INFINITY);
        assert_true(b->next_mono > b->now.mono);
        pass(b, b->next_mono - b->now.mono);
    }
}

static inline AwsRequest *make_request(AwsOp op) {
    AwsRequest *q = aws_request_new(op);
    assert_non_null(q);
    if (op == AWS_OP_CREATE_BACKUP)
        assert_int_equal(text_set(&q->create_backup.table, "orders") | text_set(&q->create_backup.name, "name"), 0);
    if (op == AWS_OP_EXPORT_TABLE)
        assert_int_equal(text_set(&q->export_table.table_arn, "arn") | text_set(&q->export_table.s3_bucket, "b") |
                             text_set(&q->export_table.client_token, "t"),
                         0);
    if (op == AWS_OP_DESCRIBE_BACKUP)
        assert_int_equal(text_set(&q->describe_backup.arn, "arn"), 0);
    if (op == AWS_OP_DESCRIBE_KEY || op == AWS_OP_TRY_DATA_KEY)
        assert_int_equal(text_set(&q->key.id, "key") | text_set(&q->key.object_arn, "arn"), 0);
    return q;
}

static inline void begin_until(Bench *b, AwsOp op, uint64_t tag, const char *region, Usec deadline_mono) {
    CallSpec spec = {
        .account = "own", .region = region, .request = make_request(op), .tag = tag, .deadline_mono = deadline_mono};
    assert_int_equal(client_begin(b->client, &spec, b->now), 0);
}

static inline void begin(Bench *b, AwsOp op, uint64_t tag) { begin_until(b, op, tag, "eu-central-1", USEC_INFINITY); }

/* Begins it and takes it to where its request has left; returns the request's id. */
static inline uint64_t begin_sent(Bench *b, AwsOp op, uint64_t tag) {
    begin(b, op, tag);
    turn_until_news(b);
    assert_int_equal(b->out.n_requests, 1);
    assert_true(b->out.sends[0] == tag);
    return b->out.requests[0]->id;
}

static inline HttpReply *make_reply(uint64_t id, int status, const char *body) {
    HttpReply *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *r = (HttpReply){.id = id,
                     .outcome = HTTP_REPLIED,
                     .status = status,
                     .body = strdup(body),
                     .body_len = strlen(body)};
    return r;
}

static inline void reply(Bench *b, uint64_t id, int status, const char *body) {
    assert_int_equal(client_reply(b->client, make_reply(id, status, body), b->now), 0);
}

static inline void reply_with(Bench *b, uint64_t id, int status, const char *body, const char *name,
                              const char *value) {
    HttpReply *r = make_reply(id, status, body);
    assert_int_equal(http_headers_add(&r->headers, name, value), 0);
    assert_int_equal(client_reply(b->client, r, b->now), 0);
}

static inline void break_off(Bench *b, uint64_t id, HttpOutcome outcome) {
    HttpReply *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *r = (HttpReply){.id = id, .outcome = outcome, .error = strdup("it broke")};
    assert_int_equal(client_reply(b->client, r, b->now), 0);
}

/* The next turn ends this call, and nothing else happens in it. */
static inline const CallDone *expect_done(Bench *b, uint64_t tag, AwsErrorClass class, const char *code, int n_sends) {
    turn(b);
    assert_int_equal(b->out.n_requests, 0);
    assert_int_equal(b->out.n_done, 1);
    const CallDone *d = &b->out.done[0];
    assert_true(d->tag == tag);
    assert_string_equal(aws_error_class_to_string(d->error.class), aws_error_class_to_string(class));
    assert_string_equal(d->error.code, code);
    assert_int_equal(d->n_sends, n_sends);
    assert_int_equal(d->reply != NULL, class == AWS_OK);
    return d;
}

/* The next thing that happens is that it is sent again; returns the new id. */
static inline uint64_t expect_again(Bench *b, uint64_t tag) {
    turn_until_news(b);
    assert_int_equal(b->out.n_done, 0);
    assert_int_equal(b->out.n_requests, 1);
    assert_true(b->out.sends[0] == tag);
    return b->out.requests[0]->id;
}

static inline const char *header(const Bench *b, const char *name) {
    return http_headers_get(&b->out.requests[0]->headers, name);
}
