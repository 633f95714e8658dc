#pragma once
/* The configuration for verbs that cannot do without it. */

#include "core/conf/conf.h"

/* Negative: said why on standard error. */
int load_conf(const char *path, Conf **ret);
