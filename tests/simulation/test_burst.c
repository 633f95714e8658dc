/* 2,500 tables due at one instant: the intents are complete in a few commits, CreateBackup leaves at its own rate, and
 * they are followed by listings; whatever listings do, every run ends well. */

#include <stdio.h>

#include "base/text.h"
#include "house.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */
#define SLOT (START + 2 * USEC_PER_HOUR)
#define N 2500
#define RATE 50 /* of CreateBackup, all of which the configuration uses */
#define N_PAGES (N / 100)

static const char conf[] = "deployment = \"acme\";\n"
                           "schedules = { nightly = { action = \"backup\"; when = \"02:00\"; max_age = \"27h\"; }; };\n"
                           "tables = ( { match = \"t*\"; schedules = [\"nightly\"]; } );\n"
                           "limits = { rate_share = 1.0; };\n";

static const char *const *all_tables(void) {
    static char names[N][8];
    static const char *list[N + 1];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "t%04d", i);
        list[i] = names[i];
    }
    return list;
}

typedef struct Burst {
    HouseFigures before, at_slot, after;
    Usec took_usec; /* from the slot until all had succeeded */
} Burst;

static size_t since(size_t after, size_t before) { return after - before; }

/* The faults hold from the slot on. */
static Burst burst(const ServiceSettings *service, const char *faults, Usec patience) {
    Burst b;
    char *why = NULL;
    House *h = house_new(&(HouseSettings){.seed = 1, .conf = conf, .start_wall = START, .tables = all_tables(),
                                          .service = service, .latency_usec = 60 * USEC_PER_MSEC});
    house_run(h, SLOT - USEC_PER_SEC, 0);
    b.before = *house_figures(h);
    if (faults)
        assert_int_equal(service_add_faults(world_service(house_world(h)), faults, &why), 0);
    house_run(h, SLOT + 10 * USEC_PER_MSEC, 0);
    b.at_slot = *house_figures(h);
    while (house_figures(h)->n_succeeded < N && world_true_wall(house_world(h)) < SLOT + patience)
        house_run(h, world_true_wall(house_world(h)) + USEC_PER_SEC, 0);
    b.took_usec = world_true_wall(house_world(h)) - SLOT;
    b.after = *house_figures(h);
    house_run(h, SLOT + patience + USEC_PER_MINUTE, 0);
    assert_int_equal(house_audit(h, USEC_PER_MINUTE), N);
    assert_int_equal(house_figures(h)->n_backups, N);
    assert_int_equal(house_figures(h)->n_failed + house_figures(h)->n_skipped, 0);
    assert_int_equal(b.after.n_throttled, 0);
    house_free(h);
    return b;
}

static ServiceSettings quick(void) {
    ServiceSettings s = service_settings_default();
    s.backup_usec = USEC_PER_SEC;
    return s;
}

static size_t n_calls_to_follow(const Burst *b) {
    return since(b->after.n_lists, b->before.n_lists) + since(b->after.n_describes, b->before.n_describes);
}

static void all_begin_at_once(void **state) {
    ServiceSettings s = quick();
    Burst b = burst(&s, NULL, 10 * USEC_PER_MINUTE);
    assert_int_equal(b.before.n_table_describes, N); /* ahead, each once, */
    assert_int_equal(b.after.n_table_describes, N);  /* and not again */
    assert_true(since(b.at_slot.n_commits, b.before.n_commits) <= 6);
    assert_true(b.took_usec <= N / RATE * USEC_PER_SEC + 15 * USEC_PER_SEC);
    assert_true(n_calls_to_follow(&b) <= 2 * N_PAGES);
    printf("%d due at once: %zu commits for their intents, %zu in all, %zu calls to follow them, %.0f s\n", N,
           since(b.at_slot.n_commits, b.before.n_commits), since(b.after.n_commits, b.before.n_commits),
           n_calls_to_follow(&b), (double)b.took_usec / USEC_PER_SEC);
}

static void others_backups_do_not_matter(void **state) {
    ServiceSettings s = quick();
    s.n_foreign_backups = 100000;
    Burst b = burst(&s, NULL, 10 * USEC_PER_MINUTE);
    assert_true(n_calls_to_follow(&b) <= 2 * N_PAGES);
}

static void slow_backups_are_asked_for_patiently(void **state) {
    ServiceSettings s = quick();
    s.backup_usec = USEC_PER_HOUR;
    Burst b = burst(&s, NULL, 2 * USEC_PER_HOUR);
    printf("%d that take an hour: %zu calls to follow them\n", N, n_calls_to_follow(&b));
    assert_true(b.took_usec <= USEC_PER_HOUR + 5 * USEC_PER_MINUTE);
    /* a round each half minute for a quarter of an hour, then each two minutes */
    assert_true(n_calls_to_follow(&b) <= 80 * (N_PAGES + 1));
}

static void listings_may_lag(void **state) {
    ServiceSettings s = quick();
    Burst b = burst(&s, "CreateBackup times=forever lag 3min\n", 20 * USEC_PER_MINUTE);
    assert_true(b.took_usec <= 8 * USEC_PER_MINUTE);
    assert_true(n_calls_to_follow(&b) <= N + N / 5);
    printf("listings lag: %zu calls, %.0f s\n", n_calls_to_follow(&b), (double)b.took_usec / USEC_PER_SEC);
}

static void listings_may_fail(void **state) {
    ServiceSettings s = quick();
    Burst b = burst(&s, "ListBackups times=forever error InternalServerError 500\n", 20 * USEC_PER_MINUTE);
    assert_true(b.took_usec <= 8 * USEC_PER_MINUTE);
    assert_true(n_calls_to_follow(&b) <= N + N / 5);
    printf("listings fail: %zu calls, %.0f s\n", n_calls_to_follow(&b), (double)b.took_usec / USEC_PER_SEC);
}

/* Exports of 20 tables, of which 5 may run at once. */
static void exports_wait_for_each_other(void **state) {
    static const char exports[] =
        "deployment = \"acme\";\n"
        "schedules = { full = { action = \"export\"; when = \"02:00\"; s3 = { bucket = \"acme-bucket\"; }; }; };\n"
        "tables = ( { match = \"t*\"; schedules = [\"full\"]; } );\n"
        "limits = { rate_share = 0.6; max_exports_in_flight = 5; };\n";
    enum { N_EXPORTS = 20, CAP = 5 };
    static char names[N_EXPORTS][16];
    const char *list[N_EXPORTS + 1] = {};
    for (int i = 0; i < N_EXPORTS; i++) {
        snprintf(names[i], sizeof names[i], "t%02d:pitr", i);
        list[i] = names[i];
    }
    for (int crash = 0; crash < 2; crash++) {
        House *h = house_new(&(HouseSettings){.seed = 1, .conf = exports, .start_wall = START, .tables = list,
                                              .latency_usec = 60 * USEC_PER_MSEC});
        const HouseFigures *f = house_figures(h);
        size_t most = 0;
        for (int i = 0; i < 60 * 6; i++) {
            if (crash && i == 2)
                house_sleep(h, SLOT + 2 * USEC_PER_MINUTE);
            house_run(h, SLOT + i * 10 * USEC_PER_SEC, 0);
            most = f->n_exports - f->n_succeeded > most ? f->n_exports - f->n_succeeded : most;
        }
        assert_int_equal(most, CAP);
        assert_int_equal(house_audit(h, USEC_PER_MINUTE), N_EXPORTS);
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(all_begin_at_once), cmocka_unit_test(others_backups_do_not_matter),
          cmocka_unit_test(slow_backups_are_asked_for_patiently), cmocka_unit_test(listings_may_lag),
          cmocka_unit_test(listings_may_fail), cmocka_unit_test(exports_wait_for_each_other))
