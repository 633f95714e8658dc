#include "core/verify/lifecycle.h"

#include "base/text.h"

#include "unit.h"

#define DAYS(n) ((n)*USEC_PER_DAY)
#define DOCUMENT(rules)                                                                                                \
    "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" rules "</LifecycleConfiguration>"

static LifecycleRules read_rules(const char *text) {
    LifecycleRules rules;
    assert_int_equal(lifecycle_read(text, strlen(text), &rules), 0);
    return rules;
}

static void reading(void **state) {
    CLEANUP(lifecycle_done)
    LifecycleRules rules = read_rules(DOCUMENT(
        "<Rule><ID>old</ID><Prefix>a/</Prefix><Status>Enabled</Status><Expiration><Days>7</Days></Expiration></Rule>"
        "<Rule><Filter><And><Prefix>b/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
        "<Status>Enabled</Status>"
        "<Expiration><Date>2026-12-01T00:00:00.000Z</Date></Expiration></Rule>"
        "<Rule><ID>cold</ID><Filter/><Status>Disabled</Status>"
        "<Transition><Days>10</Days><StorageClass>GLACIER_IR</StorageClass></Transition>"
        "<Transition><Days>90</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>"
        "<Transition><StorageClass>GLACIER</StorageClass><Days>30</Days></Transition>"
        "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation>"
        "</AbortIncompleteMultipartUpload></Rule>"));
    assert_int_equal(rules.n_items, 3);
    const LifecycleRule *old = &rules.items[0], *dated = &rules.items[1], *cold = &rules.items[2];
    assert_string_equal(old->id, "old");
    assert_string_equal(old->prefix, "a/");
    assert_true(old->enabled && !old->has_tags && old->expire_usec == DAYS(7) && old->expire_wall < 0);
    assert_true(old->archive_usec == USEC_INFINITY && old->abort_usec == USEC_INFINITY && !old->expires_noncurrent);
    assert_null(dated->id);
    assert_string_equal(dated->prefix, "b/");
    assert_true(dated->has_tags && dated->expire_usec == USEC_INFINITY);
    assert_true(dated->expire_wall == (Usec)1796083200 * USEC_PER_SEC);
    assert_true(!cold->enabled && cold->expires_noncurrent && cold->archive_usec == DAYS(30) &&
                cold->abort_usec == DAYS(2));
}

static void refused(void **state) {
    static const char *const rows[] = {
        "",
        "no XML",
        "<Error><Code>AccessDenied</Code></Error>",
        DOCUMENT(""),
        DOCUMENT("<Rule><Expiration><Days>soon</Days></Expiration></Rule>"),
        DOCUMENT("<Rule><Expiration><Days>-1</Days></Expiration></Rule>"),
        DOCUMENT("<Rule><Expiration><Days>99999999999999999999</Days></Expiration></Rule>"),
        DOCUMENT("<Rule><Expiration><Date>tomorrow</Date></Expiration></Rule>"),
        DOCUMENT("<Rule><ID>a</ID></Rule><Rule>"),
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        LifecycleRules rules;
        assert_int_equal(lifecycle_read(rows[i], strlen(rows[i]), &rules), -EBADMSG);
    }
}

static void touching(void **state) {
    static const struct {
        const char *rule, *prefix;
        bool touches;
    } rows[] = {
        {NULL, NULL, true},
        {"", "orders", true},
        {"orders/", "orders", true},
        {"orders/", "orders/", true},
        {"orders", "orders-2", true},
        {"orders/", "orders-2", false},
        {"orders/AWSDynamoDB/01", "orders", true},
        {"orders/logs/", "orders", false},
        {"AWSDynamoDB/", NULL, true},
        {"AWSDynamoDB/", "orders", false},
        {"logs/", NULL, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        LifecycleRule rule = {.enabled = true, .prefix = (char *)rows[i].rule};
        assert_int_equal(lifecycle_touches(&rule, rows[i].prefix), rows[i].touches);
        rule.has_tags = true;
        assert_false(lifecycle_touches(&rule, rows[i].prefix));
        rule = (LifecycleRule){.prefix = (char *)rows[i].rule};
        assert_false(lifecycle_touches(&rule, rows[i].prefix));
    }
}

static void wishes(void **state) {
    static const struct {
        RetentionKeep keep;
        Usec floor_usec, keep_usec;
    } rows[] = {
        {{.floor = 1}, DAYS(7), DAYS(7)},
        {{.floor = 2}, DAYS(14), DAYS(14)},
        {{.floor = 1, .last = 4}, DAYS(7), DAYS(28)},
        {{.floor = 1, .daily = 3}, DAYS(7), DAYS(7)},
        {{.floor = 1, .daily = 10, .weekly = 8}, DAYS(7), DAYS(56)},
        {{.floor = 1, .monthly = 12}, DAYS(7), DAYS(360)},
        {{.floor = 1, .yearly = 2, .hourly = 1}, DAYS(7), DAYS(730)},
        {{.floor = 3, .within_usec = DAYS(20)}, DAYS(21), DAYS(21)},
    };
    CalendarError error;
    CLEANUP(calendar_free_ptr) Calendar *weekly = NULL, *half_hourly = NULL, *once = NULL;
    CLEANUP(zone_free_ptr) Zone *utc = NULL;
    assert_int_equal(zone_utc(&utc), 0);
    assert_int_equal(calendar_parse("Sun 03:00", &weekly, &error), 0);
    assert_int_equal(calendar_parse("*:0/30", &half_hourly, &error), 0);
    assert_int_equal(calendar_parse("2026-01-01", &once, &error), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ScheduleConf schedules[] = {
            {.name = "base", .when = weekly, .zone = utc, .keep = rows[i].keep},
            {.name = "links", .action = ACTION_INCREMENTAL, .base = "base", .when = half_hourly, .zone = utc},
        };
        Conf c = {.schedules = schedules, .n_schedules = 2};
        for (size_t j = 0; j < 2; j++) { /* links are wanted as long as their base */
            LifecycleWish w = lifecycle_wish(&c, &schedules[j], 0);
            assert_true(w.floor_usec == rows[i].floor_usec && w.keep_usec == rows[i].keep_usec);
        }
    }
    ScheduleConf one = {.name = "one", .when = once, .zone = utc, .keep = {.floor = 1, .last = 2}};
    LifecycleWish w = lifecycle_wish(&(Conf){.schedules = &one, .n_schedules = 1}, &one, 0);
    assert_true(w.floor_usec == USEC_INFINITY && w.keep_usec == USEC_INFINITY);
}

UNIT_MAIN(cmocka_unit_test(reading), cmocka_unit_test(refused), cmocka_unit_test(touching), cmocka_unit_test(wishes))
