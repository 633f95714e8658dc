#pragma once
/* Reads `not_during` of a schedule; inside of core/conf. */

#include "core/conf/conf_reader.h"

/* The zone of *s is known. */
int conf_blackout_read(ConfReader *m, const ConfTree *node, ScheduleConf *s);
