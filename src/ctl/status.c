#include "ctl/next_slot.h"
#include "ctl/situation_json.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/words.h"

/* One screen: so many enrolments, the worst first, and so many problems; --all shows the rest. */
#define SCREEN_ROWS 20
#define SCREEN_PROBLEMS 10

static const char *freshness_word(Freshness f) {
    switch (f) {
    case FRESH_UNWATCHED:
        return "unwatched";
    case FRESH_YES:
        return "fresh";
    case FRESH_PENDING:
        return "pending";
    case FRESH_STALE:
        return "stale";
    }
    return NULL;
}

/* --- for programs --- */

static void add_standing(Json *j, const Situation *s, const Standing *standing) {
    const Enrolment *e = standing->enrolment;
    bool watched = standing->freshness != FRESH_UNWATCHED, known = e->newest_wall != WALL_UNKNOWN;
    json_open(j, NULL, '{');
    json_target(j, e->target->account, e->target->region, e->target->table, e->schedule_name);
    json_string(j, "level", level_to_string(standing->level));
    json_string(j, "freshness", freshness_word(standing->freshness));
    json_seconds(j, "max_age_seconds", watched ? e->max_age_usec : USEC_INFINITY);
    json_wall(j, "newest", e->newest_wall);
    json_seconds(j, "age_seconds", known ? usec_max(0, s->now_wall - e->newest_wall) : USEC_INFINITY);
    json_wall(j, "stale_since", e->stale_wall);
    json_wall(j, "first_seen", e->first_seen_wall);
    json_string(j, "calendar", e->when);
    json_wall(j, "next_slot", next_slot(e));
    json_run(j, "latest_run", standing->latest);
    json_run(j, "last_success", standing->success);
    json_close(j, '}');
}

static void print_json(const CtlOptions *o, const Situation *s, Text *out) {
    AUTO_TEXT summary = TEXT_INIT(4096);
    Json j = {.out = out};
    situation_summary(s, &summary);
    json_open(&j, NULL, '{');
    json_wall(&j, "now", s->now_wall);
    json_bool(&j, "protected", s->is_protected);
    json_string(&j, "level", level_to_string(s->level));
    json_string(&j, "summary", text_get(&summary));
    json_string(&j, "daemon", daemon_to_string(s->daemon));
    json_wall(&j, "paused_until", s->now_wall < s->pause.until_wall ? s->pause.until_wall : WALL_UNKNOWN);
    json_string(&j, "deployment", s->deployment);
    json_string(&j, "state_directory", o->state_directory);
    situation_json_counts(&j, s);
    situation_json_problems(&j, s);
    json_open(&j, "retention", '{');
    json_bool(&j, "expiry_resumed", s->stock.expires);
    json_int(&j, "held", (int64_t)s->n_held);
    json_int(&j, "expiring", (int64_t)s->stock.expiring.n_items);
    json_int(&j, "brakes", (int64_t)s->stock.n_brakes);
    json_close(&j, '}');
    json_open(&j, "enrolments", '[');
    for (size_t i = 0; i < s->n_standings; i++)
        add_standing(&j, s, &s->standings[i]);
    json_close(&j, ']');
    json_open(&j, "runs", '[');
    for (size_t i = 0; i < s->n_unsettled; i++)
        json_run(&j, NULL, s->unsettled[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* --- for people --- */

static void print_head(const CtlOptions *o, const Situation *s, Text *out) {
    char now[DATE_ISO_SIZE];
    text_addf(out, "%s: ",
              !s->is_protected ? "NOT PROTECTED" : s->level == LEVEL_OK ? "PROTECTED" : "PROTECTED, BUT LOOK");
    situation_summary(s, out);
    text_addf(out, "\nAs of %s, by the ledger in ", words_time(s->now_wall, now));
    words_add(out, o->state_directory);
    if (s->deployment)
        text_addf(out, ", deployment %s", s->deployment);
    text_add_char(out, '\n');
}

static void print_retention(const Situation *s, Text *out) {
    if (s->n_held + s->stock.expiring.n_items == 0)
        return;
    text_add(out, "Retention: ");
    words_count(out, s->n_held, "artefact", "artefacts");
    text_addf(out, " held, %zu being deleted\n", s->stock.expiring.n_items);
}

static void print_problems(const CtlOptions *o, const Situation *s, Text *out) {
    size_t n = o->all || s->n_problems <= SCREEN_PROBLEMS ? s->n_problems : SCREEN_PROBLEMS;
    if (n > 0)
        text_add(out, "\nTo look at:\n");
    for (size_t i = 0; i < n; i++)
        text_addf(out, "  %s: %s\n", s->problems[i].level == LEVEL_CRITICAL ? "CRITICAL" : "warning",
                  s->problems[i].text);
    if (n < s->n_problems)
        text_addf(out, "  and %zu more; --all shows them\n", s->n_problems - n);
}

static int print_enrolments(const CtlOptions *o, const Situation *s, Text *out) {
    static const TableColumn columns[] = {
        {"TABLE"},
        {"SCHEDULE"},
        {"FRESHNESS"},
        {"LAST SUCCESS"},
        {"AGE", .right = true},
        {"MAX AGE", .right = true},
        {"NEXT SLOT"},
        {"NEWEST RUN"},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    size_t n = o->all || s->n_standings <= SCREEN_ROWS ? s->n_standings : SCREEN_ROWS;
    for (size_t i = 0; i < n; i++) {
        const Standing *standing = &s->standings[i];
        const Enrolment *e = standing->enrolment;
        AUTO_TEXT label = TEXT_INIT(TARGET_LABEL_SIZE);
        char iso[DATE_ISO_SIZE], span[DURATION_SIZE];
        words_label(&label, s->qualified, e->target->account, e->target->region, e->target->table);
        table_add(&t, text_get(&label));
        table_add(&t, e->schedule_name);
        table_add(&t, freshness_word(standing->freshness));
        table_add(&t, words_time(e->newest_wall, iso));
        table_add(&t, e->newest_wall == WALL_UNKNOWN ? NULL : words_age(s->now_wall - e->newest_wall, span));
        table_add(&t, e->max_age_usec > 0 ? duration_to_string(e->max_age_usec, span) : NULL);
        table_add(&t, words_time(next_slot(e), iso));
        if (standing->latest)
            table_addf(&t, "%lld %s", (long long)standing->latest->id, run_state_to_string(standing->latest->state));
        else
            table_add(&t, NULL);
    }
    if (n > 0)
        text_add(out, "\nEnrolments:\n");
    int r = table_print(&t, 2, out);
    if (n < s->n_standings)
        text_addf(out, "  and %zu more; --all shows them\n", s->n_standings - n);
    return r;
}

static int print_under_way(const CtlOptions *o, const Situation *s, Text *out) {
    static const TableColumn columns[] = {
        {"RUN", .right = true},
        {"TABLE"},
        {"SCHEDULE"},
        {"ACTION"},
        {"SLOT"},
        {"STATE"},
        {"SINCE DUE", .right = true},
        {"STATUS", .spare = true},
        {"REASON", .spare = true},
    };
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    size_t n = o->all || s->n_unsettled <= SCREEN_ROWS ? s->n_unsettled : SCREEN_ROWS;
    for (size_t i = 0; i < n; i++) {
        const Run *r = s->unsettled[i];
        AUTO_TEXT label = TEXT_INIT(TARGET_LABEL_SIZE), reason = TEXT_INIT(8192);
        char iso[DATE_ISO_SIZE], span[DURATION_SIZE];
        words_label(&label, s->qualified, r->account, r->region, r->table);
        words_reason(&reason, r);
        table_addf(&t, "%lld", (long long)r->id);
        table_add(&t, text_get(&label));
        table_add(&t, r->schedule);
        table_add(&t, action_to_string(r->action));
        table_add(&t, words_time(r->slot_wall, iso));
        table_add(&t, run_state_to_string(r->state));
        table_add(&t, words_age(s->now_wall - r->due_wall, span));
        table_add(&t, r->artefact ? r->artefact->status : NULL);
        table_add(&t, text_get(&reason));
    }
    if (n > 0)
        text_add(out, "\nRuns under way:\n");
    int r = table_print(&t, 2, out);
    if (n < s->n_unsettled)
        text_addf(out, "  and %zu more; --all shows them\n", s->n_unsettled - n);
    return r;
}

int verb_status(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(situation_done) Situation s = {};
    AUTO_FREE char *error = NULL;
    int r = situation_load(o, now_wall, &s, &error);
    if (r < 0)
        return ctl_failed(error);
    if (o->json) {
        print_json(o, &s, out);
        return CTL_OK;
    }
    print_head(o, &s, out);
    print_retention(&s, out);
    print_problems(o, &s, out);
    if (print_under_way(o, &s, out) < 0 || print_enrolments(o, &s, out) < 0)
        return ctl_failed(NULL);
    return CTL_OK;
}
