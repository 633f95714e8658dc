/* Tables that find themselves: by tag, in thousands, while some appear and others vanish; nothing is forgotten by a crash,
 * and nothing is lost while tags cannot be read. */

#include <stdio.h>

#include "house.h"
#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] =
    "deployment = \"acme\";\n"
    "aws = { discovery_interval = \"5min\"; inspection_interval = \"1h\"; };\n"
    "schedules = { hourly = { action = \"backup\"; when = \"hourly\"; max_age = \"3h\"; }; };\n"
    "tables = ( { tags = \"backup=yes\"; schedules = \"hourly\"; }, { match = \"named\"; schedules = \"hourly\"; } );\n";
static const char *const tables[] = {"named", "one:tag=backup=yes", "two:tag=backup=no", "three", NULL};

static size_t n_tag_reads(House *h) { return house_figures(h)->n_tag_reads; }

static bool is_enrolled(House *h, const char *table) {
    const Targets *all = engine_targets(world_engine(house_world(h)));
    const Target *t = targets_find(all, ACCOUNT_OWN, "eu-central-1", table);
    return t && t->n_enrolments == 1 && t->enrolments[0]->active;
}

static House *a_house(void) {
    return house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START + USEC_PER_MINUTE, .tables = tables,
                                      .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = true});
}

static void tags_come_and_go(void **state) {
    House *h = a_house();
    const HouseFigures *f = house_figures(h);
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    assert_true(is_enrolled(h, "named") && is_enrolled(h, "one") && !is_enrolled(h, "two") && !is_enrolled(h, "three"));
    assert_int_equal(n_tag_reads(h), 4);
    others_tag(h, "two", "backup", "yes");
    others_tag(h, "one", "backup", "no");
    others_create_table(h, "four", "backup", "yes");
    house_run(h, START + 20 * USEC_PER_MINUTE, 0);
    assert_true(is_enrolled(h, "four") && is_enrolled(h, "one")); /* not looked at again yet */
    house_run(h, START + 75 * USEC_PER_MINUTE, 0);
    assert_true(is_enrolled(h, "two") && !is_enrolled(h, "one") && is_enrolled(h, "named"));
    assert_int_equal(f->n_said[REPORT_WITHDRAWN], 1);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_WITHDRAWN), "its tags no longer select it"));
    others_delete_table(h, "two");
    house_run(h, START + 85 * USEC_PER_MINUTE, 0);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_WITHDRAWN), "does not exist any more"));
    house_run(h, START + USEC_PER_DAY + USEC_PER_HOUR / 2, 0);
    house_audit(h, USEC_PER_MINUTE);
    assert_int_equal(f->n_failed + f->n_skipped, 0);
    house_free(h);
}

/* Down for less than the interval: what tags gave goes on at once, and nothing is read before it is due. */
static void a_restart_reads_nothing_anew(void **state) {
    House *h = a_house();
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    size_t before = n_tag_reads(h);
    house_sleep(h, START + 30 * USEC_PER_MINUTE);
    assert_true(is_enrolled(h, "one"));
    house_run(h, START + 55 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_tag_reads(h), before);
    assert_true(is_enrolled(h, "one") && !is_enrolled(h, "two"));
    house_run(h, START + 80 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_tag_reads(h), before + 4);
    assert_int_equal(house_figures(h)->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

/* What may not be read takes nothing away, and is said once. */
static void unreadable_tags_take_nothing_away(void **state) {
    House *h = a_house();
    const HouseFigures *f = house_figures(h);
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    house_add_fault(h, "ListTagsOfResource times=1000 error AccessDeniedException");
    house_run(h, START + 5 * USEC_PER_HOUR, 0);
    assert_true(is_enrolled(h, "one") && !is_enrolled(h, "two"));
    assert_int_equal(f->n_said[REPORT_DISCOVERY_FAILED], 1);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_DISCOVERY_FAILED), "dynamodb:ListTagsOfResource"));
    others_tag(h, "two", "backup", "yes");
    house_clear_faults(h);
    house_run(h, START + 5 * USEC_PER_HOUR + 20 * USEC_PER_MINUTE, 0);
    assert_true(is_enrolled(h, "one") && is_enrolled(h, "two"));
    assert_int_equal(f->n_said[REPORT_WITHDRAWN], 0);
    house_free(h);
}

/* --- 5,000 tables of two accounts --- */

#define N 2500 /* in each */

static const char many_conf[] =
    "deployment = \"acme\";\n"
    "accounts = { shop = { regions = \"eu-central-1\"; }; prod = { regions = \"us-east-1\"; }; };\n"
    "aws = { discovery_interval = \"1min\"; inspection_interval = \"1d\"; };\n"
    "schedules = { yearly = { action = \"backup\"; when = \"yearly\"; }; };\n"
    "tables = ( { tags = [\"backup=yes\"]; schedules = \"yearly\"; } );\n"
    "limits = { rate_share = 1.0; };\n";

/* Every tenth is not to be backed up. */
static const char *const *many_tables(void) {
    static char names[N][24];
    static const char *list[N + 1];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "t%04d:tag=backup=%s", i, i % 10 ? "yes" : "no");
        list[i] = names[i];
    }
    return list;
}

static size_t n_enrolled(House *h) {
    EngineSummary s;
    engine_summary(world_engine(house_world(h)), world_host_now(house_world(h)), &s);
    return s.n_enrolments;
}

static void thousands_are_found(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = many_conf, .start_wall = START, .tables = many_tables(),
                                          .latency_usec = 60 * USEC_PER_MSEC});
    const HouseFigures *f = house_figures(h);
    char name[24];
    for (int i = 0; i < 40; i++) { /* while tags are being read */
        house_run(h, START + (i + 2) * 5 * USEC_PER_SEC, 0);
        snprintf(name, sizeof name, "new-%d", i);
        others_create_table(h, name, "backup", "yes");
        snprintf(name, sizeof name, "t%04d", i * 20 + 1);
        others_delete_table(h, name);
    }
    house_run(h, START + 5 * USEC_PER_MINUTE, 0);
    /* what the limits allow, and little more: 10 a second in each place */
    assert_true(n_tag_reads(h) >= 2 * N && n_tag_reads(h) <= 2 * N + 200);
    assert_int_equal(f->n_throttled, 0);
    assert_int_equal(n_enrolled(h), 2 * (N - N / 10) + 40 - 40);
    assert_int_equal(f->n_said[REPORT_DISCOVERY_FAILED], 0);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "new-%d", i);
        const Target *t = targets_find(engine_targets(world_engine(house_world(h))), "shop", "eu-central-1", name);
        assert_true(t && t->selected);
        snprintf(name, sizeof name, "t%04d", i * 20 + 1);
        t = targets_find(engine_targets(world_engine(house_world(h))), "shop", "eu-central-1", name);
        assert_false(t && t->selected);
    }
    house_sleep(h, START + 6 * USEC_PER_MINUTE);
    size_t before = n_tag_reads(h);
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_enrolled(h), 2 * (N - N / 10));
    assert_int_equal(n_tag_reads(h), before);
    house_free(h);
}

UNIT_MAIN(cmocka_unit_test(tags_come_and_go), cmocka_unit_test(a_restart_reads_nothing_anew),
          cmocka_unit_test(unreadable_tags_take_nothing_away), cmocka_unit_test(thousands_are_found))
