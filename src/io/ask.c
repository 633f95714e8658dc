#include "io/ask.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "core/conf/conf_client.h"
#include "core/table/target.h"
#include "io/clocks.h"
#include "io/transport.h"

struct Ask {
    sd_event *event;
    sd_event_source *timer;
    Transport *transport;
    Client *client;
    ClientOutbox calls;
    Usec within_usec;
    AskAnswered answered; /* of the ask_run under way */
    void *context;
    bool ended;
    int error;
};

void ask_free(Ask *a) {
    if (!a)
        return;
    sd_event_source_disable_unref(a->timer);
    client_outbox_done(&a->calls);
    transport_free(a->transport);
    client_free(a->client);
    sd_event_unref(a->event);
    free(a);
}

int ask_begin(Ask *a, const char *account, const char *region, AwsRequest *request, uint64_t tag, Now now) {
    if (!aws_ops[request->op].reads) {
        aws_request_free(request);
        return -EPERM;
    }
    return client_begin(a->client,
                        &(CallSpec){.account = account,
                                    .region = region,
                                    .request = request,
                                    .tag = tag,
                                    .deadline_mono = usec_add(now.mono, a->within_usec)},
                        now);
}

static int arm(Ask *a, Usec next_mono) {
    if (next_mono == USEC_INFINITY)
        return sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
    int r = sd_event_source_set_time(a->timer, (uint64_t)next_mono);
    return r < 0 ? r : sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

/* One round: everything that can move does. */
static int step(Ask *a) {
    Now now = clocks_read();
    Usec next_mono = USEC_INFINITY;
    int r = 0;
    HttpReply *reply;
    while (r >= 0 && (reply = transport_take(a->transport)))
        r = client_reply(a->client, reply, now);
    do {
        client_outbox_clear(&a->calls);
        if (r >= 0)
            r = client_turn(a->client, now, &a->calls, &next_mono);
        for (size_t i = 0; r >= 0 && i < a->calls.n_requests; i++)
            r = transport_send(a->transport, TAKE_PTR(a->calls.requests[i]));
        for (size_t i = 0; r >= 0 && i < a->calls.n_done; i++)
            r = a->answered(a->context, &a->calls.done[i], now);
    } while (r >= 0 && a->calls.n_done > 0);
    if (r >= 0 && client_n_calls(a->client) > 0)
        r = arm(a, next_mono);
    else
        a->ended = true;
    if (r < 0) {
        a->ended = true;
        a->error = r;
    }
    return 0;
}

static void on_replies(Transport *t, void *userdata) { (void)step(userdata); }

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) { return step(userdata); }

int ask_run(Ask *a, AskAnswered answered, void *context) {
    a->answered = answered;
    a->context = context;
    a->ended = false;
    a->error = 0;
    int r = step(a);
    while (r >= 0 && !a->ended)
        r = sd_event_run(a->event, UINT64_MAX);
    return r < 0 ? r : a->error;
}

/* --- tables --- */

typedef struct Listing {
    Ask *ask;
    Places *places;
    AwsError *errors;
} Listing;

static int next_page(Listing *l, size_t i, Now now) {
    Place *p = &l->places->items[i];
    AwsRequest *request = NULL;
    int r = discovery_request(&p->discovery, &request);
    return r < 0 ? r : ask_begin(l->ask, p->account, p->region, request, i, now);
}

static int take_page(void *context, CallDone *done, Now now) {
    Listing *l = context;
    Place *p = &l->places->items[done->tag];
    AwsError *error = &l->errors[done->tag];
    DiscoveryNews news;
    int r = discovery_answer(&p->discovery, done, USEC_PER_HOUR, now, &news);
    if (r < 0)
        return r;
    switch (news) {
    case DISCOVERY_GOES_ON:
        return next_page(l, done->tag, now);
    case DISCOVERY_COMPLETE:
        p->has_listing = true;
        return 0;
    case DISCOVERY_FAILED:
        break;
    }
    *error = done->error;
    if (done->error.class == AWS_OK)
        snprintf(error->code, sizeof error->code, "the listing does not end");
    return 0;
}

int ask_tables(Ask *a, Places *places, AwsError *ret_errors) {
    Listing l = {.ask = a, .places = places, .errors = ret_errors};
    Now now = clocks_read();
    int r = 0;
    for (size_t i = 0; r >= 0 && i < places->n_items; i++)
        if (places->items[i].discovery.wanted)
            r = next_page(&l, i, now);
    return r < 0 ? r : ask_run(a, take_page, &l);
}

/* --- life --- */

static int set_credentials(Ask *a, const Fetched *fetched) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < fetched->n_items; i++)
        if (fetched->items[i].found)
            r = client_set_credentials(a->client, fetched->items[i].account, fetched->items[i].found);
    return r;
}

int ask_new(const Conf *conf, const Fetched *credentials, const char *user_agent, Usec within_usec, Ask **ret) {
    ClientSettings settings = conf_client_settings(conf, user_agent);
    TransportSettings transport = {.ca_bundle = conf->aws.ca_bundle, .max_connections = 16, .max_per_host = 8};
    CLEANUP(ask_free_ptr) Ask *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->within_usec = within_usec;
    int r;
    if ((r = sd_event_new(&a->event)) < 0 ||
        (r = transport_new(a->event, &transport, on_replies, a, &a->transport)) < 0 ||
        (r = client_new(&settings, 1, &a->client)) < 0 ||
        (r = set_credentials(a, credentials)) < 0 ||
        (r = sd_event_add_time(a->event, &a->timer, CLOCK_BOOTTIME, 0, 1000, on_timer, a)) < 0 ||
        (r = sd_event_source_set_enabled(a->timer, SD_EVENT_OFF)) < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}
