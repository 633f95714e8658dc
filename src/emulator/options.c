#include "emulator/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "io/option_error.h"

static const char usage[] =
    "Usage: ddbackup-emulator [OPTION]...\n"
    "Serves the backup part of Amazon DynamoDB's API, and S3 and KMS for its exports, for tests, from memory.\n"
    "\n"
    "  --port=N                listen on N (8000); 0 picks a free one, and the first line of output names it\n"
    "  --address=ADDRESS       listen on a numeric address (127.0.0.1)\n"
    "  --table=NAME[:pitr][:items=N][:size=SIZE][:tag=KEY=VALUE]\n"
    "                          a table that every region has from the start; may be repeated\n"
    "  --bucket=NAME[:region=REGION][:owner=ACCOUNT][:versioned][:kms=KEY][:expire=DAYS]\n"
    "                          a bucket of S3; may be repeated; exports to others fail then\n"
    "  --key=ALIAS[:region=REGION][:state=STATE][:spec=SPEC]\n"
    "                          a key of KMS; may be repeated; exports that name others fail then\n"
    "  --backup-time=DURATION  how long a backup is CREATING (50ms)\n"
    "  --export-time=DURATION  how long an export is IN_PROGRESS (5s)\n"
    "  --restore-time=DURATION how long a restore takes (1s)\n"
    "  --table-time=DURATION   how long a table is CREATING or DELETING (0)\n"
    "  --lifelike              take as long as AWS with small tables, for all of these and more\n"
    "  --access-key=ID         the key that it knows (AKIAEMULATOR00000000)\n"
    "  --secret-key=SECRET     its secret (emulator/secret/which/nobody/keeps/00000)\n"
    "  --session-token=TOKEN   the token that must come with it (none)\n"
    "  --account=ID            the account that everything belongs to (123456789012)\n"
    "  --region=REGION         serve this region alone (any that a signature names)\n"
    "  --foreign-backups=N     every region has N backups that others made the day before (0)\n"
    "  --no-auth               do not look at signatures\n"
    "  --no-rates              no limits of calls a second\n"
    "  --fault=RULE            what goes wrong; may be repeated\n"
    "  --faults=FILE           the same, one rule a line\n"
    "  --log=FILE              a line of JSON per request\n"
    "  --clock-offset=DURATION its clock is ahead by so much, or behind by -DURATION\n"
    "  --seed=N                make the same names of things every time\n"
    "  --help, --version\n"
    "\n"
    "See ddbackup-emulator(1).\n";

enum {
    OPT_PORT = 256,
    OPT_ADDRESS,
    OPT_TABLE,
    OPT_BUCKET,
    OPT_KEY,
    OPT_BACKUP_TIME,
    OPT_EXPORT_TIME,
    OPT_RESTORE_TIME,
    OPT_TABLE_TIME,
    OPT_LIFELIKE,
    OPT_ACCESS_KEY,
    OPT_SECRET_KEY,
    OPT_SESSION_TOKEN,
    OPT_ACCOUNT,
    OPT_REGION,
    OPT_FOREIGN_BACKUPS,
    OPT_NO_AUTH,
    OPT_NO_RATES,
    OPT_FAULT,
    OPT_FAULTS,
    OPT_LOG,
    OPT_CLOCK_OFFSET,
    OPT_SEED,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, OPT_PORT},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"table", required_argument, NULL, OPT_TABLE},
    {"bucket", required_argument, NULL, OPT_BUCKET},
    {"key", required_argument, NULL, OPT_KEY},
    {"backup-time", required_argument, NULL, OPT_BACKUP_TIME},
    {"export-time", required_argument, NULL, OPT_EXPORT_TIME},
    {"restore-time", required_argument, NULL, OPT_RESTORE_TIME},
    {"table-time", required_argument, NULL, OPT_TABLE_TIME},
    {"lifelike", no_argument, NULL, OPT_LIFELIKE},
    {"access-key", required_argument, NULL, OPT_ACCESS_KEY},
    {"secret-key", required_argument, NULL, OPT_SECRET_KEY},
    {"session-token", required_argument, NULL, OPT_SESSION_TOKEN},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"region", required_argument, NULL, OPT_REGION},
    {"foreign-backups", required_argument, NULL, OPT_FOREIGN_BACKUPS},
    {"no-auth", no_argument, NULL, OPT_NO_AUTH},
    {"no-rates", no_argument, NULL, OPT_NO_RATES},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"faults", required_argument, NULL, OPT_FAULTS},
    {"log", required_argument, NULL, OPT_LOG},
    {"clock-offset", required_argument, NULL, OPT_CLOCK_OFFSET},
    {"seed", required_argument, NULL, OPT_SEED},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {},
};

static int complain(const char *option, const char *value, const char *why) {
    fprintf(stderr, "ddbackup-emulator: --%s=%s: %s\n", option, value, why);
    return -EINVAL;
}

static int parse_number(const char *option, const char *value, int64_t max, int64_t *ret) {
    return parse_int(value, 0, max, ret) < 0 ? complain(option, value, "not a number, or too large") : 0;
}

static int parse_time(const char *option, const char *value, Usec *ret) {
    return parse_duration(value, ret) < 0 ? complain(option, value, "not a duration; HINT: 250ms, 5s, 2min") : 0;
}

/* One of the parts of --table that follow the name. */
static int parse_table_part(const char *part, ServiceSeed *seed) {
    uint64_t size;
    if (strcmp(part, "pitr") == 0)
        seed->pitr = true;
    else if (text_starts_with(part, "tag="))
        return seed->tag || !strchr(part + strlen("tag="), '=') ? -EINVAL : text_set(&seed->tag, part + strlen("tag="));
    else if (text_starts_with(part, "items="))
        return parse_int(part + strlen("items="), 0, INT64_MAX, &seed->n_items);
    else if (text_starts_with(part, "size=")) {
        if (parse_size(part + strlen("size="), &size) < 0 || size > INT64_MAX)
            return -EINVAL;
        seed->size_bytes = (int64_t)size;
    } else
        return -EINVAL;
    return 0;
}

static void free_seed(ServiceSeed *seed) {
    free(seed->name);
    free(seed->tag);
}

static int parse_table(char *value, EmulatorOptions *o) {
    ServiceSeed seed = {};
    AUTO_FREE char *copy = strdup(value);
    char *rest = copy, *part;
    if (!copy)
        return -ENOMEM;
    seed.name = strsep(&rest, ":");
    while ((part = strsep(&rest, ":")))
        if (parse_table_part(part, &seed) < 0) {
            free(seed.tag);
            return complain("table", value, "not a table; HINT: NAME[:pitr][:items=N][:size=SIZE][:tag=KEY=VALUE]");
        }
    seed.name = strdup(seed.name);
    if (!seed.name || ARRAY_GROW(o->tables, o->n_tables, o->n_tables_room) < 0) {
        free_seed(&seed);
        return -ENOMEM;
    }
    o->tables[o->n_tables++] = seed;
    return 0;
}

/* One of the parts of --bucket that follow the name. */
static int parse_bucket_part(const char *part, ServiceBucketSeed *seed) {
    int64_t days = 0;
    if (strcmp(part, "versioned") == 0)
        seed->versioned = true;
    else if (text_starts_with(part, "region="))
        return text_set(&seed->region, part + strlen("region="));
    else if (text_starts_with(part, "kms="))
        return text_set(&seed->kms_key, part + strlen("kms="));
    else if (text_starts_with(part, "owner=") && strlen(part) == strlen("owner=") + 12)
        return text_set(&seed->owner, part + strlen("owner="));
    else if (!text_starts_with(part, "expire=") || parse_int(part + strlen("expire="), 1, 36500, &days) < 0)
        return -EINVAL;
    if (days > 0)
        seed->expire_days = (int)days;
    return 0;
}

static void bucket_done(ServiceBucketSeed *seed) {
    free(seed->name);
    free(seed->region);
    free(seed->owner);
    free(seed->kms_key);
}

static int parse_bucket(char *value, EmulatorOptions *o) {
    CLEANUP(bucket_done) ServiceBucketSeed seed = {};
    AUTO_FREE char *copy = strdup(value);
    char *rest = copy, *part;
    if (!copy || text_set(&seed.name, strsep(&rest, ":")) < 0)
        return -ENOMEM;
    while ((part = strsep(&rest, ":"))) {
        int rc = parse_bucket_part(part, &seed);
        if (rc == -EINVAL)
            return complain("bucket", value,
                            "not a bucket; HINT: "
                            "NAME[:region=REGION][:owner=ACCOUNT][:versioned][:kms=KEY][:expire=DAYS]");
        if (rc < 0)
            return rc;
    }
    if (ARRAY_GROW(o->buckets, o->n_buckets, o->n_buckets_room) < 0)
        return -ENOMEM;
    o->buckets[o->n_buckets++] = seed;
    seed = (ServiceBucketSeed){};
    return 0;
}

static void key_done(ServiceKeySeed *seed) {
    free(seed->alias);
    free(seed->region);
    free(seed->state);
    free(seed->spec);
}

/* One of the parts of --key that follow the alias. */
static int parse_key_part(const char *part, ServiceKeySeed *seed) {
    if (text_starts_with(part, "region="))
        return text_set(&seed->region, part + strlen("region="));
    if (text_starts_with(part, "state="))
        return text_set(&seed->state, part + strlen("state="));
    return text_starts_with(part, "spec=") ? text_set(&seed->spec, part + strlen("spec=")) : -EINVAL;
}

static int parse_key(char *value, EmulatorOptions *o) {
    CLEANUP(key_done) ServiceKeySeed seed = {};
    AUTO_FREE char *copy = strdup(value);
    char *rest = copy, *part;
    if (!copy || text_set(&seed.alias, strsep(&rest, ":")) < 0)
        return -ENOMEM;
    while ((part = strsep(&rest, ":"))) {
        int rc = parse_key_part(part, &seed);
        if (rc == -EINVAL)
            return complain("key", value, "not a key; HINT: ALIAS[:region=REGION][:state=STATE][:spec=SPEC]");
        if (rc < 0)
            return rc;
    }
    if (ARRAY_GROW(o->keys, o->n_keys, o->n_keys_room) < 0)
        return -ENOMEM;
    o->keys[o->n_keys++] = seed;
    seed = (ServiceKeySeed){};
    return 0;
}

static int add_fault(const char *rule, EmulatorOptions *o) {
    text_add(&o->faults, rule);
    return text_add_char(&o->faults, '\n');
}

static int read_faults(const char *path, EmulatorOptions *o) {
    char bytes[4096];
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return complain("faults", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        text_add_bytes(&o->faults, bytes, n);
    bool failed = ferror(f);
    fclose(f);
    if (failed)
        return complain("faults", path, "cannot be read");
    return text_add_char(&o->faults, '\n');
}

static int parse_account(const char *value, ServiceSettings *s) {
    if (strlen(value) != 12 || strspn(value, "0123456789") != 12)
        return complain("account", value, "not an account; HINT: 12 digits");
    s->account = value;
    return 0;
}

static int parse_value(int option, char *value, EmulatorOptions *o) {
    ServiceSettings *s = &o->settings;
    int64_t n = 0;
    int rc = 0;
    switch (option) {
    case OPT_PORT:
        rc = parse_number("port", value, UINT16_MAX, &n);
        o->port = (uint16_t)n;
        return rc;
    case OPT_ADDRESS:
        o->address = value;
        return 0;
    case OPT_TABLE:
        return parse_table(value, o);
    case OPT_BUCKET:
        return parse_bucket(value, o);
    case OPT_KEY:
        return parse_key(value, o);
    case OPT_BACKUP_TIME:
        return parse_time("backup-time", value, &s->backup_usec);
    case OPT_EXPORT_TIME:
        return parse_time("export-time", value, &s->export_usec);
    case OPT_RESTORE_TIME:
        return parse_time("restore-time", value, &s->restore_usec);
    case OPT_TABLE_TIME:
        return parse_time("table-time", value, &s->table_usec);
    case OPT_LIFELIKE:
        service_settings_lifelike(s);
        return 0;
    case OPT_ACCESS_KEY:
        s->access_key = value;
        return 0;
    case OPT_SECRET_KEY:
        s->secret_key = value;
        return 0;
    case OPT_SESSION_TOKEN:
        s->session_token = value;
        return 0;
    case OPT_ACCOUNT:
        return parse_account(value, s);
    case OPT_REGION:
        s->region = value;
        return 0;
    case OPT_FOREIGN_BACKUPS:
        return parse_number("foreign-backups", value, 10000000, &s->n_foreign_backups);
    case OPT_NO_AUTH:
        s->without_auth = true;
        return 0;
    case OPT_NO_RATES:
        s->without_rates = true;
        return 0;
    case OPT_FAULT:
        return add_fault(value, o);
    case OPT_FAULTS:
        return read_faults(value, o);
    case OPT_LOG:
        o->log = value;
        return 0;
    case OPT_CLOCK_OFFSET:
        rc = parse_time("clock-offset", value + (value[0] == '-'), &o->clock_offset_usec);
        o->clock_offset_usec *= value[0] == '-' ? -1 : 1;
        return rc;
    case OPT_SEED:
        rc = parse_number("seed", value, INT64_MAX, &n);
        o->seed = (uint64_t)n;
        o->has_seed = true;
        return rc;
    default:
        return -EINVAL;
    }
}

int options_parse(int argc, char **argv, EmulatorOptions *ret) {
    *ret = (EmulatorOptions){.settings = service_settings_default(),
                             .address = "127.0.0.1",
                             .port = 8000,
                             .faults = TEXT_INIT(1u << 20)};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == OPT_HELP || c == OPT_VERSION) {
            fputs(c == OPT_HELP ? usage : PACKAGE_STRING "\n", stdout);
            return 0;
        }
        int rc = c < OPT_PORT ? option_error("ddbackup-emulator", long_options, argv[optind - 1])
                              : parse_value(c, optarg, ret);
        if (rc < 0) {
            if (rc != -EINVAL)
                fprintf(stderr, "ddbackup-emulator: %s: %s\n", argv[optind - 1], strerror(-rc));
            options_done(ret);
            return rc;
        }
    }
    if (optind < argc) {
        options_done(ret);
        fprintf(stderr, "ddbackup-emulator: %s: takes no arguments; HINT: see ddbackup-emulator --help\n",
                argv[optind]);
        return -EINVAL;
    }
    return 1;
}

void options_done(EmulatorOptions *o) {
    for (size_t i = 0; i < o->n_tables; i++)
        free_seed(&o->tables[i]);
    for (size_t i = 0; i < o->n_buckets; i++)
        bucket_done(&o->buckets[i]);
    for (size_t i = 0; i < o->n_keys; i++)
        key_done(&o->keys[i]);
    free(o->tables);
    free(o->buckets);
    free(o->keys);
    text_done(&o->faults);
}
