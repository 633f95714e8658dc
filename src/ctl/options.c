#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "io/directories.h"
#include "io/option_error.h"

static const char usage[] =
    "Usage: ddbackupctl VERB [OPTION]...\n"
    "Says what ddbackupd did, does and will do: it reads the ledger, and needs no daemon. And gives it orders.\n"
    "\n"
    "  status             is every table protected right now, and how do I know?\n"
    "  list               runs and what they made, newest first\n"
    "  show RUN           a run's whole story; RUN is its number, a backup's name or an ARN\n"
    "  chain TABLE        what its chains of incremental exports cover, and what is late or lost; exit status 0, 1, 2\n"
    "  check              for monitoring: one line, and exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 wrong usage\n"
    "  plan               what will be due, from the configuration alone\n"
    "  calendar EXPR      what a calendar expression means, and when it elapses\n"
    "  prune --dry-run    which artefacts are no longer wanted, and why each of the others is\n"
    "  prune --confirm=N  lets N of them go at once, where so many wait for a person\n"
    "  verify RUN         checks an export in its bucket, here and now\n"
    "  doctor             asks AWS whether all is there that the daemon needs; exit status 0 yes, 1 warnings, 2 no\n"
    "  rebuild            finds again at the service what a lost ledger knew; the daemon must be stopped\n"
    "  run SCHEDULE [TABLE]  a run now, of all tables of the schedule or those whose name matches\n"
    "  pause --for=SPAN   nothing new starts for a while; resume ends that, and resume --expiry lets artefacts expire\n"
    "                     again after the ledger was lost\n"
    "  reload             the daemon reads its configuration anew\n"
    "  hold RUN           what the run made does not expire; release RUN ends that\n"
    "  adopt ARN          makes an artefact the daemon's own that only a listing of the service knows\n"
    "  set-aside --yes    moves a damaged ledger out of the way; the daemon must be stopped\n"
    "\n"
    "  --json                  for programs (every verb)\n"
    "  --state-directory=DIR   read the ledger in DIR ($STATE_DIRECTORY, else " LOCALSTATEDIR "/lib/ddbackupd)\n"
    "  --table=GLOB            tables whose name matches (status, list, check, plan, prune, doctor)\n"
    "  --schedule=NAME         of that schedule (chain, status, list, check, plan, prune)\n"
    "  --action=ACTION         backup, export or incremental (list, prune)\n"
    "  --limit=N               so many at most (list: 50)\n"
    "  --all                   every row (status, list, doctor)\n"
    "  --unprotected           tables that exist and that nothing protects (list)\n"
    "  --orphaned              artefacts of tables and schedules that are gone (list)\n"
    "  --foreign               backups at the service that the ledger does not know; asks the service (list)\n"
    "  --arn                   with ARNs (list, prune)\n"
    "  --config=FILE           read FILE, not " SYSCONFDIR "/ddbackupd/ddbackupd.conf\n"
    "                          (status, check, plan, prune, verify, doctor, rebuild, chain --remote, the other lists)\n"
    "  --remote                by the records in the bucket and the service, without the ledger (chain)\n"
    "  --level=LEVEL           service, manifest, objects or content (verify: objects)\n"
    "  --by-daemon             the daemon checks it, and what it finds is recorded (verify)\n"
    "  --days=N                so many days ahead (plan: 7)\n"
    "  --timezone=ZONE         the expression is meant there, unless it names a zone (calendar: UTC)\n"
    "  --base-time=TIME        instants after TIME, such as \"2026-11-24 02:00\" (calendar: now)\n"
    "  --iterations=N          so many instants (calendar: 5)\n"
    "  --dry-run               say what would be written (rebuild), or deleted (prune)\n"
    "  --yes                   really (set-aside)\n"
    "  --runtime-directory=DIR the daemon's socket is DIR/control ($RUNTIME_DIRECTORY, else /run/ddbackupd)\n"
    "                          (orders, status, check)\n"
    "  --wait                  until it has settled: exit status 0 when all runs have succeeded (run)\n"
    "  --for=SPAN, --until=TIME  so long (pause, hold)\n"
    "  --why=TEXT              for the ledger and the journal (run, pause, hold, verify --by-daemon)\n"
    "  --expiry                (resume)\n"
    "  --confirm=N             so many may go (prune)\n"
    "  --help, --version\n"
    "\n"
    "See ddbackupctl(1), ddbackupd(8), ddbackupd.conf(5).\n";

enum {
    OPT_JSON = 256,
    OPT_STATE,
    OPT_TABLE,
    OPT_SCHEDULE,
    OPT_ACTION,
    OPT_LIMIT,
    OPT_ALL,
    OPT_UNPROTECTED,
    OPT_ORPHANED,
    OPT_FOREIGN,
    OPT_ARN,
    OPT_CONFIG,
    OPT_DAYS,
    OPT_TIMEZONE,
    OPT_BASE_TIME,
    OPT_ITERATIONS,
    OPT_DRY_RUN,
    OPT_YES,
    OPT_LEVEL,
    OPT_RUNTIME,
    OPT_WAIT,
    OPT_FOR,
    OPT_UNTIL,
    OPT_WHY,
    OPT_EXPIRY,
    OPT_CONFIRM,
    OPT_REMOTE,
    OPT_BY_DAEMON,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPT_JSON},
    {"state-directory", required_argument, NULL, OPT_STATE},
    {"table", required_argument, NULL, OPT_TABLE},
    {"schedule", required_argument, NULL, OPT_SCHEDULE},
    {"action", required_argument, NULL, OPT_ACTION},
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"all", no_argument, NULL, OPT_ALL},
    {"unprotected", no_argument, NULL, OPT_UNPROTECTED},
    {"orphaned", no_argument, NULL, OPT_ORPHANED},
    {"foreign", no_argument, NULL, OPT_FOREIGN},
    {"arn", no_argument, NULL, OPT_ARN},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"days", required_argument, NULL, OPT_DAYS},
    {"timezone", required_argument, NULL, OPT_TIMEZONE},
    {"base-time", required_argument, NULL, OPT_BASE_TIME},
    {"iterations", required_argument, NULL, OPT_ITERATIONS},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"yes", no_argument, NULL, OPT_YES},
    {"level", required_argument, NULL, OPT_LEVEL},
    {"runtime-directory", required_argument, NULL, OPT_RUNTIME},
    {"wait", no_argument, NULL, OPT_WAIT},
    {"for", required_argument, NULL, OPT_FOR},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"why", required_argument, NULL, OPT_WHY},
    {"expiry", no_argument, NULL, OPT_EXPIRY},
    {"confirm", required_argument, NULL, OPT_CONFIRM},
    {"remote", no_argument, NULL, OPT_REMOTE},
    {"by-daemon", no_argument, NULL, OPT_BY_DAEMON},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {},
};

#define BIT(verb) (1u << (verb))
#define ORDERS                                                                                                         \
    (BIT(CTL_RUN) | BIT(CTL_PAUSE) | BIT(CTL_RESUME) | BIT(CTL_RELOAD) | BIT(CTL_HOLD) | BIT(CTL_RELEASE) |            \
     BIT(CTL_ADOPT))
/* Which verbs take an option, in the order of long_options. */
static const unsigned takers[] = {
    [OPT_JSON - OPT_JSON] = ~0u,
    [OPT_STATE - OPT_JSON] = ~0u,
    [OPT_TABLE - OPT_JSON] = BIT(CTL_STATUS) | BIT(CTL_LIST) | BIT(CTL_CHECK) | BIT(CTL_PLAN) | BIT(CTL_PRUNE) |
                             BIT(CTL_DOCTOR),
    [OPT_SCHEDULE - OPT_JSON] = BIT(CTL_CHAIN) | BIT(CTL_STATUS) | BIT(CTL_LIST) | BIT(CTL_CHECK) | BIT(CTL_PLAN) |
                                BIT(CTL_PRUNE),
    [OPT_ACTION - OPT_JSON] = BIT(CTL_LIST) | BIT(CTL_PRUNE),
    [OPT_LIMIT - OPT_JSON] = BIT(CTL_LIST),
    [OPT_ALL - OPT_JSON] = BIT(CTL_STATUS) | BIT(CTL_LIST) | BIT(CTL_DOCTOR),
    [OPT_UNPROTECTED - OPT_JSON] = BIT(CTL_LIST),
    [OPT_ORPHANED - OPT_JSON] = BIT(CTL_LIST),
    [OPT_FOREIGN - OPT_JSON] = BIT(CTL_LIST),
    [OPT_ARN - OPT_JSON] = BIT(CTL_LIST) | BIT(CTL_PRUNE),
    [OPT_CONFIG - OPT_JSON] = BIT(CTL_LIST) | BIT(CTL_STATUS) | BIT(CTL_CHECK) | BIT(CTL_PLAN) | BIT(CTL_PRUNE) |
                              BIT(CTL_REBUILD) | BIT(CTL_VERIFY) | BIT(CTL_DOCTOR) | BIT(CTL_CHAIN),
    [OPT_DAYS - OPT_JSON] = BIT(CTL_PLAN),
    [OPT_TIMEZONE - OPT_JSON] = BIT(CTL_CALENDAR),
    [OPT_BASE_TIME - OPT_JSON] = BIT(CTL_CALENDAR),
    [OPT_ITERATIONS - OPT_JSON] = BIT(CTL_CALENDAR),
    [OPT_DRY_RUN - OPT_JSON] = BIT(CTL_REBUILD) | BIT(CTL_PRUNE),
    [OPT_YES - OPT_JSON] = BIT(CTL_SET_ASIDE),
    [OPT_LEVEL - OPT_JSON] = BIT(CTL_VERIFY),
    [OPT_RUNTIME - OPT_JSON] = ORDERS | BIT(CTL_PRUNE) | BIT(CTL_VERIFY) | BIT(CTL_STATUS) | BIT(CTL_CHECK),
    [OPT_WAIT - OPT_JSON] = BIT(CTL_RUN),
    [OPT_FOR - OPT_JSON] = BIT(CTL_PAUSE) | BIT(CTL_HOLD),
    [OPT_UNTIL - OPT_JSON] = BIT(CTL_PAUSE) | BIT(CTL_HOLD),
    [OPT_WHY - OPT_JSON] = BIT(CTL_RUN) | BIT(CTL_VERIFY) | BIT(CTL_PAUSE) | BIT(CTL_HOLD),
    [OPT_EXPIRY - OPT_JSON] = BIT(CTL_RESUME),
    [OPT_CONFIRM - OPT_JSON] = BIT(CTL_PRUNE),
    [OPT_REMOTE - OPT_JSON] = BIT(CTL_CHAIN),
    [OPT_BY_DAEMON - OPT_JSON] = BIT(CTL_VERIFY),
    [OPT_HELP - OPT_JSON] = ~0u,
    [OPT_VERSION - OPT_JSON] = ~0u,
};

static const char *const verb_names[CTL_VERBS] = {
    [CTL_STATUS] = "status", [CTL_LIST] = "list",         [CTL_SHOW] = "show",
    [CTL_CHECK] = "check",   [CTL_PLAN] = "plan",         [CTL_CALENDAR] = "calendar",
    [CTL_PRUNE] = "prune",   [CTL_DOCTOR] = "doctor",   [CTL_REBUILD] = "rebuild",   [CTL_SET_ASIDE] = "set-aside",
    [CTL_VERIFY] = "verify",
    [CTL_RUN] = "run",       [CTL_PAUSE] = "pause",       [CTL_RESUME] = "resume",
    [CTL_RELOAD] = "reload", [CTL_HOLD] = "hold",         [CTL_RELEASE] = "release",
    [CTL_ADOPT] = "adopt",   [CTL_CHAIN] = "chain",
};
#define LIMIT_DEFAULT 50
#define DAYS_DEFAULT 7
#define DAYS_MAX 366
#define ITERATIONS_DEFAULT 5
#define ITERATIONS_MAX 100000

static int refuse(const char *word, const char *what, const char *before, const char *hint, const char *after) {
    fprintf(stderr, "ddbackupctl: %s: %s; HINT: %s%s%s\n", word, what, before, hint, after);
    return -EINVAL;
}

/* "status, list or show". */
static const char *verbs_named(void) {
    static char words[512];
    size_t n = 0;
    for (int i = 0; i < CTL_VERBS; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%s",
                              i == 0              ? ""
                              : i < CTL_VERBS - 1 ? ", "
                                                  : " or ",
                              verb_names[i]);
    return words;
}

static int parse_verb(const char *word, CtlVerb *ret) {
    for (int i = 0; i < CTL_VERBS; i++)
        if (strcmp(word, verb_names[i]) == 0) {
            *ret = (CtlVerb)i;
            return 0;
        }
    if (*word == '-')
        return refuse(word, "the verb comes first", "", "see ddbackupctl --help", "");
    const char *nearest = name_nearest(word, verb_names, CTL_VERBS);
    if (nearest)
        return refuse(word, "no such verb", "did you mean ", nearest, "?");
    return refuse(word, "no such verb", "", verbs_named(), "");
}

static int foreign_option(CtlVerb verb, int option) {
    const char *name = "", *taker = "";
    char words[128];
    for (size_t i = 0; long_options[i].name; i++)
        if (long_options[i].val == option)
            name = long_options[i].name;
    for (int v = CTL_VERBS - 1; v >= 0; v--)
        if (takers[option - OPT_JSON] & BIT(v))
            taker = verb_names[v];
    snprintf(words, sizeof words, "%s --%s", verb_names[verb], name);
    return refuse(words, "this verb does not take that option", "", taker, " does");
}

static int parse_number(const char *name, const char *value, int64_t max, int64_t *ret) {
    char words[128], range[64];
    if (parse_int(value, 1, max, ret) >= 0)
        return 0;
    snprintf(words, sizeof words, "--%s=%.64s", name, value);
    snprintf(range, sizeof range, "%lld", (long long)max);
    return refuse(words, "no such number", "a whole number from 1 to ", range, "");
}

static int parse_span(const char *value, Usec *ret) {
    if (parse_duration(value, ret) >= 0 && *ret > 0)
        return 0;
    return refuse(value, "no such span", "", "such as 90min, 2h or 3d", "");
}

/* A day begins at midnight in UTC. */
static int parse_time(const char *value, Usec *ret) {
    AUTO_FREE char *day = text_format("%.32sT00:00:00Z", value);
    if (date_from_iso(value, ret) >= 0 || (day && date_from_iso(day, ret) >= 0))
        return 0;
    return refuse(value, "no such time", "", "such as 2026-12-24 or 2026-12-24T18:00:00Z", "");
}

static int take_list(CtlOptions *o, ListWhat what) {
    if (o->list != LIST_RUNS && o->list != what)
        return refuse("list", "one list at a time", "", "--unprotected, --orphaned or --foreign", "");
    o->list = what;
    return 0;
}

static int take_option(CtlOptions *o, int option, const char *value) {
    switch (option) {
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_STATE:
        o->state_directory = value;
        return 0;
    case OPT_TABLE:
        o->table = value;
        return 0;
    case OPT_SCHEDULE:
        o->schedule = value;
        return 0;
    case OPT_ACTION:
        o->has_action = true;
        if (action_from_string(value, &o->action) < 0)
            return refuse(value, "no such action", "", "backup, export or incremental", "");
        return 0;
    case OPT_LIMIT:
        return parse_number("limit", value, INT32_MAX, &o->limit);
    case OPT_ALL:
        o->all = true;
        return 0;
    case OPT_UNPROTECTED:
        return take_list(o, LIST_UNPROTECTED);
    case OPT_ORPHANED:
        return take_list(o, LIST_ORPHANED);
    case OPT_FOREIGN:
        return take_list(o, LIST_FOREIGN);
    case OPT_ARN:
        o->arn = true;
        return 0;
    case OPT_CONFIG:
        o->config = value;
        o->config_given = true;
        return 0;
    case OPT_DAYS:
        return parse_number("days", value, DAYS_MAX, &o->days);
    case OPT_TIMEZONE:
        o->timezone = value;
        return 0;
    case OPT_BASE_TIME:
        o->base_time = value;
        return 0;
    case OPT_ITERATIONS:
        return parse_number("iterations", value, ITERATIONS_MAX, &o->iterations);
    case OPT_DRY_RUN:
        o->dry_run = true;
        return 0;
    case OPT_LEVEL:
        o->has_level = true;
        if (verify_level_from_string(value, &o->level) < 0)
            return refuse(value, "no such level", "", "service, manifest, objects or content", "");
        return 0;
    case OPT_YES:
        o->yes = true;
        return 0;
    case OPT_RUNTIME:
        o->runtime_directory = value;
        return 0;
    case OPT_WAIT:
        o->wait = true;
        return 0;
    case OPT_FOR:
        return parse_span(value, &o->for_usec);
    case OPT_UNTIL:
        return parse_time(value, &o->until_wall);
    case OPT_WHY:
        o->why = value;
        return 0;
    case OPT_CONFIRM:
        return parse_number("confirm", value, INT32_MAX, &o->confirm);
    case OPT_REMOTE:
        o->remote = true;
        return 0;
    case OPT_BY_DAEMON:
        o->by_daemon = true;
        return 0;
    case OPT_EXPIRY:
        o->expiry = true;
        return 0;
    default:
        return -EINVAL;
    }
}

static int take_arguments(CtlOptions *o, char **arguments) {
    if (o->verb == CTL_SHOW || o->verb == CTL_VERIFY || o->verb == CTL_HOLD || o->verb == CTL_RELEASE) {
        if (!*arguments)
            return refuse(verb_names[o->verb], "which run?", "",
                          "name it behind the verb, by a number of 'ddbackupctl list', a backup's name or an ARN", "");
        o->run = *arguments++;
    }
    if (o->verb == CTL_CALENDAR) {
        if (!*arguments)
            return refuse("calendar", "which expression?", "", "ddbackupctl calendar 'Mon..Fri 02:00'", "");
        o->expression = *arguments++;
        if (*arguments)
            return refuse(*arguments, "one argument too many", "", "put the expression in quotes", "");
    }
    if (o->list != LIST_RUNS && (o->limit > 0 || o->has_action))
        return refuse("list", "--limit and --action are of runs", "", "leave them out, or the other list", "");
    if (o->verb == CTL_PRUNE && !o->dry_run && o->confirm == 0)
        return refuse("prune", "the daemon deletes what its configuration says, by itself", "",
                      "ddbackupctl prune --dry-run says what that is", "");
    if (o->verb == CTL_PRUNE && o->dry_run && o->confirm > 0)
        return refuse("--confirm", "it does not go with --dry-run", "", "give one of them", "");
    if (o->verb == CTL_RUN) {
        if (!*arguments)
            return refuse("run", "which schedule?", "", "ddbackupctl run SCHEDULE [TABLE]", "");
        o->order_schedule = *arguments++;
        o->order_table = *arguments ? *arguments++ : NULL;
    }
    if (o->verb == CTL_CHAIN) {
        if (!*arguments)
            return refuse("chain", "which table?", "", "ddbackupctl chain TABLE, a name or a pattern in quotes", "");
        o->table = *arguments++;
    }
    if (o->verb == CTL_ADOPT) {
        if (!*arguments)
            return refuse("adopt", "which artefact?", "", "ddbackupctl adopt ARN", "");
        o->artefact = *arguments++;
    }
    if (o->verb == CTL_VERIFY && !o->by_daemon && o->why)
        return refuse("--why", "nothing is written down", "", "it goes with --by-daemon", "");
    if (o->verb == CTL_VERIFY && o->by_daemon && o->has_level && o->level == VERIFY_SERVICE)
        return refuse("--level=service", "DynamoDB would tell nothing new", "", "manifest, objects or content", "");
    if (o->for_usec > 0 && o->until_wall > 0)
        return refuse("--for", "it does not go with --until", "", "give one of them", "");
    if (o->verb == CTL_PAUSE && o->for_usec == 0 && o->until_wall == 0)
        return refuse("pause", "for how long?", "", "ddbackupctl pause --for 2h, or --until TIME", "");
    if (o->verb == CTL_SET_ASIDE && !o->yes)
        return refuse("set-aside", "the daemon will know of no run, skip or failure until 'ddbackupctl rebuild'", "",
                      "ddbackupctl set-aside --yes, if the ledger is damaged beyond use", "");
    return *arguments ? refuse(*arguments, "one argument too many", "", "see ddbackupctl --help", "") : 0;
}

int options_parse(int argc, char **argv, CtlOptions *ret) {
    CtlOptions o = {.verb = CTL_VERBS,
                    .config = SYSCONFDIR "/ddbackupd/ddbackupd.conf",
                    .days = DAYS_DEFAULT,
                    .iterations = ITERATIONS_DEFAULT};
    o.state_directory = directories_state();
    o.runtime_directory = directories_runtime();
    *ret = o;
    if (argc < 2)
        return refuse("VERB", "it is missing", "", verbs_named(), "; see ddbackupctl --help");
    bool verbless = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0;
    int r = verbless ? 0 : parse_verb(argv[1], &o.verb);
    ret->verb = o.verb;
    opterr = 0;
    optind = verbless ? 1 : 2;
    for (int c; r >= 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == '?')
            r = option_error("ddbackupctl", long_options, argv[optind - 1]);
        else if (c == OPT_HELP || c == OPT_VERSION) {
            fputs(c == OPT_HELP ? usage : "ddbackupctl " PACKAGE_VERSION "\n", stdout);
            return 0;
        } else if (!(takers[c - OPT_JSON] & BIT(o.verb)))
            r = foreign_option(o.verb, c);
        else
            r = take_option(&o, c, optarg);
    }
    if (r < 0 || (r = take_arguments(&o, argv + optind)) < 0)
        return r;
    if (o.limit == 0 && !o.all)
        o.limit = LIMIT_DEFAULT;
    *ret = o;
    return 1;
}

bool options_select(const CtlOptions *o, const char *account, const char *region, const char *table,
                    const char *schedule) {
    if (o->schedule && strcmp(o->schedule, schedule) != 0)
        return false;
    if (!o->table || glob_match(o->table, table))
        return true;
    AUTO_FREE char *whole = strchr(o->table, '/') ? text_format("%s/%s/%s", account, region, table) : NULL;
    return whole && glob_match(o->table, whole);
}
