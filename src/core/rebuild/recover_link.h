#pragma once
/* Inside of core/rebuild/recover_chain: an export of a chain, as the row that a lost ledger had of it. */

#include "core/rebuild/recover_chain.h"

/* An incremental export of one of the chains; what it points to is borrowed. */
typedef struct LinkClue {
    size_t base; /* recover_chain.c's */
    Usec from_wall, to_wall;
    int attempt;            /* 0: its record does not tell */
    bool is_gone;           /* its record is there alone */
    const Record *record;   /* NULL: none */
    const ExportInfo *info; /* NULL: its record alone tells of it */
} LinkClue;

/* What its record says of an export, as the service would. It is to be released also after -ENOMEM. */
int recover_info(const Record *d, ExportInfo *ret);

/* The run of that attempt, with id 0: verified as its record says, else judged by what the service said. `why_not`: it
 * does not count for its window, and why; NULL: it does. */
int recover_link(const ChainClues *clues, const Chain *c, const LinkClue *clue, int attempt, const char *why_not,
                 Now now, Run **ret);
/* The first attempt at a window of which nothing shows: it may have been asked for all the same. */
int recover_link_doubt(const ChainClues *clues, const Chain *c, Usec from_wall, Usec to_wall, Now now, Run **ret);
