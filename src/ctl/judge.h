#pragma once
/* What the ledger's facts mean: the rules by which an enrolment, a run, the whole are ok, a warning, critical. */

#include "base/text.h"
#include "ctl/situation.h"

/* An unsettled run that is so long past a deadline at which the daemon would have settled it: no daemon acts. */
#define JUDGE_OVERDUE_USEC (5 * USEC_PER_MINUTE)

/* Adds a problem and takes its text; it stands after those that are as bad. */
int judge_add(Situation *s, Level level, Text *t);
/* Fills the levels, counts and problems of a situation that was just read, and sorts what is worst first. -ENOMEM. */
int judge(Situation *s);
