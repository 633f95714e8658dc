/* Finds again at the service what a lost ledger knew, and writes it: table by table, each in one transaction when its
 * search is complete. What the ledger still has stays as it is. */

#include "ctl/rebuild.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/run/enrol.h"
#include "core/run/trust.h"
#include "ctl/aws_session.h"
#include "ctl/become.h"
#include "ctl/verbs.h"
#include "io/clocks.h"
#include "io/store.h"
#include "io/store_read.h"

/* Of an answer: which table's, of which of its two conversations, and which question of the second. */
#define TAG_SHIFT 40
#define TAG_OF_CHAINS (UINT64_C(1) << (TAG_SHIFT - 1))

typedef struct Work {
    Rebuild b;
    Places places;
    Ledger ledger;
    Store *store;    /* NULL: --dry-run */
    StoreRead *read; /* then, while a table is taken in; NULL: there is no ledger */
    AwsSession aws;
    Now begun;
    Text why; /* of a failure, for people */
} Work;

static void work_done(Work *w) {
    for (size_t i = 0; i < w->b.n_tables; i++)
        regain_table_done(&w->b.tables[i]);
    free(w->b.tables);
    store_close(w->store);
    store_read_close(w->read);
    places_done(&w->places);
    ledger_done(&w->ledger);
    text_done(&w->why);
    aws_session_done(&w->aws);
}

/* --- the ledger --- */

static int ledger_failed(Work *w, int r) {
    if (r < 0 && w->store)
        text_addf(&w->why, "%s: %s", w->b.options->state_directory, store_error(w->store));
    else if (r < 0 && w->read)
        text_add(&w->why, store_read_error(w->read));
    return r;
}

/* A dry run reads as everybody does, and each time shortly. No ledger is an empty one. */
static int open_read(Work *w) {
    AUTO_FREE char *error = NULL;
    int r = store_read_open(w->b.options->state_directory, &w->read, &error);
    if (r < 0 && r != -ENOENT)
        text_add(&w->why, error ? error : strerror(-r));
    return r == -ENOENT ? 0 : r;
}

static int load_read(Work *w) {
    CLEANUP(store_chains_done) StoreChains chains = {};
    int r = open_read(w);
    if (r < 0 || !w->read)
        return r;
    if ((r = store_read_chains(w->read, &chains)) >= 0) {
        w->ledger = chains.ledger;
        chains.ledger = (Ledger){};
        r = store_read_targets(w->read, &w->ledger.targets);
    }
    ledger_failed(w, r);
    store_read_close(TAKE_PTR(w->read));
    return r;
}

static int find_run(void *context, const Run *run, int64_t *ret_id) {
    Work *w = context;
    *ret_id = 0;
    return ledger_failed(w, w->store  ? store_find_run(w->store, run, ret_id)
                            : w->read ? store_read_find_run(w->read, run, ret_id)
                                      : 0);
}

static int knows_chain(void *context, const char *base_arn, bool *ret) {
    Work *w = context;
    *ret = false;
    return ledger_failed(w, w->store  ? store_knows_chain(w->store, base_arn, ret)
                            : w->read ? store_read_knows_chain(w->read, base_arn, ret)
                                      : 0);
}

static RegainSettings regain_settings(Work *w) {
    return (RegainSettings){.conf = w->b.conf,
                            .ledger = &w->ledger,
                            .begun_wall = w->begun.wall,
                            .find_run = find_run,
                            .knows_chain = knows_chain,
                            .context = w};
}

/* One table, when all is known of it. */
static int take_table(Work *w, RegainTable *t, Now now) {
    CLEANUP(ledger_batch_done) LedgerBatch batch = {};
    const RegainSettings settings = regain_settings(w);
    int r = w->store ? 0 : open_read(w);
    if (r >= 0)
        r = regain_table(&settings, t, now, &batch);
    store_read_close(TAKE_PTR(w->read));
    if (r < 0 || (w->store && ledger_failed(w, r = store_commit(w->store, &batch)) < 0))
        return r;
    w->b.n_runs += batch.n_runs;
    w->b.n_chains += batch.n_chains;
    w->b.n_links += batch.n_links;
    regain_committed(t, &batch);
    return 0;
}

/* --- the conversation --- */

static int go_on(Work *w, size_t i, Now now) {
    AwsRequest *request = NULL;
    const Target *t = w->b.tables[i].search.target;
    int r = search_request(&w->b.tables[i].search, now, &request);
    return r < 0 ? r : ask_begin(w->aws.ask, t->account, t->region, request, (uint64_t)i << TAG_SHIFT, now);
}

/* Something that may be there was not seen. */
static bool chains_failed(const RegainTable *t) {
    size_t n;
    bool failed = false;
    const RecallerWord *words = recaller_words(t->recaller, &n);
    for (size_t i = 0; i < n; i++) {
        ctl_failed(words[i].text);
        failed |= words[i].is_fatal;
    }
    return failed;
}

static int go_on_with_chains(Work *w, size_t i, Now now) {
    RegainTable *t = &w->b.tables[i];
    const Target *target = t->search.target;
    RecallerQuestion q;
    int r;
    while ((r = recaller_ask(t->recaller, now, &q)) >= 0)
        if ((r = ask_begin(w->aws.ask, target->account, q.region, q.request,
                           (uint64_t)i << TAG_SHIFT | TAG_OF_CHAINS | q.tag, now)) < 0)
            return r;
    if (r != -ENOENT)
        return r == -EAGAIN ? 0 : r;
    t->failed = chains_failed(t);
    w->b.n_failed_tables += t->failed;
    return t->failed ? 0 : take_table(w, t, now);
}

/* Cursors are made of this host's time. */
static int check_clock(Work *w, const CallDone *done, Now now) {
    Usec ahead = now.wall - done->server_wall;
    if (done->server_wall == WALL_UNKNOWN || (ahead < TRUST_SLACK_USEC && ahead > -TRUST_SLACK_USEC))
        return 0;
    text_addf(&w->why, "this host's clock is %lld s %s the service's; HINT: set it, and rebuild then",
              (long long)((ahead < 0 ? -ahead : ahead) / USEC_PER_SEC), ahead < 0 ? "behind" : "ahead of");
    return -ETIME;
}

static int take_search(Work *w, size_t i, const CallDone *done, Now now) {
    RegainTable *t = &w->b.tables[i];
    const RegainSettings settings = regain_settings(w);
    int r = search_answer(&t->search, done, now);
    if (r < 0)
        return r;
    if (!search_is_over(&t->search))
        return go_on(w, i, now);
    w->b.n_failed_tables += t->search.stage == SEARCH_FAILED;
    if (t->search.stage != SEARCH_DONE)
        return 0;
    const Place *place = places_find(&w->places, t->search.target->account, t->search.target->region);
    if ((r = regain_begin_chains(&settings, place, t)) < 0)
        return r;
    return t->recaller ? go_on_with_chains(w, i, now) : take_table(w, t, now);
}

static int take_answer(void *context, CallDone *done, Now now) {
    Work *w = context;
    size_t i = (size_t)(done->tag >> TAG_SHIFT);
    bool of_chains = done->tag & TAG_OF_CHAINS;
    int r = check_clock(w, done, now);
    if (r < 0 || !of_chains)
        return r < 0 ? r : take_search(w, i, done, now);
    done->tag &= TAG_OF_CHAINS - 1;
    r = recaller_answer(w->b.tables[i].recaller, done, now);
    return r < 0 ? r : go_on_with_chains(w, i, now);
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

static int begin_searches(Work *w) {
    w->begun = clocks_read();
    int r = enrol_update(&w->ledger.targets, w->b.conf, &w->places, w->begun, ignore_news, NULL);
    if (r < 0)
        return r;
    w->b.tables = calloc(w->ledger.targets.n_items + 1, sizeof *w->b.tables);
    if (!w->b.tables)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < w->ledger.targets.n_items; i++) {
        Target *t = w->ledger.targets.items[i];
        if (!t->selected)
            continue;
        w->b.tables[w->b.n_tables].search = (Search){.deployment = w->b.conf->deployment, .target = t};
        r = go_on(w, w->b.n_tables++, w->begun);
    }
    return r;
}

/* The only place there is: nothing can be done. One of several: the others are searched. */
static int say_unlisted(Work *w, const Place *p, const AwsError *error) {
    char label[PLACE_LABEL_SIZE];
    AUTO_TEXT t = TEXT_INIT(2048);
    AUTO_FREE char *text = NULL;
    text_addf(&t, "%s: the %s: %s: %s%s%s", place_label(p, w->b.qualified, label),
              p->has_listing ? "tags of its tables cannot be read" : "tables cannot be listed", error->code,
              error->message, error->hint ? "; HINT: " : "", error->hint ? error->hint : "");
    if (!places_are_many(&w->places)) {
        text_add(&w->why, text_get(&t));
        return -EREMOTEIO;
    }
    w->b.n_failed_places++;
    int r = text_take(&t, &text);
    if (r >= 0)
        ctl_failed(text);
    return r;
}

static int search_all(Work *w) {
    AUTO_FREE AwsError *errors = calloc(w->places.n_items, sizeof *errors);
    if (!errors)
        return -ENOMEM;
    int r = ask_tables(w->aws.ask, &w->places, errors);
    if (r >= 0)
        r = ask_tags(w->aws.ask, w->b.conf, &w->places, errors);
    for (size_t i = 0; r >= 0 && i < w->places.n_items; i++)
        if (w->places.items[i].discovery.wanted && (!w->places.items[i].has_listing || errors[i].code[0]))
            r = say_unlisted(w, &w->places.items[i], &errors[i]);
    if (r < 0 || (r = begin_searches(w)) < 0)
        return r;
    return ask_run(w->aws.ask, take_answer, w);
}

/* --- the verb --- */

static int open_ledger(Work *w, int *ret_status) {
    AUTO_FREE char *error = NULL;
    if (w->b.options->dry_run)
        return load_read(w);
    int r = become_writer(w->b.options);
    if (r >= 0 && (r = store_open(w->b.options->state_directory, &w->store, &error)) < 0)
        become_refused(w->b.options, r, error);
    if (r < 0) {
        *ret_status = CTL_FAILED; /* and said why */
        return r;
    }
    return ledger_failed(w, store_load(w->store, &w->ledger));
}

static int answer(Work *w, int r, Text *out) {
    if (r < 0) {
        if (w->b.n_runs > 0 && w->store)
            text_addf(&w->why, "%s (%zu runs were taken in before; what is there is not taken in twice)",
                      w->why.len ? "" : strerror(-r), w->b.n_runs);
        return ctl_failed(w->why.len ? text_get(&w->why) : strerror(-r));
    }
    if (rebuild_print(&w->b, out) < 0)
        return ctl_failed(NULL);
    if (w->b.n_tables == 0)
        return ctl_failed("the configuration selects no table; HINT: 'ddbackupctl plan' shows what it selects");
    return w->b.n_failed_tables == 0 && w->b.n_failed_places == 0
               ? CTL_OK
               : ctl_failed("not all tables could be searched; HINT: rebuild again when the cause is gone: what is "
                            "there is not taken in twice");
}

int verb_rebuild(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(work_done) Work w = {.b = {.options = o, .now_wall = now_wall}, .why = TEXT_INIT(8192)};
    AUTO_TEXT sources = TEXT_INIT(256u << 10);
    int status = CTL_OK;
    if (aws_session_open(&w.aws, o, USEC_INFINITY) < 0)
        return CTL_FAILED;
    aws_session_say_problems(&w.aws); /* an account without credentials keeps no other from being searched */
    if (fetched_n_found(&w.aws.credentials) == 0)
        return CTL_FAILED;
    fetched_say(&w.aws.credentials, &sources);
    w.b.credentials = text_get(&sources);
    w.b.conf = w.aws.conf;
    int r = aws_session_places(&w.aws, &w.places);
    if (r < 0)
        return ctl_failed(NULL);
    w.b.places = &w.places;
    w.b.qualified = places_are_many(&w.places);
    r = open_ledger(&w, &status);
    if (status != CTL_OK)
        return status;
    if (r >= 0)
        r = search_all(&w);
    return answer(&w, r, out);
}
