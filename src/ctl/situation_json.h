#pragma once
/* The members that status and check share, for programs. */

#include "ctl/json.h"
#include "ctl/situation.h"

/* "counts": what situation_summary counts. */
void situation_json_counts(Json *j, const Situation *s);
/* "problems": the worst first. */
void situation_json_problems(Json *j, const Situation *s);
