#include "core/chain/lineage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"

static Usec floor_second(Usec wall) { return wall - wall % USEC_PER_SEC; }
static Usec ceil_second(Usec wall) { return (wall + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC; }

int lineage_new(const char *account, const char *region, const char *table, const char *schedule, Lineage **ret) {
    CLEANUP(lineage_free_ptr) Lineage *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->first_wall = l->recovery_wall = l->base_tried_wall = WALL_UNKNOWN;
    l->look = HEAP_NODE(l);
    if (text_set(&l->account, account) < 0 || text_set(&l->region, region) < 0 || text_set(&l->table, table) < 0 ||
        text_set(&l->schedule, schedule) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(l);
    return 0;
}

void lineage_free(Lineage *l) {
    if (!l)
        return;
    for (size_t i = 0; i < l->n_chains; i++)
        chain_free(l->chains[i]);
    for (size_t i = 0; i < l->n_losses; i++)
        free(l->losses[i].why);
    free(l->chains);
    free(l->losses);
    free(l->account);
    free(l->region);
    free(l->table);
    free(l->schedule);
    free(l);
}

/* --- chains --- */

Chain *lineage_chain(const Lineage *l, int64_t id) {
    for (size_t i = 0; i < l->n_chains; i++)
        if (l->chains[i]->id == id)
            return l->chains[i];
    return NULL;
}

Chain *lineage_chain_of_base(const Lineage *l, const char *base_arn) {
    for (size_t i = 0; i < l->n_chains; i++)
        if (strcmp(l->chains[i]->base_arn, base_arn) == 0)
            return l->chains[i];
    return NULL;
}

int lineage_add_chain(Lineage *l, Chain *c) {
    if (ARRAY_GROW(l->chains, l->n_chains, l->n_room) < 0)
        return -ENOMEM;
    size_t i = l->n_chains++;
    for (; i > 0 && l->chains[i - 1]->base_wall > c->base_wall; i--)
        l->chains[i] = l->chains[i - 1];
    l->chains[i] = c;
    return 0;
}

void lineage_forget(Lineage *l, size_t i) {
    chain_free(l->chains[i]);
    memmove(&l->chains[i], &l->chains[i + 1], (--l->n_chains - i) * sizeof *l->chains);
}

static Chain *last_in(const Lineage *l, ChainState state) {
    for (size_t i = l->n_chains; i > 0; i--)
        if (l->chains[i - 1]->state == state)
            return l->chains[i - 1];
    return NULL;
}

Chain *lineage_head(const Lineage *l) {
    Chain *growing = last_in(l, CHAIN_GROWING);
    return growing ? growing : last_in(l, CHAIN_FORMING);
}

bool lineage_is_fed(const Lineage *l, const Chain *c) {
    switch (c->state) {
    case CHAIN_FORMING:
        return c == lineage_head(l);
    case CHAIN_GROWING:
    case CHAIN_CLOSING:
    case CHAIN_BROKEN: /* windows before what was lost */
        return true;
    case CHAIN_CLOSED:
    case CHAIN_VOID:
    case CHAIN_STATES:
        break;
    }
    return false;
}

void lineage_succeed(Lineage *l) {
    const Chain *next = NULL; /* the verified one after the one that is looked at */
    for (size_t i = l->n_chains; i > 0; i--) {
        Chain *c = l->chains[i - 1];
        if (chain_watermark(c) == WALL_UNKNOWN)
            continue;
        if (next && c->state == CHAIN_GROWING) {
            c->end_wall = ceil_second(next->base_wall);
            chain_apply(c, CHAIN_EV_SUCCEEDED, NULL);
        }
        if (c->state == CHAIN_CLOSING && c->covered_wall >= c->end_wall)
            chain_apply(c, CHAIN_EV_COMPLETED, NULL);
        next = c;
    }
    LostSpan *loss = lineage_open_loss(l);
    const Chain *growing = last_in(l, CHAIN_GROWING);
    if (loss && growing) {
        loss->to_wall = usec_max(loss->from_wall, floor_second(growing->base_wall));
        loss->changed = true;
    }
    for (size_t i = 0; i < l->n_chains; i++)
        if (chain_watermark(l->chains[i]) != WALL_UNKNOWN &&
            (l->first_wall == WALL_UNKNOWN || l->chains[i]->base_wall < l->first_wall))
            l->first_wall = l->chains[i]->base_wall;
}

Usec lineage_watermark(const Lineage *l) {
    Usec watermark = l->enrolment ? l->enrolment->newest_wall : WALL_UNKNOWN;
    for (size_t i = 0; i < l->n_chains; i++)
        watermark = usec_max(watermark, chain_watermark(l->chains[i]));
    return watermark;
}

/* --- slots and losses --- */

const LostSpan *lineage_loss_at(const Lineage *l, Usec slot_wall) {
    for (size_t i = 0; i < l->n_losses; i++)
        if (slot_wall > l->losses[i].from_wall && slot_wall < l->losses[i].to_wall)
            return &l->losses[i];
    return NULL;
}

LostSpan *lineage_open_loss(const Lineage *l) {
    return l->n_losses > 0 && l->losses[l->n_losses - 1].to_wall == USEC_INFINITY ? &l->losses[l->n_losses - 1] : NULL;
}

/* A chain that has an end has not come to the slot, which lies before it. What lies at the end of one that closes is
 * the next base's instant. */
static bool is_behind(const Chain *c, Usec slot_wall) {
    bool ends = c->state == CHAIN_CLOSING || c->state == CHAIN_BROKEN;
    return ends && slot_wall > chain_watermark(c) &&
           (slot_wall < c->end_wall || (slot_wall == c->end_wall && c->state == CHAIN_BROKEN));
}

SlotStanding lineage_slot(const Lineage *l, Usec slot_wall) {
    if (lineage_loss_at(l, slot_wall))
        return SLOT_LOST;
    for (size_t i = 0; i < l->n_chains; i++)
        if (is_behind(l->chains[i], slot_wall))
            return SLOT_OPEN;
    if (l->first_wall != WALL_UNKNOWN && slot_wall >= l->first_wall && slot_wall <= lineage_watermark(l))
        return SLOT_COVERED;
    for (size_t i = 0; i < l->n_chains; i++)
        if (slot_wall >= l->chains[i]->base_wall &&
            (l->chains[i]->state == CHAIN_FORMING || l->chains[i]->state == CHAIN_GROWING))
            return SLOT_OPEN;
    return SLOT_BASELESS;
}

Usec lineage_lost_until(const Lineage *l, const Chain *c) {
    Usec until = c->state == CHAIN_CLOSING || c->state == CHAIN_BROKEN ? c->end_wall : USEC_INFINITY;
    for (size_t i = 0; i < l->n_chains; i++)
        if (l->chains[i]->base_wall > c->base_wall && chain_watermark(l->chains[i]) != WALL_UNKNOWN)
            return usec_min(until, floor_second(l->chains[i]->base_wall));
    return until;
}

int lineage_lose(Lineage *l, int64_t chain_id, Usec from_wall, Usec to_wall, const char *why, Usec now_wall) {
    for (size_t i = 0; i < l->n_losses; i++) {
        if (from_wall >= l->losses[i].from_wall && from_wall < l->losses[i].to_wall)
            from_wall = l->losses[i].to_wall;
        if (from_wall < l->losses[i].from_wall)
            to_wall = usec_min(to_wall, l->losses[i].from_wall);
    }
    if (from_wall >= to_wall)
        return 0;
    char *copy = strdup(why);
    if (!copy || ARRAY_GROW(l->losses, l->n_losses, l->n_losses_room) < 0) {
        free(copy);
        return -ENOMEM;
    }
    size_t i = l->n_losses++;
    for (; i > 0 && l->losses[i - 1].from_wall > from_wall; i--)
        l->losses[i] = l->losses[i - 1];
    l->losses[i] = (LostSpan){.chain_id = chain_id,
                              .from_wall = from_wall,
                              .to_wall = to_wall,
                              .noticed_wall = now_wall,
                              .why = copy,
                              .changed = true};
    return 0;
}

/* --- recovery --- */

/* The table bears the name, and is another one. */
static bool is_another(const Lineage *l, const Chain *c) {
    const Target *t = l->enrolment ? l->enrolment->target : NULL;
    return t && t->table_id && t->table_id[0] && c->table_id[0] && strcmp(t->table_id, c->table_id) != 0;
}

Usec lineage_earliest(const Lineage *l, const Chain *c) {
    if (l->table_is_gone || is_another(l, c))
        return USEC_INFINITY;
    if (l->recovery_wall == WALL_UNKNOWN)
        return 0;
    if (!l->recovery.pitr_enabled)
        return USEC_INFINITY;
    return l->recovery.earliest_wall;
}

void lineage_explain(const Lineage *l, const Chain *c, char *buffer, size_t size) {
    char earliest[DATE_ISO_SIZE] = "-";
    const RecoveryInfo *r = &l->recovery;
    if (r->earliest_wall != WALL_UNKNOWN)
        date_to_iso(r->earliest_wall, earliest);
    bool by_period = r->period_days != COUNT_UNKNOWN && l->recovery_wall - r->period_days * USEC_PER_DAY >=
                                                            r->earliest_wall - 10 * USEC_PER_MINUTE;
    if (is_another(l, c))
        snprintf(buffer, size, "the table was deleted and created again: its TableId is %.64s, not %.64s",
                 l->enrolment->target->table_id, c->table_id);
    else if (l->table_is_gone)
        snprintf(buffer, size, "the table does not exist any more");
    else if (!r->pitr_enabled)
        snprintf(buffer, size, "point-in-time recovery is off");
    else if (by_period)
        snprintf(buffer, size, "point-in-time recovery keeps %lld days, and reaches back to %s alone",
                 (long long)r->period_days, earliest);
    else
        snprintf(buffer, size, "point-in-time recovery was switched off and on again: it reaches back to %s alone",
                 earliest);
}

Usec lineage_margin(const Lineage *l, Usec now_wall) {
    Usec oldest = USEC_INFINITY;
    for (size_t i = 0; i < l->n_chains; i++)
        if (lineage_is_fed(l, l->chains[i]) && l->chains[i]->covered_wall < l->chains[i]->end_wall)
            oldest = usec_min(oldest, l->chains[i]->covered_wall);
    if (oldest == USEC_INFINITY || l->recovery.period_days == COUNT_UNKNOWN || !l->recovery.pitr_enabled)
        return USEC_INFINITY;
    return usec_max(0, oldest + l->recovery.period_days * USEC_PER_DAY - now_wall);
}
