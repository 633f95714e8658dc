#pragma once
/* Brings targets and enrolments in line with the configuration and the tables that exist. */

#include "core/conf/conf.h"
#include "core/table/place.h"
#include "core/table/target.h"

/* Called for each enrolment that begins (`enrolled`) or ends. */
typedef int (*EnrolNews)(void *context, Enrolment *e, bool enrolled);

/* Named tables are always selected, in each place of each account that they are for; tables that patterns select are
 * those of the place's listing when it has one, else those that were selected before. Tags that are not known give
 * nothing, and take nothing away. Sets Enrolment.schedule (NULL where it ended) and marks what changed. */
int enrol_update(Targets *targets, const Conf *conf, const Places *places, Now now, EnrolNews news, void *context);
/* The same for a single table that the place has: its tags were read. *ret: its target; untouched where it has none. */
int enrol_table(Targets *targets, const Conf *conf, const Place *p, const char *table, Now now, EnrolNews news,
                void *context, Target **ret);
/* The schedules of a table that exists. While its tags are not known, it keeps those of its active enrolments that tags
 * may give. The array is to be freed. -ENOMEM. */
int enrol_schedules(const Target *t, const Conf *conf, const TableFacts *facts, const ScheduleConf ***ret,
                    size_t *ret_n);
