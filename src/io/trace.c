#include "io/trace.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "io/http_queue.h"
#include "io/journal.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD LETTERS "0123456789_.-"

#define LEVEL_DEBUG 7

/* Some of `s` that holds nothing but these characters. */
typedef struct Piece {
    const char *at;
    int n;
} Piece;

static Piece piece_of(const char *s, const char *allowed) {
    size_t n = s ? strspn(s, allowed) : 0;
    return (Piece){.at = s ? s : "", .n = n < 255 ? (int)n : 255};
}

/* What follows a name and punctuation: the string of a JSON member, the text of an XML element. It is only shown. */
static Piece after(const char *body, const char *name, const char *allowed) {
    const char *at = body ? strstr(body, name) : NULL;
    at = at ? at + strlen(name) : NULL;
    return piece_of(at ? at + strspn(at, "\": >") : NULL, allowed);
}

/* "POST https://host" and the first part of the path: the rest, and what is in a query, can be a secret. */
static void add_where(Text *t, const HttpRequest *q) {
    const char *host, *path;
    size_t n = http_url_host(q->url, &host);
    const char *scheme = strncmp(q->url, "https:", 6) == 0 ? "https" : "http";
    path = host + n;
    size_t n_path = *path == '/' ? 1 + strspn(path + 1, WORD) : 0;
    text_addf(t, "%s %s://%.*s%.*s%s", http_method_to_string(q->method), scheme, n < 255 ? (int)n : 255, host,
              n_path < 64 ? (int)n_path : 64, path, path[n_path] ? "..." : "");
}

static void add_what(Text *t, const HttpRequest *q) {
    static const char *const names[] = {"\"TableName\"", "\"TableArn\"", "\"BackupArn\"", "\"ExportArn\""};
    const char *target = http_headers_get(&q->headers, "X-Amz-Target");
    bool form = !target && q->body && strncmp(q->body, "Action=", 7) == 0;
    Piece op = piece_of(target ? target : form ? q->body + 7 : NULL, WORD);
    if (op.n > 0)
        text_addf(t, " %.*s", op.n, op.at);
    for (size_t i = 0; target && i < ARRAY_SIZE(names); i++) {
        Piece object = after(q->body, names[i], WORD ":/");
        if (object.n > 0) {
            text_addf(t, " %.*s", object.n, object.at);
            break;
        }
    }
    text_addf(t, " (request %" PRIu64 ")", q->id);
}

/* "com.amazonaws.dynamodb.v20120810#TableNotFoundException" without what stands before '#'. */
static void add_code(Text *t, const HttpReply *reply) {
    Piece type = after(reply->body, "\"__type\"", WORD "#");
    const char *hash = memchr(type.at, '#', (size_t)type.n);
    Piece code = hash ? piece_of(hash + 1, WORD) : type;
    if (code.n == 0)
        code = after(reply->body, "<Code", WORD);
    if (code.n > 0)
        text_addf(t, " %.*s", code.n, code.at);
}

void trace_request(const HttpRequest *q) {
    AUTO_TEXT t = TEXT_INIT(2048);
    if (!journal_says(LEVEL_DEBUG))
        return;
    add_where(&t, q);
    add_what(&t, q);
    journal_debug(text_get(&t));
}

void trace_reply(const HttpRequest *q, const HttpReply *reply, Usec took_usec) {
    AUTO_TEXT t = TEXT_INIT(4096);
    if (!journal_says(LEVEL_DEBUG))
        return;
    add_where(&t, q);
    add_what(&t, q);
    if (reply->outcome == HTTP_REPLIED) {
        Piece id = piece_of(http_headers_get(&reply->headers, "x-amzn-requestid"), WORD);
        text_addf(&t, ": %d", reply->status);
        if (reply->status >= 400)
            add_code(&t, reply);
        if (id.n > 0)
            text_addf(&t, ", request id %.*s", id.n, id.at);
    } else
        text_addf(&t, ": %s: %.300s", reply->outcome == HTTP_NOT_SENT ? "not sent" : "outcome unknown",
                  reply->error ? reply->error : "");
    text_addf(&t, ", %" PRId64 " ms", took_usec / USEC_PER_MSEC);
    journal_debug(text_get(&t));
}
