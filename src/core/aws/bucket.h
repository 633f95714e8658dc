#pragma once
/* Paces the calls of one (account, region, operation). A token bucket, kept as the one instant from which its fill
 * follows (the generic cell rate algorithm), so that it counts exactly and says when the next token is there.
 *
 * It learns: a throttle halves the rate, answers bring it back step by step, never above its ceiling.
 *
 * Where the service documents "so many a second", a burst and the rate after it could exceed that in the second that
 * begins with the burst: such a bucket remembers its last calls and keeps any second clear. */

#include <stdbool.h>

#include "base/clock.h"

typedef struct Bucket {
    double ceiling, rate; /* tokens a second */
    double burst;         /* tokens that it holds when full; while it is slowed: 1 */
    Usec full_mono;       /* when it is full */
    Usec slowed_mono;     /* when the rate was last halved */
    Usec raised_mono;     /* when it was last raised or lowered */
    Usec *recent; /* when the last n_recent calls were made, a ring; the owner's. NULL: any second may have more */
    int n_recent, oldest;
} Bucket;

/* One token is there at once, not a whole burst: a process that starts again and again must not get one each time. */
Bucket bucket_make(double ceiling, double burst, Usec now_mono);
/* From now on no second has more than n calls; recent has room for n. */
void bucket_keep_seconds(Bucket *b, Usec *recent, int n);
/* Another ceiling and burst; a lowered rate keeps its share of the ceiling. */
void bucket_configure(Bucket *b, double ceiling, double burst);
/* When the next token can be taken; in the past or now: at once. */
Usec bucket_ready_mono(const Bucket *b);
/* When so many can be taken at once; no more than it holds. */
Usec bucket_ready_for_mono(const Bucket *b, int n);
/* How many are worth waiting for, so that calls leave a few at a time and not each in a turn and a
 * commit of its own. */
int bucket_batch(const Bucket *b);
/* Takes a token; only when there is one. */
void bucket_take(Bucket *b, Usec now_mono);
/* A call that left at sent_mono was throttled. Calls that left before the last halving say nothing new. */
void bucket_throttled(Bucket *b, Usec sent_mono, Usec now_mono);
/* A call was answered without being throttled. */
void bucket_answered(Bucket *b, Usec now_mono);
