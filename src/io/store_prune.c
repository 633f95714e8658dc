#include "io/store_prune.h"

#include <sqlite3.h>

#include "io/store_sql.h"

/* All of it has left its bucket, or never was there, and nothing of it is to be taken away any more. */
#define OLD_CHAIN_SQL                                                                                                  \
    "SELECT c.id FROM chains x JOIN chains c ON c.account = x.account AND c.region = x.region AND c.name = x.name"     \
    " WHERE x.base_arn = ?1 AND c.settled IS NOT NULL AND coalesce(c.record, '') <> 'written'"                         \
    " AND EXISTS (SELECT 1 FROM decisions WHERE arn = c.base_arn AND decision = 'expired' AND wall < ?2)"              \
    " AND EXISTS (SELECT 1 FROM links WHERE chain = c.id)"                                                             \
    " AND NOT EXISTS (SELECT 1 FROM links WHERE chain = c.id AND (settled IS NULL"                                     \
    " OR life IN ('in_progress', 'verified', 'expiring') OR (life = 'expired' AND record = 'written')))"               \
    " ORDER BY c.id LIMIT 1"

#define OF_ITS_LINKS "arn IN (SELECT arn FROM links WHERE chain = ?1 AND arn IS NOT NULL)"

static int find_old(sqlite3 *db, const char *base_arn, Usec until_wall, int64_t *ret_id) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, OLD_CHAIN_SQL, -1, &q, NULL);
    *ret_id = 0;
    if (code == SQLITE_OK && (code = sqlite3_bind_text(q, 1, base_arn, -1, SQLITE_STATIC)) == SQLITE_OK &&
        (code = sqlite3_bind_int64(q, 2, until_wall)) == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW)
        *ret_id = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_prune_chains(sqlite3 *db, const char *base_arn, Usec now_wall) {
    static const char *const deletions[] = {
        "DELETE FROM link_notes WHERE link IN (SELECT id FROM links WHERE chain = ?1)",
        "DELETE FROM manifests WHERE " OF_ITS_LINKS,
        "DELETE FROM checks WHERE " OF_ITS_LINKS,
        "DELETE FROM decisions WHERE " OF_ITS_LINKS,
        "DELETE FROM holds WHERE " OF_ITS_LINKS,
        "DELETE FROM links WHERE chain = ?1",
    };
    int64_t id;
    int code = find_old(db, base_arn, now_wall - STORE_HISTORY_USEC, &id);
    for (size_t i = 0; id != 0 && code == SQLITE_OK && i < ARRAY_SIZE(deletions); i++)
        code = SQL_RUN(db, deletions[i], sql_number(id));
    return code;
}
