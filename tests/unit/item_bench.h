#pragma once
/* A service without signatures and rates, for tests of items and of what exports write. */

#include "sim/service.h"
#include "sim/service_json.h"
#include "unit.h"

#define NOON INT64_C(1795521600123456) /* 2026-11-24T12:00:00.123456Z */
#define HERE "us-east-1"
#define TABLE_ARN "arn:aws:dynamodb:us-east-1:123456789012:table/orders"

typedef struct ItemBench {
    Service *service;
    Usec now;
    ServiceReply reply;
    ServiceJson *json; /* of the last reply; NULL: it is no JSON */
} ItemBench;

static inline void bench_open(ItemBench *b, const ServiceSeed *seed) {
    ServiceSettings settings = service_settings_default();
    settings.without_auth = settings.without_rates = true;
    *b = (ItemBench){.now = NOON};
    assert_int_equal(service_new(&settings, 1, &b->service), 0);
    assert_int_equal(service_add_seed(b->service, seed), 0);
}

static inline void bench_send(ItemBench *b, const ServiceRequest *q) {
    service_reply_done(&b->reply);
    service_json_free(b->json);
    b->json = NULL;
    service_handle(b->service, b->now, q, &b->reply);
    (void)service_json_parse(text_get(&b->reply.body), b->reply.body.len, &b->json);
}

static inline void bench_close(ItemBench *b) {
    service_reply_done(&b->reply);
    service_json_free(b->json);
    service_free(b->service);
}

/* Calls an operation of DynamoDB and expects a code; "" for success. */
static inline void call(ItemBench *b, const char *operation, const char *body, const char *code) {
    AUTO_FREE char *target = text_format("DynamoDB_20120810.%s", operation);
    ServiceHeader headers[] = {{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", target}};
    ServiceRequest q = {.method = "POST",
                        .target = "/",
                        .headers = headers,
                        .n_headers = ARRAY_SIZE(headers),
                        .body = body,
                        .body_len = strlen(body)};
    bench_send(b, &q);
    if (strcmp(b->reply.code, code) != 0)
        fail_msg("%s %s: %s, expected %s: %s", operation, body, b->reply.code, code, text_get(&b->reply.body));
}

static inline void expect_reply(const ItemBench *b, const char *body) {
    assert_string_equal(text_get(&b->reply.body), body);
}
