#pragma once
/* What `ddbackupctl rebuild` found at the service, and what became of it. */

#include "base/text.h"
#include "core/rebuild/regain.h"
#include "core/table/place.h"
#include "ctl/options.h"

typedef struct Rebuild {
    const CtlOptions *options;
    const Conf *conf;
    const Places *places;
    bool qualified;          /* names need account and region */
    const char *credentials; /* where those are from, as fetched_say has it */
    RegainTable *tables;
    size_t n_tables;
    size_t n_runs, n_chains, n_links; /* taken in */
    size_t n_failed_tables, n_failed_places; /* tables; places whose tables could not be listed */
    Usec now_wall;
} Rebuild;

/* The answer, for people or for programs. */
int rebuild_print(const Rebuild *b, Text *out);
