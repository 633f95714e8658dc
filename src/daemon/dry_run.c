#include "daemon/dry_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/aws/endpoint.h"
#include "core/conf/conf_client.h"
#include "core/run/drive.h"
#include "core/run/enrol.h"
#include "core/run/slot.h"
#include "daemon/session.h"
#include "io/ask.h"
#include "io/clocks.h"
#include "io/credentials_fetch.h"
#include "io/region.h"

/* No call of it takes longer. */
#define DRY_RUN_MAX_USEC (10 * USEC_PER_MINUTE)

/* What was found out about one target. */
typedef struct DryTarget {
    Target *target;
    bool described;
    int64_t size_bytes, item_count;
    char status[64];
    AwsError error;  /* of DescribeTable */
    bool wants_pitr; /* some schedule exports it */
    bool pitr_known;
    RecoveryInfo recovery;
    AwsError pitr_error;
} DryTarget;

typedef struct DryRun {
    Ask *ask;
    Conf *conf;
    Places places;
    Targets targets;
    DryTarget *items;
    size_t n_items;
    size_t n_unlisted; /* places */
} DryRun;

static void dry_run_done(DryRun *d) {
    ask_free(d->ask);
    targets_done(&d->targets);
    free(d->items);
    places_done(&d->places);
    conf_free(d->conf);
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

/* DescribeTable with tag 2n, DescribeContinuousBackups with tag 2n + 1. */
static int ask_target(DryRun *d, size_t n, Now now) {
    DryTarget *item = &d->items[n];
    CLEANUP(aws_request_free_ptr) AwsRequest *table = aws_request_new(AWS_OP_DESCRIBE_TABLE);
    if (!table || text_set(&table->describe_table.table, item->target->table) < 0)
        return -ENOMEM;
    const Target *t = item->target;
    int r = ask_begin(d->ask, t->account, t->region, TAKE_PTR(table), 2 * n, now);
    if (r < 0 || !item->wants_pitr)
        return r;
    CLEANUP(aws_request_free_ptr) AwsRequest *pitr = aws_request_new(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS);
    if (!pitr || text_set(&pitr->describe_continuous_backups.table, item->target->table) < 0)
        return -ENOMEM;
    return ask_begin(d->ask, t->account, t->region, TAKE_PTR(pitr), 2 * n + 1, now);
}

static int ask_targets(DryRun *d, Now now) {
    int r = enrol_update(&d->targets, d->conf, &d->places, now, ignore_news, NULL);
    if (r < 0)
        return r;
    d->items = calloc(d->targets.n_items + 1, sizeof *d->items);
    if (!d->items)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < d->targets.n_items; i++) {
        Target *t = d->targets.items[i];
        if (!t->selected)
            continue;
        DryTarget *item = &d->items[d->n_items];
        item->target = t;
        for (size_t j = 0; j < t->n_enrolments; j++)
            item->wants_pitr |= t->enrolments[j]->schedule && t->enrolments[j]->schedule->action != ACTION_BACKUP;
        r = ask_target(d, d->n_items++, now);
    }
    return r;
}

static int take_answer(void *context, CallDone *done, Now now) {
    DryRun *d = context;
    DryTarget *item = &d->items[done->tag / 2];
    if (done->tag % 2) {
        item->pitr_error = done->error;
        item->pitr_known = done->reply != NULL;
        if (done->reply)
            item->recovery = done->reply->recovery;
        return 0;
    }
    item->error = done->error;
    if (!done->reply)
        return 0;
    const TableInfo *info = &done->reply->table;
    item->described = true;
    item->size_bytes = info->size_bytes;
    item->item_count = info->item_count;
    snprintf(item->status, sizeof item->status, "%s", info->status);
    return target_describe(item->target, info, now.wall);
}

static void print_listing(DryRun *d, const Place *p, const AwsError *error) {
    char label[PLACE_LABEL_SIZE];
    if (!p->discovery.wanted || (p->has_listing && !error->code[0]))
        return;
    d->n_unlisted++;
    fprintf(stderr, "ddbackupd: %s: the %s: %s: %s%s%s\n", place_label(p, places_are_many(&d->places), label),
            p->has_listing ? "tags of its tables cannot be read" : "tables cannot be listed", error->code,
            error->message, error->hint ? "; HINT: " : "", error->hint ? error->hint : "");
}

static int ask(DryRun *d, const Fetched *credentials) {
    AUTO_FREE AwsError *errors = calloc(d->places.n_items, sizeof *errors);
    if (!errors)
        return -ENOMEM;
    int r = ask_new(d->conf, credentials, "ddbackupd/" PACKAGE_VERSION " dry-run", DRY_RUN_MAX_USEC, &d->ask);
    if (r >= 0)
        r = ask_tables(d->ask, &d->places, errors);
    if (r >= 0)
        r = ask_tags(d->ask, d->conf, &d->places, errors);
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++)
        print_listing(d, &d->places.items[i], &errors[i]);
    if (r >= 0)
        r = ask_targets(d, clocks_read());
    return r < 0 ? r : ask_run(d->ask, take_answer, d);
}

static void print_schedule(const DryRun *d, const DryTarget *item, const Enrolment *e, Usec now_wall) {
    char slot_text[DATE_ISO_SIZE], due_text[DATE_ISO_SIZE], account[13];
    Usec slot, share;
    if (slot_next(e, now_wall, &slot) < 0) {
        printf("  %s: %s: never again\n", e->schedule_name, action_to_string(e->schedule->action));
        return;
    }
    if (slot_share(d->conf->deployment, e, &share) < 0)
        return;
    printf("  %s: %s at %s (slot %s)", e->schedule_name, action_to_string(e->schedule->action),
           date_to_iso(slot + share, due_text), date_to_iso(slot, slot_text));
    CLEANUP(run_free_ptr) Run *r = NULL;
    if (!item->described || run_new(1, &r) < 0)
        return (void)printf("\n");
    DriveContext context = {.deployment = d->conf->deployment, .target = item->target};
    r->action = e->schedule->action;
    r->slot_wall = slot;
    if (text_set(&r->schedule, e->schedule_name) < 0 || text_set(&r->account, item->target->account) < 0 ||
        text_set(&r->region, item->target->region) < 0 || text_set(&r->table, item->target->table) < 0 ||
        s3_conf_copy(&e->schedule->s3, &r->s3) < 0 ||
        drive_prepare(r, &context, (Now){.wall = item->target->described_wall}) < 0 || !r->name)
        return (void)printf("\n");
    if (r->action == ACTION_BACKUP)
        printf(" as %s", r->name);
    else
        printf(" to s3://%s/%s%sAWSDynamoDB/ of account %s", r->s3.bucket, r->s3.prefix ? r->s3.prefix : "",
               r->s3.prefix ? "/" : "", target_account_id(item->target, account));
    printf("\n");
}

static void print_error(const char *what, const AwsError *e) {
    printf("  ! %s: %s: %s%s%s\n", what, e->code, e->message, e->hint ? "; HINT: " : "", e->hint ? e->hint : "");
}

/* True when nothing stands in the way of its schedules. */
static bool print_target(const DryRun *d, const DryTarget *item, Usec now_wall) {
    char size[SIZE_TEXT_SIZE], iso[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    const Target *t = item->target;
    bool good = item->described;
    target_label(t, places_are_many(&d->places), label);
    if (item->described)
        printf("%s: %s, %s, %" PRId64 " item%s (as of the last 6 hours), TableId %s\n", label, item->status,
               size_to_string((uint64_t)(item->size_bytes > 0 ? item->size_bytes : 0), size),
               item->item_count > 0 ? item->item_count : 0, item->item_count == 1 ? "" : "s", t->table_id);
    else {
        printf("%s:\n", label);
        print_error("cannot be described", &item->error);
    }
    if (item->wants_pitr && !item->pitr_known) {
        print_error("its point-in-time recovery cannot be asked", &item->pitr_error);
        good = false;
    } else if (item->wants_pitr && !item->recovery.pitr_enabled) {
        printf("  ! point-in-time recovery is off, and exports need it; HINT: aws dynamodb update-continuous-backups "
               "--region %s --table-name %s --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true "
               "(billed)\n",
               t->region, t->table);
        good = false;
    } else if (item->wants_pitr)
        printf("  point-in-time recovery since %s\n", date_to_iso(item->recovery.earliest_wall, iso));
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->schedule)
            print_schedule(d, item, t->enrolments[i], now_wall);
    return good;
}

/* An account without credentials spoils the rest for no other. */
static void print_problems(const Fetched *credentials) {
    for (size_t i = 0; i < credentials->n_items; i++) {
        AUTO_TEXT t = TEXT_INIT(8192);
        if (credentials->items[i].found)
            continue;
        fetched_say_problem(credentials, i, &t);
        fprintf(stderr, "ddbackupd: %s\n", text_get(&t));
    }
}

static void print_head(const DryRun *d, const Fetched *credentials) {
    char label[PLACE_LABEL_SIZE];
    AUTO_TEXT sources = TEXT_INIT(256u << 10);
    bool many = places_are_many(&d->places);
    printf("deployment %s, %s ", d->conf->deployment, many ? "regions" : "region");
    EndpointWish wish = conf_endpoint_wish(d->conf, ENDPOINT_DYNAMODB);
    for (size_t i = 0; i < d->places.n_items; i++) {
        AUTO_FREE char *url = NULL;
        const Place *p = &d->places.items[i];
        (void)endpoint_url(&wish, p->region ? p->region : "", &url);
        printf("%s%s at %s", i > 0 ? ", " : "", place_label(p, many, label), url ? url : "?");
    }
    fetched_say(credentials, &sources);
    printf(", credentials %s\n", text_get(&sources));
}

int dry_run(const DaemonOptions *options) {
    CLEANUP(dry_run_done) DryRun d = {};
    CLEANUP(fetched_done) Fetched credentials = {};
    AUTO_FREE char *problem = NULL, *region = NULL;
    int r = session_load_conf(options->config, &d.conf, NULL, &problem);
    if (r >= 0)
        journal_set_level(d.conf->log_level);
    if (r >= 0)
        r = region_find(d.conf, &region, &problem);
    if (r >= 0)
        r = credentials_fetch(d.conf, region, &credentials);
    if (r < 0) {
        fprintf(stderr, "ddbackupd: %s\n", problem ? problem : strerror(-r));
        return 1;
    }
    print_problems(&credentials);
    if (fetched_n_found(&credentials) == 0)
        return 1;
    if ((r = places_make(d.conf, region, clocks_read(), &d.places)) >= 0)
        print_head(&d, &credentials);
    if (r >= 0)
        r = ask(&d, &credentials);
    if (r < 0) {
        fprintf(stderr, "ddbackupd: dry run: %s\n", strerror(-r));
        return 1;
    }
    size_t n_good = 0;
    for (size_t i = 0; i < d.n_items; i++)
        n_good += print_target(&d, &d.items[i], clocks_read().wall);
    printf("%zu of %zu tables are ready\n", n_good, d.n_items);
    return n_good == d.n_items && d.n_items > 0 && d.n_unlisted == 0 ? 0 : 1;
}
