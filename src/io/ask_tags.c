/* The tags of the tables of places, for the programs that ask. */

#include <errno.h>
#include <stdio.h>

#include "io/ask.h"
#include "io/clocks.h"

typedef struct Reading {
    Ask *ask;
    Places *places;
    AwsError *errors;
} Reading;

/* Everything that may be asked for at once. */
static int go_on(Reading *r, size_t place, Now now) {
    Place *p = &r->places->items[place];
    for (;;) {
        AwsRequest *request = NULL;
        size_t call;
        int rc = r->errors[place].code[0] ? 0 : inventory_request(&p->inventory, now, &request, &call);
        if (rc < 0 || !request)
            return rc;
        rc = ask_begin(r->ask, p->account, p->region, request, place * INVENTORY_CALLS + call, now);
        if (rc < 0)
            return rc;
    }
}

static int take_tags(void *context, CallDone *done, Now now) {
    Reading *r = context;
    size_t place = (size_t)done->tag / INVENTORY_CALLS;
    Place *p = &r->places->items[place];
    AwsError *error = &r->errors[place];
    InventoryAnswer answer;
    InventoryRow *row;
    int rc = inventory_answer(&p->inventory, (size_t)done->tag % INVENTORY_CALLS, done, USEC_INFINITY / 2, now, &answer,
                              &row);
    if (rc < 0)
        return rc;
    if (answer == INVENTORY_FAILED) { /* one is enough */
        *error = done->error;
        if (done->error.class == AWS_OK)
            snprintf(error->code, sizeof error->code, "the tags make no sense");
    }
    return go_on(r, place, now);
}

static int ignore_news(void *context, const InventoryRow *row, bool gone) { return 0; }

static int begin(Reading *r, const Conf *conf, size_t place, Now now) {
    Place *p = &r->places->items[place];
    Inventory *v = &p->inventory;
    int rc = inventory_take_listing(v, p->discovery.names, p->discovery.n_names, now, ignore_news, NULL);
    for (size_t i = 0; rc >= 0 && i < v->n_rows; i++) {
        TableFacts facts = place_facts(p, v->rows[i]->table, NULL);
        rc = inventory_ask_for(v, v->rows[i], conf_asks_for_tags(conf, &facts), 0, now);
    }
    return rc < 0 ? rc : go_on(r, place, now);
}

int ask_tags(Ask *a, const Conf *conf, Places *places, AwsError *ret_errors) {
    Reading reading = {.ask = a, .places = places, .errors = ret_errors};
    Now now = clocks_read();
    int r = 0;
    for (size_t i = 0; r >= 0 && i < places->n_items; i++)
        if (places->items[i].has_listing)
            r = begin(&reading, conf, i, now);
    return r < 0 ? r : ask_run(a, take_tags, &reading);
}
