#include <errno.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/load_conf.h"
#include "ctl/plan_rows.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"
#include "io/credentials_source.h"
#include "io/store_read.h"

/* --- for programs --- */

static void add_schedule(Json *j, const ScheduleConf *s) {
    json_open(j, NULL, '{');
    json_string(j, "schedule", s->name);
    json_string(j, "action", action_to_string(s->action));
    json_string(j, "when", s->when_text);
    json_string(j, "timezone", zone_name(s->zone));
    json_seconds(j, "spread_seconds", s->spread_usec);
    json_open(j, "not_during", '[');
    for (size_t i = 0; i < s->n_not_during; i++) {
        AUTO_TEXT span = TEXT_INIT(BLACKOUT_TEXT_MAX);
        blackout_add_string(&s->not_during[i], &span);
        json_string(j, NULL, text_get(&span));
    }
    json_close(j, ']');
    json_seconds(j, "start_within_seconds", s->start_within_usec);
    json_seconds(j, "max_age_seconds", s->max_age_usec > 0 ? s->max_age_usec : USEC_INFINITY);
    json_close(j, '}');
}

static void add_slot(Json *j, const PlanRow *row) {
    char local[WORDS_LOCAL_SIZE];
    const ScheduleConf *s = row->schedule;
    bool known = row->due_wall != WALL_UNKNOWN;
    json_open(j, NULL, '{');
    json_target(j, row->account, row->region, row->table, s->name);
    json_bool(j, "pattern", row->is_pattern);
    json_string(j, "action", action_to_string(s->action));
    json_wall(j, "slot", row->slot_wall);
    json_string(j, "slot_local", words_local_iso(s->zone, row->slot_wall, local));
    json_wall(j, "due", row->due_wall);
    json_string(j, "due_local", known ? words_local_iso(s->zone, row->due_wall, local) : NULL);
    json_wall(j, "due_latest", known ? row->due_wall : row->slot_wall + s->spread_usec);
    json_close(j, '}');
}

static void print_json(const CtlOptions *o, const Plan *p, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_wall(&j, "now", p->now_wall);
    json_wall(&j, "until", p->until_wall);
    json_string(&j, "deployment", p->conf->deployment);
    json_string(&j, "config", o->config);
    json_bool(&j, "ledger_read", p->targets != NULL);
    json_open(&j, "schedules", '[');
    for (size_t i = 0; i < p->conf->n_schedules; i++)
        add_schedule(&j, &p->conf->schedules[i]);
    json_close(&j, ']');
    json_open(&j, "slots", '[');
    for (size_t i = 0; i < p->n_rows; i++)
        add_slot(&j, &p->rows[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* --- for people --- */

static int print_schedules(const Plan *p, Text *out) {
    static const TableColumn columns[] = {{"SCHEDULE"}, {"ACTION"}, {"WHEN"}, {"ZONE"}, {"SPREAD"}, {"MAX AGE"},
                                          {"NOT DURING", .spare = true}};
    CLEANUP(table_done) Table t;
    char span[DURATION_SIZE];
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < p->conf->n_schedules; i++) {
        const ScheduleConf *s = &p->conf->schedules[i];
        AUTO_TEXT spans = TEXT_INIT(4096);
        for (size_t j = 0; j < s->n_not_during; j++) {
            text_add(&spans, j > 0 ? ", " : "");
            blackout_add_string(&s->not_during[j], &spans);
        }
        table_add(&t, s->name);
        table_add(&t, action_to_string(s->action));
        table_add(&t, s->when_text);
        table_add(&t, zone_name(s->zone));
        table_add(&t, s->spread_usec > 0 ? duration_to_string(s->spread_usec, span) : NULL);
        table_add(&t, s->max_age_usec > 0 ? duration_to_string(s->max_age_usec, span) : NULL);
        table_add(&t, text_get(&spans));
    }
    return table_print(&t, 2, out);
}

static bool needs_label(const Plan *p) {
    if (places_are_many(p->places))
        return true;
    for (size_t i = 1; p->targets && i < p->targets->n_items; i++)
        if (strcmp(p->targets->items[i]->account, p->targets->items[0]->account) != 0 ||
            strcmp(p->targets->items[i]->region, p->targets->items[0]->region) != 0)
            return true;
    return false;
}

static int print_slots(const Plan *p, Text *out) {
    static const TableColumn columns[] = {
        {"DUE"}, {"WITHIN", .right = true, .spare = true}, {"LOCAL"}, {"SLOT"}, {"TABLE"}, {"SCHEDULE"}, {"ACTION"},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < p->n_rows; i++) {
        const PlanRow *row = &p->rows[i];
        bool known = row->due_wall != WALL_UNKNOWN;
        Usec at = known ? row->due_wall : row->slot_wall;
        char iso[DATE_ISO_SIZE], local[WORDS_LOCAL_SIZE], span[DURATION_SIZE];
        AUTO_TEXT label = TEXT_INIT(1024);
        words_label(&label, row->region && needs_label(p), row->account, row->region, row->table);
        table_add(&t, words_time(at, iso));
        table_add(&t, known ? NULL : duration_to_string(row->schedule->spread_usec, span));
        table_add(&t, words_local(row->schedule->zone, at, local));
        table_add(&t, words_time(row->slot_wall, iso));
        table_add(&t, text_get(&label));
        table_add(&t, row->schedule->name);
        table_add(&t, action_to_string(row->schedule->action));
    }
    return table_print(&t, 2, out);
}

static bool needs_listing(const Plan *p) {
    bool needed = false;
    for (size_t i = 0; i < p->places->n_items; i++)
        needed |= p->places->items[i].discovery.wanted;
    return needed;
}

static int print_people(const CtlOptions *o, const Plan *p, const char *ledger_problem, Text *out) {
    text_addf(out, "Deployment %s, the next %lld %s, by ", p->conf->deployment, (long long)o->days,
              o->days == 1 ? "day" : "days");
    words_add(out, o->config);
    text_add(out, ":\n");
    int r = print_schedules(p, out);
    text_add_char(out, '\n');
    if (r >= 0)
        r = print_slots(p, out);
    if (p->n_rows == 0)
        text_add(out, "  nothing will be due\n");
    if (ledger_problem && needs_listing(p)) {
        text_add(out, "\nPatterns stand for their tables, which the ledger would tell: ");
        words_add(out, ledger_problem);
        text_add_char(out, '\n');
    }
    return r;
}

/* --- what it needs --- */

/* No ledger is no failure here. */
static int load_targets(const char *directory, Targets *ret, char **ret_problem) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    int r = store_read_open(directory, &store, ret_problem);
    if (r >= 0 && (r = store_read_targets(store, ret)) < 0)
        (void)text_set(ret_problem, store_read_error(store));
    return r;
}

static bool is_wanted(const void *context, const char *account, const char *region, const char *table,
                      const char *schedule) {
    return options_select(context, account, region, table, schedule);
}

int verb_plan(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    CLEANUP(targets_done) Targets targets = {};
    CLEANUP(places_done) Places places = {};
    AUTO_FREE char *region = NULL, *ledger_problem = NULL;
    if (load_conf(o->config, &conf) < 0)
        return CTL_FAILED;
    if (o->schedule && !conf_schedule(conf, o->schedule)) {
        AUTO_FREE char *error = text_format(
            "%s: the configuration has no such schedule; HINT: 'ddbackupctl plan' shows which it has", o->schedule);
        return ctl_failed(error);
    }
    bool has_ledger = load_targets(o->state_directory, &targets, &ledger_problem) >= 0;
    if (!conf->aws.region)
        (void)credentials_source_region(conf->aws.profile, &region);
    if (places_make(conf, conf->aws.region ? conf->aws.region : region, (Now){}, &places) < 0)
        return ctl_failed(NULL);
    CLEANUP(plan_done) Plan p = {.conf = conf,
                                 .targets = has_ledger ? &targets : NULL,
                                 .places = &places,
                                 .now_wall = now_wall,
                                 .until_wall = usec_add(now_wall, o->days * USEC_PER_DAY)};
    int r = plan_make(&p, is_wanted, o);
    if (r < 0)
        return ctl_failed(strerror(-r));
    if (o->json)
        print_json(o, &p, out);
    else if (print_people(o, &p, ledger_problem, out) < 0)
        return ctl_failed(NULL);
    return CTL_OK;
}
