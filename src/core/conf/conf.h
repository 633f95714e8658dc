#pragma once
/* The configuration: typed, checked, immutable once made. Keys, types, ranges, defaults and doc lines stand in
 * core/conf/conf_schema.c, one row each; core/conf/conf_tree.h is what the file reader (src/io/conf_file) hands in. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"
#include "core/calendar/blackout.h"
#include "core/calendar/calendar.h"
#include "core/calendar/zone.h"
#include "core/conf/conf_tree.h"
#include "core/conf/s3_conf.h"
#include "core/retention/retention.h"

typedef enum Action { ACTION_BACKUP, ACTION_EXPORT, ACTION_INCREMENTAL } Action;
typedef enum CatchUp { CATCH_UP_LAST, CATCH_UP_NONE } CatchUp;
/* Of exports (core/verify/verify.h); each includes those before it. */
typedef enum VerifyLevel { VERIFY_SERVICE, VERIFY_MANIFEST, VERIFY_OBJECTS, VERIFY_CONTENT } VerifyLevel;
const char *verify_level_to_string(VerifyLevel l);
int verify_level_from_string(const char *s, VerifyLevel *ret); /* -EINVAL */
typedef enum OnLost { ON_LOST_ASK, ON_LOST_FULL } OnLost;
/* What becomes of artefacts that `keep` no longer wants. */
typedef enum Expire { EXPIRE_OFF, EXPIRE_REPORT, EXPIRE_DELETE } Expire;
typedef enum Switch { SWITCH_UNSET, SWITCH_OFF, SWITCH_ON } Switch;
/* What is to be done about a table's point-in-time recovery. UNSET is REQUIRE for exports, else IGNORE; the later, the
 * stronger. */
typedef enum PitrWish { PITR_UNSET, PITR_IGNORE, PITR_REQUIRE, PITR_ENABLE } PitrWish;
/* UNSET is ADAPTIVE. */
typedef enum RetryMode { RETRY_MODE_UNSET, RETRY_MODE_STANDARD, RETRY_MODE_ADAPTIVE } RetryMode;

/* Sends of one call, where nobody says how many. */
#define CONF_MAX_ATTEMPTS 4

const char *action_to_string(Action a);
int action_from_string(const char *s, Action *ret); /* -EINVAL */

typedef struct ScheduleConf {
    char *name; /* at most 64 of [A-Za-z0-9_-] */
    Action action;
    Calendar *when;
    char *when_text;
    const Zone *zone; /* the expression's own, else `timezone`; owned by Conf */
    Usec spread_usec;
    Blackout *not_during; /* in its zone: nothing begins then */
    size_t n_not_during;
    Usec start_within_usec;  /* after slot + spread; later a run is skipped */
    Usec warn_after_usec;    /* soft deadline, from the start; 0: none */
    Usec finish_within_usec; /* hard deadline, from the start */
    Usec max_age_usec;       /* 0: freshness is not watched */
    CatchUp catch_up;
    VerifyLevel verify;
    Usec reverify_usec; /* exports are checked again when their last check is older; 0: never */
    PitrWish pitr;
    RetentionKeep keep;
    Expire expire;
    char **formerly; /* its names before: what it made under them is its own */
    size_t n_formerly;
    S3Conf s3;       /* export, incremental */
    char *base;      /* incremental: the name of the schedule of exports that its chains begin with */
    OnLost on_lost;  /* incremental */
    char *view_type; /* incremental; NULL: NEW_AND_OLD_IMAGES */
} ScheduleConf;

/* The account whose credentials the daemon itself holds, where the configuration names none. */
#define ACCOUNT_OWN "own"

/* One of `accounts`: whose tables are meant, and how to get in. */
typedef struct AccountConf {
    char *name;     /* at most 64 of [A-Za-z0-9_-]; in the ledger and in messages */
    char *role_arn; /* NULL: the daemon's own credentials */
    char *external_id, *session_name; /* of the role; NULL: none, the default */
    char **regions; /* none: that of the daemon (src/io/region) */
    size_t n_regions;
} AccountConf;

/* Names without wildcards, sorted; then ARNs, sorted by their tables; then patterns. */
typedef struct TableSelectors {
    char **items;
    size_t n_items, n_names, n_arns;
} TableSelectors;

/* One entry of `tables`. */
typedef struct TablesConf {
    TableSelectors match; /* none: every table that has the tags */
    TableSelectors exclude;
    char **tags; /* "key=value", which may hold wildcards; it must have each of them */
    size_t n_tags;
    const ScheduleConf **schedules; /* borrowed from Conf */
    size_t n_schedules;
    const AccountConf **accounts; /* borrowed from Conf; none: every one */
    size_t n_accounts;
    int min_tables; /* fewer are an alarm; 0: none */
    char *reason; /* with no schedules: why these tables are unprotected on purpose */
} TablesConf;

typedef struct Conf {
    char *deployment; /* at most 32 of [A-Za-z0-9_-] */
    char *control_group; /* whose members may give orders; NULL: root alone may */
    int log_level;    /* as in syslog(3): 3 error .. 7 debug */
    /* What is not set here the environment or the profile may have: src/io/aws_defaults fills it in. */
    struct {
        char *region;           /* NULL: from the environment or profile (src/io/region) */
        char *endpoint_url;     /* NULL: AWS's */
        char *sts_endpoint_url; /* the same of STS */
        char *s3_endpoint_url;  /* and of S3 */
        char *kms_endpoint_url; /* and of KMS */
        Switch fips, dual_stack;
        bool sts_legacy; /* STS at its global host where AWS allows it; src/io/aws_defaults alone sets it */
        char *profile;   /* NULL: AWS_PROFILE, else "default" */
        char *ca_bundle; /* NULL: the system's */
        Switch unsigned_requests;
        Usec connect_timeout_usec, read_timeout_usec; /* 0: none */
        RetryMode retry_mode;
        int max_attempts; /* 0: CONF_MAX_ATTEMPTS */
        Usec discovery_interval_usec; /* how often patterns are matched against ListTables */
        Usec inspection_interval_usec; /* how old the tags of a table may get, where they matter */
    } aws;
    struct {
        double rate_share;
        int max_exports_in_flight; /* in one account and region */
        Usec listing_lag_usec; /* allowance for a new backup to show in ListBackups */
        double max_delete_share; /* of what is there; more at once waits for a person */
        int max_delete;
        uint64_t verify_rate; /* bytes a second at which content is read; 0: any */
        uint64_t max_new_full_bytes; /* the largest table whose base a chain may ask for by itself */
    } limits;
    AccountConf *accounts; /* none: one, ACCOUNT_OWN, with the daemon's own credentials and region */
    size_t n_accounts;
    ScheduleConf *schedules;
    size_t n_schedules;
    TablesConf *tables;
    size_t n_tables;
    Zone **zones; /* owned here, shared by schedules */
    size_t n_zones;
} Conf;

/* How core gets the bytes of a zone: src/io/zone_file or a test. -ENOENT: no such zone. */
typedef int (*ZoneLoader)(void *context, const char *name, Zone **ret);

/* At most so many. */
#define CONF_SCHEDULES_MAX 1024
#define CONF_ACCOUNTS_MAX 1024

/* Checks the tree against the schema and makes the configuration. All errors are found in one go and added to
 * `problems`; returns -EINVAL when there are any. -ENOMEM. */
int conf_from_tree(const ConfTree *tree, ZoneLoader load_zone, void *context, ConfProblems *problems, Conf **ret);
void conf_free(Conf *c);
DEFINE_CLEANUP(Conf, conf_free)

const ScheduleConf *conf_schedule(const Conf *c, const char *name); /* or NULL */
bool conf_schedule_is(const ScheduleConf *s, const char *name);     /* its name, or a former one? */

const AccountConf *conf_account(const Conf *c, const char *name);   /* or NULL */
/* The 12 digits of its role; "" where it has none. */
const char *conf_account_id(const AccountConf *a, char buffer[static 13]);
size_t conf_n_places(const Conf *c);   /* regions of accounts */
bool conf_needs_region(const Conf *c); /* some account does not name its regions */

/* The text of --dump-config: every key with its effective value and where it came from. */
int conf_dump(const ConfTree *tree, char **ret);

/* Replaces %{account}, %{region}, %{table}, %{deployment}, %{schedule}, and "%%" by "%". -EINVAL for any other "%". */
typedef struct ConfNames {
    const char *deployment, *account, *region, *table, *schedule;
} ConfNames;
int conf_expand(const char *text, const ConfNames *names, char **ret);
