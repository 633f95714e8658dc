#include "driven.h"

#define ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/export/01795399201000-d1e2f3a4"
#define TABLE_ID "11111111-2222-3333-4444-555555555555"

static ExportInfo export_of(const Driven *d, ExportStatus status) {
    return (ExportInfo){.arn = ARN,
                        .status = status,
                        .status_text = "word",
                        .client_token = d->run->name,
                        .table_id = TABLE_ID,
                        .start_wall = WALL_UNKNOWN,
                        .end_wall = WALL_UNKNOWN,
                        .export_wall = T0 - 5 * USEC_PER_MINUTE,
                        .billed_size_bytes = COUNT_UNKNOWN,
                        .item_count = 42,
                        .from_wall = WALL_UNKNOWN,
                        .to_wall = WALL_UNKNOWN};
}

static void answer(Driven *d, AwsOp op, ExportInfo info) { driven_answer(d, &(AwsReply){.op = op, .export = info}); }

static void answer_list(Driven *d, ExportInfo *items, size_t n, char *next) {
    driven_answer(d, &(AwsReply){.op = AWS_OP_LIST_EXPORTS, .exports = {.items = items, .n_items = n, .next = next}});
}

static void the_straight_way(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(driven_ask(&d, &q), AWS_OP_EXPORT_TABLE);
    assert_string_equal(q->export_table.s3_bucket, "acme-111111111111");
    assert_string_equal(q->export_table.s3_prefix, "orders/nightly");
    assert_string_equal(q->export_table.client_token, d.run->name);
    assert_int_equal(strlen(d.run->name), 64);
    answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    assert_int_equal(driven_ask(&d, NULL), AWS_OP_DESCRIBE_EXPORT);
    answer(&d, AWS_OP_DESCRIBE_EXPORT, export_of(&d, EXPORT_UNKNOWN));
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    answer(&d, AWS_OP_DESCRIBE_EXPORT, export_of(&d, EXPORT_COMPLETED));
    assert_int_equal(d.run->state, RUN_SUCCEEDED);
    assert_int_equal(d.run->artefact->created_wall, T0 - 5 * USEC_PER_MINUTE);
    assert_int_equal(d.run->artefact->item_count, 42);
}

/* The token makes a repetition safe: the same request leaves again. */
static void a_lost_reply_is_repeated_with_its_token(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    CLEANUP(aws_request_free_ptr) AwsRequest *first = NULL, *second = NULL;
    driven_ask(&d, &first);
    driven_fail(&d, AWS_UNCERTAIN, "NoReply");
    driven_pass(&d, 6 * USEC_PER_HOUR);
    assert_int_equal(driven_ask(&d, &second), AWS_OP_EXPORT_TABLE);
    assert_string_equal(first->export_table.client_token, second->export_table.client_token);
    answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
}

/* More than 7 hours after the first send the token may be forgotten: it is looked for. */
static void an_old_token_is_looked_for(void **state) {
    for (int ours = 0; ours < 2; ours++) {
        CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
        driven_ask(&d, NULL);
        driven_fail(&d, AWS_UNCERTAIN, "NoReply");
        driven_pass(&d, 7 * USEC_PER_HOUR);
        assert_int_equal(driven_ask(&d, NULL), AWS_OP_LIST_EXPORTS);
        ExportInfo items[] = {export_of(&d, EXPORT_COMPLETED), export_of(&d, EXPORT_COMPLETED)};
        items[0].arn = "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/export/01795300000000-00000001";
        answer_list(&d, items, 1, "page-2");
        assert_int_equal(driven_ask(&d, NULL), AWS_OP_LIST_EXPORTS);
        answer_list(&d, items + 1, 1, NULL);
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        assert_int_equal(driven_ask(&d, &q), AWS_OP_DESCRIBE_EXPORT);
        assert_string_equal(q->describe_export.arn, ARN);
        ExportInfo found = export_of(&d, EXPORT_COMPLETED);
        if (!ours)
            found.client_token = "somebody else's";
        answer(&d, AWS_OP_DESCRIBE_EXPORT, found);
        assert_int_equal(d.run->state, ours ? RUN_SUCCEEDED : RUN_INTENDED);
        if (!ours)
            assert_int_equal(driven_ask(&d, NULL), AWS_OP_EXPORT_TABLE);
    }
}

static void a_failed_export_gets_one_new_token(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    ExportInfo failed = export_of(&d, EXPORT_FAILED);
    failed.failure_code = "UNKNOWN";
    failed.failure_message = "an internal error";
    AUTO_FREE char *token = strdup(d.run->name);
    failed.client_token = token;
    driven_ask(&d, NULL);
    answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
    answer(&d, AWS_OP_DESCRIBE_EXPORT, failed);
    assert_int_equal(d.run->state, RUN_INTENDED);
    assert_int_equal(d.run->attempt, 2);
    assert_string_not_equal(d.run->name, token);
    assert_int_equal(d.run->failed_artefact->life, ARTEFACT_FAILED);
    driven_ask(&d, NULL);
    answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
    answer(&d, AWS_OP_DESCRIBE_EXPORT, failed);
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_non_null(strstr(d.run->why, "an internal error"));
}

static void a_failure_that_a_person_must_mend(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    ExportInfo failed = export_of(&d, EXPORT_FAILED);
    failed.failure_code = "S3NoSuchBucket";
    driven_ask(&d, NULL);
    answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
    answer(&d, AWS_OP_DESCRIBE_EXPORT, failed);
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_non_null(strstr(d.run->hint, "bucket"));
}

/* What AWS calls such failures is not known in full: another token first, and then where to look. */
static void a_key_that_cannot_be_used(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    for (int attempt = 1; attempt <= 2; attempt++) {
        driven_ask(&d, NULL);
        answer(&d, AWS_OP_EXPORT_TABLE, export_of(&d, EXPORT_IN_PROGRESS));
        ExportInfo failed = export_of(&d, EXPORT_FAILED);
        failed.failure_code = "KmsDisabledException";
        answer(&d, AWS_OP_DESCRIBE_EXPORT, failed);
        assert_int_equal(d.run->state, attempt == 1 ? RUN_INTENDED : RUN_FAILED);
    }
    assert_non_null(strstr(d.run->hint, "ddbackupctl doctor"));
}

static void of_another_table_is_no_success(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    ExportInfo info = export_of(&d, EXPORT_COMPLETED);
    info.table_id = "another";
    driven_ask(&d, NULL);
    answer(&d, AWS_OP_EXPORT_TABLE, info);
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_int_equal(d.run->artefact->life, ARTEFACT_DISPROVED);
}

/* What lies in the bucket is not what was asked for: the same token would answer with the same export. */
static void bad_content_is_asked_for_again_once(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_EXPORT);
    AUTO_FREE char *token = strdup(d.run->name);
    d.run->verify = VERIFY_MANIFEST;
    for (int attempt = 1; attempt <= 2; attempt++) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        assert_int_equal(driven_ask(&d, &q), AWS_OP_EXPORT_TABLE);
        assert_int_equal(strcmp(q->export_table.client_token, token) == 0, attempt == 1);
        ExportInfo completed = export_of(&d, EXPORT_COMPLETED);
        completed.manifest_key = "orders/nightly/AWSDynamoDB/01795399201000-d1e2f3a4/manifest-summary.json";
        answer(&d, AWS_OP_EXPORT_TABLE, completed);
        assert_int_equal(d.run->state, RUN_VERIFYING);
        assert_int_equal(driven_ask(&d, NULL), AWS_OP_GET_OBJECT);
        driven_fail(&d, AWS_DENIED, "AccessDenied");
        assert_int_equal(d.run->state, RUN_VERIFYING);
        driven_ask(&d, NULL);
        driven_fail(&d, AWS_NOT_FOUND, "NoSuchKey");
        assert_int_equal(d.run->state, attempt == 1 ? RUN_INTENDED : RUN_FAILED);
        assert_int_equal((attempt == 1 ? d.run->failed_artefact : d.run->artefact)->life, ARTEFACT_DISPROVED);
        assert_int_equal(d.run->attempt, 2);
    }
    assert_non_null(strstr(d.run->why, "manifest-summary.json is not there"));
}

/* --- links --- */

#define FROM (T0 - USEC_PER_HOUR)

/* A link of [FROM, T0) of a chain that starts an hour before it. */
static Driven link_made(int attempt) {
    Driven d = driven_make(ACTION_EXPORT);
    Run *r = NULL;
    assert_int_equal(run_new(2, &r), 0);
    r->action = ACTION_INCREMENTAL;
    r->chain_id = 1;
    r->from_wall = FROM;
    r->to_wall = T0;
    r->attempt = attempt;
    assert_int_equal(text_set(&r->schedule, "half") | text_set(&r->account, ACCOUNT_OWN) |
                         text_set(&r->region, "eu-central-1") | text_set(&r->table, "orders") |
                         text_set(&r->table_id, TABLE_ID) | text_set(&r->table_arn, d.run->table_arn) |
                         text_set(&r->view_type, "NEW_IMAGE") | text_set(&r->s3.bucket, "acme-%{account}"),
                     0);
    run_free(d.run);
    d.run = r;
    assert_int_equal(export_intend_link(r, &d.context, FROM - USEC_PER_HOUR, d.now), 0);
    return d;
}

static ExportInfo window_of(const Driven *d, ExportStatus status, Usec from_wall) {
    ExportInfo info = export_of(d, status);
    info.type = "INCREMENTAL_EXPORT";
    info.export_wall = WALL_UNKNOWN;
    info.from_wall = from_wall;
    info.to_wall = T0;
    return info;
}

static void a_link_asks_for_its_window(void **state) {
    CLEANUP(driven_done) Driven d = link_made(1);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(d.run->state, RUN_INTENDED);
    assert_int_equal(driven_ask(&d, &q), AWS_OP_EXPORT_TABLE);
    assert_true(q->export_table.from_wall == FROM && q->export_table.to_wall == T0);
    assert_string_equal(q->export_table.view_type, "NEW_IMAGE");
    assert_string_equal(q->export_table.s3_bucket, "acme-111111111111");
    answer(&d, AWS_OP_EXPORT_TABLE, window_of(&d, EXPORT_IN_PROGRESS, FROM));
    answer(&d, AWS_OP_DESCRIBE_EXPORT, window_of(&d, EXPORT_COMPLETED, FROM));
    assert_int_equal(d.run->state, RUN_SUCCEEDED);
    assert_true(d.run->artefact->created_wall == T0);
}

/* Each attempt has a token of its own; the same attempt has the same after a restart. */
static void a_link_has_a_token_of_its_own(void **state) {
    CLEANUP(driven_done) Driven d = link_made(1), again = link_made(1), next = link_made(2);
    assert_int_equal(strlen(d.run->name), 64);
    assert_string_equal(d.run->name, again.run->name);
    assert_string_not_equal(d.run->name, next.run->name);
}

/* What is refused waits: whether its window is lost is not the link's to say. A failed export ends this attempt. */
static void a_link_gives_up_only_what_failed(void **state) {
    static const AwsErrorClass refusals[] = {AWS_DENIED, AWS_REFUSED, AWS_PITR_OFF, AWS_TIME_REFUSED, AWS_NOT_FOUND};
    CLEANUP(driven_done) Driven d = link_made(1);
    for (int i = 0; i < 20; i++) {
        driven_ask(&d, NULL);
        driven_fail(&d, refusals[i % (int)ARRAY_SIZE(refusals)], "No");
        assert_int_equal(d.run->state, RUN_INTENDED);
    }
    ExportInfo failed = window_of(&d, EXPORT_FAILED, FROM);
    failed.failure_code = "UNKNOWN";
    driven_ask(&d, NULL);
    answer(&d, AWS_OP_EXPORT_TABLE, failed);
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_int_equal(d.run->attempt, 1);
    assert_int_equal(d.run->artefact->life, ARTEFACT_FAILED);
}

static void a_link_of_another_window_is_no_success(void **state) {
    for (int full = 0; full < 2; full++) {
        CLEANUP(driven_done) Driven d = link_made(1);
        ExportInfo info = window_of(&d, EXPORT_COMPLETED, full ? FROM : FROM - USEC_PER_SEC);
        if (full)
            info.type = "FULL_EXPORT";
        driven_ask(&d, NULL);
        answer(&d, AWS_OP_EXPORT_TABLE, info);
        assert_int_equal(d.run->state, RUN_FAILED);
        assert_int_equal(d.run->artefact->life, ARTEFACT_DISPROVED);
    }
}

UNIT_MAIN(cmocka_unit_test(the_straight_way), cmocka_unit_test(a_lost_reply_is_repeated_with_its_token),
          cmocka_unit_test(an_old_token_is_looked_for), cmocka_unit_test(a_failed_export_gets_one_new_token),
          cmocka_unit_test(a_failure_that_a_person_must_mend),
          cmocka_unit_test(a_key_that_cannot_be_used), cmocka_unit_test(of_another_table_is_no_success),
          cmocka_unit_test(bad_content_is_asked_for_again_once), cmocka_unit_test(a_link_asks_for_its_window),
          cmocka_unit_test(a_link_has_a_token_of_its_own), cmocka_unit_test(a_link_gives_up_only_what_failed),
          cmocka_unit_test(a_link_of_another_window_is_no_success))
