#include "core/aws/client.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/call.h"
#include "core/aws/sites.h"

#define HINT_CREDENTIALS                                                                                               \
    "give the daemon AWS credentials: a file as ~/.aws/credentials at /etc/credstore/ddbackupd.aws-credentials, and " \
    "systemctl restart ddbackupd; or see ddbackupd(8), CREDENTIALS"
#define RENEWAL_USEC USEC_PER_MINUTE
#define HINT_ENDPOINT "correct aws.region or aws.endpoint_url"

struct Client {
    Sites sites;
    uint64_t random;
    uint64_t last_request_id;
    bool paused;
    IdMap by_tag;     /* all calls */
    IdMap by_request; /* those with a request under way */
    Heap ready;       /* of lanes with a queue */
    Heap wakes;       /* of resting calls */
    Heap deadlines;   /* of calls that have one */
    CallList ended;
};

/* When the first calls of its queue can move. Calls that cannot leave at all move at once: they end. */
static int arm_lane(Client *c, Lane *lane) {
    bool hopeless = (!lane->account->credentials && !c->sites.settings.unsigned_requests) || !lane->endpoint->url;
    int n = 0, batch = bucket_batch(&lane->bucket);
    for (const Call *call = lane->queue.first; call && n < batch; call = call->next)
        n++;
    Usec at = n == 0 || lane->account->is_awaited ? USEC_INFINITY
              : hopeless                          ? 0
                                                  : bucket_ready_for_mono(&lane->bucket, n);
    return heap_set(&c->ready, &lane->ready, at);
}

static int arm_lanes(Client *c) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < c->sites.n_items; i++)
        for (size_t op = 0; r >= 0 && op < AWS_OP_N; op++)
            r = arm_lane(c, &c->sites.items[i]->lanes[op]);
    return r;
}

int client_configure(Client *c, const ClientSettings *settings) {
    int r = sites_configure(&c->sites, settings);
    return r < 0 ? r : arm_lanes(c);
}

int client_new(const ClientSettings *settings, uint64_t seed, Client **ret) {
    CLEANUP(client_free_ptr) Client *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->random = seed;
    int r = sites_configure(&c->sites, settings);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}

void client_free(Client *c) {
    if (!c)
        return;
    heap_done(&c->ready);
    heap_done(&c->wakes);
    heap_done(&c->deadlines);
    for (size_t i = 0; i < c->by_tag.n_chains; i++)
        for (IdNode *node = c->by_tag.chains[i], *next; node; node = next) {
            next = node->next;
            call_free(node->owner);
        }
    id_map_done(&c->by_tag);
    id_map_done(&c->by_request);
    sites_done(&c->sites);
    free(c);
}

static int requeue(Client *c, Call *call);

/* Calls that wait for others than the expired ones. */
static int wake_renewed(Client *c, const Account *a) {
    int r = 0;
    for (size_t i = 0; i < c->by_tag.n_chains; i++)
        for (IdNode *node = c->by_tag.chains[i]; r >= 0 && node; node = node->next) {
            Call *call = node->owner;
            if (call->state == CALL_RESTING && call->renewed && call->lane->account == a)
                r = requeue(c, call);
        }
    return r;
}

int client_set_credentials(Client *c, const char *account, const Credentials *credentials) {
    Account *a;
    CLEANUP(credentials_free_ptr) Credentials *copy = NULL;
    int r = credentials ? credentials_copy(credentials, &copy) : 0;
    if (r < 0 || (r = sites_account(&c->sites, account, &a)) < 0)
        return r;
    sites_wipe_keys(&c->sites, a);
    credentials_free(a->credentials);
    a->credentials = TAKE_PTR(copy);
    a->is_awaited = false;
    r = wake_renewed(c, a);
    return r < 0 ? r : arm_lanes(c);
}

int client_await_credentials(Client *c, const char *account) {
    Account *a;
    int r = sites_account(&c->sites, account, &a);
    if (r < 0)
        return r;
    a->is_kept = true;
    a->is_awaited = !a->credentials;
    return arm_lanes(c);
}

const char *client_expired_account(Client *c) {
    for (size_t i = 0; i < c->sites.n_accounts; i++)
        if (c->sites.accounts[i]->has_expired) {
            c->sites.accounts[i]->has_expired = false;
            return c->sites.accounts[i]->name;
        }
    return NULL;
}

/* --- calls come and go --- */

/* Takes it out of wherever its state keeps it. */
static void detach(Client *c, Call *call) {
    switch (call->state) {
    case CALL_QUEUED:
        call_list_remove(&call->lane->queue, call);
        if (!call->lane->queue.first)
            heap_set(&c->ready, &call->lane->ready, USEC_INFINITY);
        break;
    case CALL_SENT:
        id_map_remove(&c->by_request, &call->sent);
        break;
    case CALL_RESTING:
        heap_set(&c->wakes, &call->wake, USEC_INFINITY);
        break;
    case CALL_ENDED:
        call_list_remove(&c->ended, call);
        break;
    }
}

static void forget(Client *c, Call *call) {
    detach(c, call);
    heap_set(&c->deadlines, &call->deadline, USEC_INFINITY);
    id_map_remove(&c->by_tag, &call->tag);
    call_free(call);
}

/* Reply or error are set; the next turn tells the owner. */
static void end(Client *c, Call *call) {
    detach(c, call);
    heap_set(&c->deadlines, &call->deadline, USEC_INFINITY);
    call->state = CALL_ENDED;
    call_list_append(&c->ended, call);
}

static void refuse(Client *c, Call *call, AwsErrorClass class, const char *code, const char *message,
                   const char *hint) {
    call_set_error(call, class, code, message, hint);
    end(c, call);
}

int client_begin(Client *c, const CallSpec *spec, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *request = spec->request;
    CLEANUP(call_free_ptr) Call *call = calloc(1, sizeof *call);
    if (!call)
        return -ENOMEM;
    *call = (Call){
        .state = CALL_QUEUED,
        .request = TAKE_PTR(request),
        .tag = {.id = spec->tag, .owner = call},
        .sent = {.owner = call},
        .deadline = HEAP_NODE(call),
        .wake = HEAP_NODE(call),
        .server_wall = WALL_UNKNOWN,
    };
    int r = sites_lane(&c->sites, spec->account, spec->region, call->request->op, now, &call->lane);
    if (r < 0 || (r = id_map_put(&c->by_tag, &call->tag)) < 0)
        return r;
    call_list_append(&call->lane->queue, call);
    Call *begun = TAKE_PTR(call);
    if ((r = arm_lane(c, begun->lane)) < 0 || (r = heap_set(&c->deadlines, &begun->deadline, spec->deadline_mono)) < 0)
        forget(c, begun);
    return r;
}

void client_cancel(Client *c, uint64_t tag) {
    Call *call = id_map_get(&c->by_tag, tag);
    if (call)
        forget(c, call);
}

size_t client_n_calls(const Client *c) { return c->by_tag.n_nodes; }

/* Back to the head of its queue: it has waited already. */
static int requeue(Client *c, Call *call) {
    detach(c, call);
    call->state = CALL_QUEUED;
    call_list_prepend(&call->lane->queue, call);
    return arm_lane(c, call->lane);
}

static int rest(Client *c, Call *call, Usec until_mono) {
    detach(c, call);
    call->state = CALL_RESTING;
    return heap_set(&c->wakes, &call->wake, until_mono);
}

/* Expired credentials have had no effect: with others it may be asked once more, whatever it is. */
static bool renews(Call *call) {
    Account *a = call->lane->account;
    bool expired = call->error.class == AWS_CREDENTIALS && text_starts_with(call->error.code, "ExpiredToken");
    if (!a->is_kept || !expired || call->renewed)
        return false;
    a->has_expired = true;
    call->renewed = true;
    return true;
}

int client_reply(Client *c, HttpReply *reply, Now now) {
    CLEANUP(http_reply_free_ptr) HttpReply *taken = reply;
    Call *call = id_map_get(&c->by_request, taken->id);
    Usec delay;
    if (!call)
        return 0;
    int r = call_take_reply(call, &c->sites.settings, taken, now);
    if (r < 0)
        return r;
    if (!c->paused && renews(call))
        return rest(c, call, now.mono + RENEWAL_USEC);
    if (c->paused || !call_repeats(call, taken, c->sites.settings.max_attempts, &c->random, &delay)) {
        end(c, call);
        return 0;
    }
    return delay == 0 ? requeue(c, call) : rest(c, call, now.mono + delay);
}

/* What waits to be asked again will not be: it ends as it stands. What was never sent goes on waiting. */
void client_pause(Client *c) {
    c->paused = true;
    for (size_t i = 0; i < c->by_tag.n_chains; i++)
        for (IdNode *node = c->by_tag.chains[i]; node; node = node->next) {
            Call *call = node->owner;
            if (call->n_sends > 0 && (call->state == CALL_QUEUED || call->state == CALL_RESTING))
                end(c, call);
        }
}

/* --- the turn --- */

static void end_overdue(Client *c, Call *call) {
    bool unsure = call->unsure || call->state == CALL_SENT;
    AwsErrorClass class = unsure ? AWS_UNCERTAIN : AWS_TRANSIENT;
    if (call->state == CALL_SENT)
        refuse(c, call, class, "NoReply", "no reply came before the deadline of the call", NULL);
    else if (call->n_sends == 0)
        refuse(c, call, class, "NotSent", "the call waited for its turn until its deadline", NULL);
    else {
        call->error.class = class;
        end(c, call);
    }
}

static int send_call(Client *c, Call *call, Now now, ClientOutbox *out) {
    CLEANUP(http_request_free_ptr) HttpRequest *request = NULL;
    if (ARRAY_GROW(out->requests, out->n_requests, out->n_requests_room) < 0 ||
        ARRAY_GROW(out->sends, out->n_requests, out->n_sends_room) < 0)
        return -ENOMEM;
    call->sent.id = ++c->last_request_id;
    int r = call_make_request(call, &c->sites.settings, call->sent.id, now, &request);
    if (r == -EINVAL || r == -E2BIG) {
        refuse(c, call, AWS_REFUSED, "BadEndpoint", "no request can be made for the endpoint", HINT_ENDPOINT);
        return 0;
    }
    if (r < 0 || (r = id_map_put(&c->by_request, &call->sent)) < 0)
        return r;
    detach(c, call);
    call->state = CALL_SENT;
    call->sent_mono = now.mono;
    call->n_sends++;
    bucket_take(&call->lane->bucket, now.mono);
    out->sends[out->n_requests] = call->tag.id;
    out->requests[out->n_requests++] = TAKE_PTR(request);
    return 0;
}

/* Everything of its queue that can move does. */
static int serve(Client *c, Lane *lane, Now now, ClientOutbox *out) {
    Call *call;
    int r = 0;
    while (r >= 0 && (call = lane->queue.first)) {
        if (!lane->endpoint->url)
            refuse(c, call, AWS_REFUSED, "BadEndpoint", "the region has no such endpoint", HINT_ENDPOINT);
        else if (lane->account->is_awaited)
            break;
        else if (!lane->account->credentials && !c->sites.settings.unsigned_requests)
            refuse(c, call, AWS_CREDENTIALS, "NoCredentials", "there are no AWS credentials", HINT_CREDENTIALS);
        else if (bucket_ready_mono(&lane->bucket) > now.mono)
            break;
        else
            r = send_call(c, call, now, out);
    }
    return r < 0 ? r : arm_lane(c, lane);
}

static int tell(Client *c, ClientOutbox *out) {
    Call *call;
    while ((call = c->ended.first)) {
        if (ARRAY_GROW(out->done, out->n_done, out->n_done_room) < 0)
            return -ENOMEM;
        AwsReply *reply = TAKE_PTR(call->reply);
        out->done[out->n_done++] = (CallDone){
            .tag = call->tag.id,
            .error = call->error,
            .reply = reply,
            .n_sends = call->n_sends,
            .server_wall = call->server_wall,
        };
        forget(c, call);
    }
    return 0;
}

int client_turn(Client *c, Now now, ClientOutbox *out, Usec *ret_next_mono) {
    Call *call;
    Lane *lane;
    int r = 0;
    while ((call = heap_due(&c->deadlines, now.mono)))
        end_overdue(c, call);
    while (r >= 0 && (call = heap_due(&c->wakes, now.mono)))
        r = requeue(c, call);
    while (r >= 0 && !c->paused && (lane = heap_due(&c->ready, now.mono)))
        r = serve(c, lane, now, out);
    if (r < 0 || (r = tell(c, out)) < 0)
        return r;
    Usec next = usec_min(heap_next(&c->deadlines), heap_next(&c->wakes));
    *ret_next_mono = c->paused ? next : usec_min(next, heap_next(&c->ready));
    return 0;
}

void client_outbox_clear(ClientOutbox *o) {
    for (size_t i = 0; i < o->n_requests; i++)
        http_request_free(o->requests[i]);
    for (size_t i = 0; i < o->n_done; i++)
        aws_reply_free(o->done[i].reply);
    o->n_requests = o->n_done = 0;
}

void client_outbox_done(ClientOutbox *o) {
    client_outbox_clear(o);
    free(o->requests);
    free(o->sends);
    free(o->done);
    *o = (ClientOutbox){};
}
