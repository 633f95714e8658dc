#include "io/clocks.h"

#include <time.h>

Now clocks_read(void) {
    struct timespec wall, mono;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &mono);
    return (Now){.wall = wall.tv_sec * USEC_PER_SEC + wall.tv_nsec / 1000,
                 .mono = mono.tv_sec * USEC_PER_SEC + mono.tv_nsec / 1000};
}
