#pragma once
/* The command line of ddbackupctl; ddbackupctl(1) explains each. */

#include <stdbool.h>
#include <stdint.h>

#include "core/conf/conf.h"

typedef enum CtlVerb {
    CTL_STATUS,
    CTL_LIST,
    CTL_SHOW,
    CTL_CHECK,
    CTL_PLAN,
    CTL_PRUNE,
    CTL_CALENDAR,
    CTL_DOCTOR,
    CTL_REBUILD,
    CTL_SET_ASIDE,
    CTL_VERIFY,
    CTL_RUN,
    CTL_PAUSE,
    CTL_RESUME,
    CTL_RELOAD,
    CTL_HOLD,
    CTL_RELEASE,
    CTL_ADOPT,
    CTL_CHAIN,
    CTL_VERBS
} CtlVerb;

typedef enum ListWhat { LIST_RUNS, LIST_UNPROTECTED, LIST_ORPHANED, LIST_FOREIGN } ListWhat;

typedef struct CtlOptions {
    CtlVerb verb;
    const char *state_directory;
    const char *runtime_directory; /* of the control socket */
    const char *config;
    bool config_given; /* --config was, so that a file that cannot be read is a problem */
    bool json, all, arn, dry_run, yes;
    bool by_daemon; /* verify */
    bool remote; /* chain: by the bucket and the service, not the ledger */
    const char *table, *schedule; /* NULL: every one */
    bool has_action;
    Action action;
    ListWhat list;
    int64_t limit; /* list: so many runs at most; 0: no limit */
    int64_t days;  /* plan */
    bool has_level;
    VerifyLevel level; /* verify */
    const char *expression, *timezone, *base_time; /* calendar; NULL: UTC, now */
    int64_t iterations;
    const char *run; /* show; hold and release: what they are about */
    const char *order_schedule, *order_table; /* run; the table is NULL for all of them */
    const char *artefact; /* adopt */
    bool wait, expiry; /* run; resume */
    int64_t confirm;   /* prune: so many may go; 0: not given */
    const char *why;
    Usec for_usec, until_wall; /* 0: not given */
} CtlOptions;

/* 1: go on. 0: answered (--help, --version). -EINVAL: said why on standard error; ret->verb is set when the verb was
 * known, else CTL_VERBS. */
int options_parse(int argc, char **argv, CtlOptions *ret);

/* Do --table and --schedule select it? A pattern with a '/' is matched against account/region/table. */
bool options_select(const CtlOptions *o, const char *account, const char *region, const char *table,
                    const char *schedule);
