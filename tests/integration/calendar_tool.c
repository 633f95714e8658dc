/* Lets a test ask core/calendar and core/zone in bulk, a line of standard input at a time.
 * usage: calendar_tool calendar   ZONE <tab> BASE (RFC 3339) <tab> N <tab> EXPRESSION
 *                                 => NORMAL FORM <tab> N instants in microseconds since 1970, or "never" as the last
 *                                 => "error" <tab> POSITION <tab> MESSAGE
 *        calendar_tool zone       ZONE <tab> SECONDS since 1970
 *                                 => OFFSET <tab> ABBREVIATION <tab> the next change in seconds, or "never" */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/calendar/calendar.h"
#include "core/calendar/zone.h"
#include "io/zone_file.h"

/* Zones are loaded once: the lines of a test stand in the order of their zones. */
static Zone *zone;

static int zone_take(const char *name) {
    if (zone && strcmp(zone_name(zone), name) == 0)
        return 0;
    Zone *fresh;
    int rc = zone_file_load(NULL, name, &fresh);
    if (rc < 0)
        return rc;
    zone_free(zone);
    zone = fresh;
    return 0;
}

static int answer_calendar(char *columns[static 4]) {
    CLEANUP(calendar_free_ptr) Calendar *c = NULL;
    AUTO_FREE char *normal = NULL;
    CalendarError error;
    Usec wall;
    int64_t n;
    int rc = calendar_parse(columns[3], &c, &error);
    if (rc == -EINVAL) {
        printf("error\t%zu\t%s\n", error.position, error.message);
        return 0;
    }
    if (rc >= 0)
        rc = date_from_iso(columns[1], &wall);
    if (rc >= 0)
        rc = parse_int(columns[2], 0, 100000, &n);
    if (rc >= 0)
        rc = calendar_to_string(c, &normal);
    if (rc >= 0)
        rc = zone_take(calendar_zone_name(c) ? calendar_zone_name(c) : columns[0]);
    if (rc < 0)
        return rc;
    printf("%s", normal);
    for (; n > 0; n--) {
        if (calendar_next(c, zone, wall, &wall) < 0) {
            printf("\tnever");
            break;
        }
        printf("\t%" PRId64, wall);
    }
    putchar('\n');
    return 0;
}

static int answer_zone(char *columns[static 4]) {
    const char *abbreviation;
    int64_t seconds;
    int rc = parse_int(columns[1], -WALL_MAX / USEC_PER_SEC, WALL_MAX / USEC_PER_SEC, &seconds);
    if (rc >= 0)
        rc = zone_take(columns[0]);
    if (rc < 0)
        return rc;
    int offset = zone_offset(zone, seconds * USEC_PER_SEC, &abbreviation);
    Usec change = zone_change_after(zone, seconds * USEC_PER_SEC);
    printf("%d\t%s\t", offset, abbreviation);
    if (change == USEC_INFINITY)
        puts("never");
    else
        printf("%" PRId64 "\n", change / USEC_PER_SEC);
    return 0;
}

int main(int argc, char **argv) {
    bool asks_zones = argc == 2 && strcmp(argv[1], "zone") == 0;
    if (!asks_zones && (argc != 2 || strcmp(argv[1], "calendar") != 0)) {
        fprintf(stderr, "usage: calendar_tool calendar|zone\n");
        return 2;
    }
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *columns[4], *rest = line, empty[] = "";
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
            columns[i] = strsep(&rest, "\t");
            columns[i] = columns[i] ? columns[i] : empty;
        }
        int rc = asks_zones ? answer_zone(columns) : answer_calendar(columns);
        if (rc < 0) {
            fprintf(stderr, "%s: %s\n", line, strerror(-rc));
            return 1;
        }
    }
    zone_free(zone);
    return 0;
}
