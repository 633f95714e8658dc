#pragma once
/* A run and its answers by hand, for the tests of core/run/backup.c and core/run/export.c. */

#include "core/run/drive.h"

#include "unit.h"

#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */
#define LAG (5 * USEC_PER_MINUTE)

typedef struct Driven {
    Target *target;
    Run *run;
    DriveContext context;
    Now now;
    Usec wait;
} Driven;

static inline void driven_done(Driven *d) {
    run_free(d->run);
    target_free(d->target);
}

static inline void driven_pass(Driven *d, Usec usec) {
    d->now.wall += usec;
    d->now.mono += usec;
}

/* A due run of a table that was described just now. */
static inline Driven driven_make(Action action) {
    Driven d = {.now = {.wall = T0, .mono = USEC_PER_HOUR}};
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &d.target), 0);
    TableInfo info = {.name = "orders",
                      .arn = "arn:aws:dynamodb:eu-central-1:111111111111:table/orders",
                      .id = "11111111-2222-3333-4444-555555555555",
                      .status = "ACTIVE"};
    assert_int_equal(target_describe(d.target, &info, T0), 0);
    assert_int_equal(run_new(1, &d.run), 0);
    Run *r = d.run;
    r->action = action;
    r->slot_wall = r->due_wall = T0;
    r->start_by_wall = T0 + 6 * USEC_PER_HOUR;
    r->finish_by_wall = T0 + USEC_PER_DAY;
    assert_int_equal(text_set(&r->schedule, "nightly") | text_set(&r->account, ACCOUNT_OWN) |
                         text_set(&r->region, "eu-central-1") | text_set(&r->table, "orders") |
                         text_set(&r->s3.bucket, "acme-%{account}") | text_set(&r->s3.prefix, "%{table}/%{schedule}"),
                     0);
    d.context = (DriveContext){.deployment = "acme", .listing_lag_usec = LAG, .target = d.target};
    assert_int_equal(drive_prepare(r, &d.context, d.now), 0);
    assert_int_equal(r->state, RUN_INTENDED);
    return d;
}

/* The next request's operation; the request itself goes to *ret, or is dropped. */
static inline AwsOp driven_ask(Driven *d, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    bool asks = false;
    assert_int_equal(drive_request(d->run, &d->context, d->now, &q, &asks), 0);
    AwsOp op = q->op;
    assert_int_equal(asks, op == AWS_OP_CREATE_BACKUP || op == AWS_OP_EXPORT_TABLE);
    if (asks)
        run_apply(d->run, RUN_EV_SENT, NULL, d->now);
    if (ret)
        *ret = TAKE_PTR(q);
    return op;
}

static inline void driven_fail(Driven *d, AwsErrorClass class, const char *code) {
    CallDone done = {.error = {.class = class}};
    snprintf(done.error.code, sizeof done.error.code, "%s", code);
    assert_int_equal(drive_answer(d->run, &d->context, &done, d->now, &d->wait), 0);
}

/* Answers with a reply whose strings are literals: nothing is freed. */
static inline void driven_answer(Driven *d, AwsReply *reply) {
    CallDone done = {.reply = reply};
    assert_int_equal(drive_answer(d->run, &d->context, &done, d->now, &d->wait), 0);
}
