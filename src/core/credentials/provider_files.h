#pragma once
/* Inside the plan: the environment and the files it is made of. */

#include "core/credentials/provider_plan.h"

typedef struct ProviderFiles {
    char *systemd_path, *shared_path, *config_path; /* NULL: there can be none */
    Profiles systemd, shared, config, merged;
    const char *profile; /* the one in use; borrowed */
    bool named;          /* someone asked for it */
} ProviderFiles;

void provider_files_done(ProviderFiles *f);
/* Blank counts as unset. */
const char *provider_environment(const ProviderPort *port, const char *name);
/* $HOME for a leading "~". -ENOMEM. */
int provider_expand(const ProviderPort *port, const char *path, char **ret);
/* -EBADMSG: a file cannot be read so; *why says it. */
int provider_files_load(const ProviderPort *port, const char *profile, ProviderFiles *ret, Text *why);
