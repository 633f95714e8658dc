#include "recalls.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "base/text.h"
#include "core/chain/recaller.h"
#include "core/conf/conf_client.h"
#include "io/store_chain.h"

#define REGION "eu-central-1"
#define ACCOUNT ACCOUNT_OWN
#define AGAIN_USEC (5 * USEC_PER_MINUTE)

/* A client whose calls are answered at once. */
typedef struct Caller {
    House *house;
    Client *client;
    ClientOutbox out;
} Caller;

static Now now_of(const House *h) {
    Usec wall = world_true_wall(house_world((House *)h));
    return (Now){.wall = wall, .mono = wall};
}

static Client *new_client(House *h) {
    ServiceSettings service = service_settings_default();
    ClientSettings settings = conf_client_settings(engine_conf(world_engine(house_world(h))), "recalls");
    Credentials credentials = {.access_key_id = (char *)service.access_key, .expires_wall = USEC_INFINITY};
    Client *c;
    if (client_new(&settings, 1, &c) < 0 ||
        secret_set(&credentials.secret_access_key, service.secret_key, strlen(service.secret_key)) < 0 ||
        client_set_credentials(c, ACCOUNT, &credentials) < 0)
        abort();
    secret_done(&credentials.secret_access_key);
    return c;
}

static HttpReply *reply_of(const HttpRequest *q, const ServiceReply *from) {
    HttpReply *r = calloc(1, sizeof *r);
    char length[24];
    if (!r)
        abort();
    *r = (HttpReply){.id = q->id, .outcome = HTTP_REPLIED, .status = from->status, .body_len = from->body.len};
    for (size_t i = 0; i < from->n_headers; i++)
        if (http_headers_add(&r->headers, from->headers[i].name, from->headers[i].value) < 0)
            abort();
    snprintf(length, sizeof length, "%zu", from->head_len);
    if (from->is_head && http_headers_add(&r->headers, "Content-Length", length) < 0)
        abort();
    r->body = strndup(text_get(&from->body), from->body.len);
    if (!r->body)
        abort();
    return r;
}

static void serve(Caller *c, const HttpRequest *q) {
    World *w = house_world(c->house);
    ServiceHeader headers[16];
    size_t n = 1;
    const char *host = strstr(q->url, "://") + 3, *path = strchr(host, '/');
    AUTO_FREE char *name = strndup(host, strcspn(host, "/"));
    headers[0] = (ServiceHeader){"Host", name};
    for (size_t i = 0; i < q->headers.n_items && n < ARRAY_SIZE(headers); i++)
        if (strcasecmp(q->headers.items[i].name, "Host") != 0)
            headers[n++] = (ServiceHeader){q->headers.items[i].name, q->headers.items[i].value};
    ServiceRequest request = {.method = http_method_to_string(q->method), .target = path, .headers = headers,
                              .n_headers = n, .body = q->body, .body_len = q->body_len};
    CLEANUP(service_reply_done) ServiceReply reply = {};
    service_handle(world_service(w), world_true_wall(w), &request, &reply);
    if (client_reply(c->client, reply_of(q, &reply), now_of(c->house)) < 0)
        abort();
}

static void ask(Caller *c, Recaller *r, bool *ret_is_over) {
    RecallerQuestion q;
    int rc;
    while ((rc = recaller_ask(r, now_of(c->house), &q)) >= 0)
        if (client_begin(c->client,
                         &(CallSpec){.account = ACCOUNT, .region = q.region, .request = q.request, .tag = q.tag,
                                     .deadline_mono = USEC_INFINITY},
                         now_of(c->house)) < 0)
            abort();
    *ret_is_over = rc == -ENOENT;
    if (rc != -ENOENT && rc != -EAGAIN)
        house_violated(c->house, "what is to be asked cannot be told: %s", strerror(-rc));
}

static void converse(Caller *c, Recaller *r) {
    for (bool is_over = false; !is_over;) {
        Usec next;
        ask(c, r, &is_over);
        client_outbox_clear(&c->out);
        if (client_turn(c->client, now_of(c->house), &c->out, &next) < 0)
            abort();
        for (size_t i = 0; i < c->out.n_done; i++)
            if (recaller_answer(r, &c->out.done[i], now_of(c->house)) < 0)
                abort();
        for (size_t i = 0; i < c->out.n_requests; i++)
            serve(c, c->out.requests[i]);
        if (!is_over && c->out.n_done == 0 && c->out.n_requests == 0) /* it keeps to the service's rates */
            house_run(c->house, next, USEC_PER_MINUTE);
    }
    size_t n;
    const RecallerWord *words = recaller_words(r, &n);
    if (n > 0)
        house_violated(c->house, "chains are not recalled: %s", words[0].text);
}

/* --- what both say --- */

/* What is covered and lost. What is lost in several pieces is one piece. */
static void print(const Spans *spans, Text *t, size_t *ret_n) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    Usec lost_until = WALL_UNKNOWN;
    *ret_n = 0;
    for (size_t i = 0; i < spans->n_items; i++) {
        const Span *s = &spans->items[i];
        bool is_lost = s->kind == SPAN_LOST;
        if (s->kind != SPAN_COVERED && !is_lost)
            continue;
        (*ret_n)++;
        if (is_lost && s->from_wall == lost_until) {
            t->len -= strlen(date_to_iso(lost_until, to)) + 1;
            text_addf(t, "%s\n", s->to_wall == USEC_INFINITY ? "-" : date_to_iso(s->to_wall, to));
        } else {
            text_addf(t, "%s %s %s", span_kind_to_string(s->kind), is_lost ? "" : s->arn,
                      date_to_iso(s->from_wall, from));
            text_addf(t, " %s\n", s->to_wall == USEC_INFINITY ? "-" : date_to_iso(s->to_wall, to));
        }
        lost_until = is_lost ? s->to_wall : WALL_UNKNOWN;
    }
}

static void remembered(House *h, Text *t, size_t *ret_n) {
    char path[128];
    sqlite3 *db = NULL;
    CLEANUP(store_chains_done) StoreChains chains = {};
    CLEANUP(spans_done) Spans spans = {};
    int error = 0;
    snprintf(path, sizeof path, "%s/ledger.db", house_directory(h));
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        store_chain_read(db, &chains, &error) != SQLITE_OK || error < 0)
        house_violated(h, "the ledger's chains cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    if (chains.n_items != 1 ||
        spans_make(chains.items[0].lineage, chains.items[0].reaches, chains.items[0].n_reaches, USEC_PER_DAY,
                   world_true_wall(house_world(h)), &spans) < 0)
        house_violated(h, "the ledger has chains of %zu tables", chains.n_items);
    print(&spans, t, ret_n);
}

static void recalled(House *h, const char *schedule, const char *table, Text *t, size_t *ret_n) {
    const Conf *conf = engine_conf(world_engine(house_world(h)));
    const Place place = {.account = (char *)ACCOUNT, .region = (char *)REGION};
    CLEANUP(target_free_ptr) Target *target = NULL;
    CLEANUP(recaller_free_ptr) Recaller *r = NULL;
    CLEANUP(lineage_free_ptr) Lineage *l = NULL;
    CLEANUP(recall_done) Recall found = {};
    CLEANUP(spans_done) Spans spans = {};
    Caller c = {.house = h, .client = new_client(h)};
    if (target_new(ACCOUNT, REGION, table, &target) < 0 || recaller_new(conf, schedule, &place, target, &r) < 0 ||
        lineage_new(ACCOUNT, REGION, table, schedule, &l) < 0)
        abort();
    converse(&c, r);
    client_outbox_done(&c.out);
    client_free(c.client);
    if (recaller_recall(r, conf_schedule(conf, schedule), l, now_of(h), &found) < 0 ||
        spans_make(l, found.reaches, found.n_reaches, USEC_PER_DAY, world_true_wall(house_world(h)), &spans) < 0)
        abort();
    print(&spans, t, ret_n);
}

size_t recalls_expect(House *h, const char *schedule, const char *table, Usec patience_usec) {
    Usec until = world_true_wall(house_world(h)) + patience_usec;
    for (;;) {
        AUTO_TEXT here = TEXT_INIT(1u << 20), there = TEXT_INIT(1u << 20);
        size_t n_here, n_there;
        if (!world_engine(house_world(h)))
            house_run(h, world_true_wall(house_world(h)) + USEC_PER_MINUTE, 0);
        recalled(h, schedule, table, &there, &n_there);
        remembered(h, &here, &n_here);
        if (strcmp(text_get(&here), text_get(&there)) == 0)
            return n_here;
        if (world_true_wall(house_world(h)) >= until)
            house_violated(h, "the ledger has\n%sand the bucket\n%s", text_get(&here), text_get(&there));
        house_run(h, world_true_wall(house_world(h)) + AGAIN_USEC, USEC_PER_MINUTE);
    }
}
