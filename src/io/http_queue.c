#include "io/http_queue.h"

#include <errno.h>
#include <string.h>

struct HttpHost {
    HttpHost *next;
    size_t n_under_way;
    char name[];
};

void http_jobs_init(HttpJobs *l) { *l = (HttpJobs){.end = &l->first}; }

void http_jobs_add(HttpJobs *l, HttpJob *job) {
    job->next = NULL;
    *l->end = job;
    l->end = &job->next;
}

static HttpJob *unlink_job(HttpJobs *l, HttpJob **at) {
    HttpJob *job = *at;
    *at = job->next;
    if (l->end == &job->next)
        l->end = at;
    job->next = NULL;
    return job;
}

HttpJob *http_jobs_take(HttpJobs *l) { return l->first ? unlink_job(l, &l->first) : NULL; }

void http_job_free(HttpJob *job) {
    if (!job)
        return;
    http_request_free(job->request);
    http_reply_free(job->reply);
    free(job);
}

void http_queue_init(HttpQueue *q) {
    *q = (HttpQueue){};
    http_jobs_init(&q->waiting);
}

void http_queue_done(HttpQueue *q) {
    for (HttpJob *job; (job = http_jobs_take(&q->waiting));)
        http_job_free(job);
    while (q->hosts) {
        HttpHost *next = q->hosts->next;
        free(q->hosts);
        q->hosts = next;
    }
}

size_t http_url_host(const char *url, const char **ret) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t n = strcspn(host, "/?#");
    for (size_t i = n; i > 0; i--)
        if (host[i - 1] == '@') {
            *ret = host + i;
            return n - i;
        }
    *ret = host;
    return n;
}

static HttpHost *find_host(HttpQueue *q, const char *url) {
    const char *name;
    size_t n = http_url_host(url, &name);
    HttpHost *h;
    for (h = q->hosts; h; h = h->next)
        if (strncmp(h->name, name, n) == 0 && h->name[n] == '\0')
            return h;
    h = calloc(1, sizeof *h + n + 1);
    if (!h)
        return NULL;
    memcpy(h->name, name, n);
    h->next = q->hosts;
    q->hosts = h;
    return h;
}

static int job_begin(HttpJob *job, HttpQueue *q, Usec now_mono) {
    const HttpRequest *request = job->request;
    job->reply = calloc(1, sizeof *job->reply);
    job->host = find_host(q, request->url);
    if (!job->reply || !job->host)
        return -ENOMEM;
    job->reply->id = request->id;
    job->begun_mono = now_mono;
    job->until_mono = request->timeout_usec > 0 ? usec_add(now_mono, request->timeout_usec) : USEC_INFINITY;
    return 0;
}

int http_queue_add(HttpQueue *q, HttpRequest *request, Usec now_mono) {
    CLEANUP(http_request_free_ptr) HttpRequest *taken = request;
    CLEANUP(http_job_free_ptr) HttpJob *job = calloc(1, sizeof *job);
    if (!job)
        return -ENOMEM;
    job->request = TAKE_PTR(taken);
    int r = job_begin(job, q, now_mono);
    if (r < 0)
        return r;
    http_jobs_add(&q->waiting, TAKE_PTR(job));
    return 0;
}

HttpJob *http_queue_next(HttpQueue *q, Usec now_mono, bool *ret_expired) {
    for (HttpJob **at = &q->waiting.first; *at; at = &(*at)->next) {
        HttpHost *host = (*at)->host;
        bool expired = (*at)->until_mono <= now_mono;
        if (!expired && (q->n_under_way >= q->max || host->n_under_way >= q->max_per_host))
            continue;
        *ret_expired = expired;
        if (!expired) {
            q->n_under_way++;
            host->n_under_way++;
        }
        return unlink_job(&q->waiting, at);
    }
    return NULL;
}

void http_queue_ended(HttpQueue *q, const HttpJob *job) {
    q->n_under_way--;
    job->host->n_under_way--;
}
