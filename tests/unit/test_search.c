/* The conversation that finds a table's artefacts again, question by question. */

#include "core/run/search.h"

#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"

#include "unit.h"

#define ID "11111111-2222-3333-4444-555555555555"
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */

typedef struct Bench {
    Zone *zone;
    Calendar *when;
    Target *target;
    ScheduleConf schedules[2];
    char *name; /* of the backup of T0 */
    Search search;
    Now now;
} Bench;

static void bench_done(Bench *b) {
    search_done(&b->search);
    target_free(b->target);
    calendar_free(b->when);
    zone_free(b->zone);
    free(b->name);
}

static void bench_init(Bench *b, bool backups, bool exports) {
    CalendarError error;
    *b = (Bench){.now = {.wall = T0 + USEC_PER_DAY, .mono = USEC_PER_HOUR}};
    assert_int_equal(zone_utc(&b->zone), 0);
    assert_int_equal(calendar_parse("02:00", &b->when, &error), 0);
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &b->target), 0);
    for (int i = 0; i < 2; i++) {
        Enrolment *e;
        b->schedules[i] = (ScheduleConf){.name = i ? "full" : "nightly",
                                         .action = i ? ACTION_EXPORT : ACTION_BACKUP,
                                         .when = b->when,
                                         .zone = b->zone,
                                         .start_within_usec = USEC_PER_HOUR,
                                         .finish_within_usec = USEC_PER_DAY};
        assert_int_equal(target_enrol(b->target, b->schedules[i].name, &e), 0);
        e->schedule = (i ? exports : backups) ? &b->schedules[i] : NULL;
    }
    assert_int_equal(backup_name("acme", "111111111111", "eu-central-1", "orders", "nightly", T0, &b->name), 0);
    b->search = (Search){.deployment = "acme", .target = b->target};
}

/* The next question is of this operation, about this ARN or cursor. */
static void ask(Bench *b, AwsOp op, const char *about) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_false(search_is_over(&b->search));
    assert_int_equal(search_request(&b->search, b->now, &q), 0);
    assert_int_equal(q->op, op);
    const char *got = NULL;
    if (op == AWS_OP_DESCRIBE_TABLE)
        got = q->describe_table.table;
    else if (op == AWS_OP_LIST_BACKUPS) {
        assert_string_equal(q->list_backups.table, "orders");
        assert_int_equal(q->list_backups.lower_wall, WALL_UNKNOWN);
        got = q->list_backups.start_arn;
    } else if (op == AWS_OP_DESCRIBE_BACKUP)
        got = q->describe_backup.arn;
    else if (op == AWS_OP_LIST_EXPORTS) {
        assert_string_equal(q->list_exports.table_arn, TABLE_ARN);
        got = q->list_exports.start_token;
    } else
        got = q->describe_export.arn;
    if (!text_equal(got, about))
        fail_msg("asked about %s, not %s", got ? got : "nothing", about ? about : "nothing");
}

static void answer(Bench *b, AwsReply *reply) {
    assert_int_equal(search_answer(&b->search, &(CallDone){.reply = reply}, b->now), 0);
}

static void refuse(Bench *b, AwsErrorClass class) {
    assert_int_equal(search_answer(&b->search, &(CallDone){.error = {.class = class, .code = "No"}}, b->now), 0);
}

static void describe_table(Bench *b) {
    ask(b, AWS_OP_DESCRIBE_TABLE, "orders");
    answer(b, &(AwsReply){.op = AWS_OP_DESCRIBE_TABLE,
                          .table = {.name = "orders", .arn = TABLE_ARN, .id = ID, .status = "ACTIVE"}});
}

static BackupInfo backup_of(const char *arn, const char *name, const char *id) {
    return (BackupInfo){.arn = arn,
                        .name = name,
                        .status = BACKUP_AVAILABLE,
                        .status_text = "AVAILABLE",
                        .size_bytes = COUNT_UNKNOWN,
                        .created_wall = T0,
                        .expires_wall = WALL_UNKNOWN,
                        .table_id = id,
                        .table_size_bytes = COUNT_UNKNOWN,
                        .item_count = COUNT_UNKNOWN,
                        .table_created_wall = WALL_UNKNOWN};
}

static void list_backups(Bench *b, BackupInfo *items, size_t n, char *next) {
    answer(b, &(AwsReply){.op = AWS_OP_LIST_BACKUPS, .backups = {.items = items, .n_items = n, .next = next}});
}

static void list_exports(Bench *b, ExportInfo *items, size_t n, char *next) {
    answer(b, &(AwsReply){.op = AWS_OP_LIST_EXPORTS, .exports = {.items = items, .n_items = n, .next = next}});
}

static ExportInfo export_of(const char *arn, const char *token) {
    return (ExportInfo){.arn = arn,
                        .status = EXPORT_COMPLETED,
                        .status_text = "COMPLETED",
                        .client_token = token,
                        .table_id = ID,
                        .start_wall = T0,
                        .end_wall = WALL_UNKNOWN,
                        .export_wall = T0,
                        .billed_size_bytes = COUNT_UNKNOWN,
                        .item_count = COUNT_UNKNOWN,
                        .from_wall = WALL_UNKNOWN,
                        .to_wall = WALL_UNKNOWN};
}

/* What is ours is kept, and taken from the reply. */
static void describe_export(Bench *b, const char *arn, const char *token) {
    CLEANUP(aws_reply_free_ptr) AwsReply *reply = calloc(1, sizeof *reply);
    assert_non_null(reply);
    *reply = (AwsReply){.op = AWS_OP_DESCRIBE_EXPORT, .export = export_of(NULL, NULL)};
    ExportInfo *e = &reply->export;
    e->arn = strdup(arn);
    e->status_text = strdup("COMPLETED");
    e->client_token = strdup(token);
    e->table_id = strdup(ID);
    answer(b, reply);
}

static void page_by_page(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, true, false);
    AUTO_FREE char *old = NULL;
    assert_int_equal(backup_name("acme", "111111111111", "eu-central-1", "orders", "old", T0, &old), 0);
    BackupInfo first[] = {backup_of("a", b.name, ID), backup_of("b", "by hand", ID)};
    BackupInfo second[] = {backup_of("c", old, ID), backup_of("d", old, ID)};
    describe_table(&b);
    ask(&b, AWS_OP_LIST_BACKUPS, NULL);
    list_backups(&b, first, 2, "page-2");
    ask(&b, AWS_OP_LIST_BACKUPS, "page-2");
    list_backups(&b, NULL, 0, "page-3");
    ask(&b, AWS_OP_LIST_BACKUPS, "page-3");
    list_backups(&b, second, 2, NULL);
    assert_int_equal(b.search.stage, SEARCH_DONE);
    assert_int_equal(b.search.n_runs, 1);
    assert_string_equal(b.search.runs[0]->artefact->arn, "a");
    assert_int_equal(b.search.n_orphans, 1);
    assert_string_equal(b.search.orphans[0].schedule, "old");
    assert_int_equal(b.search.orphans[0].n, 2);
}

static void a_listing_that_turns_in_circles_ends(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, true, false);
    describe_table(&b);
    ask(&b, AWS_OP_LIST_BACKUPS, NULL);
    list_backups(&b, NULL, 0, "page-2");
    ask(&b, AWS_OP_LIST_BACKUPS, "page-2");
    list_backups(&b, NULL, 0, "page-2");
    assert_int_equal(b.search.stage, SEARCH_FAILED);
    assert_non_null(strstr(b.search.error.code, "does not end"));
}

static void what_a_listing_leaves_out_is_asked_for(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, true, false);
    BackupInfo page[] = {backup_of("a", b.name, NULL), backup_of("b", "by hand", NULL), backup_of("c", b.name, NULL),
                         backup_of("d", b.name, NULL)};
    describe_table(&b);
    ask(&b, AWS_OP_LIST_BACKUPS, NULL);
    list_backups(&b, page, 4, NULL);
    assert_int_equal(b.search.n_runs, 0);
    ask(&b, AWS_OP_DESCRIBE_BACKUP, "d");
    refuse(&b, AWS_NOT_FOUND); /* deleted meanwhile */
    ask(&b, AWS_OP_DESCRIBE_BACKUP, "c");
    answer(&b, &(AwsReply){.op = AWS_OP_DESCRIBE_BACKUP, .backup = backup_of("c", b.name, "another")});
    ask(&b, AWS_OP_DESCRIBE_BACKUP, "a");
    answer(&b, &(AwsReply){.op = AWS_OP_DESCRIBE_BACKUP, .backup = backup_of("a", b.name, ID)});
    assert_int_equal(b.search.stage, SEARCH_DONE);
    assert_int_equal(b.search.n_runs, 2);
    assert_int_equal(b.search.runs[0]->state, RUN_FAILED);
    assert_int_equal(b.search.runs[1]->state, RUN_SUCCEEDED);
}

#define EXPORT(id) TABLE_ARN "/export/" id

static void exports_are_described_one_by_one(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, true, true);
    char token[EXPORT_TOKEN_SIZE];
    assert_int_equal(export_token("acme", "111111111111", ID, "full", T0, 1, token), 0);
    /* of now, of 401 days ago, incremental, of now */
    ExportInfo page[] = {
        export_of(EXPORT("01795399200000-a0000000"), NULL), export_of(EXPORT("01760752800000-b0000000"), NULL),
        export_of(EXPORT("01795399200000-c0000000"), NULL), export_of(EXPORT("01795399200000-d0000000"), NULL)};
    page[2].type = "INCREMENTAL_EXPORT";
    describe_table(&b);
    ask(&b, AWS_OP_LIST_BACKUPS, NULL);
    list_backups(&b, NULL, 0, NULL);
    ask(&b, AWS_OP_LIST_EXPORTS, NULL);
    list_exports(&b, page, 2, "more");
    ask(&b, AWS_OP_LIST_EXPORTS, "more");
    list_exports(&b, page + 2, 2, NULL);
    ask(&b, AWS_OP_DESCRIBE_EXPORT, page[3].arn);
    describe_export(&b, page[3].arn, token);
    ask(&b, AWS_OP_DESCRIBE_EXPORT, page[0].arn);
    describe_export(&b, page[0].arn, "somebody's");
    assert_int_equal(b.search.stage, SEARCH_DONE);
    assert_int_equal(b.search.n_runs, 1);
    assert_string_equal(b.search.runs[0]->artefact->arn, page[3].arn);
    assert_int_equal(b.search.n_exports, 1);
    assert_string_equal(b.search.exports[0].arn, page[3].arn);
    assert_int_equal(b.search.n_foreign_exports, 2);
}

static void what_a_refusal_means(void **state) {
    static const struct {
        int n_answers; /* good ones before it: table, backups, exports */
        bool backups;
        AwsErrorClass class;
        SearchStage stage;
    } rows[] = {
        {0, true, AWS_NOT_FOUND, SEARCH_ABSENT},    {0, true, AWS_DENIED, SEARCH_FAILED},
        {0, true, AWS_TRANSIENT, SEARCH_FAILED},    {1, true, AWS_NOT_FOUND, SEARCH_FAILED},
        {1, true, AWS_DENIED, SEARCH_FAILED},       {1, false, AWS_DENIED, SEARCH_EXPORTS},
        {1, false, AWS_TRANSIENT, SEARCH_FAILED},   {2, true, AWS_DENIED, SEARCH_FAILED},
        {3, true, AWS_NOT_FOUND, SEARCH_DONE},      {3, true, AWS_UNCERTAIN, SEARCH_FAILED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b, rows[i].backups, true);
        ExportInfo page[] = {export_of(EXPORT("01795399200000-a0000000"), NULL)};
        if (rows[i].n_answers > 0)
            describe_table(&b);
        if (rows[i].n_answers > 1) {
            ask(&b, AWS_OP_LIST_BACKUPS, NULL);
            list_backups(&b, NULL, 0, NULL);
        }
        if (rows[i].n_answers > 2) {
            ask(&b, AWS_OP_LIST_EXPORTS, NULL);
            list_exports(&b, page, 1, NULL);
        }
        CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
        assert_int_equal(search_request(&b.search, b.now, &q), 0);
        refuse(&b, rows[i].class);
        assert_int_equal(b.search.stage, rows[i].stage);
        assert_string_equal(b.search.error.code, rows[i].stage == SEARCH_FAILED ? "No" : "");
    }
}

UNIT_MAIN(cmocka_unit_test(page_by_page), cmocka_unit_test(a_listing_that_turns_in_circles_ends),
          cmocka_unit_test(what_a_listing_leaves_out_is_asked_for), cmocka_unit_test(exports_are_described_one_by_one),
          cmocka_unit_test(what_a_refusal_means))
