#include "io/transfer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "io/proxy.h"

#define MAX_HEADER_BYTES ((size_t)64 * 1024)
#define MAX_HEADER_LINES 100

static void wipe(Transfer *t) {
    secret_wipe(t->headers, t->headers_size);
    free(TAKE_PTR(t->headers));
    secret_wipe(t->body.data, t->body.len);
    text_done(&t->body);
}

void transfer_free(Transfer *t) {
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    wipe(t);
    free(t);
}

/* --- what curl calls during a transfer --- */

/* Before each sending: the first one, and those that curl begins by itself when a kept-alive connection closes before
 * the reply. A body that cannot be rewound would not do: curl sends again what died before its body was read. */
static int on_begin(void *user, char *remote, char *local, int remote_port, int local_port) {
    Transfer *t = user;
    if (t->begun && !t->job->request->repeatable) {
        t->broken = "the connection closed before the reply";
        return CURL_PREREQFUNC_ABORT;
    }
    t->begun = true;
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
    Transfer *t = user;
    HttpHeaders *headers = &t->job->reply->headers;
    n *= size;
    t->n_header_bytes += n;
    if (++t->n_header_lines > MAX_HEADER_LINES || t->n_header_bytes > MAX_HEADER_BYTES) {
        t->broken = "the reply has too many headers";
        return 0;
    }
    if (n >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* after an interim reply, too */
        http_headers_done(headers);
        t->has_headers = false;
    } else if (n <= 2)
        t->has_headers = true;
    else if (take_header(headers, line, n) < 0) {
        t->broken = "out of memory";
        return 0;
    }
    return n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user) {
    Transfer *t = user;
    int r = text_add_bytes(&t->body, bytes, size * n);
    if (r == 0)
        return size * n;
    t->broken = r == -E2BIG ? "the reply is too long" : "out of memory";
    return 0;
}

/* --- a request becomes a transfer --- */

/* What all requests have in common. */
static int handle_init(Transfer *t, const char *ca_bundle) {
    CURL *e = t->easy = curl_easy_init();
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
        curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) || curl_easy_setopt(e, CURLOPT_PRIVATE, t) ||
        curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error) ||
        curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_begin) || curl_easy_setopt(e, CURLOPT_PREREQDATA, t) ||
        curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) || curl_easy_setopt(e, CURLOPT_HEADERDATA, t) ||
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) || curl_easy_setopt(e, CURLOPT_WRITEDATA, t))
        return -EIO;
    /* that file and nothing else */
    return ca_bundle && (curl_easy_setopt(e, CURLOPT_CAINFO, ca_bundle) || curl_easy_setopt(e, CURLOPT_CAPATH, NULL))
               ? -ENOMEM
               : 0;
}

int transfer_new(const char *ca_bundle, Transfer **ret) {
    CLEANUP(transfer_free_ptr) Transfer *t = calloc(1, sizeof *t);
    int r = t ? handle_init(t, ca_bundle) : -ENOMEM;
    if (r < 0)
        return r;
    *ret = TAKE_PTR(t);
    return 0;
}

Transfer *transfer_of(CURL *easy) {
    char *t = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    return (Transfer *)(void *)t;
}

/* Headers that curl would add by itself: what leaves is what the core made. */
static const char *const own_headers[] = {"Accept", "Content-Type", "Expect"};

/* The list and its lines lie in one block, which can be wiped. */
static int make_headers(Transfer *t, const HttpHeaders *h) {
    size_t n = h->n_items + ARRAY_SIZE(own_headers), size = n * sizeof *t->headers;
    for (size_t i = 0; i < h->n_items; i++)
        size += strlen(h->items[i].name) + strlen(h->items[i].value) + sizeof ": ";
    for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++)
        size += strlen(own_headers[i]) + sizeof ":";
    t->headers = calloc(1, size);
    if (!t->headers)
        return -ENOMEM;
    t->headers_size = size;
    char *at = (char *)(t->headers + n);
    struct curl_slist *item = t->headers, *last = NULL;
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

static bool set_method(Transfer *t, const HttpRequest *q) {
    bool sends_body = q->body || q->method == HTTP_POST || q->method == HTTP_PUT;
    bool plain = q->method == HTTP_HEAD || q->method == (sends_body ? HTTP_POST : HTTP_GET);
    if (curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L) ||
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, plain ? NULL : http_method_to_string(q->method)))
        return false;
    if (q->method == HTTP_HEAD)
        return curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    return !sends_body ||
           (curl_easy_setopt(t->easy, CURLOPT_POST, 1L) == CURLE_OK &&
            curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len) == CURLE_OK &&
            curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, q->body ? q->body : "") == CURLE_OK);
}

int transfer_begin(Transfer *t, HttpJob *job, Usec now_mono) {
    const HttpRequest *q = job->request;
    t->job = job;
    t->n_header_lines = t->n_header_bytes = 0;
    t->begun = t->has_headers = false;
    t->broken = NULL;
    t->error[0] = '\0';
    t->body = TEXT_INIT(q->max_reply);
    Usec left = job->until_mono == USEC_INFINITY ? USEC_INFINITY : job->until_mono - now_mono;
    Usec connect = q->connect_timeout_usec > 0 ? q->connect_timeout_usec : USEC_INFINITY;
    if (make_headers(t, &q->headers) < 0 || !set_method(t, q) || curl_easy_setopt(t->easy, CURLOPT_URL, q->url) ||
        curl_easy_setopt(t->easy, CURLOPT_NOPROXY, q->direct ? "*" : NULL) ||
        curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) ||
        curl_easy_setopt(t->easy, CURLOPT_PROXY, proxy_for(q->url)) ||
        curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_msec(connect)) ||
        curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, timeout_msec(left)))
        return -ENOMEM;
    return 0;
}

/* --- a transfer becomes a reply --- */

static const char *failure_of(const Transfer *t, CURLcode code) {
    long os_error = 0;
    if (t->broken)
        return t->broken;
    if (code == CURLE_OK)
        return "the reply is cut short";
    if (code == CURLE_COULDNT_CONNECT && !curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error) && os_error > 0)
        return strerror((int)os_error);
    return t->error[0] ? t->error : curl_easy_strerror(code);
}

/* Status, headers and body of a whole reply. */
static bool take_reply(Transfer *t, HttpReply *reply) {
    long status = 0;
    size_t body_len = t->body.len;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (text_take(&t->body, &reply->body) < 0)
        return false;
    reply->outcome = HTTP_REPLIED;
    reply->status = (int)status;
    reply->body_len = body_len;
    return true;
}

HttpJob *transfer_end(Transfer *t, CURLcode code, const char **ret_why) {
    HttpJob *job = TAKE_PTR(t->job);
    *ret_why = NULL;
    if (code != CURLE_OK || !t->has_headers) {
        job->reply->outcome = t->begun ? HTTP_UNKNOWN : HTTP_NOT_SENT;
        *ret_why = failure_of(t, code);
    } else if (!take_reply(t, job->reply)) {
        job->reply->outcome = HTTP_UNKNOWN;
        *ret_why = "out of memory";
    }
    wipe(t);
    return job;
}
