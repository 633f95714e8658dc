/* ddbackupd: backs up Amazon DynamoDB tables on schedules. */

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon/check_config.h"
#include "daemon/dry_run.h"
#include "daemon/loop.h"
#include "daemon/options.h"

/* Secrets are in this memory: no core dumps, no ptrace by the same user. New files are for the
 * service's group to read. */
static void harden(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(0027);
}

int main(int argc, char **argv) {
    DaemonOptions options;
    int r = options_parse(argc, argv, &options);
    if (r <= 0)
        return r < 0 ? 2 : 0;
    harden();
    journal_open(options.log, 6);
    switch (options.verb) {
    case DAEMON_CHECK_CONFIG:
        return check_config(options.config, options.quiet, stdout, stderr);
    case DAEMON_DUMP_CONFIG:
        return dump_config(options.config, stdout, stderr);
    case DAEMON_DRY_RUN:
        return dry_run(&options);
    case DAEMON_RUN:
        break;
    }
    return loop_run(&options);
}
