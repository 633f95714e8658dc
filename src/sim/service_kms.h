#pragma once
/* KMS, as far as S3 encrypts with it: the keys that there are, and whether a data key may be made of one. */

#include "sim/service_state.h"

struct ServiceKey {
    char *region, *alias;       /* alias without its "alias/"; NULL: none */
    char id[SERVICE_UUID_SIZE];
    char state[24], spec[32];   /* in KMS's words */
    bool is_managed;            /* AWS's own for S3 */
    Usec created_wall;
};

ServiceOperation service_describe_key, service_generate_data_key, service_create_key, service_list_keys;

int service_key_add_arn(const Service *s, const ServiceKey *k, Text *t);
void service_keys_done(Service *s);

/* How an export ends that is to be encrypted with this key in a bucket of that region: the code of its failure, static,
 * and why; NULL: well. */
const char *service_key_failure(ServiceCall *c, const char *region, const char *key, Text *why);
