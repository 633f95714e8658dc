#include "io/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/array.h"
#include "base/secret.h"
#include "base/text.h"
#include "io/http_queue.h"
#include "io/proxy.h"
#include "io/trace.h"

#define MAX_HEADER_BYTES ((size_t)64 * 1024)
#define MAX_HEADER_LINES 100
#define MAX_IDLE_SLOTS 16
/* Replies are told after the sockets that are ready: many in one go, where many come. */
#define TELL_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

/* A transfer: curl's easy handle and what it works on. Handles are used again: making one costs more than a request. */
typedef struct Slot {
    Transport *transport;
    size_t index;        /* in transport->slots */
    struct Slot *next;   /* while idle */
    unsigned generation; /* of the settings that the handle was made with */
    CURL *easy;
    HttpJob *job;
    struct curl_slist *headers; /* of the request; one block of memory */
    size_t headers_size;
    bool begun;         /* handed to a connection: from here on bytes of it may have left */
    bool has_headers;   /* of the reply: all of them */
    const char *broken; /* why one of our callbacks ended it */
    size_t n_header_lines, n_header_bytes;
    Text body;
    char error[CURL_ERROR_SIZE];
} Slot;

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
    Slot **slots;   /* all of them */
    size_t n_slots, n_room;
    Slot *idle;
    size_t n_idle;
};

/* --- slots --- */

static void slot_clear(Slot *s) {
    secret_wipe(s->headers, s->headers_size);
    free(TAKE_PTR(s->headers));
    secret_wipe(s->body.data, s->body.len);
    text_done(&s->body);
}

static void slot_free(Slot *s) {
    if (!s)
        return;
    Transport *t = s->transport;
    if (s->index < t->n_slots) {
        t->slots[s->index] = t->slots[--t->n_slots];
        t->slots[s->index]->index = s->index;
    }
    curl_easy_cleanup(s->easy);
    slot_clear(s);
    http_job_free(s->job);
    free(s);
}
DEFINE_CLEANUP(Slot, slot_free)

static void slot_retire(Slot *s) {
    Transport *t = s->transport;
    slot_clear(s);
    if (s->generation != t->generation || t->n_idle >= MAX_IDLE_SLOTS) {
        slot_free(s);
        return;
    }
    s->next = t->idle;
    t->idle = s;
    t->n_idle++;
}

static void drop_idle(Transport *t) {
    while (t->idle) {
        Slot *s = t->idle;
        t->idle = s->next;
        slot_free(s);
    }
    t->n_idle = 0;
}

/* --- what curl calls during a transfer --- */

/* Before each sending: the first one, and those that curl begins by itself when a kept-alive connection closes before
 * the reply. A body that cannot be rewound would not do: curl sends again what died before its body was read. */
static int on_begin(void *user, char *remote, char *local, int remote_port, int local_port) {
    Slot *s = user;
    if (s->begun && !s->job->request->repeatable) {
        s->broken = "the connection closed before the reply";
        return CURL_PREREQFUNC_ABORT;
    }
    s->begun = true;
    return CURL_PREREQFUNC_OK;
}

/* "Name: value" without the space around the value. */
static int take_header(HttpHeaders *headers, const char *line, size_t n) {
    const char *colon = memchr(line, ':', n);
    if (!colon || line[0] == ' ' || line[0] == '\t')
        return 0;
    const char *value = colon + 1, *end = line + n;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && strchr(" \t\r\n", end[-1]))
        end--;
    AUTO_FREE char *name_text = strndup(line, (size_t)(colon - line));
    AUTO_FREE char *value_text = strndup(value, (size_t)(end - value));
    return name_text && value_text ? http_headers_add(headers, name_text, value_text) : -ENOMEM;
}

static size_t on_header(char *line, size_t size, size_t n, void *user) {
    Slot *s = user;
    HttpHeaders *headers = &s->job->reply->headers;
    n *= size;
    s->n_header_bytes += n;
    if (++s->n_header_lines > MAX_HEADER_LINES || s->n_header_bytes > MAX_HEADER_BYTES) {
        s->broken = "the reply has too many headers";
        return 0;
    }
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* after an interim reply, too */
        http_headers_done(headers);
        s->has_headers = false;
    } else if (n <= 2)
        s->has_headers = true;
    else if (take_header(headers, line, n) < 0) {
        s->broken = "out of memory";
        return 0;
    }
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user) {
    Slot *s = user;
    int r = text_add_bytes(&s->body, bytes, size * n);
    if (r == 0)
        return size * n;
    s->broken = r == -E2BIG ? "the reply is too long" : "out of memory";
    return 0;
}

/* --- a request becomes a transfer --- */

/* What all transfers have in common. */
static int slot_init(Slot *s) {
    CURL *e = s->easy = curl_easy_init();
    if (!e)
        return -ENOMEM;
    if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") ||
        curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
        curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) || curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) ||
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) ||
        curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ||
        curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) || curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) ||
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) || curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) ||
        curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) || curl_easy_setopt(e, CURLOPT_PRIVATE, s) ||
        curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error) ||
        curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_begin) || curl_easy_setopt(e, CURLOPT_PREREQDATA, s) ||
        curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) || curl_easy_setopt(e, CURLOPT_HEADERDATA, s) ||
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) || curl_easy_setopt(e, CURLOPT_WRITEDATA, s))
        return -EIO;
    const char *ca_bundle = s->transport->ca_bundle; /* that file and nothing else */
    return ca_bundle && (curl_easy_setopt(e, CURLOPT_CAINFO, ca_bundle) || curl_easy_setopt(e, CURLOPT_CAPATH, NULL))
               ? -ENOMEM
               : 0;
}

static int slot_new(Transport *t, Slot **ret) {
    CLEANUP(slot_free_ptr) Slot *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    *s = (Slot){.transport = t, .index = SIZE_MAX, .generation = t->generation};
    int r = slot_init(s);
    if (r < 0)
        return r;
    if (ARRAY_GROW(t->slots, t->n_slots, t->n_room) < 0)
        return -ENOMEM;
    s->index = t->n_slots;
    *ret = t->slots[t->n_slots++] = TAKE_PTR(s);
    return 0;
}

static int slot_get(Transport *t, Slot **ret) {
    if (!t->idle)
        return slot_new(t, ret);
    *ret = t->idle;
    t->idle = t->idle->next;
    t->n_idle--;
    return 0;
}

/* Headers that curl would add by itself: what leaves is what the core made. */
static const char *const own_headers[] = {"Accept", "Content-Type", "Expect"};

/* The list and its lines lie in one block, which can be wiped. */
static int make_headers(Slot *s, const HttpHeaders *h) {
    size_t n = h->n_items + ARRAY_SIZE(own_headers), size = n * sizeof *s->headers;
    for (size_t i = 0; i < h->n_items; i++)
        size += strlen(h->items[i].name) + strlen(h->items[i].value) + sizeof ": ";
    for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++)
        size += strlen(own_headers[i]) + sizeof ":";
    s->headers = calloc(1, size);
    if (!s->headers)
        return -ENOMEM;
    s->headers_size = size;
    char *at = (char *)(s->headers + n);
    struct curl_slist *item = s->headers, *last = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *own = i < h->n_items ? NULL : own_headers[i - h->n_items];
        if (own && http_headers_get(h, own))
            continue;
        /* curl's notation: "Name: value", "Name;" for an empty value, "Name:" for none at all */
        const char *value = own ? "" : h->items[i].value;
        item->data = at;
        at = stpcpy(at, own ? own : h->items[i].name);
        at = stpcpy(at, own ? ":" : value[0] ? ": " : ";");
        at = stpcpy(at, value) + 1;
        if (last)
            last->next = item;
        last = item++;
    }
    return 0;
}

/* Milliseconds for curl, rounded up; never 0, which would be curl's own idea of a time-out. */
static long timeout_msec(Usec usec) {
    Usec msec = usec / USEC_PER_MSEC + (usec % USEC_PER_MSEC != 0);
    return msec < 1 ? 1 : msec < INT_MAX ? (long)msec : INT_MAX;
}

static bool set_method(Slot *s, const HttpRequest *q) {
    bool sends_body = q->body || q->method == HTTP_POST || q->method == HTTP_PUT;
    bool plain = q->method == HTTP_HEAD || q->method == (sends_body ? HTTP_POST : HTTP_GET);
    if (curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L) ||
        curl_easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, plain ? NULL : http_method_to_string(q->method)))
        return false;
    if (q->method == HTTP_HEAD)
        return curl_easy_setopt(s->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    return !sends_body ||
           (curl_easy_setopt(s->easy, CURLOPT_POST, 1L) == CURLE_OK &&
            curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len) == CURLE_OK &&
            curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, q->body ? q->body : "") == CURLE_OK);
}

/* Lends the slot the job's request. */
static int slot_begin(Slot *s, const HttpJob *job, Usec now_mono) {
    const HttpRequest *q = job->request;
    s->n_header_lines = s->n_header_bytes = 0;
    s->begun = s->has_headers = false;
    s->broken = NULL;
    s->error[0] = '\0';
    s->body = TEXT_INIT(q->max_reply);
    Usec left = job->until_mono == USEC_INFINITY ? USEC_INFINITY : job->until_mono - now_mono;
    Usec connect = q->connect_timeout_usec > 0 ? q->connect_timeout_usec : USEC_INFINITY;
    if (make_headers(s, &q->headers) < 0 || !set_method(s, q) || curl_easy_setopt(s->easy, CURLOPT_URL, q->url) ||
        curl_easy_setopt(s->easy, CURLOPT_NOPROXY, q->direct ? "*" : NULL) ||
        curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->headers) ||
        curl_easy_setopt(s->easy, CURLOPT_PROXY, proxy_for(q->url)) ||
        curl_easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_msec(connect)) ||
        curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, timeout_msec(left)))
        return -ENOMEM;
    return curl_multi_add_handle(s->transport->multi, s->easy) == CURLM_OK ? 0 : -EIO;
}

/* --- a transfer becomes a reply --- */

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

static const char *failure_of(const Slot *s, CURLcode code) {
    long os_error = 0;
    if (s->broken)
        return s->broken;
    if (code == CURLE_OK)
        return "the reply is cut short";
    if (code == CURLE_COULDNT_CONNECT && !curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &os_error) && os_error > 0)
        return strerror((int)os_error);
    return s->error[0] ? s->error : curl_easy_strerror(code);
}

static void slot_finish(Slot *s, CURLcode code) {
    HttpJob *job = TAKE_PTR(s->job);
    HttpReply *reply = job->reply;
    long status = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    size_t body_len = s->body.len;
    http_queue_ended(&s->transport->queue, job);
    if (code != CURLE_OK || !s->has_headers)
        job_fail(s->transport, job, s->begun ? HTTP_UNKNOWN : HTTP_NOT_SENT, failure_of(s, code));
    else if (text_take(&s->body, &reply->body) < 0)
        job_fail(s->transport, job, HTTP_UNKNOWN, "out of memory");
    else {
        reply->outcome = HTTP_REPLIED;
        reply->status = (int)status;
        reply->body_len = body_len;
        job_end(s->transport, job);
    }
    slot_retire(s);
}

/* Lets those go that may; true when there were any. */
static bool start_waiting(Transport *t) {
    HttpJob *job;
    bool any = false, expired;
    uint64_t now = 0;
    sd_event_now(t->event, CLOCK_MONOTONIC, &now);
    while ((job = http_queue_next(&t->queue, (Usec)now, &expired))) {
        Slot *s = NULL;
        if (expired)
            job_fail(t, job, HTTP_NOT_SENT, "no connection was free in time");
        else if (slot_get(t, &s) == 0 && slot_begin(s, job, (Usec)now) == 0) {
            s->job = job;
            any = true;
        } else {
            if (s)
                slot_retire(s);
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
        void *slot = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&slot);
        curl_multi_remove_handle(t->multi, easy);
        slot_finish(slot, code);
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
    while (t->n_slots > 0) {
        Slot *s = t->slots[t->n_slots - 1];
        curl_multi_remove_handle(t->multi, s->easy);
        slot_free(s);
    }
    curl_multi_cleanup(t->multi);
    for (HttpJob *job; (job = http_jobs_take(&t->ended));)
        http_job_free(job);
    http_queue_done(&t->queue);
    sd_event_source_disable_unref(t->timer);
    sd_event_source_disable_unref(t->tell);
    sd_event_unref(t->event);
    free(t->slots);
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
    t->multi = t->has_curl ? curl_multi_init() : NULL;
    if (!t->multi)
        return -ENOMEM;
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
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
