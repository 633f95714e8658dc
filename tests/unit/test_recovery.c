#include "core/table/recovery.h"

#include "unit.h"

#define NOW (1000 * USEC_PER_DAY)

static void the_strongest_wish_counts(void **state) {
    ScheduleConf schedules[] = {{.action = ACTION_BACKUP},
                                {.action = ACTION_BACKUP, .pitr = PITR_REQUIRE},
                                {.action = ACTION_BACKUP, .pitr = PITR_ENABLE},
                                {.action = ACTION_EXPORT},
                                {.action = ACTION_EXPORT, .pitr = PITR_IGNORE}};
    static const struct {
        int first, second;
        PitrWish wish;
    } rows[] = {
        {0, -1, PITR_IGNORE}, {1, -1, PITR_REQUIRE}, {3, -1, PITR_REQUIRE}, {4, -1, PITR_IGNORE},
        {0, 1, PITR_REQUIRE}, {2, 1, PITR_ENABLE},   {4, 3, PITR_REQUIRE},  {0, 4, PITR_IGNORE},
        {-1, -1, PITR_IGNORE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Enrolment a = {.schedule = rows[i].first < 0 ? NULL : &schedules[rows[i].first]};
        Enrolment b = {.schedule = rows[i].second < 0 ? NULL : &schedules[rows[i].second]};
        Enrolment *both[] = {&a, &b};
        assert_int_equal(recovery_wish(&(Target){.enrolments = both, .n_enrolments = 2}), rows[i].wish);
    }
}

static void what_has_become_of_it(void **state) {
    static const struct {
        Recovery before;
        bool on;
        Usec earliest_wall; /* of the window, while on; the last look was a day before NOW */
        RecoveryNews news;
    } rows[] = {
        {RECOVERY_UNKNOWN, true, NOW - USEC_PER_WEEK, RECOVERY_NEWS_NONE},
        {RECOVERY_UNKNOWN, false, 0, RECOVERY_NEWS_OFF},
        {RECOVERY_OFF, false, 0, RECOVERY_NEWS_NONE},
        {RECOVERY_OFF, true, NOW - USEC_PER_HOUR, RECOVERY_NEWS_BACK},
        {RECOVERY_ON, false, 0, RECOVERY_NEWS_LOST},
        {RECOVERY_ON, true, NOW - 35 * USEC_PER_DAY, RECOVERY_NEWS_NONE},
        {RECOVERY_ON, true, NOW - USEC_PER_DAY + USEC_PER_MINUTE, RECOVERY_NEWS_NONE},
        {RECOVERY_ON, true, NOW - USEC_PER_HOUR, RECOVERY_NEWS_RESTARTED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Target t = {.recovery = rows[i].before, .recovery_wall = NOW - USEC_PER_DAY};
        RecoveryInfo info = {.pitr_enabled = rows[i].on, .earliest_wall = rows[i].earliest_wall};
        assert_int_equal(recovery_take(&t, &info, NOW), rows[i].news);
        assert_int_equal(t.recovery, rows[i].on ? RECOVERY_ON : RECOVERY_OFF);
        assert_true(t.recovery_wall == NOW && t.changed);
        assert_int_equal(recovery_take(&t, &info, NOW), RECOVERY_NEWS_NONE);
    }
}

UNIT_MAIN(cmocka_unit_test(the_strongest_wish_counts), cmocka_unit_test(what_has_become_of_it))
