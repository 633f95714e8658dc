/* What common policies leave, day by day over two years: each new artefact, then what is no longer wanted goes. */

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/calendar/calendar.h"
#include "core/retention/retention.h"
#include "io/zone_file.h"
#include "unit.h"

typedef struct Check {
    const char *until; /* in UTC; the slots before it have come */
    const char *left;  /* local days; hours in UTC where it is hourly. Three or more in a row: "first..last" */
} Check;

typedef struct Golden {
    const char *title, *when, *zone;
    RetentionKeep keep;
    const char *none_from, *none_until; /* no artefact is made in that span */
    Check checks[5];
} Golden;

#define BERLIN "Europe/Berlin"

/* By hand, from a calendar. Months and weeks are those of Berlin: at 00:30 there it is still the day before in UTC. */
static const Golden goldens[] = {
    {.title = "the last seven",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.last = 7},
     .checks = {{"2025-01-03T12:00:00Z", "2025-01-01..2025-01-03"},
                {"2026-03-02T12:00:00Z", "2026-02-24..2026-03-02"},
                {"2026-12-31T12:00:00Z", "2026-12-25..2026-12-31"}}},
    {.title = "days, weeks and months",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.last = 7, .weekly = 8, .monthly = 12, .floor = 2},
     .checks = {{"2025-02-10T12:00:00Z", "2025-01-05 2025-01-12 2025-01-19 2025-01-26 2025-01-31 2025-02-02 "
                                         "2025-02-04..2025-02-10"},
                {"2026-03-01T12:00:00Z", "2025-04-30 2025-05-31 2025-06-30 2025-07-31 2025-08-31 2025-09-30 2025-10-31 "
                                         "2025-11-30 2025-12-31 2026-01-11 2026-01-18 2026-01-25 2026-01-31 2026-02-01 "
                                         "2026-02-08 2026-02-15 2026-02-22..2026-03-01"},
                {"2026-12-31T12:00:00Z", "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30 2026-07-31 "
                                         "2026-08-31 2026-09-30 2026-10-31 2026-11-15 2026-11-22 2026-11-29 2026-11-30 "
                                         "2026-12-06 2026-12-13 2026-12-20 2026-12-25..2026-12-31"}}},
    {.title = "two weeks, two years",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.daily = 14, .monthly = 24, .yearly = 5},
     .checks = {{"2026-12-31T12:00:00Z",
                 "2025-01-31 2025-02-28 2025-03-31 2025-04-30 2025-05-31 2025-06-30 2025-07-31 2025-08-31 2025-09-30 "
                 "2025-10-31 2025-11-30 2025-12-31 2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30 "
                 "2026-07-31 2026-08-31 2026-09-30 2026-10-31 2026-11-30 2026-12-18..2026-12-31"}}},
    {.title = "months and years alone",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.monthly = 3, .yearly = 2},
     .checks = {{"2025-12-31T12:00:00Z", "2025-10-31 2025-11-30 2025-12-31"},
                {"2026-02-15T12:00:00Z", "2025-12-31 2026-01-31 2026-02-15"},
                {"2026-05-15T12:00:00Z", "2025-12-31 2026-03-31 2026-04-30 2026-05-15"}}},
    {.title = "thirty days, which are of 24 hours",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.within_usec = 30 * USEC_PER_DAY},
     .checks = {{"2026-03-31T12:00:00Z", "2026-03-01..2026-03-31"},
                {"2026-11-24T12:00:00Z", "2026-10-26..2026-11-24"}}},
    {.title = "five Sundays",
     .when = "Sun 03:00",
     .zone = BERLIN,
     .keep = {.weekly = 5, .floor = 2},
     .checks = {{"2026-12-31T12:00:00Z", "2026-11-29 2026-12-06 2026-12-13 2026-12-20 2026-12-27"}}},
    {.title = "a floor above the rules",
     .when = "Sun 03:00",
     .zone = BERLIN,
     .keep = {.daily = 1, .floor = 3},
     .checks = {{"2025-01-06T12:00:00Z", "2025-01-05"}, {"2026-12-31T12:00:00Z", "2026-12-13 2026-12-20 2026-12-27"}}},
    {.title = "nothing was made for three weeks",
     .when = "00:30",
     .zone = BERLIN,
     .keep = {.daily = 7, .weekly = 4},
     .none_from = "2026-07-31T12:00:00Z",
     .none_until = "2026-08-20T12:00:00Z",
     .checks = {{"2026-07-31T12:00:00Z", "2026-07-12 2026-07-19 2026-07-25..2026-07-31"},
                {"2026-08-20T12:00:00Z", "2026-07-12 2026-07-19 2026-07-25..2026-07-31"},
                {"2026-08-21T12:00:00Z", "2026-07-19 2026-07-26..2026-07-31 2026-08-21"},
                {"2026-12-31T12:00:00Z", "2026-12-13 2026-12-20 2026-12-25..2026-12-31"}}},
    {.title = "hours, over the nights when the clock is changed",
     .when = "hourly",
     .zone = BERLIN,
     .keep = {.hourly = 24, .daily = 3},
     .checks = {{"2026-03-29T10:30:00Z", "2026-03-27T22 2026-03-28T11..2026-03-29T10"},
                {"2026-10-25T11:30:00Z", "2026-10-23T21 2026-10-24T12..2026-10-25T11"}}},
};

static Usec at(const char *iso) {
    Usec wall = 0;
    if (iso)
        assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

typedef struct Shelf {
    const Golden *golden;
    const Zone *zone;
    RetentionItem *items; /* oldest first */
    size_t n_items, n_room;
} Shelf;

static void put(Shelf *s, Usec wall) {
    assert_int_equal(ARRAY_GROW(s->items, s->n_items, s->n_room), 0);
    s->items[s->n_items++] = (RetentionItem){.id = "", .made_wall = wall, .ours = true, .finished = true};
}

/* Carries out what is decided. */
static void expire(Shelf *s) {
    RetentionPolicy policy = {.keep = s->golden->keep, .zone = s->zone};
    AUTO_FREE RetentionVerdict *verdicts = calloc(s->n_items + 1, sizeof *verdicts);
    Usec newest = s->items[s->n_items - 1].made_wall;
    assert_int_equal(retention_judge(s->items, s->n_items, &policy, newest, verdicts), 0);
    size_t n = 0;
    for (size_t i = 0; i < s->n_items; i++)
        if (!verdicts[i].expendable)
            s->items[n++] = s->items[i];
    s->n_items = n;
}

static void stamp(const Shelf *s, const RetentionItem *i, Text *t) {
    bool hours = strcmp(s->golden->when, "hourly") == 0;
    Date d = date_from_wall(i->made_wall + (hours ? 0 : zone_offset(s->zone, i->made_wall, NULL) * USEC_PER_SEC));
    text_addf(t, "%s%04d-%02d-%02d", t->len > 0 && t->data[t->len - 1] != '.' ? " " : "", d.year, d.month, d.day);
    if (hours)
        text_addf(t, "T%02d", d.hour);
}

static void describe(const Shelf *s, Text *t) {
    Usec step = strcmp(s->golden->when, "hourly") == 0 ? USEC_PER_HOUR : USEC_PER_DAY + 2 * USEC_PER_HOUR;
    for (size_t i = 0; i < s->n_items; i++) {
        size_t last = i;
        while (last + 1 < s->n_items && s->items[last + 1].made_wall - s->items[last].made_wall <= step)
            last++;
        stamp(s, &s->items[i], t);
        if (last < i + 2)
            continue;
        text_add(t, "..");
        stamp(s, &s->items[last], t);
        i = last;
    }
}

static void check(const Shelf *s, const Check *c) {
    AUTO_TEXT left = TEXT_INIT(4096);
    describe(s, &left);
    if (strcmp(text_get(&left), c->left) != 0)
        fail_msg("%s, until %s: left is\n  %s, not\n  %s", s->golden->title, c->until, text_get(&left), c->left);
}

static void live_through(const Golden *g) {
    CLEANUP(zone_free_ptr) Zone *zone = NULL;
    CLEANUP(calendar_free_ptr) Calendar *calendar = NULL;
    CalendarError error;
    assert_int_equal(zone_file_load(NULL, g->zone, &zone), 0);
    assert_int_equal(calendar_parse(g->when, &calendar, &error), 0);
    Shelf s = {.golden = g, .zone = zone};
    Usec slot = at("2024-12-31T22:59:59Z"), none_from = at(g->none_from), none_until = at(g->none_until);
    for (const Check *c = g->checks; c->until; c++) {
        for (Usec next; calendar_next(calendar, zone, slot, &next) == 0 && next < at(c->until);) {
            slot = next;
            if (slot > none_from && slot < none_until)
                continue;
            put(&s, slot);
            expire(&s);
        }
        check(&s, c);
    }
    free(s.items);
}

static void two_years_leave_what_was_meant(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(goldens); i++)
        live_through(&goldens[i]);
}

UNIT_MAIN(cmocka_unit_test(two_years_leave_what_was_meant))
