#pragma once
/* The record of an export that belongs to a chain, or of time that a chain has lost: one small object beside the
 * exports, written once and never changed, so that anyone with the bucket can check a chain without the daemon. Keys:
 *
 *   <prefix>/ddbackupd/<account>/<region>/<table>/<TableId>/<schedule>.<export id of the base>/base.json
 *                                                                                              <from>-<to>.json
 *                                                                                              lost-<from>-<to>.json
 *
 * A link is recorded when the watermark has passed it, a base when its chain stands: what is recorded can be restored
 * from. A link that was recorded, and was made again because it was found damaged, has a record of its own,
 * <from>-<to>.<attempt>.json. Lost time is recorded when its end is known. Everything in a record but the reason of a
 * loss is a fact, so that whoever writes it twice writes the same. Pure. */

#include "core/aws/codec.h"

/* Of JSON; a longer object is none. */
#define RECORD_MAX (16u << 10)

typedef struct Record {
    char *deployment, *schedule;
    char *table_arn, *table_id;
    char *base_arn;     /* of the chain */
    Usec base_wall;     /* its ExportTime */
    char *lost;         /* why no instant of the window can be restored; NULL: it is an export's record */
    char *export_arn;   /* what is recorded; the base itself where it is base_arn. Of lost time: the base, where
                           nothing can be restored from it, either; else NULL */
    char *client_token; /* that it was asked for with, which tells its slot, or its window's attempt; NULL: unknown */
    char *previous_arn; /* the link before it, or the base; NULL: it is the base, or lost time */
    Usec from_wall, to_wall; /* of a link or a loss, whole seconds; else WALL_UNKNOWN */
    int attempt;             /* of a link that takes the place of a recorded one; else 0 */
    char *bucket;
    char *prefix; /* NULL: none */
    char *manifest_key; /* NULL: lost time */
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

/* A record that has to be written, and for whom; or that is to go, because its export has expired. */
typedef struct RecordTask {
    int64_t chain_id, link_id; /* link_id 0: the chain's base, or lost time */
    char *table;
    char *bucket_owner; /* NULL: any */
    bool is_stale;      /* it is to go */
    bool is_nowhere;    /* what the service told of the export does not say where it lies */
    Record record;
} RecordTask;
void record_task_done(RecordTask *t);

/* The last ones that were seen. */
typedef struct RecordMark {
    int64_t chain_id, link_id;
    int64_t losing_id; /* the chain of the last loss, and where that begins */
    Usec lost_wall;
    int64_t stale_chain_id, stale_link_id;
} RecordMark;

/* What became of it. */
typedef enum RecordOutcome {
    RECORD_WRITTEN, /* it is there */
    RECORD_DIFFERS, /* something else is in its place */
    RECORD_NOWHERE,
    RECORD_REMOVED, /* it was there */
} RecordOutcome;
const char *record_outcome_to_string(RecordOutcome o);
