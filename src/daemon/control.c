#include "daemon/control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/parse.h"
#include "io/varlink_server.h"

/* One run that a client follows. */
typedef struct Followed {
    int64_t id;
    RunState state;
} Followed;

/* A client that waits for the runs of its order. */
typedef struct Wait {
    uint64_t client;
    Followed *runs; /* by id */
    ControlProgress progress;
    char *table, *why; /* that the progress points to */
    bool moved;        /* since the client was told */
} Wait;

struct Control {
    VarlinkServer *server;
    const ControlLoop *loop;
    void *context;
    char *path;
    Order **orders; /* for the next turn */
    size_t n_orders, n_orders_room;
    uint64_t *followers; /* clients whose order is under way, and who want to follow its runs */
    size_t n_followers, n_followers_room;
    Wait *waits;
    size_t n_waits, n_waits_room;
};

/* --- who waits --- */

static void wait_done(Wait *w) {
    free(w->runs);
    free(w->table);
    free(w->why);
}

static void forget_wait(Control *c, size_t i) {
    wait_done(&c->waits[i]);
    c->waits[i] = c->waits[--c->n_waits];
}

/* True when it was one. */
static bool forget_follower(Control *c, uint64_t client) {
    for (size_t i = 0; i < c->n_followers; i++)
        if (c->followers[i] == client) {
            c->followers[i] = c->followers[--c->n_followers];
            return true;
        }
    return false;
}

static void on_gone(void *context, uint64_t client) {
    Control *c = context;
    forget_follower(c, client);
    for (size_t i = c->n_waits; i-- > 0;)
        if (c->waits[i].client == client)
            forget_wait(c, i);
}

/* --- calls --- */

static int answer(Control *c, uint64_t client, int r, const Text *out, bool continues) {
    if (r < 0)
        return r;
    varlink_server_send(c->server, client, out, continues);
    return 0;
}

static int answer_state(Control *c, Text *out) {
    ControlState state = {};
    c->loop->state(c->context, &state);
    return control_answer_state(&state, out);
}

static int reload(Control *c, Text *out) {
    AUTO_FREE char *problem = NULL;
    int r = c->loop->reload(c->context, &problem);
    return r < 0 ? r : control_answer_reload(problem, out);
}

/* Its answer is sent after the turn that carries it out. */
static int queue(Control *c, uint64_t client, const VarlinkCall *call, Order *order) {
    CLEANUP(order_free_ptr) Order *o = order;
    o->ticket = call->oneway ? 0 : client;
    if (ARRAY_GROW(c->orders, c->n_orders, c->n_orders_room) < 0 ||
        ARRAY_GROW(c->followers, c->n_followers, c->n_followers_room) < 0)
        return -ENOMEM;
    if (o->kind == ORDER_RUN && call->more && !call->oneway)
        c->followers[c->n_followers++] = client;
    c->orders[c->n_orders++] = TAKE_PTR(o);
    c->loop->wanted(c->context);
    return 0;
}

static int on_call(void *context, uint64_t client, const VarlinkPeer *peer, const char *message, size_t len) {
    Control *c = context;
    VarlinkCall call;
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    CLEANUP(order_free_ptr) Order *order = NULL;
    char who[32] = "root";
    if (peer->uid != 0)
        snprintf(who, sizeof who, "uid %u", peer->uid);
    bool may_order = peer->uid == 0 || peer->uid == geteuid() || peer->in_order_group;
    ControlPeer asker = {.who = who, .may_order = may_order, .may_read = may_order || peer->in_service_group};
    ControlAsk ask = CONTROL_ANSWERED;
    int r = varlink_read_call(message, len, &call);
    if (r >= 0)
        r = control_read(&call, &asker, &out, &ask, &order);
    if (r < 0)
        return r;
    switch (ask) {
    case CONTROL_ANSWERED:
        break;
    case CONTROL_STATE:
        r = answer_state(c, &out);
        break;
    case CONTROL_RELOAD:
        r = reload(c, &out);
        break;
    case CONTROL_ORDER:
        r = queue(c, client, &call, TAKE_PTR(order));
        break;
    }
    if (r >= 0 && (call.oneway || ask != CONTROL_ORDER)) {
        if (call.oneway)
            text_clear(&out);
        varlink_server_send(c->server, client, &out, false);
    }
    return r;
}

int control_push(Control *c, Engine *e) {
    int r = 0;
    for (size_t i = 0; i < c->n_orders; i++) {
        Order *o = TAKE_PTR(c->orders[i]);
        if (r >= 0)
            r = engine_push_order(e, o);
        else
            order_free(o);
    }
    c->n_orders = 0;
    return r;
}

/* --- answers --- */

static int begin_wait(Control *c, const Order *o) {
    if (ARRAY_GROW(c->waits, c->n_waits, c->n_waits_room) < 0)
        return -ENOMEM;
    Wait w = {.client = o->ticket, .runs = calloc(o->n_runs, sizeof w.runs[0]), .progress.n_runs = o->n_runs};
    if (!w.runs)
        return -ENOMEM;
    for (size_t i = 0; i < o->n_runs; i++)
        w.runs[i] = (Followed){.id = o->runs[i], .state = RUN_DUE};
    c->waits[c->n_waits++] = w;
    return 0;
}

static void answer_order(Control *c, const Order *o) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    bool follows = forget_follower(c, o->ticket) && o->n_runs > 0;
    if (o->ticket == 0)
        return;
    if (follows && begin_wait(c, o) < 0)
        follows = false;
    (void)answer(c, o->ticket, control_answer(o, follows, &out), &out, follows);
}

static int compare_followed(const void *a, const void *b) {
    int64_t x = ((const Followed *)a)->id, y = ((const Followed *)b)->id;
    return (x > y) - (x < y);
}

static bool is_settled(RunState s) { return s == RUN_SUCCEEDED || s == RUN_FAILED || s == RUN_SKIPPED; }

static void take_run(Wait *w, const Run *r) {
    Followed key = {.id = r->id}, *f = bsearch(&key, w->runs, w->progress.n_runs, sizeof key, compare_followed);
    ControlProgress *p = &w->progress;
    if (!f || is_settled(f->state) || (f->state == r->state && r->state != RUN_DUE && text_equal(r->why, w->why)))
        return;
    f->state = r->state;
    p->n_settled += is_settled(r->state);
    p->n_succeeded += r->state == RUN_SUCCEEDED;
    p->run = r->id;
    p->state = run_state_to_string(r->state);
    w->moved = text_set(&w->table, r->table) >= 0 && text_set(&w->why, r->why) >= 0;
    p->table = w->table;
    p->why = w->why;
}

/* A client that does not read misses steps between, never the last. True when there is no more to tell. */
static bool tell(Control *c, Wait *w) {
    AUTO_TEXT out = TEXT_INIT(VARLINK_REPLY_MAX);
    bool over = w->progress.n_settled == w->progress.n_runs;
    if (!w->moved || (!over && varlink_server_is_behind(c->server, w->client)))
        return false;
    w->moved = false;
    uint64_t client = w->client;
    int r = control_add_progress(&w->progress, !over, &out);
    if (over)
        w->client = 0; /* a client that hangs up now is not looked for */
    (void)answer(c, client, r, &out, !over);
    return over;
}

void control_take(Control *c, EngineOutbox *out) {
    for (size_t i = 0; i < out->n_orders; i++)
        answer_order(c, out->orders[i]);
    for (size_t i = 0; i < c->n_waits; i++)
        for (size_t j = 0; j < out->batch.n_runs; j++)
            take_run(&c->waits[i], out->batch.runs[j]);
    for (size_t i = c->n_waits; i-- > 0;)
        if (i < c->n_waits && tell(c, &c->waits[i]))
            forget_wait(c, i);
}

/* --- life --- */

/* Its name or its number; -1: there is no such group. */
static int64_t group_id(const char *group) {
    const struct group *g = getgrnam(group);
    int64_t gid;
    if (g)
        return g->gr_gid;
    return parse_int(group, 0, UINT32_MAX - 1, &gid) < 0 ? -1 : gid;
}

bool control_group_exists(const char *group) { return group_id(group) >= 0; }

void control_set_group(Control *c, const char *group) {
    varlink_server_set_group(c->server, (unsigned)(group ? group_id(group) : -1));
}

void control_free(Control *c) {
    if (!c)
        return;
    varlink_server_free(c->server);
    for (size_t i = 0; i < c->n_orders; i++)
        order_free(c->orders[i]);
    free(c->orders);
    free(c->followers);
    for (size_t i = 0; i < c->n_waits; i++)
        wait_done(&c->waits[i]);
    free(c->waits);
    free(c);
}

int control_new(sd_event *event, const char *directory, const ControlLoop *loop, void *context, Control **ret,
                char **ret_problem) {
    static const VarlinkPort port = {.call = on_call, .gone = on_gone};
    CLEANUP(control_free_ptr) Control *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->loop = loop;
    c->context = context;
    int r = varlink_server_new(event, directory, CONTROL_SOCKET, &port, c, &c->server);
    if (r == -EADDRINUSE)
        *ret_problem = text_format("%s/" CONTROL_SOCKET
                                   ": another daemon listens there, so that no orders can be given to this one; "
                                   "HINT: --runtime-directory gives it one of its own",
                                   directory);
    else if (r < 0)
        *ret_problem = text_format("%s/" CONTROL_SOCKET
                                   ": %s, so that no orders can be given; HINT: RuntimeDirectory=ddbackupd in "
                                   "the unit makes the directory, and --runtime-directory names another",
                                   directory, strerror(-r));
    if (r < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}
