#pragma once
/* Fetches a zone's bytes from the system's time zone database ($TZDIR, else /usr/share/zoneinfo). */

#include "core/calendar/zone.h"
#include "core/conf/conf.h"

/* A ZoneLoader; `context` is not used. "UTC" needs no file. -ENOENT: no such zone, or a name that leaves the database
 * ("../", absolute); -EBADMSG: the file is no TZif. */
int zone_file_load(void *context, const char *name, Zone **ret);
/* Where its bytes are. -ENOENT: it needs no file, or the name leaves the database. */
int zone_file_path(const char *name, char **ret);
