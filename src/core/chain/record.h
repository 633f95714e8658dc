#pragma once
/* The record of an export that belongs to a chain: one small object beside the exports, written once and never changed,
 * so that anyone with the bucket can check a chain without the daemon. Its key:
 *
 *   <prefix>/ddbackupd/<account>/<region>/<table>/<TableId>/<schedule>.<export id of the base>/base.json
 *                                                                                              <from>-<to>.json
 *
 * A link is recorded when the watermark has passed it, a base when its chain stands: what is recorded can be restored
 * from. Everything in it is a fact of the export, so that whoever writes it twice writes the same. Pure. */

#include "core/aws/codec.h"

/* Of JSON; a longer object is none. */
#define RECORD_MAX (16u << 10)

typedef struct Record {
    char *deployment, *schedule;
    char *table_arn, *table_id;
    char *base_arn;     /* of the chain */
    Usec base_wall;     /* its ExportTime */
    char *export_arn;   /* what is recorded; the base itself where it is base_arn */
    char *previous_arn; /* the link before it, or the base; NULL: it is the base */
    Usec from_wall, to_wall; /* of a link, whole seconds; else WALL_UNKNOWN */
    char *bucket;
    char *prefix; /* NULL: none */
    char *manifest_key;
    char *summary_md5, *files_md5; /* of the manifests, in base64; NULL: it was not checked in its bucket */
    int64_t item_count;            /* COUNT_UNKNOWN */
} Record;

void record_done(Record *r);
bool record_is_base(const Record *r);

/* Where the records of a table lie, with the slash at its end; and where this one does. -EINVAL: an ARN is none;
 * -ENOMEM. */
int record_folder(const char *prefix, const char *table_arn, char **ret);
int record_key(const Record *r, char **ret);

int record_write(const Record *r, char **ret_json);
/* -EBADMSG: it is none, ret_why says how; -ENOMEM. What it holds is to be released either way. */
int record_read(const char *body, size_t len, Record *ret, char ret_why[static CODEC_WHY_SIZE]);
/* NULL: both say the same, where both know something; else the member in which they differ (static). */
const char *record_difference(const Record *a, const Record *b);

/* A record that has to be written, and for whom. */
typedef struct RecordTask {
    int64_t chain_id, link_id; /* link_id 0: the chain's base */
    char *table;
    char *bucket_owner; /* NULL: any */
    bool is_nowhere;    /* what the service told of the export does not say where it lies */
    Record record;
} RecordTask;
void record_task_done(RecordTask *t);

/* The last ones that were seen. */
typedef struct RecordMark {
    int64_t chain_id, link_id;
} RecordMark;

/* What became of it. */
typedef enum RecordOutcome {
    RECORD_WRITTEN, /* it is there */
    RECORD_DIFFERS, /* something else is in its place */
    RECORD_NOWHERE,
} RecordOutcome;
const char *record_outcome_to_string(RecordOutcome o);
