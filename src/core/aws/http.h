#pragma once
/* HTTP as values. The core makes requests and reads replies; who carries them (curl in src/io/transport, the
 * virtual-clock world in src/sim) is not its business. This is the HttpPort. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"

typedef enum HttpMethod { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE } HttpMethod;

typedef struct HttpHeader {
    char *name; /* as sent; compared without case */
    char *value;
} HttpHeader;

typedef struct HttpHeaders {
    HttpHeader *items;
    size_t n_items, n_room;
} HttpHeaders;

typedef struct HttpRequest {
    uint64_t id; /* chosen by the core, unique in the process; the reply carries it back */
    HttpMethod method;
    char *url; /* scheme://host[:port]/path[?query], encoded exactly as it is to be sent */
    HttpHeaders headers;
    char *body; /* NULL: none */
    size_t body_len;
    /* false: no layer below may send it twice (no silent re-send when a kept-alive connection closes before the
     * reply). */
    bool repeatable;
    bool direct;               /* never through a proxy: addresses that mean something on this host alone */
    Usec connect_timeout_usec; /* 0: none */
    Usec timeout_usec;         /* from hand-over to the last byte of the reply; 0: none */
    size_t max_reply;          /* bytes of body accepted */
} HttpRequest;

/* What is known about a request that has ended. */
typedef enum HttpOutcome {
    HTTP_REPLIED,  /* a whole reply arrived: status, headers and body are set */
    HTTP_NOT_SENT, /* it provably never left: name, connect or TLS handshake failed */
    HTTP_UNKNOWN,  /* bytes of it may have left, and no whole reply came (also: reply over max_reply) */
} HttpOutcome;

typedef struct HttpReply {
    uint64_t id;
    HttpOutcome outcome;
    int status; /* with HTTP_REPLIED; else 0 */
    HttpHeaders headers;
    char *body; /* terminated beyond body_len; may hold any byte; never NULL with HTTP_REPLIED */
    size_t body_len;
    char *error; /* without HTTP_REPLIED: what happened, for people ("Connection refused") */
} HttpReply;

const char *http_method_to_string(HttpMethod m);

int http_headers_add(HttpHeaders *h, const char *name, const char *value);
/* The first value of that name, without regard to case, or NULL. Borrowed. */
const char *http_headers_get(const HttpHeaders *h, const char *name);
void http_headers_done(HttpHeaders *h);

/* Both wipe what may hold secrets before they free it; both take NULL. */
void http_request_free(HttpRequest *r);
void http_reply_free(HttpReply *r);
DEFINE_CLEANUP(HttpRequest, http_request_free)
DEFINE_CLEANUP(HttpReply, http_reply_free)
