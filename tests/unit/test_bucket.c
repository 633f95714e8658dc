#include "core/aws/bucket.h"

#include "unit.h"

#define T0 USEC_PER_HOUR

/* How many tokens a taker who never waits gets within the span. */
static int take_all(Bucket *b, Usec from, Usec span) {
    int n = 0;
    for (Usec now; (now = usec_max(from, bucket_ready_mono(b))) < from + span; n++)
        bucket_take(b, now);
    return n;
}

static void it_keeps_its_rate(void **state) {
    static const struct {
        double ceiling, burst;
        Usec span;
        int first, later; /* in the first span; in one that follows without a pause */
    } rows[] = {
        {50, 10, 10 * USEC_PER_SEC, 500, 500},
        {5, 2, 10 * USEC_PER_SEC, 50, 50},
        {2.5, 1, 60 * USEC_PER_SEC, 150, 150},
        {0.25, 1, 600 * USEC_PER_SEC, 150, 150},
        {0.0001, 0.2, 100000 * USEC_PER_SEC, 10, 10},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bucket b = bucket_make(rows[i].ceiling, rows[i].burst, T0);
        assert_int_equal(take_all(&b, T0, rows[i].span), rows[i].first);
        assert_int_equal(take_all(&b, T0 + rows[i].span, rows[i].span), rows[i].later);
    }
}

static void a_pause_saves_up_one_burst(void **state) {
    Bucket b = bucket_make(10, 5, T0);
    assert_int_equal(take_all(&b, T0, 1), 1);
    assert_int_equal(take_all(&b, T0 + 200 * USEC_PER_MSEC, 1), 2);
    assert_int_equal(take_all(&b, T0 + USEC_PER_HOUR, 1), 5);
    assert_true(bucket_ready_mono(&b) == T0 + USEC_PER_HOUR + 100 * USEC_PER_MSEC);
}

/* Ten at once and the rate after them would be 19 in that second. */
static void no_second_has_more_than_documented(void **state) {
    Usec recent[10], taken[100];
    Bucket b = bucket_make(10, 10, T0);
    bucket_keep_seconds(&b, recent, ARRAY_SIZE(recent));
    Usec now = T0 + USEC_PER_HOUR;
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
        taken[i] = now = usec_max(now, bucket_ready_mono(&b));
        bucket_take(&b, now);
        assert_true(i < 10 || taken[i] - taken[i - 10] >= USEC_PER_SEC);
        if (i == 40)
            now += 350 * USEC_PER_MSEC; /* a pause saves up a part of a burst */
    }
    assert_true(taken[9] == T0 + USEC_PER_HOUR);
    assert_true(taken[99] <= taken[0] + 9 * USEC_PER_SEC + 350 * USEC_PER_MSEC);
    Usec ready = bucket_ready_for_mono(&b, 5);
    assert_true(ready >= taken[94] + USEC_PER_SEC);
}

static void a_throttle_halves_once(void **state) {
    Bucket b = bucket_make(8, 4, T0);
    take_all(&b, T0, USEC_PER_MINUTE);
    Usec now = T0 + USEC_PER_MINUTE;
    bucket_throttled(&b, now - 10, now);
    bucket_throttled(&b, now - 5, now + 1); /* had left before the rate was halved */
    assert_true(bucket_ready_mono(&b) == now + 250 * USEC_PER_MSEC);
    assert_int_equal(take_all(&b, now, 10 * USEC_PER_SEC), 39);
    bucket_throttled(&b, now + 10 * USEC_PER_SEC, now + 11 * USEC_PER_SEC);
    assert_int_equal(take_all(&b, now + 11 * USEC_PER_SEC, 10 * USEC_PER_SEC), 19);
}

static void while_slowed_there_is_no_burst(void **state) {
    Bucket b = bucket_make(8, 4, T0);
    bucket_throttled(&b, T0, T0);
    assert_int_equal(take_all(&b, T0 + USEC_PER_HOUR, 1), 1);
}

static void it_is_never_slowed_to_a_stop(void **state) {
    Bucket b = bucket_make(8, 4, T0);
    for (Usec now = T0; now < T0 + USEC_PER_HOUR; now += USEC_PER_SEC)
        bucket_throttled(&b, now, now);
    assert_int_equal(take_all(&b, T0 + USEC_PER_HOUR, 40 * USEC_PER_SEC), 10);
}

static void answers_bring_it_back_to_its_ceiling(void **state) {
    Bucket b = bucket_make(10, 1, T0);
    bucket_throttled(&b, T0, T0);
    int last = 0;
    Usec now = T0;
    for (int second = 0; second < 60; second++, now += USEC_PER_SEC) {
        int n = take_all(&b, now, USEC_PER_SEC);
        assert_true(n >= last - 1 && n <= 10);
        last = n;
        if (second < 10)
            assert_true(n <= 7);
        for (int i = 0; i < n; i++) /* a second's answers count as one */
            bucket_answered(&b, now);
    }
    assert_int_equal(last, 10);
}

static void a_new_ceiling_keeps_the_learnt_share(void **state) {
    Bucket b = bucket_make(10, 1, T0), slowed = b;
    bucket_throttled(&slowed, T0, T0);
    bucket_configure(&b, 2, 1);
    bucket_configure(&slowed, 2, 1);
    assert_int_equal(take_all(&b, T0 + USEC_PER_MINUTE, USEC_PER_MINUTE), 120);
    assert_int_equal(take_all(&slowed, T0 + USEC_PER_MINUTE, USEC_PER_MINUTE), 60);
}

UNIT_MAIN(cmocka_unit_test(it_keeps_its_rate), cmocka_unit_test(a_pause_saves_up_one_burst),
          cmocka_unit_test(no_second_has_more_than_documented),
          cmocka_unit_test(a_throttle_halves_once), cmocka_unit_test(while_slowed_there_is_no_burst),
          cmocka_unit_test(it_is_never_slowed_to_a_stop), cmocka_unit_test(answers_bring_it_back_to_its_ceiling),
          cmocka_unit_test(a_new_ceiling_keeps_the_learnt_share))
