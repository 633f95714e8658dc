#pragma once
/* Growth of a plain array, `items` with `n_items` used of `n_room`. */

#include <stddef.h>

/* Room for at least n elements of `size` bytes in *items, whose capacity is *n_room.
 * -ENOMEM (also on overflow) leaves all as it was. */
int array_reserve(void *items, size_t *n_room, size_t n, size_t size);

/* Room for one more after n_used; use as: ARRAY_GROW(list->items, list->n_items, list->n_room) */
#define ARRAY_GROW(items, n_used, n_room) array_reserve(&(items), &(n_room), (n_used) + 1, sizeof((items)[0]))
