#pragma once
/* The region of the instance that this is, from its metadata service. */

#include "core/conf/conf.h"

/* Waits for the answer, at most as long as the environment or the profile allow: two seconds, if they say nothing.
 * -ENOENT: it has none for us, *ret_problem says why; -ENOMEM, -EIO. */
int imds_region(const Conf *c, char **ret, char **ret_problem);
