/* Writes a ledger from a script, through the daemon's own store: store_tool DIRECTORY <script
 *
 * A line is a word and fields, with tabs between them:
 *   target, enrolment, run   begin an object; the fields that are left out keep what a fresh one has
 *   artefact, failed         of the run begun last: its artefact, and the one of the attempt before
 *   note                     of the run begun last
 *   range
 *   commit                   writes what was begun since the last commit
 *   wait                     says "ready" and keeps the store open until the end of the input
 * A field is KEY=VALUE. An instant is a duration before now ("9h"), "+" and one after it, or a date in ISO form. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "io/store.h"

typedef enum FieldKind { TEXT, WALL, SPAN, INT, INT64, BOOL, STATE, ACTION, LIFE, EVENT } FieldKind;

typedef struct Field {
    const char *name;
    FieldKind kind;
    size_t offset;
} Field;

#define FIELD(type, name, kind, member) {name, kind, offsetof(type, member)}

static const Field target_fields[] = {
    FIELD(Target, "account", TEXT, account),   FIELD(Target, "region", TEXT, region),
    FIELD(Target, "table", TEXT, table),       FIELD(Target, "table_id", TEXT, table_id),
    FIELD(Target, "table_arn", TEXT, table_arn), FIELD(Target, "described", WALL, described_wall),
    {},
};
static const Field enrolment_fields[] = {
    FIELD(Enrolment, "schedule", TEXT, schedule_name), FIELD(Enrolment, "active", BOOL, active),
    FIELD(Enrolment, "when", TEXT, when),              FIELD(Enrolment, "max_age", SPAN, max_age_usec),
    FIELD(Enrolment, "first_seen", WALL, first_seen_wall), FIELD(Enrolment, "cursor", WALL, cursor_wall),
    FIELD(Enrolment, "newest", WALL, newest_wall),     FIELD(Enrolment, "stale", WALL, stale_wall),
    {},
};
static const Field run_fields[] = {
    FIELD(Run, "id", INT64, id),
    FIELD(Run, "state", STATE, state),
    FIELD(Run, "action", ACTION, action),
    FIELD(Run, "schedule", TEXT, schedule),
    FIELD(Run, "account", TEXT, account),
    FIELD(Run, "region", TEXT, region),
    FIELD(Run, "table", TEXT, table),
    FIELD(Run, "slot", WALL, slot_wall),
    FIELD(Run, "due", WALL, due_wall),
    FIELD(Run, "start_by", WALL, start_by_wall),
    FIELD(Run, "warn_at", WALL, warn_at_wall),
    FIELD(Run, "finish_by", WALL, finish_by_wall),
    FIELD(Run, "name", TEXT, name),
    FIELD(Run, "table_id", TEXT, table_id),
    FIELD(Run, "table_arn", TEXT, table_arn),
    FIELD(Run, "s3_bucket", TEXT, s3.bucket),
    FIELD(Run, "s3_bucket_owner", TEXT, s3.bucket_owner),
    FIELD(Run, "s3_prefix", TEXT, s3.prefix),
    FIELD(Run, "s3_sse_algorithm", TEXT, s3.sse_algorithm),
    FIELD(Run, "s3_kms_key_id", TEXT, s3.kms_key_id),
    FIELD(Run, "s3_format", TEXT, s3.format),
    FIELD(Run, "attempt", INT, attempt),
    FIELD(Run, "intent", WALL, intent_wall),
    FIELD(Run, "first_sent", WALL, first_sent_wall),
    FIELD(Run, "sent", WALL, sent_wall),
    FIELD(Run, "n_sends", INT, n_sends),
    FIELD(Run, "n_deferred", INT, n_deferred),
    FIELD(Run, "settled", WALL, settled_wall),
    FIELD(Run, "why", TEXT, why),
    FIELD(Run, "hint", TEXT, hint),
    FIELD(Run, "request_id", TEXT, request_id),
    FIELD(Run, "warned", BOOL, warned),
    {},
};
static const Field artefact_fields[] = {
    FIELD(Artefact, "life", LIFE, life),           FIELD(Artefact, "arn", TEXT, arn),
    FIELD(Artefact, "status", TEXT, status),       FIELD(Artefact, "name", TEXT, name),
    FIELD(Artefact, "table_id", TEXT, table_id),   FIELD(Artefact, "created", WALL, created_wall),
    FIELD(Artefact, "finished", WALL, finished_wall), FIELD(Artefact, "verified", WALL, verified_wall),
    FIELD(Artefact, "size", INT64, size_bytes),    FIELD(Artefact, "items", INT64, item_count),
    FIELD(Artefact, "details", TEXT, details),     {},
};
static const Field note_fields[] = {
    FIELD(RunNote, "wall", WALL, wall),   FIELD(RunNote, "event", EVENT, event),
    FIELD(RunNote, "state", STATE, state), FIELD(RunNote, "why", TEXT, why),
    {},
};
static const Field range_fields[] = {
    FIELD(LedgerRange, "schedule", TEXT, schedule), FIELD(LedgerRange, "account", TEXT, account),
    FIELD(LedgerRange, "region", TEXT, region),     FIELD(LedgerRange, "table", TEXT, table),
    FIELD(LedgerRange, "from", WALL, from_wall),    FIELD(LedgerRange, "to", WALL, to_wall),
    FIELD(LedgerRange, "slots", INT64, n_slots),    {},
};

typedef struct Tool {
    Store *store;
    Usec now_wall;
    Targets targets; /* also of former commits */
    LedgerBatch batch;
} Tool;

static int set_wall(const Tool *tool, const char *value, Usec *to) {
    Usec span;
    if (parse_duration(value + (*value == '+'), &span) < 0)
        return date_from_iso(value, to);
    *to = tool->now_wall + (*value == '+' ? span : -span);
    return 0;
}

static int set_event(const char *value, RunEvent *to) {
    for (int i = 0; i < RUN_EVENTS; i++)
        if (strcmp(run_event_to_string((RunEvent)i), value) == 0) {
            *to = (RunEvent)i;
            return 0;
        }
    return -EINVAL;
}

static int set_field(const Tool *tool, void *object, const Field *f, const char *value) {
    void *at = (char *)object + f->offset;
    int64_t number = 0;
    int r = f->kind == INT || f->kind == INT64 || f->kind == BOOL ? parse_int(value, INT32_MIN, INT64_MAX, &number) : 0;
    if (r < 0)
        return r;
    switch (f->kind) {
    case TEXT:
        return text_set(at, value);
    case WALL:
        return set_wall(tool, value, at);
    case SPAN:
        return parse_duration(value, at);
    case INT:
        *(int *)at = (int)number;
        return 0;
    case INT64:
        *(int64_t *)at = number;
        return 0;
    case BOOL:
        *(bool *)at = number != 0;
        return 0;
    case STATE:
        return run_state_from_string(value, at);
    case ACTION:
        return action_from_string(value, at);
    case LIFE:
        return artefact_life_from_string(value, at);
    case EVENT:
        return set_event(value, at);
    }
    return -EINVAL;
}

/* Takes the fields out of the rest of a line. */
static int set_fields(const Tool *tool, void *object, const Field *fields, char *rest) {
    for (char *word; (word = strsep(&rest, "\t"));) {
        char *value = strchr(word, '=');
        const Field *f = fields;
        if (!value)
            return -EINVAL;
        *value++ = '\0';
        while (f->name && strcmp(f->name, word) != 0)
            f++;
        int r = f->name ? set_field(tool, object, f, value) : -EINVAL;
        if (r < 0) {
            fprintf(stderr, "store_tool: %s=%s: %s\n", word, value, strerror(-r));
            return r;
        }
    }
    return 0;
}

/* Targets and enrolments name their table by the fields of a target, which come first. */
static int ensure_target(Tool *tool, char **rest, Target **ret) {
    CLEANUP(target_free_ptr) Target *named = NULL;
    int r = target_new("own", "eu-central-1", "", &named);
    while (r >= 0 && *rest && (text_starts_with(*rest, "account=") || text_starts_with(*rest, "region=") ||
                               text_starts_with(*rest, "table=")))
        r = set_fields(tool, named, target_fields, strsep(rest, "\t"));
    return r < 0 ? r : targets_ensure(&tool->targets, named->account, named->region, named->table, ret);
}

static int add_target(Tool *tool, char *rest) {
    LedgerBatch *b = &tool->batch;
    Target *t;
    int r = ensure_target(tool, &rest, &t);
    if (r < 0 || (r = set_fields(tool, t, target_fields, rest)) < 0 ||
        (r = ARRAY_GROW(b->targets, b->n_targets, b->n_targets_room)) < 0)
        return r;
    b->targets[b->n_targets++] = t;
    return 0;
}

static int add_enrolment(Tool *tool, char *rest) {
    LedgerBatch *b = &tool->batch;
    Target *t;
    Enrolment *e;
    int r = ensure_target(tool, &rest, &t);
    if (r < 0 || (r = target_enrol(t, "nightly", &e)) < 0)
        return r;
    e->active = true;
    e->first_seen_wall = e->cursor_wall = tool->now_wall;
    if ((r = set_fields(tool, e, enrolment_fields, rest)) < 0 ||
        (r = ARRAY_GROW(b->enrolments, b->n_enrolments, b->n_enrolments_room)) < 0)
        return r;
    b->enrolments[b->n_enrolments++] = e;
    return 0;
}

static int add_run(Tool *tool, char *rest) {
    LedgerBatch *b = &tool->batch;
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = run_new(1, &r);
    if (rc < 0 || (rc = text_set(&r->account, "own")) < 0 || (rc = text_set(&r->region, "eu-central-1")) < 0 ||
        (rc = text_set(&r->schedule, "nightly")) < 0 || (rc = set_fields(tool, r, run_fields, rest)) < 0 ||
        (rc = ARRAY_GROW(b->runs, b->n_runs, b->n_runs_room)) < 0)
        return rc;
    if (r->due_wall == WALL_UNKNOWN)
        r->due_wall = r->slot_wall;
    b->runs[b->n_runs++] = TAKE_PTR(r);
    return 0;
}

static int add_artefact(Tool *tool, char *rest, bool failed) {
    Run *r = tool->batch.n_runs ? tool->batch.runs[tool->batch.n_runs - 1] : NULL;
    CLEANUP(artefact_free_ptr) Artefact *a = calloc(1, sizeof *a);
    if (!a || !r)
        return -EINVAL;
    *a = (Artefact){.run_id = r->id,
                    .action = r->action,
                    .created_wall = WALL_UNKNOWN,
                    .finished_wall = WALL_UNKNOWN,
                    .verified_wall = WALL_UNKNOWN,
                    .size_bytes = COUNT_UNKNOWN,
                    .item_count = COUNT_UNKNOWN};
    int rc = set_fields(tool, a, artefact_fields, rest);
    if (rc < 0)
        return rc;
    *(failed ? &r->failed_artefact : &r->artefact) = TAKE_PTR(a);
    return 0;
}

static int add_note(Tool *tool, char *rest) {
    Run *r = tool->batch.n_runs ? tool->batch.runs[tool->batch.n_runs - 1] : NULL;
    if (!r || ARRAY_GROW(r->notes, r->n_notes, r->n_notes_room) < 0)
        return -EINVAL;
    r->notes[r->n_notes] = (RunNote){.wall = tool->now_wall};
    return set_fields(tool, &r->notes[r->n_notes++], note_fields, rest);
}

static int add_range(Tool *tool, char *rest) {
    LedgerBatch *b = &tool->batch;
    if (ARRAY_GROW(b->ranges, b->n_ranges, b->n_ranges_room) < 0)
        return -ENOMEM;
    LedgerRange *range = &b->ranges[b->n_ranges++];
    *range = (LedgerRange){.why = "superseded by a newer slot"};
    if (text_set(&range->account, "own") < 0 || text_set(&range->region, "eu-central-1") < 0)
        return -ENOMEM;
    return set_fields(tool, range, range_fields, rest);
}

static void clear(Tool *tool) {
    for (size_t i = 0; i < tool->batch.n_runs; i++)
        run_free(tool->batch.runs[i]);
    ledger_batch_clear(&tool->batch);
}

static int commit(Tool *tool) {
    tool->batch.wall = tool->now_wall;
    int r = store_commit(tool->store, &tool->batch);
    if (r < 0)
        fprintf(stderr, "store_tool: %s\n", store_error(tool->store));
    clear(tool);
    return r;
}

static int do_line(Tool *tool, char *rest) {
    const char *word = strsep(&rest, "\t");
    if (strcmp(word, "target") == 0)
        return add_target(tool, rest);
    if (strcmp(word, "enrolment") == 0)
        return add_enrolment(tool, rest);
    if (strcmp(word, "run") == 0)
        return add_run(tool, rest);
    if (strcmp(word, "artefact") == 0 || strcmp(word, "failed") == 0)
        return add_artefact(tool, rest, *word == 'f');
    if (strcmp(word, "note") == 0)
        return add_note(tool, rest);
    if (strcmp(word, "range") == 0)
        return add_range(tool, rest);
    if (strcmp(word, "commit") == 0)
        return commit(tool);
    if (strcmp(word, "wait") != 0)
        return -EINVAL;
    puts("ready");
    return fflush(stdout) == 0 ? 0 : -errno;
}

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Tool tool = {.now_wall = now.tv_sec * USEC_PER_SEC};
    AUTO_FREE char *error = NULL, *line = NULL;
    size_t size = 0;
    umask(0027);
    int r = argc == 2 ? store_open(argv[1], &tool.store, &error) : -EINVAL;
    if (r < 0) {
        fprintf(stderr, "store_tool: %s\n", error ? error : strerror(-r));
        return 1;
    }
    for (ssize_t n; r >= 0 && (n = getline(&line, &size, stdin)) > 0;) {
        line[strcspn(line, "\n")] = '\0';
        if ((r = do_line(&tool, line)) < 0)
            fprintf(stderr, "store_tool: %s: %s\n", line, strerror(-r));
    }
    clear(&tool);
    ledger_batch_done(&tool.batch);
    targets_done(&tool.targets);
    store_close(tool.store);
    return r < 0;
}
