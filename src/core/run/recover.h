#pragma once
/* What a lost ledger knew, out of what the service still shows: a backup by its name, an export by its client token.
 * Pure. A recovered run is judged by the code that the daemon follows its runs with, so that what is still being made
 * can be followed to its end, and what is of another incarnation of the table is not taken for good. */

#include <stdbool.h>
#include <stddef.h>

#include "core/aws/codec.h"
#include "core/run/drive.h"
#include "core/table/target.h"

typedef enum Recovered {
    RECOVERED_FOREIGN, /* not of this deployment and table, or (exports) of a schedule that it no longer has */
    RECOVERED_ORPHAN,  /* of this deployment, for a schedule that the configuration no longer gives the table */
    RECOVERED_RUN,     /* *ret_run is set; its id is 0 */
} Recovered;

#define RECOVER_SCHEDULE_SIZE 65
/* What was found of an export that nobody has checked since: its record stands for it. */
#define RECOVER_AS_RECORDED "as its record has it"

/* The target is described, and its enrolments hold their schedules. `ret_schedule` is set for all but
 * RECOVERED_FOREIGN. */
int recover_backup(const char *deployment, Target *t, const BackupInfo *info, Now now, Recovered *ret_what,
                   char ret_schedule[static RECOVER_SCHEDULE_SIZE], Run **ret_run);
/* Never RECOVERED_ORPHAN: a token does not tell its schedule. What the service has completed counts as it says, or is
 * to be checked anew in its bucket as the schedule asks for. */
int recover_export(const char *deployment, Target *t, const ExportInfo *info, bool anew, Now now, Recovered *ret_what,
                   Run **ret_run);

/* Takes the service's description of what a run with its intent may have made, as if it had been asked for. */
int recover_take(Run *r, const DriveContext *context, const char *arn, Usec made_wall, AwsReply *reply, Now now);

/* Orders them by schedule and slot, one a slot: the last attempt, of those what is good, of those the earliest, which
 * takes over the failed artefact of the attempt before. Returns how many these are; after them come the others. */
size_t recover_merge(Run **runs, size_t n);

/* The run is of the enrolment's schedule, under this name or a former one. */
bool recover_is_of(const Enrolment *e, const Run *r);

/* Brings an enrolment in line with the runs that were recovered for its target: its cursor goes on from the newest slot
 * of its calendar, also where the ledger was older than that. `is_new`: the ledger did not have it. */
void recover_enrolment(Enrolment *e, bool is_new, Run *const *runs, size_t n, Now now);

/* CreateBackup has no token, and a listing may lag: the newest slot of which nothing shows may have been asked for all
 * the same. A run that looks for it until that is ruled out; the cursor moves to its slot. *ret stays NULL where there
 * is no such slot. */
int recover_doubt(const char *deployment, Enrolment *e, Usec listing_lag_usec, Now now, Run **ret);
