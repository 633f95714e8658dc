#include "book.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "chains.h"
#include "core/run/trust.h"
#include "core/table/freshness.h"
#include "house.h"
#include "pace.h"
#include "reader.h"

/* How late anything may be noticed: a fresh start waits for the time, and the book is walked once an hour. */
#define SLACK_USEC (TRUST_PATIENCE_USEC + USEC_PER_MINUTE)
/* At a start, older slots are not compared again. */
#define COMPARED_USEC (3 * USEC_PER_DAY)
#define WALK_USEC USEC_PER_HOUR

/* One slot; the key is "schedule table slot". */
typedef struct SlotLine {
    char *key;
    Usec slot_wall, finish_by_wall;
    RunState state;
    bool known;    /* committed */
    bool lost;     /* it had settled in a ledger that was lost */
    bool doubtful; /* or maybe not */
    bool found;    /* in the ledger, while that is read */
    const char *name;   /* borrowed from its line; the last one */
    int n_made, n_void; /* artefacts that the service made for it; those that it says failed, or of another table */
} SlotLine;

/* One name or token that a request may carry. */
typedef struct NameLine {
    char *name;
    SlotLine *slot;
    char *arn;      /* of what was made; NULL: nothing, or its reply was garbled */
    bool requested; /* a commit has said that it leaves */
} NameLine;

/* While an enrolment was active with one calendar, every slot has an outcome. */
typedef struct Wanted {
    Usec from_wall, to_wall;
} Wanted;

/* One enrolment; the key is "schedule table". */
typedef struct EnrolLine {
    char *key;
    char *when; /* its calendar */
    Wanted *wanted;
    size_t n_wanted, n_wanted_room;
    Usec judged_wall; /* since when its age is watched like this */
    Usec max_age_usec, since_wall; /* of the newest verified artefact, or of the first sight */
    Usec said_wall;                /* stale, last; WALL_UNKNOWN: since it recovered */
    Usec cursor_wall;
    bool active, known, doubtful, found; /* as of a slot's line */
} EnrolLine;

typedef struct RangeLine {
    char *schedule, *table;
    Usec from_wall, to_wall;
    bool found, lost;
} RangeLine;

struct Book {
    House *house;
    HouseFigures figures;
    Usec begun_wall, booted_wall, since_wall, next_walk_wall, true_wall;
    void *slots, *names, *enrols; /* search trees */
    RangeLine *ranges;
    size_t n_ranges, n_ranges_room;
    size_t n_unsaid; /* runs that were settled and have not been spoken of */
    Pace *pace;
    Shelf *shelf;
    ChainBook *chains;
    bool doubted; /* some commit was: the chains are not compared any more */
    char *last_said[REPORT_KINDS];
    const char *undelayed; /* pattern; NULL: none */
};

/* --- lines --- */

static const char *label_of(const char *account, const char *region, const char *table,
                            char buffer[static TARGET_LABEL_SIZE]) {
    bool own = strcmp(account, ACCOUNT_OWN) == 0;
    snprintf(buffer, TARGET_LABEL_SIZE, "%s%s%s%s%s", own ? "" : account, own ? "" : "/", own ? "" : region,
             own ? "" : "/", table);
    return buffer;
}

static const char *label_of_run(const Run *r, char buffer[static TARGET_LABEL_SIZE]) {
    return label_of(r->account, r->region, r->table, buffer);
}

static const char *label_of_target(const Target *t, char buffer[static TARGET_LABEL_SIZE]) {
    return label_of(t->account, t->region, t->table, buffer);
}

static int by_first_string(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void *line_of(void **tree, const char *key, size_t size, bool make) {
    void *found = tfind(&key, tree, by_first_string);
    if (found || !make)
        return found ? *(void **)found : NULL;
    char **line = calloc(1, size);
    if (!line || !(*line = strdup(key)) || !tsearch(line, tree, by_first_string))
        abort();
    return line;
}

static void line_free(void *line) {
    free(*(char **)line);
    free(line);
}

static void enrol_free(void *line) {
    free(((EnrolLine *)line)->when);
    free(((EnrolLine *)line)->wanted);
    line_free(line);
}

static void name_free(void *line) {
    free(((NameLine *)line)->arn);
    line_free(line);
}

static SlotLine *slot_line(const Book *b, const char *schedule, const char *table, Usec slot, bool make) {
    char key[1024], iso[DATE_ISO_SIZE];
    snprintf(key, sizeof key, "%s %s %s", schedule, table, date_to_iso(slot, iso));
    SlotLine *line = line_of(&((Book *)b)->slots, key, sizeof(SlotLine), make);
    if (line)
        line->slot_wall = slot;
    return line;
}

static EnrolLine *enrol_line(Book *b, const char *schedule, const char *table, bool make) {
    char key[1024];
    snprintf(key, sizeof key, "%s %s", schedule, table);
    bool is_new = !line_of(&b->enrols, key, sizeof(EnrolLine), false);
    EnrolLine *line = is_new && !make ? NULL : line_of(&b->enrols, key, sizeof(EnrolLine), true);
    if (is_new && line)
        line->since_wall = line->said_wall = WALL_UNKNOWN;
    return line;
}

Book *book_new(House *house, Usec begun_wall) {
    Book *b = calloc(1, sizeof *b);
    if (!b)
        abort();
    b->house = house;
    b->begun_wall = begun_wall;
    b->pace = pace_new();
    b->shelf = shelf_new(house);
    b->chains = chain_book_new(house);
    return b;
}

void book_free(Book *b) {
    tdestroy(b->slots, line_free);
    tdestroy(b->names, name_free);
    tdestroy(b->enrols, enrol_free);
    for (size_t i = 0; i < b->n_ranges; i++) {
        free(b->ranges[i].schedule);
        free(b->ranges[i].table);
    }
    free(b->ranges);
    pace_free(b->pace);
    shelf_free(b->shelf);
    chain_book_free(b->chains);
    for (int i = 0; i < REPORT_KINDS; i++)
        free(b->last_said[i]);
    free(b);
}

HouseFigures *book_figures(Book *b) { return &b->figures; }
Shelf *book_shelf(Book *b) { return b->shelf; }

int book_state(const Book *b, const char *schedule, const char *table, Usec slot_wall) {
    const SlotLine *line = slot_line(b, schedule, table, slot_wall, false);
    return line && line->known ? (int)line->state : -1;
}

const char *book_name(const Book *b, const char *schedule, const char *table, Usec slot_wall) {
    const SlotLine *line = slot_line(b, schedule, table, slot_wall, false);
    return line ? line->name : NULL;
}

const char *book_last_said(const Book *b, ReportKind kind) { return b->last_said[kind] ? b->last_said[kind] : ""; }

/* --- commits --- */

/* Slots that were due before the first start, or that are not due yet, have no run. */
static void check_slot(const Book *b, const SlotLine *line) {
    if (line->slot_wall <= b->begun_wall)
        house_violated(b->house, "%s was due before the first start", line->key);
    if (line->slot_wall > b->true_wall + TRUST_SLACK_USEC)
        house_violated(b->house, "%s began by a clock that is wrong: it is not due yet", line->key);
}

static void take_success(Book *b, const Run *r, const SlotLine *line) {
    if (r->action == ACTION_INCREMENTAL)
        return chain_book_check_covered(b->chains, r);
    if (!r->artefact || r->artefact->life != ARTEFACT_VERIFIED)
        house_violated(b->house, "%s succeeded without a verified artefact", line->key);
    const NameLine *name = line_of(&b->names, r->name, sizeof(NameLine), true);
    if (name->arn && !text_equal(name->arn, r->artefact->arn))
        house_violated(b->house, "%s succeeded with %s, and %s was made for it", line->key, r->artefact->arn,
                       name->arn);
    if (!text_equal(r->artefact->table_id, r->table_id))
        house_violated(b->house, "%s succeeded with an artefact of another table than it was meant for", line->key);
}

/* Whatever became of the run: a backup that was finished after the hard deadline is one. */
static void take_artefact(Book *b, const char *schedule, const char *table, Usec created_wall) {
    EnrolLine *line = enrol_line(b, schedule, table, true);
    line->since_wall = usec_max(line->since_wall, created_wall);
}

static void count_outcome(Book *b, RunState state) {
    b->figures.n_succeeded += state == RUN_SUCCEEDED;
    b->figures.n_failed += state == RUN_FAILED;
    b->figures.n_skipped += state == RUN_SKIPPED;
}

void book_hold_undelayed(Book *b, const char *pattern) { b->undelayed = pattern; }

static void check_delay(const Book *b, const Run *r, const char *table) {
    if (b->undelayed && glob_match(b->undelayed, table) &&
        (r->state != RUN_SUCCEEDED || r->settled_wall > r->due_wall + 2 * USEC_PER_MINUTE))
        house_violated(b->house, "%s/%s is %s %" PRId64 " s after it was due: others delay it", table, r->schedule,
                       run_state_to_string(r->state), (r->settled_wall - r->due_wall) / USEC_PER_SEC);
}

static void take_run(Book *b, const Run *r) {
    char label[TARGET_LABEL_SIZE];
    const char *table = label_of_run(r, label);
    SlotLine *line = slot_line(b, r->schedule, table, r->slot_wall, true);
    bool was_settled = line->known && line->state >= RUN_SUCCEEDED;
    if (was_settled && line->state != r->state)
        house_violated(b->house, "%s was %s and is %s: a settled run changed", line->key,
                       run_state_to_string(line->state), run_state_to_string(r->state));
    if (!line->known)
        check_slot(b, line);
    line->known = true;
    line->lost = false;
    line->state = r->state;
    line->finish_by_wall = r->finish_by_wall;
    if (!was_settled && run_is_settled(r)) {
        b->n_unsaid++;
        count_outcome(b, r->state);
        check_delay(b, r, table);
        if (r->state == RUN_SUCCEEDED)
            take_success(b, r, line);
        else if (!r->why)
            house_violated(b->house, "%s is %s without a reason", line->key, run_state_to_string(r->state));
    }
    line->n_void += r->failed_artefact != NULL;
    if (r->artefact && r->artefact->life == ARTEFACT_VERIFIED)
        take_artefact(b, r->schedule, table, r->artefact->created_wall);
    if (!r->name)
        return;
    NameLine *name = line_of(&b->names, r->name, sizeof(NameLine), true);
    if (name->slot && name->slot != line)
        house_violated(b->house, "%s and %s share the name %s", line->key, name->slot->key, r->name);
    name->slot = line;
    line->name = name->name;
    name->requested |= r->state == RUN_REQUESTED || r->state == RUN_UNCERTAIN;
}

static void take_range(Book *b, const char *schedule, const char *table, Usec from_wall, Usec to_wall) {
    if (from_wall <= b->begun_wall)
        house_violated(b->house, "%s/%s: a range begins before the first start", table, schedule);
    if (b->n_ranges == b->n_ranges_room) {
        b->n_ranges_room = b->n_ranges_room * 2 + 16;
        b->ranges = realloc(b->ranges, b->n_ranges_room * sizeof *b->ranges);
        if (!b->ranges)
            abort();
    }
    b->ranges[b->n_ranges++] = (RangeLine){
        .schedule = strdup(schedule), .table = strdup(table), .from_wall = from_wall, .to_wall = to_wall};
}

/* A link has a name of its own, and makes one export at most. Its chain may have another number in another ledger. */
static void take_link(Book *b, const Run *r) {
    char key[1024], label[TARGET_LABEL_SIZE];
    snprintf(key, sizeof key, "link of %s/%s: from %" PRId64 " attempt %d, %s", label_of_run(r, label), r->schedule,
             r->from_wall / USEC_PER_SEC, r->attempt, r->name);
    SlotLine *line = line_of(&b->slots, key, sizeof(SlotLine), true);
    NameLine *name = line_of(&b->names, r->name, sizeof(NameLine), true);
    if (name->slot && name->slot != line)
        house_violated(b->house, "%s and %s share the name %s", line->key, name->slot->key, r->name);
    name->slot = line;
    name->requested |= r->state == RUN_REQUESTED || r->state == RUN_UNCERTAIN;
    if (r->state == RUN_SUCCEEDED && name->arn && !text_equal(name->arn, r->artefact->arn))
        house_violated(b->house, "%s succeeded with %s, and %s was made for it", line->key, r->artefact->arn,
                       name->arn);
}

static void take_chains(Book *b, const LedgerBatch *batch) {
    char label[TARGET_LABEL_SIZE];
    for (size_t i = 0; i < batch->n_links; i++)
        take_link(b, batch->links[i]);
    chain_book_committed(b->chains, batch);
    for (size_t i = 0; i < batch->n_chains; i++) {
        const Chain *c = batch->chains[i];
        take_artefact(b, c->schedule, label_of(c->account, c->region, c->table, label),
                      chain_book_watermark(b->chains, c->schedule, c->table));
    }
    for (size_t i = 0; i < batch->n_enrolments; i++) {
        const Enrolment *n = batch->enrolments[i];
        char newest[DATE_ISO_SIZE], chained[DATE_ISO_SIZE];
        if (!n->lineage)
            continue;
        Usec watermark = chain_book_watermark(b->chains, n->schedule_name, n->target->table);
        if (n->newest_wall > watermark)
            house_violated(b->house, "%s/%s calls itself fresher than its chains are: %s, not %s", n->target->table,
                           n->schedule_name, date_to_iso(n->newest_wall, newest), date_to_iso(watermark, chained));
    }
}

static void want_from(EnrolLine *line, Usec from_wall) {
    if (ARRAY_GROW(line->wanted, line->n_wanted, line->n_wanted_room) < 0)
        abort();
    line->wanted[line->n_wanted++] = (Wanted){from_wall, USEC_INFINITY};
}

static void take_wanted(EnrolLine *line, const Enrolment *n) {
    bool is_other = !text_equal(line->when, n->when);
    if (is_other && text_set(&line->when, n->when) < 0)
        abort();
    if (is_other)
        line->n_wanted = 0;
    if (n->active && (is_other || !line->active))
        want_from(line, n->cursor_wall);
    if (!n->active && line->active && line->n_wanted > 0)
        line->wanted[line->n_wanted - 1].to_wall = n->cursor_wall;
}

void book_committed(Book *b, const LedgerBatch *batch, Usec true_wall) {
    char label[TARGET_LABEL_SIZE];
    b->true_wall = true_wall;
    take_chains(b, batch);
    b->figures.n_commits += !ledger_batch_is_empty(batch);
    shelf_committed(b->shelf, batch);
    for (size_t i = 0; i < batch->n_enrolments; i++) {
        const Enrolment *n = batch->enrolments[i];
        EnrolLine *line = enrol_line(b, n->schedule_name, label_of_target(n->target, label), true);
        line->known = true;
        take_wanted(line, n);
        if (line->active != n->active || line->max_age_usec != n->max_age_usec)
            line->judged_wall = true_wall;
        line->active = n->active;
        line->cursor_wall = n->cursor_wall;
        line->max_age_usec = n->max_age_usec;
        if (line->since_wall == WALL_UNKNOWN)
            line->since_wall = true_wall;
    }
    for (size_t i = 0; i < batch->n_runs; i++)
        take_run(b, batch->runs[i]);
    for (size_t i = 0; i < batch->n_ranges; i++) {
        const LedgerRange *range = &batch->ranges[i];
        take_range(b, range->schedule, label_of(range->account, range->region, range->table, label), range->from_wall,
                   range->to_wall);
    }
}

void book_doubted(Book *b, const LedgerBatch *batch) {
    char label[TARGET_LABEL_SIZE];
    shelf_doubted(b->shelf, batch);
    b->doubted = true;
    for (size_t i = 0; i < batch->n_runs; i++) {
        const Run *r = batch->runs[i];
        slot_line(b, r->schedule, label_of_run(r, label), r->slot_wall, true)->doubtful = true;
    }
    for (size_t i = 0; i < batch->n_enrolments; i++) {
        const Enrolment *n = batch->enrolments[i];
        enrol_line(b, n->schedule_name, label_of_target(n->target, label), true)->doubtful = true;
    }
}

/* --- the ledger against the book --- */

static void lose_slot(const void *node, VISIT visit, int depth) {
    SlotLine *line = *(SlotLine *const *)node;
    if ((visit != preorder && visit != leaf) || !line->known)
        return;
    line->lost = line->state >= RUN_SUCCEEDED;
    line->known = line->doubtful = false;
    if (!line->lost)
        line->state = RUN_DUE;
}

static void lose_enrolment(const void *node, VISIT visit, int depth) {
    EnrolLine *line = *(EnrolLine *const *)node;
    if (visit == preorder || visit == leaf)
        line->known = line->doubtful = false;
}

void book_lost(Book *b) {
    twalk(b->slots, lose_slot);
    twalk(b->enrols, lose_enrolment);
    for (size_t i = 0; i < b->n_ranges; i++)
        b->ranges[i].lost = true;
    b->n_unsaid = 0;
    chain_book_lost(b->chains);
}

static void compare_run(void *context, const ReaderRun *run) {
    Book *b = context;
    SlotLine *line = slot_line(b, run->schedule, run->table, run->slot_wall, false);
    if (!line)
        house_violated(b->house, "the ledger holds %s/%s, which nobody committed", run->table, run->schedule);
    line->found = true;
    if (line->doubtful) {
        if (!line->known || line->state < RUN_SUCCEEDED)
            count_outcome(b, run->state);
        line->known = true;
        line->state = run->state;
        line->finish_by_wall = line->finish_by_wall ? line->finish_by_wall : USEC_INFINITY;
        take_artefact(b, run->schedule, run->table, run->created_wall);
        NameLine *name = run->handle ? line_of(&b->names, run->handle, sizeof(NameLine), true) : NULL;
        if (name) {
            name->slot = line;
            name->requested |= run->state == RUN_REQUESTED || run->state == RUN_UNCERTAIN;
        }
    }
    line->doubtful = false;
    if (line->state != run->state)
        house_violated(b->house, "%s was committed as %s, and the ledger says %s", line->key,
                       run_state_to_string(line->state), run_state_to_string(run->state));
}

static void compare_enrolment(void *context, const ReaderEnrolment *enrolment) {
    Book *b = context;
    EnrolLine *line = enrol_line(b, enrolment->schedule, enrolment->table, false);
    if (!line)
        house_violated(b->house, "the ledger holds %s/%s, which nobody committed", enrolment->table,
                       enrolment->schedule);
    line->known = line->found = true;
    if (line->doubtful) {
        line->cursor_wall = enrolment->cursor_wall;
        line->n_wanted = 0;
        line->active = enrolment->active;
        line->judged_wall = b->true_wall;
    }
    if (line->doubtful && line->active)
        want_from(line, line->cursor_wall);
    if (line->cursor_wall != enrolment->cursor_wall)
        house_violated(b->house, "%s: the ledger has lost how far it had come", line->key);
}

static void compare_range(void *context, const ReaderRange *range) {
    Book *b = context;
    for (size_t i = 0; i < b->n_ranges; i++) {
        RangeLine *line = &b->ranges[i];
        if (line->from_wall == range->from_wall && line->to_wall == range->to_wall && !line->found && !line->lost &&
            strcmp(line->schedule, range->schedule) == 0 && strcmp(line->table, range->table) == 0) {
            line->found = true;
            return;
        }
    }
    take_range(b, range->schedule, range->table, range->from_wall, range->to_wall);
    b->ranges[b->n_ranges - 1].found = true;
}

static void take_flaw(void *context, const char *what) { house_violated(((Book *)context)->house, "%s", what); }

static Book *walked; /* twalk takes no context */

static void check_found(const void *node, VISIT visit, int depth) {
    SlotLine *line = *(SlotLine *const *)node;
    if (visit != preorder && visit != leaf)
        return;
    bool compared = line->state < RUN_SUCCEEDED || line->slot_wall >= walked->since_wall;
    if (line->known && !line->found && compared)
        house_violated(walked->house, "%s was committed, and the ledger has lost it", line->key);
    line->found = line->doubtful = false;
}

static void check_enrolled(const void *node, VISIT visit, int depth) {
    EnrolLine *line = *(EnrolLine *const *)node;
    if (visit != preorder && visit != leaf)
        return;
    if (line->known && !line->found)
        house_violated(walked->house, "%s was enrolled, and the ledger has lost it", line->key);
    line->found = line->doubtful = false;
}

static void compare_ledger(Book *b, const char *directory, Usec since_wall) {
    b->since_wall = since_wall;
    if (!b->doubted)
        chain_book_compare(b->chains, directory);
    reader_read(directory, since_wall, &(ReaderRows){.context = b,
                                         .run = compare_run,
                                         .enrolment = compare_enrolment,
                                         .range = compare_range,
                                         .flaw = take_flaw});
    walked = b;
    twalk(b->slots, check_found);
    twalk(b->enrols, check_enrolled);
    for (size_t i = 0; i < b->n_ranges; i++) {
        if (!b->ranges[i].found && !b->ranges[i].lost)
            house_violated(b->house, "%s/%s: the ledger has lost a range", b->ranges[i].table, b->ranges[i].schedule);
        b->ranges[i].found = false;
    }
}

void book_booted(Book *b, const char *directory, Usec true_wall) {
    b->booted_wall = b->true_wall = true_wall;
    b->n_unsaid = 0;
    compare_ledger(b, directory, true_wall - COMPARED_USEC);
}

/* --- requests --- */

void book_sent(Book *b, const HttpRequest *request, Usec true_wall) {
    const char *target = http_headers_get(&request->headers, "X-Amz-Target");
    const char *operation = target ? strchr(target, '.') : NULL;
    if (!target && strstr(request->url, ".s3.")) /* has no rate that it must keep to */
        return;
    if (!operation)
        house_violated(b->house, "a request without an operation left");
    int per_second = pace_take(b->pace, request->url, operation + 1, true_wall);
    if (per_second > 0)
        house_violated(b->house, "more than %d calls of %s within a second", per_second, operation + 1);
}

static char *member(const char *json, size_t len, const char *outer, const char *name) {
    cJSON *body = cJSON_ParseWithLength(json, len);
    const cJSON *in = outer ? cJSON_GetObjectItemCaseSensitive(body, outer) : body;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, name);
    char *value = cJSON_IsString(item) ? strdup(item->valuestring) : NULL;
    cJSON_Delete(body);
    return value;
}

/* What the service did must follow from what was in the ledger. */
void book_served(Book *b, const ServiceRequest *request, const ServiceReply *reply) {
    b->figures.n_calls++;
    chain_book_served(b->chains, request, reply);
    b->figures.n_lists += strcmp(reply->operation, "ListBackups") == 0;
    b->figures.n_describes += strcmp(reply->operation, "DescribeBackup") == 0;
    b->figures.n_table_describes += strcmp(reply->operation, "DescribeTable") == 0;
    b->figures.n_tag_reads += strcmp(reply->operation, "ListTagsOfResource") == 0;
    b->figures.n_throttled += strcmp(reply->code, "ThrottlingException") == 0 && !reply->fault[0];
    if (strcmp(reply->operation, "DeleteBackup") == 0)
        shelf_served(b->shelf, request, reply, b->true_wall);
    bool backup = strcmp(reply->operation, "CreateBackup") == 0;
    if (!backup && strcmp(reply->operation, "ExportTableToPointInTime") != 0)
        return;
    AUTO_FREE char *name = member(request->body, request->body_len, NULL, backup ? "BackupName" : "ClientToken");
    NameLine *line = name ? line_of(&b->names, name, sizeof(NameLine), false) : NULL;
    if (!line || !line->requested)
        house_violated(b->house, "%s of %s arrived before its intent was in the ledger", reply->operation,
                       name ? name : "no name");
    if (!reply->effect)
        return;
    b->figures.n_backups += backup;
    b->figures.n_exports += !backup;
    SlotLine *slot = line->slot;
    if (++slot->n_made - slot->n_void > 1)
        house_violated(b->house, "%s was made twice", slot->key);
    free(line->arn);
    line->arn = backup ? member(text_get(&reply->body), reply->body.len, "BackupDetails", "BackupArn")
                       : member(text_get(&reply->body), reply->body.len, "ExportDescription", "ExportArn");
}

/* --- what is said --- */

void book_said(Book *b, const Report *r, Usec true_wall) {
    b->figures.n_said[r->kind]++;
    b->figures.n_stale_said += r->kind == REPORT_STALE;
    b->figures.n_recovered_said += r->kind == REPORT_RECOVERED;
    if (b->n_unsaid > 0 && (r->kind == REPORT_SUCCEEDED || r->kind == REPORT_FAILED || r->kind == REPORT_SKIPPED))
        b->n_unsaid--;
    (void)text_set(&b->last_said[r->kind], r->message);
    if (r->kind != REPORT_STALE && r->kind != REPORT_RECOVERED)
        return;
    EnrolLine *line = enrol_line(b, r->schedule, r->target, true);
    if (r->kind == REPORT_RECOVERED && line->said_wall == WALL_UNKNOWN && b->figures.n_crashes == 0)
        house_violated(b->house, "%s recovered without having been stale", line->key);
    line->said_wall = r->kind == REPORT_STALE ? true_wall : WALL_UNKNOWN;
}

/* --- what takes a walk through the book, once an hour --- */

static void walk_slot(const void *node, VISIT visit, int depth) {
    const SlotLine *line = *(SlotLine *const *)node;
    if ((visit == preorder || visit == leaf) && line->known && line->state < RUN_SUCCEEDED &&
        walked->true_wall > usec_add(line->finish_by_wall, SLACK_USEC))
        house_violated(walked->house, "%s is still %s past its hard deadline", line->key,
                       run_state_to_string(line->state));
}

static void walk_enrol(const void *node, VISIT visit, int depth) {
    const EnrolLine *line = *(EnrolLine *const *)node;
    if ((visit != preorder && visit != leaf) || !line->active || line->max_age_usec <= 0)
        return;
    Usec begun_wall = usec_max(walked->booted_wall, line->judged_wall);
    Usec stale_wall = usec_max(line->since_wall + line->max_age_usec, begun_wall) + SLACK_USEC;
    Usec due_wall = stale_wall;
    if (line->said_wall != WALL_UNKNOWN)
        due_wall = usec_max(line->said_wall + FRESHNESS_REPEAT_USEC, begun_wall) + SLACK_USEC;
    /* a report can die with its process: then the next one, a day later, is what people see */
    if (walked->figures.n_crashes > 0)
        due_wall += FRESHNESS_REPEAT_USEC;
    if (walked->true_wall > stale_wall && walked->true_wall > due_wall)
        house_violated(walked->house, "%s is stale, and nobody says so", line->key);
}

void book_turned(Book *b, const Engine *e, Usec true_wall) {
    b->true_wall = true_wall;
    if (b->n_unsaid > 0)
        house_violated(b->house, "a run was settled, and nobody says so");
    if (true_wall < usec_max(b->next_walk_wall, b->booted_wall + SLACK_USEC))
        return;
    b->next_walk_wall = true_wall + WALK_USEC;
    walked = b;
    twalk(b->slots, walk_slot);
    twalk(b->enrols, walk_enrol);
}

/* --- the audit --- */

static bool in_a_range(const Book *b, const Enrolment *n, const char *table, Usec slot) {
    for (size_t i = 0; i < b->n_ranges; i++)
        if (strcmp(b->ranges[i].schedule, n->schedule_name) == 0 && strcmp(b->ranges[i].table, table) == 0 &&
            slot >= b->ranges[i].from_wall && slot <= b->ranges[i].to_wall)
            return true;
    return false;
}

static void count_slot(const void *node, VISIT visit, int depth) {
    if ((visit == preorder || visit == leaf) && (*(SlotLine *const *)node)->known)
        walked->figures.n_runs++;
}

static bool was_wanted(const EnrolLine *line, Usec slot) {
    for (size_t i = 0; line && i < line->n_wanted; i++)
        if (slot > line->wanted[i].from_wall && slot <= line->wanted[i].to_wall)
            return true;
    return false;
}

static void audit_enrolment(Book *b, const Enrolment *n, Usec until_wall) {
    Usec slot = n->first_seen_wall;
    char iso[DATE_ISO_SIZE], label[TARGET_LABEL_SIZE];
    const char *table = label_of_target(n->target, label);
    const EnrolLine *enrolled = enrol_line(b, n->schedule_name, table, false);
    while (n->schedule && calendar_next(n->schedule->when, n->schedule->zone, slot, &slot) >= 0 && slot <= until_wall) {
        const SlotLine *line = slot_line(b, n->schedule_name, table, slot, false);
        bool has_range = in_a_range(b, n, table, slot);
        bool has_run = line && (line->known || (line->lost && !has_range));
        if (!has_run && !has_range && was_wanted(enrolled, slot))
            house_violated(b->house, "%s/%s: slot %s was missed", table, n->schedule_name,
                           date_to_iso(slot, iso));
        if (has_run && has_range)
            house_violated(b->house, "%s has a run and lies in a range", line->key);
        if (has_run && line->state < RUN_SUCCEEDED)
            house_violated(b->house, "%s is still %s", line->key, run_state_to_string(line->state));
    }
}

size_t book_audit(Book *b, const Engine *e, const char *directory, Usec until_wall) {
    const Targets *targets = engine_targets(e);
    compare_ledger(b, directory, 0);
    for (size_t i = 0; i < targets->n_items; i++)
        for (size_t j = 0; j < targets->items[i]->n_enrolments; j++)
            audit_enrolment(b, targets->items[i]->enrolments[j], until_wall);
    walked = b;
    b->figures.n_runs = 0;
    twalk(b->slots, count_slot);
    b->figures.n_ranges = b->n_ranges;
    return b->figures.n_succeeded;
}

struct ChainBook *book_chains(Book *b) { return b->chains; }
