#include "service_bench.h"

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

UNIT_MAIN(cmocka_unit_test(life_of_a_backup), cmocka_unit_test(backup_arns), cmocka_unit_test(listing_of_backups),
          cmocka_unit_test(pages_of_a_hundred), cmocka_unit_test(backups_outlive_tables))
