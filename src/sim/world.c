#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/date.h"
#include "base/heap.h"
#include "core/aws/retry.h"

/* Turns at one instant that no honest engine needs. */
#define MAX_TURNS_AT_ONCE 10000

typedef enum EventKind { EVENT_REQUEST, EVENT_REPLY } EventKind;

/* Something on the network. */
typedef struct Event {
    HeapNode node; /* true time of arrival */
    EventKind kind;
    uint64_t boot;        /* replies to a host that crashed since then are lost */
    HttpRequest *request; /* EVENT_REQUEST */
    HttpReply *reply;     /* EVENT_REPLY */
    WorldFault fault;     /* of the exchange; WORLD_FAULTS: none */
    Usec gives_up_wall;   /* when the client does */
    bool held;            /* the service asked for it again */
} Event;

struct World {
    WorldOwner owner;
    Service *service;
    uint64_t random;
    int permille[WORLD_FAULTS];
    const char *cut; /* addresses that hold it cannot be reached */
    Usec latency_usec;
    Usec true_wall, start_wall;
    Usec offset_usec;
    Engine *engine;
    EngineOutbox out;
    Keeper *keeper; /* NULL: the owner has set credentials once and for all */
    ProviderOutbox kept;
    Usec next_wall; /* the host's, when the engine wants its next turn */
    uint64_t boot;
    bool woken; /* something came for the engine */
    Heap events;
    uint64_t n_points, crash_at;
};

static void event_free(Event *e) {
    if (!e)
        return;
    http_request_free(e->request);
    http_reply_free(e->reply);
    free(e);
}
DEFINE_CLEANUP(Event, event_free)

int world_new(const WorldSettings *settings, const WorldOwner *owner, World **ret) {
    CLEANUP(world_free_ptr) World *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->owner = *owner;
    w->random = settings->seed;
    w->latency_usec = settings->latency_usec;
    w->true_wall = w->start_wall = settings->start_wall;
    memcpy(w->permille, settings->permille, sizeof w->permille);
    int r = service_new(settings->service, settings->seed, &w->service);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

void world_free(World *w) {
    if (!w)
        return;
    Event *e;
    while ((e = heap_due(&w->events, USEC_INFINITY - 1))) {
        heap_set(&w->events, &e->node, USEC_INFINITY);
        event_free(e);
    }
    heap_done(&w->events);
    engine_outbox_done(&w->out);
    provider_outbox_done(&w->kept);
    keeper_free(w->keeper);
    engine_free(w->engine);
    service_free(w->service);
    free(w);
}

Service *world_service(World *w) { return w->service; }
Usec world_true_wall(const World *w) { return w->true_wall; }
Engine *world_engine(World *w) { return w->engine; }
uint64_t world_n_points(const World *w) { return w->n_points; }

Now world_host_now(const World *w) {
    return (Now){.wall = w->true_wall + w->offset_usec, .mono = USEC_PER_HOUR + w->true_wall - w->start_wall};
}

void world_set_faults(World *w, const int permille[static WORLD_FAULTS]) {
    memcpy(w->permille, permille, sizeof w->permille);
}

void world_set_offset(World *w, Usec offset_usec) {
    w->offset_usec = offset_usec;
    w->woken = true; /* the daemon's timer is cancelled by a step */
}

void world_wake(World *w) { w->woken = true; }

void world_crash_at(World *w, uint64_t n) { w->crash_at = n == 0 ? 0 : w->n_points + n; }

void world_boot(World *w, Engine *e) {
    world_crash(w);
    w->engine = e;
    w->boot++;
    w->woken = true;
}

void world_keep(World *w, Keeper *k) {
    keeper_free(w->keeper);
    w->keeper = k;
}

void world_crash(World *w) {
    keeper_free(TAKE_PTR(w->keeper));
    engine_outbox_clear(&w->out);
    engine_free(TAKE_PTR(w->engine));
    w->next_wall = USEC_INFINITY;
}

/* True when the host dies here. */
static bool point(World *w) {
    if (++w->n_points != w->crash_at)
        return false;
    world_crash(w);
    return true;
}

/* --- the network --- */

void world_set_cut(World *w, const char *in_url) { w->cut = in_url; }

static Usec up_to(World *w, Usec max) { return max > 0 ? (Usec)(retry_random(&w->random) % (uint64_t)max) : 0; }

static Usec latency(World *w) { return w->latency_usec / 10 + up_to(w, w->latency_usec - w->latency_usec / 10); }

static WorldFault pick_fault(World *w) {
    int at = (int)(retry_random(&w->random) % 1000);
    for (int f = 0; f < WORLD_FAULTS; f++)
        if ((at -= w->permille[f]) < 0)
            return (WorldFault)f;
    return WORLD_FAULTS;
}

static int put(World *w, Event *e, Usec at) {
    CLEANUP(event_free_ptr) Event *taken = e;
    e->node = HEAP_NODE(e);
    int r = heap_set(&w->events, &e->node, at);
    if (r >= 0)
        (void)TAKE_PTR(taken);
    return r;
}

/* A reply without one: what the client's transport would say. */
static int put_failure(World *w, uint64_t id, HttpOutcome outcome, const char *error, Usec at) {
    CLEANUP(event_free_ptr) Event *e = calloc(1, sizeof *e);
    if (!e || !(e->reply = calloc(1, sizeof *e->reply)))
        return -ENOMEM;
    e->kind = EVENT_REPLY;
    e->boot = w->boot;
    *e->reply = (HttpReply){.id = id, .outcome = outcome, .error = strdup(error)};
    return e->reply->error ? put(w, TAKE_PTR(e), at) : -ENOMEM;
}

static int send_request(World *w, HttpRequest *request) {
    CLEANUP(event_free_ptr) Event *e = calloc(1, sizeof *e);
    if (!e) {
        http_request_free(request);
        return -ENOMEM;
    }
    e->kind = EVENT_REQUEST;
    e->boot = w->boot;
    e->request = request;
    e->fault = w->cut && strstr(request->url, w->cut) ? WORLD_REFUSED : pick_fault(w);
    Usec patience = request->timeout_usec > 0 ? request->timeout_usec : USEC_PER_HOUR;
    e->gives_up_wall = w->true_wall + patience;
    Usec arrives = w->true_wall + latency(w);
    switch (e->fault) {
    case WORLD_REFUSED:
        return put_failure(w, request->id, HTTP_NOT_SENT, "Connection refused", arrives);
    case WORLD_RESET_BEFORE:
        return put_failure(w, request->id, HTTP_UNKNOWN, "Connection reset by peer", arrives);
    case WORLD_REQUEST_LOST:
        return put_failure(w, request->id, HTTP_UNKNOWN, "timed out", e->gives_up_wall);
    case WORLD_REQUEST_LATE: {
        int r = put_failure(w, request->id, HTTP_UNKNOWN, "timed out", e->gives_up_wall);
        /* the service takes signatures that are 5 minutes old; arrivals after that try it, too */
        arrives = e->gives_up_wall + up_to(w, 20 * USEC_PER_MINUTE);
        return r < 0 ? r : put(w, TAKE_PTR(e), arrives);
    }
    case WORLD_RESET_AFTER:
    case WORLD_REPLY_LOST:
    case WORLD_REPLY_LATE:
    case WORLD_REPLY_TWICE:
    case WORLD_FAULTS:
        break;
    }
    return put(w, TAKE_PTR(e), arrives);
}

static int make_reply(uint64_t id, const ServiceReply *from, HttpReply **ret) {
    CLEANUP(http_reply_free_ptr) HttpReply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return -ENOMEM;
    *reply = (HttpReply){.id = id, .outcome = HTTP_REPLIED, .status = from->status};
    for (size_t i = 0; i < from->n_headers; i++)
        if (http_headers_add(&reply->headers, from->headers[i].name, from->headers[i].value) < 0)
            return -ENOMEM;
    if (from->is_head) {
        char length[24];
        snprintf(length, sizeof length, "%zu", from->head_len);
        if (http_headers_add(&reply->headers, "Content-Length", length) < 0)
            return -ENOMEM;
    }
    reply->body_len = from->body.len;
    reply->body = malloc(from->body.len + 1);
    if (!reply->body)
        return -ENOMEM;
    memcpy(reply->body, text_get(&from->body), from->body.len + 1);
    *ret = TAKE_PTR(reply);
    return 0;
}

static int put_reply(World *w, const Event *request, const ServiceReply *reply, Usec at) {
    uint64_t id = request->request->id;
    if (at >= request->gives_up_wall)
        return put_failure(w, id, HTTP_UNKNOWN, "timed out", request->gives_up_wall);
    CLEANUP(event_free_ptr) Event *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    e->kind = EVENT_REPLY;
    e->boot = request->boot;
    int r = make_reply(id, reply, &e->reply);
    return r < 0 ? r : put(w, TAKE_PTR(e), at);
}

/* How the reply goes back, or does not. */
static int answer(World *w, const Event *request, const ServiceReply *reply) {
    uint64_t id = request->request->id;
    Usec leaves = w->true_wall + reply->delay_usec, arrives = leaves + latency(w);
    if (request->boot != w->boot || request->fault == WORLD_REQUEST_LATE)
        return 0;
    if (request->fault == WORLD_REPLY_LOST)
        return put_failure(w, id, HTTP_UNKNOWN, "timed out", request->gives_up_wall);
    if (request->fault == WORLD_RESET_AFTER || reply->ending == SERVICE_CLOSED || reply->ending == SERVICE_TRUNCATE)
        return put_failure(w, id, HTTP_UNKNOWN, "Connection reset by peer", usec_min(arrives, request->gives_up_wall));
    if (request->fault == WORLD_REPLY_LATE)
        arrives = usec_max(arrives, request->gives_up_wall - 1 - up_to(w, USEC_PER_SEC));
    int r = put_reply(w, request, reply, arrives);
    if (r >= 0 && request->fault == WORLD_REPLY_TWICE)
        r = put_reply(w, request, reply, arrives + latency(w));
    return r;
}

static const char *path_of(const char *url) {
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : "/";
}

/* An empty reply on its way back. */
static Event *reply_event(const Event *request) {
    AUTO_FREE HttpReply *reply = calloc(1, sizeof *reply);
    AUTO_FREE Event *e = calloc(1, sizeof *e);
    if (!reply || !e)
        return NULL;
    reply->id = request->request->id;
    e->kind = EVENT_REPLY;
    e->boot = request->boot;
    e->reply = TAKE_PTR(reply);
    return TAKE_PTR(e);
}

/* 1: someone else than the service has answered. */
static int answer_otherwise(World *w, const Event *request) {
    if (!w->owner.answered)
        return 0;
    CLEANUP(event_free_ptr) Event *e = reply_event(request);
    if (!e)
        return -ENOMEM;
    if (!w->owner.answered(w->owner.context, request->request, w->true_wall, e->reply))
        return 0;
    int r = put(w, TAKE_PTR(e), w->true_wall + latency(w));
    return r < 0 ? r : 1;
}

static int serve(World *w, Event *event) {
    CLEANUP(event_free_ptr) Event *e = event;
    const HttpRequest *q = e->request;
    int answered = answer_otherwise(w, e);
    if (answered != 0)
        return answered < 0 ? answered : 0;
    ServiceHeader headers[16];
    /* what the transport adds */
    char host[300];
    const char *at = strstr(q->url, "://");
    snprintf(host, sizeof host, "%.*s", (int)strcspn(at ? at + 3 : "", "/"), at ? at + 3 : "");
    size_t n = 0;
    headers[n++] = (ServiceHeader){"Host", host};
    for (size_t i = 0; i < q->headers.n_items && n < ARRAY_SIZE(headers); i++)
        if (strcasecmp(q->headers.items[i].name, "host") != 0)
            headers[n++] = (ServiceHeader){q->headers.items[i].name, q->headers.items[i].value};
    ServiceRequest request = {.method = http_method_to_string(q->method),
                              .target = path_of(q->url),
                              .headers = headers,
                              .n_headers = n,
                              .body = q->body,
                              .body_len = q->body_len,
                              .held = e->held};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    service_handle(w->service, w->true_wall, &request, &reply);
    if (reply.ending == SERVICE_LATER) {
        e->held = true;
        return put(w, TAKE_PTR(e), w->true_wall + reply.delay_usec);
    }
    if (w->owner.served)
        w->owner.served(w->owner.context, &request, &reply, w->true_wall);
    return answer(w, e, &reply);
}

/* --- the host --- */

static int turn_keeper(World *w, Now now, Usec *ret_next_mono) {
    *ret_next_mono = USEC_INFINITY;
    if (!w->keeper)
        return 0;
    provider_outbox_clear(&w->kept);
    int r = keeper_turn(w->keeper, now, &w->kept, ret_next_mono);
    for (size_t i = 0; r >= 0 && i < w->kept.n_news; i++) {
        const ProviderNews *n = &w->kept.news[i];
        if (w->owner.kept)
            w->owner.kept(w->owner.context, n, w->true_wall);
        if (n->found || !n->has_old)
            r = engine_set_credentials(w->engine, n->account, n->found);
    }
    for (size_t i = 0; r >= 0 && i < w->kept.n_requests; i++)
        r = send_request(w, TAKE_PTR(w->kept.requests[i]));
    return r;
}

static int turn(World *w) {
    Now now = world_host_now(w);
    Usec keeper_mono;
    const char *expired;
    engine_outbox_clear(&w->out);
    w->woken = false;
    int r = turn_keeper(w, now, &keeper_mono);
    if (r < 0 || (r = engine_turn(w->engine, now, &w->out, &w->next_wall)) < 0)
        return r;
    while (w->keeper && (expired = engine_expired_account(w->engine))) {
        keeper_refresh(w->keeper, expired, now);
        keeper_mono = now.mono;
    }
    if (keeper_mono != USEC_INFINITY)
        w->next_wall = usec_min(w->next_wall, now.wall + usec_max(keeper_mono - now.mono, 0));
    bool writes = !ledger_batch_is_empty(&w->out.batch);
    if (writes && point(w))
        return -ECONNABORTED;
    if (w->owner.commit(w->owner.context, &w->out.batch) < 0) {
        world_crash(w);
        return -ECONNABORTED;
    }
    engine_committed(w->engine, &w->out);
    if (writes && point(w))
        return -ECONNABORTED;
    for (size_t i = 0; w->owner.said && i < w->out.n_reports; i++)
        w->owner.said(w->owner.context, w->out.reports[i], w->true_wall);
    for (size_t i = 0; w->owner.obeyed && i < w->out.n_orders; i++)
        w->owner.obeyed(w->owner.context, w->out.orders[i]);
    for (size_t i = 0; r >= 0 && i < w->out.n_requests; i++) {
        if (w->owner.sent)
            w->owner.sent(w->owner.context, w->out.requests[i], w->true_wall);
        r = send_request(w, TAKE_PTR(w->out.requests[i]));
        if (r >= 0 && point(w))
            return -ECONNABORTED;
    }
    if (r >= 0 && w->owner.turned)
        r = w->owner.turned(w->owner.context, w->engine, now);
    return r;
}

/* Hands everything over that has arrived. */
static int deliver(World *w) {
    Event *due;
    int r = 0;
    while (r >= 0 && (due = heap_due(&w->events, w->true_wall))) {
        CLEANUP(event_free_ptr) Event *e = due;
        heap_set(&w->events, &e->node, USEC_INFINITY);
        if (e->kind == EVENT_REQUEST) {
            r = serve(w, TAKE_PTR(e));
            continue;
        }
        if (!w->engine || e->boot != w->boot)
            continue;
        if (point(w))
            return -ECONNABORTED;
        w->woken = true;
        if (w->keeper && keeper_owns(e->reply->id))
            r = keeper_reply(w->keeper, TAKE_PTR(e->reply), world_host_now(w));
        else
            r = engine_push(w->engine, TAKE_PTR(e->reply));
    }
    return r;
}

int world_run(World *w, Usec until_wall) {
    Usec at = 0;
    for (int n_turns = 0; w->true_wall < until_wall;) {
        int r = deliver(w);
        if (r < 0)
            return r;
        bool due = w->engine && (w->woken || world_host_now(w).wall >= w->next_wall);
        if (due) {
            n_turns = w->true_wall == at ? n_turns + 1 : 0;
            at = w->true_wall;
            if (n_turns > MAX_TURNS_AT_ONCE)
                return -ELOOP;
            if ((r = turn(w)) < 0)
                return r;
            continue;
        }
        Usec next = usec_min(heap_next(&w->events), until_wall);
        if (w->engine && w->next_wall != USEC_INFINITY)
            next = usec_min(next, w->next_wall - w->offset_usec);
        w->true_wall = usec_max(next, w->true_wall);
    }
    return 0;
}
