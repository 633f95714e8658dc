#pragma once
/* What an unsettled run asks next, and what an answer means for it. Pure: no queue, no timer. The two actions differ in
 * core/run/backup.c and core/run/export.c; what they share is in drive.c. */

#include "core/aws/client.h"
#include "core/run/look.h"
#include "core/run/run.h"
#include "core/table/target.h"

/* An ARN that the service gave and then does not know is asked for so many times more before it counts as deleted. */
#define DRIVE_GONE_AFTER 2

/* What a run may know beside itself. */
typedef struct DriveContext {
    const char *deployment;
    Usec listing_lag_usec;
    uint64_t verify_rate; /* bytes a second at which content is read; 0: any */
    Target *target; /* NULL: no longer known (the configuration dropped it); the run then works from its intent */
} DriveContext;

/* How far the service's clock may lie before ours when we look for what was made since the first send. */
#define DRIVE_CLOCK_SLACK_USEC (10 * USEC_PER_MINUTE)
/* A late request's signature is dead after this long, so that it can no longer take effect. */
#define DRIVE_LOOK_AGAIN_USEC (15 * USEC_PER_MINUTE)
/* How old a description of a table may be when a run builds its intent on it. */
#define DRIVE_TABLE_AGE_USEC USEC_PER_HOUR

/* Its status lets a run begin. */
bool drive_table_is_ready(const TableInfo *info);

/* Moves on without asking where the stored state allows it (a due run whose table was described lately). */
int drive_prepare(Run *r, const DriveContext *context, Now now);

/* The next request of an unsettled run that has no call out. *ret_asks: it is the one that makes the artefact. */
int drive_request(Run *r, const DriveContext *context, Now now, AwsRequest **ret, bool *ret_asks);

/* Takes an answer: applies events to the run and says how long to wait before the next request. */
int drive_answer(Run *r, const DriveContext *context, CallDone *done, Now now, Usec *ret_wait_usec);

/* The parts that differ by action. */
typedef struct DriveAction {
    /* Sets name and parameters from the target and the schedule's copy; r->table_id and r->table_arn are set. */
    int (*intend)(Run *r, const DriveContext *context);
    int (*request)(Run *r, const DriveContext *context, Now now, AwsRequest **ret, bool *ret_asks);
    int (*answer)(Run *r, const DriveContext *context, CallDone *done, Now now, Usec *ret_wait_usec);
} DriveAction;

extern const DriveAction backup_action, export_action;

/* What a listing says of a backup that is being made. 1: taken; 0: it says too little, describe it; -ENOMEM. */
int backup_take_listed(Run *r, const BackupInfo *info, Now now, Usec *ret_wait_usec);

/* A backup's name, "<deployment>.<schedule>.<slot>.<8 hex>"; `account` is the 12 digits. Replaces *ret. */
int backup_name(const char *deployment, const char *account, const char *region, const char *table,
                const char *schedule, Usec slot_wall, char **ret);
/* An export's client token. Attempts count from 1. */
#define EXPORT_TOKEN_SIZE 65
#define EXPORT_MAX_ATTEMPTS 2
int export_token(const char *deployment, const char *account, const char *table_id, const char *schedule,
                 Usec slot_wall, int attempt, char ret[static EXPORT_TOKEN_SIZE]);

/* The same of a link; the start of its chain stands in it, so that chains of one table that ask for the same window
 * have an export each. */
int export_link_token(const char *deployment, const char *account, const char *table_id, const char *schedule,
                      Usec chain_start_wall, Usec from_wall, Usec to_wall, int attempt,
                      char ret[static EXPORT_TOKEN_SIZE]);

/* Makes a fresh link ready to be asked for: its window, table and s3 are set. `chain_start_wall` is where its chain's
 * first window begins. */
int export_intend_link(Run *r, const DriveContext *context, Usec chain_start_wall, Now now);

/* What an export was asked for with, which may not be what the configuration says now. -ENOMEM. */
int export_take_parameters(Run *r, const ExportInfo *info);

/* For the actions: how the errors that both know are taken. An error of the request that makes the artefact: */
void drive_ask_failed(Run *r, const AwsError *error, Now now, Usec *ret_wait_usec);
/* An error of a reading request: it says nothing about the artefact. */
void drive_read_failed(Run *r, const AwsError *error, Now now, Usec *ret_wait_usec);
/* The service does not know the run's artefact, and it has been asked often enough. */
bool drive_is_gone(const Run *r, const AwsError *error);
/* How long to wait before the next look at something that is being made, by how often it was looked at. */
Usec drive_poll_wait(const Run *r, Usec first_usec, Now now);
/* The same for looks while uncertain; ends exactly where the look-again delay does. */
Usec drive_look_wait(const Run *r, const DriveContext *context, Now now);
/* The instant at which "not seen" becomes "not there". */
Usec drive_absent_wall(const Run *r, const DriveContext *context);
/* The first n_hex (at most 64) hex digits of the SHA-256 over the parts, each ended by a NUL. */
int drive_hash(const char *const *parts, size_t n_parts, size_t n_hex, char *ret_hex);
/* The run's artefact, made on first use. */
int drive_artefact(Run *r, Artefact **ret);
