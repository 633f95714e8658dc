#include "core/conf/conf_select.h"

#include "base/text.h"
#include "core/conf/conf_check.h"
#include "core/conf/conf_expand.h"
#include "core/conf/conf_schema.h"
#include "core/conf/conf_syntax.h"
#include "unit.h"

/* --- trees by hand --- */

static ConfTree *child_of(ConfTree *group, ConfKind kind, const char *key) {
    ConfTree *t = conf_tree_new(kind, key, "test.conf", 7);
    assert_non_null(t);
    assert_int_equal(conf_tree_add(group, t), 0);
    return t;
}

static ConfTree *group_of(ConfTree *group, const char *key, ConfKind kind) {
    for (size_t i = 0; i < group->n_children; i++)
        if (key && text_equal(group->children[i]->key, key))
            return group->children[i];
    return child_of(group, kind, key);
}

/* The place of "a.b.c", with the groups that it needs. */
static ConfTree *place(ConfTree *root, const char *path, ConfKind kind) {
    AUTO_FREE char *copy = strdup(path);
    ConfTree *at = root;
    char *rest = copy;
    for (char *part; (part = strsep(&rest, "."));)
        at = rest ? group_of(at, part, CONF_GROUP) : child_of(at, kind, part);
    return at;
}

static void set(ConfTree *root, const char *path, const char *value) {
    place(root, path, CONF_STRING)->string = strdup(value);
}

/* "a b c" as a list of strings. */
static void set_list(ConfTree *group, const char *key, const char *words) {
    ConfTree *list = child_of(group, CONF_LIST, key);
    AUTO_FREE char *copy = strdup(words);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            child_of(list, CONF_STRING, NULL)->string = strdup(word);
}

static void add_entry(ConfTree *root, const char *match, const char *exclude, const char *schedules) {
    ConfTree *entry = child_of(group_of(root, "tables", CONF_LIST), CONF_GROUP, NULL);
    set_list(entry, "match", match);
    if (exclude)
        set_list(entry, "exclude", exclude);
    set_list(entry, "schedules", schedules);
    if (!*schedules)
        set(entry, "reason", "on purpose");
}

static ConfTree *new_tree(void) {
    ConfTree *t = conf_tree_new(CONF_GROUP, NULL, "test.conf", 0);
    assert_non_null(t);
    return t;
}

static unsigned n_loaded;

static int load_zone(void *context, const char *name, Zone **ret) {
    n_loaded++;
    return strcmp(name, "UTC") == 0 ? zone_utc(ret) : -ENOENT;
}

static Conf *make(const ConfTree *tree) {
    ConfProblems problems = {};
    Conf *c = NULL;
    int r = conf_from_tree(tree, load_zone, NULL, &problems, &c);
    for (size_t i = 0; i < problems.n_items; i++)
        print_error("%s\n", problems.items[i]);
    assert_int_equal(r, 0);
    conf_problems_done(&problems);
    return c;
}

/* --- values --- */

static void defaults_are_good(void **state) {
    for (size_t i = 0; i < conf_schema_size; i++) {
        const ConfKey *k = &conf_schema[i];
        union {
            Conf conf;
            ScheduleConf schedule;
        } base = {};
        bool is_value = k->type != CONF_TYPE_SECTION && k->type != CONF_TYPE_NAMED && k->type != CONF_TYPE_ENTRIES;
        if (conf_value_default(k, &base) < 0)
            fail_msg("the default of %s is not good", k->name);
        if (is_value && !k->default_text && !k->unset && !k->required)
            fail_msg("%s says nothing of what happens without it", k->name);
        if (k->required && !k->example)
            fail_msg("%s has no example", k->name);
        if (!k->doc || conf_key(k->in, k->name) != k)
            fail_msg("%s is there twice or says nothing", k->name);
        if (k->in == CONF_SECTION_ROOT && k->default_text && k->type == CONF_TYPE_TEXT)
            free(*(char **)((char *)&base + k->offset));
    }
}

static void what_is_not_set_has_its_default(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    set(t, "schedules.nightly.action", "backup");
    set(t, "schedules.nightly.when", "02:00");
    add_entry(t, "orders", NULL, "nightly");
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    const ScheduleConf *s = conf_schedule(c, "nightly");
    assert_string_equal(c->deployment, "acme");
    assert_int_equal(c->log_level, 6);
    assert_null(c->aws.region);
    assert_null(c->aws.endpoint_url);
    assert_int_equal(c->aws.connect_timeout_usec, 5 * USEC_PER_SEC);
    assert_int_equal(c->aws.read_timeout_usec, 30 * USEC_PER_SEC);
    assert_int_equal(c->aws.max_attempts, 0);
    assert_int_equal(c->aws.fips, SWITCH_UNSET);
    assert_int_equal(c->aws.retry_mode, RETRY_MODE_UNSET);
    assert_int_equal(c->aws.discovery_interval_usec, 15 * USEC_PER_MINUTE);
    assert_true(c->limits.rate_share == 0.5);
    assert_int_equal(c->limits.max_exports_in_flight, 200);
    assert_int_equal(c->limits.listing_lag_usec, 5 * USEC_PER_MINUTE);
    assert_int_equal(s->action, ACTION_BACKUP);
    assert_string_equal(s->when_text, "02:00");
    assert_string_equal(zone_name(s->zone), "UTC");
    assert_int_equal(s->spread_usec, 0);
    assert_int_equal(s->start_within_usec, 6 * USEC_PER_HOUR);
    assert_int_equal(s->warn_after_usec, 4 * USEC_PER_HOUR);
    assert_int_equal(s->finish_within_usec, USEC_PER_DAY);
    assert_int_equal(s->max_age_usec, 0);
    assert_int_equal(s->catch_up, CATCH_UP_LAST);
    assert_int_equal(s->verify, VERIFY_SERVICE);
    assert_null(s->s3.bucket);
    assert_false(retention_keep_is_set(&s->keep));
    assert_int_equal(s->keep.floor, 1);
    assert_int_equal(s->expire, EXPIRE_REPORT);
    assert_int_equal(s->n_formerly, 0);
    assert_int_equal(c->limits.max_delete, 1000);
    assert_true(c->limits.max_delete_share == 0.1);
    assert_null(conf_schedule(c, "weekly"));
}

static void schedules_override_defaults(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    set(t, "log_level", "error");
    set(t, "aws.region", "eu-central-1");
    place(t, "aws.max_attempts", CONF_INT)->integer = 20;
    place(t, "limits.rate_share", CONF_INT)->integer = 1;
    set(t, "defaults.spread", "1h");
    set(t, "defaults.catch_up", "none");
    place(t, "defaults.keep.last", CONF_INT)->integer = 7;
    place(t, "defaults.keep.floor", CONF_INT)->integer = 2;
    set(t, "defaults.expire", "delete");
    set(t, "defaults.s3.bucket", "acme-%{region}");
    set(t, "defaults.s3.prefix", "%{table}");
    set(t, "defaults.s3.bucket_owner", "333333333333");
    set(t, "schedules.full.action", "export");
    set(t, "schedules.full.when", "Sun 03:00 UTC");
    set(t, "schedules.full.spread", "6h");
    set(t, "schedules.full.s3.bucket", "other");
    set(t, "schedules.full.s3.prefix", "");
    place(t, "schedules.full.keep.last", CONF_INT)->integer = 0;
    place(t, "schedules.full.keep.weekly", CONF_INT)->integer = 5;
    set(t, "schedules.full.keep.within", "90d");
    set(t, "schedules.full.formerly", "whole");
    set(t, "schedules.nightly.action", "backup");
    set(t, "schedules.nightly.when", "02:00");
    add_entry(t, "*", NULL, "full nightly");
    n_loaded = 0;
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    const ScheduleConf *full = conf_schedule(c, "full"), *nightly = conf_schedule(c, "nightly");
    assert_int_equal(c->log_level, 3);
    assert_string_equal(c->aws.region, "eu-central-1");
    assert_int_equal(c->aws.max_attempts, 20);
    assert_true(c->limits.rate_share == 1);
    assert_int_equal(full->action, ACTION_EXPORT);
    assert_int_equal(full->spread_usec, 6 * USEC_PER_HOUR);
    assert_int_equal(nightly->spread_usec, USEC_PER_HOUR);
    assert_int_equal(full->catch_up, CATCH_UP_NONE);
    assert_string_equal(full->s3.bucket, "other");
    assert_null(full->s3.prefix);
    assert_string_equal(full->s3.bucket_owner, "333333333333");
    assert_null(nightly->s3.bucket); /* a backup has none, inherited or not */
    assert_int_equal(full->keep.last, 0);
    assert_int_equal(full->keep.weekly, 5);
    assert_true(full->keep.within_usec == 90 * USEC_PER_DAY);
    assert_int_equal(full->keep.floor, 2);
    assert_int_equal(full->expire, EXPIRE_REPORT); /* exports are not deleted */
    assert_true(conf_schedule_is(full, "full") && conf_schedule_is(full, "whole") &&
                !conf_schedule_is(full, "nightly"));
    assert_int_equal(nightly->keep.last, 7);
    assert_int_equal(nightly->keep.weekly, 0);
    assert_int_equal(nightly->expire, EXPIRE_DELETE);
    assert_int_equal(nightly->n_formerly, 0);
    assert_ptr_equal(full->zone, nightly->zone);
    assert_int_equal(n_loaded, 1);
    assert_int_equal(c->n_zones, 1);
}

static void every_problem_is_found_in_one_go(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    Conf *c = NULL;
    set(t, "deployment", "a b");
    set(t, "defaults.max_age", "long");
    set(t, "schedules.one.action", "backup");
    set(t, "schedules.one.when", "25:00");
    set(t, "schedules.two.action", "export");
    set(t, "schedules.two.when", "02:00 Nowhere/There");
    add_entry(t, "x", NULL, "one two");
    static const char *const expected[] = {
        "test.conf:7: deployment: \"a b\" holds other characters than letters, digits, '_' and '-'",
        "test.conf:7: defaults.max_age: \"long\" is no duration; HINT: numbers with the units ms, s, min, h, d, w, "
        "such as \"90min\" or \"1h 30min\"",
        "test.conf:7: schedules.one.when: \"25:00\": expected an hour between 0 and 23, at \"25:00\", character 1; "
        "HINT: such as \"02:00\", \"Sun 03:30\" or \"*:0/15\"",
        "test.conf:7: schedules.two.when: there is no time zone \"Nowhere/There\"; HINT: an IANA name such as "
        "\"Europe/Berlin\", see timedatectl list-timezones",
        "test.conf:7: schedules.two.s3.bucket: is missing; HINT: exports go to a bucket, s3 = { bucket = \"...\"; };",
        "test.conf:7: tables.match: \"x\" is too short for a table's name, which has 3 to 255 characters; HINT: a "
        "pattern holds *, ? or [ ]",
    };
    assert_int_equal(conf_from_tree(t, load_zone, NULL, &problems, &c), -EINVAL);
    assert_null(c);
    for (size_t i = 0; i < problems.n_items && i < ARRAY_SIZE(expected); i++)
        assert_string_equal(problems.items[i], expected[i]);
    assert_int_equal(problems.n_items, ARRAY_SIZE(expected));
}

/* --- selection --- */

static ConfTree *selection(void) {
    ConfTree *t = new_tree();
    static const char *const names[] = {"nightly", "weekly", "hourly"};
    set(t, "deployment", "acme");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO_FREE char *action = text_format("schedules.%s.action", names[i]),
                       *when = text_format("schedules.%s.when", names[i]);
        set(t, action, "backup");
        set(t, when, "02:00");
    }
    add_entry(t, "zeta app-* orders", "*-tmp app-9", "weekly nightly");
    add_entry(t, "orders alpha", NULL, "hourly weekly");
    add_entry(t, "gone* alpha other", NULL, "");
    add_entry(t, "beta.[ab] beta2 beta1", "beta1", "nightly");
    return t;
}

#define FACTS(account_, table_) ((TableFacts){.account = (account_), .table = (table_)})

static void schedules_are_the_union_of_the_entries(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = selection();
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    static const struct {
        const char *table, *schedules;
    } rows[] = {
        {"zeta", "nightly weekly "},
        {"orders", "nightly weekly hourly "},
        {"alpha", "weekly hourly "},
        {"app-1", "nightly weekly "},
        {"app-9", ""},
        {"app-1-tmp", ""},
        {"app", ""},
        {"gone1", ""},
        {"other", ""},
        {"beta.a", "nightly "},
        {"beta.c", ""},
        {"beta1", ""},
        {"beta2", "nightly "},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const ScheduleConf *found[3];
        AUTO_TEXT text = TEXT_INIT(100);
        size_t n = conf_schedules_of(c, &FACTS("own", rows[i].table), found, 3);
        for (size_t j = 0; j < n; j++)
            text_addf(&text, "%s ", found[j]->name);
        assert_string_equal(text_get(&text), rows[i].schedules);
        assert_int_equal(conf_schedules_of(c, &FACTS("own", rows[i].table), NULL, 0), n);
    }
    const ScheduleConf *one[2] = {NULL, NULL};
    assert_int_equal(conf_schedules_of(c, &FACTS("own", "orders"), one, 1), 3);
    assert_string_equal(one[0]->name, "nightly");
    assert_null(one[1]);
}

static void named_tables_are_sorted_once_and_wanted(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = selection();
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    static const char *const expected[] = {"alpha", "beta2", "orders", "zeta"};
    AUTO_FREE const char **names = NULL;
    size_t n = 99;
    assert_int_equal(conf_named_tables(c, &FACTS("own", NULL), &names, &n), 0);
    assert_int_equal(n, ARRAY_SIZE(expected));
    for (size_t i = 0; i < n; i++)
        assert_string_equal(names[i], expected[i]);
    assert_true(conf_needs_discovery(c, "own"));
}

/* A key of the last entry of tables. */
static ConfTree *last_entry(ConfTree *root) {
    ConfTree *list = group_of(root, "tables", CONF_LIST);
    return list->children[list->n_children - 1];
}

static void entries_are_for_accounts(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    set(t, "accounts.prod.role_arn", "arn:aws:iam::111111111111:role/ddbackupd");
    set(t, "accounts.prod.external_id", "bk7");
    set(t, "accounts.prod.role_session_name", "night");
    set_list(group_of(group_of(t, "accounts", CONF_GROUP), "prod", CONF_GROUP), "regions", "eu-west-1 us-east-1");
    place(t, "accounts.shop", CONF_GROUP);
    for (int i = 0; i < 2; i++) {
        set(t, i ? "schedules.weekly.action" : "schedules.nightly.action", "backup");
        set(t, i ? "schedules.weekly.when" : "schedules.nightly.when", "02:00");
    }
    add_entry(t, "orders", NULL, "nightly");
    add_entry(t, "orders carts app-*", NULL, "weekly");
    set_list(last_entry(t), "accounts", "prod");
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    const AccountConf *prod = conf_account(c, "prod"), *shop = conf_account(c, "shop");
    assert_string_equal(prod->role_arn, "arn:aws:iam::111111111111:role/ddbackupd");
    assert_string_equal(prod->external_id, "bk7");
    assert_string_equal(prod->session_name, "night");
    assert_int_equal(prod->n_regions, 2);
    assert_string_equal(prod->regions[1], "us-east-1");
    assert_true(!shop->role_arn && !shop->session_name && shop->n_regions == 0 && conf_needs_region(c));
    assert_null(conf_account(c, "own"));
    assert_int_equal(conf_schedules_of(c, &FACTS("prod", "orders"), NULL, 0), 2);
    assert_int_equal(conf_schedules_of(c, &FACTS("shop", "orders"), NULL, 0), 1);
    assert_int_equal(conf_schedules_of(c, &FACTS("shop", "app-1"), NULL, 0), 0);
    assert_true(conf_needs_discovery(c, "prod"));
    assert_false(conf_needs_discovery(c, "shop"));
    for (int i = 0; i < 2; i++) {
        AUTO_FREE const char **names = NULL;
        size_t n = 99;
        assert_int_equal(conf_named_tables(c, &FACTS(i ? "shop" : "prod", NULL), &names, &n), 0);
        assert_int_equal(n, i ? 1 : 2);
        assert_string_equal(names[n - 1], "orders");
    }
}

static void tags_select(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    for (int i = 0; i < 2; i++) {
        set(t, i ? "schedules.weekly.action" : "schedules.nightly.action", "backup");
        set(t, i ? "schedules.weekly.when" : "schedules.nightly.when", "02:00");
    }
    ConfTree *entry = child_of(group_of(t, "tables", CONF_LIST), CONF_GROUP, NULL);
    set_list(entry, "tags", "backup=yes env=p*");
    set_list(entry, "exclude", "*-tmp");
    set_list(entry, "schedules", "nightly");
    add_entry(t, "orders", NULL, "weekly");
    set_list(last_entry(t), "tags", "team=*");
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    static const struct {
        const char *table, *tags, *schedules;
        bool may_nightly, may_weekly, asks;
    } rows[] = {
        {"orders", NULL, "", true, true, true},
        {"orders", "", "", true, true, true},
        {"orders", "backup=yes\nenv=prod", "nightly ", true, true, true},
        {"orders", "backup=yes\nenv=prod\nteam=x", "nightly weekly ", true, true, true},
        {"orders", "backup=yes\nenv=test", "", true, true, true},
        {"carts", "backup=yes\nenv=p\nteam=x", "nightly ", true, false, true},
        {"carts-tmp", "backup=yes\nenv=p\nteam=x", "", false, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const ScheduleConf *found[2];
        AUTO_TEXT text = TEXT_INIT(100);
        TableFacts facts = {.account = "own", .table = rows[i].table, .tags = rows[i].tags};
        size_t n = conf_schedules_of(c, &facts, found, 2);
        for (size_t j = 0; j < n; j++)
            text_addf(&text, "%s ", found[j]->name);
        assert_string_equal(text_get(&text), rows[i].schedules);
        assert_int_equal(conf_tags_may_give(c, &facts, conf_schedule(c, "nightly")), rows[i].may_nightly);
        assert_int_equal(conf_tags_may_give(c, &facts, conf_schedule(c, "weekly")), rows[i].may_weekly);
        assert_int_equal(conf_asks_for_tags(c, &facts), rows[i].asks);
    }
    /* a name with tags is no table that must be there */
    AUTO_FREE const char **names = NULL;
    size_t n = 99;
    assert_int_equal(conf_named_tables(c, &FACTS("own", NULL), &names, &n), 0);
    assert_int_equal(n, 0);
    assert_true(conf_needs_discovery(c, "own"));
}

#define ARN(region, account, table) "arn:aws:dynamodb:" region ":" account ":table/" table

static void arns_select(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    set(t, "schedules.nightly.action", "backup");
    set(t, "schedules.nightly.when", "02:00");
    add_entry(t,
              "plain " ARN("eu-west-1", "222222222222", "zzz") " " ARN("eu-west-1", "111111111111", "orders") " "
              ARN("us-east-1", "222222222222", "orders") " app-*",
              ARN("us-east-1", "111111111111", "app-1"), "nightly");
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    assert_int_equal(c->tables[0].match.n_names, 1);
    assert_int_equal(c->tables[0].match.n_arns, 3);
    static const struct {
        const char *region, *account, *table;
        bool selected;
    } rows[] = {
        {"eu-west-1", "111111111111", "orders", true}, {"eu-west-1", "222222222222", "orders", false},
        {"us-east-1", "222222222222", "orders", true}, {"us-east-1", "111111111111", "orders", false},
        {"eu-west-1", "", "orders", true},             {"ap-south-1", "", "orders", false},
        {NULL, "", "orders", true},                    {"eu-west-1", "222222222222", "zzz", true},
        {"us-east-1", "111111111111", "app-1", false}, {"us-east-1", "222222222222", "app-1", true},
        {"eu-west-1", "222222222222", "plain", true},  {"eu-west-1", "222222222222", "other", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TableFacts facts = {.account = "own", .region = rows[i].region, .table = rows[i].table};
        memcpy(facts.account_id, rows[i].account, strlen(rows[i].account));
        if (conf_schedules_of(c, &facts, NULL, 0) != rows[i].selected)
            fail_msg("%s %s %s", rows[i].region, rows[i].account, rows[i].table);
    }
    AUTO_FREE const char **names = NULL;
    size_t n = 99;
    TableFacts place = {.account = "own", .account_id = "111111111111", .region = "eu-west-1"};
    assert_int_equal(conf_named_tables(c, &place, &names, &n), 0);
    assert_int_equal(n, 2);
    assert_string_equal(names[0], "orders");
    assert_string_equal(names[1], "plain");
}

static void entries_have_labels(void **state) {
    char *one[] = {"app-*"}, *two[] = {"a=b", "c=d"};
    AUTO_TEXT t = TEXT_INIT(200);
    conf_entry_label(&(TablesConf){.match = {.items = one, .n_items = 1}, .tags = two, .n_tags = 2}, &t);
    assert_string_equal(text_get(&t), "match \"app-*\", tags \"a=b\" and 1 more");
}

static void patterns_without_schedules_need_no_discovery(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    set(t, "deployment", "acme");
    set(t, "schedules.nightly.action", "backup");
    set(t, "schedules.nightly.when", "02:00");
    add_entry(t, "orders", "x-*", "nightly");
    add_entry(t, "gone-*", NULL, "");
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    assert_false(conf_needs_discovery(c, "own"));
}

/* --- texts --- */

static void templates_expand(void **state) {
    static const ConfNames names = {.deployment = "acme",
                                    .account = "111122223333",
                                    .region = "eu-central-1",
                                    .table = "orders",
                                    .schedule = "nightly"};
    static const struct {
        const char *text, *expanded; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"%{table}", "orders"},
        {"a/%{account}/%{region}.%{deployment}-%{schedule}%{table}z",
         "a/111122223333/eu-central-1.acme-nightlyordersz"},
        {"100%%", "100%"},
        {"%%{table}", "%{table}"},
        {"%", NULL},
        {"%{tabel}", NULL},
        {"%{table", NULL},
        {"%{}", NULL},
        {"% {table}", NULL},
        {"%d", NULL},
        {"%{tableX}", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *expanded = NULL;
        AUTO_TEXT why = TEXT_INIT(200);
        int r = conf_expand(rows[i].text, &names, &expanded);
        assert_int_equal(r, rows[i].expanded ? 0 : -EINVAL);
        assert_int_equal(conf_expand_check(rows[i].text, &why), rows[i].expanded != NULL);
        if (rows[i].expanded)
            assert_string_equal(expanded, rows[i].expanded);
    }
    AUTO_FREE char *none = NULL;
    assert_int_equal(conf_expand("%{account}", &(ConfNames){.table = "x"}, &none), -EINVAL);
}

typedef bool (*Check)(const char *, Text *);

static void texts_are_checked(void **state) {
    static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123";
    static const struct {
        Check check;
        const char *text;
        bool good;
    } rows[] = {
        {check_deployment, "acme_Prod-1", true},
        {check_deployment, "01234567890123456789012345678901", true},
        {check_deployment, "012345678901234567890123456789012", false},
        {check_deployment, "a.b", false},
        {check_schedule_name, long_name, true},
        {check_schedule_name, "x*", false},
        {check_table, "abc", true},
        {check_table, "A.b_c-9", true},
        {check_table, "ab", false},
        {check_table, "a*", true},
        {check_table, "*", true},
        {check_table, "a?[!b-d]", true},
        {check_table, "a[]]", true},
        {check_table, "a[]", false},
        {check_table, "a[", false},
        {check_table, "a[!", false},
        {check_table, "a/b", false},
        {check_table, "abc]", false},
        {check_table, "arn:aws:dynamodb:eu-central-1:111122223333:table/orders", true},
        {check_table, "arn:aws:dynamodb:eu-central-1:111122223333:table/or", false},
        {check_table, "arn:aws:dynamodb:eu-central-1:111122223333:table/orders-*", false},
        {check_table, "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/backup/1", false},
        {check_table, "arn:aws:s3:::acme", false},
        {check_tag, "backup=yes", true},
        {check_tag, "backup:tier=go ld/1", true},
        {check_tag, "backup=*", true},
        {check_tag, "backup=", true},
        {check_tag, "stra\xc3\x9f" "e=x", true},
        {check_tag, "backup", false},
        {check_tag, "=yes", false},
        {check_tag, "backup=yes;", false},
        {check_tag, "backup=[a", false},
        {check_tag, "backup=a\nb", false},
        {check_region, "eu-central-1", true},
        {check_region, "us-gov-west-1", true},
        {check_region, "local", true},
        {check_region, "eu-central-1b", false},
        {check_region, "EU-central-1", false},
        {check_endpoint, "https://dynamodb.eu-central-1.amazonaws.com", true},
        {check_endpoint, "http://127.0.0.1:8000", true},
        {check_endpoint, "http://[::1]:8000", true},
        {check_endpoint, "http://notamazonaws.com", true},
        {check_endpoint, "http://dynamodb.eu-central-1.amazonaws.com", false},
        {check_endpoint, "http://dynamodb.eu-central-1.AmazonAWS.com:80", false},
        {check_endpoint, "http://dynamodb.eu-central-1.api.aws", false},
        {check_endpoint, "https://host/", false},
        {check_endpoint, "https://user@host", false},
        {check_endpoint, "https://host:0", false},
        {check_endpoint, "https://host:65536", false},
        {check_endpoint, "https://host:", false},
        {check_endpoint, "https://", false},
        {check_endpoint, "https://[]:1", false},
        {check_endpoint, "ftp://host", false},
        {check_endpoint, "host:8000", false},
        {check_line, "any thing \xc3\xa4", true},
        {check_line, "a\tb", false},
        {check_path, "/etc/ssl/cert.pem", true},
        {check_path, "cert.pem", false},
        {check_bucket, "abc", true},
        {check_bucket, "acme.backups-1", true},
        {check_bucket, "012345678901234567890123456789012345678901234567890123456789012", true},
        {check_bucket, long_name, false},
        {check_bucket, "ab", false},
        {check_bucket, "Acme", false},
        {check_bucket, "a_b", false},
        {check_bucket, "-abc", false},
        {check_bucket, "abc.", false},
        {check_bucket, "a..c", false},
        {check_bucket, "10.0.0.1", false},
        {check_bucket, "1000", true},
        {check_bucket, "%{account}", true},
        {check_bucket, "a-%{region}-b", true},
        {check_bucket, "A-%{region}", false},
        {check_bucket, "a-%{regoin}", false},
        {check_account, "012345678901", true},
        {check_account, "01234567890", false},
        {check_account, "0123-4567-8901", false},
        {check_prefix, "a/b/%{table}", true},
        {check_prefix, "/a", false},
        {check_prefix, "a/", false},
        {check_prefix, "a%", false},
        {check_kms_key, "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", true},
        {check_kms_key, "alias/backup", true},
        {check_kms_key, "a key", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_TEXT why = TEXT_INIT(1000);
        if (rows[i].check(rows[i].text, &why) != rows[i].good)
            fail_msg("%s: %s", rows[i].text, rows[i].good ? text_get(&why) : "should not be good");
        assert_int_equal(why.len > 0, !rows[i].good);
    }
}

/* --- files --- */

static void syntax_hands_the_same_lines_on(void **state) {
    static const struct {
        const char *text, *passed; /* NULL: refused */
    } rows[] = {
        {"", "\n"},
        {"a = 1;", " a= 1;\n"},
        {"a = 1; # the end", " a= 1;\n"},
        {"// x\n/* y\n z */ a = \"#\";", "\n\na= \"#\";\n"},
        {"a = [\"x\",\n\"y\"\n];\nb = 2", " a= [ \"x\",\n\"y\"];\n\nb= 2\n"}, /* the last string keeps its line */
        {"a = 2147483647; b = -2147483648;", " a= 2147483647; b= -2147483648;\n"},
        {"a = 2147483648; b = -2147483649;", " a= 2147483648L; b= -2147483649L;\n"},
        {"a = 0x7fffffff; b = 0xFFFFFFFF;", " a= 0x7fffffff; b= 0xFFFFFFFFL;\n"},
        {"a = 99999999999999999999999;", " a= 99999999999999999999999L;\n"},
        {"a = 18446744073709551617;", " a= 18446744073709551617L;\n"}, /* 1 more than 64 bits hold */
        {"a = 5000000000L; b = 5e20;", " a= 5000000000L; b= 5e20;\n"},
        {"a: { b = true }\r\nc = FALSE,", " a: { b= true}\nc= FALSE,\n"},
        {"a = \"x\\\"y\\\\\";", " a= \"x\\\"y\\\\\";\n"},
        {"a = \"x\ny\";", NULL},
        {"a = \"x\\", NULL},
        {"a = \"x\" \"y\";", NULL},
        {"a = 1; a = 2;", NULL},
        {"a = { a = 1; }; b = { a = 1; };", " a= { a= 1;}; b= { a= 1;};\n"},
        {"a = [1,];", NULL},
        {"a = (1 2);", NULL},
        {"a = .;", NULL},
        {"a = 1e;", NULL},
        {"a = --1;", NULL},
        {"/* open", NULL},
        {"a = {", NULL},
        {"= 1", NULL},
        {"a", NULL},
        {"\xef\xbb\xbf", NULL},
        {"a = \"\xc0\xaf\";", NULL},
        {"a = \"\xed\xa0\x80\";", NULL},
        {"a = \"\xf4\x90\x80\x80\";", NULL},
        {"a = \"\xf0\x9f\x98\x80\";", " a= \"\xf0\x9f\x98\x80\";\n"},
        {"a = ((((((((((((((((1))))))))))))))));", " a= ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( 1))))))))))))))));\n"},
        {"a = (((((((((((((((((1)))))))))))))))));", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(conf_problems_done) ConfProblems problems = {};
        AUTO_FREE char *passed = NULL;
        int r = conf_syntax_check(rows[i].text, strlen(rows[i].text), "f", &problems, &passed);
        if (r != (rows[i].passed ? 0 : -EINVAL))
            fail_msg("%s: %s", rows[i].text, problems.n_items ? problems.items[0] : "passed");
        if (rows[i].passed)
            assert_string_equal(passed, rows[i].passed);
        assert_int_equal(problems.n_items, rows[i].passed ? 0 : 1);
    }
}

static void drop_ins_merge(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    ConfTree *more = new_tree(), *third = new_tree();
    set(t, "deployment", "acme");
    set(t, "schedules.nightly.when", "02:00");
    add_entry(t, "orders", NULL, "nightly");
    set(more, "schedules.nightly.action", "backup");
    set(more, "schedules.hourly.action", "backup");
    set(more, "schedules.hourly.when", "hourly");
    add_entry(more, "carts", NULL, "hourly");
    assert_int_equal(conf_tree_merge(t, more, &problems), 0);
    CLEANUP(conf_free_ptr) Conf *c = make(t);
    assert_int_equal(c->n_schedules, 2);
    assert_int_equal(c->n_tables, 2);
    assert_string_equal(c->tables[0].match.items[0], "orders");
    assert_string_equal(c->tables[1].match.items[0], "carts");

    ConfTree *again =
        child_of(group_of(group_of(third, "schedules", CONF_GROUP), "hourly", CONF_GROUP), CONF_STRING, "when");
    again->string = strdup("daily");
    again->line = 3;
    text_set(&again->file, "conf.d/b.conf");
    set(third, "deployment.x", "y");
    set(third, "log_level", "debug");
    assert_int_equal(conf_tree_merge(t, third, &problems), -EINVAL);
    assert_int_equal(problems.n_items, 2);
    assert_string_equal(
        problems.items[0],
        "conf.d/b.conf:3: schedules.hourly.when: is set in test.conf:7 already; HINT: keep one of the two");
    assert_string_equal(problems.items[1],
                        "test.conf:7: deployment: is set in test.conf:7 already; HINT: keep one of the two");
    assert_string_equal(conf_tree_get(t, "log_level")->string, "debug");
    assert_string_equal(conf_tree_get(t, "deployment")->string, "acme");
}

static void problems_are_said_once_each_and_not_without_end(void **state) {
    CLEANUP(conf_problems_done) ConfProblems p = {};
    assert_int_equal(conf_problems_add(&p, "f", 3, "a\tb\n%s", "c"), 0);
    assert_int_equal(conf_problems_add(&p, "f", 3, "a\tb\nc"), 0);
    assert_int_equal(conf_problems_add(&p, "f", 0, "whole"), 0);
    assert_int_equal(p.n_items, 2);
    assert_string_equal(p.items[0], "f:3: a?b?c");
    assert_string_equal(p.items[1], "f: whole");
    for (unsigned i = 1; i < 1000; i++)
        assert_int_equal(conf_problems_add(&p, "g", i, "x"), 0);
    assert_int_equal(p.n_items, 101);
    assert_string_equal(p.items[100], "and more; HINT: correct these first");
}

static void the_dump_names_value_and_place(void **state) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = new_tree();
    AUTO_FREE char *dump = NULL;
    set(t, "deployment", "acme");
    set(t, "aws.profile", "quote \" backslash \\ bell \x07");
    place(t, "aws.max_attempts", CONF_INT)->integer = 7;
    place(t, "limits.rate_share", CONF_FLOAT)->number = 0.1;
    set(t, "defaults.max_age", "1d");
    set(t, "schedules.a.action", "backup");
    set(t, "schedules.a.when", "02:00 UTC");
    set(t, "schedules.b.action", "export");
    set(t, "schedules.b.when", "02:00");
    set(t, "schedules.b.s3.bucket", "abc");
    add_entry(t, "*", "x-* yyy", "a b");
    static const char *const expected[] = {
        "deployment = \"acme\";  # test.conf:7\n",
        "log_level = \"info\";  # default\n",
        ("    # region = \"\";  # not set: AWS_REGION, AWS_DEFAULT_REGION, the region of the profile, or that of the "
         "instance\n"),
        "    profile = \"quote \\\" backslash \\\\ bell \\x07\";  # test.conf:7\n",
        "    max_attempts = 7;  # test.conf:7\n",
        "    rate_share = 0.1;  # test.conf:7\n",
        "        max_age = \"1d\";  # defaults.max_age at test.conf:7\n",
        "        # timezone = \"\";  # not set: when names its own\n",
        "        timezone = \"UTC\";  # default\n",
        "            bucket = \"abc\";  # test.conf:7\n",
        "        match = [\"*\"];  # test.conf:7\n",
        "        exclude = [\"x-*\", \"yyy\"];  # test.conf:7\n",
    };
    assert_int_equal(conf_dump(t, &dump), 0);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (!strstr(dump, expected[i]))
            fail_msg("%s is not in\n%s", expected[i], dump);
    char *first = strstr(dump, "s3 = {");
    assert_non_null(first);
    assert_null(strstr(first + 1, "s3 = {")); /* of the export alone */
    assert_null(strstr(dump, "defaults ="));
}

UNIT_MAIN(cmocka_unit_test(entries_are_for_accounts), cmocka_unit_test(defaults_are_good),
          cmocka_unit_test(what_is_not_set_has_its_default), cmocka_unit_test(schedules_override_defaults),
          cmocka_unit_test(every_problem_is_found_in_one_go), cmocka_unit_test(schedules_are_the_union_of_the_entries),
          cmocka_unit_test(named_tables_are_sorted_once_and_wanted), cmocka_unit_test(entries_have_labels),
          cmocka_unit_test(tags_select), cmocka_unit_test(arns_select),
          cmocka_unit_test(patterns_without_schedules_need_no_discovery), cmocka_unit_test(templates_expand),
          cmocka_unit_test(texts_are_checked), cmocka_unit_test(syntax_hands_the_same_lines_on),
          cmocka_unit_test(drop_ins_merge), cmocka_unit_test(problems_are_said_once_each_and_not_without_end),
          cmocka_unit_test(the_dump_names_value_and_place))
