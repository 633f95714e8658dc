#include "rebuilds.h"

#include <string.h>

#include "caller.h"
#include "core/rebuild/regain.h"
#include "core/run/enrol.h"
#include "io/store.h"
#include "recalls.h"

#define REGION "eu-central-1"

static int take_answer(void *context, CallDone *done, Now now) { return search_answer(context, done, now); }

static void search(House *h, Caller *c, Search *s) {
    while (!search_is_over(s)) {
        AwsRequest *q = NULL;
        if (search_request(s, caller_now(c), &q) < 0)
            abort();
        caller_begin(c, REGION, q, 0);
        for (bool answered = false; !answered;) {
            SearchStage stage = s->stage;
            const RunLook *look = s->look;
            size_t n_pages = look ? look->n_pages : 0, n_candidates = look ? look->n_candidates : 0;
            caller_turn(c, take_answer, s);
            answered = s->stage != stage || s->look != look ||
                       (look && (look->n_pages != n_pages || look->n_candidates != n_candidates));
        }
    }
    if (s->stage == SEARCH_FAILED)
        house_violated(h, "%s cannot be searched: %s", s->target->table, s->error.code);
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

static size_t take_table(House *h, Caller *c, const RegainSettings *s, const Place *place, Target *target) {
    CLEANUP(regain_table_done) RegainTable t = {.search = {.deployment = s->conf->deployment, .target = target}};
    CLEANUP(ledger_batch_done) LedgerBatch batch = {};
    search(h, c, &t.search);
    if (t.search.stage != SEARCH_DONE || regain_begin_chains(s, place, &t) < 0)
        house_violated(h, "%s was not found", target->table);
    if (t.recaller)
        recalls_converse(h, c, t.recaller);
    if (regain_table(s, &t, caller_now(c), &batch) < 0)
        house_violated(h, "%s could not be found again", target->table);
    size_t n = batch.n_runs + batch.n_links + batch.n_chains;
    house_commit(h, &batch);
    regain_committed(&t, &batch);
    return n;
}

/* The host is off. */
static size_t rebuild(House *h) {
    CLEANUP(ledger_done) Ledger ledger = {};
    CLEANUP(conf_free_ptr) Conf *conf = house_load_conf(h);
    CLEANUP(caller_free_ptr) Caller *c = caller_new(h, conf);
    CLEANUP(places_done) Places places = {};
    Now begun = caller_now(c);
    RegainSettings s = {.conf = conf,
                        .ledger = &ledger,
                        .begun_wall = begun.wall,
                        .find_run = store_find_run,
                        .knows_chain = store_knows_chain,
                        .context = house_open_ledger(h, &ledger)};
    size_t n = 0;
    if (places_make(conf, REGION, begun, &places) < 0 ||
        enrol_update(&ledger.targets, conf, &places, begun, ignore_news, NULL) < 0)
        abort();
    for (size_t i = 0; i < ledger.targets.n_items; i++)
        if (ledger.targets.items[i]->selected)
            n += take_table(h, c, &s, &places.items[0], ledger.targets.items[i]);
    house_start(h);
    return n;
}

size_t rebuilds_lost_ledger(House *h) {
    house_lose_ledger(h);
    return rebuild(h);
}

size_t rebuilds_again(House *h) {
    house_halt(h);
    return rebuild(h);
}
