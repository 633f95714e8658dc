/* Passes over the tables whose backups expire: one complete listing, one plan. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/run/drive.h"

/* After a success: when it is on disk. */
#define AFTER_SUCCESS_USEC (2 * USEC_PER_SEC)
/* After a start or a new configuration each table waits so much longer than the one before. */
#define STAGGER_USEC (500 * USEC_PER_MSEC)
/* Tables whose stock is looked at in one turn. */
#define TURN_MAX 32

/* --- the places --- */

void engine_expiry_done(Engine *e) {
    for (size_t i = 0; i < e->n_expiries; i++) {
        Expiry *x = e->expiries[i];
        Doubt *d;
        while ((d = heap_due(&x->doubts, USEC_INFINITY - 1))) {
            heap_set(&x->doubts, &d->next, USEC_INFINITY);
            doubt_free(d);
        }
        doubt_free(x->looking);
        heap_done(&x->doubts);
        heap_done(&x->due);
        expire_listing_done(&x->listing);
        for (size_t j = 0; j < x->n_removals; j++)
            expiry_item_done(&x->removals[j]);
        free(x->removals);
        free(x->account);
        engine_end_obstacle(&x->obstacle, NULL);
        free(x->region);
        free(x);
    }
    free(e->expiries);
    stock_state_done(&e->stock);
}

int engine_find_expiry(Engine *e, const char *account, const char *region, Expiry **ret) {
    for (size_t i = 0; i < e->n_expiries; i++)
        if (strcmp(e->expiries[i]->account, account) == 0 && strcmp(e->expiries[i]->region, region) == 0) {
            *ret = e->expiries[i];
            return 0;
        }
    if (ARRAY_GROW(e->expiries, e->n_expiries, e->n_expiries_room) < 0)
        return -ENOMEM;
    Expiry *x = calloc(1, sizeof *x);
    if (!x)
        return -ENOMEM;
    e->expiries[e->n_expiries++] = x;
    x->listing.wall = WALL_UNKNOWN;
    *ret = x;
    return text_set(&x->account, account) < 0 || text_set(&x->region, region) < 0 ? -ENOMEM : 0;
}

int engine_begin_expiry(Engine *e, StockState *state, Now now) {
    e->stock = *state;
    *state = (StockState){};
    e->expiry_anew = true;
    for (size_t i = 0; i < e->stock.expiring.n_items; i++) {
        const StockItem *s = &e->stock.expiring.items[i];
        ExpiryItem item = {};
        Expiry *x = NULL;
        int r = s->artefact->action != ACTION_BACKUP ? engine_erase_on(e, s) : 0;
        if (r < 0)
            return r;
        if (s->artefact->action != ACTION_BACKUP)
            continue;
        r = engine_find_expiry(e, s->account, s->region, &x);
        if (r < 0 || (r = expiry_item_make(s, s->decision_why, &item)) < 0 ||
            (r = engine_doubt(e, x, &item, DOUBT_DELETING, now)) < 0)
            return r;
    }
    stock_done(&e->stock.expiring);
    return 0;
}

void engine_reconfigure_expiry(Engine *e) {
    e->expiry_anew = true;
    for (size_t i = 0; i < e->n_expiries; i++) {
        Expiry *x = e->expiries[i];
        /* what was planned by the old configuration does not go on; what left, has left */
        while (x->n_removals > x->at + (x->step == EXPIRY_DELETING))
            expiry_item_done(&x->removals[--x->n_removals]);
    }
}

/* --- when --- */

static bool is_wanted(const Target *t) { return t->table_arn && expire_is_wanted(t, ACTION_BACKUP); }

int engine_arm_expiry(Engine *e, Target *t, Usec at_mono) {
    Expiry *x;
    int r = engine_arm_erasing(e, t, at_mono);
    if (r < 0 || (!is_wanted(t) && t->expire.at == USEC_INFINITY))
        return r;
    r = engine_find_expiry(e, t->account, t->region, &x);
    if (r < 0)
        return r;
    return heap_set(&x->due, &t->expire, is_wanted(t) ? usec_min(t->expire.at, at_mono) : USEC_INFINITY);
}

int engine_expiry_after(Engine *e, Target *t, Now now) {
    Expiry *x;
    int r = engine_erase_after(e, t, now.mono + AFTER_SUCCESS_USEC);
    if (r < 0 || !is_wanted(t))
        return r;
    r = engine_find_expiry(e, t->account, t->region, &x);
    /* a pass that is due in this very turn would not see it, and waits */
    return r < 0 ? r : heap_set(&x->due, &t->expire, now.mono + AFTER_SUCCESS_USEC);
}

/* Nothing waits any more where nothing is to be deleted. */
static int drop_brakes(Engine *e, EngineOutbox *out) {
    int r = 0;
    for (size_t i = e->stock.n_brakes; r >= 0 && i-- > 0;) {
        const StockBrake *b = &e->stock.brakes[i];
        const Target *t = targets_find(&e->targets, b->account, b->region, b->table);
        const ScheduleConf *s = t ? expire_schedule(t, ACTION_BACKUP, b->schedule) : NULL;
        if (t && !s)
            s = expire_schedule(t, ACTION_EXPORT, b->schedule);
        if (!s || s->expire != EXPIRE_DELETE)
            r = engine_let_go(e, &e->stock.brakes[i], out);
    }
    return r;
}

int engine_arm_all_expiry(Engine *e, Now now, EngineOutbox *out) {
    Usec at = now.mono;
    int r = e->expiry_anew ? drop_brakes(e, out) : 0;
    for (size_t i = 0; r >= 0 && i < e->targets.n_items; i++) {
        Target *t = e->targets.items[i];
        bool erases = t->erase.at != USEC_INFINITY;
        if (e->expiry_anew || erases)
            r = engine_arm_erasing(e, t, erases ? t->erase.at : at);
        if (!is_wanted(t))
            r = r < 0 || t->expire.at == USEC_INFINITY ? r : engine_arm_expiry(e, t, USEC_INFINITY);
        else if (e->expiry_anew || t->expire.at == USEC_INFINITY) {
            t->audited_mono = e->expiry_anew ? WALL_UNKNOWN : t->audited_mono;
            r = engine_arm_expiry(e, t, at);
            at += STAGGER_USEC;
        }
    }
    e->expiry_anew = r < 0;
    return r;
}

Usec engine_expiry_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; i < e->n_expiries && !e->stopping; i++)
        if (e->expiries[i]->step == EXPIRY_IDLE)
            next = usec_min(next, usec_min(heap_next(&e->expiries[i]->due), heap_next(&e->expiries[i]->doubts)));
    return next;
}

/* --- a pass --- */

int engine_expiry_call(Engine *e, const Expiry *x, AwsRequest *request, Now now) {
    size_t i = 0;
    while (e->expiries[i] != x)
        i++;
    return client_begin(e->client,
                        &(CallSpec){.account = x->account,
                                    .region = x->region,
                                    .request = request,
                                    .tag = tag_make(TAG_OF_EXPIRY, i),
                                    .deadline_mono = now.mono + EXPIRY_CALL_USEC},
                        now);
}

int engine_read_stock(const Engine *e, const EngineOutbox *out, const char *prefix, Stock *ret) {
    int r = e->port.read ? e->port.read(e->port.context, prefix, ret) : 0;
    return r < 0 ? r : stock_overlay(ret, &out->batch.stock);
}

static int read_table(const Engine *e, const EngineOutbox *out, const Target *t, Stock *ret) {
    AUTO_FREE char *prefix = NULL;
    int r = stock_prefix(t->table_arn, &prefix);
    return r < 0 ? r : engine_read_stock(e, out, prefix, ret);
}

static int ask_page(Engine *e, Expiry *x, Now now) {
    AwsRequest *request = NULL;
    int r = expire_listing_request(&x->listing, x->target->table, &request);
    return r < 0 ? r : engine_expiry_call(e, x, request, now);
}

/* The ledger alone says that a listing would tell nothing new. */
static int is_worth_it(Engine *e, const EngineOutbox *out, const Target *t, Now now, bool *ret) {
    CLEANUP(stock_done) Stock stock = {};
    CLEANUP(expire_plan_done) ExpirePlan plan = {};
    *ret = t->audited_mono == WALL_UNKNOWN || now.mono - t->audited_mono >= EXPIRY_AUDIT_USEC;
    for (size_t i = 0; !*ret && i < e->stock.n_brakes; i++)
        *ret = target_compare(t, e->stock.brakes[i].account, e->stock.brakes[i].region, e->stock.brakes[i].table) == 0;
    if (*ret)
        return 0;
    int r = read_table(e, out, t, &stock);
    if (r >= 0)
        r = expire_plan(e->conf->deployment, t, &stock, NULL, now.wall, &plan);
    *ret = plan.n_beyond > 0;
    return r;
}

static int begin(Engine *e, Expiry *x, Target *t, Now now, const EngineOutbox *out) {
    bool worth_it;
    heap_set(&x->due, &t->expire, USEC_INFINITY);
    if (!is_wanted(t))
        engine_end_obstacle(&x->obstacle, t->table);
    if (!is_wanted(t) || engine_has_doubts(x, t, DOUBT_DELETING)) /* that will arm it */
        return 0;
    int r = is_worth_it(e, out, t, now, &worth_it);
    if (r < 0 || !worth_it)
        return r < 0 ? r : engine_arm_expiry(e, t, t->audited_mono + EXPIRY_AUDIT_USEC);
    x->step = EXPIRY_LISTING;
    x->target = t;
    x->begun_mono = now.mono;
    x->retry_usec = 0;
    return ask_page(e, x, now);
}

int engine_expire(Engine *e, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_expiries; i++) {
        Expiry *x = e->expiries[i];
        Target *t;
        if (x->step == EXPIRY_IDLE && heap_next(&x->doubts) <= now.mono)
            r = engine_look_at_doubt(e, x, now);
        for (int n = 0; r >= 0 && n < TURN_MAX && x->step == EXPIRY_IDLE && (t = heap_due(&x->due, now.mono)); n++)
            r = begin(e, x, t, now, out);
    }
    return r;
}

int engine_end_pass(Engine *e, Expiry *x, Now now) {
    Target *t = TAKE_PTR(x->target);
    bool complete = x->listing.complete;
    x->step = EXPIRY_IDLE;
    expire_listing_done(&x->listing);
    while (x->n_removals > 0)
        expiry_item_done(&x->removals[--x->n_removals]);
    x->at = 0;
    if (complete)
        t->audited_mono = now.mono;
    if (complete && x->retry_usec == 0)
        engine_end_obstacle(&x->obstacle, t->table);
    return engine_arm_expiry(e, t, now.mono + (x->retry_usec ? x->retry_usec : EXPIRY_AUDIT_USEC));
}

int engine_expiry_failed(Engine *e, Expiry *x, const CallDone *done, const char *why, Now now, EngineOutbox *out) {
    Place *p = places_find(&e->places, x->account, x->region);
    bool trouble = false;
    Report *report = NULL;
    int r = p ? engine_take_place(e, p, done, out, &trouble) : 0;
    x->retry_usec = EXPIRY_RETRY_USEC;
    if (r >= 0 && !trouble) {
        const AwsError *error = &done->error;
        r = report_target(x->target, REPORT_EXPIRY_FAILED, e->qualified, &report, "%s%s%s%s%s%s%s", why,
                          error->code[0] ? ": " : "", error->code, error->message[0] ? ": " : "", error->message,
                          error->hint ? "; HINT: " : "", error->hint ? error->hint : "");
        if (r >= 0)
            r = engine_say_obstacle(out, report, x->target->table, &x->obstacle, &x->failed_mono, now);
    }
    return r;
}

static int take_page(Engine *e, Expiry *x, CallDone *done, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    CLEANUP(expire_plan_done) ExpirePlan plan = {};
    bool more = false;
    int r = done->error.class == AWS_OK
                ? expire_listing_take(&x->listing, &done->reply->backups, done->server_wall, &more)
                : -EREMOTEIO;
    if (r == -EREMOTEIO || r == -ELOOP || r == -ENODATA) {
        r = engine_expiry_failed(e, x, done,
                                 r == -ELOOP     ? "none of its backups expires: their listing does not end"
                                 : r == -ENODATA ? "none of its backups expires: their listing does not tell the time"
                                                 : "none of its backups expires: they could not be listed",
                                 now, out);
        return r < 0 ? r : engine_end_pass(e, x, now);
    }
    if (r < 0 || more)
        return r < 0 ? r : ask_page(e, x, now);
    if (!is_wanted(x->target)) /* by a new configuration */
        return engine_end_pass(e, x, now);
    r = read_table(e, out, x->target, &stock);
    if (r >= 0)
        r = expire_plan(e->conf->deployment, x->target, &stock, &x->listing, x->listing.wall, &plan);
    return r < 0 ? r : engine_carry_out(e, x, &plan, now, out);
}

int engine_expiry_answered(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Expiry *x = e->expiries[tag_index(done->tag)];
    switch (x->step) {
    case EXPIRY_IDLE:
        break;
    case EXPIRY_LISTING:
        return take_page(e, x, done, now, out);
    case EXPIRY_DELETING:
        return engine_deleted(e, x, done, now, out);
    case EXPIRY_LOOKING:
        return engine_looked(e, x, done, now, out);
    }
    return 0;
}
