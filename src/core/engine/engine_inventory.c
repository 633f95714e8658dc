/* Which tables places have, and their tags: what listings show, what is read table by table, and
 * what the ledger keeps. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

/* A call waits for its turn at most so long. */
#define PATIENCE_USEC (10 * USEC_PER_MINUTE)

int engine_restore_inventories(Engine *e, const Ledger *ledger) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < ledger->n_tables; i++) {
        const LedgerTable *t = &ledger->tables[i];
        Place *p = places_find(&e->places, t->account, t->region);
        if (p)
            r = inventory_restore(&p->inventory, t->table, t->tags, t->tags_wall, t->seen_wall);
    }
    return r;
}

int engine_keep_inventories(Engine *e, Places *old, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < old->n_items; i++) {
        Place *from = &old->items[i], *to = places_find(&e->places, from->account, from->region ? from->region : "");
        if (!to)
            continue;
        r = inventory_cancel(&from->inventory, now);
        to->inventory = from->inventory;
        from->inventory = (Inventory){};
    }
    return r;
}

/* For the next commit; nobody waits for it. */
static int put(Engine *e, const Place *p, const InventoryRow *row, bool gone) {
    if (ARRAY_GROW(e->tables, e->n_tables, e->n_tables_room) < 0)
        return -ENOMEM;
    LedgerTable *t = &e->tables[e->n_tables++];
    *t = (LedgerTable){.tags_wall = row->tags_wall, .seen_wall = row->seen_wall, .gone = gone};
    return text_set(&t->account, p->account) < 0 || text_set(&t->region, p->region) < 0 ||
                   text_set(&t->table, row->table) < 0 || text_set(&t->tags, row->tags) < 0
               ? -ENOMEM
               : 0;
}

int engine_put_tables(Engine *e, EngineOutbox *out) {
    LedgerBatch *b = &out->batch;
    for (size_t i = 0; i < e->n_tables; i++) {
        if (ARRAY_GROW(b->tables, b->n_tables, b->n_tables_room) < 0)
            return -ENOMEM;
        b->tables[b->n_tables++] = e->tables[i];
        e->tables[i] = (LedgerTable){};
    }
    e->n_tables = 0;
    return 0;
}

typedef struct ListingContext {
    Engine *engine;
    const Place *place;
} ListingContext;

static int listing_news(void *context, const InventoryRow *row, bool gone) {
    ListingContext *c = context;
    return put(c->engine, c->place, row, gone);
}

int engine_take_listing(Engine *e, Place *p, Now now) {
    ListingContext c = {.engine = e, .place = p};
    int r = inventory_take_listing(&p->inventory, p->discovery.names, p->discovery.n_names, now, listing_news, &c);
    for (size_t i = 0; r >= 0 && i < p->inventory.n_rows; i++) {
        InventoryRow *row = p->inventory.rows[i];
        TableFacts facts = place_facts(p, row->table, NULL);
        r = inventory_ask_for(&p->inventory, row, conf_asks_for_tags(e->conf, &facts),
                              e->conf->aws.inspection_interval_usec, now);
    }
    return r;
}

void engine_meet_places(Engine *e) {
    for (size_t i = 0; i < e->places.n_items; i++)
        if (!*e->places.items[i].account_id)
            snprintf(e->places.items[i].account_id, sizeof e->places.items[i].account_id, PLACE_STRANGER);
}

/* Without a role, whose account it is is learned from the tables of ARNs, in turn, until one of them exists. */
static int seek_account(Engine *e, Place *p) {
    Inventory *v = &p->inventory;
    if (strcmp(p->account_id, PLACE_STRANGER) != 0 || v->arn_prefix || v->learn_from)
        return 0;
    TableFacts place = place_facts(p, NULL, NULL);
    const char *table = NULL;
    for (int round = 0; !table && round < 2; round++) {
        table = conf_arn_table(e->conf, &place, p->n_sought++);
        p->n_sought = table ? p->n_sought : 0;
    }
    return text_set(&v->learn_from, table);
}

int engine_seek_accounts(Engine *e) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->places.n_items; i++)
        r = seek_account(e, &e->places.items[i]);
    return r;
}

Usec engine_inventory_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->places.n_items; i++)
        next = usec_min(next, inventory_next_mono(&e->places.items[i].inventory));
    return next;
}

static int ask(Engine *e, size_t place, Now now, bool *ret_more) {
    Place *p = &e->places.items[place];
    AwsRequest *request = NULL;
    size_t call;
    int r = inventory_request(&p->inventory, now, &request, &call);
    *ret_more = request != NULL;
    if (r < 0 || !request)
        return r;
    return client_begin(e->client,
                        &(CallSpec){.account = p->account,
                                    .region = p->region,
                                    .request = request,
                                    .tag = tag_make(TAG_OF_TAGS, place * INVENTORY_CALLS + call),
                                    .deadline_mono = now.mono + PATIENCE_USEC},
                        now);
}

int engine_read_tags(Engine *e, Now now) {
    int r = engine_seek_accounts(e);
    for (size_t i = 0; r >= 0 && i < e->places.n_items; i++)
        for (bool more = true; r >= 0 && more;)
            r = ask(e, i, now, &more);
    return r;
}

void engine_cancel_tags(Engine *e) {
    for (size_t i = 0; i < e->places.n_items * INVENTORY_CALLS; i++)
        client_cancel(e->client, tag_make(TAG_OF_TAGS, i));
}

static int say_failed(Engine *e, const Place *p, const InventoryRow *row, const AwsError *error, EngineOutbox *out) {
    char label[PLACE_LABEL_SIZE];
    Report *report = NULL;
    int r =
        report_plain(REPORT_DISCOVERY_FAILED, &report,
                     "%s: %s%s could not be read: %s%s%s; entries with tags or ARNs keep the tables that they had%s%s",
                     place_label(p, e->qualified, label), row ? "the tags of " : "whose account it is",
                     row ? row->table : "", error->code[0] ? error->code : "the reply makes no sense",
                     error->message[0] ? ": " : "", error->message, error->hint ? "; HINT: " : "",
                     error->hint ? error->hint : "");
    return r < 0 ? r : engine_say(out, report);
}

int engine_tags_read(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    size_t at = tag_index(done->tag);
    Place *p = &e->places.items[at / INVENTORY_CALLS];
    InventoryAnswer answer;
    InventoryRow *row;
    bool trouble;
    int r = engine_take_place(e, p, done, out, &trouble);
    if (r < 0 || (r = inventory_answer(&p->inventory, at % INVENTORY_CALLS, done, e->conf->aws.inspection_interval_usec,
                                       now, &answer, &row)) < 0)
        return r;
    switch (answer) {
    case INVENTORY_GOES_ON:
        return 0;
    case INVENTORY_LEARNED:
        e->enrol_wanted |= strcmp(p->account_id, PLACE_STRANGER) == 0;
        return 0;
    case INVENTORY_KEPT:
        return put(e, p, row, false);
    case INVENTORY_READ:
        e->count_wanted = true;
        r = put(e, p, row, false);
        return r < 0 ? r : engine_enrol_table(e, p, row->table, now, out);
    case INVENTORY_FAILED: /* trouble of the place was said for it */
        return trouble ? 0 : say_failed(e, p, row, &done->error, out);
    }
    return 0;
}
