#include "core/aws/codec.h"
#include "core/credentials/container.h"
#include "core/credentials/keeper.h"
#include "core/format/json_flat.h"
#include "core/format/shell_split.h"
#include "core/format/xml_find.h"

#include "unit.h"

#define T0 (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

/* --- an environment and files of ours, a keeper over them --- */

typedef struct Place {
    const char *variables[8][2];
    const char *files[4][2];
} Place;

static const char *environment(void *context, const char *name) {
    const Place *p = context;
    for (size_t i = 0; p->variables[i][0]; i++)
        if (strcmp(p->variables[i][0], name) == 0)
            return p->variables[i][1];
    return NULL;
}

static int read_file(void *context, const char *path, char **ret, size_t *ret_len) {
    const Place *p = context;
    for (size_t i = 0; i < ARRAY_SIZE(p->files) && p->files[i][0]; i++)
        if (strcmp(p->files[i][0], path) == 0) {
            *ret = strdup(p->files[i][1]);
            *ret_len = strlen(*ret);
            return 0;
        }
    return -ENOENT;
}

typedef struct Bench {
    Keeper *keeper;
    ProviderOutbox out;
    Now now;
    Usec next_mono;
} Bench;

static void bench_done(Bench *b) {
    provider_outbox_done(&b->out);
    keeper_free(b->keeper);
}

static Bench bench_make(Place *place) {
    Bench b = {.now = {.wall = T0, .mono = USEC_PER_HOUR}};
    ProviderPort port = {.context = place, .environment = environment, .read_file = read_file};
    ProviderWish wish = {.region = "eu-central-1"};
    assert_int_equal(keeper_new(&port, 1, &b.keeper), 0);
    assert_int_equal(keeper_set(b.keeper, "own", &wish), 0);
    return b;
}

static void turn(Bench *b) {
    provider_outbox_clear(&b->out);
    assert_int_equal(keeper_turn(b->keeper, b->now, &b->out, &b->next_mono), 0);
}

static void pass(Bench *b, Usec usec) {
    b->now.wall += usec;
    b->now.mono += usec;
    turn(b);
}

static void reply(Bench *b, HttpOutcome outcome, int status, const char *body) {
    HttpReply *r = calloc(1, sizeof *r);
    assert_int_equal(b->out.n_requests, 1);
    *r = (HttpReply){.id = b->out.requests[0]->id, .outcome = outcome, .status = status, .body = strdup(body),
                     .body_len = strlen(body), .error = strdup("broken")};
    assert_true(keeper_owns(r->id));
    assert_int_equal(keeper_reply(b->keeper, r, b->now), 0);
    turn(b);
}

static Place container = {.variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x"}}};

#define GOOD(n, until)                                                                                                 \
    "{\"AccessKeyId\":\"ASIA" n "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"" until "\"}"

static const ProviderNews *expect_found(Bench *b, const char *id) {
    assert_int_equal(b->out.n_news, 1);
    assert_non_null(b->out.news[0].found);
    assert_string_equal(b->out.news[0].found->access_key_id, id);
    assert_string_equal(b->out.news[0].account, "own");
    return &b->out.news[0];
}

static void renewed_ahead_of_expiry_one_at_a_time(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(&container);
    turn(&b);
    assert_string_equal(b.out.requests[0]->url, "http://127.0.0.1:1/x");
    assert_true(b.out.requests[0]->direct);
    reply(&b, HTTP_REPLIED, 200, GOOD("1", "2026-11-23T01:00:00Z"));
    assert_true(expect_found(&b, "ASIA1")->is_new);
    Usec wait = b.next_mono - b.now.mono;
    assert_true(wait >= 40 * USEC_PER_MINUTE && wait <= 45 * USEC_PER_MINUTE);
    pass(&b, wait - 1);
    assert_int_equal(b.out.n_requests, 0);
    pass(&b, 1);
    assert_int_equal(b.out.n_requests, 1);
    uint64_t id = b.out.requests[0]->id;
    keeper_refresh(b.keeper, "own", b.now);
    pass(&b, USEC_PER_SEC);
    assert_int_equal(b.out.n_requests, 0); /* one is under way */
    HttpReply *r = calloc(1, sizeof *r);
    *r = (HttpReply){.id = id,
                     .outcome = HTTP_REPLIED,
                     .status = 200,
                     .body = strdup(GOOD("2", "2026-11-23T02:00:00Z"))};
    r->body_len = strlen(r->body);
    assert_int_equal(keeper_reply(b.keeper, r, b.now), 0);
    turn(&b);
    expect_found(&b, "ASIA2");
}

static void failures_are_said_once_and_the_old_ones_stay(void **state) {
    CLEANUP(bench_done) Bench b = bench_make(&container);
    size_t n_said = 0, n_attempts = 0;
    turn(&b);
    reply(&b, HTTP_REPLIED, 200, GOOD("1", "2026-11-23T01:00:00Z"));
    for (int i = 0; i < 2000 && b.now.wall < T0 + 2 * USEC_PER_HOUR; i++) {
        pass(&b, b.next_mono == USEC_INFINITY ? 0 : usec_max(b.next_mono - b.now.mono, 0));
        if (b.out.n_requests > 0)
            reply(&b, HTTP_NOT_SENT, 0, "");
        for (size_t j = 0; j < b.out.n_news; j++) {
            assert_null(b.out.news[j].found);
            assert_true(b.out.news[j].has_old);
            assert_int_equal(b.out.news[j].failure, PROVIDER_FAILURE_RETRIEVAL);
            assert_non_null(strstr(b.out.news[j].why, "; HINT: "));
            n_said += b.out.news[j].is_new;
            n_attempts++;
        }
    }
    assert_int_equal(n_said, 1);
    assert_true(n_attempts > 12 && n_attempts < 60);
    assert_non_null(provider_problem(keeper_provider(b.keeper, 0)));
    assert_true(provider_expires_wall(keeper_provider(b.keeper, 0)) == T0 + USEC_PER_HOUR);
    keeper_restart(b.keeper, b.now);
    turn(&b);
    reply(&b, HTTP_REPLIED, 200, GOOD("1", "2026-11-23T08:00:00Z"));
    assert_true(expect_found(&b, "ASIA1")->is_new); /* it is well again: that is news, too */
    assert_null(provider_problem(keeper_provider(b.keeper, 0)));
}

static void a_broken_account_delays_no_other(void **state) {
    Place place = {.variables = {{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s"}}};
    CLEANUP(bench_done) Bench b = bench_make(&place);
    ProviderRole role = {.role_arn = "arn:aws:iam::123456789012:role/backup", .external_id = "bk&7"};
    ProviderWish broken = {.profile = "nowhere", .region = "eu-central-1"},
                 other = {.region = "eu-central-1", .role = &role};
    assert_int_equal(keeper_set(b.keeper, "broken", &broken), 0);
    assert_int_equal(keeper_set(b.keeper, "other", &other), 0);
    turn(&b);
    assert_int_equal(b.out.n_news, 2);
    assert_non_null(b.out.news[0].found);
    assert_int_equal(b.out.news[1].failure, PROVIDER_FAILURE_CONFIG);
    assert_int_equal(b.out.n_requests, 1);
    assert_string_equal(b.out.requests[0]->url, "https://sts.eu-central-1.amazonaws.com/");
    assert_non_null(strstr(b.out.requests[0]->body, "&ExternalId=bk%267"));
    assert_non_null(strstr(http_headers_get(&b.out.requests[0]->headers, "Authorization"), "/eu-central-1/sts/"));
    keeper_remove(b.keeper, "other");
    reply(&b, HTTP_REPLIED, 200, "");
    assert_int_equal(b.out.n_news, 0);
}

static void the_accounts_of_a_configuration_are_followed(void **state) {
    Place place = {.variables = {{"HOME", "/h"}, {"CREDENTIALS_DIRECTORY", "/run/c"}, {"AWS_ACCESS_KEY_ID", "AKID"},
                                 {"AWS_SECRET_ACCESS_KEY", "s"}}};
    CLEANUP(bench_done) Bench b = bench_make(&place);
    char *regions[] = {"cn-north-1"};
    AccountConf accounts[] =
        {{.name = "shop", .role_arn = "arn:aws-cn:iam::1:role/x", .regions = regions, .n_regions = 1},
         {.name = "home"}};
    Conf conf = {.deployment = "acme", .accounts = accounts, .n_accounts = 2};
    AUTO_FREE const char **files = NULL;
    size_t n_files;
    assert_int_equal(keeper_follow(b.keeper, &conf, "eu-west-1"), 0);
    assert_int_equal(keeper_n_accounts(b.keeper), 2); /* "own" is none of them */
    turn(&b);
    assert_int_equal(b.out.n_news, 1);
    assert_string_equal(b.out.news[0].account, "home");
    assert_int_equal(b.out.n_requests, 1);
    assert_string_equal(b.out.requests[0]->url, "https://sts.cn-north-1.amazonaws.com.cn/");
    assert_non_null(strstr(b.out.requests[0]->body, "&RoleSessionName=ddbackupd-acme"));
    assert_int_equal(keeper_files(b.keeper, &files, &n_files), 0);
    assert_int_equal(n_files, 3); /* each once, though both accounts have them */
    assert_string_equal(files[0], "/run/c/aws-credentials");
    conf.aws.fips = SWITCH_ON;
    conf.n_accounts = 1;
    assert_int_equal(keeper_follow(b.keeper, &conf, "eu-west-1"), 0);
    assert_int_equal(keeper_n_accounts(b.keeper), 1);
    turn(&b);
    assert_string_equal(b.out.requests[0]->url, "https://sts-fips.cn-north-1.amazonaws.com.cn/");
    conf.aws.sts_endpoint_url = "http://127.0.0.1:1";
    assert_int_equal(keeper_follow(b.keeper, &conf, "eu-west-1"), 0);
    turn(&b);
    assert_string_equal(b.out.requests[0]->url, "http://127.0.0.1:1/");
}

static void services_sections_are_read(void **state) {
    static const struct {
        const char *text, *value;
        int r;
    } rows[] = {
        {"[services x]\ndynamodb =\n  endpoint_url = http://a\n", "http://a", 0},
        {"[ services \"x\" ]\nDynamoDB =\n  endpoint_url = http://a # ours", "http://a", 0},
        {"[services x]\nsts =\n  endpoint_url = http://s\ndynamodb =\n  endpoint_url = http://a\n", "http://a", 0},
        {"[services x]\ndynamodb =\n  endpoint_url = http://a\n[services x]\ndynamodb =\n  endpoint_url = http://b\n",
         "http://b", 0},
        {"[services x]\ndynamodb =\n  retries = 1\n", NULL, -ENODATA},
        {"[services x]\ndynamodb =\n  endpoint_url =\n", NULL, -ENODATA},
        {"[services x]\nendpoint_url = http://a\n", NULL, -ENODATA},
        {"[services xx]\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
        {"[profile x]\ndynamodb =\n  endpoint_url = http://a\n", NULL, -ENOENT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Place place = {.variables = {{"AWS_CONFIG_FILE", "/c"}}, .files = {{"/c", rows[i].text}}};
        ProviderPort port = {.context = &place, .environment = environment, .read_file = read_file};
        AUTO_FREE char *value = NULL;
        int r = provider_service_value(&port, "x", "dynamodb", "endpoint_url", &value);
        if (r != rows[i].r || !text_equal(value, rows[i].value))
            fail_msg("row %zu: %d, \"%s\"", i, r, value ? value : "-");
    }
}

static void systemd_goes_before_the_home(void **state) {
    Place place = {.variables = {{"HOME", "/h"}, {"CREDENTIALS_DIRECTORY", "/run/c"}},
                   .files = {{"/h/.aws/credentials",
                              "[default]\naws_access_key_id = HOME\naws_secret_access_key = s\n"},
                             {"/run/c/aws-credentials",
                              "[default]\naws_access_key_id = SYSTEMD\naws_secret_access_key = s\n"}}};
    CLEANUP(bench_done) Bench b = bench_make(&place);
    size_t n;
    turn(&b);
    expect_found(&b, "SYSTEMD");
    assert_string_equal(b.out.news[0].found->source, "profile default of /run/c/aws-credentials");
    assert_true(b.next_mono == USEC_INFINITY);
    const char *const *files = provider_files(keeper_provider(b.keeper, 0), &n);
    assert_int_equal(n, 3);
    assert_string_equal(files[0], "/run/c/aws-credentials");
}

/* --- small grammars --- */

static void xml_is_read_strictly(void **state) {
    static const struct {
        const char *text;
        int result;
        const char *value;
    } rows[] = {
        {"<a><b>1</b></a>", 0, "1"},
        {"<?xml version='1.0'?>\n<a x=\"y\"><c>2</c><b>&lt;&#65;&#x42;&amp;</b></a>\n", 0, "<AB&"},
        {"<a><b/></a>", 0, ""},
        {"<a><b>1</b><b>2</b></a>", 0, "1"},
        {"<a><c><b>1</b></c></a>", -ENOENT},
        {"<a><b><c>1</c></b></a>", -ENOENT},
        {"<b>1</b>", -ENOENT},
        {"<a><b>1</b>", -EBADMSG},
        {"<a><b>1</c></a>", -EBADMSG},
        {"<a><b>&nbsp;</b></a>", -EBADMSG},
        {"<a><b>&#xD800;</b></a>", -EBADMSG},
        {"<a><b>1</b></a><a/>", -EBADMSG},
        {"<!DOCTYPE a><a><b>1</b></a>", -EBADMSG},
        {"<a><!-- x --><b>1</b></a>", -EBADMSG},
        {"x<a><b>1</b></a>", -EBADMSG},
        {"", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(secret_done) Secret found = {};
        int r = xml_find(rows[i].text, strlen(rows[i].text), "a/b", &found);
        if (r != rows[i].result || (r == 0 && strcmp(found.bytes, rows[i].value) != 0))
            fail_msg("row %zu: %d %s", i, r, found.bytes ? found.bytes : "");
    }
}

static void words_are_split_as_shlex_does(void **state) {
    static const struct {
        const char *line, *joined; /* NULL: refused */
    } rows[] = {{"a  b\tc", "a|b|c|"},
                {"'a b' \"c d\"", "a b|c d|"},
                {"a\\ b", "a b|"},
                {"\"a\\\"b\\n\"", "a\"b\\n|"},
                {"'a\\'", "a\\|"},
                {"a'b'\"c\"", "abc|"},
                {"''", "|"},
                {"", ""},
                {"$HOME;`x` > y", "$HOME;`x`|>|y|"},
                {"'a", NULL},
                {"a\\", NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(shell_split_free_ptr) char **words = NULL;
        char joined[128] = "";
        int r = shell_split(rows[i].line, &words);
        for (size_t j = 0; words && words[j]; j++)
            strcat(strcat(joined, words[j]), "|");
        if (rows[i].joined ? r < 0 || strcmp(joined, rows[i].joined) != 0 : r != -EINVAL)
            fail_msg("row %zu: %d %s", i, r, joined);
    }
}

static void members_are_found_in_place(void **state) {
    static const char text[] =
        "{\"a\":{\"b\":\"no\"},\"c\":[\"b\",{}],\"b\":\"x\\u00e4\\ud83d\\ude00\\n\",\"n\":null,\"b\" : \"y\\\"\"}";
    CLEANUP(secret_done) Secret s = {};
    JsonSpan object = json_flat_object(text, sizeof text - 1);
    assert_int_equal(json_flat_string(json_flat_member(object, "b"), &s), 0);
    assert_string_equal(s.bytes, "y\"");
    assert_int_equal(json_flat_string(json_flat_member(json_flat_member(object, "a"), "b"), &s), 0);
    assert_string_equal(s.bytes, "no");
    assert_int_equal(json_flat_string(json_flat_member(object, "n"), &s), -ENOENT);
    assert_int_equal(json_flat_string(json_flat_member(object, "c"), &s), -EBADMSG);
    assert_null(json_flat_object("[1]", 3).at);
    assert_null(json_flat_object("{\"a\":1", 6).at);
}

static void containers_are_asked_at_home_alone(void **state) {
    static const char *const good[] = {"https://example.com/x",   "http://127.0.0.1/x", "http://127.9.8.7:80",
                                       "http://[::1]:1/",         "http://localhost/x", "http://169.254.170.2/x",
                                       "http://[fd00:ec2::23]/v1"};
    static const char *const bad[] = {"http://example.com/",
                                      "http://169.254.169.254/",
                                      "http://127.0.0.1.nip.io/",
                                      "ftp://127.0.0.1/",
                                      "http://127.0.0.1@example.com/",
                                      "http://128.0.0.1/",
                                      "http://127.1/",
                                      "http:///x",
                                      ""};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!container_url_is_allowed(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (container_url_is_allowed(bad[i]))
            fail_msg("%s", bad[i]);
}

UNIT_MAIN(cmocka_unit_test(renewed_ahead_of_expiry_one_at_a_time),
          cmocka_unit_test(failures_are_said_once_and_the_old_ones_stay),
          cmocka_unit_test(a_broken_account_delays_no_other),
          cmocka_unit_test(the_accounts_of_a_configuration_are_followed), cmocka_unit_test(services_sections_are_read),
          cmocka_unit_test(systemd_goes_before_the_home),
          cmocka_unit_test(xml_is_read_strictly), cmocka_unit_test(words_are_split_as_shlex_does),
          cmocka_unit_test(members_are_found_in_place), cmocka_unit_test(containers_are_asked_at_home_alone))
