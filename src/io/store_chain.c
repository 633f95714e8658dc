#include "io/store_chain.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "io/store_rows.h"
#include "io/store_sql.h"
#include "io/store_stock.h"

/* --- writing --- */

static int put_chain(sqlite3 *db, const Chain *c) {
    return SQL_RUN(db,
                   "INSERT INTO chains (id, state, account, region, name, schedule, table_id, table_arn, base_run,"
                   " base_arn, base, base_made, start, covered, ends, begun, settled, why)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET state=excluded.state,"
                   " base_made=excluded.base_made, covered=excluded.covered, ends=excluded.ends,"
                   " settled=excluded.settled, why=excluded.why",
                   sql_number(c->id), sql_text(chain_state_to_string(c->state)), sql_text(c->account),
                   sql_text(c->region), sql_text(c->table), sql_text(c->schedule), sql_text(c->table_id),
                   sql_text(c->table_arn), sql_number(c->base_run_id), sql_text(c->base_arn), sql_wall(c->base_wall),
                   sql_number(c->base_is_made), sql_wall(c->start_wall), sql_wall(c->covered_wall),
                   sql_wall(c->end_wall), sql_wall(c->begun_wall), sql_wall(c->settled_wall), sql_text(c->why));
}

static int put_link(sqlite3 *db, const Run *r) {
    return SQL_RUN(db,
                   "INSERT INTO links (id, chain, from_wall, to_wall, attempt, state, handle, view_type, s3_bucket,"
                   " s3_bucket_owner, s3_prefix, s3_sse_algorithm, s3_kms_key_id, s3_format, warn_at, warned, intent,"
                   " first_sent, sent, n_sends, n_deferred, settled, why, hint, request_id, verify, finish_by, overdue)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET"
                   " state=excluded.state, warned=excluded.warned, overdue=excluded.overdue,"
                   " first_sent=excluded.first_sent, sent=excluded.sent,"
                   " n_sends=excluded.n_sends, n_deferred=excluded.n_deferred, settled=excluded.settled,"
                   " why=excluded.why, hint=excluded.hint, request_id=excluded.request_id",
                   sql_number(r->id), sql_number(r->chain_id), sql_wall(r->from_wall), sql_wall(r->to_wall),
                   sql_number(r->attempt), sql_text(run_state_to_string(r->state)), sql_text(r->name),
                   sql_text(r->view_type), sql_text(r->s3.bucket), sql_text(r->s3.bucket_owner), sql_text(r->s3.prefix),
                   sql_text(r->s3.sse_algorithm), sql_text(r->s3.kms_key_id), sql_text(r->s3.format),
                   sql_wall(r->warn_at_wall), sql_number(r->warned), sql_wall(r->intent_wall),
                   sql_wall(r->first_sent_wall), sql_wall(r->sent_wall), sql_number(r->n_sends),
                   sql_number(r->n_deferred), sql_wall(r->settled_wall), sql_text(r->why), sql_text(r->hint),
                   sql_text(r->request_id), sql_text(verify_level_to_string(r->verify)), sql_wall(r->finish_by_wall),
                   sql_number(r->overdue));
}

static int put_link_notes(sqlite3 *db, const Run *r) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < r->n_notes; i++) {
        const RunNote *n = &r->notes[i];
        code = SQL_RUN(db, "INSERT INTO link_notes (link, wall, event, state, why) VALUES (?,?,?,?,?)",
                       sql_number(r->id), sql_wall(n->wall), sql_text(run_event_to_string(n->event)),
                       sql_text(run_state_to_string(n->state)), sql_text(n->why));
    }
    return code;
}

static int put_link_artefact(sqlite3 *db, int64_t id, const Artefact *a) {
    int code = SQL_RUN(db,
                   "UPDATE links SET life=?, arn=?, status=?, table_id=?, created=?, finished=?, verified=?,"
                   " size_bytes=?, item_count=?, details=?, level=?, found=? WHERE id=?",
                   sql_text(artefact_life_to_string(a->life)), sql_text(a->arn), sql_text(a->status),
                   sql_text(a->table_id), sql_wall(a->created_wall), sql_wall(a->finished_wall),
                   sql_wall(a->verified_wall), sql_count(a->size_bytes), sql_count(a->item_count), sql_text(a->details),
                   sql_text(verify_level_to_string(a->level)), sql_text(a->found), sql_number(id));
    if (code != SQLITE_OK)
        return code;
    return store_stock_put_manifests(db, a->arn, a->summary_md5, a->files_md5, a->verified_wall);
}

static int put_loss(sqlite3 *db, const Lineage *l, const LostSpan *loss) {
    return SQL_RUN(db,
                   "INSERT INTO losses (account, region, name, schedule, from_wall, to_wall, chain, noticed, why)"
                   " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET to_wall=excluded.to_wall",
                   sql_text(l->account), sql_text(l->region), sql_text(l->table), sql_text(l->schedule),
                   sql_wall(loss->from_wall), sql_wall(loss->to_wall), sql_number(loss->chain_id),
                   sql_wall(loss->noticed_wall), sql_text(loss->why));
}

int store_chain_put(sqlite3 *db, const LedgerBatch *b) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < b->n_chains; i++)
        code = put_chain(db, b->chains[i]);
    for (size_t i = 0; code == SQLITE_OK && i < b->n_links; i++) {
        code = b->links[i]->closed ? SQLITE_OK : put_link(db, b->links[i]);
        if (code == SQLITE_OK)
            code = put_link_notes(db, b->links[i]);
        if (code == SQLITE_OK && b->links[i]->artefact)
            code = put_link_artefact(db, b->links[i]->id, b->links[i]->artefact);
    }
    for (size_t i = 0; code == SQLITE_OK && i < b->n_losses; i++)
        for (size_t j = 0; code == SQLITE_OK && j < b->losses[i]->n_losses; j++)
            if (b->losses[i]->losses[j].changed)
                code = put_loss(db, b->losses[i], &b->losses[i]->losses[j]);
    return code;
}

/* --- reading --- */

#define OF_TABLE "account, region, name, schedule"

static int lineage_of_row(sqlite3_stmt *q, Ledger *l, Lineage **ret) {
    const char *names[4];
    for (int i = 0; i < 4; i++)
        if (!(names[i] = (const char *)sqlite3_column_text(q, i)))
            return -ENOMEM;
    return ledger_lineage(l, names[0], names[1], names[2], names[3], ret);
}

static Usec or_never(Usec wall) { return wall == WALL_UNKNOWN ? USEC_INFINITY : wall; }

#define CHAINS_SQL                                                                                                     \
    "SELECT " OF_TABLE ", table_id, table_arn, base_arn, why, id, state, base_run, base, base_made, start, covered,"   \
    " ends, begun, settled FROM chains"

static int read_chain(sqlite3_stmt *q, Chain *c) {
    char **const texts[] = {&c->account,  &c->region,    &c->table,    &c->schedule,
                            &c->table_id, &c->table_arn, &c->base_arn, &c->why};
    int i = (int)ARRAY_SIZE(texts), r = store_sql_texts(q, texts, ARRAY_SIZE(texts), 0);
    c->id = sqlite3_column_int64(q, i++);
    const char *state = (const char *)sqlite3_column_text(q, i++);
    c->base_run_id = sqlite3_column_int64(q, i++);
    c->base_wall = store_sql_wall(q, i++);
    c->base_is_made = sqlite3_column_int(q, i++);
    c->start_wall = store_sql_wall(q, i++);
    c->covered_wall = store_sql_wall(q, i++);
    c->end_wall = or_never(store_sql_wall(q, i++));
    c->begun_wall = store_sql_wall(q, i++);
    c->settled_wall = store_sql_wall(q, i++);
    return r < 0 ? r : state ? chain_state_from_string(state, &c->state) : -ENOMEM;
}

static int take_chain(sqlite3_stmt *q, void *context) {
    Lineage *l;
    CLEANUP(chain_free_ptr) Chain *c = calloc(1, sizeof *c);
    int r = c ? read_chain(q, c) : -ENOMEM;
    if (r >= 0)
        r = lineage_of_row(q, context, &l);
    if (r >= 0)
        r = lineage_add_chain(l, c);
    if (r >= 0)
        (void)TAKE_PTR(c);
    return r;
}

/* Open attempts, those that go on being watched, and at each window that its chain still has to do with the one that
 * has succeeded and the last. Found by the indexes: most links are of the past. */
#define OPEN_LINKS_SQL                                                                                                 \
    STORE_LINKS_SQL " WHERE k.id IN (SELECT id FROM links WHERE settled IS NULL"                                       \
              " UNION SELECT id FROM links WHERE life = 'in_progress' UNION"                                           \
              " SELECT n.id FROM chains o JOIN links n ON n.chain = o.id AND n.from_wall >= o.covered"                 \
              " WHERE o.settled IS NULL AND (o.ends IS NULL OR n.from_wall < o.ends) AND (n.state = 'succeeded'"       \
              " OR n.attempt = (SELECT max(attempt) FROM links WHERE chain = n.chain AND from_wall = n.from_wall)))"   \
              " ORDER BY k.chain, k.from_wall, k.attempt"

int store_row_link(sqlite3_stmt *q, Run **ret) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = store_row_run(q, &r);
    if (rc < 0 || (rc = text_set(&r->view_type, (const char *)sqlite3_column_text(q, STORE_LINK_OWN_COLUMN))) < 0)
        return rc;
    r->chain_id = sqlite3_column_int64(q, STORE_LINK_OWN_COLUMN + 1);
    r->from_wall = sqlite3_column_int64(q, STORE_LINK_OWN_COLUMN + 2);
    r->overdue = sqlite3_column_int(q, STORE_LINK_OWN_COLUMN + 3);
    r->to_wall = r->slot_wall;
    r->closed = run_is_settled(r);
    *ret = TAKE_PTR(r);
    return 0;
}

static int take_link(sqlite3_stmt *q, void *context) {
    Ledger *l = context;
    Lineage *lineage;
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = store_row_link(q, &r);
    if (rc < 0 || (rc = ledger_lineage(l, r->account, r->region, r->table, r->schedule, &lineage)) < 0)
        return rc;
    Chain *c = lineage_chain(lineage, r->chain_id);
    bool needs_artefact = r->state == RUN_IN_PROGRESS || r->state == RUN_VERIFYING;
    if (r->state == RUN_DUE || !r->name || (needs_artefact && !r->artefact))
        return -EBADMSG;
    bool waits;
    if (c && (rc = chain_take_attempt(c, r, &waits)) < 0)
        return rc;
    if (run_is_settled(r) && !run_is_watched(r))
        return 0;
    if (ARRAY_GROW(l->runs, l->n_runs, l->n_runs_room) < 0)
        return -ENOMEM;
    l->runs[l->n_runs++] = TAKE_PTR(r);
    return 0;
}

#define LOSSES_SQL "SELECT " OF_TABLE ", from_wall, to_wall, chain, noticed, why FROM losses"

static int take_loss(sqlite3_stmt *q, void *context) {
    Lineage *l;
    int r = lineage_of_row(q, context, &l);
    if (r < 0 || (r = ARRAY_GROW(l->losses, l->n_losses, l->n_losses_room)) < 0)
        return r;
    LostSpan *loss = &l->losses[l->n_losses++];
    *loss = (LostSpan){.from_wall = store_sql_wall(q, 4),
                       .to_wall = or_never(store_sql_wall(q, 5)),
                       .chain_id = sqlite3_column_int64(q, 6),
                       .noticed_wall = store_sql_wall(q, 7)};
    return text_set(&loss->why, (const char *)sqlite3_column_text(q, 8));
}

static int take_first(sqlite3_stmt *q, void *context) {
    Lineage *l;
    int r = lineage_of_row(q, context, &l);
    if (r >= 0)
        l->first_wall = store_sql_wall(q, 4);
    return r;
}

static int take_numbers(sqlite3_stmt *q, void *context) {
    Ledger *l = context;
    int64_t next = sqlite3_column_int64(q, 0) + 1;
    if (next > l->next_run_id)
        l->next_run_id = next;
    l->next_chain_id = sqlite3_column_int64(q, 1) + 1;
    return 0;
}

static const struct {
    const char *sql;
    SqlRow row;
} loads[] = {
    {CHAINS_SQL " WHERE settled IS NULL ORDER BY " OF_TABLE ", base, id", take_chain},
    {OPEN_LINKS_SQL, take_link},
    {LOSSES_SQL " ORDER BY " OF_TABLE ", from_wall", take_loss},
    {"SELECT " OF_TABLE ", min(base) FROM chains WHERE state NOT IN ('forming', 'void') GROUP BY " OF_TABLE,
     take_first},
    {"SELECT (SELECT coalesce(max(id), 0) FROM links), (SELECT coalesce(max(id), 0) FROM chains)", take_numbers},
};

int store_chain_load(sqlite3 *db, Ledger *into, int *ret_error) {
    int code = SQLITE_OK;
    *ret_error = 0;
    for (size_t i = 0; code == SQLITE_OK && *ret_error >= 0 && i < ARRAY_SIZE(loads); i++)
        code = store_sql_read(db, loads[i].sql, loads[i].row, into, ret_error);
    return code;
}

/* --- one chain, settled or not --- */

static int take_only(sqlite3_stmt *q, void *context) {
    Chain **ret = context;
    CLEANUP(chain_free_ptr) Chain *c = calloc(1, sizeof *c);
    int r = c ? read_chain(q, c) : -ENOMEM;
    if (r >= 0)
        *ret = TAKE_PTR(c);
    return r;
}

/* Nothing is waited for: what is under way lies behind where the chain has come. */
static int take_past_link(sqlite3_stmt *q, void *context) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    bool waits = false;
    int rc = store_row_link(q, &r);
    if (rc >= 0)
        rc = chain_take_attempt(context, r, &waits);
    return waits ? -EBADMSG : rc;
}

static int take_reached(sqlite3_stmt *q, void *context) {
    *(ChainOthers *)context =
        (ChainOthers){.reach_wall = store_sql_wall(q, 0), .earlier_wall = store_sql_wall(q, 1)};
    return 0;
}

#define NOT_EXPIRED                                                                                                    \
    " NOT EXISTS (SELECT 1 FROM artefacts WHERE arn = base_arn AND life IN ('expiring', 'expired'))"

/* The statement has no parameters: the words are quoted into it. */
static int read_with(sqlite3 *db, char *sql, SqlRow row, void *context, int *ret_error) {
    int code = sql ? store_sql_read(db, sql, row, context, ret_error) : SQLITE_NOMEM;
    sqlite3_free(sql);
    return code;
}

int store_chain_read_one(sqlite3 *db, const Lineage *l, const char *base_arn, Usec from_wall, Chain **ret,
                         ChainOthers *ret_others, int *ret_error) {
    CLEANUP(chain_free_ptr) Chain *c = NULL;
    char of[] = " WHERE account = %Q AND region = %Q AND name = %Q AND schedule = %Q";
    char *lineage = sqlite3_mprintf(of, l->account, l->region, l->table, l->schedule);
    if (!lineage)
        return SQLITE_NOMEM;
    *ret_error = 0;
    int code = read_with(db, sqlite3_mprintf(CHAINS_SQL "%s AND base_arn = %Q", lineage, base_arn), take_only, &c,
                         ret_error);
    if (code == SQLITE_OK && *ret_error >= 0 && !c)
        *ret_error = -ENOENT;
    if (code == SQLITE_OK && *ret_error >= 0) {
        Usec covered_wall = c->covered_wall;
        c->covered_wall = usec_min(from_wall, covered_wall);
        code = read_with(db,
                         sqlite3_mprintf(STORE_LINKS_SQL " WHERE k.chain = %lld AND k.from_wall >= %lld"
                                                         " AND k.to_wall <= %lld ORDER BY k.from_wall, k.attempt",
                                         (long long)c->id, (long long)from_wall, (long long)covered_wall),
                         take_past_link, c, ret_error);
    }
    if (code == SQLITE_OK && *ret_error >= 0)
        code = read_with(db,
                         sqlite3_mprintf("SELECT max(reach), max(reach) FILTER (WHERE base < %lld) FROM (SELECT"
                                         " max(covered, base / 1000000 * 1000000) AS reach, base FROM chains%s"
                                         " AND id != %lld AND settled IS NOT NULL AND state NOT IN ('forming', 'void')"
                                         " AND" NOT_EXPIRED ")",
                                         (long long)c->base_wall, lineage, (long long)c->id),
                         take_reached, ret_others, ret_error);
    sqlite3_free(lineage);
    if (code == SQLITE_OK && *ret_error >= 0)
        *ret = TAKE_PTR(c);
    return code;
}

/* --- for readers --- */

int store_chain_find(sqlite3 *db, const char *base_arn, bool *ret) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT 1 FROM chains WHERE base_arn = ?", -1, &q, NULL);
    if (code == SQLITE_OK && (code = sqlite3_bind_text(q, 1, base_arn, -1, SQLITE_STATIC)) == SQLITE_OK)
        code = sqlite3_step(q);
    *ret = code == SQLITE_ROW;
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_chain_read_losses(sqlite3 *db, Ledger *into, int *ret_error) {
    return store_sql_read(db, LOSSES_SQL " WHERE to_wall IS NULL ORDER BY " OF_TABLE, take_loss, into, ret_error);
}

/* Every chain, so that a lineage stands there even if all of its chains have settled. */
static int take_name(sqlite3_stmt *q, void *context) {
    Lineage *l;
    return lineage_of_row(q, context, &l);
}

static int take_reach(sqlite3_stmt *q, void *context) {
    StoreChains *c = context;
    Lineage *l;
    int r = lineage_of_row(q, &c->ledger, &l);
    StoreLineage *of = NULL;
    for (size_t i = 0; r >= 0 && i < c->n_items; i++)
        if (c->items[i].lineage == l)
            of = &c->items[i];
    if (r < 0 || !of)
        return r < 0 ? r : -EBADMSG;
    if (ARRAY_GROW(of->reaches, of->n_reaches, of->n_room) < 0)
        return -ENOMEM;
    ChainReach *reach = &of->reaches[of->n_reaches++];
    *reach = (ChainReach){.id = sqlite3_column_int64(q, 4),
                          .base_wall = store_sql_wall(q, 7),
                          .covered_wall = store_sql_wall(q, 8),
                          .n_links = sqlite3_column_int64(q, 9)};
    const char *state = (const char *)sqlite3_column_text(q, 5);
    r = state ? chain_state_from_string(state, &reach->state) : -ENOMEM;
    return r < 0 ? r : text_set(&reach->base_arn, (const char *)sqlite3_column_text(q, 6));
}

void store_chains_done(StoreChains *c) {
    for (size_t i = 0; i < c->n_items; i++) {
        for (size_t j = 0; j < c->items[i].n_reaches; j++)
            free(c->items[i].reaches[j].base_arn);
        free(c->items[i].reaches);
    }
    free(c->items);
    ledger_done(&c->ledger);
    *c = (StoreChains){};
}

int store_chain_read(sqlite3 *db, StoreChains *ret, int *ret_error) {
    CLEANUP(store_chains_done) StoreChains c = {};
    int code = store_sql_read(db, "SELECT DISTINCT " OF_TABLE " FROM chains ORDER BY " OF_TABLE, take_name, &c.ledger,
                              ret_error);
    if (code == SQLITE_OK && *ret_error >= 0)
        code = store_chain_load(db, &c.ledger, ret_error);
    if (code != SQLITE_OK || *ret_error < 0)
        return code;
    c.items = calloc(c.ledger.n_lineages + 1, sizeof *c.items);
    if (!c.items) {
        *ret_error = -ENOMEM;
        return code;
    }
    for (; c.n_items < c.ledger.n_lineages; c.n_items++)
        c.items[c.n_items].lineage = c.ledger.lineages[c.n_items];
    code = store_sql_read(db,
                          "SELECT " OF_TABLE ", id, state, base_arn, base, covered,"
                          " (SELECT count(*) FROM links k WHERE chain = chains.id AND state = 'succeeded'"
                          "  AND to_wall <= covered AND coalesce(life, '') NOT IN ('disproved', 'gone'))"
                          " FROM chains WHERE" NOT_EXPIRED " ORDER BY " OF_TABLE ", base, id",
                          take_reach, &c, ret_error);
    if (code == SQLITE_OK && *ret_error >= 0) {
        *ret = c;
        c = (StoreChains){};
    }
    return code;
}
