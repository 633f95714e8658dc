#pragma once
/* A chain: a full export, its base, and the incremental exports that go on from it, each of a window that begins
 * where the one before it ends. It can restore its table to every instant from its base's up to its watermark.
 *
 *   forming ─► growing ─► closing ◄─► closed
 *      │          │          │
 *      ▼          └──────────┴─────► broken (why)
 *    void
 *
 * Its base is an artefact of another schedule. A window is asked for by one attempt after the other, each a run of its
 * own (a link, core/run/run.h), until one is verified. The watermark is the end of the longest prefix of verified
 * windows: it never moves because something was asked for, accepted or completed. It goes back when what was verified
 * is found damaged, and the window is asked for again, if the table can still be restored to it. Pure; the state
 * changes in chain_apply alone. */

#include "core/chain/link.h"
#include "core/run/run.h"

typedef enum ChainState {
    CHAIN_FORMING, /* the base is being made; windows may be asked for, and count for nothing yet */
    CHAIN_GROWING, /* the base is verified */
    CHAIN_CLOSING, /* a later base is verified: it goes on to that one's instant, and no further */
    CHAIN_CLOSED,  /* it has come there */
    CHAIN_BROKEN,  /* a window of it cannot be had any more; what comes before it stands */
    CHAIN_VOID,    /* the base is no good, or not any more, or what had to follow it was lost before it was; nothing
                      stands */
    CHAIN_STATES,
} ChainState;

typedef enum ChainEvent {
    CHAIN_EV_BASE_VERIFIED,
    CHAIN_EV_BASE_FAILED, /* or was found damaged later */
    CHAIN_EV_SUCCEEDED, /* the next chain's base is verified: end_wall is its instant */
    CHAIN_EV_COMPLETED, /* every window before its end is verified */
    CHAIN_EV_LOST,      /* a window cannot be had any more */
    CHAIN_EV_DAMAGED,   /* what was verified of a window is no good any more */
    CHAIN_EVENTS,
} ChainEvent;

typedef struct ChainWindow {
    Usec from_wall, to_wall; /* [from, to): once stored, it never changes */
    int attempt;             /* the last one, from 1 */
    bool is_verified;
    bool is_damaged; /* it was verified, and what was exported is damaged or gone */
    bool is_overdue; /* its last attempt goes on, and is not waited for any more */
    Run *run;        /* the attempt that is waited for, borrowed; NULL: it is verified, or waits for the next attempt */
    Usec retry_wall; /* when that may be made */
} ChainWindow;

typedef struct Chain {
    int64_t id;
    ChainState state;
    char *account, *region, *table, *schedule;
    char *table_id, *table_arn; /* the base's: another TableId is another table */
    int64_t base_run_id;
    char *base_arn;
    Usec base_wall;    /* ExportTime: the instant that the base restores to */
    bool base_is_made; /* well or badly */
    Usec start_wall;   /* of the first window */
    Usec covered_wall; /* all windows before it are verified */
    Usec end_wall;     /* nothing after it is wanted, or can be had; USEC_INFINITY: no end */
    Usec begun_wall;   /* when it was written down */
    Usec settled_wall; /* since when nothing of it changes any more; WALL_UNKNOWN: it still may */
    char *why;         /* BROKEN, VOID */
    ChainWindow *windows; /* from covered_wall on, without gaps */
    size_t n_windows, n_room;

    bool changed, listed; /* differs from the ledger; is in this turn's batch */
} Chain;

/* On a base that was accepted, with its instant. -ENOMEM. */
int chain_new(int64_t id, const Run *base, const char *schedule, Usec now_wall, Chain **ret);
void chain_free(Chain *c);
DEFINE_CLEANUP(Chain, chain_free)

/* The one place where a state changes. True when the event meant something to this state. `why` (NULL: none) is
 * kept. */
bool chain_apply(Chain *c, ChainEvent event, const char *why);

/* Every instant from the base's to this one can be restored; WALL_UNKNOWN: none. */
Usec chain_watermark(const Chain *c);
/* The end of the last window. */
Usec chain_frontier(const Chain *c);
/* Windows that are not verified. */
size_t chain_n_open(const Chain *c);

/* The window after the last one. -ENOMEM. Borrowed until the next one is added. */
int chain_add_window(Chain *c, Usec to_wall, ChainWindow **ret);
ChainWindow *chain_window(const Chain *c, Usec from_wall); /* or NULL */
/* A window is verified, which may move covered_wall. */
void chain_take_verified(Chain *c, ChainWindow *w);
/* Its attempt has failed: the next one may be made a while later. */
void chain_take_failed(Chain *c, ChainWindow *w, Now now);
/* Its attempt should have been finished long ago: the next one may be made at once. What the last one comes to counts
 * all the same, if it is verified first. */
void chain_take_overdue(ChainWindow *w, Now now);
/* An attempt out of the ledger; windows come in their order, the attempts at each by number. -EBADMSG: it leaves a gap
 * before it, or overlaps; -ENOMEM. The run is borrowed where it is waited for: *ret_waits. */
int chain_take_attempt(Chain *c, Run *r, bool *ret_waits);
/* A window that was verified is damaged: it may be asked for again at once. `found` has it and all that follow, up to
 * where the chain had come (NULL: the chain has the window still); its windows become this chain's. -ESTALE: that is
 * not what `found` has; -ENOMEM. */
int chain_take_damaged(Chain *c, Usec from_wall, Chain *found, Now now);
/* The first window whose next attempt may be made; NULL: none. */
ChainWindow *chain_retry(const Chain *c, Usec now_wall);

/* Where the first second lies that cannot be had any more, with a table that can be restored from `earliest` on
 * (USEC_INFINITY: not at all); USEC_INFINITY: all can. What the service has accepted, or may have, is had until it
 * fails. */
Usec chain_gap(const Chain *c, Usec earliest_wall);
/* Its windows from there on are its no more; the runs of their attempts are the caller's to end. */
void chain_cut(Chain *c, Usec at_wall);
/* Nothing of it changes any more. */
bool chain_is_over(const Chain *c);

const char *chain_state_to_string(ChainState s);
int chain_state_from_string(const char *s, ChainState *ret);
