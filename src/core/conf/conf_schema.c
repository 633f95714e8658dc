#include "core/conf/conf_schema.h"

#include <errno.h>
#include <string.h>

#include "core/conf/conf.h"
#include "core/conf/conf_check.h"

#define MAX_USEC (520 * USEC_PER_WEEK)

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const actions[] = {[ACTION_BACKUP] = "backup", [ACTION_EXPORT] = "export",
                                      [ACTION_INCREMENTAL] = "incremental", NULL};
static const char *const catch_ups[] = {[CATCH_UP_LAST] = "last", [CATCH_UP_NONE] = "none", NULL};
static const char *const verify_levels[] = {
    [VERIFY_SERVICE] = "service", [VERIFY_MANIFEST] = "manifest", [VERIFY_OBJECTS] = "objects",
    [VERIFY_CONTENT] = "content", NULL};
static const char *const on_losts[] = {[ON_LOST_ASK] = "ask", [ON_LOST_FULL] = "full", NULL};
static const char *const view_types[] = {"NEW_AND_OLD_IMAGES", "NEW_IMAGE", NULL};
static const char *const expires[] = {
    [EXPIRE_OFF] = "off", [EXPIRE_REPORT] = "report", [EXPIRE_DELETE] = "delete", NULL};
static const char *const sse_algorithms[] = {"AES256", "KMS", NULL};
static const char *const pitr_wishes[] = {"ignore", "require", "enable", NULL};
static const char *const retry_modes[] = {"standard", "adaptive", NULL};
static const char *const formats[] = {"DYNAMODB_JSON", "ION", NULL};

#define ROOT .in = CONF_SECTION_ROOT
#define AWS .in = CONF_SECTION_AWS
#define SCHEDULE .in = CONF_SECTION_SCHEDULE
#define S3 .in = CONF_SECTION_S3
#define KEEP .in = CONF_SECTION_KEEP
#define ACCOUNT .in = CONF_SECTION_ACCOUNT
#define TABLES .in = CONF_SECTION_TABLES
#define LIMITS .in = CONF_SECTION_LIMITS
#define TEXT(field) .type = CONF_TYPE_TEXT, .offset = (field)
#define WORD(field, list) .type = CONF_TYPE_WORD, .offset = (field), .words = (list)
#define DURATION(field, low, high) .type = CONF_TYPE_DURATION, .offset = (field), .min = (low), .max = (high)
#define COUNT(field, low, high) .type = CONF_TYPE_COUNT, .offset = (field), .min = (low), .max = (high)
#define SIZE(field) .type = CONF_TYPE_SIZE, .offset = (field)
#define SWITCH(field) .type = CONF_TYPE_SWITCH, .offset = (field), .example = "true"
#define SHARE(field) .type = CONF_TYPE_SHARE, .offset = (field)
#define KEPT(field, high) COUNT(offsetof(RetentionKeep, field), 0, high), .default_text = "0"
#define OWNER_READS .offset = CONF_NO_OFFSET

const ConfKey conf_schema[] = {
    {ROOT, "deployment", TEXT(offsetof(Conf, deployment)), .required = true, .example = "\"acme\"",
     .check = check_deployment, .doc = "the name of this installation, which begins the name of every backup"},
    {ROOT, "log_level", WORD(offsetof(Conf, log_level), log_levels), .first = 3, .default_text = "info",
     .doc = "the least important messages that are said"},
    {ROOT, "control_group", TEXT(offsetof(Conf, control_group)), .check = check_line, .unset = "root alone",
     .doc = "the group whose members may give orders with ddbackupctl"},
    {ROOT, "aws", .type = CONF_TYPE_SECTION, .section = CONF_SECTION_AWS, .doc = "how to reach DynamoDB"},
    {ROOT, "accounts", .type = CONF_TYPE_NAMED, .section = CONF_SECTION_ACCOUNT, OWNER_READS,
     .example = "{ prod = { role_arn = \"arn:aws:iam::111111111111:role/ddbackupd\"; }; }",
     .unset = "that of the credentials, in aws.region", .doc = "whose tables, and in which regions"},
    {ROOT, "defaults", .type = CONF_TYPE_SECTION, .section = CONF_SECTION_SCHEDULE, OWNER_READS,
     .doc = "what schedules have unless they say otherwise"},
    {ROOT, "schedules", .type = CONF_TYPE_NAMED, .section = CONF_SECTION_SCHEDULE, OWNER_READS, .required = true,
     .example = "{ nightly = { action = \"backup\"; when = \"02:00\"; }; }", .doc = "what is done and when"},
    {ROOT, "tables", .type = CONF_TYPE_ENTRIES, .section = CONF_SECTION_TABLES, OWNER_READS, .required = true,
     .example = "( { match = \"*\"; schedules = \"nightly\"; } )", .doc = "which tables the schedules apply to"},
    {ROOT, "limits", .type = CONF_TYPE_SECTION, .section = CONF_SECTION_LIMITS, .doc = "how much is asked of DynamoDB"},

    {AWS, "region", TEXT(offsetof(Conf, aws.region)), .check = check_region,
     .unset = "AWS_REGION, AWS_DEFAULT_REGION, the region of the profile, or that of the instance",
     .doc = "the region of the tables"},
    {AWS, "endpoint_url", TEXT(offsetof(Conf, aws.endpoint_url)), .check = check_endpoint,
     .unset = "AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, endpoint_url of the profile, or that of the region",
     .doc = "where DynamoDB answers: scheme, host and port"},
    {AWS, "sts_endpoint_url", TEXT(offsetof(Conf, aws.sts_endpoint_url)), .check = check_endpoint,
     .unset = "AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, endpoint_url of the profile, or that of the region",
     .doc = "where STS answers, which roles need"},
    {AWS, "s3_endpoint_url", TEXT(offsetof(Conf, aws.s3_endpoint_url)), .check = check_endpoint,
     .unset = "AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, endpoint_url of the profile, or that of the region",
     .doc = "where S3 answers, which the checking of exports needs"},
    {AWS, "kms_endpoint_url", TEXT(offsetof(Conf, aws.kms_endpoint_url)), .check = check_endpoint,
     .unset = "AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, endpoint_url of the profile, or that of the region",
     .doc = "where KMS answers, which ddbackupctl doctor asks about keys"},
    {AWS, "use_fips_endpoint", SWITCH(offsetof(Conf, aws.fips)),
     .unset = "AWS_USE_FIPS_ENDPOINT, use_fips_endpoint of the profile, or false",
     .doc = "whether to use the endpoints with FIPS 140 cryptography"},
    {AWS, "use_dualstack_endpoint", SWITCH(offsetof(Conf, aws.dual_stack)),
     .unset = "AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint of the profile, or false",
     .doc = "whether to use the endpoints that answer over IPv6, too"},
    {AWS, "profile", TEXT(offsetof(Conf, aws.profile)), .check = check_line,
     .unset = "credentials of the environment, else the profile AWS_PROFILE, else default",
     .doc = "the profile of the shared credentials files"},
    {AWS, "ca_bundle", TEXT(offsetof(Conf, aws.ca_bundle)), .check = check_path,
     .unset = "AWS_CA_BUNDLE, ca_bundle of the profile, or that of the system",
     .doc = "a file with the certificates to trust"},
    {AWS, "unsigned", SWITCH(offsetof(Conf, aws.unsigned_requests)), .unset = "false",
     .doc = "requests without credentials and signatures, for local emulators"},
    {AWS, "connect_timeout", DURATION(offsetof(Conf, aws.connect_timeout_usec), 10 * USEC_PER_MSEC, USEC_PER_HOUR),
     .zero_too = true, .default_text = "5s", .doc = "how long a connection may take; 0: any time"},
    {AWS, "read_timeout", DURATION(offsetof(Conf, aws.read_timeout_usec), 10 * USEC_PER_MSEC, USEC_PER_HOUR),
     .zero_too = true, .default_text = "30s", .doc = "how long a request and its answer may take; 0: any time"},
    {AWS, "retry_mode", WORD(offsetof(Conf, aws.retry_mode), retry_modes), .first = RETRY_MODE_STANDARD,
     .unset = "AWS_RETRY_MODE, retry_mode of the profile, or adaptive",
     .doc = "whether throttling makes the daemon slower: adaptive, or standard"},
    {AWS, "max_attempts", COUNT(offsetof(Conf, aws.max_attempts), 1, 20), .example = "4",
     .unset = "AWS_MAX_ATTEMPTS, max_attempts of the profile, or 4",
     .doc = "how often one call is sent before it counts as failed for now"},
    {AWS, "discovery_interval", DURATION(offsetof(Conf, aws.discovery_interval_usec), USEC_PER_SEC, USEC_PER_DAY),
     .default_text = "15min", .doc = "how often the tables are listed, for patterns and tags"},
    {AWS, "inspection_interval", DURATION(offsetof(Conf, aws.inspection_interval_usec), USEC_PER_SEC, USEC_PER_WEEK),
     .default_text = "1h",
     .doc = "how often a table's tags and point-in-time recovery are looked at, where they matter"},

    {SCHEDULE, "action", WORD(offsetof(ScheduleConf, action), actions), .required = true, .example = "\"backup\"",
     .own = true, .doc = "an on-demand backup, a full export to S3, or a chain of incremental exports"},
    {SCHEDULE, "when", TEXT(offsetof(ScheduleConf, when_text)), .required = true, .example = "\"02:00\"", .own = true,
     .check = check_line, .doc = "a calendar expression"},
    {SCHEDULE, "timezone", .type = CONF_TYPE_TEXT, OWNER_READS, .check = check_line, .default_text = "UTC",
     .doc = "the zone in which `when` is meant"},
    {SCHEDULE, "spread", DURATION(offsetof(ScheduleConf, spread_usec), USEC_PER_SEC, MAX_USEC), .zero_too = true,
     .default_text = "0", .doc = "the span over which the tables are spread"},
    {SCHEDULE, "not_during", .type = CONF_TYPE_TEXTS, OWNER_READS, .check = check_line, .unset = "none",
     .doc = "times of the week in which nothing begins, such as \"Mon..Fri 08:00..18:00\""},
    {SCHEDULE, "start_within", DURATION(offsetof(ScheduleConf, start_within_usec), USEC_PER_SEC, MAX_USEC),
     .default_text = "6h", .doc = "a run that has not begun by then is skipped"},
    {SCHEDULE, "warn_after", DURATION(offsetof(ScheduleConf, warn_after_usec), USEC_PER_SEC, MAX_USEC),
     .zero_too = true, .default_text = "4h", .doc = "a run that takes longer is said to be late; 0: never"},
    {SCHEDULE, "finish_within", DURATION(offsetof(ScheduleConf, finish_within_usec), USEC_PER_SEC, MAX_USEC),
     .default_text = "24h", .doc = "a run that takes longer has failed"},
    {SCHEDULE, "max_age", DURATION(offsetof(ScheduleConf, max_age_usec), USEC_PER_SEC, MAX_USEC), .zero_too = true,
     .default_text = "0", .doc = "a table whose newest verified artefact is older is stale; 0: not watched"},
    {SCHEDULE, "catch_up", WORD(offsetof(ScheduleConf, catch_up), catch_ups), .default_text = "last",
     .doc = "what becomes of slots that were missed: the newest runs, or none"},
    {SCHEDULE, "verify", WORD(offsetof(ScheduleConf, verify), verify_levels), .default_text = "service",
     .doc = "how an export is checked: by what DynamoDB says of it, and by its manifest, objects or content in the "
            "bucket"},
    {SCHEDULE, "reverify", DURATION(offsetof(ScheduleConf, reverify_usec), USEC_PER_HOUR, MAX_USEC), .zero_too = true,
     .default_text = "0", .doc = "exports are checked again when their last check is older; 0: never"},
    {SCHEDULE, "pitr", WORD(offsetof(ScheduleConf, pitr), pitr_wishes), .first = PITR_IGNORE,
     .unset = "require for exports, else ignore",
     .doc = "what is done about tables without point-in-time recovery: nothing, an alarm, or it is switched on"},
    {SCHEDULE, "base", TEXT(offsetof(ScheduleConf, base)), .own = true, .chains = true, .check = check_line,
     .unset = "incremental exports need it", .doc = "the schedule of full exports that chains begin with"},
    {SCHEDULE, "on_lost", WORD(offsetof(ScheduleConf, on_lost), on_losts), .default_text = "ask", .chains = true,
     .doc = "a chain that has none, or has lost time, waits for a new base, or asks for one by itself"},
    {SCHEDULE, "view_type", TEXT(offsetof(ScheduleConf, view_type)), .words = view_types, .chains = true,
     .unset = "NEW_AND_OLD_IMAGES", .doc = "what incremental exports hold of an item that was changed"},
    {SCHEDULE, "s3", .type = CONF_TYPE_SECTION, .section = CONF_SECTION_S3, .offset = offsetof(ScheduleConf, s3),
     .doc = "where exports go"},
    {SCHEDULE, "keep", .type = CONF_TYPE_SECTION, .section = CONF_SECTION_KEEP, .offset = offsetof(ScheduleConf, keep),
     .doc = "which artefacts are wanted"},
    {SCHEDULE, "expire", WORD(offsetof(ScheduleConf, expire), expires), .default_text = "report",
     .doc = "what becomes of those that are not"},
    {SCHEDULE, "formerly", .type = CONF_TYPE_TEXTS, OWNER_READS, .own = true, .check = check_schedule_name,
     .unset = "none", .doc = "its names before: what it made under them is its own"},

    {S3, "bucket", TEXT(offsetof(S3Conf, bucket)), .check = check_bucket, .unset = "exports need it",
     .doc = "the bucket; may hold templates"},
    {S3, "bucket_owner", TEXT(offsetof(S3Conf, bucket_owner)), .check = check_account, .empty_too = true,
     .unset = "the account of the tables", .doc = "the account that owns the bucket"},
    {S3, "prefix", TEXT(offsetof(S3Conf, prefix)), .check = check_prefix, .empty_too = true,
     .unset = "the root of the bucket", .doc = "the folder; may hold templates"},
    {S3, "sse_algorithm", TEXT(offsetof(S3Conf, sse_algorithm)), .words = sse_algorithms, .unset = "AES256",
     .doc = "how the objects are encrypted"},
    {S3, "kms_key_id", TEXT(offsetof(S3Conf, kms_key_id)), .check = check_kms_key, .empty_too = true, .unset = "aws/s3",
     .doc = "the key, with KMS"},
    {S3, "format", TEXT(offsetof(S3Conf, format)), .words = formats, .unset = "DYNAMODB_JSON",
     .doc = "the form of the items"},

    {KEEP, "last", KEPT(last, 100000), .doc = "the newest ones"},
    {KEEP, "hourly", KEPT(hourly, 100000), .doc = "the newest one of each of the newest hours"},
    {KEEP, "daily", KEPT(daily, 100000), .doc = "the newest one of each of the newest days"},
    {KEEP, "weekly", KEPT(weekly, 10000), .doc = "the newest one of each of the newest weeks, from Monday"},
    {KEEP, "monthly", KEPT(monthly, 10000), .doc = "the newest one of each of the newest months"},
    {KEEP, "yearly", KEPT(yearly, 1000), .doc = "the newest one of each of the newest years"},
    {KEEP, "within", DURATION(offsetof(RetentionKeep, within_usec), USEC_PER_SEC, 10 * MAX_USEC), .zero_too = true,
     .default_text = "0", .doc = "those made at most so long before the newest one"},
    {KEEP, "floor", COUNT(offsetof(RetentionKeep, floor), 1, 1000), .default_text = "1",
     .doc = "so many of the newest are never deleted"},

    {ACCOUNT, "role_arn", TEXT(offsetof(AccountConf, role_arn)), .check = check_role_arn,
     .unset = "the daemon's own credentials", .doc = "the role that lets the daemon in"},
    {ACCOUNT, "external_id", TEXT(offsetof(AccountConf, external_id)), .check = check_external_id, .unset = "none",
     .doc = "what the role's trust policy asks for beside it"},
    {ACCOUNT, "role_session_name", TEXT(offsetof(AccountConf, session_name)), .check = check_session_name,
     .unset = "ddbackupd and the deployment", .doc = "how the daemon's calls are called in CloudTrail"},
    {ACCOUNT, "regions", .type = CONF_TYPE_TEXTS, OWNER_READS, .check = check_region, .unset = "aws.region",
     .doc = "the regions of its tables"},

    {TABLES, "match", .type = CONF_TYPE_TEXTS, OWNER_READS, .example = "\"*\"", .check = check_table,
     .unset = "every table that has the tags", .doc = "names of tables, their ARNs, and patterns"},
    {TABLES, "tags", .type = CONF_TYPE_TEXTS, OWNER_READS, .check = check_tag, .unset = "whatever they are",
     .doc = "the tags that they must have, key=value"},
    {TABLES, "exclude", .type = CONF_TYPE_TEXTS, OWNER_READS, .check = check_table, .unset = "none",
     .doc = "names, ARNs and patterns that this entry leaves out"},
    {TABLES, "min_tables", COUNT(offsetof(TablesConf, min_tables), 1, 1000000), .example = "1",
     .unset = "any number is all right", .doc = "fewer tables than so many are an alarm"},
    {TABLES, "accounts", .type = CONF_TYPE_TEXTS, OWNER_READS, .check = check_line, .unset = "every one",
     .doc = "names of the accounts that this entry is for"},
    {TABLES, "schedules", .type = CONF_TYPE_TEXTS, OWNER_READS, .required = true, .example = "\"nightly\"",
     .check = check_line, .doc = "names of the schedules that apply to them"},
    {TABLES, "reason", TEXT(offsetof(TablesConf, reason)), .check = check_line,
     .unset = "for entries without schedules", .doc = "why nothing is done to them"},

    {LIMITS, "rate_share", SHARE(offsetof(Conf, limits.rate_share)), .default_text = "0.5",
     .doc = "the share of DynamoDB's request rates to use"},
    {LIMITS, "max_exports_in_flight", COUNT(offsetof(Conf, limits.max_exports_in_flight), 1, 10000),
     .default_text = "200", .doc = "exports that run at once in one account and region; the others wait"},
    {LIMITS, "listing_lag", DURATION(offsetof(Conf, limits.listing_lag_usec), USEC_PER_SEC, USEC_PER_DAY),
     .zero_too = true, .default_text = "5min", .doc = "how late a new backup may show in listings"},
    {LIMITS, "max_delete_share", SHARE(offsetof(Conf, limits.max_delete_share)), .default_text = "0.1",
     .doc = "the share of the artefacts that may expire at once; more waits for a person"},
    {LIMITS, "max_delete", COUNT(offsetof(Conf, limits.max_delete), 1, 1000000), .default_text = "1000",
     .doc = "how many artefacts may expire at once; more waits for a person"},
    {LIMITS, "max_new_full_bytes", SIZE(offsetof(Conf, limits.max_new_full_bytes)), .default_text = "500G",
     .doc = "above it a chain asks for no new base by itself, whatever on_lost says"},
};

const size_t conf_schema_size = ARRAY_SIZE(conf_schema);

const ConfKey *conf_key(ConfSection in, const char *name) {
    for (size_t i = 0; i < conf_schema_size; i++)
        if (conf_schema[i].in == in && strcmp(conf_schema[i].name, name) == 0)
            return &conf_schema[i];
    return NULL;
}

const char *conf_section_describe(ConfSection in) {
    static const char *const words[CONF_SECTIONS] = {
        [CONF_SECTION_ROOT] = "the top level, outside of groups",
        [CONF_SECTION_AWS] = "aws",
        [CONF_SECTION_SCHEDULE] = "a schedule",
        [CONF_SECTION_S3] = "s3",
        [CONF_SECTION_KEEP] = "keep",
        [CONF_SECTION_ACCOUNT] = "an account",
        [CONF_SECTION_TABLES] = "an entry of tables",
        [CONF_SECTION_LIMITS] = "limits",
    };
    return words[in];
}

const char *action_to_string(Action a) { return actions[a]; }

int action_from_string(const char *s, Action *ret) {
    for (size_t i = 0; actions[i]; i++)
        if (strcmp(actions[i], s) == 0) {
            *ret = (Action)i;
            return 0;
        }
    return -EINVAL;
}

const char *verify_level_to_string(VerifyLevel l) { return verify_levels[l]; }

int verify_level_from_string(const char *s, VerifyLevel *ret) {
    for (size_t i = 0; verify_levels[i]; i++)
        if (strcmp(verify_levels[i], s) == 0) {
            *ret = (VerifyLevel)i;
            return 0;
        }
    return -EINVAL;
}

bool conf_key_is_planned(const char *name) {
    static const char *const planned[] = {"hooks"};
    for (size_t i = 0; i < ARRAY_SIZE(planned); i++)
        if (strcmp(planned[i], name) == 0)
            return true;
    return false;
}
