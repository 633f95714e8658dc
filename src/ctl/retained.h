#pragma once
/* What the ledger has of one artefact beside its run: the hold on it, and what retention decided about it. */

#include "ctl/json.h"
#include "io/store_read.h"

typedef struct RetainedDecision {
    Usec wall;
    char *decision; /* as decision_to_string */
    char *why, *who; /* NULL: none; the daemon itself */
} RetainedDecision;

typedef struct Retained {
    bool held; /* at the time asked about */
    Usec held_until_wall;
    char *held_by, *held_because; /* or NULL */
    RetainedDecision *decisions;  /* oldest first */
    size_t n_decisions, n_room;
} Retained;

/* -errno: as store_read_error says. */
int retained_load(StoreRead *store, const char *arn, Usec now_wall, Retained *ret);
void retained_done(Retained *r);

/* In one word: "held", else what was decided last, or NULL while nothing was. Borrowed. */
const char *retained_word(const Retained *r);
/* "is held by anna until 2027-01-01T00:00:00Z: for the audit"; nothing where it is not. */
int retained_hold_describe(const Retained *r, Text *t);
/* Members held, held_until, held_by, held_because, decisions of an open object. */
void retained_json(Json *j, const Retained *r);
