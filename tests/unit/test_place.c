#include "core/table/place.h"

#include "core/table/target.h"
#include "unit.h"

static char *two_regions[] = {"eu-west-1", "us-east-1"};

static Places make(AccountConf *accounts, size_t n, const char *own_region) {
    Conf c = {.accounts = accounts, .n_accounts = n};
    Places p = {};
    assert_int_equal(places_make(&c, own_region, (Now){}, &p), 0);
    return p;
}

static void expect(const Places *p, const char *labels) {
    AUTO_TEXT t = TEXT_INIT(1024);
    char label[PLACE_LABEL_SIZE];
    for (size_t i = 0; i < p->n_items; i++)
        text_addf(&t, "%s ", place_label(&p->items[i], true, label));
    assert_string_equal(text_get(&t), labels);
}

static void places_of_a_configuration(void **state) {
    CLEANUP(places_done) Places own = make(NULL, 0, "eu-central-1");
    expect(&own, "own/eu-central-1 ");
    assert_false(places_are_many(&own));
    AccountConf accounts[] = {{.name = "prod", .regions = two_regions, .n_regions = 2}, {.name = "shop"}};
    CLEANUP(places_done) Places all = make(accounts, 2, "ap-south-1");
    expect(&all, "prod/eu-west-1 prod/us-east-1 shop/ap-south-1 ");
    assert_true(places_are_many(&all));
    assert_ptr_equal(places_find(&all, "prod", "us-east-1"), &all.items[1]);
    assert_null(places_find(&all, "prod", "ap-south-1"));
    assert_null(places_find(&all, "own", "eu-west-1"));
    /* a region that is not known is every one */
    CLEANUP(places_done) Places unknown = make(accounts, 2, NULL);
    assert_ptr_equal(places_find(&unknown, "shop", "anywhere"), &unknown.items[2]);
}

static CallDone ended(AwsErrorClass class, int status, int n_sends) {
    return (CallDone){.error = {.class = class, .status = status},
                      .n_sends = n_sends,
                      .server_wall = status ? USEC_PER_DAY : WALL_UNKNOWN};
}

static void what_a_call_says_of_its_place(void **state) {
    static const struct {
        AwsErrorClass class;
        int status, n_sends;
        PlaceTrouble trouble;
    } rows[] = {
        {AWS_OK, 200, 1, PLACE_WELL},
        {AWS_CREDENTIALS, 400, 1, PLACE_CREDENTIALS},
        {AWS_CREDENTIALS, 0, 0, PLACE_CREDENTIALS}, /* there are none */
        {AWS_TRANSIENT, 0, 4, PLACE_UNREACHABLE},
        {AWS_TRANSIENT, 503, 4, PLACE_WELL},
        {AWS_UNCERTAIN, 0, 4, PLACE_UNREACHABLE},
        {AWS_UNCERTAIN, 0, 1, PLACE_WELL}, /* one connection that broke */
        {AWS_UNCERTAIN, 200, 4, PLACE_WELL},
        {AWS_DENIED, 400, 1, PLACE_WELL},
        {AWS_THROTTLED, 400, 4, PLACE_WELL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CallDone done = ended(rows[i].class, rows[i].status, rows[i].n_sends);
        if (place_trouble_of(&done) != rows[i].trouble)
            fail_msg("row %zu: %d", i, (int)place_trouble_of(&done));
    }
}

/* One broken account is one message, however many regions it has; so is a region, however many accounts. */
static void trouble_is_said_once(void **state) {
    AccountConf accounts[] = {{.name = "prod", .regions = two_regions, .n_regions = 2},
                              {.name = "shop", .regions = two_regions, .n_regions = 2}};
    CLEANUP(places_done) Places all = make(accounts, 2, NULL);
    static const struct {
        size_t place;
        AwsErrorClass class;
        PlaceNews news;
        bool has_date;
    } rows[] = {
        {0, AWS_OK, PLACE_NEWS_NONE},
        {0, AWS_CREDENTIALS, PLACE_NEWS_TROUBLE},
        {0, AWS_CREDENTIALS, PLACE_NEWS_NONE},
        {1, AWS_CREDENTIALS, PLACE_NEWS_NONE}, /* the same account */
        {2, AWS_CREDENTIALS, PLACE_NEWS_TROUBLE},
        {2, AWS_OK, PLACE_NEWS_OVER},
        {0, AWS_REFUSED, PLACE_NEWS_NONE, true}, /* says nothing of whoever asks */
        {0, AWS_DENIED, PLACE_NEWS_OVER, true},  /* knows who asks */
        {0, AWS_OK, PLACE_NEWS_NONE},
        {1, AWS_CREDENTIALS, PLACE_NEWS_TROUBLE}, /* goes on without the one that had said it */
        {1, AWS_OK, PLACE_NEWS_OVER},
        {1, AWS_TRANSIENT, PLACE_NEWS_TROUBLE},
        {3, AWS_TRANSIENT, PLACE_NEWS_NONE}, /* the same region */
        {0, AWS_TRANSIENT, PLACE_NEWS_TROUBLE},
        {0, AWS_REFUSED, PLACE_NEWS_NONE},       /* nobody knows whose answer that is */
        {0, AWS_REFUSED, PLACE_NEWS_OVER, true}, /* whatever the service answers, it is there */
        {1, AWS_CREDENTIALS, PLACE_NEWS_TROUBLE}, /* another trouble */
        {3, AWS_OK, PLACE_NEWS_NONE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CallDone done = ended(rows[i].class, rows[i].class == AWS_TRANSIENT ? 0 : 400, 4);
        done.server_wall = rows[i].has_date ? USEC_PER_SEC : WALL_UNKNOWN;
        PlaceNews news = places_take(&all, &all.items[rows[i].place], &done);
        if (news != rows[i].news)
            fail_msg("row %zu: %d", i, (int)news);
    }
}

UNIT_MAIN(cmocka_unit_test(places_of_a_configuration), cmocka_unit_test(what_a_call_says_of_its_place),
          cmocka_unit_test(trouble_is_said_once))
