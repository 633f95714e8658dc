#include "io/transport.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/array.h"
#include "base/text.h"
#include "io/http_queue.h"
#include "io/trace.h"
#include "io/transfer.h"

#define MAX_IDLE 16 /* transfers */
/* Replies are told after the sockets that are ready: many in one go, where many come. */
#define TELL_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

struct Transport {
    sd_event *event;
    sd_event_source *timer, *tell;
    CURLM *multi;
    bool has_curl; /* curl_global_init was called */
    TransportReplied replied;
    void *context;
    char *ca_bundle;
    unsigned generation;
    size_t n_requests;
    HttpQueue queue;
    HttpJobs ended; /* whose replies are to be taken */
    Transfer **transfers; /* all of them */
    size_t n_transfers, n_room;
    Transfer *idle;
    size_t n_idle;
};

/* --- transfers, which are used again --- */

static void drop(Transport *t, Transfer *x) {
    t->transfers[x->index] = t->transfers[--t->n_transfers];
    t->transfers[x->index]->index = x->index;
    transfer_free(x);
}

static void retire(Transport *t, Transfer *x) {
    if (x->generation != t->generation || t->n_idle >= MAX_IDLE) {
        drop(t, x);
        return;
    }
    x->next = t->idle;
    t->idle = x;
    t->n_idle++;
}

static void drop_idle(Transport *t) {
    while (t->idle) {
        Transfer *x = t->idle;
        t->idle = x->next;
        drop(t, x);
    }
    t->n_idle = 0;
}

static int make_transfer(Transport *t, Transfer **ret) {
    if (ARRAY_GROW(t->transfers, t->n_transfers, t->n_room) < 0)
        return -ENOMEM;
    Transfer *x;
    int r = transfer_new(t->ca_bundle, &x);
    if (r < 0)
        return r;
    x->generation = t->generation;
    x->index = t->n_transfers;
    *ret = t->transfers[t->n_transfers++] = x;
    return 0;
}

static int get_transfer(Transport *t, Transfer **ret) {
    if (!t->idle)
        return make_transfer(t, ret);
    *ret = t->idle;
    t->idle = t->idle->next;
    t->n_idle--;
    return 0;
}

/* --- jobs begin and end --- */

static void job_end(Transport *t, HttpJob *job) {
    uint64_t now = 0;
    sd_event_now(t->event, CLOCK_MONOTONIC, &now);
    trace_reply(job->request, job->reply, (Usec)now - job->begun_mono);
    t->n_requests--;
    http_jobs_add(&t->ended, job);
    sd_event_source_set_enabled(t->tell, SD_EVENT_ONESHOT);
}

static void job_fail(Transport *t, HttpJob *job, HttpOutcome outcome, const char *why) {
    const char *host;
    size_t n = http_url_host(job->request->url, &host);
    http_headers_done(&job->reply->headers);
    job->reply->outcome = outcome;
    job->reply->error = text_format("%.*s: %s", n < 255 ? (int)n : 255, host, why);
    job_end(t, job);
}

static bool begin(Transport *t, HttpJob *job, Usec now_mono) {
    Transfer *x;
    if (get_transfer(t, &x) < 0)
        return false;
    if (transfer_begin(x, job, now_mono) == 0 && curl_multi_add_handle(t->multi, x->easy) == CURLM_OK)
        return true;
    drop(t, x);
    return false;
}

static void finish(Transport *t, Transfer *x, CURLcode code) {
    const char *why;
    HttpJob *job = transfer_end(x, code, &why);
    http_queue_ended(&t->queue, job);
    if (why)
        job_fail(t, job, job->reply->outcome, why);
    else
        job_end(t, job);
    retire(t, x);
}

/* Lets those go that may; true when there were any. */
static bool start_waiting(Transport *t) {
    HttpJob *job;
    bool any = false, expired;
    uint64_t now = 0;
    sd_event_now(t->event, CLOCK_MONOTONIC, &now);
    while ((job = http_queue_next(&t->queue, (Usec)now, &expired))) {
        if (expired)
            job_fail(t, job, HTTP_NOT_SENT, "no connection was free in time");
        else if (begin(t, job, (Usec)now))
            any = true;
        else {
            http_queue_ended(&t->queue, job);
            job_fail(t, job, HTTP_NOT_SENT, "out of memory");
        }
    }
    return any;
}

/* Takes every transfer that has ended: several may end in one wake-up. */
static void collect(Transport *t) {
    CURLMsg *message;
    int n_left;
    while ((message = curl_multi_info_read(t->multi, &n_left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *easy = message->easy_handle; /* the message dies with the removal */
        CURLcode code = message->data.result;
        curl_multi_remove_handle(t->multi, easy);
        finish(t, transfer_of(easy), code);
    }
}

/* curl moves on; what begins or ends by that is taken along. A failure here is for good: the multi handle is of no use
 * any more. */
static int act(Transport *t, curl_socket_t fd, int events) {
    do {
        int n_running;
        if (curl_multi_socket_action(t->multi, fd, events, &n_running) != CURLM_OK)
            return sd_event_exit(t->event, -EIO);
        collect(t);
        fd = CURL_SOCKET_TIMEOUT; /* for those that begin; without a detour over the timer */
        events = 0;
    } while (start_waiting(t));
    return 0;
}

/* --- the contract --- */

int transport_send(Transport *t, HttpRequest *request) {
    uint64_t now = 0;
    sd_event_now(t->event, CLOCK_MONOTONIC, &now);
    trace_request(request);
    int r = http_queue_add(&t->queue, request, (Usec)now);
    if (r < 0)
        return r;
    t->n_requests++;
    return start_waiting(t) ? act(t, CURL_SOCKET_TIMEOUT, 0) : 0;
}

HttpReply *transport_take(Transport *t) {
    CLEANUP(http_job_free_ptr) HttpJob *job = http_jobs_take(&t->ended);
    return job ? TAKE_PTR(job->reply) : NULL;
}

size_t transport_n_requests(const Transport *t) { return t->n_requests; }

static int on_tell(sd_event_source *source, void *user) {
    Transport *t = user;
    t->replied(t, t->context);
    return 0;
}

/* --- curl's sockets and its timer on sd-event --- */

static int on_io(sd_event_source *source, int fd, uint32_t events, void *user) {
    return act(user, fd,
               (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user) { return act(user, CURL_SOCKET_TIMEOUT, 0); }

/* curl tells us before it closes a descriptor, so a source never outlives the socket that it was made for. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket) {
    Transport *t = user;
    sd_event_source *source = of_socket;
    if (what == CURL_POLL_REMOVE) {
        sd_event_source_disable_unref(source);
        curl_multi_assign(t->multi, fd, NULL);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (source)
        return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
    if (sd_event_add_io(t->event, &source, fd, events, on_io, t) < 0)
        return -1;
    return curl_multi_assign(t->multi, fd, source) == CURLM_OK ? 0 : -1;
}

static int on_timer_wanted(CURLM *multi, long msec, void *user) {
    Transport *t = user;
    if (msec < 0)
        return sd_event_source_set_enabled(t->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
    if (sd_event_source_set_time_relative(t->timer, (uint64_t)msec * USEC_PER_MSEC) < 0 ||
        sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT) < 0)
        return -1;
    return 0;
}

/* --- life --- */

static CURLM *make_multi(Transport *t) {
    CURLM *multi = curl_multi_init();
    if (!multi)
        return NULL;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)t->queue.max);
    return multi;
}

void transport_rest(Transport *t) {
    CURLM *fresh = t->n_requests == 0 ? make_multi(t) : NULL;
    if (!fresh)
        return;
    drop_idle(t);
    curl_multi_cleanup(t->multi);
    t->multi = fresh;
    (void)sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
}

int transport_configure(Transport *t, const TransportSettings *settings) {
    if (!text_equal(t->ca_bundle, settings->ca_bundle)) {
        if (text_set(&t->ca_bundle, settings->ca_bundle) < 0)
            return -ENOMEM;
        t->generation++;
        drop_idle(t);
    }
    t->queue.max = (size_t)settings->max_connections;
    t->queue.max_per_host = (size_t)settings->max_per_host;
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, settings->max_connections);
    return 0;
}

void transport_free(Transport *t) {
    if (!t)
        return;
    while (t->n_transfers > 0) {
        Transfer *x = t->transfers[t->n_transfers - 1];
        HttpJob *job = x->job;
        curl_multi_remove_handle(t->multi, x->easy);
        drop(t, x);
        http_job_free(job);
    }
    curl_multi_cleanup(t->multi);
    for (HttpJob *job; (job = http_jobs_take(&t->ended));)
        http_job_free(job);
    http_queue_done(&t->queue);
    sd_event_source_disable_unref(t->timer);
    sd_event_source_disable_unref(t->tell);
    sd_event_unref(t->event);
    free(t->transfers);
    free(t->ca_bundle);
    if (t->has_curl)
        curl_global_cleanup();
    free(t);
}

int transport_new(sd_event *event, const TransportSettings *settings, TransportReplied replied, void *context,
                  Transport **ret) {
    CLEANUP(transport_free_ptr) Transport *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->event = sd_event_ref(event);
    t->replied = replied;
    t->context = context;
    http_queue_init(&t->queue);
    http_jobs_init(&t->ended);
    t->has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    t->multi = t->has_curl ? make_multi(t) : NULL;
    if (!t->multi)
        return -ENOMEM;
    int r;
    if ((r = sd_event_add_time(event, &t->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, t)) < 0 ||
        (r = sd_event_source_set_enabled(t->timer, SD_EVENT_OFF)) < 0 ||
        (r = sd_event_add_defer(event, &t->tell, on_tell, t)) < 0 ||
        (r = sd_event_source_set_enabled(t->tell, SD_EVENT_OFF)) < 0 ||
        (r = sd_event_source_set_priority(t->tell, TELL_PRIORITY)) < 0 || (r = transport_configure(t, settings)) < 0)
        return r == -ENOMEM ? r : -EIO;
    *ret = TAKE_PTR(t);
    return 0;
}
