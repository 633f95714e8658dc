#include "ctl/json.h"
#include "ctl/rebuild.h"
#include "ctl/table.h"
#include "ctl/words.h"

#include <stdio.h>

static const char *const not_found_again[] = {
    "runs that failed or were skipped before the service had made anything",
    "ranges of slots that did not run",
    "each run's story, requests and deferrals",
    "holds",
};

size_t rebuild_row_taken(const RebuildRow *row) { return row->n_succeeded + row->n_unsettled + row->n_failed; }

/* --- for programs --- */

static void add_row(Json *j, const RebuildRow *row) {
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

static const char *outcome(const Search *s) {
    return s->stage == SEARCH_DONE ? "complete" : s->stage == SEARCH_ABSENT ? "no such table" : "failed";
}

static void add_table(Json *j, const RebuildTable *t) {
    const Search *s = &t->search;
    char error[700];
    json_open(j, NULL, '{');
    json_target(j, s->target->account, s->target->region, s->target->table, NULL);
    json_string(j, "outcome", outcome(s));
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
    json_int(&j, "runs", (int64_t)b->n_taken);
    json_open(&j, "enrolments", '[');
    for (size_t i = 0; i < b->n_tables; i++)
        for (size_t k = 0; k < b->tables[i].n_rows; k++)
            add_row(&j, &b->tables[i].rows[k]);
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
            const RebuildRow *row = &b->tables[i].rows[k];
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
static void print_notes(const Rebuild *b, const RebuildTable *t, Text *out) {
    const Search *s = &t->search;
    char label[TARGET_LABEL_SIZE];
    const char *table = target_label(s->target, b->qualified, label);
    char iso[DATE_ISO_SIZE];
    if (s->stage == SEARCH_ABSENT)
        text_addf(out, "%s: there is no such table now; what was made of it stays at the service\n", table);
    if (s->stage == SEARCH_FAILED)
        print_error(s, table, out);
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
    for (size_t i = 0; i < b->n_tables; i++)
        print_notes(b, &b->tables[i], out);
    text_add_char(out, '\n');
    words_count(out, b->n_taken, "run", "runs");
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
