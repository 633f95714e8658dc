#pragma once
/* What comes first: a binary heap of instants, intrusive, so that an object can move or leave in O(log n). */

#include <stddef.h>

#include "base/clock.h"

typedef struct HeapNode {
    Usec at;      /* USEC_INFINITY: not in a heap */
    size_t index; /* in the heap, while it is */
    void *owner;
} HeapNode;

typedef struct Heap {
    HeapNode **nodes;
    size_t n_nodes, n_room;
} Heap;

#define HEAP_NODE(owner_) ((HeapNode){.at = USEC_INFINITY, .owner = (owner_)})

void heap_done(Heap *h);
/* Puts the node at `at`, moves it there, or takes it out (USEC_INFINITY). -ENOMEM only when it was not in yet. */
int heap_set(Heap *h, HeapNode *node, Usec at);
/* The owner of the earliest node when it is due at `now`, else NULL. Equal instants come in no particular order. */
void *heap_due(const Heap *h, Usec now);
/* The earliest instant, USEC_INFINITY when empty. */
Usec heap_next(const Heap *h);
