/* Backups that others made before anybody asked: one every so often over the day before, of tables
 * that are long gone. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "sim/service_state.h"

#define TABLE "somebody-elses"

static int fill(Service *s, ServiceBackup *b, const char *region, Usec created_wall, int64_t i) {
    b->created_wall = created_wall - created_wall % USEC_PER_MSEC;
    b->available_wall = b->visible_wall = b->created_wall;
    b->expiry_wall = USEC_INFINITY;
    service_make_id(s, b->created_wall, b->id);
    service_make_uuid(s, b->table_id);
    b->region = strdup(region);
    b->table = strdup(TABLE);
    b->name = text_format("foreign-%lld", (long long)i);
    b->source = text_format("{\"TableName\":\"" TABLE "\",\"TableId\":\"%s\"}", b->table_id);
    b->features = strdup("{}");
    return b->region && b->table && b->name && b->source && b->features ? 0 : -ENOMEM;
}

static int plant(Service *s, const char *region, Usec created_wall, int64_t i) {
    CLEANUP(service_backup_free_ptr) ServiceBackup *b = calloc(1, sizeof *b);
    if (!b || fill(s, b, region, created_wall, i) < 0)
        return -ENOMEM;
    int rc = ARRAY_GROW(s->backups, s->n_backups, s->n_backups_room);
    if (rc < 0)
        return rc;
    s->backups[s->n_backups++] = TAKE_PTR(b);
    return 0;
}

static int by_id(const void *a, const void *b) {
    const ServiceBackup *x = *(ServiceBackup *const *)a, *y = *(ServiceBackup *const *)b;
    int order = strcmp(x->id, y->id);
    return order ? order : strcmp(x->table, y->table);
}

int service_plant_foreign(Service *s, const char *region, Usec now_wall) {
    int64_t n = s->settings.n_foreign_backups;
    int rc = 0;
    for (int64_t i = 0; rc >= 0 && i < n; i++)
        rc = plant(s, region, now_wall - USEC_PER_DAY + (Usec)((double)USEC_PER_DAY / (double)n * (double)i), i);
    if (n > 0)
        qsort(s->backups, s->n_backups, sizeof s->backups[0], by_id);
    return rc;
}
