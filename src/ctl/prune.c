#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/json.h"
#include "ctl/load_conf.h"
#include "ctl/prune_rows.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"

static const char *const expires[] = {[EXPIRE_OFF] = "off", [EXPIRE_REPORT] = "report", [EXPIRE_DELETE] = "delete"};

static const char *schedule_name(const PruneRow *r) { return r->schedule ? r->schedule->name : r->item->schedule; }

/* Why it stays or goes, in one line. */
static void add_reason(const Prune *p, const PruneRow *row, Text *t) {
    char until[DATE_ISO_SIZE];
    const StockItem *i = row->item;
    if (i->artefact->life == ARTEFACT_EXPIRING)
        return (void)text_add(t, "is being deleted");
    if (!row->schedule) {
        text_addf(t, "the table has no schedule that is, or was, called %s", i->schedule);
        return;
    }
    if (row->guard)
        return (void)text_add(t, row->guard);
    if (row->verdict.reason == RETENTION_NEEDED)
        return (void)text_add(t, "its chain grows, until the next base is verified");
    if (row->verdict.reason != RETENTION_HELD || !stock_is_held(i, p->now_wall)) {
        if (row->verdict.reason == RETENTION_HELD)
            text_add(t, "a link of its chain is held");
        else
            retention_verdict_describe(&row->verdict, &row->schedule->keep, t);
        return;
    }
    text_addf(t, "is held by %s", i->hold_who ? i->hold_who : "somebody");
    if (i->hold_until_wall != USEC_INFINITY)
        text_addf(t, " until %s", words_time(i->hold_until_wall, until));
    if (i->hold_why)
        text_addf(t, ": %s", i->hold_why);
}

/* --- for programs --- */

static void add_keep(Json *j, const RetentionKeep *k) {
    if (!retention_keep_is_set(k))
        return json_raw(j, "keep", NULL);
    json_open(j, "keep", '{');
    json_int(j, "last", k->last);
    json_int(j, "hourly", k->hourly);
    json_int(j, "daily", k->daily);
    json_int(j, "weekly", k->weekly);
    json_int(j, "monthly", k->monthly);
    json_int(j, "yearly", k->yearly);
    json_seconds(j, "within_seconds", k->within_usec);
    json_int(j, "floor", int_max(k->floor, 1));
    json_close(j, '}');
}

static void add_schedule(Json *j, const ScheduleConf *s, const PruneSum *sum) {
    json_open(j, NULL, '{');
    json_string(j, "schedule", s->name);
    json_string(j, "action", action_to_string(s->action));
    json_string(j, "timezone", zone_name(s->zone));
    json_string(j, "expire", expires[s->expire]);
    add_keep(j, &s->keep);
    json_int(j, "kept", (int64_t)sum->n_kept);
    json_int(j, "beyond", (int64_t)sum->n_beyond);
    json_int(j, "bytes_beyond", (int64_t)sum->bytes_beyond);
    json_close(j, '}');
}

static void add_brake(Json *j, const StockBrake *b) {
    json_open(j, NULL, '{');
    json_target(j, b->account, b->region, b->table, b->schedule);
    json_string(j, "table_id", b->table_id);
    json_int(j, "beyond", (int64_t)b->n_delete);
    json_int(j, "artefacts", (int64_t)b->n_all);
    json_wall(j, "since", b->since_wall);
    json_int(j, "confirmed", (int64_t)b->n_confirmed);
    json_string(j, "confirmed_by", b->who);
    json_close(j, '}');
}

static void add_artefact(Json *j, const Prune *p, const PruneRow *row) {
    const StockItem *i = row->item;
    const Artefact *a = i->artefact;
    bool held = stock_is_held(i, p->now_wall);
    AUTO_TEXT reason = TEXT_INIT(16384);
    add_reason(p, row, &reason);
    json_open(j, NULL, '{');
    json_target(j, i->account, i->region, i->table, schedule_name(row));
    json_string(j, "made_by", i->schedule);
    json_string(j, "action", action_to_string(a->action));
    json_string(j, "arn", a->arn);
    json_string(j, "name", a->name);
    json_string(j, "table_id", a->table_id);
    json_string(j, "life", artefact_life_to_string(a->life));
    json_wall(j, "created", a->created_wall);
    json_count(j, "size_bytes", a->size_bytes);
    json_int(j, "links", (int64_t)row->n_links);
    json_string(j, "verdict", row->verdict.expendable ? "delete" : "keep");
    json_string(j, "reason", row->schedule ? retention_reason_to_string(row->verdict.reason) : "no-schedule");
    json_string(j, "text", text_get(&reason));
    json_open(j, "places", '{');
    for (RetentionReason rule = 0; rule < RETENTION_RULES; rule++)
        if (row->verdict.place[rule] > 0)
            json_int(j, retention_reason_to_string(rule), row->verdict.place[rule]);
    json_close(j, '}');
    json_bool(j, "held", held);
    json_wall(j, "held_until", held ? i->hold_until_wall : WALL_UNKNOWN);
    json_string(j, "held_by", held ? i->hold_who : NULL);
    json_string(j, "held_because", held ? i->hold_why : NULL);
    json_close(j, '}');
}

static void print_json(const Prune *p, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_wall(&j, "now", p->now_wall);
    json_string(&j, "deployment", p->conf->deployment);
    json_string(&j, "config", p->options->config);
    json_string(&j, "state_directory", p->options->state_directory);
    json_bool(&j, "expiry_resumed", p->state.expires);
    json_open(&j, "schedules", '[');
    for (size_t i = 0; i < p->conf->n_schedules; i++)
        add_schedule(&j, &p->conf->schedules[i], &p->sums[i]);
    json_close(&j, ']');
    json_open(&j, "brakes", '[');
    for (size_t i = 0; i < p->state.n_brakes; i++)
        add_brake(&j, &p->state.brakes[i]);
    json_close(&j, ']');
    json_open(&j, "artefacts", '[');
    for (size_t i = 0; i < p->n_rows; i++)
        add_artefact(&j, p, &p->rows[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* --- for people --- */

#define LOCAL_SIZE 64

/* "Sun 2026-03-01 02:30 CET": what its rules go by. */
static const char *local_words(const Zone *zone, Usec wall, char buffer[static LOCAL_SIZE]) {
    static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const char *abbreviation = NULL;
    Date d = date_from_wall(wall + zone_offset(zone, wall, &abbreviation) * USEC_PER_SEC);
    snprintf(buffer, LOCAL_SIZE, "%s %04d-%02d-%02d %02d:%02d %.16s", days[date_weekday(d.year, d.month, d.day)],
             d.year, d.month, d.day, d.hour, d.minute, abbreviation ? abbreviation : zone_name(zone));
    return buffer;
}

static int print_schedules(const Prune *p, Text *out) {
    static const TableColumn columns[] = {
        {"SCHEDULE"}, {"ACTION"}, {"EXPIRE"}, {"KEEP"}, {"KEPT", .right = true}, {"BEYOND", .right = true},
        {"SIZE BEYOND", .right = true},
    };
    CLEANUP(table_done) Table t;
    char size[SIZE_TEXT_SIZE];
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < p->conf->n_schedules; i++) {
        const ScheduleConf *s = &p->conf->schedules[i];
        const PruneSum *sum = &p->sums[i];
        AUTO_TEXT keep = TEXT_INIT(1024);
        if (sum->n_kept + sum->n_beyond == 0)
            continue;
        retention_keep_describe(&s->keep, &keep);
        table_add(&t, s->name);
        table_add(&t, action_to_string(s->action));
        table_add(&t, expires[s->expire]);
        table_add(&t, text_get(&keep));
        table_addf(&t, "%zu", sum->n_kept);
        table_addf(&t, "%zu", sum->n_beyond);
        table_add(&t, sum->bytes_beyond > 0 ? size_to_string(sum->bytes_beyond, size) : NULL);
    }
    return table_print(&t, 2, out);
}

static int print_rows(const Prune *p, Text *out) {
    static const TableColumn columns[] = {
        {"CREATED"},
        {"LOCAL", .spare = true},
        {"TABLE"},
        {"SCHEDULE"},
        {"ACTION"},
        {"SIZE", .right = true},
        {"VERDICT"},
        {"ARN", .spare = true},
        {"REASON"},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < p->n_rows; i++) {
        const PruneRow *row = &p->rows[i];
        const StockItem *item = row->item;
        const Artefact *a = item->artefact;
        AUTO_TEXT label = TEXT_INIT(TARGET_LABEL_SIZE), reason = TEXT_INIT(16384);
        char iso[DATE_ISO_SIZE], local[LOCAL_SIZE], size[SIZE_TEXT_SIZE];
        words_label(&label, p->qualified, item->account, item->region, item->table);
        add_reason(p, row, &reason);
        table_add(&t, words_time(a->created_wall, iso));
        table_add(&t, row->schedule && a->created_wall != WALL_UNKNOWN
                          ? local_words(row->schedule->zone, a->created_wall, local)
                          : NULL);
        table_add(&t, text_get(&label));
        table_add(&t, schedule_name(row));
        table_add(&t, action_to_string(a->action));
        table_add(&t, a->size_bytes != COUNT_UNKNOWN ? size_to_string((uint64_t)a->size_bytes, size) : NULL);
        table_add(&t, row->verdict.expendable ? "delete" : "keep");
        table_add(&t, p->options->arn ? a->arn : NULL);
        table_add(&t, text_get(&reason));
    }
    if (p->n_rows > 0)
        text_add_char(out, '\n');
    return table_print(&t, 0, out);
}

/* What keeps the daemon from deleting what is beyond. */
static void print_obstacles(const Prune *p, size_t n_to_delete, Text *out) {
    char iso[DATE_ISO_SIZE];
    if (n_to_delete > 0 && !p->state.expires)
        text_add(out, "Nothing expires with this ledger before somebody says so; HINT: it is new or was rebuilt, and "
                      "does not know what was held: hold that first, then ddbackupctl resume --expiry\n");
    for (size_t i = 0; i < p->state.n_brakes; i++) {
        const StockBrake *b = &p->state.brakes[i];
        words_label(out, p->qualified, b->account, b->region, b->table);
        text_addf(out, "/%s: %zu of %zu would go at once, which waits for a person since %s; HINT: if that is meant, "
                       "ddbackupctl prune --confirm %zu\n",
                  b->schedule, b->n_delete, b->n_all, words_time(b->since_wall, iso), b->n_delete);
    }
}

static int print_people(const Prune *p, Text *out) {
    size_t n_beyond = 0, n_to_delete = 0;
    char iso[DATE_ISO_SIZE];
    for (size_t i = 0; i < p->n_rows; i++) {
        const PruneRow *row = &p->rows[i];
        n_beyond += row->verdict.expendable;
        n_to_delete += row->verdict.expendable && row->schedule->expire == EXPIRE_DELETE;
    }
    words_count(out, p->n_rows, "artefact", "artefacts");
    text_addf(out, ", %zu no longer wanted, %zu to be deleted; by ", n_beyond, n_to_delete);
    words_add(out, p->options->config);
    text_addf(out, ", as of %s.\n", words_time(p->now_wall, iso));
    print_obstacles(p, n_to_delete, out);
    text_add_char(out, '\n');
    int r = print_schedules(p, out);
    return r < 0 ? r : print_rows(p, out);
}

int verb_prune(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(conf_free_ptr) Conf *conf = NULL;
    AUTO_FREE char *error = NULL;
    if (o->confirm > 0)
        return verb_confirm_prune(o, out);
    if (load_conf(o->config, &conf) < 0)
        return CTL_FAILED;
    CLEANUP(prune_done) Prune p = {.options = o, .conf = conf, .now_wall = now_wall};
    int r = prune_load(&p, &error);
    if (r < 0)
        return ctl_failed(error ? error : strerror(-r));
    if (o->schedule && p.n_rows == 0 && !conf_schedule(conf, o->schedule)) {
        error = text_format("%s: the configuration has no such schedule, and the ledger nothing of it; HINT: "
                            "'ddbackupctl plan' shows which there are",
                            o->schedule);
        return ctl_failed(error);
    }
    if (o->json)
        print_json(&p, out);
    else if (print_people(&p, out) < 0)
        return ctl_failed(NULL);
    return CTL_OK;
}
