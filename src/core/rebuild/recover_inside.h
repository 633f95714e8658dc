#pragma once
/* Inside of core/rebuild/recover_chain: what its files share. */

#include "core/rebuild/recover_link.h"

/* A full export that a chain may begin with. */
typedef struct RecoverBase {
    const char *arn, *table_id, *table_arn;
    Usec wall;
    int64_t run_id;
    bool is_verified;
    bool has_chain; /* the ledger had one: it is recorded, or there are links of it */
    const char *lost; /* nothing can be restored from it, and why; else NULL */
    Chain *chain;   /* in the lineage; NULL: none, or the ledger knows it as settled */
} RecoverBase;

typedef struct RecoverWork {
    const ChainClues *clues;
    Lineage *lineage;
    RecoverBase *bases;
    size_t n_bases, n_bases_room;
    LinkClue *items;
    size_t n_items, n_room;
    Now now;
    ChainFinds finds;
} RecoverWork;

/* It is recorded, and lies in its bucket. */
static inline bool recover_stands(const LinkClue *c) { return c->record && !c->is_gone; }

/* The windows of the base's chain, from where the ledger has it. */
int recover_walk(RecoverWork *w, const RecoverBase *b);
