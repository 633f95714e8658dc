#include "io/store_sql.h"

#include <sqlite3.h>

#include "base/text.h"
#include "core/aws/codec.h"

int store_sql_run(sqlite3 *db, const char *sql, const SqlValue *values, int n) {
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    for (int i = 0; code == SQLITE_OK && i < n; i++)
        if (values[i].text)
            code = sqlite3_bind_text(q, i + 1, values[i].text, -1, SQLITE_STATIC);
        else if (!values[i].is_null)
            code = sqlite3_bind_int64(q, i + 1, values[i].number);
    if (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_DONE)
        code = SQLITE_OK;
    sqlite3_finalize(q);
    return code;
}

int store_sql_read(sqlite3 *db, const char *sql, SqlRow row, void *context, int *ret_error) {
    sqlite3_stmt *q = NULL;
    int r = 0, code = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
    while (code == SQLITE_OK && r >= 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
        code = SQLITE_OK;
        r = row(q, context);
    }
    sqlite3_finalize(q);
    *ret_error = r < 0 ? r : 0;
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

Usec store_sql_wall(sqlite3_stmt *q, int column) {
    return sqlite3_column_type(q, column) == SQLITE_NULL ? WALL_UNKNOWN : sqlite3_column_int64(q, column);
}

int store_sql_texts(sqlite3_stmt *q, char **const *ret, size_t n, int first) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = text_set(ret[i], (const char *)sqlite3_column_text(q, first + (int)i));
    return r;
}
