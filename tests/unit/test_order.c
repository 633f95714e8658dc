#include "core/control/order.h"

#include "unit.h"

static void kinds_have_names_of_their_own(void **state) {
    for (int i = 0; i < ORDER_KINDS; i++) {
        OrderKind kind = ORDER_KINDS;
        assert_int_equal(order_kind_from_string(order_kind_to_string((OrderKind)i), &kind), 0);
        assert_int_equal(kind, i);
    }
    OrderKind kind;
    assert_int_equal(order_kind_from_string("", &kind), -EINVAL);
    assert_int_equal(order_kind_from_string("Run", &kind), -EINVAL);
}

static void the_last_answer_counts(void **state) {
    CLEANUP(order_free_ptr) Order *o = NULL;
    assert_int_equal(order_new(ORDER_HOLD, &o), 0);
    assert_true(o->until_wall == USEC_INFINITY);
    assert_int_equal(order_answer(o, ORDER_NOT_FOUND, "%s: no such artefact", "x"), 0);
    assert_int_equal(order_answer(o, ORDER_DONE, "%s: is held", "y"), 0);
    assert_string_equal(o->message, "y: is held");
    assert_int_equal(o->outcome, ORDER_DONE);
    AUTO_FREE char *long_word = malloc(ORDER_MESSAGE_MAX + 2);
    assert_non_null(long_word);
    memset(long_word, 'a', ORDER_MESSAGE_MAX + 1);
    long_word[ORDER_MESSAGE_MAX + 1] = '\0';
    assert_int_equal(order_answer(o, ORDER_REFUSED, "%s", long_word), -E2BIG);
    assert_string_equal(o->message, "y: is held");
    order_free(NULL);
}

static void runs_come_in_their_order(void **state) {
    CLEANUP(order_free_ptr) Order *o = NULL;
    assert_int_equal(order_new(ORDER_RUN, &o), 0);
    for (int64_t id = 1; id <= 100; id++)
        assert_int_equal(order_add_run(o, id), 0);
    assert_int_equal(o->n_runs, 100);
    assert_int_equal(o->runs[99], 100);
}

UNIT_MAIN(cmocka_unit_test(kinds_have_names_of_their_own), cmocka_unit_test(the_last_answer_counts),
          cmocka_unit_test(runs_come_in_their_order))
