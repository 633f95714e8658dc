#include "core/table/inventory.h"

#include "base/text.h"
#include "unit.h"

#define INTERVAL USEC_PER_HOUR
#define PREFIX "arn:aws:dynamodb:eu-central-1:111111111111:table/"

typedef struct Case {
    Inventory v;
    Now now;
    char news[256];
} Case;

static void case_init(Case *c) { *c = (Case){.now = {.wall = 1000 * USEC_PER_DAY, .mono = USEC_PER_DAY}}; }
static void case_done(Case *c) { inventory_done(&c->v); }

static int news(void *context, const InventoryRow *row, bool gone) {
    Case *c = context;
    size_t n = strlen(c->news);
    snprintf(c->news + n, sizeof c->news - n, "%c%s ", gone ? '-' : '+', row->table);
    return 0;
}

/* "a b c", sorted. */
static void list(Case *c, const char *words, const char *expected) {
    AUTO_FREE char *copy = strdup(words);
    char *names[16], *rest = copy;
    size_t n = 0;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            names[n++] = word;
    c->news[0] = '\0';
    assert_int_equal(inventory_take_listing(&c->v, names, n, c->now, news, c), 0);
    assert_string_equal(c->news, expected);
    for (size_t i = 0; i < c->v.n_rows; i++)
        assert_int_equal(inventory_ask_for(&c->v, c->v.rows[i], c->v.rows[i]->table[0] != '_', INTERVAL, c->now), 0);
}

/* The next question, as "op table"; "" when there is none. */
static const char *ask(Case *c, char buffer[static 128], size_t *ret_call) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    assert_int_equal(inventory_request(&c->v, c->now, &q, ret_call), 0);
    if (!q)
        return "";
    snprintf(buffer, 128, "%s %s%s%s", aws_ops[q->op].name,
             q->op == AWS_OP_LIST_TAGS ? q->list_tags.arn + (sizeof PREFIX - 1) : q->describe_table.table,
             q->op == AWS_OP_LIST_TAGS && q->list_tags.start_token ? " at " : "",
             q->op == AWS_OP_LIST_TAGS && q->list_tags.start_token ? q->list_tags.start_token : "");
    return buffer;
}

static InventoryAnswer answer(Case *c, size_t call, AwsErrorClass class, const char *tag, const char *next) {
    CLEANUP(aws_reply_free_ptr) AwsReply *reply = calloc(1, sizeof *reply);
    reply->op = AWS_OP_LIST_TAGS;
    if (tag) {
        reply->tags.items = calloc(1, sizeof *reply->tags.items);
        reply->tags.items[reply->tags.n_items++] = (TagInfo){.key = strdup("k"), .value = strdup(tag)};
    }
    reply->tags.next = next ? strdup(next) : NULL;
    InventoryAnswer a;
    InventoryRow *row;
    CallDone done = {.error = {.class = class}, .reply = class == AWS_OK ? reply : NULL};
    assert_int_equal(inventory_answer(&c->v, call, &done, INTERVAL, c->now, &a, &row), 0);
    return a;
}

static void describe(Case *c, size_t call, const char *arn) {
    CLEANUP(aws_reply_free_ptr) AwsReply *reply = calloc(1, sizeof *reply);
    reply->op = AWS_OP_DESCRIBE_TABLE;
    reply->table.arn = strdup(arn);
    InventoryAnswer a;
    InventoryRow *row;
    assert_int_equal(inventory_answer(&c->v, call, &(CallDone){.reply = reply}, INTERVAL, c->now, &a, &row), 0);
}

static void learn(Case *c) {
    char q[128];
    size_t call;
    ask(c, q, &call);
    assert_true(text_starts_with(q, "DescribeTable "));
    assert_string_equal(ask(c, q, &call), ""); /* everything waits for the ARN */
    describe(c, 0, PREFIX "aaa");
}

static void listings_are_compared(void **state) {
    CLEANUP(case_done) Case c;
    case_init(&c);
    list(&c, "bbb ddd", "+bbb +ddd ");
    list(&c, "aaa ccc ddd eee", "+aaa -bbb +ccc +eee ");
    list(&c, "aaa ccc ddd eee", "");
    assert_int_equal(c.v.n_rows, 4);
    assert_non_null(inventory_find(&c.v, "ccc"));
    assert_null(inventory_find(&c.v, "bbb"));
    list(&c, "", "-aaa -ccc -ddd -eee ");
    assert_int_equal(inventory_next_mono(&c.v), USEC_INFINITY);
}

static void tags_are_read_and_read_again(void **state) {
    CLEANUP(case_done) Case c;
    char q[128];
    size_t call;
    case_init(&c);
    list(&c, "_not aaa", "+_not +aaa ");
    learn(&c);
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
    assert_int_equal(inventory_next_mono(&c.v), USEC_INFINITY);
    assert_null(inventory_tags(&c.v, "aaa"));
    assert_int_equal(answer(&c, call, AWS_OK, "1", NULL), INVENTORY_READ);
    assert_string_equal(inventory_tags(&c.v, "aaa"), "k=1");
    assert_null(inventory_tags(&c.v, "_not"));
    assert_int_equal(inventory_next_mono(&c.v), c.now.mono + INTERVAL);
    c.now.mono += INTERVAL;
    c.now.wall += INTERVAL;
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
    assert_int_equal(answer(&c, call, AWS_OK, "1", NULL), INVENTORY_KEPT);
    /* when somebody doubts them, at once */
    assert_int_equal(inventory_doubt(&c.v, "aaa", c.now), 0);
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
    assert_int_equal(answer(&c, call, AWS_OK, NULL, NULL), INVENTORY_READ);
    assert_string_equal(inventory_tags(&c.v, "aaa"), "");
}

/* What the ledger has need not be read before it is due; a clock that was wrong does not put it off for ever. */
static void a_restart_knows_them(void **state) {
    CLEANUP(case_done) Case c;
    case_init(&c);
    assert_int_equal(inventory_restore(&c.v, "bbb", "k=1", c.now.wall - INTERVAL / 4, 7), 0);
    assert_int_equal(inventory_restore(&c.v, "aaa", "k=2", c.now.wall + USEC_PER_DAY, 7), 0);
    assert_string_equal(inventory_tags(&c.v, "bbb"), "k=1");
    list(&c, "aaa bbb", "");
    assert_int_equal(inventory_next_mono(&c.v), c.now.mono + INTERVAL - INTERVAL / 4);
    assert_int_equal(c.v.rows[0]->due.at, c.now.mono + INTERVAL);
    assert_int_equal(c.v.rows[0]->seen_wall, 7);
}

static void pages_follow_each_other(void **state) {
    CLEANUP(case_done) Case c;
    char q[128];
    size_t call;
    case_init(&c);
    list(&c, "aaa", "+aaa ");
    learn(&c);
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_OK, "1", "more"), INVENTORY_GOES_ON);
    assert_null(inventory_tags(&c.v, "aaa"));
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa at more");
    assert_string_equal(ask(&c, q, &call), "");
    assert_int_equal(answer(&c, 0, AWS_OK, "2", NULL), INVENTORY_READ);
    assert_string_equal(inventory_tags(&c.v, "aaa"), "k=1\nk=2");
    /* in circles */
    assert_int_equal(inventory_doubt(&c.v, "aaa", c.now), 0);
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_OK, "1", "more"), INVENTORY_GOES_ON);
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_OK, "1", "more"), INVENTORY_FAILED);
    assert_string_equal(inventory_tags(&c.v, "aaa"), "k=1\nk=2");
}

/* Where no tags are to be read, another table tells the account. */
static void the_account_is_learned(void **state) {
    CLEANUP(case_done) Case c;
    char q[128];
    size_t call;
    case_init(&c);
    assert_int_equal(inventory_next_mono(&c.v), USEC_INFINITY);
    assert_int_equal(text_set(&c.v.learn_from, "gone"), 0);
    assert_string_equal(ask(&c, q, &call), "DescribeTable gone");
    assert_int_equal(answer(&c, call, AWS_NOT_FOUND, NULL, NULL), INVENTORY_GOES_ON);
    assert_null(c.v.learn_from);
    assert_int_equal(text_set(&c.v.learn_from, "orders"), 0);
    assert_string_equal(ask(&c, q, &call), "");
    c.now.mono = inventory_next_mono(&c.v);
    assert_string_equal(ask(&c, q, &call), "DescribeTable orders");
    describe(&c, call, PREFIX "orders");
    assert_string_equal(c.v.arn_prefix, PREFIX);
    assert_int_equal(inventory_next_mono(&c.v), USEC_INFINITY);
}

static void few_calls_at_once(void **state) {
    CLEANUP(case_done) Case c;
    char q[128];
    size_t call;
    case_init(&c);
    list(&c, "aaa bbb ccc ddd eee fff", "+aaa +bbb +ccc +ddd +eee +fff ");
    learn(&c);
    for (int i = 0; i < INVENTORY_CALLS; i++)
        assert_true(text_starts_with(ask(&c, q, &call), "ListTagsOfResource "));
    assert_string_equal(ask(&c, q, &call), "");
    assert_int_equal(inventory_next_mono(&c.v), USEC_INFINITY);
    /* what a table has whose listing is gone meanwhile is nobody's */
    list(&c, "", "-aaa -bbb -ccc -ddd -eee -fff ");
    assert_int_equal(answer(&c, 2, AWS_OK, "1", NULL), INVENTORY_GOES_ON);
    list(&c, "aaa", "+aaa ");
    assert_int_equal(inventory_cancel(&c.v, c.now), 0);
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
}

/* A failure is said once, rests the place for a while, and another account may be behind it by then. */
static void failures_rest_and_are_said_once(void **state) {
    CLEANUP(case_done) Case c;
    char q[128];
    size_t call;
    case_init(&c);
    list(&c, "aaa", "+aaa ");
    learn(&c);
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_TRANSIENT, NULL, NULL), INVENTORY_FAILED);
    assert_true(inventory_next_mono(&c.v) > c.now.mono);
    assert_string_equal(ask(&c, q, &call), "");
    c.now.mono += USEC_PER_HOUR;
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
    assert_int_equal(answer(&c, call, AWS_DENIED, NULL, NULL), INVENTORY_GOES_ON);
    c.now.mono += USEC_PER_HOUR;
    assert_string_equal(ask(&c, q, &call), "DescribeTable aaa");
    describe(&c, call, PREFIX "aaa");
    /* one that is not found is for the next listing to tell */
    assert_string_equal(ask(&c, q, &call), "ListTagsOfResource aaa");
    assert_int_equal(answer(&c, call, AWS_NOT_FOUND, NULL, NULL), INVENTORY_GOES_ON);
    assert_int_equal(inventory_next_mono(&c.v), c.now.mono + USEC_PER_MINUTE);
    c.now.mono += USEC_PER_HOUR;
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_OK, "1", NULL), INVENTORY_READ);
    c.now.mono += USEC_PER_HOUR;
    ask(&c, q, &call);
    assert_int_equal(answer(&c, call, AWS_TRANSIENT, NULL, NULL), INVENTORY_FAILED);
}

UNIT_MAIN(cmocka_unit_test(listings_are_compared), cmocka_unit_test(tags_are_read_and_read_again),
          cmocka_unit_test(a_restart_knows_them), cmocka_unit_test(pages_follow_each_other),
          cmocka_unit_test(the_account_is_learned), cmocka_unit_test(few_calls_at_once),
          cmocka_unit_test(failures_rest_and_are_said_once))
