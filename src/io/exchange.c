#include "io/exchange.h"

#include <systemd/sd-event.h>

#include "io/transport.h"

typedef struct Exchange {
    HttpReply **replies;
    size_t n, n_left;
} Exchange;

static void on_replies(Transport *t, void *userdata) {
    Exchange *x = userdata;
    HttpReply *reply;
    while ((reply = transport_take(t))) {
        x->replies[reply->id] = reply;
        x->n_left--;
    }
}

static int send_all(Exchange *x, Transport *t, HttpRequest *const *requests) {
    int r = 0;
    for (size_t i = 0; i < x->n; i++) {
        HttpRequest *q = requests[i];
        if (q)
            q->id = i;
        if (r < 0)
            http_request_free(q);
        else if (q) {
            r = transport_send(t, q);
            x->n_left += r >= 0;
        }
    }
    return r;
}

static void free_requests(HttpRequest *const *requests, size_t n) {
    for (size_t i = 0; i < n; i++)
        http_request_free(requests[i]);
}

static void unref_event(sd_event **e) { sd_event_unref(*e); }

int exchange(const char *ca_bundle, HttpRequest *const *requests, size_t n, HttpReply **ret) {
    TransportSettings settings = {.ca_bundle = ca_bundle, .max_connections = 16, .max_per_host = 8};
    CLEANUP(unref_event) sd_event *event = NULL;
    CLEANUP(transport_free_ptr) Transport *transport = NULL;
    Exchange x = {.replies = ret, .n = n};
    int r = sd_event_new(&event);
    if (r >= 0)
        r = transport_new(event, &settings, on_replies, &x, &transport);
    if (r < 0) {
        free_requests(requests, n);
        return r;
    }
    r = send_all(&x, transport, requests);
    while (r >= 0 && x.n_left > 0)
        r = sd_event_run(event, UINT64_MAX);
    return r < 0 ? r : 0;
}
