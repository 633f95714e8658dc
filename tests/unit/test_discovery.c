#include "core/table/discovery.h"

#include "unit.h"

static const Now start = {.wall = 1000 * USEC_PER_SEC, .mono = USEC_PER_HOUR};

static DiscoveryNews page(Discovery *d, const char *const *names, size_t n, const char *next, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    CLEANUP(aws_reply_free_ptr) AwsReply *reply = calloc(1, sizeof *reply);
    DiscoveryNews news = DISCOVERY_FAILED;
    assert_int_equal(discovery_request(d, &q), 0);
    reply->op = AWS_OP_LIST_TABLES;
    reply->tables.items = calloc(n + 1, sizeof(char *));
    for (size_t i = 0; i < n; i++)
        reply->tables.items[reply->tables.n_items++] = strdup(names[i]);
    reply->tables.next = next ? strdup(next) : NULL;
    assert_int_equal(discovery_answer(d, &(CallDone){.reply = reply}, USEC_PER_HOUR, now, &news), 0);
    return news;
}

static void pages_become_one_sorted_list(void **state) {
    CLEANUP(discovery_done) Discovery d = {};
    discovery_restart(&d, true, start);
    assert_true(d.next_mono == start.mono);
    assert_int_equal(page(&d, (const char *[]){"orders", "b"}, 2, "b", start), DISCOVERY_GOES_ON);
    assert_true(d.next_mono == start.mono);
    assert_int_equal(page(&d, (const char *[]){"a"}, 1, NULL, start), DISCOVERY_COMPLETE);
    assert_true(d.next_mono == start.mono + USEC_PER_HOUR);
    assert_int_equal(d.n_names, 3);
    assert_string_equal(d.names[0], "a");
    assert_true(discovery_has(&d, "orders"));
    assert_false(discovery_has(&d, "order"));
}

static void half_a_walk_is_no_walk(void **state) {
    CLEANUP(discovery_done) Discovery d = {};
    CLEANUP(aws_request_free_ptr) AwsRequest *q = NULL;
    DiscoveryNews news;
    discovery_restart(&d, true, start);
    page(&d, (const char *[]){"a"}, 1, "a", start);
    assert_int_equal(discovery_request(&d, &q), 0);
    assert_string_equal(q->list_tables.start_name, "a");
    CallDone failed = {.error = {.class = AWS_DENIED}};
    assert_int_equal(discovery_answer(&d, &failed, USEC_PER_HOUR, start, &news), 0);
    assert_int_equal(news, DISCOVERY_FAILED);
    assert_true(d.next_mono > start.mono && d.next_mono < start.mono + USEC_PER_HOUR);
    assert_int_equal(page(&d, (const char *[]){"b"}, 1, NULL, start), DISCOVERY_COMPLETE);
    assert_int_equal(d.n_names, 1);
    /* what the last whole one found holds through the next, and through one that fails */
    page(&d, (const char *[]){"c"}, 1, "c", start);
    assert_true(d.n_names == 1 && discovery_has(&d, "b") && !discovery_has(&d, "c"));
    assert_int_equal(discovery_answer(&d, &failed, USEC_PER_HOUR, start, &news), 0);
    assert_true(discovery_has(&d, "b") && !discovery_has(&d, "c"));
}

/* A failure is said once, until a walk succeeds. */
static void failures_are_said_once(void **state) {
    CLEANUP(discovery_done) Discovery d = {};
    DiscoveryNews news;
    CallDone failed = {.error = {.class = AWS_DENIED}};
    Usec last = 0;
    discovery_restart(&d, true, start);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(discovery_answer(&d, &failed, USEC_PER_HOUR, start, &news), 0);
        assert_int_equal(news, i == 0 ? DISCOVERY_FAILED : DISCOVERY_GOES_ON);
        assert_true(d.next_mono >= last && d.next_mono <= start.mono + 5 * USEC_PER_MINUTE);
        last = d.next_mono;
    }
}

static void a_listing_in_circles_fails(void **state) {
    CLEANUP(discovery_done) Discovery d = {};
    discovery_restart(&d, true, start);
    assert_int_equal(page(&d, (const char *[]){"a"}, 1, "a", start), DISCOVERY_GOES_ON);
    assert_int_equal(page(&d, (const char *[]){"a"}, 1, "a", start), DISCOVERY_FAILED);
}

UNIT_MAIN(cmocka_unit_test(pages_become_one_sorted_list), cmocka_unit_test(half_a_walk_is_no_walk),
          cmocka_unit_test(failures_are_said_once), cmocka_unit_test(a_listing_in_circles_fails))
