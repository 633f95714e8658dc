#include "ctl/table.h"
#include "ctl/words.h"

#include "unit.h"

static const TableColumn columns[] = {{"NAME"}, {"SIZE", .right = true}, {"NOTE", .spare = true}, {"END"}};

static void assert_prints(const Table *t, int indent, const char *expected) {
    AUTO_TEXT out = TEXT_INIT(4096);
    assert_int_equal(table_print(t, indent, &out), 0);
    assert_string_equal(text_get(&out), expected);
}

static void columns_are_as_wide_as_their_widest_cell(void **state) {
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    static const char *const cells[] = {"a", "1", NULL, "x", "longer", "12345", "n", ""};
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        assert_int_equal(table_add(&t, cells[i]), 0);
    assert_int_equal(table_n_rows(&t), 2);
    assert_prints(&t, 0,
                  "NAME     SIZE  NOTE  END\n"
                  "a           1  -     x\n"
                  "longer  12345  n     -\n");
    assert_prints(&t, 2,
                  "  NAME     SIZE  NOTE  END\n"
                  "  a           1  -     x\n"
                  "  longer  12345  n     -\n");
}

static void spare_columns_go_when_empty(void **state) {
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    table_add(&t, "a");
    table_addf(&t, "%d", 7);
    table_add(&t, "");
    table_add(&t, NULL);
    assert_prints(&t, 0, "NAME  SIZE  END\na        7  -\n");
}

static void nothing_without_rows(void **state) {
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    assert_prints(&t, 2, "");
}

static void an_incomplete_row_is_refused(void **state) {
    AUTO_TEXT out = TEXT_INIT(4096);
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    table_add(&t, "a");
    assert_int_equal(table_print(&t, 0, &out), -EINVAL);
}

static void a_cell_too_long_sticks(void **state) {
    AUTO_TEXT out = TEXT_INIT(4096);
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    char *cell = malloc(100000);
    assert_non_null(cell);
    memset(cell, 'x', 99999);
    cell[99999] = '\0';
    assert_int_equal(table_add(&t, cell), -E2BIG);
    free(cell);
    assert_int_equal(table_add(&t, "short"), -E2BIG);
    assert_int_equal(table_print(&t, 0, &out), -E2BIG);
}

/* What the service says goes to a terminal. */
static void words_are_cleaned(void **state) {
    static const struct {
        const char *in, *out;
        size_t width;
    } rows[] = {
        {"plain", "plain", 5},
        {"", "", 0},
        {"two\nlines\tand\rmore", "two lines and more", 18},
        {"\x1b[31mred\x7f\x01", "?[31mred??", 10},
        {"caf\xc3\xa9", "caf\xc3\xa9", 4},
        {"\xc2\x9b"
         "31m",
         "?31m", 4}, /* CSI as one character */
        {"\x9b"
         "31m",
         "?31m", 4}, /* and as one byte */
        {"\xc2\xa0", "\xc2\xa0", 1},
        {"\xe2\x82\xac 5", "\xe2\x82\xac 5", 3},
        {"\xff\xfe", "??", 2},
        {"cut \xe2\x82", "cut ??", 6},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_TEXT t = TEXT_INIT(256);
        assert_int_equal(words_add(&t, rows[i].in), 0);
        assert_string_equal(text_get(&t), rows[i].out);
        assert_int_equal(words_width(text_get(&t)), rows[i].width);
    }
}

static void times_and_spans_read_well(void **state) {
    char iso[DATE_ISO_SIZE], span[DURATION_SIZE];
    assert_string_equal(words_time(1790042400 * USEC_PER_SEC + 999999, iso), "2026-09-22T02:00:00Z");
    assert_string_equal(words_time(WALL_UNKNOWN, iso), "-");
    assert_string_equal(words_time(USEC_INFINITY, iso), "-");
    assert_string_equal(words_age(9 * USEC_PER_DAY + USEC_PER_HOUR - 1, span), "9d");
    assert_string_equal(words_age(31 * USEC_PER_HOUR - 1, span), "30h");
    assert_string_equal(words_age(9 * USEC_PER_HOUR + 61 * USEC_PER_SEC + 5, span), "9h 1min");
    assert_string_equal(words_age(303 * USEC_PER_SEC + 5, span), "5min 3s");
    assert_string_equal(words_age(1500, span), "0");
    assert_string_equal(words_age(-5 * USEC_PER_SEC, span), "0");
}

UNIT_MAIN(cmocka_unit_test(columns_are_as_wide_as_their_widest_cell), cmocka_unit_test(spare_columns_go_when_empty),
          cmocka_unit_test(nothing_without_rows), cmocka_unit_test(an_incomplete_row_is_refused),
          cmocka_unit_test(a_cell_too_long_sticks), cmocka_unit_test(words_are_cleaned),
          cmocka_unit_test(times_and_spans_read_well))
