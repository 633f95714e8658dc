#pragma once
/* Every finished artefact of the ledger and what the configuration's retention says of it: for `prune --dry-run`. By
 * the ledger alone: whether the service still has them, and shows them finished, is asked when it counts. */

#include "core/expiry/stock.h"
#include "core/retention/retention.h"
#include "ctl/options.h"
#include "io/store_read.h"

typedef struct PruneRow {
    const StockItem *item;
    const Target *target;
    const char *guard;            /* why it is taken for foreign; NULL: it is ours. Static */
    bool finished, held, needed;  /* by itself or, an export, by its links */
    size_t n_links;               /* that go with it */
    const ScheduleConf *schedule; /* whose it is now; NULL: nobody's, and it stays */
    RetentionVerdict verdict;     /* with a schedule */
} PruneRow;

/* What a schedule comes to. */
typedef struct PruneSum {
    size_t n_kept, n_beyond;
    uint64_t bytes_beyond;
} PruneSum;

typedef struct Prune {
    const CtlOptions *options;
    const Conf *conf;
    Usec now_wall;
    Targets targets;
    struct PruneStock {
        const Target *target;
        Stock stock;
    } *stocks; /* of each target and action */
    size_t n_stocks, n_stocks_room;
    PruneRow *rows; /* by table, schedule, TableId; the newest first */
    size_t n_rows, n_room;
    PruneSum *sums; /* of each schedule of the configuration, in its order; of what has none, last */
    StockState state;
    bool qualified; /* names need account and region */
} Prune;

/* Reads and judges; options, conf and now_wall are set. On failure *ret_error is a message for people. */
int prune_load(Prune *p, char **ret_error);
void prune_done(Prune *p);
