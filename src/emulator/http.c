#include "emulator/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_BODY (16u << 20)
#define MAX_OBJECT (256u << 20)
#define MAX_HEADERS 64

struct Http {
    struct MHD_Daemon *daemon;
    Emulator *emulator;
};

/* One request while it comes in. */
typedef struct Exchange {
    char *target; /* the request line's, as it was sent: the signature covers it so */
    bool begun;
    Text body;
    ServiceHeader headers[MAX_HEADERS];
    size_t n_headers;
} Exchange;

static void *exchange_new(void *context, const char *uri, struct MHD_Connection *connection) {
    Exchange *x = calloc(1, sizeof *x);
    if (x) {
        x->target = strdup(uri);
        x->body = TEXT_INIT(MAX_BODY);
    }
    return x;
}

static void exchange_free(void *context, struct MHD_Connection *connection, void **exchange,
                          enum MHD_RequestTerminationCode code) {
    Exchange *x = *exchange;
    if (!x)
        return;
    text_done(&x->body);
    free(x->target);
    free(x);
    *exchange = NULL;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
    Exchange *x = context;
    if (x->n_headers < MAX_HEADERS && name && value)
        x->headers[x->n_headers++] = (ServiceHeader){name, value};
    return MHD_YES;
}

static void wait_usec(Usec usec) {
    struct timespec t = {.tv_sec = (time_t)(usec / USEC_PER_SEC), .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/* The first half of a body; then the connection breaks. */
typedef struct Half {
    size_t len;
    char bytes[];
} Half;

static ssize_t read_half(void *context, uint64_t at, char *to, size_t max) {
    const Half *half = context;
    if (at >= half->len)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = half->len - (size_t)at < max ? half->len - (size_t)at : max;
    memcpy(to, half->bytes + at, n);
    return (ssize_t)n;
}

static struct MHD_Response *make_half(const Text *body) {
    size_t n = body->len / 2;
    Half *half = malloc(sizeof *half + n);
    if (!half)
        return NULL;
    half->len = n;
    memcpy(half->bytes, text_get(body), n);
    struct MHD_Response *response = MHD_create_response_from_callback(body->len, 4096, read_half, half, free);
    if (!response)
        free(half);
    return response;
}

/* The head of a reply whose body is never sent. */
static ssize_t read_nothing(void *context, uint64_t at, char *to, size_t max) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *make_response(const ServiceReply *r) {
    if (r->is_head)
        return MHD_create_response_from_callback(r->head_len, 4096, read_nothing, NULL, NULL);
    if (r->ending == SERVICE_TRUNCATE)
        return make_half(&r->body);
    return MHD_create_response_from_buffer(r->body.len, (void *)text_get(&r->body), MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const ServiceReply *r) {
    struct MHD_Response *response = make_response(r);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < r->n_headers; i++)
        MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, int status) {
    ServiceReply r = {.status = status};
    return send_reply(connection, &r);
}

static enum MHD_Result answer(Http *h, struct MHD_Connection *connection, const char *method, Exchange *x) {
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, x);
    ServiceRequest request = {.method = method,
                              .target = x->target,
                              .headers = x->headers,
                              .n_headers = x->n_headers,
                              .body = text_get(&x->body),
                              .body_len = x->body.len};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    emulator_exchange(h->emulator, &request, &reply);
    while (reply.ending == SERVICE_LATER) {
        wait_usec(reply.delay_usec);
        service_reply_done(&reply);
        request.held = true;
        emulator_exchange(h->emulator, &request, &reply);
    }
    if (reply.delay_usec > 0)
        wait_usec(reply.delay_usec);
    return reply.ending == SERVICE_CLOSED ? MHD_NO : send_reply(connection, &reply);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **exchange) {
    Exchange *x = *exchange;
    if (!x || !x->target)
        return MHD_NO;
    if (!x->begun) { /* the head alone is here; a reply now would leave the body unread */
        x->begun = true;
        if (strcmp(method, "PUT") == 0)
            x->body.max = MAX_OBJECT;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        text_add_bytes(&x->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return x->body.error ? refuse(connection, 413) : answer(context, connection, method, x);
}

static int make_address(const char *s, uint16_t port, struct sockaddr_storage *ret, unsigned *ret_flags) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, s, &v4.sin_addr) == 1) {
        memcpy(ret, &v4, sizeof v4);
        *ret_flags = 0;
        return 0;
    }
    if (inet_pton(AF_INET6, s, &v6.sin6_addr) != 1)
        return -EINVAL;
    memcpy(ret, &v6, sizeof v6);
    *ret_flags = MHD_USE_IPv6;
    return 0;
}

int http_start(Emulator *emulator, const char *address, uint16_t port, Http **ret, uint16_t *ret_port) {
    struct sockaddr_storage socket_address;
    unsigned flags;
    int rc = make_address(address, port, &socket_address, &flags);
    if (rc < 0)
        return rc;
    Http *h = calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    h->emulator = emulator;
    /* Date headers are the model's own. */
    flags |= MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
             MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    h->daemon = MHD_start_daemon(flags, port, NULL, NULL, handle, h, MHD_OPTION_SOCK_ADDR,
                                 (struct sockaddr *)&socket_address, MHD_OPTION_URI_LOG_CALLBACK, exchange_new, NULL,
                                 MHD_OPTION_NOTIFY_COMPLETED, exchange_free, NULL, MHD_OPTION_CONNECTION_LIMIT, 4000u,
                                 MHD_OPTION_END);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        http_stop(h);
        return -EIO;
    }
    *ret_port = info->port;
    *ret = h;
    return 0;
}

void http_stop(Http *h) {
    if (!h)
        return;
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    free(h);
}
