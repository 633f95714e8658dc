/* Decisions, and a stock in the light of changes that are not in the ledger yet: src/core/stock. */

#include "core/expiry/stock.h"

#include <errno.h>

#include "base/text.h"
#include "unit.h"

static void decisions_come_back(void **state) {
    for (int i = 0; i < DECISIONS; i++) {
        Decision d;
        assert_int_equal(decision_from_string(decision_to_string((Decision)i), &d), 0);
        assert_int_equal(d, i);
    }
    Decision d = DECISION_KEPT;
    assert_int_equal(decision_from_string("forgotten", &d), -EINVAL);
    assert_int_equal(d, DECISION_KEPT);
}

static Stock stock_of(size_t n) {
    Stock s = {.items = calloc(n, sizeof *s.items), .n_items = n, .n_room = n};
    assert_non_null(s.items);
    for (size_t i = 0; i < n; i++) {
        s.items[i] = (StockItem){.artefact = calloc(1, sizeof(Artefact)),
                                 .hold_until_wall = WALL_UNKNOWN,
                                 .decision = DECISIONS};
        assert_non_null(s.items[i].artefact);
        s.items[i].artefact->life = ARTEFACT_VERIFIED;
        s.items[i].artefact->arn = text_format("arn:%zu", i);
    }
    return s;
}

static void changes_show_before_they_are_stored(void **state) {
    CLEANUP(stock_done) Stock s = stock_of(5);
    StockChanges c = {};
    assert_true(stock_changes_are_empty(&c));
    assert_int_equal(stock_put_decision(&c, "arn:0", DECISION_EXPIRING, "why", NULL), 0);
    assert_int_equal(stock_put_decision(&c, "arn:1", DECISION_EXPIRED, NULL, NULL), 0);
    assert_int_equal(stock_put_decision(&c, "arn:2", DECISION_GONE, NULL, NULL), 0);
    assert_int_equal(stock_put_decision(&c, "arn:3", DECISION_KEPT, "a rule", NULL), 0);
    assert_int_equal(stock_put_decision(&c, "arn:3", DECISION_HELD, "by hand", "anna"), 0);
    assert_int_equal(stock_put_hold(&c, "arn:3", 100, "for the auditors", "anna"), 0);
    assert_int_equal(stock_put_decision(&c, "arn:9", DECISION_EXPIRED, NULL, NULL), 0); /* of another table */
    assert_int_equal(stock_put_hold(&c, "arn:9", 100, NULL, NULL), 0);
    assert_false(stock_changes_are_empty(&c));
    assert_int_equal(stock_overlay(&s, &c), 0);
    assert_int_equal(s.n_items, 3);
    assert_null(stock_find(&s, "arn:1"));
    assert_null(stock_find(&s, "arn:2"));
    assert_int_equal(stock_find(&s, "arn:0")->artefact->life, ARTEFACT_EXPIRING);
    assert_string_equal(stock_find(&s, "arn:0")->decision_why, "why");
    const StockItem *held = stock_find(&s, "arn:3");
    assert_int_equal(held->decision, DECISION_KEPT);
    assert_string_equal(held->decision_why, "a rule");
    assert_true(stock_is_held(held, 99));
    assert_string_equal(held->hold_who, "anna");
    assert_string_equal(held->hold_why, "for the auditors");
    assert_int_equal(stock_find(&s, "arn:4")->decision, DECISIONS);
    stock_changes_done(&c);
    assert_true(stock_changes_are_empty(&c));
}

static void the_switch_is_a_change(void **state) {
    StockChanges c = {.expiry = STOCK_SWITCH_PAUSED};
    assert_false(stock_changes_are_empty(&c));
    stock_changes_clear(&c);
    assert_true(stock_changes_are_empty(&c));
    stock_changes_done(&c);
}

static void a_prefix_ends_where_the_ids_begin(void **state) {
    AUTO_FREE char *prefix = NULL;
    assert_int_equal(stock_prefix("arn:aws:dynamodb:r:1:table/orders", &prefix), 0);
    assert_string_equal(prefix, "arn:aws:dynamodb:r:1:table/orders/backup/");
}

UNIT_MAIN(cmocka_unit_test(decisions_come_back), cmocka_unit_test(changes_show_before_they_are_stored),
          cmocka_unit_test(the_switch_is_a_change), cmocka_unit_test(a_prefix_ends_where_the_ids_begin))
