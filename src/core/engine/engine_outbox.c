#include "core/engine/engine_inside.h"

#include <errno.h>

#include "base/array.h"

void engine_outbox_clear(EngineOutbox *o) {
    ledger_batch_clear(&o->batch);
    for (size_t i = 0; i < o->n_requests; i++)
        http_request_free(o->requests[i]);
    for (size_t i = 0; i < o->n_reports; i++)
        report_free(o->reports[i]);
    for (size_t i = 0; i < o->n_orders; i++)
        order_free(o->orders[i]);
    o->n_requests = o->n_reports = o->n_orders = 0;
}

void engine_outbox_done(EngineOutbox *o) {
    engine_outbox_clear(o);
    ledger_batch_done(&o->batch);
    free(o->requests);
    free(o->reports);
    free(o->orders);
    *o = (EngineOutbox){};
}

int engine_say(EngineOutbox *out, Report *report) {
    if (!report)
        return 0;
    CLEANUP(report_free_ptr) Report *taken = report;
    if (ARRAY_GROW(out->reports, out->n_reports, out->n_reports_room) < 0)
        return -ENOMEM;
    out->reports[out->n_reports++] = TAKE_PTR(taken);
    return 0;
}

int engine_put_enrolment(EngineOutbox *out, Enrolment *e) {
    LedgerBatch *b = &out->batch;
    if (e->listed)
        return 0;
    if (ARRAY_GROW(b->enrolments, b->n_enrolments, b->n_enrolments_room) < 0)
        return -ENOMEM;
    b->enrolments[b->n_enrolments++] = e;
    e->listed = true;
    return 0;
}

int engine_put_target(EngineOutbox *out, Target *t) {
    LedgerBatch *b = &out->batch;
    if (!t->changed || t->listed)
        return 0;
    if (ARRAY_GROW(b->targets, b->n_targets, b->n_targets_room) < 0)
        return -ENOMEM;
    b->targets[b->n_targets++] = t;
    t->listed = true;
    return 0;
}
