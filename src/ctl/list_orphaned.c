/* Artefacts of tables and schedules that are gone from the configuration, or from AWS: nothing makes more of them, and
 * nothing deletes them. */

#include <errno.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/survey.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"

typedef struct Orphans {
    Survey s;
    Table table;
    Json *json; /* NULL: for people */
} Orphans;

/* Some schedule of the table goes on with them, perhaps under another name. */
static bool is_active(const Survey *s, const StoreOrphan *o, const Target *t) {
    for (size_t i = 0; t && i < t->n_enrolments; i++) {
        const ScheduleConf *now = conf_schedule(s->conf, t->enrolments[i]->schedule_name);
        if (t->enrolments[i]->active && now && conf_schedule_is(now, o->schedule))
            return true;
    }
    return false;
}

static const char *reason_of(const Survey *s, const StoreOrphan *o, const Target *t) {
    const Place *p = places_find(&s->places, o->account, o->region);
    bool active = is_active(s, o, t), has_schedule = false;
    for (size_t i = 0; i < s->conf->n_schedules; i++)
        has_schedule |= conf_schedule_is(&s->conf->schedules[i], o->schedule);
    if (t && t->table_id && *t->table_id && o->table_id && strcmp(t->table_id, o->table_id) != 0)
        return "of a table that was deleted; another has its name now";
    if (active)
        return t->gone_wall != WALL_UNKNOWN ? "the table does not exist any more" : NULL;
    if (!p)
        return "its account or region is not in the configuration any more";
    if (!has_schedule)
        return "the schedule is not in the configuration any more";
    if (p->inventory.n_rows > 0 && !inventory_find(&p->inventory, o->table))
        return "the table does not exist any more";
    return "no entry of tables gives the table this schedule any more";
}

static int take_orphan(void *context, const StoreOrphan *o) {
    Orphans *all = context;
    const Survey *s = &all->s;
    const Target *t = targets_find(&s->targets, o->account, o->region, o->table);
    const char *reason = reason_of(s, o, t);
    if (!reason || !options_select(s->options, o->account, o->region, o->table, o->schedule) ||
        (s->options->has_action && s->options->action != o->action))
        return 0;
    if (all->json) {
        Json *j = all->json;
        json_open(j, NULL, '{');
        json_target(j, o->account, o->region, o->table, o->schedule);
        json_string(j, "action", action_to_string(o->action));
        json_string(j, "table_id", o->table_id);
        json_int(j, "artefacts", o->n_artefacts);
        json_count(j, "size_bytes", o->size_bytes);
        json_wall(j, "oldest", o->oldest_wall);
        json_wall(j, "newest", o->newest_wall);
        json_string(j, "reason", reason);
        json_close(j, '}');
        return 0;
    }
    AUTO_TEXT label = TEXT_INIT(1024);
    char iso[DATE_ISO_SIZE], size[SIZE_TEXT_SIZE];
    words_label(&label, s->qualified, o->account, o->region, o->table);
    table_add(&all->table, text_get(&label));
    table_add(&all->table, o->schedule);
    table_add(&all->table, action_to_string(o->action));
    table_addf(&all->table, "%lld", (long long)o->n_artefacts);
    table_add(&all->table, o->size_bytes != COUNT_UNKNOWN ? size_to_string((uint64_t)o->size_bytes, size) : NULL);
    table_add(&all->table, words_time(o->oldest_wall, iso));
    table_add(&all->table, words_time(o->newest_wall, iso));
    table_add(&all->table, reason);
    return all->table.error;
}

static int read_orphans(void *context, StoreRead *store) { return store_read_orphans(store, take_orphan, context); }

int list_orphaned(const CtlOptions *o, Usec now_wall, Text *out) {
    static const TableColumn columns[] = {{"TABLE"},
                                          {"SCHEDULE"},
                                          {"ACTION"},
                                          {"ARTEFACTS", .right = true},
                                          {"SIZE", .right = true},
                                          {"OLDEST"},
                                          {"NEWEST"},
                                          {"REASON"}};
    Orphans all = {.s = {.options = o}};
    Json j = {.out = out};
    if (o->json) {
        json_open(&j, NULL, '{');
        json_wall(&j, "now", now_wall);
        json_open(&j, "orphans", '[');
        all.json = &j;
    }
    table_init(&all.table, columns, ARRAY_SIZE(columns));
    int status = survey_load(&all.s, read_orphans, &all);
    if (status == CTL_OK && o->json) {
        json_close(&j, ']');
        json_close(&j, '}');
        text_add_char(out, '\n');
    } else if (status == CTL_OK) {
        if (table_n_rows(&all.table) == 0)
            text_add(out, "Every artefact is of a table and a schedule that are there.\n");
        if (table_print(&all.table, 0, out) < 0)
            status = ctl_failed(NULL);
    }
    if (status != CTL_OK)
        text_clear(out);
    table_done(&all.table);
    survey_done(&all.s);
    return status;
}
