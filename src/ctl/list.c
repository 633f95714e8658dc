#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "ctl/json.h"
#include "ctl/retained.h"
#include "ctl/survey.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/store_read.h"

typedef struct List {
    const CtlOptions *options;
    bool qualified;
    Run **runs; /* newest slot first */
    size_t n_runs, n_runs_room;
    Retained *retained; /* of each run's artefact */
    struct {
        LedgerRange range;
        Usec decided_wall;
        char *why;
    } *ranges;
    size_t n_ranges, n_ranges_room;
} List;

static void list_done(List *l) {
    for (size_t i = 0; i < l->n_runs; i++) {
        run_free(l->runs[i]);
        if (l->retained)
            retained_done(&l->retained[i]);
    }
    free(l->retained);
    free(l->runs);
    for (size_t i = 0; i < l->n_ranges; i++) {
        free(l->ranges[i].range.schedule);
        free(l->ranges[i].range.account);
        free(l->ranges[i].range.region);
        free(l->ranges[i].range.table);
        free(l->ranges[i].why);
    }
    free(l->ranges);
}

static bool is_full(const List *l, size_t n) { return l->options->limit > 0 && n >= (size_t)l->options->limit; }

static int take_run(void *context, Run *run) {
    List *l = context;
    CLEANUP(run_free_ptr) Run *taken = run;
    const CtlOptions *o = l->options;
    if ((o->has_action && run->action != o->action) ||
        !options_select(o, run->account, run->region, run->table, run->schedule))
        return 0;
    if (is_full(l, l->n_runs))
        return 1;
    if (ARRAY_GROW(l->runs, l->n_runs, l->n_runs_room) < 0)
        return -ENOMEM;
    l->runs[l->n_runs++] = TAKE_PTR(taken);
    return 0;
}

static int take_range(void *context, const LedgerRange *from, Usec decided_wall) {
    List *l = context;
    if (!options_select(l->options, from->account, from->region, from->table, from->schedule))
        return 0;
    if (is_full(l, l->n_ranges))
        return 1;
    if (ARRAY_GROW(l->ranges, l->n_ranges, l->n_ranges_room) < 0)
        return -ENOMEM;
    LedgerRange *to = &l->ranges[l->n_ranges].range;
    l->ranges[l->n_ranges].decided_wall = decided_wall;
    l->ranges[l->n_ranges].why = NULL;
    *to = (LedgerRange){.from_wall = from->from_wall, .to_wall = from->to_wall, .n_slots = from->n_slots};
    l->n_ranges++;
    if (text_set(&l->ranges[l->n_ranges - 1].why, from->why) < 0 || text_set(&to->schedule, from->schedule) < 0 ||
        text_set(&to->account, from->account) < 0 || text_set(&to->region, from->region) < 0 ||
        text_set(&to->table, from->table) < 0)
        return -ENOMEM;
    to->why = l->ranges[l->n_ranges - 1].why;
    return 0;
}

/* Names need account and region as soon as there is more than one of them. */
static void qualify(List *l) {
    for (size_t i = 1; i < l->n_runs; i++)
        l->qualified |= strcmp(l->runs[i]->account, l->runs[0]->account) != 0 ||
                        strcmp(l->runs[i]->region, l->runs[0]->region) != 0;
    const char *account = l->n_runs ? l->runs[0]->account : l->n_ranges ? l->ranges[0].range.account : NULL;
    const char *region = l->n_runs ? l->runs[0]->region : l->n_ranges ? l->ranges[0].range.region : NULL;
    for (size_t i = 0; i < l->n_ranges; i++)
        l->qualified |= strcmp(l->ranges[i].range.account, account) != 0 ||
                        strcmp(l->ranges[i].range.region, region) != 0;
}

static int read_retained(List *l, StoreRead *store, Usec now_wall) {
    int r = 0;
    l->retained = calloc(l->n_runs + 1, sizeof *l->retained);
    if (!l->retained)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < l->n_runs; i++)
        if (l->runs[i]->artefact)
            r = retained_load(store, l->runs[i]->artefact->arn, now_wall, &l->retained[i]);
    return r;
}

static int load(List *l, Usec now_wall, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(l->options->state_directory, &store, ret_error);
    if (r < 0)
        return r;
    CLEANUP(targets_done) Targets targets = {};
    r = store_read_targets(store, &targets);
    for (size_t i = 1; r >= 0 && i < targets.n_items; i++)
        l->qualified |= strcmp(targets.items[i]->account, targets.items[0]->account) != 0 ||
                        strcmp(targets.items[i]->region, targets.items[0]->region) != 0;
    if (r >= 0)
        r = store_read_runs(store, STORE_RUNS_ALL, NULL, take_run, l);
    if (r >= 0)
        r = read_retained(l, store, now_wall);
    if (r >= 0 && !l->options->has_action) /* a range says nothing of its action */
        r = store_read_ranges(store, take_range, l);
    if (r < 0)
        (void)text_set(ret_error, store_read_error(store));
    return r;
}

static void print_json(const List *l, Usec now_wall, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_wall(&j, "now", now_wall);
    json_open(&j, "runs", '[');
    for (size_t i = 0; i < l->n_runs; i++)
        json_run(&j, NULL, l->runs[i]);
    json_close(&j, ']');
    json_open(&j, "retention", '[');
    for (size_t i = 0; i < l->n_runs; i++) {
        if (!retained_word(&l->retained[i]))
            continue;
        json_open(&j, NULL, '{');
        json_string(&j, "arn", l->runs[i]->artefact->arn);
        retained_json(&j, &l->retained[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_open(&j, "ranges", '[');
    for (size_t i = 0; i < l->n_ranges; i++)
        json_range(&j, &l->ranges[i].range, l->ranges[i].decided_wall);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

static void add_run(Table *t, const List *l, size_t i) {
    const Run *r = l->runs[i];
    const Artefact *a = r->artefact;
    AUTO_TEXT label = TEXT_INIT(1024), reason = TEXT_INIT(16384);
    char iso[DATE_ISO_SIZE], size[SIZE_TEXT_SIZE];
    words_label(&label, l->qualified, r->account, r->region, r->table);
    words_reason(&reason, r);
    table_addf(t, "%lld", (long long)r->id);
    table_add(t, words_time(r->slot_wall, iso));
    table_add(t, text_get(&label));
    table_add(t, r->schedule);
    table_add(t, action_to_string(r->action));
    table_add(t, run_state_to_string(r->state));
    table_add(t, a ? a->status : NULL);
    table_add(t, retained_word(&l->retained[i]));
    table_add(t, a ? words_time(a->created_wall, iso) : NULL);
    table_add(t, a && a->size_bytes != COUNT_UNKNOWN ? size_to_string((uint64_t)a->size_bytes, size) : NULL);
    if (a && a->item_count != COUNT_UNKNOWN)
        table_addf(t, "%lld", (long long)a->item_count);
    else
        table_add(t, NULL);
    table_add(t, l->options->arn && a ? a->arn : NULL);
    table_add(t, text_get(&reason));
}

static int print_runs(const List *l, Text *out) {
    static const TableColumn columns[] = {
        {"RUN", .right = true},
        {"SLOT"},
        {"TABLE"},
        {"SCHEDULE"},
        {"ACTION"},
        {"STATE"},
        {"STATUS"},
        {"RETENTION", .spare = true},
        {"CREATED"},
        {"SIZE", .right = true},
        {"ITEMS", .right = true},
        {"ARN", .spare = true},
        {"REASON", .spare = true},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < l->n_runs; i++)
        add_run(&t, l, i);
    return table_print(&t, 0, out);
}

static int print_ranges(const List *l, Text *out) {
    static const TableColumn columns[] = {
        {"FIRST SLOT"}, {"LAST SLOT"}, {"SLOTS", .right = true}, {"TABLE"}, {"SCHEDULE"}, {"DECIDED"}, {"REASON"},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < l->n_ranges; i++) {
        const LedgerRange *range = &l->ranges[i].range;
        AUTO_TEXT label = TEXT_INIT(1024);
        char iso[DATE_ISO_SIZE];
        words_label(&label, l->qualified, range->account, range->region, range->table);
        table_add(&t, words_time(range->from_wall, iso));
        table_add(&t, words_time(range->to_wall, iso));
        table_addf(&t, "%lld", (long long)range->n_slots);
        table_add(&t, text_get(&label));
        table_add(&t, range->schedule);
        table_add(&t, words_time(l->ranges[i].decided_wall, iso));
        table_add(&t, range->why);
    }
    if (l->n_ranges > 0)
        text_add(out, "\nSlots that did not run:\n");
    return table_print(&t, 0, out);
}

static int list_runs(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(list_done) List l = {.options = o};
    AUTO_FREE char *error = NULL;
    if (load(&l, now_wall, &error) < 0)
        return ctl_failed(error);
    qualify(&l);
    if (o->json) {
        print_json(&l, now_wall, out);
        return CTL_OK;
    }
    if (l.n_runs == 0)
        text_add(out, o->table || o->schedule || o->has_action ? "No runs that were asked for.\n" : "No runs yet.\n");
    if (print_runs(&l, out) < 0 || print_ranges(&l, out) < 0)
        return ctl_failed(NULL);
    if (is_full(&l, l.n_runs))
        text_addf(out, "\nThe newest %zu runs; --limit=N or --all shows more.\n", l.n_runs);
    return CTL_OK;
}

int verb_list(const CtlOptions *o, Usec now_wall, Text *out) {
    switch (o->list) {
    case LIST_RUNS:
        break;
    case LIST_UNPROTECTED:
        return list_unprotected(o, now_wall, out);
    case LIST_ORPHANED:
        return list_orphaned(o, now_wall, out);
    case LIST_FOREIGN:
        return list_foreign(o, now_wall, out);
    }
    return list_runs(o, now_wall, out);
}
