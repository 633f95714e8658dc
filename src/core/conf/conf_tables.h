#pragma once
/* Reads the entries of `tables`; inside of core/conf. */

#include "core/conf/conf_reader.h"

/* The schedules that tables use, by index; `unsure`: some could not be read. */
typedef struct ConfUses {
    bool used[CONF_SCHEDULES_MAX];
    bool unsure;
} ConfUses;

/* Into m->conf->tables, after accounts and schedules. -EINVAL and what is wrong in m->bad; -ENOMEM. */
int conf_tables_read(ConfReader *m, const ConfTree *node, ConfUses *uses);
/* Of entries that are good one by one: is every ARN of an account and region of theirs? */
int conf_tables_check(ConfReader *m, const ConfTree *node);
void conf_tables_done(TablesConf *t);
