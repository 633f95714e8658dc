#pragma once
/* The slot that an enrolment waits for, by what the ledger holds: its calendar with zone, and its cursor. */

#include "core/table/target.h"

/* WALL_UNKNOWN: never again, or the ledger does not tell. */
Usec next_slot(const Enrolment *e);
