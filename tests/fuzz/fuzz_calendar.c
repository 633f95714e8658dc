/* An expression: its normal form is stable and means the same, and elapses go forward. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/calendar/blackout.h"
#include "core/calendar/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

/* Berlin by its rule alone. */
static Zone *berlin(void) {
    uint8_t bytes[160] = {0};
    static const char footer[] = "CET\0\nCET-1CEST,M3.5.0,M10.5.0/3\n";
    size_t len = 0;
    for (int block = 0; block < 2; block++) {
        memcpy(bytes + len, "TZif3", 5);
        bytes[len + 39] = 1; /* one type */
        bytes[len + 43] = 4; /* four characters */
        len += 44 + 6;
        memcpy(bytes + len, footer, 4);
        len += 4;
    }
    memcpy(bytes + len, footer + 4, sizeof footer - 5);
    Zone *z = NULL;
    require(zone_from_tzif("Europe/Berlin", bytes, len + sizeof footer - 5, &z) >= 0);
    return z;
}

static void elapse(const Calendar *c, const Zone *z) {
    Usec start = INT64_C(1774600000) * USEC_PER_SEC, wall = start, next, last; /* two days before the clock changes */
    for (int i = 0; i < 50 && calendar_next(c, z, wall, &next) >= 0; i++) {
        require(next > wall);
        wall = next;
    }
    if (wall > start)
        require(calendar_last(c, z, start, wall, &last) >= 0 && last == wall);
    else
        require(calendar_last(c, z, start, WALL_MAX, &last) < 0);
}

/* not_during has a grammar of its own, of the same pieces. */
static void shut(const char *span, const Zone *z) {
    Blackout b = {};
    CalendarError error = {};
    Usec start = INT64_C(1774600000) * USEC_PER_SEC;
    if (blackout_from_string(span, &b, &error) < 0) {
        require(error.message && error.position <= strlen(span));
        return;
    }
    require(b.weekdays != 0 && b.from >= 0 && b.from < b.to && b.to <= 48 * 60);
    for (Usec wall = start; wall < start + USEC_PER_WEEK; wall += USEC_PER_HOUR) {
        Usec end = blackouts_end(&b, 1, z, wall);
        require(end >= wall && (end == USEC_INFINITY || blackouts_end(&b, 1, z, end) == end));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Zone *zone;
    if (!zone)
        zone = berlin();
    char *expression = malloc(size + 1), *normal = NULL, *again = NULL;
    require(expression);
    memcpy(expression, data, size);
    expression[size] = '\0';

    Calendar *c = NULL, *second = NULL;
    CalendarError error = {};
    if (calendar_parse(expression, &c, &error) < 0)
        require(error.message && error.position <= strlen(expression));
    else {
        require(calendar_to_string(c, &normal) >= 0);
        require(calendar_parse(normal, &second, &error) >= 0);
        require(calendar_to_string(second, &again) >= 0);
        require(strcmp(normal, again) == 0 && calendar_equal(c, second));
        elapse(c, zone);
    }
    shut(expression, zone);
    calendar_free(c);
    calendar_free(second);
    free(expression);
    free(normal);
    free(again);
    return 0;
}
