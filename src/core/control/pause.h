#pragma once
/* A pause: somebody wants nothing new to start for a while. It outlives the process, and always has an end. */

#include <stdbool.h>

#include "base/clock.h"
#include "base/macros.h"

/* None is longer. */
#define PAUSE_MAX_USEC (31 * USEC_PER_DAY)

typedef struct Pause {
    Usec since_wall, until_wall; /* 0 and 0: there is none */
    char *who, *why;             /* why is NULL where they gave no reason */
} Pause;

/* In place of the one that was. -ENOMEM leaves it alone. */
int pause_set(Pause *p, Usec since_wall, Usec until_wall, const char *who, const char *why);
void pause_done(Pause *p); /* there is none any more */
static inline bool pause_is_set(const Pause *p) { return p->until_wall > 0; }
