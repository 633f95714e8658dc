#pragma once
/* What `ddbackupctl rebuild` found at the service, and what became of it. */

#include "base/text.h"
#include "core/run/search.h"
#include "core/table/place.h"
#include "ctl/options.h"

/* Of one enrolment. */
typedef struct RebuildRow {
    const Enrolment *enrolment;
    size_t n_found;                           /* runs: these are either */
    size_t n_known;                           /* in the ledger already, and stay as they are, or */
    size_t n_succeeded, n_unsettled, n_failed; /* taken in */
    Usec newest_slot_wall;                    /* WALL_UNKNOWN: nothing was found */
    Usec doubt_wall;                          /* the slot that may have been asked for, or WALL_UNKNOWN */
} RebuildRow;

typedef struct RebuildTable {
    Search search; /* without its runs once it is over */
    RebuildRow *rows;
    size_t n_rows;
    size_t n_surplus; /* artefacts more than one a slot */
    char *surplus_arn; /* the first of them */
} RebuildTable;

typedef struct Rebuild {
    const CtlOptions *options;
    const Conf *conf;
    const Places *places;
    bool qualified;          /* names need account and region */
    const char *credentials; /* where those are from, as fetched_say has it */
    RebuildTable *tables;
    size_t n_tables;
    size_t n_taken, n_failed_tables, n_failed_places; /* runs; tables; places whose tables could not be listed */
    Usec now_wall;
} Rebuild;

size_t rebuild_row_taken(const RebuildRow *row);
/* The answer, for people or for programs. */
int rebuild_print(const Rebuild *b, Text *out);
