#pragma once
/* The command line of ddbackupd; ddbackupd(8) explains each. */

#include <stdbool.h>

#include "io/journal.h"

typedef enum DaemonVerb { DAEMON_RUN, DAEMON_CHECK_CONFIG, DAEMON_DUMP_CONFIG, DAEMON_DRY_RUN } DaemonVerb;

typedef struct DaemonOptions {
    DaemonVerb verb;
    const char *config;          /* file; its drop-ins stand in conf.d beside it */
    const char *state_directory;
    const char *runtime_directory; /* of the control socket */
    JournalTo log;
    bool quiet; /* CHECK_CONFIG */
} DaemonOptions;

/* 1: go on. 0: answered (--help, --version), exit 0. -EINVAL: said why on standard error, exit 2. */
int options_parse(int argc, char **argv, DaemonOptions *ret);
