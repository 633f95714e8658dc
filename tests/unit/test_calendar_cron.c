/* The dialects that are not systemd's: cron, and cron and rate of AWS. */

#include "base/date.h"
#include "base/text.h"
#include "core/calendar/calendar.h"
#include "tzif.h"
#include "unit.h"

static Calendar *parse(const char *expression) {
    CalendarError error = {};
    Calendar *c = NULL;
    if (calendar_parse(expression, &c, &error) < 0)
        fail_msg("%s: %zu: %s", expression, error.position, error.message);
    return c;
}

static void normal_forms(void **state) {
    static const struct {
        const char *expression, *normal;
    } rows[] = {
        {"* * * * *", "*-*-* *:*:00"},
        {"*/1 */1 */1 */1 */1", "*-*-* *:*:00"},
        {"0 2 * * *", "*-*-* 02:00:00"},
        {" 0\t2  *   * * ", "*-*-* 02:00:00"},
        {"0 2 * * * Europe/Berlin", "*-*-* 02:00:00 Europe/Berlin"},
        {"30 2 * * 1-5", "Mon..Fri *-*-* 02:30:00"},
        {"30 2 * * MON-fri", "Mon..Fri *-*-* 02:30:00"},
        {"30 2 * * 0", "Sun *-*-* 02:30:00"},
        {"30 2 * * 7", "Sun *-*-* 02:30:00"},
        {"30 2 * * 5-7", "Fri..Sun *-*-* 02:30:00"},
        {"30 2 * * fri-sun", "Fri..Sun *-*-* 02:30:00"},
        {"30 2 * * 0-0", "Sun *-*-* 02:30:00"},
        {"30 2 * * sun-sun", "Sun *-*-* 02:30:00"},
        {"30 2 * * 0-6", "*-*-* 02:30:00"},
        {"30 2 * * 0-7", "*-*-* 02:30:00"},
        {"30 2 * * */2", "Tue,Thu,Sat,Sun *-*-* 02:30:00"},
        {"30 2 * * 1/2", "Mon,Wed,Fri *-*-* 02:30:00"},
        {"30 2 * * 1-5/2,sun", "Mon,Wed,Fri,Sun *-*-* 02:30:00"},
        {"*/15 9-17 * * *", "*-*-* 09..17:00/15:00"},
        {"5/20 * * * *", "*-*-* *:05/20:00"},
        {"3,1,2,2 * * * *", "*-*-* *:01,02,03:00"},
        {"0 0-23/2 * * *", "*-*-* 00..22/2:00:00"},
        {"0 2 1 jan,JUL *", "*-01,07-01 02:00:00"},
        {"0 2 1 mar-jun/3 *", "*-03..06/3-01 02:00:00"},
        /* a day of the month or a weekday, unless one begins with "*" */
        {"0 2 1,15 * 5", "0 2 1,15 * 5"},
        {"0 2 13 * fri-sun UTC", "0 2 13 * 5-7 UTC"},
        {"*/5 */2 1-7/3 1-3 1,3,5", "0/5 0/2 1-7/3 1-3 1,3,5"},
        {"0 2 1/2 * 1", "0 2 1/2 * 1"},
        {"0 2 */2 * 1", "Mon *-*-01/2 02:00:00"},
        {"0 2 13 * */6", "Sat,Sun *-*-13 02:00:00"},
        {"0 2 5,* * 1", "*-*-* 02:00:00"},
        {"0 2 5 * 1,*", "*-*-* 02:00:00"},
        {"0 2 5 * 0-6", "*-*-* 02:00:00"},
        /* names */
        {"@yearly", "*-01-01 00:00:00"},
        {"@annually", "*-01-01 00:00:00"},
        {"@monthly", "*-*-01 00:00:00"},
        {"@weekly", "Sun *-*-* 00:00:00"},
        {"@Daily", "*-*-* 00:00:00"},
        {"@midnight Asia/Tokyo", "*-*-* 00:00:00 Asia/Tokyo"},
        {"@hourly", "*-*-* *:00:00"},
        /* AWS */
        {"cron(0 10 * * ? *)", "*-*-* 10:00:00"},
        {"cron( 0  10 * * ? * )", "*-*-* 10:00:00"},
        {"cron(0 18 ? * MON-FRI *)", "Mon..Fri *-*-* 18:00:00"},
        {"cron(0 18 ? * 1 *)", "Sun *-*-* 18:00:00"},
        {"cron(0 18 ? * 7 *)", "Sat *-*-* 18:00:00"},
        {"cron(0 18 ? * 1-7 *)", "*-*-* 18:00:00"},
        {"cron(0 18 ? * * *)", "*-*-* 18:00:00"},
        {"cron(0 18 ? * 3/2 *)", "Tue,Thu,Sat *-*-* 18:00:00"},
        {"cron(0 1 ? * FRI-MON *)", "Mon,Fri..Sun *-*-* 01:00:00"},
        {"cron(0/30 20-2 ? * MON-FRI *)", "Mon..Fri *-*-* 00..02,20..23:00/30:00"},
        {"cron(0 20-4/3 * * ? *)", "*-*-* 02,20..23/3:00:00"},
        {"cron(0 0 1 11-2 ? *)", "*-01..02,11..12-01 00:00:00"},
        {"cron(0 0 1 1 ? 2027)", "2027-01-01 00:00:00"},
        {"cron(15 10 ? * 6L 2022-2023) UTC", "Fri 2022..2023-*~01..07 10:15:00 UTC"},
        {"cron(15 10 ? * FRIL *)", "Fri *-*~01..07 10:15:00"},
        {"cron(0 9 ? * L *)", "Sat *-*-* 09:00:00"},
        {"cron(0 9 ? * 3#2 *)", "Tue *-*-08..14 09:00:00"},
        {"cron(0 9 ? * MON#5 *)", "Mon *-*-29..31 09:00:00"},
        {"cron(0 9 L * ? *)", "*-*~01 09:00:00"},
        {"cron(0 9 3W * ? *)", "cron(0 9 3W * ? *)"},
        {"cron(0/5 */2 31W JAN-MAR ? 2026/2) Europe/Berlin", "cron(0/5 0/2 31W 1-3 ? 2026/2) Europe/Berlin"},
        {"cron(0 9 LW * ? *)", "cron(0 9 LW * ? *)"},
        {"rate(1 minute)", "rate(1 minute)"},
        {"rate(90 minutes)", "rate(90 minutes)"},
        {"rate(60 minutes)", "rate(1 hour)"},
        {"rate(48 hours)", "rate(2 days)"},
        {"rate(36500 days)", "rate(36500 days)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        AUTO_FREE char *normal = NULL;
        assert_int_equal(calendar_to_string(c, &normal), 0);
        if (strcmp(normal, rows[i].normal) != 0)
            fail_msg("%s: %s, not %s", rows[i].expression, normal, rows[i].normal);
        CLEANUP(calendar_free_ptr) Calendar *again = parse(normal);
        assert_true(calendar_equal(c, again));
    }
}

static void dialects_are_not_mixed_up(void **state) {
    static const char *const rows[][2] = {
        {"0 2 1 * 1", "Mon *-*-01 02:00"},   {"cron(0 9 LW * ? *)", "cron(0 9 L * ? *)"},
        {"rate(1 day)", "daily"},            {"rate(1 hour)", "rate(2 hours)"},
        {"@weekly", "weekly"},               {"cron(0 9 3W * ? *)", "cron(0 9 3 * ? *)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *a = parse(rows[i][0]);
        CLEANUP(calendar_free_ptr) Calendar *b = parse(rows[i][1]);
        assert_false(calendar_equal(a, b));
    }
}

static void errors_say_where(void **state) {
    static const struct {
        const char *expression;
        size_t position;
        const char *part; /* of the message */
    } rows[] = {
        {"60 2 * * *", 0, "a minute between 0 and 59"},
        {"0 24 * * *", 2, "an hour between 0 and 23"},
        {"0 2 0 * *", 4, "a day of the month between"},
        {"0 2 32 * *", 4, "a day of the month between"},
        {"0 2 * 13 *", 6, "a month between 1 and 12"},
        {"0 2 * foo *", 6, "a month or"},
        {"0 2 * janu *", 6, "a month or"},
        {"0 2 * * 8", 8, "a weekday from 0 to 7"},
        {"0 2 * * fro", 8, "a weekday or"},
        {"0 2 * * 1-8", 10, "a weekday from 0 to 7"},
        {"0 2 * * 5-1", 10, "ends before it starts"},
        {"0 22-2 * * *", 5, "ends before it starts; write two, such as 22-23,0-2"},
        {"0 2 * * sat-mon", 12, "ends before it starts; write two"},
        {"0 2 * * 1,,2", 10, "a weekday or"},
        {"0 2 * * 1-", 10, "the end of the range"},
        {"*/0 * * * *", 2, "at least 1"},
        {"*/ * * * *", 2, "a step after"},
        {"*/60 * * * *", 2, "past minute 59; its start alone means the same, 0 for */60"},
        {"0 */24 * * *", 4, "past hour 23; its start alone means the same, 0 for */24"},
        {"0 0 */31 * *", 6, "out of the month; its start alone means the same, 1 for */31"},
        {"0 0 1 */12 *", 8, "past month 12; its start alone means the same, 1 for */12"},
        {"0 2 * * */8", 10, "out of the week"},
        {"0 2 * *", 7, "five fields"},
        {"0 2 * * * *", 10, "without seconds and years, and here is one more"},
        {"0 2 * * Europe/Berlin", 8, "a weekday or"},
        {"0 2 * * * Europe//Berlin", 10, "one more"},
        {"0 2 L * *", 4, "AWS's form alone"},
        {"0 2 15W * *", 6, "AWS's form alone"},
        {"0 2 ? * *", 4, "AWS's form alone"},
        {"0 2 * * 1#2", 9, "AWS's form alone"},
        {"0 2x * * *", 3, "a space"},
        {"0..5 2 * * *", 1, "a space"},
        {"@reboot", 1, "cron's names"},
        {"cron(0 10 * * ? *", 17, "expected \")\""},
        {"cron(0 10 * * ?)", 15, "six fields"},
        {"cron(0 10 * * ? FOO", 16, "a year or"},
        {"cron()", 5, "six fields"},
        {"CRON(0 2 * * ? *)", 0, "in small letters"},
        {"cron (0 2 * * ? *)", 0, "without a space"},
        {"Rate(5 minutes)", 0, "in small letters"},
        {"cron(0 10 * * ? * *)", 18, "six fields"},
        {"cron(0 10 * * ? *)x", 18, "after \")\""},
        {"cron(0 10 * * * *)", 14, "one is \"?\""},
        {"cron(0 10 ? * ? *)", 14, "one is \"?\""},
        {"cron(0 10 1 * MON *)", 14, "one is \"?\""},
        {"cron(0 10 ? * 0 *)", 14, "from 1, which is Sunday"},
        {"cron(0 10 ? * 8 *)", 14, "from 1, which is Sunday"},
        {"cron(0 10 ? * 8L *)", 14, "from 1, which is Sunday"},
        {"cron(0 10 ? * 3#6 *)", 16, "from 1 to 5"},
        {"cron(0 10 ? * 3#1,6#3 *)", 17, "no list or range"},
        {"cron(0 10 ? * 2,3#1 *)", 17, "no list or range"},
        {"cron(0 10 1,15W * ? *)", 14, "no list or range"},
        {"cron(0 10 L,1 * ? *)", 11, "no list or range"},
        {"cron(0 10 0W * ? *)", 10, "a day of the month between"},
        {"cron(0 10 32W * ? *)", 10, "a day of the month between"},
        {"cron(0 10 25-0 * ? *)", 13, "a day of the month between"},
        {"cron(0 10 * * ? 1969)", 16, "between 1970 and 2199"},
        {"cron(0 10 * * ? 2027-2026)", 21, "ends before it starts"},
        {"cron(? 10 * * ? *)", 5, "a minute or"},
        {"rate(0 minutes)", 5, "above 0"},
        {"rate(minutes)", 5, "above 0"},
        {"rate(5)", 6, "a space, and"},
        {"rate(5 weeks)", 7, "minutes, hours or days"},
        {"rate(1 hours)", 7, "1 takes"},
        {"rate(2 hour)", 7, "above 1 takes"},
        {"rate(2 hours", 12, "expected \")\""},
        {"rate(2 hours)x", 13, "the end"},
        {"rate(2 hours) UTC", 13, "no time zone"},
        {"rate(36501 days)", 5, "36500 days at most"},
        {"rate(99999999999999999999 minutes)", 5, "36500 days at most"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Calendar *c = NULL;
        CalendarError error = {};
        assert_int_equal(calendar_parse(rows[i].expression, &c, &error), -EINVAL);
        assert_null(c);
        if (error.position != rows[i].position || !strstr(error.message, rows[i].part))
            fail_msg("%s: %zu: %s", rows[i].expression, error.position, error.message);
    }
}

#define N_NEXT 6

static void next_instants(void **state) {
    static const struct {
        const char *zone, *expression, *after, *next[N_NEXT];
    } rows[] = {
        /* the 1st, the 15th, and each Friday */
        {"UTC", "0 2 1,15 * 5", "2026-11-24T00:00:00Z", {"2026-11-27T02:00:00Z", "2026-12-01T02:00:00Z",
                                                        "2026-12-04T02:00:00Z", "2026-12-11T02:00:00Z",
                                                        "2026-12-15T02:00:00Z", "2026-12-18T02:00:00Z"}},
        {"UTC", "0 2 31 2 1", "2026-02-20T00:00:00Z", {"2026-02-23T02:00:00Z", "2027-02-01T02:00:00Z"}},
        {"UTC", "0 2 31 * 1", "2026-04-27T02:00:00Z", {"2026-05-04T02:00:00Z"}},
        {"UTC", "0 2 30 2 *", "2026-02-20T00:00:00Z", {"never"}},
        /* both where one begins with "*" */
        {"UTC", "0 2 */10 * 5", "2026-11-24T00:00:00Z", {"2026-12-11T02:00:00Z", "2027-01-01T02:00:00Z"}},
        /* 15 August 2026 is a Saturday, 15 November a Sunday; 1 August a Saturday; 31 May a Sunday */
        {"UTC", "cron(0 9 15W 8,11 ? *)", "2026-08-01T00:00:00Z", {"2026-08-14T09:00:00Z", "2026-11-16T09:00:00Z"}},
        {"UTC", "cron(0 9 1W 8 ? *)", "2026-07-15T00:00:00Z", {"2026-08-03T09:00:00Z", "2027-08-02T09:00:00Z"}},
        {"UTC", "cron(0 9 31W 4,5 ? *)", "2026-04-01T00:00:00Z", {"2026-05-29T09:00:00Z", "2027-05-31T09:00:00Z"}},
        {"UTC", "cron(0 9 LW 4,5 ? *)", "2026-04-01T00:00:00Z", {"2026-04-30T09:00:00Z", "2026-05-29T09:00:00Z"}},
        {"UTC", "cron(0 9,15 14W 8 ? 2026)", "2026-08-14T10:00:00Z", {"2026-08-14T15:00:00Z", "never"}},
        {"UTC", "cron(0 9 ? * MON#5 *)", "2026-11-24T00:00:00Z", {"2026-11-30T09:00:00Z", "2027-03-29T09:00:00Z"}},
        {"UTC", "cron(0 9 ? * 6L *)", "2026-11-27T09:00:00Z", {"2026-12-25T09:00:00Z", "2027-01-29T09:00:00Z"}},
        /* rates count from 1970, in every zone */
        {"Europe/Berlin", "rate(7 days)", "2026-11-24T00:00:00Z", {"2026-11-26T00:00:00Z", "2026-12-03T00:00:00Z"}},
        {"Pacific/Apia", "rate(90 minutes)", "2026-11-24T00:00:00Z", {"2026-11-24T01:30:00Z", "2026-11-24T03:00:00Z"}},
        {"UTC", "rate(7 minutes)", "2026-11-24T00:00:00Z", {"2026-11-24T00:03:00Z", "2026-11-24T00:10:00Z"}},
        {"UTC", "rate(1 hour)", "2199-12-31T22:30:00Z", {"2199-12-31T23:00:00Z", "never"}},
        {"UTC", "rate(36500 days)", "1970-01-01T00:00:00Z", {"2069-12-07T00:00:00Z", "2169-11-13T00:00:00Z", "never"}},
        /* where the clock changes: once, and in both passes where the hour is "*" or stepped */
        {"Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"Europe/Berlin", "30 * * * *", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
                                                                "2026-10-25T02:30:00Z"}},
        {"Europe/Berlin", "30 */2 * * *", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
                                                                  "2026-10-25T03:30:00Z"}},
        {"Europe/Berlin", "cron(30 2 ? * L *)", "2026-10-24T12:00:00Z", {"2026-10-31T01:30:00Z"}},
        {"Europe/Berlin", "cron(30 2 25W 10 ? *)", "2026-10-01T12:00:00Z", {"2026-10-26T01:30:00Z"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[i].zone);
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        Usec wall = 0;
        char buffer[DATE_ISO_SIZE];
        assert_int_equal(date_from_iso(rows[i].after, &wall), 0);
        for (size_t k = 0; k < N_NEXT && rows[i].next[k]; k++) {
            bool found = calendar_next(c, z, wall, &wall) >= 0;
            const char *next = found ? date_to_iso(wall, buffer) : "never";
            if (strcmp(next, rows[i].next[k]) != 0)
                fail_msg("%s in %s, %zu: %s, not %s", rows[i].expression, rows[i].zone, k, next, rows[i].next[k]);
        }
    }
}

static void rates_look_back(void **state) {
    CLEANUP(zone_free_ptr) Zone *z = tzif_known("UTC");
    CLEANUP(calendar_free_ptr) Calendar *c = parse("rate(6 hours)");
    Usec last = 0, day = 20000 * USEC_PER_DAY;
    assert_int_equal(calendar_last(c, z, day, day + 13 * USEC_PER_HOUR, &last), 0);
    assert_int_equal(last, day + 12 * USEC_PER_HOUR);
    assert_int_equal(calendar_last(c, z, day, day + 5 * USEC_PER_HOUR, &last), -ENOENT);
    assert_int_equal(calendar_next(c, z, -1, &last), 0);
    assert_int_equal(last, 0);
    assert_int_equal(calendar_shortest_period(c, z, day), 6 * USEC_PER_HOUR);
}

/* A day fits where the month's list or the week's has it: looked at day by day, over four years. */
static void either_is_a_union(void **state) {
    static const char *const rows[][3] = {
        {"0 0 1-7 * 1", "*-*-1..7", "Mon *-*-*"},
        {"0 0 31 * 0,6", "*-*-31", "Sat,Sun *-*-*"},
        {"0 0 2/9 2,3 2-4", "*-02,03-2/9", "Tue..Thu *-02,03-*"},
    };
    CLEANUP(zone_free_ptr) Zone *z = tzif_known("UTC");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *either = parse(rows[i][0]);
        CLEANUP(calendar_free_ptr) Calendar *a = parse(rows[i][1]);
        CLEANUP(calendar_free_ptr) Calendar *b = parse(rows[i][2]);
        Usec at = 20454 * USEC_PER_DAY, end = at + 1461 * USEC_PER_DAY, next_a = 0, next_b = 0;
        while (at < end) {
            assert_int_equal(calendar_next(a, z, at, &next_a), 0);
            assert_int_equal(calendar_next(b, z, at, &next_b), 0);
            assert_int_equal(calendar_next(either, z, at, &at), 0);
            assert_int_equal(at, usec_min(next_a, next_b));
        }
    }
}

UNIT_MAIN(cmocka_unit_test(normal_forms), cmocka_unit_test(dialects_are_not_mixed_up),
          cmocka_unit_test(errors_say_where), cmocka_unit_test(next_instants), cmocka_unit_test(rates_look_back),
          cmocka_unit_test(either_is_a_union))
