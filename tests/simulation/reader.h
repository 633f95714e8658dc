#pragma once
/* Reads the ledger as it stands on the disk in memory, by a connection of its own, as any reader would. */

#include "base/clock.h"
#include "core/run/run.h"

/* `table` is as the book has it. */
typedef struct ReaderRun {
    const char *schedule, *table;
    Usec slot_wall;
    RunState state;
    const char *handle;  /* name or token; NULL: none yet */
    Usec created_wall;   /* of its verified artefact; WALL_UNKNOWN: none */
} ReaderRun;

typedef struct ReaderRange {
    const char *schedule, *table;
    Usec from_wall, to_wall;
} ReaderRange;

typedef struct ReaderEnrolment {
    const char *schedule, *table;
    Usec cursor_wall;
    bool active;
} ReaderEnrolment;

/* Strings are borrowed. */
typedef struct ReaderRows {
    void *context;
    void (*run)(void *context, const ReaderRun *run);
    void (*enrolment)(void *context, const ReaderEnrolment *enrolment);
    void (*range)(void *context, const ReaderRange *range);
    /* A line about a run whose story does not add up. */
    void (*flaw)(void *context, const char *what);
} ReaderRows;

/* All rows, and of runs those of slots from since_wall on and those that are not settled; flaws are looked for with
 * since_wall 0 alone. Ends the program when the ledger cannot be read. */
void reader_read(const char *directory, Usec since_wall, const ReaderRows *rows);
