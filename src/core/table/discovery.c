#include "core/table/discovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

#define RETRY_FIRST_USEC (10 * USEC_PER_SEC)
#define RETRY_MAX_USEC (5 * USEC_PER_MINUTE)
/* An account has 2,500 tables a region unless AWS raises that; beyond this a listing turns in circles. */
#define MAX_TABLES 1000000

static void forget_walk(Discovery *d) {
    for (size_t i = 0; i < d->n_walk; i++)
        free(d->walk[i]);
    d->n_walk = 0;
    free(TAKE_PTR(d->cursor));
}

static void forget_names(Discovery *d) {
    for (size_t i = 0; i < d->n_names; i++)
        free(d->names[i]);
    free(TAKE_PTR(d->names));
    d->n_names = 0;
}

void discovery_done(Discovery *d) {
    forget_walk(d);
    forget_names(d);
    free(d->walk);
    *d = (Discovery){};
}

void discovery_restart(Discovery *d, bool wanted, Now now) {
    forget_walk(d);
    forget_names(d);
    d->wanted = wanted;
    d->next_mono = wanted ? now.mono : USEC_INFINITY;
    d->n_failures = 0;
}

int discovery_request(Discovery *d, AwsRequest **ret) {
    if (!d->cursor)
        forget_walk(d);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_TABLES);
    if (!q || text_set(&q->list_tables.start_name, d->cursor) < 0)
        return -ENOMEM;
    q->list_tables.limit = 100;
    d->calling = true;
    d->next_mono = USEC_INFINITY;
    *ret = TAKE_PTR(q);
    return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static DiscoveryNews fail(Discovery *d, Now now) {
    Usec wait = RETRY_FIRST_USEC;
    for (int i = 0; i < d->n_failures && wait < RETRY_MAX_USEC; i++)
        wait *= 2;
    d->n_failures++;
    d->next_mono = now.mono + usec_min(wait, RETRY_MAX_USEC);
    forget_walk(d);
    bool first = !d->failed;
    d->failed = true;
    return first ? DISCOVERY_FAILED : DISCOVERY_GOES_ON;
}

int discovery_answer(Discovery *d, CallDone *done, Usec interval_usec, Now now, DiscoveryNews *ret) {
    d->calling = false;
    if (done->error.class != AWS_OK) {
        *ret = fail(d, now);
        return 0;
    }
    TableNames *page = &done->reply->tables;
    for (size_t i = 0; i < page->n_items; i++) {
        if (ARRAY_GROW(d->walk, d->n_walk, d->n_walk_room) < 0)
            return -ENOMEM;
        d->walk[d->n_walk++] = TAKE_PTR(page->items[i]);
    }
    if (page->next && (text_equal(page->next, d->cursor) || d->n_walk > MAX_TABLES)) {
        *ret = fail(d, now);
        return 0;
    }
    free(d->cursor);
    d->cursor = TAKE_PTR(page->next);
    if (d->cursor) {
        d->next_mono = now.mono;
        *ret = DISCOVERY_GOES_ON;
        return 0;
    }
    forget_names(d);
    d->names = TAKE_PTR(d->walk);
    d->n_names = d->n_walk;
    d->n_walk = d->n_walk_room = 0;
    if (d->n_names > 0)
        qsort(d->names, d->n_names, sizeof *d->names, by_name);
    d->next_mono = now.mono + interval_usec;
    d->n_failures = 0;
    d->failed = false;
    *ret = DISCOVERY_COMPLETE;
    return 0;
}

bool discovery_has(const Discovery *d, const char *table) {
    return d->n_names > 0 && bsearch(&table, d->names, d->n_names, sizeof *d->names, by_name);
}
