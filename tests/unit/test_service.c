#include "service_bench.h"

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

UNIT_MAIN(cmocka_unit_test(protocol), cmocka_unit_test(same_seed_same_replies), cmocka_unit_test(rates),
          cmocka_unit_test(state_and_log))
