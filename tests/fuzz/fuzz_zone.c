/* A TZif file: whatever is taken answers within the bounds that core/calendar/zone.h names. */

#include <stdint.h>
#include <stdlib.h>

#include "core/calendar/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void ask(const Zone *z, Usec wall) {
    const char *abbreviation = NULL;
    int offset = zone_offset(z, wall, &abbreviation);
    require(abbreviation && offset > -25 * 3600 && offset < 26 * 3600);
    require(zone_change_after(z, wall) > wall);
    ZoneInstants found = zone_instants(z, wall);
    require(found.n >= 0 && found.n <= 2);
    for (int i = 0; i < found.n; i++)
        require(found.wall[i] + zone_offset(z, found.wall[i], NULL) * USEC_PER_SEC == wall);
    if (found.n == 2)
        require(found.wall[0] < found.wall[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Zone *z = NULL;
    if (zone_from_tzif("Fuzz/Zone", data, size, &z) < 0)
        return 0;
    Usec wall = 0;
    for (int i = 0; i < 64 && wall <= WALL_MAX; i++) {
        ask(z, wall);
        ask(z, wall + 1);
        if (wall > 0)
            ask(z, wall - 1);
        wall = zone_change_after(z, wall);
    }
    static const int64_t years[] = {-400, 0, 56, 130, 430, 800, 8029};
    for (size_t i = 0; i < ARRAY_SIZE(years); i++)
        ask(z, years[i] * 31556952 * USEC_PER_SEC);
    zone_free(z);
    return 0;
}
