#pragma once
/* Call rates: a token bucket per region and operation, filled at the documented rate, as deep as the bursts that were
 * measured; and one per region for whatever creates, deletes or tags tables. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

typedef struct ServiceRate {
    double per_second; /* 0: no limit */
    double burst;
} ServiceRate;

typedef struct ServiceBucket {
    double tokens;
    Usec wall; /* of the last filling; 0: never used, full */
} ServiceBucket;

/* Takes a token; false when there is none: "Rate exceeded". A clock that steps back fills nothing. */
bool service_rate_take(ServiceBucket *b, ServiceRate rate, Usec now_wall);
