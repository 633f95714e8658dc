#pragma once
/* What `ddbackupctl doctor` finds out, and the checks that say what it means: rows of (object, check, state, detail,
 * hint). Asking comes first and only fills in facts; each check then reads them and adds its rows. A new check is a
 * new file with one function, called by doctor.c. */

#include "core/place.h"
#include "core/recovery.h"
#include "core/sts.h"
#include "core/target.h"
#include "ctl/options.h"
#include "io/credentials_fetch.h"

typedef enum CheckState { CHECK_OK, CHECK_WARNING, CHECK_FAILED } CheckState;

const char *check_state_to_string(CheckState s);

typedef struct Check {
    char *object;     /* "prod", "prod/eu-central-1", "orders" */
    const char *name; /* static */
    CheckState state;
    bool of_table; /* one of many: while it is well, people need not see it */
    char *detail;
    char *hint; /* NULL: nothing to do */
} Check;

/* Whether the identity may do something. */
typedef enum GrantState { GRANT_NOT_NEEDED, GRANT_NOT_TESTED, GRANT_ALLOWED, GRANT_DENIED } GrantState;

typedef enum Grant {
    GRANT_LIST_TABLES,
    GRANT_LIST_TAGS,
    GRANT_DESCRIBE_TABLE,
    GRANT_CREATE_BACKUP,
    GRANT_DESCRIBE_BACKUP,
    GRANT_LIST_BACKUPS,
    GRANT_DELETE_BACKUP,
    GRANT_DESCRIBE_RECOVERY,
    GRANT_ENABLE_RECOVERY,
    GRANT_EXPORT,
    GRANT_DESCRIBE_EXPORT,
    GRANT_LIST_EXPORTS,
    GRANT_PUT_OBJECT,
    GRANT_PUT_OBJECT_ACL,
    GRANT_ABORT_UPLOAD,
    GRANT_GET_OBJECT,
    GRANTS
} Grant;

typedef struct DoctorAccount {
    const FetchedAccount *fetched;
    const AccountConf *conf; /* NULL: the configuration has no accounts */
    bool role_is_denied;     /* STS does not let us assume it */
    StsIdentity identity;
    char *identity_problem; /* NULL: the identity is known, or was not asked for */
    Usec skew_usec;         /* this host's clock less STS's; USEC_INFINITY: not known */
} DoctorAccount;

typedef struct DoctorPlace {
    Place *place; /* borrowed from Doctor.places */
    const DoctorAccount *account;
    bool answered;   /* DynamoDB, whatever it said */
    AwsError silent; /* why nothing came, while it has not answered */
    AwsError denied; /* the last denial */
    Usec skew_usec;  /* this host's clock less DynamoDB's; USEC_INFINITY: not known */
    AwsError listing, tags; /* what came of listing the tables, and of reading their tags */
    GrantState grants[GRANTS];
    bool is_probed; /* what one table is enough for */
} DoctorPlace;

typedef struct DoctorTable {
    Target *target;
    DoctorPlace *place;
    PitrWish wish; /* of its schedules */
    bool described, recovery_known;
    AwsError error, recovery_error;
    char status[64];
    int64_t size_bytes, item_count;
    RecoveryInfo recovery;
} DoctorTable;

typedef struct Doctor {
    const CtlOptions *options;
    Usec now_wall;
    Conf *conf;
    char *region;
    Fetched credentials;
    DoctorAccount *accounts;
    size_t n_accounts;
    Places places;
    DoctorPlace *asked; /* in the order of `places` */
    Targets targets;
    DoctorTable *tables;
    size_t n_tables;
    Check *checks;
    size_t n_checks, n_checks_room;
    size_t n_of[CHECK_FAILED + 1]; /* checks, by state */
} Doctor;

/* This host's clock less the service's; USEC_INFINITY: nothing told. */
Usec doctor_skew(const DoctorPlace *p);
/* A row. `hint` may be NULL. -ENOMEM. */
int doctor_add(Doctor *d, const char *object, const char *name, CheckState state, const char *detail, const char *hint);
/* What the service said, as a row's detail: "AccessDeniedException: User: ...". */
void doctor_say_error(const AwsError *e, Text *t);

/* --- asking --- */

int doctor_ask_identities(Doctor *d);
/* The tables that the configuration selects, and the harmless calls that tell what is allowed. */
int doctor_ask_tables(Doctor *d);

/* --- the checks --- */

int doctor_check_accounts(Doctor *d);
int doctor_check_places(Doctor *d);
int doctor_check_grants(Doctor *d);
int doctor_check_tables(Doctor *d);

/* --- what is allowed --- */

const char *grant_action(Grant g); /* "dynamodb:ListTables" */
const char *grant_state_to_string(GrantState s);
/* It is needed; whether it is allowed is to be seen. */
void grant_need(DoctorPlace *p, Grant g);
/* Which of them the schedules of a table need. */
void grant_need_for(DoctorPlace *p, const Target *t);
/* What an answer to a call of `op` says about it. */
void grant_learn(DoctorPlace *p, AwsOp op, const AwsError *e);
/* The statements, as a JSON list, that would allow an account what it was denied; false: it was denied nothing. Where
 * its role cannot be assumed, they are for whoever assumes it. */
bool grant_statements(const Doctor *d, const DoctorAccount *a, Text *t);

/* --- the answer --- */

int doctor_print(const Doctor *d, Text *out);
void doctor_print_json(const Doctor *d, Text *out);
