#pragma once
/* The instance metadata service: a token, then the name of the instance's role and the role's credentials, or the
 * region. Where the service has no tokens (404, 403, 405, or no answer) the two questions are asked without one, unless
 * that is switched off. */

#include <stdbool.h>

#include "base/text.h"
#include "core/aws/credentials.h"
#include "core/aws/http.h"

typedef enum ImdsStep { IMDS_TOKEN, IMDS_ROLE, IMDS_CREDENTIALS, IMDS_REGION } ImdsStep;

typedef struct Imds {
    ImdsStep step;     /* what is asked next */
    bool wants_region; /* and no credentials */
    Secret token;
    char *role;
    int n_tries;    /* of this step */
    bool timed_out; /* the token's question had no answer in time */
    bool renewed;   /* the token was refused once */
} Imds;

typedef struct ImdsSettings {
    const char *url; /* ends in '/' */
    bool v1_disabled;
    int attempts;
    Usec timeout_usec;
} ImdsSettings;

void imds_done(Imds *i);
int imds_request(const Imds *i, const ImdsSettings *s, HttpRequest **ret);
/* 0: ask on (imds_request); 1: *ret is there; -EREMOTEIO: it gave none, *why says so; -ENOMEM. */
int imds_reply(Imds *i, const ImdsSettings *s, const HttpReply *reply, Credentials **ret, Text *why);
/* The same, for one that wants the region. */
int imds_region_reply(Imds *i, const ImdsSettings *s, const HttpReply *reply, char **ret, Text *why);
