#pragma once
/* What the daemon would do, found out with reading calls alone. */

#include "daemon/options.h"

/* Prints targets, their next slots, backup names and sizes on standard output. Exit status: 0 all targets can be backed
 * up; 1 not all, or the service could not be asked. */
int dry_run(const DaemonOptions *options);
