#pragma once
/* Inside the deletion of exports: engine_erase.c is when, and a pass over what a table has; engine_erase_one.c one
 * export that is to go. */

#include "core/engine/engine_expiry.h"
#include "core/expiry/erase.h"

/* An export whose manifest is looked at. */
typedef struct EraserLook {
    char *arn;
    ExportPlace place;
} EraserLook;

/* An export whose intent is in the ledger. */
typedef struct EraserDoomed {
    ExpiryItem item;
    bool resumed; /* something of it may be gone */
} EraserDoomed;

/* Of one account and region. */
struct Eraser {
    char *account, *region;
    Heap due;       /* of Target.erase, mono */
    Target *target; /* whose pass it is */
    EraserLook *looks;
    size_t n_looks, n_looks_room, at_look;
    char *look_region; /* where the bucket of the looks is */
    char **seen;       /* ARNs of those whose manifest is there */
    size_t n_seen, n_seen_room;
    Usec seen_wall; /* the service's Date of the first look: now, for every verdict */
    bool looked;
    ExpiryItem *removals; /* bases, from `at` on they are to go */
    size_t n_removals, n_removals_room, at;
    EraserDoomed *doomed; /* the last is next: links before what they build on */
    size_t n_doomed, n_doomed_room;
    Erase *erase; /* of the last of them */
    bool calling;
    Usec next_mono;
    int n_unknown;
    Obstacle obstacle;
    bool obstructed; /* the pass was */
    Usec failed_mono; /* when that was said last; 0: never */
};

/* --- engine_erase.c --- */

/* Takes the request; its answer comes to engine_erased. */
int eraser_call(Engine *e, Eraser *x, const char *region, AwsRequest *request, Now now);
/* Something is in the way of what is to go. hint: NULL: none. */
int eraser_say_failed(Engine *e, Eraser *x, const char *table, const char *what, const char *why, const char *hint,
                      Now now, EngineOutbox *out);

/* --- engine_erase_one.c --- */

/* Of the last of the doomed: its next request, or its end. */
int eraser_move(Engine *e, Eraser *x, Now now, EngineOutbox *out);
int eraser_answer(Engine *e, Eraser *x, const CallDone *done, Now now, EngineOutbox *out);
