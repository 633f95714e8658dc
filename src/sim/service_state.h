#pragma once
/* What the model remembers; for src/sim/service*.c alone. States are not stored: they follow from instants and now. */

#include "sim/service.h"
#include "sim/service_arn.h"
#include "sim/service_fault.h"
#include "sim/service_items.h"
#include "sim/service_json.h"
#include "sim/service_rate.h"

#define SERVICE_UUID_SIZE 37

extern const char service_plain_definition[]; /* of the tables of seeds: their key is "id" */

typedef struct ServiceTable {
    char *region, *name;
    char id[SERVICE_UUID_SIZE];
    Usec created_wall, active_wall;
    Usec deleted_wall, gone_wall; /* USEC_INFINITY while nobody deletes it */
    Usec pitr_wall;               /* since when; USEC_INFINITY: off */
    int pitr_days;
    int64_t n_items, size_bytes; /* now, and not as of some hours ago */
    ServiceItems *items;
    ServiceJson *definition; /* the request that made it */
    Text tags, old_tags;     /* JSON lists; the old ones are seen until tags_wall */
    Usec tags_wall;
    char *restored_from;    /* ARN of a backup */
    char *system_backup_id; /* of the backup that its deletion makes; it can still be averted */
} ServiceTable;

typedef struct ServiceBackup {
    char *region, *table, *name;
    char id[SERVICE_ID_SIZE]; /* sorts by creation */
    char table_id[SERVICE_UUID_SIZE];
    bool is_system;
    Usec created_wall, available_wall, visible_wall;
    Usec expiry_wall; /* USEC_INFINITY: none */
    int64_t n_items, size_bytes;
    char *source, *features; /* SourceTableDetails and SourceTableFeatureDetails, frozen */
    char *definition;        /* the table's, as JSON; NULL: it is a foreign one, and holds nothing */
    ServiceItems *items;     /* NULL as well */
    Usec until_wall; /* it has what was written before */
    Usec used_wall;  /* a restore uses it until then */
} ServiceBackup;

typedef struct ServiceExport {
    char *region, *table;
    char id[SERVICE_ID_SIZE];
    char table_id[SERVICE_UUID_SIZE];
    Usec start_wall, end_wall, visible_wall;
    bool is_incremental;
    char *token, *fingerprint; /* a token is bound to the parameters that came with it */
    Usec token_wall;
    char *echo; /* members of the description that repeat the request */
    char *bucket, *prefix, *kms_key;
    Usec time_wall, from_wall; /* of a full export; of an incremental one */
    Usec until_wall;           /* it knows what was written before */
    ServiceItems *items;
    bool new_images_only, is_ion, is_kms;
    bool is_started, is_settled; /* _started is in its bucket; nothing is to come any more */
    char *failure_code, *failure_message; /* how it will end; NULL: well */
    int64_t n_items, billed_bytes, table_bytes;
} ServiceExport;

typedef struct ServiceRegion {
    char name[SERVICE_REGION_SIZE];
    ServiceBucket *buckets; /* one per operation, and one for changes of tables */
} ServiceRegion;

/* What AssumeRole gave. */
typedef struct ServiceSession {
    char key_id[24], secret[40], token[40], name[65];
    char *role_arn;
    Usec expires_wall;
} ServiceSession;

typedef struct ServiceKey ServiceKey; /* service_kms.h */

struct Service {
    ServiceSettings settings; /* the strings are its own */
    uint64_t random;
    ServiceSeed *seeds;
    size_t n_seeds, n_seeds_room;
    ServiceRegion *regions;
    size_t n_regions, n_regions_room;
    ServiceTable **tables; /* sorted by region and name */
    size_t n_tables, n_tables_room;
    ServiceBackup **backups; /* sorted by id, then table */
    size_t n_backups, n_backups_room;
    ServiceExport **exports; /* as they came */
    size_t n_exports, n_exports_room;
    size_t n_settled_exports; /* the first so many are settled */
    ServiceSession *sessions;
    size_t n_sessions, n_sessions_room;
    struct ServiceS3Bucket **s3;
    size_t n_s3, n_s3_room;
    ServiceKey **keys;
    size_t n_keys, n_keys_room;
    bool only_known_keys; /* exports may name no others */
    bool only_known_buckets; /* exports make no bucket */
    ServiceFaults faults;
};

/* One request on its way through an operation. */
typedef struct ServiceCall {
    Service *service;
    Usec now_wall;
    const char *region;
    const ServiceJson *input;
    ServiceFaultHit fault;
    Text *out; /* the reply's body */
    bool effect;
    const char *code; /* of the error, static; NULL: none */
    Text message;
} ServiceCall;

/* Operations return 0 with `out` written, -EINVAL after service_refuse, or -ENOMEM. */
typedef int ServiceOperation(ServiceCall *c);

ServiceOperation service_create_table, service_delete_table, service_describe_table, service_list_tables,
    service_describe_continuous_backups, service_update_continuous_backups, service_tag_resource,
    service_untag_resource, service_list_tags, service_create_backup, service_describe_backup, service_delete_backup,
    service_list_backups, service_export_table, service_describe_export, service_list_exports, service_put_item,
    service_get_item, service_delete_item, service_batch_write, service_scan, service_restore_table;

/* Sets code and message and returns -EINVAL. `code` is static. */
int service_refuse(ServiceCall *c, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
#define SERVICE_REFUSE_VALUE(c, ...) service_refuse(c, "ValidationException", __VA_ARGS__)

/* Who asks `service`, for which region? Notes both down in the reply. The code of the error, with its message; NULL:
 * the request is genuine. */
const char *service_admit(Service *s, const ServiceRequest *q, const char *service, Usec now_wall, ServiceReply *r,
                          Text *message);

/* Makes the region when it is first spoken to. -ENOMEM, -E2BIG: too many. */
int service_open_region(Service *s, const char *region, Usec now_wall);

uint64_t service_random(Service *s);
void service_make_uuid(Service *s, char uuid[static SERVICE_UUID_SIZE]);
/* "01791504762511-2779fadd": milliseconds and chance. */
void service_make_id(Service *s, Usec wall, char id[static SERVICE_ID_SIZE]);

/* The table of that name or ARN. -EINVAL after a refusal in the code given; `words` come before its name. */
int service_find_table(ServiceCall *c, const char *name_or_arn, const char *code, const char *words,
                       ServiceTable **ret);
/* The table as the backup family sees it: TableNotFoundException while it is CREATING, and soon after DeleteTable. */
int service_find_protected_table(ServiceCall *c, const char *name_or_arn, ServiceTable **ret);
ServiceTable *service_get_table(Service *s, const char *region, const char *name, Usec now_wall);
/* -EINVAL after a refusal while backups "are being enabled". */
int service_check_enabled(ServiceCall *c, const ServiceTable *t);
const char *service_table_status(const ServiceTable *t, Usec now_wall);
void service_add_table_arn(Text *out, const ServiceCall *c, const char *name, const char *table);
/* The earliest and latest instants that can be restored; PITR is on. */
Usec service_earliest_wall(const ServiceTable *t, Usec now_wall);
Usec service_latest_wall(const ServiceTable *t, Usec now_wall);
void service_table_free(ServiceTable *t);
/* An empty table without a definition; nobody has that name. -ENOMEM. */
int service_insert_table(Service *s, const char *region, const char *name, ServiceTable **ret);
/* A reply about a table, as its member of that name. */
int service_tell_table(ServiceCall *c, const ServiceTable *t, const char *name, const char *status);
bool service_is_on_demand(const ServiceJson *definition);
bool service_is_protected(const ServiceTable *t);
/* The reply that says CREATING, however short that is. */
int service_describe_new_table(ServiceCall *c, const ServiceTable *t);
/* Makes the seeds' tables in a region that is spoken to for the first time. -ENOMEM. */
int service_plant_seeds(Service *s, const char *region, Usec now_wall);

/* And the foreign backups. -ENOMEM. */
int service_plant_foreign(Service *s, const char *region, Usec now_wall);

int service_tags_from_json(ServiceCall *c, const ServiceJson *tags, Text *to);

/* The backup that the deletion of a table with PITR makes, seconds later. -ENOMEM. */
int service_add_system_backup(ServiceCall *c, ServiceTable *t);
void service_remove_system_backup(Service *s, ServiceTable *t);
/* The backup that BackupArn names: account, table and id count; its region is not looked at. */
int service_find_backup(ServiceCall *c, ServiceBackup **ret);
/* -EINVAL after a refusal while it is being created, or used to restore a table. */
int service_check_backup_idle(ServiceCall *c, const ServiceBackup *b);
const char *service_backup_status(const ServiceBackup *b, Usec now_wall);
void service_backup_free(ServiceBackup *b);
DEFINE_CLEANUP(ServiceBackup, service_backup_free)

void service_export_add_arn(const ServiceCall *c, const ServiceExport *e, const char *name);
const char *service_export_status(const ServiceExport *e, Usec now_wall);
void service_export_free(ServiceExport *e);
