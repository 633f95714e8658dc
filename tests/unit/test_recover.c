/* What the service shows, as runs. */

#include "core/run/recover.h"

#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/slot.h"

#include "unit.h"

#define ID "11111111-2222-3333-4444-555555555555"
#define OTHER_ID "99999999-2222-3333-4444-555555555555"
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define NOW "2026-11-25T12:00:00Z"

static Usec at(const char *iso) {
    Usec wall = 0;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

/* A described table in two schedules, as the configuration would have it. */
typedef struct Bench {
    Zone *zone;
    Calendar *when;
    Target *target;
    ScheduleConf nightly, full;
    Now now;
    Run *runs[8];
    size_t n_runs;
} Bench;

static void bench_done(Bench *b) {
    for (size_t i = 0; i < b->n_runs; i++)
        run_free(b->runs[i]);
    target_free(b->target);
    calendar_free(b->when);
    zone_free(b->zone);
}

static Enrolment *enrol(Bench *b, const ScheduleConf *s) {
    Enrolment *e;
    assert_int_equal(target_enrol(b->target, s->name, &e), 0);
    e->schedule = s;
    e->active = true;
    e->first_seen_wall = e->cursor_wall = b->now.wall;
    return e;
}

static void bench_init(Bench *b, const char *when) {
    CalendarError error;
    TableInfo info = {.name = "orders", .arn = TABLE_ARN, .id = ID, .status = "ACTIVE"};
    *b = (Bench){.now = {.wall = at(NOW), .mono = USEC_PER_HOUR}};
    assert_int_equal(zone_utc(&b->zone), 0);
    assert_int_equal(calendar_parse(when, &b->when, &error), 0);
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &b->target), 0);
    assert_int_equal(target_describe(b->target, &info, b->now.wall), 0);
    b->nightly = (ScheduleConf){.name = "nightly",
                                .action = ACTION_BACKUP,
                                .when = b->when,
                                .zone = b->zone,
                                .spread_usec = USEC_PER_HOUR,
                                .start_within_usec = 6 * USEC_PER_HOUR,
                                .warn_after_usec = 4 * USEC_PER_HOUR,
                                .finish_within_usec = USEC_PER_DAY};
    b->full = b->nightly;
    b->full.name = "full";
    b->full.action = ACTION_EXPORT;
    b->full.s3 = (S3Conf){.bucket = "acme-%{account}", .prefix = "%{table}"};
    enrol(b, &b->nightly);
    enrol(b, &b->full);
}

static Run *keep(Bench *b, Run *r) {
    if (r)
        b->runs[b->n_runs++] = r;
    return r;
}

/* --- backups --- */

static BackupInfo backup_of(const char *name, BackupStatus status, const char *id, const char *created) {
    return (BackupInfo){.arn = TABLE_ARN "/backup/01795399201000-d1e2f3a4",
                        .name = name,
                        .status = status,
                        .status_text = status == BACKUP_AVAILABLE ? "AVAILABLE" : "CREATING",
                        .size_bytes = 7,
                        .created_wall = at(created),
                        .expires_wall = WALL_UNKNOWN,
                        .table_id = id,
                        .table_size_bytes = COUNT_UNKNOWN,
                        .item_count = COUNT_UNKNOWN,
                        .table_created_wall = WALL_UNKNOWN};
}

static char *name_of(const char *schedule, const char *slot) {
    char *name = NULL;
    assert_int_equal(backup_name("acme", "111111111111", "eu-central-1", "orders", schedule, at(slot), &name), 0);
    return name;
}

static Run *recover(Bench *b, const BackupInfo *info, Recovered expected) {
    char schedule[RECOVER_SCHEDULE_SIZE];
    Run *run = NULL;
    Recovered what;
    assert_int_equal(recover_backup("acme", b->target, info, b->now, &what, schedule, &run), 0);
    assert_int_equal(what, expected);
    assert_int_equal(run != NULL, expected == RECOVERED_RUN);
    return keep(b, run);
}

static Run *recover_named(Bench *b, const char *slot, BackupStatus status, const char *id, const char *created) {
    AUTO_FREE char *name = name_of("nightly", slot);
    BackupInfo info = backup_of(name, status, id, created);
    return recover(b, &info, RECOVERED_RUN);
}

static void a_backup_becomes_the_run_that_made_it(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Usec share;
    assert_int_equal(slot_share("acme", b.target->enrolments[0], &share), 0);
    assert_true(share > 0);
    Run *r = recover_named(&b, "2026-11-23T02:00:00Z", BACKUP_AVAILABLE, ID, "2026-11-23T03:30:00Z");
    assert_int_equal(r->state, RUN_SUCCEEDED);
    assert_int_equal(r->slot_wall, at("2026-11-23T02:00:00Z"));
    assert_int_equal(r->due_wall, r->slot_wall + share);
    assert_string_equal(r->name, "acme.nightly.20261123T020000Z.441d8e1c");
    assert_string_equal(r->table_id, ID);
    assert_string_equal(r->table_arn, TABLE_ARN);
    assert_int_equal(r->artefact->life, ARTEFACT_VERIFIED);
    assert_int_equal(r->artefact->created_wall, at("2026-11-23T03:30:00Z"));
    assert_int_equal(r->artefact->size_bytes, 7);
    assert_int_equal(r->first_sent_wall, at("2026-11-23T03:30:00Z"));
    assert_int_equal(r->finish_by_wall, at("2026-11-24T03:30:00Z"));
    assert_int_equal(r->settled_wall, b.now.wall);
    assert_int_equal(r->n_notes, 3);
    assert_int_equal(r->notes[0].event, RUN_EV_ADOPTED);
    assert_non_null(strstr(r->notes[0].why, "found at the service"));
}

static void what_its_state_says(void **state) {
    static const struct {
        BackupStatus status;
        const char *id;
        RunState state;
        ArtefactLife life;
    } rows[] = {
        {BACKUP_AVAILABLE, ID, RUN_SUCCEEDED, ARTEFACT_VERIFIED},
        {BACKUP_CREATING, ID, RUN_IN_PROGRESS, ARTEFACT_IN_PROGRESS},
        {BACKUP_UNKNOWN, ID, RUN_IN_PROGRESS, ARTEFACT_IN_PROGRESS},
        {BACKUP_DELETED, ID, RUN_FAILED, ARTEFACT_GONE},
        {BACKUP_AVAILABLE, OTHER_ID, RUN_FAILED, ARTEFACT_DISPROVED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b, "02:00");
        Run *r = recover_named(&b, "2026-11-23T02:00:00Z", rows[i].status, rows[i].id, "2026-11-23T03:30:00Z");
        assert_int_equal(r->state, rows[i].state);
        assert_int_equal(r->artefact->life, rows[i].life);
        assert_string_equal(r->table_id, ID);
    }
}

static void what_names_are_ours(void **state) {
    AUTO_FREE char *good = name_of("nightly", "2026-11-23T02:00:00Z"), *old = name_of("old", "2026-11-23T02:00:00Z"),
                   *full = name_of("full", "2026-11-23T02:00:00Z");
    AUTO_FREE char *longer = text_format("%sx", good), *more = text_format("%s.x", good),
                   *other = text_format("beta%s", good + 4), *prefixed = text_format("x%s", good),
                   *later = text_format("acme.nightly.20261124T020000Z%s", strrchr(good, '.')),
                   *dashed = text_format("acme.nightly.2026-11-23T02:00:00Z%s", strrchr(good, '.'));
    const struct {
        const char *name;
        Recovered what;
    } rows[] = {
        {good, RECOVERED_RUN},
        {old, RECOVERED_ORPHAN},
        {full, RECOVERED_ORPHAN}, /* that schedule makes exports now */
        {longer, RECOVERED_FOREIGN},
        {more, RECOVERED_FOREIGN},
        {other, RECOVERED_FOREIGN},
        {prefixed, RECOVERED_FOREIGN},
        {later, RECOVERED_RUN}, /* the hash is of the table and schedule */
        {dashed, RECOVERED_FOREIGN},
        {"", RECOVERED_FOREIGN},
        {"acme", RECOVERED_FOREIGN},
        {"acme.", RECOVERED_FOREIGN},
        {"acme..", RECOVERED_FOREIGN},
        {"acme.nightly.", RECOVERED_FOREIGN},
        {"acme.nightly.20261123T020000Z", RECOVERED_FOREIGN},
        {"acme.nightly.20261323T020000Z.00000000", RECOVERED_FOREIGN},
        {"acme.0123456789012345678901234567890123456789012345678901234567890123456789.20261123T020000Z.00000000",
         RECOVERED_FOREIGN},
    };
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        BackupInfo info = backup_of(rows[i].name, BACKUP_AVAILABLE, ID, "2026-11-23T03:30:00Z");
        recover(&b, &info, rows[i].what);
    }
}

/* Under its former name, by which it was made. */
static void a_former_name_is_the_schedules(void **state) {
    AUTO_FREE char *old = name_of("every-night", "2026-11-23T02:00:00Z"),
                   *older = name_of("older", "2026-11-23T02:00:00Z");
    static char *former[] = {"every-night"};
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    b.nightly.formerly = former;
    b.nightly.n_formerly = 1;
    BackupInfo info = backup_of(old, BACKUP_AVAILABLE, ID, "2026-11-23T03:30:00Z");
    const Run *r = recover(&b, &info, RECOVERED_RUN);
    assert_int_equal(r->state, RUN_SUCCEEDED);
    assert_string_equal(r->schedule, "every-night");
    assert_string_equal(r->name, old);
    info.name = older;
    recover(&b, &info, RECOVERED_ORPHAN);
}

/* --- exports --- */

static ExportInfo export_of(const char *token, ExportStatus status, const char *start) {
    return (ExportInfo){.arn = TABLE_ARN "/export/01795399201000-d1e2f3a4",
                        .status = status,
                        .status_text = "word",
                        .client_token = token,
                        .table_id = ID,
                        .s3_bucket = "as-it-was",
                        .start_wall = at(start),
                        .end_wall = WALL_UNKNOWN,
                        .export_wall = at(start) - 5 * USEC_PER_MINUTE,
                        .billed_size_bytes = COUNT_UNKNOWN,
                        .item_count = 42,
                        .from_wall = WALL_UNKNOWN,
                        .to_wall = WALL_UNKNOWN};
}

static Run *recover_exported(Bench *b, const ExportInfo *info, Recovered expected) {
    Run *run = NULL;
    Recovered what;
    assert_int_equal(recover_export("acme", b->target, info, false, b->now, &what, &run), 0);
    assert_int_equal(what, expected);
    return keep(b, run);
}

/* The export of a slot and attempt of schedule full, that began at `start`. */
static Run *recover_slot(Bench *b, const char *slot, int attempt, const char *start, ExportStatus status,
                         Recovered expected) {
    char token[EXPORT_TOKEN_SIZE];
    assert_int_equal(export_token("acme", "111111111111", ID, "full", at(slot), attempt, token), 0);
    ExportInfo info = export_of(token, status, start);
    return recover_exported(b, &info, expected);
}

static void an_export_becomes_the_run_that_made_it(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Run *r = recover_slot(&b, "2026-11-23T02:00:00Z", 1, "2026-11-23T03:30:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    assert_int_equal(r->state, RUN_SUCCEEDED);
    assert_int_equal(r->slot_wall, at("2026-11-23T02:00:00Z"));
    assert_int_equal(r->artefact->life, ARTEFACT_VERIFIED);
    assert_int_equal(r->artefact->created_wall, at("2026-11-23T03:25:00Z"));
    assert_string_equal(r->s3.bucket, "as-it-was");
    assert_string_equal(r->s3.prefix, "orders"); /* which the service did not tell */
    r = recover_slot(&b, "2026-11-25T02:00:00Z", 1, "2026-11-25T03:30:00Z", EXPORT_IN_PROGRESS, RECOVERED_RUN);
    assert_int_equal(r->state, RUN_IN_PROGRESS);
}

static void which_slots_are_tried(void **state) {
    static const struct {
        const char *when, *slot, *start;
        int attempt;
        Recovered what;
    } rows[] = {
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T02:00:00Z", 1, RECOVERED_RUN},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T01:55:00Z", 1, RECOVERED_RUN}, /* clocks differ */
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T01:40:00Z", 1, RECOVERED_FOREIGN},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T23:00:00Z", 2, RECOVERED_RUN},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T23:00:00Z", 3, RECOVERED_RUN},
        {"02:00", "2026-11-23T02:00:00Z", "2026-11-23T23:00:00Z", 4, RECOVERED_FOREIGN},
        /* caught up with days later; the one before it, too, but no older one */
        {"Mon 02:00", "2026-11-16T02:00:00Z", "2026-11-22T12:00:00Z", 1, RECOVERED_RUN},
        {"Mon 02:00", "2026-11-09T02:00:00Z", "2026-11-22T12:00:00Z", 1, RECOVERED_RUN},
        {"Mon 02:00", "2026-11-02T02:00:00Z", "2026-11-22T12:00:00Z", 1, RECOVERED_FOREIGN},
        {"*:0/30", "2026-11-23T02:30:00Z", "2026-11-24T02:00:00Z", 1, RECOVERED_RUN},
        {"*:0/10", "2026-11-23T01:10:00Z", "2026-11-24T02:00:00Z", 1, RECOVERED_RUN}, /* a day and the spread */
        {"*:0/10", "2026-11-23T00:30:00Z", "2026-11-24T02:00:00Z", 1, RECOVERED_FOREIGN},
        /* the token of an instant at which nothing is due: ordered */
        {"02:00", "2026-11-23T02:10:07Z", "2026-11-23T02:20:00Z", 1, RECOVERED_RUN},
        {"02:00", "2026-11-23T02:10:07Z", "2026-11-23T02:05:00Z", 2, RECOVERED_RUN},
        {"02:00", "2026-11-23T02:10:07Z", "2026-11-23T04:11:00Z", 1, RECOVERED_FOREIGN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b, rows[i].when);
        Run *r = recover_slot(&b, rows[i].slot, rows[i].attempt, rows[i].start, EXPORT_COMPLETED, rows[i].what);
        assert_int_equal(r ? r->attempt : 0, rows[i].what == RECOVERED_RUN ? rows[i].attempt : 0);
    }
}

static void foreign_exports_are_left_alone(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    ExportInfo info = export_of("somebody's", EXPORT_COMPLETED, "2026-11-23T03:30:00Z");
    recover_exported(&b, &info, RECOVERED_FOREIGN);
    info.client_token = NULL;
    recover_exported(&b, &info, RECOVERED_FOREIGN);
    /* an export of the table before, under that one's token, is that one's */
    char token[EXPORT_TOKEN_SIZE];
    assert_int_equal(export_token("acme", "111111111111", OTHER_ID, "full", at("2026-11-23T02:00:00Z"), 1, token), 0);
    info.client_token = token;
    recover_exported(&b, &info, RECOVERED_FOREIGN);
    info.table_id = OTHER_ID;
    Run *r = recover_exported(&b, &info, RECOVERED_RUN);
    assert_int_equal(r->state, RUN_SUCCEEDED);
    assert_string_equal(r->table_id, OTHER_ID);
    b.target->enrolments[1]->newest_wall = WALL_UNKNOWN;
    recover_enrolment(b.target->enrolments[1], true, &r, 1, b.now);
    assert_int_equal(b.target->enrolments[1]->newest_wall, WALL_UNKNOWN); /* this one is no fresher for it */
    assert_int_equal(b.target->enrolments[1]->cursor_wall, at("2026-11-23T02:00:00Z"));
}

/* --- one a slot --- */

static void a_failed_attempt_goes_to_the_next(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Run *second = recover_slot(&b, "2026-11-24T02:00:00Z", 2, "2026-11-24T04:00:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    Run *first = recover_slot(&b, "2026-11-24T02:00:00Z", 1, "2026-11-24T03:00:00Z", EXPORT_FAILED, RECOVERED_RUN);
    Run *before = recover_slot(&b, "2026-11-23T02:00:00Z", 1, "2026-11-23T03:00:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    assert_int_equal(first->state, RUN_FAILED); /* too late for another attempt by now */
    assert_int_equal(recover_merge(b.runs, b.n_runs), 2);
    assert_ptr_equal(b.runs[0], before);
    assert_ptr_equal(b.runs[1], second);
    assert_non_null(second->failed_artefact);
    assert_int_equal(second->failed_artefact->life, ARTEFACT_FAILED);
    assert_null(first->artefact);
    assert_null(before->failed_artefact);
}

/* An attempt that just failed is asked for again, as the daemon would. */
static void a_failed_attempt_may_go_on(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Run *r = recover_slot(&b, "2026-11-25T02:00:00Z", 1, "2026-11-25T07:00:00Z", EXPORT_FAILED, RECOVERED_RUN);
    assert_int_equal(r->state, RUN_INTENDED);
    assert_int_equal(r->attempt, 2);
    assert_non_null(r->failed_artefact);
    Run *next = recover_slot(&b, "2026-11-25T02:00:00Z", 2, "2026-11-25T07:10:00Z", EXPORT_IN_PROGRESS, RECOVERED_RUN);
    assert_int_equal(recover_merge(b.runs, b.n_runs), 1);
    assert_ptr_equal(b.runs[0], next);
    assert_non_null(next->failed_artefact);
}

static void the_last_attempt_counts(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    recover_slot(&b, "2026-11-25T02:00:00Z", 1, "2026-11-25T07:00:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    Run *last = recover_slot(&b, "2026-11-25T02:00:00Z", 2, "2026-11-25T08:00:00Z", EXPORT_IN_PROGRESS, RECOVERED_RUN);
    assert_int_equal(recover_merge(b.runs, b.n_runs), 1);
    assert_ptr_equal(b.runs[0], last);
    assert_null(last->failed_artefact);
    assert_non_null(b.runs[1]->artefact);
}

static void the_earliest_good_one_is_kept(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    static const struct {
        BackupStatus status;
        const char *id, *created;
    } rows[] = {
        {BACKUP_AVAILABLE, OTHER_ID, "2026-11-23T02:30:00Z"},
        {BACKUP_CREATING, ID, "2026-11-23T02:40:00Z"},
        {BACKUP_AVAILABLE, ID, "2026-11-23T03:30:00Z"},
        {BACKUP_AVAILABLE, ID, "2026-11-23T03:00:00Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        recover_named(&b, "2026-11-23T02:00:00Z", rows[i].status, rows[i].id, rows[i].created);
    assert_int_equal(recover_merge(b.runs, b.n_runs), 1);
    assert_int_equal(b.runs[0]->artefact->created_wall, at("2026-11-23T03:00:00Z"));
    for (size_t i = 1; i < ARRAY_SIZE(rows); i++)
        assert_non_null(b.runs[i]->artefact);
    assert_int_equal(recover_merge(NULL, 0), 0);
}

/* --- enrolments --- */

static void where_an_enrolment_goes_on(void **state) {
    static const struct {
        bool is_new;
        const char *cursor, *slots[3], *first_seen_after, *cursor_after;
    } rows[] = {
        {true, NOW, {NULL}, NOW, NOW},
        {true, NOW, {"2026-11-22T02:00:00Z", "2026-11-24T02:00:00Z"}, "2026-11-22T02:00:00Z", "2026-11-24T02:00:00Z"},
        /* the ledger knew it: never back */
        {false, NOW, {"2026-11-22T02:00:00Z"}, NOW, NOW},
        {false, "2026-11-20T02:00:00Z", {"2026-11-22T02:00:00Z"}, NOW, "2026-11-22T02:00:00Z"},
        /* made by a clock that was ahead */
        {true, NOW, {"2027-11-22T02:00:00Z", "2026-11-24T02:00:00Z"}, "2026-11-24T02:00:00Z", "2026-11-24T02:00:00Z"},
        {true, NOW, {"2027-11-22T02:00:00Z"}, NOW, NOW},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b, "02:00");
        Enrolment *e = b.target->enrolments[0];
        e->cursor_wall = at(rows[i].cursor);
        for (size_t j = 0; j < 3 && rows[i].slots[j]; j++)
            recover_named(&b, rows[i].slots[j], BACKUP_AVAILABLE, ID, "2026-11-24T02:30:00Z");
        recover_slot(&b, "2026-11-19T02:00:00Z", 1, "2026-11-19T04:00:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
        recover_enrolment(e, rows[i].is_new, b.runs, b.n_runs, b.now);
        assert_int_equal(e->first_seen_wall, at(rows[i].first_seen_after));
        assert_int_equal(e->cursor_wall, at(rows[i].cursor_after));
        assert_int_equal(e->newest_wall, rows[i].slots[0] ? at("2026-11-24T02:30:00Z") : WALL_UNKNOWN);
        assert_int_equal(e->changed, rows[i].slots[0] != NULL);
    }
}

/* One that was ordered moves no slot. */
static void an_ordered_one_leaves_the_cursor(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Enrolment *e = b.target->enrolments[1];
    recover_slot(&b, "2026-11-23T02:00:00Z", 1, "2026-11-23T02:20:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    recover_slot(&b, "2026-11-25T09:17:31Z", 1, "2026-11-25T09:20:00Z", EXPORT_COMPLETED, RECOVERED_RUN);
    recover_enrolment(e, true, b.runs, b.n_runs, b.now);
    assert_int_equal(e->cursor_wall, at("2026-11-23T02:00:00Z"));
    assert_int_equal(e->ordered_wall, at("2026-11-25T09:17:31Z"));
    assert_int_equal(e->newest_wall, at("2026-11-25T09:15:00Z"));
}

static void no_success_is_no_newest(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Enrolment *e = b.target->enrolments[0];
    recover_named(&b, "2026-11-24T02:00:00Z", BACKUP_AVAILABLE, OTHER_ID, "2026-11-24T02:30:00Z");
    recover_named(&b, "2026-11-23T02:00:00Z", BACKUP_CREATING, ID, "2026-11-23T02:30:00Z");
    recover_enrolment(e, true, b.runs, b.n_runs, b.now);
    assert_int_equal(e->newest_wall, WALL_UNKNOWN);
    assert_int_equal(e->cursor_wall, at("2026-11-24T02:00:00Z"));
}

/* --- doubt --- */

static void which_slot_is_in_doubt(void **state) {
    static const struct {
        CatchUp catch_up;
        const char *cursor, *now, *slot;
    } rows[] = {
        {CATCH_UP_LAST, "2026-11-24T02:00:00Z", "2026-11-25T01:00:00Z", NULL},
        {CATCH_UP_LAST, "2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z", NULL}, /* before its share of the spread */
        {CATCH_UP_LAST, "2026-11-24T02:00:00Z", "2026-11-25T03:00:00Z", "2026-11-25T02:00:00Z"},
        {CATCH_UP_LAST, "2026-11-24T02:00:00Z", "2026-12-24T12:00:00Z", "2026-12-24T02:00:00Z"},
        /* it would have been sent within 6 hours, and shows 20 minutes later */
        {CATCH_UP_NONE, "2026-11-24T02:00:00Z", "2026-11-25T08:20:00Z", "2026-11-25T02:00:00Z"},
        {CATCH_UP_NONE, "2026-11-24T02:00:00Z", "2026-11-25T09:21:00Z", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b, "02:00");
        Enrolment *e = b.target->enrolments[0];
        Run *r = NULL;
        b.nightly.catch_up = rows[i].catch_up;
        b.now.wall = at(rows[i].now);
        e->cursor_wall = at(rows[i].cursor);
        assert_int_equal(recover_doubt("acme", e, 5 * USEC_PER_MINUTE, b.now, &r), 0);
        keep(&b, r);
        assert_int_equal(r != NULL, rows[i].slot != NULL);
        assert_int_equal(e->cursor_wall, at(rows[i].slot ? rows[i].slot : rows[i].cursor));
        if (!r)
            continue;
        AUTO_FREE char *name = name_of("nightly", rows[i].slot);
        assert_int_equal(r->state, RUN_UNCERTAIN);
        assert_string_equal(r->name, name);
        assert_int_equal(r->sent_wall, b.now.wall);
        assert_int_equal(r->n_notes, 1);
        assert_true(r->finish_by_wall > r->start_by_wall);
    }
}

/* Their token makes asking again safe. */
static void exports_are_never_in_doubt(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b, "02:00");
    Enrolment *e = b.target->enrolments[1];
    Run *r = NULL;
    e->cursor_wall = at("2026-11-23T02:00:00Z");
    assert_int_equal(recover_doubt("acme", e, 0, b.now, &r), 0);
    assert_null(r);
}

UNIT_MAIN(cmocka_unit_test(a_backup_becomes_the_run_that_made_it), cmocka_unit_test(what_its_state_says),
          cmocka_unit_test(what_names_are_ours), cmocka_unit_test(a_former_name_is_the_schedules),
          cmocka_unit_test(an_export_becomes_the_run_that_made_it),
          cmocka_unit_test(which_slots_are_tried), cmocka_unit_test(foreign_exports_are_left_alone),
          cmocka_unit_test(a_failed_attempt_goes_to_the_next), cmocka_unit_test(a_failed_attempt_may_go_on),
          cmocka_unit_test(the_last_attempt_counts),
          cmocka_unit_test(the_earliest_good_one_is_kept), cmocka_unit_test(where_an_enrolment_goes_on),
          cmocka_unit_test(an_ordered_one_leaves_the_cursor),
          cmocka_unit_test(no_success_is_no_newest), cmocka_unit_test(which_slot_is_in_doubt),
          cmocka_unit_test(exports_are_never_in_doubt))
