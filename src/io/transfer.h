#pragma once
/* One HTTP exchange at a time by a handle of curl's, which carries one after the other: making a handle costs more than
 * a request. What comes in is bounded, and wiped in the end. How many there are, and what moves them, is transport.c's
 * business.
 *
 * A request that is not repeatable leaves at most once, whatever curl would do. */

#include <curl/curl.h>

#include "base/macros.h"
#include "base/text.h"
#include "io/http_queue.h"

typedef struct Transfer {
    struct Transfer *next; /* the owner's, as are index and generation */
    size_t index;
    unsigned generation;
    CURL *easy;   /* to be added to a multi handle between transfer_begin and transfer_end */
    HttpJob *job; /* under way; borrowed */
    struct curl_slist *headers; /* of the request; one block of memory */
    size_t headers_size;
    bool begun;         /* handed to a connection: from here on bytes of it may have left */
    bool has_headers;   /* of the reply: all of them */
    const char *broken; /* why one of our callbacks ended it */
    size_t n_header_lines, n_header_bytes;
    Text body;
    char error[CURL_ERROR_SIZE];
} Transfer;

/* ca_bundle: a PEM file, copied; NULL: the system's. -ENOMEM, -EIO. */
int transfer_new(const char *ca_bundle, Transfer **ret);
void transfer_free(Transfer *t);
DEFINE_CLEANUP(Transfer, transfer_free)
/* The one that a handle of curl's belongs to. */
Transfer *transfer_of(CURL *easy);

/* Lends it the job's request. After -ENOMEM it can only be freed. */
int transfer_begin(Transfer *t, HttpJob *job, Usec now_mono);
/* It is over, as curl says; returns the job, whose reply has its outcome, and status, headers and body if there is a
 * whole one. *ret_why: what went wrong, or NULL; borrowed until the next begin. */
HttpJob *transfer_end(Transfer *t, CURLcode code, const char **ret_why);
