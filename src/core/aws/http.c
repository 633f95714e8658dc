#include "core/aws/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/secret.h"

const char *http_method_to_string(HttpMethod m) {
    static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    return names[m];
}

int http_headers_add(HttpHeaders *h, const char *name, const char *value) {
    if (ARRAY_GROW(h->items, h->n_items, h->n_room) < 0)
        return -ENOMEM;
    AUTO_FREE char *n = strdup(name);
    AUTO_FREE char *v = strdup(value);
    if (!n || !v)
        return -ENOMEM;
    h->items[h->n_items++] = (HttpHeader){.name = TAKE_PTR(n), .value = TAKE_PTR(v)};
    return 0;
}

const char *http_headers_get(const HttpHeaders *h, const char *name) {
    for (size_t i = 0; i < h->n_items; i++)
        if (strcasecmp(h->items[i].name, name) == 0)
            return h->items[i].value;
    return NULL;
}

static void wipe_free(char *s) {
    if (s)
        secret_wipe(s, strlen(s));
    free(s);
}

void http_headers_done(HttpHeaders *h) {
    for (size_t i = 0; i < h->n_items; i++) {
        free(h->items[i].name);
        wipe_free(h->items[i].value);
    }
    free(h->items);
    *h = (HttpHeaders){};
}

void http_request_free(HttpRequest *r) {
    if (!r)
        return;
    free(r->url);
    http_headers_done(&r->headers);
    secret_wipe(r->body, r->body_len);
    free(r->body);
    free(r);
}

void http_reply_free(HttpReply *r) {
    if (!r)
        return;
    http_headers_done(&r->headers);
    secret_wipe(r->body, r->body_len);
    free(r->body);
    free(r->error);
    free(r);
}
