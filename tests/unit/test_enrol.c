#include "core/run/enrol.h"

#include "unit.h"

typedef struct Case {
    Zone *zone;
    Calendar *when;
    ScheduleConf schedules[2];
    Conf conf;
    TablesConf tables[2];
    Targets targets;
    Place place[4];
    Places places;
    Now now;
    char said[512];
} Case;

static const ScheduleConf *nightly_of[2];

static void case_done(Case *c) {
    targets_done(&c->targets);
    calendar_free(c->when);
    zone_free(c->zone);
}

/* Two schedules; `orders` by name in the first, `app-*` without `*-tmp` in both. */
static void case_init(Case *c) {
    CalendarError error;
    static char *named[] = {"orders"}, *patterns[] = {"app-*"}, *excluded[] = {"*-tmp"};
    assert_int_equal(zone_utc(&c->zone), 0);
    assert_int_equal(calendar_parse("02:00", &c->when, &error), 0);
    for (int i = 0; i < 2; i++)
        c->schedules[i] = (ScheduleConf){.name = i ? "weekly" : "nightly", .when = c->when, .when_text = "02:00",
                                         .zone = c->zone};
    nightly_of[0] = &c->schedules[0];
    nightly_of[1] = &c->schedules[1];
    c->tables[0] =
        (TablesConf){.match = {.items = named, .n_items = 1, .n_names = 1}, .schedules = nightly_of, .n_schedules = 1};
    c->tables[1] = (TablesConf){.match = {.items = patterns, .n_items = 1},
                                .exclude = {.items = excluded, .n_items = 1},
                                .schedules = nightly_of,
                                .n_schedules = 2};
    c->conf =
        (Conf){.deployment = "acme", .schedules = c->schedules, .n_schedules = 2, .tables = c->tables, .n_tables = 2};
    c->now = (Now){.wall = 1000 * USEC_PER_DAY};
    c->place[0] = (Place){.account = "own", .region = "eu-central-1"};
    c->places = (Places){.items = c->place, .n_items = 1};
}

static int news(void *context, Enrolment *e, bool enrolled) {
    Case *c = context;
    size_t n = strlen(c->said);
    char label[TARGET_LABEL_SIZE];
    snprintf(c->said + n, sizeof c->said - n, "%c%s/%s ", enrolled ? '+' : '-',
             target_label(e->target, c->places.n_items > 1, label), e->schedule_name);
    return 0;
}

static void update(Case *c, bool listed, const char *said) {
    c->said[0] = '\0';
    c->place[0].has_listing = listed;
    assert_int_equal(enrol_update(&c->targets, &c->conf, &c->places, c->now, news, c), 0);
    assert_string_equal(c->said, said);
}

static void names_and_patterns(void **state) {
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    char *tables[] = {"app-1", "app-2-tmp", "else"};
    update(&c, false, "+orders/nightly ");
    c.place[0].discovery = (Discovery){.names = tables, .n_names = 3};
    update(&c, true, "+app-1/nightly +app-1/weekly ");
    update(&c, true, "");
    const Target *t = targets_find(&c.targets, ACCOUNT_OWN, "eu-central-1", "app-1");
    assert_true(t->selected && t->enrolments[0]->cursor_wall == c.now.wall);
    /* before the next listing is complete they stay; after it, what is gone goes */
    update(&c, false, "");
    c.place[0].discovery.n_names = 0;
    update(&c, true, "-app-1/nightly -app-1/weekly ");
    assert_false(t->selected);
}

static void another_name_is_as_fresh(void **state) {
    static char *former[] = {"every-night", "nightly"};
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    update(&c, false, "+orders/nightly ");
    Target *t = targets_find(&c.targets, ACCOUNT_OWN, "eu-central-1", "orders");
    t->enrolments[0]->newest_wall = c.now.wall - USEC_PER_HOUR;
    c.schedules[0].name = "dreamy";
    update(&c, false, "-orders/nightly +orders/dreamy ");
    assert_int_equal(target_enrolment(t, "dreamy")->newest_wall, WALL_UNKNOWN);
    c.schedules[0].name = "sleepy";
    c.schedules[0].formerly = former;
    c.schedules[0].n_formerly = 2;
    update(&c, false, "-orders/dreamy +orders/sleepy ");
    assert_int_equal(target_enrolment(t, "sleepy")->newest_wall, c.now.wall - USEC_PER_HOUR);
}

/* What was due while a table or schedule was away does not run when it comes back. */
static void back_after_a_pause(void **state) {
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    update(&c, false, "+orders/nightly ");
    c.conf.n_tables = 0;
    update(&c, false, "-orders/nightly ");
    Enrolment *e = targets_find(&c.targets, ACCOUNT_OWN, "eu-central-1", "orders")->enrolments[0];
    assert_null(e->schedule);
    Usec first = e->first_seen_wall;
    c.now.wall += USEC_PER_WEEK;
    c.conf.n_tables = 2;
    update(&c, false, "+orders/nightly ");
    assert_true(e->cursor_wall == c.now.wall && e->first_seen_wall == first);
}

/* A new calendar begins at its first sight; the same one goes on where it was. */
static void a_changed_calendar(void **state) {
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    update(&c, false, "+orders/nightly ");
    Enrolment *e = targets_find(&c.targets, ACCOUNT_OWN, "eu-central-1", "orders")->enrolments[0];
    Usec cursor = e->cursor_wall;
    c.now.wall += USEC_PER_WEEK;
    update(&c, false, "");
    assert_true(e->cursor_wall == cursor);
    c.schedules[0].when_text = "03:00";
    update(&c, false, "");
    assert_true(e->cursor_wall == c.now.wall && e->changed);
}

/* Two accounts, two regions: a name is expected in each place of the accounts of its entry, a pattern selects what each
 * place has. A place without a listing keeps what it had, and holds up no other. */
static void several_places(void **state) {
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    char *names[] = {"prod", "shop"}, *there[] = {"app-1"}, *here[] = {"app-1", "app-2"};
    AccountConf accounts[] = {{.name = names[0]}, {.name = names[1]}};
    const AccountConf *prod[] = {&accounts[0]};
    c.conf.accounts = accounts;
    c.conf.n_accounts = 2;
    c.tables[0].accounts = prod;
    c.tables[0].n_accounts = 1;
    for (size_t i = 0; i < 4; i++)
        c.place[i] = (Place){.account = names[i / 2], .region = i % 2 ? "us-east-1" : "eu-west-1"};
    c.places.n_items = 4;
    update(&c, false, "+prod/eu-west-1/orders/nightly +prod/us-east-1/orders/nightly ");
    c.place[3].discovery = (Discovery){.names = here, .n_names = 2};
    c.place[3].has_listing = true;
    update(&c, false, "+shop/us-east-1/app-1/nightly +shop/us-east-1/app-1/weekly +shop/us-east-1/app-2/nightly "
                      "+shop/us-east-1/app-2/weekly ");
    c.place[0].discovery = (Discovery){.names = there, .n_names = 1};
    c.place[1].has_listing = true; /* of nothing */
    update(&c, true, "+prod/eu-west-1/app-1/nightly +prod/eu-west-1/app-1/weekly ");
    /* gone in one place, it stays in the other */
    c.place[0].discovery.n_names = 0;
    update(&c, true, "-prod/eu-west-1/app-1/nightly -prod/eu-west-1/app-1/weekly ");
    assert_true(targets_find(&c.targets, "shop", "us-east-1", "app-1")->selected);
    /* an account that leaves the configuration takes its targets along, and no others */
    c.places.n_items = 3;
    c.place[2].region = "us-east-1";
    c.place[2].account = "prod";
    c.place[2].has_listing = false;
    update(&c, true, "-shop/us-east-1/app-1/nightly -shop/us-east-1/app-1/weekly -shop/us-east-1/app-2/nightly "
                     "-shop/us-east-1/app-2/weekly ");
}

/* Tags that are not known give nothing, and take nothing away. */
static void by_tags(void **state) {
    CLEANUP(case_done) Case c = {};
    case_init(&c);
    char *tables[] = {"app-1", "app-2"}, *tags[] = {"backup=yes"};
    Inventory *v = &c.place[0].inventory;
    c.tables[1].tags = tags;
    c.tables[1].n_tags = 1;
    c.tables[1].n_schedules = 1;
    c.place[0].discovery = (Discovery){.names = tables, .n_names = 2};
    update(&c, true, "+orders/nightly ");
    assert_int_equal(inventory_restore(v, "app-1", "backup=yes\nx=y", 1, 1), 0);
    assert_int_equal(inventory_restore(v, "app-2", "backup=no", 1, 1), 0);
    update(&c, true, "+app-1/nightly ");
    /* forgotten, as after a reload into a place that never read them */
    inventory_done(v);
    update(&c, true, "");
    update(&c, false, "");
    const ScheduleConf **kept = NULL;
    size_t n = 0;
    const Target *t = targets_find(&c.targets, ACCOUNT_OWN, "eu-central-1", "app-1");
    TableFacts facts = place_facts(&c.place[0], "app-1", NULL);
    assert_int_equal(enrol_schedules(t, &c.conf, &facts, &kept, &n), 0);
    assert_int_equal(n, 1);
    free(kept);
    /* one table alone */
    Target *found = NULL;
    c.said[0] = '\0';
    assert_int_equal(inventory_restore(v, "app-1", "", 1, 1), 0);
    assert_int_equal(inventory_restore(v, "app-2", "backup=yes", 1, 1), 0);
    assert_int_equal(enrol_table(&c.targets, &c.conf, &c.place[0], "app-1", c.now, news, &c, &found), 0);
    assert_true(found == t);
    assert_string_equal(c.said, "-app-1/nightly ");
    assert_int_equal(enrol_table(&c.targets, &c.conf, &c.place[0], "app-2", c.now, news, &c, &found), 0);
    assert_string_equal(c.said, "-app-1/nightly +app-2/nightly ");
    inventory_done(v);
}

UNIT_MAIN(cmocka_unit_test(by_tags), cmocka_unit_test(several_places), cmocka_unit_test(names_and_patterns),
          cmocka_unit_test(another_name_is_as_fresh), cmocka_unit_test(back_after_a_pause),
          cmocka_unit_test(a_changed_calendar))
