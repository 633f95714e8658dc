#include "recalls.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "io/store_chain.h"

#define REGION "eu-central-1"
#define AGAIN_USEC (5 * USEC_PER_MINUTE)

/* False: it is over. */
static bool ask(House *h, Caller *c, Recaller *r) {
    RecallerQuestion q;
    int rc;
    while ((rc = recaller_ask(r, caller_now(c), &q)) >= 0)
        caller_begin(c, q.region, q.request, q.tag);
    if (rc != -ENOENT && rc != -EAGAIN)
        house_violated(h, "what is to be asked cannot be told: %s", strerror(-rc));
    return rc != -ENOENT;
}

static int take_answer(void *context, CallDone *done, Now now) { return recaller_answer(context, done, now); }

void recalls_converse(House *h, Caller *c, Recaller *r) {
    while (ask(h, c, r))
        caller_turn(c, take_answer, r);
    size_t n;
    const RecallerWord *words = recaller_words(r, &n);
    if (n > 0)
        house_violated(h, "chains are not recalled: %s", words[0].text);
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
    CLEANUP(conf_free_ptr) Conf *conf = house_load_conf(h);
    const Place place = {.account = (char *)ACCOUNT_OWN, .region = (char *)REGION};
    CLEANUP(target_free_ptr) Target *target = NULL;
    CLEANUP(recaller_free_ptr) Recaller *r = NULL;
    CLEANUP(lineage_free_ptr) Lineage *l = NULL;
    CLEANUP(recall_done) Recall found = {};
    CLEANUP(spans_done) Spans spans = {};
    CLEANUP(caller_free_ptr) Caller *c = caller_new(h, conf);
    if (target_new(ACCOUNT_OWN, REGION, table, &target) < 0 || recaller_new(conf, schedule, &place, target, &r) < 0 ||
        lineage_new(ACCOUNT_OWN, REGION, table, schedule, &l) < 0)
        abort();
    recalls_converse(h, c, r);
    if (recaller_recall(r, conf_schedule(conf, schedule), l, caller_now(c), &found) < 0 ||
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
