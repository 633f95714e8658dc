#pragma once
/* What the service manager is told (sd_notify(3)). All are silent without one. */

#include "base/clock.h"

void notify_ready(const char *status);
void notify_reloading(Usec monotonic_usec); /* of CLOCK_MONOTONIC */
void notify_stopping(void);
void notify_status(const char *status);
void notify_watchdog(void);
/* How often the watchdog wants to hear; 0: there is none. */
Usec notify_watchdog_usec(void);
