/* A hard deadline settles a run; what it asked for goes on being watched, across a crash, too. */

#include "base/text.h"
#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define HOUR USEC_PER_HOUR

static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = {\n"
                           "  nightly = { action = \"backup\"; when = \"02:00\"; start_within = \"30min\";\n"
                           "              warn_after = \"20min\"; finish_within = \"1h\"; max_age = \"27h\"; };\n"
                           "};\n"
                           "tables = ( { match = [\"orders\", \"users\"]; schedules = [\"nightly\"]; } );\n";
static const char *const tables[] = {"orders", "users", NULL};

static const Enrolment *enrolment(House *h, const char *table) {
    return targets_find(engine_targets(world_engine(house_world(h))), ACCOUNT_OWN, "eu-central-1", table)
        ->enrolments[0];
}

static void late_is_failed_and_still_counts(void **state) {
    for (int crash = 0; crash < 2; crash++) {
        ServiceSettings slow = service_settings_default();
        slow.backup_usec = 3 * HOUR;
        House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = tables,
                                              .service = &slow, .latency_usec = 200 * USEC_PER_MSEC});
        house_run(h, START + 3 * HOUR + HOUR / 2, 0);
        house_expect_count(h, "a run failed", house_figures(h)->n_failed, 2);
        house_expect_made(h, 2, 0);
        assert_true(enrolment(h, "orders")->newest_wall == WALL_UNKNOWN);
        if (crash)
            house_sleep(h, START + 4 * HOUR);
        house_run(h, START + 6 * HOUR, 0);
        for (size_t i = 0; tables[i]; i++)
            if (enrolment(h, tables[i])->newest_wall / USEC_PER_MINUTE != (START + 2 * HOUR) / USEC_PER_MINUTE)
                house_violated(h, "%s: the backup that came late does not count", tables[i]);
        house_audit(h, HOUR);
        house_expect_count(h, "a run failed", house_figures(h)->n_failed, 2);
        house_expect_count(h, "a run succeeded", house_figures(h)->n_succeeded, 0);
        house_free(h);
    }
}

/* What could not begin makes way for the next slot, also when the host died in between. */
static void waiting_makes_way(void **state) {
    static const char hourly[] = "deployment = \"acme\";\n"
                                 "schedules = { hourly = { action = \"backup\"; when = \"hourly\"; }; };\n"
                                 "tables = ( { match = [\"orders\", \"users\"]; schedules = [\"hourly\"]; } );\n";
    for (int crash = 0; crash < 2; crash++) {
        House *h = house_new(&(HouseSettings){.seed = 1, .conf = hourly, .start_wall = START, .tables = tables,
                                              .latency_usec = 200 * USEC_PER_MSEC});
        house_run(h, START + HOUR / 2, 0);
        house_add_fault(h, "CreateBackup times=forever table=orders error LimitExceededException");
        house_run(h, START + HOUR + HOUR / 2, 0);
        if (crash)
            house_sleep(h, START + HOUR + HOUR / 2 + USEC_PER_MINUTE);
        house_run(h, START + 2 * HOUR + HOUR / 2, 0);
        house_expect(h, "hourly", "orders", START + HOUR, RUN_SKIPPED);
        house_expect(h, "hourly", "users", START + HOUR, RUN_SUCCEEDED);
        house_expect(h, "hourly", "orders", START + 2 * HOUR, RUN_INTENDED);
        house_clear_faults(h);
        house_run(h, START + 3 * HOUR + HOUR / 2, 0);
        house_audit(h, USEC_PER_MINUTE);
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(late_is_failed_and_still_counts), cmocka_unit_test(waiting_makes_way))
