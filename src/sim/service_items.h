#pragma once
/* The items of a table, with everything that was ever written: what point-in-time recovery knows of them. Shared by the
 * table with its backups and exports, which outlive it. */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

typedef struct ServiceVersion {
    Usec wall;
    char *json; /* the item, canonical (service_value.h); NULL: it was deleted */
    int64_t size;
} ServiceVersion;

typedef struct ServiceItem {
    uint64_t hash; /* of its partition key */
    char *key;     /* its key attributes, canonical */
    ServiceVersion *versions; /* oldest first, no two of one instant */
    size_t n_versions, n_versions_room;
} ServiceItem;

typedef struct ServiceItems {
    unsigned n_owners;
    ServiceItem **items; /* sorted by hash, then key; also those that were deleted */
    size_t n_items, n_items_room;
    Usec frozen_wall; /* what is written from now on counts as written then, at the earliest */
    /* The items of a seed: how many, of which size each, since when. They come into being when somebody looks
     * (service_make_items). */
    int64_t n_promised, promised_size;
    Usec promised_wall;
} ServiceItems;

/* NULL without memory; one owner. */
ServiceItems *service_items_new(void);
ServiceItems *service_items_share(ServiceItems *s);
/* One owner less; the last takes everything along. NULL is fine. */
void service_items_leave(ServiceItems *s);

uint64_t service_items_hash(const char *partition_key);
/* The first item (its index) that does not come before (hash, key). */
size_t service_items_lower_bound(const ServiceItems *s, uint64_t hash, const char *key);
const ServiceItem *service_items_find(const ServiceItems *s, uint64_t hash, const char *key);

/* Writes a version; `json` (NULL: deletes) is taken, also on failure. What changes nothing leaves no version. An
 * instant before the item's last version, or before frozen_wall, counts as that. -ENOMEM. */
int service_items_write(ServiceItems *s, uint64_t hash, const char *key, char *json, int64_t size, Usec wall);

/* The item as it was just before `wall` (USEC_INFINITY: as it is); NULL: it was not there. `item` may be NULL. */
const ServiceVersion *service_item_before(const ServiceItem *item, Usec wall);
/* The last version from `from_wall` on and before `to_wall`, deletions included, or NULL. */
const ServiceVersion *service_item_last_change(const ServiceItem *item, Usec from_wall, Usec to_wall);
