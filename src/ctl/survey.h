#pragma once
/* The configuration beside what the ledger knows of tables: for `list --unprotected`, `--orphaned` and `--foreign`. */

#include "core/engine/ledger.h"
#include "core/table/place.h"
#include "ctl/options.h"
#include "io/store_read.h"

typedef struct Survey {
    const CtlOptions *options;
    Conf *conf;
    Places places; /* of the configuration; with their inventories */
    Targets targets;
    LedgerTable *tables; /* the inventory, by account, region and name */
    size_t n_tables, n_tables_room;
    bool qualified; /* names need account and region */
} Survey;

/* Fills it, and reads more by `more` (or NULL) while the ledger is open. An exit status; what went wrong was said. */
int survey_load(Survey *s, int (*more)(void *context, StoreRead *store), void *context);
void survey_done(Survey *s);
/* What is known of a table: of the ledger's place, not of a place of the configuration whose region is not known. */
TableFacts survey_facts(const Survey *s, const Place *p, const char *region, const char *table);

int list_unprotected(const CtlOptions *o, Usec now_wall, Text *out);
int list_orphaned(const CtlOptions *o, Usec now_wall, Text *out);
int list_foreign(const CtlOptions *o, Usec now_wall, Text *out);
