#include "core/table/target.h"

#include "unit.h"

static void targets_are_sorted_and_unique(void **state) {
    static const char *const names[] = {"m", "a", "z", "m", "b", "a"};
    CLEANUP(targets_done) Targets all = {};
    Target *t;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(targets_ensure(&all, ACCOUNT_OWN, "eu-central-1", names[i], &t), 0);
    assert_int_equal(targets_ensure(&all, ACCOUNT_OWN, "eu-west-1", "a", &t), 0);
    assert_int_equal(all.n_items, 5);
    for (size_t i = 1; i < all.n_items; i++)
        assert_true(target_compare(all.items[i - 1], all.items[i]->account, all.items[i]->region, all.items[i]->table) <
                    0);
    assert_ptr_equal(targets_find(&all, ACCOUNT_OWN, "eu-west-1", "a"), t);
    assert_null(targets_find(&all, ACCOUNT_OWN, "eu-west-1", "b"));
}

static void the_account_is_in_the_arn(void **state) {
    static const struct {
        const char *arn, *account;
    } rows[] = {
        {"arn:aws:dynamodb:eu-central-1:111111111111:table/orders", "111111111111"},
        {"arn:aws-cn:dynamodb:cn-north-1:222222222222:table/x", "222222222222"},
        {"arn:aws:dynamodb:eu-central-1:1111:table/orders", ""},
        {"arn:aws:dynamodb", ""},
        {"", ""},
    };
    char buffer[13];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(target_account_id(&(Target){.table_arn = (char *)rows[i].arn}, buffer), rows[i].account);
    assert_string_equal(target_account_id(&(Target){}, buffer), "");
}

static void enrolments_are_found_by_schedule(void **state) {
    CLEANUP(target_free_ptr) Target *t = NULL;
    Enrolment *e = NULL;
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &t), 0);
    assert_int_equal(target_enrol(t, "nightly", &e), 0);
    assert_ptr_equal(target_enrolment(t, "nightly"), e);
    assert_null(target_enrolment(t, "weekly"));
    assert_true(e->cursor_wall == WALL_UNKNOWN && e->due.at == USEC_INFINITY && e->target == t);
    char label[TARGET_LABEL_SIZE];
    assert_string_equal(target_label(t, false, label), "orders");
    assert_string_equal(target_label(t, true, label), "own/eu-central-1/orders");
}

static void a_table_that_was_made_anew_is_told(void **state) {
    CLEANUP(target_free_ptr) Target *t = NULL;
    assert_int_equal(target_new("own", "eu-central-1", "orders", &t), 0);
    static const struct {
        const char *id, *former;
    } rows[] = {{"", NULL}, {"one", NULL}, {"one", NULL}, {"two", "one"}, {"", NULL}, {"three", NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TableInfo info = {.id = (char *)rows[i].id, .arn = (char *)"a"};
        assert_int_equal(target_describe(t, &info, 1), 0);
        assert_true(rows[i].former ? t->former_id && strcmp(t->former_id, rows[i].former) == 0 : !t->former_id);
        free(TAKE_PTR(t->former_id));
    }
}

UNIT_MAIN(cmocka_unit_test(a_table_that_was_made_anew_is_told), cmocka_unit_test(targets_are_sorted_and_unique),
          cmocka_unit_test(the_account_is_in_the_arn), cmocka_unit_test(enrolments_are_found_by_schedule))
