#include "core/aws/retry.h"

#include "unit.h"

#define MSEC USEC_PER_MSEC

/* The delays of botocore's test_standard_retry with a random number of 1: the least number above all delays here. */
static void delays_double_up_to_the_cap(void **state) {
    static const struct {
        RetryKind kind;
        int n_failed;
        Usec cap;
    } rows[] = {
        {RETRY_TRANSIENT, 1, 25 * MSEC},     {RETRY_TRANSIENT, 2, 50 * MSEC},     {RETRY_TRANSIENT, 3, 100 * MSEC},
        {RETRY_TRANSIENT, 10, 12800 * MSEC}, {RETRY_TRANSIENT, 11, 20000 * MSEC}, {RETRY_TRANSIENT, 1000, 20000 * MSEC},
        {RETRY_THROTTLED, 1, 1000 * MSEC},   {RETRY_THROTTLED, 2, 2000 * MSEC},   {RETRY_THROTTLED, 5, 16000 * MSEC},
        {RETRY_THROTTLED, 6, 20000 * MSEC},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(retry_delay(rows[i].kind, rows[i].n_failed, UINT64_MAX, -1), rows[i].cap - 1);
        assert_int_equal(retry_delay(rows[i].kind, rows[i].n_failed, UINT64_C(1) << 63, -1), rows[i].cap / 2);
        assert_int_equal(retry_delay(rows[i].kind, rows[i].n_failed, 0, -1), 0);
    }
}

static void the_jitter_is_full(void **state) {
    uint64_t random = 7;
    int quarters[4] = {};
    for (int i = 0; i < 4000; i++)
        quarters[retry_delay(RETRY_THROTTLED, 1, retry_random(&random), -1) / (250 * MSEC)]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(quarters[i], 900, 1100);
}

/* delay = max(t, min(hint, t + 5 s)) */
static void the_services_hint_is_heard_within_bounds(void **state) {
    static const struct {
        Usec hint, delay;
    } rows[] = {{1500 * MSEC, 1500 * MSEC},
                {0, 25 * MSEC - 1},
                {10 * USEC_PER_SEC, 5025 * MSEC - 1},
                {-1, 25 * MSEC - 1}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(retry_delay(RETRY_TRANSIENT, 1, UINT64_MAX, rows[i].hint), rows[i].delay);
}

static void the_quota_runs_out_and_comes_back(void **state) {
    RetryQuota q = {.left = RETRY_QUOTA};
    int cost = 0, n = 0;
    assert_true(retry_quota_take(&q, RETRY_TRANSIENT, &cost));
    assert_int_equal(cost, 14);
    assert_int_equal(q.left, 486);
    retry_quota_refund(&q, cost);
    assert_int_equal(q.left, 500);
    retry_quota_refund(&q, 0);
    assert_int_equal(q.left, 500);
    while (retry_quota_take(&q, RETRY_TRANSIENT, &cost))
        n++;
    assert_int_equal(n, 35);
    assert_int_equal(q.left, 10);
    assert_true(retry_quota_take(&q, RETRY_THROTTLED, &cost));
    assert_int_equal(cost, 5);
    assert_true(retry_quota_take(&q, RETRY_THROTTLED, &cost));
    assert_false(retry_quota_take(&q, RETRY_THROTTLED, &cost));
    retry_quota_refund(&q, 0);
    assert_int_equal(q.left, 1);
}

/* The reference values of splitmix64 for the seed 1234567. */
static void random_numbers_follow_their_seed(void **state) {
    static const uint64_t expected[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                        UINT64_C(16408922859458223821)};
    uint64_t random = 1234567;
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_true(retry_random(&random) == expected[i]);
}

UNIT_MAIN(cmocka_unit_test(delays_double_up_to_the_cap), cmocka_unit_test(the_jitter_is_full),
          cmocka_unit_test(the_services_hint_is_heard_within_bounds),
          cmocka_unit_test(the_quota_runs_out_and_comes_back), cmocka_unit_test(random_numbers_follow_their_seed))
