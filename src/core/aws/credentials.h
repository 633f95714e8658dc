#pragma once
/* AWS credentials. Where they come from is core/credentials/provider_plan.h's. */

#include <stdbool.h>

#include "base/clock.h"
#include "base/macros.h"
#include "base/secret.h"

typedef struct Credentials {
    char *access_key_id;
    Secret secret_access_key;
    Secret session_token; /* unset: none */
    Usec expires_wall;    /* USEC_INFINITY: never */
    char *source;         /* for people: "environment", "profile default of /root/.aws/credentials" */
} Credentials;

void credentials_free(Credentials *c);
DEFINE_CLEANUP(Credentials, credentials_free)
int credentials_copy(const Credentials *c, Credentials **ret);
bool credentials_equal(const Credentials *a, const Credentials *b); /* the source apart */

/* Copies. `token` may be NULL or empty: none. `source` is left NULL. -EBADMSG: a key is empty, or something holds what
 * no key can have; -ENOMEM. */
int credentials_new(const char *id, const char *secret, const char *token, Usec expires_wall, Credentials **ret);
