#pragma once
/* A house for the daemon: the world of src/sim with the real ledger on a disk in memory. It starts the host, starts it
 * again from disk after each crash, and keeps the book (book.h), which holds what happens against the invariants: after
 * every commit, every call and every turn, and as a whole in house_audit. */

#include "book.h"
#include "core/control/order.h"
#include "core/engine/ledger.h"
#include "sim/world.h"

typedef struct HouseSettings {
    uint64_t seed;
    const char *conf; /* the text of a configuration; the region is eu-central-1. All accounts are one at the service */
    Usec start_wall;
    Usec offset_usec;               /* of the host's clock, at first */
    const ServiceSettings *service; /* NULL: quick ones, signatures on */
    const char *const *tables;      /* that exist at start; NULL ends the list. ":pitr" behind a name switches it on,
                                       ":tag=key=value" tags it */
    size_t n_more_tables;           /* "many-000" and up, beside them */
    Usec latency_usec;
    const char *broken; /* the account that house_set_secret is about; NULL: every one */
    bool expires;       /* somebody has resumed expiry in its ledger */
    bool power_cuts;    /* a crash takes what was not synced; else it is a kill -9 */
    const char *replay; /* the environment that repeats this run: "DDB_SEED=7"; NULL: none is needed */
    bool on_instance; /* credentials come from an instance's metadata: good for an hour, new ones 30 minutes before, and
                         for 20 minutes of every third hour no answer */
} HouseSettings;

/* Everything that goes wrong in here ends the test program with a message that says how to repeat it. */
House *house_new(const HouseSettings *settings);
void house_free(House *h);
World *house_world(House *h);
Book *house_book(House *h);
const char *house_directory(const House *h); /* of the ledger, on the disk in memory */
const HouseFigures *house_figures(const House *h);

/* Lets time pass. After a crash the host is down for down_usec and starts again; while its disk is broken, it tries
 * every minute. Returns the number of crashes. */
int house_run(House *h, Usec until_wall, Usec down_usec);
/* The same up to the first crash, after which the host stays off; false: there was none. */
bool house_run_to_crash(House *h, Usec until_wall);
/* Another configuration, as by a reload; borrowed. */
void house_set_conf(House *h, const char *conf);
/* The host is off until then. */
void house_sleep(House *h, Usec until_wall);
/* Time passes, whether the host is on or off. */
void house_wait(House *h, Usec until_wall);
void house_halt(House *h); /* the host goes off */
/* The host goes off, and its ledger is gone: nothing of it is held against the next one but what has happened. */
void house_lose_ledger(House *h);
/* While the host is off: opens the ledger as a program does that writes to it, fills *ret, and takes what is committed
 * into the book. Until house_start, which switches the host on again. */
struct Store *house_open_ledger(House *h, Ledger *ret);
void house_commit(House *h, const LedgerBatch *batch);
void house_start(House *h);
Conf *house_load_conf(House *h); /* the caller's */
/* What the daemon signs with from now on, after a restart, too. */
void house_set_secret(House *h, const char *secret);
/* Gives an order (taken) to the daemon, if it is up; a crash may swallow it. */
void house_suggest(House *h, Order *o);
/* Gives an order (taken), lets a second pass, and returns what became of it. */
OrderOutcome house_order(House *h, Order *o);
/* What goes wrong at the service from now on (ddbackup-emulator(1), FAULTS). */
void house_add_fault(House *h, const char *line);
void house_clear_faults(House *h);

/* Called when the dust has settled: every slot of every enrolment up to the host's clock less `margin` has an outcome,
 * and each has at most one artefact. Returns how many runs have succeeded. */
size_t house_audit(House *h, Usec margin_usec);
/* The run of this slot is in that state. */
void house_expect(House *h, const char *schedule, const char *table, Usec slot_wall, RunState state);
/* So many backups and exports were made at the service for the daemon. */
void house_expect_made(House *h, size_t n_backups, size_t n_exports);

/* "stale was said": so many times. */
void house_expect_count(House *h, const char *what, size_t is, size_t should);

/* Breaks the run with a message: what was violated, the true time, the seed, and how to repeat it. */
void house_violated(const House *h, const char *format, ...) PRINTF_LIKE(2, 3) __attribute__((noreturn));

/* A number out of the environment. */
long house_number(const char *name, long standard);
