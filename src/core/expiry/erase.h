#pragma once
/* Takes an export out of its bucket, object by object; sans IO, as core/verify/verify.h is.
 *
 * Both manifests must have the MD5s that were recorded when the export was verified; else nothing is deleted. Only what
 * they name goes, one key after the other, never a prefix and never what a listing shows; only where a manifest of this
 * export may name it (manifest_may_name); and only with the ETag that the manifest's MD5 implies, which the request to
 * delete names again. Before the first object goes, each is looked at once: one that was replaced keeps all of them.
 *
 *   summary, list ─► survey ─► data objects ─► checksums, list, summary, _started
 *
 * The manifests go last, so that what was interrupted goes on from them. */

#include "core/aws/client.h"
#include "core/verify/manifest.h"

typedef struct EraseWish {
    const char *region; /* where the bucket is looked for first */
    const char *bucket, *bucket_owner; /* the owner NULL: any */
    const char *prefix;                /* NULL: none */
    const char *manifest_key;          /* of manifest-summary.json */
    const char *export_arn;
    const char *summary_md5, *files_md5; /* base64, as recorded */
    bool resumed; /* some of it may be gone already: what does not match is left alone, and the rest goes */
} EraseWish;

typedef enum EraseState {
    ERASE_ASKS, /* erase_request has something to ask */
    ERASE_DONE,
    ERASE_REFUSED, /* it is not what was recorded: nothing more goes, erase_why says why */
} EraseState;

typedef struct EraseFacts {
    int64_t n_deleted;
    int64_t n_left; /* were replaced by something that is not the export's */
    bool has_begun; /* something may be deleted */
    bool is_doubtful; /* ERASE_REFUSED: an ETag tells nothing, which is no damage */
} EraseFacts;

typedef struct Erase Erase;

/* Copies the wish. -ENOMEM. */
int erase_new(const EraseWish *wish, Erase **ret);
void erase_free(Erase *e);
DEFINE_CLEANUP(Erase, erase_free)

EraseState erase_state(const Erase *e);
/* With ERASE_REFUSED, why; else the last trouble in asking, or "". Borrowed. */
const char *erase_why(const Erase *e);
const char *erase_hint(const Erase *e); /* or NULL */
const EraseFacts *erase_facts(const Erase *e);

/* The next request, and the region that it goes to (borrowed until the answer). -ENOMEM. */
int erase_request(Erase *e, AwsRequest **ret);
const char *erase_region(const Erase *e);
/* Takes the answer to it. *ret_unknown: it told nothing, erase_why says why; ask again later. -ENOMEM. */
int erase_answer(Erase *e, const CallDone *done, bool *ret_unknown);
