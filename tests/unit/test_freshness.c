#include "core/table/freshness.h"

#include "unit.h"

#define HOUR USEC_PER_HOUR
#define FIRST (1000 * USEC_PER_DAY)

static Enrolment enrolment(Usec newest) {
    return (Enrolment){
        .active = true,
        .max_age_usec = 27 * HOUR,
        .first_seen_wall = FIRST,
        .newest_wall = newest,
        .stale_wall = WALL_UNKNOWN,
        .stale_said_wall = WALL_UNKNOWN,
    };
}

static void fresh_by_age(void **state) {
    Enrolment e = enrolment(WALL_UNKNOWN);
    assert_int_equal(freshness_of(&e, FIRST), FRESH_PENDING);
    assert_int_equal(freshness_of(&e, FIRST + 27 * HOUR - 1), FRESH_PENDING);
    assert_int_equal(freshness_of(&e, FIRST + 27 * HOUR), FRESH_STALE);
    e.newest_wall = FIRST + HOUR;
    assert_int_equal(freshness_of(&e, FIRST + 27 * HOUR), FRESH_YES);
    assert_int_equal(freshness_of(&e, FIRST + 28 * HOUR), FRESH_STALE);
    e.max_age_usec = 0;
    assert_int_equal(freshness_of(&e, FIRST + 28 * HOUR), FRESH_UNWATCHED);
    e = enrolment(FIRST);
    e.active = false;
    assert_int_equal(freshness_of(&e, FIRST + 28 * HOUR), FRESH_UNWATCHED);
}

/* Stale is said when it begins and once a day while it lasts; recovered once. */
static void news_over_days(void **state) {
    Enrolment e = enrolment(FIRST);
    Usec stale = FIRST + 27 * HOUR;
    assert_true(freshness_next(&e) == stale);
    assert_int_equal(freshness_turn(&e, stale - 1), FRESH_NEWS_NONE);
    assert_int_equal(freshness_turn(&e, stale + 5), FRESH_NEWS_STALE);
    assert_true(e.stale_wall == stale);
    assert_true(freshness_next(&e) == stale + 5 + USEC_PER_DAY);
    assert_int_equal(freshness_turn(&e, stale + HOUR), FRESH_NEWS_NONE);
    assert_int_equal(freshness_turn(&e, stale + 5 + USEC_PER_DAY), FRESH_NEWS_STILL_STALE);
    assert_int_equal(freshness_turn(&e, stale + 6 + USEC_PER_DAY), FRESH_NEWS_NONE);
    e.newest_wall = stale + 26 * HOUR;
    assert_int_equal(freshness_turn(&e, stale + 30 * HOUR), FRESH_NEWS_RECOVERED);
    assert_int_equal(freshness_turn(&e, stale + 30 * HOUR), FRESH_NEWS_NONE);
    assert_true(freshness_next(&e) == e.newest_wall + 27 * HOUR);
}

UNIT_MAIN(cmocka_unit_test(fresh_by_age), cmocka_unit_test(news_over_days))
