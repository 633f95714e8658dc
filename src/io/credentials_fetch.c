#include "io/credentials_fetch.h"

#include <errno.h>
#include <systemd/sd-event.h>

#include "core/keeper.h"
#include "core/target.h"
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

static void step(Fetch *f) {
    Now now = clocks_read();
    Usec next = USEC_INFINITY;
    int r = 0;
    HttpReply *reply;
    while (r >= 0 && (reply = transport_take(f->transport)))
        r = keeper_reply(f->keeper, reply, now);
    if (r >= 0 && f->out.n_news == 0)
        r = keeper_turn(f->keeper, now, &f->out, &next);
    for (size_t i = 0; r >= 0 && i < f->out.n_requests; i++)
        r = transport_send(f->transport, TAKE_PTR(f->out.requests[i]));
    for (size_t i = 0; r >= 0 && i < f->out.n_processes; i++)
        r = processes_run(f->processes, f->out.processes[i].id, f->out.processes[i].argv);
    f->ended |= f->out.n_news > 0 || r < 0;
    if (!f->ended)
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
    TransportSettings transport = {.ca_bundle = conf->aws.ca_bundle, .max_connections = 2, .max_per_host = 1};
    ProviderWish wish = {.profile = conf->aws.profile, .region = region};
    ProcessLimits limits = CREDENTIALS_PROCESS_LIMITS;
    int r;
    if ((r = sd_event_new(&f->event)) < 0 ||
        (r = transport_new(f->event, &transport, on_replies, f, &f->transport)) < 0 ||
        (r = processes_new(f->event, &limits, on_process, f, &f->processes)) < 0 ||
        (r = keeper_new(credentials_port(), 1, &f->keeper)) < 0 || (r = keeper_set(f->keeper, ACCOUNT_OWN, &wish)) < 0 ||
        (r = sd_event_add_time(f->event, &f->timer, CLOCK_BOOTTIME, 0, 1000, on_timer, f)) < 0)
        return r;
    step(f);
    while (r >= 0 && !f->ended)
        r = sd_event_run(f->event, UINT64_MAX);
    return r < 0 ? r : f->error;
}

int credentials_fetch(const Conf *conf, const char *region, Credentials **ret, Text *why, ProviderFailure *ret_failure) {
    CLEANUP(fetch_done) Fetch f = {};
    if (conf->aws.unsigned_requests == SWITCH_ON)
        return aws_defaults_no_credentials(ret);
    int r = run(&f, conf, region);
    if (r < 0)
        return r;
    ProviderNews *n = &f.out.news[0];
    if (ret_failure)
        *ret_failure = n->failure;
    if (!n->found) {
        text_add(why, n->why);
        return -ENOENT;
    }
    *ret = TAKE_PTR(n->found);
    return 0;
}
