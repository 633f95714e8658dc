#include "io/store_put.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "base/array.h"
#include "io/store_chain.h"
#include "io/store_record.h"
#include "io/store_stock.h"

enum { PUT_TARGET, PUT_ENROLMENT, PUT_RUN, PUT_ARTEFACT, PUT_NOTE, PUT_RANGE, PUT_ORDER, PUT_TABLE, DROP_TABLE,
       N_STATEMENTS };

struct StoreWriter {
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
};

static const char *const statement_sql[N_STATEMENTS] = {
    [PUT_TARGET] = "INSERT INTO targets (account, region, name, table_id, table_arn, described, gone, recovery,"
                   " recovery_seen) VALUES (?,?,?,?,?,?,?,?,?)"
                   " ON CONFLICT DO UPDATE SET table_id=excluded.table_id, table_arn=excluded.table_arn,"
                   " described=excluded.described, gone=excluded.gone, recovery=excluded.recovery,"
                   " recovery_seen=excluded.recovery_seen",
    [PUT_ENROLMENT] = "INSERT INTO enrolments (account, region, name, schedule, active, calendar, max_age, first_seen,"
                      " cursor, newest, stale, stale_said, ordered) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
                      " ON CONFLICT DO UPDATE SET active=excluded.active, calendar=excluded.calendar,"
                      " max_age=excluded.max_age, cursor=excluded.cursor, newest=excluded.newest, stale=excluded.stale,"
                      " stale_said=excluded.stale_said, ordered=excluded.ordered",
    [PUT_RUN] = "INSERT INTO runs (id, state, action, schedule, account, region, name, slot, due, start_by, warn_at,"
                " finish_by, warned, handle, table_id, table_arn, s3_bucket, s3_bucket_owner, s3_prefix,"
                " s3_sse_algorithm, s3_kms_key_id, s3_format, attempt, intent, first_sent, sent, n_sends, n_deferred,"
                " settled, why, hint, request_id, verify)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                " ON CONFLICT (id) DO UPDATE SET state=excluded.state, warned=excluded.warned, handle=excluded.handle,"
                " table_id=excluded.table_id, table_arn=excluded.table_arn, s3_bucket=excluded.s3_bucket,"
                " s3_prefix=excluded.s3_prefix, attempt=excluded.attempt, intent=excluded.intent,"
                " first_sent=excluded.first_sent, sent=excluded.sent, n_sends=excluded.n_sends,"
                " n_deferred=excluded.n_deferred, settled=excluded.settled, why=excluded.why, hint=excluded.hint,"
                " request_id=excluded.request_id",
    [PUT_ARTEFACT] =
        "INSERT INTO artefacts (run_id, action, life, arn, status, handle, table_id, created, finished,"
        " verified, size_bytes, item_count, details, level, found) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (arn) DO UPDATE SET life=excluded.life, status=excluded.status, handle=excluded.handle,"
        " table_id=excluded.table_id, created=excluded.created, finished=excluded.finished,"
        " verified=excluded.verified, size_bytes=excluded.size_bytes, item_count=excluded.item_count,"
        " details=excluded.details, level=excluded.level, found=excluded.found",
    [PUT_NOTE] = "INSERT INTO notes (run_id, wall, event, state, why) VALUES (?,?,?,?,?)",
    [PUT_RANGE] = ("INSERT INTO ranges (schedule, account, region, name, from_slot, to_slot, n_slots, wall, why)"
                   " VALUES (?,?,?,?,?,?,?,?,?)"),
    [PUT_ORDER] = ("INSERT INTO orders (wall, kind, object, name, until, count, who, why, answer)"
                   " VALUES (?,?,?,?,?,?,?,?,?)"),
    [PUT_TABLE] = "INSERT INTO inventory (account, region, name, tags, tags_read, seen) VALUES (?,?,?,?,?,?)"
                  " ON CONFLICT DO UPDATE SET tags=excluded.tags, tags_read=excluded.tags_read",
    [DROP_TABLE] = "DELETE FROM inventory WHERE account = ? AND region = ? AND name = ?",
};

void store_writer_free(StoreWriter *w) {
    if (!w)
        return;
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(w->statements[i]);
    free(w);
}

int store_writer_new(sqlite3 *db, StoreWriter **ret) {
    CLEANUP(store_writer_free_ptr) StoreWriter *w = calloc(1, sizeof *w);
    if (!w)
        return SQLITE_NOMEM;
    w->db = db;
    for (int i = 0; i < N_STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &w->statements[i], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    *ret = TAKE_PTR(w);
    return SQLITE_OK;
}

typedef struct Binder {
    sqlite3_stmt *q;
    int n;
    int code;
} Binder;

static void bind_text(Binder *b, const char *s) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_bind_text(b->q, ++b->n, s, -1, SQLITE_STATIC);
}

static void bind_int(Binder *b, int64_t value) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_bind_int64(b->q, ++b->n, value);
}

/* NULL for an instant that is not known or never. */
static void bind_wall(Binder *b, Usec wall) {
    if (wall != WALL_UNKNOWN && wall != USEC_INFINITY)
        bind_int(b, wall);
    else
        b->n++;
}

static void bind_count(Binder *b, int64_t count) {
    if (count != COUNT_UNKNOWN)
        bind_int(b, count);
    else
        b->n++;
}

static Binder binder(StoreWriter *w, int statement) {
    sqlite3_reset(w->statements[statement]);
    sqlite3_clear_bindings(w->statements[statement]);
    return (Binder){.q = w->statements[statement], .code = SQLITE_OK};
}

static int put(Binder *b) {
    if (b->code == SQLITE_OK)
        b->code = sqlite3_step(b->q);
    if (b->code != SQLITE_DONE)
        return b->code;
    sqlite3_reset(b->q);
    return SQLITE_OK;
}

static int put_target(StoreWriter *w, const Target *t) {
    Binder b = binder(w, PUT_TARGET);
    bind_text(&b, t->account);
    bind_text(&b, t->region);
    bind_text(&b, t->table);
    bind_text(&b, t->table_id);
    bind_text(&b, t->table_arn);
    bind_wall(&b, t->described_wall);
    bind_wall(&b, t->gone_wall);
    bind_count(&b, t->recovery == RECOVERY_UNKNOWN ? COUNT_UNKNOWN : t->recovery == RECOVERY_ON);
    bind_wall(&b, t->recovery_wall);
    return put(&b);
}

static int put_enrolment(StoreWriter *w, const Enrolment *e) {
    Binder b = binder(w, PUT_ENROLMENT);
    bind_text(&b, e->target->account);
    bind_text(&b, e->target->region);
    bind_text(&b, e->target->table);
    bind_text(&b, e->schedule_name);
    bind_int(&b, e->active);
    bind_text(&b, e->when);
    bind_int(&b, e->max_age_usec);
    bind_int(&b, e->first_seen_wall);
    bind_int(&b, e->cursor_wall);
    bind_wall(&b, e->newest_wall);
    bind_wall(&b, e->stale_wall);
    bind_wall(&b, e->stale_said_wall);
    bind_wall(&b, e->ordered_wall);
    return put(&b);
}

static int put_artefact(StoreWriter *w, const Artefact *a) {
    Binder b = binder(w, PUT_ARTEFACT);
    bind_int(&b, a->run_id);
    bind_text(&b, action_to_string(a->action));
    bind_text(&b, artefact_life_to_string(a->life));
    bind_text(&b, a->arn);
    bind_text(&b, a->status);
    bind_text(&b, a->name);
    bind_text(&b, a->table_id);
    bind_wall(&b, a->created_wall);
    bind_wall(&b, a->finished_wall);
    bind_wall(&b, a->verified_wall);
    bind_count(&b, a->size_bytes);
    bind_count(&b, a->item_count);
    bind_text(&b, a->details);
    bind_text(&b, verify_level_to_string(a->level));
    bind_text(&b, a->found);
    int code = put(&b);
    return code != SQLITE_OK
               ? code
               : store_stock_put_manifests(w->db, a->arn, a->summary_md5, a->files_md5, a->verified_wall);
}

static int put_note(StoreWriter *w, int64_t run_id, const RunNote *note) {
    Binder b = binder(w, PUT_NOTE);
    bind_int(&b, run_id);
    bind_int(&b, note->wall);
    bind_text(&b, run_event_to_string(note->event));
    bind_text(&b, run_state_to_string(note->state));
    bind_text(&b, note->why);
    return put(&b);
}

static int put_run_row(StoreWriter *w, const Run *r) {
    Binder b = binder(w, PUT_RUN);
    bind_int(&b, r->id);
    bind_text(&b, run_state_to_string(r->state));
    bind_text(&b, action_to_string(r->action));
    bind_text(&b, r->schedule);
    bind_text(&b, r->account);
    bind_text(&b, r->region);
    bind_text(&b, r->table);
    bind_int(&b, r->slot_wall);
    bind_int(&b, r->due_wall);
    bind_wall(&b, r->start_by_wall);
    bind_wall(&b, r->warn_at_wall);
    bind_wall(&b, r->finish_by_wall);
    bind_int(&b, r->warned);
    bind_text(&b, r->name);
    bind_text(&b, r->table_id);
    bind_text(&b, r->table_arn);
    bind_text(&b, r->s3.bucket);
    bind_text(&b, r->s3.bucket_owner);
    bind_text(&b, r->s3.prefix);
    bind_text(&b, r->s3.sse_algorithm);
    bind_text(&b, r->s3.kms_key_id);
    bind_text(&b, r->s3.format);
    bind_int(&b, r->attempt);
    bind_wall(&b, r->intent_wall);
    bind_wall(&b, r->first_sent_wall);
    bind_wall(&b, r->sent_wall);
    bind_int(&b, r->n_sends);
    bind_int(&b, r->n_deferred);
    bind_wall(&b, r->settled_wall);
    bind_text(&b, r->why);
    bind_text(&b, r->hint);
    bind_text(&b, r->request_id);
    bind_text(&b, verify_level_to_string(r->verify));
    return put(&b);
}

static int put_run(StoreWriter *w, const Run *r) {
    int code = r->closed ? SQLITE_OK : put_run_row(w, r);
    for (size_t i = 0; code == SQLITE_OK && i < r->n_notes; i++)
        code = put_note(w, r->id, &r->notes[i]);
    if (code == SQLITE_OK && r->failed_artefact)
        code = put_artefact(w, r->failed_artefact);
    if (code == SQLITE_OK && r->artefact)
        code = put_artefact(w, r->artefact);
    return code;
}

static int put_range(StoreWriter *w, const LedgerRange *range, Usec wall) {
    Binder b = binder(w, PUT_RANGE);
    bind_text(&b, range->schedule);
    bind_text(&b, range->account);
    bind_text(&b, range->region);
    bind_text(&b, range->table);
    bind_int(&b, range->from_wall);
    bind_int(&b, range->to_wall);
    bind_int(&b, range->n_slots);
    bind_int(&b, wall);
    bind_text(&b, range->why);
    return put(&b);
}

static int put_order(StoreWriter *w, const Order *o, Usec wall) {
    Binder b = binder(w, PUT_ORDER);
    bind_int(&b, wall);
    bind_text(&b, order_kind_to_string(o->kind));
    bind_text(&b, o->object);
    bind_text(&b, o->table);
    bind_wall(&b, o->until_wall);
    bind_int(&b, o->count);
    bind_text(&b, o->who);
    bind_text(&b, o->why);
    bind_text(&b, o->message);
    return put(&b);
}

static int put_table(StoreWriter *w, const LedgerTable *t) {
    Binder b = binder(w, t->gone ? DROP_TABLE : PUT_TABLE);
    bind_text(&b, t->account);
    bind_text(&b, t->region);
    bind_text(&b, t->table);
    if (t->gone)
        return put(&b);
    bind_text(&b, t->tags);
    bind_wall(&b, t->tags_wall);
    bind_int(&b, t->seen_wall);
    return put(&b);
}

int store_writer_put(StoreWriter *w, const LedgerBatch *batch) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_targets; i++)
        code = put_target(w, batch->targets[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_enrolments; i++)
        code = put_enrolment(w, batch->enrolments[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_runs; i++)
        code = put_run(w, batch->runs[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_ranges; i++)
        code = put_range(w, &batch->ranges[i], batch->wall);
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_orders; i++)
        code = put_order(w, batch->orders[i], batch->wall);
    for (size_t i = 0; code == SQLITE_OK && i < batch->n_tables; i++)
        code = put_table(w, &batch->tables[i]);
    for (size_t i = 0; code == SQLITE_OK && i < batch->stock.n_artefacts; i++)
        code = put_artefact(w, batch->stock.artefacts[i]);
    if (code == SQLITE_OK)
        code = store_stock_put(w->db, &batch->stock, batch->wall);
    if (code == SQLITE_OK)
        code = store_chain_put(w->db, batch);
    if (code == SQLITE_OK)
        code = store_record_put(w->db, batch);
    return code;
}
