#include "core/chain/link.h"

#include "base/date.h"
#include "base/text.h"
#include "core/aws/codec.h"
#include "core/aws/retry.h"
#include "io/zone_file.h"

#include "unit.h"

#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define DAY USEC_PER_DAY

static Usec at(const char *iso) {
    Usec wall = 0;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

typedef struct When {
    Calendar *calendar;
    Zone *zone;
} When;

static void when_done(When *w) {
    calendar_free(w->calendar);
    zone_free(w->zone);
}

static When when_make(const char *expression, const char *zone) {
    When w = {};
    CalendarError error;
    assert_int_equal(calendar_parse(expression, &w.calendar, &error), 0);
    assert_int_equal(zone_file_load(NULL, zone, &w.zone), 0);
    return w;
}

static void what_comes_next(void **state) {
    static const struct {
        const char *when, *zone, *frontier, *until, *earliest, *latest;
        size_t n_open;
        LinkVerdict verdict;
        const char *to, *ordered;
    } rows[] = {
        /* the next instant is not restorable yet; now it is */
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:29:59Z", 0, LINK_WAITS,
         "2026-11-23T02:30:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:30:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:30:00Z"},
        /* on a base: an instant that is too near merges with the next */
        {"*:0/30", "UTC", "2026-11-23T02:15:01Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:59:00Z", 0, LINK_WAITS,
         "2026-11-23T03:00:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:15:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:59:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:30:00Z"},
        {"*:0/5", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:17:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:15:00Z"},
        /* behind: as wide as 24 hours allow */
        {"*:0/30", "UTC", "2026-11-20T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:17:00Z", 0, LINK_PLANNED,
         "2026-11-21T02:00:00Z"},
        {"*:0/30", "UTC", "2026-11-20T02:10:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:17:00Z", 0, LINK_PLANNED,
         "2026-11-21T02:00:00Z"},
        {"*:0/30", "UTC", "2026-11-23T00:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:17:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:00:00Z"},
        /* one that is just 24 hours; a day of 25 is cut in two, whose ends are no instants of the calendar */
        {"02:00", "UTC", "2026-11-22T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:00:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:00:00Z"},
        {"00:30", "Europe/Berlin", "2026-10-24T22:30:00Z", "", "2026-10-01T00:00:00Z", "2026-10-26T00:00:00Z", 0,
         LINK_PLANNED, "2026-10-25T11:00:00Z"},
        {"00:30", "Europe/Berlin", "2026-10-25T11:00:00Z", "", "2026-10-01T00:00:00Z", "2026-10-26T00:00:00Z", 0,
         LINK_PLANNED, "2026-10-25T23:30:00Z"},
        {"Sun", "UTC", "2026-11-22T00:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-22T23:59:59Z", 0, LINK_WAITS,
         "2026-11-23T00:00:00Z"},
        /* no more is wanted; no more than so many; no more can be had */
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "2026-11-23T02:00:00Z", "2026-11-01T00:00:00Z",
         "2026-11-23T03:00:00Z", 0, LINK_REACHED, "-"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "2026-11-23T02:00:01Z", "2026-11-01T00:00:00Z",
         "2026-11-23T02:59:00Z", 0, LINK_PLANNED, "2026-11-23T02:30:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T03:00:00Z", 8, LINK_CROWDED,
         "2026-11-23T02:30:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-23T02:00:00Z", "2026-11-23T02:30:00Z", 0, LINK_PLANNED,
         "2026-11-23T02:30:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-23T02:00:01Z", "2026-11-23T02:30:00Z", 0, LINK_LOST,
         "-"},
        {"2026-11-23 02:00", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T03:00:00Z", 0,
         LINK_ENDED, "-"},
        /* somebody wants it up to an instant: there, 15 minutes after the last end, or with the calendar */
        {"daily", "UTC", "2026-11-23T00:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T11:56:00Z", 0, LINK_WAITS,
         "2026-11-23T12:00:01Z", "2026-11-23T12:00:00.5Z"},
        {"daily", "UTC", "2026-11-23T00:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T12:00:01Z", 0, LINK_PLANNED,
         "2026-11-23T12:00:01Z", "2026-11-23T12:00:00.5Z"},
        {"hourly", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:10:00Z", 0, LINK_WAITS,
         "2026-11-23T02:15:00Z", "2026-11-23T02:07:00Z"},
        {"hourly", "UTC", "2026-11-23T02:50:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:50:00Z", 0, LINK_WAITS,
         "2026-11-23T03:05:00Z", "2026-11-23T02:55:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:14:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:20:00Z", 0, LINK_WAITS,
         "2026-11-23T02:30:00Z", "2026-11-23T02:40:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T05:10:00Z", 0, LINK_PLANNED,
         "2026-11-23T05:07:00Z", "2026-11-23T05:07:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T05:10:00Z", 0, LINK_PLANNED,
         "2026-11-23T05:00:00Z", "2026-11-23T02:40:00Z"},
        {"*:0/30", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-23T02:15:00Z", 0, LINK_WAITS,
         "2026-11-23T02:30:00Z", "2026-11-23T02:00:00Z"},
        {"2026-11-23 02:00", "UTC", "2026-11-23T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-25T03:00:00Z", 0,
         LINK_PLANNED, "2026-11-24T02:00:00Z", "2026-11-24T02:05:00Z"},
        {"2026-11-23 02:00", "UTC", "2026-11-24T02:00:00Z", "", "2026-11-01T00:00:00Z", "2026-11-25T03:00:00Z", 0,
         LINK_PLANNED, "2026-11-24T02:15:00Z", "2026-11-24T02:05:00Z"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(when_done) When w = when_make(rows[i].when, rows[i].zone);
        LinkSituation s = {.when = w.calendar, .zone = w.zone, .frontier_wall = at(rows[i].frontier),
                           .until_wall = rows[i].until[0] ? at(rows[i].until) : USEC_INFINITY,
                           .earliest_wall = at(rows[i].earliest), .latest_wall = at(rows[i].latest),
                           .ordered_wall = rows[i].ordered ? at(rows[i].ordered) : WALL_UNKNOWN,
                           .n_open = rows[i].n_open, .max_open = 8};
        char to[DATE_ISO_SIZE];
        LinkPlan plan;
        assert_int_equal(link_plan(&s, &plan), 0);
        if (plan.verdict != rows[i].verdict)
            fail_msg("row %zu: %s, not %s", i, link_verdict_to_string(plan.verdict),
                     link_verdict_to_string(rows[i].verdict));
        assert_string_equal(plan.to_wall == WALL_UNKNOWN ? "-" : date_to_iso(plan.to_wall, to), rows[i].to);
    }
}

static void the_first_begins_before_its_base(void **state) {
    char from[DATE_ISO_SIZE];
    assert_string_equal(date_to_iso(link_first_from(at("2026-11-23T02:00:00.999Z")), from), "2026-11-23T01:59:00Z");
    assert_string_equal(date_to_iso(link_first_from(at("2026-11-23T02:00:00Z")), from), "2026-11-23T01:59:00Z");
}

/* Chains over months with a daemon that is away for minutes or weeks: windows are adjacent, none is too short or too
 * long or ends in what cannot be restored, and none leaves behind what could be asked for. */
static void chains_at_random(void **state) {
    static const struct {
        const char *when, *zone;
    } calendars[] = {
        {"*:0/30", "UTC"},         {"*:0/5", "UTC"},         {"hourly", "Europe/Berlin"}, {"00:30", "Europe/Berlin"},
        {"02:30", "Europe/Berlin"}, {"Mon..Fri 08..18:0/20", "America/New_York"}, {"weekly", "UTC"},
        {"*:7,11,52", "Asia/Kathmandu"}, {"*:*:0/7.5", "UTC"},
    };
    const char *seed_text = getenv("DDB_SEED");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 20261124, random = seed;
    print_message("DDB_SEED=%" PRIu64 "\n", seed);
    for (int n = 0; n < 200; n++) {
        size_t i = retry_random(&random) % ARRAY_SIZE(calendars);
        CLEANUP(when_done) When w = when_make(calendars[i].when, calendars[i].zone);
        Usec now = at("2026-03-01T00:00:00Z") + (Usec)(retry_random(&random) % (uint64_t)(200 * DAY));
        LinkSituation s = {.when = w.calendar, .zone = w.zone, .frontier_wall = link_first_from(now),
                           .until_wall = USEC_INFINITY, .max_open = SIZE_MAX};
        for (int turn = 0; turn < 60; turn++) {
            LinkPlan plan;
            now += (Usec)(retry_random(&random) % (uint64_t)(retry_random(&random) % 8 ? 2 * HOUR : 5 * DAY));
            s.latest_wall = now - 5 * MINUTE;
            if (retry_random(&random) % 10 == 0)
                s.ordered_wall = now;
            while (link_plan(&s, &plan) == 0 && plan.verdict == LINK_PLANNED) {
                assert_true(plan.from_wall == s.frontier_wall);
                assert_in_range(plan.to_wall - plan.from_wall, LINK_MIN_USEC, LINK_MAX_USEC);
                assert_true(plan.to_wall <= s.latest_wall && plan.to_wall % SEC == 0);
                s.frontier_wall = plan.to_wall;
            }
            assert_int_equal(plan.verdict, LINK_WAITS);
            if (s.ordered_wall > s.frontier_wall) /* it comes with the first end that can be */
                assert_true(plan.to_wall <= usec_max(s.ordered_wall + SEC, s.frontier_wall + LINK_MIN_USEC));
            assert_true(plan.to_wall > s.latest_wall);
            Usec slot; /* in what is left behind no instant could be the end of a window */
            assert_int_equal(calendar_last(w.calendar, w.zone, s.frontier_wall + LINK_MIN_USEC - 1,
                                           s.latest_wall - SEC, &slot),
                             -ENOENT);
        }
    }
}

UNIT_MAIN(cmocka_unit_test(what_comes_next), cmocka_unit_test(the_first_begins_before_its_base),
          cmocka_unit_test(chains_at_random))
