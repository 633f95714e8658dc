#pragma once
/* IAM Identity Center: a person has signed in with the AWS CLI; the token lies in a cache, and the portal gives the
 * role's credentials for it. Signing in anew is the person's. */

#include "core/aws/http.h"

/* "~/.aws/sso/cache/<SHA-1>.json" of the session's name, or of the start URL where there is none. */
int sso_cache_path(const char *name, char **ret);
/* "https://portal.sso.<region>.<suffix>"; -EINVAL: no valid region. */
int sso_endpoint(const char *configured, const char *region, char **ret);
int sso_request(const char *endpoint, const char *account, const char *role, const char *token, HttpRequest **ret);
