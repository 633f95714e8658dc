#pragma once
/* Reads one group of `schedules`; inside of core/conf. */

#include "base/text.h"
#include "core/conf/conf_reader.h"

/* *s has its name in every case but -ENOMEM. */
int conf_schedule_read(ConfReader *m, const ConfTree *node, ScheduleConf *s);
/* `node` is the group of all schedules, which have been read: is each base one of them, and of exports? */
int conf_schedules_check_bases(ConfReader *m, const ConfTree *node);
void conf_schedule_done(ScheduleConf *s);
/* Adds `at "60", character 4`, or `at its end`. */
int conf_schedule_point(Text *t, const char *text, size_t position);
