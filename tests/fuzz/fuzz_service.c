/* The service model on whatever comes. The first line of the input names an operation, "json" for the reader alone,
 * "faults" for a script, "form" for STS, "sign" for the line that follows as Authorization, or "s3" for lines of
 * "METHOD /TARGET" or "HEADER: VALUE", which go with the requests after them; the rest is the body. */

#include "sim/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/service_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795521600123456)

static void read_json(const char *body, size_t n) {
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL, *again = NULL;
    AUTO_TEXT t = TEXT_INIT(1u << 24);
    if (service_json_parse(body, n, &j) < 0)
        return;
    service_json_add_value(&t, NULL, j);
    /* what the writer writes, the reader takes */
    if (t.error || service_json_parse(text_get(&t), t.len, &again) < 0)
        abort();
}

/* Any reply is a whole one. */
static void check_reply(const ServiceReply *r) {
    CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
    if (r->ending == SERVICE_LATER)
        return;
    if (r->n_headers == 0 || (r->status == 200 && r->code[0]))
        abort();
    if (!r->fault[0] && r->body.len > 0 && r->body.data[0] == '{' &&
        service_json_parse(r->body.data, r->body.len, &j) < 0)
        abort();
}

static void post(Service *s, Usec now, const char *operation, const char *authorization, const char *body, size_t n) {
    AUTO_FREE char *target = text_format("DynamoDB_20120810.%s", operation);
    bool form = strcmp(operation, "form") == 0;
    ServiceHeader headers[] = {{"Content-Type",
                                form ? "application/x-www-form-urlencoded" : "application/x-amz-json-1.0"},
                               {"X-Amz-Target", target},
                               {"Host", "localhost"},
                               {"X-Amz-Date", "20261124T120000Z"},
                               {"Authorization", authorization}};
    ServiceRequest q = {.method = "POST",
                        .target = "/?x=%2f&y",
                        .headers = headers,
                        .n_headers = authorization ? 5 : 4,
                        .body = body,
                        .body_len = n};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    service_handle(s, now, &q, &reply);
    check_reply(&reply);
}

static void ask_s3(Service *s, const char *line, const ServiceHeader *headers, size_t n_headers) {
    AUTO_FREE char *method = strndup(line, strcspn(line, " "));
    const char *target = line + strcspn(line, " ");
    if (!method || *target != ' ')
        return;
    ServiceRequest q = {.method = method,
                        .target = target + 1,
                        .headers = headers,
                        .n_headers = n_headers,
                        .body = "0123456789",
                        .body_len = strcmp(method, "PUT") == 0 ? 10 : 0};
    CLEANUP(service_reply_done) ServiceReply r = {};
    service_handle(s, NOW, &q, &r);
    if (r.ending == SERVICE_LATER)
        return;
    if (r.n_headers == 0 || (r.status == 200 && r.code[0]) || (r.is_head && r.body.len > 0))
        abort();
}

static void ask_all_s3(Service *s, char *lines) {
    static const ServiceBucketSeed bucket = {.name = (char *)"acme"};
    ServiceHeader headers[8];
    size_t n = 0;
    if (service_add_bucket(s, &bucket) < 0)
        abort();
    for (char *line; (line = strsep(&lines, "\n"));) {
        char *colon = strstr(line, ": ");
        if (!colon || memchr(line, ' ', (size_t)(colon - line)))
            ask_s3(s, line, headers, n);
        else if (n < ARRAY_SIZE(headers)) {
            *colon = '\0';
            headers[n++] = (ServiceHeader){line, colon + 2};
        }
    }
}

static Service *make_service(bool with_auth) {
    ServiceSettings settings = service_settings_default();
    ServiceSeed seed = {.name = (char *)"orders", .pitr = true, .n_items = 7, .size_bytes = 1000};
    Service *s = NULL;
    settings.without_auth = !with_auth;
    settings.without_rates = true;
    if (service_new(&settings, 1, &s) < 0 || service_add_seed(s, &seed) < 0)
        abort();
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data, *newline = memchr(data, '\n', size);
    size_t n = newline ? (size_t)(newline - text) : size;
    AUTO_FREE char *operation = strndup(text, n);
    const char *body = newline ? newline + 1 : "";
    size_t body_len = newline ? size - n - 1 : 0;
    if (!operation)
        return 0;
    if (strcmp(operation, "json") == 0) {
        read_json(body, body_len);
        return 0;
    }
    AUTO_FREE char *line = strndup(body, body_len);
    CLEANUP(service_free_ptr) Service *s = make_service(strcmp(operation, "sign") == 0);
    AUTO_FREE char *why = NULL;
    if (!line)
        return 0;
    if (strcmp(operation, "s3") == 0) {
        ask_all_s3(s, line);
        return 0;
    }
    if (strcmp(operation, "faults") == 0) {
        (void)service_add_faults(s, line, &why);
        operation[0] = '\0';
        post(s, NOW, "ListBackups", NULL, "{}", 2);
        post(s, NOW, "CreateBackup", NULL, "{\"TableName\":\"orders\",\"BackupName\":\"abc\"}", 41);
    }
    /* twice, and with what it made in view */
    const char *authorization = strcmp(operation, "sign") == 0 ? line : NULL;
    for (int i = 0; i < 2; i++)
        post(s, NOW + i * USEC_PER_MINUTE, authorization ? "ListTables" : operation, authorization, body, body_len);
    static const char *const listings[] = {"ListBackups", "ListExports", "ListTables"};
    for (size_t i = 0; i < ARRAY_SIZE(listings); i++)
        post(s, NOW + USEC_PER_HOUR, listings[i], NULL, "{}", 2);
    AUTO_TEXT state = TEXT_INIT(1u << 24);
    if (service_state_to_json(s, NOW, &state) < 0)
        abort();
    read_json(text_get(&state), state.len);
    return 0;
}
