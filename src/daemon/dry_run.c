#include "daemon/dry_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "core/discovery.h"
#include "core/drive.h"
#include "core/enrol.h"
#include "core/slot.h"
#include "daemon/session.h"
#include "io/transport.h"

/* The whole dry run ends by then. */
#define DRY_RUN_MAX_USEC (10 * USEC_PER_MINUTE)
#define TAG_DISCOVERY UINT64_MAX

/* What was found out about one target. */
typedef struct DryTarget {
    Target *target;
    bool described;
    int64_t size_bytes, item_count;
    char status[64];
    AwsError error;     /* of DescribeTable */
    bool wants_pitr;    /* some schedule exports it */
    bool pitr_known;
    RecoveryInfo recovery;
    AwsError pitr_error;
} DryTarget;

typedef struct DryRun {
    sd_event *event;
    Transport *transport;
    Client *client;
    Conf *conf;
    char *region;
    Targets targets;
    Discovery discovery;
    DryTarget *items;
    size_t n_items;
    ClientOutbox calls;
    sd_event_source *timer;
    bool asked;
    int error;
} DryRun;

static void dry_run_done(DryRun *d) {
    sd_event_source_disable_unref(d->timer);
    client_outbox_done(&d->calls);
    transport_free(d->transport);
    client_free(d->client);
    discovery_done(&d->discovery);
    targets_done(&d->targets);
    free(d->items);
    free(d->region);
    conf_free(d->conf);
    sd_event_unref(d->event);
}

static Now read_clocks(void) {
    struct timespec wall, mono;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &mono);
    return (Now){.wall = wall.tv_sec * USEC_PER_SEC + wall.tv_nsec / 1000,
                 .mono = mono.tv_sec * USEC_PER_SEC + mono.tv_nsec / 1000};
}

static int begin_call(DryRun *d, AwsRequest *request, uint64_t tag, Now now) {
    return client_begin(d->client,
                        &(CallSpec){.account = ACCOUNT_OWN,
                                    .region = d->region,
                                    .request = request,
                                    .tag = tag,
                                    .deadline_mono = now.mono + DRY_RUN_MAX_USEC},
                        now);
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

/* Asks for each target: DescribeTable with tag 2n, DescribeContinuousBackups with tag 2n + 1. */
static int ask_targets(DryRun *d, Now now) {
    d->asked = true;
    int r = enrol_update(&d->targets, d->conf, d->region, &d->discovery, d->discovery.wanted, now, ignore_news, NULL);
    if (r < 0)
        return r;
    d->items = calloc(d->targets.n_items + 1, sizeof *d->items);
    if (!d->items)
        return -ENOMEM;
    for (size_t i = 0; i < d->targets.n_items; i++) {
        Target *t = d->targets.items[i];
        if (!t->selected)
            continue;
        DryTarget *item = &d->items[d->n_items];
        item->target = t;
        for (size_t j = 0; j < t->n_enrolments; j++)
            item->wants_pitr |= t->enrolments[j]->schedule && t->enrolments[j]->schedule->action == ACTION_EXPORT;
        CLEANUP(aws_request_free_ptr) AwsRequest *table = aws_request_new(AWS_OP_DESCRIBE_TABLE);
        if (!table || text_set(&table->describe_table.table, t->table) < 0)
            return -ENOMEM;
        if ((r = begin_call(d, TAKE_PTR(table), 2 * d->n_items, now)) < 0)
            return r;
        d->n_items++;
        if (!item->wants_pitr)
            continue;
        CLEANUP(aws_request_free_ptr) AwsRequest *pitr = aws_request_new(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS);
        if (!pitr || text_set(&pitr->describe_continuous_backups.table, t->table) < 0)
            return -ENOMEM;
        if ((r = begin_call(d, TAKE_PTR(pitr), 2 * d->n_items - 1, now)) < 0)
            return r;
    }
    return 0;
}

static int take_done(DryRun *d, CallDone *done, Now now) {
    if (done->tag == TAG_DISCOVERY) {
        DiscoveryNews news;
        if (done->error.class != AWS_OK) {
            fprintf(stderr, "ddbackupd: %s: the tables cannot be listed: %s: %s%s%s\n", d->region, done->error.code,
                    done->error.message, done->error.hint ? "; HINT: " : "", done->error.hint ? done->error.hint : "");
            return -EIO;
        }
        return discovery_answer(&d->discovery, done, USEC_PER_HOUR, now, &news);
    }
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

/* One round: everything that can move does; ends the loop when nothing is left. */
static int step(DryRun *d) {
    Now now = read_clocks();
    Usec next_mono = USEC_INFINITY;
    int r = 0;
    HttpReply *reply;
    while (r >= 0 && (reply = transport_take(d->transport)))
        r = client_reply(d->client, reply, now);
    do {
        client_outbox_clear(&d->calls);
        if (r >= 0 && d->discovery.wanted && !d->asked && !d->discovery.calling) {
            AwsRequest *request = NULL;
            bool complete = d->discovery.next_mono > now.mono;
            r = complete ? ask_targets(d, now) : discovery_request(&d->discovery, &request);
            if (r >= 0 && !complete)
                r = begin_call(d, request, TAG_DISCOVERY, now);
        }
        if (r >= 0)
            r = client_turn(d->client, now, &d->calls, &next_mono);
        for (size_t i = 0; r >= 0 && i < d->calls.n_requests; i++)
            r = transport_send(d->transport, TAKE_PTR(d->calls.requests[i]));
        for (size_t i = 0; r >= 0 && i < d->calls.n_done; i++)
            r = take_done(d, &d->calls.done[i], now);
    } while (r >= 0 && d->calls.n_done > 0);
    if (r < 0 || client_n_calls(d->client) == 0) {
        d->error = r;
        return sd_event_exit(d->event, 0);
    }
    if (next_mono == USEC_INFINITY)
        return sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
    sd_event_source_set_time(d->timer, (uint64_t)next_mono);
    return sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void on_replies(Transport *t, void *userdata) { (void)step(userdata); }

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) { return step(userdata); }

static int ask(DryRun *d, const Credentials *credentials) {
    Now now = read_clocks();
    ClientSettings settings = {
        .endpoint_url = d->conf->aws.endpoint_url,
        .connect_timeout_usec = d->conf->aws.connect_timeout_usec,
        .read_timeout_usec = d->conf->aws.read_timeout_usec,
        .max_attempts = d->conf->aws.max_attempts,
        .rate_share = d->conf->limits.rate_share,
        .user_agent = "ddbackupd/" PACKAGE_VERSION " dry-run",
    };
    TransportSettings transport = {.ca_bundle = d->conf->aws.ca_bundle, .max_connections = 16, .max_per_host = 8};
    int r;
    if ((r = sd_event_new(&d->event)) < 0 || (r = transport_new(d->event, &transport, on_replies, d, &d->transport)) < 0 ||
        (r = client_new(&settings, 1, &d->client)) < 0 ||
        (r = client_set_credentials(d->client, ACCOUNT_OWN, credentials)) < 0 ||
        (r = sd_event_add_time(d->event, &d->timer, CLOCK_BOOTTIME, (uint64_t)now.mono, 0, on_timer, d)) < 0)
        return r;
    discovery_restart(&d->discovery, conf_needs_discovery(d->conf), now);
    if (!d->discovery.wanted && (r = ask_targets(d, now)) < 0)
        return r;
    r = sd_event_loop(d->event);
    return r < 0 ? r : d->error;
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
    if (text_set(&r->schedule, e->schedule_name) < 0 || text_set(&r->region, d->region) < 0 ||
        text_set(&r->table, item->target->table) < 0 || s3_conf_copy(&e->schedule->s3, &r->s3) < 0 ||
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
    char size[SIZE_TEXT_SIZE], iso[DATE_ISO_SIZE];
    const Target *t = item->target;
    bool good = item->described;
    if (item->described)
        printf("%s: %s, %s, %" PRId64 " items (as of the last 6 hours), TableId %s\n", t->table, item->status,
               size_to_string((uint64_t)(item->size_bytes > 0 ? item->size_bytes : 0), size),
               item->item_count > 0 ? item->item_count : 0, t->table_id);
    else {
        printf("%s:\n", t->table);
        print_error("cannot be described", &item->error);
    }
    if (item->wants_pitr && !item->pitr_known) {
        print_error("its point-in-time recovery cannot be asked", &item->pitr_error);
        good = false;
    } else if (item->wants_pitr && !item->recovery.pitr_enabled) {
        printf("  ! point-in-time recovery is off, and exports need it; HINT: aws dynamodb update-continuous-backups "
               "--table-name %s --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true (billed)\n",
               t->table);
        good = false;
    } else if (item->wants_pitr)
        printf("  point-in-time recovery since %s\n", date_to_iso(item->recovery.earliest_wall, iso));
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->schedule)
            print_schedule(d, item, t->enrolments[i], now_wall);
    return good;
}

int dry_run(const DaemonOptions *options) {
    CLEANUP(dry_run_done) DryRun d = {};
    CLEANUP(credentials_source_done) CredentialsSource source = {};
    CLEANUP(credentials_free_ptr) Credentials *credentials = NULL;
    AUTO_FREE char *problem = NULL;
    AUTO_TEXT why = TEXT_INIT(2048);
    int r = session_load_conf(options->config, &d.conf, &problem);
    if (r >= 0)
        r = session_region(d.conf, &d.region, &problem);
    if (r >= 0)
        r = session_credentials(d.conf, &source, &credentials, &why);
    if (r < 0) {
        fprintf(stderr, "ddbackupd: %s\n", problem ? problem : text_get(&why));
        return 1;
    }
    printf("deployment %s, region %s, credentials from %s\n", d.conf->deployment, d.region, credentials->source);
    r = ask(&d, credentials);
    if (r < 0) {
        fprintf(stderr, "ddbackupd: dry run: %s\n", strerror(-r));
        return 1;
    }
    size_t n_good = 0;
    for (size_t i = 0; i < d.n_items; i++)
        n_good += print_target(&d, &d.items[i], read_clocks().wall);
    printf("%zu of %zu tables are ready\n", n_good, d.n_items);
    return n_good == d.n_items && d.n_items > 0 ? 0 : 1;
}
