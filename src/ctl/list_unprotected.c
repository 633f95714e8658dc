/* Tables that exist and that nothing protects. */

#include <errno.h>
#include <string.h>

#include "core/run/enrol.h"
#include "ctl/json.h"
#include "ctl/survey.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"

/* Of the ones that are asked about. */
static int is_protected(const Survey *s, const TableFacts *facts, bool *ret) {
    Target none = {};
    const Target *t = targets_find(&s->targets, facts->account, facts->region, facts->table);
    AUTO_FREE const ScheduleConf **schedules = NULL;
    size_t n = 0;
    int r = enrol_schedules(t ? t : &none, s->conf, facts, &schedules, &n);
    *ret = n > 0 && !s->options->schedule;
    for (size_t i = 0; s->options->schedule && i < n; i++)
        *ret |= strcmp(schedules[i]->name, s->options->schedule) == 0;
    return r;
}

static const char *reason_of(const Survey *s, const TableFacts *facts, bool *ret_on_purpose) {
    *ret_on_purpose = false;
    for (size_t i = 0; i < s->conf->n_tables; i++) {
        const TablesConf *entry = &s->conf->tables[i];
        if (entry->n_schedules == 0 && conf_entry_selects(entry, facts)) {
            *ret_on_purpose = true;
            return entry->reason;
        }
    }
    return !facts->tags && conf_asks_for_tags(s->conf, facts) ? "its tags are not known yet"
                                                              : "no entry of tables selects it";
}

typedef struct Unprotected {
    const Survey *s;
    Table table;
    Json *json; /* NULL: for people */
} Unprotected;

static int add(Unprotected *u, const LedgerTable *row) {
    const Place *p = places_find(&u->s->places, row->account, row->region);
    const CtlOptions *o = u->s->options;
    bool safe, on_purpose;
    if (!p || !options_select(o, row->account, row->region, row->table, o->schedule))
        return 0;
    TableFacts facts = survey_facts(u->s, p, row->region, row->table);
    int r = is_protected(u->s, &facts, &safe);
    if (r < 0 || safe)
        return r;
    const char *reason = reason_of(u->s, &facts, &on_purpose);
    if (u->json) {
        json_open(u->json, NULL, '{');
        json_target(u->json, row->account, row->region, row->table, NULL);
        json_wall(u->json, "seen", row->seen_wall);
        json_bool(u->json, "on_purpose", on_purpose);
        json_string(u->json, "reason", reason);
        json_close(u->json, '}');
        return 0;
    }
    AUTO_TEXT label = TEXT_INIT(1024);
    char seen[DATE_ISO_SIZE];
    words_label(&label, u->s->qualified, row->account, row->region, row->table);
    table_add(&u->table, text_get(&label));
    table_add(&u->table, words_time(row->seen_wall, seen));
    table_add(&u->table, on_purpose ? "yes" : "no");
    table_add(&u->table, reason);
    return u->table.error;
}

/* Where the daemon lists no tables, or has not yet, nobody knows what else exists. */
static bool is_unlisted(const Survey *s, const Place *p) {
    for (size_t i = 0; i < s->n_tables; i++)
        if (strcmp(s->tables[i].account, p->account) == 0 &&
            (!p->region || strcmp(s->tables[i].region, p->region) == 0))
            return false;
    return true;
}

static void add_unlisted(const Survey *s, Json *j, Text *out) {
    for (size_t i = 0; i < s->places.n_items; i++) {
        const Place *p = &s->places.items[i];
        if (!is_unlisted(s, p))
            continue;
        if (j) {
            json_open(j, NULL, '{');
            json_string(j, "account", p->account);
            json_string(j, "region", p->region);
            json_close(j, '}');
        } else
            text_addf(out, "%s%s%s: its tables are not known: %s.\n", s->qualified ? p->account : "",
                      s->qualified && p->region ? "/" : "", p->region ? p->region : s->qualified ? "" : "the region",
                      p->discovery.wanted ? "the daemon has listed none yet"
                                          : "they are listed where an entry of tables has a pattern or tags");
    }
}

int list_unprotected(const CtlOptions *o, Usec now_wall, Text *out) {
    static const TableColumn columns[] = {{"TABLE"}, {"SEEN SINCE"}, {"ON PURPOSE"}, {"REASON"}};
    CLEANUP(survey_done) Survey s = {.options = o};
    int status = survey_load(&s, NULL, NULL), r = 0;
    if (status != CTL_OK)
        return status;
    Json j = {.out = out};
    CLEANUP(table_done) Table table;
    table_init(&table, columns, ARRAY_SIZE(columns));
    Unprotected u = {.s = &s, .table = table, .json = o->json ? &j : NULL};
    if (o->json) {
        json_open(&j, NULL, '{');
        json_wall(&j, "now", now_wall);
        json_open(&j, "tables", '[');
    }
    for (size_t i = 0; r >= 0 && i < s.n_tables; i++)
        r = add(&u, &s.tables[i]);
    table = u.table;
    if (r < 0)
        return ctl_failed(NULL);
    if (o->json) {
        json_close(&j, ']');
        json_open(&j, "unlisted", '[');
        add_unlisted(&s, &j, out);
        json_close(&j, ']');
        json_close(&j, '}');
        text_add_char(out, '\n');
        return CTL_OK;
    }
    if (table_n_rows(&table) == 0)
        text_add(out, "No table that is known to exist is unprotected.\n");
    if (table_print(&table, 0, out) < 0)
        return ctl_failed(NULL);
    add_unlisted(&s, NULL, out);
    return CTL_OK;
}
