#include "sim/service.h"
#include "sim/service_json.h"

#include "unit.h"

#define NOON INT64_C(1795521600123456) /* 2026-11-24T12:00:00.123456Z */
#define TABLE_ARN "arn:aws:dynamodb:us-east-1:123456789012:table/orders"

/* A service without signatures, and its clock. */
typedef struct Bench {
    Service *service;
    Usec now;
    ServiceReply reply;
    ServiceJson *json; /* of the last reply; NULL when it is no JSON */
} Bench;

static void bench_open(Bench *b, ServiceSettings settings, bool with_rates) {
    ServiceSeed orders = {.name = (char *)"orders", .pitr = true, .n_items = 7, .size_bytes = 1000};
    ServiceSeed plain = {.name = (char *)"plain"};
    settings.without_auth = true;
    settings.without_rates = !with_rates;
    *b = (Bench){.now = NOON};
    assert_int_equal(service_new(&settings, 1, &b->service), 0);
    assert_int_equal(service_add_seed(b->service, &orders), 0);
    assert_int_equal(service_add_seed(b->service, &plain), 0);
}

static void bench_clear(Bench *b) {
    service_reply_done(&b->reply);
    service_json_free(b->json);
    b->json = NULL;
}

static void bench_close(Bench *b) {
    bench_clear(b);
    service_free(b->service);
}

static void handle(Bench *b, const char *region, const char *operation, const char *body, bool held) {
    AUTO_FREE char *target = text_format("DynamoDB_20120810.%s", operation);
    AUTO_FREE char *authorization = text_format(
        "AWS4-HMAC-SHA256 Credential=AK/20261124/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=0", region);
    ServiceHeader headers[] = {
        {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", target}, {"Authorization", authorization}};
    ServiceRequest q = {.method = "POST",
                        .target = "/",
                        .headers = headers,
                        .n_headers = 3,
                        .body = body,
                        .body_len = strlen(body),
                        .held = held};
    bench_clear(b);
    service_handle(b->service, b->now, &q, &b->reply);
    (void)service_json_parse(text_get(&b->reply.body), b->reply.body.len, &b->json);
}

/* Makes a call and expects a code; "" for success. */
static void call(Bench *b, const char *operation, const char *body, const char *code) {
    handle(b, "us-east-1", operation, body, false);
    if (strcmp(b->reply.code, code) != 0)
        fail_msg("%s %s: %s, expected %s: %s", operation, body, b->reply.code, code, text_get(&b->reply.body));
    assert_int_equal(b->reply.status, *code ? 400 : 200);
}

static void expect_message(Bench *b, const char *message) {
    const char *said = service_json_get_string(b->json, "message");
    if (!said)
        said = service_json_get_string(b->json, "Message");
    assert_non_null(said);
    assert_string_equal(said, message);
}

/* The value at a path of names: "BackupDetails.BackupStatus"; a number picks from a list. */
static const ServiceJson *at(const Bench *b, const char *path) {
    const ServiceJson *j = b->json;
    while (*path && j) {
        char name[64];
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        if (j->type == SERVICE_JSON_LIST) {
            const ServiceJson *item = j->first;
            for (long i = strtol(name, NULL, 10); i > 0 && item; i--)
                item = item->next;
            j = item;
        } else
            j = service_json_get(j, name);
        path += n + (path[n] ? 1 : 0);
    }
    return j;
}

static const char *text_at(const Bench *b, const char *path) {
    const ServiceJson *j = at(b, path);
    return j && j->text ? j->text : "(absent)";
}

static size_t count_at(const Bench *b, const char *path) {
    const ServiceJson *j = at(b, path);
    return j ? j->n_items : 0;
}

static void make_backup(Bench *b, const char *name, char arn[static 200]) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"orders\",\"BackupName\":\"%s\"}", name);
    call(b, "CreateBackup", body, "");
    snprintf(arn, 200, "%s", text_at(b, "BackupDetails.BackupArn"));
}

static void call_arn(Bench *b, const char *operation, const char *member, const char *arn, const char *code) {
    AUTO_FREE char *body = text_format("{\"%s\":\"%s\"}", member, arn);
    call(b, operation, body, code);
}

/* ---- backups ---- */

static void life_of_a_backup(void **state) {
    Bench b;
    char arn[200];
    ServiceSettings settings = service_settings_default();
    settings.backup_usec = 3 * USEC_PER_SEC;
    bench_open(&b, settings, false);
    make_backup(&b, "nightly", arn);
    assert_true(b.reply.effect);
    assert_true(text_starts_with(arn, TABLE_ARN "/backup/01795521600123-"));
    assert_int_equal(strlen(arn), strlen(TABLE_ARN "/backup/01795521600123-2779fadd"));
    assert_string_equal(text_at(&b, "BackupDetails.BackupStatus"), "CREATING");
    assert_string_equal(text_at(&b, "BackupDetails.BackupCreationDateTime"), "1795521600.123");
    assert_null(at(&b, "BackupDetails.BackupExpiryDateTime"));
    b.now += 3 * USEC_PER_SEC - 1;
    call_arn(&b, "DescribeBackup", "BackupArn", arn, "");
    assert_string_equal(text_at(&b, "BackupDescription.BackupDetails.BackupStatus"), "CREATING");
    call_arn(&b, "DeleteBackup", "BackupArn", arn, "BackupInUseException");
    b.now += 1;
    call_arn(&b, "DescribeBackup", "BackupArn", arn, "");
    assert_string_equal(text_at(&b, "BackupDescription.BackupDetails.BackupStatus"), "AVAILABLE");
    assert_string_equal(text_at(&b, "BackupDescription.SourceTableDetails.ItemCount"), "7");
    assert_int_equal(at(&b, "BackupDescription.SourceTableFeatureDetails")->n_items, 0);
    /* the region in an ARN is not looked at, and comes back */
    char other[200];
    snprintf(other, sizeof other, "arn:aws:dynamodb:eu-west-1%s", arn + strlen("arn:aws:dynamodb:us-east-1"));
    call_arn(&b, "DeleteBackup", "BackupArn", other, "");
    assert_string_equal(text_at(&b, "BackupDescription.BackupDetails.BackupArn"), other);
    assert_string_equal(text_at(&b, "BackupDescription.BackupDetails.BackupStatus"), "DELETED");
    call_arn(&b, "DeleteBackup", "BackupArn", arn, "BackupNotFoundException");
    call_arn(&b, "DescribeBackup", "BackupArn", arn, "BackupNotFoundException");
    AUTO_FREE char *message = text_format("Backup not found: %s", arn);
    expect_message(&b, message);
    call(&b, "ListBackups", "{}", "");
    assert_int_equal(count_at(&b, "BackupSummaries"), 0);
    bench_close(&b);
}

static void backup_arns(void **state) {
    static const struct {
        const char *arn, *code, *message;
    } rows[] = {
        {TABLE_ARN, "ValidationException", "Invalid Backup ARN"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ValidationException", "Invalid Backup ARN"},
        {"arn:aws:dynamodb:xx-fake-1:123456789012:table/orders/backup/01795521600123-00000001", "ValidationException",
         "Invalid Request: BackupArn is not valid"},
        {"arn:aws-cn:dynamodb:us-east-1:123456789012:table/orders/backup/01795521600123-00000001",
         "ValidationException", "Invalid Request: BackupArn is not valid"},
        {"arn:aws:s3:us-east-1:123456789012:table/orders/backup/01795521600123-00000001", "ValidationException",
         "Invalid Request: BackupArn is not valid"},
        {"arn:aws:dynamodb:us-east-1:999999999999:table/orders/backup/01795521600123-00000001",
         "AccessDeniedException", "Access is denied"},
        {"arn:aws:dynamodb::123456789012:table/orders/backup/01795521600123-00000001", "AccessDeniedException",
         "Access is denied"},
        {TABLE_ARN "/backup/01795521600123-00000001", "BackupNotFoundException",
         "Backup not found: " TABLE_ARN "/backup/01795521600123-00000001"},
        {"short", "ValidationException",
         "1 validation error detected: Value 'short' at 'backupArn' failed to satisfy constraint: Member must have "
         "length greater than or equal to 37"},
    };
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        call_arn(&b, "DescribeBackup", "BackupArn", rows[i].arn, rows[i].code);
        expect_message(&b, rows[i].message);
    }
    bench_close(&b);
}

static void list_backups(Bench *b, const char *more, size_t n, bool has_cursor) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"orders\"%s}", more);
    call(b, "ListBackups", body, "");
    if (count_at(b, "BackupSummaries") != n)
        fail_msg("%s: %zu backups, expected %zu", more, count_at(b, "BackupSummaries"), n);
    assert_int_equal(at(b, "LastEvaluatedBackupArn") != NULL, has_cursor);
}

static void listing_of_backups(void **state) {
    Bench b;
    char arn[5][200], cursor[300];
    bench_open(&b, service_settings_default(), false);
    for (int i = 0; i < 5; i++) { /* names are not unique */
        b.now = NOON + i * USEC_PER_SEC;
        make_backup(&b, "same", arn[i]);
    }
    list_backups(&b, "", 5, false);
    for (int i = 0; i < 5; i++) {
        char path[64];
        snprintf(path, sizeof path, "BackupSummaries.%d.BackupArn", i);
        assert_string_equal(text_at(&b, path), arn[i]);
    }
    list_backups(&b, ",\"Limit\":5", 5, false);
    list_backups(&b, ",\"Limit\":2", 2, true);
    assert_string_equal(text_at(&b, "LastEvaluatedBackupArn"), arn[1]);
    /* from the lower bound, up to but not including the upper one, in milliseconds */
    list_backups(&b, ",\"TimeRangeLowerBound\":1795521601.123", 4, false);
    list_backups(&b, ",\"TimeRangeLowerBound\":1795521601.124", 3, false);
    list_backups(&b, ",\"TimeRangeUpperBound\":1795521601.123", 1, false);
    list_backups(&b, ",\"TimeRangeUpperBound\":1795521601.124", 2, false);
    list_backups(&b, ",\"TimeRangeLowerBound\":1795521601,\"TimeRangeUpperBound\":1795521601", 0, false);
    call(&b, "ListBackups", "{\"TimeRangeLowerBound\":2,\"TimeRangeUpperBound\":1}", "ValidationException");
    list_backups(&b, ",\"BackupType\":\"SYSTEM\"", 0, false);
    list_backups(&b, ",\"BackupType\":\"ALL\"", 5, false);
    list_backups(&b, ",\"BackupType\":\"AWS_BACKUP\"", 0, false);
    call(&b, "ListBackups", "{\"BackupType\":\"user\"}", "ValidationException");
    expect_message(&b, "1 validation error detected: Value 'user' at 'backupType' failed to satisfy constraint: Member "
                       "must satisfy enum value set: [USER, SYSTEM, AWS_BACKUP, ALL]");
    call(&b, "ListBackups", "{\"Limit\":100}", "");
    call(&b, "ListBackups", "{\"Limit\":101}", "ValidationException");
    call(&b, "ListBackups", "{\"Limit\":0}", "ValidationException");
    /* a cursor may name a backup that is gone */
    b.now += USEC_PER_SEC;
    call_arn(&b, "DeleteBackup", "BackupArn", arn[1], "");
    snprintf(cursor, sizeof cursor, ",\"ExclusiveStartBackupArn\":\"%s\"", arn[1]);
    list_backups(&b, cursor, 3, false);
    assert_string_equal(text_at(&b, "BackupSummaries.0.BackupArn"), arn[2]);
    call(&b, "ListBackups",
         "{\"ExclusiveStartBackupArn\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/orders/backup/"
         "01795521600123-00000001\"}",
         "ValidationException");
    /* tables that nobody has, other regions, and ARNs */
    call(&b, "ListBackups", "{\"TableName\":\"nobody\"}", "");
    assert_int_equal(count_at(&b, "BackupSummaries"), 0);
    call(&b, "ListBackups", "{\"TableName\":\"" TABLE_ARN "\"}", "");
    assert_int_equal(count_at(&b, "BackupSummaries"), 4);
    handle(&b, "eu-west-1", "ListBackups", "{}", false);
    assert_int_equal(count_at(&b, "BackupSummaries"), 0);
    bench_close(&b);
}

static void pages_of_a_hundred(void **state) {
    Bench b;
    char arn[200], body[300] = "{}";
    size_t n = 0, n_pages = 0;
    bench_open(&b, service_settings_default(), false);
    for (int i = 0; i < 250; i++) /* all within one millisecond */
        make_backup(&b, "many", arn);
    for (;;) {
        call(&b, "ListBackups", body, "");
        n += count_at(&b, "BackupSummaries");
        n_pages++;
        if (!at(&b, "LastEvaluatedBackupArn"))
            break;
        snprintf(body, sizeof body, "{\"ExclusiveStartBackupArn\":\"%s\"}", text_at(&b, "LastEvaluatedBackupArn"));
    }
    assert_int_equal(n, 250);
    assert_int_equal(n_pages, 3);
    bench_close(&b);
}

static void backups_outlive_tables(void **state) {
    Bench b;
    char arn[200];
    bench_open(&b, service_settings_default(), false);
    make_backup(&b, "before", arn);
    AUTO_FREE char *first_id = NULL;
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "");
    assert_int_equal(text_set(&first_id, text_at(&b, "Table.TableId")), 0);
    call(&b, "DeleteTable", "{\"TableName\":\"orders\"}", "");
    assert_string_equal(text_at(&b, "TableDescription.TableStatus"), "DELETING");
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "ResourceNotFoundException");
    expect_message(&b, "Requested resource not found: Table: orders not found");
    call(&b, "CreateBackup", "{\"TableName\":\"orders\",\"BackupName\":\"after\"}", "TableNotFoundException");
    expect_message(&b, "Table not found: orders");
    list_backups(&b, "", 1, false);
    /* the table had recovery on: its own last backup appears after some seconds, and nobody can delete it */
    list_backups(&b, ",\"BackupType\":\"ALL\"", 1, false);
    b.now += 9 * USEC_PER_SEC;
    list_backups(&b, ",\"BackupType\":\"ALL\"", 2, false);
    list_backups(&b, ",\"BackupType\":\"SYSTEM\"", 1, false);
    assert_string_equal(text_at(&b, "BackupSummaries.0.BackupName"), "orders$DeletedTableBackup");
    const char *system_arn = text_at(&b, "BackupSummaries.0.BackupArn");
    assert_string_equal(system_arn + strlen(system_arn) - 9, "-00000000");
    AUTO_FREE char *copy = strdup(system_arn);
    call_arn(&b, "DeleteBackup", "BackupArn", copy, "ValidationException");
    /* another table of that name has another TableId, the same ARN, and the listing mixes both */
    call(&b, "CreateTable",
         "{\"TableName\":\"orders\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"k\","
         "\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"k\",\"AttributeType\":\"S\"}]}",
         "");
    make_backup(&b, "again", arn);
    list_backups(&b, "", 2, false);
    assert_string_equal(text_at(&b, "BackupSummaries.0.TableId"), first_id);
    assert_string_not_equal(text_at(&b, "BackupSummaries.1.TableId"), first_id);
    assert_string_equal(text_at(&b, "BackupSummaries.0.TableArn"), TABLE_ARN);
    assert_string_equal(text_at(&b, "BackupSummaries.1.TableArn"), TABLE_ARN);
    b.now += 35 * USEC_PER_DAY;
    list_backups(&b, ",\"BackupType\":\"SYSTEM\"", 0, false);
    bench_close(&b);
}

/* ---- tables ---- */

static void life_of_a_table(void **state) {
    static const char create[] =
        "{\"TableName\":\"fresh\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"k\","
        "\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"k\",\"AttributeType\":\"S\"}]}";
    static const char backup[] = "{\"TableName\":\"fresh\",\"BackupName\":\"abc\"}";
    static const char name[] = "{\"TableName\":\"fresh\"}";
    static const char on[] = "{\"TableName\":\"fresh\",\"PointInTimeRecoverySpecification\":"
                             "{\"PointInTimeRecoveryEnabled\":true}}",
                      off[] = "{\"TableName\":\"fresh\",\"PointInTimeRecoverySpecification\":"
                              "{\"PointInTimeRecoveryEnabled\":false}}";
    Bench b;
    ServiceSettings settings = service_settings_default();
    service_settings_lifelike(&settings);
    bench_open(&b, settings, false);
    call(&b, "CreateTable", create, "");
    assert_string_equal(text_at(&b, "TableDescription.TableStatus"), "CREATING");
    assert_string_equal(text_at(&b, "TableDescription.CreationDateTime"), "1.795521600123E9");
    call(&b, "CreateTable", create, "ResourceInUseException");
    call(&b, "CreateBackup", backup, "TableNotFoundException");
    call(&b, "DescribeContinuousBackups", name, "TableNotFoundException");
    call(&b, "DeleteTable", name, "ResourceInUseException");
    b.now += 6 * USEC_PER_SEC;
    call(&b, "DescribeTable", name, "");
    assert_string_equal(text_at(&b, "Table.TableStatus"), "ACTIVE");
    call(&b, "CreateBackup", backup, "ContinuousBackupsUnavailableException");
    expect_message(&b, "Backups are being enabled for the table: fresh. Please retry later");
    call(&b, "UpdateContinuousBackups", on, "ContinuousBackupsUnavailableException");
    b.now += 6 * USEC_PER_SEC;
    call(&b, "CreateBackup", backup, "");
    call(&b, "UpdateContinuousBackups", on, "");
    call(&b, "DeleteTable", name, "");
    /* for a moment, the backup family still knows the table; switching recovery off averts its last backup */
    b.now += USEC_PER_SEC;
    call(&b, "CreateBackup", backup, "");
    call(&b, "UpdateContinuousBackups", off, "");
    b.now += USEC_PER_SEC;
    call(&b, "CreateBackup", backup, "TableNotFoundException");
    call(&b, "DescribeTable", name, "");
    call(&b, "DeleteTable", name, "");
    b.now += 6 * USEC_PER_SEC;
    call(&b, "DescribeTable", name, "ResourceNotFoundException");
    b.now += USEC_PER_MINUTE;
    call(&b, "ListBackups", "{\"TableName\":\"fresh\",\"BackupType\":\"ALL\"}", "");
    assert_int_equal(count_at(&b, "BackupSummaries"), 2);
    bench_close(&b);
}

static void pages_of_tables(void **state) {
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (int i = 0; i < 103; i++) {
        AUTO_FREE char *name = text_format("t%03d", i);
        ServiceSeed seed = {.name = name};
        assert_int_equal(service_add_seed(b.service, &seed), 0);
        assert_int_equal(service_add_seed(b.service, &seed), -EEXIST);
    }
    call(&b, "ListTables", "{}", "");
    assert_int_equal(count_at(&b, "TableNames"), 100);
    assert_string_equal(text_at(&b, "LastEvaluatedTableName"), "t097");
    call(&b, "ListTables", "{\"ExclusiveStartTableName\":\"t097\"}", "");
    assert_int_equal(count_at(&b, "TableNames"), 5);
    assert_null(at(&b, "LastEvaluatedTableName"));
    call(&b, "ListTables", "{\"ExclusiveStartTableName\":\"nobody\",\"Limit\":1}", "");
    assert_string_equal(text_at(&b, "TableNames.0"), "orders");
    call(&b, "ListTables", "{\"Limit\":101}", "ValidationException");
    bench_close(&b);
}

static void recovery_windows(void **state) {
    static const char name[] = "{\"TableName\":\"orders\"}";
    static const char path[] = "ContinuousBackupsDescription.PointInTimeRecoveryDescription.";
    Bench b;
    char member[200];
#define EXPECT(word, value)                                                                                            \
    snprintf(member, sizeof member, "%s" word, path);                                                                  \
    assert_string_equal(text_at(&b, member), value)
    bench_open(&b, service_settings_default(), false);
    call(&b, "DescribeContinuousBackups", name, "");
    EXPECT("PointInTimeRecoveryStatus", "ENABLED");
    EXPECT("EarliestRestorableDateTime", "1795435200"); /* a day ago */
    EXPECT("LatestRestorableDateTime", "1795521300");   /* five minutes ago */
    EXPECT("RecoveryPeriodInDays", "35");
    call(&b, "UpdateContinuousBackups",
         "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true,"
         "\"RecoveryPeriodInDays\":1}}",
         "");
    b.now += USEC_PER_HOUR;
    call(&b, "DescribeContinuousBackups", name, "");
    EXPECT("EarliestRestorableDateTime", "1795438800"); /* moves along, a day behind */
    /* off and on: the window begins anew */
    call(&b, "UpdateContinuousBackups",
         "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":false}}", "");
    EXPECT("PointInTimeRecoveryStatus", "DISABLED");
    EXPECT("EarliestRestorableDateTime", "(absent)");
    assert_string_equal(text_at(&b, "ContinuousBackupsDescription.ContinuousBackupsStatus"), "ENABLED");
    call(&b, "UpdateContinuousBackups",
         "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true}}", "");
    EXPECT("EarliestRestorableDateTime", "1795525200");
    EXPECT("LatestRestorableDateTime", "1795525200");
    EXPECT("RecoveryPeriodInDays", "35");
    b.now += 10 * USEC_PER_MINUTE;
    call(&b, "DescribeContinuousBackups", name, "");
    EXPECT("EarliestRestorableDateTime", "1795525200");
    EXPECT("LatestRestorableDateTime", "1795525500");
#undef EXPECT
    bench_close(&b);
}

static void tags(void **state) {
    static const char list[] = "{\"ResourceArn\":\"" TABLE_ARN "\"}";
    static const char put[] = "{\"ResourceArn\":\"" TABLE_ARN "\",\"Tags\":[{\"Key\":\"tier\",\"Value\":\"gold\"}]}";
    static const char more[] = "{\"ResourceArn\":\"" TABLE_ARN "\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"\"}]}";
    Bench b;
    ServiceSettings settings = service_settings_default();
    settings.tag_usec = 2 * USEC_PER_SEC;
    bench_open(&b, settings, false);
    call(&b, "TagResource", put, "");
    assert_string_equal(text_get(&b.reply.body), "");
    call(&b, "ListTagsOfResource", list, "");
    assert_int_equal(count_at(&b, "Tags"), 0); /* not seen yet */
    call(&b, "TagResource", put, "");          /* changes nothing, so the lock does not matter */
    call(&b, "TagResource", more, "LimitExceededException");
    call(&b, "DeleteTable", "{\"TableName\":\"orders\"}", "ResourceInUseException");
    b.now += 2 * USEC_PER_SEC;
    call(&b, "TagResource", more, "");
    b.now += 2 * USEC_PER_SEC;
    call(&b, "ListTagsOfResource", list, "");
    assert_int_equal(count_at(&b, "Tags"), 2);
    assert_string_equal(text_at(&b, "Tags.0.Value"), "gold");
    call(&b, "UntagResource", "{\"ResourceArn\":\"" TABLE_ARN "\",\"TagKeys\":[\"tier\",\"nobody\"]}", "");
    b.now += 2 * USEC_PER_SEC;
    call(&b, "ListTagsOfResource", list, "");
    assert_int_equal(count_at(&b, "Tags"), 1);
    call(&b, "ListTagsOfResource", "{\"ResourceArn\":\"" TABLE_ARN "/backup/01795521600123-00000001\"}",
         "ValidationException");
    call(&b, "ListTagsOfResource", "{\"ResourceArn\":\"orders\"}", "ValidationException");
    call(&b, "ListTagsOfResource", "{\"ResourceArn\":\"" TABLE_ARN "x\"}", "ResourceNotFoundException");
    call(&b, "TagResource",
         "{\"ResourceArn\":\"" TABLE_ARN "\",\"Tags\":[{\"Key\":\"aws:x\",\"Value\":\"\"}]}", "ValidationException");
    /* fifty are allowed, of those that are there and those that come together */
    AUTO_TEXT many = TEXT_INIT(10000);
    text_add(&many, "{\"ResourceArn\":\"" TABLE_ARN "\",\"Tags\":[");
    for (int i = 0; i < 49; i++)
        text_addf(&many, "%s{\"Key\":\"k%d\",\"Value\":\"v\"}", i > 0 ? "," : "", i);
    text_add(&many, "]}");
    call(&b, "TagResource", text_get(&many), "");
    b.now += 2 * USEC_PER_SEC;
    call(&b, "TagResource", more, ""); /* "a" is there already */
    call(&b, "TagResource", put, "ValidationException");
    expect_message(&b, "One or more parameter values were invalid: Number of Tags exceed the current limit for the "
                       "provided ResourceArn");
    bench_close(&b);
}

/* ---- exports ---- */

#define EXPORT(more) "{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"bucket\"" more "}"

static void life_of_an_export(void **state) {
    Bench b;
    char arn[200], id[200];
    ServiceSettings settings = service_settings_default();
    settings.export_usec = 2 * USEC_PER_MINUTE;
    bench_open(&b, settings, false);
    call(&b, "ExportTableToPointInTime", EXPORT(",\"S3Prefix\":\"daily\",\"ClientToken\":\"token\""), "");
    snprintf(arn, sizeof arn, "%s", text_at(&b, "ExportDescription.ExportArn"));
    assert_true(text_starts_with(arn, TABLE_ARN "/export/01795521600123-"));
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "IN_PROGRESS");
    assert_string_equal(text_at(&b, "ExportDescription.StartTime"), "1795521600.123");
    assert_string_equal(text_at(&b, "ExportDescription.ExportTime"), "1795521600.123");
    assert_string_equal(text_at(&b, "ExportDescription.ClientToken"), "token");
    assert_string_equal(text_at(&b, "ExportDescription.ExportFormat"), "DYNAMODB_JSON");
    assert_string_equal(text_at(&b, "ExportDescription.S3SseAlgorithm"), "AES256");
    assert_string_equal(text_at(&b, "ExportDescription.DestinationType"), "S3");
    static const char *const absent[] = {"ExportType", "EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest",
                                         "FailureCode", "S3BucketOwner"};
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
        assert_null(service_json_get(at(&b, "ExportDescription"), absent[i]));
    b.now = INT64_C(1795521720122999);
    call_arn(&b, "DescribeExport", "ExportArn", arn, "");
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "IN_PROGRESS");
    b.now = INT64_C(1795521720123000);
    call_arn(&b, "DescribeExport", "ExportArn", arn, "");
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "COMPLETED");
    assert_string_equal(text_at(&b, "ExportDescription.EndTime"), "1795521720.123");
    assert_string_equal(text_at(&b, "ExportDescription.ItemCount"), "7");
    assert_string_equal(text_at(&b, "ExportDescription.BilledSizeBytes"), "1000");
    snprintf(id, sizeof id, "daily/AWSDynamoDB/%s/manifest-summary.json", strrchr(arn, '/') + 1);
    assert_string_equal(text_at(&b, "ExportDescription.ExportManifest"), id);
    /* its record outlives the table; the listing by table does not */
    call(&b, "ListExports", "{\"TableArn\":\"" TABLE_ARN "\"}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 1);
    assert_string_equal(text_at(&b, "ExportSummaries.0.ExportType"), "FULL_EXPORT");
    call(&b, "DeleteTable", "{\"TableName\":\"orders\"}", "");
    call_arn(&b, "DescribeExport", "ExportArn", arn, "");
    call(&b, "ListExports", "{\"TableArn\":\"" TABLE_ARN "\"}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 0);
    call(&b, "CreateTable",
         "{\"TableName\":\"orders\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"k\","
         "\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"k\",\"AttributeType\":\"S\"}]}",
         "");
    call(&b, "ListExports", "{\"TableArn\":\"" TABLE_ARN "\"}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 0);
    call(&b, "ListExports", "{}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 1);
    b.now += 90 * USEC_PER_DAY;
    call(&b, "ListExports", "{}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 0);
    bench_close(&b);
}

static void refused_exports(void **state) {
    static const struct {
        const char *body, *code, *message;
    } rows[] = {
        {"{\"TableArn\":\"orders\",\"S3Bucket\":\"bucket\"}", "ValidationException",
         "One or more parameter values were invalid: tableArn is not a valid ARN"},
        {"{\"TableArn\":\"" TABLE_ARN "/index/i\",\"S3Bucket\":\"bucket\"}", "ValidationException",
         "Invalid Request: Table ARN is invalid."},
        {"{\"TableArn\":\"arn:aws:dynamodb:us-east-1:999999999999:table/orders\",\"S3Bucket\":\"bucket\"}",
         "AccessDeniedException", "Access is denied"},
        {"{\"TableArn\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/orders\",\"S3Bucket\":\"bucket\"}",
         "TableNotFoundException", "Table not found: arn:aws:dynamodb:eu-west-1:123456789012:table/orders"},
        {"{\"TableArn\":\"arn:aws:dynamodb:us-east-1:123456789012:table/plain\",\"S3Bucket\":\"bucket\"}",
         "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table 'plain'"},
        {"{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"arn:aws:s3:::bucket\"}", "ValidationException",
         "1 validation error detected: Value 'arn:aws:s3:::bucket' at 's3Bucket' failed to satisfy constraint: Member "
         "must satisfy regular expression pattern: ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$"},
        {"{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"bucket-\"}", "ValidationException",
         "1 validation error detected: Value 'bucket-' at 's3Bucket' failed to satisfy constraint: Member must satisfy "
         "regular expression pattern: ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$"},
        {EXPORT(",\"S3SseAlgorithm\":\"aws:kms\""), "ValidationException",
         "1 validation error detected: Value 'aws:kms' at 's3SseAlgorithm' failed to satisfy constraint: Member must "
         "satisfy enum value set: [AES256, KMS]"},
        {EXPORT(",\"S3SseKmsKeyId\":\"alias/x\""), "ValidationException",
         "Invalid Request: KMS Key Id is not supported for this encryption type"},
        {EXPORT(",\"S3BucketOwner\":\"me\",\"ExportFormat\":\"CSV\""), "ValidationException",
         "2 validation errors detected: Value 'me' at 's3BucketOwner' failed to satisfy constraint: Member must "
         "satisfy regular expression pattern: [0-9]{12}; Value 'CSV' at 'exportFormat' failed to satisfy constraint: "
         "Member must satisfy enum value set: [DYNAMODB_JSON, ION]"},
        {EXPORT(",\"ExportTime\":1795525200"), "InvalidExportTimeException", "Export Time is invalid"},
        {EXPORT(",\"ExportTime\":1795400000"), "InvalidExportTimeException", "Export Time is invalid"},
        {EXPORT(",\"IncrementalExportSpecification\":{}"), "ValidationException",
         "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is "
         "provided"},
        {EXPORT(",\"ExportType\":\"FULL_EXPORT\",\"IncrementalExportSpecification\":{}"), "ValidationException",
         "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided"},
        {EXPORT(",\"ExportType\":\"INCREMENTAL_EXPORT\""), "ValidationException",
         "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export"},
        {EXPORT(",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{}"), "ValidationException",
         "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification"},
        {EXPORT(",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{\"ExportFromTime\":1,"
                "\"ExportViewType\":\"NEW_IMAGES\"}"),
         "ValidationException",
         "1 validation error detected: Value 'NEW_IMAGES' at 'incrementalExportSpecification.exportViewType' failed to "
         "satisfy constraint: Member must satisfy enum value set: [NEW_IMAGE, NEW_AND_OLD_IMAGES]"},
#define INCREMENTAL(from, to)                                                                                          \
    EXPORT(",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":"                                \
           "{\"ExportFromTime\":" from ",\"ExportToTime\":" to "}")
        {INCREMENTAL("1795435199", "1795521600"), "InvalidExportTimeException",
         "Incremental export period from time cannot be less than the table creation time : 2026-11-23T11:59:59Z"},
        {INCREMENTAL("1795521000", "1795525200"), "InvalidExportTimeException",
         "Incremental export period to time cannot be greater than the current time : 2026-11-24T13:00:00Z"},
        {INCREMENTAL("1795520701", "1795521600"), "InvalidExportTimeException",
         "Difference between export period from time and export period to time is less than 15 minutes"},
        {INCREMENTAL("1795521600", "1795520700"), "InvalidExportTimeException",
         "Difference between export period from time and export period to time is less than 15 minutes"},
    };
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        call(&b, "ExportTableToPointInTime", rows[i].body, rows[i].code);
        expect_message(&b, rows[i].message);
    }
    /* a fresh window of recovery does not reach up to now */
    call(&b, "UpdateContinuousBackups",
         "{\"TableName\":\"plain\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":true}}", "");
    b.now += USEC_PER_MINUTE;
    call(&b, "ExportTableToPointInTime",
         "{\"TableArn\":\"arn:aws:dynamodb:us-east-1:123456789012:table/plain\",\"S3Bucket\":\"bucket\","
         "\"ExportTime\":1795521630}",
         "InvalidExportTimeException");
    expect_message(&b, "Point in Time Recovery is not available for specified export time");
    call(&b, "ListExports", "{}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 0);
    bench_close(&b);
}

static void incremental_exports(void **state) {
    Bench b;
    bench_open(&b, service_settings_default(), false);
    call(&b, "ExportTableToPointInTime", INCREMENTAL("1795520700", "1795521600"), "");
    assert_string_equal(text_at(&b, "ExportDescription.StartTime"), "1795521600");
    assert_non_null(strstr(text_at(&b, "ExportDescription.ExportArn"), "/export/01795521600000-"));
    assert_string_equal(text_at(&b, "ExportDescription.ExportType"), "INCREMENTAL_EXPORT");
    assert_null(at(&b, "ExportDescription.ExportTime"));
    assert_string_equal(text_at(&b, "ExportDescription.IncrementalExportSpecification.ExportViewType"),
                        "NEW_AND_OLD_IMAGES");
    b.now += USEC_PER_MINUTE;
    AUTO_FREE char *arn = strdup(text_at(&b, "ExportDescription.ExportArn"));
    call_arn(&b, "DescribeExport", "ExportArn", arn, "");
    assert_string_equal(text_at(&b, "ExportDescription.BilledSizeBytes"), "10000000");
    /* without an end, up to now; a day at most */
    call(&b, "ExportTableToPointInTime",
         EXPORT(",\"ExportType\":\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{\"ExportFromTime\":"
                "1795520000,\"ExportViewType\":\"NEW_IMAGE\"}"),
         "");
    assert_string_equal(text_at(&b, "ExportDescription.IncrementalExportSpecification.ExportToTime"), "1795521660");
    call(&b, "ExportTableToPointInTime", INCREMENTAL("1795435200", "1795521601"), "InvalidExportTimeException");
    call(&b, "ExportTableToPointInTime", INCREMENTAL("1795435200", "1795521600"), "");
    bench_close(&b);
}

static void client_tokens(void **state) {
    static const char order[] = EXPORT(",\"ClientToken\":\"t1\"");
    static const char failing[] = "ExportTableToPointInTime fail-export S3NoSuchBucket gone";
    Bench b;
    char arn[200];
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service, failing, NULL), 0);
    call(&b, "ExportTableToPointInTime", EXPORT(",\"ClientToken\":\"t1\",\"ExportFormat\":\"CSV\""),
         "ValidationException"); /* reserves nothing */
    service_clear_faults(b.service);
    assert_int_equal(service_add_faults(b.service, failing, NULL), 0);
    call(&b, "ExportTableToPointInTime", order, "");
    snprintf(arn, sizeof arn, "%s", text_at(&b, "ExportDescription.ExportArn"));
    b.now += USEC_PER_HOUR;
    call(&b, "ExportTableToPointInTime", order, "");
    assert_false(b.reply.effect);
    assert_string_equal(text_at(&b, "ExportDescription.ExportArn"), arn);
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "FAILED"); /* it sticks */
    assert_string_equal(text_at(&b, "ExportDescription.FailureCode"), "S3NoSuchBucket");
    assert_string_equal(text_at(&b, "ExportDescription.FailureMessage"), "gone");
    call(&b, "ExportTableToPointInTime", EXPORT(",\"ClientToken\":\"t1\",\"S3Prefix\":\"x\""),
         "ExportConflictException");
    expect_message(&b, "Export conflict: Duplicate request detected with conflicting parameters");
    call(&b, "ExportTableToPointInTime", EXPORT(",\"ClientToken\":\"t2\""), "");
    assert_string_not_equal(text_at(&b, "ExportDescription.ExportArn"), arn);
    call(&b, "ExportTableToPointInTime", EXPORT(""), "");
    AUTO_FREE char *made = strdup(text_at(&b, "ExportDescription.ClientToken"));
    assert_int_equal(strlen(made), 36);
    call(&b, "ExportTableToPointInTime", EXPORT(""), ""); /* two without a token are two */
    assert_true(b.reply.effect);
    b.now = NOON + 8 * USEC_PER_HOUR;
    call(&b, "ExportTableToPointInTime", order, "");
    assert_true(b.reply.effect); /* after eight hours it is a new one */
    bench_close(&b);
}

static void pages_of_exports(void **state) {
    Bench b;
    char body[200] = "{\"TableArn\":\"" TABLE_ARN "\"}", first[200];
    size_t n = 0, n_pages = 0;
    bench_open(&b, service_settings_default(), false);
    for (int i = 0; i < 60; i++) {
        b.now += USEC_PER_SEC;
        call(&b, "ExportTableToPointInTime", EXPORT(""), "");
    }
    snprintf(first, sizeof first, "%s", text_at(&b, "ExportDescription.ExportArn"));
    for (;;) {
        call(&b, "ListExports", body, "");
        if (n == 0)
            assert_string_equal(text_at(&b, "ExportSummaries.0.ExportArn"), first); /* the newest comes first */
        n += count_at(&b, "ExportSummaries");
        n_pages++;
        if (!at(&b, "NextToken"))
            break;
        AUTO_FREE char *token = strdup(text_at(&b, "NextToken"));
        snprintf(body, sizeof body, "{\"TableArn\":\"" TABLE_ARN "\",\"NextToken\":\"%s\"}", token);
        call(&b, "ExportTableToPointInTime", EXPORT(""), ""); /* what comes meanwhile moves nothing */
    }
    assert_int_equal(n, 60);
    assert_int_equal(n_pages, 3);
    call(&b, "ListExports", "{\"NextToken\":\"zzz\"}", "ValidationException");
    call(&b, "ListExports", "{\"MaxResults\":26}", "ValidationException");
    call(&b, "ListExports", "{\"MaxResults\":1}", "");
    assert_int_equal(count_at(&b, "ExportSummaries"), 1);
    assert_string_not_equal(text_at(&b, "ExportSummaries.0.ExportArn"), first); /* without a table, the oldest does */
    bench_close(&b);
}

static void concurrent_exports(void **state) {
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (int i = 0; i < 300; i++)
        call(&b, "ExportTableToPointInTime", EXPORT(""), "");
    call(&b, "ExportTableToPointInTime", EXPORT(""), "LimitExceededException");
    b.now += USEC_PER_MINUTE;
    call(&b, "ExportTableToPointInTime", EXPORT(""), "");
    bench_close(&b);
}

/* ---- rates ---- */

static size_t count_accepted(Bench *b, const char *operation, const char *body, int n, Usec gap_usec) {
    size_t n_accepted = 0;
    for (int i = 0; i < n; i++) {
        b->now += gap_usec;
        handle(b, "us-east-1", operation, body, false);
        n_accepted += strcmp(b->reply.code, "ThrottlingException") != 0;
    }
    return n_accepted;
}

static void rates(void **state) {
    static const char describe[] = "{\"BackupArn\":\"" TABLE_ARN "/backup/01795521600123-00000001\"}";
    Bench b;
    bench_open(&b, service_settings_default(), true);
    assert_int_equal(count_accepted(&b, "ListBackups", "{}", 12, 0), 5);
    expect_message(&b, "Rate exceeded");
    assert_string_equal(service_json_get_string(b.json, "__type"),
                        "com.amazon.coral.availability#ThrottlingException");
    /* each operation and each region has its own */
    assert_int_equal(count_accepted(&b, "DescribeBackup", describe, 40, 12500), 16);
    handle(&b, "eu-west-1", "ListBackups", "{}", false);
    assert_string_equal(b.reply.code, "");
    b.now += USEC_PER_MINUTE;
    assert_int_equal(count_accepted(&b, "ListBackups", "{}", 50, USEC_PER_SEC / 5), 50);
    assert_int_equal(count_accepted(&b, "ListBackups", "{}", 100, USEC_PER_SEC / 10), 54);
    /* refused calls count as well */
    assert_int_equal(count_accepted(&b, "ExportTableToPointInTime", "{}", 30, 0), 20);
    assert_int_equal(count_accepted(&b, "ListTables", "{}", 200, 0), 200);
    assert_int_equal(count_accepted(&b, "DeleteTable", "{\"TableName\":\"nobody\"}", 10, 0), 6);
    expect_message(&b, "The rate of control plane requests made by this account is too high");
    bench_close(&b);
}

/* ---- the protocol ---- */

static void send_raw(Bench *b, const char *method, const char *type, const char *target, const char *body) {
    ServiceHeader headers[2];
    size_t n = 0;
    if (type)
        headers[n++] = (ServiceHeader){"Content-Type", type};
    if (target)
        headers[n++] = (ServiceHeader){"X-Amz-Target", target};
    ServiceRequest q = {
        .method = method, .target = "/", .headers = headers, .n_headers = n, .body = body, .body_len = strlen(body)};
    bench_clear(b);
    service_handle(b->service, b->now, &q, &b->reply);
    (void)service_json_parse(text_get(&b->reply.body), b->reply.body.len, &b->json);
}

static const char *header_of(const Bench *b, const char *name) {
    for (size_t i = 0; i < b->reply.n_headers; i++)
        if (strcmp(b->reply.headers[i].name, name) == 0)
            return b->reply.headers[i].value;
    return "";
}

static void protocol(void **state) {
    static const char json[] = "application/x-amz-json-1.0", target[] = "DynamoDB_20120810.ListTables";
    static const struct {
        const char *method, *type, *target, *body;
        int status;
        const char *reply;
    } rows[] = {
        {"GET", NULL, NULL, "", 200, "healthy: dynamodb.us-east-1.amazonaws.com "},
        {"POST", json, target, "{}", 200, "{\"TableNames\":[\"orders\",\"plain\"]}"},
        {"POST", "application/json; charset=utf-8", target, "{\"DefinitelyNotAMember\":1}", 200,
         "{\"TableNames\":[\"orders\",\"plain\"]}"},
        {"POST", "text/plain", target, "{}", 404, "<UnknownOperationException/>\n"},
        {"POST", NULL, target, "{}", 404, "<UnknownOperationException/>\n"},
        {"PUT", json, target, "{}", 404, "<UnknownOperationException/>\n"},
        {"POST", json, "DynamoDB_20120810.Nothing", "{}", 400,
         "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}"},
        {"POST", json, "ListTables", "{}", 400, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}"},
        {"POST", json, NULL, "{}", 400, "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}"},
        {"POST", json, target, "{", 400, "{\"__type\":\"com.amazon.coral.service#SerializationException\"}"},
        {"POST", json, target, "", 400, "{\"__type\":\"com.amazon.coral.service#SerializationException\"}"},
        {"POST", json, target, "[]", 400,
         "{\"__type\":\"com.amazon.coral.service#SerializationException\",\"Message\":\"Unexpected field type\"}"},
        {"POST", json, target, "{\"Limit\":\"7\"}", 400,
         "{\"__type\":\"com.amazon.coral.service#SerializationException\",\"Message\":\"STRING_VALUE cannot be "
         "converted to Integer\"}"},
        {"POST", json, "DynamoDB_20120810.DescribeTable", "{}", 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"The parameter 'TableName' is "
         "required but was not present in the request\"}"},
        {"POST", json, "DynamoDB_20120810.DescribeTable", "{\"TableName\":\"ab\"}", 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"TableName must be at least 3 "
         "characters long and at most 255 characters long\"}"},
        {"POST", json, "DynamoDB_20120810.CreateBackup", "{\"TableName\":\"nobody\",\"BackupName\":\"x y\"}", 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"1 validation error detected: "
         "Value 'x y' at 'backupName' failed to satisfy constraint: Member must satisfy regular expression pattern: "
         "[a-zA-Z0-9_.-]+\"}"},
        {"POST", json, "DynamoDB_20120810.CreateBackup", "{\"TableName\":\"nobody\",\"BackupName\":null}", 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"1 validation error detected: "
         "Value null at 'backupName' failed to satisfy constraint: Member must not be null\"}"},
        {"POST", json, "DynamoDB_20120810.CreateBackup", "{\"TableName\":\"nobody\",\"BackupName\":\"xyz\"}", 400,
         "{\"__type\":\"com.amazonaws.dynamodb.v20120810#TableNotFoundException\",\"message\":\"Table not found: "
         "nobody\"}"},
    };
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        send_raw(&b, rows[i].method, rows[i].type, rows[i].target, rows[i].body);
        assert_string_equal(text_get(&b.reply.body), rows[i].reply);
        assert_int_equal(b.reply.status, rows[i].status);
        const char *id = header_of(&b, "x-amzn-RequestId");
        assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), 52);
        assert_int_equal(strlen(id), 52);
        assert_string_equal(header_of(&b, "Date"), "Tue, 24 Nov 2026 12:00:00 GMT");
    }
    send_raw(&b, "POST", "text/plain", target, "{}");
    assert_string_equal(header_of(&b, "x-amz-crc32"), "3552371480");
    bench_close(&b);
}

static void same_seed_same_replies(void **state) {
    Bench a, b;
    char one[200], two[200];
    bench_open(&a, service_settings_default(), false);
    bench_open(&b, service_settings_default(), false);
    make_backup(&a, "abc", one);
    make_backup(&b, "abc", two);
    assert_string_equal(one, two);
    assert_string_equal(a.reply.request_id, b.reply.request_id);
    bench_close(&a);
    bench_close(&b);
}

/* ---- faults ---- */

static void faults(void **state) {
    static const char create[] = "{\"TableName\":\"orders\",\"BackupName\":\"abc\"}";
    static const char list[] = "{\"TableName\":\"orders\"}";
    static const struct {
        const char *rule;
        ServiceEnding ending;
        int status;
        const char *code, *body; /* a part of it */
        size_t n_backups;        /* that exist then */
    } rows[] = {
        {"* error InternalServerError", SERVICE_WHOLE, 500, "InternalServerError",
         "\"com.amazonaws.dynamodb.v20120810#InternalServerError\"", 0},
        {"* error InternalFailure", SERVICE_WHOLE, 500, "InternalFailure",
         "{\"__type\":\"com.amazon.coral.service#InternalFailure\"}", 0},
        {"CreateBackup error ThrottlingException", SERVICE_WHOLE, 400, "ThrottlingException", "\"Rate exceeded\"", 0},
        {"CreateBackup error Odd 418 a word or two", SERVICE_WHOLE, 418, "Odd", "\"a word or two\"", 0},
        {"CreateBackup error-after InternalServerError 503", SERVICE_WHOLE, 503, "InternalServerError", "", 1},
        {"CreateBackup drop-before", SERVICE_CLOSED, 0, "", "", 0},
        {"CreateBackup drop-after", SERVICE_CLOSED, 0, "", "", 1},
        {"CreateBackup truncate", SERVICE_TRUNCATE, 200, "", "\"BackupArn\"", 1},
        {"CreateBackup oversize 1M", SERVICE_WHOLE, 200, "", "\"Padding\":\"...", 1},
        {"CreateBackup garbage", SERVICE_WHOLE, 200, "", "is not JSON", 1},
        {"CreateBackup html", SERVICE_WHOLE, 503, "", "<html>", 1},
        {"CreateBackup empty", SERVICE_WHOLE, 200, "", "", 1},
        {"CreateBackup wrong-type", SERVICE_WHOLE, 200, "", "\"BackupSizeBytes\":\"seven\"", 1},
        {"CreateBackup wrong-type BackupDetails", SERVICE_WHOLE, 200, "", "{\"BackupDetails\":true}", 1},
        {"CreateBackup status RESTING", SERVICE_WHOLE, 200, "", "\"BackupStatus\":\"RESTING\"", 1},
        {"DeleteBackup error Odd", SERVICE_WHOLE, 200, "", "\"CREATING\"", 1},
        {"*Backup table=ord* error Odd", SERVICE_WHOLE, 400, "Odd", "", 0},
        {"*Backup table=other error Odd", SERVICE_WHOLE, 200, "", "\"CREATING\"", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bench b;
        bench_open(&b, service_settings_default(), false);
        assert_int_equal(service_add_faults(b.service, rows[i].rule, NULL), 0);
        handle(&b, "us-east-1", "CreateBackup", create, false);
        assert_int_equal(b.reply.ending, rows[i].ending);
        assert_int_equal(b.reply.status, rows[i].status);
        assert_string_equal(b.reply.code, rows[i].code);
        assert_int_equal(b.reply.effect, rows[i].n_backups > 0);
        if (!strstr(text_get(&b.reply.body), rows[i].body))
            fail_msg("%s: %s", rows[i].rule, text_get(&b.reply.body));
        call(&b, "ListBackups", list, "");
        assert_int_equal(count_at(&b, "BackupSummaries"), rows[i].n_backups);
        bench_close(&b);
    }
}

static void details_of_faults(void **state) {
    Bench b;
    char arn[200];
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service, "ListTables oversize 100000\nListTables omit TableNames\n"
                                                   "ListTables crc\nListTables delay 2s\nListTables late 1min",
                                        NULL),
                     0);
    handle(&b, "us-east-1", "ListTables", "{}", false);
    assert_int_equal(b.reply.ending, SERVICE_LATER);
    assert_true(b.reply.delay_usec == USEC_PER_MINUTE);
    handle(&b, "us-east-1", "ListTables", "{}", true);
    assert_int_equal(b.reply.ending, SERVICE_WHOLE);
    assert_int_equal(b.reply.body.len, 100000);
    assert_non_null(b.json);
    call(&b, "ListTables", "{}", "");
    assert_string_equal(text_get(&b.reply.body), "{}");
    AUTO_FREE char *right = strdup(header_of(&b, "x-amz-crc32"));
    assert_string_equal(right, "2745614147");
    call(&b, "ListTables", "{}", "");
    AUTO_FREE char *wrong = strdup(header_of(&b, "x-amz-crc32"));
    call(&b, "ListTables", "{}", "");
    assert_true(b.reply.delay_usec == 2 * USEC_PER_SEC);
    assert_string_not_equal(header_of(&b, "x-amz-crc32"), wrong);
    call(&b, "ListTables", "{}", "");
    assert_string_equal(b.reply.fault, "");
    assert_true(b.reply.delay_usec == 0);

    /* what is new is listed only later: for one backup, or for every listing */
    service_clear_faults(b.service);
    assert_int_equal(service_add_faults(b.service, "CreateBackup lag 1min", NULL), 0);
    make_backup(&b, "hidden", arn);
    make_backup(&b, "seen", arn);
    list_backups(&b, "", 1, false);
    b.now += USEC_PER_MINUTE;
    list_backups(&b, "", 2, false);
    assert_int_equal(service_add_faults(b.service, "ListBackups times=forever lag 5min", NULL), 0);
    list_backups(&b, "", 0, false);
    b.now += 4 * USEC_PER_MINUTE;
    list_backups(&b, "", 2, false);
    /* an empty page, and a cursor that goes on */
    service_clear_faults(b.service);
    assert_int_equal(service_add_faults(b.service, "ListBackups empty-page", NULL), 0);
    list_backups(&b, "", 0, true);
    AUTO_FREE char *more = text_format(",\"ExclusiveStartBackupArn\":\"%s\"", text_at(&b, "LastEvaluatedBackupArn"));
    list_backups(&b, more, 2, false);
    bench_close(&b);
}

/* Rules in a row take one call after the other; a rule counts the calls that reach it. */
static void order_of_faults(void **state) {
    static const char *const codes[] = {"", "One", "Two", "Two", "", "Three", "Three"};
    Bench b;
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service,
                                        "# a comment\n\nListTables after=1 error One\r\n"
                                        "ListTables after=1 times=2 error Two\n"
                                        "ListTables after=2 times=forever error Three\n",
                                        NULL),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        handle(&b, "us-east-1", "ListTables", "{}", false);
        assert_string_equal(b.reply.code, codes[i]);
    }
    AUTO_TEXT t = TEXT_INIT(10000);
    assert_int_equal(service_faults_to_json(b.service, &t), 0);
    assert_non_null(strstr(text_get(&t), "\"action\":\"error\",\"calls\":6,\"hits\":2,\"spent\":true"));
    bench_close(&b);
}

static void wrong_rules(void **state) {
    static const struct {
        const char *script, *why;
    } rows[] = {
        {"ListTables", "line 1: ListTables: its action is missing"},
        {"\nListTables explode", "line 2: explode: no such action or condition"},
        {"ListTables times=0 garbage", "line 1: times=0: not a number of calls; HINT: a number, once or forever"},
        {"ListTables after=x garbage", "line 1: after=x: not a number of calls"},
        {"ListTables delay", "line 1: delay: its value is missing"},
        {"ListTables delay 5", "line 1: 5: not a duration; HINT: 250ms, 5s, 2h"},
        {"ListTables error", "line 1: error: its value is missing"},
        {"ListTables oversize 1T", "line 1: 1T: not a size, or over 256M"},
        {"ListTables drop-after now", "line 1: now: one word too many"},
    };
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *why = NULL;
        assert_int_equal(service_add_faults(b.service, rows[i].script, &why), -EINVAL);
        assert_string_equal(why, rows[i].why);
    }
    AUTO_FREE char *why = NULL;
    assert_int_equal(service_add_faults(b.service, "* garbage\n* nonsense", &why), -EINVAL);
    call(&b, "ListTables", "{}", ""); /* the good line of a bad script is not there either */
    bench_close(&b);
}

static void state_and_log(void **state) {
    Bench b;
    char arn[200];
    bench_open(&b, service_settings_default(), false);
    make_backup(&b, "abc", arn);
    AUTO_TEXT line = TEXT_INIT(10000);
    assert_int_equal(service_log_to_json(b.service, b.now, &b.reply, &line), 0);
    AUTO_FREE char *expected = text_format(
        "{\"wall\":\"2026-11-24T12:00:00.123Z\",\"op\":\"CreateBackup\",\"table\":\"orders\","
        "\"account\":\"123456789012\",\"region\":\"us-east-1\",\"key\":\"AK\",\"status\":200,\"code\":\"\","
        "\"effect\":true,\"fault\":\"\",\"request_id\":\"%s\"}",
        b.reply.request_id);
    assert_string_equal(text_get(&line), expected);
    call(&b, "ExportTableToPointInTime", EXPORT(",\"ClientToken\":\"t\""), "");
    AUTO_TEXT all = TEXT_INIT(100000);
    assert_int_equal(service_state_to_json(b.service, b.now, &all), 0);
    service_json_free(b.json);
    b.json = NULL;
    assert_int_equal(service_json_parse(text_get(&all), all.len, &b.json), 0);
    assert_int_equal(count_at(&b, "tables"), 2);
    assert_string_equal(text_at(&b, "backups.0.arn"), arn);
    assert_string_equal(text_at(&b, "backups.0.status"), "CREATING");
    assert_string_equal(text_at(&b, "exports.0.token"), "t");
    assert_string_equal(text_at(&b, "exports.0.parameters.S3Bucket"), "bucket");
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(life_of_a_backup), cmocka_unit_test(backup_arns), cmocka_unit_test(listing_of_backups),
          cmocka_unit_test(pages_of_a_hundred), cmocka_unit_test(backups_outlive_tables),
          cmocka_unit_test(life_of_a_table), cmocka_unit_test(pages_of_tables), cmocka_unit_test(recovery_windows),
          cmocka_unit_test(tags), cmocka_unit_test(life_of_an_export), cmocka_unit_test(refused_exports),
          cmocka_unit_test(incremental_exports), cmocka_unit_test(client_tokens), cmocka_unit_test(pages_of_exports),
          cmocka_unit_test(concurrent_exports), cmocka_unit_test(rates), cmocka_unit_test(protocol),
          cmocka_unit_test(same_seed_same_replies), cmocka_unit_test(faults), cmocka_unit_test(details_of_faults),
          cmocka_unit_test(order_of_faults), cmocka_unit_test(wrong_rules), cmocka_unit_test(state_and_log))
