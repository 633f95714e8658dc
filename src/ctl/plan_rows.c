#include "ctl/plan_rows.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/run/enrol.h"
#include "core/run/slot.h"

void plan_done(Plan *p) {
    for (size_t i = 0; i < p->n_rows; i++) {
        free(p->rows[i].table);
        free(p->rows[i].account);
        free(p->rows[i].region);
    }
    free(p->rows);
    p->rows = NULL;
    p->n_rows = p->n_room = 0;
}

static int add_row(Plan *p, const PlanRow *row) {
    if (ARRAY_GROW(p->rows, p->n_rows, p->n_room) < 0)
        return -ENOMEM;
    PlanRow *to = &p->rows[p->n_rows++];
    *to = *row;
    to->table = to->account = to->region = NULL;
    return text_set(&to->table, row->table) < 0 || text_set(&to->account, row->account) < 0 ||
                   text_set(&to->region, row->region) < 0
               ? -ENOMEM
               : 0;
}

/* All slots of one table (or pattern) whose due instant lies in (now, until]; `share` may be WALL_UNKNOWN. */
static int add_slots(Plan *p, PlanRow row, Usec share) {
    Usec shift = share == WALL_UNKNOWN ? 0 : share;
    Usec slot = p->now_wall - shift;
    if (row.schedule->n_not_during > 0 && share != WALL_UNKNOWN)
        slot -= USEC_PER_WEEK; /* what came then may wait still */
    size_t n_before = p->n_rows;
    int r;
    while ((r = calendar_next(row.schedule->when, row.schedule->zone, slot, &slot)) >= 0 &&
           slot + shift <= p->until_wall) {
        row.slot_wall = slot;
        row.due_wall = share == WALL_UNKNOWN ? WALL_UNKNOWN : slot_open(row.schedule, slot + share);
        if (row.due_wall != WALL_UNKNOWN && (row.due_wall <= p->now_wall || row.due_wall > p->until_wall))
            continue;
        PlanRow *before = p->n_rows > n_before ? &p->rows[p->n_rows - 1] : NULL;
        if (before && row.due_wall != WALL_UNKNOWN && before->due_wall == row.due_wall)
            before->slot_wall = slot; /* of those that wait together the newest runs */
        else if ((r = add_row(p, &row)) < 0)
            return r;
    }
    return r == -ENOENT ? 0 : r;
}

static int add_table(Plan *p, const ScheduleConf *s, const Target *t) {
    Usec share = s->spread_usec > 0 ? WALL_UNKNOWN : 0;
    if (t->region) {
        Enrolment e = {.target = (Target *)t, .schedule = s, .schedule_name = s->name};
        int r = slot_share(p->conf->deployment, &e, &share);
        if (r < 0)
            return r;
    }
    return add_slots(p,
                     (PlanRow){.schedule = s,
                               .table = t->table,
                               .account = t->region ? t->account : NULL,
                               .region = t->region},
                     share);
}

typedef struct Wanted {
    PlanWanted wanted;
    const void *context;
} Wanted;

static int add_schedules_of(Plan *p, const Wanted *w, const Place *place, const Target *t) {
    AUTO_FREE const ScheduleConf **schedules = NULL;
    size_t n = 0;
    TableFacts facts = place_facts(place, t->table, t->table_arn);
    int r = enrol_schedules(t, p->conf, &facts, &schedules, &n);
    for (size_t i = 0; r >= 0 && i < n; i++)
        if (w->wanted(w->context, t->account, t->region ? t->region : "", t->table, schedules[i]->name))
            r = add_table(p, schedules[i], t);
    return r;
}

static bool is_at(const Target *t, const Place *place) {
    return strcmp(t->account, place->account) == 0 && (!place->region || strcmp(t->region, place->region) == 0);
}

static bool is_in_ledger(const Plan *p, const Place *place, const char *table) {
    for (size_t i = 0; p->targets && i < p->targets->n_items; i++)
        if (is_at(p->targets->items[i], place) && strcmp(p->targets->items[i]->table, table) == 0)
            return true;
    return false;
}

/* A pattern, or an entry with tags (NULL), that selects a table of the ledger is shown as its tables. */
static bool is_resolved(const Plan *p, const Place *place, const char *pattern, const ScheduleConf *s) {
    for (size_t i = 0; p->targets && i < p->targets->n_items; i++) {
        const Target *t = p->targets->items[i];
        const Enrolment *e = is_at(t, place) ? target_enrolment(t, s->name) : NULL;
        if (!e)
            continue;
        TableFacts facts = place_facts(place, t->table, t->table_arn);
        const ScheduleConf *one;
        if (pattern ? glob_match(pattern, t->table) && conf_schedules_of(p->conf, &facts, &one, 1) > 0
                    : e->active && conf_tags_may_give(p->conf, &facts, s))
            return true;
    }
    return false;
}

static int add_unresolved(Plan *p, const Wanted *w, const Place *place, const TablesConf *entry, const char *pattern) {
    int r = 0;
    const char *table = pattern ? pattern : entry->tags[0];
    for (size_t i = 0; r >= 0 && i < entry->n_schedules; i++) {
        const ScheduleConf *s = entry->schedules[i];
        if (w->wanted(w->context, place->account, place->region ? place->region : "", table, s->name) &&
            !is_resolved(p, place, pattern, s))
            r = add_slots(p,
                          (PlanRow){.schedule = s,
                                    .table = (char *)table,
                                    .account = place->region ? place->account : NULL,
                                    .region = place->region,
                                    .is_pattern = true},
                          s->spread_usec > 0 ? WALL_UNKNOWN : 0);
    }
    return r;
}

static int add_patterns(Plan *p, const Wanted *w, const Place *place) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < p->conf->n_tables; i++) {
        const TablesConf *entry = &p->conf->tables[i];
        const TableSelectors *m = &entry->match;
        if (!conf_entry_has_account(entry, place->account))
            continue;
        if (entry->n_tags > 0)
            r = add_unresolved(p, w, place, entry, NULL);
        for (size_t j = m->n_names + m->n_arns; r >= 0 && entry->n_tags == 0 && j < m->n_items; j++)
            r = add_unresolved(p, w, place, entry, m->items[j]);
    }
    return r;
}

static Usec row_at(const PlanRow *r) { return r->due_wall != WALL_UNKNOWN ? r->due_wall : r->slot_wall; }

static int by_time(const void *a, const void *b) {
    const PlanRow *p = a, *q = b;
    if (row_at(p) != row_at(q))
        return row_at(p) < row_at(q) ? -1 : 1;
    int c = strcmp(p->table, q->table);
    if (c == 0 && p->region && q->region)
        c = strcmp(p->account, q->account) ? strcmp(p->account, q->account) : strcmp(p->region, q->region);
    return c ? c : strcmp(p->schedule->name, q->schedule->name);
}

/* Names that the ledger does not have there, and patterns. */
static int add_place(Plan *p, const Wanted *w, const Place *place) {
    AUTO_FREE const char **names = NULL;
    size_t n_names = 0;
    TableFacts facts = place_facts(place, NULL, NULL);
    int r = conf_named_tables(p->conf, &facts, &names, &n_names);
    for (size_t i = 0; r >= 0 && i < n_names; i++) {
        if (is_in_ledger(p, place, names[i]))
            continue;
        AUTO_FREE char *table = strdup(names[i]);
        if (!table)
            return -ENOMEM;
        r = add_schedules_of(p, w, place,
                             &(Target){.account = place->account, .region = place->region, .table = table});
    }
    return r < 0 ? r : add_patterns(p, w, place);
}

int plan_make(Plan *p, PlanWanted wanted, const void *context) {
    Wanted w = {.wanted = wanted, .context = context};
    int r = 0;
    for (size_t i = 0; r >= 0 && p->targets && i < p->targets->n_items; i++) {
        const Target *t = p->targets->items[i];
        const Place *place = places_find(p->places, t->account, t->region);
        if (place)
            r = add_schedules_of(p, &w, place, t);
    }
    for (size_t i = 0; r >= 0 && i < p->places->n_items; i++)
        r = add_place(p, &w, &p->places->items[i]);
    if (r >= 0 && p->n_rows > 0)
        qsort(p->rows, p->n_rows, sizeof *p->rows, by_time);
    return r;
}
