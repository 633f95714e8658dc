#pragma once
/* What will be due in a span of time, by the configuration; the ledger, where it can be read, adds the tables that
 * patterns select. */

#include "core/conf/conf.h"
#include "core/table/place.h"
#include "core/table/target.h"

typedef struct PlanRow {
    const ScheduleConf *schedule;
    char *table, *account, *region; /* account and region NULL where not known */
    bool is_pattern;                /* stands for tables that nothing here knows */
    Usec slot_wall;
    Usec due_wall; /* slot + the table's share of the spread; WALL_UNKNOWN: within the spread, somewhere */
} PlanRow;

typedef struct Plan {
    const Conf *conf;
    const Targets *targets; /* of the ledger; NULL: it could not be read */
    const Places *places;   /* of the configuration; one may have no region, which is not known then */
    Usec now_wall, until_wall;
    PlanRow *rows; /* by due instant (or slot), table, schedule */
    size_t n_rows, n_room;
} Plan;

/* Does the user want this one? */
typedef bool (*PlanWanted)(const void *context, const char *account, const char *region, const char *table,
                           const char *schedule);

/* Fills the rows; the other members are set. -ENOMEM. */
int plan_make(Plan *p, PlanWanted wanted, const void *context);
void plan_done(Plan *p);
