#pragma once
/* What the daemon and its dry run both need before they can talk to the service: configuration and credentials. */

#include "core/conf.h"
#include "core/engine.h"
#include "io/credentials_source.h"

/* Loads and checks the configuration. Problems and warnings go to the journal, each once; *ret_problem is a summary. */
int session_load_conf(const char *path, Conf **ret, char **ret_problem);
/* Credentials as credentials_source_find finds them. On failure *why says so. */
int session_credentials(const Conf *c, CredentialsSource *source, Credentials **ret, Text *why);
