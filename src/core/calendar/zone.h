#pragma once
/* A time zone, read from the bytes of a TZif file (RFC 8536, versions 1 to 4, with the footer's POSIX TZ rule for years
 * past the table). Pure: src/io/zone_file fetches the bytes. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/macros.h"

typedef struct Zone Zone;

/* -EBADMSG: no TZif, or damaged; -ENOMEM. */
int zone_from_tzif(const char *name, const void *bytes, size_t len, Zone **ret);
int zone_utc(Zone **ret); /* "UTC", without a file */
void zone_free(Zone *z);
DEFINE_CLEANUP(Zone, zone_free)

const char *zone_name(const Zone *z);
/* The same clock at every instant, and the same abbreviations; whatever their names. */
bool zone_equal(const Zone *a, const Zone *b);
/* Seconds east of UTC at that instant, within a day and two hours. *ret_abbreviation (may be NULL) is borrowed. */
int zone_offset(const Zone *z, Usec wall, const char **ret_abbreviation);
/* The first instant after `wall` from which the offset is another; USEC_INFINITY: it stays. */
Usec zone_change_after(const Zone *z, Usec wall);

/* The instants that the local clock shows as `local` (microseconds since 1970-01-01T00:00:00 local). */
typedef struct ZoneInstants {
    int n;        /* 0: the clock skips it; 1; 2: it shows it twice */
    Usec wall[2]; /* n = 0: wall[0] is the first valid instant after the gap. n = 2: earlier, later */
} ZoneInstants;
ZoneInstants zone_instants(const Zone *z, Usec local);
