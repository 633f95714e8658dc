#include "base/id_map.h"

#include <errno.h>
#include <stdlib.h>

void id_map_done(IdMap *m) {
    free(m->chains);
    *m = (IdMap){};
}

static IdNode **chain_of(const IdMap *m, uint64_t id) {
    uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15); /* multiplicative: its highest bits depend on all of the id */
    return &m->chains[(size_t)((unsigned __int128)hash * m->n_chains >> 64)];
}

static void chain_add(IdMap *m, IdNode *node) {
    IdNode **chain = chain_of(m, node->id);
    node->next = *chain;
    *chain = node;
}

static int grow(IdMap *m) {
    IdMap bigger = {.n_chains = m->n_chains ? 2 * m->n_chains : 16, .n_nodes = m->n_nodes};
    bigger.chains = calloc(bigger.n_chains, sizeof(IdNode *));
    if (!bigger.chains)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_chains; i++)
        for (IdNode *node = m->chains[i], *next; node; node = next) {
            next = node->next;
            chain_add(&bigger, node);
        }
    free(m->chains);
    *m = bigger;
    return 0;
}

int id_map_put(IdMap *m, IdNode *node) {
    if (m->n_nodes >= m->n_chains && grow(m) < 0)
        return -ENOMEM;
    chain_add(m, node);
    m->n_nodes++;
    return 0;
}

void id_map_remove(IdMap *m, IdNode *node) {
    if (m->n_chains == 0)
        return;
    for (IdNode **at = chain_of(m, node->id); *at; at = &(*at)->next)
        if (*at == node) {
            *at = node->next;
            m->n_nodes--;
            return;
        }
}

void *id_map_get(const IdMap *m, uint64_t id) {
    if (m->n_chains == 0)
        return NULL;
    for (const IdNode *node = *chain_of(m, id); node; node = node->next)
        if (node->id == id)
            return node->owner;
    return NULL;
}
