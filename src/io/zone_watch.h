#pragma once
/* Tells when the files of time zones may have changed, a moment after the last of a row of changes: an update of the
 * database replaces many. */

#include <stddef.h>
#include <systemd/sd-event.h>

#include "base/macros.h"
#include "core/calendar/zone.h"

typedef struct ZoneWatch ZoneWatch;
typedef void (*ZoneWatchChanged)(void *context);

/* `changed` may free the watch. Zones without files are passed over. */
int zone_watch_new(sd_event *event, Zone *const *zones, size_t n_zones, ZoneWatchChanged changed, void *context,
                   ZoneWatch **ret);
void zone_watch_free(ZoneWatch *w);
DEFINE_CLEANUP(ZoneWatch, zone_watch_free)
