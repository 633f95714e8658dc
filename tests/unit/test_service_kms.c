#include "sim/service_kms.h"

#include <errno.h>

#include "service_bench.h"

#define ACCOUNT "123456789012"

/* A call to KMS; "" for success. The last reply's body is in b->json. */
static void ask(Bench *b, const char *operation, const char *body, int status, const char *code) {
    AUTO_FREE char *target = text_format("TrentService.%s", operation);
    ServiceHeader headers[] = {{"Content-Type", "application/x-amz-json-1.1"},
                               {"X-Amz-Target", target},
                               {"Authorization", "AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/kms/aws4_request, "
                                                 "SignedHeaders=host, Signature=0"}};
    ServiceRequest q = {.method = "POST",
                        .target = "/",
                        .headers = headers,
                        .n_headers = ARRAY_SIZE(headers),
                        .body = body,
                        .body_len = strlen(body)};
    bench_clear(b);
    service_handle(b->service, b->now, &q, &b->reply);
    assert_int_equal(service_json_parse(text_get(&b->reply.body), b->reply.body.len, &b->json), 0);
    if (b->reply.status != status || strcmp(b->reply.code, code) != 0)
        fail_msg("%s %s: %s", operation, body, text_get(&b->reply.body));
    if (*code)
        assert_string_equal(text_at(b, "__type"), code);
    assert_string_equal(header_of(b, "Content-Type"), "application/x-amz-json-1.1");
}

static void add(Bench *b, const char *alias, const char *state, const char *spec, const char *region) {
    assert_int_equal(service_add_key(b->service, &(ServiceKeySeed){.alias = (char *)alias,
                                                                   .region = (char *)region,
                                                                   .state = (char *)state,
                                                                   .spec = (char *)spec}),
                     0);
}

static void open_with_keys(Bench *b) {
    bench_open(b, service_settings_default(), false);
    add(b, "good", NULL, NULL, NULL);
    add(b, "off", "Disabled", NULL, NULL);
    add(b, "going", "PendingDeletion", NULL, NULL);
    add(b, "empty", "PendingImport", NULL, NULL);
    add(b, "signs", NULL, "RSA_2048", NULL);
    add(b, "far", NULL, NULL, "eu-central-1");
}

static void keys_are_described(void **state) {
    Bench b;
    open_with_keys(&b);
    ask(&b, "DescribeKey", "{\"KeyId\":\"alias/good\"}", 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyState"), "Enabled");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyUsage"), "ENCRYPT_DECRYPT");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyManager"), "CUSTOMER");
    AUTO_FREE char *by_arn = text_format("{\"KeyId\":\"%s\"}", text_at(&b, "KeyMetadata.Arn"));
    AUTO_FREE char *by_id = text_format("{\"KeyId\":\"%s\"}", text_at(&b, "KeyMetadata.KeyId"));
    AUTO_FREE char *id = strdup(text_at(&b, "KeyMetadata.KeyId"));
    ask(&b, "DescribeKey", by_arn, 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyId"), id);
    ask(&b, "DescribeKey", by_id, 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyId"), id);
    ask(&b, "DescribeKey", "{\"KeyId\":\"arn:aws:kms:us-east-1:" ACCOUNT ":alias/good\"}", 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyId"), id);
    ask(&b, "DescribeKey", "{\"KeyId\":\"alias/going\"}", 200, "");
    assert_non_null(at(&b, "KeyMetadata.DeletionDate"));
    ask(&b, "DescribeKey", "{\"KeyId\":\"alias/signs\"}", 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyUsage"), "SIGN_VERIFY");
    ask(&b, "DescribeKey", "{\"KeyId\":\"alias/aws/s3\"}", 200, "");
    assert_string_equal(text_at(&b, "KeyMetadata.KeyManager"), "AWS");
    bench_close(&b);
}

static void refusals(void **state) {
    static const struct {
        const char *operation, *body, *code;
        int status;
    } rows[] = {
        {"DescribeKey", "{\"KeyId\":\"alias/none\"}", "NotFoundException", 400},
        {"DescribeKey", "{\"KeyId\":\"alias/far\"}", "NotFoundException", 400},
        {"DescribeKey", "{\"KeyId\":\"1234abcd-12ab-34cd-56ef-1234567890ab\"}", "NotFoundException", 400},
        {"DescribeKey", "{\"KeyId\":\"arn:aws:kms:eu-central-1:" ACCOUNT ":alias/far\"}", "NotFoundException", 400},
        {"DescribeKey", "{\"KeyId\":\"arn:aws:kms:us-east-1:999999999999:alias/good\"}", "AccessDeniedException", 400},
        {"DescribeKey", "{}", "ValidationException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/good\"}", "ValidationException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/good\",\"KeySpec\":\"AES_256\",\"NumberOfBytes\":8}",
         "ValidationException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/good\",\"KeySpec\":\"AES_256\",\"DryRun\":true}",
         "DryRunOperationException", 412},
        {"GenerateDataKey", "{\"KeyId\":\"alias/off\",\"KeySpec\":\"AES_256\",\"DryRun\":true}", "DisabledException",
         400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/going\",\"KeySpec\":\"AES_256\",\"DryRun\":true}",
         "KMSInvalidStateException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/empty\",\"KeySpec\":\"AES_256\",\"DryRun\":true}",
         "KMSInvalidStateException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/signs\",\"KeySpec\":\"AES_256\"}", "InvalidKeyUsageException", 400},
        {"GenerateDataKey", "{\"KeyId\":\"alias/aws/s3\",\"KeySpec\":\"AES_256\",\"DryRun\":true}",
         "AccessDeniedException", 400},
        {"CreateBackup", "{}", "UnknownOperationException", 400},
        {"CreateKey", "{\"KeySpec\":\"ECC_SECG_P256K1\"}", "UnsupportedOperationException", 400},
    };
    Bench b;
    open_with_keys(&b);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        ask(&b, rows[i].operation, rows[i].body, rows[i].status, rows[i].code);
    call(&b, "DescribeKey", "{\"KeyId\":\"alias/good\"}", "UnknownOperationException");
    bench_close(&b);
}

static void keys_are_made_and_used(void **state) {
    Bench b;
    bench_open(&b, service_settings_default(), false);
    ask(&b, "CreateKey", "{}", 200, "");
    assert_true(b.reply.effect);
    AUTO_FREE char *body = text_format("{\"KeyId\":\"%s\",\"NumberOfBytes\":8}", text_at(&b, "KeyMetadata.KeyId"));
    ask(&b, "GenerateDataKey", body, 200, "");
    assert_int_equal(strlen(text_at(&b, "Plaintext")), 12);
    assert_false(b.reply.effect);
    ask(&b, "ListKeys", "{}", 200, "");
    assert_int_equal(count_at(&b, "Keys"), 1);
    bench_close(&b);
}

static void seeds(void **state) {
    static const struct {
        ServiceKeySeed seed;
        int rc;
    } rows[] = {
        {{.alias = (char *)"good"}, -EEXIST},
        {{.alias = (char *)"good", .region = (char *)"eu-west-1"}, 0},
        {{.alias = (char *)""}, -EINVAL},
        {{.alias = (char *)"a b"}, -EINVAL},
        {{.alias = (char *)"aws/s3"}, -EINVAL},
        {{.alias = (char *)"x", .state = (char *)"disabled"}, -EINVAL},
        {{.alias = (char *)"x", .spec = (char *)"AES"}, -EINVAL},
        {{.alias = (char *)"x", .region = (char *)"nowhere"}, -EINVAL},
    };
    Bench b;
    open_with_keys(&b);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(service_add_key(b.service, &rows[i].seed), rows[i].rc);
    bench_close(&b);
}

/* A key is looked for where the bucket is. */
static void exports_need_their_key(void **state) {
    static const struct {
        const char *key, *code;
    } rows[] = {
        {"alias/good", NULL},
        {"alias/aws/s3", NULL},
        {"alias/none", "KmsNotFoundException"},
        {"alias/far", "KmsNotFoundException"},
        {"alias/off", "KmsDisabledException"},
        {"alias/going", "KmsInvalidStateException"},
        {"alias/signs", "KmsInvalidKeyUsageException"},
    };
    Bench b;
    open_with_keys(&b);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *body =
            text_format("{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"bucket%zu\",\"S3SseAlgorithm\":\"KMS\","
                        "\"S3SseKmsKeyId\":\"%s\"}",
                        i, rows[i].key);
        call(&b, "ExportTableToPointInTime", body, "");
        AUTO_FREE char *arn = strdup(text_at(&b, "ExportDescription.ExportArn"));
        b.now += USEC_PER_MINUTE;
        call_arn(&b, "DescribeExport", "ExportArn", arn, "");
        assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), rows[i].code ? "FAILED" : "COMPLETED");
        if (rows[i].code)
            assert_string_equal(text_at(&b, "ExportDescription.FailureCode"), rows[i].code);
    }
    bench_close(&b);
    bench_open(&b, service_settings_default(), false); /* nobody said which keys there are */
    call(&b, "ExportTableToPointInTime", EXPORT(",\"S3SseAlgorithm\":\"KMS\",\"S3SseKmsKeyId\":\"alias/none\""), "");
    AUTO_FREE char *arn = strdup(text_at(&b, "ExportDescription.ExportArn"));
    b.now += USEC_PER_MINUTE;
    call_arn(&b, "DescribeExport", "ExportArn", arn, "");
    assert_string_equal(text_at(&b, "ExportDescription.ExportStatus"), "COMPLETED");
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(keys_are_described), cmocka_unit_test(refusals), cmocka_unit_test(keys_are_made_and_used),
          cmocka_unit_test(seeds), cmocka_unit_test(exports_need_their_key))
