#include "io/zone_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/watch.h"
#include "io/zone_file.h"

#define SETTLE_USEC (2 * USEC_PER_SEC)

struct ZoneWatch {
    ZoneWatchChanged changed;
    void *context;
    Watch *watch;
    sd_event_source *settled;
};

void zone_watch_free(ZoneWatch *w) {
    if (!w)
        return;
    watch_free(w->watch);
    sd_event_source_disable_unref(w->settled);
    free(w);
}

static int on_settled(sd_event_source *source, uint64_t usec, void *context) {
    ZoneWatch *w = context;
    w->changed(w->context);
    return 0;
}

static void on_change(void *context) {
    ZoneWatch *w = context;
    sd_event_source_set_time_relative(w->settled, SETTLE_USEC);
    sd_event_source_set_enabled(w->settled, SD_EVENT_ONESHOT);
}

/* Both the name and what it leads to: most names of the database are links, or may be. */
static int add_files(const Zone *zone, char **files, size_t *n_files) {
    char *path = NULL;
    int r = zone_file_path(zone_name(zone), &path);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    files[(*n_files)++] = path;
    char *real = realpath(path, NULL);
    if (real && strcmp(real, path) != 0)
        files[(*n_files)++] = real;
    else
        free(real);
    return 0;
}

int zone_watch_new(sd_event *event, Zone *const *zones, size_t n_zones, ZoneWatchChanged changed, void *context,
                   ZoneWatch **ret) {
    CLEANUP(zone_watch_free_ptr) ZoneWatch *w = calloc(1, sizeof *w);
    AUTO_FREE char **files = calloc(2 * n_zones + 1, sizeof *files);
    size_t n_files = 0;
    if (!w || !files)
        return -ENOMEM;
    w->changed = changed;
    w->context = context;
    int r = sd_event_add_time_relative(event, &w->settled, CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settled, w);
    if (r >= 0)
        r = sd_event_source_set_enabled(w->settled, SD_EVENT_OFF);
    for (size_t i = 0; r >= 0 && i < n_zones; i++)
        r = add_files(zones[i], files, &n_files);
    if (r >= 0)
        r = watch_new(event, (const char *const *)files, n_files, on_change, w, &w->watch);
    for (size_t i = 0; i < n_files; i++)
        free(files[i]);
    if (r >= 0)
        *ret = TAKE_PTR(w);
    return r;
}
