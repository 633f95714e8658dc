#include "core/engine/report.h"

#include "unit.h"

#define SLOT (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */

static Run *run_of(RunState state, const char *why, const char *hint) {
    Run *r = NULL;
    assert_int_equal(run_new(7, &r), 0);
    r->state = state;
    r->slot_wall = r->due_wall = SLOT;
    r->first_sent_wall = SLOT + USEC_PER_SEC;
    r->settled_wall = SLOT + 62 * USEC_PER_SEC;
    assert_int_equal(text_set(&r->schedule, "nightly") | text_set(&r->account, "own") |
                         text_set(&r->region, "eu-central-1") | text_set(&r->table, "orders") | text_set(&r->why, why) |
                         text_set(&r->hint, hint),
                     0);
    return r;
}

static void messages_name_the_object_first(void **state) {
    static const struct {
        RunState state;
        RunEvent event;
        ReportKind kind;
        const char *message;
    } rows[] = {
        {RUN_FAILED, RUN_EV_REFUSED, REPORT_FAILED,
         "orders: backup nightly 2026-11-23T02:00:00Z failed: because; HINT: do this"},
        {RUN_SKIPPED, RUN_EV_START_EXPIRED, REPORT_SKIPPED,
         "orders: backup nightly 2026-11-23T02:00:00Z skipped: because; HINT: do this"},
        {RUN_UNCERTAIN, RUN_EV_UNSURE, REPORT_UNCERTAIN,
         "orders: backup nightly 2026-11-23T02:00:00Z may or may not have been made; looking for it: because; HINT: do "
         "this"},
        {RUN_IN_PROGRESS, RUN_EV_ADOPTED, REPORT_ADOPTED,
         "orders: backup nightly 2026-11-23T02:00:00Z adopted: because; HINT: do this"},
        {RUN_INTENDED, RUN_EV_ABSENT, REPORT_ASKED_AGAIN,
         "orders: backup nightly 2026-11-23T02:00:00Z is asked for again: because; HINT: do this"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(run_free_ptr) Run *r = run_of(rows[i].state, "because", "do this");
        CLEANUP(report_free_ptr) Report *report = NULL;
        assert_int_equal(report_run(r, rows[i].event, false, &report), 0);
        assert_int_equal(report->kind, rows[i].kind);
        assert_string_equal(report->message, rows[i].message);
        assert_int_equal(report->run_id, 7);
    }
}

static void a_success_says_what_was_made(void **state) {
    CLEANUP(run_free_ptr) Run *r = run_of(RUN_SUCCEEDED, NULL, NULL);
    CLEANUP(report_free_ptr) Report *report = NULL;
    Artefact *a = r->artefact = calloc(1, sizeof *a);
    assert_non_null(a);
    a->item_count = COUNT_UNKNOWN;
    a->size_bytes = 1536;
    assert_int_equal(text_set(&a->arn, "arn:x") | text_set(&a->name, "acme.x") | text_set(&a->status, "AVAILABLE"), 0);
    assert_int_equal(report_run(r, RUN_EV_VERIFIED, true, &report), 0);
    assert_string_equal(report->message, "own/eu-central-1/orders: backup nightly 2026-11-23T02:00:00Z is AVAILABLE: "
                                         "acme.x, 1.5K, took 61s");
    assert_string_equal(report->backup_arn, "arn:x");
    assert_int_equal(report->duration_usec, 61 * USEC_PER_SEC);
}

/* The first deferral in a row is said; the story in the ledger has the others. */
static void quiet_events_say_nothing(void **state) {
    static const RunEvent quiet[] = {RUN_EV_PREPARED, RUN_EV_SENT, RUN_EV_ACCEPTED, RUN_EV_FINISHED, RUN_EV_DEFERRED};
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        CLEANUP(run_free_ptr) Run *r = run_of(RUN_INTENDED, "because", NULL);
        CLEANUP(report_free_ptr) Report *report = NULL;
        r->n_deferred = 2;
        assert_int_equal(report_run(r, quiet[i], false, &report), 0);
        assert_null(report);
    }
}

static void every_kind_has_its_own_id(void **state) {
    for (int i = 0; i < REPORT_KINDS; i++) {
        assert_int_equal(strlen(report_rows[i].message_id), 32);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(report_rows[i].message_id, report_rows[j].message_id);
    }
}

UNIT_MAIN(cmocka_unit_test(messages_name_the_object_first), cmocka_unit_test(a_success_says_what_was_made),
          cmocka_unit_test(quiet_events_say_nothing), cmocka_unit_test(every_kind_has_its_own_id))
