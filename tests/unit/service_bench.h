#pragma once
/* A service with two tables, without signatures, for tests of what it answers. */

#include "sim/service.h"
#include "sim/service_json.h"
#include "unit.h"

#define NOON INT64_C(1795521600123456) /* 2026-11-24T12:00:00.123456Z */
#define TABLE_ARN "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
#define EXPORT(more) "{\"TableArn\":\"" TABLE_ARN "\",\"S3Bucket\":\"bucket\"" more "}"

/* A service without signatures, and its clock. */
typedef struct Bench {
    Service *service;
    Usec now;
    ServiceReply reply;
    ServiceJson *json; /* of the last reply; NULL when it is no JSON */
} Bench;

static inline void bench_open(Bench *b, ServiceSettings settings, bool with_rates) {
    ServiceSeed orders = {.name = (char *)"orders", .pitr = true, .n_items = 7, .size_bytes = 1000};
    ServiceSeed plain = {.name = (char *)"plain"};
    settings.without_auth = true;
    settings.without_rates = !with_rates;
    *b = (Bench){.now = NOON};
    assert_int_equal(service_new(&settings, 1, &b->service), 0);
    assert_int_equal(service_add_seed(b->service, &orders), 0);
    assert_int_equal(service_add_seed(b->service, &plain), 0);
}

static inline void bench_clear(Bench *b) {
    service_reply_done(&b->reply);
    service_json_free(b->json);
    b->json = NULL;
}

static inline void bench_close(Bench *b) {
    bench_clear(b);
    service_free(b->service);
}

static inline void handle(Bench *b, const char *region, const char *operation, const char *body, bool held) {
    AUTO_FREE char *target = text_format("DynamoDB_20120810.%s", operation);
    AUTO_FREE char *authorization = text_format(
        "AWS4-HMAC-SHA256 Credential=AK/20261124/%s/dynamodb/aws4_request, SignedHeaders=host, Signature=0", region);
    ServiceHeader headers[] = {
        {"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", target}, {"Authorization", authorization}};
    ServiceRequest q = {.method = "POST",
                        .target = "/",
                        .headers = headers,
                        .n_headers = 3,
                        .body = body,
                        .body_len = strlen(body),
                        .held = held};
    bench_clear(b);
    service_handle(b->service, b->now, &q, &b->reply);
    (void)service_json_parse(text_get(&b->reply.body), b->reply.body.len, &b->json);
}

/* Makes a call and expects a code; "" for success. */
static inline void call(Bench *b, const char *operation, const char *body, const char *code) {
    handle(b, "us-east-1", operation, body, false);
    if (strcmp(b->reply.code, code) != 0)
        fail_msg("%s %s: %s, expected %s: %s", operation, body, b->reply.code, code, text_get(&b->reply.body));
    assert_int_equal(b->reply.status, *code ? 400 : 200);
}

static inline void expect_message(Bench *b, const char *message) {
    const char *said = service_json_get_string(b->json, "message");
    if (!said)
        said = service_json_get_string(b->json, "Message");
    assert_non_null(said);
    assert_string_equal(said, message);
}

/* The value at a path of names: "BackupDetails.BackupStatus"; a number picks from a list. */
static inline const ServiceJson *at(const Bench *b, const char *path) {
    const ServiceJson *j = b->json;
    while (*path && j) {
        char name[64];
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        if (j->type == SERVICE_JSON_LIST) {
            const ServiceJson *item = j->first;
            for (long i = strtol(name, NULL, 10); i > 0 && item; i--)
                item = item->next;
            j = item;
        } else
            j = service_json_get(j, name);
        path += n + (path[n] ? 1 : 0);
    }
    return j;
}

static inline const char *text_at(const Bench *b, const char *path) {
    const ServiceJson *j = at(b, path);
    return j && j->text ? j->text : "(absent)";
}

static inline size_t count_at(const Bench *b, const char *path) {
    const ServiceJson *j = at(b, path);
    return j ? j->n_items : 0;
}

static inline void make_backup(Bench *b, const char *name, char arn[static 200]) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"orders\",\"BackupName\":\"%s\"}", name);
    call(b, "CreateBackup", body, "");
    snprintf(arn, 200, "%s", text_at(b, "BackupDetails.BackupArn"));
}

static inline void call_arn(Bench *b, const char *operation, const char *member, const char *arn, const char *code) {
    AUTO_FREE char *body = text_format("{\"%s\":\"%s\"}", member, arn);
    call(b, operation, body, code);
}

static inline const char *header_of(const Bench *b, const char *name) {
    for (size_t i = 0; i < b->reply.n_headers; i++)
        if (strcmp(b->reply.headers[i].name, name) == 0)
            return b->reply.headers[i].value;
    return "";
}

static inline void list_backups(Bench *b, const char *more, size_t n, bool has_cursor) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"orders\"%s}", more);
    call(b, "ListBackups", body, "");
    if (count_at(b, "BackupSummaries") != n)
        fail_msg("%s: %zu backups, expected %zu", more, count_at(b, "BackupSummaries"), n);
    assert_int_equal(at(b, "LastEvaluatedBackupArn") != NULL, has_cursor);
}
