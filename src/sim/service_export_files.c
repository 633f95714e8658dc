#include "sim/service_export_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "sim/service_gzip.h"
#include "sim/service_record.h"
#include "sim/service_s3_store.h"

#define MIN_PARTITIONS 4
#define PARTITION_BYTES (INT64_C(16) << 20)
#define MAX_PARTITIONS 1024
#define MAX_DATA ((size_t)1 << 30)
#define MAX_MANIFEST (16u << 20)

int64_t service_export_count(const ServiceExport *e) {
    int64_t n = 0;
    for (size_t i = 0; i < e->items->n_items; i++)
        n += service_record_holds(e, e->items->items[i]);
    return n;
}

/* ---- names ---- */

static void add_folder(Text *t, const ServiceExport *e) {
    const char *prefix = e->prefix ? e->prefix : "";
    size_t n = strlen(prefix);
    text_addf(t, "%s%sAWSDynamoDB/", prefix, n > 0 && prefix[n - 1] != '/' ? "/" : "");
}

void service_export_add_key(Text *t, const ServiceExport *e, const char *name) {
    add_folder(t, e);
    text_addf(t, "%s/%s", e->id, name);
}

/* 26 characters that follow from the export's id. */
static void add_data_key(Text *t, const ServiceExport *e, size_t partition) {
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t chance = 0;
    add_folder(t, e);
    if (!e->is_incremental)
        text_addf(t, "%s/", e->id);
    text_add(t, "data/");
    for (int i = 0; i < 26; i++) {
        if (i % 8 == 0) {
            AUTO_FREE char *seed = text_format("%s %zu %d", e->id, partition, i);
            chance = service_items_hash(seed ? seed : "");
        }
        text_add_char(t, characters[chance >> 8 * (i % 8) & 31]);
    }
    text_add(t, e->is_ion ? ".ion.gz" : ".json.gz");
}

/* ---- files ---- */

/* An export on its way into its bucket. Of one that failed a part is left: its first data file. */
typedef struct Writer {
    const Service *service;
    const ServiceExport *export;
    ServiceS3Bucket *bucket;
    Text manifest; /* manifest-files.json */
} Writer;

/* Takes `bytes`. An encrypted object's ETag tells nothing of them. */
static int put_file(Writer *w, const char *key, char *bytes, size_t n, bool is_data, ServiceS3Object **ret) {
    CLEANUP(service_s3_object_free_ptr) ServiceS3Object *o = NULL;
    int rc = service_s3_object_new(key, NULL, bytes, n, w->export->end_wall, &o);
    if (rc >= 0 && is_data)
        rc = service_etag_part(o->bytes, n, o->etag);
    if (rc < 0)
        return rc;
    if (w->export->is_kms) {
        o->is_kms = true;
        snprintf(o->etag, sizeof o->etag, "%016" PRIx64 "%016" PRIx64 "%s", service_items_hash(o->key),
                 service_items_hash(o->key + 1), is_data ? "-1" : "");
    }
    rc = service_s3_put(w->bucket, o);
    if (rc >= 0)
        *ret = TAKE_PTR(o);
    return rc;
}

/* One data file, and its line of manifest-files.json. */
static int put_data(Writer *w, size_t partition, const Text *lines, int64_t n_items) {
    char md5[SERVICE_MD5_BASE64_SIZE], *bytes = NULL;
    ServiceS3Object *o = NULL;
    size_t n = 0;
    AUTO_TEXT key = TEXT_INIT(10000);
    add_data_key(&key, w->export, partition);
    int rc = lines->error ? lines->error : key.error;
    if (rc >= 0)
        rc = service_gzip(text_get(lines), lines->len, &bytes, &n);
    if (rc >= 0)
        rc = put_file(w, text_get(&key), bytes, n, true, &o);
    if (rc >= 0)
        rc = service_md5_base64(o->bytes, n, md5);
    if (rc < 0)
        return rc;
    Text *t = &w->manifest;
    service_json_open(t, NULL, '{');
    service_json_add_int(t, "itemCount", n_items);
    service_json_add_string(t, "md5Checksum", md5);
    service_json_add_string(t, "etag", o->etag);
    service_json_add_string(t, "dataFileS3Key", o->key);
    service_json_close(t, '}');
    return text_add_char(t, '\n');
}

/* A file for each range of hashes. */
static int put_all_data(Writer *w) {
    const ServiceExport *e = w->export;
    int64_t wanted = e->table_bytes / PARTITION_BYTES;
    uint64_t n = wanted < MIN_PARTITIONS ? MIN_PARTITIONS : wanted < MAX_PARTITIONS ? (uint64_t)wanted : MAX_PARTITIONS;
    int rc = 0;
    for (uint64_t partition = 0, i = 0; partition < n && rc >= 0; partition++) {
        AUTO_TEXT lines = TEXT_INIT(MAX_DATA);
        int64_t n_items = 0;
        for (; i < e->items->n_items && (e->items->items[i]->hash >> 32) * n >> 32 == partition; i++)
            n_items += service_record_add(&lines, e, e->items->items[i]);
        rc = put_data(w, partition, &lines, n_items);
        if (e->failure_code)
            break;
    }
    return rc;
}

/* A manifest, and the object that has its checksum. */
static int put_manifest(Writer *w, const char *name, Text *json) {
    AUTO_TEXT key = TEXT_INIT(10000);
    AUTO_TEXT md5_key = TEXT_INIT(10000);
    ServiceS3Object *o = NULL;
    size_t n = json->len;
    char *bytes = NULL;
    AUTO_FREE char *md5 = malloc(SERVICE_MD5_BASE64_SIZE);
    AUTO_FREE char *file = text_format("%s.json", name), *md5_file = text_format("%s.md5", name);
    if (!md5 || !file || !md5_file)
        return -ENOMEM;
    service_export_add_key(&key, w->export, file);
    service_export_add_key(&md5_key, w->export, md5_file);
    int rc = text_take(json, &bytes);
    if (rc >= 0)
        rc = put_file(w, text_get(&key), bytes, n, false, &o);
    if (rc >= 0)
        rc = service_md5_base64(o->bytes, n, md5);
    return rc < 0 ? rc : put_file(w, text_get(&md5_key), TAKE_PTR(md5), SERVICE_MD5_BASE64_SIZE - 1, false, &o);
}

/* "2026-11-24T12:00:00.000Z": always with milliseconds. */
static void add_instant(Text *t, const char *name, Usec wall) {
    char iso[DATE_ISO_SIZE];
    date_to_iso(wall - wall % USEC_PER_SEC, iso);
    AUTO_FREE char *whole = text_format("%.19s.%03dZ", iso, (int)(wall % USEC_PER_SEC / USEC_PER_MSEC));
    service_json_add_string(t, name, whole);
}

static void add_string_or_null(Text *t, const char *name, const char *value) {
    if (value)
        service_json_add_string(t, name, value);
    else
        service_json_add_raw(t, name, "null");
}

static void add_arn(Text *t, const Service *s, const ServiceExport *e, const char *name, const char *kind) {
    AUTO_TEXT arn = TEXT_INIT(2000);
    service_arn_add(&arn, e->region, s->settings.account, e->table, kind, e->id);
    service_json_add_string(t, name, text_get(&arn));
}

static void write_summary(const Service *s, const ServiceExport *e, Text *t) {
    AUTO_TEXT files_key = TEXT_INIT(10000);
    service_export_add_key(&files_key, e, "manifest-files.json");
    service_json_open(t, NULL, '{');
    service_json_add_string(t, "version", e->is_incremental ? "2023-08-01" : "2020-06-30");
    add_arn(t, s, e, "exportArn", "export");
    add_instant(t, "startTime", e->start_wall);
    add_instant(t, "endTime", e->end_wall);
    add_arn(t, s, e, "tableArn", "");
    service_json_add_string(t, "tableId", e->table_id);
    if (e->is_incremental) {
        add_instant(t, "exportFromTime", e->from_wall);
        add_instant(t, "exportToTime", e->until_wall);
    } else
        add_instant(t, "exportTime", e->time_wall);
    service_json_add_string(t, "s3Bucket", e->bucket);
    add_string_or_null(t, "s3Prefix", e->prefix);
    service_json_add_string(t, "s3SseAlgorithm", e->is_kms ? "KMS" : "AES256");
    add_string_or_null(t, "s3SseKmsKeyId", e->kms_key);
    service_json_add_string(t, "manifestFilesS3Key", text_get(&files_key));
    service_json_add_int(t, "billedSizeBytes", e->billed_bytes);
    service_json_add_int(t, "itemCount", e->n_items);
    service_json_add_string(t, "outputFormat", e->is_ion ? "ION" : "DYNAMODB_JSON");
    if (e->is_incremental) {
        service_json_add_string(t, "outputView", e->new_images_only ? "NEW_IMAGE" : "NEW_AND_OLD_IMAGES");
        service_json_add_string(t, "exportType", "INCREMENTAL_EXPORT");
    }
    service_json_close(t, '}');
}

static int put_files(Writer *w) {
    AUTO_TEXT summary = TEXT_INIT(MAX_MANIFEST);
    int rc = put_all_data(w);
    if (rc < 0 || w->export->failure_code)
        return rc;
    rc = put_manifest(w, "manifest-files", &w->manifest);
    write_summary(w->service, w->export, &summary);
    return rc < 0 ? rc : put_manifest(w, "manifest-summary", &summary);
}

/* ---- when it is due ---- */

static int get_bucket(Service *s, const ServiceExport *e, ServiceS3Bucket **ret) {
    ServiceBucketSeed seed = {.name = e->bucket, .region = e->region};
    *ret = service_s3_bucket(s, e->bucket);
    if (*ret || s->only_known_buckets)
        return 0;
    int rc = service_s3_make_bucket(s, &seed, e->start_wall, ret);
    return rc == -EINVAL ? 0 : rc; /* a name that S3 does not take: nothing comes of it */
}

static int put_started(ServiceExport *e, ServiceS3Bucket *b) {
    AUTO_TEXT key = TEXT_INIT(10000);
    CLEANUP(service_s3_object_free_ptr) ServiceS3Object *o = NULL;
    service_export_add_key(&key, e, "_started");
    int rc = service_s3_object_new(text_get(&key), NULL, NULL, 0, e->start_wall, &o);
    if (rc >= 0)
        rc = service_s3_put(b, o);
    if (rc < 0)
        return rc;
    o = NULL;
    e->is_started = true;
    return 0;
}

/* The bucket was never reached. */
static bool is_shut_out(const ServiceExport *e) {
    return e->failure_code && (strcmp(e->failure_code, "S3NoSuchBucket") == 0 ||
                               strcmp(e->failure_code, "S3AccessDenied") == 0);
}

static int publish(Service *s, ServiceExport *e, Usec now_wall) {
    ServiceS3Bucket *b = NULL;
    int rc = is_shut_out(e) ? 0 : get_bucket(s, e, &b);
    if (rc >= 0 && b && !e->is_started)
        rc = put_started(e, b);
    if (rc < 0 || now_wall < e->end_wall)
        return rc;
    Writer w = {.service = s, .export = e, .bucket = b, .manifest = TEXT_INIT(MAX_MANIFEST)};
    if (b)
        rc = put_files(&w);
    text_done(&w.manifest);
    e->is_settled = true;
    service_items_leave(TAKE_PTR(e->items));
    return rc;
}

int service_publish_exports(Service *s, Usec now_wall) {
    for (size_t i = s->n_settled_exports; i < s->n_exports; i++) {
        int rc = s->exports[i]->is_settled ? 0 : publish(s, s->exports[i], now_wall);
        if (rc < 0)
            return rc;
    }
    while (s->n_settled_exports < s->n_exports && s->exports[s->n_settled_exports]->is_settled)
        s->n_settled_exports++;
    return 0;
}
