#include "sim/service_s3_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/service_export_files.h"

/* ---- objects ---- */

int service_s3_object_new(const char *key, const char *content_type, char *bytes, size_t n_bytes, Usec modified_wall,
                          ServiceS3Object **ret) {
    AUTO_FREE char *taken = bytes;
    CLEANUP(service_s3_object_free_ptr) ServiceS3Object *o = calloc(1, sizeof *o);
    if (!o)
        return -ENOMEM;
    o->modified_wall = modified_wall - modified_wall % USEC_PER_SEC; /* as it is shown */
    o->n_bytes = n_bytes;
    o->bytes = TAKE_PTR(taken);
    int rc = service_etag_whole(o->bytes ? o->bytes : "", n_bytes, o->etag);
    if (rc >= 0)
        rc = text_set(&o->key, key);
    if (rc >= 0)
        rc = text_set(&o->content_type, content_type ? content_type : "binary/octet-stream");
    if (rc >= 0)
        *ret = TAKE_PTR(o);
    return rc;
}

void service_s3_object_free(ServiceS3Object *o) {
    if (!o)
        return;
    free(o->key);
    free(o->content_type);
    free(o->bytes);
    free(o);
}

size_t service_s3_lower_bound(const ServiceS3Bucket *b, const char *key) {
    size_t low = 0, high = b->n_objects;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(b->objects[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool find(const ServiceS3Bucket *b, const char *key, size_t *ret) {
    *ret = service_s3_lower_bound(b, key);
    return *ret < b->n_objects && strcmp(b->objects[*ret]->key, key) == 0;
}

bool service_s3_is_expired(const ServiceS3Bucket *b, const ServiceS3Object *o, Usec now_wall) {
    return b->expire_days > 0 && now_wall >= usec_add(o->modified_wall, b->expire_days * USEC_PER_DAY);
}

ServiceS3Object *service_s3_get(ServiceS3Bucket *b, const char *key, Usec now_wall) {
    size_t i;
    return find(b, key, &i) && !service_s3_is_expired(b, b->objects[i], now_wall) ? b->objects[i] : NULL;
}

int service_s3_put(ServiceS3Bucket *b, ServiceS3Object *o) {
    size_t i;
    if (find(b, o->key, &i)) {
        service_s3_object_free(b->objects[i]);
        b->objects[i] = o;
        return 0;
    }
    if (ARRAY_GROW(b->objects, b->n_objects, b->n_objects_room) < 0)
        return -ENOMEM;
    memmove(b->objects + i + 1, b->objects + i, (b->n_objects++ - i) * sizeof b->objects[0]);
    b->objects[i] = o;
    return 0;
}

bool service_s3_remove(ServiceS3Bucket *b, const char *key) {
    size_t i;
    if (!find(b, key, &i))
        return false;
    service_s3_object_free(b->objects[i]);
    memmove(b->objects + i, b->objects + i + 1, (--b->n_objects - i) * sizeof b->objects[0]);
    return true;
}

/* ---- buckets ---- */

void service_s3_bucket_free(ServiceS3Bucket *b) {
    if (!b)
        return;
    for (size_t i = 0; i < b->n_objects; i++)
        service_s3_object_free(b->objects[i]);
    free(b->objects);
    free(b->name);
    free(b->kms_key);
    free(b);
}
DEFINE_CLEANUP(ServiceS3Bucket, service_s3_bucket_free)

ServiceS3Bucket *service_s3_bucket(const Service *s, const char *name) {
    for (size_t i = 0; i < s->n_s3; i++)
        if (strcmp(s->s3[i]->name, name) == 0)
            return s->s3[i];
    return NULL;
}

static bool is_name(const char *name) {
    size_t n = strlen(name);
    return n >= 3 && n <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n &&
           !strchr(".-", name[0]) && !strchr(".-", name[n - 1]) && !strstr(name, "..");
}

int service_s3_make_bucket(Service *s, const ServiceBucketSeed *seed, Usec now_wall, ServiceS3Bucket **ret) {
    const char *region = seed->region            ? seed->region
                         : s->settings.region    ? s->settings.region
                                                 : "us-east-1";
    if (!is_name(seed->name) || !service_region_is_valid(region) || seed->expire_days < 0)
        return -EINVAL;
    if (service_s3_bucket(s, seed->name))
        return -EEXIST;
    CLEANUP(service_s3_bucket_free_ptr) ServiceS3Bucket *b = calloc(1, sizeof *b);
    if (!b || text_set(&b->name, seed->name) < 0 || text_set(&b->kms_key, seed->kms_key) < 0 ||
        ARRAY_GROW(s->s3, s->n_s3, s->n_s3_room) < 0)
        return -ENOMEM;
    snprintf(b->owner, sizeof b->owner, "%s", seed->owner ? seed->owner : s->settings.account);
    snprintf(b->region, sizeof b->region, "%s", region);
    b->versioned = seed->versioned;
    b->expire_days = seed->expire_days;
    b->created_wall = now_wall;
    *ret = s->s3[s->n_s3++] = TAKE_PTR(b);
    return 0;
}

int service_add_bucket(Service *s, const ServiceBucketSeed *seed) {
    ServiceS3Bucket *b;
    int rc = service_s3_make_bucket(s, seed, 0, &b);
    if (rc >= 0)
        s->only_known_buckets = true;
    return rc;
}

/* ---- for tests ---- */

int service_read_object(Service *s, const char *bucket, const char *key, Usec now_wall, const char **ret,
                        size_t *ret_n) {
    int rc = service_publish_exports(s, now_wall);
    if (rc < 0)
        return rc;
    ServiceS3Bucket *b = service_s3_bucket(s, bucket);
    const ServiceS3Object *o = b ? service_s3_get(b, key, now_wall) : NULL;
    if (!o)
        return -ENOENT;
    *ret = o->bytes ? o->bytes : "";
    *ret_n = o->n_bytes;
    return 0;
}

int service_write_object(Service *s, const char *bucket, const char *key, const char *bytes, size_t n, Usec now_wall) {
    CLEANUP(service_s3_object_free_ptr) ServiceS3Object *o = NULL;
    int rc = service_publish_exports(s, now_wall);
    if (rc < 0)
        return rc;
    ServiceS3Bucket *b = service_s3_bucket(s, bucket);
    if (!b || !bytes)
        return b && service_s3_remove(b, key) ? 0 : -ENOENT;
    char *copy = malloc(n + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, n);
    rc = service_s3_object_new(key, NULL, copy, n, now_wall, &o);
    if (rc >= 0)
        rc = service_s3_put(b, o);
    if (rc >= 0)
        o = NULL;
    return rc;
}
