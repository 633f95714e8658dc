#include "io/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

void notify_ready(const char *status) { sd_notifyf(0, "READY=1\nSTATUS=%s", status); }

void notify_reloading(Usec monotonic_usec) {
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=Reloading the configuration", monotonic_usec);
}

void notify_stopping(void) { sd_notify(0, "STOPPING=1\nSTATUS=Stopping"); }

void notify_status(const char *status) { sd_notifyf(0, "STATUS=%s", status); }

void notify_watchdog(void) { sd_notify(0, "WATCHDOG=1"); }

Usec notify_watchdog_usec(void) {
    uint64_t usec;
    return sd_watchdog_enabled(0, &usec) > 0 ? (Usec)usec : 0;
}
