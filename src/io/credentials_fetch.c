#include "io/credentials_fetch.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "core/credentials/keeper.h"
#include "core/table/target.h"
#include "io/aws_defaults.h"
#include "io/clocks.h"
#include "io/credentials_source.h"
#include "io/process.h"
#include "io/transport.h"

typedef struct Fetch {
    sd_event *event;
    sd_event_source *timer;
    Transport *transport;
    Processes *processes;
    Keeper *keeper;
    ProviderOutbox out;
    Fetched *fetched;
    bool ended;
    int error;
} Fetch;

static void fetch_done(Fetch *f) {
    sd_event_source_disable_unref(f->timer);
    processes_free(f->processes);
    transport_free(f->transport);
    keeper_free(f->keeper);
    provider_outbox_done(&f->out);
    sd_event_unref(f->event);
}

void fetched_done(Fetched *f) {
    for (size_t i = 0; i < f->n_items; i++) {
        free(f->items[i].account);
        credentials_free(f->items[i].found);
        free(f->items[i].why);
    }
    free(f->items);
    *f = (Fetched){};
}

const FetchedAccount *fetched_find(const Fetched *f, const char *account) {
    for (size_t i = 0; i < f->n_items; i++)
        if (strcmp(f->items[i].account, account) == 0)
            return &f->items[i];
    return NULL;
}

size_t fetched_n_found(const Fetched *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->n_items; i++)
        n += f->items[i].found != NULL;
    return n;
}

void fetched_say(const Fetched *f, Text *t) {
    bool more = false;
    for (size_t i = 0; i < f->n_items; i++) {
        const FetchedAccount *a = &f->items[i];
        if (!a->found)
            continue;
        text_add(t, more ? ", " : "");
        if (f->n_items > 1)
            text_addf(t, "of %s ", a->account);
        text_addf(t, "from %s", a->found->source);
        more = true;
    }
}

void fetched_say_problem(const Fetched *f, size_t i, Text *t) {
    if (f->n_items > 1)
        text_addf(t, "%s: ", f->items[i].account);
    text_add(t, f->items[i].why);
}

/* The first news of an account is the end of its attempt; what it tries later is not waited for. */
static void take_news(Fetch *f) {
    size_t n_told = 0;
    for (size_t i = 0; i < f->fetched->n_items; i++) {
        FetchedAccount *a = &f->fetched->items[i];
        for (size_t j = 0; !a->found && !a->why && j < f->out.n_news; j++) {
            ProviderNews *n = &f->out.news[j];
            if (strcmp(n->account, a->account) != 0)
                continue;
            a->found = TAKE_PTR(n->found);
            a->why = TAKE_PTR(n->why);
            a->failure = n->failure;
        }
        n_told += a->found || a->why;
    }
    f->ended |= n_told == f->fetched->n_items;
}

static void step(Fetch *f) {
    Now now = clocks_read();
    Usec next = USEC_INFINITY;
    int r = 0;
    HttpReply *reply;
    while (r >= 0 && (reply = transport_take(f->transport)))
        r = keeper_reply(f->keeper, reply, now);
    if (r >= 0)
        r = keeper_turn(f->keeper, now, &f->out, &next);
    take_news(f);
    for (size_t i = 0; r >= 0 && !f->ended && i < f->out.n_requests; i++)
        r = transport_send(f->transport, TAKE_PTR(f->out.requests[i]));
    for (size_t i = 0; r >= 0 && !f->ended && i < f->out.n_processes; i++)
        r = processes_run(f->processes, f->out.processes[i].id, f->out.processes[i].argv);
    provider_outbox_clear(&f->out);
    if (r >= 0 && next != USEC_INFINITY)
        r = sd_event_source_set_time(f->timer, (uint64_t)next);
    if (r >= 0)
        r = sd_event_source_set_enabled(f->timer, next == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
    if (r < 0) {
        f->error = r;
        f->ended = true;
    }
}

static void on_replies(Transport *t, void *userdata) { step(userdata); }

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    step(userdata);
    return 0;
}

static void on_process(void *userdata, uint64_t id, const char *output, size_t len, const char *problem) {
    Fetch *f = userdata;
    f->error = keeper_process_done(f->keeper, id, output, len, problem, clocks_read());
    f->ended |= f->error < 0;
    step(f);
}

static int run(Fetch *f, const Conf *conf, const char *region) {
    TransportSettings transport = {.ca_bundle = conf->aws.ca_bundle, .max_connections = 16, .max_per_host = 8};
    ProcessLimits limits = CREDENTIALS_PROCESS_LIMITS;
    int r;
    if ((r = sd_event_new(&f->event)) < 0 ||
        (r = transport_new(f->event, &transport, on_replies, f, &f->transport)) < 0 ||
        (r = processes_new(f->event, &limits, on_process, f, &f->processes)) < 0 ||
        (r = keeper_new(credentials_port(), 1, &f->keeper)) < 0 ||
        (r = keeper_follow(f->keeper, conf, region)) < 0 ||
        (r = sd_event_add_time(f->event, &f->timer, CLOCK_BOOTTIME, 0, 1000, on_timer, f)) < 0)
        return r;
    step(f);
    while (r >= 0 && !f->ended)
        r = sd_event_run(f->event, UINT64_MAX);
    return r < 0 ? r : f->error;
}

static int add_account(Fetched *f, const char *name) {
    return text_set(&f->items[f->n_items++].account, name);
}

/* Emulators want no credentials. */
static int sign_nothing(Fetched *f) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < f->n_items; i++)
        r = aws_defaults_no_credentials(&f->items[i].found);
    return r;
}

int credentials_fetch(const Conf *conf, const char *region, Fetched *ret) {
    CLEANUP(fetched_done) Fetched fetched = {.items = calloc(conf->n_accounts + 1, sizeof *fetched.items)};
    CLEANUP(fetch_done) Fetch f = {.fetched = &fetched};
    if (!fetched.items)
        return -ENOMEM;
    int r = conf->n_accounts == 0 ? add_account(&fetched, ACCOUNT_OWN) : 0;
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = add_account(&fetched, conf->accounts[i].name);
    if (r >= 0)
        r = conf->aws.unsigned_requests == SWITCH_ON ? sign_nothing(&fetched) : run(&f, conf, region);
    if (r < 0)
        return r;
    fetched_done(ret);
    *ret = fetched;
    fetched = (Fetched){};
    return 0;
}
