#pragma once
/* Which slots of an enrolment are due, and when: calendar, spread and catch-up. Pure. */

#include "base/clock.h"
#include "core/conf/conf.h"
#include "core/table/target.h"

/* The target's stable share of the schedule's spread: the same after a restart, different from target to target. In
 * [0, spread). */
int slot_share(const char *deployment, const Enrolment *e, Usec *ret_usec);

/* The slot after `cursor`. -ENOENT: none any more. */
int slot_next(const Enrolment *e, Usec after_wall, Usec *ret_wall);

/* The first instant at or after `wall` at which its schedule lets runs begin (not_during). */
Usec slot_open(const ScheduleConf *s, Usec wall);

/* What became due in (cursor, until]; `until` is now less the share. */
typedef struct SlotPlan {
    Usec run_wall;        /* the slot to run; WALL_UNKNOWN: none */
    Usec range_from_wall; /* slots that will not run, first and last; WALL_UNKNOWN: none */
    Usec range_to_wall;
    int64_t n_range; /* how many; SLOT_COUNT_MAX stands for that many or more */
} SlotPlan;
#define SLOT_COUNT_MAX 100000

/* A slot that is seen later than this counts as missed (catch_up = "none" then records it). */
#define SLOT_MISSED_USEC (15 * USEC_PER_MINUTE)

int slot_plan(const Enrolment *e, Usec until_wall, SlotPlan *ret);

/* The slot of a run that is ordered now: a second that no other run of the enrolment has or will have, which is this
 * one or soon after it. -EEXIST: the calendar has them all. */
int slot_ordered(const Enrolment *e, Usec now_wall, Usec *ret_wall);
