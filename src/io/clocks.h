#pragma once
/* What time it is. The programs ask once per dispatch and hand it down. */

#include "base/clock.h"

/* CLOCK_REALTIME and CLOCK_BOOTTIME. */
Now clocks_read(void);
