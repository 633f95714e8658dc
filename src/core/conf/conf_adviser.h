#pragma once
/* Inside of core/conf_advice: who looks, and how it is said. */

#include "core/conf/conf.h"

typedef struct ConfAdviser {
    const Conf *conf;
    const ConfTree *root, *defaults; /* defaults: NULL where there are none */
    Usec now_wall;
    ConfProblems *advice;
    int error; /* the first; nothing is said after it */
} ConfAdviser;

void conf_adviser_say(ConfAdviser *a, const ConfTree *node, const char *format, ...) PRINTF_LIKE(3, 4);

void conf_advise_schedule(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node);
/* The n-th entry of `tables`. */
void conf_advise_entry(ConfAdviser *a, size_t n, const ConfTree *node);
