#pragma once
/* Writing and reading items; for src/sim/service*.c alone. */

#include "sim/service_state.h"

/* What is to be written: a PutRequest's item, or the key of what is to be deleted. */
typedef struct ServiceWrite {
    uint64_t hash;
    char *key, *json; /* json NULL: delete */
    int64_t size;
} ServiceWrite;

void service_write_done(ServiceWrite *w);

/* Checks and takes an item, or a key alone, of that table. -EINVAL after a refusal. */
int service_write_parse(ServiceCall *c, const ServiceTable *t, const ServiceJson *attributes, bool is_key,
                        ServiceWrite *ret);
/* Carries it out; the table's counts go with it. Takes its json. -ENOMEM. */
int service_write_apply(ServiceTable *t, ServiceWrite *w, Usec now_wall);

/* Makes the items that a seed promised; every reader and writer of items calls this first. -ENOMEM. */
int service_make_items(ServiceItems *items);
/* The table whose items are asked for. -EINVAL after a refusal. */
int service_find_open_table(ServiceCall *c, const char *name, ServiceTable **ret);
