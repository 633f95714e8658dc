#include "sim/service_items.h"

#include "item_bench.h"
#include "sim/service_value.h"

static const ServiceSeed orders = {.name = (char *)"orders", .pitr = true};
static const ServiceSeed seeded = {.name = (char *)"orders", .pitr = true, .n_items = 7, .size_bytes = 700};

#define ORDERS "{\"TableName\":\"orders\","

static char *lines(ItemBench *b, Usec before_wall) {
    AUTO_TEXT t = TEXT_INIT(1u << 24);
    char *ret = NULL;
    assert_int_equal(service_items_to_lines(b->service, HERE, "orders", before_wall, b->now, &t), 0);
    assert_int_equal(text_take(&t, &ret), 0);
    return ret;
}

static void expect_lines(ItemBench *b, Usec before_wall, const char *wanted) {
    AUTO_FREE char *found = lines(b, before_wall);
    assert_string_equal(found, wanted);
}

/* ---- values ---- */

static void numbers(void **state) {
    static const struct {
        const char *from, *to; /* to NULL: refused */
        int rc;
    } rows[] = {
        {"0", "0", 0},
        {"-0", "0", 0},
        {"+7", "7", 0},
        {"007", "7", 0},
        {"1.50", "1.5", 0},
        {"100", "100", 0},
        {"1e2", "100", 0},
        {"12.5E-3", "0.0125", 0},
        {"-0.000", "0", 0},
        {".5", "0.5", 0},
        {"5.", "5", 0},
        {"10.010", "10.01", 0},
        {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678", 0},
        {"123456789012345678901234567890123456780000", "123456789012345678901234567890123456780000", 0},
        {"123456789012345678901234567890123456789", NULL, -ERANGE},
        {"1e125", "1"
                  "00000000000000000000000000000000000000000000000000000000000000"
                  "000000000000000000000000000000000000000000000000000000000000000",
         0},
        {"1e126", NULL, -ERANGE},
        {"1e-131", NULL, -ERANGE},
        {"0e99999", "0", 0},
        {"", NULL, -EINVAL},
        {"-", NULL, -EINVAL},
        {".", NULL, -EINVAL},
        {"1e", NULL, -EINVAL},
        {"1e+", NULL, -EINVAL},
        {"1 ", NULL, -EINVAL},
        {"0x1", NULL, -EINVAL},
        {"NaN", NULL, -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char number[SERVICE_NUMBER_SIZE] = "";
        int rc = service_number_normalise(rows[i].from, number);
        if (rc != rows[i].rc || (rows[i].to && strcmp(number, rows[i].to) != 0))
            fail_msg("%s: %d %s, expected %d %s", rows[i].from, rc, number, rows[i].rc, rows[i].to ? rows[i].to : "");
    }
}

static void values_have_one_form(void **state) {
    static const struct {
        const char *from, *to; /* to NULL: refused */
        int64_t size;
    } rows[] = {
        {"{\"S\":\"x\\u0079\\\"\"}", "{\"S\":\"xy\\\"\"}", 3},
        {"{\"S\":\"\"}", "{\"S\":\"\"}", 0},
        {"{\"N\":\"1.0\"}", "{\"N\":\"1\"}", 1},
        {"{\"B\":\"aGVsbG8=\"}", "{\"B\":\"aGVsbG8=\"}", 5},
        {"{\"BOOL\":false}", "{\"BOOL\":false}", 1},
        {"{\"NULL\":true}", "{\"NULL\":true}", 1},
        {"{\"SS\":[\"b\",\"a\"]}", "{\"SS\":[\"a\",\"b\"]}", 2},
        {"{\"NS\":[\"2.0\",\"10\"]}", "{\"NS\":[\"10\",\"2\"]}", 3},
        {"{\"L\":[{\"S\":\"a\"},{\"L\":[]}]}", "{\"L\":[{\"S\":\"a\"},{\"L\":[]}]}", 9},
        {"{\"M\":{\"b\":{\"N\":\"1\"},\"a\":{\"M\":{}}}}", "{\"M\":{\"a\":{\"M\":{}},\"b\":{\"N\":\"1\"}}}", 11},
        {"{}", NULL, 0},
        {"{\"X\":\"1\"}", NULL, 0},
        {"{\"S\":\"a\",\"N\":\"1\"}", NULL, 0},
        {"{\"S\":1}", NULL, 0},
        {"{\"N\":\"one\"}", NULL, 0},
        {"{\"B\":\"***\"}", NULL, 0},
        {"{\"NULL\":false}", NULL, 0},
        {"{\"SS\":[]}", NULL, 0},
        {"{\"SS\":[\"a\",\"a\"]}", NULL, 0},
        {"{\"NS\":[\"1\",\"1.0\"]}", NULL, 0},
        {"{\"L\":{}}", NULL, 0},
        {"{\"M\":[]}", NULL, 0},
        {"\"S\"", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(service_json_free_ptr) ServiceJson *j = NULL;
        AUTO_TEXT t = TEXT_INIT(10000);
        AUTO_TEXT why = TEXT_INIT(10000);
        int64_t size = 0;
        assert_int_equal(service_json_parse(rows[i].from, strlen(rows[i].from), &j), 0);
        int rc = service_value_add(&t, NULL, j, &size, &why);
        if (rc != (rows[i].to ? 0 : -EINVAL))
            fail_msg("%s: %d %s", rows[i].from, rc, text_get(&why));
        if (rows[i].to) {
            assert_string_equal(text_get(&t), rows[i].to);
            assert_int_equal(size, rows[i].size);
        } else
            assert_true(why.len > 0);
    }
}

/* ---- operations ---- */

static void items_are_written_and_read(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    call(&b, "GetItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"}}}", "");
    expect_reply(&b, "{}");
    call(&b, "PutItem", ORDERS "\"Item\":{\"n\":{\"N\":\"1.0\"},\"id\":{\"S\":\"a\"}}}", "");
    assert_true(b.reply.effect);
    expect_reply(&b, "{}");
    call(&b, "GetItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"}},\"ConsistentRead\":true}", "");
    expect_reply(&b, "{\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}}");
    call(&b, "PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_OLD\"}", "");
    expect_reply(&b, "{\"Attributes\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}}");
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"ItemCount\":1,"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"TableSizeBytes\":3,"));
    call(&b, "DeleteItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_OLD\"}", "");
    expect_reply(&b, "{\"Attributes\":{\"id\":{\"S\":\"a\"}}}");
    call(&b, "DeleteItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"}}}", "");
    call(&b, "GetItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"}}}", "");
    expect_reply(&b, "{}");
    bench_close(&b);
}

static void batches_are_whole(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    call(&b, "PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"old\"}}}", "");
    call(&b, "BatchWriteItem",
         "{\"RequestItems\":{\"orders\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"a\"}}}},"
         "{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"old\"}}}}]}}",
         "");
    expect_reply(&b, "{\"UnprocessedItems\":{}}");
    assert_string_equal(b.reply.table, "orders");
    expect_lines(&b, USEC_INFINITY, "{\"id\":{\"S\":\"a\"}}\n");
    /* nothing of a batch with a flaw is written */
    call(&b, "BatchWriteItem",
         "{\"RequestItems\":{\"orders\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\"}}}},"
         "{\"PutRequest\":{\"Item\":{\"id\":{\"N\":\"1\"}}}}]}}",
         "ValidationException");
    call(&b, "BatchWriteItem",
         "{\"RequestItems\":{\"orders\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\"}}}},"
         "{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"b\"}}}}]}}",
         "ValidationException");
    call(&b, "BatchWriteItem", "{\"RequestItems\":{\"orders\":[]}}", "ValidationException");
    call(&b, "BatchWriteItem", "{\"RequestItems\":{\"orders\":{}}}", "SerializationException");
    call(&b, "BatchWriteItem", "{\"RequestItems\":{\"nobody\":[]}}", "ResourceNotFoundException");
    expect_lines(&b, USEC_INFINITY, "{\"id\":{\"S\":\"a\"}}\n");
    bench_close(&b);
}

static void refusals(void **state) {
    static const struct {
        const char *operation, *body, *code;
    } rows[] = {
        {"PutItem", "{\"TableName\":\"nobody\",\"Item\":{}}", "ResourceNotFoundException"},
        {"PutItem", ORDERS "\"Item\":{}}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":[]}", "SerializationException"},
        {"PutItem", "{\"TableName\":\"orders\"}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":{\"id\":{\"N\":\"1\"}}}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"\"}}}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"a\"},\"x\":{\"N\":\"x\"}}}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"a\"}},\"ReturnValues\":\"ALL_NEW\"}", "ValidationException"},
        {"PutItem", ORDERS "\"Item\":{\"id\":{\"S\":\"a\"}},\"ConditionExpression\":\"a = b\"}", "ValidationException"},
        {"GetItem", ORDERS "\"Key\":{\"id\":{\"S\":\"a\"},\"x\":{\"S\":\"b\"}}}", "ValidationException"},
        {"GetItem", ORDERS "\"Key\":{\"x\":{\"S\":\"b\"}}}", "ValidationException"},
        {"Scan", ORDERS "\"FilterExpression\":\"a = b\"}", "ValidationException"},
        {"Scan", ORDERS "\"Segment\":2,\"TotalSegments\":2}", "ValidationException"},
        {"Scan", ORDERS "\"Limit\":0}", "ValidationException"},
    };
    ItemBench b;
    bench_open(&b, &orders);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        call(&b, rows[i].operation, rows[i].body, rows[i].code);
    AUTO_TEXT long_one = TEXT_INIT(1u << 20);
    text_add(&long_one, ORDERS "\"Item\":{\"id\":{\"S\":\"a\"},\"x\":{\"S\":\"");
    for (int i = 0; i < 409600; i++)
        text_add_char(&long_one, 'x');
    text_add(&long_one, "\"}}}");
    call(&b, "PutItem", text_get(&long_one), "ValidationException");
    expect_lines(&b, USEC_INFINITY, "");
    bench_close(&b);
}

static void keys_of_two_attributes(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    call(&b, "CreateTable",
         "{\"TableName\":\"wide\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{\"AttributeName\":\"id\","
         "\"KeyType\":\"HASH\"},{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}],"
         "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"},{\"AttributeName\":\"at\","
         "\"AttributeType\":\"N\"}]}",
         "");
    call(&b, "PutItem",
         "{\"TableName\":\"wide\",\"Item\":{\"at\":{\"N\":\"1.0\"},\"id\":{\"S\":\"a\"},\"x\":{\"NULL\":true}}}",
         "");
    call(&b, "PutItem", "{\"TableName\":\"wide\",\"Item\":{\"at\":{\"N\":\"2\"},\"id\":{\"S\":\"a\"}}}", "");
    call(&b, "GetItem", "{\"TableName\":\"wide\",\"Key\":{\"at\":{\"N\":\"1\"},\"id\":{\"S\":\"a\"}}}", "");
    expect_reply(&b, "{\"Item\":{\"at\":{\"N\":\"1\"},\"id\":{\"S\":\"a\"},\"x\":{\"NULL\":true}}}");
    call(&b, "Scan", "{\"TableName\":\"wide\",\"Select\":\"COUNT\"}", "");
    expect_reply(&b, "{\"Count\":2,\"ScannedCount\":2}");
    bench_close(&b);
}

/* Page by page, and in segments, a scan shows each item once. */
static void scans(void **state) {
    static const int segments[] = {1, 3};
    ItemBench b;
    bench_open(&b, &orders);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 0, 100, "x", b.now), 0);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 40, 10, NULL, b.now + 1), 0);
    for (size_t s = 0; s < ARRAY_SIZE(segments); s++) {
        bool seen[100] = {};
        int n = 0;
        for (int segment = 0; segment < segments[s]; segment++) {
            AUTO_FREE char *start = NULL;
            do {
                AUTO_FREE char *body =
                    text_format(ORDERS "\"Limit\":7,\"Segment\":%d,\"TotalSegments\":%d%s%s}", segment, segments[s],
                                start ? ",\"ExclusiveStartKey\":" : "", start ? start : "");
                call(&b, "Scan", body, "");
                const ServiceJson *items = service_json_get(b.json, "Items");
                for (const ServiceJson *item = items->first; item; item = item->next) {
                    const char *id = service_json_get_string(service_json_get(item, "id"), "S");
                    long number = strtol(id + 5, NULL, 10);
                    assert_false(seen[number]);
                    seen[number] = true;
                    n++;
                }
                AUTO_TEXT t = TEXT_INIT(1000);
                const ServiceJson *last = service_json_get(b.json, "LastEvaluatedKey");
                service_json_add_value(&t, NULL, last);
                free(start);
                start = last ? strdup(text_get(&t)) : NULL;
            } while (start);
        }
        assert_int_equal(n, 90);
    }
    bench_close(&b);
}

/* ---- history ---- */

static void the_past_is_known(void **state) {
    ItemBench b;
    bench_open(&b, &orders);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 1, 2, "one", NOON), 0);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 2, 1, "two", NOON + 10), 0);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 1, 1, NULL, NOON + 20), 0);
    assert_int_equal(service_write_items(b.service, HERE, "orders", 1, 1, "back", NOON + 30), 0);
#define ONE(mark) "{\"id\":{\"S\":\"item-00000001\"},\"mark\":{\"S\":\"" mark "\"}}\n"
#define TWO(mark) "{\"id\":{\"S\":\"item-00000002\"},\"mark\":{\"S\":\"" mark "\"}}\n"
    expect_lines(&b, NOON, "");
    expect_lines(&b, NOON + 1, ONE("one") TWO("one"));
    expect_lines(&b, NOON + 10, ONE("one") TWO("one"));
    expect_lines(&b, NOON + 11, ONE("one") TWO("two"));
    expect_lines(&b, NOON + 21, TWO("two"));
    expect_lines(&b, USEC_INFINITY, ONE("back") TWO("two"));
    assert_int_equal(service_write_items(b.service, HERE, "nobody", 1, 1, "x", NOON), -ENOENT);
    bench_close(&b);
}

/* Of one instant the last word counts; what changes nothing leaves no trace; a clock set back changes no past. */
static void versions(void **state) {
    ServiceItems *s = service_items_new();
    assert_int_equal(service_items_write(s, 1, "k", strdup("a"), 1, 100), 0);
    assert_int_equal(service_items_write(s, 1, "k", strdup("b"), 1, 100), 0);
    assert_int_equal(service_items_write(s, 1, "k", strdup("b"), 1, 200), 0);
    assert_int_equal(service_items_write(s, 1, "other", NULL, 0, 200), 0);
    assert_int_equal(s->n_items, 1);
    const ServiceItem *item = service_items_find(s, 1, "k");
    assert_int_equal(item->n_versions, 1);
    assert_null(service_item_before(item, 100));
    assert_string_equal(service_item_before(item, 101)->json, "b");
    assert_int_equal(service_items_write(s, 1, "k", NULL, 0, 50), 0);
    assert_null(service_item_before(item, USEC_INFINITY));
    assert_int_equal(item->n_versions, 1);
    assert_null(service_item_last_change(item, 101, 200));
    assert_int_equal(service_item_last_change(item, 100, 101)->wall, 100);
    s->frozen_wall = 500;
    assert_int_equal(service_items_write(s, 1, "k", strdup("c"), 1, 400), 0);
    assert_null(service_item_before(item, 500));
    assert_string_equal(service_item_before(item, 501)->json, "c");
    /* they live as long as anybody has them */
    assert_ptr_equal(service_items_share(s), s);
    service_items_leave(s);
    assert_int_equal(s->n_items, 1);
    service_items_leave(s);
}

static void seeds_have_items(void **state) {
    ItemBench b;
    bench_open(&b, &seeded);
    AUTO_FREE char *found = lines(&b, USEC_INFINITY);
    int n = 0;
    for (const char *s = found; (s = strchr(s, '\n')); s++)
        n++;
    assert_int_equal(n, 7);
    assert_non_null(strstr(found, "\"id\":{\"S\":\"item-00000006\"},\"number\":{\"N\":\"6\"}}"));
    /* as old as their table, and as large as was said */
    expect_lines(&b, NOON - USEC_PER_DAY, "");
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"TableSizeBytes\":700,"));
    assert_int_equal(service_write_items(b.service, HERE, "orders", 0, 7, NULL, NOON), 0);
    call(&b, "DescribeTable", "{\"TableName\":\"orders\"}", "");
    assert_non_null(strstr(text_get(&b.reply.body), "\"ItemCount\":0,"));
    assert_non_null(strstr(text_get(&b.reply.body), "\"TableSizeBytes\":0,"));
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(numbers), cmocka_unit_test(values_have_one_form),
          cmocka_unit_test(items_are_written_and_read), cmocka_unit_test(batches_are_whole), cmocka_unit_test(refusals),
          cmocka_unit_test(keys_of_two_attributes), cmocka_unit_test(scans), cmocka_unit_test(the_past_is_known),
          cmocka_unit_test(versions), cmocka_unit_test(seeds_have_items))
