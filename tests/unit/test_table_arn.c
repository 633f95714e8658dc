#include "core/aws/table_arn.h"

#include "unit.h"

static void arns_of_tables(void **state) {
    static const struct {
        const char *arn, *region, *account, *table;
    } rows[] = {
        {"arn:aws:dynamodb:eu-central-1:111111111111:table/orders", "eu-central-1", "111111111111", "orders"},
        {"arn:aws-cn:dynamodb:cn-north-1:222222222222:table/a.b-c_d", "cn-north-1", "222222222222", "a.b-c_d"},
        {"arn:aws:dynamodb:eu-central-1:1111:table/orders", NULL, "", NULL},
        {"arn:aws:dynamodb:eu-central-1:1111111111112:table/orders", NULL, "", NULL},
        {"arn:aws:dynamodb::111111111111:table/orders", NULL, "", NULL},
        {"arn:aws:dynamodb:eu-central-1:111111111111:table/", "eu-central-1", "111111111111", ""},
        {"arn:aws:dynamodb:eu-central-1:111111111111:table", NULL, "", NULL},
        {"arn:aws:s3:eu-central-1:111111111111:table/orders", NULL, "", NULL},
        {"arn:aws:dynamodb:eu-central-1", NULL, "", NULL},
        {"orders", NULL, "", NULL},
        {"", NULL, "", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TableArn arn;
        char id[13];
        assert_int_equal(table_arn_parse(rows[i].arn, &arn), rows[i].table != NULL);
        assert_string_equal(table_arn_account_id(rows[i].arn, id), rows[i].account);
        if (!rows[i].table)
            continue;
        assert_int_equal(arn.region_len, strlen(rows[i].region));
        assert_memory_equal(arn.region, rows[i].region, arn.region_len);
        assert_string_equal(arn.table, rows[i].table);
    }
    char id[13];
    assert_string_equal(table_arn_account_id(NULL, id), "");
}

UNIT_MAIN(cmocka_unit_test(arns_of_tables))
