#include "core/run/run.h"

#include "unit.h"

#define NOW ((Now){.wall = 1000 * USEC_PER_SEC, .mono = 5 * USEC_PER_SEC})

static Run *run_in(RunState state) {
    Run *r = NULL;
    assert_int_equal(run_new(7, &r), 0);
    r->state = state;
    return r;
}

/* Every state and event: where it leads; "." is inert. One letter a state, in the order of RunState. */
static void table_is_what_it_says(void **state) {
    static const char letters[] = "DIRUPVSFK";
    static const struct {
        RunEvent event;
        const char *to; /* from D, I, R, U, P, V, S, F, K */
    } rows[] = {
        {RUN_EV_PREPARED, "I........"},
        {RUN_EV_SENT, ".RRU....."},
        {RUN_EV_ACCEPTED, "..PP....."},
        {RUN_EV_DEFERRED, "DIIUPV..."},
        {RUN_EV_REFUSED, "FFF......"},
        {RUN_EV_UNSURE, "..UU....."},
        {RUN_EV_INTERRUPTED, "..U......"},
        {RUN_EV_ADOPTED, ".P.P....."},
        {RUN_EV_ABSENT, ".I.I....."},
        {RUN_EV_FINISHED, "....V...."},
        {RUN_EV_VERIFIED, ".....S..."},
        {RUN_EV_DISPROVED, ".....F..."},
        {RUN_EV_FAILED_THERE, "....F...."},
        {RUN_EV_RETRIED, "....II..."},
        {RUN_EV_VANISHED, "....FF..."},
        {RUN_EV_COVERED, "S........"},
        {RUN_EV_START_EXPIRED, "KK......."},
        {RUN_EV_FINISH_EXPIRED, "FFFFFF..."},
        {RUN_EV_ORDERED, "DI......."},
        {RUN_EV_OVERDUE, "....PV..."},
        {RUN_EV_OUTRUN, ".F..FF..."},
    };
    assert_int_equal(ARRAY_SIZE(rows), RUN_EVENTS);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int from = 0; from < RUN_STATES; from++) {
            CLEANUP(run_free_ptr) Run *r = run_in((RunState)from);
            bool meant = run_apply(r, rows[i].event, &(RunCause){.why = "because"}, NOW);
            char to = rows[i].to[from];
            if (meant != (to != '.') || letters[r->state] != (to == '.' ? letters[from] : to))
                fail_msg("%s in %s leads to %s", run_event_to_string(rows[i].event),
                         run_state_to_string((RunState)from), run_state_to_string(r->state));
            assert_int_equal(r->changed, meant);
            assert_int_equal(r->n_notes, meant);
            assert_true((r->settled_wall == NOW.wall) == (meant && run_is_settled(r)));
        }
}

static void sends_are_counted(void **state) {
    CLEANUP(run_free_ptr) Run *r = run_in(RUN_INTENDED);
    run_apply(r, RUN_EV_SENT, NULL, NOW);
    run_apply(r, RUN_EV_SENT, NULL, (Now){.wall = NOW.wall + 3});
    assert_int_equal(r->n_sends, 2);
    assert_int_equal(r->first_sent_wall, NOW.wall);
    assert_int_equal(r->sent_wall, NOW.wall + 3);
    run_apply(r, RUN_EV_ACCEPTED, NULL, NOW);
    run_apply(r, RUN_EV_RETRIED, &(RunCause){.why = "it failed there"}, NOW);
    assert_int_equal(r->attempt, 2);
    assert_int_equal(r->first_sent_wall, WALL_UNKNOWN);
    assert_int_equal(r->n_sends, 2);
}

static void success_forgets_old_reasons(void **state) {
    CLEANUP(run_free_ptr) Run *r = run_in(RUN_VERIFYING);
    run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = "a time-out", .hint = "wait"}, NOW);
    assert_string_equal(r->why, "a time-out");
    run_apply(r, RUN_EV_VERIFIED, NULL, NOW);
    assert_null(r->why);
    assert_null(r->hint);
}

static void a_repeated_deferral_is_one_note(void **state) {
    CLEANUP(run_free_ptr) Run *r = run_in(RUN_DUE);
    for (int i = 0; i < 5; i++)
        run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = "throttled"}, NOW);
    assert_int_equal(r->n_notes, 1);
    assert_int_equal(r->n_deferred, 5);
    run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = "another reason"}, NOW);
    assert_int_equal(r->n_notes, 2);
}

static void deadlines_by_state(void **state) {
    static const struct {
        RunState state;
        bool warned;
        Usec deadline;
    } rows[] = {
        {RUN_DUE, false, 10},     {RUN_DUE, true, 10},         {RUN_INTENDED, true, 10},
        {RUN_REQUESTED, false, 20}, {RUN_REQUESTED, true, 30}, {RUN_IN_PROGRESS, true, 30},
        {RUN_SUCCEEDED, false, USEC_INFINITY},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(run_free_ptr) Run *r = run_in(rows[i].state);
        r->start_by_wall = 10;
        r->warn_at_wall = 20;
        r->finish_by_wall = 30;
        r->warned = rows[i].warned;
        assert_true(run_deadline(r) == rows[i].deadline);
    }
}

/* A link is waited for from when it was accepted until it is overdue, once. */
static void deadlines_of_links(void **state) {
    static const struct {
        RunState state;
        bool overdue;
        Usec deadline;
    } rows[] = {
        {RUN_INTENDED, false, USEC_INFINITY},  {RUN_REQUESTED, false, USEC_INFINITY},
        {RUN_UNCERTAIN, false, USEC_INFINITY}, {RUN_IN_PROGRESS, false, 30},
        {RUN_VERIFYING, false, 30},            {RUN_IN_PROGRESS, true, USEC_INFINITY},
        {RUN_VERIFYING, true, USEC_INFINITY},  {RUN_FAILED, false, USEC_INFINITY},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(run_free_ptr) Run *r = run_in(rows[i].state);
        r->chain_id = 1;
        r->finish_by_wall = 30;
        r->overdue = rows[i].overdue;
        assert_true(run_deadline(r) == rows[i].deadline);
    }
}

static void names_come_back(void **state) {
    for (int i = 0; i < RUN_STATES; i++) {
        RunState s;
        assert_int_equal(run_state_from_string(run_state_to_string((RunState)i), &s), 0);
        assert_int_equal(s, i);
    }
    RunState s = RUN_DUE;
    assert_int_equal(run_state_from_string("done", &s), -EINVAL);
    for (int i = 0; i < RUN_EVENTS; i++)
        assert_non_null(run_event_to_string((RunEvent)i));
}

UNIT_MAIN(cmocka_unit_test(table_is_what_it_says), cmocka_unit_test(sends_are_counted),
          cmocka_unit_test(success_forgets_old_reasons), cmocka_unit_test(a_repeated_deferral_is_one_note),
          cmocka_unit_test(deadlines_by_state), cmocka_unit_test(deadlines_of_links), cmocka_unit_test(names_come_back))
