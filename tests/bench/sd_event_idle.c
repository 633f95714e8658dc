/* A process that links what ddbackupd links and waits on an sd-event loop: what its idle memory is compared with. */

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-event.h>

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) { return 0; }

int main(void) {
    sd_event *event = NULL;
    if (sd_event_new(&event) < 0 ||
        sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, UINT64_C(86400000000), 0, on_timer, NULL) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    return sd_event_loop(event) < 0;
}
