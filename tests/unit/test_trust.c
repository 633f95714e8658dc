#include "core/run/trust.h"

#include "unit.h"

#define WALL (1000 * USEC_PER_DAY)

static Now at(Usec wall_usec, Usec mono_usec) {
    return (Now){.wall = WALL + wall_usec, .mono = USEC_PER_HOUR + mono_usec};
}

static void a_date_makes_trust(void **state) {
    static const struct {
        Usec ahead;
        bool holds;
        TrustNews news;
    } rows[] = {
        {0, true, TRUST_NEWS_AGREED},
        {5 * USEC_PER_MINUTE, true, TRUST_NEWS_AGREED},
        {-5 * USEC_PER_MINUTE, true, TRUST_NEWS_AGREED},
        {5 * USEC_PER_MINUTE + 1, false, TRUST_NEWS_DISAGREED},
        {-365 * USEC_PER_DAY, false, TRUST_NEWS_DISAGREED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Now now = at(0, 0);
        Usec ahead = 0;
        Trust t = trust_make(now);
        assert_false(trust_holds(&t));
        assert_int_equal(trust_take_date(&t, now.wall - rows[i].ahead, now, &ahead), rows[i].news);
        assert_int_equal(trust_holds(&t), rows[i].holds);
        assert_int_equal(ahead, rows[i].ahead);
        assert_int_equal(trust_now(&t, now).wall, rows[i].holds ? now.wall : now.wall - rows[i].ahead);
        assert_int_equal(trust_take_date(&t, now.wall - rows[i].ahead, now, &ahead), TRUST_NEWS_NONE);
    }
}

/* The time goes on by the monotonic clock across a step, in both directions, until a Date comes. */
static void a_step_takes_trust_away(void **state) {
    static const Usec steps[] = {3 * USEC_PER_SEC, USEC_PER_HOUR, -USEC_PER_HOUR, 365 * USEC_PER_DAY,
                                 -365 * USEC_PER_DAY};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        Usec usec = 0;
        Trust t = trust_make(at(0, 0));
        trust_take_date(&t, WALL, at(0, 0), &usec);
        assert_int_equal(trust_turn(&t, at(USEC_PER_MINUTE, USEC_PER_MINUTE), &usec), TRUST_NEWS_NONE);
        Now now = at(2 * USEC_PER_MINUTE + steps[i], 2 * USEC_PER_MINUTE);
        assert_int_equal(trust_turn(&t, now, &usec), TRUST_NEWS_STEPPED);
        assert_int_equal(usec, steps[i]);
        assert_false(trust_holds(&t));
        assert_true(trust_has_time(&t, now));
        assert_int_equal(trust_now(&t, now).wall, WALL + 2 * USEC_PER_MINUTE);
        /* and back: two steps undo each other */
        now = at(3 * USEC_PER_MINUTE, 3 * USEC_PER_MINUTE);
        assert_int_equal(trust_turn(&t, now, &usec), TRUST_NEWS_STEPPED);
        assert_int_equal(trust_now(&t, now).wall, now.wall);
        assert_int_equal(trust_take_date(&t, now.wall, now, &usec), TRUST_NEWS_AGREED);
        assert_true(trust_holds(&t));
    }
}

static void slewing_is_no_step(void **state) {
    Usec usec = 0, wall = 0;
    Trust t = trust_make(at(0, 0));
    for (int hour = 1; hour < 24; hour++) {
        wall += USEC_PER_HOUR + USEC_PER_HOUR / 2000;
        assert_int_equal(trust_turn(&t, at(wall, hour * USEC_PER_HOUR), &usec), TRUST_NEWS_NONE);
    }
}

/* A fresh start knows no better than its clock; after a while it has to go by it. */
static void patience_ends(void **state) {
    Trust t = trust_make(at(0, 0));
    assert_false(trust_has_time(&t, at(0, TRUST_PATIENCE_USEC - 1)));
    assert_true(trust_has_time(&t, at(0, TRUST_PATIENCE_USEC)));
}

UNIT_MAIN(cmocka_unit_test(a_date_makes_trust), cmocka_unit_test(a_step_takes_trust_away),
          cmocka_unit_test(slewing_is_no_step), cmocka_unit_test(patience_ends))
