#pragma once
/* What the daemon says: outcomes and events, each of a kind that has its own MESSAGE_ID and catalog entry
 * (systemd/ddbackupd.catalog). The message names the object first and ends in a HINT where a person can act. */

#include <stdbool.h>

#include "base/macros.h"
#include "base/text.h"
#include "core/run/run.h"
#include "core/table/target.h"

typedef enum ReportKind {
    REPORT_STARTED,
    REPORT_NOT_STARTED,
    REPORT_STOPPED,
    REPORT_BROKEN,
    REPORT_RELOADED,
    REPORT_RELOAD_REFUSED,
    REPORT_SUCCEEDED,
    REPORT_FAILED,
    REPORT_SKIPPED,
    REPORT_SUPERSEDED,
    REPORT_SHUT_OUT,
    REPORT_DEFERRED,
    REPORT_UNCERTAIN,
    REPORT_ADOPTED,
    REPORT_ASKED_AGAIN,
    REPORT_LATE,
    REPORT_OVERDUE,
    REPORT_STALE,
    REPORT_RECOVERED,
    REPORT_ENROLLED,
    REPORT_WITHDRAWN,
    REPORT_DISCOVERY_FAILED,
    REPORT_CREDENTIALS,
    REPORT_CREDENTIALS_FOUND,
    REPORT_UNREACHABLE,
    REPORT_REACHED,
    REPORT_CONFIG,
    REPORT_CONFIG_BAD,
    REPORT_CLOCK_UNKNOWN,
    REPORT_CLOCK_WRONG,
    REPORT_CLOCK_RIGHT,
    REPORT_CLOCK_STEPPED,
    REPORT_CHAIN_BEGUN,
    REPORT_CHAIN_ENDED,
    REPORT_CHAIN_BASE,
    REPORT_CHAIN_BEHIND,
    REPORT_CHAIN_LOST,
    REPORT_SUSPENDED,
    REPORT_ZONES_CHANGED,
    REPORT_EXPIRED,
    REPORT_BEYOND,
    REPORT_BRAKED,
    REPORT_EXPIRY_FAILED,
    REPORT_VANISHED,
    REPORT_NOT_ADOPTED,
    REPORT_NO_CONTROL,
    REPORT_ORDERED,
    REPORT_PAUSED,
    REPORT_RESUMED,
    REPORT_DAMAGED,
    REPORT_CHECK_UNKNOWN,
    REPORT_NOT_RECORDED,
    REPORT_RECORDED_AGAIN,
    REPORT_RECORD_DIFFERS,
    REPORT_TABLE_GONE,
    REPORT_TABLE_BACK,
    REPORT_RECREATED,
    REPORT_RECOVERY_OFF,
    REPORT_RECOVERY_ON,
    REPORT_TOO_FEW,
    REPORT_ENOUGH,
    REPORT_KINDS,
} ReportKind;

typedef struct ReportRow {
    const char *message_id; /* 32 hex digits */
    int level;              /* as in syslog(3): 3 error, 4 warning, 5 notice, 6 info */
} ReportRow;

extern const ReportRow report_rows[REPORT_KINDS];

/* Strings are owned and NULL where they do not apply; instants and durations are WALL_UNKNOWN where they do not. */
typedef struct Report {
    ReportKind kind;
    char *message;
    char *target;   /* DDB_TABLE */
    char *schedule; /* DDB_SCHEDULE */
    Usec slot_wall; /* DDB_SLOT */
    int64_t run_id; /* DDB_RUN_ID, 0: none */
    char *backup_arn, *export_arn, *request_id;
    Usec duration_usec;
} Report;

void report_free(Report *r);
DEFINE_CLEANUP(Report, report_free)

/* A report about no object in particular. */
int report_plain(ReportKind kind, Report **ret, const char *format, ...) PRINTF_LIKE(3, 4);
/* What a run says with an event that was just applied to it; *ret stays NULL where it says nothing. */
int report_run(const Run *r, RunEvent event, bool qualified, Report **ret);
/* What became of an artefact whose run had given up waiting for it. */
int report_watched(const Run *r, bool qualified, Report **ret);
/* The soft deadline of a run has passed. */
int report_late(const Run *r, bool qualified, Now now, Report **ret);
int report_enrolment(const Enrolment *e, ReportKind kind, bool qualified, Report **ret, const char *format, ...)
    PRINTF_LIKE(5, 6);
int report_target(const Target *t, ReportKind kind, bool qualified, Report **ret, const char *format, ...)
    PRINTF_LIKE(5, 6);
/* About a backup or an export, whatever became of its run. */
typedef struct ReportArtefact {
    const char *account, *region, *table, *schedule;
    Usec slot_wall;
    const char *arn;
} ReportArtefact;
int report_artefact(const ReportArtefact *a, ReportKind kind, bool qualified, Report **ret, const char *format, ...)
    PRINTF_LIKE(5, 6);
