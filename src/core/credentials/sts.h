#pragma once
/* The Security Token Service: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity in its query protocol. */

#include <stdbool.h>

#include "base/text.h"
#include "core/aws/credentials.h"
#include "core/aws/http.h"
#include "core/credentials/provider_plan.h"

/* Adds s as a query has it: all but the unreserved characters as %XX. */
void sts_add_encoded(Text *t, const char *s);

typedef struct StsCall {
    const char *url, *region;
    const ProviderRole *role;
    const Credentials *credentials; /* who asks; NULL with web_token */
    const char *web_token;          /* NULL: AssumeRole */
    Usec wall;                      /* of the signature */
} StsCall;

int sts_request(const StsCall *call, HttpRequest **ret);
/* Who the credentials are of; the call has no role and no token. It needs no permission. */
int sts_identity_request(const StsCall *call, HttpRequest **ret);

typedef struct StsError {
    bool transient;  /* it may be asked again */
    bool expired;    /* the token that was shown is no longer good: a newer one may be there */
    bool skewed;     /* the signature's time was refused */
    char code[64];
} StsError;

/* 0; -EREMOTEIO: refused, unreadable or no reply: *ret_error and *why say so; -ENOMEM. */
int sts_reply(const HttpReply *reply, Credentials **ret, StsError *ret_error, Text *why);

typedef struct StsIdentity {
    char *arn;     /* "arn:aws:sts::111111111111:assumed-role/ddbackupd/ddbackupd-acme" */
    char *account; /* 12 digits */
} StsIdentity;

void sts_identity_done(StsIdentity *i);
/* As sts_reply. */
int sts_identity_reply(const HttpReply *reply, StsIdentity *ret, StsError *ret_error, Text *why);
