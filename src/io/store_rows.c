#include "io/store_rows.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/text.h"

static Usec column_wall(sqlite3_stmt *q, int i, Usec unknown) {
    return sqlite3_column_type(q, i) == SQLITE_NULL ? unknown : sqlite3_column_int64(q, i);
}

static int64_t column_count(sqlite3_stmt *q, int i) { return column_wall(q, i, COUNT_UNKNOWN); }

static int column_text(sqlite3_stmt *q, int i, char **ret) {
    return text_set(ret, (const char *)sqlite3_column_text(q, i));
}

static const char *text_at(sqlite3_stmt *q, int i) {
    const char *s = (const char *)sqlite3_column_text(q, i);
    return s ? s : "";
}

int store_row_target(sqlite3_stmt *q, Targets *into) {
    Target *t;
    int r = targets_ensure(into, text_at(q, 0), text_at(q, 1), text_at(q, 2), &t);
    if (r < 0 || (r = column_text(q, 3, &t->table_id)) < 0 || (r = column_text(q, 4, &t->table_arn)) < 0)
        return r;
    t->described_wall = column_wall(q, 5, WALL_UNKNOWN);
    t->gone_wall = column_wall(q, 6, WALL_UNKNOWN);
    int64_t recovery = column_count(q, 7);
    t->recovery = recovery == COUNT_UNKNOWN ? RECOVERY_UNKNOWN : recovery ? RECOVERY_ON : RECOVERY_OFF;
    t->recovery_wall = column_wall(q, 8, WALL_UNKNOWN);
    return 0;
}

int store_row_enrolment(sqlite3_stmt *q, Targets *into) {
    Target *t;
    Enrolment *e;
    int r = targets_ensure(into, text_at(q, 0), text_at(q, 1), text_at(q, 2), &t);
    if (r < 0 || (r = target_enrol(t, text_at(q, 3), &e)) < 0 || (r = column_text(q, 5, &e->when)) < 0)
        return r;
    e->active = sqlite3_column_int(q, 4);
    e->first_seen_wall = sqlite3_column_int64(q, 6);
    e->cursor_wall = sqlite3_column_int64(q, 7);
    e->newest_wall = column_wall(q, 8, WALL_UNKNOWN);
    e->stale_wall = column_wall(q, 9, WALL_UNKNOWN);
    e->stale_said_wall = column_wall(q, 10, WALL_UNKNOWN);
    e->max_age_usec = sqlite3_column_int64(q, 11);
    e->ordered_wall = column_wall(q, 12, WALL_UNKNOWN);
    return 0;
}

int store_row_pause(sqlite3_stmt *q, Pause *ret) {
    return pause_set(ret, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), text_at(q, 2),
                     (const char *)sqlite3_column_text(q, 3));
}

int store_row_table(sqlite3_stmt *q, LedgerTable *ret) {
    *ret = (LedgerTable){.tags_wall = column_wall(q, 4, WALL_UNKNOWN), .seen_wall = sqlite3_column_int64(q, 5)};
    int r = column_text(q, 0, &ret->account);
    if (r < 0 || (r = column_text(q, 1, &ret->region)) < 0 || (r = column_text(q, 2, &ret->table)) < 0)
        return r;
    return column_text(q, 3, &ret->tags);
}

int store_row_artefact(sqlite3_stmt *q, int first, Artefact **ret) {
    if (sqlite3_column_type(q, first) == SQLITE_NULL)
        return 0;
    CLEANUP(artefact_free_ptr) Artefact *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    int i = first;
    a->id = sqlite3_column_int64(q, i++);
    a->run_id = sqlite3_column_int64(q, i++);
    int r = action_from_string(text_at(q, i++), &a->action);
    if (r < 0 || (r = artefact_life_from_string(text_at(q, i++), &a->life)) < 0)
        return r;
    char **const texts[] = {&a->arn, &a->status, &a->name, &a->table_id};
    for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
        if (column_text(q, i++, texts[j]) < 0)
            return -ENOMEM;
    a->created_wall = column_wall(q, i++, WALL_UNKNOWN);
    a->finished_wall = column_wall(q, i++, WALL_UNKNOWN);
    a->verified_wall = column_wall(q, i++, WALL_UNKNOWN);
    a->size_bytes = column_count(q, i++);
    a->item_count = column_count(q, i++);
    if (column_text(q, i++, &a->details) < 0)
        return -ENOMEM;
    if ((r = verify_level_from_string(text_at(q, i++), &a->level)) < 0 || (r = column_text(q, i, &a->found)) < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

static int row_texts(sqlite3_stmt *q, int first, Run *r) {
    char **const texts[] = {
        &r->schedule,
        &r->account,
        &r->region,
        &r->table,
        &r->name,
        &r->table_id,
        &r->table_arn,
        &r->s3.bucket,
        &r->s3.bucket_owner,
        &r->s3.prefix,
        &r->s3.sse_algorithm,
        &r->s3.kms_key_id,
        &r->s3.format,
        &r->why,
        &r->hint,
        &r->request_id,
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (column_text(q, first + (int)i, texts[i]) < 0)
            return -ENOMEM;
    return first + (int)ARRAY_SIZE(texts);
}

int store_row_run(sqlite3_stmt *q, Run **ret) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = run_new(sqlite3_column_int64(q, 0), &r);
    if (rc < 0 || (rc = run_state_from_string(text_at(q, 1), &r->state)) < 0 ||
        (rc = action_from_string(text_at(q, 2), &r->action)) < 0)
        return rc;
    int i = row_texts(q, 3, r);
    if (i < 0)
        return i;
    r->slot_wall = sqlite3_column_int64(q, i++);
    r->due_wall = sqlite3_column_int64(q, i++);
    r->start_by_wall = column_wall(q, i++, USEC_INFINITY);
    r->warn_at_wall = column_wall(q, i++, USEC_INFINITY);
    r->finish_by_wall = column_wall(q, i++, USEC_INFINITY);
    r->warned = sqlite3_column_int(q, i++);
    r->attempt = sqlite3_column_int(q, i++);
    r->intent_wall = column_wall(q, i++, WALL_UNKNOWN);
    r->first_sent_wall = column_wall(q, i++, WALL_UNKNOWN);
    r->sent_wall = column_wall(q, i++, WALL_UNKNOWN);
    r->n_sends = sqlite3_column_int(q, i++);
    r->n_deferred = sqlite3_column_int(q, i++);
    r->settled_wall = column_wall(q, i++, WALL_UNKNOWN);
    if ((rc = verify_level_from_string(text_at(q, i++), &r->verify)) < 0 ||
        (rc = store_row_artefact(q, i, &r->artefact)) < 0)
        return rc;
    if (run_is_settled(r) != (r->settled_wall != WALL_UNKNOWN))
        return -EBADMSG;
    *ret = TAKE_PTR(r);
    return 0;
}

int store_row_find_run(sqlite3 *db, const Run *r, int64_t *ret_id) {
    const char *const words[] = {r->schedule, r->account, r->region, r->table};
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db,
                                  "SELECT id FROM runs WHERE schedule = ? AND account = ? AND region = ? AND name = ?"
                                  " AND slot = ?",
                                  -1, &q, NULL);
    for (int i = 0; code == SQLITE_OK && i < (int)ARRAY_SIZE(words); i++)
        code = sqlite3_bind_text(q, i + 1, words[i], -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(q, (int)ARRAY_SIZE(words) + 1, r->slot_wall);
    if (code == SQLITE_OK)
        code = sqlite3_step(q);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *ret_id = code == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
        code = SQLITE_OK;
    }
    sqlite3_finalize(q);
    return code;
}
