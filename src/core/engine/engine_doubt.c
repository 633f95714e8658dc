/* Backups of which it is not known whether they exist: each is described until that is known. */

#include "core/engine/engine_expiry.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"

#define LOOK_USEC (5 * USEC_PER_SEC)
#define LOOK_AFTER_TROUBLE_USEC (2 * USEC_PER_MINUTE)
/* Listings lag: what one did not show may be in another. */
#define LIST_AGAIN_USEC (30 * USEC_PER_MINUTE)

void doubt_free(Doubt *d) {
    if (!d)
        return;
    expiry_item_done(&d->item);
    free(d);
}
DEFINE_CLEANUP(Doubt, doubt_free)

int engine_doubt(Engine *e, Expiry *x, ExpiryItem *item, DoubtKind kind, Now now) {
    CLEANUP(doubt_free_ptr) Doubt *d = calloc(1, sizeof *d);
    if (!d) {
        expiry_item_done(item);
        return -ENOMEM;
    }
    d->kind = kind;
    d->item = *item;
    *item = (ExpiryItem){};
    d->settles_mono = now.mono + DRIVE_LOOK_AGAIN_USEC;
    d->next = HEAP_NODE(d);
    int r = heap_set(&x->doubts, &d->next, now.mono);
    if (r >= 0)
        (void)TAKE_PTR(d);
    return r;
}

static bool is_of(const Doubt *d, const Target *t, DoubtKind kind) {
    return d && d->kind == kind && target_compare(t, d->item.account, d->item.region, d->item.table) == 0;
}

bool engine_has_doubts(const Expiry *x, const Target *t, DoubtKind kind) {
    bool found = is_of(x->looking, t, kind);
    for (size_t i = 0; !found && i < x->doubts.n_nodes; i++)
        found = is_of(x->doubts.nodes[i]->owner, t, kind);
    return found;
}

bool engine_is_in_doubt(const Expiry *x, const char *arn) {
    bool found = x->looking && strcmp(x->looking->item.arn, arn) == 0;
    for (size_t i = 0; !found && i < x->doubts.n_nodes; i++)
        found = strcmp(((const Doubt *)x->doubts.nodes[i]->owner)->item.arn, arn) == 0;
    return found;
}

int engine_look_at_doubt(Engine *e, Expiry *x, Now now) {
    Doubt *d = heap_due(&x->doubts, now.mono);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_BACKUP);
    if (!q || text_set(&q->describe_backup.arn, d->item.arn) < 0)
        return -ENOMEM;
    heap_set(&x->doubts, &d->next, USEC_INFINITY);
    x->looking = d;
    x->step = EXPIRY_LOOKING;
    return engine_expiry_call(e, x, TAKE_PTR(q), now);
}

/* --- what it turned out to be --- */

/* The newest verified backup may have been this one: then the table is less fresh than it was thought to be. */
static int take_from_freshness(Engine *e, const ExpiryItem *gone, Target *t, Now now, EngineOutbox *out) {
    Enrolment *n = target_enrolment(t, gone->schedule);
    AUTO_FREE char *prefix = NULL;
    CLEANUP(stock_done) Stock stock = {};
    if (!n || n->newest_wall != gone->created_wall || !t->table_arn)
        return 0;
    int r = stock_prefix(t->table_arn, &prefix);
    if (r < 0 || (r = engine_read_stock(e, out, prefix, &stock)) < 0)
        return r;
    n->newest_wall = WALL_UNKNOWN;
    for (size_t i = 0; i < stock.n_items; i++)
        if (strcmp(stock.items[i].schedule, gone->schedule) == 0)
            n->newest_wall = usec_max(n->newest_wall, stock.items[i].artefact->created_wall);
    r = engine_put_enrolment(out, n);
    return r < 0 || !n->schedule ? r : engine_freshness(e, n, now, out);
}

static int take_gone(Engine *e, const Doubt *d, Target *t, Now now, EngineOutbox *out) {
    const ExpiryItem *i = &d->item;
    char slot[DATE_ISO_SIZE];
    Report *report = NULL;
    bool ours = d->kind == DOUBT_DELETING;
    int r = stock_put_decision(&out->batch.stock, i->arn, ours ? DECISION_EXPIRED : DECISION_GONE,
                               ours ? i->why : "the service does not know it any more: somebody deleted it", NULL);
    if (r < 0 || ours)
        return r < 0 ? r : engine_say_expired(e, i, out);
    r = report_artefact(&(ReportArtefact){i->account, i->region, i->table, i->schedule, i->slot_wall, i->arn},
                        REPORT_VANISHED, e->qualified, &report,
                        "backup %s %s does not exist any more, and it was not the daemon that deleted it: %s; HINT: "
                        "CloudTrail knows who called DeleteBackup",
                        i->schedule, date_to_iso(i->slot_wall, slot), i->name);
    if (r >= 0)
        r = engine_say(out, report);
    return r < 0 || !t ? r : take_from_freshness(e, i, t, now, out);
}

/* What it is, is known; false: it is to be looked at again, at *ret_again_mono. */
static bool is_settled(Doubt *d, const CallDone *done, Now now, Usec *ret_again_mono) {
    const AwsError *error = &done->error;
    bool unknown = error->class == AWS_NOT_FOUND ||
                   (error->class == AWS_OK && done->reply->backup.status == BACKUP_DELETED);
    *ret_again_mono = now.mono + LOOK_USEC;
    if (unknown)
        return ++d->n_unknown > DRIVE_GONE_AFTER;
    if (error->class != AWS_OK && d->kind != DOUBT_ADOPTED) {
        *ret_again_mono = now.mono + LOOK_AFTER_TROUBLE_USEC;
        return false;
    }
    d->n_unknown = 0;
    if (d->kind != DOUBT_DELETING || now.mono >= d->settles_mono)
        return true;
    *ret_again_mono = usec_min(d->settles_mono, now.mono + USEC_PER_MINUTE);
    return false;
}

int engine_looked(Engine *e, Expiry *x, CallDone *done, Now now, EngineOutbox *out) {
    CLEANUP(doubt_free_ptr) Doubt *d = TAKE_PTR(x->looking);
    Target *t = targets_find(&e->targets, d->item.account, d->item.region, d->item.table);
    Place *p = places_find(&e->places, x->account, x->region);
    Usec again_mono;
    bool trouble;
    x->step = EXPIRY_IDLE;
    int r = p ? engine_take_place(e, p, done, out, &trouble) : 0;
    if (r < 0)
        return r;
    if (!is_settled(d, done, now, &again_mono)) {
        r = heap_set(&x->doubts, &d->next, again_mono);
        if (r >= 0)
            (void)TAKE_PTR(d);
        return r;
    }
    if (d->kind == DOUBT_ADOPTED)
        return engine_adopted(e, &d->item, t, done->reply ? &done->reply->backup : NULL, now, out);
    if (d->n_unknown > 0)
        r = take_gone(e, d, t, now, out);
    else if (d->kind == DOUBT_DELETING)
        r = stock_put_decision(&out->batch.stock, d->item.arn, DECISION_WITHDRAWN,
                               "the request to delete it had no effect", NULL);
    bool lagged = d->kind == DOUBT_UNSEEN && d->n_unknown == 0;
    return r < 0 || !t ? r : engine_arm_expiry(e, t, now.mono + (lagged ? LIST_AGAIN_USEC : USEC_PER_SEC));
}
