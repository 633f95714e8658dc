#pragma once
/* A model of the DynamoDB backup service: tables, on-demand backups, point-in-time recovery and exports, of S3 as far
 * as those who read exports need it, and of the keys of KMS, with AWS's wire protocols, signatures, rates, error codes
 * and words. It calls no clock and no socket: a request comes with the instant of its arrival, and the reply says how
 * it is to be delivered. The same requests, instants and seed give the same replies.
 *
 * Each region is a world of its own. What the model knows of the real service and what it leaves out is in
 * ddbackup-emulator(1). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

typedef struct Service Service;

typedef struct ServiceSettings {
    const char *account; /* 12 digits */
    const char *region;  /* NULL: every region, as the signature's scope says */
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: the key is a permanent one and comes without a token */
    bool without_auth;         /* signatures are not looked at */
    bool without_rates;
    Usec backup_usec; /* a backup is CREATING for so long */
    Usec export_usec; /* an export is IN_PROGRESS for so long */
    Usec restore_usec; /* a restored table is CREATING, and its backup in use, for so long */
    Usec table_usec;  /* a table is CREATING, and DELETING, for so long */
    Usec enable_usec; /* after that, backups "are being enabled" for so long */
    int64_t n_foreign_backups; /* that others made in the day before a region is first spoken to */
    Usec tag_usec;    /* a change of tags locks them, and is not seen, for so long */
} ServiceSettings;

/* Also the credentials that nobody needs to keep secret. */
ServiceSettings service_settings_default(void);
/* The durations that were measured on AWS with small tables: an export takes two minutes. */
void service_settings_lifelike(ServiceSettings *s);

/* What tables a region has when it is first spoken to. They are a day old. */
typedef struct ServiceSeed {
    char *name;
    bool pitr; /* point-in-time recovery is on, since that day */
    int64_t n_items, size_bytes;
    char *tag; /* "key=value"; NULL: it has none */
} ServiceSeed;

/* A bucket of S3. Until one is added, a bucket comes into being with the first export that names it, in the export's
 * region; from then on, exports to others fail. */
typedef struct ServiceBucketSeed {
    char *name;
    char *region;    /* NULL: that of the settings, else us-east-1 */
    char *owner;     /* an account; NULL: that of the settings */
    bool versioned;  /* GetBucketVersioning says so; nothing is kept */
    char *kms_key;   /* GetBucketEncryption says so; NULL: S3's own encryption */
    int expire_days; /* a lifecycle rule takes objects that are so old; 0: none */
} ServiceBucketSeed;

/* A key of KMS. Until one is added, exports may name any; from then on, those that name one that is not there, or that
 * cannot be used, fail. */
typedef struct ServiceKeySeed {
    char *alias;  /* without its "alias/" */
    char *region; /* NULL: that of the settings, else us-east-1 */
    char *state;  /* in KMS's words; NULL: Enabled */
    char *spec;   /* NULL: SYMMETRIC_DEFAULT */
} ServiceKeySeed;

typedef struct ServiceHeader {
    const char *name;
    const char *value;
} ServiceHeader;

typedef struct ServiceRequest {
    const char *method;
    const char *target; /* path and query as they stand in the request line */
    const ServiceHeader *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    bool held; /* it was held back because its reply asked for that (SERVICE_LATER) */
} ServiceRequest;

typedef enum ServiceEnding {
    SERVICE_WHOLE,    /* send it, after delay_usec */
    SERVICE_CLOSED,   /* close the connection without a byte, after delay_usec */
    SERVICE_TRUNCATE, /* send the head and half of the body, then close */
    SERVICE_LATER,    /* nothing happened yet: hand the request in again after delay_usec, with `held` */
} ServiceEnding;

#define SERVICE_MAX_HEADERS 16

typedef struct ServiceReply {
    ServiceEnding ending;
    Usec delay_usec;
    int status; /* 0 when nothing is sent */
    ServiceHeader headers[SERVICE_MAX_HEADERS];
    size_t n_headers;
    Text body;
    bool is_kms;     /* of KMS, whose errors have no name space */
    bool is_head;    /* of a HEAD: the body is empty and not so long */
    size_t head_len; /* what Content-Length says then */

    /* For the request log; "" where there is none. S3's requests have BUCKET/KEY for a table. */
    char operation[48], table[256], region[32], key_id[136], code[64], fault[32];
    char request_id[53], crc32[12], date[32]; /* the headers point here */
    char *more_headers;                       /* and here */
    bool effect;                              /* something was made, changed or deleted */
} ServiceReply;

/* `settings` and its strings are copied. -ENOMEM. */
int service_new(const ServiceSettings *settings, uint64_t seed, Service **ret);
void service_free(Service *s);
DEFINE_CLEANUP(Service, service_free)

/* -EEXIST: the name is taken; -EINVAL: no name of a table; -ENOMEM. To be called before the first request. */
int service_add_seed(Service *s, const ServiceSeed *seed);
/* At any time. -EEXIST, -EINVAL: no name of a bucket, or no region; -ENOMEM. */
int service_add_bucket(Service *s, const ServiceBucketSeed *seed);
/* Likewise; -EINVAL: also a state or spec that it does not know. */
int service_add_key(Service *s, const ServiceKeySeed *seed);

/* Never fails: what goes wrong is a reply. `ret` is to be released with service_reply_done. */
void service_handle(Service *s, Usec now_wall, const ServiceRequest *request, ServiceReply *ret);
void service_reply_done(ServiceReply *r);

/* Puts `n` items, {"id":{"S":"item-00000007"},"mark":{"S":MARK}} and so on from the number `first`, or deletes them
 * (mark NULL), in a table whose key is "id" alone; a seed's items bear the numbers from 0. -ENOENT: no such table;
 * -EINVAL: another key; -ENOMEM. */
int service_write_items(Service *s, const char *region, const char *table, int64_t first, int64_t n, const char *mark,
                        Usec now_wall);
/* The items as they were just before `before_wall` (USEC_INFINITY: as they are), one a line, sorted, in the form in
 * which exports have them. -ENOENT, -ENOMEM. */
int service_items_to_lines(Service *s, const char *region, const char *table, Usec before_wall, Usec now_wall,
                           Text *t);

/* What lies in a bucket, for tests that have no need of signatures. Borrowed until the next request. -ENOENT,
 * -ENOMEM. */
int service_read_object(Service *s, const char *bucket, const char *key, Usec now_wall, const char **ret,
                        size_t *ret_n);
/* Puts an object there, or takes it away (bytes NULL): what other people do to exports. -ENOENT: no such bucket, or
 * nothing to take away; -ENOMEM. */
int service_write_object(Service *s, const char *bucket, const char *key, const char *bytes, size_t n, Usec now_wall);

/* The fault script (ddbackup-emulator(1), FAULTS): one rule a line. Adds to what is there; all or nothing.
 * -EINVAL with *ret_why (to be freed) when a line is wrong. */
int service_add_faults(Service *s, const char *script, char **ret_why);
void service_clear_faults(Service *s);
/* The rules with their counts, as JSON. */
int service_faults_to_json(const Service *s, Text *t);

/* All that exists, as JSON: tables, backups, exports, buckets, keys. */
int service_state_to_json(Service *s, Usec now_wall, Text *t);
/* One line of the request log, without its newline. */
int service_log_to_json(const Service *s, Usec now_wall, const ServiceReply *r, Text *t);
