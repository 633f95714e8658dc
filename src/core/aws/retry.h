#pragma once
/* When and whether a failed call is tried again: the "standard" mode of the AWS SDKs, with the constants of 2026 for
 * DynamoDB (AWS SDKs and Tools Reference, "Retry behavior"; known answers from botocore's tests). */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

typedef enum RetryKind { RETRY_THROTTLED, RETRY_TRANSIENT } RetryKind;

/* What retries may cost before they stop helping: a service that fails every call is not called three times as often.
 */
#define RETRY_QUOTA 500
typedef struct RetryQuota {
    int left;
} RetryQuota;

/* Takes the cost of one retry out of it: *ret_cost. False: there is not enough left. */
bool retry_quota_take(RetryQuota *q, RetryKind kind, int *ret_cost);
/* A call succeeded: gives back the cost of its last retry (0: it had none). */
void retry_quota_refund(RetryQuota *q, int cost);

/* The delay before the next attempt after n_failed (1 and up) failed ones: full jitter, at most 20 s. `random` is any
 * 64-bit number. hint_usec is what x-amz-retry-after asked for, negative: nothing. */
Usec retry_delay(RetryKind kind, int n_failed, uint64_t random, Usec hint_usec);

/* The next number of a sequence that its seed decides (splitmix64). */
uint64_t retry_random(uint64_t *state);
