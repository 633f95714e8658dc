#pragma once
/* The tables that a place has, as its last complete listing showed them, and their tags. The ledger keeps it, so that
 * after a start tags need not be read anew before anything is selected by them.
 *
 * Tags are read table by table. ListTagsOfResource wants an ARN: the account and partition in it are learned from
 * DescribeTable of one table of the place, so that they are the service's own. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/heap.h"
#include "core/aws/client.h"

typedef struct InventoryRow {
    char *table;
    char *tags;      /* as in core/aws/tags.h; NULL: not read yet */
    Usec tags_wall;  /* when they were read; WALL_UNKNOWN: not yet */
    Usec seen_wall;  /* when a listing showed it first */
    bool asks;       /* its tags matter */
    bool reading;
    bool refused; /* they could not be read; said */
    HeapNode due; /* mono: when they are to be read */
} InventoryRow;

#define INVENTORY_CALLS 4 /* under way at once; more would only wait for their turn */

/* A call under way. */
typedef struct InventoryCall {
    char *table;    /* NULL: none is under way */
    bool describes; /* to learn the ARN; else it reads tags */
    bool waits;     /* its next page is to be asked for */
    char *tags;     /* of the pages so far */
    char *cursor;
} InventoryCall;

typedef struct Inventory {
    InventoryRow **rows; /* by name */
    size_t n_rows, n_room;
    Heap due;
    char *arn_prefix; /* up to the table's name; NULL: not known */
    char *learn_from; /* a table that may tell it, where no tags are to be read; or NULL */
    Usec learn_mono;  /* it is not asked before */
    InventoryCall calls[INVENTORY_CALLS];
    Usec resume_mono; /* after a failure, nothing is asked before */
    int n_failures;   /* in a row */
    bool failed;      /* said */
} Inventory;

void inventory_done(Inventory *v);
const InventoryRow *inventory_find(const Inventory *v, const char *table); /* or NULL */
/* Its tags; NULL: not known. */
const char *inventory_tags(const Inventory *v, const char *table);
/* A row of the ledger. -ENOMEM. */
int inventory_restore(Inventory *v, const char *table, const char *tags, Usec tags_wall, Usec seen_wall);

/* What a complete listing showed: sorted names. Told of each table that is new or gone; before a row is freed. */
typedef int (*InventoryNews)(void *context, const InventoryRow *row, bool gone);
int inventory_take_listing(Inventory *v, char *const *names, size_t n_names, Now now, InventoryNews news,
                           void *context);
/* Whether the tags of a row matter; then they are read when they are older than `interval_usec`. -ENOMEM. */
int inventory_ask_for(Inventory *v, InventoryRow *row, bool asks, Usec interval_usec, Now now);
/* Its tags may be another's: they are read again at once. */
int inventory_doubt(Inventory *v, const char *table, Now now);
/* The calls under way are forgotten. */
int inventory_cancel(Inventory *v, Now now);

/* When it asks next; USEC_INFINITY: not now. */
Usec inventory_next_mono(const Inventory *v);
/* The next question, and the index of its call; only when due. *ret stays NULL when nothing is to be asked. */
int inventory_request(Inventory *v, Now now, AwsRequest **ret, size_t *ret_call);
typedef enum InventoryAnswer {
    INVENTORY_GOES_ON,
    INVENTORY_READ,   /* *ret_row has tags that differ from those before */
    INVENTORY_KEPT,   /* *ret_row has the same tags */
    INVENTORY_LEARNED, /* arn_prefix */
    INVENTORY_FAILED,  /* they cannot be read (*ret_row NULL: it cannot be learned); said once */
} InventoryAnswer;
/* Takes the answer of a call. */
int inventory_answer(Inventory *v, size_t call, CallDone *done, Usec interval_usec, Now now, InventoryAnswer *ret,
                     InventoryRow **ret_row);
