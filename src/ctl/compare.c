#include "ctl/compare.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/table/place.h"
#include "ctl/judge.h"
#include "ctl/words.h"
#include "io/conf_file.h"

/* In a region that is not known: in any. */
static bool is_enrolled(const Situation *s, const Place *p, const char *table, const char *schedule) {
    for (size_t i = 0; i < s->targets.n_items; i++) {
        const Target *t = s->targets.items[i];
        bool here = strcmp(t->account, p->account) == 0 && (!p->region || strcmp(t->region, p->region) == 0);
        const Enrolment *e = here && strcmp(t->table, table) == 0 ? target_enrolment(t, schedule) : NULL;
        if (e && e->active)
            return true;
    }
    return false;
}

static int compare_table(const CtlOptions *o, const Conf *conf, const Place *p, const char *table, Situation *s) {
    TableFacts facts = place_facts(p, table, NULL);
    size_t n = conf_schedules_of(conf, &facts, NULL, 0);
    AUTO_FREE const ScheduleConf **schedules = calloc(n + 1, sizeof *schedules);
    if (!schedules)
        return -ENOMEM;
    conf_schedules_of(conf, &facts, schedules, n);
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n; i++) {
        if (!options_select(o, p->account, p->region ? p->region : "", table, schedules[i]->name) ||
            is_enrolled(s, p, table, schedules[i]->name))
            continue;
        AUTO_TEXT t = TEXT_INIT(4096);
        words_label(&t, s->qualified && p->region, p->account, p->region, table);
        text_addf(&t,
                  "/%s: the configuration selects it, and the daemon does not know it yet; HINT: systemctl reload "
                  "ddbackupd",
                  schedules[i]->name);
        s->n.not_enrolled++;
        r = judge_add(s, LEVEL_WARNING, &t);
    }
    return r;
}

/* The first problem stands for all; its message begins with the file. */
static int add_problems(const ConfProblems *problems, int error, Situation *s) {
    AUTO_TEXT t = TEXT_INIT(8192);
    text_addf(&t, "the configuration is bad, and the daemon would not start with it: %s",
              problems->n_items ? problems->items[0] : strerror(-error));
    s->conf_is_bad = true;
    return judge_add(s, LEVEL_WARNING, &t);
}

static int compare_place(const CtlOptions *o, const Conf *conf, const Place *p, Situation *s) {
    AUTO_FREE const char **names = NULL;
    size_t n_names = 0;
    TableFacts facts = place_facts(p, NULL, NULL);
    int r = conf_named_tables(conf, &facts, &names, &n_names);
    for (size_t i = 0; r >= 0 && i < n_names; i++)
        r = compare_table(o, conf, p, names[i], s);
    return r;
}

/* Said where something was to be deleted. */
static int compare_expiry(const CtlOptions *o, const Conf *conf, Situation *s) {
    bool wanted = false;
    for (size_t i = 0; i < conf->n_schedules; i++)
        wanted |= conf->schedules[i].expire == EXPIRE_DELETE && retention_keep_is_set(&conf->schedules[i].keep) &&
                  (!o->schedule || strcmp(o->schedule, conf->schedules[i].name) == 0);
    if (!wanted || s->stock.expires)
        return 0;
    AUTO_TEXT t = TEXT_INIT(1024);
    text_add(&t, "nothing expires with this ledger, which is new or was rebuilt and does not know what was held; HINT: "
                 "hold that first, then ddbackupctl resume --expiry");
    return judge_add(s, LEVEL_WARNING, &t);
}

/* The tables of the ledger that an entry selects, and that exist. */
static int count_tables(const Situation *s, const Places *places, const TablesConf *entry) {
    int n = 0;
    for (size_t i = 0; i < s->targets.n_items; i++) {
        const Target *t = s->targets.items[i];
        const Place *p = places_find(places, t->account, t->region);
        bool active = false;
        for (size_t j = 0; j < t->n_enrolments; j++)
            active |= t->enrolments[j]->active;
        if (!p || !active || t->gone_wall != WALL_UNKNOWN)
            continue;
        TableFacts facts = place_facts(p, t->table, t->table_arn);
        n += conf_entry_selects(entry, &facts);
    }
    return n;
}

static int compare_entries(const Conf *conf, Places *places, Situation *s) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < s->n_tables; i++) {
        const LedgerTable *t = &s->tables[i];
        Place *p = places_find(places, t->account, t->region);
        r = p ? inventory_restore(&p->inventory, t->table, t->tags, t->tags_wall, t->seen_wall) : 0;
    }
    for (size_t i = 0; r >= 0 && i < conf->n_tables; i++) {
        const TablesConf *entry = &conf->tables[i];
        int n = entry->min_tables > 0 ? count_tables(s, places, entry) : 0;
        if (n >= entry->min_tables)
            continue;
        AUTO_TEXT t = TEXT_INIT(4096), label = TEXT_INIT(512);
        conf_entry_label(entry, &label);
        text_addf(&t,
                  "tables: the entry of %s selects %d, and its min_tables is %d; HINT: find out what has become of the "
                  "others, or correct min_tables",
                  text_get(&label), n, entry->min_tables);
        s->n.too_few++;
        r = judge_add(s, LEVEL_CRITICAL, &t);
    }
    return r;
}

int compare_conf(const CtlOptions *o, Situation *s) {
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(places_done) Places places = {};
    if (!o->config_given && access(o->config, R_OK) < 0)
        return 0;
    int r = conf_file_load(o->config, &problems, &conf, NULL);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return add_problems(&problems, r, s);
    /* the daemon's environment may have another region than ours */
    r = places_make(conf, conf->aws.region, (Now){}, &places);
    s->qualified |= places_are_many(&places);
    for (size_t i = 0; r >= 0 && i < places.n_items; i++)
        r = compare_place(o, conf, &places.items[i], s);
    if (r >= 0)
        r = compare_entries(conf, &places, s);
    return r < 0 ? r : compare_expiry(o, conf, s);
}
