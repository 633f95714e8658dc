/* Chains of incremental exports: what is asked of their tables, when, and whether there is a window to ask for. The
 * engine's side of core/chain/lineage.h; its links are engine_link.c's, losses and the runs that wait for a chain
 * engine_loss.c's, bases engine_base.c's. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/slot.h"

/* So often at least each table's recovery is asked for, so that what is lost is noticed. */
#define LOOK_USEC USEC_PER_HOUR
/* What is looked at again because it should have been there. */
#define LOOK_SOON_USEC (30 * USEC_PER_SEC)
/* While a chain waits for its first base, or a new one. */
#define LOOK_BASE_USEC (5 * USEC_PER_MINUTE)
/* Calls of many tables wait for each other. */
#define PATIENCE_USEC (30 * USEC_PER_MINUTE)

/* --- life --- */

int engine_load_chains(Engine *e, Ledger *ledger, Now now) {
    e->lineages = TAKE_PTR(ledger->lineages);
    e->n_lineages = ledger->n_lineages;
    e->n_lineages_room = ledger->n_lineages_room;
    e->next_chain_id = ledger->next_chain_id;
    ledger->n_lineages = 0;
    for (size_t i = 0; i < e->n_lineages; i++) {
        Lineage *l = e->lineages[i];
        const Target *t = targets_find(&e->targets, l->account, l->region, l->table);
        l->index = i;
        l->enrolment = t ? target_enrolment(t, l->schedule) : NULL;
        if (l->enrolment)
            l->enrolment->lineage = l;
        int r = engine_want_records(e, l, now);
        if (r < 0)
            return r;
    }
    return 0;
}

void engine_chain_waits(Engine *e, Lineage *l, bool waits) {
    e->n_waiting += (size_t)waits - (size_t)l->waits_for_turn;
    l->waits_for_turn = waits;
}

int engine_enrol_chain(Engine *e, Enrolment *n, Now now) {
    const Target *t = n->target;
    Lineage *l = n->lineage;
    if (!n->schedule || n->schedule->action != ACTION_INCREMENTAL)
        return l ? heap_set(&e->looks, &l->look, USEC_INFINITY) : 0;
    if (!l) {
        if (ARRAY_GROW(e->lineages, e->n_lineages, e->n_lineages_room) < 0 ||
            lineage_new(t->account, t->region, t->table, n->schedule_name, &l) < 0)
            return -ENOMEM;
        l->index = e->n_lineages;
        l->enrolment = n;
        n->lineage = e->lineages[e->n_lineages++] = l;
    }
    /* tables are enrolled anew each time they are listed: who waits for a time goes on waiting */
    bool looks = l->asking != LINEAGE_IDLE || l->waits_for_turn || l->look.at != USEC_INFINITY;
    return looks ? 0 : heap_set(&e->looks, &l->look, now.wall);
}

void engine_reconfigure_chains(Engine *e) {
    for (size_t i = 0; i < e->n_lineages; i++) {
        engine_chain_waits(e, e->lineages[i], false);
        heap_set(&e->looks, &e->lineages[i]->look, USEC_INFINITY);
    }
}

Lineage *engine_lineage_of(const Engine *e, const Run *r) {
    const Target *t = targets_find(&e->targets, r->account, r->region, r->table);
    const Enrolment *n = t ? target_enrolment(t, r->schedule) : NULL;
    return n ? n->lineage : NULL;
}

int engine_put_chain(EngineOutbox *out, Chain *c) {
    LedgerBatch *b = &out->batch;
    if (!c->changed || c->listed)
        return 0;
    if (ARRAY_GROW(b->chains, b->n_chains, b->n_chains_room) < 0)
        return -ENOMEM;
    b->chains[b->n_chains++] = c;
    c->listed = true;
    return 0;
}

void engine_chains_committed(Engine *e, const LedgerBatch *batch) {
    for (size_t i = 0; i < batch->n_chains; i++)
        batch->chains[i]->changed = batch->chains[i]->listed = false;
    for (size_t i = 0; i < batch->n_losses; i++)
        for (size_t j = 0; j < batch->losses[i]->n_losses; j++)
            batch->losses[i]->losses[j].changed = false;
    for (size_t i = 0; batch->n_chains > 0 && i < e->n_lineages; i++)
        for (size_t j = e->lineages[i]->n_chains; j > 0; j--)
            if (e->lineages[i]->chains[j - 1]->settled_wall != WALL_UNKNOWN)
                lineage_forget(e->lineages[i], j - 1);
}

/* --- looking --- */

static int ask(Engine *e, Lineage *l, LineageAsking asking, Now now) {
    AwsOp op = asking == LINEAGE_ASKS_TABLE ? AWS_OP_DESCRIBE_TABLE : AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    if (!q || text_set(asking == LINEAGE_ASKS_TABLE ? &q->describe_table.table : &q->describe_continuous_backups.table,
                       l->table) < 0)
        return -ENOMEM;
    l->asking = asking;
    heap_set(&e->looks, &l->look, USEC_INFINITY);
    return client_begin(e->client,
                        &(CallSpec){.account = l->account,
                                    .region = l->region,
                                    .request = TAKE_PTR(q),
                                    .tag = tag_make(TAG_OF_LINEAGE, l->index),
                                    .deadline_mono = now.mono + PATIENCE_USEC},
                        now);
}

int engine_doubt_link(Engine *e, const Run *r, Now now) {
    Lineage *l = engine_lineage_of(e, r);
    bool lately = l && l->recovery_wall != WALL_UNKNOWN && now.wall - l->recovery_wall < LOOK_SOON_USEC;
    return !l || lately || l->asking != LINEAGE_IDLE ? 0 : heap_set(&e->looks, &l->look, now.wall);
}

int engine_look_at_chain(Engine *e, Lineage *l, Now now) {
    if (l->enrolment && l->enrolment->schedule && l->asking == LINEAGE_IDLE)
        return ask(e, l, LINEAGE_ASKS_RECOVERY, now);
    return heap_set(&e->looks, &l->look, USEC_INFINITY);
}

int engine_plan_link(const Lineage *l, const Chain *c, LinkPlan *ret) {
    const ScheduleConf *s = l->enrolment->schedule;
    return link_plan(&(LinkSituation){.when = s->when,
                                      .zone = s->zone,
                                      .frontier_wall = chain_frontier(c),
                                      .until_wall = c->end_wall,
                                      .earliest_wall = lineage_earliest(l, c),
                                      .latest_wall = l->recovery.latest_wall,
                                      .ordered_wall = l->enrolment->ordered_wall,
                                      .n_open = chain_n_open(c),
                                      .max_open = LINEAGE_MAX_OPEN},
                     ret);
}

ChainWindow *engine_retry_window(const Lineage *l, const Chain *c, Now now) {
    ChainWindow *w = chain_retry(c, now.wall);
    return w && w->from_wall >= lineage_earliest(l, c) ? w : NULL;
}

/* Is there a window to ask for now, and if not, when is it worth looking again? */
int engine_schedule_chain(Engine *e, Lineage *l, Now now) {
    const ScheduleConf *s = l->enrolment ? l->enrolment->schedule : NULL;
    Usec share, next = USEC_INFINITY;
    bool waits = false;
    if (!s || l->asking != LINEAGE_IDLE)
        return 0;
    int r = slot_share(e->conf->deployment, l->enrolment, &share);
    for (size_t i = 0; r >= 0 && i < l->n_chains; i++) {
        const Chain *c = l->chains[i];
        LinkPlan p;
        if (!lineage_is_fed(l, c))
            continue;
        next = usec_min(next, now.wall + LOOK_USEC);
        for (size_t j = 0; j < c->n_windows; j++)
            if (!c->windows[j].is_verified && !c->windows[j].run)
                next = usec_min(next, usec_max(c->windows[j].retry_wall, now.wall + USEC_PER_SEC));
        waits |= engine_retry_window(l, c, now) != NULL;
        if ((r = engine_plan_link(l, c, &p)) < 0)
            break;
        waits |= p.verdict == LINK_PLANNED;
        if (p.verdict == LINK_WAITS)
            next = usec_min(next, usec_max(p.to_wall + LINEAGE_TRAIL_USEC + (p.is_ordered ? 0 : share),
                                           now.wall + LOOK_SOON_USEC));
    }
    if (!lineage_head(l) && s->on_lost == ON_LOST_FULL)
        next = usec_min(next, now.wall + LOOK_BASE_USEC);
    engine_chain_waits(e, l, waits);
    return r < 0 ? r : heap_set(&e->looks, &l->look, next);
}

/* Before anything is called lost, or a new base is asked for, it is known which table bears the name. */
static bool wants_table(const Lineage *l, Now now) {
    const Target *t = l->enrolment->target;
    if (t->described_wall != WALL_UNKNOWN && now.wall - t->described_wall < USEC_PER_MINUTE &&
        t->size_bytes != COUNT_UNKNOWN)
        return false;
    for (size_t i = 0; i < l->n_chains; i++) {
        const Chain *c = l->chains[i];
        if (lineage_is_fed(l, c) && chain_gap(c, lineage_earliest(l, c)) != USEC_INFINITY)
            return true;
    }
    return !lineage_head(l) && (l->enrolment->schedule->on_lost == ON_LOST_FULL || !l->has_searched);
}

static int consider(Engine *e, Lineage *l, Now now, EngineOutbox *out) {
    int r = engine_judge_losses(e, l, now, out);
    if (r >= 0)
        r = engine_want_base(e, l, now, out);
    return r < 0 ? r : engine_schedule_chain(e, l, now);
}

/* What a person must mend is said, once. */
static int say_blind(Engine *e, Lineage *l, const AwsError *error, EngineOutbox *out) {
    Report *report = NULL;
    if (l->blind_said || (error->class != AWS_DENIED && error->class != AWS_REFUSED))
        return 0;
    l->blind_said = true;
    int r = report_enrolment(l->enrolment, REPORT_CHAIN_BEHIND, e->qualified, &report,
                             "the chain of %s waits: how far back the table can be restored is not told: %s%s%s%s%s",
                             l->schedule, error->code, error->message[0] ? ": " : "", error->message,
                             error->hint ? "; HINT: " : "", error->hint ? error->hint : "");
    return r < 0 ? r : engine_say(out, report);
}

/* Nothing is concluded from it. */
static int look_failed(Engine *e, Lineage *l, const AwsError *error, Now now, EngineOutbox *out) {
    Usec wait = LOOK_SOON_USEC;
    int r = say_blind(e, l, error, out);
    if (r < 0)
        return r;
    for (int i = 0; i < l->n_failures && wait < LOOK_BASE_USEC; i++)
        wait *= 2;
    l->n_failures++;
    return heap_set(&e->looks, &l->look, now.wall + usec_min(wait, LOOK_BASE_USEC));
}

static int take_table(Engine *e, Lineage *l, const CallDone *done, Now now, EngineOutbox *out) {
    Target *t = l->enrolment->target;
    int r = 0;
    l->table_is_gone = done->error.class == AWS_NOT_FOUND;
    if (done->error.class != AWS_OK && !l->table_is_gone)
        return look_failed(e, l, &done->error, now, out);
    if (!l->table_is_gone && ((r = target_describe(t, &done->reply->table, now.wall)) < 0 ||
                              (r = engine_put_target(out, t)) < 0))
        return r;
    bool is_ready = !l->table_is_gone && drive_table_is_ready(&done->reply->table);
    if (!l->table_is_gone && (!is_ready || l->recovery_wall == WALL_UNKNOWN)) /* it is being made */
        return look_failed(e, l, &done->error, now, out);
    l->n_failures = 0;
    return consider(e, l, now, out);
}

int engine_chain_answered(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Lineage *l = e->lineages[tag_index(done->tag)];
    LineageAsking asked = l->asking;
    Place *p = places_find(&e->places, l->account, l->region);
    bool trouble;
    int r = p ? engine_take_place(e, p, done, out, &trouble) : 0;
    l->asking = LINEAGE_IDLE;
    if (r < 0 || !l->enrolment || !l->enrolment->schedule)
        return r;
    if (asked == LINEAGE_ASKS_TABLE)
        return take_table(e, l, done, now, out);
    if (done->error.class == AWS_NOT_FOUND) {
        l->recovery = (RecoveryInfo){.period_days = COUNT_UNKNOWN, .earliest_wall = WALL_UNKNOWN, .latest_wall = 0};
        l->recovery_wall = WALL_UNKNOWN;
        return ask(e, l, LINEAGE_ASKS_TABLE, now);
    }
    if (done->error.class != AWS_OK)
        return look_failed(e, l, &done->error, now, out);
    l->recovery = done->reply->recovery;
    l->recovery_wall = now.wall;
    l->table_is_gone = l->blind_said = false;
    l->n_failures = 0;
    return wants_table(l, now) ? ask(e, l, LINEAGE_ASKS_TABLE, now) : consider(e, l, now, out);
}
