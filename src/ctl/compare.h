#pragma once
/* Does the daemon do what the configuration says now? A table that was added without a reload, or with one that was
 * refused, is not protected, and the ledger alone does not know it. */

#include "ctl/situation.h"

/* Adds problems to a situation whose targets are loaded. A file at the default place that is not there or that may not
 * be read is no problem: not everybody who may read the ledger may read it. -ENOMEM. */
int compare_conf(const CtlOptions *o, Situation *s);
