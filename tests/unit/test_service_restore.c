#include "item_bench.h"

static const ServiceSeed orders = {.name = (char *)"orders", .pitr = true, .n_items = 2};

static void restore(ItemBench *b, const char *target, const char *arn, const char *code) {
    AUTO_FREE char *body = text_format("{\"TargetTableName\":\"%s\",\"BackupArn\":\"%s\"}", target, arn);
    call(b, "RestoreTableFromBackup", body, code);
}

static void delete_backup(ItemBench *b, const char *arn, const char *code) {
    AUTO_FREE char *body = text_format("{\"BackupArn\":\"%s\"}", arn);
    call(b, "DeleteBackup", body, code);
}

/* A backup that is AVAILABLE; its ARN, to be freed. */
static char *make_backup(ItemBench *b) {
    call(b, "CreateBackup", "{\"TableName\":\"orders\",\"BackupName\":\"abc\"}", "");
    char *arn = strdup(service_json_get_string(service_json_get(b->json, "BackupDetails"), "BackupArn"));
    b->now += USEC_PER_SEC / 2;
    return arn;
}

static char *lines(ItemBench *b, const char *table) {
    AUTO_TEXT t = TEXT_INIT(1u << 20);
    char *ret = NULL;
    assert_int_equal(service_items_to_lines(b->service, HERE, table, USEC_INFINITY, b->now, &t), 0);
    assert_int_equal(text_take(&t, &ret), 0);
    return ret;
}

/* What the table had when the backup was made, whatever became of the table. */
static void items_come_back(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    assert_int_equal(service_write_items(b.service, HERE, "nobody", 0, 1, "x", b.now), -ENOENT);
    AUTO_FREE char *before = lines(&b, "orders");
    AUTO_FREE char *arn = make_backup(&b);
    b.now -= USEC_PER_SEC; /* a clock that steps back gets nothing into it */
    assert_int_equal(service_write_items(b.service, HERE, "orders", 0, 5, "later", b.now), 0);
    b.now += USEC_PER_MINUTE;
    call(&b, "DeleteTable", "{\"TableName\":\"orders\"}", "");
    restore(&b, "orders", arn, "");
    assert_true(b.reply.effect);
    assert_non_null(strstr(text_get(&b.reply.body), "\"ItemCount\":2,"));
    b.now += USEC_PER_MINUTE;
    AUTO_FREE char *after = lines(&b, "orders");
    assert_string_equal(after, before);
    assert_true(*before);
    call(&b, "DescribeContinuousBackups", "{\"TableName\":\"orders\"}", "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"PointInTimeRecoveryStatus\":\"DISABLED\""));
    bench_close(&b);
}

static void a_backup_is_in_use_meanwhile(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    AUTO_FREE char *arn = make_backup(&b);
    restore(&b, "copy", arn, "");
    restore(&b, "copy", arn, "TableInUseException");
    restore(&b, "other", arn, "BackupInUseException");
    delete_backup(&b, arn, "BackupInUseException");
    assert_non_null(strstr(text_get(&b.reply.body), "Backup is being used to restore another table: arn:aws:"));
    call(&b, "DescribeTable", "{\"TableName\":\"copy\"}", "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"RestoreInProgress\":true"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"TableStatus\":\"CREATING\""));
    call(&b, "CreateBackup", "{\"TableName\":\"copy\",\"BackupName\":\"abc\"}", "TableNotFoundException");
    b.now += USEC_PER_SEC;
    call(&b, "DescribeTable", "{\"TableName\":\"copy\"}", "");
    assert_null(strstr(text_get(&b.reply.body), "RestoreSummary"));
    restore(&b, "copy", arn, "TableAlreadyExistsException");
    delete_backup(&b, arn, "");
    restore(&b, "other", arn, "BackupNotFoundException");
    bench_close(&b);
}

static void foreign_backups_are_empty(void **state) {
    ServiceSettings settings = service_settings_default();
    settings.without_auth = settings.without_rates = true;
    settings.n_foreign_backups = 1;
    ItemBench b = {.now = NOON};
    assert_int_equal(service_new(&settings, 1, &b.service), 0);
    call(&b, "ListBackups", "{}", "");
    AUTO_FREE char *arn = strdup(
        service_json_get_string(service_json_get(b.json, "BackupSummaries")->first, "BackupArn"));
    restore(&b, "copy", arn, "");
    b.now += USEC_PER_MINUTE;
    AUTO_FREE char *found = lines(&b, "copy");
    assert_string_equal(found, "");
    bench_close(&b);
}

static void overrides(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    AUTO_FREE char *arn = make_backup(&b);
    AUTO_FREE char *body = text_format("{\"TargetTableName\":\"copy\",\"BackupArn\":\"%s\",\"BillingModeOverride\":"
                                       "\"PROVISIONED\",\"ProvisionedThroughputOverride\":{\"ReadCapacityUnits\":3,"
                                       "\"WriteCapacityUnits\":4}}",
                                       arn);
    call(&b, "RestoreTableFromBackup", body, "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"ReadCapacityUnits\":3,\"WriteCapacityUnits\":4}"));
    bench_close(&b);
}

static void fifty_at_once(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    char *arns[51];
    for (int i = 0; i < 51; i++)
        arns[i] = make_backup(&b);
    for (int i = 0; i < 51; i++) {
        AUTO_FREE char *name = text_format("copy%d", i);
        restore(&b, name, arns[i], i < 50 ? "" : "LimitExceededException");
        free(arns[i]);
    }
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(items_come_back), cmocka_unit_test(a_backup_is_in_use_meanwhile),
          cmocka_unit_test(foreign_backups_are_empty), cmocka_unit_test(overrides), cmocka_unit_test(fifty_at_once))
