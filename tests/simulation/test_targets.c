/* Tables that find themselves: by tag, in thousands, while some appear and others vanish; nothing is forgotten by a
 * crash, and nothing is lost while tags cannot be read. */

#include <stdio.h>

#include "house.h"
#include "others.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] = "deployment = \"acme\";\n"
                           "aws = { discovery_interval = \"5min\"; inspection_interval = \"1h\"; };\n"
                           "schedules = { hourly = { action = \"backup\"; when = \"hourly\"; max_age = \"3h\"; }; };\n"
                           "tables = ( { tags = \"backup=yes\"; schedules = \"hourly\"; }, { match = \"named\"; "
                           "schedules = \"hourly\"; } );\n";
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

/* --- what becomes of tables --- */

static size_t n_said(House *h, ReportKind kind) { return house_figures(h)->n_said[kind]; }

/* By name: missed while it is away, and said once; made anew, it is another table. */
static void a_named_table_goes_and_comes_back(void **state) {
    House *h = a_house();
    house_run(h, START + 90 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_said(h, REPORT_TABLE_GONE), 0);
    others_delete_table(h, "named");
    house_run(h, START + 5 * USEC_PER_HOUR / 2, 0);
    assert_int_equal(n_said(h, REPORT_TABLE_GONE), 1);
    assert_true(is_enrolled(h, "named"));
    house_sleep(h, START + 3 * USEC_PER_HOUR + 10 * USEC_PER_MINUTE);
    house_run(h, START + 4 * USEC_PER_HOUR + USEC_PER_HOUR / 2, 0);
    assert_int_equal(n_said(h, REPORT_TABLE_GONE), 1);
    others_create_table(h, "named", NULL, NULL);
    house_run(h, START + 6 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_TABLE_BACK), 1);
    assert_int_equal(n_said(h, REPORT_RECREATED), 1);
    others_recreate_table(h, "named");
    house_run(h, START + 9 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECREATED), 2);
    assert_int_equal(n_said(h, REPORT_TABLE_GONE), 1);
    house_free(h);
}

static const char few_conf[] =
    "deployment = \"acme\";\n"
    "aws = { discovery_interval = \"5min\"; inspection_interval = \"20min\"; };\n"
    "schedules = { hourly = { action = \"backup\"; when = \"hourly\"; max_age = \"3h\"; }; };\n"
    "tables = ( { tags = \"backup=yes\"; schedules = \"hourly\"; min_tables = 2; },\n"
    "           { match = \"t*\"; schedules = \"hourly\"; min_tables = 2; } );\n";

static void fewer_than_there_should_be(void **state) {
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = few_conf, .start_wall = START + USEC_PER_MINUTE,
                                          .tables = tables, .latency_usec = 200 * USEC_PER_MSEC});
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_said(h, REPORT_TOO_FEW), 1);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_TOO_FEW), "tags \"backup=yes\" selects 1, and"));
    others_tag(h, "two", "backup", "yes");
    house_run(h, START + 40 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_said(h, REPORT_ENOUGH), 1);
    others_delete_table(h, "three");
    house_run(h, START + 60 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_said(h, REPORT_TOO_FEW), 2);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_TOO_FEW), "match \"t*\" selects 1, and"));
    assert_int_equal(n_said(h, REPORT_ENOUGH), 1);
    house_free(h);
}

/* --- point-in-time recovery --- */

#define RECOVERY_CONF(wish)                                                                                            \
    "deployment = \"acme\";\n"                                                                                        \
    "aws = { inspection_interval = \"20min\"; };\n"                                                                  \
    "schedules = { daily = { action = \"backup\"; when = \"daily\"; " wish " }; };\n"                                \
    "tables = ( { match = [\"good\", \"off\", \"gone\"]; schedules = \"daily\"; } );\n"

static House *a_recovery_house(const char *text) {
    static const char *const names[] = {"good:pitr", "off", NULL};
    return house_new(&(HouseSettings){.seed = 1, .conf = text, .start_wall = START + USEC_PER_MINUTE, .tables = names,
                                      .latency_usec = 200 * USEC_PER_MSEC, .power_cuts = true});
}

static void set_recovery(House *h, const char *table, bool on) {
    char body[200];
    snprintf(body, sizeof body,
             "{\"TableName\":\"%s\",\"PointInTimeRecoverySpecification\":{\"PointInTimeRecoveryEnabled\":%s}}", table,
             on ? "true" : "false");
    free(others_call(h, "UpdateContinuousBackups", body));
}

static void recovery_that_is_required(void **state) {
    House *h = a_recovery_house(RECOVERY_CONF("pitr = \"require\";"));
    house_run(h, START + USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 1);
    assert_non_null(
        strstr(book_last_said(house_book(h), REPORT_RECOVERY_OFF), "off: point-in-time recovery is off; HINT"));
    set_recovery(h, "good", false);
    house_run(h, START + 2 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 2);
    assert_non_null(
        strstr(book_last_said(house_book(h), REPORT_RECOVERY_OFF), "good: point-in-time recovery was switched off"));
    house_sleep(h, START + 3 * USEC_PER_HOUR);
    house_run(h, START + 4 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 2);
    set_recovery(h, "good", true);
    house_run(h, START + 5 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_ON), 1);
    /* between two looks */
    house_run(h, START + 5 * USEC_PER_HOUR + 5 * USEC_PER_MINUTE, 0);
    set_recovery(h, "good", false);
    house_run(h, START + 5 * USEC_PER_HOUR + 15 * USEC_PER_MINUTE, 0);
    set_recovery(h, "good", true);
    house_run(h, START + 6 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 3);
    assert_non_null(strstr(book_last_said(house_book(h), REPORT_RECOVERY_OFF), "switched off and on again"));
    assert_int_equal(n_said(h, REPORT_RECOVERY_ON), 1);
    house_free(h);
}

static void recovery_that_is_switched_on(void **state) {
    House *h = a_recovery_house(RECOVERY_CONF("pitr = \"enable\";"));
    house_add_fault(h, "UpdateContinuousBackups error AccessDeniedException");
    house_add_fault(h, "UpdateContinuousBackups drop-after");
    house_run(h, START + 10 * USEC_PER_MINUTE, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 1);
    assert_non_null(
        strstr(book_last_said(house_book(h), REPORT_RECOVERY_OFF), "could not be switched on: AccessDenied"));
    house_run(h, START + 2 * USEC_PER_HOUR, 0);
    AUTO_FREE char *reply = others_call(h, "DescribeContinuousBackups", "{\"TableName\":\"off\"}");
    assert_non_null(strstr(reply, "\"PointInTimeRecoveryStatus\":\"ENABLED\""));
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF), 1);
    set_recovery(h, "good", false);
    house_run(h, START + 3 * USEC_PER_HOUR, 0);
    assert_non_null(
        strstr(book_last_said(house_book(h), REPORT_RECOVERY_ON), "good: point-in-time recovery was off, and was"));
    house_free(h);
}

/* Nobody who does not want it is asked for it. */
static void recovery_that_does_not_matter(void **state) {
    House *h = a_recovery_house(RECOVERY_CONF(""));
    set_recovery(h, "good", false);
    house_run(h, START + 2 * USEC_PER_HOUR, 0);
    assert_int_equal(n_said(h, REPORT_RECOVERY_OFF) + n_said(h, REPORT_RECOVERY_ON), 0);
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
          cmocka_unit_test(unreadable_tags_take_nothing_away), cmocka_unit_test(thousands_are_found),
          cmocka_unit_test(a_named_table_goes_and_comes_back), cmocka_unit_test(fewer_than_there_should_be),
          cmocka_unit_test(recovery_that_is_required), cmocka_unit_test(recovery_that_is_switched_on),
          cmocka_unit_test(recovery_that_does_not_matter))
