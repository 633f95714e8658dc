#pragma once
/* What goes over the wire, typed: requests to JSON, replies from JSON. cJSON lives in codec.c alone.
 * Reading is strict where a wrong value could mislead (types, ranges, members that the service always sends) and
 * tolerant where the service grows (members that are not known are ignored, unknown enum values are kept as text). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"
#include "core/aws/aws_op.h"

#define COUNT_UNKNOWN INT64_C(-1) /* an absent count or size */
#define WALL_UNKNOWN INT64_C(-1)  /* an absent instant */

typedef enum BackupStatus {
    BACKUP_UNKNOWN, /* a word that we do not know: not terminal */
    BACKUP_CREATING,
    BACKUP_AVAILABLE, /* "AVAILABLE", and "ACTIVE", which the service's prose says */
    BACKUP_DELETED,
} BackupStatus;

/* BackupDetails and what DescribeBackup and ListBackups add to it. Strings are NULL where the reply had none. */
typedef struct BackupInfo {
    char *arn;  /* never NULL */
    char *name; /* never NULL */
    BackupStatus status;
    char *status_text; /* the service's word; never NULL */
    char *type;        /* "USER", "SYSTEM", "AWS_BACKUP" */
    int64_t size_bytes;
    Usec created_wall;
    Usec expires_wall;
    char *table_name, *table_id, *table_arn; /* DescribeBackup and ListBackups */
    int64_t table_size_bytes, item_count;    /* DescribeBackup; hours old, as the service says */
    char *billing_mode;                      /* DescribeBackup */
    Usec table_created_wall;                 /* DescribeBackup */
} BackupInfo;

typedef enum ExportStatus { EXPORT_UNKNOWN, EXPORT_IN_PROGRESS, EXPORT_COMPLETED, EXPORT_FAILED } ExportStatus;

/* ExportDescription; ListExports fills arn, status and type. */
typedef struct ExportInfo {
    char *arn; /* never NULL */
    ExportStatus status;
    char *status_text; /* never NULL */
    char *type;        /* "FULL_EXPORT", "INCREMENTAL_EXPORT"; NULL where not echoed: a full export */
    Usec start_wall, end_wall, export_wall;
    char *manifest_key;
    char *table_arn, *table_id;
    char *client_token;
    char *s3_bucket, *s3_bucket_owner, *s3_prefix, *s3_sse_algorithm, *s3_sse_kms_key_id;
    char *failure_code, *failure_message;
    char *format;
    int64_t billed_size_bytes, item_count;
    Usec from_wall, to_wall; /* incremental */
    char *view_type;         /* incremental */
} ExportInfo;

typedef struct TableInfo {
    char *name, *arn; /* never NULL */
    char *id;         /* never NULL; "" where the reply had none, as from those who imitate the service */
    char *status;          /* "ACTIVE", ...; never NULL */
    Usec created_wall;
    int64_t size_bytes, item_count;
    char *billing_mode;
} TableInfo;

typedef struct RecoveryInfo {
    bool pitr_enabled;
    int64_t period_days; /* COUNT_UNKNOWN while off */
    Usec earliest_wall, latest_wall;
} RecoveryInfo;

/* KMS's KeyMetadata. */
typedef struct KeyInfo {
    char *arn;                          /* never NULL */
    char *state, *usage, *spec, *manager; /* "Enabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "CUSTOMER" */
    Usec deletion_wall;                 /* of one that is PendingDeletion */
} KeyInfo;

typedef struct BackupList {
    BackupInfo *items;
    size_t n_items, n_room;
    char *next; /* LastEvaluatedBackupArn; NULL: this was the last page */
} BackupList;

typedef struct ExportList {
    ExportInfo *items;
    size_t n_items, n_room;
    char *next;
} ExportList;

typedef struct TagInfo {
    char *key, *value; /* never NULL */
} TagInfo;

typedef struct TagList {
    TagInfo *items;
    size_t n_items, n_room;
    char *next;
} TagList;

typedef struct TableNames {
    char **items;
    size_t n_items, n_room;
    char *next;
} TableNames;

/* An object of S3, or a part of it; or a bucket's property, or a page of its listing, as an XML body. */
typedef struct ObjectReply {
    char *body; /* NULL: none; terminated beyond len */
    size_t len;
    int64_t first, size; /* where the body begins in the object, and how long that is */
    char *etag;          /* without its quotes; NULL: none */
    char *encryption;    /* "AES256", "aws:kms"; NULL: not told */
    char *region;        /* of the bucket; NULL: not told */
} ObjectReply;

/* A request of one operation. All strings are owned; NULL members and WALL_UNKNOWN instants are left out. */
typedef struct AwsRequest {
    AwsOp op;
    union {
        struct {
            char *table; /* name or ARN */
            char *name;
        } create_backup;
        struct {
            char *arn;
        } describe_backup;
        struct {
            char *table;
            char *type; /* NULL: USER */
            Usec lower_wall, upper_wall;
            char *start_arn;
            int limit; /* 0: the service's */
        } list_backups;
        struct {
            char *table;
        } describe_continuous_backups;
        struct {
            char *table_arn;
            Usec export_wall;
            char *client_token;
            char *s3_bucket, *s3_bucket_owner, *s3_prefix, *s3_sse_algorithm, *s3_sse_kms_key_id;
            char *format; /* NULL: DYNAMODB_JSON */
            Usec from_wall, to_wall; /* whole seconds: an incremental export of [from, to); WALL_UNKNOWN: a full one */
            char *view_type;         /* incremental; NULL: NEW_AND_OLD_IMAGES */
        } export_table;
        struct {
            char *arn;
        } describe_export;
        struct {
            char *table_arn;
            char *start_token;
            int limit;
        } list_exports;
        struct {
            char *table;
        } describe_table;
        struct {
            char *start_name;
            int limit;
        } list_tables;
        struct {
            char *bucket, *bucket_owner; /* the owner is checked by S3; NULL: any */
            char *key;                   /* NULL: the bucket itself */
            char *query;                 /* encoded and sorted; NULL: none */
            int64_t first, last;         /* bytes; last negative: all of them */
            char *if_match;              /* an ETag */
            bool only_new;               /* PutObject: where there is none */
            char *body;
        } object; /* of S3 */
        struct {
            char *arn;
            char *start_token;
        } list_tags;
        struct {
            char *table;
            bool enabled;
        } update_continuous_backups;
        struct {
            char *arn;
        } delete_backup;
        struct {
            char *id;         /* of a key, its ARN, or that of an alias */
            char *object_arn; /* TRY_DATA_KEY: what S3 would encrypt with it */
        } key;
    };
} AwsRequest;

typedef struct AwsReply {
    AwsOp op;
    union {
        BackupInfo backup; /* CreateBackup, DescribeBackup, DeleteBackup: as it was */
        BackupList backups;
        RecoveryInfo recovery;
        ExportInfo export; /* ExportTableToPointInTime, DescribeExport */
        ExportList exports;
        TableInfo table;
        TableNames tables;
        ObjectReply object; /* of S3 */
        TagList tags;
        KeyInfo key; /* DescribeKey */
    };
} AwsReply;

AwsRequest *aws_request_new(AwsOp op); /* zeroed, instants WALL_UNKNOWN; NULL without memory */
void aws_request_free(AwsRequest *r);
void aws_reply_free(AwsReply *r);
DEFINE_CLEANUP(AwsRequest, aws_request_free)
DEFINE_CLEANUP(AwsReply, aws_reply_free)

void backup_info_done(BackupInfo *b);
void export_info_done(ExportInfo *e);
void key_info_done(KeyInfo *k);

/* The JSON body. -ENOMEM. */
int codec_encode(const AwsRequest *request, char **ret_json);

/* Reads the body of a 200, which need not be terminated. Bounded: nesting at most 32, no trailing bytes, no duplicate
 * of a member that it reads, strings at most 4096 bytes (cursors 65536; a longer FailureMessage is cut).
 * -EBADMSG: not what the operation promises, ret_why says where: "BackupDetails.BackupArn is missing"; -ENOMEM. */
#define CODEC_WHY_SIZE 160
int codec_decode(AwsOp op, const char *body, size_t len, AwsReply **ret, char ret_why[static CODEC_WHY_SIZE]);

/* The error code and message out of an error body, by the rules of the json-1.0 protocol (`__type`, `code`, cut at
 * '#' and ':'; `message`, `Message`, `errorMessage`). Leaves both empty where the body is no such JSON, and after
 * -ENOMEM. Both are cut to fit, at a whole character where they are UTF-8. */
int codec_error(const char *body, size_t len, char *ret_code, size_t code_size, char *ret_message,
                size_t message_size);
/* The code alone, cut by the same rules, out of the header x-amzn-errortype. */
void codec_error_code(const char *raw, char *ret_code, size_t code_size);
