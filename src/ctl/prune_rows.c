#include "ctl/prune_rows.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/expiry/expire.h"
#include "core/run/enrol.h"

void prune_done(Prune *p) {
    for (size_t i = 0; i < p->n_stocks; i++)
        stock_done(&p->stocks[i].stock);
    free(p->stocks);
    free(p->rows);
    free(p->sums);
    targets_done(&p->targets);
    stock_state_done(&p->state);
}

/* --- reading --- */

static int read_stock(Prune *p, StoreRead *store, const Target *t, const char *kind) {
    AUTO_FREE char *prefix = text_format("%s/%s/", t->table_arn, kind);
    if (!prefix || ARRAY_GROW(p->stocks, p->n_stocks, p->n_stocks_room) < 0)
        return -ENOMEM;
    struct PruneStock *s = &p->stocks[p->n_stocks++];
    *s = (struct PruneStock){.target = t};
    return store_read_stock(store, prefix, &s->stock);
}

static int read_all(Prune *p, StoreRead *store) {
    int r = store_read_targets(store, &p->targets);
    for (size_t i = 0; r >= 0 && i < p->targets.n_items; i++) {
        const Target *t = p->targets.items[i], *first = p->targets.items[0];
        p->qualified |= strcmp(t->account, first->account) != 0 || strcmp(t->region, first->region) != 0;
        if (t->table_arn && (r = read_stock(p, store, t, "backup")) >= 0)
            r = read_stock(p, store, t, "export");
    }
    return r < 0 ? r : store_read_stock_state(store, &p->state);
}

static int load_ledger(Prune *p, char **ret_error) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(p->options->state_directory, &store, ret_error);
    if (r >= 0 && (r = read_all(p, store)) < 0)
        (void)text_set(ret_error, store_read_error(store));
    return r;
}

/* --- whose is it? --- */

/* Of the schedules that the table has by the configuration. */
static int find_schedule(const Conf *c, const Target *t, const StockItem *i, const ScheduleConf **ret) {
    AUTO_FREE const ScheduleConf **schedules = NULL;
    size_t n = 0;
    TableFacts facts = {.account = i->account, .region = i->region, .table = i->table};
    int r = enrol_schedules(t, c, &facts, &schedules, &n);
    if (r < 0)
        return r;
    *ret = NULL;
    for (size_t j = 0; j < n; j++)
        if (schedules[j]->action == i->artefact->action && conf_schedule_is(schedules[j], i->schedule))
            *ret = schedules[j];
    return 0;
}

/* What the ledger says of it; of an export, with its links. */
static int weigh(const Prune *p, const Stock *stock, PruneRow *row) {
    const StockItem *i = row->item;
    row->finished = i->artefact->life == ARTEFACT_VERIFIED;
    row->held = stock_is_held(i, p->now_wall);
    if (i->artefact->action == ACTION_BACKUP)
        return expire_guard(p->conf->deployment, row->target, i, NULL, &row->guard);
    ExpireLine l;
    int r = expire_line_export(p->conf->deployment, row->target, stock, i, row->schedule, p->now_wall, &l);
    if (r < 0)
        return r;
    row->guard = l.guard;
    row->finished = l.finished;
    row->held = l.held;
    row->needed = l.needed;
    row->n_links = l.n_links;
    return 0;
}

/* Links go with their base, which tells of them. */
static int add_rows(Prune *p, const struct PruneStock *s) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < s->stock.n_items; i++) {
        const StockItem *item = &s->stock.items[i];
        if (item->base_arn)
            continue;
        if (ARRAY_GROW(p->rows, p->n_rows, p->n_room) < 0)
            return -ENOMEM;
        PruneRow *row = &p->rows[p->n_rows++];
        *row = (PruneRow){.item = item, .target = s->target};
        r = find_schedule(p->conf, s->target, item, &row->schedule);
        if (r >= 0 && row->schedule)
            r = weigh(p, &s->stock, row);
    }
    return r;
}

/* --- judging --- */

static const char *schedule_name(const PruneRow *r) { return r->schedule ? r->schedule->name : r->item->schedule; }

/* Rows that are equal in this are judged together. */
static int compare_groups(const PruneRow *a, const PruneRow *b) {
    const StockItem *x = a->item, *y = b->item;
    int c = strcmp(x->account, y->account);
    c = c ? c : strcmp(x->region, y->region);
    c = c ? c : strcmp(x->table, y->table);
    c = c ? c : strcmp(schedule_name(a), schedule_name(b));
    c = c ? c : (a->schedule != NULL) - (b->schedule != NULL);
    c = c ? c : (int)x->artefact->action - (int)y->artefact->action;
    const char *p = x->artefact->table_id, *q = y->artefact->table_id;
    return c ? c : strcmp(p ? p : "", q ? q : "");
}

static int compare_rows(const void *a, const void *b) {
    const PruneRow *x = a, *y = b;
    Usec p = x->item->artefact->created_wall, q = y->item->artefact->created_wall;
    int c = compare_groups(x, y);
    return c ? c : p != q ? (p < q ? 1 : -1) : strcmp(y->item->artefact->arn, x->item->artefact->arn);
}

static int judge_group(Prune *p, PruneRow *rows, size_t n) {
    const ScheduleConf *s = rows[0].schedule;
    AUTO_FREE RetentionItem *items = calloc(n, sizeof *items);
    AUTO_FREE RetentionVerdict *verdicts = calloc(n, sizeof *verdicts);
    if (!items || !verdicts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const StockItem *item = rows[i].item;
        items[i] = (RetentionItem){.id = item->artefact->arn,
                                   .made_wall = item->artefact->created_wall,
                                   .ours = !rows[i].guard,
                                   .finished = rows[i].finished,
                                   .held = rows[i].held,
                                   .needed = rows[i].needed};
    }
    int r = retention_judge(items, n, &(RetentionPolicy){.keep = s->keep, .zone = s->zone}, p->now_wall, verdicts);
    for (size_t i = 0; r >= 0 && i < n; i++)
        rows[i].verdict = verdicts[i];
    return r;
}

static int judge_all(Prune *p) {
    int r = 0;
    if (p->n_rows > 0)
        qsort(p->rows, p->n_rows, sizeof *p->rows, compare_rows);
    for (size_t i = 0, n; r >= 0 && i < p->n_rows; i += n) {
        for (n = 1; i + n < p->n_rows && compare_groups(&p->rows[i], &p->rows[i + n]) == 0; n++)
            continue;
        if (p->rows[i].schedule)
            r = judge_group(p, &p->rows[i], n);
    }
    return r;
}

/* --- what was asked for --- */

static bool is_wanted(const CtlOptions *o, const PruneRow *row) {
    const StockItem *i = row->item;
    return (!o->has_action || i->artefact->action == o->action) &&
           options_select(o, i->account, i->region, i->table, schedule_name(row));
}

/* After the judging, for which all of a group are needed. */
static int select_rows(Prune *p) {
    size_t n = 0;
    p->sums = calloc(p->conf->n_schedules + 1, sizeof *p->sums);
    if (!p->sums)
        return -ENOMEM;
    for (size_t i = 0; i < p->n_rows; i++) {
        const PruneRow *row = &p->rows[i];
        PruneSum *sum = &p->sums[row->schedule ? (size_t)(row->schedule - p->conf->schedules) : p->conf->n_schedules];
        if (!is_wanted(p->options, row))
            continue;
        sum->n_beyond += row->verdict.expendable;
        sum->n_kept += !row->verdict.expendable;
        if (row->verdict.expendable && row->item->artefact->size_bytes != COUNT_UNKNOWN)
            sum->bytes_beyond += (uint64_t)row->item->artefact->size_bytes;
        p->rows[n++] = *row;
    }
    p->n_rows = n;
    return 0;
}

int prune_load(Prune *p, char **ret_error) {
    int r = load_ledger(p, ret_error);
    for (size_t i = 0; r >= 0 && i < p->n_stocks; i++)
        r = add_rows(p, &p->stocks[i]);
    if (r >= 0 && (r = judge_all(p)) >= 0)
        r = select_rows(p);
    return r;
}
