#include "core/engine/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void ledger_table_done(LedgerTable *t) {
    free(t->account);
    free(t->region);
    free(t->table);
    free(t->tags);
}

void ledger_done(Ledger *l) {
    targets_done(&l->targets);
    for (size_t i = 0; i < l->n_runs; i++)
        run_free(l->runs[i]);
    free(l->runs);
    for (size_t i = 0; i < l->n_lineages; i++)
        lineage_free(l->lineages[i]);
    free(l->lineages);
    stock_state_done(&l->stock);
    pause_done(&l->pause);
    for (size_t i = 0; i < l->n_tables; i++)
        ledger_table_done(&l->tables[i]);
    free(l->tables);
    *l = (Ledger){};
}

int ledger_lineage(Ledger *l, const char *account, const char *region, const char *table, const char *schedule,
                   Lineage **ret) {
    for (size_t i = l->n_lineages; i > 0; i--) {
        Lineage *found = l->lineages[i - 1];
        if (strcmp(found->table, table) == 0 && strcmp(found->schedule, schedule) == 0 &&
            strcmp(found->account, account) == 0 && strcmp(found->region, region) == 0) {
            *ret = found;
            return 0;
        }
    }
    if (ARRAY_GROW(l->lineages, l->n_lineages, l->n_lineages_room) < 0 ||
        lineage_new(account, region, table, schedule, ret) < 0)
        return -ENOMEM;
    l->lineages[l->n_lineages++] = *ret;
    return 0;
}

bool ledger_batch_is_empty(const LedgerBatch *b) {
    size_t n_chained = b->n_links + b->n_chains + b->n_losses + b->n_records;
    return b->n_runs + b->n_targets + b->n_enrolments + b->n_ranges + b->n_orders + b->n_tables + n_chained == 0 &&
           stock_changes_are_empty(&b->stock);
}

void ledger_batch_clear(LedgerBatch *b) {
    for (size_t i = 0; i < b->n_ranges; i++) {
        free(b->ranges[i].schedule);
        free(b->ranges[i].account);
        free(b->ranges[i].region);
        free(b->ranges[i].table);
    }
    stock_changes_clear(&b->stock);
    for (size_t i = 0; i < b->n_tables; i++)
        ledger_table_done(&b->tables[i]);
    b->n_runs = b->n_targets = b->n_enrolments = b->n_ranges = b->n_orders = b->n_tables = 0;
    b->n_links = b->n_chains = b->n_losses = b->n_records = 0;
}

void ledger_batch_done(LedgerBatch *b) {
    ledger_batch_clear(b);
    free(b->runs);
    free(b->targets);
    free(b->enrolments);
    free(b->ranges);
    free(b->links);
    free(b->chains);
    free(b->losses);
    free(b->records);
    stock_changes_done(&b->stock);
    free(b->orders);
    free(b->tables);
    *b = (LedgerBatch){};
}
