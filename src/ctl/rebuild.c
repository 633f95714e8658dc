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

typedef struct Work {
    Rebuild b;
    Places places;
    Targets targets;
    Store *store; /* NULL: --dry-run */
    AwsSession aws;
    int64_t next_run_id;
    Now begun;
    Text why; /* of a failure, for people */
} Work;

static void work_done(Work *w) {
    for (size_t i = 0; i < w->b.n_tables; i++) {
        search_done(&w->b.tables[i].search);
        free(w->b.tables[i].rows);
        free(w->b.tables[i].surplus_arn);
    }
    free(w->b.tables);
    store_close(w->store);
    places_done(&w->places);
    targets_done(&w->targets);
    text_done(&w->why);
    aws_session_done(&w->aws);
}

/* --- the ledger --- */

static int load_written(Work *w) {
    CLEANUP(ledger_done) Ledger ledger = {};
    int r = store_load(w->store, &ledger);
    if (r < 0) {
        text_addf(&w->why, "%s: %s", w->b.options->state_directory, store_error(w->store));
        return r;
    }
    w->targets = ledger.targets;
    ledger.targets = (Targets){};
    w->next_run_id = ledger.next_run_id;
    return 0;
}

/* A dry run reads as everybody does, and each time shortly. No ledger is an empty one: *ret stays NULL. */
static int open_read(Work *w, StoreRead **ret) {
    AUTO_FREE char *error = NULL;
    int r = store_read_open(w->b.options->state_directory, ret, &error);
    if (r < 0 && r != -ENOENT)
        text_add(&w->why, error ? error : strerror(-r));
    return r == -ENOENT ? 0 : r;
}

static int load_read(Work *w) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = open_read(w, &store);
    if (r < 0 || !store || (r = store_read_targets(store, &w->targets)) >= 0)
        return r;
    text_add(&w->why, store_read_error(store));
    return r;
}

static int find_known(Work *w, const Run *run, StoreRead *read, bool *ret) {
    *ret = false;
    int r = w->store ? store_has_run(w->store, run, ret) : read ? store_read_has_run(read, run, ret) : 0;
    if (r < 0)
        text_add(&w->why, read ? store_read_error(read) : store_error(w->store));
    return r;
}

static int commit(Work *w, const LedgerBatch *batch) {
    if (!w->store)
        return 0;
    int r = store_commit(w->store, batch);
    if (r < 0)
        text_addf(&w->why, "%s: %s", w->b.options->state_directory, store_error(w->store));
    return r;
}

/* --- one table, when its search is complete --- */

/* Did enrol_update make it just now? */
static bool is_new(const Work *w, const Enrolment *e) { return e->first_seen_wall == w->begun.wall; }

static void count(RebuildRow *row, const Run *r) {
    if (r->state == RUN_SUCCEEDED)
        row->n_succeeded++;
    else if (run_is_settled(r))
        row->n_failed++;
    else
        row->n_unsettled++;
}

static int add_run(Work *w, Run *r, LedgerBatch *batch) {
    if (ARRAY_GROW(batch->runs, batch->n_runs, batch->n_runs_room) < 0)
        return -ENOMEM;
    r->id = w->next_run_id++;
    if (r->artefact)
        r->artefact->run_id = r->id;
    if (r->failed_artefact)
        r->failed_artefact->run_id = r->id;
    batch->runs[batch->n_runs++] = r;
    return 0;
}

/* The slot of which nothing shows, where the ledger had a hole. Its run goes with those of the search. */
static int add_doubt(Work *w, Search *s, Enrolment *e, StoreRead *read, RebuildRow *row, LedgerBatch *batch, Now now) {
    CLEANUP(run_free_ptr) Run *run = NULL;
    bool known = false;
    int r = recover_doubt(w->b.conf->deployment, e, w->b.conf->limits.listing_lag_usec, now, &run);
    if (r < 0 || !run || (r = find_known(w, run, read, &known)) < 0 || known)
        return r;
    if (ARRAY_GROW(s->runs, s->n_runs, s->n_runs_room) < 0 || add_run(w, run, batch) < 0)
        return -ENOMEM;
    row->doubt_wall = run->slot_wall;
    count(row, run);
    s->runs[s->n_runs++] = TAKE_PTR(run);
    return 0;
}

static int take_enrolment(Work *w, Search *s, size_t n_runs, Enrolment *e, StoreRead *read, RebuildRow *row,
                          LedgerBatch *batch, Now now) {
    *row = (RebuildRow){.enrolment = e, .newest_slot_wall = WALL_UNKNOWN, .doubt_wall = WALL_UNKNOWN};
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n_runs; i++) {
        Run *run = s->runs[i];
        bool known;
        if (strcmp(run->schedule, e->schedule_name) != 0)
            continue;
        row->n_found++;
        row->newest_slot_wall = usec_max(row->newest_slot_wall, run->slot_wall);
        if ((r = find_known(w, run, read, &known)) < 0)
            return r;
        if (known)
            row->n_known++;
        else {
            count(row, run);
            r = add_run(w, run, batch);
        }
    }
    recover_enrolment(e, is_new(w, e), s->runs, n_runs, now);
    if (r >= 0 && rebuild_row_taken(row) > 0)
        r = add_doubt(w, s, e, read, row, batch, now);
    if (r < 0 || !e->changed)
        return r;
    if (ARRAY_GROW(batch->enrolments, batch->n_enrolments, batch->n_enrolments_room) < 0)
        return -ENOMEM;
    batch->enrolments[batch->n_enrolments++] = e;
    return 0;
}

static int count_surplus(RebuildTable *t, size_t n_kept) {
    const Search *s = &t->search;
    for (size_t i = n_kept; i < s->n_runs; i++) {
        const Artefact *a = s->runs[i]->artefact;
        if (!a || a->life == ARTEFACT_FAILED)
            continue;
        if (t->n_surplus++ == 0 && text_set(&t->surplus_arn, a->arn) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int take_table(Work *w, RebuildTable *t, Now now) {
    CLEANUP(store_read_close_ptr) StoreRead *read = NULL;
    CLEANUP(ledger_batch_done)
    LedgerBatch batch = {.wall = now.wall, .stock.expiry = STOCK_SWITCH_PAUSED}; /* holds are lost */
    Search *s = &t->search;
    Target *target = s->target;
    int r = w->store ? 0 : open_read(w, &read);
    if (r < 0)
        return r;
    t->rows = calloc(target->n_enrolments + 1, sizeof *t->rows);
    if (!t->rows || ARRAY_GROW(batch.targets, batch.n_targets, batch.n_targets_room) < 0)
        return -ENOMEM;
    batch.targets[batch.n_targets++] = target;
    size_t n_kept = recover_merge(s->runs, s->n_runs);
    r = count_surplus(t, n_kept);
    for (size_t i = 0; r >= 0 && i < target->n_enrolments; i++) {
        Enrolment *e = target->enrolments[i];
        if (e->schedule)
            r = take_enrolment(w, s, n_kept, e, read, &t->rows[t->n_rows++], &batch, now);
    }
    if (r < 0 || (r = commit(w, &batch)) < 0)
        return r;
    w->b.n_taken += batch.n_runs;
    for (size_t i = 0; i < s->n_runs; i++)
        run_free(s->runs[i]);
    s->n_runs = 0;
    return 0;
}

/* --- the conversation --- */

static int go_on(Work *w, size_t i, Now now) {
    AwsRequest *request = NULL;
    const Target *t = w->b.tables[i].search.target;
    int r = search_request(&w->b.tables[i].search, now, &request);
    return r < 0 ? r : ask_begin(w->aws.ask, t->account, t->region, request, i, now);
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

static int take_answer(void *context, CallDone *done, Now now) {
    Work *w = context;
    RebuildTable *t = &w->b.tables[done->tag];
    int r = check_clock(w, done, now);
    if (r < 0 || (r = search_answer(&t->search, done, now)) < 0)
        return r;
    if (!search_is_over(&t->search))
        return go_on(w, done->tag, now);
    w->b.n_failed_tables += t->search.stage == SEARCH_FAILED;
    return t->search.stage == SEARCH_DONE ? take_table(w, t, now) : 0;
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

static int begin_searches(Work *w) {
    w->begun = clocks_read();
    int r = enrol_update(&w->targets, w->b.conf, &w->places, w->begun, ignore_news, NULL);
    if (r < 0)
        return r;
    w->b.tables = calloc(w->targets.n_items + 1, sizeof *w->b.tables);
    if (!w->b.tables)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < w->targets.n_items; i++) {
        Target *t = w->targets.items[i];
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
    return load_written(w);
}

static int answer(Work *w, int r, Text *out) {
    if (r < 0) {
        if (w->b.n_taken > 0 && w->store)
            text_addf(&w->why, "%s (%zu runs were taken in before; what is there is not taken in twice)",
                      w->why.len ? "" : strerror(-r), w->b.n_taken);
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
