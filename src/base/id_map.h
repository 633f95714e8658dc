#pragma once
/* Objects by a number of theirs: a hash table, intrusive, as heap.h is. */

#include <stddef.h>
#include <stdint.h>

typedef struct IdNode {
    uint64_t id;
    void *owner;
    struct IdNode *next; /* in its chain */
} IdNode;

typedef struct IdMap {
    IdNode **chains;
    size_t n_chains, n_nodes;
} IdMap;

void id_map_done(IdMap *m);
/* The node is in no map, and nothing in this one has its id. -ENOMEM. */
int id_map_put(IdMap *m, IdNode *node);
/* A node that is not in is left alone. */
void id_map_remove(IdMap *m, IdNode *node);
/* The owner, or NULL. */
void *id_map_get(const IdMap *m, uint64_t id);
