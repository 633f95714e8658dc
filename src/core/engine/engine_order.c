#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "core/run/slot.h"

/* --- a run outside the calendar --- */

/* Its name alone, or with account and region; patterns, too. */
static bool is_meant(const Order *o, const Target *t) {
    char whole[TARGET_LABEL_SIZE];
    return !o->table || glob_match(o->table, t->table) ||
           (strchr(o->table, '/') && glob_match(o->table, target_label(t, true, whole)));
}

static Run *unsettled_run(const Engine *e, const Enrolment *n) {
    for (size_t i = 0; n->n_unsettled > 0 && i < e->n_runs; i++) {
        Run *r = e->runs[i];
        if (r->enrolment == n && (!run_waits_for_chain(r) || r->slot_wall == n->ordered_wall))
            return r;
    }
    return NULL;
}

int engine_begin_now(Engine *e, Enrolment *n, Now now, EngineOutbox *out, Run **ret) {
    Usec slot;
    int r = slot_ordered(n, now.wall, &slot);
    if (r < 0 || (r = engine_begin_run(e, n, slot, now, out)) < 0)
        return r;
    Run *run = e->runs[e->n_runs - 1];
    run->due_wall = slot;
    run->start_by_wall = usec_add(usec_max(now.wall, slot), n->schedule->start_within_usec);
    n->ordered_wall = slot;
    *ret = run;
    r = engine_put_enrolment(out, n);
    return r < 0 || !n->lineage ? r : engine_schedule_chain(e, n->lineage, now); /* its links may end there */
}

/* One that is under way is what was asked for; if it waits, it need not any more. A slot of a chain that waits is not:
 * what is wanted is all up to now. */
static int order_one(Engine *e, Enrolment *n, Order *o, Now now, EngineOutbox *out) {
    char why[ORDER_WORD_MAX];
    Run *run = unsettled_run(e, n);
    bool is_new = !run;
    int r = run ? 0 : engine_begin_now(e, n, now, out, &run);
    if (r == -EEXIST)
        return 0;
    if (r < 0)
        return r;
    snprintf(why, sizeof why, "by %s%s%s", o->who, o->why ? ": " : "", o->why ? o->why : "");
    run->ordered = true;
    run_apply(run, RUN_EV_ORDERED, &(RunCause){.why = why}, now);
    if ((r = engine_settle_notes(e, run, now, out)) < 0)
        return r;
    if (!is_new && !run->calling && !run->waits_for_room && (run->state == RUN_DUE || run->state == RUN_INTENDED))
        r = heap_set(&e->steps, &run->step, now.mono);
    o->count += is_new;
    return r < 0 ? r : order_add_run(o, run->id);
}

static int compare_ids(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int answer_run(Engine *e, Order *o, EngineOutbox *out) {
    Report *report = NULL;
    long long n_begun = o->count, n_found = (long long)o->n_runs - o->count;
    if (o->n_runs == 0 && o->table)
        return order_answer(o, ORDER_NOT_FOUND,
                            "%s: schedule %s has no such table; HINT: 'ddbackupctl status --all' shows which it has",
                            o->table, o->object);
    if (o->n_runs == 0)
        return order_answer(o, ORDER_NOT_FOUND, "schedule %s has no tables; HINT: an entry of tables must name it",
                            o->object);
    qsort(o->runs, o->n_runs, sizeof o->runs[0], compare_ids);
    if (n_begun == 0)
        return order_answer(o, ORDER_UNCHANGED, "under way already: %lld run%s", n_found, n_found == 1 ? "" : "s");
    int r = report_plain(REPORT_ORDERED, &report, "%s%sschedule %s: %lld run%s ordered by %s%s%s",
                         o->table ? o->table : "", o->table ? ": " : "", o->object, n_begun, n_begun == 1 ? "" : "s",
                         o->who, o->why ? ": " : "", o->why ? o->why : "");
    if (r < 0 || (r = engine_say(out, report)) < 0)
        return r;
    const ScheduleConf *s = conf_schedule(e->conf, o->object);
    if (n_found == 0 && s && s->action == ACTION_INCREMENTAL)
        return order_answer(o, ORDER_DONE,
                            "%lld run%s begun; links up to now are asked for once the tables can be restored to it, "
                            "some five minutes from now, and last 15 minutes at least",
                            n_begun, n_begun == 1 ? "" : "s");
    if (n_found == 0)
        return order_answer(o, ORDER_DONE, "%lld run%s begun", n_begun, n_begun == 1 ? "" : "s");
    return order_answer(o, ORDER_DONE, "%lld run%s begun, %lld under way already", n_begun, n_begun == 1 ? "" : "s",
                        n_found);
}

/* Why nothing new may start; NULL: it may. */
static const char *obstacle(const Engine *e) {
    if (e->stopping)
        return "the daemon is stopping";
    if (engine_is_paused(e))
        return "it is paused; HINT: 'ddbackupctl resume' ends that";
    if (!trust_holds(&e->trust))
        return "nothing new starts until the service has confirmed the time; HINT: try again in a moment; "
               "'ddbackupctl status' and the journal say what is in the way";
    return NULL;
}

/* So many tables at a turn; the first that is left is found by the last that was done. */
static int order_runs(Engine *e, Order *o, Now now, EngineOutbox *out, size_t *n_taken) {
    size_t i = 0;
    for (; e->order_at && i < e->targets.n_items;)
        if (e->targets.items[i++] == e->order_at)
            break;
    int r = 0;
    for (; r >= 0 && i < e->targets.n_items && *n_taken < ENGINE_TURN_MAX; i++) {
        e->order_at = e->targets.items[i];
        Enrolment *n = is_meant(o, e->order_at) ? target_enrolment(e->order_at, o->object) : NULL;
        if (!n || !n->schedule)
            continue;
        r = order_one(e, n, o, now, out);
        ++*n_taken;
    }
    if (r < 0 || i < e->targets.n_items)
        return r;
    e->order_at = NULL;
    r = answer_run(e, o, out);
    return r < 0 ? r : 1;
}

/* 1: it has its answer. 0: it goes on with the next turn. */
static int engine_order_run(Engine *e, Order *o, Now now, EngineOutbox *out, size_t *n_taken) {
    const char *words[CONF_SCHEDULES_MAX], *why = e->order_at && !e->stopping ? NULL : obstacle(e);
    const ScheduleConf *s = o->object ? conf_schedule(e->conf, o->object) : NULL;
    int r = 0;
    if (!s) {
        for (size_t i = 0; i < e->conf->n_schedules; i++)
            words[i] = e->conf->schedules[i].name;
        const char *nearest = name_nearest(o->object ? o->object : "", words, e->conf->n_schedules);
        r = order_answer(o, ORDER_NOT_FOUND, "%s: no such schedule; HINT: %s%s%s", o->object ? o->object : "",
                         nearest ? "did you mean " : "", nearest ? nearest : "'ddbackupctl plan' shows them",
                         nearest ? "?" : "");
    } else if (why)
        r = order_answer(o, ORDER_REFUSED, "%s", why);
    else
        return order_runs(e, o, now, out, n_taken);
    e->order_at = NULL;
    return r < 0 ? r : 1;
}

/* --- all kinds --- */

static int carry_out(Engine *e, Order *o, Now now, EngineOutbox *out, size_t *n_taken) {
    int r = 0;
    switch (o->kind) {
    case ORDER_RUN:
        return engine_order_run(e, o, now, out, n_taken);
    case ORDER_PAUSE:
        r = engine_pause(e, o, now, out);
        break;
    case ORDER_RESUME:
        r = engine_resume(e, o, now, out);
        break;
    case ORDER_HOLD:
        r = engine_hold(e, o, now, out);
        break;
    case ORDER_RELEASE:
        r = engine_release(e, o, now, out);
        break;
    case ORDER_ADOPT:
        r = engine_adopt(e, o, now, out);
        break;
    case ORDER_CONFIRM_PRUNE:
        r = engine_confirm_prune(e, o, now, out);
        break;
    case ORDER_VERIFY:
        r = engine_verify(e, o, now, out);
        break;
    case ORDER_RESUME_EXPIRY:
        r = engine_resume_expiry(e, o, now, out);
        break;
    case ORDER_KINDS:
        break;
    }
    ++*n_taken;
    return r < 0 ? r : 1;
}

int engine_take_orders(Engine *e, Now now, EngineOutbox *out, size_t *n_taken) {
    LedgerBatch *b = &out->batch;
    size_t n_done = 0;
    int r = 1;
    while (r > 0 && n_done < e->n_orders && *n_taken < ENGINE_TURN_MAX) {
        Order *o = e->orders[n_done];
        if ((r = carry_out(e, o, now, out, n_taken)) <= 0)
            break;
        if (ARRAY_GROW(out->orders, out->n_orders, out->n_orders_room) < 0 ||
            ARRAY_GROW(b->orders, b->n_orders, b->n_orders_room) < 0)
            return -ENOMEM;
        n_done++;
        out->orders[out->n_orders++] = o;
        if (o->outcome == ORDER_DONE)
            b->orders[b->n_orders++] = o;
    }
    if (n_done > 0)
        memmove(e->orders, e->orders + n_done, (e->n_orders - n_done) * sizeof e->orders[0]);
    e->n_orders -= n_done;
    return r < 0 ? r : 0;
}
