/* Requests to JSON. Members stand in a fixed order, so that a request that is repeated is the same bytes. */

#include "core/aws/codec.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

#define BODY_MAX (16u << 20) /* DynamoDB answers 413 above it */

static void add_key(Text *t, const char *key) { text_addf(t, "%s\"%s\":", t->len > 1 ? "," : "", key); }

static void add_string(Text *t, const char *key, const char *value) {
    if (!value)
        return;
    add_key(t, key);
    text_add_json(t, value);
}

static void add_limit(Text *t, const char *key, int value) {
    if (value == 0)
        return;
    add_key(t, key);
    text_addf(t, "%d", value);
}

static void add_wall(Text *t, const char *key, Usec wall) {
    if (wall == WALL_UNKNOWN)
        return;
    int64_t msec = wall / USEC_PER_MSEC;
    add_key(t, key);
    text_addf(t, "%" PRId64, msec / 1000);
    if (msec % 1000 != 0)
        text_addf(t, ".%03d", (int)(msec % 1000));
}

/* The type stands there for incremental exports alone: left out, it is a full one. */
static void add_window(Text *t, const AwsRequest *r) {
    AUTO_TEXT window = TEXT_INIT(256);
    if (r->export_table.from_wall == WALL_UNKNOWN)
        return;
    text_add_char(&window, '{');
    add_wall(&window, "ExportFromTime", r->export_table.from_wall);
    add_wall(&window, "ExportToTime", r->export_table.to_wall);
    add_string(&window, "ExportViewType", r->export_table.view_type);
    text_add_char(&window, '}');
    add_string(t, "ExportType", "INCREMENTAL_EXPORT");
    add_key(t, "IncrementalExportSpecification");
    text_add(t, text_get(&window));
    if (window.error < 0)
        t->error = window.error;
}

static void add_export(Text *t, const AwsRequest *r) {
    const char *prefix = r->export_table.s3_prefix;
    add_string(t, "TableArn", r->export_table.table_arn);
    add_wall(t, "ExportTime", r->export_table.export_wall);
    add_string(t, "ClientToken", r->export_table.client_token);
    add_string(t, "S3Bucket", r->export_table.s3_bucket);
    add_string(t, "S3BucketOwner", r->export_table.s3_bucket_owner);
    add_string(t, "S3Prefix", prefix && prefix[0] ? prefix : NULL);
    add_string(t, "S3SseAlgorithm", r->export_table.s3_sse_algorithm);
    add_string(t, "S3SseKmsKeyId", r->export_table.s3_sse_kms_key_id);
    add_string(t, "ExportFormat", r->export_table.format);
    add_window(t, r);
}

/* In the context in which S3 asks: policies may name it. */
static void add_data_key(Text *t, const AwsRequest *r) {
    add_string(t, "KeyId", r->key.id);
    add_string(t, "KeySpec", "AES_256");
    add_key(t, "EncryptionContext");
    text_add(t, "{\"aws:s3:arn\":");
    text_add_json(t, r->key.object_arn);
    text_add(t, "},\"DryRun\":true");
}

static void add_members(Text *t, const AwsRequest *r) {
    switch (r->op) {
    case AWS_OP_CREATE_BACKUP:
        add_string(t, "TableName", r->create_backup.table);
        add_string(t, "BackupName", r->create_backup.name);
        break;
    case AWS_OP_DESCRIBE_BACKUP:
        add_string(t, "BackupArn", r->describe_backup.arn);
        break;
    case AWS_OP_LIST_BACKUPS:
        add_string(t, "TableName", r->list_backups.table);
        add_limit(t, "Limit", r->list_backups.limit);
        add_wall(t, "TimeRangeLowerBound", r->list_backups.lower_wall);
        add_wall(t, "TimeRangeUpperBound", r->list_backups.upper_wall);
        add_string(t, "ExclusiveStartBackupArn", r->list_backups.start_arn);
        add_string(t, "BackupType", r->list_backups.type);
        break;
    case AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS:
        add_string(t, "TableName", r->describe_continuous_backups.table);
        break;
    case AWS_OP_EXPORT_TABLE:
        add_export(t, r);
        break;
    case AWS_OP_DESCRIBE_EXPORT:
        add_string(t, "ExportArn", r->describe_export.arn);
        break;
    case AWS_OP_LIST_EXPORTS:
        add_string(t, "TableArn", r->list_exports.table_arn);
        add_limit(t, "MaxResults", r->list_exports.limit);
        add_string(t, "NextToken", r->list_exports.start_token);
        break;
    case AWS_OP_DESCRIBE_TABLE:
        add_string(t, "TableName", r->describe_table.table);
        break;
    case AWS_OP_LIST_TABLES:
        add_string(t, "ExclusiveStartTableName", r->list_tables.start_name);
        add_limit(t, "Limit", r->list_tables.limit);
        break;
    case AWS_OP_LIST_TAGS:
        add_string(t, "ResourceArn", r->list_tags.arn);
        add_string(t, "NextToken", r->list_tags.start_token);
        break;
    case AWS_OP_UPDATE_CONTINUOUS_BACKUPS:
        add_string(t, "TableName", r->update_continuous_backups.table);
        add_key(t, "PointInTimeRecoverySpecification");
        text_addf(t, "{\"PointInTimeRecoveryEnabled\":%s}", r->update_continuous_backups.enabled ? "true" : "false");
        break;
    case AWS_OP_DELETE_BACKUP:
        add_string(t, "BackupArn", r->delete_backup.arn);
        break;
    case AWS_OP_DESCRIBE_KEY:
        add_string(t, "KeyId", r->key.id);
        break;
    case AWS_OP_TRY_DATA_KEY:
        add_data_key(t, r);
        break;
    case AWS_OP_GET_OBJECT:
    case AWS_OP_HEAD_OBJECT:
    case AWS_OP_PUT_OBJECT:
    case AWS_OP_DELETE_OBJECT:
    case AWS_OP_LIST_OBJECTS:
    case AWS_OP_HEAD_BUCKET:
    case AWS_OP_GET_BUCKET:
    case AWS_OP_N:
        break;
    }
}

int codec_encode(const AwsRequest *request, char **ret_json) {
    AUTO_TEXT t = TEXT_INIT(BODY_MAX);
    text_add_char(&t, '{');
    add_members(&t, request);
    text_add_char(&t, '}');
    return text_take(&t, ret_json);
}
