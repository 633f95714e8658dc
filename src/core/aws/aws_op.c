#include "core/aws/aws_op.h"

const AwsOpRow aws_ops[AWS_OP_N] = {
    [AWS_OP_CREATE_BACKUP] = {"CreateBackup", .repeatable = false, .reads = false},
    [AWS_OP_DESCRIBE_BACKUP] = {"DescribeBackup", .repeatable = true, .reads = true},
    [AWS_OP_LIST_BACKUPS] = {"ListBackups", .repeatable = true, .reads = true},
    [AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS] = {"DescribeContinuousBackups", .repeatable = true, .reads = true},
    [AWS_OP_EXPORT_TABLE] = {"ExportTableToPointInTime", .repeatable = true, .reads = false},
    [AWS_OP_DESCRIBE_EXPORT] = {"DescribeExport", .repeatable = true, .reads = true},
    [AWS_OP_LIST_EXPORTS] = {"ListExports", .repeatable = true, .reads = true},
    [AWS_OP_DESCRIBE_TABLE] = {"DescribeTable", .repeatable = true, .reads = true},
    [AWS_OP_LIST_TABLES] = {"ListTables", .repeatable = true, .reads = true},
    [AWS_OP_LIST_TAGS] = {"ListTagsOfResource", .repeatable = true, .reads = true},
    [AWS_OP_UPDATE_CONTINUOUS_BACKUPS] = {"UpdateContinuousBackups", .repeatable = true, .reads = false},
    [AWS_OP_DELETE_BACKUP] = {"DeleteBackup", .repeatable = true, .reads = false},
    [AWS_OP_GET_OBJECT] = {"GetObject", .repeatable = true, .reads = true, .service = ENDPOINT_S3},
    [AWS_OP_HEAD_OBJECT] = {"HeadObject", .repeatable = true, .reads = true, .service = ENDPOINT_S3},
    /* with If-None-Match, or of the same bytes to the same key; and what was deleted stays so */
    [AWS_OP_PUT_OBJECT] = {"PutObject", .repeatable = true, .reads = false, .service = ENDPOINT_S3},
    [AWS_OP_DELETE_OBJECT] = {"DeleteObject", .repeatable = true, .reads = false, .service = ENDPOINT_S3},
    [AWS_OP_LIST_OBJECTS] = {"ListObjectsV2", .repeatable = true, .reads = true, .service = ENDPOINT_S3},
    [AWS_OP_HEAD_BUCKET] = {"HeadBucket", .repeatable = true, .reads = true, .service = ENDPOINT_S3},
    [AWS_OP_DESCRIBE_KEY] = {"DescribeKey", .repeatable = true, .reads = true, .service = ENDPOINT_KMS},
    [AWS_OP_TRY_DATA_KEY] = {"GenerateDataKey", .repeatable = true, .reads = true, .service = ENDPOINT_KMS},
    [AWS_OP_GET_BUCKET] = {"GetBucket", .repeatable = true, .reads = true, .service = ENDPOINT_S3},
};
