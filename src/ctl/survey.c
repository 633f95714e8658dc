#include "ctl/survey.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "ctl/load_conf.h"
#include "ctl/verbs.h"

void survey_done(Survey *s) {
    for (size_t i = 0; i < s->n_tables; i++)
        ledger_table_done(&s->tables[i]);
    free(s->tables);
    targets_done(&s->targets);
    places_done(&s->places);
    conf_free(s->conf);
}

static int take_table(void *context, LedgerTable *table) {
    Survey *s = context;
    if (ARRAY_GROW(s->tables, s->n_tables, s->n_tables_room) < 0) {
        ledger_table_done(table);
        return -ENOMEM;
    }
    s->tables[s->n_tables++] = *table;
    const Place *p = places_find(&s->places, table->account, table->region);
    return p ? inventory_restore(&((Place *)p)->inventory, table->table, table->tags, table->tags_wall,
                                 table->seen_wall)
             : 0;
}

int survey_load(Survey *s, int (*more)(void *context, StoreRead *store), void *context) {
    CLEANUP(store_read_close_ptr) StoreRead *store = NULL;
    AUTO_FREE char *error = NULL;
    Now never = {};
    if (load_conf(s->options->config, &s->conf) < 0)
        return CTL_FAILED;
    if (places_make(s->conf, s->conf->aws.region, never, &s->places) < 0)
        return ctl_failed(NULL);
    int r = store_read_open(s->options->state_directory, &store, &error);
    if (r < 0)
        return ctl_failed(error);
    if ((r = store_read_targets(store, &s->targets)) < 0 || (r = store_read_inventory(store, take_table, s)) < 0 ||
        (more && (r = more(context, store)) < 0))
        return ctl_failed(*store_read_error(store) ? store_read_error(store) : strerror(-r));
    s->qualified = places_are_many(&s->places);
    for (size_t i = 0; i < s->targets.n_items; i++)
        s->qualified |= strcmp(s->targets.items[i]->account, s->targets.items[0]->account) != 0 ||
                        strcmp(s->targets.items[i]->region, s->targets.items[0]->region) != 0;
    return CTL_OK;
}

TableFacts survey_facts(const Survey *s, const Place *p, const char *region, const char *table) {
    const Target *t = targets_find(&s->targets, p->account, region, table);
    TableFacts facts = place_facts(p, table, t ? t->table_arn : NULL);
    facts.region = region;
    return facts;
}
