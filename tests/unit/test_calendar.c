#include "core/calendar/calendar.h"

#include "base/date.h"
#include "base/text.h"
#include "tzif.h"
#include "unit.h"

static Usec wall_of(const char *iso) {
    Usec wall = 0;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

static void assert_wall(Usec wall, const char *iso) {
    char buffer[DATE_ISO_SIZE];
    assert_string_equal(date_to_iso(wall, buffer), iso);
}

static Calendar *parse(const char *expression) {
    CalendarError error = {};
    Calendar *c = NULL;
    if (calendar_parse(expression, &c, &error) < 0)
        fail_msg("%s: %zu: %s", expression, error.position, error.message);
    return c;
}

/* --- the grammar --- */

static void normal_forms(void **state) {
    static const struct {
        const char *expression, *normal;
    } rows[] = {
        {"minutely", "*-*-* *:*:00"},
        {"hourly", "*-*-* *:00:00"},
        {"daily", "*-*-* 00:00:00"},
        {"weekly", "Mon *-*-* 00:00:00"},
        {"monthly", "*-*-01 00:00:00"},
        {"quarterly", "*-01,04,07,10-01 00:00:00"},
        {"semiannually", "*-01,07-01 00:00:00"},
        {"yearly", "*-01-01 00:00:00"},
        {"ANNUALLY", "*-01-01 00:00:00"},
        /* systemd.time(7) */
        {"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"},
        {"Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00"},
        {"Wed *-1", "Wed *-*-01 00:00:00"},
        {"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"},
        {"Wed, 17:48", "Wed *-*-* 17:48:00"},
        {"Wed..Sat,Tue 12-10-15 1:2:3", "Tue..Sat 2012-10-15 01:02:03"},
        {"*-*-7 0:0:0", "*-*-07 00:00:00"},
        {"10-15", "*-10-15 00:00:00"},
        {"monday *-12-* 17:00", "Mon *-12-* 17:00:00"},
        {"Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45"},
        {"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"},
        {"12..14:10,20,30", "*-*-* 12..14:10,20,30:00"},
        {"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45"},
        {"03-05 08:05:40", "*-03-05 08:05:40"},
        {"08:05:40", "*-*-* 08:05:40"},
        {"05:40", "*-*-* 05:40:00"},
        {"Sat,Sun 08:05:40", "Sat,Sun *-*-* 08:05:40"},
        {"2003-03-05 05:40", "2003-03-05 05:40:00"},
        {"05:40:23.4200004/3.1700005", "*-*-* 05:40:23.420000/3.170001"},
        {"2003-02..04-05", "2003-02..04-05 00:00:00"},
        {"2003-03-05 05:40 UTC", "2003-03-05 05:40:00 UTC"},
        {"daily utc", "*-*-* 00:00:00 UTC"},
        {"weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland"},
        {"*:2/3", "*-*-* *:02/3:00"},
        /* and beyond */
        {"Mon..Sun", "*-*-* 00:00:00"},
        {"Mon-Wed,sunday", "Mon..Wed,Sun *-*-* 00:00:00"},
        {"Sat..Sun", "Sat,Sun *-*-* 00:00:00"},
        {"69-1-1", "2069-01-01 00:00:00"},
        {"70-1-1", "1970-01-01 00:00:00"},
        {"26..28-*-*", "2026..2028-*-* 00:00:00"},
        {"*-*~1", "*-*~01 00:00:00"},
        {"*-02~03", "*-02~03 00:00:00"},
        {"02~1", "*-02~01 00:00:00"},
        {"*-*~*", "*-*-* 00:00:00"},
        {"Mon *-05~07/1", "Mon *-05~07/1 00:00:00"},
        {"*-*~1..6/2", "*-*~01..05/2 00:00:00"},
        {"*-*-1..31/7", "*-*-01..29/7 00:00:00"},
        {"0..23/1:0", "*-*-* 00..23:00:00"},
        {"5..5:0", "*-*-* 05:00:00"},
        {"12..13/7:0", "*-*-* 12:00:00"},
        {"*:*:*", "*-*-* *:*:*"},
        {"*:*:0/1", "*-*-* *:*:*"},
        {"*:*:0..5/1", "*-*-* *:*:00..05"},
        {"*:*:0/0.5", "*-*-* *:*:00/0.500000"},
        {"*:*:0.25..3/0.5", "*-*-* *:*:00.250000..02.750000/0.500000"},
        {"*:*:1..2.5", "*-*-* *:*:01..02"},
        {"*:*:59.9999994", "*-*-* *:*:59.999999"},
        {"*:0/15,7,7", "*-*-* *:00/15,07:00"},
        {"@1800000000", "2027-01-15 08:00:00 UTC"},
        {"@0 Europe/Berlin", "1970-01-01 00:00:00 UTC"},
        {"2026-1-1  UTC", "2026-01-01 00:00:00 UTC"},
        {"12:00 Etc/GMT+5", "*-*-* 12:00:00 Etc/GMT+5"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        AUTO_FREE char *normal = NULL, *again = NULL;
        assert_int_equal(calendar_to_string(c, &normal), 0);
        assert_string_equal(normal, rows[i].normal);
        CLEANUP(calendar_free_ptr) Calendar *second = parse(normal);
        assert_int_equal(calendar_to_string(second, &again), 0);
        assert_string_equal(again, normal);
        assert_true(calendar_equal(c, second));
    }
}

static void zones_named(void **state) {
    static const struct {
        const char *expression, *zone;
    } rows[] = {
        {"daily", NULL},
        {"daily uTc", "UTC"},
        {"Mon 12:00 America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"},
        {"@5", "UTC"},
        {"Mon", NULL},
        {"Mon EST5EDT", "EST5EDT"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        assert_true(text_equal(calendar_zone_name(c), rows[i].zone));
    }
}

static void equality_is_of_the_normal_form(void **state) {
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"daily", "*-*-* 0:0", true},
        {"Mon..Wed,Fri 2:00", "fri,mon,tue,wed 02:00:00", true},
        {"0..23/1:0", "0..23:0", true},
        {"*-*-2,1", "*-*-1,2,2", true},
        {"daily", "daily UTC", false},
        {"daily UTC", "daily Europe/Berlin", false},
        {"*-*-1", "*-*~1", false},
        {"Mon 2:00", "2:00", false},
        {"2:00", "2:01", false},
        {"*:0", "0/1:0", false},
        {"1,2:0", "1:0", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *a = parse(rows[i].a);
        CLEANUP(calendar_free_ptr) Calendar *b = parse(rows[i].b);
        assert_int_equal(calendar_equal(a, b), rows[i].equal);
        assert_int_equal(calendar_equal(b, a), rows[i].equal);
    }
}

static void errors_say_where(void **state) {
    static const struct {
        const char *expression;
        size_t position;
        const char *part; /* of the message */
    } rows[] = {
        {"", 0, "calendar expression"},
        {" UTC", 0, "calendar expression"},
        {" daily", 0, "a date such as"},
        {"daly", 0, "a weekday, or one of the names"},
        {"UTC", 0, "a weekday"},
        {"daily weekly", 0, "a weekday"},
        {"5", 0, "a date such as"},
        {"Mon,Tur", 4, "a weekday"},
        {"Mon..", 5, "last weekday"},
        {"Mon.. 12:00", 5, "last weekday"},
        {"Mon..Wed..Fri", 8, "a space after a weekday"},
        {"Fri..Mon", 5, "from Monday towards Sunday; write two"},
        {"Mon;Tue", 3, "a space after a weekday"},
        {"2200-01-01", 0, "between 1970 and 2199"},
        {"1969-01-01", 0, "between 1970 and 2199"},
        {"100-01-01", 0, "between 1970 and 2199"},
        {"99999999999-01-01", 0, "between 1970 and 2199"},
        {"*-13-01", 2, "a month between 1 and 12"},
        {"*-00-01", 2, "a month between 1 and 12"},
        {"*-12,x-01", 5, "a month or"},
        {"*-01-32", 5, "a day of the month between 1 and 31"},
        {"*-01-00", 5, "a day of the month between 1 and 31"},
        {"*-01~29", 5, "between 1 (the last of the month) and 28"},
        {"*-01~07/7", 8, "out of the month"},
        {"*~01-02", 1, "\"-\" after the year"},
        {"*-01-02-03", 7, "a space after the date"},
        {"*-01--02", 5, "a day of the month or"},
        {"Mon *-01-02x", 11, "a space after the date"},
        {"24:00", 0, "an hour between 0 and 23"},
        {"12", 0, "a date such as"},
        {"12:", 3, "a minute or"},
        {"*-*-* 5", 7, "minutes after the hour"},
        {"~1", 0, "a month or"},
        {"12:60", 3, "a minute between 0 and 59"},
        {"12:00:60", 6, "a second between 0 and 59"},
        {"12:00:59.9999999", 6, "a second between 0 and 59"},
        {"12:00:1.", 8, "digits after the decimal point"},
        {"12:1.5", 4, "\":\", the end"},
        {"12:00:00:00", 8, "the end, or a space and a time zone"},
        {"12:00 Europe//Berlin", 5, "a time zone"},
        {"12:00 Mon", 5, "a time zone"},
        {"12:00 daily", 5, "a time zone"},
        {"12-24:00", 2, "\":\" after the hour"},
        {"*:0/0", 4, "at least 1"},
        {"*:0/", 4, "a step"},
        {"*:0/60", 4, "past minute 59; its start alone means the same, 0 for */60"},
        {"20/4:00", 3, "past hour 23"},
        {"1/2147483647:00", 2, "past hour 23"},
        {"5..3:00", 3, "ends before it starts; write two, such as 22..23,0..2"},
        {"5..24:00", 3, "an hour between 0 and 23"},
        {"5..:00", 3, "the end of the range"},
        {"*:*:1..1.5", 7, "needs a step"},
        {"*:*:*/5", 5, "behind a number, such as 0/15"},
        {"*:*/15", 3, "behind a number, such as 0/15"},
        {"*-*-*/2", 5, "behind a number, such as 0/15"},
        {"*/2:00", 1, "behind a number, such as 0/15"},
        {"*-*-01 ", 7, "a time behind the space"},
        {"Mon ", 4, "a time behind the space"},
        {"@", 1, "seconds since 1970"},
        {"@12x", 3, "the end"},
        {"@7258118400", 0, "before the year 2200"},
        {"@99999999999999999999999", 0, "before the year 2200"},
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

static void long_lists_end(void **state) {
    AUTO_TEXT t = TEXT_INIT(100000);
    text_add(&t, "*:*:0");
    for (int i = 1; i < 240; i++)
        text_addf(&t, ",0.%06d", i);
    CLEANUP(calendar_free_ptr) Calendar *c = parse(text_get(&t));
    AUTO_FREE char *normal = NULL;
    assert_int_equal(calendar_to_string(c, &normal), 0);
    text_add(&t, ",1");
    Calendar *none = NULL;
    CalendarError error = {};
    assert_int_equal(calendar_parse(text_get(&t), &none, &error), -EINVAL);
    assert_string_equal(error.message, "too many values in one list");
}

/* --- elapses --- */

#define N_NEXT 8

typedef struct NextRow {
    const char *zone, *expression, *after, *next[N_NEXT];
} NextRow;

static void check_next(const NextRow *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[i].zone);
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        Usec wall = wall_of(rows[i].after);
        for (size_t k = 0; k < N_NEXT && rows[i].next[k]; k++) {
            if (strcmp(rows[i].next[k], "never") == 0) {
                assert_int_equal(calendar_next(c, z, wall, &wall), -ENOENT);
                break;
            }
            assert_int_equal(calendar_next(c, z, wall, &wall), 0);
            char buffer[DATE_ISO_SIZE];
            if (strcmp(date_to_iso(wall, buffer), rows[i].next[k]) != 0)
                fail_msg("%s in %s, %zu: %s, not %s", rows[i].expression, rows[i].zone, k, buffer, rows[i].next[k]);
        }
    }
}

static void next_in_utc(void **state) {
    static const NextRow rows[] = {
        {"UTC", "daily", "2026-11-23T00:00:00Z", {"2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"}},
        {"UTC", "daily", "2026-11-22T23:59:59.999Z", {"2026-11-23T00:00:00Z"}},
        {"UTC", "*:*:*", "2026-11-23T00:00:00.500Z", {"2026-11-23T00:00:01Z", "2026-11-23T00:00:02Z"}},
        {"UTC", "*:*:0/0.25", "2026-11-23T00:00:59.700Z", {"2026-11-23T00:00:59.750Z", "2026-11-23T00:01:00Z"}},
        {"UTC", "*:1/21", "2026-11-23T22:50:00Z", {"2026-11-23T23:01:00Z", "2026-11-23T23:22:00Z",
                                                  "2026-11-23T23:43:00Z", "2026-11-24T00:01:00Z"}},
        {"UTC", "*:*:0/22.25", "2026-11-23T00:00:44.500Z", {"2026-11-23T00:01:00Z", "2026-11-23T00:01:22.250Z"}},
        {"UTC", "1/7:04", "2026-11-30T22:00:00Z", {"2026-11-30T22:04:00Z", "2026-12-01T01:04:00Z"}},
        {"UTC", "*-*-30/1 6:00", "2026-12-30T07:00:00Z", {"2026-12-31T06:00:00Z", "2027-01-30T06:00:00Z"}},
        {"UTC", "*-02-29", "2096-03-01T00:00:00Z", {"2104-02-29T00:00:00Z", "2108-02-29T00:00:00Z"}},
        {"UTC", "Mon *-02-29", "2026-01-01T00:00:00Z", {"2044-02-29T00:00:00Z", "2072-02-29T00:00:00Z"}},
        {"UTC", "*-02-30", "2026-01-01T00:00:00Z", {"never"}},
        {"UTC", "*-02,04-31", "2026-01-01T00:00:00Z", {"never"}},
        {"UTC", "2026-*-*", "2026-12-30T12:00:00Z", {"2026-12-31T00:00:00Z", "never"}},
        {"UTC", "2025-01-01", "2026-01-01T00:00:00Z", {"never"}},
        {"UTC", "*:*:*", "2199-12-31T23:59:58Z", {"2199-12-31T23:59:59Z", "never"}},
        {"UTC", "hourly", "9999-12-31T23:59:59Z", {"never"}},
        {"UTC", "daily", "1970-01-01T00:00:00Z", {"1970-01-02T00:00:00Z"}},
        {"UTC", "*-*~1", "2026-01-31T00:00:00Z", {"2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"}},
        {"UTC", "*-02~03", "2026-01-01T00:00:00Z", {"2026-02-26T00:00:00Z", "2027-02-26T00:00:00Z",
                                                   "2028-02-27T00:00:00Z"}},
        {"UTC", "Mon *-05~07/1", "2026-01-01T00:00:00Z", {"2026-05-25T00:00:00Z", "2027-05-31T00:00:00Z"}},
        {"UTC", "*-*~1..5/2", "2026-02-01T00:00:00Z", {"2026-02-24T00:00:00Z", "2026-02-26T00:00:00Z",
                                                      "2026-02-28T00:00:00Z", "2026-03-27T00:00:00Z"}},
        {"UTC", "Fri..Sat *-*-13 12:00", "2026-01-01T00:00:00Z", {"2026-02-13T12:00:00Z", "2026-03-13T12:00:00Z",
                                                                 "2026-06-13T12:00:00Z"}},
        {"UTC", "2026/2-1-1", "2026-06-01T00:00:00Z", {"2028-01-01T00:00:00Z", "2030-01-01T00:00:00Z"}},
        {"UTC", "9..17:0/30,59", "2026-06-01T17:00:00Z", {"2026-06-01T17:30:00Z", "2026-06-01T17:59:00Z",
                                                         "2026-06-02T09:00:00Z"}},
        {"UTC", "@1800000000", "2026-06-01T00:00:00Z", {"2027-01-15T08:00:00Z", "never"}},
    };
    check_next(rows, ARRAY_SIZE(rows));
}

/* The rules at changes of the clock, one row each and the corners between them. */
static void next_where_the_clock_changes(void **state) {
    static const NextRow rows[] = {
        /* Berlin, spring: 02:00 to 03:00 is left out at 01:00Z */
        {"Europe/Berlin", "02:30", "2026-03-27T12:00:00Z", {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
                                                           "2026-03-30T00:30:00Z"}},
        {"Europe/Berlin", "02:00", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
        {"Europe/Berlin", "02:30,45", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"Europe/Berlin", "02,03:00", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
        {"Europe/Berlin", "02,03:30", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
                                                              "2026-03-30T00:30:00Z"}},
        {"Europe/Berlin", "Sun 02:30", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"}},
        {"Europe/Berlin", "2026-03-29 02:30", "2026-03-01T00:00:00Z", {"2026-03-29T01:00:00Z", "never"}},
        {"Europe/Berlin", "hourly", "2026-03-28T23:30:00Z", {"2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z",
                                                            "2026-03-29T02:00:00Z"}},
        {"Europe/Berlin", "*:0/30", "2026-03-29T00:00:00Z", {"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z",
                                                            "2026-03-29T01:30:00Z"}},
        {"Europe/Berlin", "*:20", "2026-03-29T00:00:00Z", {"2026-03-29T00:20:00Z", "2026-03-29T01:00:00Z",
                                                          "2026-03-29T01:20:00Z"}},
        {"Europe/Berlin", "0/2:30", "2026-03-28T23:00:00Z", {"2026-03-28T23:30:00Z", "2026-03-29T01:00:00Z",
                                                            "2026-03-29T02:30:00Z"}},
        {"Europe/Berlin", "02:30", "2026-03-29T01:00:00Z", {"2026-03-30T00:30:00Z"}},
        {"Europe/Berlin", "02:30", "2026-03-29T00:59:59.999Z", {"2026-03-29T01:00:00Z"}},
        /* Berlin, autumn: 02:00 to 03:00 comes at 00:00Z and again at 01:00Z */
        {"Europe/Berlin", "02:30", "2026-10-24T12:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"Europe/Berlin", "02:30", "2026-10-25T00:45:00Z", {"2026-10-26T01:30:00Z"}},
        {"Europe/Berlin", "02:30", "2026-10-25T01:10:00Z", {"2026-10-26T01:30:00Z"}},
        {"Europe/Berlin", "02,03:00", "2026-10-24T22:00:00Z", {"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"}},
        {"Europe/Berlin", "01..03:30", "2026-10-24T23:00:00Z", {"2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z",
                                                               "2026-10-25T02:30:00Z"}},
        {"Europe/Berlin", "2026-10-25 02:30", "2026-10-01T00:00:00Z", {"2026-10-25T00:30:00Z", "never"}},
        {"Europe/Berlin", "hourly", "2026-10-24T23:30:00Z", {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z",
                                                            "2026-10-25T02:00:00Z"}},
        {"Europe/Berlin", "*:0/30", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
                                                            "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
        {"Europe/Berlin", "*:0/30", "2026-10-25T01:10:00Z", {"2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"}},
        {"Europe/Berlin", "0/2:30", "2026-10-24T22:00:00Z", {"2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z",
                                                            "2026-10-25T01:30:00Z", "2026-10-25T03:30:00Z"}},
        {"Europe/Berlin", "0..23/2:30", "2026-10-25T00:30:00Z", {"2026-10-25T01:30:00Z", "2026-10-25T03:30:00Z"}},
        {"Europe/Berlin", "0..23/1:30", "2026-10-25T00:30:00Z", {"2026-10-25T02:30:00Z"}}, /* a plain range */
        {"Europe/Berlin", "2026-10-25 *:30", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
                                                                     "2026-10-25T02:30:00Z"}},
        {"Europe/Berlin", "2026-10-25 0..2/2:30", "2026-10-25T00:00:00Z", {"2026-10-25T00:30:00Z",
                                                                          "2026-10-25T01:30:00Z", "never"}},
        {"Europe/Berlin", "*-10-25 *:30", "2026-10-25T22:30:00Z", {"2027-10-24T22:30:00Z", "2027-10-24T23:30:00Z",
                                                                  "2027-10-25T00:30:00Z"}},
        {"Europe/Berlin", "hourly UTC", "2026-10-25T00:30:00Z", {"2026-10-25T01:00:00Z"}},
        /* New York */
        {"America/New_York", "02:30", "2026-03-07T12:00:00Z", {"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}},
        {"America/New_York", "01:30", "2026-10-31T12:00:00Z", {"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}},
        {"America/New_York", "hourly", "2026-11-01T04:30:00Z", {"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z",
                                                               "2026-11-01T07:00:00Z"}},
        /* Lord Howe: half an hour, back at 15:00Z, on at 15:30Z */
        {"Australia/Lord_Howe", "01:45", "2026-04-04T12:00:00Z", {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
        {"Australia/Lord_Howe", "*:45", "2026-04-04T14:00:00Z", {"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z",
                                                                "2026-04-04T16:15:00Z"}},
        {"Australia/Lord_Howe", "hourly", "2026-04-04T13:30:00Z", {"2026-04-04T14:00:00Z", "2026-04-04T15:30:00Z"}},
        {"Australia/Lord_Howe", "02:15", "2026-10-03T12:00:00Z", {"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
        {"Australia/Lord_Howe", "02:15,30", "2026-10-03T12:00:00Z", {"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
        /* midnights that do not exist: the day is not lost */
        {"Africa/Cairo", "daily", "2026-04-22T12:00:00Z", {"2026-04-22T22:00:00Z", "2026-04-23T22:00:00Z",
                                                          "2026-04-24T21:00:00Z"}},
        {"Africa/Cairo", "Fri 00:30", "2026-04-22T12:00:00Z", {"2026-04-23T22:00:00Z", "2026-04-30T21:30:00Z"}},
        {"Africa/Cairo", "23:30", "2026-10-29T12:00:00Z", {"2026-10-29T20:30:00Z", "2026-10-30T21:30:00Z"}},
        {"America/Sao_Paulo", "daily", "2018-11-03T12:00:00Z", {"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
        {"America/Sao_Paulo", "daily", "2019-02-16T12:00:00Z", {"2019-02-17T03:00:00Z", "2019-02-18T03:00:00Z"}},
        {"America/Sao_Paulo", "23:30", "2019-02-16T12:00:00Z", {"2019-02-17T01:30:00Z", "2019-02-18T02:30:00Z"}},
        {"America/Sao_Paulo", "Sat *:30", "2019-02-17T01:00:00Z", {"2019-02-17T01:30:00Z", "2019-02-17T02:30:00Z",
                                                                  "2019-02-23T03:30:00Z"}},
        /* Apia's 30 December 2011 */
        {"Pacific/Apia", "12:00", "2011-12-29T00:00:00Z", {"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z",
                                                          "2011-12-30T22:00:00Z"}},
        {"Pacific/Apia", "daily", "2011-12-29T12:00:00Z", {"2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}},
        {"Pacific/Apia", "Fri 12:00", "2011-12-29T00:00:00Z", {"2011-12-30T10:00:00Z", "2012-01-05T22:00:00Z"}},
        {"Pacific/Apia", "hourly", "2011-12-30T08:30:00Z", {"2011-12-30T09:00:00Z", "2011-12-30T10:00:00Z",
                                                           "2011-12-30T11:00:00Z"}},
        /* far away */
        {"Europe/Berlin", "2199-10-27 *:30", "2026-01-01T00:00:00Z", {"2199-10-26T22:30:00Z", "2199-10-26T23:30:00Z",
                                                                     "2199-10-27T00:30:00Z", "2199-10-27T01:30:00Z"}},
        {"Europe/Berlin", "2030-10-27 02:45", "2026-01-01T00:00:00Z", {"2030-10-27T00:45:00Z", "never"}},
        {"Europe/Berlin", "*-02-30 *:30", "2026-01-01T00:00:00Z", {"never"}},
    };
    check_next(rows, ARRAY_SIZE(rows));
}

static void last_before_an_instant(void **state) {
    static const struct {
        const char *expression, *after, *until, *last; /* NULL: none */
    } rows[] = {
        {"02:00", "2026-06-01T00:00:00Z", "2026-06-10T12:00:00Z", "2026-06-10T00:00:00Z"},
        {"02:00", "2026-06-01T00:00:00Z", "2026-06-10T00:00:00Z", "2026-06-10T00:00:00Z"},
        {"02:00", "2026-06-01T00:00:00Z", "2026-06-09T23:59:59.999Z", "2026-06-09T00:00:00Z"},
        {"02:00", "2026-06-09T00:00:00Z", "2026-06-09T23:59:59.999Z", NULL},
        {"02:00", "2026-06-08T23:59:59.999Z", "2026-06-09T23:59:59.999Z", "2026-06-09T00:00:00Z"},
        {"02:00", "2026-06-10T00:00:00Z", "2026-06-01T00:00:00Z", NULL},
        {"*:*:*", "1970-01-01T00:00:00Z", "2026-06-10T12:34:56.789Z", "2026-06-10T12:34:56Z"},
        {"2027-01-01", "2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z", "2026-12-31T23:00:00Z"},
        {"*-02-30", "2026-01-01T00:00:00Z", "2199-01-01T00:00:00Z", NULL},
        {"02:30", "2026-03-01T00:00:00Z", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z"},
        {"02:30", "2026-10-01T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T00:30:00Z"},
        {"*:30", "2026-10-01T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T01:30:00Z"},
    };
    CLEANUP(zone_free_ptr) Zone *z = tzif_known("Europe/Berlin");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        Usec last = 7;
        int rc = calendar_last(c, z, wall_of(rows[i].after), wall_of(rows[i].until), &last);
        assert_int_equal(rc, rows[i].last ? 0 : -ENOENT);
        if (rows[i].last)
            assert_wall(last, rows[i].last);
        else
            assert_int_equal(last, 7);
    }
}

static void shortest_periods(void **state) {
    static const struct {
        const char *zone, *expression;
        Usec shortest;
    } rows[] = {
        {"UTC", "daily", USEC_PER_DAY},
        {"Europe/Berlin", "daily", 23 * USEC_PER_HOUR},
        {"Australia/Lord_Howe", "daily", 47 * USEC_PER_HOUR / 2},
        {"UTC", "02,05:00", 3 * USEC_PER_HOUR},
        {"Europe/Berlin", "01,05:00", 3 * USEC_PER_HOUR},
        {"UTC", "monthly", 28 * USEC_PER_DAY},
        {"UTC", "*-02-29", USEC_INFINITY}, /* but one in four years */
        {"UTC", "2026-12-24", USEC_INFINITY},
        {"UTC", "*-02-30", USEC_INFINITY},
        {"UTC", "*:*:0/0.5", USEC_PER_SEC / 2},
        {"Europe/Berlin", "hourly", USEC_PER_HOUR},
        {"UTC", "yearly", 365 * USEC_PER_DAY},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[i].zone);
        CLEANUP(calendar_free_ptr) Calendar *c = parse(rows[i].expression);
        assert_int_equal(calendar_shortest_period(c, z, wall_of("2026-11-23T00:00:00Z")), rows[i].shortest);
    }
}

/* --- against the definition --- */

#define SPAN_MINUTES (4 * 24 * 60)
#define MARGIN_MINUTES (2 * 24 * 60)
#define MINUTES (SPAN_MINUTES + 2 * MARGIN_MINUTES)

/* Marks the minutes of a span in which `c` elapses by the words of the rules: looks at each local minute that matches
 * (a match is an elapse in UTC, which other tests hold against systemd) and at each instant that shows it. */
static void mark_elapses(const Calendar *c, bool repeats, const Zone *z, Usec from, bool marks[static MINUTES]) {
    CLEANUP(zone_free_ptr) Zone *utc = tzif_known("UTC");
    static Usec locals[MINUTES];
    for (int i = 0; i < MINUTES; i++) {
        Usec wall = from + i * USEC_PER_MINUTE;
        locals[i] = wall + zone_offset(z, wall, NULL) * USEC_PER_SEC;
        marks[i] = false;
    }
    Usec local = locals[0] - USEC_PER_DAY, end = locals[MINUTES - 1] + USEC_PER_DAY;
    while (calendar_next(c, utc, local, &local) >= 0 && local < end) {
        int n = 0, later = -1;
        for (int i = 0; i < MINUTES; i++) {
            if (locals[i] == local && (n++ == 0 || repeats))
                marks[i] = true;
            if (later < 0 && locals[i] > local)
                later = i;
        }
        if (n == 0 && later > 0)
            marks[later] = true;
    }
}

static void random_expression(char *to, size_t size, bool *ret_repeats) {
    static const char *const days[] = {"", "Sun ", "Mon..Fri ", "*-*-* ", "*-*~1..5 ", "Sat,Sun "};
    static const char *const hours[] = {"*",  "0/2", "1/3", "0..23/3", "00",      "01",
                                        "02", "03",  "23",  "1..3",    "0,1,2,3", "0..23"};
    static const char *const minutes[] = {"00", "30", "0/15", "20,40", "*", "59"};
    size_t hour = (size_t)rand() % ARRAY_SIZE(hours);
    *ret_repeats = hour < 4;
    snprintf(to, size, "%s%s:%s", days[(size_t)rand() % ARRAY_SIZE(days)], hours[hour],
             minutes[(size_t)rand() % ARRAY_SIZE(minutes)]);
}

static void next_is_as_defined(void **state) {
    static const struct {
        const char *zone, *change;
    } rows[] = {
        {"Europe/Berlin", "2026-03-29T01:00:00Z"},       {"Europe/Berlin", "2026-10-25T01:00:00Z"},
        {"America/New_York", "2026-03-08T07:00:00Z"},    {"America/New_York", "2026-11-01T06:00:00Z"},
        {"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, {"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
        {"Africa/Cairo", "2026-04-23T22:00:00Z"},        {"Africa/Cairo", "2026-10-29T21:00:00Z"},
        {"America/Sao_Paulo", "2018-11-04T03:00:00Z"},   {"America/Sao_Paulo", "2019-02-17T02:00:00Z"},
        {"Pacific/Apia", "2011-12-30T10:00:00Z"},        {"Europe/Dublin", "2026-10-25T01:00:00Z"},
    };
    static bool marks[MINUTES];
    const char *seed_text = getenv("DDB_SEED");
    unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 20261123;
    print_message("DDB_SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 120; round++) {
        size_t row = (size_t)rand() % ARRAY_SIZE(rows);
        char expression[64];
        bool repeats;
        random_expression(expression, sizeof expression, &repeats);
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[row].zone);
        CLEANUP(calendar_free_ptr) Calendar *c = parse(expression);
        Usec from = wall_of(rows[row].change) - (MARGIN_MINUTES + SPAN_MINUTES / 2) * USEC_PER_MINUTE;
        mark_elapses(c, repeats, z, from, marks);

        int last = -1;
        for (int i = MARGIN_MINUTES; i < MARGIN_MINUTES + SPAN_MINUTES; i++) {
            /* from each minute, the next; up to each minute, the last */
            Usec next = 0, found = 0, wall = from + i * USEC_PER_MINUTE;
            int k = i + 1;
            while (k < MINUTES && !marks[k])
                k++;
            if (k < MINUTES && (calendar_next(c, z, wall, &next) < 0 || next != from + k * USEC_PER_MINUTE))
                fail_msg("%s in %s after %" PRId64 ": %" PRId64 ", not %" PRId64, expression, rows[row].zone, wall,
                         next, from + k * USEC_PER_MINUTE);
            if (marks[i])
                last = i;
            if (i % 61 != 0)
                continue;
            int rc = calendar_last(c, z, from + (MARGIN_MINUTES * USEC_PER_MINUTE) - 1, wall, &found);
            assert_int_equal(rc, last < 0 ? -ENOENT : 0);
            assert_true(last < 0 || found == from + last * USEC_PER_MINUTE);
        }
    }
}

UNIT_MAIN(cmocka_unit_test(normal_forms), cmocka_unit_test(zones_named),
          cmocka_unit_test(equality_is_of_the_normal_form), cmocka_unit_test(errors_say_where),
          cmocka_unit_test(long_lists_end), cmocka_unit_test(next_in_utc),
          cmocka_unit_test(next_where_the_clock_changes), cmocka_unit_test(last_before_an_instant),
          cmocka_unit_test(shortest_periods), cmocka_unit_test(next_is_as_defined))
