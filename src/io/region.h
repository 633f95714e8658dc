#pragma once
/* Which region is meant where an account names none: aws.region, else the environment's, the profile's, or that of the
 * instance that this is. */

#include "core/conf/conf.h"

/* *ret stays NULL where every account names its own and none of those has one. -ENOENT: none has one; -EINVAL: what was
 * found is no region. *ret_problem says so for people; other errors leave it alone. Without any other, the instance
 * metadata service is asked, and waited for. */
int region_find(const Conf *c, char **ret, char **ret_problem);
