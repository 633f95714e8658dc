#pragma once
/* Reads the group `accounts`; inside of core/conf. */

#include "core/conf/conf_reader.h"

/* Into m->conf->accounts. -EINVAL and what is wrong in m->bad; -ENOMEM. */
int conf_accounts_read(ConfReader *m, const ConfTree *node);
void conf_account_done(AccountConf *a);
