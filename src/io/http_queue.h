#pragma once
/* Requests that wait for a connection: first come, first served, but no more than so many under way in all and to one
 * host, so that a host in trouble does not hold up another. Knows nothing of curl. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/aws/http.h"

typedef struct HttpHost HttpHost;

/* A request from hand-over until its reply is taken. */
typedef struct HttpJob {
    struct HttpJob *next;
    HttpRequest *request;
    HttpReply *reply; /* with the request's id; empty at first */
    HttpHost *host;
    Usec begun_mono; /* when it was handed over */
    Usec until_mono; /* the time-out of the whole exchange; USEC_INFINITY: none */
} HttpJob;

typedef struct HttpJobs {
    HttpJob *first, **end;
} HttpJobs;

typedef struct HttpQueue {
    HttpJobs waiting;
    HttpHost *hosts; /* all that were ever asked: few */
    size_t n_under_way;
    size_t max, max_per_host;
} HttpQueue;

void http_jobs_init(HttpJobs *l);
void http_jobs_add(HttpJobs *l, HttpJob *job);
HttpJob *http_jobs_take(HttpJobs *l); /* the first, or NULL */
void http_job_free(HttpJob *job);
DEFINE_CLEANUP(HttpJob, http_job_free)

void http_queue_init(HttpQueue *q);
void http_queue_done(HttpQueue *q); /* with the jobs that wait */

/* Takes the request, also on failure (-ENOMEM). */
int http_queue_add(HttpQueue *q, HttpRequest *request, Usec now_mono);
/* The first one that may go now, or whose time is over: *ret_expired says which. NULL: none. It is no longer in the
 * queue; one that goes counts as under way until http_queue_ended. */
HttpJob *http_queue_next(HttpQueue *q, Usec now_mono, bool *ret_expired);
void http_queue_ended(HttpQueue *q, const HttpJob *job);

/* "host[:port]" of a URL, without what may stand before it. Borrowed; the length is returned. */
size_t http_url_host(const char *url, const char **ret);
