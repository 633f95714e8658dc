#pragma once
/* Reads the configuration's files into a tree. The one place that knows libconfig. */

#include "core/conf/conf.h"
#include "core/conf/conf_tree.h"

/* One file's text, of which `name` is said in problems. -EINVAL: there are problems; -ENOMEM. */
int conf_file_parse_text(const char *text, size_t len, const char *name, ConfProblems *problems, ConfTree **ret);
/* Reads `path` and then the *.conf of conf.d beside it, by name, and merges them. What is wrong is added to
 * `problems`, with the likely cause where libconfig says only "syntax error". -EINVAL: there are problems; -ENOMEM.
 * *ret is set when a tree could be made, even with -EINVAL from a drop-in. */
int conf_file_read(const char *path, ConfProblems *problems, ConfTree **ret);
/* Read and checked in one go: what the programs call. Zones come from zone_file. *ret_tree (may be NULL) keeps the tree
 * for conf_dump. */
int conf_file_load(const char *path, ConfProblems *problems, Conf **ret, ConfTree **ret_tree);
/* What anybody may write, one warning each. -ENOMEM. */
int conf_file_advise(const char *path, ConfProblems *advice);
