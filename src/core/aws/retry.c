#include "core/aws/retry.h"

#define DELAY_MAX_USEC (20 * USEC_PER_SEC)
#define HINT_EXTRA_USEC (5 * USEC_PER_SEC)

static const struct {
    int cost;
    Usec base_usec;
} kinds[] = {
    [RETRY_THROTTLED] = {.cost = 5, .base_usec = USEC_PER_SEC},
    [RETRY_TRANSIENT] = {.cost = 14, .base_usec = 25 * USEC_PER_MSEC},
};

bool retry_quota_take(RetryQuota *q, RetryKind kind, int *ret_cost) {
    if (q->left < kinds[kind].cost)
        return false;
    q->left -= kinds[kind].cost;
    *ret_cost = kinds[kind].cost;
    return true;
}

void retry_quota_refund(RetryQuota *q, int cost) {
    q->left += cost > 0 ? cost : 1;
    if (q->left > RETRY_QUOTA)
        q->left = RETRY_QUOTA;
}

Usec retry_delay(RetryKind kind, int n_failed, uint64_t random, Usec hint_usec) {
    Usec cap = kinds[kind].base_usec;
    for (int i = 1; i < n_failed && cap < DELAY_MAX_USEC; i++)
        cap *= 2;
    cap = usec_min(cap, DELAY_MAX_USEC);
    /* 32 random bits are finer than the microseconds of the cap */
    Usec delay = (Usec)((uint64_t)cap * (random >> 32) >> 32);
    return hint_usec < 0 ? delay : usec_max(delay, usec_min(hint_usec, delay + HINT_EXTRA_USEC));
}

uint64_t retry_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
