/* Holds core/zone against glibc's localtime_r, zone by zone, from 1970 to 2100.
 * usage: zone_tool SEED [OURS]   names of zones on standard input; OURS is a database for core/zone alone
 *                                => NAME <tab> CHANGES found by glibc <tab> INSTANTS compared, for each that agrees
 *                                => "wrong" <tab> NAME <tab> SECONDS <tab> WHAT, and exit status 1 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/calendar/zone.h"
#include "io/zone_file.h"

#define END INT64_C(4133980800) /* 2101-01-01 */
#define GRID (36 * 3600)        /* no two changes of a zone lie nearer than that without being seen by one of both */
#define N_RANDOM 500

typedef struct Clock {
    int offset;
    char abbreviation[32];
} Clock;

static const char *name;
static Zone *zone;
static int64_t n_compared;
static bool wrong;

static Clock clock_of_glibc(int64_t at) {
    Clock c;
    time_t t = at;
    struct tm tm;
    localtime_r(&t, &tm);
    c.offset = (int)tm.tm_gmtoff;
    snprintf(c.abbreviation, sizeof c.abbreviation, "%s", tm.tm_zone);
    return c;
}

static Clock clock_of_ours(int64_t at) {
    Clock c;
    const char *abbreviation;
    c.offset = zone_offset(zone, at * USEC_PER_SEC, &abbreviation);
    snprintf(c.abbreviation, sizeof c.abbreviation, "%s", abbreviation);
    return c;
}

static bool same(Clock a, Clock b) { return a.offset == b.offset && strcmp(a.abbreviation, b.abbreviation) == 0; }

static void complain(int64_t at, const char *format, ...) PRINTF_LIKE(2, 3);
static void complain(int64_t at, const char *format, ...) {
    va_list args;
    printf("wrong\t%s\t%" PRId64 "\t", name, at);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    wrong = true;
}

static void compare_with(Clock theirs, int64_t at) {
    Clock ours = clock_of_ours(at);
    n_compared++;
    if (!same(theirs, ours))
        complain(at, "%d %s, not %d %s", ours.offset, ours.abbreviation, theirs.offset, theirs.abbreviation);
}

static void compare(int64_t at) { compare_with(clock_of_glibc(at), at); }

/* The instants that glibc's clock shows as that local time are those that we name. */
static void compare_local(int64_t local, int before, int after) {
    ZoneInstants found = zone_instants(zone, local * USEC_PER_SEC);
    int offsets[2] = {before, after}, n = 0;
    for (int i = 0; i < 2; i++) {
        int64_t at = local - offsets[i];
        if (clock_of_glibc(at).offset != offsets[i])
            continue;
        n++;
        if (found.wall[0] != at * USEC_PER_SEC && (found.n < 2 || found.wall[1] != at * USEC_PER_SEC))
            complain(at, "is not among the %d instants of local time %" PRId64, found.n, local);
    }
    n_compared++;
    if (n != found.n)
        complain(local, "as a local time has %d instants, not %d", found.n, n);
    int64_t first = found.wall[0] / USEC_PER_SEC;
    if (n == 0 &&
        (first - 1 + clock_of_glibc(first - 1).offset >= local || first + clock_of_glibc(first).offset <= local))
        complain(first, "is not the end of the gap over local time %" PRId64, local);
}

static void compare_change(int64_t at) {
    Clock before = clock_of_glibc(at - 1), after = clock_of_glibc(at);
    for (int d = -1; d <= 1; d++)
        compare(at + d);
    if (before.offset == after.offset)
        return;
    Usec found = zone_change_after(zone, (at - 1) * USEC_PER_SEC);
    if (found != at * USEC_PER_SEC)
        complain(at, "is a change that is not found");
    static const int steps[] = {-3600, -1, 0, 1, 900, 1799, 1800, 3599, 3600};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        compare_local(at + before.offset + steps[i], before.offset, after.offset);
        compare_local(at + after.offset + steps[i], before.offset, after.offset);
    }
}

/* A change between two instants whose clocks differ, to the second. */
static int64_t find_change(int64_t low, int64_t high) {
    Clock before = clock_of_glibc(low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (same(before, clock_of_glibc(middle)))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void compare_zone(void) {
    int64_t n_changes = 0;
    n_compared = 0;
    Clock before = clock_of_glibc(0), after;
    for (int64_t at = 0; at < END; at += GRID, before = after) {
        compare_with(before, at);
        after = clock_of_glibc(at + GRID);
        for (int64_t from = at; !same(before, after); n_changes++, before = clock_of_glibc(from)) {
            from = find_change(from, at + GRID);
            compare_change(from);
        }
    }
    for (Usec at = 0; (at = zone_change_after(zone, at)) < END * USEC_PER_SEC;)
        compare_change(at / USEC_PER_SEC);
    for (int i = 0; i < N_RANDOM; i++)
        compare(((int64_t)random() << 16 ^ random()) % END);
    if (!wrong)
        printf("%s\t%" PRId64 "\t%" PRId64 "\n", name, n_changes, n_compared);
}

static int load(const char *ours) {
    AUTO_FREE char *theirs = strdup(getenv("TZDIR"));
    setenv("TZDIR", ours, 1);
    int rc = zone_file_load(NULL, name, &zone);
    setenv("TZDIR", theirs, 1);
    return rc;
}

int main(int argc, char **argv) {
    char line[512];
    if (argc < 2 || argc > 3 || !getenv("TZDIR")) {
        fprintf(stderr, "usage: TZDIR=DATABASE zone_tool SEED [OURS]\n");
        return 2;
    }
    srandom((unsigned)strtoul(argv[1], NULL, 10));
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        name = line;
        int rc = load(argc > 2 ? argv[2] : getenv("TZDIR"));
        if (rc < 0) {
            fprintf(stderr, "%s: %s\n", name, strerror(-rc));
            return 1;
        }
        setenv("TZ", name, 1);
        tzset();
        compare_zone();
        zone_free(TAKE_PTR(zone));
    }
    return wrong;
}
