#include "ctl/json.h"
#include "ctl/rebuild.h"
#include "ctl/table.h"
#include "ctl/words.h"

#include <stdio.h>

static const char *const not_found_again[] = {
    "runs that failed or were skipped before the service had made anything, or that waited for a chain",
    "ranges of slots that did not run",
    "each run's story, requests and deferrals",
    "what later checks of exports found: those that no record tells of count as checked by the service alone",
    "holds",
};

static bool is_of_chains(const RegainRow *row) { return row->enrolment->schedule->action == ACTION_INCREMENTAL; }

/* --- for programs --- */

static void add_row(Json *j, const RegainRow *row) {
    const Enrolment *e = row->enrolment;
    json_open(j, NULL, '{');
    json_target(j, e->target->account, e->target->region, e->target->table, e->schedule_name);
    json_string(j, "action", action_to_string(e->schedule->action));
    json_int(j, "found", (int64_t)row->n_found);
    json_int(j, "known", (int64_t)row->n_known);
    json_int(j, "succeeded", (int64_t)row->n_succeeded);
    json_int(j, "under_way", (int64_t)row->n_unsettled);
    json_int(j, "failed", (int64_t)row->n_failed);
    json_wall(j, "newest_slot", row->newest_slot_wall);
    json_wall(j, "uncertain_slot", row->doubt_wall);
    json_close(j, '}');
}

static void add_chains(Json *j, const RegainRow *row) {
    const Enrolment *e = row->enrolment;
    json_open(j, NULL, '{');
    json_target(j, e->target->account, e->target->region, e->target->table, e->schedule_name);
    json_int(j, "chains", (int64_t)row->n_chains);
    json_int(j, "links", (int64_t)row->n_links);
    json_int(j, "recorded", (int64_t)row->n_recorded);
    json_int(j, "under_way", (int64_t)row->n_adopted);
    json_int(j, "failed", (int64_t)row->n_failed_links);
    json_int(j, "uncertain", (int64_t)row->n_doubted);
    json_wall(j, "watermark", row->watermark_wall);
    json_open(j, "lost", '[');
    for (size_t i = 0; row->lineage && i < row->lineage->n_losses; i++) {
        const LostSpan *loss = &row->lineage->losses[i];
        json_open(j, NULL, '{');
        json_wall(j, "from", loss->from_wall);
        json_wall(j, "to", loss->to_wall == USEC_INFINITY ? WALL_UNKNOWN : loss->to_wall);
        json_string(j, "why", loss->why);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static const char *outcome(const RegainTable *t) {
    const Search *s = &t->search;
    if (!t->failed && s->stage == SEARCH_DONE)
        return "complete";
    return s->stage == SEARCH_ABSENT ? "no such table" : "failed";
}

static void add_table(Json *j, const RegainTable *t) {
    const Search *s = &t->search;
    char error[700];
    json_open(j, NULL, '{');
    json_target(j, s->target->account, s->target->region, s->target->table, NULL);
    json_string(j, "outcome", outcome(t));
    snprintf(error, sizeof error, "%s%s%s", s->error.code, s->error.message[0] ? ": " : "", s->error.message);
    json_string(j, "error", s->stage == SEARCH_FAILED ? error : NULL);
    json_open(j, "unconfigured", '[');
    for (size_t i = 0; i < s->n_orphans; i++) {
        json_open(j, NULL, '{');
        json_string(j, "schedule", s->orphans[i].schedule);
        json_int(j, "backups", (int64_t)s->orphans[i].n);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_int(j, "unknown_exports", (int64_t)s->n_foreign_exports);
    json_int(j, "surplus", (int64_t)t->n_surplus);
    json_close(j, '}');
}

static void print_json(const Rebuild *b, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_wall(&j, "now", b->now_wall);
    json_string(&j, "deployment", b->conf->deployment);
    json_string(&j, "region", places_are_many(b->places) ? NULL : b->places->items[0].region);
    json_open(&j, "places", '[');
    for (size_t i = 0; i < b->places->n_items; i++) {
        json_open(&j, NULL, '{');
        json_string(&j, "account", b->places->items[i].account);
        json_string(&j, "region", b->places->items[i].region);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_string(&j, "state_directory", b->options->state_directory);
    json_bool(&j, "dry_run", b->options->dry_run);
    json_bool(&j, "complete", b->n_failed_tables == 0 && b->n_failed_places == 0);
    json_int(&j, "runs", (int64_t)b->n_runs);
    json_int(&j, "links", (int64_t)b->n_links);
    json_open(&j, "enrolments", '[');
    for (size_t i = 0; i < b->n_tables; i++)
        for (size_t k = 0; k < b->tables[i].n_rows; k++)
            if (!is_of_chains(&b->tables[i].rows[k]))
                add_row(&j, &b->tables[i].rows[k]);
    json_close(&j, ']');
    json_open(&j, "chains", '[');
    for (size_t i = 0; i < b->n_tables; i++)
        for (size_t k = 0; k < b->tables[i].n_rows; k++)
            if (is_of_chains(&b->tables[i].rows[k]))
                add_chains(&j, &b->tables[i].rows[k]);
    json_close(&j, ']');
    json_open(&j, "tables", '[');
    for (size_t i = 0; i < b->n_tables; i++)
        add_table(&j, &b->tables[i]);
    json_close(&j, ']');
    json_open(&j, "not_found_again", '[');
    for (size_t i = 0; i < ARRAY_SIZE(not_found_again); i++)
        json_string(&j, NULL, not_found_again[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* --- for people --- */

static int print_rows(const Rebuild *b, Text *out) {
    static const TableColumn columns[] = {
        {"TABLE"}, {"SCHEDULE"}, {"ACTION"}, {"FOUND", .right = true}, {"KNOWN", .right = true},
        {"SUCCEEDED", .right = true}, {"UNDER WAY", .right = true}, {"FAILED", .right = true}, {"NEWEST SLOT"},
    };
    CLEANUP(table_done) Table t;
    char iso[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < b->n_tables; i++)
        for (size_t k = 0; k < b->tables[i].n_rows; k++) {
            const RegainRow *row = &b->tables[i].rows[k];
            if (is_of_chains(row))
                continue;
            table_add(&t, target_label(row->enrolment->target, b->qualified, label));
            table_add(&t, row->enrolment->schedule_name);
            table_add(&t, action_to_string(row->enrolment->schedule->action));
            table_addf(&t, "%zu", row->n_found);
            table_addf(&t, "%zu", row->n_known);
            table_addf(&t, "%zu", row->n_succeeded);
            table_addf(&t, "%zu", row->n_unsettled);
            table_addf(&t, "%zu", row->n_failed);
            table_add(&t, words_time(row->newest_slot_wall, iso));
        }
    return table_print(&t, 2, out);
}

static int print_chains(const Rebuild *b, Text *out) {
    static const TableColumn columns[] = {
        {"TABLE"}, {"CHAINS OF"}, {"CHAINS", .right = true}, {"LINKS", .right = true}, {"RECORDED", .right = true},
        {"UNDER WAY", .right = true}, {"FAILED", .right = true}, {"UNCERTAIN", .right = true}, {"RESTORABLE TO"},
    };
    CLEANUP(table_done) Table t;
    char iso[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    bool any = false;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < b->n_tables; i++)
        for (size_t k = 0; k < b->tables[i].n_rows; k++) {
            const RegainRow *row = &b->tables[i].rows[k];
            if (!is_of_chains(row))
                continue;
            any = true;
            table_add(&t, target_label(row->enrolment->target, b->qualified, label));
            table_add(&t, row->enrolment->schedule_name);
            const size_t counts[] = {row->n_chains, row->n_links, row->n_recorded, row->n_adopted,
                                     row->n_failed_links, row->n_doubted};
            for (size_t n = 0; n < ARRAY_SIZE(counts); n++)
                table_addf(&t, "%zu", counts[n]);
            table_add(&t, words_time(row->watermark_wall, iso));
        }
    return any ? table_print(&t, 2, out) : 0;
}

/* What is lost, and what is asked for again because it may have been asked for before. */
static void print_chain_notes(const RegainRow *row, const char *table, Text *out) {
    char from[DATE_ISO_SIZE], to[DATE_ISO_SIZE];
    const char *schedule = row->enrolment->schedule_name;
    for (size_t i = 0; row->lineage && i < row->lineage->n_losses; i++) {
        const LostSpan *loss = &row->lineage->losses[i];
        bool ends = loss->to_wall != USEC_INFINITY;
        if (loss->from_wall < loss->to_wall)
            text_addf(out, "%s: LOST under %s: %s %s%s%s: %s\n", table, schedule, ends ? "between" : "after",
                      words_time(loss->from_wall, from), ends ? " and " : "", ends ? words_time(loss->to_wall, to) : "",
                      loss->why);
    }
    if (row->n_adopted > 0) {
        text_addf(out, "%s: ", table);
        words_count(out, row->n_adopted, "link", "links");
        const char *it = row->n_adopted == 1 ? "it" : "them";
        text_addf(out, " of %s without a record: the daemon follows %s to the end and checks %s as its schedule says\n",
                  schedule, it, it);
    }
    if (row->n_doubted > 0) {
        text_addf(out, "%s: ", table);
        words_count(out, row->n_doubted, "window", "windows");
        text_addf(out,
                  " of %s may have been asked for just before the ledger was lost: the daemon asks again under the "
                  "same token, so that nothing is exported twice\n",
                  schedule);
    }
}

static void print_error(const Search *s, const char *table, Text *out) {
    text_addf(out, "%s: not searched to the end, nothing was taken in: ", table);
    words_add(out, s->error.code);
    if (s->error.message[0]) {
        text_add(out, ": ");
        words_add(out, s->error.message);
    }
    if (s->error.hint)
        text_addf(out, "; HINT: %s", s->error.hint);
    text_add_char(out, '\n');
}

/* What was not taken in, and what is in doubt. */
static void print_notes(const Rebuild *b, const RegainTable *t, Text *out) {
    const Search *s = &t->search;
    char label[TARGET_LABEL_SIZE];
    const char *table = target_label(s->target, b->qualified, label);
    char iso[DATE_ISO_SIZE];
    if (s->stage == SEARCH_ABSENT)
        text_addf(out, "%s: there is no such table now; what was made of it stays at the service\n", table);
    if (s->stage == SEARCH_FAILED)
        print_error(s, table, out);
    if (t->failed)
        text_addf(out, "%s: its chains could not be found, nothing was taken in\n", table);
    for (size_t i = 0; i < t->n_rows; i++)
        print_chain_notes(&t->rows[i], table, out);
    for (size_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].doubt_wall != WALL_UNKNOWN)
            text_addf(out,
                      "%s: slot %s of schedule %s may have been asked for just before the ledger was lost: the daemon "
                      "looks for it before it asks\n",
                      table, words_time(t->rows[i].doubt_wall, iso), t->rows[i].enrolment->schedule_name);
    for (size_t i = 0; i < s->n_orphans; i++) {
        text_addf(out, "%s: ", table);
        words_count(out, s->orphans[i].n, "backup", "backups");
        text_addf(out, " of schedule %s, which the configuration does not give the table: not taken in\n",
                  s->orphans[i].schedule);
    }
    if (s->n_foreign_exports > 0) {
        text_addf(out, "%s: ", table);
        words_count(out, s->n_foreign_exports, "export", "exports");
        text_add(out, " of others, or of a schedule that the configuration does not give the table: not taken in\n");
    }
    if (t->n_surplus > 0) {
        text_addf(out, "%s: %zu more than one a slot, and billed: ", table, t->n_surplus);
        words_add(out, t->surplus_arn);
        text_addf(out, "%s; HINT: look at %s and delete what is not wanted\n", t->n_surplus > 1 ? ", ..." : "",
                  t->n_surplus > 1 ? "them" : "it");
    }
}

static int print_people(const Rebuild *b, Text *out) {
    bool dry = b->options->dry_run;
    char place[PLACE_LABEL_SIZE];
    text_addf(out, "Deployment %s in ", b->conf->deployment);
    for (size_t i = 0; i < b->places->n_items; i++)
        text_addf(out, "%s%s", i > 0 ? ", " : "", place_label(&b->places->items[i], b->qualified, place));
    text_add(out, ", credentials ");
    words_add(out, b->credentials);
    text_add(out, ", ledger in ");
    words_add(out, b->options->state_directory);
    text_add(out, ":\n");
    int r = print_rows(b, out);
    r = r < 0 ? r : print_chains(b, out);
    for (size_t i = 0; i < b->n_tables; i++)
        print_notes(b, &b->tables[i], out);
    text_add_char(out, '\n');
    words_count(out, b->n_runs, "run", "runs");
    if (b->n_links > 0) {
        text_add(out, " and ");
        words_count(out, b->n_links, "link", "links");
    }
    text_add(out, dry ? " would be taken in; nothing was written (--dry-run)\n" : " taken in\n");
    text_add(out, "Not to be found again, because the ledger alone knew them:\n");
    for (size_t i = 0; i < ARRAY_SIZE(not_found_again); i++)
        text_addf(out, "  - %s\n", not_found_again[i]);
    if (!dry && b->n_failed_tables == 0 && b->n_failed_places == 0)
        text_add(out, "Next: start ddbackupd\n");
    return r;
}

int rebuild_print(const Rebuild *b, Text *out) {
    if (!b->options->json)
        return print_people(b, out);
    print_json(b, out);
    return 0;
}
