#include "core/ledger.h"

#include <stdlib.h>

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
    stock_state_done(&l->stock);
    pause_done(&l->pause);
    for (size_t i = 0; i < l->n_tables; i++)
        ledger_table_done(&l->tables[i]);
    free(l->tables);
    *l = (Ledger){};
}

bool ledger_batch_is_empty(const LedgerBatch *b) {
    return b->n_runs + b->n_targets + b->n_enrolments + b->n_ranges + b->n_orders + b->n_tables == 0 &&
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
}

void ledger_batch_done(LedgerBatch *b) {
    ledger_batch_clear(b);
    free(b->runs);
    free(b->targets);
    free(b->enrolments);
    free(b->ranges);
    stock_changes_done(&b->stock);
    free(b->orders);
    free(b->tables);
    *b = (LedgerBatch){};
}
