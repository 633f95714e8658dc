#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/parse.h"
#include "io/directories.h"
#include "io/option_error.h"

static const char usage[] =
    "Usage: ddbackupd [OPTION]...\n"
    "Backs up Amazon DynamoDB tables on schedules. It stays in the foreground.\n"
    "\n"
    "  --config=FILE           read FILE (" SYSCONFDIR "/ddbackupd/ddbackupd.conf) and conf.d/*.conf beside it\n"
    "  --state-directory=DIR   keep the ledger in DIR ($STATE_DIRECTORY, else " LOCALSTATEDIR "/lib/ddbackupd)\n"
    "  --runtime-directory=DIR be asked through DIR/control ($RUNTIME_DIRECTORY, else /run/ddbackupd)\n"
    "  --log=auto|journal|stderr\n"
    "                          where to say things: the journal with fields, or lines on standard error (auto)\n"
    "  --check-config          check the configuration and exit: 0 good, though there may be warnings, 78 not\n"
    "  --quiet                 with --check-config: say what is wrong, and nothing else\n"
    "  --dump-config           print every key with its effective value and where it came from\n"
    "  --dry-run               ask the service, with reading calls alone: print targets, next slots, names, sizes\n"
    "  --help, --version\n"
    "\n"
    "See ddbackupd(8), ddbackupd.conf(5), ddbackupctl(1).\n";

enum { OPT_CONFIG = 256, OPT_STATE, OPT_RUNTIME, OPT_LOG, OPT_CHECK, OPT_DUMP, OPT_DRY, OPT_QUIET,
       OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"state-directory", required_argument, NULL, OPT_STATE},
    {"runtime-directory", required_argument, NULL, OPT_RUNTIME},
    {"log", required_argument, NULL, OPT_LOG},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"dump-config", no_argument, NULL, OPT_DUMP},
    {"dry-run", no_argument, NULL, OPT_DRY},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {},
};

static int parse_log(const char *value, JournalTo *ret) {
    static const char *const names[] =
        {[JOURNAL_AUTO] = "auto", [JOURNAL_FIELDS] = "journal", [JOURNAL_LINES] = "stderr"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(value, names[i]) == 0) {
            *ret = (JournalTo)i;
            return 0;
        }
    fprintf(stderr, "ddbackupd: --log=%s: no such place; HINT: auto, journal or stderr\n", value);
    return -EINVAL;
}

int options_parse(int argc, char **argv, DaemonOptions *ret) {
    DaemonOptions o = {.config = SYSCONFDIR "/ddbackupd/ddbackupd.conf", .state_directory = directories_state(),
                       .runtime_directory = directories_runtime()};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
        switch (c) {
        case OPT_CONFIG:
            o.config = optarg;
            break;
        case OPT_STATE:
            o.state_directory = optarg;
            break;
        case OPT_RUNTIME:
            o.runtime_directory = optarg;
            break;
        case OPT_LOG:
            if (parse_log(optarg, &o.log) < 0)
                return -EINVAL;
            break;
        case OPT_CHECK:
            o.verb = DAEMON_CHECK_CONFIG;
            break;
        case OPT_DUMP:
            o.verb = DAEMON_DUMP_CONFIG;
            break;
        case OPT_DRY:
            o.verb = DAEMON_DRY_RUN;
            break;
        case OPT_QUIET:
            o.quiet = true;
            break;
        case OPT_HELP:
            fputs(usage, stdout);
            return 0;
        case OPT_VERSION:
            puts(PACKAGE_STRING);
            return 0;
        default:
            return option_error("ddbackupd", long_options, argv[optind - 1]);
        }
    if (optind < argc) {
        fprintf(stderr, "ddbackupd: %s: takes no arguments; HINT: see ddbackupd --help\n", argv[optind]);
        return -EINVAL;
    }
    if (o.quiet && o.verb != DAEMON_CHECK_CONFIG) {
        fprintf(stderr, "ddbackupd: --quiet: goes with --check-config alone; HINT: log_level says how much a daemon "
                        "says\n");
        return -EINVAL;
    }
    *ret = o;
    return 1;
}
