#include "core/aws/bucket.h"

/* A slowed bucket gets this share of its ceiling back, no more often than each BUCKET_RAISE_USEC. */
#define RAISE_SHARE 0.02
#define RAISE_USEC USEC_PER_SEC
/* It is slowed no further than to this share. */
#define LEAST_SHARE (1.0 / 32)

/* Rounded up, so that the rate is never exceeded. */
static Usec interval(const Bucket *b) {
    double exact = (double)USEC_PER_SEC / b->rate;
    Usec whole = (Usec)exact;
    return whole + ((double)whole < exact);
}

static double burst_now(const Bucket *b) { return b->rate < b->ceiling ? 1 : b->burst; }

Bucket bucket_make(double ceiling, double burst, Usec now_mono) {
    Bucket b = {.slowed_mono = -1, .raised_mono = now_mono};
    b.ceiling = b.rate = ceiling;
    b.burst = burst > 1 ? burst : 1;
    b.full_mono = now_mono + (Usec)((b.burst - 1) * (double)interval(&b));
    return b;
}

void bucket_keep_seconds(Bucket *b, Usec *recent, int n) {
    for (int i = 0; i < n; i++)
        recent[i] = -USEC_PER_SEC;
    b->recent = recent;
    b->n_recent = n;
    b->oldest = 0;
}

void bucket_configure(Bucket *b, double ceiling, double burst) {
    b->rate = b->rate < b->ceiling ? b->rate / b->ceiling * ceiling : ceiling;
    b->ceiling = ceiling;
    b->burst = burst > 1 ? burst : 1;
}

Usec bucket_ready_for_mono(const Bucket *b, int n) {
    Usec at = b->full_mono - (Usec)((burst_now(b) - n) * (double)interval(b));
    return b->recent && n > 0 ? usec_max(at, b->recent[(b->oldest + n - 1) % b->n_recent] + USEC_PER_SEC) : at;
}

Usec bucket_ready_mono(const Bucket *b) { return bucket_ready_for_mono(b, 1); }

/* Half of what it holds: it never fills up while a queue waits, so that nothing of the rate is lost. */
int bucket_batch(const Bucket *b) {
    int half = (int)(burst_now(b) / 2);
    return half > 1 ? half : 1;
}

void bucket_take(Bucket *b, Usec now_mono) {
    b->full_mono = usec_max(b->full_mono, now_mono) + interval(b);
    if (b->recent) {
        b->recent[b->oldest] = now_mono;
        b->oldest = (b->oldest + 1) % b->n_recent;
    }
}

void bucket_throttled(Bucket *b, Usec sent_mono, Usec now_mono) {
    if (sent_mono <= b->slowed_mono)
        return;
    Usec ready = b->full_mono - (Usec)((burst_now(b) - 1) * (double)interval(b));
    double least = b->ceiling * LEAST_SHARE;
    b->rate = b->rate / 2 > least ? b->rate / 2 : least;
    b->slowed_mono = b->raised_mono = now_mono;
    b->full_mono = usec_max(ready, now_mono + interval(b));
}

void bucket_answered(Bucket *b, Usec now_mono) {
    if (b->rate >= b->ceiling || now_mono - b->raised_mono < RAISE_USEC)
        return;
    b->rate = b->rate + b->ceiling * RAISE_SHARE < b->ceiling ? b->rate + b->ceiling * RAISE_SHARE : b->ceiling;
    b->raised_mono = now_mono;
}
