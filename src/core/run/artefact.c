#include "core/run/artefact.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/format/json_flat.h"

#define DETAILS_MAX (1024 * 1024) /* above all that the codec lets through, escaped */

static const char *const lives[] = {"in_progress", "verified", "disproved", "failed", "gone", "expiring", "expired"};

const char *artefact_life_to_string(ArtefactLife l) { return lives[l]; }

int artefact_life_from_string(const char *s, ArtefactLife *ret) {
    for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
        if (strcmp(s, lives[i]) == 0) {
            *ret = (ArtefactLife)i;
            return 0;
        }
    return -EINVAL;
}

void artefact_free(Artefact *a) {
    if (!a)
        return;
    free(a->arn);
    free(a->status);
    free(a->name);
    free(a->table_id);
    free(a->details);
    free(a->found);
    free(a->summary_md5);
    free(a->files_md5);
    free(a);
}

void export_place_done(ExportPlace *p) {
    free(p->manifest_key);
    free(p->bucket);
    free(p->bucket_owner);
    free(p->prefix);
    *p = (ExportPlace){.from_wall = WALL_UNKNOWN, .to_wall = WALL_UNKNOWN};
}

static int read_string(JsonSpan details, const char *name, char **ret) {
    CLEANUP(secret_done) Secret text = {};
    int r = json_flat_string(json_flat_member(details, name), &text);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    return text_set(ret, text.bytes);
}

static int read_wall(JsonSpan details, const char *name, Usec *ret) {
    AUTO_FREE char *text = NULL;
    int r = read_string(details, name, &text);
    if (r >= 0 && text && date_from_iso(text, ret) < 0)
        *ret = WALL_UNKNOWN;
    return r;
}

int artefact_export_place(const Artefact *a, ExportPlace *ret) {
    CLEANUP(export_place_done) ExportPlace p = {.from_wall = WALL_UNKNOWN, .to_wall = WALL_UNKNOWN};
    JsonSpan details = json_flat_object(a->details ? a->details : "", a->details ? strlen(a->details) : 0);
    int r = read_string(details, "ExportManifest", &p.manifest_key);
    if (r < 0 || (r = read_string(details, "S3Bucket", &p.bucket)) < 0 ||
        (r = read_string(details, "S3BucketOwner", &p.bucket_owner)) < 0 ||
        (r = read_string(details, "S3Prefix", &p.prefix)) < 0 ||
        (r = read_wall(details, "ExportFromTime", &p.from_wall)) < 0 ||
        (r = read_wall(details, "ExportToTime", &p.to_wall)) < 0)
        return r;
    if (!p.manifest_key || !p.bucket)
        return -ENODATA;
    *ret = p;
    p = (ExportPlace){};
    return 0;
}

static void add_key(Text *t, const char *key) {
    text_add(t, t->len > 1 ? "," : "");
    text_add_json(t, key);
    text_add_char(t, ':');
}

static void add_string(Text *t, const char *key, const char *value) {
    if (!value)
        return;
    add_key(t, key);
    text_add_json(t, value);
}

static void add_count(Text *t, const char *key, int64_t value) {
    if (value == COUNT_UNKNOWN)
        return;
    add_key(t, key);
    text_addf(t, "%" PRId64, value);
}

static void add_wall(Text *t, const char *key, Usec wall) {
    char buffer[DATE_ISO_SIZE];
    if (wall != WALL_UNKNOWN)
        add_string(t, key, date_to_iso(wall, buffer));
}

/* Replaces the details by the finished object. */
static int details_set(Artefact *a, Text *t) {
    char *details = NULL;
    text_add_char(t, '}');
    int r = text_take(t, &details);
    if (r < 0)
        return r;
    free(a->details);
    a->details = details;
    return 0;
}

static int keep_string(char **to, const char *value) { return value ? text_set(to, value) : 0; }

int artefact_take_backup(Artefact *a, const BackupInfo *b) {
    AUTO_TEXT t = TEXT_INIT(DETAILS_MAX);
    text_add_char(&t, '{');
    add_string(&t, "BackupArn", b->arn);
    add_string(&t, "BackupName", b->name);
    add_string(&t, "BackupStatus", b->status_text);
    add_string(&t, "BackupType", b->type);
    add_count(&t, "BackupSizeBytes", b->size_bytes);
    add_wall(&t, "BackupCreationDateTime", b->created_wall);
    add_wall(&t, "BackupExpiryDateTime", b->expires_wall);
    add_string(&t, "TableName", b->table_name);
    add_string(&t, "TableId", b->table_id);
    add_string(&t, "TableArn", b->table_arn);
    add_wall(&t, "TableCreationDateTime", b->table_created_wall);
    add_count(&t, "TableSizeBytes", b->table_size_bytes);
    add_count(&t, "ItemCount", b->item_count);
    add_string(&t, "BillingMode", b->billing_mode);
    int r = details_set(a, &t);
    if (r < 0)
        return r;
    if (keep_string(&a->arn, b->arn) < 0 || keep_string(&a->status, b->status_text) < 0 ||
        keep_string(&a->name, b->name) < 0 || keep_string(&a->table_id, b->table_id) < 0)
        return -ENOMEM;
    if (b->created_wall != WALL_UNKNOWN)
        a->created_wall = b->created_wall;
    if (b->size_bytes != COUNT_UNKNOWN)
        a->size_bytes = b->size_bytes;
    if (b->item_count != COUNT_UNKNOWN)
        a->item_count = b->item_count;
    return 0;
}

int artefact_take_export(Artefact *a, const ExportInfo *e) {
    AUTO_TEXT t = TEXT_INIT(DETAILS_MAX);
    text_add_char(&t, '{');
    add_string(&t, "ExportArn", e->arn);
    add_string(&t, "ExportStatus", e->status_text);
    add_string(&t, "ExportType", e->type);
    add_wall(&t, "StartTime", e->start_wall);
    add_wall(&t, "EndTime", e->end_wall);
    add_wall(&t, "ExportTime", e->export_wall);
    add_string(&t, "ExportManifest", e->manifest_key);
    add_string(&t, "TableArn", e->table_arn);
    add_string(&t, "TableId", e->table_id);
    add_string(&t, "ClientToken", e->client_token);
    add_string(&t, "S3Bucket", e->s3_bucket);
    add_string(&t, "S3BucketOwner", e->s3_bucket_owner);
    add_string(&t, "S3Prefix", e->s3_prefix);
    add_string(&t, "S3SseAlgorithm", e->s3_sse_algorithm);
    add_string(&t, "S3SseKmsKeyId", e->s3_sse_kms_key_id);
    add_string(&t, "FailureCode", e->failure_code);
    add_string(&t, "FailureMessage", e->failure_message);
    add_string(&t, "ExportFormat", e->format);
    add_count(&t, "BilledSizeBytes", e->billed_size_bytes);
    add_count(&t, "ItemCount", e->item_count);
    add_wall(&t, "ExportFromTime", e->from_wall);
    add_wall(&t, "ExportToTime", e->to_wall);
    add_string(&t, "ExportViewType", e->view_type);
    int r = details_set(a, &t);
    if (r < 0)
        return r;
    if (keep_string(&a->arn, e->arn) < 0 || keep_string(&a->status, e->status_text) < 0 ||
        keep_string(&a->name, e->client_token) < 0 || keep_string(&a->table_id, e->table_id) < 0)
        return -ENOMEM;
    Usec content = e->export_wall != WALL_UNKNOWN ? e->export_wall
                   : e->to_wall != WALL_UNKNOWN   ? e->to_wall
                                                  : e->start_wall;
    if (content != WALL_UNKNOWN)
        a->created_wall = content;
    if (e->end_wall != WALL_UNKNOWN)
        a->finished_wall = e->end_wall;
    if (e->billed_size_bytes != COUNT_UNKNOWN)
        a->size_bytes = e->billed_size_bytes;
    if (e->item_count != COUNT_UNKNOWN)
        a->item_count = e->item_count;
    return 0;
}
