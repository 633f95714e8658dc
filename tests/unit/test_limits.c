#include "core/aws/limits.h"

#include "unit.h"

/* The API reference's figures; a change of a row must be meant. */
static void ceilings_are_the_documented_ones(void **state) {
    static const struct {
        AwsOp op;
        int rate;
    } rows[] = {
        {AWS_OP_CREATE_BACKUP, 50},
        {AWS_OP_DESCRIBE_BACKUP, 10},
        {AWS_OP_LIST_BACKUPS, 5},
        {AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, 10},
        {AWS_OP_DELETE_BACKUP, 10},
        {AWS_OP_LIST_TAGS, 10},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_true(limits[rows[i].op].rate >= rows[i].rate && limits[rows[i].op].rate <= rows[i].rate &&
                    limits[rows[i].op].per_second == rows[i].rate);
}

/* What was measured to be taken at once: 24 creates, 13 describes and deletes, 5 listings, 20 exports. */
static void bursts_are_under_what_was_measured(void **state) {
    for (int op = 0; op < AWS_OP_N; op++) {
        assert_true(limits[op].rate > 0);
        assert_true(limits[op].burst >= 1);
        assert_true(op == AWS_OP_EXPORT_TABLE || limits[op].burst <= limits[op].rate);
    }
    assert_true(limits[AWS_OP_CREATE_BACKUP].burst <= 24);
    assert_true(limits[AWS_OP_DESCRIBE_BACKUP].burst <= 13);
    assert_true(limits[AWS_OP_LIST_BACKUPS].burst <= 5);
    assert_true(limits[AWS_OP_DELETE_BACKUP].burst <= 13);
    assert_true(limits[AWS_OP_EXPORT_TABLE].rate * 2 + limits[AWS_OP_EXPORT_TABLE].burst < 20);
}

UNIT_MAIN(cmocka_unit_test(ceilings_are_the_documented_ones), cmocka_unit_test(bursts_are_under_what_was_measured))
