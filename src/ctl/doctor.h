#pragma once
/* What `ddbackupctl doctor` finds out, and the checks that say what it means: rows of (object, check, state, detail,
 * hint). Asking comes first and only fills in facts; each check then reads them and adds its rows. A new check is a
 * new file with one function, called by doctor.c. */

#include "core/credentials/sts.h"
#include "core/table/place.h"
#include "core/table/recovery.h"
#include "core/table/target.h"
#include "core/verify/lifecycle.h"
#include "ctl/aws_session.h"
#include "ctl/options.h"

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
    GRANT_DELETE_OBJECT,
    GRANT_LIST_BUCKET,
    GRANT_GET_VERSIONING,
    GRANT_GET_LIFECYCLE,
    GRANT_GET_ENCRYPTION,
    GRANT_DESCRIBE_KEY,
    GRANT_DATA_KEY,
    GRANT_DECRYPT,
    GRANTS
} Grant;
#define GRANT_FIRST_OF_S3 GRANT_PUT_OBJECT
#define GRANT_LAST_OF_S3 GRANT_GET_ENCRYPTION
#define GRANT_FIRST_OF_KMS GRANT_DESCRIBE_KEY
#define GRANT_LAST_OF_KMS GRANT_DECRYPT

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

/* What is asked of a bucket, once it is known where it is. */
typedef enum BucketQuestion {
    BUCKET_HEAD,
    BUCKET_OWNER, /* the same, if it is of the account that is expected */
    BUCKET_VERSIONING,
    BUCKET_LIFECYCLE,
    BUCKET_ENCRYPTION, /* where records of chains are put: these are encrypted as the bucket says */
    BUCKET_OBJECT, /* one that cannot exist */
    BUCKET_QUESTIONS
} BucketQuestion;

/* A schedule that exports tables of a place there, under one prefix. */
typedef struct BucketUse {
    const ScheduleConf *schedule;
    DoctorPlace *place;
    char *prefix; /* NULL: none */
} BucketUse;

/* As one account sees it. */
typedef struct DoctorBucket {
    char *name;
    DoctorPlace *place; /* the first that uses it: its account asks */
    const char *owner;  /* s3.bucket_owner; NULL: not set */
    char account[13];   /* whose it is expected to be: `owner`, or the account that asks; "": not known */
    BucketUse *uses;
    size_t n_uses, n_uses_room;
    char region[32]; /* where it is, as far as is known */
    bool moved, repeated; /* HeadBucket was asked again: there, and once more */
    bool asked[BUCKET_QUESTIONS]; /* and answered */
    AwsError answers[BUCKET_QUESTIONS];
    char versioning[16]; /* "Enabled", "Suspended"; "": never */
    bool encrypts;       /* with a key of KMS, what does not say otherwise */
    char *default_key;   /* which; NULL: the one that AWS keeps */
    LifecycleRules rules;
    GrantState grants[GRANTS]; /* those of S3 and of KMS */
} DoctorBucket;

/* An object that cannot exist. */
#define NO_SUCH_OBJECT "AWSDynamoDB/01500000000000-00000000/manifest-summary.json"

/* A key that schedules name for exports to a bucket, or the bucket for what is put there. */
typedef struct DoctorKey {
    DoctorBucket *bucket;
    const char *id;  /* as s3.kms_key_id, or the bucket, has it */
    char region[32]; /* where it is looked for */
    bool asked;      /* and answered, whatever */
    AwsError described, tried;
    KeyInfo info;    /* NULLs: not described */
} DoctorKey;

typedef struct Doctor {
    const CtlOptions *options;
    Usec now_wall;
    AwsSession aws;
    DoctorAccount *accounts;
    size_t n_accounts;
    Places places;
    DoctorPlace *asked; /* in the order of `places` */
    Targets targets;
    DoctorTable *tables;
    size_t n_tables;
    DoctorBucket *buckets;
    size_t n_buckets, n_buckets_room;
    DoctorKey *keys;
    size_t n_keys, n_keys_room;
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
/* The buckets that their exports go to. */
int doctor_ask_buckets(Doctor *d);
void doctor_buckets_done(Doctor *d);
/* And the keys with which they are encrypted there. */
int doctor_ask_keys(Doctor *d);
void doctor_keys_done(Doctor *d);

/* --- the checks --- */

int doctor_check_accounts(Doctor *d);
int doctor_check_places(Doctor *d);
int doctor_check_grants(Doctor *d);
int doctor_check_tables(Doctor *d);
int doctor_check_buckets(Doctor *d);
int doctor_check_keys(Doctor *d, const DoctorBucket *b, const char *label);
int doctor_check_lifecycle(Doctor *d, const DoctorBucket *b, const char *label);
/* "s3://acme-exports", or "prod/s3://acme-exports". Borrowed from the buffer. */
#define BUCKET_LABEL_SIZE 400
const char *doctor_bucket_label(const Doctor *d, const DoctorBucket *b, char buffer[static BUCKET_LABEL_SIZE]);

/* --- what is allowed --- */

const char *grant_action(Grant g); /* "dynamodb:ListTables" */
const char *grant_state_to_string(GrantState s);
/* It is needed; whether it is allowed is to be seen. */
void grant_need(DoctorPlace *p, Grant g);
/* Which of them the schedules of a table need. */
void grant_need_for(DoctorPlace *p, const Target *t);
/* What an answer to a call of `op` says about it. */
void grant_learn(DoctorPlace *p, AwsOp op, const AwsError *e);
/* The same of a bucket, and of the places that use it. */
void grant_need_of_bucket(DoctorBucket *b, Grant g);
void grant_learn_of_bucket(DoctorBucket *b, Grant g, GrantState s);
/* "denied: s3:GetObject; not tested: s3:PutObject" */
void grant_say(const GrantState grants[static GRANTS], Grant first, Grant last, GrantState s, Text *t);
/* The statements, as a JSON list, that would allow an account what it was denied; false: it was denied nothing. Where
 * its role cannot be assumed, they are for whoever assumes it. */
bool grant_statements(const Doctor *d, const DoctorAccount *a, Text *t);

/* --- the answer --- */

int doctor_print(const Doctor *d, Text *out);
void doctor_print_json(const Doctor *d, Text *out);
