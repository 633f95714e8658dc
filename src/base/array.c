#include "base/array.h"

#include <errno.h>
#include <stdlib.h>

int array_reserve(void *items, size_t *n_room, size_t n, size_t size) {
    if (n <= *n_room)
        return 0;
    size_t room = *n_room ? *n_room * 2 : 8;
    if (room < n)
        room = n;
    void **at = items;
    void *grown = reallocarray(*at, room, size);
    if (!grown)
        return -ENOMEM;
    *at = grown;
    *n_room = room;
    return 0;
}
