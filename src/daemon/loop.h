#pragma once
/* The daemon's one loop: sd-event around the engine. It reads the clocks, once a turn, and does in this order what the
 * engine's contract asks: turn, commit, say, send. */

#include "daemon/options.h"

/* Runs until SIGTERM or SIGINT. The exit status: 0 stopped; 1 could not start; 78 the configuration is bad; 70 a turn
 * or a commit failed, and the next start goes on from disk. */
int loop_run(const DaemonOptions *options);
