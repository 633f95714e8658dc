#pragma once
/* A house for the daemon: the world of src/sim with the real ledger on a disk in memory. It starts the host, starts it
 * again from disk after each crash, keeps its own book of what was committed, served and said, and holds the book
 * against the invariants: after every commit, every call and every turn, and as a whole in house_audit. */

#include "sim/world.h"

typedef struct House House;

typedef struct HouseSettings {
    uint64_t seed;
    const char *conf; /* the text of a configuration; the region is eu-central-1 */
    Usec start_wall;
    Usec offset_usec; /* of the host's clock, at first */
    const ServiceSettings *service; /* NULL: quick ones, signatures on */
    const char *const *tables;      /* that exist at start; NULL ends the list. ":pitr" behind a name switches it on */
    Usec latency_usec;
    bool power_cuts; /* a crash takes what was not synced; else it is a kill -9 */
} HouseSettings;

/* Everything that goes wrong in here ends the test program with a message that names the seed. */
House *house_new(const HouseSettings *settings);
void house_free(House *h);
World *house_world(House *h);

/* Lets time pass. After a crash the host is down for down_usec and starts again. Returns the number of crashes. */
int house_run(House *h, Usec until_wall, Usec down_usec);
/* The host is off until then. */
void house_sleep(House *h, Usec until_wall);

/* Called when the dust has settled: every slot of every enrolment up to the host's clock less `margin` has an outcome, and each
 * has at most one artefact. Returns how many runs have succeeded. */
size_t house_audit(House *h, Usec margin_usec);

/* Figures of the book. */
typedef struct HouseFigures {
    size_t n_runs, n_succeeded, n_failed, n_skipped, n_ranges;
    size_t n_backups, n_exports; /* made at the service */
    size_t n_calls, n_throttled, n_crashes, n_stale_said, n_recovered_said;
} HouseFigures;
const HouseFigures *house_figures(const House *h);

/* Breaks the run with a message: what was violated, the true time, the seed. */
void house_violated(House *h, const char *format, ...) PRINTF_LIKE(2, 3) __attribute__((noreturn));
