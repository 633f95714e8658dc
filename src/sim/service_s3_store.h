#pragma once
/* Buckets and their objects. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "sim/service.h"
#include "sim/service_arn.h"
#include "sim/service_digest.h"

typedef struct ServiceS3Object {
    char *key, *content_type;
    char etag[SERVICE_ETAG_SIZE]; /* without its quotes */
    char *bytes;
    size_t n_bytes;
    Usec modified_wall;
    bool is_kms; /* encrypted by a key of KMS */
} ServiceS3Object;

typedef struct ServiceS3Bucket {
    char *name;
    char owner[16]; /* an account */
    char region[SERVICE_REGION_SIZE];
    bool versioned;
    char *kms_key;   /* with which it encrypts by default; NULL: none of KMS */
    int expire_days; /* 0: nothing expires */
    Usec created_wall;
    ServiceS3Object **objects; /* sorted by key */
    size_t n_objects, n_objects_room;
} ServiceS3Bucket;

/* Takes `bytes`, also on failure. Its ETag is that of an object put as a whole. -ENOMEM. */
int service_s3_object_new(const char *key, const char *content_type, char *bytes, size_t n_bytes, Usec modified_wall,
                          ServiceS3Object **ret);
void service_s3_object_free(ServiceS3Object *o);
DEFINE_CLEANUP(ServiceS3Object, service_s3_object_free)

void service_s3_bucket_free(ServiceS3Bucket *b);
/* The bucket of that name, whoever owns it, or NULL. */
ServiceS3Bucket *service_s3_bucket(const Service *s, const char *name);
/* As service_add_bucket (service.h), and says which it is. */
int service_s3_make_bucket(Service *s, const ServiceBucketSeed *seed, Usec now_wall, ServiceS3Bucket **ret);

/* NULL: there is none. What the bucket's lifecycle rule has taken is gone. */
ServiceS3Object *service_s3_get(ServiceS3Bucket *b, const char *key, Usec now_wall);
/* The first object (its index) whose key does not come before `key`; n_objects: none. */
size_t service_s3_lower_bound(const ServiceS3Bucket *b, const char *key);
bool service_s3_is_expired(const ServiceS3Bucket *b, const ServiceS3Object *o, Usec now_wall);
/* Takes the object on success; one that had its key is gone. -ENOMEM. */
int service_s3_put(ServiceS3Bucket *b, ServiceS3Object *o);
/* False: there was none. */
bool service_s3_remove(ServiceS3Bucket *b, const char *key);
