#pragma once
/* The operations of DynamoDB, S3 and KMS that the client speaks. One row per operation: its name on the wire, and what
 * a repetition does. Limits are in core/aws/limits.h, shapes in core/aws/codec.h. */

#include <stdbool.h>

#include "core/aws/endpoint.h"

typedef enum AwsOp {
    AWS_OP_CREATE_BACKUP,
    AWS_OP_DESCRIBE_BACKUP,
    AWS_OP_LIST_BACKUPS,
    AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS,
    AWS_OP_EXPORT_TABLE,
    AWS_OP_DESCRIBE_EXPORT,
    AWS_OP_LIST_EXPORTS,
    AWS_OP_DESCRIBE_TABLE,
    AWS_OP_LIST_TABLES,
    AWS_OP_DELETE_BACKUP,
    AWS_OP_GET_OBJECT,
    AWS_OP_HEAD_OBJECT,
    AWS_OP_PUT_OBJECT,
    AWS_OP_DELETE_OBJECT,
    AWS_OP_LIST_OBJECTS,
    AWS_OP_HEAD_BUCKET,
    AWS_OP_GET_BUCKET, /* a property of it: the query names it */
    AWS_OP_LIST_TAGS,
    AWS_OP_UPDATE_CONTINUOUS_BACKUPS,
    AWS_OP_DESCRIBE_KEY,
    AWS_OP_TRY_DATA_KEY, /* GenerateDataKey as a dry run, which makes none */
    AWS_OP_N,
    AWS_OP_ANY = AWS_OP_N, /* in tables: every operation */
} AwsOp;

typedef struct AwsOpRow {
    const char *name; /* "CreateBackup" */
    /* A repetition after an unknown outcome does no harm: reads, ExportTableToPointInTime with its token, and
     * DeleteBackup, whose backup can go but once. */
    bool repeatable;
    bool reads; /* it changes nothing */
    EndpointService service;
} AwsOpRow;

extern const AwsOpRow aws_ops[AWS_OP_N];
