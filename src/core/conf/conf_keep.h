#pragma once
/* What schedules say of retention: `keep`, `expire`, `formerly`; inside of core/conf. */

#include "core/conf/conf_reader.h"

/* Of a schedule whose keys were read. 0, -EINVAL (said), -ENOMEM. */
int conf_keep_read(ConfReader *m, const ConfTree *node, ScheduleConf *s);
/* Former names, once all schedules are there: none is a schedule's, and none is claimed twice. */
int conf_keep_check_names(ConfReader *m, const ConfTree *schedules);
void conf_keep_done(ScheduleConf *s);
