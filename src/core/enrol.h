#pragma once
/* Brings targets and enrolments in line with the configuration and the tables that exist. */

#include "core/conf.h"
#include "core/ledger.h"
#include "core/place.h"
#include "core/target.h"

/* Called for each enrolment that begins (`enrolled`) or ends. */
typedef int (*EnrolNews)(void *context, Enrolment *e, bool enrolled);

/* Named tables are always selected, in each place of each account that they are for; tables that patterns select are those
 * of the place's listing when it has one, else those that were selected before. Sets Enrolment.schedule (NULL where it
 * ended) and marks what changed. */
int enrol_update(Targets *targets, const Conf *conf, const Places *places, Now now, EnrolNews news, void *context);
