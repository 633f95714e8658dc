#pragma once
/* AWS Signature Version 4 in a request's headers: a pure function of the request, the scope, the credentials and the
 * instant. Source of the rules: the IAM guide's "Signature Version 4 signing process", checked against botocore.
 *
 * S3 differs: it signs x-amz-content-sha256, and its path as it stands in the URL. Other services normalise the path
 * (no dot segments, no double slashes) and encode it once more. */

#include "base/clock.h"
#include "base/text.h"
#include "core/aws/credentials.h"
#include "core/aws/http.h"
#include "core/format/digest.h"

/* What a signature is good for. */
typedef struct SigV4Scope {
    const char *region;  /* "eu-central-1" */
    const char *service; /* "dynamodb", "s3", "sts" */
    Usec wall;           /* the service accepts it some minutes before and after this */
} SigV4Scope;

/* The key that is derived from a secret for one day, region and service, kept from one signature to the next. Zeroed at
 * first; its owner wipes it (secret_wipe) when the secret is another one, and at the end. */
typedef struct SigV4Key {
    char scope[128]; /* what it was derived for; empty: nothing yet */
    uint8_t bytes[DIGEST_SIZE];
} SigV4Key;

/* Signs the request as it is now: headers that are added later are not covered, and those that change on their way
 * (User-Agent, Connection and the like) never are. Sets X-Amz-Date, X-Amz-Security-Token, for S3 X-Amz-Content-SHA256,
 * and Authorization, in place of what they were. The URL's query must be encoded already: it is sorted, not encoded.
 * `key` is of these credentials, or NULL. -EINVAL: the URL has no host; -ENOMEM; -E2BIG. */
int sigv4_sign(HttpRequest *request, const SigV4Scope *scope, const Credentials *credentials, SigV4Key *key);

/* The canonical request that a signature over the headers as they are covers, and its list of signed headers. */
int sigv4_canonical_request(const HttpRequest *request, const char *service, Text *ret, Text *ret_signed_headers);
