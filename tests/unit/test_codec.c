#include "core/aws/codec.h"

#include "base/text.h"
#include "unit.h"

#define BACKUP_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/backup/01791504762511-2779fadd"
#define EXPORT_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/export/01791506414432-3f2e5aa4"
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define TABLE_ID "6f1f3d2a-0b0e-4c3d-9c44-0d6a5b1c2d3e"

#define DETAILS                                                                                                        \
    "\"BackupDetails\":{\"BackupArn\":\"" BACKUP_ARN "\",\"BackupName\":\"acme.nightly\",\"BackupSizeBytes\":0,"       \
    "\"BackupStatus\":\"CREATING\",\"BackupType\":\"USER\",\"BackupCreationDateTime\":1791504762.511}"
#define SOURCE                                                                                                         \
    "\"SourceTableDetails\":{\"TableName\":\"orders\",\"TableId\":\"" TABLE_ID "\",\"TableArn\":\"" TABLE_ARN          \
    "\",\"TableSizeBytes\":8589934592,\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"                \
    "\"TableCreationDateTime\":1.36372808007E9,\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,"                    \
    "\"WriteCapacityUnits\":1},\"ItemCount\":123456789012,\"BillingMode\":\"PAY_PER_REQUEST\"}"

/* Decodes from memory that is exactly as long as the body. */
static int decode_bytes(AwsOp op, const char *body, size_t len, AwsReply **ret, char why[static CODEC_WHY_SIZE]) {
    char *exact = malloc(len ? len : 1);
    assert_non_null(exact);
    memcpy(exact, body, len);
    snprintf(why, CODEC_WHY_SIZE, "nothing");
    int r = codec_decode(op, exact, len, ret, why);
    free(exact);
    return r;
}

static AwsReply *decode(AwsOp op, const char *body) {
    AwsReply *reply = NULL;
    char why[CODEC_WHY_SIZE];
    int r = decode_bytes(op, body, strlen(body), &reply, why);
    if (r < 0)
        fail_msg("%s: %s", body, why);
    assert_int_equal(reply->op, op);
    return reply;
}

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

static void check_encoded(AwsRequest *q, const char *expected) {
    char *json = NULL;
    assert_int_equal(codec_encode(q, &json), 0);
    assert_string_equal(json, expected);
    free(json);
    aws_request_free(q);
}

static AwsRequest *request(AwsOp op) {
    AwsRequest *q = aws_request_new(op);
    assert_non_null(q);
    return q;
}

static void requests(void **state) {
    AwsRequest *q = request(AWS_OP_CREATE_BACKUP);
    q->create_backup.table = copy("orders");
    q->create_backup.name = copy("acme.nightly.20261123T020000Z.0a1b2c3d");
    check_encoded(q, "{\"TableName\":\"orders\",\"BackupName\":\"acme.nightly.20261123T020000Z.0a1b2c3d\"}");

    q = request(AWS_OP_DESCRIBE_BACKUP);
    q->describe_backup.arn = copy(BACKUP_ARN);
    check_encoded(q, "{\"BackupArn\":\"" BACKUP_ARN "\"}");

    q = request(AWS_OP_DELETE_BACKUP);
    q->delete_backup.arn = copy(BACKUP_ARN);
    check_encoded(q, "{\"BackupArn\":\"" BACKUP_ARN "\"}");

    check_encoded(request(AWS_OP_LIST_BACKUPS), "{}");
    q = request(AWS_OP_LIST_BACKUPS);
    q->list_backups.table = copy("orders");
    q->list_backups.type = copy("ALL");
    q->list_backups.lower_wall = INT64_C(1791504762) * USEC_PER_SEC;
    q->list_backups.upper_wall = INT64_C(1791504762007999);
    q->list_backups.start_arn = copy(BACKUP_ARN);
    q->list_backups.limit = 100;
    check_encoded(q, "{\"TableName\":\"orders\",\"Limit\":100,\"TimeRangeLowerBound\":1791504762,"
                     "\"TimeRangeUpperBound\":1791504762.007,\"ExclusiveStartBackupArn\":\"" BACKUP_ARN
                     "\",\"BackupType\":\"ALL\"}");

    q = request(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS);
    q->describe_continuous_backups.table = copy("orders");
    check_encoded(q, "{\"TableName\":\"orders\"}");

    q = request(AWS_OP_DESCRIBE_EXPORT);
    q->describe_export.arn = copy(EXPORT_ARN);
    check_encoded(q, "{\"ExportArn\":\"" EXPORT_ARN "\"}");

    q = request(AWS_OP_LIST_EXPORTS);
    q->list_exports.table_arn = copy(TABLE_ARN);
    q->list_exports.start_token = copy("a\"b\\c\n\x01\xc3\xa9");
    q->list_exports.limit = 25;
    check_encoded(q, "{\"TableArn\":\"" TABLE_ARN
                     "\",\"MaxResults\":25,\"NextToken\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\"}");

    q = request(AWS_OP_DESCRIBE_TABLE);
    q->describe_table.table = copy("orders");
    check_encoded(q, "{\"TableName\":\"orders\"}");

    check_encoded(request(AWS_OP_LIST_TABLES), "{}");
    q = request(AWS_OP_LIST_TABLES);
    q->list_tables.start_name = copy("orders");
    q->list_tables.limit = 100;
    check_encoded(q, "{\"ExclusiveStartTableName\":\"orders\",\"Limit\":100}");

    q = request(AWS_OP_LIST_TAGS);
    q->list_tags.arn = copy(TABLE_ARN);
    check_encoded(q, "{\"ResourceArn\":\"" TABLE_ARN "\"}");
    q = request(AWS_OP_LIST_TAGS);
    q->list_tags.arn = copy(TABLE_ARN);
    q->list_tags.start_token = copy("more");
    check_encoded(q, "{\"ResourceArn\":\"" TABLE_ARN "\",\"NextToken\":\"more\"}");

    q = request(AWS_OP_UPDATE_CONTINUOUS_BACKUPS);
    q->update_continuous_backups.table = copy("orders");
    q->update_continuous_backups.enabled = true;
    check_encoded(q, "{\"TableName\":\"orders\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":"
                     "true}}");
}

static void key_requests(void **state) {
    AwsRequest *q = request(AWS_OP_DESCRIBE_KEY);
    q->key.id = copy("alias/backups");
    check_encoded(q, "{\"KeyId\":\"alias/backups\"}");
    q = request(AWS_OP_TRY_DATA_KEY);
    q->key.id = copy("alias/backups");
    q->key.object_arn = copy("arn:aws:s3:::acme/\"x\"");
    check_encoded(q, "{\"KeyId\":\"alias/backups\",\"KeySpec\":\"AES_256\",\"EncryptionContext\":{\"aws:s3:arn\":"
                     "\"arn:aws:s3:::acme/\\\"x\\\"\"},\"DryRun\":true}");
}

static void export_requests(void **state) {
    AwsRequest *q = request(AWS_OP_EXPORT_TABLE);
    q->export_table.table_arn = copy(TABLE_ARN);
    q->export_table.client_token = copy("t0ken");
    q->export_table.s3_bucket = copy("acme");
    q->export_table.s3_prefix = copy(""); /* the service wants it left out rather than empty */
    check_encoded(q, "{\"TableArn\":\"" TABLE_ARN "\",\"ClientToken\":\"t0ken\",\"S3Bucket\":\"acme\"}");

    q = request(AWS_OP_EXPORT_TABLE);
    q->export_table.table_arn = copy(TABLE_ARN);
    q->export_table.export_wall = 0;
    q->export_table.client_token = copy("t0ken");
    q->export_table.s3_bucket = copy("acme");
    q->export_table.s3_bucket_owner = copy("333333333333");
    q->export_table.s3_prefix = copy("a b/orders");
    q->export_table.s3_sse_algorithm = copy("KMS");
    q->export_table.s3_sse_kms_key_id = copy("alias/aws/s3");
    q->export_table.format = copy("ION");
    check_encoded(q, "{\"TableArn\":\"" TABLE_ARN
                     "\",\"ExportTime\":0,\"ClientToken\":\"t0ken\",\"S3Bucket\":\"acme\",\"S3BucketOwner\":"
                     "\"333333333333\",\"S3Prefix\":\"a b/orders\",\"S3SseAlgorithm\":\"KMS\",\"S3SseKmsKeyId\":"
                     "\"alias/aws/s3\",\"ExportFormat\":\"ION\"}");

    q = request(AWS_OP_EXPORT_TABLE);
    q->export_table.table_arn = copy(TABLE_ARN);
    q->export_table.client_token = copy("t0ken");
    q->export_table.s3_bucket = copy("acme");
    q->export_table.from_wall = 1795399200 * USEC_PER_SEC;
    q->export_table.to_wall = 1795401000 * USEC_PER_SEC;
    q->export_table.view_type = copy("NEW_IMAGE");
    check_encoded(q, "{\"TableArn\":\"" TABLE_ARN "\",\"ClientToken\":\"t0ken\",\"S3Bucket\":\"acme\",\"ExportType\":"
                     "\"INCREMENTAL_EXPORT\",\"IncrementalExportSpecification\":{\"ExportFromTime\":1795399200,"
                     "\"ExportToTime\":1795401000,\"ExportViewType\":\"NEW_IMAGE\"}}");
}

static void backups(void **state) {
    AwsReply *r = decode(AWS_OP_CREATE_BACKUP, "{" DETAILS "}");
    BackupInfo *b = &r->backup;
    assert_string_equal(b->arn, BACKUP_ARN);
    assert_string_equal(b->name, "acme.nightly");
    assert_int_equal(b->status, BACKUP_CREATING);
    assert_string_equal(b->status_text, "CREATING");
    assert_string_equal(b->type, "USER");
    assert_int_equal(b->size_bytes, 0);
    assert_int_equal(b->created_wall, INT64_C(1791504762511000));
    assert_int_equal(b->expires_wall, WALL_UNKNOWN);
    assert_null(b->table_name);
    assert_null(b->table_id);
    assert_int_equal(b->item_count, COUNT_UNKNOWN);
    assert_int_equal(b->table_size_bytes, COUNT_UNKNOWN);
    assert_int_equal(b->table_created_wall, WALL_UNKNOWN);
    aws_reply_free(r);

    r = decode(AWS_OP_DESCRIBE_BACKUP,
               "{\"BackupDescription\":{" DETAILS "," SOURCE ",\"SourceTableFeatureDetails\":{}}}");
    b = &r->backup;
    assert_string_equal(b->arn, BACKUP_ARN);
    assert_string_equal(b->table_name, "orders");
    assert_string_equal(b->table_id, TABLE_ID);
    assert_string_equal(b->table_arn, TABLE_ARN);
    assert_int_equal(b->table_size_bytes, INT64_C(8589934592));
    assert_int_equal(b->item_count, INT64_C(123456789012));
    assert_string_equal(b->billing_mode, "PAY_PER_REQUEST");
    assert_int_equal(b->table_created_wall, INT64_C(1363728080070000));
    aws_reply_free(r);

    r = decode(AWS_OP_DELETE_BACKUP, "{\"BackupDescription\":{" DETAILS "," SOURCE "}}");
    assert_string_equal(r->backup.arn, BACKUP_ARN);
    assert_string_equal(r->backup.table_id, TABLE_ID);
    aws_reply_free(r);
}

static void backup_lists(void **state) {
    AwsReply *r = decode(AWS_OP_LIST_BACKUPS, "{\"BackupSummaries\":[]}");
    assert_int_equal(r->backups.n_items, 0);
    assert_null(r->backups.next);
    aws_reply_free(r);

    /* an empty page with a cursor is no end */
    r = decode(AWS_OP_LIST_BACKUPS,
               "{\"LastEvaluatedBackupArn\":\"" BACKUP_ARN "\",\"BackupSummaries\":[],\"More\":[[{}]]}");
    assert_int_equal(r->backups.n_items, 0);
    assert_string_equal(r->backups.next, BACKUP_ARN);
    aws_reply_free(r);

    AUTO_TEXT t = TEXT_INIT(1 << 20);
    for (int i = 0; i < 100; i++)
        text_addf(&t,
                  "%s{\"TableName\":\"orders\",\"TableId\":\"%d\",\"TableArn\":\"" TABLE_ARN
                  "\",\"BackupArn\":\"arn%d\",\"BackupName\":\"name%d\",\"BackupCreationDateTime\":%d.25,"
                  "\"BackupExpiryDateTime\":%d,\"BackupStatus\":\"AVAILABLE\","
                  "\"BackupType\":\"SYSTEM\",\"BackupSizeBytes\":%d}",
                  i ? "," : "{\"BackupSummaries\":[", i, i, i, i, i + 1, i);
    text_add(&t, "]}");
    r = decode(AWS_OP_LIST_BACKUPS, text_get(&t));
    assert_int_equal(r->backups.n_items, 100);
    assert_null(r->backups.next);
    for (int i = 0; i < 100; i++) {
        const BackupInfo *b = &r->backups.items[i];
        char arn[16], name[16], id[16];
        snprintf(arn, sizeof arn, "arn%d", i);
        snprintf(name, sizeof name, "name%d", i);
        snprintf(id, sizeof id, "%d", i);
        assert_string_equal(b->arn, arn);
        assert_string_equal(b->name, name);
        assert_string_equal(b->table_id, id);
        assert_string_equal(b->table_name, "orders");
        assert_string_equal(b->table_arn, TABLE_ARN);
        assert_int_equal(b->created_wall, i * USEC_PER_SEC + 250000);
        assert_int_equal(b->expires_wall, (i + 1) * USEC_PER_SEC);
        assert_int_equal(b->status, BACKUP_AVAILABLE);
        assert_string_equal(b->type, "SYSTEM");
        assert_int_equal(b->size_bytes, i);
    }
    aws_reply_free(r);
}

static void statuses(void **state) {
    static const struct {
        const char *word;
        BackupStatus backup;
        ExportStatus export;
    } rows[] = {
        {"AVAILABLE", BACKUP_AVAILABLE, EXPORT_UNKNOWN}, {"ACTIVE", BACKUP_AVAILABLE, EXPORT_UNKNOWN},
        {"CREATING", BACKUP_CREATING, EXPORT_UNKNOWN},   {"DELETED", BACKUP_DELETED, EXPORT_UNKNOWN},
        {"COMPLETED", BACKUP_UNKNOWN, EXPORT_COMPLETED}, {"IN_PROGRESS", BACKUP_UNKNOWN, EXPORT_IN_PROGRESS},
        {"FAILED", BACKUP_UNKNOWN, EXPORT_FAILED},       {"PENDING", BACKUP_UNKNOWN, EXPORT_UNKNOWN},
        {"available", BACKUP_UNKNOWN, EXPORT_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char body[500];
        snprintf(body, sizeof body,
                 "{\"BackupDetails\":{\"BackupArn\":\"a\",\"BackupName\":\"n\",\"BackupStatus\":\"%s\",\"BackupType\":"
                 "\"USER\",\"BackupCreationDateTime\":1}}",
                 rows[i].word);
        AwsReply *r = decode(AWS_OP_CREATE_BACKUP, body);
        assert_int_equal(r->backup.status, rows[i].backup);
        assert_string_equal(r->backup.status_text, rows[i].word);
        aws_reply_free(r);
        snprintf(body, sizeof body, "{\"ExportDescription\":{\"ExportArn\":\"a\",\"ExportStatus\":\"%s\"}}",
                 rows[i].word);
        r = decode(AWS_OP_EXPORT_TABLE, body);
        assert_int_equal(r->export.status, rows[i].export);
        assert_string_equal(r->export.status_text, rows[i].word);
        aws_reply_free(r);
    }
}

static void exports(void **state) {
    AwsReply *r = decode(AWS_OP_EXPORT_TABLE,
                         "{\"ExportDescription\":{\"ExportArn\":\"" EXPORT_ARN
                         "\",\"ExportStatus\":\"IN_PROGRESS\",\"StartTime\":1791506414.432,\"TableArn\":\"" TABLE_ARN
                         "\",\"TableId\":\"" TABLE_ID
                         "\",\"ExportTime\":1791506414.432,\"ClientToken\":\"t0ken\",\"S3Bucket\":\"acme\","
                         "\"S3SseAlgorithm\":\"AES256\",\"ExportFormat\":\"DYNAMODB_JSON\",\"DestinationType\":\"S3\","
                         "\"FailureCode\":null,\"ItemCount\":null}}");
    ExportInfo *e = &r->export;
    assert_string_equal(e->arn, EXPORT_ARN);
    assert_int_equal(e->status, EXPORT_IN_PROGRESS);
    assert_null(e->type);
    assert_int_equal(e->start_wall, INT64_C(1791506414432000));
    assert_int_equal(e->export_wall, INT64_C(1791506414432000));
    assert_int_equal(e->end_wall, WALL_UNKNOWN);
    assert_string_equal(e->table_arn, TABLE_ARN);
    assert_string_equal(e->table_id, TABLE_ID);
    assert_string_equal(e->client_token, "t0ken");
    assert_string_equal(e->s3_bucket, "acme");
    assert_string_equal(e->s3_sse_algorithm, "AES256");
    assert_string_equal(e->format, "DYNAMODB_JSON");
    assert_null(e->failure_code);
    assert_null(e->s3_prefix);
    assert_int_equal(e->item_count, COUNT_UNKNOWN);
    assert_int_equal(e->billed_size_bytes, COUNT_UNKNOWN);
    assert_int_equal(e->from_wall, WALL_UNKNOWN);
    aws_reply_free(r);

    r = decode(AWS_OP_DESCRIBE_EXPORT,
               "{\"ExportDescription\":{\"BilledSizeBytes\":10000000,\"EndTime\":1791506714.1,"
               "\"ExportArn\":\"" EXPORT_ARN "\","
               "\"ExportManifest\":\"p/AWSDynamoDB/01791506414432-3f2e5aa4/manifest-summary.json\","
               "\"ExportStatus\":\"FAILED\",\"ExportType\":\"INCREMENTAL_EXPORT\",\"FailureCode\":\"S3AccessDenied\","
               "\"FailureMessage\":\"Access \\\"Denied\\\"\\n\\u00e9\",\"IncrementalExportSpecification\":{"
               "\"ExportFromTime\":1768386000,\"ExportToTime\":1768386900,\"ExportViewType\":\"NEW_IMAGE\"},"
               "\"ItemCount\":6,\"S3BucketOwner\":\"333333333333\",\"S3Prefix\":\"\",\"S3SseAlgorithm\":\"KMS\","
               "\"S3SseKmsKeyId\":\"alias/aws/s3\"}}");
    e = &r->export;
    assert_int_equal(e->status, EXPORT_FAILED);
    assert_string_equal(e->type, "INCREMENTAL_EXPORT");
    assert_int_equal(e->end_wall, INT64_C(1791506714100000));
    assert_string_equal(e->manifest_key, "p/AWSDynamoDB/01791506414432-3f2e5aa4/manifest-summary.json");
    assert_string_equal(e->failure_code, "S3AccessDenied");
    assert_string_equal(e->failure_message, "Access \"Denied\"\n\xc3\xa9");
    assert_int_equal(e->from_wall, INT64_C(1768386000) * USEC_PER_SEC);
    assert_int_equal(e->to_wall, INT64_C(1768386900) * USEC_PER_SEC);
    assert_string_equal(e->view_type, "NEW_IMAGE");
    assert_int_equal(e->item_count, 6);
    assert_int_equal(e->billed_size_bytes, 10000000);
    assert_string_equal(e->s3_bucket_owner, "333333333333");
    assert_string_equal(e->s3_prefix, "");
    assert_string_equal(e->s3_sse_kms_key_id, "alias/aws/s3");
    aws_reply_free(r);

    r = decode(AWS_OP_LIST_EXPORTS,
               "{\"ExportSummaries\":[{\"ExportArn\":\"a\",\"ExportStatus\":\"COMPLETED\","
               "\"ExportType\":\"FULL_EXPORT\"},{\"ExportArn\":\"b\",\"ExportStatus\":\"IN_PROGRESS\"}],"
               "\"NextToken\":\"n\"}");
    assert_int_equal(r->exports.n_items, 2);
    assert_string_equal(r->exports.items[0].arn, "a");
    assert_int_equal(r->exports.items[0].status, EXPORT_COMPLETED);
    assert_string_equal(r->exports.items[0].type, "FULL_EXPORT");
    assert_string_equal(r->exports.items[1].arn, "b");
    assert_null(r->exports.items[1].type);
    assert_int_equal(r->exports.items[1].item_count, COUNT_UNKNOWN);
    assert_string_equal(r->exports.next, "n");
    aws_reply_free(r);
}

static void tables(void **state) {
    AwsReply *r = decode(AWS_OP_DESCRIBE_TABLE,
                         "{\"Table\":{\"TableArn\":\"" TABLE_ARN "\",\"TableId\":\"" TABLE_ID
                         "\",\"TableName\":\"orders\",\"TableStatus\":\"ACTIVE\",\"CreationDateTime\":1.5767E9,"
                         "\"TableSizeBytes\":9007199254740991,\"ItemCount\":12,\"BillingModeSummary\":{\"BillingMode\":"
                         "\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":1576616366.715},\"Replicas\":[]}}");
    assert_string_equal(r->table.name, "orders");
    assert_string_equal(r->table.arn, TABLE_ARN);
    assert_string_equal(r->table.id, TABLE_ID);
    assert_string_equal(r->table.status, "ACTIVE");
    assert_int_equal(r->table.created_wall, INT64_C(1576700000) * USEC_PER_SEC);
    assert_int_equal(r->table.size_bytes, INT64_C(9007199254740991));
    assert_int_equal(r->table.item_count, 12);
    assert_string_equal(r->table.billing_mode, "PAY_PER_REQUEST");
    aws_reply_free(r);

    r = decode(AWS_OP_DESCRIBE_TABLE,
               "{\"Table\":{\"TableArn\":\"a\",\"TableName\":\"orders\",\"TableStatus\":\"ARCHIVED\"}}");
    assert_string_equal(r->table.id, "");
    assert_int_equal(r->table.created_wall, WALL_UNKNOWN);
    assert_int_equal(r->table.size_bytes, COUNT_UNKNOWN);
    assert_null(r->table.billing_mode);
    aws_reply_free(r);

    r = decode(AWS_OP_LIST_TAGS, "{\"Tags\":[{\"Key\":\"backup\",\"Value\":\"yes\"},{\"Key\":\"bare\","
                                 "\"Value\":\"\"},{\"Key\":\"none\"}],\"NextToken\":\"more\"}");
    assert_int_equal(r->tags.n_items, 3);
    assert_string_equal(r->tags.items[0].key, "backup");
    assert_string_equal(r->tags.items[0].value, "yes");
    assert_string_equal(r->tags.items[1].value, "");
    assert_string_equal(r->tags.items[2].value, "");
    assert_string_equal(r->tags.next, "more");
    aws_reply_free(r);

    r = decode(AWS_OP_LIST_TABLES, "{\"TableNames\":[\"b\",\"a\",\"c\"],\"LastEvaluatedTableName\":\"c\"}");
    assert_int_equal(r->tables.n_items, 3);
    assert_string_equal(r->tables.items[0], "b");
    assert_string_equal(r->tables.items[2], "c");
    assert_string_equal(r->tables.next, "c");
    aws_reply_free(r);
}

static void keys(void **state) {
    AwsReply *r = decode(AWS_OP_DESCRIBE_KEY,
                         "{\"KeyMetadata\":{\"KeyId\":\"k\",\"Arn\":\"arn:aws:kms:eu-central-1:1:key/k\",\"KeyState\":"
                         "\"PendingDeletion\",\"KeyUsage\":\"ENCRYPT_DECRYPT\",\"KeySpec\":\"SYMMETRIC_DEFAULT\","
                         "\"CustomerMasterKeySpec\":\"OLD\",\"KeyManager\":\"CUSTOMER\",\"DeletionDate\":1.5E9}}");
    assert_string_equal(r->key.arn, "arn:aws:kms:eu-central-1:1:key/k");
    assert_string_equal(r->key.state, "PendingDeletion");
    assert_string_equal(r->key.usage, "ENCRYPT_DECRYPT");
    assert_string_equal(r->key.spec, "SYMMETRIC_DEFAULT");
    assert_string_equal(r->key.manager, "CUSTOMER");
    assert_int_equal(r->key.deletion_wall, INT64_C(1500000000) * USEC_PER_SEC);
    aws_reply_free(r);
    r = decode(AWS_OP_DESCRIBE_KEY, "{\"KeyMetadata\":{\"Arn\":\"a\",\"CustomerMasterKeySpec\":\"RSA_2048\"}}");
    assert_string_equal(r->key.spec, "RSA_2048");
    assert_null(r->key.state);
    assert_int_equal(r->key.deletion_wall, WALL_UNKNOWN);
    aws_reply_free(r);
    /* those who do not know of dry runs make one */
    aws_reply_free(decode(AWS_OP_TRY_DATA_KEY, "{\"Plaintext\":\"c2VjcmV0\",\"CiphertextBlob\":\"eA==\"}"));
}

#define RECOVERY(members)                                                                                              \
    "{\"ContinuousBackupsDescription\":{\"ContinuousBackupsStatus\":\"ENABLED\","                                      \
    "\"PointInTimeRecoveryDescription\":{" members "}}}"

static void recovery(void **state) {
    AwsReply *r = decode(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS,
                         RECOVERY("\"PointInTimeRecoveryStatus\":\"ENABLED\",\"RecoveryPeriodInDays\":35,"
                                  "\"EarliestRestorableDateTime\":1788504762.5,"
                                  "\"LatestRestorableDateTime\":1791504462"));
    assert_true(r->recovery.pitr_enabled);
    assert_int_equal(r->recovery.period_days, 35);
    assert_int_equal(r->recovery.earliest_wall, INT64_C(1788504762500000));
    assert_int_equal(r->recovery.latest_wall, INT64_C(1791504462000000));
    aws_reply_free(r);
    r = decode(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS,
               RECOVERY("\"PointInTimeRecoveryStatus\":\"DISABLED\",\"RecoveryPeriodInDays\":35"));
    assert_false(r->recovery.pitr_enabled);
    assert_int_equal(r->recovery.period_days, COUNT_UNKNOWN);
    assert_int_equal(r->recovery.earliest_wall, WALL_UNKNOWN);
    assert_int_equal(r->recovery.latest_wall, WALL_UNKNOWN);
    aws_reply_free(r);
}

/* A BackupDetails with these members in the place of its size, of its creation time. */
#define SIZED(size)                                                                                                    \
    "{\"BackupDetails\":{\"BackupArn\":\"a\",\"BackupName\":\"n\",\"BackupStatus\":\"CREATING\",\"BackupType\":"       \
    "\"USER\",\"BackupCreationDateTime\":1,\"BackupSizeBytes\":" size "}}"
#define MADE(at)                                                                                                       \
    "{\"BackupDetails\":{\"BackupArn\":\"a\",\"BackupName\":\"n\",\"BackupStatus\":\"CREATING\",\"BackupType\":"       \
    "\"USER\",\"BackupCreationDateTime\":" at "}}"

static void numbers(void **state) {
    static const struct {
        const char *body;
        int64_t size;
        Usec wall;
    } rows[] = {
        {SIZED("2147483648"), INT64_C(2147483648), USEC_PER_SEC},
        {SIZED("9007199254740991"), INT64_C(9007199254740991), USEC_PER_SEC},
        {SIZED("1E3"), 1000, USEC_PER_SEC},
        {SIZED("-0"), 0, USEC_PER_SEC},
        {MADE("0"), COUNT_UNKNOWN, 0},
        {MADE("1576616366.715"), COUNT_UNKNOWN, INT64_C(1576616366715000)},
        {MADE("1576616366.7154"), COUNT_UNKNOWN, INT64_C(1576616366715000)},
        {MADE("1576616366.7156"), COUNT_UNKNOWN, INT64_C(1576616366716000)},
        {MADE("1.36372808007E9"), COUNT_UNKNOWN, INT64_C(1363728080070000)},
        {MADE("253402300799"), COUNT_UNKNOWN, WALL_MAX},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AwsReply *r = decode(AWS_OP_CREATE_BACKUP, rows[i].body);
        assert_int_equal(r->backup.size_bytes, rows[i].size);
        assert_int_equal(r->backup.created_wall, rows[i].wall);
        aws_reply_free(r);
    }
}

static void refused(void **state) {
    static const struct {
        AwsOp op;
        const char *body, *why;
    } rows[] = {
        {AWS_OP_CREATE_BACKUP, "", "the body is empty"},
        {AWS_OP_CREATE_BACKUP, "[]", "the body is no object"},
        {AWS_OP_CREATE_BACKUP, "{}", "BackupDetails is missing"},
        {AWS_OP_CREATE_BACKUP, "<html>502</html>", "the body is no JSON"},
        {AWS_OP_CREATE_BACKUP, "{" DETAILS, "the body ends too early"},
        {AWS_OP_CREATE_BACKUP, "{" DETAILS "}}", "the body has bytes after its end"},
        {AWS_OP_CREATE_BACKUP, "{\"x\":\"\\u0000\"," DETAILS "}", "the body holds a zero character"},
        {AWS_OP_CREATE_BACKUP, "{" DETAILS "," DETAILS "}", "BackupDetails is there twice"},
        {AWS_OP_CREATE_BACKUP, "{\"backupdetails\":{}}", "BackupDetails is missing"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":null}", "BackupDetails is missing"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":[]}", "BackupDetails is no object"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{}}", "BackupDetails.BackupArn is missing"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{\"BackupArn\":1}}", "BackupDetails.BackupArn is no string"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{\"BackupArn\":\"\"}}", "BackupDetails.BackupArn is empty"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{\"BackupArn\":\"\xff\"}}", "BackupDetails.BackupArn is not UTF-8"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{\"BackupArn\":\"a\"}}", "BackupDetails.BackupName is missing"},
        {AWS_OP_CREATE_BACKUP, "{\"BackupDetails\":{\"BackupArn\":\"a\",\"BackupName\":\"n\"}}",
         "BackupDetails.BackupStatus is missing"},
        {AWS_OP_CREATE_BACKUP,
         "{\"BackupDetails\":{\"BackupArn\":\"a\",\"BackupName\":\"n\",\"BackupStatus\":\"CREATING\",\"BackupType\":"
         "\"USER\"}}",
         "BackupDetails.BackupCreationDateTime is missing"},
        {AWS_OP_CREATE_BACKUP, SIZED("-1"), "BackupDetails.BackupSizeBytes is out of range"},
        {AWS_OP_CREATE_BACKUP, SIZED("9007199254740992"), "BackupDetails.BackupSizeBytes is out of range"},
        {AWS_OP_CREATE_BACKUP, SIZED("1e999"), "BackupDetails.BackupSizeBytes is out of range"},
        {AWS_OP_CREATE_BACKUP, SIZED("0.5"), "BackupDetails.BackupSizeBytes is no whole number"},
        {AWS_OP_CREATE_BACKUP, SIZED("\"1\""), "BackupDetails.BackupSizeBytes is no number"},
        {AWS_OP_CREATE_BACKUP, SIZED("1,\"BackupSizeBytes\":1"), "BackupDetails.BackupSizeBytes is there twice"},
        {AWS_OP_CREATE_BACKUP, MADE("-0.001"), "BackupDetails.BackupCreationDateTime is out of range"},
        {AWS_OP_CREATE_BACKUP, MADE("253402300800"), "BackupDetails.BackupCreationDateTime is out of range"},
        {AWS_OP_CREATE_BACKUP, MADE("\"2026-11-23T02:00:00Z\""),
         "BackupDetails.BackupCreationDateTime is no number"},
        {AWS_OP_DESCRIBE_BACKUP, "{" DETAILS "}", "BackupDescription is missing"},
        {AWS_OP_DESCRIBE_BACKUP, "{\"BackupDescription\":[7]}", "BackupDescription is no object"},
        {AWS_OP_DESCRIBE_BACKUP, "{\"BackupDescription\":{}}", "BackupDescription.BackupDetails is missing"},
        {AWS_OP_DESCRIBE_BACKUP, "{\"BackupDescription\":{" DETAILS "}}",
         "BackupDescription.SourceTableDetails is missing"},
        {AWS_OP_DESCRIBE_BACKUP,
         "{\"BackupDescription\":{" DETAILS ",\"SourceTableDetails\":{\"TableName\":\"n\",\"TableId\":7}}}",
         "BackupDescription.SourceTableDetails.TableId is no string"},
        {AWS_OP_DESCRIBE_BACKUP,
         "{\"BackupDescription\":{" DETAILS ",\"SourceTableDetails\":{\"TableName\":\"n\",\"ItemCount\":-5}}}",
         "BackupDescription.SourceTableDetails.ItemCount is out of range"},
        {AWS_OP_LIST_BACKUPS, "{}", "BackupSummaries is missing"},
        {AWS_OP_LIST_BACKUPS, "{\"BackupSummaries\":{}}", "BackupSummaries is no array"},
        {AWS_OP_LIST_BACKUPS, "{\"BackupSummaries\":[null]}", "BackupSummaries[0] is no object"},
        {AWS_OP_LIST_BACKUPS, "{\"BackupSummaries\":[],\"LastEvaluatedBackupArn\":\"\"}",
         "LastEvaluatedBackupArn is empty"},
        {AWS_OP_LIST_BACKUPS, "{\"BackupSummaries\":[],\"LastEvaluatedBackupArn\":7}",
         "LastEvaluatedBackupArn is no string"},
        {AWS_OP_LIST_BACKUPS,
         "{\"BackupSummaries\":[{\"BackupArn\":\"a\",\"BackupName\":\"n\",\"BackupStatus\":\"CREATING\",\"BackupType\":"
         "\"USER\",\"BackupCreationDateTime\":1},{\"BackupArn\":\"a\"}]}",
         "BackupSummaries[1].BackupName is missing"},
        {AWS_OP_EXPORT_TABLE, "{}", "ExportDescription is missing"},
        {AWS_OP_EXPORT_TABLE, "{\"ExportDescription\":{\"ExportStatus\":\"FAILED\"}}",
         "ExportDescription.ExportArn is missing"},
        {AWS_OP_DESCRIBE_EXPORT, "{\"ExportDescription\":{\"ExportArn\":\"a\"}}",
         "ExportDescription.ExportStatus is missing"},
        {AWS_OP_DESCRIBE_EXPORT,
         "{\"ExportDescription\":{\"ExportArn\":\"a\",\"ExportStatus\":\"COMPLETED\",\"ItemCount\":1.5}}",
         "ExportDescription.ItemCount is no whole number"},
        {AWS_OP_DESCRIBE_EXPORT,
         "{\"ExportDescription\":{\"ExportArn\":\"a\",\"ExportStatus\":\"COMPLETED\","
         "\"IncrementalExportSpecification\":{\"ExportToTime\":true}}}",
         "ExportDescription.IncrementalExportSpecification.ExportToTime is no number"},
        {AWS_OP_LIST_EXPORTS, "{}", "ExportSummaries is missing"},
        {AWS_OP_LIST_EXPORTS, "{\"ExportSummaries\":[{\"ExportArn\":\"a\"}]}",
         "ExportSummaries[0].ExportStatus is missing"},
        {AWS_OP_DESCRIBE_TABLE, "{\"Table\":{\"TableName\":\"t\"}}", "Table.TableArn is missing"},
        {AWS_OP_DESCRIBE_TABLE,
         "{\"Table\":{\"TableName\":\"t\",\"TableArn\":\"a\",\"TableStatus\":\"ACTIVE\",\"BillingModeSummary\":{"
         "\"BillingMode\":{}}}}",
         "Table.BillingModeSummary.BillingMode is no string"},
        {AWS_OP_LIST_TABLES, "{}", "TableNames is missing"},
        {AWS_OP_LIST_TAGS, "{}", "Tags is missing"},
        {AWS_OP_LIST_TAGS, "{\"Tags\":[{\"Value\":\"v\"}]}", "Tags[0].Key is missing"},
        {AWS_OP_LIST_TAGS, "{\"Tags\":[{\"Key\":\"k\",\"Value\":1}]}", "Tags[0].Value is no string"},
        {AWS_OP_LIST_TAGS, "{\"Tags\":[],\"NextToken\":\"\"}", "NextToken is empty"},
        {AWS_OP_LIST_TABLES, "{\"TableNames\":[\"a\",3]}", "TableNames[1] is no string"},
        {AWS_OP_LIST_TABLES, "{\"TableNames\":[\"a\",\"\"]}", "TableNames[1] is empty"},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "{\"ContinuousBackupsDescription\":{}}",
         "ContinuousBackupsDescription.PointInTimeRecoveryDescription is missing"},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, RECOVERY(""),
         "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus is missing"},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, RECOVERY("\"PointInTimeRecoveryStatus\":\"ENABLING\""),
         "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus is neither ENABLED nor "
         "DISABLED"},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, RECOVERY("\"PointInTimeRecoveryStatus\":\"ENABLED\""),
         "ContinuousBackupsDescription.PointInTimeRecoveryDescription.EarliestRestorableDateTime is missing"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AwsReply *reply = NULL;
        char why[CODEC_WHY_SIZE];
        int r = decode_bytes(rows[i].op, rows[i].body, strlen(rows[i].body), &reply, why);
        if (r != -EBADMSG || strcmp(why, rows[i].why) != 0 || reply)
            fail_msg("%s: %d, %s; expected %s", rows[i].body, r, why, rows[i].why);
    }
}

static void bounds(void **state) {
    AUTO_TEXT t = TEXT_INIT(1 << 20);
    AwsReply *reply = NULL;
    char why[CODEC_WHY_SIZE];
    /* the root is one level, so 31 more are allowed */
    for (int depth = 31; depth <= 32; depth++) {
        text_clear(&t);
        text_add(&t, "{\"new\":");
        for (int i = 0; i < depth; i++)
            text_add(&t, "[");
        for (int i = 0; i < depth; i++)
            text_add(&t, "]");
        text_add(&t, "," DETAILS "}");
        int r = decode_bytes(AWS_OP_CREATE_BACKUP, t.data, t.len, &reply, why);
        assert_int_equal(r, depth == 31 ? 0 : -EBADMSG);
        aws_reply_free(TAKE_PTR(reply));
    }
    assert_string_equal(why, "the body is nested too deep");

    for (int len = 4096; len <= 4097; len++) {
        text_clear(&t);
        text_addf(&t, "{\"TableNames\":[\"%0*d\"]}", len, 0);
        assert_int_equal(decode_bytes(AWS_OP_LIST_TABLES, t.data, t.len, &reply, why), len == 4096 ? 0 : -EBADMSG);
        aws_reply_free(TAKE_PTR(reply));
    }
    assert_string_equal(why, "TableNames[0] is too long");

    for (int len = 65536; len <= 65537; len++) {
        text_clear(&t);
        text_addf(&t, "{\"ExportSummaries\":[],\"NextToken\":\"%0*d\"}", len, 0);
        assert_int_equal(decode_bytes(AWS_OP_LIST_EXPORTS, t.data, t.len, &reply, why), len == 65536 ? 0 : -EBADMSG);
        aws_reply_free(TAKE_PTR(reply));
    }
    assert_string_equal(why, "NextToken is too long");

    /* a long message for people is cut between two characters */
    text_clear(&t);
    text_addf(&t, "{\"ExportDescription\":{\"ExportArn\":\"a\",\"ExportStatus\":\"FAILED\",\"FailureMessage\":\"%0*d",
              4095, 0);
    text_add(&t, "\xc3\xa9tail\"}}");
    assert_int_equal(decode_bytes(AWS_OP_DESCRIBE_EXPORT, t.data, t.len, &reply, why), 0);
    assert_int_equal(strlen(reply->export.failure_message), 4095);
    aws_reply_free(reply);
}

static void errors(void **state) {
    static const struct {
        const char *body, *code, *message;
    } rows[] = {
        {"{\"__type\":\"com.amazonaws.dynamodb.v20120810#TableNotFoundException\",\"message\":\"Table not found: t\"}",
         "TableNotFoundException", "Table not found: t"},
        {"{\"__type\":\"FooError\"}", "FooError", ""},
        {"{\"__type\":\"FooError:http://internal.amazon.com/coral/com.amazon.coral.validate/\"}", "FooError", ""},
        {"{\"__type\":\"aws.json10#FooError:http://internal.amazon.com/#coral\"}", "FooError", ""},
        {"{\"code\":\"FooError\",\"Message\":\"M\"}", "FooError", "M"},
        {"{\"__type\":\"a#b#FooError\",\"code\":\"BarError\"}", "FooError", ""},
        {"{\"__type\":7,\"code\":\" BarError \",\"errorMessage\":\"E\"}", "BarError", "E"},
        {"{\"__type\":\"#\",\"code\":\"BarError\"}", "BarError", ""},
        {"{\"__type\":\"X\",\"errorMessage\":\"E\",\"Message\":\"M\",\"message\":\"m\"}", "X", "m"},
        {"{\"__type\":\"X\",\"message\":\"\",\"Message\":null,\"errorMessage\":\"E\"}", "X", "E"},
        {"{\"__type\":\"com.amazon.coral.service#InternalFailure\",\"message\":\"\"}", "InternalFailure", ""},
        {"{\"Code\":\"X\",\"MESSAGE\":\"m\"}", "", ""},
        {"{\"__type\":\"X\"}garbage", "", ""},
        {"{\"__type\":\"X\"", "", ""},
        {"[\"__type\"]", "", ""},
        {"\"__type\"", "", ""},
        {"", "", ""},
        {"<UnknownOperationException/>\n", "", ""},
        {"{\"__type\":\"AVeryLongErrorCodeThatDoesNotFitIntoTheRoom\",\"message\":\"0123456789012345678901234567\xc3"
         "\xa9\"}",
         "AVeryLongErrorCodeThatDoesNotFi", "0123456789012345678901234567\xc3\xa9"},
        {"{\"__type\":\"X\",\"message\":\"012345678901234567890123456789\xc3\xa9\"}", "X",
         "012345678901234567890123456789"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char code[32] = "old", message[32] = "old";
        size_t len = strlen(rows[i].body);
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, rows[i].body, len);
        assert_int_equal(codec_error(exact, len, code, sizeof code, message, sizeof message), 0);
        free(exact);
        assert_string_equal(code, rows[i].code);
        assert_string_equal(message, rows[i].message);
    }
}

static void nothing_to_free(void **state) {
    aws_request_free(NULL);
    aws_reply_free(NULL);
    for (AwsOp op = 0; op < AWS_OP_N; op++) {
        aws_request_free(request(op));
        AwsReply *reply = calloc(1, sizeof *reply);
        assert_non_null(reply);
        reply->op = op;
        aws_reply_free(reply);
    }
}

UNIT_MAIN(cmocka_unit_test(requests), cmocka_unit_test(export_requests), cmocka_unit_test(key_requests),
          cmocka_unit_test(keys), cmocka_unit_test(backups),
          cmocka_unit_test(backup_lists), cmocka_unit_test(statuses), cmocka_unit_test(exports),
          cmocka_unit_test(tables), cmocka_unit_test(recovery), cmocka_unit_test(numbers), cmocka_unit_test(refused),
          cmocka_unit_test(bounds), cmocka_unit_test(errors), cmocka_unit_test(nothing_to_free))
