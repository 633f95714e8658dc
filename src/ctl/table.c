#include "ctl/table.h"

#include <errno.h>

#include "base/array.h"
#include "ctl/words.h"

#define CELL_MAX 65536
#define GAP "  "

void table_init(Table *t, const TableColumn *columns, size_t n_columns) {
    *t = (Table){.columns = columns, .n_columns = n_columns};
}

void table_done(Table *t) {
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (Table){.columns = t->columns, .n_columns = t->n_columns};
}

int table_add(Table *t, const char *cell) {
    AUTO_TEXT clean = TEXT_INIT(CELL_MAX);
    if (t->error < 0)
        return t->error;
    t->error = words_add(&clean, cell ? cell : "");
    if (t->error == 0)
        t->error = ARRAY_GROW(t->cells, t->n_cells, t->n_room);
    if (t->error == 0)
        t->error = text_take(&clean, &t->cells[t->n_cells]);
    if (t->error == 0)
        t->n_cells++;
    return t->error;
}

int table_addf(Table *t, const char *format, ...) {
    AUTO_TEXT cell = TEXT_INIT(CELL_MAX);
    va_list args;
    va_start(args, format);
    text_addfv(&cell, format, args);
    va_end(args);
    if (cell.error < 0 && t->error == 0)
        t->error = cell.error;
    return table_add(t, text_get(&cell));
}

size_t table_n_rows(const Table *t) { return t->n_cells / t->n_columns; }

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* 0 for a column that is left out. */
static size_t column_width(const Table *t, size_t column) {
    size_t width = 0;
    for (size_t i = column; i < t->n_cells; i += t->n_columns)
        width = max_size(width, words_width(t->cells[i]));
    if (width == 0 && t->columns[column].spare)
        return 0;
    return max_size(max_size(width, 1), words_width(t->columns[column].title));
}

static void add_spaces(Text *out, size_t n) {
    while (n-- > 0)
        text_add_char(out, ' ');
}

/* `cells` are n_columns strings; the last one that is shown has no blanks after it. */
static void print_row(const Table *t, const size_t *widths, size_t last, char *const *cells, int indent, Text *out) {
    add_spaces(out, (size_t)indent);
    for (size_t i = 0; i <= last; i++) {
        const char *cell = !cells ? t->columns[i].title : *cells[i] ? cells[i] : "-";
        if (widths[i] == 0)
            continue;
        size_t blank = widths[i] - words_width(cell);
        if (t->columns[i].right)
            add_spaces(out, blank);
        text_add(out, cell);
        if (i == last)
            break;
        if (!t->columns[i].right)
            add_spaces(out, blank);
        text_add(out, GAP);
    }
    text_add_char(out, '\n');
}

int table_print(const Table *t, int indent, Text *out) {
    if (t->error < 0)
        return t->error;
    if (t->n_cells % t->n_columns != 0)
        return -EINVAL;
    if (t->n_cells == 0)
        return out->error;
    AUTO_FREE size_t *widths = calloc(t->n_columns, sizeof *widths);
    if (!widths)
        return -ENOMEM;
    size_t last = 0;
    for (size_t i = 0; i < t->n_columns; i++)
        if ((widths[i] = column_width(t, i)) > 0)
            last = i;
    print_row(t, widths, last, NULL, indent, out);
    for (size_t i = 0; i < t->n_cells; i += t->n_columns)
        print_row(t, widths, last, &t->cells[i], indent, out);
    return out->error;
}
