#include "core/calendar/zone.h"

#include "base/date.h"
#include "tzif.h"
#include "unit.h"

#define DATABASE "/usr/share/zoneinfo"

static Usec wall_of(const char *iso) {
    Usec wall = 0;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

static void assert_wall(Usec wall, const char *iso) {
    char buffer[DATE_ISO_SIZE];
    assert_string_equal(date_to_iso(wall, buffer), iso);
}

/* A zone of the system's database, or NULL. */
static Zone *zone_of_system(const char *name) {
    char path[256];
    static uint8_t bytes[65536];
    snprintf(path, sizeof path, DATABASE "/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    Zone *z = NULL;
    assert_int_equal(zone_from_tzif(name, bytes, len, &z), 0);
    return z;
}

static const struct {
    const char *zone, *wall;
    int offset;
    const char *abbreviation;
} offset_rows[] = {
    {"Europe/Berlin", "1979-07-01T00:00:00Z", 3600, "CET"}, /* no summer time before 1980 */
    {"Europe/Berlin", "1980-04-06T00:59:59Z", 3600, "CET"},
    {"Europe/Berlin", "1980-04-06T01:00:00Z", 7200, "CEST"},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", 3600, "CET"},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", 7200, "CEST"},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", 7200, "CEST"},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", 3600, "CET"},
    {"Europe/Berlin", "2050-03-27T00:59:59Z", 3600, "CET"},
    {"Europe/Berlin", "2050-03-27T01:00:00Z", 7200, "CEST"},
    {"Europe/Berlin", "2450-03-27T00:59:59Z", 3600, "CET"}, /* a cycle of the calendar later */
    {"Europe/Berlin", "2450-03-27T01:00:00Z", 7200, "CEST"},
    {"Europe/Berlin", "9999-12-31T23:59:59Z", 3600, "CET"},
    {"America/New_York", "2006-04-02T06:59:59Z", -18000, "EST"},
    {"America/New_York", "2006-04-02T07:00:00Z", -14400, "EDT"},
    {"America/New_York", "2007-03-11T06:59:59Z", -18000, "EST"},
    {"America/New_York", "2007-03-11T07:00:00Z", -14400, "EDT"},
    {"America/New_York", "2040-11-04T05:59:59Z", -14400, "EDT"},
    {"America/New_York", "2040-11-04T06:00:00Z", -18000, "EST"},
    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", 39600, "+11"},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 37800, "+1030"},
    {"Australia/Lord_Howe", "2043-10-03T15:29:59Z", 37800, "+1030"},
    {"Australia/Lord_Howe", "2043-10-03T15:30:00Z", 39600, "+11"},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", -36000, "-10"},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", 50400, "+14"},
    {"America/Sao_Paulo", "2018-11-04T02:59:59Z", -10800, "-03"},
    {"America/Sao_Paulo", "2018-11-04T03:00:00Z", -7200, "-02"},
    {"America/Sao_Paulo", "2019-02-17T02:00:00Z", -10800, "-03"},
    {"America/Sao_Paulo", "2045-12-25T00:00:00Z", -10800, "-03"},
    {"Africa/Casablanca", "2019-05-05T01:59:59Z", 3600, "+01"}, /* Ramadan is the "daylight saving", an hour back */
    {"Africa/Casablanca", "2019-05-05T02:00:00Z", 0, "+00"},
    {"Africa/Casablanca", "2019-06-09T01:59:59Z", 0, "+00"},
    {"Africa/Casablanca", "2019-06-09T02:00:00Z", 3600, "+01"},
    {"Europe/Dublin", "2044-01-01T00:00:00Z", 0, "GMT"},
    {"Europe/Dublin", "2044-07-01T00:00:00Z", 3600, "IST"},
    {"Asia/Kathmandu", "1985-12-31T18:29:59Z", 19800, "+0530"},
    {"Asia/Kathmandu", "1985-12-31T18:30:00Z", 20700, "+0545"},
    {"UTC", "2026-07-01T00:00:00Z", 0, "UTC"},
};

static void offsets_of_the_database(void **state) {
    Zone *z = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(offset_rows); i++) {
        if (!z || strcmp(zone_name(z), offset_rows[i].zone) != 0) {
            zone_free(z);
            z = zone_of_system(offset_rows[i].zone);
            if (!z)
                skip();
        }
        const char *abbreviation = NULL;
        assert_int_equal(zone_offset(z, wall_of(offset_rows[i].wall), &abbreviation), offset_rows[i].offset);
        assert_string_equal(abbreviation, offset_rows[i].abbreviation);
        assert_int_equal(zone_offset(z, wall_of(offset_rows[i].wall) + USEC_PER_SEC - 1, NULL), offset_rows[i].offset);
    }
    zone_free(z);
}

static void utc_needs_no_file(void **state) {
    CLEANUP(zone_free_ptr) Zone *z = NULL;
    const char *abbreviation;
    assert_int_equal(zone_utc(&z), 0);
    assert_string_equal(zone_name(z), "UTC");
    assert_int_equal(zone_offset(z, 0, &abbreviation), 0);
    assert_string_equal(abbreviation, "UTC");
    assert_true(zone_change_after(z, 0) == USEC_INFINITY);
    ZoneInstants found = zone_instants(z, 1234567);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.wall[0], 1234567);
}

/* Local times are written as if they were in UTC. */
static void local_times_to_instants(void **state) {
    static const struct {
        const char *zone, *local;
        int n;
        const char *wall[2];
    } rows[] = {
        {"Europe/Berlin", "2026-03-29T01:59:59Z", 1, {"2026-03-29T00:59:59Z"}},
        {"Europe/Berlin", "2026-03-29T02:00:00Z", 0, {"2026-03-29T01:00:00Z"}},
        {"Europe/Berlin", "2026-03-29T02:59:59.999Z", 0, {"2026-03-29T01:00:00Z"}},
        {"Europe/Berlin", "2026-03-29T03:00:00Z", 1, {"2026-03-29T01:00:00Z"}},
        {"Europe/Berlin", "2026-10-25T01:59:59.999Z", 1, {"2026-10-24T23:59:59.999Z"}},
        {"Europe/Berlin", "2026-10-25T02:00:00Z", 2, {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"}},
        {"Europe/Berlin", "2026-10-25T02:59:59.999Z", 2, {"2026-10-25T00:59:59.999Z", "2026-10-25T01:59:59.999Z"}},
        {"Europe/Berlin", "2026-10-25T03:00:00Z", 1, {"2026-10-25T02:00:00Z"}},
        {"Europe/Berlin", "2450-03-27T02:30:00Z", 0, {"2450-03-27T01:00:00Z"}},
        {"Europe/Berlin", "2450-10-30T02:30:00Z", 2, {"2450-10-30T00:30:00Z", "2450-10-30T01:30:00Z"}},
        {"America/New_York", "2026-03-08T02:30:00Z", 0, {"2026-03-08T07:00:00Z"}},
        {"America/New_York", "2026-11-01T01:30:00Z", 2, {"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"}},
        {"Australia/Lord_Howe", "2026-04-05T01:45:00Z", 2, {"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}},
        {"Australia/Lord_Howe", "2026-04-05T01:29:00Z", 1, {"2026-04-04T14:29:00Z"}},
        {"Australia/Lord_Howe", "2026-10-04T02:29:00Z", 0, {"2026-10-03T15:30:00Z"}},
        {"Australia/Lord_Howe", "2026-10-04T02:30:00Z", 1, {"2026-10-03T15:30:00Z"}},
        {"Africa/Cairo", "2026-04-24T00:00:00Z", 0, {"2026-04-23T22:00:00Z"}},
        {"America/Sao_Paulo", "2018-11-04T00:00:00Z", 0, {"2018-11-04T03:00:00Z"}},
        {"America/Sao_Paulo", "2019-02-16T23:30:00Z", 2, {"2019-02-17T01:30:00Z", "2019-02-17T02:30:00Z"}},
        {"Pacific/Apia", "2011-12-29T23:59:59Z", 1, {"2011-12-30T09:59:59Z"}},
        {"Pacific/Apia", "2011-12-30T00:00:00Z", 0, {"2011-12-30T10:00:00Z"}},
        {"Pacific/Apia", "2011-12-30T23:59:59Z", 0, {"2011-12-30T10:00:00Z"}},
        {"Pacific/Apia", "2011-12-31T00:00:00Z", 1, {"2011-12-30T10:00:00Z"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[i].zone);
        ZoneInstants found = zone_instants(z, wall_of(rows[i].local));
        assert_int_equal(found.n, rows[i].n);
        for (int k = 0; k < 2 && rows[i].wall[k]; k++)
            assert_wall(found.wall[k], rows[i].wall[k]);
    }
}

static void next_changes(void **state) {
    static const struct {
        const char *zone, *wall, *next; /* NULL: never */
    } rows[] = {
        {"Europe/Berlin", "2026-01-01T00:00:00Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "2026-03-29T00:59:59.999Z", "2026-03-29T01:00:00Z"},
        {"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"},
        {"Europe/Berlin", "2449-12-31T00:00:00Z", "2450-03-27T01:00:00Z"},
        {"Pacific/Apia", "2011-01-01T00:00:00Z", "2011-12-30T10:00:00Z"},
        {"Pacific/Apia", "2011-12-30T10:00:00Z", NULL},
        {"Europe/Berlin", "9999-12-31T00:00:00Z", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(zone_free_ptr) Zone *z = tzif_known(rows[i].zone);
        Usec next = zone_change_after(z, wall_of(rows[i].wall));
        if (rows[i].next)
            assert_wall(next, rows[i].next);
        else
            assert_true(next == USEC_INFINITY);
    }
    /* a change of the name alone is none */
    static const TzifChange same[] = {{1000, 3600}, {2000, 3600}, {3000, 0}};
    CLEANUP(zone_free_ptr) Zone *z = tzif_zone("X", 3600, same, ARRAY_SIZE(same), "");
    assert_int_equal(zone_change_after(z, 0), 3000 * USEC_PER_SEC);
}

static void all_year_daylight_saving(void **state) {
    CLEANUP(zone_free_ptr) Zone *z = tzif_zone("X", 0, NULL, 0, "XXX3EDT4,0/0,J365/23");
    assert_int_equal(zone_offset(z, wall_of("2026-01-01T00:00:00Z"), NULL), -4 * 3600);
    assert_true(zone_change_after(z, wall_of("2026-01-01T00:00:00Z")) == USEC_INFINITY);
}

/* Version 1 has four-byte times and no footer. */
static void version_1(void **state) {
    static const TzifChange change[] = {{1000000000, 7200}};
    uint8_t bytes[TZIF_SIZE_MAX];
    size_t len = tzif_block(bytes, 4, -3600, change, 1);
    bytes[4] = 0;
    CLEANUP(zone_free_ptr) Zone *z = NULL;
    assert_int_equal(zone_from_tzif("X", bytes, len, &z), 0);
    assert_int_equal(zone_offset(z, INT64_C(999999999) * USEC_PER_SEC, NULL), -3600);
    assert_int_equal(zone_offset(z, INT64_C(1000000000) * USEC_PER_SEC, NULL), 7200);
    for (size_t n = 0; n < len; n++) {
        Zone *none = NULL;
        assert_int_equal(zone_from_tzif("X", bytes, n, &none), -EBADMSG);
        assert_null(none);
    }
}

/* Indicators, which say how changes were written in the source, stand behind all else: one a type or none. */
static void indicators_match_types(void **state) {
    static const TzifChange change[] = {{1000000000, 7200}};
    static const struct {
        uint8_t n_isut, n_isstd, n_types;
        int rc;
    } rows[] = {{0, 0, 2, 0}, {2, 0, 2, 0},        {0, 2, 2, 0},        {2, 2, 2, 0},
                {1, 0, 2, -EBADMSG}, {0, 1, 2, -EBADMSG}, {3, 0, 2, -EBADMSG}, {0, 0, 0, -EBADMSG}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t bytes[TZIF_SIZE_MAX] = {0};
        size_t len = tzif_block(bytes, 4, 0, change, rows[i].n_types > 0);
        bytes[4] = 0;
        bytes[23] = rows[i].n_isut;
        bytes[27] = rows[i].n_isstd;
        bytes[39] = rows[i].n_types;
        CLEANUP(zone_free_ptr) Zone *z = NULL;
        assert_int_equal(zone_from_tzif("X", bytes, len + rows[i].n_isut + rows[i].n_isstd, &z), rows[i].rc);
    }
}

/* "right/" files count leap seconds; the zone does not. */
static void leap_seconds_are_taken_out(void **state) {
    uint8_t bytes[TZIF_SIZE_MAX] = "TZif", *p = bytes + TZIF_HEADER;
    tzif_put(bytes + 28, 2, 4); /* leap seconds, changes, types, characters */
    tzif_put(bytes + 32, 2, 4);
    tzif_put(bytes + 36, 2, 4);
    tzif_put(bytes + 40, 4, 4);
    const int64_t numbers[][2] = {{500, 4}, {2000, 4}, {1, 1}, {0, 1}, {0, 4}, {0, 2}, {3600, 4}, {0, 2},
                                  {0x58585800, 4}, {1000, 4}, {1, 4}, {1500, 4}, {2, 4}};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        p += tzif_put(p, numbers[i][0], (size_t)numbers[i][1]);
    CLEANUP(zone_free_ptr) Zone *z = NULL;
    assert_int_equal(zone_from_tzif("X", bytes, (size_t)(p - bytes), &z), 0);
    assert_int_equal(zone_change_after(z, 0), 500 * USEC_PER_SEC);
    assert_int_equal(zone_change_after(z, 500 * USEC_PER_SEC), 1998 * USEC_PER_SEC);
}

static void damaged_files_are_refused(void **state) {
    static const TzifChange changes[] = {{1000, 3600}, {2000, 0}};
    static uint8_t good[TZIF_SIZE_MAX], bytes[TZIF_SIZE_MAX];
    size_t len = tzif_make(good, 0, changes, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
    size_t second = TZIF_HEADER + 10, times = second + TZIF_HEADER, indices = times + 16, types = indices + 2,
           chars = types + 18;
    const struct {
        size_t at, size;
        int64_t value;
    } rows[] = {
        {0, 1, 'X'},
        {32, 4, 0xffffffff},           /* first block: more changes than bytes */
        {second, 1, 'X'},              /* second header */
        {second + 20, 4, 2},           /* indicators for two types of three */
        {second + 24, 4, 1},
        {second + 28, 4, 0xffffffff},  /* leap seconds */
        {second + 32, 4, 0xffffffff},  /* changes */
        {second + 36, 4, 0},           /* no types */
        {second + 36, 4, 0x10000000},
        {second + 40, 4, 0},           /* no characters */
        {second + 40, 4, 0xffffffff},
        {second + 40, 4, 3},           /* abbreviation not terminated */
        {times, 8, 2000},              /* not ascending */
        {times, 8, INT64_MAX},
        {indices, 1, 3},               /* no such type */
        {types, 4, INT32_MIN},         /* offsets */
        {types, 4, 26 * 3600},
        {types, 4, -25 * 3600},
        {types + 4, 1, 2},             /* neither standard time nor daylight saving */
        {types + 5, 1, 4},             /* abbreviation outside */
        {types + 5, 1, 200},
        {chars, 1, '\n'},              /* not printable */
        {chars + 3, 1, 'X'},
        {chars + 4, 1, 'X'},           /* footer */
        {chars + 5, 1, '1'},
        {chars + 10, 1, '\0'},         /* behind a good rule */
        {len - 1, 1, 'X'},
    };
    Zone *z = NULL;
    assert_int_equal(zone_from_tzif("X", good, len, &z), 0);
    zone_free(z);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memcpy(bytes, good, len);
        tzif_put(bytes + rows[i].at, rows[i].value, rows[i].size);
        z = NULL;
        assert_int_equal(zone_from_tzif("X", bytes, len, &z), -EBADMSG);
        assert_null(z);
    }
    for (size_t n = 0; n < len; n++)
        assert_int_equal(zone_from_tzif("X", good, n, &z), -EBADMSG);
}

/* Whatever the changes: an instant's local time leads back to it, and a skipped one to where the clock goes on. */
static void random_zones_lead_back(void **state) {
    const char *seed_text = getenv("DDB_SEED");
    unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 20261123;
    print_message("DDB_SEED=%u\n", seed);
    srand(seed);
    for (int round = 0; round < 300; round++) {
        TzifChange changes[8];
        int64_t at = 0;
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
            at += 200000 + rand() % 1000000; /* further apart than two offsets can be */
            changes[i] = (TzifChange){.at = at, .offset = (rand() % 99 - 49) * 1800};
        }
        CLEANUP(zone_free_ptr) Zone *z = tzif_zone("X", 0, changes, ARRAY_SIZE(changes), "");
        for (int i = 0; i < 300; i++) {
            const TzifChange *change = &changes[rand() % 8];
            Usec wall = (change->at + rand() % 200000 - 100000) * USEC_PER_SEC + rand() % 2;
            Usec local = wall + zone_offset(z, wall, NULL) * USEC_PER_SEC;
            ZoneInstants found = zone_instants(z, local);
            assert_in_range(found.n, 1, 2);
            assert_true(found.wall[0] == wall || (found.n == 2 && found.wall[1] == wall));
            for (int k = 0; k < found.n; k++)
                assert_int_equal(found.wall[k] + zone_offset(z, found.wall[k], NULL) * USEC_PER_SEC, local);
            assert_true(found.n == 1 || found.wall[0] < found.wall[1]);

            local = wall; /* any local time, skipped ones among them */
            found = zone_instants(z, local);
            if (found.n > 0)
                continue;
            assert_true(found.wall[0] + zone_offset(z, found.wall[0], NULL) * USEC_PER_SEC > local);
            assert_true(found.wall[0] - 1 + zone_offset(z, found.wall[0] - 1, NULL) * USEC_PER_SEC < local);
        }
    }
}

static void equality_is_of_clocks(void **state) {
    static const char *const names[] = {"UTC", "Europe/Berlin", "America/New_York", "Europe/Dublin"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            CLEANUP(zone_free_ptr) Zone *a = tzif_known(names[i]);
            CLEANUP(zone_free_ptr) Zone *b = tzif_known(names[j]);
            assert_int_equal(zone_equal(a, b), i == j);
        }
}

UNIT_MAIN(cmocka_unit_test(equality_is_of_clocks),
          cmocka_unit_test(offsets_of_the_database), cmocka_unit_test(utc_needs_no_file),
          cmocka_unit_test(local_times_to_instants), cmocka_unit_test(next_changes),
          cmocka_unit_test(all_year_daylight_saving), cmocka_unit_test(version_1),
          cmocka_unit_test(indicators_match_types),
          cmocka_unit_test(leap_seconds_are_taken_out), cmocka_unit_test(damaged_files_are_refused),
          cmocka_unit_test(random_zones_lead_back))
