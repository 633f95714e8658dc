#include "core/verify/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/format/gunzip.h"
#include "core/verify/manifest_list.h"

#define SUMMARY_MAX (64 << 10)
#define OBJECT_PIECE (2 << 20)
/* An object that changes while it is read is begun again so many times. */
#define RESTARTS_MAX 3

typedef enum Step {
    STEP_SUMMARY,     /* manifest-summary.json */
    STEP_SUMMARY_MD5, /* and its checksum */
    STEP_LIST,        /* manifest-files.json, for its MD5 and its sums */
    STEP_LIST_MD5,
    STEP_WALK,        /* and again, to do as it says: the next piece of it */
    STEP_OBJECT,      /* the object of the line that was read last */
} Step;

/* An object that is read in pieces. */
typedef struct Reading {
    int64_t at, size; /* size negative: not known yet */
    char *etag;
    Md5 *md5;
    int n_restarts;
} Reading;

struct Verify {
    VerifyLevel level;
    char *region, *bucket, *bucket_owner, *prefix, *manifest_key, *export_arn, *table_id;
    Usec from_wall, to_wall;
    int64_t item_count;
    uint64_t bytes_per_sec;
    char *known_summary_md5, *known_files_md5;

    VerifyState state;
    Step step;
    char why[600];
    const char *hint;
    bool moved;       /* to the region that S3 named */
    bool at_checksum; /* .md5 was not there: the other name */
    VerifyFacts facts;
    ManifestSummary summary;
    uint8_t summary_md5[DIGEST_MD5_SIZE], list_md5[DIGEST_MD5_SIZE];
    ManifestList list;
    int n_list_restarts;
    Reading object;
    ManifestFile file; /* whose object is asked for */
    Gunzip *gunzip;
};

static void reading_done(Reading *r) {
    free(r->etag);
    md5_free(r->md5);
    *r = (Reading){.size = -1};
}

static int reading_begin(Reading *r) {
    int n = r->n_restarts;
    reading_done(r);
    r->n_restarts = n;
    return md5_new(&r->md5);
}

int verify_new(const VerifyWish *w, Verify **ret) {
    CLEANUP(verify_free_ptr) Verify *v = calloc(1, sizeof *v);
    if (!v || text_set(&v->region, w->region) < 0 || text_set(&v->bucket, w->bucket) < 0 ||
        text_set(&v->bucket_owner, w->bucket_owner) < 0 || text_set(&v->prefix, w->prefix) < 0 ||
        text_set(&v->manifest_key, w->manifest_key) < 0 || text_set(&v->export_arn, w->export_arn) < 0 ||
        text_set(&v->table_id, w->table_id) < 0 || text_set(&v->known_summary_md5, w->summary_md5) < 0 ||
        text_set(&v->known_files_md5, w->files_md5) < 0)
        return -ENOMEM;
    v->level = w->level;
    v->from_wall = w->from_wall;
    v->to_wall = w->to_wall;
    v->item_count = w->item_count;
    v->bytes_per_sec = w->bytes_per_sec;
    v->state = w->level == VERIFY_SERVICE ? VERIFY_PASSED : VERIFY_ASKS;
    v->list.size = v->object.size = -1;
    *ret = TAKE_PTR(v);
    return 0;
}

void verify_free(Verify *v) {
    if (!v)
        return;
    free(v->region);
    free(v->bucket);
    free(v->bucket_owner);
    free(v->prefix);
    free(v->manifest_key);
    free(v->export_arn);
    free(v->table_id);
    free(v->known_summary_md5);
    free(v->known_files_md5);
    manifest_summary_done(&v->summary);
    manifest_file_done(&v->file);
    manifest_list_done(&v->list);
    reading_done(&v->object);
    gunzip_free(v->gunzip);
    free(v);
}

VerifyState verify_state(const Verify *v) { return v->state; }
const char *verify_why(const Verify *v) { return v->why; }
const char *verify_hint(const Verify *v) { return v->hint; }
const VerifyFacts *verify_facts(const Verify *v) { return &v->facts; }

const char *verify_facts_to_string(const VerifyFacts *f, VerifyLevel level, char buffer[static VERIFY_TEXT_SIZE]) {
    char size[SIZE_TEXT_SIZE];
    int n = snprintf(buffer, VERIFY_TEXT_SIZE, "%" PRId64 " object%s, %" PRId64 " item%s", f->n_objects,
                     f->n_objects == 1 ? "" : "s", f->n_items, f->n_items == 1 ? "" : "s");
    if (level >= VERIFY_OBJECTS)
        n += snprintf(buffer + n, VERIFY_TEXT_SIZE - (size_t)n, ", %s", size_to_string((uint64_t)f->n_bytes, size));
    if (f->n_uncompared > 0)
        snprintf(buffer + n, VERIFY_TEXT_SIZE - (size_t)n, "; %" PRId64 " ETags tell nothing", f->n_uncompared);
    return buffer;
}

static int bad(Verify *v, const char *format, ...) PRINTF_LIKE(2, 3);

static int bad(Verify *v, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(v->why, sizeof v->why, format, args);
    va_end(args);
    v->state = VERIFY_BAD;
    v->hint = NULL;
    return 0;
}

/* --- asking --- */

/* manifest-summary.json -> manifest-summary.md5, or .checksum */
static char *checksum_key(const Verify *v, const char *key) {
    size_t n = strlen(key);
    if (n > 5 && strcmp(key + n - 5, ".json") == 0)
        n -= 5;
    return text_format("%.*s%s", (int)n, key, v->at_checksum ? ".checksum" : ".md5");
}

static char *key_of(const Verify *v) {
    switch (v->step) {
    case STEP_SUMMARY:
        return strdup(v->manifest_key);
    case STEP_SUMMARY_MD5:
        return checksum_key(v, v->manifest_key);
    case STEP_LIST:
    case STEP_WALK:
        return strdup(v->summary.files_key);
    case STEP_LIST_MD5:
        return checksum_key(v, v->summary.files_key);
    case STEP_OBJECT:
        return strdup(v->file.key);
    }
    return NULL;
}

/* The piece that is next. */
static int set_range(AwsRequest *q, const Reading *r) {
    q->object.first = r->at;
    q->object.last = (r->size >= 0 && r->at + OBJECT_PIECE > r->size ? r->size : r->at + OBJECT_PIECE) - 1;
    return r->etag && !(q->object.if_match = text_format("\"%s\"", r->etag)) ? -ENOMEM : 0;
}

const char *verify_region(const Verify *v) { return v->region; }

int verify_request(Verify *v, AwsRequest **ret) {
    bool head = v->step == STEP_OBJECT && v->level < VERIFY_CONTENT;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(head ? AWS_OP_HEAD_OBJECT : AWS_OP_GET_OBJECT);
    if (!q || !(q->object.key = key_of(v)) || text_set(&q->object.bucket, v->bucket) < 0 ||
        text_set(&q->object.bucket_owner, v->bucket_owner) < 0)
        return -ENOMEM;
    int r = 0;
    if (v->step == STEP_LIST || v->step == STEP_WALK)
        r = manifest_list_ask(&v->list, q);
    else if (v->step == STEP_OBJECT && !head)
        r = set_range(q, &v->object);
    else if (!head)
        q->object.last = SUMMARY_MAX - 1;
    if (r < 0)
        return r;
    *ret = TAKE_PTR(q);
    return 0;
}

/* --- the steps --- */

static int next_line(Verify *v);

static int take_summary(Verify *v, const ObjectReply *o) {
    char why[CODEC_WHY_SIZE];
    ManifestSummary *s = &v->summary;
    if (o->size > (int64_t)o->len)
        return bad(v, "%s is of %" PRId64 " bytes, which no summary is", v->manifest_key, o->size);
    manifest_summary_done(s);
    int r = manifest_read_summary(o->body, o->len, s, why);
    if (r == -EBADMSG)
        return bad(v, "%s: %s", v->manifest_key, why);
    if (r < 0 || (r = digest_md5(o->body, o->len, v->summary_md5)) < 0)
        return r;
    bool incremental = s->type && strcmp(s->type, "INCREMENTAL_EXPORT") == 0;
    if (strcmp(s->export_arn, v->export_arn) != 0)
        return bad(v, "%s is of another export, %.150s", v->manifest_key, s->export_arn);
    if (v->table_id && strcmp(s->table_id, v->table_id) != 0)
        return bad(v, "%s is of TableId %.64s, not %.64s", v->manifest_key, s->table_id, v->table_id);
    if (incremental != (v->from_wall != WALL_UNKNOWN) ||
        (incremental && (s->from_wall != v->from_wall || s->to_wall != v->to_wall)))
        return bad(v, "%s is of another window than was asked for", v->manifest_key);
    if (strcmp(s->bucket, v->bucket) != 0)
        return bad(v, "%s is of another bucket, %.64s", v->manifest_key, s->bucket);
    if (v->item_count != COUNT_UNKNOWN && s->item_count != v->item_count)
        return bad(v, "%s tells of %" PRId64 " items, DescribeExport of %" PRId64, v->manifest_key, s->item_count,
                   v->item_count);
    const char *slash = strrchr(v->manifest_key, '/');
    size_t folder = slash ? (size_t)(slash - v->manifest_key) + 1 : 0;
    if (strncmp(s->files_key, v->manifest_key, folder) != 0 || strchr(s->files_key + folder, '/'))
        return bad(v, "%s names a list outside of its folder, %.150s", v->manifest_key, s->files_key);
    v->step = STEP_SUMMARY_MD5;
    return 0;
}

static int take_checksum(Verify *v, const ObjectReply *o, const uint8_t md5[DIGEST_MD5_SIZE], const char *known,
                         char *fact, Step next) {
    uint8_t told[DIGEST_MD5_SIZE];
    const char *what = v->step == STEP_SUMMARY_MD5 ? v->manifest_key : v->summary.files_key;
    if (manifest_read_md5(o->body, o->len, told) < 0)
        return bad(v, "the checksum beside %s is no MD5 in base64", what);
    if (memcmp(told, md5, sizeof told) != 0)
        return bad(v, "%s does not have the MD5 that stands beside it", what);
    base64_encode(md5, DIGEST_MD5_SIZE, fact);
    if (known && strcmp(known, fact) != 0)
        return bad(v, "%s has been replaced since it was checked before: its MD5 was %.24s, and is %.24s", what, known,
                   fact);
    v->at_checksum = false;
    v->step = next;
    return 0;
}

/* Adds a piece to a reading: *ret_end, it was the last. */
static int read_piece(Reading *r, const ObjectReply *o, bool *ret_end) {
    if (r->size < 0) {
        r->size = o->size;
        int rc = text_set(&r->etag, o->etag);
        if (rc < 0)
            return rc;
    }
    r->at += (int64_t)o->len;
    *ret_end = r->at >= r->size;
    return md5_add(r->md5, o->body ? o->body : "", o->len);
}

/* 1: the file of the next line; 0: there is none yet, or none any more, or it is bad. */
static int next_file(Verify *v) {
    char why[CODEC_WHY_SIZE];
    int r = manifest_list_next(&v->list, &v->file, why);
    if (r == -EBADMSG)
        return bad(v, "%s, line %" PRId64 ": %s", v->summary.files_key, v->list.n_files + 1, why);
    if (r > 0 && !manifest_may_name(v->file.key, v->prefix, manifest_export_id(v->export_arn)))
        return bad(v, "%s names what is no data object of this export: %.150s", v->summary.files_key, v->file.key);
    return r;
}

static int begin_list(Verify *v, Step step) {
    v->step = step;
    v->facts.n_bytes = v->facts.n_uncompared = 0;
    return manifest_list_begin(&v->list);
}

static int take_list(Verify *v, const ObjectReply *o) {
    int r = manifest_list_add(&v->list, o);
    if (r < 0)
        return r;
    while ((r = next_file(v)) > 0)
        continue;
    if (r < 0 || v->state != VERIFY_ASKS || !manifest_list_is_read(&v->list))
        return r;
    if (v->list.n_items != v->summary.item_count)
        return bad(v, "the objects of %s have %" PRId64 " items, its summary tells of %" PRId64, v->summary.files_key,
                   v->list.n_items, v->summary.item_count);
    v->facts.n_objects = v->list.n_files;
    v->facts.n_items = v->list.n_items;
    v->step = STEP_LIST_MD5;
    return manifest_list_md5(&v->list, v->list_md5);
}

static int begin_object(Verify *v) {
    v->step = STEP_OBJECT;
    v->object.n_restarts = 0;
    gunzip_free(TAKE_PTR(v->gunzip));
    int r = reading_begin(&v->object);
    return r < 0 || v->level < VERIFY_CONTENT ? r : gunzip_new(&v->gunzip);
}

/* The object of the next line; or the next piece of the list; or all is well. */
static int next_line(Verify *v) {
    int r = next_file(v);
    if (r != 0 || v->state != VERIFY_ASKS)
        return r > 0 ? begin_object(v) : r;
    v->step = STEP_WALK;
    if (!manifest_list_is_read(&v->list))
        return 0;
    uint8_t md5[DIGEST_MD5_SIZE];
    if ((r = manifest_list_md5(&v->list, md5)) < 0)
        return r;
    if (memcmp(md5, v->list_md5, sizeof md5) != 0)
        return bad(v, "%s has changed while it was read", v->summary.files_key);
    v->state = VERIFY_PASSED;
    v->why[0] = '\0';
    return 0;
}

static int take_walk(Verify *v, const ObjectReply *o) {
    int r = manifest_list_add(&v->list, o);
    return r < 0 ? r : next_line(v);
}

static int take_head(Verify *v, const ObjectReply *o) {
    ManifestMatch match = manifest_match(&v->file, o->etag, o->encryption);
    if (match == MANIFEST_DIFFERS)
        return bad(v, "%s has been replaced: its ETag is %.80s", v->file.key, o->etag);
    if (o->size == 0)
        return bad(v, "%s is empty, which no gzip stream is", v->file.key);
    v->facts.n_uncompared += match == MANIFEST_CANNOT_TELL;
    v->facts.n_bytes += o->size;
    return next_line(v);
}

static int end_object(Verify *v) {
    uint8_t md5[DIGEST_MD5_SIZE];
    int64_t n_lines;
    int r = md5_end(v->object.md5, md5);
    if (r < 0)
        return r;
    if (memcmp(md5, v->file.md5, sizeof md5) != 0)
        return bad(v, "%s does not have the MD5 that the manifest tells", v->file.key);
    if (gunzip_end(v->gunzip, &n_lines) < 0)
        return bad(v, "%s is a gzip stream that is cut off", v->file.key);
    if (n_lines != v->file.item_count)
        return bad(v, "%s has %" PRId64 " items, the manifest tells of %" PRId64, v->file.key, n_lines,
                   v->file.item_count);
    return next_line(v);
}

static int take_content(Verify *v, const ObjectReply *o, Usec *ret_wait_usec) {
    bool end;
    int r = read_piece(&v->object, o, &end);
    if (r < 0)
        return r;
    r = gunzip_add(v->gunzip, o->body ? o->body : "", o->len);
    if (r == -EBADMSG)
        return bad(v, "%s is no gzip stream, or a damaged one", v->file.key);
    if (r < 0)
        return r;
    v->facts.n_bytes += (int64_t)o->len;
    if (v->bytes_per_sec > 0)
        *ret_wait_usec = (Usec)((double)o->len / (double)v->bytes_per_sec * USEC_PER_SEC);
    return end ? end_object(v) : 0;
}

/* A range is not what was asked for: nothing can be made of it. */
static bool fits(const Verify *v, const ObjectReply *o) {
    const Reading *r = &v->object;
    if (v->step == STEP_LIST || v->step == STEP_WALK)
        return manifest_list_fits(&v->list, o);
    if (v->step != STEP_OBJECT || v->level < VERIFY_CONTENT)
        return true;
    return o->first == r->at && (r->size < 0 || o->size == r->size) && (o->len > 0 || o->size == 0);
}

static int take_object(Verify *v, const ObjectReply *o, bool *ret_unknown, Usec *ret_wait_usec) {
    if (!fits(v, o)) {
        *ret_unknown = true;
        snprintf(v->why, sizeof v->why, "S3 answered with another range than was asked for");
        return 0;
    }
    switch (v->step) {
    case STEP_SUMMARY:
        return take_summary(v, o);
    case STEP_SUMMARY_MD5: {
        int r = take_checksum(v, o, v->summary_md5, v->known_summary_md5, v->facts.summary_md5, STEP_LIST);
        return r < 0 || v->state != VERIFY_ASKS ? r : begin_list(v, STEP_LIST);
    }
    case STEP_LIST:
        return take_list(v, o);
    case STEP_LIST_MD5: {
        int r = take_checksum(v, o, v->list_md5, v->known_files_md5, v->facts.files_md5, STEP_WALK);
        if (r < 0 || v->state != VERIFY_ASKS)
            return r;
        if (v->level >= VERIFY_OBJECTS)
            return begin_list(v, STEP_WALK);
        v->state = VERIFY_PASSED;
        return 0;
    }
    case STEP_WALK:
        return take_walk(v, o);
    case STEP_OBJECT:
        return v->level < VERIFY_CONTENT ? take_head(v, o) : take_content(v, o, ret_wait_usec);
    }
    return 0;
}

/* --- errors --- */

static int missing(Verify *v) {
    AUTO_FREE char *key = key_of(v);
    bool checksum = v->step == STEP_SUMMARY_MD5 || v->step == STEP_LIST_MD5;
    if (!key)
        return -ENOMEM;
    if (checksum && !v->at_checksum) {
        v->at_checksum = true;
        return 0;
    }
    return bad(v, "%s is not there", key);
}

/* Its ETag has changed since its first piece. */
static int restart(Verify *v, bool *ret_unknown) {
    bool list = v->step != STEP_OBJECT;
    int *n = list ? &v->n_list_restarts : &v->object.n_restarts;
    if ((*n)++ >= RESTARTS_MAX) {
        *ret_unknown = true;
        *n = 0;
        snprintf(v->why, sizeof v->why, "%s changes while it is read", list ? v->summary.files_key : v->file.key);
    }
    if (list)
        return begin_list(v, v->step);
    int kept = *n, r = begin_object(v);
    v->object.n_restarts = kept;
    return r;
}

static int take_error(Verify *v, const AwsError *e, bool *ret_unknown) {
    if (e->region[0] && strcmp(e->region, v->region) != 0 && !v->moved) {
        v->moved = true;
        return text_set(&v->region, e->region);
    }
    if (strcmp(e->code, "NoSuchBucket") == 0)
        return bad(v, "the bucket %s is not there", v->bucket);
    if (e->class == AWS_NOT_FOUND)
        return missing(v);
    if (strcmp(e->code, "PreconditionFailed") == 0)
        return restart(v, ret_unknown);
    if (strcmp(e->code, "InvalidRange") == 0) { /* an empty object has no first byte */
        Usec wait;
        return take_object(v, &(ObjectReply){.body = (char *)""}, ret_unknown, &wait);
    }
    *ret_unknown = true;
    v->hint = e->hint;
    snprintf(v->why, sizeof v->why, "%s: %.400s", e->code, e->message[0] ? e->message : "no message");
    return 0;
}

int verify_answer(Verify *v, const CallDone *done, bool *ret_unknown, Usec *ret_wait_usec) {
    *ret_unknown = false;
    *ret_wait_usec = 0;
    int r = done->error.class == AWS_OK ? take_object(v, &done->reply->object, ret_unknown, ret_wait_usec)
                                        : take_error(v, &done->error, ret_unknown);
    if (!*ret_unknown && v->state == VERIFY_ASKS) {
        v->why[0] = '\0';
        v->hint = NULL;
    }
    return r;
}
