#pragma once
/* What ddbackupctl can be asked. Each adds its whole answer to `out`, says what went wrong on standard error, and
 * returns the exit status. */

#include "base/text.h"
#include "ctl/options.h"

#define CTL_OK 0
#define CTL_FAILED 1 /* the answer could not be had */
#define CTL_USAGE 2
#define CTL_BAD 2 /* verify: it is bad */

int verb_status(const CtlOptions *o, Usec now_wall, Text *out);
int verb_list(const CtlOptions *o, Usec now_wall, Text *out);
int verb_show(const CtlOptions *o, Usec now_wall, Text *out);
int verb_chain(const CtlOptions *o, Usec now_wall, Text *out); /* 0 covered, 1 late, 2 lost or not known */
int verb_check(const CtlOptions *o, Usec now_wall, Text *out); /* 0 OK, 1 WARNING, 2 CRITICAL */
int verb_plan(const CtlOptions *o, Usec now_wall, Text *out);
int verb_calendar(const CtlOptions *o, Usec now_wall, Text *out);
int verb_prune(const CtlOptions *o, Usec now_wall, Text *out);
int verb_doctor(const CtlOptions *o, Usec now_wall, Text *out); /* 0 all is well, 1 warnings, 2 something has failed */
int verb_rebuild(const CtlOptions *o, Usec now_wall, Text *out);
/* 0 passed, 1 could not be told, 2 bad */
int verb_verify(const CtlOptions *o, Usec now_wall, Text *out);
int verb_run(const CtlOptions *o, Usec now_wall, Text *out);   /* 1, too, when it waited and a run did not succeed */
int verb_order(const CtlOptions *o, Usec now_wall, Text *out); /* every other order */
int verb_confirm_prune(const CtlOptions *o, Text *out);        /* of prune */
int verb_set_aside(const CtlOptions *o, Usec now_wall, Text *out);

/* Says `error` (owned by the caller; NULL: no memory for it) on standard error and returns CTL_FAILED. */
int ctl_failed(const char *error);
