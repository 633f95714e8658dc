/* One export that is to go, from its intent in the ledger to its end. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/engine/engine_erase_inside.h"

/* What told nothing is asked again so soon, so often; then something else has its turn, and it comes again later. */
#define AGAIN_USEC (20 * USEC_PER_SEC)
#define AGAIN_MAX 3

static void forget(Eraser *x) {
    erase_free(TAKE_PTR(x->erase));
    expiry_item_done(&x->doomed[--x->n_doomed].item);
    x->n_unknown = 0;
}

static int read_doomed(const Engine *e, const EngineOutbox *out, const ExpiryItem *i, Stock *ret,
                       const StockItem **ret_item) {
    const char *slash = strrchr(i->arn, '/');
    AUTO_FREE char *prefix = slash ? strndup(i->arn, (size_t)(slash + 1 - i->arn)) : NULL;
    int r = prefix ? engine_read_stock(e, out, prefix, ret) : -ENOMEM;
    *ret_item = r >= 0 ? stock_find(ret, i->arn) : NULL;
    return r;
}

static int begin_erase(Engine *e, Eraser *x, const EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    CLEANUP(export_place_done) ExportPlace p = {};
    const EraserDoomed *d = &x->doomed[x->n_doomed - 1];
    const StockItem *i;
    int r = read_doomed(e, out, &d->item, &stock, &i);
    if (r >= 0)
        r = i && i->artefact->life == ARTEFACT_EXPIRING ? artefact_export_place(i->artefact, &p) : -ENODATA;
    if (r == -ENODATA)
        forget(x);
    if (r < 0)
        return r == -ENODATA ? 0 : r;
    return erase_new(&(EraseWish){.region = x->region,
                                  .bucket = p.bucket,
                                  .bucket_owner = p.bucket_owner,
                                  .prefix = p.prefix,
                                  .manifest_key = p.manifest_key,
                                  .export_arn = d->item.arn,
                                  .summary_md5 = i->artefact->summary_md5,
                                  .files_md5 = i->artefact->files_md5,
                                  .resumed = d->resumed},
                     &x->erase);
}

static int take_erased(Engine *e, const ExpiryItem *i, const EraseFacts *f, Now now, EngineOutbox *out) {
    AUTO_FREE char *why = f->n_left == 0 ? text_format("%s", i->why ? i->why : "")
                                         : text_format("%s; %lld objects are not the export's any more, and stay",
                                                       i->why ? i->why : "", (long long)f->n_left);
    int r = why ? stock_put_decision(&out->batch.stock, i->arn, DECISION_EXPIRED, why, NULL) : -ENOMEM;
    if (r >= 0)
        r = engine_want_records_of(e, i->account, i->region, i->table, now);
    return r < 0 ? r : engine_say_expired(e, i, out);
}

/* It is not what was recorded. What is as good as before is left to a later pass; else it is damaged, which a check
 * says. */
static int take_refused(Engine *e, Eraser *x, const EraserDoomed *d, Now now, EngineOutbox *out) {
    CLEANUP(stock_done) Stock stock = {};
    const StockItem *i;
    const EraseFacts *f = erase_facts(x->erase);
    bool whole = !d->resumed && !f->has_begun;
    AUTO_FREE char *why = text_format("%s: %s", whole ? "nothing of it was deleted" : "the rest of it stays",
                                      erase_why(x->erase));
    int r = why ? stock_put_decision(&out->batch.stock, d->item.arn, DECISION_WITHDRAWN, why, NULL) : -ENOMEM;
    if (r >= 0)
        r = read_doomed(e, out, &d->item, &stock, &i);
    if (r < 0 || !i)
        return r;
    if (whole && f->is_doubtful)
        return eraser_say_failed(e, x, d->item.table, "an export could not be deleted", erase_why(x->erase), NULL, now,
                                 out);
    return engine_export_damaged(e, i, VERIFY_MANIFEST, why, now, out);
}

static int conclude(Engine *e, Eraser *x, Now now, EngineOutbox *out) {
    const EraserDoomed *d = &x->doomed[x->n_doomed - 1];
    bool done = erase_state(x->erase) == ERASE_DONE;
    int r = done ? take_erased(e, &d->item, erase_facts(x->erase), now, out) : take_refused(e, x, d, now, out);
    if (done)
        engine_end_obstacle(&x->obstacle, d->item.table);
    forget(x);
    return r;
}

int eraser_move(Engine *e, Eraser *x, Now now, EngineOutbox *out) {
    AwsRequest *request = NULL;
    int r = x->erase ? 0 : begin_erase(e, x, out);
    if (r < 0 || !x->erase)
        return r;
    if (erase_state(x->erase) != ERASE_ASKS)
        return conclude(e, x, now, out);
    r = erase_request(x->erase, &request);
    return r < 0 ? r : eraser_call(e, x, erase_region(x->erase), request, now);
}

/* Others first. */
static void put_back(Eraser *x) {
    EraserDoomed last = x->doomed[x->n_doomed - 1];
    last.resumed |= erase_facts(x->erase)->has_begun;
    memmove(x->doomed + 1, x->doomed, (x->n_doomed - 1) * sizeof *x->doomed);
    x->doomed[0] = last;
    erase_free(TAKE_PTR(x->erase));
    x->n_unknown = 0;
}

int eraser_answer(Engine *e, Eraser *x, const CallDone *done, Now now, EngineOutbox *out) {
    bool unknown;
    int r = erase_answer(x->erase, done, &unknown);
    if (r < 0)
        return r;
    x->n_unknown = unknown ? x->n_unknown + 1 : 0;
    if (!unknown)
        return erase_state(x->erase) == ERASE_ASKS ? 0 : conclude(e, x, now, out);
    bool again = x->n_unknown < AGAIN_MAX && done->error.class != AWS_DENIED;
    x->next_mono = now.mono + (again ? AGAIN_USEC : EXPIRY_RETRY_USEC);
    if (again)
        return 0;
    r = eraser_say_failed(e, x, x->doomed[x->n_doomed - 1].item.table,
                          "an export could not be deleted, which is tried again", erase_why(x->erase),
                          erase_hint(x->erase), now, out);
    put_back(x);
    return r;
}
