#pragma once
/* AWS credentials and the documents that hold them. Reading files and the environment is src/io/credentials_source's.
 */

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

/* Reads a profile from the text of a shared credentials file ("[name]" sections) or, with `config_file`, of an AWS
 * config file ("[profile name]", "[default]"). -ENOENT: no such profile, or it has no static keys; -EBADMSG: the file
 * cannot be read so, *ret_why and *ret_line (1-based) say where. `source` of the result is left NULL. */
int credentials_from_profile(const char *text, size_t len, const char *profile, bool config_file, Credentials **ret,
                             const char **ret_why, unsigned *ret_line);
/* One value of that profile ("region"); -ENOENT. */
int profile_value(const char *text, size_t len, const char *profile, bool config_file, const char *key, char **ret);
