#pragma once
/* Rows in columns, for people. Cells are cleaned (ctl/words.h); a column is as wide as its widest cell, and nothing is
 * cut off. Errors stick, as in base/text.h: add, then look at what table_print returns. */

#include <stddef.h>

#include "base/text.h"

typedef struct TableColumn {
    const char *title;
    bool right; /* numbers end at the column's right edge */
    bool spare; /* left out when it would hold nothing */
} TableColumn;

typedef struct Table {
    const TableColumn *columns; /* borrowed */
    size_t n_columns;
    char **cells;
    size_t n_cells, n_room;
    int error;
} Table;

void table_init(Table *t, const TableColumn *columns, size_t n_columns);
void table_done(Table *t);

/* The next cell, row by row; NULL or "" shows as "-". */
int table_add(Table *t, const char *cell);
int table_addf(Table *t, const char *format, ...) PRINTF_LIKE(2, 3);
size_t table_n_rows(const Table *t);

/* Header and rows, each ended by a line break, the header only where there are rows; `indent` spaces first. A row that
 * is not complete is an error of the caller (-EINVAL). */
int table_print(const Table *t, int indent, Text *out);
