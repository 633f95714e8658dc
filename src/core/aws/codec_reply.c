/* What each operation replies: one row a member. */

#include "core/aws/codec_reader.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define READ_FIELDS(r, object, fields, to) reader_fields(r, object, fields, ARRAY_SIZE(fields), to)

/* Backups */

#define BACKUP(member) offsetof(BackupInfo, member)

static const Field backup_fields[] = {
    {"BackupArn", FIELD_STRING, true, BACKUP(arn)},
    {"BackupName", FIELD_STRING, true, BACKUP(name)},
    {"BackupStatus", FIELD_STRING, true, BACKUP(status_text)},
    {"BackupType", FIELD_STRING, true, BACKUP(type)},
    {"BackupSizeBytes", FIELD_COUNT, false, BACKUP(size_bytes)},
    {"BackupCreationDateTime", FIELD_WALL, true, BACKUP(created_wall)},
    {"BackupExpiryDateTime", FIELD_WALL, false, BACKUP(expires_wall)},
};

/* TableId is always sent by the service and by hardly anybody who imitates it: not required, here and below. */
static const Field source_fields[] = {
    {"TableName", FIELD_STRING, true, BACKUP(table_name)},
    {"TableId", FIELD_STRING, false, BACKUP(table_id)},
    {"TableArn", FIELD_STRING, false, BACKUP(table_arn)},
    {"TableSizeBytes", FIELD_COUNT, false, BACKUP(table_size_bytes)},
    {"ItemCount", FIELD_COUNT, false, BACKUP(item_count)},
    {"BillingMode", FIELD_STRING, false, BACKUP(billing_mode)},
    {"TableCreationDateTime", FIELD_WALL, false, BACKUP(table_created_wall)},
};

static const Field summary_fields[] = {
    {"TableName", FIELD_STRING, false, BACKUP(table_name)},
    {"TableId", FIELD_STRING, false, BACKUP(table_id)},
    {"TableArn", FIELD_STRING, false, BACKUP(table_arn)},
};

static BackupStatus backup_status(const char *word) {
    if (strcmp(word, "AVAILABLE") == 0 || strcmp(word, "ACTIVE") == 0)
        return BACKUP_AVAILABLE;
    if (strcmp(word, "CREATING") == 0)
        return BACKUP_CREATING;
    return strcmp(word, "DELETED") == 0 ? BACKUP_DELETED : BACKUP_UNKNOWN;
}

static int read_backup(Reader *r, const struct cJSON *object, BackupInfo *b) {
    *b = (BackupInfo){
        .size_bytes = COUNT_UNKNOWN,
        .created_wall = WALL_UNKNOWN,
        .expires_wall = WALL_UNKNOWN,
        .table_size_bytes = COUNT_UNKNOWN,
        .item_count = COUNT_UNKNOWN,
        .table_created_wall = WALL_UNKNOWN,
    };
    int rc = READ_FIELDS(r, object, backup_fields, b);
    if (rc >= 0)
        b->status = backup_status(b->status_text);
    return rc;
}

static int decode_create_backup(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *details;
    int rc = reader_object(r, root, "BackupDetails", true, &details);
    reader_enter(r, "BackupDetails");
    return rc < 0 ? rc : read_backup(r, details, &reply->backup);
}

/* DescribeBackup, and DeleteBackup, which describes what it deleted. */
static int decode_describe_backup(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *description, *details, *source;
    int rc = reader_object(r, root, "BackupDescription", true, &description);
    if (rc < 0)
        return rc;
    reader_enter(r, "BackupDescription");
    rc = reader_object(r, description, "BackupDetails", true, &details);
    if (rc >= 0)
        rc = reader_object(r, description, "SourceTableDetails", true, &source);
    if (rc < 0)
        return rc;
    reader_enter(r, "BackupDescription.BackupDetails");
    rc = read_backup(r, details, &reply->backup);
    reader_enter(r, "BackupDescription.SourceTableDetails");
    return rc < 0 ? rc : READ_FIELDS(r, source, source_fields, &reply->backup);
}

/* Lists */

/* The list, which is always sent, and the cursor behind it. */
static int read_page(Reader *r, const struct cJSON *root, const char *name, ReadItem read_item, const char *cursor_name,
                     char **cursor, AwsReply *reply) {
    int rc = reader_list(r, root, name, read_item, reply);
    return rc < 0 ? rc : reader_field(r, root, &(Field){cursor_name, FIELD_CURSOR, false, 0}, cursor);
}

static int read_backup_item(Reader *r, const struct cJSON *item, AwsReply *reply) {
    BackupList *l = &reply->backups;
    if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
        return -ENOMEM;
    BackupInfo *b = &l->items[l->n_items++];
    int rc = read_backup(r, item, b);
    return rc < 0 ? rc : READ_FIELDS(r, item, summary_fields, b);
}

static int decode_list_backups(Reader *r, const struct cJSON *root, AwsReply *reply) {
    return read_page(r, root, "BackupSummaries", read_backup_item, "LastEvaluatedBackupArn", &reply->backups.next,
                     reply);
}

static int read_table_name(Reader *r, const struct cJSON *item, AwsReply *reply) {
    TableNames *l = &reply->tables;
    if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
        return -ENOMEM;
    char **name = &l->items[l->n_items++];
    *name = NULL;
    return reader_value(r, item, &(Field){"", FIELD_STRING, true, 0}, name);
}

static int decode_list_tables(Reader *r, const struct cJSON *root, AwsReply *reply) {
    return read_page(r, root, "TableNames", read_table_name, "LastEvaluatedTableName", &reply->tables.next, reply);
}

/* Exports */

#define EXPORT(member) offsetof(ExportInfo, member)

static const Field export_fields[] = {
    {"ExportArn", FIELD_STRING, true, EXPORT(arn)},
    {"ExportStatus", FIELD_STRING, true, EXPORT(status_text)},
    {"ExportType", FIELD_STRING, false, EXPORT(type)},
    {"StartTime", FIELD_WALL, false, EXPORT(start_wall)},
    {"EndTime", FIELD_WALL, false, EXPORT(end_wall)},
    {"ExportTime", FIELD_WALL, false, EXPORT(export_wall)},
    {"ExportManifest", FIELD_STRING, false, EXPORT(manifest_key)},
    {"TableArn", FIELD_STRING, false, EXPORT(table_arn)},
    {"TableId", FIELD_STRING, false, EXPORT(table_id)},
    {"ClientToken", FIELD_STRING, false, EXPORT(client_token)},
    {"S3Bucket", FIELD_STRING, false, EXPORT(s3_bucket)},
    {"S3BucketOwner", FIELD_STRING, false, EXPORT(s3_bucket_owner)},
    {"S3Prefix", FIELD_STRING, false, EXPORT(s3_prefix)},
    {"S3SseAlgorithm", FIELD_STRING, false, EXPORT(s3_sse_algorithm)},
    {"S3SseKmsKeyId", FIELD_STRING, false, EXPORT(s3_sse_kms_key_id)},
    {"FailureCode", FIELD_STRING, false, EXPORT(failure_code)},
    {"FailureMessage", FIELD_MESSAGE, false, EXPORT(failure_message)},
    {"ExportFormat", FIELD_STRING, false, EXPORT(format)},
    {"BilledSizeBytes", FIELD_COUNT, false, EXPORT(billed_size_bytes)},
    {"ItemCount", FIELD_COUNT, false, EXPORT(item_count)},
};

static const Field incremental_fields[] = {
    {"ExportFromTime", FIELD_WALL, false, EXPORT(from_wall)},
    {"ExportToTime", FIELD_WALL, false, EXPORT(to_wall)},
    {"ExportViewType", FIELD_STRING, false, EXPORT(view_type)},
};

static ExportStatus export_status(const char *word) {
    if (strcmp(word, "COMPLETED") == 0)
        return EXPORT_COMPLETED;
    if (strcmp(word, "FAILED") == 0)
        return EXPORT_FAILED;
    return strcmp(word, "IN_PROGRESS") == 0 ? EXPORT_IN_PROGRESS : EXPORT_UNKNOWN;
}

static int read_export(Reader *r, const struct cJSON *object, ExportInfo *e) {
    *e = (ExportInfo){
        .start_wall = WALL_UNKNOWN,
        .end_wall = WALL_UNKNOWN,
        .export_wall = WALL_UNKNOWN,
        .billed_size_bytes = COUNT_UNKNOWN,
        .item_count = COUNT_UNKNOWN,
        .from_wall = WALL_UNKNOWN,
        .to_wall = WALL_UNKNOWN,
    };
    int rc = READ_FIELDS(r, object, export_fields, e);
    if (rc >= 0)
        e->status = export_status(e->status_text);
    return rc;
}

/* ExportTableToPointInTime and DescribeExport */
static int decode_export(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *description, *incremental;
    int rc = reader_object(r, root, "ExportDescription", true, &description);
    if (rc < 0)
        return rc;
    reader_enter(r, "ExportDescription");
    rc = reader_object(r, description, "IncrementalExportSpecification", false, &incremental);
    if (rc >= 0)
        rc = read_export(r, description, &reply->export);
    reader_enter(r, "ExportDescription.IncrementalExportSpecification");
    return rc < 0 || !incremental ? rc : READ_FIELDS(r, incremental, incremental_fields, &reply->export);
}

static int read_export_item(Reader *r, const struct cJSON *item, AwsReply *reply) {
    ExportList *l = &reply->exports;
    if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
        return -ENOMEM;
    return read_export(r, item, &l->items[l->n_items++]);
}

static int decode_list_exports(Reader *r, const struct cJSON *root, AwsReply *reply) {
    return read_page(r, root, "ExportSummaries", read_export_item, "NextToken", &reply->exports.next, reply);
}

/* Tables */

#define TABLE(member) offsetof(TableInfo, member)

static const Field table_fields[] = {
    {"TableName", FIELD_STRING, true, TABLE(name)},
    {"TableArn", FIELD_STRING, true, TABLE(arn)},
    {"TableId", FIELD_STRING, false, TABLE(id)},
    {"TableStatus", FIELD_STRING, true, TABLE(status)},
    {"CreationDateTime", FIELD_WALL, false, TABLE(created_wall)},
    {"TableSizeBytes", FIELD_COUNT, false, TABLE(size_bytes)},
    {"ItemCount", FIELD_COUNT, false, TABLE(item_count)},
};

static const Field billing_fields[] = {{"BillingMode", FIELD_STRING, false, TABLE(billing_mode)}};

static int decode_describe_table(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *table, *billing;
    TableInfo *t = &reply->table;
    *t = (TableInfo){.created_wall = WALL_UNKNOWN, .size_bytes = COUNT_UNKNOWN, .item_count = COUNT_UNKNOWN};
    int rc = reader_object(r, root, "Table", true, &table);
    if (rc < 0)
        return rc;
    reader_enter(r, "Table");
    rc = reader_object(r, table, "BillingModeSummary", false, &billing);
    if (rc >= 0)
        rc = READ_FIELDS(r, table, table_fields, t);
    if (rc >= 0 && !t->id && !(t->id = strdup("")))
        rc = -ENOMEM;
    reader_enter(r, "Table.BillingModeSummary");
    return rc < 0 || !billing ? rc : READ_FIELDS(r, billing, billing_fields, t);
}

#define RECOVERY(member) offsetof(RecoveryInfo, member)

static const Field recovery_fields[] = {
    {"RecoveryPeriodInDays", FIELD_COUNT, false, RECOVERY(period_days)},
    {"EarliestRestorableDateTime", FIELD_WALL, true, RECOVERY(earliest_wall)},
    {"LatestRestorableDateTime", FIELD_WALL, true, RECOVERY(latest_wall)},
};

/* "Off" is a finding that people act upon: it takes the service's word for it, and no other word. */
static int read_recovery(Reader *r, const struct cJSON *object, RecoveryInfo *info) {
    AUTO_FREE char *status = NULL;
    int rc = reader_field(r, object, &(Field){"PointInTimeRecoveryStatus", FIELD_STRING, true, 0}, &status);
    if (rc < 0 || strcmp(status, "DISABLED") == 0)
        return rc;
    if (strcmp(status, "ENABLED") != 0)
        return reader_bad(r, "PointInTimeRecoveryStatus", "is neither ENABLED nor DISABLED");
    info->pitr_enabled = true;
    return READ_FIELDS(r, object, recovery_fields, info);
}

static int decode_continuous_backups(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *description, *recovery;
    reply->recovery = (RecoveryInfo){
        .period_days = COUNT_UNKNOWN,
        .earliest_wall = WALL_UNKNOWN,
        .latest_wall = WALL_UNKNOWN,
    };
    int rc = reader_object(r, root, "ContinuousBackupsDescription", true, &description);
    if (rc < 0)
        return rc;
    reader_enter(r, "ContinuousBackupsDescription");
    rc = reader_object(r, description, "PointInTimeRecoveryDescription", true, &recovery);
    reader_enter(r, "ContinuousBackupsDescription.PointInTimeRecoveryDescription");
    return rc < 0 ? rc : read_recovery(r, recovery, &reply->recovery);
}

/* Tags */

static const Field tag_fields[] = {
    {"Key", FIELD_STRING, true, offsetof(TagInfo, key)},
    {"Value", FIELD_STRING, false, offsetof(TagInfo, value)},
};

static int read_tag(Reader *r, const struct cJSON *item, AwsReply *reply) {
    TagList *l = &reply->tags;
    if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
        return -ENOMEM;
    TagInfo *tag = &l->items[l->n_items++];
    *tag = (TagInfo){};
    int rc = READ_FIELDS(r, item, tag_fields, tag);
    return rc >= 0 && !tag->value && !(tag->value = strdup("")) ? -ENOMEM : rc;
}

static int decode_list_tags(Reader *r, const struct cJSON *root, AwsReply *reply) {
    return read_page(r, root, "Tags", read_tag, "NextToken", &reply->tags.next, reply);
}

/* Keys */

#define KEY(member) offsetof(KeyInfo, member)

/* KeySpec has superseded the older name, and goes before it. */
static const Field key_fields[] = {
    {"Arn", FIELD_STRING, true, KEY(arn)},
    {"KeyState", FIELD_STRING, false, KEY(state)},
    {"KeyUsage", FIELD_STRING, false, KEY(usage)},
    {"CustomerMasterKeySpec", FIELD_STRING, false, KEY(spec)},
    {"KeySpec", FIELD_STRING, false, KEY(spec)},
    {"KeyManager", FIELD_STRING, false, KEY(manager)},
    {"DeletionDate", FIELD_WALL, false, KEY(deletion_wall)},
};

static int decode_describe_key(Reader *r, const struct cJSON *root, AwsReply *reply) {
    const struct cJSON *key;
    reply->key.deletion_wall = WALL_UNKNOWN;
    int rc = reader_object(r, root, "KeyMetadata", true, &key);
    if (rc < 0)
        return rc;
    reader_enter(r, "KeyMetadata");
    return READ_FIELDS(r, key, key_fields, &reply->key);
}

/* That it could be made is all that is asked. */
static int decode_data_key(Reader *r, const struct cJSON *root, AwsReply *reply) { return 0; }

typedef int (*Decode)(Reader *r, const struct cJSON *root, AwsReply *reply);

static const Decode decoders[AWS_OP_N] = {
    [AWS_OP_CREATE_BACKUP] = decode_create_backup,
    [AWS_OP_DESCRIBE_BACKUP] = decode_describe_backup,
    [AWS_OP_LIST_BACKUPS] = decode_list_backups,
    [AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS] = decode_continuous_backups,
    [AWS_OP_EXPORT_TABLE] = decode_export,
    [AWS_OP_DESCRIBE_EXPORT] = decode_export,
    [AWS_OP_LIST_EXPORTS] = decode_list_exports,
    [AWS_OP_DESCRIBE_TABLE] = decode_describe_table,
    [AWS_OP_LIST_TABLES] = decode_list_tables,
    [AWS_OP_LIST_TAGS] = decode_list_tags,
    [AWS_OP_UPDATE_CONTINUOUS_BACKUPS] = decode_continuous_backups,
    [AWS_OP_DELETE_BACKUP] = decode_describe_backup,
    [AWS_OP_DESCRIBE_KEY] = decode_describe_key,
    [AWS_OP_TRY_DATA_KEY] = decode_data_key,
};

int codec_read_reply(Reader *r, const struct cJSON *root, AwsReply *reply) {
    return decoders[reply->op](r, root, reply);
}
