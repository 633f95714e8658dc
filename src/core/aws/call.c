#include "core/aws/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/aws/s3.h"
#include "core/format/crc32.h"

/* DynamoDB's pages have at most 1 MiB of content, which JSON makes larger; other replies are a few KiB. */
#define MAX_PAGE (8u << 20)
#define MAX_REPLY (1u << 20)
#define MAX_ERROR (64 << 10)

void call_free(Call *call) {
    if (!call)
        return;
    aws_request_free(call->request);
    aws_reply_free(call->reply);
    free(call->body);
    free(call);
}

void call_list_append(CallList *l, Call *call) {
    call->previous = l->last;
    call->next = NULL;
    *(l->last ? &l->last->next : &l->first) = call;
    l->last = call;
}

void call_list_prepend(CallList *l, Call *call) {
    call->previous = NULL;
    call->next = l->first;
    *(l->first ? &l->first->previous : &l->last) = call;
    l->first = call;
}

void call_list_remove(CallList *l, Call *call) {
    *(call->previous ? &call->previous->next : &l->first) = call->next;
    *(call->next ? &call->next->previous : &l->last) = call->previous;
    call->previous = call->next = NULL;
}

void call_set_error(Call *call, AwsErrorClass class, const char *code, const char *message, const char *hint) {
    call->error = (AwsError){.class = class, .hint = hint};
    snprintf(call->error.code, sizeof call->error.code, "%s", code);
    snprintf(call->error.message, sizeof call->error.message, "%s", message ? message : "");
}

/* --- out --- */

static size_t max_reply(const AwsRequest *r) {
    AwsOp op = r->op;
    if (op == AWS_OP_GET_OBJECT && r->object.last >= 0)
        return (size_t)usec_max(r->object.last - r->object.first + 1, MAX_ERROR);
    return op == AWS_OP_LIST_BACKUPS || op == AWS_OP_LIST_EXPORTS || op == AWS_OP_LIST_TABLES ||
                   op == AWS_OP_LIST_OBJECTS
               ? MAX_PAGE
               : MAX_REPLY;
}

/* DynamoDB's protocol, and KMS's. */
static int make_json(Call *call, HttpRequest *q) {
    const AwsOpRow *op = &aws_ops[call->request->op];
    bool of_kms = op->service == ENDPOINT_KMS;
    char target[64];
    int r = call->body ? 0 : codec_encode(call->request, &call->body);
    if (r < 0)
        return r;
    q->method = HTTP_POST;
    q->url = strdup(call->lane->endpoint->url);
    q->body = strdup(call->body);
    if (!q->url || !q->body)
        return -ENOMEM;
    q->body_len = strlen(call->body);
    const char *type = of_kms ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0";
    snprintf(target, sizeof target, "%s.%s", of_kms ? "TrentService" : "DynamoDB_20120810", op->name);
    r = http_headers_add(&q->headers, "Content-Type", type);
    return r < 0 ? r : http_headers_add(&q->headers, "X-Amz-Target", target);
}

int call_make_request(Call *call, const ClientSettings *settings, uint64_t id, Now now, HttpRequest **ret) {
    Lane *lane = call->lane;
    const AwsOpRow *op = &aws_ops[call->request->op];
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    int r = op->service == ENDPOINT_S3
                ? s3_make_request(call->request, lane->endpoint->url, settings->s3_endpoint_url != NULL, q)
                : make_json(call, q);
    if (r < 0)
        return r;
    q->id = id;
    q->repeatable = op->repeatable;
    q->connect_timeout_usec = settings->connect_timeout_usec;
    q->timeout_usec = settings->read_timeout_usec;
    q->max_reply = max_reply(call->request);
    SigV4Scope scope = {.region = lane->endpoint->signing_region,
                        .service = endpoint_service_name(op->service),
                        .wall = now.wall + lane->endpoint->offset_usec};
    if (!settings->unsigned_requests && (r = sigv4_sign(q, &scope, lane->account->credentials, &lane->key)) < 0)
        return r;
    /* not signed: proxies may change them. The checksum is over the body as sent, so it must not be compressed */
    if ((r = http_headers_add(&q->headers, "Accept-Encoding", "identity")) < 0 ||
        (r = http_headers_add(&q->headers, "User-Agent", settings->user_agent)) < 0)
        return r;
    *ret = TAKE_PTR(q);
    return 0;
}

/* --- in --- */

/* A cached reply (Age) tells an old time. */
static void take_date(Call *call, const HttpReply *reply, Now now) {
    const char *date = http_headers_get(&reply->headers, "Date");
    Usec wall;
    call->server_wall = WALL_UNKNOWN;
    if (!date || http_headers_get(&reply->headers, "Age") || date_from_http(date, &wall) < 0)
        return;
    call->server_wall = wall;
    call->lane->endpoint->offset_usec = wall - now.wall;
}

static bool is_damaged(const HttpReply *reply) {
    const char *text = http_headers_get(&reply->headers, "x-amz-crc32");
    const char *encoding = http_headers_get(&reply->headers, "Content-Encoding");
    int64_t crc;
    if (reply->outcome != HTTP_REPLIED || !text || (encoding && strcasecmp(encoding, "identity") != 0))
        return false;
    return parse_int(text, 0, UINT32_MAX, &crc) < 0 || crc32_of(reply->body, reply->body_len) != (uint32_t)crc;
}

/* Is it about what was asked for? A member that the reply lacks contradicts nothing. */
static bool is_about(const AwsRequest *q, const AwsReply *reply) {
    const char *asked = NULL, *got = NULL;
    switch (q->op) {
    case AWS_OP_CREATE_BACKUP:
        asked = q->create_backup.name;
        got = reply->backup.name;
        break;
    case AWS_OP_DESCRIBE_BACKUP:
        asked = q->describe_backup.arn;
        got = reply->backup.arn;
        break;
    case AWS_OP_DELETE_BACKUP:
        asked = q->delete_backup.arn;
        got = reply->backup.arn;
        break;
    case AWS_OP_EXPORT_TABLE:
        asked = q->export_table.client_token;
        got = reply->export.client_token;
        break;
    case AWS_OP_DESCRIBE_EXPORT:
        asked = q->describe_export.arn;
        got = reply->export.arn;
        break;
    case AWS_OP_DESCRIBE_TABLE:
        asked = q->describe_table.table;
        got = reply->table.name;
        break;
    case AWS_OP_LIST_BACKUPS:
    case AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS:
    case AWS_OP_LIST_EXPORTS:
    case AWS_OP_LIST_TABLES:
    case AWS_OP_GET_OBJECT:
    case AWS_OP_HEAD_OBJECT:
    case AWS_OP_PUT_OBJECT:
    case AWS_OP_DELETE_OBJECT:
    case AWS_OP_LIST_OBJECTS:
    case AWS_OP_HEAD_BUCKET:
    case AWS_OP_GET_BUCKET:
    case AWS_OP_LIST_TAGS:
    case AWS_OP_UPDATE_CONTINUOUS_BACKUPS:
    case AWS_OP_DESCRIBE_KEY:
    case AWS_OP_TRY_DATA_KEY:
    case AWS_OP_N:
        break;
    }
    return !asked || !got || strcmp(asked, got) == 0;
}

/* Sets reply or error. */
static int read_reply(Call *call, HttpReply *reply) {
    char why[CODEC_WHY_SIZE] = "";
    call->error = (AwsError){};
    if (is_damaged(reply)) {
        aws_error_unreadable(reply, "the body does not match x-amz-crc32", &call->error);
        return 0;
    }
    if (aws_error_classify(call->request->op, reply, &call->error) != AWS_OK)
        return 0;
    AwsOp op = call->request->op;
    int r = aws_ops[op].service == ENDPOINT_S3
                ? s3_decode(op, reply, &call->reply, why)
                : codec_decode(op, reply->body, reply->body_len, &call->reply, why);
    if (r == -EBADMSG)
        aws_error_unreadable(reply, why, &call->error);
    else if (r == 0 && !is_about(call->request, call->reply)) {
        aws_reply_free(TAKE_PTR(call->reply));
        aws_error_unreadable(reply, "it answers another question than ours", &call->error);
    }
    return r == -EBADMSG ? 0 : r;
}

int call_take_reply(Call *call, const ClientSettings *settings, HttpReply *reply, Now now) {
    Lane *lane = call->lane;
    take_date(call, reply, now);
    int r = read_reply(call, reply);
    if (r < 0)
        return r;
    call->unsure |= call->error.class == AWS_UNCERTAIN;
    if (call->error.class == AWS_THROTTLED && !settings->keeps_rate)
        bucket_throttled(&lane->bucket, call->sent_mono, now.mono);
    else if (reply->outcome == HTTP_REPLIED)
        bucket_answered(&lane->bucket, now.mono);
    if (call->error.class == AWS_OK)
        retry_quota_refund(lane->quota, call->retry_cost);
    return 0;
}

/* How long the service asks us to wait; negative: it does not. */
static Usec retry_hint(const HttpReply *reply) {
    const char *text = http_headers_get(&reply->headers, "x-amz-retry-after");
    int64_t msec;
    return text && parse_int(text, 0, 3600 * 1000, &msec) >= 0 ? msec * USEC_PER_MSEC : -1;
}

bool call_repeats(Call *call, const HttpReply *reply, int max_attempts, uint64_t *random, Usec *ret_delay_usec) {
    RetryKind kind = RETRY_TRANSIENT;
    switch (call->error.class) {
    case AWS_CLOCK_SKEW: /* the offset has just been corrected */
        if (call->skew_tried || call->server_wall == WALL_UNKNOWN)
            return false;
        call->skew_tried = true;
        *ret_delay_usec = 0;
        return true;
    case AWS_THROTTLED:
        kind = RETRY_THROTTLED;
        break;
    case AWS_TRANSIENT:
        break;
    case AWS_UNCERTAIN: /* what changes something is reconciled by its owner, never asked again unseen */
        if (!aws_ops[call->request->op].reads)
            return false;
        break;
    case AWS_OK:
    case AWS_NOT_READY:
    case AWS_QUOTA:
    case AWS_NOT_FOUND:
    case AWS_PITR_OFF:
    case AWS_TIME_REFUSED:
    case AWS_CREDENTIALS:
    case AWS_DENIED:
    case AWS_REFUSED:
        return false;
    }
    if (call->n_sends >= max_attempts || !retry_quota_take(call->lane->quota, kind, &call->retry_cost))
        return false;
    *ret_delay_usec = retry_delay(kind, call->n_sends, retry_random(random), retry_hint(reply));
    return true;
}
