/* Exports that are to go: passes over the tables, each with a look at the manifests of what is to stay, and the
 * deletion of what may go, a whole chain at a time. The intents of a chain are in the ledger before its first request
 * leaves; what was interrupted goes on from the bucket itself (core/expiry/erase.h). One account and region asks one
 * thing at a time. */

#include "core/engine/engine_erase_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

static void looks_done(Eraser *x) {
    for (size_t i = 0; i < x->n_looks; i++) {
        free(x->looks[i].arn);
        export_place_done(&x->looks[i].place);
    }
    for (size_t i = 0; i < x->n_seen; i++)
        free(x->seen[i]);
    x->n_looks = x->at_look = x->n_seen = 0;
    x->seen_wall = WALL_UNKNOWN;
    x->looked = false;
}

static void removals_done(Eraser *x) {
    while (x->n_removals > 0)
        expiry_item_done(&x->removals[--x->n_removals]);
    x->at = 0;
}

void engine_erase_done(Engine *e) {
    for (size_t i = 0; i < e->n_erasers; i++) {
        Eraser *x = e->erasers[i];
        looks_done(x);
        removals_done(x);
        while (x->n_doomed > 0)
            expiry_item_done(&x->doomed[--x->n_doomed].item);
        erase_free(x->erase);
        heap_done(&x->due);
        free(x->looks);
        free(x->look_region);
        free(x->seen);
        free(x->removals);
        free(x->doomed);
        free(x->account);
        engine_end_obstacle(&x->obstacle, NULL);
        free(x->region);
        free(x);
    }
    free(e->erasers);
}

static int find(Engine *e, const char *account, const char *region, Eraser **ret) {
    for (size_t i = 0; i < e->n_erasers; i++)
        if (strcmp(e->erasers[i]->account, account) == 0 && strcmp(e->erasers[i]->region, region) == 0) {
            *ret = e->erasers[i];
            return 0;
        }
    if (ARRAY_GROW(e->erasers, e->n_erasers, e->n_erasers_room) < 0)
        return -ENOMEM;
    Eraser *x = calloc(1, sizeof *x);
    if (!x)
        return -ENOMEM;
    *ret = e->erasers[e->n_erasers++] = x;
    x->seen_wall = WALL_UNKNOWN;
    return text_set(&x->account, account) < 0 || text_set(&x->region, region) < 0 ? -ENOMEM : 0;
}

static int doom(Eraser *x, const StockItem *i, const char *why, bool resumed) {
    if (ARRAY_GROW(x->doomed, x->n_doomed, x->n_doomed_room) < 0)
        return -ENOMEM;
    EraserDoomed d = {.resumed = resumed};
    int r = expiry_item_make(i, why, &d.item);
    if (r >= 0)
        x->doomed[x->n_doomed++] = d;
    return r;
}

int engine_erase_on(Engine *e, const StockItem *i) {
    Eraser *x = NULL;
    int r = find(e, i->account, i->region, &x);
    return r < 0 ? r : doom(x, i, i->decision_why, true);
}

void engine_reconfigure_erasing(Engine *e) {
    for (size_t i = 0; i < e->n_erasers; i++)
        while (e->erasers[i]->n_removals > e->erasers[i]->at)
            expiry_item_done(&e->erasers[i]->removals[--e->erasers[i]->n_removals]);
}

/* --- when --- */

static bool is_wanted(const Target *t) { return t->table_arn && expire_is_wanted(t, ACTION_EXPORT); }

int engine_arm_erasing(Engine *e, Target *t, Usec at_mono) {
    Eraser *x;
    if (!is_wanted(t) && t->erase.at == USEC_INFINITY)
        return 0;
    int r = find(e, t->account, t->region, &x);
    return r < 0 ? r : heap_set(&x->due, &t->erase, is_wanted(t) ? usec_min(t->erase.at, at_mono) : USEC_INFINITY);
}

int engine_erase_after(Engine *e, Target *t, Usec at_mono) {
    Eraser *x;
    int r = is_wanted(t) ? find(e, t->account, t->region, &x) : 0;
    return r < 0 || !is_wanted(t) ? r : heap_set(&x->due, &t->erase, at_mono);
}

static Usec next_mono(const Eraser *x) {
    if (x->calling)
        return USEC_INFINITY;
    Usec due = x->n_doomed > 0 || x->target ? 0 : heap_next(&x->due);
    return usec_max(due, x->next_mono);
}

Usec engine_erase_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_erasers && !e->stopping; i++)
        next = usec_min(next, next_mono(e->erasers[i]));
    return next;
}

/* --- a pass --- */

static int read_exports(const Engine *e, const EngineOutbox *out, const char *table_arn, Stock *ret) {
    AUTO_FREE char *prefix = text_format("%s/export/", table_arn);
    return prefix ? engine_read_stock(e, out, prefix, ret) : -ENOMEM;
}

static int end_pass(Engine *e, Eraser *x, Usec after_usec, Now now) {
    Target *t = TAKE_PTR(x->target);
    if (!x->obstructed)
        engine_end_obstacle(&x->obstacle, t->table);
    looks_done(x);
    removals_done(x);
    return engine_arm_erasing(e, t, now.mono + after_usec);
}

static bool has_brake(const Engine *e, const Target *t) {
    for (size_t i = 0; i < e->stock.n_brakes; i++) {
        const StockBrake *b = &e->stock.brakes[i];
        if (target_compare(t, b->account, b->region, b->table) == 0 && expire_schedule(t, ACTION_EXPORT, b->schedule))
            return true;
    }
    return false;
}

static int add_look(Eraser *x, const StockItem *i) {
    if (ARRAY_GROW(x->looks, x->n_looks, x->n_looks_room) < 0)
        return -ENOMEM;
    EraserLook *l = &x->looks[x->n_looks];
    *l = (EraserLook){};
    int r = artefact_export_place(i->artefact, &l->place);
    if (r < 0)
        return r == -ENODATA ? 0 : r;
    x->n_looks++;
    return text_set(&l->arn, i->artefact->arn);
}

/* By the ledger alone something would go: then all that would count is looked at. Where nothing may go, there is no
 * need. */
static int begin(Engine *e, Eraser *x, Target *t, Now now, const EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    CLEANUP(expire_plan_done) ExpirePlan plan = {};
    heap_set(&x->due, &t->erase, USEC_INFINITY);
    x->obstructed = false;
    if (!is_wanted(t)) {
        engine_end_obstacle(&x->obstacle, t->table);
        return 0;
    }
    int r = read_exports(e, out, t->table_arn, &stock);
    if (r >= 0)
        r = expire_plan_exports(e->conf->deployment, t, &stock, NULL, 0, now.wall, &plan);
    if (r < 0 || (plan.n_beyond == 0 && !has_brake(e, t)))
        return r < 0 ? r : engine_arm_erasing(e, t, now.mono + EXPIRY_AUDIT_USEC);
    x->target = t;
    for (size_t i = 0; r >= 0 && i < plan.n_lines; i++)
        if (plan.lines[i].schedule && plan.lines[i].finished && engine_may_delete(e, plan.lines[i].schedule))
            r = add_look(x, plan.lines[i].item);
    return r < 0 ? r : text_set(&x->look_region, t->region);
}

int eraser_call(Engine *e, Eraser *x, const char *region, AwsRequest *request, Now now) {
    size_t i = 0;
    while (e->erasers[i] != x)
        i++;
    x->calling = true;
    return client_begin(e->client,
                        &(CallSpec){.account = x->account,
                                    .region = region,
                                    .request = request,
                                    .tag = tag_make(TAG_OF_ERASE, i),
                                    .deadline_mono = now.mono + EXPIRY_CALL_USEC},
                        now);
}

static int look(Engine *e, Eraser *x, Now now) {
    const ExportPlace *p = &x->looks[x->at_look].place;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_HEAD_OBJECT);
    if (!q || text_set(&q->object.bucket, p->bucket) < 0 || text_set(&q->object.bucket_owner, p->bucket_owner) < 0 ||
        text_set(&q->object.key, p->manifest_key) < 0)
        return -ENOMEM;
    q->object.last = -1;
    return eraser_call(e, x, x->look_region, TAKE_PTR(q), now);
}

/* Something is in the way, which is said now and then. */
int eraser_say_failed(Engine *e, Eraser *x, const char *table, const char *what, const char *why, const char *hint,
                      Now now, EngineOutbox *out) {
    Report *report = NULL;
    const Target *t = targets_find(&e->targets, x->account, x->region, table);
    x->obstructed = true;
    if (!t)
        return 0;
    int r = report_target(t, REPORT_EXPIRY_FAILED, e->qualified, &report, "%s: %s%s%s", what, why,
                          hint ? "; HINT: " : "", hint ? hint : "");
    return r < 0 ? r : engine_say_obstacle(out, report, table, &x->obstacle, &x->failed_mono, now);
}

/* It is not there any more: it counts for nothing, and that is worth knowing. */
static int take_missing(Engine *e, const Eraser *x, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    const EraserLook *l = &x->looks[x->at_look];
    AUTO_FREE char *why = text_format("%s is not there", l->place.manifest_key);
    int r = why ? read_exports(e, out, x->target->table_arn, &stock) : -ENOMEM;
    const StockItem *i = r >= 0 ? stock_find(&stock, l->arn) : NULL;
    return i && i->artefact->life == ARTEFACT_VERIFIED ? engine_export_damaged(e, i, VERIFY_MANIFEST, why, now, out)
                                                       : r;
}

static int take_look(Engine *e, Eraser *x, const CallDone *done, Now now, EngineOutbox *out) {
    const AwsError *error = &done->error;
    int r = 0;
    if (error->region[0] && strcmp(error->region, x->look_region) != 0)
        return text_set(&x->look_region, error->region);
    bool missing = error->class == AWS_NOT_FOUND && strcmp(error->code, "NoSuchBucket") != 0;
    if ((error->class != AWS_OK && !missing) || done->server_wall == WALL_UNKNOWN) {
        r = eraser_say_failed(e, x, x->target->table,
                              "none of its exports expires: their manifests could not be looked at",
                              error->code[0] ? error->code : "S3 does not tell the time", error->hint, now, out);
        return r < 0 ? r : end_pass(e, x, EXPIRY_RETRY_USEC, now);
    }
    x->seen_wall = x->seen_wall == WALL_UNKNOWN ? done->server_wall : x->seen_wall;
    if (missing)
        r = take_missing(e, x, now, out);
    else if (ARRAY_GROW(x->seen, x->n_seen, x->n_seen_room) < 0)
        r = -ENOMEM;
    else
        x->seen[x->n_seen++] = TAKE_PTR(x->looks[x->at_look].arn);
    x->at_look++;
    return r;
}

static int take_line(Eraser *x, const ExpireLine *l, bool may_go, EngineOutbox *out) {
    if (!l->verdict.expendable)
        return engine_note(l->item, DECISION_KEPT, l->guard ? l->guard : retention_reason_text(l->verdict.reason), out);
    AUTO_TEXT why = TEXT_INIT(1000);
    int r = retention_verdict_describe(&l->verdict, &l->schedule->keep, &why);
    if (r < 0)
        return r;
    if (!may_go || x->n_seen == 0)
        return engine_note(l->item, DECISION_BEYOND, text_get(&why), out);
    if (ARRAY_GROW(x->removals, x->n_removals, x->n_removals_room) < 0 ||
        expiry_item_make(l->item, text_get(&why), &x->removals[x->n_removals]) < 0)
        return -ENOMEM;
    x->n_removals++;
    return 0;
}

/* All were looked at: the plan. */
static int decide(Engine *e, Eraser *x, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    CLEANUP(expire_plan_done) ExpirePlan plan = {};
    x->looked = true;
    if (!is_wanted(x->target))
        return 0;
    int r = read_exports(e, out, x->target->table_arn, &stock);
    bool looked = x->n_looks > 0;
    char *none = NULL;
    if (r >= 0)
        r = expire_plan_exports(e->conf->deployment, x->target, &stock,
                                !looked   ? NULL
                                : x->seen ? x->seen
                                          : &none,
                                x->n_seen, looked ? x->seen_wall : now.wall, &plan);
    AUTO_FREE bool *may_go = calloc(plan.n_groups + 1, sizeof *may_go);
    if (r >= 0)
        r = may_go ? engine_decide(e, x->target, &plan, now, out, may_go) : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < plan.n_lines; i++) {
        const ExpireLine *l = &plan.lines[i];
        if (l->schedule && l->item->artefact->life == ARTEFACT_VERIFIED)
            r = take_line(x, l, may_go[l->group], out);
    }
    return r;
}

/* The intents of an export and of all that builds on it. */
static int doom_chain(Eraser *x, const Stock *stock, const StockItem *base, const char *why, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i <= stock->n_items; i++) { /* itself first, and its links in their order behind it */
        const StockItem *s = i == 0 ? base : &stock->items[i - 1];
        bool is_part = i == 0 || text_equal(s->base_arn, base->artefact->arn);
        if (!is_part || s->artefact->life != ARTEFACT_VERIFIED)
            continue;
        r = stock_put_decision(&out->batch.stock, s->artefact->arn, DECISION_EXPIRING, why, NULL);
        if (r >= 0)
            r = doom(x, s, why, false);
    }
    return r;
}

/* Somebody may hold a part of it by now. */
static bool is_spared(const Stock *stock, const StockItem *base, Usec now_wall) {
    bool spared = base->artefact->life != ARTEFACT_VERIFIED || base->chain_is_open || stock_is_held(base, now_wall);
    for (size_t i = 0; i < stock->n_items; i++)
        spared |= text_equal(stock->items[i].base_arn, base->artefact->arn) &&
                  stock_is_held(&stock->items[i], now_wall);
    return spared;
}

static int remove_next(Engine *e, Eraser *x, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    int r = 0;
    if (x->at == x->n_removals) {
        r = engine_end_confirmed(e, x->target, ACTION_EXPORT, out);
        return r < 0 ? r : end_pass(e, x, EXPIRY_AUDIT_USEC, now);
    }
    const ExpiryItem *i = &x->removals[x->at++];
    r = read_exports(e, out, x->target->table_arn, &stock);
    const StockItem *base = r >= 0 ? stock_find(&stock, i->arn) : NULL;
    return base && !is_spared(&stock, base, now.wall) ? doom_chain(x, &stock, base, i->why, out) : r;
}

int engine_erased(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Eraser *x = e->erasers[tag_index(done->tag)];
    x->calling = false;
    x->next_mono = now.mono;
    return x->erase ? eraser_answer(e, x, done, now, out) : x->target ? take_look(e, x, done, now, out) : 0;
}

bool engine_erase_trouble(const Engine *e, size_t i, EngineTrouble *ret) {
    size_t n = 0;
    for (size_t j = 0; j < e->n_erasers; j++) {
        const Eraser *x = e->erasers[j];
        if (x->obstacle.message && n++ == i) {
            *ret = (EngineTrouble){.account = x->account, .region = x->region, .message = x->obstacle.message};
            return true;
        }
    }
    return false;
}

/* --- a turn --- */

static int move(Engine *e, Eraser *x, Now now, EngineOutbox *out) {
    if (x->n_doomed > 0)
        return eraser_move(e, x, now, out);
    if (!x->target)
        return begin(e, x, heap_due(&x->due, now.mono), now, out);
    if (x->at_look < x->n_looks)
        return look(e, x, now);
    return x->looked ? remove_next(e, x, now, out) : decide(e, x, now, out);
}

int engine_erase(Engine *e, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_erasers && !e->stopping; i++)
        for (int n = 0; r >= 0 && n < 32 && next_mono(e->erasers[i]) <= now.mono; n++)
            r = move(e, e->erasers[i], now, out);
    return r;
}
