#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void heap_done(Heap *h) {
    for (size_t i = 0; i < h->n_nodes; i++)
        h->nodes[i]->at = USEC_INFINITY;
    free(h->nodes);
    *h = (Heap){};
}

static void heap_place(Heap *h, size_t i, HeapNode *node) {
    h->nodes[i] = node;
    node->index = i;
}

/* Moves the node, which stands at its index, to where its instant belongs. */
static void heap_sift(Heap *h, HeapNode *node) {
    size_t i = node->index;
    while (i > 0 && h->nodes[(i - 1) / 2]->at > node->at) {
        heap_place(h, i, h->nodes[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n_nodes)
            break;
        if (child + 1 < h->n_nodes && h->nodes[child + 1]->at < h->nodes[child]->at)
            child++;
        if (h->nodes[child]->at >= node->at)
            break;
        heap_place(h, i, h->nodes[child]);
        i = child;
    }
    heap_place(h, i, node);
}

static void heap_remove(Heap *h, HeapNode *node) {
    HeapNode *last = h->nodes[--h->n_nodes];
    node->at = USEC_INFINITY;
    if (last == node)
        return;
    last->index = node->index;
    heap_sift(h, last);
}

int heap_set(Heap *h, HeapNode *node, Usec at) {
    if (node->at == at)
        return 0;
    if (at == USEC_INFINITY) {
        heap_remove(h, node);
        return 0;
    }
    if (node->at == USEC_INFINITY) {
        if (ARRAY_GROW(h->nodes, h->n_nodes, h->n_room) < 0)
            return -ENOMEM;
        node->index = h->n_nodes++;
    }
    node->at = at;
    heap_sift(h, node);
    return 0;
}

void *heap_due(const Heap *h, Usec now) { return h->n_nodes > 0 && h->nodes[0]->at <= now ? h->nodes[0]->owner : NULL; }

Usec heap_next(const Heap *h) { return h->n_nodes > 0 ? h->nodes[0]->at : USEC_INFINITY; }
