#include "service_bench.h"

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

static void held_exports(void **state) {
    Bench b;
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service, "ExportTableToPointInTime hold-export 3h", NULL), 0);
    call(&b, "ExportTableToPointInTime", EXPORT(""), "");
    AUTO_FREE char *describe = text_format("{\"ExportArn\":\"%s\"}", text_at(&b, "ExportDescription.ExportArn"));
    b.now += 3 * USEC_PER_HOUR - USEC_PER_SEC;
    call(&b, "DescribeExport", describe, "");
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "IN_PROGRESS");
    b.now += 2 * USEC_PER_SEC;
    call(&b, "DescribeExport", describe, "");
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "COMPLETED");
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

UNIT_MAIN(cmocka_unit_test(life_of_an_export), cmocka_unit_test(refused_exports), cmocka_unit_test(incremental_exports),
          cmocka_unit_test(held_exports),
          cmocka_unit_test(client_tokens), cmocka_unit_test(pages_of_exports), cmocka_unit_test(concurrent_exports))
