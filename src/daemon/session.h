#pragma once
/* What the daemon and its dry run both need before they can talk to the service: the configuration. */

#include "core/conf.h"
#include "core/engine.h"

/* Loads and checks the configuration. Problems and warnings go to the journal, each once; *ret_problem is a summary. */
int session_load_conf(const char *path, Conf **ret, char **ret_problem);
