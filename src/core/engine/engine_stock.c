/* What people order about artefacts: hold, release, adopt, and that expiry may go on. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/control/order.h"
#include "core/run/recover.h"

static int not_found(Order *o) {
    return order_answer(o, ORDER_NOT_FOUND,
                        "%s: the ledger has no finished backup or export of that ARN; HINT: 'ddbackupctl list' shows "
                        "what it has, 'ddbackupctl adopt' takes in a backup that the service alone knows",
                        o->object);
}

/* The stock that has the order's object; *ret stays NULL where there is none. */
static int find_item(const Engine *e, const EngineOutbox *out, const Order *o, Stock *stock, StockItem **ret) {
    const char *slash = o->object ? strrchr(o->object, '/') : NULL;
    if (!slash)
        return 0;
    AUTO_FREE char *prefix = strndup(o->object, (size_t)(slash + 1 - o->object));
    int r = prefix ? engine_read_stock(e, out, prefix, stock) : -ENOMEM;
    if (r >= 0)
        *ret = stock_find(stock, o->object);
    return r;
}

/* A pass that is under way leaves it alone from now on. */
static void spare(Engine *e, const char *arn) {
    for (size_t i = 0; i < e->n_expiries; i++) {
        Expiry *x = e->expiries[i];
        size_t n_kept = x->at + (x->step == EXPIRY_DELETING);
        for (size_t j = n_kept; j < x->n_removals; j++)
            if (strcmp(x->removals[j].arn, arn) == 0)
                expiry_item_done(&x->removals[j]);
            else
                x->removals[n_kept++] = x->removals[j];
        x->n_removals = n_kept;
    }
}

int engine_hold(Engine *e, Order *o, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    StockItem *i = NULL;
    char until[DATE_ISO_SIZE];
    int r = find_item(e, out, o, &stock, &i);
    if (r < 0 || !i)
        return r < 0 ? r : not_found(o);
    if (i->artefact->life == ARTEFACT_EXPIRING)
        return order_answer(o, ORDER_REFUSED, "%s: the request to delete it has left; it may be gone", o->object);
    if (o->until_wall <= now.wall)
        return order_answer(o, ORDER_REFUSED, "%s: a hold that ends before now holds nothing", o->object);
    if (i->hold_until_wall == o->until_wall && text_equal(i->hold_why, o->why))
        return order_answer(o, ORDER_UNCHANGED, "%s: it is held so already", o->object);
    spare(e, o->object);
    r = stock_put_hold(&out->batch.stock, o->object, o->until_wall, o->why, o->who);
    if (r < 0 || (r = stock_put_decision(&out->batch.stock, o->object, DECISION_HELD, o->why, o->who)) < 0)
        return r;
    return order_answer(o, ORDER_DONE, "%s: held %s%s", o->object,
                        o->until_wall == USEC_INFINITY ? "for good" : "until ",
                        o->until_wall == USEC_INFINITY ? "" : date_to_iso(o->until_wall, until));
}

static Target *find_target(const Engine *e, const char *arn) {
    for (size_t i = 0; i < e->targets.n_items; i++) {
        Target *t = e->targets.items[i];
        size_t n = t->table_arn ? strlen(t->table_arn) : 0;
        if (n > 0 && strncmp(arn, t->table_arn, n) == 0 && arn[n] == '/')
            return t;
    }
    return NULL;
}

int engine_release(Engine *e, Order *o, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    StockItem *i = NULL;
    int r = find_item(e, out, o, &stock, &i);
    if (r < 0 || !i)
        return r < 0 ? r : not_found(o);
    if (!stock_is_held(i, now.wall))
        return order_answer(o, ORDER_UNCHANGED, "%s: nobody holds it", o->object);
    r = stock_put_hold(&out->batch.stock, o->object, now.wall, i->hold_why, i->hold_who); /* it has ended */
    if (r >= 0)
        r = stock_put_decision(&out->batch.stock, o->object, DECISION_RELEASED, o->why, o->who);
    Target *t = find_target(e, o->object);
    if (r >= 0 && t)
        r = engine_arm_expiry(e, t, now.mono + USEC_PER_SEC);
    return r < 0 ? r
                 : order_answer(o, ORDER_DONE, "%s: released; its schedule's keep decides about it again", o->object);
}

/* --- expiry as a whole --- */

static int look_at_all(Engine *e, Now now, EngineOutbox *out) {
    e->expiry_anew = true;
    return engine_arm_all_expiry(e, now, out);
}

int engine_confirm_prune(Engine *e, Order *o, Now now, EngineOutbox *out) {
    size_t n_waiting = 0;
    int r = 0;
    for (size_t i = 0; i < e->stock.n_brakes; i++)
        n_waiting += e->stock.brakes[i].n_confirmed ? 0 : e->stock.brakes[i].n_delete;
    if (n_waiting == 0)
        return order_answer(o, ORDER_UNCHANGED, "nothing waits for a confirmation");
    if (o->count < 0 || (size_t)o->count < n_waiting)
        return order_answer(o, ORDER_REFUSED,
                            "%zu artefacts wait for a confirmation, and %lld is less; HINT: look at them with "
                            "'ddbackupctl prune --dry-run', then 'ddbackupctl prune --confirm %zu'",
                            n_waiting, (long long)o->count, n_waiting);
    for (size_t i = 0; r >= 0 && i < e->stock.n_brakes; i++) {
        StockBrake *b = &e->stock.brakes[i];
        if (b->n_confirmed)
            continue;
        b->n_confirmed = b->n_delete;
        if (text_set(&b->who, o->who) < 0)
            return -ENOMEM;
        r = stock_put_brake(&out->batch.stock, b);
    }
    if (r >= 0)
        r = look_at_all(e, now, out);
    return r < 0
               ? r
               : order_answer(o, ORDER_DONE, "%zu artefacts may be deleted, as soon as they are seen to be there",
                              n_waiting);
}

int engine_resume_expiry(Engine *e, Order *o, Now now, EngineOutbox *out) {
    if (e->stock.expires)
        return order_answer(o, ORDER_UNCHANGED, "expiry is not paused");
    e->stock.expires = true;
    e->stock.expires_wall = now.wall;
    out->batch.stock.expiry = STOCK_SWITCH_RESUMED;
    if (text_set(&e->stock.expires_who, o->who) < 0 || text_set(&out->batch.stock.expiry_who, o->who) < 0 ||
        look_at_all(e, now, out) < 0)
        return -ENOMEM;
    return order_answer(o, ORDER_DONE, "artefacts expire where expire is \"delete\"");
}

/* --- adopting --- */

int engine_adopt(Engine *e, Order *o, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    StockItem *known = NULL;
    Expiry *x;
    Target *t = o->object ? find_target(e, o->object) : NULL;
    if (!t)
        return order_answer(o, ORDER_NOT_FOUND,
                            "%s: no table of the ledger has a backup of that ARN; HINT: a table is known by its ARN "
                            "from its first run on; 'ddbackupctl rebuild' finds all that a lost ledger knew",
                            o->object);
    if (strncmp(o->object + strlen(t->table_arn), "/backup/", 8) != 0)
        return order_answer(o, ORDER_REFUSED, "%s: it is no backup; HINT: 'ddbackupctl rebuild' finds exports",
                            o->object);
    int r = find_item(e, out, o, &stock, &known);
    if (r < 0 || known)
        return r < 0 ? r : order_answer(o, ORDER_UNCHANGED, "%s: the ledger knows it", o->object);
    if ((r = engine_find_expiry(e, t->account, t->region, &x)) < 0)
        return r;
    if (engine_is_in_doubt(x, o->object))
        return order_answer(o, ORDER_UNCHANGED, "%s: it is being looked at", o->object);
    ExpiryItem item = {};
    if (text_set(&item.arn, o->object) < 0 || text_set(&item.account, t->account) < 0 ||
        text_set(&item.region, t->region) < 0 || text_set(&item.table, t->table) < 0 ||
        text_set(&item.why, o->who) < 0) {
        expiry_item_done(&item);
        return -ENOMEM;
    }
    r = engine_doubt(e, x, &item, DOUBT_ADOPTED, now);
    return r < 0 ? r
                 : order_answer(o, ORDER_DONE,
                                "%s: the service is asked about it; the journal, and 'ddbackupctl show %s', tell "
                                "what came of it",
                                o->object, o->object);
}

static int refuse(Engine *e, const ExpiryItem *i, const char *why, EngineOutbox *out) {
    Report *report = NULL;
    int r = report_artefact(&(ReportArtefact){i->account, i->region, i->table, NULL, WALL_UNKNOWN, i->arn},
                            REPORT_NOT_ADOPTED, e->qualified, &report, "%s is not adopted: %s", i->arn, why);
    return r < 0 ? r : engine_say(out, report);
}

/* A second backup of a slot goes beside the first. */
static int put_beside(Run *run, int64_t run_id, EngineOutbox *out) {
    StockChanges *c = &out->batch.stock;
    if (ARRAY_GROW(c->artefacts, c->n_artefacts, c->n_artefacts_room) < 0)
        return -ENOMEM;
    run->artefact->run_id = run_id;
    c->artefacts[c->n_artefacts++] = TAKE_PTR(run->artefact);
    return 0;
}

static int put_run(Engine *e, Run *taken) {
    CLEANUP(run_free_ptr) Run *run = taken;
    if (ARRAY_GROW(e->runs, e->n_runs, e->n_runs_room) < 0)
        return -ENOMEM;
    run->id = run->artefact->run_id = e->next_run_id++;
    run->changed = true;
    e->runs[e->n_runs++] = TAKE_PTR(run);
    return 0;
}

int engine_adopted(Engine *e, const ExpiryItem *i, Target *t, const BackupInfo *info, Now now, EngineOutbox *out) {
    char schedule[RECOVER_SCHEDULE_SIZE];
    CLEANUP(run_free_ptr) Run *run = NULL;
    Recovered what;
    int64_t known_id = 0;
    int r = t && info ? recover_backup(e->conf->deployment, t, info, now, &what, schedule, &run) : 0;
    if (r < 0)
        return r;
    if (!t || !info)
        return refuse(e, i, "the service does not know it", out);
    if (what == RECOVERED_FOREIGN)
        return refuse(e, i, "its name is not one that this deployment gives to backups of this table", out);
    if (what == RECOVERED_ORPHAN)
        return refuse(e, i, "its schedule is not one of this table's", out);
    if (!run->artefact || run->artefact->life != ARTEFACT_VERIFIED)
        return refuse(e, i, run->why ? run->why : "it is not finished", out);
    if ((r = e->port.find_run ? e->port.find_run(e->port.context, run, &known_id) : 0) < 0)
        return r;
    r = known_id > 0 ? put_beside(run, known_id, out) : put_run(e, TAKE_PTR(run));
    if (r >= 0)
        r = stock_put_decision(&out->batch.stock, i->arn, DECISION_ADOPTED, "found at the service, and vouched for",
                               i->why);
    return r < 0 ? r : engine_arm_expiry(e, t, now.mono + 2 * USEC_PER_SEC);
}
