#include "core/aws/aws_error.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "core/aws/codec.h"
#include "core/aws/s3.h"

/* How much of a body that is not the service's is shown. */
#define BODY_SHOWN 256

#define HINT_TABLE                                                                                                     \
    "correct the table's name in the configuration, or aws.region; a table that is still being created is not found "  \
    "either"
#define HINT_QUOTA "it passes when earlier ones finish; else ask AWS to raise the account's quota"
#define HINT_RATE "if it lasts, lower limits.rate_share, or find out who else calls DynamoDB in this account"
#define HINT_CLOCK "set this machine's clock: is systemd-timesyncd or chrony running?"
#define HINT_SECRET                                                                                                    \
    "check that the secret access key is the access key's own, and that aws.endpoint_url belongs to aws.region"
#define HINT_EXPIRED "renew the credentials; they are read again when their file changes"
#define HINT_KEY "the access key is unknown or inactive, or the session token is not its own: check aws.profile"
#define HINT_DEFECT "this is a defect of ddbackupd: report it with this message"
#define HINT_ENDPOINT "what answers is not DynamoDB, or lacks this operation: check aws.endpoint_url"
#define HINT_PROXY                                                                                                     \
    "something between this machine and DynamoDB answers in its place: check proxies, firewalls and aws.endpoint_url"
#define HINT_PITR "enable it (billed) with 'aws dynamodb update-continuous-backups', or use action = \"backup\""
#define HINT_GET                                                                                                       \
    "allow s3:GetObject on the bucket's objects to this principal, in its policy and, across accounts, in the "       \
    "bucket's; with SSE-KMS kms:Decrypt on the key, too"
#define HINT_NO_KEY "correct s3.kms_key_id: the key must exist in the bucket's region"
#define HINT_NO_KMS "what answers is not KMS, or lacks this operation: check aws.kms_endpoint_url"
#define HINT_VALUE "correct the value that the message names; if it is not in the configuration, report a defect"

/* Sources: the API reference of each operation for what it declares, and measurements on the live service for the rest
 * (ThrottlingException is declared by none of them). An effect that cannot be excluded is AWS_UNCERTAIN: so every 5xx,
 * ServiceUnavailable among them. */
const AwsErrorRow aws_error_rows[] = {
    {AWS_OP_CREATE_BACKUP, "TableNotFoundException", NULL, AWS_NOT_FOUND, HINT_TABLE},
    {AWS_OP_CREATE_BACKUP, "TableInUseException", NULL, AWS_NOT_READY, NULL},
    /* "Backups are being enabled for the table": in the first seconds after it became ACTIVE */
    {AWS_OP_CREATE_BACKUP, "ContinuousBackupsUnavailableException", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_CREATE_BACKUP, "BackupInUseException", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_CREATE_BACKUP, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:CreateBackup on table/* to this principal"},
    {AWS_OP_DESCRIBE_BACKUP, "BackupNotFoundException", NULL, AWS_NOT_FOUND,
     "it was deleted, or aws.region is not where it was made"},
    {AWS_OP_DESCRIBE_BACKUP, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:DescribeBackup on table/*/backup/* to this principal"},
    {AWS_OP_DELETE_BACKUP, "BackupNotFoundException", NULL, AWS_NOT_FOUND, NULL},
    /* a restore reads it; or it is still being made */
    {AWS_OP_DELETE_BACKUP, "BackupInUseException", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_DELETE_BACKUP, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:DeleteBackup on table/*/backup/* to this principal, or set expire = \"report\""},
    {AWS_OP_LIST_BACKUPS, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:ListBackups on \"*\" to this principal; it cannot be allowed for single tables"},
    {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "TableNotFoundException", NULL, AWS_NOT_FOUND, HINT_TABLE},
    {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:DescribeContinuousBackups on table/* to this principal"},
    {AWS_OP_EXPORT_TABLE, "TableNotFoundException", NULL, AWS_NOT_FOUND, HINT_TABLE},
    {AWS_OP_EXPORT_TABLE, "PointInTimeRecoveryUnavailableException", NULL, AWS_PITR_OFF, HINT_PITR},
    {AWS_OP_EXPORT_TABLE, "InvalidExportTimeException", NULL, AWS_TIME_REFUSED,
     "point-in-time recovery reaches back to when it was last enabled, and needs some minutes after that; check this "
     "machine's clock, too"},
    /* the token was used before with other parameters; what it made then stands */
    {AWS_OP_EXPORT_TABLE, "ExportConflictException", NULL, AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_EXPORT_TABLE, "LimitExceededException", NULL, AWS_QUOTA,
     "300 exports or 100 TB may run at once in an account and region; it passes when earlier ones finish; else ask AWS "
     "to raise the quota"},
    {AWS_OP_EXPORT_TABLE, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:ExportTableToPointInTime on table/* to this principal; for the bucket's objects it needs "
     "s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload, too"},
    {AWS_OP_EXPORT_TABLE, "ValidationException", "Invalid Request: KMS Key Id is not supported", AWS_REFUSED,
     "s3.kms_key_id needs s3.sse_algorithm = \"KMS\""},
    {AWS_OP_DESCRIBE_EXPORT, "ExportNotFoundException", NULL, AWS_NOT_FOUND,
     "aws.region is not where it was made, or it is too old: exports are known for 90 days"},
    {AWS_OP_DESCRIBE_EXPORT, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:DescribeExport on table/*/export/* to this principal"},
    {AWS_OP_LIST_EXPORTS, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:ListExports on \"*\" to this principal"},
    {AWS_OP_DESCRIBE_TABLE, "ResourceNotFoundException", NULL, AWS_NOT_FOUND,
     "correct the table's name in the configuration, or aws.region"},
    {AWS_OP_DESCRIBE_TABLE, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:DescribeTable on table/* to this principal"},
    {AWS_OP_LIST_TABLES, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:ListTables on \"*\" to this principal, or name tables without wildcards"},

    /* S3; HEAD has no body, so its codes are statuses */
    {AWS_OP_ANY, "NoSuchKey", NULL, AWS_NOT_FOUND, NULL},
    {AWS_OP_HEAD_OBJECT, "HTTP404", NULL, AWS_NOT_FOUND, NULL},
    {AWS_OP_ANY, "NoSuchBucket", NULL, AWS_NOT_FOUND, "create the bucket, or correct s3.bucket of the schedule"},
    {AWS_OP_HEAD_BUCKET, "HTTP404", NULL, AWS_NOT_FOUND, "create the bucket, or correct s3.bucket of the schedule"},
    {AWS_OP_GET_OBJECT, "AccessDenied", NULL, AWS_DENIED, HINT_GET},
    {AWS_OP_HEAD_OBJECT, "HTTP403", NULL, AWS_DENIED, HINT_GET},
    {AWS_OP_HEAD_BUCKET, "HTTP403", NULL, AWS_DENIED,
     "allow s3:ListBucket on the bucket to this principal; check s3.bucket_owner"},
    {AWS_OP_PUT_OBJECT, "AccessDenied", NULL, AWS_DENIED,
     "allow s3:PutObject on the bucket's objects to this principal"},
    {AWS_OP_DELETE_OBJECT, "AccessDenied", NULL, AWS_DENIED,
     "allow s3:DeleteObject on the bucket's objects to this principal, or set expire = \"report\""},
    {AWS_OP_LIST_OBJECTS, "AccessDenied", NULL, AWS_DENIED, "allow s3:ListBucket on the bucket to this principal"},
    {AWS_OP_GET_BUCKET, "NoSuchLifecycleConfiguration", NULL, AWS_NOT_FOUND, NULL},
    {AWS_OP_GET_BUCKET, "ServerSideEncryptionConfigurationNotFoundError", NULL, AWS_NOT_FOUND, NULL},
    {AWS_OP_GET_BUCKET, "AccessDenied", NULL, AWS_DENIED,
     "allow s3:GetBucketVersioning, s3:GetLifecycleConfiguration and s3:GetEncryptionConfiguration on the bucket to "
     "this principal"},
    {AWS_OP_ANY, "InvalidAccessKeyId", NULL, AWS_CREDENTIALS, HINT_KEY},
    /* an ETag has changed, or an object is there already */
    {AWS_OP_ANY, "PreconditionFailed", NULL, AWS_REFUSED, NULL},
    {AWS_OP_ANY, "ConditionalRequestConflict", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_ANY, "InvalidRange", NULL, AWS_REFUSED, NULL},
    /* the bucket is in another region: AwsError.region */
    {AWS_OP_ANY, "PermanentRedirect", NULL, AWS_REFUSED, NULL},
    {AWS_OP_ANY, "TemporaryRedirect", NULL, AWS_REFUSED, NULL},
    {AWS_OP_ANY, "AuthorizationHeaderMalformed", NULL, AWS_REFUSED, NULL},
    /* in the first seconds after the table became ACTIVE */
    {AWS_OP_UPDATE_CONTINUOUS_BACKUPS, "ContinuousBackupsUnavailableException", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_UPDATE_CONTINUOUS_BACKUPS, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:UpdateContinuousBackups on table/* to this principal, or set pitr = \"require\""},
    {AWS_OP_LIST_TAGS, "AccessDeniedException", NULL, AWS_DENIED,
     "allow dynamodb:ListTagsOfResource on table/* to this principal"},

    /* KMS. A dry run that would succeed ends as an error of its own. */
    {AWS_OP_TRY_DATA_KEY, "DryRunOperationException", NULL, AWS_OK, NULL},
    {AWS_OP_DESCRIBE_KEY, "NotFoundException", NULL, AWS_NOT_FOUND, HINT_NO_KEY},
    {AWS_OP_TRY_DATA_KEY, "NotFoundException", NULL, AWS_NOT_FOUND, HINT_NO_KEY},
    {AWS_OP_DESCRIBE_KEY, "InvalidArnException", NULL, AWS_REFUSED, HINT_NO_KEY},
    {AWS_OP_TRY_DATA_KEY, "DisabledException", NULL, AWS_REFUSED, "enable the key"},
    {AWS_OP_TRY_DATA_KEY, "KMSInvalidStateException", NULL, AWS_REFUSED, "bring the key into the state Enabled"},
    {AWS_OP_TRY_DATA_KEY, "InvalidKeyUsageException", NULL, AWS_REFUSED,
     "S3 encrypts with symmetric keys alone: set s3.kms_key_id to one"},
    {AWS_OP_DESCRIBE_KEY, "AccessDeniedException", NULL, AWS_DENIED,
     "allow kms:DescribeKey on the key to this principal"},
    {AWS_OP_TRY_DATA_KEY, "AccessDeniedException", NULL, AWS_DENIED,
     "allow kms:GenerateDataKey and kms:Decrypt on the key to this principal"},
    {AWS_OP_DESCRIBE_KEY, "UnknownOperationException", NULL, AWS_REFUSED, HINT_NO_KMS},
    {AWS_OP_TRY_DATA_KEY, "UnknownOperationException", NULL, AWS_REFUSED, HINT_NO_KMS},

    /* The state of something */
    {AWS_OP_ANY, "TableNotFoundException", NULL, AWS_NOT_FOUND, HINT_TABLE},
    {AWS_OP_ANY, "ResourceNotFoundException", NULL, AWS_NOT_FOUND, HINT_TABLE},
    {AWS_OP_ANY, "ResourceInUseException", NULL, AWS_NOT_READY, NULL},
    {AWS_OP_ANY, "LimitExceededException", "Rate exceeded", AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "LimitExceededException", "The rate of control plane requests", AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "LimitExceededException", NULL, AWS_QUOTA, HINT_QUOTA},

    /* Too fast: "Rate exceeded", "The rate of control plane requests made by this account is too high" */
    {AWS_OP_ANY, "ThrottlingException", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "Throttling", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "ThrottledException", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "RequestThrottled", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "RequestThrottledException", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "TooManyRequestsException", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "ProvisionedThroughputExceededException", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "RequestLimitExceeded", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "BandwidthLimitExceeded", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "PriorRequestNotComplete", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "SlowDown", NULL, AWS_THROTTLED, HINT_RATE},

    /* The signature and who made it */
    {AWS_OP_ANY, "InvalidSignatureException", "Signature expired", AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "InvalidSignatureException", "Signature not yet current", AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "InvalidSignatureException", NULL, AWS_CREDENTIALS, HINT_SECRET},
    {AWS_OP_ANY, "SignatureDoesNotMatch", "Signature expired", AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "SignatureDoesNotMatch", "Signature not yet current", AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "SignatureDoesNotMatch", NULL, AWS_CREDENTIALS, HINT_SECRET},
    {AWS_OP_ANY, "RequestExpired", NULL, AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "RequestInTheFuture", NULL, AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "RequestTimeTooSkewed", NULL, AWS_CLOCK_SKEW, HINT_CLOCK},
    {AWS_OP_ANY, "UnrecognizedClientException", NULL, AWS_CREDENTIALS, HINT_KEY},
    {AWS_OP_ANY, "InvalidClientTokenId", NULL, AWS_CREDENTIALS, HINT_KEY},
    {AWS_OP_ANY, "AuthFailure", NULL, AWS_CREDENTIALS, HINT_KEY},
    {AWS_OP_ANY, "ExpiredTokenException", NULL, AWS_CREDENTIALS, HINT_EXPIRED},
    {AWS_OP_ANY, "ExpiredToken", NULL, AWS_CREDENTIALS, HINT_EXPIRED},
    {AWS_OP_ANY, "IncompleteSignatureException", NULL, AWS_CREDENTIALS,
     "the access key ID may hold a stray character; else something on the way changes the Authorization header"},
    {AWS_OP_ANY, "MissingAuthenticationTokenException", NULL, AWS_CREDENTIALS,
     "something on the way takes the Authorization header off: check proxies and aws.endpoint_url"},
    {AWS_OP_ANY, "MissingAuthenticationToken", NULL, AWS_CREDENTIALS,
     "something on the way takes the Authorization header off: check proxies and aws.endpoint_url"},

    /* Not allowed */
    {AWS_OP_ANY, "AccessDenied", NULL, AWS_DENIED, "allow the operation to this principal in IAM"},
    {AWS_OP_ANY, "SubscriptionRequiredException", NULL, AWS_DENIED, "the account is not signed up for DynamoDB"},
    {AWS_OP_ANY, "SubscriptionRequired", NULL, AWS_DENIED, "the account is not signed up for DynamoDB"},
    {AWS_OP_ANY, "OptInRequired", NULL, AWS_DENIED, "enable the region for the account, or correct aws.region"},

    /* The request is wrong */
    {AWS_OP_ANY, "ValidationException", "Invalid Backup ARN", AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_ANY, "ValidationException", "BackupArn is not valid", AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_ANY, "ValidationException", "Invalid Export ARN", AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_ANY, "ValidationException", NULL, AWS_REFUSED, HINT_VALUE},
    {AWS_OP_ANY, "SerializationException", NULL, AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_ANY, "UnknownOperationException", NULL, AWS_REFUSED, HINT_ENDPOINT},

    /* Trouble of the service's own */
    {AWS_OP_ANY, "InternalServerError", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "InternalServerErrorException", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "InternalFailure", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "InternalError", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "ServiceUnavailable", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "ServiceUnavailableException", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "RequestTimeout", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "RequestTimeoutException", NULL, AWS_UNCERTAIN, NULL},

    /* What has no code of the service: the status, then the hundred that it is of */
    {AWS_OP_ANY, "HTTP403", NULL, AWS_DENIED, HINT_PROXY},
    {AWS_OP_ANY, "HTTP404", NULL, AWS_REFUSED, HINT_ENDPOINT},
    {AWS_OP_ANY, "HTTP405", NULL, AWS_REFUSED, HINT_ENDPOINT},
    {AWS_OP_ANY, "HTTP407", NULL, AWS_REFUSED, "a proxy on the way wants credentials of its own"},
    {AWS_OP_ANY, "HTTP408", NULL, AWS_UNCERTAIN, HINT_PROXY},
    {AWS_OP_ANY, "HTTP413", NULL, AWS_REFUSED, HINT_DEFECT},
    {AWS_OP_ANY, "HTTP429", NULL, AWS_THROTTLED, HINT_RATE},
    {AWS_OP_ANY, "HTTP3xx", NULL, AWS_REFUSED, "aws.endpoint_url leads elsewhere: name the endpoint itself"},
    {AWS_OP_ANY, "HTTP4xx", NULL, AWS_REFUSED, NULL},
    {AWS_OP_ANY, "HTTP5xx", NULL, AWS_UNCERTAIN, NULL},
    {AWS_OP_ANY, "NotSent", NULL, AWS_TRANSIENT,
     "check the network, name resolution, aws.region, aws.endpoint_url and aws.ca_bundle"},
    {AWS_OP_ANY, "NoReply", NULL, AWS_UNCERTAIN, "if it lasts, check the network and aws.read_timeout"},
    {AWS_OP_ANY, "UnreadableReply", NULL, AWS_UNCERTAIN, HINT_PROXY},
};
const unsigned aws_error_n_rows = ARRAY_SIZE(aws_error_rows);

const char *aws_error_class_to_string(AwsErrorClass c) {
    static const char *const names[] = {
        [AWS_OK] = "ok",
        [AWS_THROTTLED] = "throttled",
        [AWS_TRANSIENT] = "transient",
        [AWS_UNCERTAIN] = "uncertain",
        [AWS_NOT_READY] = "not_ready",
        [AWS_QUOTA] = "quota",
        [AWS_NOT_FOUND] = "not_found",
        [AWS_PITR_OFF] = "pitr_off",
        [AWS_TIME_REFUSED] = "time_refused",
        [AWS_CREDENTIALS] = "credentials",
        [AWS_DENIED] = "denied",
        [AWS_CLOCK_SKEW] = "clock_skew",
        [AWS_REFUSED] = "refused",
    };
    return names[c];
}

/* Copies what people can read: control characters become spaces, bytes that are not UTF-8 question marks. `from` is
 * terminated at or after len. */
static void set_printable(char *to, size_t size, const char *from, size_t len) {
    size_t n = 0, step;
    for (size_t i = 0; i < len; i += step) {
        const char *c = from + i;
        size_t width = text_utf8_length(c);
        step = width ? width : 1;
        bool control = (unsigned char)*c < 0x20 || *c == 0x7f ||
                       ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] < 0xa0); /* U+0080 to U+009F */
        if (width == 0 || control) {
            c = width == 0 ? "?" : " ";
            width = 1;
        }
        if (n + width >= size)
            break;
        memcpy(to + n, c, width);
        n += width;
    }
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

static const AwsErrorRow *find_row(AwsOp op, const char *code, const char *message) {
    for (size_t i = 0; i < ARRAY_SIZE(aws_error_rows); i++) {
        const AwsErrorRow *row = &aws_error_rows[i];
        if ((row->op == op || row->op == AWS_OP_ANY) && strcmp(row->code, code) == 0 &&
            (!row->message_prefix || text_starts_with(message, row->message_prefix)))
            return row;
    }
    return NULL;
}

static AwsErrorClass set_class(AwsOp op, AwsError *e) {
    char number[16], hundred[16];
    snprintf(number, sizeof number, "HTTP%d", e->status);
    snprintf(hundred, sizeof hundred, "HTTP%dxx", e->status / 100);
    const AwsErrorRow *row = find_row(op, e->code, e->message);
    if (!row)
        row = find_row(op, number, "");
    if (!row)
        row = find_row(op, hundred, "");
    /* a status that ends no exchange of this protocol says nothing about what was done */
    e->class = row ? row->class : AWS_UNCERTAIN;
    e->hint = row ? row->hint : HINT_PROXY;
    return e->class;
}

static void begin(const HttpReply *reply, const char *code, AwsError *e) {
    const char *id = http_headers_get(&reply->headers, "x-amzn-requestid");
    *e = (AwsError){.class = AWS_OK, .status = reply->outcome == HTTP_REPLIED ? reply->status : 0};
    snprintf(e->code, sizeof e->code, "%s", code);
    if (!id)
        id = http_headers_get(&reply->headers, "x-amz-request-id");
    if (id)
        set_printable(e->request_id, sizeof e->request_id, id, strlen(id));
}

static bool is_of_s3(AwsOp op) { return op < AWS_OP_N && aws_ops[op].service == ENDPOINT_S3; }

/* Code and message of an error reply; the header x-amzn-errortype goes before the body. */
static void read_error(AwsOp op, const HttpReply *reply, AwsError *e) {
    char code[sizeof e->code], header_code[sizeof e->code] = "", message[sizeof e->message];
    const char *type = http_headers_get(&reply->headers, "x-amzn-errortype");
    const char *region = http_headers_get(&reply->headers, "x-amz-bucket-region");
    int r = is_of_s3(op)
                ? s3_error(reply->body, reply->body_len, code, sizeof code, message, sizeof message)
                : codec_error(reply->body, reply->body_len, code, sizeof code, message, sizeof message);
    if (region)
        set_printable(e->region, sizeof e->region, region, strlen(region));
    if (r < 0) {
        snprintf(e->code, sizeof e->code, "UnreadableReply");
        snprintf(e->message, sizeof e->message, "no memory to read it");
        return;
    }
    if (type)
        codec_error_code(type, header_code, sizeof header_code);
    const char *named = header_code[0] ? header_code : code;
    set_printable(e->code, sizeof e->code, named, strlen(named));
    /* a wrong signature is answered with all that should have been signed, which helps nobody who reads messages */
    const char *canonical = strstr(message, "The Canonical String");
    set_printable(e->message, sizeof e->message, message, canonical ? (size_t)(canonical - message) : strlen(message));
    if (e->code[0])
        return;
    snprintf(e->code, sizeof e->code, "HTTP%d", reply->status);
    if (!e->message[0])
        set_printable(e->message, BODY_SHOWN + 1, reply->body, reply->body_len);
}

AwsErrorClass aws_error_classify(AwsOp op, const HttpReply *reply, AwsError *ret) {
    const char *error = reply->error ? reply->error : "";
    switch (reply->outcome) {
    case HTTP_NOT_SENT:
    case HTTP_UNKNOWN:
        begin(reply, reply->outcome == HTTP_NOT_SENT ? "NotSent" : "NoReply", ret);
        set_printable(ret->message, sizeof ret->message, error, strlen(error));
        return set_class(op, ret);
    case HTTP_REPLIED:
        break;
    }
    begin(reply, "", ret);
    if (reply->status == 200 || (is_of_s3(op) && (reply->status == 204 || reply->status == 206)))
        return AWS_OK;
    read_error(op, reply, ret);
    return set_class(op, ret);
}

void aws_error_unreadable(const HttpReply *reply, const char *why, AwsError *ret) {
    begin(reply, "UnreadableReply", ret);
    set_printable(ret->message, sizeof ret->message, why, strlen(why));
    set_class(AWS_OP_ANY, ret);
}
