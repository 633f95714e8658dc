#pragma once
/* Time as an argument. Nothing in src/base, src/core and src/sim asks the system what time it is; the programs do, by
 * src/io/clocks.
 *
 * All instants and durations are microseconds in int64_t. An instant on the wall clock counts from
 * 1970-01-01T00:00:00Z without leap seconds (POSIX) and its name ends in _wall; an instant on the
 * monotonic clock (CLOCK_BOOTTIME: it counts through suspend) ends in _mono; a duration ends in _usec.
 * Range used: years 1970 to 9999. */

#include <stdbool.h>
#include <stdint.h>

typedef int64_t Usec;

#define USEC_PER_MSEC INT64_C(1000)
#define USEC_PER_SEC INT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK (7 * USEC_PER_DAY)

/* "Never": later than every instant, longer than every duration. */
#define USEC_INFINITY INT64_MAX
/* The last representable wall instant, 9999-12-31T23:59:59Z. */
#define WALL_MAX (INT64_C(253402300799) * USEC_PER_SEC)

/* One reading of both clocks; taken once per dispatch and handed down. */
typedef struct Now {
    Usec wall;
    Usec mono;
} Now;

static inline Usec usec_min(Usec a, Usec b) { return a < b ? a : b; }
static inline Usec usec_max(Usec a, Usec b) { return a > b ? a : b; }

/* Sum that saturates at USEC_INFINITY; neither argument is negative enough to underflow. */
static inline Usec usec_add(Usec a, Usec b) {
    Usec sum;
    return __builtin_add_overflow(a, b, &sum) ? USEC_INFINITY : sum;
}
