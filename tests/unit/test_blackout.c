#include "core/calendar/blackout.h"

#include "base/date.h"
#include "tzif.h"
#include "unit.h"

#define MON_TO_FRI 0x1fu
#define ALL 0x7fu

static void spans(void **state) {
    static const struct {
        const char *text;
        Blackout is;
    } rows[] = {
        {"08:00..18:00", {ALL, 480, 1080}},       {"Mon..Fri 08:00..18:00", {MON_TO_FRI, 480, 1080}},
        {"mon,Wed 8:5..9:30", {5, 485, 570}},     {"22:00..02:00", {ALL, 1320, 1560}},
        {"Sun 22:00..24:00", {0x40, 1320, 1440}}, {"Sat,Sun", {0x60, 0, 1440}},
        {"00:00..24:00", {ALL, 0, 1440}},         {"00:00..00:01", {ALL, 0, 1}},
        {"Fri 18:00..17:59", {0x10, 1080, 2519}}, {"Mon..Sun 00:00..12:00", {ALL, 0, 720}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Blackout b = {};
        CalendarError error;
        if (blackout_from_string(rows[i].text, &b, &error) < 0)
            fail_msg("%s: %zu: %s", rows[i].text, error.position, error.message);
        assert_int_equal(b.weekdays, rows[i].is.weekdays);
        assert_int_equal(b.from, rows[i].is.from);
        assert_int_equal(b.to, rows[i].is.to);
        Blackout again = {};
        AUTO_TEXT text = TEXT_INIT(100);
        assert_int_equal(blackout_add_string(&b, &text), 0);
        assert_int_equal(blackout_from_string(text_get(&text), &again, &error), 0);
        assert_memory_equal(&again, &b, sizeof b);
    }
}

static void normal_forms(void **state) {
    static const struct {
        const char *text, *normal;
    } rows[] = {
        {"mon,Wed 8:5..9:30", "Mon,Wed 08:05..09:30"},
        {"Monday,Tue,Wed 22:00..06:00", "Mon..Wed 22:00..06:00"},
        {"Mon..Sun 08:00..24:00", "08:00..24:00"},
        {"Sat,Sun", "Sat,Sun"},
        {"Sun 00:00..24:00", "Sun"},
        {"Mon..Sun", "00:00..24:00"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Blackout b = {};
        CalendarError error;
        AUTO_TEXT text = TEXT_INIT(100);
        assert_int_equal(blackout_from_string(rows[i].text, &b, &error), 0);
        assert_int_equal(blackout_add_string(&b, &text), 0);
        assert_string_equal(text_get(&text), rows[i].normal);
    }
}

static void errors_say_where(void **state) {
    static const struct {
        const char *text;
        size_t position;
        const char *part; /* of the message */
    } rows[] = {
        {"", 0, "a span such as"},
        {"Mond", 0, "a weekday such as"},
        {"Mon..Fri 8", 10, "minutes after the hour"},
        {"08:00", 5, "\"..\" and the end"},
        {"08:00.18:00", 6, "\"..\" and the end"},
        {"08:00..", 7, "the end of the span"},
        {"08:00..18:00 UTC", 12, "expected the end"},
        {"25:00..26:00", 0, "between 00:00 and 24:00"},
        {"08:00..24:01", 7, "between 00:00 and 24:00"},
        {"08:60..18:00", 0, "a minute between 0 and 59"},
        {"08:00..08:00", 0, "empty"},
        {"24:00..08:00", 0, "empty"},
        {"*-*-* 08:00..18:00", 0, "a span of times"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Blackout b = {.to = 7};
        CalendarError error = {};
        assert_int_equal(blackout_from_string(rows[i].text, &b, &error), -EINVAL);
        assert_int_equal(b.to, 7);
        if (error.position != rows[i].position || !strstr(error.message, rows[i].part))
            fail_msg("%s: %zu: %s", rows[i].text, error.position, error.message);
    }
}

static Usec end_of(const char *const *texts, const char *zone, const char *wall_text) {
    Blackout items[4] = {};
    CalendarError error;
    Usec wall = 0;
    size_t n = 0;
    CLEANUP(zone_free_ptr) Zone *z = tzif_known(zone);
    for (; texts[n]; n++)
        assert_int_equal(blackout_from_string(texts[n], &items[n], &error), 0);
    assert_int_equal(date_from_iso(wall_text, &wall), 0);
    return blackouts_end(items, n, z, wall);
}

/* 2026-11-23 is a Monday. */
static void ends(void **state) {
    static const struct {
        const char *zone, *texts[4], *wall, *end;
    } rows[] = {
        {"UTC", {NULL}, "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"},
        {"UTC", {"08:00..18:00"}, "2026-11-23T07:59:59Z", "2026-11-23T07:59:59Z"},
        {"UTC", {"08:00..18:00"}, "2026-11-23T08:00:00Z", "2026-11-23T18:00:00Z"},
        {"UTC", {"08:00..18:00"}, "2026-11-23T17:59:59.999Z", "2026-11-23T18:00:00Z"},
        {"UTC", {"08:00..18:00"}, "2026-11-23T18:00:00Z", "2026-11-23T18:00:00Z"},
        {"UTC", {"Mon..Fri 08:00..18:00"}, "2026-11-28T12:00:00Z", "2026-11-28T12:00:00Z"},
        {"UTC", {"Fri 22:00..06:00"}, "2026-11-28T05:00:00Z", "2026-11-28T06:00:00Z"},
        {"UTC", {"Fri 22:00..06:00"}, "2026-11-27T05:00:00Z", "2026-11-27T05:00:00Z"},
        {"UTC", {"Sat,Sun"}, "2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"},
        /* they touch and overlap */
        {"UTC", {"08:00..12:00", "12:00..18:00"}, "2026-11-23T09:00:00Z", "2026-11-23T18:00:00Z"},
        {"UTC", {"08:00..13:00", "10:00..12:00"}, "2026-11-23T11:00:00Z", "2026-11-23T13:00:00Z"},
        {"UTC", {"Sat,Sun", "20:00..06:00"}, "2026-11-27T21:00:00Z", "2026-11-30T06:00:00Z"},
        /* before 1970 days count, too */
        {"UTC", {"Wed 08:00..18:00"}, "1970-01-01T09:00:00Z", "1970-01-01T09:00:00Z"},
        {"UTC", {"Thu 08:00..18:00"}, "1970-01-01T09:00:00Z", "1970-01-01T18:00:00Z"},
        /* by the clock of the zone: an hour shorter, an hour longer; the end in a gap, the end twice */
        {"Europe/Berlin", {"00:00..12:00"}, "2026-03-28T23:00:00Z", "2026-03-29T10:00:00Z"},
        {"Europe/Berlin", {"00:00..12:00"}, "2026-10-24T22:00:00Z", "2026-10-25T11:00:00Z"},
        {"Europe/Berlin", {"00:00..02:30"}, "2026-03-28T23:30:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", {"00:00..02:30"}, "2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z"},
        {"Europe/Berlin", {"00:00..02:30"}, "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"},
        {"Pacific/Apia", {"Fri"}, "2011-12-30T09:59:00Z", "2011-12-30T09:59:00Z"}, /* that Friday was left out */
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char buffer[DATE_ISO_SIZE];
        Usec end = end_of(rows[i].texts, rows[i].zone, rows[i].wall);
        if (strcmp(date_to_iso(end, buffer), rows[i].end) != 0)
            fail_msg("row %zu: %s, not %s", i, buffer, rows[i].end);
    }
}

static void without_end(void **state) {
    static const char *const day[] = {"00:00..24:00", NULL}, *const two[] = {"06:00..20:00", "20:00..06:00", NULL},
                            *const almost[] = {"06:00..20:00", "20:00..05:59", NULL};
    assert_int_equal(end_of(day, "Europe/Berlin", "2026-11-23T12:00:00Z"), USEC_INFINITY);
    assert_int_equal(end_of(two, "UTC", "2026-11-23T12:00:00Z"), USEC_INFINITY);
    assert_true(end_of(almost, "UTC", "2026-11-23T12:00:00Z") < USEC_INFINITY);
}

UNIT_MAIN(cmocka_unit_test(spans), cmocka_unit_test(normal_forms), cmocka_unit_test(errors_say_where),
          cmocka_unit_test(ends), cmocka_unit_test(without_end))
