#include "io/store_stock.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "io/store_prune.h"
#include "io/store_rows.h"
#include "io/store_sql.h"

/* --- writing --- */

/* An artefact is in one of these: a link has its own with it. */
static const char *const homes[] = {"artefacts", "links"};

static int put_decision(sqlite3 *db, const StockDecision *d, Usec wall) {
    ArtefactLife life;
    int code = SQL_RUN(db, "INSERT INTO decisions (arn, wall, decision, why, who) VALUES (?,?,?,?,?)", sql_text(d->arn),
                   sql_number(wall), sql_text(decision_to_string(d->decision)), sql_text(d->why), sql_text(d->who));
    if (code == SQLITE_OK && d->decision == DECISION_ADOPTED)
        code = SQL_RUN(db, "UPDATE artefacts SET adopted = ? WHERE arn = ?", sql_number(wall), sql_text(d->arn));
    if (!decision_sets_life(d->decision, &life))
        return code;
    for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(homes); i++) {
        AUTO_FREE char *sql = text_format("UPDATE %s SET life = ? WHERE arn = ?", homes[i]);
        code = sql ? SQL_RUN(db, sql, sql_text(artefact_life_to_string(life)), sql_text(d->arn)) : SQLITE_NOMEM;
    }
    return code;
}

/* A hold without end is one until the largest number. */
static int put_hold(sqlite3 *db, const StockHold *h, Usec wall) {
    if (h->until_wall == WALL_UNKNOWN)
        return SQL_RUN(db, "DELETE FROM holds WHERE arn = ?", sql_text(h->arn));
    return SQL_RUN(db, "INSERT OR REPLACE INTO holds (arn, wall, until, why, who) VALUES (?,?,?,?,?)", sql_text(h->arn),
               sql_number(wall), sql_number(h->until_wall), sql_text(h->why), sql_text(h->who));
}

static int put_brake(sqlite3 *db, const StockBrake *b) {
    if (b->n_delete == 0)
        return SQL_RUN(db,
                   "DELETE FROM brakes WHERE account = ? AND region = ? AND name = ? AND schedule = ? AND table_id = ?",
                   sql_text(b->account), sql_text(b->region), sql_text(b->table), sql_text(b->schedule),
                   sql_text(b->table_id));
    return SQL_RUN(db,
                   "INSERT OR REPLACE INTO brakes (account, region, name, schedule, table_id, n_delete, n_all, since,"
                   " n_confirmed, who) VALUES (?,?,?,?,?,?,?,?,?,?)",
                   sql_text(b->account), sql_text(b->region), sql_text(b->table), sql_text(b->schedule),
                   sql_text(b->table_id), sql_number((int64_t)b->n_delete), sql_number((int64_t)b->n_all),
                   sql_wall(b->since_wall), sql_number((int64_t)b->n_confirmed), sql_text(b->who));
}

int store_stock_put_manifests(sqlite3 *db, const char *arn, const char *summary_md5, const char *files_md5, Usec wall) {
    if (!summary_md5 || !files_md5)
        return SQLITE_OK;
    return SQL_RUN(db, "INSERT OR IGNORE INTO manifests (arn, wall, summary_md5, files_md5) VALUES (?,?,?,?)",
                   sql_text(arn), sql_wall(wall), sql_text(summary_md5), sql_text(files_md5));
}

static int put_check(sqlite3 *db, const StockCheck *c, Usec wall) {
    const char *level = verify_level_to_string(c->level);
    int code = SQL_RUN(db, "INSERT INTO checks (arn, wall, level, passed, found) VALUES (?,?,?,?,?)", sql_text(c->arn),
                   sql_number(wall), sql_text(level), sql_number(c->passed), sql_text(c->found));
    if (code == SQLITE_OK && c->passed)
        code = store_stock_put_manifests(db, c->arn, c->summary_md5, c->files_md5, wall);
    for (size_t i = 0; code == SQLITE_OK && i < ARRAY_SIZE(homes); i++) {
        AUTO_FREE char *sql = text_format(c->passed
                                              ? "UPDATE %s SET found = ?2, verified = ?3, level = ?4 WHERE arn = ?1"
                                              : "UPDATE %s SET found = ?2, life = 'disproved' WHERE arn = ?1",
                                          homes[i]);
        if (!sql)
            return SQLITE_NOMEM;
        code = c->passed ? SQL_RUN(db, sql, sql_text(c->arn), sql_text(c->found), sql_number(wall), sql_text(level))
                         : SQL_RUN(db, sql, sql_text(c->arn), sql_text(c->found));
    }
    return code;
}

int store_stock_put(sqlite3 *db, const StockChanges *c, Usec wall) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < c->n_decisions; i++)
        code = put_decision(db, &c->decisions[i], wall);
    for (size_t i = 0; code == SQLITE_OK && i < c->n_decisions; i++)
        if (c->decisions[i].decision == DECISION_EXPIRED)
            code = store_prune_chains(db, c->decisions[i].arn, wall);
    for (size_t i = 0; code == SQLITE_OK && i < c->n_holds; i++)
        code = put_hold(db, &c->holds[i], wall);
    for (size_t i = 0; code == SQLITE_OK && i < c->n_brakes; i++)
        code = put_brake(db, &c->brakes[i]);
    for (size_t i = 0; code == SQLITE_OK && i < c->n_checks; i++)
        code = put_check(db, &c->checks[i], wall);
    if (code == SQLITE_OK && c->expiry != STOCK_SWITCH_STAYS)
        code = SQL_RUN(db, "INSERT OR REPLACE INTO facts (name, value, wall, who) VALUES ('expiry',?,?,?)",
                   sql_text(c->expiry == STOCK_SWITCH_RESUMED ? "resumed" : "paused"), sql_number(wall),
                   sql_text(c->expiry_who));
    return code;
}

/* --- reading --- */

static Usec wall_at(sqlite3_stmt *q, int i) {
    return sqlite3_column_type(q, i) == SQLITE_NULL ? WALL_UNKNOWN : sqlite3_column_int64(q, i);
}

static const char *text_at(sqlite3_stmt *q, int i) { return (const char *)sqlite3_column_text(q, i); }

static int take_item(sqlite3_stmt *q, Stock *s) {
    if (ARRAY_GROW(s->items, s->n_items, s->n_room) < 0)
        return -ENOMEM;
    StockItem *i = &s->items[s->n_items++];
    *i = (StockItem){.decision = DECISIONS};
    char **const texts[] = {&i->schedule, &i->intended_name, &i->account,  &i->region,
                            &i->table,    &i->hold_why,      &i->hold_who, &i->decision_why};
    int n = (int)ARRAY_SIZE(texts), r = store_sql_texts(q, texts, ARRAY_SIZE(texts), 0);
    i->slot_wall = wall_at(q, n);
    i->hold_until_wall = wall_at(q, n + 1);
    i->adopted_wall = wall_at(q, n + 2);
    i->decision_wall = wall_at(q, n + 3);
    i->from_wall = wall_at(q, n + 4);
    i->chain_start_wall = wall_at(q, n + 5);
    i->attempt = sqlite3_column_int(q, n + 6);
    i->chain_is_open = sqlite3_column_int(q, n + 7);
    i->is_spare = sqlite3_column_int(q, n + 8);
    if (r >= 0 && text_at(q, n + 9))
        r = decision_from_string(text_at(q, n + 9), &i->decision);
    if (r < 0 || (r = store_sql_texts(q, (char **const[]){&i->base_arn}, 1, n + 10)) < 0 ||
        (r = store_row_artefact(q, n + 13, &i->artefact)) < 0)
        return r;
    return store_sql_texts(q, (char **const[]){&i->artefact->summary_md5, &i->artefact->files_md5}, 2, n + 11);
}

#define STOCK_FACTS(arn)                                                                                               \
    " LEFT JOIN holds h ON h.arn = " arn " LEFT JOIN manifests m ON m.arn = " arn                                      \
    " LEFT JOIN decisions d ON d.id = (SELECT max(id) FROM decisions WHERE arn = " arn                                 \
    " AND decision NOT IN ('held', 'released', 'adopted'))"

/* Of runs, and of links. */
#define STOCK_RUNS_SQL                                                                                                 \
    "SELECT r.schedule, r.handle, r.account, r.region, r.name, h.why, h.who, d.why, r.slot, h.until, a.adopted,"       \
    " d.wall, NULL, NULL, r.attempt, EXISTS (SELECT 1 FROM chains WHERE base_arn = a.arn AND settled IS NULL),"        \
    " 0, d.decision, NULL, m.summary_md5, m.files_md5, " STORE_ARTEFACT_COLUMNS                                        \
    " FROM artefacts a JOIN runs r ON r.id = a.run_id" STOCK_FACTS("a.arn")
#define STOCK_LINKS_SQL                                                                                                \
    "SELECT c.schedule, k.handle, c.account, c.region, c.name, h.why, h.who, d.why, k.to_wall, h.until, NULL,"         \
    " d.wall, k.from_wall, c.start, k.attempt, c.settled IS NULL,"                                                     \
    " k.state <> 'succeeded', d.decision, c.base_arn, m.summary_md5, m.files_md5, " STORE_LINK_ARTEFACT_COLUMNS        \
    " FROM links k JOIN chains c ON c.id = k.chain" STOCK_FACTS("k.arn")

#define ARN_COLUMN "26"
#define UNDER_PREFIX(x)                                                                                                \
    " WHERE " x ".life IN ('verified', 'expiring') AND " x ".arn > ?1 AND " x ".arn <"                                 \
    " substr(?1, 1, length(?1) - 1) || '0'"
#define EXPIRING(x) " WHERE " x ".life = 'expiring'"
#define STOCK_SQL(condition)                                                                                           \
    STOCK_RUNS_SQL condition("a") " UNION ALL " STOCK_LINKS_SQL condition("k") " ORDER BY " ARN_COLUMN

int store_stock_read(sqlite3 *db, const char *prefix, Stock *ret, int *ret_error) {
    CLEANUP(stock_done) Stock s = {};
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(db, prefix ? STOCK_SQL(UNDER_PREFIX) : STOCK_SQL(EXPIRING), -1, &q, NULL);
    if (code == SQLITE_OK && prefix)
        code = sqlite3_bind_text(q, 1, prefix, -1, SQLITE_STATIC);
    while (code == SQLITE_OK && r >= 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
        code = SQLITE_OK;
        r = take_item(q, &s);
    }
    sqlite3_finalize(q);
    *ret_error = r;
    if (code != SQLITE_OK && code != SQLITE_DONE)
        return code;
    if (r >= 0) {
        *ret = s;
        s = (Stock){};
    }
    return SQLITE_OK;
}

static int take_brake(sqlite3_stmt *q, StockState *s) {
    if (ARRAY_GROW(s->brakes, s->n_brakes, s->n_brakes_room) < 0)
        return -ENOMEM;
    StockBrake *b = &s->brakes[s->n_brakes++];
    *b = (StockBrake){};
    char **const texts[] = {&b->account, &b->region, &b->table, &b->schedule, &b->table_id, &b->who};
    int n = (int)ARRAY_SIZE(texts), r = store_sql_texts(q, texts, ARRAY_SIZE(texts), 0);
    b->n_delete = (size_t)sqlite3_column_int64(q, n);
    b->n_all = (size_t)sqlite3_column_int64(q, n + 1);
    b->since_wall = wall_at(q, n + 2);
    b->n_confirmed = (size_t)sqlite3_column_int64(q, n + 3);
    return r;
}

static int take_expiry(sqlite3_stmt *q, StockState *s) {
    s->expires = text_equal(text_at(q, 0), "resumed");
    s->expires_wall = wall_at(q, 1);
    return text_set(&s->expires_who, text_at(q, 2));
}

int store_stock_load(sqlite3 *db, StockState *ret, int *ret_error) {
    static const struct {
        const char *sql;
        int (*take)(sqlite3_stmt *q, StockState *s);
    } loads[] = {
        {"SELECT value, wall, who FROM facts WHERE name = 'expiry'", take_expiry},
        {"SELECT account, region, name, schedule, table_id, who, n_delete, n_all, since, n_confirmed FROM brakes"
         " ORDER BY 1, 2, 3, 4, 5",
         take_brake},
    };
    CLEANUP(stock_state_done) StockState s = {.expires_wall = WALL_UNKNOWN};
    int r = 0, code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && r >= 0 && i < ARRAY_SIZE(loads); i++) {
        sqlite3_stmt *q = NULL;
        code = sqlite3_prepare_v2(db, loads[i].sql, -1, &q, NULL);
        while (code == SQLITE_OK && r >= 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
            code = SQLITE_OK;
            r = loads[i].take(q, &s);
        }
        sqlite3_finalize(q);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
    }
    if (code == SQLITE_OK && r >= 0)
        code = store_stock_read(db, NULL, &s.expiring, &r);
    *ret_error = r;
    if (code != SQLITE_OK || r < 0)
        return code;
    *ret = s;
    s = (StockState){};
    return SQLITE_OK;
}

int store_stock_decisions(sqlite3 *db, const char *arn, StoreDecisionRow row, void *context, int *ret_error) {
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(
                   db, "SELECT wall, decision, why, who FROM decisions WHERE arn = ? ORDER BY id", -1, &q, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(q, 1, arn, -1, SQLITE_STATIC);
    while (code == SQLITE_OK && r >= 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
        code = SQLITE_OK;
        r = row(context, wall_at(q, 0), text_at(q, 1), text_at(q, 2), text_at(q, 3));
    }
    sqlite3_finalize(q);
    *ret_error = r;
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_stock_hold(sqlite3 *db, const char *arn, StoreHoldRow row, void *context, int *ret_error) {
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(db, "SELECT until, why, who FROM holds WHERE arn = ?", -1, &q, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(q, 1, arn, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        r = row(context, wall_at(q, 0), text_at(q, 1), text_at(q, 2));
    sqlite3_finalize(q);
    *ret_error = r;
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

int store_stock_n_held(sqlite3 *db, Usec now_wall, size_t *ret) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM holds WHERE until > ?", -1, &q, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(q, 1, now_wall);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        *ret = (size_t)sqlite3_column_int64(q, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(q);
    return code;
}
