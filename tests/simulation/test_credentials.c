/* A year on an instance whose credentials live for an hour, with a metadata service that is out for 20 minutes around
 * many a renewal: no run fails, and hardly a call is refused. */

#include "base/text.h"
#include "metadata.h"

#include "../unit/unit.h"

#define START (INT64_C(1795392000) * USEC_PER_SEC) /* 2026-11-23T00:00:00Z */

static const char conf[] =
    "deployment = \"acme\";\n"
    "schedules = {\n"
    "  often = { action = \"backup\"; when = \"*-*-* 0/2:50:00\"; max_age = \"5h\"; };\n"
    "  nightly = { action = \"export\"; when = \"03:55\"; max_age = \"27h\"; pitr = \"ignore\";\n"
    "              s3 = { bucket = \"acme-ddb\"; }; };\n"
    "};\n"
    "tables = ( { match = [\"orders\"]; schedules = [\"often\", \"nightly\"]; } );\n";
static const char *const tables[] = {"orders:pitr", NULL};

static void a_year_of_hourly_credentials(void **state) {
    ServiceSettings service = house_metadata_service();
    House *h = house_new(&(HouseSettings){.seed = 7,
                                          .conf = conf,
                                          .start_wall = START,
                                          .tables = tables,
                                          .service = &service,
                                          .on_instance = true,
                                          .latency_usec = 200 * USEC_PER_MSEC});
    for (int month = 1; month <= 12; month++) {
        house_run(h, START + month * 30 * USEC_PER_DAY, 0);
        house_sleep(h, START + month * 30 * USEC_PER_DAY + USEC_PER_HOUR); /* a new boot has none at first */
    }
    house_run(h, START + 365 * USEC_PER_DAY, 0);
    const HouseFigures *f = house_figures(h);
    size_t n_succeeded = house_audit(h, USEC_PER_HOUR);
    printf("a year: %zu runs, %zu succeeded, %zu failed, %zu skipped; %zu renewals, %zu attempts failed, %zu calls "
           "refused as expired\n",
           f->n_runs, f->n_succeeded, f->n_failed, f->n_skipped, f->n_renewals, f->n_renewals_failed, f->n_expired);
    assert_int_equal(f->n_failed, 0);
    assert_int_equal(f->n_skipped, 0);
    assert_true(n_succeeded > 365 * 12);
    assert_true(f->n_renewals > 365 * 23);
    assert_true(f->n_renewals_failed > 365 * 8);
    assert_int_equal(f->n_expired, 0);
    house_free(h);
}

/* A host whose clock is five minutes off, as far as it may be and still be believed, or just beyond until it is set: no
 * run fails. */
static void a_clock_that_is_five_minutes_off(void **state) {
    static const struct {
        Usec offset;
        bool is_believed;
    } rows[] = {{5 * USEC_PER_MINUTE - 2 * USEC_PER_SEC, true}, {-5 * USEC_PER_MINUTE + 2 * USEC_PER_SEC, true},
                {5 * USEC_PER_MINUTE, false},                   {-5 * USEC_PER_MINUTE - 2 * USEC_PER_SEC, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ServiceSettings service = house_metadata_service();
        House *h = house_new(&(HouseSettings){.seed = 8 + i, .conf = conf, .start_wall = START, .tables = tables,
                                              .service = &service, .on_instance = true,
                                              .latency_usec = 200 * USEC_PER_MSEC, .offset_usec = rows[i].offset});
        house_run(h, START + 30 * USEC_PER_DAY, 0);
        if (!rows[i].is_believed) { /* nothing new begins until it is set */
            world_set_offset(house_world(h), 0);
            house_run(h, START + 31 * USEC_PER_DAY, 0);
        }
        const HouseFigures *f = house_figures(h);
        size_t n_succeeded = house_audit(h, USEC_PER_HOUR);
        printf("%+lld s: %zu succeeded, %zu renewals, %zu refused as expired\n",
               (long long)(rows[i].offset / USEC_PER_SEC), n_succeeded, f->n_renewals, f->n_expired);
        assert_int_equal(f->n_failed + f->n_skipped, 0);
        assert_true(n_succeeded >= (rows[i].is_believed ? 30 * 13 : 13));
        house_free(h);
    }
}

UNIT_MAIN(cmocka_unit_test(a_year_of_hourly_credentials), cmocka_unit_test(a_clock_that_is_five_minutes_off))
