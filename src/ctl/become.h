#pragma once
/* Before something is written into a state directory, or credentials are held. */

#include "ctl/options.h"

/* As root: become the owner of the state directory, so that the daemon can go on with what is left there. In any case:
 * no core dumps, no ptrace by the same user, and new files for the service's group to read. -errno: said why on
 * standard error. */
int become_writer(const CtlOptions *o);
/* Says on standard error why the ledger cannot be written: `error` (owned by the caller), or for -EBUSY that the daemon
 * has to be stopped. Returns CTL_FAILED. */
int become_refused(const CtlOptions *o, int r, const char *error);
