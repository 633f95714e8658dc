#include "sim/service_items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/macros.h"
#include "base/text.h"

static void item_free(ServiceItem *item) {
    if (!item)
        return;
    for (size_t i = 0; i < item->n_versions; i++)
        free(item->versions[i].json);
    free(item->versions);
    free(item->key);
    free(item);
}
DEFINE_CLEANUP(ServiceItem, item_free)

ServiceItems *service_items_new(void) {
    ServiceItems *s = calloc(1, sizeof *s);
    return s ? service_items_share(s) : NULL;
}

ServiceItems *service_items_share(ServiceItems *s) {
    s->n_owners++;
    return s;
}

void service_items_leave(ServiceItems *s) {
    if (!s || --s->n_owners > 0)
        return;
    for (size_t i = 0; i < s->n_items; i++)
        item_free(s->items[i]);
    free(s->items);
    free(s);
}

uint64_t service_items_hash(const char *partition_key) { /* FNV-1a, and a mixer for its upper bits */
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *partition_key; partition_key++)
        h = (h ^ (unsigned char)*partition_key) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

static int compare(const ServiceItem *item, uint64_t hash, const char *key) {
    if (item->hash != hash)
        return item->hash < hash ? -1 : 1;
    return strcmp(item->key, key);
}

size_t service_items_lower_bound(const ServiceItems *s, uint64_t hash, const char *key) {
    size_t low = 0, high = s->n_items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(s->items[middle], hash, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const ServiceItem *service_items_find(const ServiceItems *s, uint64_t hash, const char *key) {
    size_t i = service_items_lower_bound(s, hash, key);
    return i < s->n_items && compare(s->items[i], hash, key) == 0 ? s->items[i] : NULL;
}

/* The item of that key, made where there is none. */
static int get(ServiceItems *s, uint64_t hash, const char *key, ServiceItem **ret) {
    size_t i = service_items_lower_bound(s, hash, key);
    if (i < s->n_items && compare(s->items[i], hash, key) == 0) {
        *ret = s->items[i];
        return 0;
    }
    CLEANUP(item_free_ptr) ServiceItem *item = calloc(1, sizeof *item);
    if (!item || text_set(&item->key, key) < 0 || ARRAY_GROW(s->items, s->n_items, s->n_items_room) < 0)
        return -ENOMEM;
    item->hash = hash;
    memmove(s->items + i + 1, s->items + i, (s->n_items++ - i) * sizeof s->items[0]);
    *ret = s->items[i] = TAKE_PTR(item);
    return 0;
}

int service_items_write(ServiceItems *s, uint64_t hash, const char *key, char *json, int64_t size, Usec wall) {
    AUTO_FREE char *taken = json;
    ServiceItem *item = NULL;
    wall = wall < s->frozen_wall ? s->frozen_wall : wall;
    if (!json && !service_items_find(s, hash, key))
        return 0;
    int rc = get(s, hash, key, &item);
    if (rc < 0)
        return rc;
    ServiceVersion *last = item->n_versions > 0 ? &item->versions[item->n_versions - 1] : NULL;
    if (text_equal(last ? last->json : NULL, json))
        return 0;
    if (last && wall <= last->wall) {
        free(last->json);
        last->json = TAKE_PTR(taken);
        last->size = size;
        return 0;
    }
    if (ARRAY_GROW(item->versions, item->n_versions, item->n_versions_room) < 0)
        return -ENOMEM;
    item->versions[item->n_versions++] = (ServiceVersion){.wall = wall, .json = TAKE_PTR(taken), .size = size};
    return 0;
}

const ServiceVersion *service_item_last_change(const ServiceItem *item, Usec from_wall, Usec to_wall) {
    for (size_t i = item ? item->n_versions : 0; i-- > 0;)
        if (item->versions[i].wall < to_wall)
            return item->versions[i].wall >= from_wall ? &item->versions[i] : NULL;
    return NULL;
}

const ServiceVersion *service_item_before(const ServiceItem *item, Usec wall) {
    const ServiceVersion *v = service_item_last_change(item, INT64_MIN, wall);
    return v && v->json ? v : NULL;
}
