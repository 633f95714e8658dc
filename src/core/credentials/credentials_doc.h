#pragma once
/* The JSON documents in which credentials arrive. All: 0; -EBADMSG, and *why says what is wrong with it without quoting
 * it (a text of the service's own in one that refuses apart); -ENOMEM. */

#include "base/text.h"
#include "core/aws/credentials.h"

/* What a credential_process prints. */
int credentials_from_process(const char *text, size_t len, Credentials **ret, Text *why);
/* The instance metadata service and the container endpoints: all four members are there. */
int credentials_from_metadata(const char *text, size_t len, Credentials **ret, Text *why);
/* GetRoleCredentials of SSO. */
int credentials_from_sso(const char *text, size_t len, Credentials **ret, Text *why);
/* The access token in a file of SSO's cache. -EKEYEXPIRED: it was good until *ret_expires_wall. */
int sso_token_from_cache(const char *text, size_t len, Usec wall, Secret *ret, Usec *ret_expires_wall, Text *why);
