#pragma once
/* Which region is meant where an account names none: aws.region, else the environment's or the profile's. */

#include "core/conf.h"

/* *ret stays NULL where every account names its own and none of those has one. -ENOENT: none has one; -EINVAL: what was found is no region. *ret_problem says so for people; -ENOMEM leaves it
 * alone. */
int region_find(const Conf *c, char **ret, char **ret_problem);
