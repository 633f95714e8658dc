#pragma once
/* Tags of the engine's calls: what a call is for, and which one of those. A run's call has the run's id as its tag.
 * Kinds share no bits with indexes, so that a new one collides with none. */

#include <stddef.h>
#include <stdint.h>

typedef enum TagKind {
    TAG_OF_RUN,      /* and its id */
    TAG_OF_PROBE,    /* there is one */
    TAG_OF_PLACE,    /* a walk through its tables; and the index in Engine.places */
    TAG_OF_TAGS,     /* and INVENTORY_CALLS times the place, and the call */
    TAG_OF_AHEAD,    /* and AHEAD_MAX times the index in Engine.aheads, and that in describing */
    TAG_OF_LOOK,     /* and LOOKS_MAX times the index in Engine.aheads, and that in looking */
    TAG_OF_POLL,     /* and the index in Engine.polls */
    TAG_OF_EXPIRY,   /* and the index in Engine.expiries */
    TAG_OF_REVERIFY, /* and the index in Engine.reverifies */
    TAG_OF_ERASE,    /* and the index in Engine.erasers */
    TAG_OF_LINEAGE,  /* and the index in Engine.lineages */
    TAG_OF_RECORD,   /* and the index in Engine.recorders */
} TagKind;

#define TAG_INDEX_BITS 48

static inline uint64_t tag_make(TagKind kind, uint64_t index) { return (uint64_t)kind << TAG_INDEX_BITS | index; }
static inline TagKind tag_kind(uint64_t tag) { return (TagKind)(tag >> TAG_INDEX_BITS); }
static inline size_t tag_index(uint64_t tag) { return (size_t)(tag & ((UINT64_C(1) << TAG_INDEX_BITS) - 1)); }
