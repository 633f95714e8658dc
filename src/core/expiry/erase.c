#include "core/expiry/erase.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "core/verify/manifest_list.h"

#define SUMMARY_MAX (64 << 10)
#define SUMMARY_NAME "manifest-summary.json"

typedef enum Step {
    STEP_SUMMARY, /* manifest-summary.json */
    STEP_LIST,    /* manifest-files.json, for its MD5 */
    STEP_NO_LIST, /* the summary is gone: so must be the list */
    STEP_WALK,    /* the list once more, to do as it says: its next piece */
    STEP_LOOK,    /* at what is next */
    STEP_DELETE,  /* and away with it */
} Step;

/* What goes when the data objects are gone, in this order. */
typedef enum Last {
    LAST_LIST_MD5,
    LAST_LIST_CHECKSUM,
    LAST_LIST,
    LAST_SUMMARY_MD5,
    LAST_SUMMARY_CHECKSUM,
    LAST_SUMMARY,
    LAST_STARTED,
    LASTS,
} Last;

struct Erase {
    char *region, *bucket, *bucket_owner, *prefix, *manifest_key, *export_arn;
    uint8_t summary_md5[DIGEST_MD5_SIZE], files_md5[DIGEST_MD5_SIZE];
    bool resumed;

    EraseState state;
    Step step;
    char why[600];
    const char *hint;
    bool moved;      /* to the region that S3 named */
    bool surveyed;   /* every object was looked at */
    bool at_last;    /* the data objects are gone */
    Last last;
    EraseFacts facts;
    char *files_key;
    char *summary_etag, *list_etag; /* of what was read */
    ManifestList list;
    ManifestFile file; /* whose object is next */
    char *etag;        /* of the object that is to be deleted */
};

static bool ends_in(const char *s, const char *end) {
    size_t n = strlen(s), n_end = strlen(end);
    return n >= n_end && strcmp(s + n - n_end, end) == 0;
}

int erase_new(const EraseWish *w, Erase **ret) {
    CLEANUP(erase_free_ptr) Erase *e = calloc(1, sizeof *e);
    if (!e || text_set(&e->region, w->region) < 0 || text_set(&e->bucket, w->bucket) < 0 ||
        text_set(&e->bucket_owner, w->bucket_owner) < 0 || text_set(&e->prefix, w->prefix) < 0 ||
        text_set(&e->manifest_key, w->manifest_key) < 0 || text_set(&e->export_arn, w->export_arn) < 0)
        return -ENOMEM;
    e->list.size = -1;
    e->resumed = w->resumed;
    bool known = w->summary_md5 && w->files_md5 && ends_in(w->manifest_key, SUMMARY_NAME) &&
                 base64_decode(w->summary_md5, e->summary_md5, DIGEST_MD5_SIZE) >= 0 &&
                 base64_decode(w->files_md5, e->files_md5, DIGEST_MD5_SIZE) >= 0;
    if (!known) {
        snprintf(e->why, sizeof e->why, "what its manifests are was not recorded");
        e->state = ERASE_REFUSED;
    }
    *ret = TAKE_PTR(e);
    return 0;
}

void erase_free(Erase *e) {
    if (!e)
        return;
    free(e->region);
    free(e->bucket);
    free(e->bucket_owner);
    free(e->prefix);
    free(e->manifest_key);
    free(e->export_arn);
    free(e->files_key);
    free(e->summary_etag);
    free(e->list_etag);
    manifest_list_done(&e->list);
    manifest_file_done(&e->file);
    free(e->etag);
    free(e);
}

EraseState erase_state(const Erase *e) { return e->state; }
const char *erase_why(const Erase *e) { return e->why; }
const char *erase_hint(const Erase *e) { return e->hint; }
const EraseFacts *erase_facts(const Erase *e) { return &e->facts; }
const char *erase_region(const Erase *e) { return e->region; }

static int refuse(Erase *e, const char *format, ...) PRINTF_LIKE(2, 3);

static int refuse(Erase *e, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(e->why, sizeof e->why, format, args);
    va_end(args);
    e->state = ERASE_REFUSED;
    e->hint = NULL;
    return 0;
}

/* --- asking --- */

/* Of the export's folder: what stands beside its summary. */
static char *key_beside(const Erase *e, const char *name) {
    size_t folder = strlen(e->manifest_key) - strlen(SUMMARY_NAME);
    return text_format("%.*s%s", (int)folder, e->manifest_key, name);
}

static char *key_of_last(const Erase *e) {
    static const char *const names[LASTS] = {
        [LAST_LIST_MD5] = "manifest-files.md5",       [LAST_LIST_CHECKSUM] = "manifest-files.checksum",
        [LAST_LIST] = "manifest-files.json",          [LAST_SUMMARY_MD5] = "manifest-summary.md5",
        [LAST_SUMMARY_CHECKSUM] = "manifest-summary.checksum", [LAST_SUMMARY] = SUMMARY_NAME,
        [LAST_STARTED] = "_started",
    };
    return key_beside(e, names[e->last]);
}

static char *key_of(const Erase *e) {
    switch (e->step) {
    case STEP_SUMMARY:
        return strdup(e->manifest_key);
    case STEP_LIST:
    case STEP_WALK:
        return strdup(e->files_key);
    case STEP_NO_LIST:
        return key_beside(e, "manifest-files.json");
    case STEP_LOOK:
    case STEP_DELETE:
        break;
    }
    return e->at_last ? key_of_last(e) : strdup(e->file.key);
}

static bool is_checksum(const Erase *e) {
    return e->last == LAST_LIST_MD5 || e->last == LAST_LIST_CHECKSUM || e->last == LAST_SUMMARY_MD5 ||
           e->last == LAST_SUMMARY_CHECKSUM;
}

/* Checksums are read, they are small; of all else ETag and size tell enough. */
static AwsOp op_of(const Erase *e) {
    switch (e->step) {
    case STEP_SUMMARY:
    case STEP_LIST:
    case STEP_WALK:
        return AWS_OP_GET_OBJECT;
    case STEP_DELETE:
        return AWS_OP_DELETE_OBJECT;
    case STEP_NO_LIST:
        return AWS_OP_HEAD_OBJECT;
    case STEP_LOOK:
        break;
    }
    return e->at_last && is_checksum(e) ? AWS_OP_GET_OBJECT : AWS_OP_HEAD_OBJECT;
}

int erase_request(Erase *e, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op_of(e));
    if (!q || !(q->object.key = key_of(e)) || text_set(&q->object.bucket, e->bucket) < 0 ||
        text_set(&q->object.bucket_owner, e->bucket_owner) < 0)
        return -ENOMEM;
    q->object.last = q->op == AWS_OP_GET_OBJECT ? SUMMARY_MAX - 1 : -1;
    if ((e->step == STEP_LIST || e->step == STEP_WALK) && manifest_list_ask(&e->list, q) < 0)
        return -ENOMEM;
    if (e->step == STEP_DELETE && !(q->object.if_match = text_format("\"%s\"", e->etag)))
        return -ENOMEM;
    e->facts.has_begun |= e->step == STEP_DELETE;
    *ret = TAKE_PTR(q);
    return 0;
}

/* --- what is next --- */

static int begin_last(Erase *e, Last first) {
    e->at_last = true;
    e->last = first;
    e->step = STEP_LOOK;
    return 0;
}

/* The object of the next line; or the next piece of the list; or all were seen. */
static int next_file(Erase *e) {
    char why[CODEC_WHY_SIZE];
    int r = manifest_list_next(&e->list, &e->file, why);
    if (r == -EBADMSG)
        return refuse(e, "%s, line %" PRId64 ": %s", e->files_key, e->list.n_files + 1, why);
    if (r > 0 && !manifest_may_name(e->file.key, e->prefix, manifest_export_id(e->export_arn)))
        return refuse(e, "%s names what is no data object of this export: %.150s", e->files_key, e->file.key);
    e->step = r > 0 ? STEP_LOOK : STEP_WALK;
    if (r != 0 || !manifest_list_is_read(&e->list))
        return r < 0 ? r : 0;
    if (e->surveyed)
        return begin_last(e, LAST_LIST_MD5);
    e->surveyed = true;
    return manifest_list_rewind(&e->list);
}

static int next(Erase *e) {
    if (!e->at_last)
        return next_file(e);
    e->step = STEP_LOOK;
    if (++e->last == LASTS)
        e->state = ERASE_DONE;
    return 0;
}

/* --- the manifests --- */

static int take_summary(Erase *e, const ObjectReply *o) {
    char why[CODEC_WHY_SIZE];
    uint8_t md5[DIGEST_MD5_SIZE];
    ManifestSummary s;
    int r = digest_md5(o->body ? o->body : "", o->len, md5);
    if (r < 0)
        return r;
    if (o->size != (int64_t)o->len || memcmp(md5, e->summary_md5, sizeof md5) != 0)
        return refuse(e, "%s is not the one that was verified: its MD5 is another", e->manifest_key);
    r = manifest_read_summary(o->body, o->len, &s, why);
    AUTO_FREE char *list = key_beside(e, "manifest-files.json");
    if (r == -EBADMSG)
        r = refuse(e, "%s: %s", e->manifest_key, why);
    else if (r >= 0 && list && (strcmp(s.export_arn, e->export_arn) != 0 || strcmp(s.bucket, e->bucket) != 0 ||
                                strcmp(s.files_key, list) != 0))
        r = refuse(e, "%s is of another export or bucket, or names a list outside of its folder", e->manifest_key);
    manifest_summary_done(&s);
    if (r < 0 || !list || text_set(&e->summary_etag, o->etag) < 0)
        return r < 0 ? r : -ENOMEM;
    e->files_key = TAKE_PTR(list);
    e->step = STEP_LIST;
    return manifest_list_begin(&e->list);
}

/* All of it is read before anything is done as it says. */
static int take_list(Erase *e, const ObjectReply *o) {
    uint8_t md5[DIGEST_MD5_SIZE];
    char why[CODEC_WHY_SIZE];
    int r = manifest_list_add(&e->list, o);
    if (r < 0)
        return r;
    while ((r = manifest_list_next(&e->list, &e->file, why)) > 0)
        continue;
    if (r == -EBADMSG)
        return refuse(e, "%s, line %" PRId64 ": %s", e->files_key, e->list.n_files + 1, why);
    if (r < 0 || !manifest_list_is_read(&e->list))
        return r;
    if ((r = manifest_list_md5(&e->list, md5)) < 0 || (r = text_set(&e->list_etag, e->list.etag)) < 0)
        return r;
    if (memcmp(md5, e->files_md5, sizeof md5) != 0 || !e->list_etag)
        return refuse(e, "%s is not the one that was verified: its MD5 is another", e->files_key);
    e->surveyed = e->resumed;
    e->step = STEP_WALK;
    return manifest_list_rewind(&e->list);
}

/* --- objects --- */

/* Is this, of what goes last, the export's own? */
static bool is_own_last(const Erase *e, const ObjectReply *o) {
    uint8_t told[DIGEST_MD5_SIZE];
    switch (e->last) {
    case LAST_LIST_MD5:
    case LAST_LIST_CHECKSUM:
        return manifest_read_md5(o->body, o->len, told) >= 0 && memcmp(told, e->files_md5, sizeof told) == 0;
    case LAST_SUMMARY_MD5:
    case LAST_SUMMARY_CHECKSUM:
        return manifest_read_md5(o->body, o->len, told) >= 0 && memcmp(told, e->summary_md5, sizeof told) == 0;
    case LAST_LIST:
        return text_equal(o->etag, e->list_etag);
    case LAST_SUMMARY:
        return text_equal(o->etag, e->summary_etag);
    case LAST_STARTED:
        return o->size == 0;
    case LASTS:
        break;
    }
    return false;
}

static int take_look(Erase *e, const ObjectReply *o) {
    ManifestMatch match = e->at_last ? MANIFEST_DIFFERS : manifest_match(&e->file, o->etag, o->encryption);
    bool own = o->etag && (e->at_last ? is_own_last(e, o) : match == MANIFEST_MATCHES);
    e->facts.is_doubtful = match == MANIFEST_CANNOT_TELL && !e->surveyed;
    if (!own && !e->at_last && !e->surveyed)
        return refuse(e, "%s is not the one that was verified: its ETag is %.80s", e->file.key,
                      o->etag ? o->etag : "missing");
    if (!own)
        e->facts.n_left++;
    if (!own || (!e->at_last && !e->surveyed))
        return next(e);
    e->step = STEP_DELETE;
    return text_set(&e->etag, o->etag);
}

static int take_object(Erase *e, const ObjectReply *o, bool *ret_unknown) {
    bool list = e->step == STEP_LIST || e->step == STEP_WALK;
    if (list && !manifest_list_fits(&e->list, o)) {
        *ret_unknown = true;
        snprintf(e->why, sizeof e->why, "S3 answered with another range than was asked for");
        return 0;
    }
    switch (e->step) {
    case STEP_SUMMARY:
        return take_summary(e, o);
    case STEP_LIST:
        return take_list(e, o);
    case STEP_NO_LIST:
        return refuse(e, "%s is not there, and the list beside it is", e->manifest_key);
    case STEP_WALK: {
        int r = manifest_list_add(&e->list, o);
        return r < 0 ? r : next_file(e);
    }
    case STEP_LOOK:
        return take_look(e, o);
    case STEP_DELETE:
        e->facts.n_deleted++;
        return next(e);
    }
    return 0;
}

/* --- errors --- */

/* What was interrupted has taken it already; else somebody has. */
static int missing(Erase *e) {
    switch (e->step) {
    case STEP_SUMMARY:
        e->step = STEP_NO_LIST;
        return e->resumed ? 0 : refuse(e, "%s is not there", e->manifest_key);
    case STEP_NO_LIST:
        return begin_last(e, LAST_STARTED);
    case STEP_LIST:
        return e->resumed ? begin_last(e, LAST_SUMMARY_MD5) : refuse(e, "%s is not there", e->files_key);
    case STEP_WALK:
        return refuse(e, "%s has gone while it was read", e->files_key);
    case STEP_LOOK:
    case STEP_DELETE:
        break;
    }
    return next(e);
}

static int take_error(Erase *e, const AwsError *error, bool *ret_unknown) {
    if (error->region[0] && strcmp(error->region, e->region) != 0 && !e->moved) {
        e->moved = true;
        return text_set(&e->region, error->region);
    }
    if (strcmp(error->code, "NoSuchBucket") == 0)
        return refuse(e, "the bucket %s is not there", e->bucket);
    if (error->class == AWS_NOT_FOUND)
        return missing(e);
    if (strcmp(error->code, "PreconditionFailed") == 0 && (e->step == STEP_LIST || e->step == STEP_WALK))
        return refuse(e, "%s has changed while it was read", e->files_key);
    bool changed = strcmp(error->code, "PreconditionFailed") == 0 && e->step == STEP_DELETE;
    if (strcmp(error->code, "InvalidRange") == 0 && e->step != STEP_DELETE)
        return take_object(e, &(ObjectReply){.body = (char *)""}, ret_unknown); /* it is empty */
    if (e->step == STEP_DELETE) /* whatever became of it: look again */
        e->step = STEP_LOOK;
    if (changed)
        return 0;
    *ret_unknown = true;
    e->hint = error->hint;
    snprintf(e->why, sizeof e->why, "%s: %.400s", error->code, error->message[0] ? error->message : "no message");
    return 0;
}

int erase_answer(Erase *e, const CallDone *done, bool *ret_unknown) {
    *ret_unknown = false;
    int r = done->error.class == AWS_OK ? take_object(e, &done->reply->object, ret_unknown)
                                        : take_error(e, &done->error, ret_unknown);
    if (!*ret_unknown && e->state != ERASE_REFUSED) {
        e->why[0] = '\0';
        e->hint = NULL;
    }
    return r;
}
