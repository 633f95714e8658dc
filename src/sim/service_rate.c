#include "sim/service_rate.h"

bool service_rate_take(ServiceBucket *b, ServiceRate rate, Usec now_wall) {
    if (rate.per_second <= 0)
        return true;
    if (b->wall == 0)
        b->tokens = rate.burst;
    else if (now_wall > b->wall)
        b->tokens += (double)(now_wall - b->wall) / (double)USEC_PER_SEC * rate.per_second;
    if (b->tokens > rate.burst)
        b->tokens = rate.burst;
    b->wall = now_wall;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}
