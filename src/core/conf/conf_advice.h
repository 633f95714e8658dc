#pragma once
/* What a good configuration says that does most likely not what its writer means: a calendar that is over, a max_age
 * that every slot outlasts, a table that is left out in one entry and backed up by another. None of it keeps a daemon
 * from starting; what can be meant can also be said so that there is no warning. Pure. */

#include "core/conf/conf.h"

/* `tree` is what `c` was made from; `now_wall` tells what is over. Adds one line each to `advice`, in the order of
 * conf_from_tree: "FILE:LINE: warning: what; HINT: what to do". -ENOMEM. */
int conf_advise(const Conf *c, const ConfTree *tree, Usec now_wall, ConfProblems *advice);
