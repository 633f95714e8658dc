#include "others.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/sigv4.h"

#define HOST "dynamodb.eu-central-1.amazonaws.com"

/* The signed headers of such a request. */
static HttpRequest *sign(House *h, const char *operation, const char *body) {
    ServiceSettings service = service_settings_default();
    HttpRequest *q = calloc(1, sizeof *q);
    char target[100];
    snprintf(target, sizeof target, "DynamoDB_20120810.%s", operation);
    if (!q || http_headers_add(&q->headers, "Content-Type", "application/x-amz-json-1.0") < 0 ||
        http_headers_add(&q->headers, "X-Amz-Target", target) < 0)
        abort();
    *q = (HttpRequest){.method = HTTP_POST,
                       .url = strdup("https://" HOST "/"),
                       .headers = q->headers,
                       .body = strdup(body),
                       .body_len = strlen(body)};
    Credentials credentials = {.access_key_id = (char *)service.access_key};
    if (secret_set(&credentials.secret_access_key, service.secret_key, strlen(service.secret_key)) < 0)
        abort();
    SigV4Scope scope = {.region = "eu-central-1", .service = "dynamodb", .wall = world_true_wall(house_world(h))};
    if (sigv4_sign(q, &scope, &credentials, NULL) < 0)
        abort();
    secret_done(&credentials.secret_access_key);
    return q;
}

char *others_call(House *h, const char *operation, const char *body) {
    CLEANUP(http_request_free_ptr) HttpRequest *q = sign(h, operation, body);
    ServiceHeader headers[16] = {{"Host", HOST}};
    size_t n = 1;
    for (size_t i = 0; i < q->headers.n_items && n < ARRAY_SIZE(headers); i++)
        if (strcmp(q->headers.items[i].name, "Host") != 0)
            headers[n++] = (ServiceHeader){q->headers.items[i].name, q->headers.items[i].value};
    ServiceRequest request = {.method = "POST",
                              .target = "/",
                              .headers = headers,
                              .n_headers = n,
                              .body = q->body,
                              .body_len = q->body_len};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    service_handle(world_service(house_world(h)), world_true_wall(house_world(h)), &request, &reply);
    if (reply.status != 200)
        house_violated(h, "others are refused: %s: %s", operation, text_get(&reply.body));
    char *text = strdup(text_get(&reply.body));
    if (!text)
        abort();
    return text;
}

/* The string at a path of names; "0" and up are places in a list. To be freed; NULL: there is none. */
static char *string_at(const char *json, const char *const *path) {
    cJSON *whole = cJSON_Parse(json);
    const cJSON *at = whole;
    for (; at && *path; path++)
        at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(*path)) : cJSON_GetObjectItemCaseSensitive(at, *path);
    char *value = cJSON_IsString(at) ? strdup(at->valuestring) : NULL;
    cJSON_Delete(whole);
    return value;
}

char *others_create_backup(House *h, const char *table, const char *name) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"%s\",\"BackupName\":\"%s\"}", table, name);
    AUTO_FREE char *reply = others_call(h, "CreateBackup", body);
    return string_at(reply, (const char *const[]){"BackupDetails", "BackupArn", NULL});
}

void others_delete_backup(House *h, const char *arn) {
    AUTO_FREE char *body = text_format("{\"BackupArn\":\"%s\"}", arn);
    free(others_call(h, "DeleteBackup", body));
}

char *others_find_backup(House *h, const char *table, int n) {
    char place[16];
    AUTO_FREE char *body = text_format("{\"TableName\":\"%s\"}", table);
    AUTO_FREE char *reply = others_call(h, "ListBackups", body);
    snprintf(place, sizeof place, "%d", n);
    return string_at(reply, (const char *const[]){"BackupSummaries", place, "BackupArn", NULL});
}

void others_create_table(House *h, const char *table, const char *key, const char *value) {
    AUTO_FREE char *tags = key ? text_format(",\"Tags\":[{\"Key\":\"%s\",\"Value\":\"%s\"}]", key, value) : strdup("");
    AUTO_FREE char *body =
        text_format("{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\","
                    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
                    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]%s}",
                    table, tags);
    free(others_call(h, "CreateTable", body));
}

void others_delete_table(House *h, const char *table) {
    AUTO_FREE char *body = text_format("{\"TableName\":\"%s\"}", table);
    free(others_call(h, "DeleteTable", body));
}

void others_tag(House *h, const char *table, const char *key, const char *value) {
    AUTO_FREE char *body =
        text_format("{\"ResourceArn\":\"arn:aws:dynamodb:eu-central-1:%s:table/%s\",\"Tags\":[{\"Key\":"
                    "\"%s\",\"Value\":\"%s\"}]}",
                    service_settings_default().account, table, key, value);
    free(others_call(h, "TagResource", body));
}

void others_recreate_table(House *h, const char *table) {
    others_delete_table(h, table);
    others_create_table(h, table, NULL, NULL);
}

void others_set_recovery(House *h, const char *table, int days) {
    AUTO_FREE char *period = days > 0 ? text_format(",\"RecoveryPeriodInDays\":%d", days) : strdup("");
    AUTO_FREE char *body = text_format("{\"TableName\":\"%s\",\"PointInTimeRecoverySpecification\":"
                                       "{\"PointInTimeRecoveryEnabled\":%s%s}}",
                                       table, days > 0 ? "true" : "false", period);
    free(others_call(h, "UpdateContinuousBackups", body));
}
