#pragma once
/* The environment and the files in which core/credentials/provider_plan.h looks for credentials and the region. */

#include "core/credentials/provider_plan.h"

const ProviderPort *credentials_port(void);

/* AWS_REGION, AWS_DEFAULT_REGION, then `region` of the profile in the shared files. -ENOENT. */
int credentials_source_region(const char *profile, char **ret);
/* Any one value of the profile in those files. -ENOENT. */
int credentials_source_value(const char *profile, const char *key, char **ret);
