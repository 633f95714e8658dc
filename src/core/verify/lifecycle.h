#pragma once
/* What a bucket's lifecycle rules do to exports, and how long those are wanted. The answer of
 * GetBucketLifecycleConfiguration (Amazon S3 API reference), read by core/xml_find. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "core/conf/conf.h"

typedef struct LifecycleRule {
    char *id;     /* NULL: it has none */
    char *prefix; /* of the keys that it is for; NULL: all */
    bool enabled;
    bool has_tags;           /* it is for objects with tags, which exports never have */
    Usec expire_usec;        /* deletes what is so old; USEC_INFINITY: it does not */
    Usec expire_wall;        /* deletes everything from that day on; WALL_UNKNOWN: it does not */
    Usec archive_usec;       /* moves what is so old to where it cannot be read; USEC_INFINITY: it does not */
    Usec abort_usec;         /* takes away what was uploaded in part; USEC_INFINITY: it does not */
    bool expires_noncurrent; /* what was deleted or replaced in a versioned bucket goes in the end */
} LifecycleRule;

typedef struct LifecycleRules {
    LifecycleRule *items;
    size_t n_items, n_room;
} LifecycleRules;

void lifecycle_done(LifecycleRules *r);
/* -EBADMSG: it is no such document; -ENOMEM. */
int lifecycle_read(const char *body, size_t len, LifecycleRules *ret);

/* Is it in force for some object of the exports below that prefix (NULL: none)? */
bool lifecycle_touches(const LifecycleRule *r, const char *prefix);

/* How long the objects of a schedule's exports are wanted at least; its links, as long as their bases. Estimated from
 * below, by the shortest time between two runs, months of 30 days and years of 365: what a rule deletes sooner is
 * missed for certain. USEC_INFINITY: for ever. */
typedef struct LifecycleWish {
    Usec floor_usec; /* or the newest is gone before there is another one */
    Usec keep_usec;  /* or `keep` is not kept; no less than the floor */
} LifecycleWish;

LifecycleWish lifecycle_wish(const Conf *c, const ScheduleConf *s, Usec now_wall);
