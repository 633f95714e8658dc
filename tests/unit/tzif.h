#pragma once
/* Makes small time zones for tests, so that they do not depend on the database of the machine. */

#include "core/calendar/zone.h"
#include "unit.h"

typedef struct TzifChange {
    int64_t at;
    int offset; /* from then on */
} TzifChange;

#define TZIF_SIZE_MAX 1024
#define TZIF_HEADER 44

static inline size_t tzif_put(uint8_t *to, int64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)((uint64_t)value >> 8 * (size - 1 - i));
    return size;
}

/* One block; each change has a type of its own, 1 and up, and all types are called "ABC". */
static inline size_t tzif_block(uint8_t *to, size_t time_size, int first_offset, const TzifChange *changes, size_t n) {
    size_t len = 0;
    memcpy(to, "TZif3", 5);
    memset(to + 5, 0, 15);
    for (len = 20; len < 32; len += 4)
        tzif_put(to + len, 0, 4);
    len += tzif_put(to + len, (int64_t)n, 4);
    len += tzif_put(to + len, (int64_t)n + 1, 4);
    len += tzif_put(to + len, 4, 4);
    for (size_t i = 0; i < n; i++)
        len += tzif_put(to + len, changes[i].at, time_size);
    for (size_t i = 0; i < n; i++)
        len += tzif_put(to + len, (int64_t)i + 1, 1);
    for (size_t i = 0; i <= n; i++) {
        len += tzif_put(to + len, i == 0 ? first_offset : changes[i - 1].offset, 4);
        len += tzif_put(to + len, 0, 2);
    }
    memcpy(to + len, "ABC", 4);
    return len + 4;
}

/* The bytes of a file of version 3. */
static inline size_t tzif_make(uint8_t to[static TZIF_SIZE_MAX], int first_offset, const TzifChange *changes, size_t n,
                               const char *footer) {
    size_t len = tzif_block(to, 4, first_offset, NULL, 0);
    len += tzif_block(to + len, 8, first_offset, changes, n);
    return len + (size_t)snprintf((char *)to + len, TZIF_SIZE_MAX - len, "\n%s\n", footer);
}

static inline Zone *tzif_zone(const char *name, int first_offset, const TzifChange *changes, size_t n,
                              const char *footer) {
    uint8_t bytes[TZIF_SIZE_MAX];
    Zone *z = NULL;
    size_t len = tzif_make(bytes, first_offset, changes, n, footer);
    assert_int_equal(zone_from_tzif(name, bytes, len, &z), 0);
    return z;
}

/* The zones of these tests, as their rules stood in 2026 or, where they have none any more, in the year named. */
static inline Zone *tzif_known(const char *name) {
    static const TzifChange apia[] = {{1325239200, 14 * 3600}};                               /* 2011-12-30T10:00:00Z */
    static const TzifChange sao_paulo[] = {{1541300400, -2 * 3600}, {1550368800, -3 * 3600}}; /* 2018 and 2019 */
    static const struct {
        const char *name, *footer;
    } rules[] = {
        {"UTC", "UTC0"},
        {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
        {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
        {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
        {"Africa/Cairo", "EET-2EEST,M4.5.5/0,M10.5.4/24"},
        {"Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"},
    };
    if (strcmp(name, "Pacific/Apia") == 0)
        return tzif_zone(name, -10 * 3600, apia, ARRAY_SIZE(apia), "");
    if (strcmp(name, "America/Sao_Paulo") == 0)
        return tzif_zone(name, -3 * 3600, sao_paulo, ARRAY_SIZE(sao_paulo), "<-03>3");
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].name, name) == 0)
            return tzif_zone(name, 0, NULL, 0, rules[i].footer);
    fail_msg("no zone %s", name);
    return NULL;
}
