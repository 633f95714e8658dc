#pragma once
/* Which tables exist, for the patterns of `tables`: a complete walk through ListTables, again on an interval. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "core/aws/client.h"

typedef struct Discovery {
    bool wanted; /* the configuration has patterns */
    bool calling;
    bool failed;    /* the last walk; said once */
    Usec next_mono; /* when the next walk or page is due */
    int n_failures;
    char *cursor;
    char **names; /* of the last complete walk, sorted */
    size_t n_names;
    char **walk; /* of the one under way */
    size_t n_walk, n_walk_room;
} Discovery;

typedef enum DiscoveryNews { DISCOVERY_GOES_ON, DISCOVERY_COMPLETE, DISCOVERY_FAILED } DiscoveryNews;

void discovery_done(Discovery *d);
/* Begins anew at once: at start, after a reload. */
void discovery_restart(Discovery *d, bool wanted, Now now);
/* When it asks next; USEC_INFINITY: not now. */
static inline Usec discovery_next_mono(const Discovery *d) {
    return d->wanted && !d->calling ? d->next_mono : USEC_INFINITY;
}
static inline bool discovery_is_due(const Discovery *d, Now now) { return discovery_next_mono(d) <= now.mono; }
/* The next page; only while wanted, not calling and due. */
int discovery_request(Discovery *d, AwsRequest **ret);
/* Takes a page. With DISCOVERY_COMPLETE, `names` holds every table, until the next walk is complete. */
int discovery_answer(Discovery *d, CallDone *done, Usec interval_usec, Now now, DiscoveryNews *ret);
bool discovery_has(const Discovery *d, const char *table);
