#pragma once
/* Checks an export in its bucket, at one of four levels; sans IO: asks one thing at a time and takes the answer.
 *
 *   service   what DescribeExport says; nothing is asked here
 *   manifest  manifest-summary.json and manifest-files.json against their MD5s; the item counts add up to what
 *             DescribeExport told; ARN, TableId and window are those that we asked for
 *   objects   each data object is there, and its ETag is what its MD5 implies where that can be told
 *   content   each is read: MD5, gunzip, lines counted
 *
 * Objects are read in ranges of a few MiB, each bound to the object's first ETag, so that no object is ever in memory
 * and bandwidth is a matter of pauses. The list of objects is read twice: the first time for its MD5, the second time
 * to do as it says.
 *
 * "Not there" is bad. What could not be asked (403, 5xx, time-outs) is unknown, never bad: the same thing is asked
 * again. */

#include "core/aws/client.h"
#include "core/conf/conf.h"
#include "core/verify/manifest.h"

typedef struct VerifyWish {
    VerifyLevel level;
    const char *region;                       /* where the bucket is looked for first */
    const char *bucket, *bucket_owner;        /* the owner NULL: any */
    const char *prefix;                       /* NULL: none */
    const char *manifest_key;                 /* of manifest-summary.json */
    const char *export_arn, *table_id;
    Usec from_wall, to_wall;                  /* of an incremental export; else WALL_UNKNOWN */
    int64_t item_count;                       /* DescribeExport's; COUNT_UNKNOWN: it told none */
    uint64_t bytes_per_sec;                   /* 0: as fast as it goes */
    const char *summary_md5, *files_md5; /* of its manifests when they were checked before, in base64; NULL: never */
} VerifyWish;

typedef enum VerifyState {
    VERIFY_ASKS,    /* verify_request has something to ask */
    VERIFY_PASSED,
    VERIFY_BAD,     /* it is not what was asked for, or damaged, or not there */
} VerifyState;

typedef struct VerifyFacts {
    int64_t n_objects, n_items, n_bytes; /* bytes: read, or told by HEAD */
    int64_t n_uncompared;                /* objects whose ETag could not be compared */
    char summary_md5[25], files_md5[25]; /* base64; "" before they are known */
} VerifyFacts;

typedef struct Verify Verify;

/* Copies the wish. -ENOMEM. */
int verify_new(const VerifyWish *wish, Verify **ret);
void verify_free(Verify *v);
DEFINE_CLEANUP(Verify, verify_free)

VerifyState verify_state(const Verify *v);
/* With VERIFY_BAD: what is wrong. Else the last trouble in asking, or "". Borrowed. */
const char *verify_why(const Verify *v);
const char *verify_hint(const Verify *v); /* or NULL */
const VerifyFacts *verify_facts(const Verify *v);
/* "3 objects, 5000 items, 1.2M" */
#define VERIFY_TEXT_SIZE 160
const char *verify_facts_to_string(const VerifyFacts *f, VerifyLevel level, char buffer[static VERIFY_TEXT_SIZE]);

/* The next request, and the region that it goes to (borrowed until the answer). -ENOMEM. */
int verify_request(Verify *v, AwsRequest **ret);
const char *verify_region(const Verify *v);
/* Takes the answer to it. *ret_unknown: it told nothing, verify_why says why; ask
 * again after *ret_wait_usec. -ENOMEM. */
int verify_answer(Verify *v, const CallDone *done, bool *ret_unknown, Usec *ret_wait_usec);
