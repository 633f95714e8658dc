#pragma once
/* One statement with its values, for those parts of the ledger that are written rarely. Functions return an SQLite
 * code, but where they say -errno. */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/macros.h"

struct sqlite3;
struct sqlite3_stmt;

typedef struct SqlValue {
    const char *text; /* NULL: the number */
    int64_t number;
    bool is_null;
} SqlValue;

static inline SqlValue sql_text(const char *s) { return (SqlValue){.text = s, .is_null = !s}; }
static inline SqlValue sql_number(int64_t n) { return (SqlValue){.number = n}; }
/* NULL for an instant that is not known or never, and for a count that is not known. */
static inline SqlValue sql_wall(Usec wall) {
    return (SqlValue){.number = wall, .is_null = wall == -1 || wall == USEC_INFINITY};
}
static inline SqlValue sql_count(int64_t n) { return sql_wall(n); }

int store_sql_run(struct sqlite3 *db, const char *sql, const SqlValue *values, int n);
#define SQL_RUN(db, sql, ...)                                                                                          \
    ({                                                                                                                 \
        const SqlValue values_[] = {__VA_ARGS__};                                                                      \
        store_sql_run(db, sql, values_, (int)ARRAY_SIZE(values_));                                                     \
    })

/* Each row, until one says -errno, which goes to *ret_error (else 0). */
typedef int (*SqlRow)(struct sqlite3_stmt *q, void *context);
int store_sql_read(struct sqlite3 *db, const char *sql, SqlRow row, void *context, int *ret_error);

/* Of a row: WALL_UNKNOWN for NULL; texts replace *ret. */
Usec store_sql_wall(struct sqlite3_stmt *q, int column);
int store_sql_texts(struct sqlite3_stmt *q, char **const *ret, size_t n, int first);
