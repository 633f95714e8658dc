#pragma once
/* The S3 side of the model: what its files share; for src/sim/service*.c alone. */

#include "sim/service_s3_store.h"
#include "sim/service_state.h"

#define SERVICE_S3_MAX_PARAMETERS 32
#define SERVICE_S3_SKEW_USEC (15 * USEC_PER_MINUTE) /* how far off a request's date may be */

/* What the request line and the host say, decoded. */
typedef struct ServiceS3Target {
    char bucket[256];                 /* "": none */
    char *key;                        /* "": none */
    char region[SERVICE_REGION_SIZE]; /* that the host's name has; "": it has none */
    struct {
        char *name, *value;
    } parameters[SERVICE_S3_MAX_PARAMETERS];
    size_t n_parameters;
} ServiceS3Target;

/* Buckets come first in the path (https://host/BUCKET/KEY), or in the host's name where that has one before ".s3." or
 * ".localhost". -EINVAL: it cannot be read; -ENOMEM. */
int service_s3_target_parse(const ServiceRequest *q, ServiceS3Target *ret);
void service_s3_target_done(ServiceS3Target *t);
/* The value of that parameter of the query ("" for one without), or NULL. */
const char *service_s3_parameter(const ServiceS3Target *t, const char *name);

/* One request on its way. */
typedef struct ServiceS3Call {
    Service *service;
    Usec now_wall;
    const ServiceRequest *request;
    ServiceS3Target target;
    ServiceS3Bucket *bucket; /* NULL where the operation takes none */
    ServiceReply *reply;
    ServiceFaultHit fault;
    Text headers;     /* NAME\0VALUE\0..., beyond those that every reply has */
    const char *code; /* of the error, static; NULL: none */
    Text message;     /* "": the usual one */
    Text details;     /* more elements of the error, as XML */
} ServiceS3Call;

/* Operations return 0 with the reply's body written (its status is 200 unless they say otherwise), -EINVAL after
 * service_s3_refuse, or -ENOMEM. */
typedef int ServiceS3Operation(ServiceS3Call *c);
ServiceS3Operation service_s3_get_object, service_s3_head_object, service_s3_put_object, service_s3_delete_object,
    service_s3_list_buckets, service_s3_create_bucket, service_s3_head_bucket, service_s3_get_location,
    service_s3_get_versioning, service_s3_get_encryption, service_s3_get_lifecycle, service_s3_list_objects;

/* Sets the code (static) and returns -EINVAL; a message of NULL is the usual one. */
int service_s3_refuse(ServiceS3Call *c, const char *code, const char *message);
void service_s3_add_header(ServiceS3Call *c, const char *name, const char *value);

/* Serves a request whose signature is made for S3, or that can be nothing else. */
bool service_s3_is_meant(const ServiceRequest *q);
void service_s3_handle(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *ret);
