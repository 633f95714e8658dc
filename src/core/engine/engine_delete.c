/* What a pass deletes: one backup after the other, each intent in the ledger before its request leaves. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"

/* Of one listing; then comes another. */
#define PASS_MAX 100
#define PASS_USEC (15 * USEC_PER_MINUTE)
/* Backups of one place that are looked for at once; the next listing finds the others again. */
#define DOUBTS_MAX 1000
/* The brake is said again while it holds. */
#define SAID_AGAIN_USEC (USEC_PER_DAY - USEC_PER_HOUR)

void expiry_item_done(ExpiryItem *i) {
    free(i->arn);
    free(i->name);
    free(i->schedule);
    free(i->account);
    free(i->region);
    free(i->table);
    free(i->why);
    *i = (ExpiryItem){};
}

int expiry_item_make(const StockItem *from, const char *why, ExpiryItem *ret) {
    ExpiryItem i = {.slot_wall = from->slot_wall, .created_wall = from->artefact->created_wall,
                    .action = from->artefact->action};
    if (text_set(&i.arn, from->artefact->arn) < 0 || text_set(&i.name, from->artefact->name) < 0 ||
        text_set(&i.schedule, from->schedule) < 0 || text_set(&i.account, from->account) < 0 ||
        text_set(&i.region, from->region) < 0 || text_set(&i.table, from->table) < 0 || text_set(&i.why, why) < 0) {
        expiry_item_done(&i);
        return -ENOMEM;
    }
    *ret = i;
    return 0;
}

int engine_say_expired(Engine *e, const ExpiryItem *i, EngineOutbox *out) {
    char slot[DATE_ISO_SIZE];
    Report *report = NULL;
    int r = report_artefact(&(ReportArtefact){i->account, i->region, i->table, i->schedule, i->slot_wall, i->arn},
                            REPORT_EXPIRED, e->qualified, &report, "%s %s %s expired, and was deleted: %s%s%s",
                            action_to_string(i->action), i->schedule, date_to_iso(i->slot_wall, slot),
                            i->action == ACTION_BACKUP ? i->name : i->arn, i->why ? ": " : "", i->why ? i->why : "");
    return r < 0 ? r : engine_say(out, report);
}

/* --- the brake --- */

static StockBrake *find_brake(const Engine *e, const Target *t, const ExpireGroup *g) {
    for (size_t i = 0; i < e->stock.n_brakes; i++) {
        StockBrake *b = &e->stock.brakes[i];
        if (target_compare(t, b->account, b->region, b->table) == 0 && strcmp(b->schedule, g->schedule->name) == 0 &&
            text_equal(b->table_id, g->table_id))
            return b;
    }
    return NULL;
}

int engine_let_go(Engine *e, StockBrake *b, EngineOutbox *out) {
    b->n_delete = 0;
    int r = stock_put_brake(&out->batch.stock, b);
    stock_brake_done(b);
    *b = e->stock.brakes[--e->stock.n_brakes];
    return r;
}

static int say_braked(const Engine *e, const Target *t, const ExpireGroup *g, EngineOutbox *out) {
    Report *report = NULL;
    int r =
        report_target(t, REPORT_BRAKED, e->qualified, &report,
                      "%zu of %zu %ss of schedule %s would be deleted at once, which is more than %zu: none is; HINT: "
                      "'ddbackupctl prune --dry-run' shows them; correct keep, or limits.max_delete_share, or let them "
                      "go with 'ddbackupctl prune --confirm'",
                      g->n_beyond, g->n_counted, action_to_string(g->schedule->action), g->schedule->name,
                      expire_allowance(e->conf, g));
    return r < 0 ? r : engine_say(out, report);
}

static int put_on(Engine *e, const Target *t, const ExpireGroup *g, StockBrake *b, Now now, EngineOutbox *out) {
    int r = 0;
    if (!b) {
        if (ARRAY_GROW(e->stock.brakes, e->stock.n_brakes, e->stock.n_brakes_room) < 0)
            return -ENOMEM;
        b = &e->stock.brakes[e->stock.n_brakes];
        const StockBrake brake = {.account = t->account,
                                  .region = t->region,
                                  .table = t->table,
                                  .schedule = g->schedule->name,
                                  .table_id = (char *)g->table_id,
                                  .since_wall = now.wall};
        if ((r = stock_brake_copy(&brake, b)) < 0)
            return r;
        e->stock.n_brakes++;
    }
    bool is_new = b->n_delete != g->n_beyond || b->n_all != g->n_counted;
    b->n_delete = g->n_beyond;
    b->n_all = g->n_counted;
    b->n_confirmed = 0;
    if (is_new)
        r = stock_put_brake(&out->batch.stock, b);
    if (r < 0 || (!is_new && now.wall - b->said_wall < SAID_AGAIN_USEC))
        return r;
    b->said_wall = now.wall;
    return say_braked(e, t, g, out);
}

/* --- what the plan says --- */

/* Somebody has to say that it may go. */
bool engine_may_delete(const Engine *e, const ScheduleConf *s) {
    return s->expire == EXPIRE_DELETE && e->stock.expires;
}

/* What would go, and stays as nobody has told it to: said when it changes. */
static int say_beyond(const Engine *e, const Target *t, const ExpirePlan *p, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < t->n_enrolments; i++) {
        Enrolment *n = t->enrolments[i];
        Report *report = NULL;
        size_t n_beyond = 0;
        if (n->schedule && n->schedule->action != p->action)
            continue;
        for (size_t j = 0; j < p->n_groups; j++)
            n_beyond += p->groups[j].schedule == n->schedule && !engine_may_delete(e, n->schedule)
                            ? p->groups[j].n_beyond
                            : 0;
        if (n_beyond > 0 && n_beyond != n->n_beyond_said)
            r = report_enrolment(n, REPORT_BEYOND, e->qualified, &report,
                                 "%ss of schedule %s that are beyond its keep, and stay: %zu, as %s",
                                 action_to_string(p->action), n->schedule_name, n_beyond,
                                 n->schedule->expire == EXPIRE_DELETE
                                     ? "the ledger is new or was rebuilt, and may lack holds; HINT: 'ddbackupctl prune "
                                       "--dry-run' shows them; hold what is to stay, then 'ddbackupctl resume --expiry'"
                                     : "expire is \"report\"; HINT: 'ddbackupctl prune --dry-run' shows them; expire = "
                                       "\"delete\" lets them go");
        n->n_beyond_said = n_beyond;
        if (r >= 0)
            r = engine_say(out, report);
    }
    return r;
}

/* May what is beyond the group's policy go? */
static int decide_group(Engine *e, const Target *t, const ExpireGroup *g, Now now, EngineOutbox *out, bool *ret) {
    StockBrake *b = find_brake(e, t, g);
    bool told = engine_may_delete(e, g->schedule);
    size_t allowed = expire_allowance(e->conf, g);
    bool too_many = told && g->n_sudden > allowed;
    *ret = told && (!too_many || (b && g->n_sudden <= allowed + b->n_confirmed));
    if (!too_many)
        return b ? engine_let_go(e, b, out) : 0;
    return *ret ? 0 : put_on(e, t, g, b, now, out);
}

int engine_note(const StockItem *i, Decision decision, const char *why, EngineOutbox *out) {
    if (i->decision == decision && text_equal(i->decision_why, why))
        return 0;
    return stock_put_decision(&out->batch.stock, i->artefact->arn, decision, why, NULL);
}

static int add_removal(Expiry *x, const StockItem *item, const char *why) {
    if (ARRAY_GROW(x->removals, x->n_removals, x->n_removals_room) < 0 ||
        expiry_item_make(item, why, &x->removals[x->n_removals]) < 0)
        return -ENOMEM;
    x->n_removals++;
    return 0;
}

static int take_line(Engine *e, Expiry *x, const ExpireLine *l, bool may_go, Now now, EngineOutbox *out) {
    if (!l->listed) {
        ExpiryItem item = {};
        if (x->doubts.n_nodes >= DOUBTS_MAX || engine_is_in_doubt(x, l->item->artefact->arn))
            return 0;
        int r = expiry_item_make(l->item, NULL, &item);
        return r < 0 ? r : engine_doubt(e, x, &item, DOUBT_UNSEEN, now);
    }
    if (!l->verdict.expendable)
        return engine_note(l->item, DECISION_KEPT, l->guard ? l->guard : retention_reason_text(l->verdict.reason), out);
    AUTO_TEXT why = TEXT_INIT(1000);
    int r = retention_verdict_describe(&l->verdict, &l->schedule->keep, &why);
    if (r < 0)
        return r;
    return may_go ? add_removal(x, l->item, text_get(&why))
                  : engine_note(l->item, DECISION_BEYOND, text_get(&why), out);
}

/* What was confirmed is done: what comes later needs a word of its own. */
int engine_end_confirmed(Engine *e, const Target *t, Action action, EngineOutbox *out) {
    int r = 0;
    for (size_t i = e->stock.n_brakes; r >= 0 && i-- > 0;) {
        StockBrake *b = &e->stock.brakes[i];
        if (b->n_confirmed > 0 && target_compare(t, b->account, b->region, b->table) == 0 &&
            expire_schedule(t, action, b->schedule))
            r = engine_let_go(e, b, out);
    }
    return r;
}

static int delete_next(Engine *e, Expiry *x, Now now, EngineOutbox *out) {
    bool all = x->at == x->n_removals, over = all || e->stopping || engine_is_paused(e);
    int r = all && x->retry_usec == 0 ? engine_end_confirmed(e, x->target, ACTION_BACKUP, out) : 0;
    if (r < 0)
        return r;
    if (over || x->at == PASS_MAX || now.mono - x->begun_mono > PASS_USEC) {
        x->retry_usec = over ? x->retry_usec : USEC_PER_SEC;
        return engine_end_pass(e, x, now);
    }
    const ExpiryItem *i = &x->removals[x->at];
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DELETE_BACKUP);
    if (!q || text_set(&q->delete_backup.arn, i->arn) < 0)
        return -ENOMEM;
    x->step = EXPIRY_DELETING;
    r = stock_put_decision(&out->batch.stock, i->arn, DECISION_EXPIRING, i->why, NULL);
    return r < 0 ? r : engine_expiry_call(e, x, TAKE_PTR(q), now);
}

int engine_decide(Engine *e, const Target *t, const ExpirePlan *plan, Now now, EngineOutbox *out, bool *ret_may_go) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < plan->n_groups; i++)
        r = decide_group(e, t, &plan->groups[i], now, out, &ret_may_go[i]);
    return r < 0 ? r : say_beyond(e, t, plan, out);
}

int engine_carry_out(Engine *e, Expiry *x, const ExpirePlan *plan, Now now, EngineOutbox *out) {
    AUTO_FREE bool *may_go = calloc(plan->n_groups + 1, sizeof *may_go);
    int r = may_go ? engine_decide(e, x->target, plan, now, out, may_go) : -ENOMEM;
    for (size_t i = 0; r >= 0 && i < plan->n_lines; i++) {
        const ExpireLine *l = &plan->lines[i];
        if (l->schedule && l->item->artefact->life == ARTEFACT_VERIFIED)
            r = take_line(e, x, l, may_go[l->group], now, out);
    }
    return r < 0 ? r : delete_next(e, x, now, out);
}

/* --- what became of it --- */

/* It had no effect, and the intent is taken back. */
static int withdraw(Expiry *x, const ExpiryItem *i, const AwsError *error, EngineOutbox *out) {
    AUTO_FREE char *why = text_format("DeleteBackup was refused: %s%s%s", error->code, error->message[0] ? ": " : "",
                                      error->message);
    x->retry_usec = EXPIRY_RETRY_USEC;
    return why ? stock_put_decision(&out->batch.stock, i->arn, DECISION_WITHDRAWN, why, NULL) : -ENOMEM;
}

static int take_refusal(Engine *e, Expiry *x, const ExpiryItem *i, CallDone *done, Now now, EngineOutbox *out) {
    char slot[DATE_ISO_SIZE];
    int r = withdraw(x, i, &done->error, out);
    if (r < 0)
        return r;
    AUTO_FREE char *why = text_format("backup %s %s could not be deleted", i->schedule,
                                      date_to_iso(i->slot_wall, slot));
    return why ? engine_expiry_failed(e, x, done, why, now, out) : -ENOMEM;
}

int engine_deleted(Engine *e, Expiry *x, CallDone *done, Now now, EngineOutbox *out) {
    ExpiryItem *i = &x->removals[x->at];
    bool goes_on = true;
    int r = 0;
    switch (done->error.class) {
    case AWS_OK:
    case AWS_NOT_FOUND: /* gone already, which is what was wanted */
        r = stock_put_decision(&out->batch.stock, i->arn, DECISION_EXPIRED, i->why, NULL);
        if (r >= 0)
            r = engine_say_expired(e, i, out);
        break;
    case AWS_UNCERTAIN: /* nothing more of this table goes before that is known */
        r = engine_doubt(e, x, i, DOUBT_DELETING, now);
        goes_on = false;
        break;
    case AWS_NOT_READY: /* a restore reads it; the others may go */
        r = withdraw(x, i, &done->error, out);
        break;
    case AWS_THROTTLED:
    case AWS_TRANSIENT:
    case AWS_QUOTA:
    case AWS_PITR_OFF:
    case AWS_TIME_REFUSED:
    case AWS_CREDENTIALS:
    case AWS_DENIED:
    case AWS_CLOCK_SKEW:
    case AWS_REFUSED:
        r = take_refusal(e, x, i, done, now, out);
        goes_on = false;
        break;
    }
    if (r < 0)
        return r;
    x->at++;
    return goes_on ? delete_next(e, x, now, out) : engine_end_pass(e, x, now);
}
