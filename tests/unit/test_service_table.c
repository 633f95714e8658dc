#include "service_bench.h"

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

UNIT_MAIN(cmocka_unit_test(life_of_a_table), cmocka_unit_test(pages_of_tables), cmocka_unit_test(recovery_windows),
          cmocka_unit_test(tags))
