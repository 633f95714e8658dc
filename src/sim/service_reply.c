#include "sim/service_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "sim/service_state.h"

static void make_request_id(Service *s, char id[static 53]) {
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int i = 0; i < 52; i++)
        id[i] = characters[service_random(s) % 36];
    id[52] = '\0';
}

/* CRC-32/ISO-HDLC, as in gzip. */
static uint32_t crc32_of(const char *bytes, size_t n) {
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            table[i] = c;
        }
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++)
        crc = table[(crc ^ (unsigned char)bytes[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

static void add_header(ServiceReply *r, const char *name, const char *value) {
    r->headers[r->n_headers++] = (ServiceHeader){name, value};
}

void service_reply_finish(Service *s, ServiceReply *r, Usec now_wall, const char *content_type, bool wrong_crc) {
    make_request_id(s, r->request_id);
    snprintf(r->crc32, sizeof r->crc32, "%" PRIu32, crc32_of(text_get(&r->body), r->body.len) ^ (wrong_crc ? 1 : 0));
    date_to_http(now_wall, r->date);
    add_header(r, "Server", "Server");
    add_header(r, "Date", r->date);
    add_header(r, "Content-Type", content_type);
    add_header(r, "x-amzn-RequestId", r->request_id);
    add_header(r, "x-amz-crc32", r->crc32);
    if (r->ending == SERVICE_CLOSED)
        r->status = 0;
}

void service_reply_done(ServiceReply *r) {
    text_done(&r->body);
    free(r->more_headers);
}

/* Where a code is at home, its status and how its message is called. */
void service_reply_set_error(ServiceReply *r, const char *code, int status, const char *message) {
    static const struct {
        const char *code, *space;
        int status;
        bool capital;
    } rows[] = {
        {"ValidationException", "com.amazon.coral.validate#", 400, false},
        {"ThrottlingException", "com.amazon.coral.availability#", 400, false},
        {"UnrecognizedClientException", "com.amazon.coral.service#", 400, false},
        {"InvalidSignatureException", "com.amazon.coral.service#", 400, false},
        {"IncompleteSignatureException", "com.amazon.coral.service#", 400, false},
        {"MissingAuthenticationTokenException", "com.amazon.coral.service#", 400, false},
        {"ExpiredTokenException", "com.amazon.coral.service#", 400, false},
        {"AccessDeniedException", "com.amazon.coral.service#", 400, true},
        {"SerializationException", "com.amazon.coral.service#", 400, true},
        {"UnknownOperationException", "com.amazon.coral.service#", 400, false},
        {"ServiceUnavailable", "com.amazon.coral.service#", 503, false},
        {"InternalFailure", "com.amazon.coral.service#", 500, false},
        {"InternalServerError", "com.amazonaws.dynamodb.v20120810#", 500, false},
        {"DryRunOperationException", "", 412, false},
    };
    const char *space = "com.amazonaws.dynamodb.v20120810#", *name = "message";
    int usual = 400;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].code, code) == 0) {
            space = rows[i].space;
            usual = rows[i].status;
            name = rows[i].capital ? "Message" : "message";
        }
    AUTO_TEXT type = TEXT_INIT(200);
    text_addf(&type, "%s%s", r->is_kms ? "" : space, code);
    text_clear(&r->body);
    service_json_open(&r->body, NULL, '{');
    service_json_add_string(&r->body, "__type", text_get(&type));
    if (message && *message)
        service_json_add_string(&r->body, name, message);
    service_json_close(&r->body, '}');
    r->status = status ? status : usual;
    snprintf(r->code, sizeof r->code, "%s", code);
}

const char *service_reply_usual_message(const char *code) {
    return strcmp(code, "ThrottlingException") == 0     ? "Rate exceeded"
           : strcmp(code, "AccessDeniedException") == 0 ? "Access is denied"
           : strcmp(code, "InternalFailure") == 0       ? ""
           : strcmp(code, "ExpiredTokenException") == 0 ? "The security token included in the request is expired"
           : strcmp(code, "InternalServerError") == 0
               ? "The request processing has failed because of an unknown error, exception or failure."
               : "Injected by the fault script";
}
