#include "ctl/next_slot.h"

#include <string.h>

#include "base/text.h"
#include "io/zone_file.h"

/* The ledger has "EXPRESSION in ZONE", as core/run/enrol.c writes it. */
Usec next_slot(const Enrolment *e) {
    static const char between[] = " in ";
    AUTO_FREE char *expression = e->when ? strdup(e->when) : NULL;
    char *zone_name = NULL;
    for (char *s = expression; s && (s = strstr(s, between)); s++)
        zone_name = s;
    if (!zone_name)
        return WALL_UNKNOWN;
    *zone_name = '\0';
    zone_name += strlen(between);
    CLEANUP(calendar_free_ptr) Calendar *calendar = NULL;
    CLEANUP(zone_free_ptr) Zone *zone = NULL;
    CalendarError error;
    Usec slot;
    if (calendar_parse(expression, &calendar, &error) < 0 || zone_file_load(NULL, zone_name, &zone) < 0 ||
        calendar_next(calendar, zone, e->cursor_wall, &slot) < 0)
        return WALL_UNKNOWN;
    return slot;
}
