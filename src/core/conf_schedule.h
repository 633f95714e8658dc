#pragma once
/* Reads one group of `schedules`; inside of core/conf. */

#include "core/conf_reader.h"

/* *s has its name in every case but -ENOMEM. */
int conf_schedule_read(ConfReader *m, const ConfTree *node, ScheduleConf *s);
void conf_schedule_done(ScheduleConf *s);
