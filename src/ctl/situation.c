#include "ctl/situation.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "ctl/compare.h"
#include "ctl/judge.h"

const char *level_to_string(Level l) {
    static const char *const names[] = {"ok", "warning", "critical"};
    return names[l];
}

const char *daemon_to_string(DaemonState s) {
    static const char *const names[] = {
        [DAEMON_UNKNOWN] = "unknown", [DAEMON_STOPPED] = "stopped", [DAEMON_RUNNING] = "running"};
    return names[s];
}

void situation_done(Situation *s) {
    pause_done(&s->pause);
    daemon_voice_done(&s->voice);
    for (size_t i = 0; i < s->n_standings; i++) {
        run_free(s->standings[i].latest);
        run_free(s->standings[i].success);
    }
    free(s->standings);
    for (size_t i = 0; i < s->n_unsettled; i++)
        run_free(s->unsettled[i]);
    free(s->unsettled);
    for (size_t i = 0; i < s->n_problems; i++)
        free(s->problems[i].text);
    free(s->problems);
    free(s->deployment);
    for (size_t i = 0; i < s->n_tables; i++)
        ledger_table_done(&s->tables[i]);
    free(s->tables);
    ledger_done(&s->lost);
    targets_done(&s->targets);
    stock_state_done(&s->stock);
    *s = (Situation){};
}

typedef struct Load {
    const CtlOptions *options;
    Situation *s;
} Load;

static int add_standings(Load *l) {
    Situation *s = l->s;
    for (size_t i = 0; i < s->targets.n_items; i++) {
        const Target *t = s->targets.items[i];
        for (size_t j = 0; j < t->n_enrolments; j++) {
            const Enrolment *e = t->enrolments[j];
            if (!e->active || !options_select(l->options, t->account, t->region, t->table, e->schedule_name))
                continue;
            if (ARRAY_GROW(s->standings, s->n_standings, s->n_room) < 0)
                return -ENOMEM;
            s->standings[s->n_standings++] = (Standing){.enrolment = e};
        }
        const Target *first = s->targets.items[0];
        s->qualified |= strcmp(t->account, first->account) != 0 || strcmp(t->region, first->region) != 0;
    }
    return 0;
}

/* The enrolment of a run; standings are still sorted as they were loaded. */
static Standing *standing_of(Situation *s, const Run *r) {
    size_t low = 0, high = s->n_standings;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const Enrolment *e = s->standings[middle].enrolment;
        int c = target_compare(e->target, r->account, r->region, r->table);
        c = c ? c : strcmp(e->schedule_name, r->schedule);
        if (c == 0)
            return &s->standings[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int take_latest(void *context, Run *run) {
    Load *l = context;
    Standing *standing = standing_of(l->s, run);
    if (standing)
        standing->latest = run;
    else
        run_free(run);
    return 0;
}

/* A backup's name begins with the deployment. */
static int learn_deployment(Situation *s, const Run *run) {
    if (s->deployment || run->action != ACTION_BACKUP || !run->name || !strchr(run->name, '.'))
        return 0;
    s->deployment = strndup(run->name, strcspn(run->name, "."));
    return s->deployment ? 0 : -ENOMEM;
}

static int take_success(void *context, Run *run) {
    Load *l = context;
    int r = learn_deployment(l->s, run);
    Standing *standing = standing_of(l->s, run);
    if (standing)
        standing->success = run;
    else
        run_free(run);
    return r;
}

static int take_unsettled(void *context, Run *run) {
    Load *l = context;
    Situation *s = l->s;
    CLEANUP(run_free_ptr) Run *taken = run;
    if (!options_select(l->options, run->account, run->region, run->table, run->schedule))
        return 0;
    if (ARRAY_GROW(s->unsettled, s->n_unsettled, s->n_unsettled_room) < 0)
        return -ENOMEM;
    s->unsettled[s->n_unsettled++] = TAKE_PTR(taken);
    return learn_deployment(s, run);
}

static int take_table(void *context, LedgerTable *table) {
    Load *l = context;
    Situation *s = l->s;
    if (ARRAY_GROW(s->tables, s->n_tables, s->n_tables_room) < 0) {
        ledger_table_done(table);
        return -ENOMEM;
    }
    s->tables[s->n_tables++] = *table;
    return 0;
}

static int read_all(Load *l, StoreRead *store) {
    int r = store_read_pause(store, &l->s->pause);
    if (r >= 0)
        r = store_read_targets(store, &l->s->targets);
    if (r < 0 || (r = store_read_inventory(store, take_table, l)) < 0 || (r = add_standings(l)) < 0 ||
        (r = store_read_runs(store, STORE_RUNS_LATEST, NULL, take_latest, l)) < 0 ||
        (r = store_read_runs(store, STORE_RUNS_SUCCEEDED, NULL, take_success, l)) < 0)
        return r;
    if ((r = store_read_stock_state(store, &l->s->stock)) < 0 ||
        (r = store_read_open_losses(store, &l->s->lost)) < 0 ||
        (r = store_read_n_held(store, l->s->now_wall, &l->s->n_held)) < 0)
        return r;
    return store_read_runs(store, STORE_RUNS_UNSETTLED, NULL, take_unsettled, l);
}

int situation_load(const CtlOptions *o, Usec now_wall, Situation *ret, char **ret_error) {
    CLEANUP(situation_done) Situation s = {.now_wall = now_wall, .oldest_usec = WALL_UNKNOWN};
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    Load load = {.options = o, .s = &s};
    s.daemon = store_read_daemon(o->state_directory);
    int r = store_read_open(o->state_directory, &store, ret_error);
    if (r < 0)
        return r;
    r = read_all(&load, store);
    if (r < 0) {
        (void)text_set(ret_error, *store_read_error(store) ? store_read_error(store) : strerror(-r));
        return r;
    }
    if (s.daemon == DAEMON_RUNNING && (r = daemon_voice_hear(o->runtime_directory, o->state_directory, &s.voice)) < 0)
        return r;
    if ((r = compare_conf(o, &s)) < 0 || (r = judge(&s)) < 0)
        return r;
    *ret = s;
    s = (Situation){};
    return 0;
}
