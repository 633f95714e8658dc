#include "driven.h"

#define ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/01795399201000-2779fadd"
#define TABLE_ID "11111111-2222-3333-4444-555555555555"

static BackupInfo backup(const Driven *d, BackupStatus status, const char *table_id) {
    return (BackupInfo){.arn = ARN,
                        .name = d->run->name,
                        .status = status,
                        .status_text = status == BACKUP_AVAILABLE ? "AVAILABLE" : "CREATING",
                        .size_bytes = 10,
                        .item_count = COUNT_UNKNOWN,
                        .table_size_bytes = COUNT_UNKNOWN,
                        .created_wall = T0 + USEC_PER_SEC,
                        .expires_wall = WALL_UNKNOWN,
                        .table_created_wall = WALL_UNKNOWN,
                        .table_id = (char *)table_id};
}

static void answer_backup(Driven *d, AwsOp op, BackupStatus status, const char *table_id) {
    driven_answer(d, &(AwsReply){.op = op, .backup = backup(d, status, table_id)});
}

static void answer_list(Driven *d, BackupInfo *items, size_t n, char *next) {
    driven_answer(d, &(AwsReply){.op = AWS_OP_LIST_BACKUPS, .backups = {.items = items, .n_items = n, .next = next}});
}

static void a_name_says_whose_it_is(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    assert_memory_equal(d.run->name, "acme.nightly.20261123T020000Z.", 30);
    assert_int_equal(strlen(d.run->name), 38);
    assert_string_equal(d.run->table_id, TABLE_ID);
}

static void the_straight_way(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(driven_ask(&d, &q), AWS_OP_CREATE_BACKUP);
    assert_string_equal(q->create_backup.table, "orders");
    assert_string_equal(q->create_backup.name, d.run->name);
    answer_backup(&d, AWS_OP_CREATE_BACKUP, BACKUP_CREATING, NULL);
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    assert_int_equal(driven_ask(&d, NULL), AWS_OP_DESCRIBE_BACKUP);
    answer_backup(&d, AWS_OP_DESCRIBE_BACKUP, BACKUP_CREATING, TABLE_ID);
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    answer_backup(&d, AWS_OP_DESCRIBE_BACKUP, BACKUP_UNKNOWN, TABLE_ID);
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    answer_backup(&d, AWS_OP_DESCRIBE_BACKUP, BACKUP_AVAILABLE, TABLE_ID);
    assert_int_equal(d.run->state, RUN_SUCCEEDED);
    assert_int_equal(d.run->artefact->life, ARTEFACT_VERIFIED);
    assert_int_equal(d.run->artefact->created_wall, T0 + USEC_PER_SEC);
}

static void another_incarnation_is_no_success(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    driven_ask(&d, NULL);
    answer_backup(&d, AWS_OP_CREATE_BACKUP, BACKUP_CREATING, NULL);
    answer_backup(&d, AWS_OP_DESCRIBE_BACKUP, BACKUP_AVAILABLE, "another-table-id");
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_int_equal(d.run->artefact->life, ARTEFACT_DISPROVED);
    assert_non_null(strstr(d.run->why, "another-table-id"));
}

/* A lost reply: nothing is asked again before the request is dead and the listing has caught up. */
static void a_lost_reply_is_looked_for(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    driven_ask(&d, NULL);
    driven_fail(&d, AWS_UNCERTAIN, "NoReply");
    assert_int_equal(d.run->state, RUN_UNCERTAIN);
    Usec last_look = 0;
    for (int looks = 0; d.run->state == RUN_UNCERTAIN && looks < 100; looks++) {
        driven_pass(&d, d.wait);
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        assert_int_equal(driven_ask(&d, &q), AWS_OP_LIST_BACKUPS);
        assert_int_equal(q->list_backups.lower_wall, T0 - USEC_PER_DAY);
        last_look = d.now.wall;
        answer_list(&d, NULL, 0, NULL);
    }
    assert_int_equal(d.run->state, RUN_INTENDED);
    assert_int_equal(last_look, T0 + DRIVE_LOOK_AGAIN_USEC + LAG);
    assert_int_equal(driven_ask(&d, NULL), AWS_OP_CREATE_BACKUP);
    assert_int_equal(d.run->n_sends, 2);
}

static void what_is_found_is_adopted(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    driven_ask(&d, NULL);
    driven_fail(&d, AWS_UNCERTAIN, "NoReply");
    BackupInfo items[] = {backup(&d, BACKUP_AVAILABLE, "another-table-id"), backup(&d, BACKUP_AVAILABLE, TABLE_ID),
                          backup(&d, BACKUP_AVAILABLE, TABLE_ID), backup(&d, BACKUP_AVAILABLE, TABLE_ID)};
    items[1].name = "acme.nightly.20261122T020000Z.00000000";
    items[2].arn = "arn:of-the-later-one";
    items[2].created_wall += USEC_PER_MINUTE;
    driven_ask(&d, NULL);
    answer_list(&d, items, 2, "page-2");
    assert_int_equal(d.run->state, RUN_UNCERTAIN);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(driven_ask(&d, &q), AWS_OP_LIST_BACKUPS);
    assert_string_equal(q->list_backups.start_arn, "page-2");
    answer_list(&d, items + 2, 2, NULL);
    assert_int_equal(d.run->state, RUN_IN_PROGRESS);
    assert_string_equal(d.run->artefact->arn, ARN);
    assert_non_null(strstr(d.run->why, "2 backups of this name exist"));
    answer_backup(&d, AWS_OP_DESCRIBE_BACKUP, BACKUP_AVAILABLE, TABLE_ID);
    assert_int_equal(d.run->state, RUN_SUCCEEDED);
    assert_int_equal(d.run->n_sends, 1);
}

/* A listing that fails halfway proves nothing, and is begun anew. */
static void half_a_listing_proves_nothing(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    driven_ask(&d, NULL);
    driven_fail(&d, AWS_UNCERTAIN, "NoReply");
    driven_pass(&d, USEC_PER_HOUR);
    driven_ask(&d, NULL);
    answer_list(&d, NULL, 0, "page-2");
    driven_ask(&d, NULL);
    driven_fail(&d, AWS_UNCERTAIN, "NoReply");
    assert_int_equal(d.run->state, RUN_UNCERTAIN);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    driven_ask(&d, &q);
    assert_null(q->list_backups.start_arn);
    answer_list(&d, NULL, 0, "page-2");
    driven_ask(&d, NULL);
    answer_list(&d, NULL, 0, "page-2");
    assert_int_equal(d.run->state, RUN_UNCERTAIN);
    assert_non_null(strstr(d.run->why, "does not end"));
}

static void errors_of_the_request(void **state) {
    static const struct {
        AwsErrorClass class;
        RunState to;
    } rows[] = {
        {AWS_THROTTLED, RUN_INTENDED},   {AWS_TRANSIENT, RUN_INTENDED},   {AWS_UNCERTAIN, RUN_UNCERTAIN},
        {AWS_NOT_READY, RUN_INTENDED},   {AWS_QUOTA, RUN_INTENDED},       {AWS_NOT_FOUND, RUN_INTENDED},
        {AWS_CREDENTIALS, RUN_INTENDED}, {AWS_CLOCK_SKEW, RUN_INTENDED},  {AWS_DENIED, RUN_FAILED},
        {AWS_REFUSED, RUN_FAILED},       {AWS_TIME_REFUSED, RUN_INTENDED}, {AWS_PITR_OFF, RUN_FAILED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
        driven_ask(&d, NULL);
        driven_fail(&d, rows[i].class, "Code");
        assert_int_equal(d.run->state, rows[i].to);
        assert_string_equal(d.run->why, "Code");
        assert_true(run_is_settled(d.run) || (d.wait > 0 && d.wait <= 15 * USEC_PER_MINUTE));
    }
}

static void a_table_that_stays_away_fails(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    int n = 0;
    for (; d.run->state == RUN_INTENDED && n < 50; n++) {
        driven_ask(&d, NULL);
        driven_fail(&d, AWS_NOT_FOUND, "TableNotFoundException");
    }
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_in_range(n, 3, 10);
}

static void deleted_by_somebody(void **state) {
    CLEANUP(driven_done) Driven d = driven_make(ACTION_BACKUP);
    driven_ask(&d, NULL);
    answer_backup(&d, AWS_OP_CREATE_BACKUP, BACKUP_CREATING, NULL);
    for (int i = 0; i <= DRIVE_GONE_AFTER; i++) {
        assert_int_equal(d.run->state, RUN_IN_PROGRESS);
        driven_fail(&d, AWS_NOT_FOUND, "BackupNotFoundException");
    }
    assert_int_equal(d.run->state, RUN_FAILED);
    assert_int_equal(d.run->artefact->life, ARTEFACT_GONE);
}

UNIT_MAIN(cmocka_unit_test(a_name_says_whose_it_is), cmocka_unit_test(the_straight_way),
          cmocka_unit_test(another_incarnation_is_no_success), cmocka_unit_test(a_lost_reply_is_looked_for),
          cmocka_unit_test(what_is_found_is_adopted), cmocka_unit_test(half_a_listing_proves_nothing),
          cmocka_unit_test(errors_of_the_request), cmocka_unit_test(a_table_that_stays_away_fails),
          cmocka_unit_test(deleted_by_somebody))
