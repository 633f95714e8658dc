#pragma once
/* Brings targets and enrolments in line with the configuration and the tables that exist. */

#include "core/conf.h"
#include "core/discovery.h"
#include "core/ledger.h"
#include "core/target.h"

/* Called for each enrolment that begins (`enrolled`) or ends. */
typedef int (*EnrolNews)(void *context, Enrolment *e, bool enrolled);

/* Named tables are always selected; tables that patterns select are those of `discovery` when `listed`, else those that
 * were selected before. Sets Enrolment.schedule (NULL where it ended) and marks what changed. */
int enrol_update(Targets *targets, const Conf *conf, const char *region, const Discovery *discovery, bool listed,
                 Now now, EnrolNews news, void *context);
