#pragma once
/* What is protected (a target), and under which rule (an enrolment). */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/heap.h"
#include "core/aws/codec.h"
#include "core/conf/conf.h"

typedef struct Target Target;
struct Lineage;

/* A schedule as it holds for one target, with what must outlive the process. */
typedef struct Enrolment {
    Target *target;
    const ScheduleConf *schedule; /* NULL while not active; the record stays */
    char *schedule_name;
    Usec first_seen_wall; /* nothing that was due before it runs */
    Usec cursor_wall;     /* every slot up to and including it has a run or lies in a recorded range */
    Usec max_age_usec;    /* as configured last; 0: freshness is not watched */
    Usec newest_wall;     /* time of the content of the newest verified artefact; WALL_UNKNOWN: none yet */
    Usec stale_wall;      /* since when it is stale; WALL_UNKNOWN: it is fresh */
    Usec stale_said_wall; /* when that was last said */
    Usec ordered_wall;    /* the newest slot that an order made; WALL_UNKNOWN: none */
    bool active;          /* configured, and its table selected */
    char *when;   /* calendar and zone that the cursor was made with; a new calendar starts from its first sight */
    bool changed; /* differs from the ledger */
    bool listed;  /* in the batch of this turn */
    size_t n_beyond_said; /* backups that would go and stay, as last said */
    size_t n_unsettled; /* runs of it */
    struct Lineage *lineage; /* incremental: its chains (core/chain/lineage.h); borrowed, NULL: none yet */

    Usec next_slot_wall; /* the slot that the node `due` waits for */
    HeapNode due;        /* wall: slot + spread */
    HeapNode fresh;      /* wall: when it becomes stale, or when that is said again */
} Enrolment;

typedef enum Recovery { RECOVERY_UNKNOWN, RECOVERY_OFF, RECOVERY_ON } Recovery;

struct Target {
    char *account, *region, *table;
    char *table_id, *table_arn; /* as last described; NULL before */
    Usec described_wall;        /* WALL_UNKNOWN: never */
    char *former_id;            /* it was made anew, and that is to be said; else NULL */
    Usec gone_wall;             /* since when it does not exist; WALL_UNKNOWN: it does, or nobody knows */
    Recovery recovery;          /* point-in-time recovery, as last looked at */
    Usec recovery_wall;         /* when; WALL_UNKNOWN: never */
    bool looking, enabling, look_failed;
    HeapNode look;              /* mono: when to look at it again */
    int64_t size_bytes;         /* as of then, hours old; COUNT_UNKNOWN: not described by this process */
    bool selected;              /* by the configuration and, for patterns, by the last listing */
    bool changed, listed;
    bool describing;       /* ahead of a slot */
    Usec ahead_tried_wall; /* the last slot for which that was tried */
    HeapNode ahead;        /* wall: when to describe it for its next slot */
    HeapNode reverify;     /* wall: when to look which of its exports are to be checked again */
    HeapNode expire;       /* mono: when to look which of its backups are to go */
    HeapNode erase;        /* mono: the same of its exports */
    Usec audited_mono;     /* when a whole listing was last compared with the ledger; WALL_UNKNOWN: never */
    struct Ahead *place;   /* in whose heap that is; NULL: none yet */
    Enrolment **enrolments;
    size_t n_enrolments, n_room;
};

int target_new(const char *account, const char *region, const char *table, Target **ret);
void target_free(Target *t); /* with its enrolments */
DEFINE_CLEANUP(Target, target_free)
/* By account, region, table: <0, 0, >0. */
int target_compare(const Target *t, const char *account, const char *region, const char *table);
/* Takes what DescribeTable says. Sets former_id when it is another table than before. */
int target_describe(Target *t, const TableInfo *info, Usec wall);
/* The account's 12 digits, out of the table's ARN; "" while it is not known. */
const char *target_account_id(const Target *t, char buffer[static 13]);

Enrolment *target_enrolment(const Target *t, const char *schedule); /* or NULL */
int target_enrol(Target *t, const char *schedule, Enrolment **ret); /* a fresh one, all instants WALL_UNKNOWN */

/* Targets sorted by name, each once. */
typedef struct Targets {
    Target **items;
    size_t n_items, n_room;
} Targets;

void targets_done(Targets *t);
Target *targets_find(const Targets *t, const char *account, const char *region, const char *table);
/* The one of that name, made when it is not there yet. */
int targets_ensure(Targets *t, const char *account, const char *region, const char *table, Target **ret);
/* "orders", or "account/region/table" as soon as there is more than one account or region. Borrowed from the buffer. */
#define TARGET_LABEL_SIZE 400
const char *target_label(const Target *t, bool qualified, char buffer[static TARGET_LABEL_SIZE]);
