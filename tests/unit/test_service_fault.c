#include "service_bench.h"

static void faults(void **state) {
    static const char create[] = "{\"TableName\":\"orders\",\"BackupName\":\"abc\"}";
    static const char list[] = "{\"TableName\":\"orders\"}";
    static const struct {
        const char *rule;
        ServiceEnding ending;
        int status;
        const char *code, *body; /* a part of it */
        size_t n_backups;        /* that exist then */
    } rows[] = {
        {"* error InternalServerError", SERVICE_WHOLE, 500, "InternalServerError",
         "\"com.amazonaws.dynamodb.v20120810#InternalServerError\"", 0},
        {"* error InternalFailure", SERVICE_WHOLE, 500, "InternalFailure",
         "{\"__type\":\"com.amazon.coral.service#InternalFailure\"}", 0},
        {"CreateBackup error ThrottlingException", SERVICE_WHOLE, 400, "ThrottlingException", "\"Rate exceeded\"", 0},
        {"CreateBackup error Odd 418 a word or two", SERVICE_WHOLE, 418, "Odd", "\"a word or two\"", 0},
        {"CreateBackup error-after InternalServerError 503", SERVICE_WHOLE, 503, "InternalServerError", "", 1},
        {"CreateBackup drop-before", SERVICE_CLOSED, 0, "", "", 0},
        {"CreateBackup drop-after", SERVICE_CLOSED, 0, "", "", 1},
        {"CreateBackup truncate", SERVICE_TRUNCATE, 200, "", "\"BackupArn\"", 1},
        {"CreateBackup oversize 1M", SERVICE_WHOLE, 200, "", "\"Padding\":\"...", 1},
        {"CreateBackup garbage", SERVICE_WHOLE, 200, "", "is not JSON", 1},
        {"CreateBackup html", SERVICE_WHOLE, 503, "", "<html>", 1},
        {"CreateBackup empty", SERVICE_WHOLE, 200, "", "", 1},
        {"CreateBackup wrong-type", SERVICE_WHOLE, 200, "", "\"BackupSizeBytes\":\"seven\"", 1},
        {"CreateBackup wrong-type BackupDetails", SERVICE_WHOLE, 200, "", "{\"BackupDetails\":true}", 1},
        {"CreateBackup status RESTING", SERVICE_WHOLE, 200, "", "\"BackupStatus\":\"RESTING\"", 1},
        {"DeleteBackup error Odd", SERVICE_WHOLE, 200, "", "\"CREATING\"", 1},
        {"*Backup table=ord* error Odd", SERVICE_WHOLE, 400, "Odd", "", 0},
        {"*Backup table=other error Odd", SERVICE_WHOLE, 200, "", "\"CREATING\"", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bench b;
        bench_open(&b, service_settings_default(), false);
        assert_int_equal(service_add_faults(b.service, rows[i].rule, NULL), 0);
        handle(&b, "us-east-1", "CreateBackup", create, false);
        assert_int_equal(b.reply.ending, rows[i].ending);
        assert_int_equal(b.reply.status, rows[i].status);
        assert_string_equal(b.reply.code, rows[i].code);
        assert_int_equal(b.reply.effect, rows[i].n_backups > 0);
        if (!strstr(text_get(&b.reply.body), rows[i].body))
            fail_msg("%s: %s", rows[i].rule, text_get(&b.reply.body));
        call(&b, "ListBackups", list, "");
        assert_int_equal(count_at(&b, "BackupSummaries"), rows[i].n_backups);
        bench_close(&b);
    }
}

static void details_of_faults(void **state) {
    Bench b;
    char arn[200];
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service, "ListTables oversize 100000\nListTables omit TableNames\n"
                                                   "ListTables crc\nListTables delay 2s\nListTables late 1min",
                                        NULL),
                     0);
    handle(&b, "us-east-1", "ListTables", "{}", false);
    assert_int_equal(b.reply.ending, SERVICE_LATER);
    assert_true(b.reply.delay_usec == USEC_PER_MINUTE);
    handle(&b, "us-east-1", "ListTables", "{}", true);
    assert_int_equal(b.reply.ending, SERVICE_WHOLE);
    assert_int_equal(b.reply.body.len, 100000);
    assert_non_null(b.json);
    call(&b, "ListTables", "{}", "");
    assert_string_equal(text_get(&b.reply.body), "{}");
    AUTO_FREE char *right = strdup(header_of(&b, "x-amz-crc32"));
    assert_string_equal(right, "2745614147");
    call(&b, "ListTables", "{}", "");
    AUTO_FREE char *wrong = strdup(header_of(&b, "x-amz-crc32"));
    call(&b, "ListTables", "{}", "");
    assert_true(b.reply.delay_usec == 2 * USEC_PER_SEC);
    assert_string_not_equal(header_of(&b, "x-amz-crc32"), wrong);
    call(&b, "ListTables", "{}", "");
    assert_string_equal(b.reply.fault, "");
    assert_true(b.reply.delay_usec == 0);

    /* what is new is listed only later: for one backup, or for every listing */
    service_clear_faults(b.service);
    assert_int_equal(service_add_faults(b.service, "CreateBackup lag 1min", NULL), 0);
    make_backup(&b, "hidden", arn);
    make_backup(&b, "seen", arn);
    list_backups(&b, "", 1, false);
    b.now += USEC_PER_MINUTE;
    list_backups(&b, "", 2, false);
    assert_int_equal(service_add_faults(b.service, "ListBackups times=forever lag 5min", NULL), 0);
    list_backups(&b, "", 0, false);
    b.now += 4 * USEC_PER_MINUTE;
    list_backups(&b, "", 2, false);
    /* an empty page, and a cursor that goes on */
    service_clear_faults(b.service);
    assert_int_equal(service_add_faults(b.service, "ListBackups empty-page", NULL), 0);
    list_backups(&b, "", 0, true);
    AUTO_FREE char *more = text_format(",\"ExclusiveStartBackupArn\":\"%s\"", text_at(&b, "LastEvaluatedBackupArn"));
    list_backups(&b, more, 2, false);
    bench_close(&b);
}

/* Rules in a row take one call after the other; a rule counts the calls that reach it. */
static void order_of_faults(void **state) {
    static const char *const codes[] = {"", "One", "Two", "Two", "", "Three", "Three"};
    Bench b;
    bench_open(&b, service_settings_default(), false);
    assert_int_equal(service_add_faults(b.service,
                                        "# a comment\n\nListTables after=1 error One\r\n"
                                        "ListTables after=1 times=2 error Two\n"
                                        "ListTables after=2 times=forever error Three\n",
                                        NULL),
                     0);
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        handle(&b, "us-east-1", "ListTables", "{}", false);
        assert_string_equal(b.reply.code, codes[i]);
    }
    AUTO_TEXT t = TEXT_INIT(10000);
    assert_int_equal(service_faults_to_json(b.service, &t), 0);
    assert_non_null(strstr(text_get(&t), "\"action\":\"error\",\"calls\":6,\"hits\":2,\"spent\":true"));
    bench_close(&b);
}

static void wrong_rules(void **state) {
    static const struct {
        const char *script, *why;
    } rows[] = {
        {"ListTables", "line 1: ListTables: its action is missing"},
        {"\nListTables explode", "line 2: explode: no such action or condition"},
        {"ListTables times=0 garbage", "line 1: times=0: not a number of calls; HINT: a number, once or forever"},
        {"ListTables after=x garbage", "line 1: after=x: not a number of calls"},
        {"ListTables delay", "line 1: delay: its value is missing"},
        {"ListTables delay 5", "line 1: 5: not a duration; HINT: 250ms, 5s, 2h"},
        {"ListTables error", "line 1: error: its value is missing"},
        {"ListTables oversize 1T", "line 1: 1T: not a size, or over 256M"},
        {"ListTables drop-after now", "line 1: now: one word too many"},
    };
    Bench b;
    bench_open(&b, service_settings_default(), false);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_FREE char *why = NULL;
        assert_int_equal(service_add_faults(b.service, rows[i].script, &why), -EINVAL);
        assert_string_equal(why, rows[i].why);
    }
    AUTO_FREE char *why = NULL;
    assert_int_equal(service_add_faults(b.service, "* garbage\n* nonsense", &why), -EINVAL);
    call(&b, "ListTables", "{}", ""); /* the good line of a bad script is not there either */
    bench_close(&b);
}

UNIT_MAIN(cmocka_unit_test(faults), cmocka_unit_test(details_of_faults), cmocka_unit_test(order_of_faults),
          cmocka_unit_test(wrong_rules))
