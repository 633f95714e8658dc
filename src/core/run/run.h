#pragma once
/* A run: what the daemon does about one slot of one target. One row in the ledger, one state machine.
 *
 *   due ─► intended ─► requested ─► in_progress ─► verifying ─► succeeded
 *             │            │             │             │
 *             │            └─► uncertain ┘             └─► failed (why, hint)
 *             └─► skipped (why)          (adopt what is found, or ask again)
 *
 * The state changes in run_apply alone, by the table in run.c; an event that a state does not know is inert.
 *
 * Links of chains (core/chain/chain.h) go through the same states, from INTENDED on, and have a window in the place of
 * a slot; they are rows of their own. Their hard deadline ends no attempt that was accepted: it may be verified yet,
 * and then counts, if no later one was before. A run of a schedule of incremental exports asks for nothing itself: it
 * is due until its chain has covered its slot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/heap.h"
#include "core/conf/conf.h"
#include "core/run/artefact.h"

typedef enum RunState {
    RUN_DUE,       /* the slot has come; nothing was decided yet */
    RUN_INTENDED,  /* name or token, parameters and TableId are stored; nothing was sent, or what was sent had provably
                      no effect */
    RUN_REQUESTED, /* the request left; its reply is awaited */
    RUN_UNCERTAIN, /* the request may have taken effect: look */
    RUN_IN_PROGRESS, /* accepted; the artefact is being made */
    RUN_VERIFYING,   /* the service says that it is finished */
    RUN_SUCCEEDED,
    RUN_FAILED,
    RUN_SKIPPED,
    RUN_STATES,
} RunState;

typedef enum RunEvent {
    RUN_EV_PREPARED,       /* the intent is complete */
    RUN_EV_SENT,           /* the request leaves with this turn */
    RUN_EV_ACCEPTED,       /* the service answered with an ARN */
    RUN_EV_DEFERRED,       /* refused for now, without effect */
    RUN_EV_REFUSED,        /* refused, without effect; asking again cannot help */
    RUN_EV_UNSURE,         /* it may have taken effect */
    RUN_EV_INTERRUPTED,    /* the process ended while a request was out */
    RUN_EV_ADOPTED,        /* looked, and found it */
    RUN_EV_ABSENT,         /* looked long enough: it is not there */
    RUN_EV_FINISHED,       /* the service calls it finished */
    RUN_EV_VERIFIED,       /* it is what was asked for */
    RUN_EV_DISPROVED,      /* it is not what was asked for */
    RUN_EV_FAILED_THERE,   /* the service says that it failed, and trying again cannot help */
    RUN_EV_RETRIED,        /* the service says that it failed; a new attempt begins */
    RUN_EV_VANISHED,       /* it was deleted by somebody */
    RUN_EV_COVERED,        /* the chain of its table has passed its slot */
    RUN_EV_START_EXPIRED,  /* the start deadline passed */
    RUN_EV_FINISH_EXPIRED, /* the hard deadline passed */
    RUN_EV_ORDERED,        /* somebody asked for it, who stands in its cause */
    RUN_EV_OVERDUE,        /* the hard deadline of a link passed: it goes on, and its chain asks for another one */
    RUN_EV_OUTRUN,         /* a link whose window another attempt has, which was verified first */
    RUN_EVENTS,
} RunEvent;

/* One line of a run's story. */
typedef struct RunNote {
    Usec wall;
    RunEvent event;
    RunState state; /* after it */
    char *why;      /* or NULL */
} RunNote;

typedef struct Run {
    int64_t id;
    RunState state;
    Action action;
    char *schedule, *account, *region, *table;
    Usec slot_wall;
    Usec due_wall;       /* slot + spread */
    Usec start_by_wall;  /* start deadline */
    Usec warn_at_wall;   /* soft deadline, USEC_INFINITY: none */
    Usec finish_by_wall; /* hard deadline */

    /* a link's; 0 and WALL_UNKNOWN: it is none */
    int64_t chain_id;
    Usec from_wall, to_wall;
    char *view_type;

    /* the intent: set at INTENDED, never derived again */
    char *name; /* a backup's name, an export's client token */
    char *table_id, *table_arn;
    S3Conf s3;   /* an export's parameters, expanded */
    VerifyLevel verify; /* how an export is checked */
    int attempt; /* from 1; goes up when a FAILED export is asked for again */
    Usec intent_wall;

    Usec first_sent_wall, sent_wall; /* of this attempt; WALL_UNKNOWN: never */
    int n_sends;                     /* of all attempts */
    int n_deferred;                  /* in a row */
    Usec settled_wall;               /* WALL_UNKNOWN while unsettled */
    char *why, *hint;                /* of the last deferral, failure or skip; NULL: none */
    char *request_id;                /* AWS's, of the reply that settled or deferred it */
    bool warned;                     /* of the soft deadline */
    bool overdue;                    /* a link: its hard deadline has passed while it was in progress */

    Artefact *artefact;        /* NULL before ACCEPTED or ADOPTED */
    Artefact *failed_artefact; /* of the attempt before, until it is in the ledger */

    /* of this process alone */
    bool changed;   /* differs from the ledger */
    struct Enrolment *enrolment; /* that counts it while it is unsettled; NULL: none does */
    bool closed;    /* it is in the ledger as settled, where it never changes again; its artefact may */
    RunNote *notes; /* not yet in the ledger */
    size_t n_notes, n_notes_room;
    size_t n_said;        /* of them */
    char *noted_why;      /* of the last deferral noted */
    bool calling;         /* a call is out */
    bool asking;          /* and it is the one that makes the artefact */
    bool ordered;         /* somebody wants it now, whatever not_during says */
    bool waits_for_room;  /* too many exports are in flight */
    bool has_room;        /* it may ask for its export now */
    int n_polls;          /* in this state */
    struct RunLook *look; /* while UNCERTAIN and looking */
    struct Verify *verification; /* while its export is checked in the bucket */
    HeapNode step;        /* mono: when to ask the next thing */
    HeapNode poll;        /* mono: when to look at its backup together with others (core/run/poll.h) */
    HeapNode deadline;    /* wall: the nearest deadline */
} Run;

/* Why an event happened; strings are borrowed. */
typedef struct RunCause {
    const char *why, *hint, *request_id;
} RunCause;

int run_new(int64_t id, Run **ret); /* DUE, instants WALL_UNKNOWN */
void run_free(Run *r);
DEFINE_CLEANUP(Run, run_free)

/* The one place where a state changes. True when the event meant something to this state (it may stay the same). Copies
 * the cause into the run where the event carries one (who ordered it is for the story alone). Without memory for the
 * cause the state changes all the same. */
bool run_apply(Run *r, RunEvent event, const RunCause *cause, Now now);

/* It is a link: an attempt at one window of a chain. */
static inline bool run_is_link(const Run *r) { return r->chain_id != 0; }
/* It asks for nothing, and is settled by its chain. */
static inline bool run_waits_for_chain(const Run *r) { return r->action == ACTION_INCREMENTAL && !run_is_link(r); }
/* A link that its chain does not wait for any more. */
static inline bool run_is_overdue(const Run *r) { return r->overdue && r->state == RUN_IN_PROGRESS; }
/* It asks for an export. */
static inline bool run_exports(const Run *r) { return r->action == ACTION_EXPORT || run_is_link(r); }

void run_notes_clear(Run *r); /* they are in the ledger */
bool run_is_settled(const Run *r);
/* It has settled at its hard deadline, and what it asked for is still being made: the artefact goes on being
 * watched. */
bool run_is_watched(const Run *r);
/* The next deadline on the wall clock that matters in its state, and what passes with it. */
Usec run_deadline(const Run *r);

const char *run_state_to_string(RunState s);
int run_state_from_string(const char *s, RunState *ret);
const char *run_event_to_string(RunEvent e);
