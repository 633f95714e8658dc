#pragma once
/* The chains of one table under one schedule of incremental exports, one after the other, and what is known of the
 * table's recovery. Every instant from the first base on is covered by one of them, or lies in a span that is
 * recorded as lost, or is still being seen to. Pure. */

#include "core/chain/chain.h"
#include "core/table/target.h"

/* Windows that a chain has open at most: so many attempts are under way, or fail, at once. */
#define LINEAGE_MAX_OPEN 8
/* A table can be restored up to so long ago; the service says "typically". */
#define LINEAGE_TRAIL_USEC (5 * USEC_PER_MINUTE)

/* Time that no chain can restore to: after from_wall, before to_wall. */
typedef struct LostSpan {
    int64_t chain_id;
    Usec from_wall;
    Usec to_wall; /* the instant of the next base; USEC_INFINITY: there is none yet */
    Usec noticed_wall;
    char *why;
    bool changed;
} LostSpan;

typedef enum LineageAsking { LINEAGE_IDLE, LINEAGE_ASKS_RECOVERY, LINEAGE_ASKS_TABLE } LineageAsking;

typedef struct Lineage {
    char *account, *region, *table, *schedule;
    Enrolment *enrolment; /* borrowed; NULL: the ledger has none */
    Chain **chains;       /* that are not settled, by the instants of their bases */
    size_t n_chains, n_room;
    Usec first_wall; /* the instant of the first base that was ever verified; WALL_UNKNOWN: none */
    LostSpan *losses; /* by from_wall; the last may be open */
    size_t n_losses, n_losses_room;

    /* of this process alone */
    size_t index; /* in the engine */
    RecoveryInfo recovery;
    Usec recovery_wall; /* when that was asked; WALL_UNKNOWN: never */
    bool table_is_gone; /* as of then */
    LineageAsking asking;
    bool waits_for_turn; /* there is a window to ask for */
    Usec base_tried_wall;
    int n_warned; /* thresholds of the margin that were passed and said */
    bool has_searched; /* the ledger, for a base */
    bool blind_said; /* that the service does not tell of the table's recovery */
    bool base_said; /* that a base is missing, and waited for */
    int n_failures;
    HeapNode look; /* wall: when to ask for the table's recovery, and see what can be done */
} Lineage;

int lineage_new(const char *account, const char *region, const char *table, const char *schedule, Lineage **ret);
void lineage_free(Lineage *l); /* with its chains */
DEFINE_CLEANUP(Lineage, lineage_free)

Chain *lineage_chain(const Lineage *l, int64_t id); /* or NULL */
Chain *lineage_chain_of_base(const Lineage *l, const char *base_arn); /* or NULL */
/* Takes it, in its place. On -ENOMEM it is still the caller's. */
int lineage_add_chain(Lineage *l, Chain *c);
/* Forgets the chain at `i`, which has settled. */
void lineage_forget(Lineage *l, size_t i);

/* The chain that everything new goes on to: the growing one, else the last that is forming; NULL: a base is wanted. */
Chain *lineage_head(const Lineage *l);
/* Does the chain ask for windows now? A forming one does not while another grows. */
bool lineage_is_fed(const Lineage *l, const Chain *c);
/* The base of a chain was verified: chains that grew before it close at its instant, and so may it, if a later one's
 * was verified before. An open loss ends there. */
void lineage_succeed(Lineage *l);
/* Up to it every instant since the first base is covered or lost; WALL_UNKNOWN. */
Usec lineage_watermark(const Lineage *l);

typedef enum SlotStanding {
    SLOT_COVERED,
    SLOT_OPEN,    /* a chain is on its way there */
    SLOT_LOST,
    SLOT_BASELESS, /* there was no base before it */
} SlotStanding;
SlotStanding lineage_slot(const Lineage *l, Usec slot_wall);
/* The span that the slot lies in, or NULL. */
const LostSpan *lineage_loss_at(const Lineage *l, Usec slot_wall);
/* The open one, or NULL. */
LostSpan *lineage_open_loss(const Lineage *l);
/* Up to where it is lost what this chain loses: the instant of the next base whose chain stands, or where an earlier
 * loss of it begins; USEC_INFINITY: nobody knows yet. */
Usec lineage_lost_until(const Lineage *l, const Chain *c);
/* Records what no chain can restore any more; what a recorded span has already is left out. -ENOMEM. */
int lineage_lose(Lineage *l, int64_t chain_id, Usec from_wall, Usec to_wall, const char *why, Usec now_wall);

/* What chain_gap is to be asked with for this chain: USEC_INFINITY when the table that it is of is gone. */
Usec lineage_earliest(const Lineage *l, const Chain *c);
/* Why that is so, for people. */
void lineage_explain(const Lineage *l, const Chain *c, char *buffer, size_t size);

/* How long it takes until the horizon of recovery passes the oldest time that is not covered, as a share of the period;
 * above 1, or USEC_INFINITY, when nothing is at risk. */
Usec lineage_margin(const Lineage *l, Usec now_wall);
