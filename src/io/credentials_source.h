#pragma once
/* Where static credentials and the region come from: the environment, systemd's credentials, shared files. The order is
 * that of the AWS CLI, with systemd's credentials before the files of a home directory:
 *   1. aws.profile of the configuration, in the files of 3 and 4
 *   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. $CREDENTIALS_DIRECTORY/aws-credentials (systemd's LoadCredential=), a shared credentials file
 *   4. $AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials; then $AWS_CONFIG_FILE, else ~/.aws/config */

#include "base/macros.h"
#include "base/text.h"
#include "core/credentials.h"

typedef struct CredentialsSource {
    char *files[3]; /* that were looked at, existing or not, in order; NULL-filled */
    size_t n_files;
} CredentialsSource;

void credentials_source_done(CredentialsSource *s);

/* -ENOENT: there are none; -EBADMSG, -EACCES, ...: a source that should have them cannot be read. *why says so for people, with a
 * HINT, and never holds a secret. `source` is filled in every case: the files to watch. */
int credentials_source_find(const char *profile, CredentialsSource *source, Credentials **ret, Text *why);

/* AWS_REGION, AWS_DEFAULT_REGION, then `region` of the profile in those files. -ENOENT. */
int credentials_source_region(const char *profile, char **ret);
/* Any one value of the profile in those files. -ENOENT. */
int credentials_source_value(const char *profile, const char *key, char **ret);
/* A value of a services section of the AWS config file, as services_section_value. */
int credentials_source_service_value(const char *section, const char *service, const char *key, char **ret);
