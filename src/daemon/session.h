#pragma once
/* What the daemon and its dry run both need before they can talk to the service: the configuration. */

#include "core/conf/conf.h"
#include "core/engine/engine.h"

/* Loads and checks the configuration. Problems go to the journal, each once; *ret_problem is a summary.
 * *ret_tree
 * keeps what was read. */
int session_load_conf(const char *path, Conf **ret, ConfTree **ret_tree, char **ret_problem);
/* The same configuration again from its tree, with the time zones as they are now. */
int session_remake_conf(const ConfTree *tree, Conf **ret, char **ret_problem);
/* What a good one probably means otherwise, and what of its surroundings does not fit. -ENOMEM. */
int session_advise(const char *path, const Conf *c, const ConfTree *tree, ConfProblems *ret);
