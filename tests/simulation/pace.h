#pragma once
/* How fast the service may be called: the rates that it documents, in any second, whatever the daemon's share. */

#include "base/clock.h"

typedef struct Pace Pace;

Pace *pace_new(void);
void pace_free(Pace *p);
/* A call leaves for a region's address. 0, or the rate that it exceeds. Operations that have no row may be called at
 * will. */
int pace_take(Pace *p, const char *url, const char *operation, Usec wall);
