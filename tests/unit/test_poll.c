#include "core/run/poll.h"

#include "base/text.h"
#include "unit.h"

#define T0 (INT64_C(1795399200) * USEC_PER_SEC)
#define MONO USEC_PER_HOUR
#define N 300

typedef struct Bench {
    Poll *poll;
    Run *runs[N];
    Now now;
} Bench;

static void arn_of(int i, char arn[static 100]) {
    snprintf(arn, 100, "arn:aws:dynamodb:eu-central-1:111111111111:table/t/backup/%04d", i);
}

/* Backups that are due now, n of them, each created a second after the one before. */
static Bench bench_make(int n) {
    Bench b = {.now = {.wall = T0 + USEC_PER_HOUR, .mono = MONO}};
    assert_int_equal(poll_new("own", "eu-central-1", &b.poll), 0);
    for (int i = 0; i < n; i++) {
        char arn[100];
        arn_of(i, arn);
        assert_int_equal(run_new(i + 1, &b.runs[i]), 0);
        Run *r = b.runs[i];
        r->state = RUN_IN_PROGRESS;
        r->artefact = calloc(1, sizeof *r->artefact);
        assert_int_equal(text_set(&r->artefact->arn, arn), 0);
        r->artefact->created_wall = T0 + i * USEC_PER_SEC;
        assert_true(poll_takes(r));
        assert_int_equal(poll_wait(b.poll, r, MONO), 0);
    }
    return b;
}

static void bench_done(Bench *b) {
    poll_free(b->poll);
    for (int i = 0; i < N; i++)
        run_free(b->runs[i]);
}

static void begin(Bench *b) {
    assert_true(poll_next_mono(b->poll) <= b->now.mono);
    assert_int_equal(poll_begin(b->poll, b->now), 0);
}

/* All wait anew. */
static void again(Bench *b, Usec usec) {
    b->now.mono += usec;
    b->now.wall += usec;
    for (int i = 0; i < N && b->runs[i]; i++)
        assert_int_equal(poll_wait(b->poll, b->runs[i], b->now.mono), 0);
}

static bool turn(Bench *b, const char *next) {
    bool more;
    assert_int_equal(poll_turn_page(b->poll, next, &more), 0);
    return more;
}

static void found(Bench *b, int from, int to) {
    for (int i = from; i < to; i++) {
        char arn[100];
        arn_of(i, arn);
        PollMember *m = poll_find(b->poll, arn);
        assert_non_null(m);
        assert_int_equal(m->run_id, i + 1);
        m->is_done = true;
    }
}

static size_t n_to_describe(const Bench *b) {
    size_t n = 0;
    for (size_t i = 0; i < b->poll->n_members; i++)
        n += !b->poll->members[i].is_done;
    return n;
}

static void few_are_described(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(3);
    begin(&b);
    assert_false(b.poll->is_listing);
    assert_int_equal(n_to_describe(&b), 3);
}

static void many_are_listed(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(250);
    b.runs[0]->artefact->created_wall -= USEC_PER_DAY; /* far from the others: described */
    begin(&b);
    assert_true(b.poll->is_listing);
    assert_int_equal(b.poll->n_spans, 1);
    assert_true(poll_next_mono(b.poll) == USEC_INFINITY);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(poll_request(b.poll, &q), 0);
    assert_int_equal(q->op, AWS_OP_LIST_BACKUPS);
    assert_null(q->list_backups.table);
    assert_int_equal(q->list_backups.limit, 100);
    assert_true(q->list_backups.lower_wall <= T0 + USEC_PER_SEC);
    assert_true(q->list_backups.upper_wall > T0 + 249 * USEC_PER_SEC);
    assert_true(q->list_backups.upper_wall < T0 + 250 * USEC_PER_SEC);
    found(&b, 1, 101);
    assert_true(turn(&b, "a"));
    assert_string_equal(b.poll->cursor, "a");
    found(&b, 101, 201);
    assert_true(turn(&b, "b"));
    found(&b, 201, 249);
    assert_false(turn(&b, NULL));
    poll_end(b.poll, b.now);
    assert_int_equal(n_to_describe(&b), 2); /* the one of yesterday, and one that no page told of */
    char arn[100];
    assert_null(poll_find(b.poll, "arn:of:somebody:else"));
    arn_of(249, arn);
    assert_true(poll_find(b.poll, arn)->is_listed);
    again(&b, 0);
    assert_true(poll_next_mono(b.poll) == b.now.mono + 500 * USEC_PER_MSEC); /* not at once */
}

static void who_lies_between_is_told_of_too(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(200);
    for (int i = 0; i < 200; i += 2)
        poll_wait(b.poll, b.runs[i], MONO + USEC_PER_HOUR);
    begin(&b);
    assert_true(b.poll->is_listing);
    assert_int_equal(b.poll->n_members, 199); /* the first of all lies before the span */
    assert_int_equal(b.poll->spans[0].n_members, 199);
}

static void a_listing_full_of_others_is_given_up(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(10);
    begin(&b);
    assert_true(b.poll->is_listing);
    int n = 1;
    for (char cursor[16] = "0"; turn(&b, cursor); n++)
        snprintf(cursor, sizeof cursor, "%d", n);
    assert_int_equal(n, 10);
    poll_end(b.poll, b.now);
    assert_int_equal(n_to_describe(&b), 10);
    /* then they are described, and after a while it is tried again */
    int n_rounds = 0;
    for (;; n_rounds++) {
        again(&b, 30 * USEC_PER_SEC);
        begin(&b);
        if (b.poll->is_listing)
            break;
        assert_true(n_rounds < 20);
    }
    assert_true(n_rounds >= 3);
}

static void a_cursor_that_repeats_itself_ends(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(200);
    begin(&b);
    assert_true(turn(&b, "a"));
    assert_false(turn(&b, "a"));
    poll_end(b.poll, b.now);
    assert_int_equal(n_to_describe(&b), 200);
}

static void failures_lead_to_describing(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(200);
    begin(&b);
    poll_give_up(b.poll);
    poll_end(b.poll, b.now);
    assert_int_equal(n_to_describe(&b), 200);
    again(&b, 30 * USEC_PER_SEC);
    begin(&b);
    assert_false(b.poll->is_listing);
}

static void rounds_slow_down_while_there_are_many(void **state) {
    static const int expected_msec[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
    CLEANUP(bench_done) Bench b = bench_make(200);
    for (size_t i = 0; i < ARRAY_SIZE(expected_msec); i++) {
        begin(&b);
        found(&b, 0, 200);
        assert_true(turn(&b, "a"));
        assert_false(turn(&b, NULL));
        poll_end(b.poll, b.now);
        again(&b, 0);
        assert_true(poll_next_mono(b.poll) - b.now.mono == expected_msec[i] * USEC_PER_MSEC);
        again(&b, poll_next_mono(b.poll) - b.now.mono);
    }
}

UNIT_MAIN(cmocka_unit_test(few_are_described), cmocka_unit_test(many_are_listed),
          cmocka_unit_test(who_lies_between_is_told_of_too), cmocka_unit_test(a_listing_full_of_others_is_given_up),
          cmocka_unit_test(a_cursor_that_repeats_itself_ends), cmocka_unit_test(failures_lead_to_describing),
          cmocka_unit_test(rounds_slow_down_while_there_are_many))
