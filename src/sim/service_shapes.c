/* The tables of service_shape.h. */

#include "sim/service_shape.h"

#include <stdint.h>
#include <string.h>

#define STRING .type = SERVICE_SHAPE_STRING
#define WORDS(w) .type = SERVICE_SHAPE_STRING, .words = (w)
#define INTEGER .type = SERVICE_SHAPE_INTEGER
#define LONG .type = SERVICE_SHAPE_LONG
#define BOOLEAN .type = SERVICE_SHAPE_BOOLEAN
#define WALL .type = SERVICE_SHAPE_WALL
#define MAP .type = SERVICE_SHAPE_MAP
#define LIST(element) .type = SERVICE_SHAPE_LIST, .of = (element)
#define STRUCTURE(members) .type = SERVICE_SHAPE_STRUCTURE, .of = (members)
#define REQUIRED .required = true
#define TABLE_NAME                                                                                                     \
    { "TableName", STRING, REQUIRED, .min = 1, .max = 1024, .pattern = SERVICE_PATTERN_TABLE }

static const ServiceMember table_name[] = {TABLE_NAME, {}};

static const ServiceMember attribute[] = {
    {"AttributeName", STRING, REQUIRED, .min = 1, .max = 255}, {"AttributeType", WORDS("S, N, B"), REQUIRED}, {}};
static const ServiceMember attributes = {"", STRUCTURE(attribute)};
static const ServiceMember key_element[] = {
    {"AttributeName", STRING, REQUIRED, .min = 1, .max = 255}, {"KeyType", WORDS("HASH, RANGE"), REQUIRED}, {}};
static const ServiceMember key_elements = {"", STRUCTURE(key_element)};
static const ServiceMember throughput[] = {{"ReadCapacityUnits", LONG, REQUIRED, .min = 1, .max = 1000000000000},
                                           {"WriteCapacityUnits", LONG, REQUIRED, .min = 1, .max = 1000000000000},
                                           {}};
static const ServiceMember on_demand[] = {{"MaxReadRequestUnits", LONG}, {"MaxWriteRequestUnits", LONG}, {}};
static const ServiceMember projection_attribute = {"", STRING, .min = 1, .max = 255};
static const ServiceMember projection[] = {{"ProjectionType", WORDS("ALL, KEYS_ONLY, INCLUDE")},
                                           {"NonKeyAttributes", LIST(&projection_attribute), .min = 1, .max = 100},
                                           {}};
static const ServiceMember index_members[] = {
    {"IndexName", STRING, REQUIRED, .min = 3, .max = 255, .pattern = SERVICE_PATTERN_NAME},
    {"KeySchema", LIST(&key_elements), REQUIRED, .min = 1, .max = 2},
    {"Projection", STRUCTURE(projection), REQUIRED},
    {"ProvisionedThroughput", STRUCTURE(throughput)},
    {"OnDemandThroughput", STRUCTURE(on_demand)},
    {}};
static const ServiceMember indexes = {"", STRUCTURE(index_members)};
static const ServiceMember stream[] = {
    {"StreamEnabled", BOOLEAN, REQUIRED},
    {"StreamViewType", WORDS("NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY")},
    {}};
static const ServiceMember sse[] = {
    {"Enabled", BOOLEAN}, {"SSEType", WORDS("AES256, KMS")}, {"KMSMasterKeyId", STRING}, {}};
/* The rules of tags have their own words (service_tag.c). */
static const ServiceMember tag[] = {{"Key", STRING}, {"Value", STRING}, {}};
static const ServiceMember tags = {"", STRUCTURE(tag)};
static const ServiceMember tag_key = {"", STRING};

static const ServiceMember create_table[] = {
    TABLE_NAME,
    {"AttributeDefinitions", LIST(&attributes), REQUIRED},
    {"KeySchema", LIST(&key_elements), REQUIRED, .min = 1, .max = 2},
    {"BillingMode", WORDS("PROVISIONED, PAY_PER_REQUEST")},
    {"ProvisionedThroughput", STRUCTURE(throughput)},
    {"OnDemandThroughput", STRUCTURE(on_demand)},
    {"GlobalSecondaryIndexes", LIST(&indexes)},
    {"LocalSecondaryIndexes", LIST(&indexes)},
    {"StreamSpecification", STRUCTURE(stream)},
    {"SSESpecification", STRUCTURE(sse)},
    {"TableClass", WORDS("STANDARD, STANDARD_INFREQUENT_ACCESS")},
    {"DeletionProtectionEnabled", BOOLEAN},
    {"Tags", LIST(&tags)},
    {}};

static const ServiceMember list_tables[] = {
    {"ExclusiveStartTableName", STRING, .min = 3, .max = 255, .pattern = SERVICE_PATTERN_NAME},
    {"Limit", INTEGER, .min = 1, .max = 100},
    {}};

static const ServiceMember pitr[] = {
    {"PointInTimeRecoveryEnabled", BOOLEAN, REQUIRED}, {"RecoveryPeriodInDays", INTEGER, .min = 1, .max = 35}, {}};
static const ServiceMember update_continuous_backups[] = {
    TABLE_NAME, {"PointInTimeRecoverySpecification", STRUCTURE(pitr), REQUIRED}, {}};

static const ServiceMember resource[] = {
    {"ResourceArn", STRING, REQUIRED, .min = 1, .max = 1283}, {"NextToken", STRING}, {}};
static const ServiceMember tag_resource[] = {
    {"ResourceArn", STRING, REQUIRED, .min = 1, .max = 1283}, {"Tags", LIST(&tags), REQUIRED}, {}};
static const ServiceMember untag_resource[] = {
    {"ResourceArn", STRING, REQUIRED, .min = 1, .max = 1283}, {"TagKeys", LIST(&tag_key), REQUIRED}, {}};

static const ServiceMember create_backup[] = {
    TABLE_NAME, {"BackupName", STRING, REQUIRED, .min = 3, .max = 255, .pattern = SERVICE_PATTERN_NAME}, {}};
static const ServiceMember backup_arn[] = {{"BackupArn", STRING, REQUIRED, .min = 37, .max = 1024}, {}};
static const ServiceMember list_backups[] = {
    {"TableName", STRING, .min = 1, .max = 1024, .pattern = SERVICE_PATTERN_TABLE},
    {"Limit", INTEGER, .min = 1, .max = 100},
    {"TimeRangeLowerBound", WALL},
    {"TimeRangeUpperBound", WALL},
    {"ExclusiveStartBackupArn", STRING, .min = 37, .max = 1024},
    {"BackupType", WORDS("USER, SYSTEM, AWS_BACKUP, ALL")},
    {}};

static const ServiceMember incremental[] = {{"ExportFromTime", WALL},
                                            {"ExportToTime", WALL},
                                            {"ExportViewType", WORDS("NEW_IMAGE, NEW_AND_OLD_IMAGES")},
                                            {}};
static const ServiceMember filter[] = {{"FilterExpression", STRING}, {}};
static const ServiceMember export_table[] = {
    {"TableArn", STRING, REQUIRED, .min = 1, .max = 1024},
    {"ExportTime", WALL},
    {"ClientToken", STRING, .pattern = SERVICE_PATTERN_TOKEN},
    {"S3Bucket", STRING, REQUIRED, .max = 255, .pattern = SERVICE_PATTERN_BUCKET},
    {"S3BucketOwner", STRING, .pattern = SERVICE_PATTERN_ACCOUNT},
    {"S3Prefix", STRING, .max = 1024},
    {"S3SseAlgorithm", WORDS("AES256, KMS")},
    {"S3SseKmsKeyId", STRING, .min = 1, .max = 2048},
    {"ExportFormat", WORDS("DYNAMODB_JSON, ION")},
    {"ExportType", WORDS("FULL_EXPORT, INCREMENTAL_EXPORT")},
    {"IncrementalExportSpecification", STRUCTURE(incremental)},
    {"FilterSpecification", STRUCTURE(filter)},
    {}};
static const ServiceMember export_arn[] = {{"ExportArn", STRING, REQUIRED, .min = 37, .max = 1024}, {}};
static const ServiceMember list_exports[] = {{"TableArn", STRING, .min = 1, .max = 1024},
                                             {"MaxResults", INTEGER, .min = 1, .max = 25},
                                             {"NextToken", STRING},
                                             {}};

static const ServiceMember restore[] = {
    {"TargetTableName", STRING, REQUIRED, .min = 3, .max = 255, .pattern = SERVICE_PATTERN_NAME},
    {"BackupArn", STRING, REQUIRED, .min = 37, .max = 1024},
    {"BillingModeOverride", WORDS("PROVISIONED, PAY_PER_REQUEST")},
    {"GlobalSecondaryIndexOverride", LIST(&indexes)},
    {"LocalSecondaryIndexOverride", LIST(&indexes)},
    {"ProvisionedThroughputOverride", STRUCTURE(throughput)},
    {}};

static const ServiceMember put_item[] = {TABLE_NAME, {"Item", MAP, REQUIRED}, {"ReturnValues", STRING}, {}};
static const ServiceMember item_key[] = {TABLE_NAME, {"Key", MAP, REQUIRED}, {"ReturnValues", STRING}, {}};
static const ServiceMember batch_write[] = {{"RequestItems", MAP, REQUIRED}, {}};
static const ServiceMember scan[] = {
    TABLE_NAME,
    {"Limit", INTEGER, .min = 1, .max = INT32_MAX},
    {"Select", WORDS("SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES")},
    {"ExclusiveStartKey", MAP},
    {"Segment", INTEGER, .max = 999999},
    {"TotalSegments", INTEGER, .min = 1, .max = 1000000},
    {}};

static const ServiceMember describe_key[] = {{"KeyId", STRING, REQUIRED, .min = 1, .max = 2048}, {}};
static const ServiceMember data_key[] = {
    {"KeyId", STRING, REQUIRED, .min = 1, .max = 2048},
    {"EncryptionContext", MAP},
    {"NumberOfBytes", INTEGER, .min = 1, .max = 1024},
    {"KeySpec", WORDS("AES_256, AES_128")},
    {"DryRun", BOOLEAN},
    {}};
static const ServiceMember create_key[] = {{"KeySpec", STRING}, {}};
static const ServiceMember list_keys[] = {{"Limit", INTEGER, .min = 1, .max = 1000}, {}};

const ServiceMember *service_shape_of(const char *operation) {
    static const struct {
        const char *operation;
        const ServiceMember *members;
    } rows[] = {
        {"CreateTable", create_table},
        {"DeleteTable", table_name},
        {"DescribeTable", table_name},
        {"ListTables", list_tables},
        {"DescribeContinuousBackups", table_name},
        {"UpdateContinuousBackups", update_continuous_backups},
        {"TagResource", tag_resource},
        {"UntagResource", untag_resource},
        {"ListTagsOfResource", resource},
        {"CreateBackup", create_backup},
        {"DescribeBackup", backup_arn},
        {"DeleteBackup", backup_arn},
        {"ListBackups", list_backups},
        {"ExportTableToPointInTime", export_table},
        {"DescribeExport", export_arn},
        {"ListExports", list_exports},
        {"PutItem", put_item},
        {"GetItem", item_key},
        {"DeleteItem", item_key},
        {"BatchWriteItem", batch_write},
        {"Scan", scan},
        {"RestoreTableFromBackup", restore},
        {"DescribeKey", describe_key},
        {"GenerateDataKey", data_key},
        {"CreateKey", create_key},
        {"ListKeys", list_keys},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].operation, operation) == 0)
            return rows[i].members;
    return NULL;
}
