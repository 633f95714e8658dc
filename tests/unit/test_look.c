#include "core/run/look.h"

#include "unit.h"

static void the_earliest_is_kept(void **state) {
    RunLook *l = run_look_new(5);
    assert_non_null(l);
    assert_int_equal(run_look_found(l, "b", 20), 0);
    assert_int_equal(run_look_found(l, "a", 10), 0);
    assert_int_equal(run_look_found(l, "c", 30), 0);
    assert_string_equal(l->found_arn, "a");
    assert_int_equal(l->n_found, 3);
    run_look_free(l);
}

static void a_cursor_that_repeats_itself_ends_it(void **state) {
    RunLook *l = run_look_new(5);
    assert_non_null(l);
    assert_int_equal(run_look_turn_page(l, "1"), 0);
    assert_int_equal(run_look_turn_page(l, "2"), 0);
    assert_int_equal(run_look_turn_page(l, "2"), -ELOOP);
    int n = 0;
    for (char cursor[16] = ""; n < 2 * LOOK_MAX_PAGES; n++) {
        snprintf(cursor, sizeof cursor, "%d", n);
        if (run_look_turn_page(l, cursor) == -ELOOP)
            break;
    }
    assert_in_range(n, LOOK_MAX_PAGES - 5, LOOK_MAX_PAGES);
    run_look_free(l);
}

static void the_time_in_an_arn(void **state) {
    static const struct {
        const char *arn;
        Usec wall;
    } rows[] = {
        {"arn:aws:dynamodb:us-east-1:1:table/T/backup/01791504762511-2779fadd", INT64_C(1791504762511) * USEC_PER_MSEC},
        {"arn:aws:dynamodb:us-east-1:1:table/T/export/01695353076000-06e2188f", INT64_C(1695353076000) * USEC_PER_MSEC},
        {"01791504762511-2779fadd", WALL_UNKNOWN},
        {"x/1791504762511-2779fadd", WALL_UNKNOWN},
        {"x/01791504762511", WALL_UNKNOWN},
        {"x/moto-backup-1", WALL_UNKNOWN},
        {"", WALL_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_true(look_wall_of_arn(rows[i].arn) == rows[i].wall);
}

UNIT_MAIN(cmocka_unit_test(the_earliest_is_kept), cmocka_unit_test(a_cursor_that_repeats_itself_ends_it),
          cmocka_unit_test(the_time_in_an_arn))
