/* What happens to tables is said once: they vanish, come back, are made anew under the same name, and entries select
 * fewer than they should. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"

static int say(Engine *e, Target *t, ReportKind kind, const char *text, EngineOutbox *out) {
    Report *report = NULL;
    int r = report_target(t, kind, e->qualified, &report, "%s", text);
    if (r < 0 || (r = engine_say(out, report)) < 0)
        return r;
    t->changed = true;
    return engine_put_target(out, t);
}

int engine_table_gone(Engine *e, Target *t, Now now, EngineOutbox *out) {
    if (!t->selected || t->gone_wall != WALL_UNKNOWN)
        return 0;
    t->gone_wall = now.wall;
    return say(e, t, REPORT_TABLE_GONE,
               "the table does not exist, and its schedules miss it; HINT: correct its name, or take it out of tables",
               out);
}

int engine_table_there(Engine *e, Target *t, EngineOutbox *out) {
    if (t->gone_wall == WALL_UNKNOWN)
        return 0;
    t->gone_wall = WALL_UNKNOWN;
    return say(e, t, REPORT_TABLE_BACK, "the table exists again", out);
}

static int say_recreated(Engine *e, Target *t, Now now, EngineOutbox *out) {
    Place *p = places_find(&e->places, t->account, t->region);
    AUTO_FREE char *text =
        text_format("the table was deleted and made anew: its TableId was %s and is %s now; what was made of "
                    "the old one stays, and does not count as a backup of this one",
                    t->former_id, t->table_id);
    free(TAKE_PTR(t->former_id));
    t->recovery = RECOVERY_UNKNOWN;
    t->recovery_wall = WALL_UNKNOWN;
    if (!text)
        return -ENOMEM;
    int r = say(e, t, REPORT_RECREATED, text, out);
    if (r >= 0)
        r = engine_arm_recovery(e, t, now);
    return r >= 0 && p ? inventory_doubt(&p->inventory, t->table, now) : r;
}

int engine_table_described(Engine *e, Target *t, Now now, EngineOutbox *out) {
    int r = engine_table_there(e, t, out);
    return r >= 0 && t->former_id ? say_recreated(e, t, now, out) : r;
}

int engine_compare_listings(Engine *e, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++) {
        Target *t = e->targets.items[i];
        const Place *p = t->selected ? places_find(&e->places, t->account, t->region) : NULL;
        if (!p || !p->has_listing)
            continue;
        r = discovery_has(&p->discovery, t->table) ? engine_table_there(e, t, out) : engine_table_gone(e, t, now, out);
    }
    return r;
}

/* --- min_tables --- */

/* Everything is known that it takes to count the tables of an entry. */
static bool can_count(const Engine *e, const TablesConf *entry) {
    const TableSelectors *m = &entry->match;
    bool looks = entry->n_tags > 0 || m->n_names + m->n_arns < m->n_items;
    for (size_t i = 0; i < e->places.n_items; i++) {
        const Place *p = &e->places.items[i];
        if (!conf_entry_has_account(entry, p->account) || !looks)
            continue;
        if (!p->has_listing)
            return false;
        for (size_t j = 0; entry->n_tags > 0 && j < p->inventory.n_rows; j++)
            if (p->inventory.rows[j]->asks && !p->inventory.rows[j]->tags)
                return false;
    }
    return true;
}

static int count(const Engine *e, const TablesConf *entry) {
    int n = 0;
    for (size_t i = 0; i < e->targets.n_items; i++) {
        const Target *t = e->targets.items[i];
        const Place *p = t->selected && t->gone_wall == WALL_UNKNOWN ? places_find(&e->places, t->account, t->region)
                                                                     : NULL;
        if (!p)
            continue;
        TableFacts facts = place_facts(p, t->table, t->table_arn);
        n += conf_entry_selects(entry, &facts);
    }
    return n;
}

int engine_count_tables(Engine *e, EngineOutbox *out) {
    int r = 0;
    e->count_wanted = false;
    if (!e->few && !(e->few = calloc(e->conf->n_tables + 1, sizeof *e->few)))
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < e->conf->n_tables; i++) {
        const TablesConf *entry = &e->conf->tables[i];
        if (entry->min_tables == 0 || !can_count(e, entry))
            continue;
        int n = count(e, entry);
        bool few = n < entry->min_tables;
        if (few == e->few[i])
            continue;
        AUTO_TEXT label = TEXT_INIT(512);
        Report *report = NULL;
        e->few[i] = few;
        conf_entry_label(entry, &label);
        r = few ? report_plain(REPORT_TOO_FEW, &report,
                               "tables: the entry of %s selects %d, and its min_tables is %d; HINT: find out what has "
                               "become of the others, or correct min_tables",
                               text_get(&label), n, entry->min_tables)
                : report_plain(REPORT_ENOUGH, &report, "tables: the entry of %s selects %d again", text_get(&label), n);
        if (r >= 0)
            r = engine_say(out, report);
    }
    return r;
}
