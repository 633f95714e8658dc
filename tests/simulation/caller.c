#include "caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "chains.h"
#include "core/conf/conf_client.h"

struct Caller {
    House *house;
    Client *client;
    ClientOutbox out;
};

Now caller_now(const Caller *c) {
    Usec wall = world_true_wall(house_world(c->house));
    return (Now){.wall = wall, .mono = wall};
}

Caller *caller_new(House *house, const Conf *conf) {
    ServiceSettings service = service_settings_default();
    ClientSettings settings = conf_client_settings(conf, "caller");
    Credentials credentials = {.access_key_id = (char *)service.access_key, .expires_wall = USEC_INFINITY};
    Caller *c = calloc(1, sizeof *c);
    if (!c || client_new(&settings, 1, &c->client) < 0 ||
        secret_set(&credentials.secret_access_key, service.secret_key, strlen(service.secret_key)) < 0 ||
        client_set_credentials(c->client, ACCOUNT_OWN, &credentials) < 0)
        abort();
    secret_done(&credentials.secret_access_key);
    c->house = house;
    return c;
}

void caller_free(Caller *c) {
    if (!c)
        return;
    client_outbox_done(&c->out);
    client_free(c->client);
    free(c);
}

static HttpReply *reply_of(const HttpRequest *q, const ServiceReply *from) {
    HttpReply *r = calloc(1, sizeof *r);
    char length[24];
    if (!r)
        abort();
    *r = (HttpReply){.id = q->id, .outcome = HTTP_REPLIED, .status = from->status, .body_len = from->body.len};
    for (size_t i = 0; i < from->n_headers; i++)
        if (http_headers_add(&r->headers, from->headers[i].name, from->headers[i].value) < 0)
            abort();
    snprintf(length, sizeof length, "%zu", from->head_len);
    if (from->is_head && http_headers_add(&r->headers, "Content-Length", length) < 0)
        abort();
    r->body = strndup(text_get(&from->body), from->body.len);
    if (!r->body)
        abort();
    return r;
}

static void serve(Caller *c, const HttpRequest *q) {
    World *w = house_world(c->house);
    ServiceHeader headers[16];
    size_t n = 1;
    const char *host = strstr(q->url, "://") + 3, *path = strchr(host, '/');
    AUTO_FREE char *name = strndup(host, strcspn(host, "/"));
    headers[0] = (ServiceHeader){"Host", name};
    for (size_t i = 0; i < q->headers.n_items && n < ARRAY_SIZE(headers); i++)
        if (strcasecmp(q->headers.items[i].name, "Host") != 0)
            headers[n++] = (ServiceHeader){q->headers.items[i].name, q->headers.items[i].value};
    ServiceRequest request = {.method = http_method_to_string(q->method), .target = path, .headers = headers,
                              .n_headers = n, .body = q->body, .body_len = q->body_len};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    service_handle(world_service(w), world_true_wall(w), &request, &reply);
    chain_book_served(book_chains(house_book(c->house)), &request, &reply);
    if (client_reply(c->client, reply_of(q, &reply), caller_now(c)) < 0)
        abort();
}

void caller_begin(Caller *c, const char *region, AwsRequest *request, uint64_t tag) {
    if (client_begin(c->client,
                     &(CallSpec){.account = ACCOUNT_OWN, .region = region, .request = request, .tag = tag,
                                 .deadline_mono = USEC_INFINITY},
                     caller_now(c)) < 0)
        abort();
}

void caller_turn(Caller *c, int (*answered)(void *context, CallDone *done, Now now), void *context) {
    Usec next;
    client_outbox_clear(&c->out);
    if (client_turn(c->client, caller_now(c), &c->out, &next) < 0)
        abort();
    for (size_t i = 0; i < c->out.n_done; i++) {
        int r = answered(context, &c->out.done[i], caller_now(c));
        if (r < 0)
            house_violated(c->house, "an answer cannot be taken: %s", strerror(-r));
    }
    for (size_t i = 0; i < c->out.n_requests; i++)
        serve(c, c->out.requests[i]);
    if (c->out.n_done == 0 && c->out.n_requests == 0 && client_n_calls(c->client) > 0)
        house_wait(c->house, next);
}
