#pragma once
/* Signature Version 4, as a service checks it; written apart from the signer on purpose. */

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim/service.h"

typedef struct ServiceAuthKey {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none may come with it */
    const char *service;       /* "dynamodb", "s3" */
    const char *region;        /* NULL: every region */
    Usec skew_usec;            /* how far off the date may be; 0: five minutes */
} ServiceAuthKey;

typedef struct ServiceAuthResult {
    const char *code; /* of the error; NULL: the request is genuine */
    Text message;
    char key_id[136];
    char region[32];  /* of the scope; "" when there is none that could be one */
    char service[16]; /* of the scope */
} ServiceAuthResult;

/* Whatever can be read of key and region is set, also for a request that is refused. -ENOMEM; release with
 * text_done(&ret->message). */
int service_auth_check(const ServiceRequest *request, const ServiceAuthKey *key, Usec now_wall, ServiceAuthResult *ret);
/* Only who claims to have signed, and for which region. */
void service_auth_peek(const ServiceRequest *request, ServiceAuthResult *ret);

/* Its two halves, for tests: the canonical request over the signed headers ("a;b;c"), and the signature (hexadecimal)
 * of a string to sign with scope DATE/REGION/SERVICE. S3 signs paths as they are sent, and what X-Amz-Content-SHA256
 * says of the body (whether it is true is not looked at here); others encode paths again, and hash the body. */
int service_auth_canonical(const ServiceRequest *request, const char *signed_headers, bool s3, Text *t);
#define SERVICE_AUTH_HEX_SIZE 65
int service_auth_sign(const char *secret_key, const char *date, const char *region, const char *service,
                      const char *to_sign, char hex[static SERVICE_AUTH_HEX_SIZE]);
int service_auth_hash(const void *bytes, size_t n, char hex[static SERVICE_AUTH_HEX_SIZE]);
/* The first header of that name, or NULL. */
const char *service_header(const ServiceRequest *request, const char *name);
