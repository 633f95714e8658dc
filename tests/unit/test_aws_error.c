#include "core/aws/aws_error.h"

#include "unit.h"

#define MODEL "com.amazonaws.dynamodb.v20120810#"
#define CORAL "com.amazon.coral.service#"

typedef struct Given {
    int status;
    const char *type_header; /* NULL: none */
    const char *body;
} Given;

static AwsErrorClass classify(AwsOp op, const Given *given, AwsError *ret) {
    HttpReply *reply = calloc(1, sizeof *reply);
    assert_non_null(reply);
    reply->outcome = HTTP_REPLIED;
    reply->status = given->status;
    reply->body_len = strlen(given->body);
    reply->body = strdup(given->body);
    assert_non_null(reply->body);
    assert_int_equal(http_headers_add(&reply->headers, "X-Amzn-RequestId", "REQUEST1"), 0);
    if (given->type_header)
        assert_int_equal(http_headers_add(&reply->headers, "x-amzn-ErrorType", given->type_header), 0);
    memset(ret, 0x55, sizeof *ret);
    AwsErrorClass class = aws_error_classify(op, reply, ret);
    http_reply_free(reply);
    assert_int_equal(class, ret->class);
    assert_int_equal(ret->status, given->status);
    assert_string_equal(ret->request_id, "REQUEST1");
    return class;
}

/* What each operation declares. */
static void declared(void **state) {
    static const struct {
        AwsOp op;
        const char *code;
        AwsErrorClass class;
    } rows[] = {
        {AWS_OP_CREATE_BACKUP, "TableNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_CREATE_BACKUP, "TableInUseException", AWS_NOT_READY},
        {AWS_OP_CREATE_BACKUP, "ContinuousBackupsUnavailableException", AWS_NOT_READY},
        {AWS_OP_CREATE_BACKUP, "BackupInUseException", AWS_NOT_READY},
        {AWS_OP_CREATE_BACKUP, "LimitExceededException", AWS_QUOTA},
        {AWS_OP_CREATE_BACKUP, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_DESCRIBE_BACKUP, "BackupNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_DESCRIBE_BACKUP, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_LIST_BACKUPS, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_DELETE_BACKUP, "BackupNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_DELETE_BACKUP, "BackupInUseException", AWS_NOT_READY},
        {AWS_OP_DELETE_BACKUP, "LimitExceededException", AWS_QUOTA},
        {AWS_OP_DELETE_BACKUP, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "TableNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_EXPORT_TABLE, "TableNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_EXPORT_TABLE, "PointInTimeRecoveryUnavailableException", AWS_PITR_OFF},
        {AWS_OP_EXPORT_TABLE, "LimitExceededException", AWS_QUOTA},
        {AWS_OP_EXPORT_TABLE, "InvalidExportTimeException", AWS_TIME_REFUSED},
        {AWS_OP_EXPORT_TABLE, "ExportConflictException", AWS_REFUSED},
        {AWS_OP_EXPORT_TABLE, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_DESCRIBE_EXPORT, "ExportNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_DESCRIBE_EXPORT, "LimitExceededException", AWS_QUOTA},
        {AWS_OP_DESCRIBE_EXPORT, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_LIST_EXPORTS, "LimitExceededException", AWS_QUOTA},
        {AWS_OP_LIST_EXPORTS, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_DESCRIBE_TABLE, "ResourceNotFoundException", AWS_NOT_FOUND},
        {AWS_OP_DESCRIBE_TABLE, "InternalServerError", AWS_UNCERTAIN},
        {AWS_OP_LIST_TABLES, "InternalServerError", AWS_UNCERTAIN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char body[300];
        AwsError e;
        snprintf(body, sizeof body, "{\"__type\":\"" MODEL "%s\",\"message\":\"Words of the service\"}", rows[i].code);
        bool server = strcmp(rows[i].code, "InternalServerError") == 0;
        if (classify(rows[i].op, &(Given){server ? 500 : 400, NULL, body}, &e) != rows[i].class)
            fail_msg("%s %s is %s", aws_ops[rows[i].op].name, rows[i].code, aws_error_class_to_string(e.class));
        assert_string_equal(e.code, rows[i].code);
        assert_string_equal(e.message, "Words of the service");
    }
}

/* Bodies as they come over the wire. */
static void undeclared(void **state) {
    static const struct {
        AwsOp op;
        int status;
        const char *body;
        AwsErrorClass class;
        const char *code, *hint_part; /* NULL: no hint */
    } rows[] = {
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"com.amazon.coral.availability#ThrottlingException\",\"message\":\"Rate exceeded\"}",
         AWS_THROTTLED, "ThrottlingException", "limits.rate_share"},
        {AWS_OP_LIST_BACKUPS, 400,
         "{\"__type\":\"" MODEL "LimitExceededException\",\"message\":\"The rate of control plane requests made by "
         "this account is too high\"}",
         AWS_THROTTLED, "LimitExceededException", "limits.rate_share"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"" MODEL "LimitExceededException\",\"message\":\"Subscriber limit exceeded: x\"}", AWS_QUOTA,
         "LimitExceededException", "quota"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" MODEL "ResourceNotFoundException\"}", AWS_NOT_FOUND,
         "ResourceNotFoundException", "aws.region"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"" MODEL "ContinuousBackupsUnavailableException\",\"message\":\"Backups are being enabled for "
         "the table: t. Please retry later\"}",
         AWS_NOT_READY, "ContinuousBackupsUnavailableException", NULL},
        {AWS_OP_EXPORT_TABLE, 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"Invalid Request: KMS Key Id is "
         "not supported for this encryption type\"}",
         AWS_REFUSED, "ValidationException", "s3.sse_algorithm"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"1 validation error detected: "
         "x\"}",
         AWS_REFUSED, "ValidationException", "configuration"},
        {AWS_OP_DESCRIBE_BACKUP, 400,
         "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"message\":\"Invalid Backup ARN\"}",
         AWS_REFUSED, "ValidationException", "defect"},
        {AWS_OP_LIST_TABLES, 400,
         "{\"__type\":\"" CORAL "UnrecognizedClientException\",\"message\":\"The security token included in the "
         "request is invalid.\"}",
         AWS_CREDENTIALS, "UnrecognizedClientException", "access key"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"" CORAL "InvalidSignatureException\",\"message\":\"Signature expired: 20260102T030405Z is now "
         "earlier than 20260102T031905Z (20260102T032405Z - 5 min.)\"}",
         AWS_CLOCK_SKEW, "InvalidSignatureException", "clock"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"" CORAL "InvalidSignatureException\",\"message\":\"Signature not yet current: x\"}",
         AWS_CLOCK_SKEW, "InvalidSignatureException", "clock"},
        {AWS_OP_CREATE_BACKUP, 400,
         "{\"__type\":\"" CORAL "InvalidSignatureException\",\"message\":\"The request signature we calculated does "
         "not match the signature you provided.\"}",
         AWS_CREDENTIALS, "InvalidSignatureException", "secret access key"},
        {AWS_OP_CREATE_BACKUP, 403, "{\"__type\":\"" CORAL "ExpiredTokenException\"}", AWS_CREDENTIALS,
         "ExpiredTokenException", "renew"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" CORAL "IncompleteSignatureException\"}", AWS_CREDENTIALS,
         "IncompleteSignatureException", "Authorization"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" CORAL "MissingAuthenticationTokenException\"}", AWS_CREDENTIALS,
         "MissingAuthenticationTokenException", "Authorization"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" CORAL "AccessDeniedException\",\"Message\":\"User: x\"}",
         AWS_DENIED, "AccessDeniedException", "dynamodb:CreateBackup"},
        {AWS_OP_DESCRIBE_BACKUP, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:DescribeBackup"},
        {AWS_OP_LIST_BACKUPS, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:ListBackups"},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:DescribeContinuousBackups"},
        {AWS_OP_EXPORT_TABLE, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:ExportTableToPointInTime"},
        {AWS_OP_DESCRIBE_EXPORT, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:DescribeExport"},
        {AWS_OP_LIST_EXPORTS, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:ListExports"},
        {AWS_OP_DESCRIBE_TABLE, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:DescribeTable"},
        {AWS_OP_LIST_TABLES, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:ListTables"},
        {AWS_OP_UPDATE_CONTINUOUS_BACKUPS, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:UpdateContinuousBackups"},
        {AWS_OP_UPDATE_CONTINUOUS_BACKUPS, 400, "{\"__type\":\"" MODEL "ContinuousBackupsUnavailableException\"}",
         AWS_NOT_READY, "ContinuousBackupsUnavailableException", NULL},
        {AWS_OP_LIST_TAGS, 400, "{\"__type\":\"" CORAL "AccessDeniedException\"}", AWS_DENIED,
         "AccessDeniedException", "dynamodb:ListTagsOfResource"},
        {AWS_OP_LIST_TAGS, 400, "{\"__type\":\"" MODEL "ResourceNotFoundException\"}", AWS_NOT_FOUND,
         "ResourceNotFoundException", "table"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"SubscriptionRequiredException\"}", AWS_DENIED,
         "SubscriptionRequiredException", "account"},
        {AWS_OP_CREATE_BACKUP, 403, "{\"__type\":\"OptInRequired\"}", AWS_DENIED, "OptInRequired", "region"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" MODEL "ProvisionedThroughputExceededException\"}", AWS_THROTTLED,
         "ProvisionedThroughputExceededException", "limits.rate_share"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" MODEL "RequestLimitExceeded\"}", AWS_THROTTLED,
         "RequestLimitExceeded", "limits.rate_share"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" CORAL "SerializationException\"}", AWS_REFUSED,
         "SerializationException", "defect"},
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" CORAL "UnknownOperationException\"}", AWS_REFUSED,
         "UnknownOperationException", "aws.endpoint_url"},
        {AWS_OP_CREATE_BACKUP, 500, "{\"__type\":\"" CORAL "InternalFailure\",\"message\":\"\"}", AWS_UNCERTAIN,
         "InternalFailure", NULL},
        {AWS_OP_CREATE_BACKUP, 503, "{\"__type\":\"" CORAL "ServiceUnavailable\"}", AWS_UNCERTAIN, "ServiceUnavailable",
         NULL},
        {AWS_OP_LIST_TABLES, 503, "{\"__type\":\"" CORAL "ServiceUnavailableException\"}", AWS_UNCERTAIN,
         "ServiceUnavailableException", NULL},
        {AWS_OP_TRY_DATA_KEY, 412, "{\"__type\":\"DryRunOperationException\",\"message\":\"well\"}", AWS_OK,
         "DryRunOperationException", NULL},
        {AWS_OP_DESCRIBE_KEY, 412, "{\"__type\":\"DryRunOperationException\"}", AWS_REFUSED, "DryRunOperationException",
         NULL},
        {AWS_OP_DESCRIBE_KEY, 400, "{\"__type\":\"NotFoundException\"}", AWS_NOT_FOUND, "NotFoundException",
         "s3.kms_key_id"},
        {AWS_OP_TRY_DATA_KEY, 400, "{\"__type\":\"AccessDeniedException\"}", AWS_DENIED, "AccessDeniedException",
         "kms:GenerateDataKey"},
        {AWS_OP_TRY_DATA_KEY, 500, "{\"__type\":\"KeyUnavailableException\"}", AWS_UNCERTAIN, "KeyUnavailableException",
         NULL},
        /* a code that nobody knows: the status decides */
        {AWS_OP_CREATE_BACKUP, 400, "{\"__type\":\"" MODEL "BrandNewException\"}", AWS_REFUSED, "BrandNewException",
         NULL},
        {AWS_OP_CREATE_BACKUP, 429, "{\"__type\":\"" MODEL "BrandNewException\"}", AWS_THROTTLED, "BrandNewException",
         "limits.rate_share"},
        {AWS_OP_CREATE_BACKUP, 500, "{\"__type\":\"" MODEL "BrandNewException\"}", AWS_UNCERTAIN, "BrandNewException",
         NULL},
        /* another operation's error is not this one's */
        {AWS_OP_LIST_TABLES, 400, "{\"__type\":\"" MODEL "ExportConflictException\"}", AWS_REFUSED,
         "ExportConflictException", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AwsError e;
        if (classify(rows[i].op, &(Given){rows[i].status, NULL, rows[i].body}, &e) != rows[i].class)
            fail_msg("%s is %s", rows[i].body, aws_error_class_to_string(e.class));
        assert_string_equal(e.code, rows[i].code);
        if (!rows[i].hint_part)
            assert_null(e.hint);
        else if (!e.hint || !strstr(e.hint, rows[i].hint_part))
            fail_msg("%s: hint %s lacks %s", rows[i].body, e.hint ? e.hint : "(none)", rows[i].hint_part);
    }
}

/* Every row is reached by a body of its own, unless an earlier one stands in its way. */
static void rows_are_reached(void **state) {
    assert_true(aws_error_n_rows > 60);
    for (unsigned i = 0; i < aws_error_n_rows; i++) {
        const AwsErrorRow *row = &aws_error_rows[i];
        char body[400];
        AwsError e;
        bool of_s3 = row->op != AWS_OP_ANY && aws_ops[row->op].service == ENDPOINT_S3;
        snprintf(body, sizeof body,
                 of_s3 ? "<Error><Code>%s</Code><Message>%s</Message></Error>"
                       : "{\"__type\":\"ns#%s:x\",\"message\":\"%s\"}",
                 row->code, row->message_prefix ? row->message_prefix : "words");
        if (classify(row->op, &(Given){400, NULL, body}, &e) != row->class)
            fail_msg("row %u, %s, is not reached", i, row->code);
        assert_ptr_equal(e.hint, row->hint);
        assert_true(row->class != AWS_OK || row->op == AWS_OP_TRY_DATA_KEY);
        assert_true(strlen(row->code) < sizeof e.code);
    }
}

/* AWS adds the canonical request and the string to sign, a screen of them. */
static void wrong_signatures_are_told_shortly(void **state) {
    AwsError e;
    static const char body[] =
        "{\"__type\":\"" MODEL "InvalidSignatureException\",\"message\":\"The request signature we "
        "calculated does not match.\\n\\nThe Canonical String for this request should have been\\n'POST'\"}";
    assert_int_equal(classify(AWS_OP_LIST_TABLES, &(Given){400, NULL, body}, &e), AWS_CREDENTIALS);
    assert_string_equal(e.message, "The request signature we calculated does not match.");
}

static void without_a_code(void **state) {
    static const struct {
        Given given;
        AwsErrorClass class;
        const char *code, *message;
    } rows[] = {
        {{404, NULL, "<UnknownOperationException/>\n"}, AWS_REFUSED, "HTTP404", "<UnknownOperationException/>"},
        {{403, NULL, "<Error><Code>SignatureDoesNotMatch</Code></Error>"}, AWS_DENIED, "HTTP403",
         "<Error><Code>SignatureDoesNotMatch</Code></Error>"},
        {{502, NULL, "<html>\r\n<h1>Bad\x01Gateway \xc2\x9b[1m\x7f \xff</h1>\r\n</html>\r\n"}, AWS_UNCERTAIN, "HTTP502",
         "<html>  <h1>Bad Gateway  [1m  ?</h1>  </html>"},
        {{503, NULL, ""}, AWS_UNCERTAIN, "HTTP503", ""},
        {{504, NULL, "upstream timed out"}, AWS_UNCERTAIN, "HTTP504", "upstream timed out"},
        {{500, NULL, "{}"}, AWS_UNCERTAIN, "HTTP500", "{}"},
        {{400, NULL, "{\"message\":\"words\"}"}, AWS_REFUSED, "HTTP400", "words"},
        {{400, NULL, "{\"__type\":\"X\""}, AWS_REFUSED, "HTTP400", "{\"__type\":\"X\""},
        {{407, NULL, ""}, AWS_REFUSED, "HTTP407", ""},
        {{408, NULL, ""}, AWS_UNCERTAIN, "HTTP408", ""},
        {{413, NULL, ""}, AWS_REFUSED, "HTTP413", ""},
        {{429, NULL, "slow"}, AWS_THROTTLED, "HTTP429", "slow"},
        {{301, NULL, ""}, AWS_REFUSED, "HTTP301", ""},
        {{307, NULL, ""}, AWS_REFUSED, "HTTP307", ""},
        {{204, NULL, ""}, AWS_UNCERTAIN, "HTTP204", ""},
        {{100, NULL, ""}, AWS_UNCERTAIN, "HTTP100", ""},
        {{599, NULL, ""}, AWS_UNCERTAIN, "HTTP599", ""},
        {{999, NULL, ""}, AWS_UNCERTAIN, "HTTP999", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AwsError e;
        if (classify(AWS_OP_CREATE_BACKUP, &rows[i].given, &e) != rows[i].class)
            fail_msg("%d is %s", rows[i].given.status, aws_error_class_to_string(e.class));
        assert_string_equal(e.code, rows[i].code);
        assert_string_equal(e.message, rows[i].message);
    }
}

static void header_goes_first(void **state) {
    static const struct {
        const char *header, *body, *code, *message;
        AwsErrorClass class;
    } rows[] = {
        {"ThrottlingException", "{\"__type\":\"ValidationException\",\"message\":\"m\"}", "ThrottlingException", "m",
         AWS_THROTTLED},
        {"com.amazon.coral.service#AccessDeniedException:http://internal.amazon.com/coral/", "<html>",
         "AccessDeniedException", "", AWS_DENIED},
        {" \t", "{\"__type\":\"ValidationException\"}", "ValidationException", "", AWS_REFUSED},
        {":", "{\"code\":\"a#ThrottlingException\"}", "ThrottlingException", "", AWS_THROTTLED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AwsError e;
        assert_int_equal(classify(AWS_OP_CREATE_BACKUP, &(Given){400, rows[i].header, rows[i].body}, &e),
                         rows[i].class);
        assert_string_equal(e.code, rows[i].code);
        assert_string_equal(e.message, rows[i].message);
    }
}

static void without_a_reply(void **state) {
    AwsError e;
    HttpReply reply = {.outcome = HTTP_NOT_SENT, .error = (char[]){"Connection refused\n"}};
    assert_int_equal(aws_error_classify(AWS_OP_CREATE_BACKUP, &reply, &e), AWS_TRANSIENT);
    assert_string_equal(e.code, "NotSent");
    assert_string_equal(e.message, "Connection refused");
    assert_int_equal(e.status, 0);
    assert_string_equal(e.request_id, "");
    assert_non_null(strstr(e.hint, "aws.endpoint_url"));

    reply = (HttpReply){.outcome = HTTP_UNKNOWN, .error = (char[]){"Operation timed out"}, .status = 200};
    assert_int_equal(aws_error_classify(AWS_OP_CREATE_BACKUP, &reply, &e), AWS_UNCERTAIN);
    assert_string_equal(e.code, "NoReply");
    assert_string_equal(e.message, "Operation timed out");
    assert_int_equal(e.status, 0);

    reply = (HttpReply){.outcome = HTTP_UNKNOWN};
    assert_int_equal(aws_error_classify(AWS_OP_LIST_TABLES, &reply, &e), AWS_UNCERTAIN);
    assert_string_equal(e.message, "");
}

static void good_and_unreadable(void **state) {
    AwsError e;
    assert_int_equal(classify(AWS_OP_CREATE_BACKUP, &(Given){200, "ThrottlingException", "{}"}, &e), AWS_OK);
    assert_string_equal(e.code, "");
    assert_string_equal(e.message, "");
    assert_null(e.hint);

    HttpReply reply = {.outcome = HTTP_REPLIED, .status = 200, .body = (char[]){"{}"}, .body_len = 2};
    assert_int_equal(http_headers_add(&reply.headers, "x-amzn-requestid", "A\nB"), 0);
    aws_error_unreadable(&reply, "BackupDetails is missing", &e);
    http_headers_done(&reply.headers);
    assert_int_equal(e.class, AWS_UNCERTAIN);
    assert_string_equal(e.code, "UnreadableReply");
    assert_string_equal(e.message, "BackupDetails is missing");
    assert_string_equal(e.request_id, "A B");
    assert_int_equal(e.status, 200);
    assert_non_null(e.hint);
}

/* Long texts are cut to the room there is, never within a character. */
static void long_texts(void **state) {
    char body[2000], words[1600] = "";
    AwsError e;
    for (int i = 0; i < 500; i++)
        strcat(words, "\xe2\x82\xac");
    snprintf(body, sizeof body, "{\"__type\":\"X\",\"message\":\"%s\"}", words);
    classify(AWS_OP_CREATE_BACKUP, &(Given){400, NULL, body}, &e);
    assert_int_equal(strlen(e.message), 510); /* 170 times 3 bytes; the room is for 511 */
    assert_memory_equal(e.message, words, 510);
    classify(AWS_OP_CREATE_BACKUP, &(Given){500, NULL, words}, &e);
    assert_int_equal(strlen(e.message), 255);
    memset(words, 'x', 1500);
    classify(AWS_OP_CREATE_BACKUP, &(Given){500, NULL, words}, &e);
    assert_int_equal(strlen(e.message), 256);
    snprintf(body, sizeof body, "{\"__type\":\"%.1500s\"}", words);
    assert_int_equal(classify(AWS_OP_CREATE_BACKUP, &(Given){400, words, body}, &e), AWS_REFUSED);
    assert_int_equal(strlen(e.code), 63);
}

static void class_names(void **state) {
    for (AwsErrorClass a = AWS_OK; a <= AWS_REFUSED; a++)
        for (AwsErrorClass b = AWS_OK; b < a; b++)
            assert_string_not_equal(aws_error_class_to_string(a), aws_error_class_to_string(b));
    assert_string_equal(aws_error_class_to_string(AWS_CLOCK_SKEW), "clock_skew");
}

UNIT_MAIN(cmocka_unit_test(declared), cmocka_unit_test(undeclared), cmocka_unit_test(rows_are_reached),
          cmocka_unit_test(wrong_signatures_are_told_shortly), cmocka_unit_test(without_a_code),
          cmocka_unit_test(header_goes_first), cmocka_unit_test(without_a_reply), cmocka_unit_test(good_and_unreadable),
          cmocka_unit_test(long_texts), cmocka_unit_test(class_names))
