#include "core/expiry/stock.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

static const char *const decisions[DECISIONS] = {
    [DECISION_KEPT] = "kept",           [DECISION_BEYOND] = "beyond",   [DECISION_EXPIRING] = "expiring",
    [DECISION_WITHDRAWN] = "withdrawn", [DECISION_EXPIRED] = "expired", [DECISION_GONE] = "gone",
    [DECISION_HELD] = "held",           [DECISION_RELEASED] = "released", [DECISION_ADOPTED] = "adopted",
};

const char *decision_to_string(Decision d) { return decisions[d]; }

int decision_from_string(const char *s, Decision *ret) {
    for (int i = 0; i < DECISIONS; i++)
        if (strcmp(s, decisions[i]) == 0) {
            *ret = (Decision)i;
            return 0;
        }
    return -EINVAL;
}

bool decision_sets_life(Decision d, ArtefactLife *ret) {
    switch (d) {
    case DECISION_EXPIRING:
        *ret = ARTEFACT_EXPIRING;
        return true;
    case DECISION_WITHDRAWN:
        *ret = ARTEFACT_VERIFIED;
        return true;
    case DECISION_EXPIRED:
        *ret = ARTEFACT_EXPIRED;
        return true;
    case DECISION_GONE:
        *ret = ARTEFACT_GONE;
        return true;
    case DECISION_KEPT:
    case DECISION_BEYOND:
    case DECISION_HELD:
    case DECISION_RELEASED:
    case DECISION_ADOPTED:
    case DECISIONS:
        break;
    }
    return false;
}

static void item_done(StockItem *i) {
    artefact_free(i->artefact);
    free(i->schedule);
    free(i->intended_name);
    free(i->account);
    free(i->region);
    free(i->table);
    free(i->hold_why);
    free(i->hold_who);
    free(i->decision_why);
    free(i->base_arn);
}

void stock_done(Stock *s) {
    for (size_t i = 0; i < s->n_items; i++)
        item_done(&s->items[i]);
    free(s->items);
    *s = (Stock){};
}

int stock_prefix(const char *table_arn, char **ret) {
    char *prefix = text_format("%s/backup/", table_arn);
    if (!prefix)
        return -ENOMEM;
    *ret = prefix;
    return 0;
}

bool stock_changes_are_empty(const StockChanges *c) {
    return c->n_artefacts + c->n_decisions + c->n_holds + c->n_brakes + c->n_checks == 0 &&
           c->expiry == STOCK_SWITCH_STAYS;
}

void stock_brake_done(StockBrake *b) {
    free(b->account);
    free(b->region);
    free(b->table);
    free(b->schedule);
    free(b->table_id);
    free(b->who);
    *b = (StockBrake){};
}

void stock_changes_clear(StockChanges *c) {
    for (size_t i = 0; i < c->n_artefacts; i++)
        artefact_free(c->artefacts[i]);
    for (size_t i = 0; i < c->n_decisions; i++) {
        free(c->decisions[i].arn);
        free(c->decisions[i].why);
        free(c->decisions[i].who);
    }
    for (size_t i = 0; i < c->n_holds; i++) {
        free(c->holds[i].arn);
        free(c->holds[i].why);
        free(c->holds[i].who);
    }
    for (size_t i = 0; i < c->n_brakes; i++)
        stock_brake_done(&c->brakes[i]);
    for (size_t i = 0; i < c->n_checks; i++) {
        free(c->checks[i].arn);
        free(c->checks[i].found);
        free(c->checks[i].summary_md5);
        free(c->checks[i].files_md5);
    }
    c->n_artefacts = c->n_decisions = c->n_holds = c->n_brakes = c->n_checks = 0;
    c->expiry = STOCK_SWITCH_STAYS;
    free(TAKE_PTR(c->expiry_who));
}

void stock_changes_done(StockChanges *c) {
    stock_changes_clear(c);
    free(c->artefacts);
    free(c->decisions);
    free(c->holds);
    free(c->brakes);
    free(c->checks);
    *c = (StockChanges){};
}

int stock_put_decision(StockChanges *c, const char *arn, Decision decision, const char *why, const char *who) {
    if (ARRAY_GROW(c->decisions, c->n_decisions, c->n_decisions_room) < 0)
        return -ENOMEM;
    StockDecision *d = &c->decisions[c->n_decisions++];
    *d = (StockDecision){.decision = decision};
    return text_set(&d->arn, arn) < 0 || text_set(&d->why, why) < 0 || text_set(&d->who, who) < 0 ? -ENOMEM : 0;
}

int stock_put_hold(StockChanges *c, const char *arn, Usec until_wall, const char *why, const char *who) {
    if (ARRAY_GROW(c->holds, c->n_holds, c->n_holds_room) < 0)
        return -ENOMEM;
    StockHold *h = &c->holds[c->n_holds++];
    *h = (StockHold){.until_wall = until_wall};
    return text_set(&h->arn, arn) < 0 || text_set(&h->why, why) < 0 || text_set(&h->who, who) < 0 ? -ENOMEM : 0;
}

int stock_put_check(StockChanges *c, const StockCheck *from) {
    if (ARRAY_GROW(c->checks, c->n_checks, c->n_checks_room) < 0)
        return -ENOMEM;
    StockCheck *check = &c->checks[c->n_checks++];
    *check = (StockCheck){.level = from->level, .passed = from->passed};
    return text_set(&check->arn, from->arn) < 0 || text_set(&check->found, from->found) < 0 ||
                   text_set(&check->summary_md5, from->summary_md5) < 0 ||
                   text_set(&check->files_md5, from->files_md5) < 0
               ? -ENOMEM
               : 0;
}

int stock_brake_copy(const StockBrake *from, StockBrake *to) {
    *to = (StockBrake){.n_delete = from->n_delete,
                       .n_all = from->n_all,
                       .since_wall = from->since_wall,
                       .n_confirmed = from->n_confirmed};
    if (text_set(&to->account, from->account) < 0 || text_set(&to->region, from->region) < 0 ||
        text_set(&to->table, from->table) < 0 || text_set(&to->schedule, from->schedule) < 0 ||
        text_set(&to->table_id, from->table_id) < 0 || text_set(&to->who, from->who) < 0)
        return -ENOMEM;
    return 0;
}

int stock_put_brake(StockChanges *c, const StockBrake *brake) {
    if (ARRAY_GROW(c->brakes, c->n_brakes, c->n_brakes_room) < 0)
        return -ENOMEM;
    return stock_brake_copy(brake, &c->brakes[c->n_brakes++]);
}

void stock_state_done(StockState *s) {
    for (size_t i = 0; i < s->n_brakes; i++)
        stock_brake_done(&s->brakes[i]);
    free(s->brakes);
    free(s->expires_who);
    stock_done(&s->expiring);
    *s = (StockState){};
}

/* --- what will be --- */

StockItem *stock_find(const Stock *s, const char *arn) {
    for (size_t i = 0; i < s->n_items; i++)
        if (strcmp(s->items[i].artefact->arn, arn) == 0)
            return &s->items[i];
    return NULL;
}

static int overlay_decision(StockItem *i, const StockDecision *d) {
    (void)decision_sets_life(d->decision, &i->artefact->life);
    if (d->decision == DECISION_HELD || d->decision == DECISION_RELEASED || d->decision == DECISION_ADOPTED)
        return 0;
    i->decision = d->decision;
    return text_set(&i->decision_why, d->why);
}

int stock_overlay(Stock *s, const StockChanges *c) {
    size_t n_kept = 0;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < c->n_decisions; i++) {
        StockItem *item = stock_find(s, c->decisions[i].arn);
        r = item ? overlay_decision(item, &c->decisions[i]) : 0;
    }
    for (size_t i = 0; r >= 0 && i < c->n_holds; i++) {
        StockItem *item = stock_find(s, c->holds[i].arn);
        if (!item)
            continue;
        item->hold_until_wall = c->holds[i].until_wall;
        if (text_set(&item->hold_why, c->holds[i].why) < 0 || text_set(&item->hold_who, c->holds[i].who) < 0)
            r = -ENOMEM;
    }
    for (size_t i = 0; i < c->n_checks; i++) {
        StockItem *item = stock_find(s, c->checks[i].arn);
        if (item && !c->checks[i].passed)
            item->artefact->life = ARTEFACT_DISPROVED;
    }
    for (size_t i = 0; i < s->n_items; i++) {
        ArtefactLife life = s->items[i].artefact->life;
        if (life == ARTEFACT_VERIFIED || life == ARTEFACT_EXPIRING)
            s->items[n_kept++] = s->items[i];
        else
            item_done(&s->items[i]);
    }
    s->n_items = n_kept;
    return r;
}
