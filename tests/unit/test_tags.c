#include "core/aws/tags.h"

#include "unit.h"

static void pages_become_one_sorted_text(void **state) {
    AUTO_FREE char *tags = NULL;
    TagInfo first[] = {{"team", "a b"}, {"backup:tier", "gold"}}, second[] = {{"env", ""}, {"bad\nkey", "x"}};
    assert_int_equal(tags_add(&tags, &(TagList){}), 0);
    assert_string_equal(tags, "");
    assert_int_equal(tags_add(&tags, &(TagList){.items = first, .n_items = 2}), 0);
    assert_string_equal(tags, "backup:tier=gold\nteam=a b");
    assert_int_equal(tags_add(&tags, &(TagList){.items = second, .n_items = 2}), 0);
    assert_string_equal(tags, "backup:tier=gold\nbad?key=x\nenv=\nteam=a b");
    assert_int_equal(tags_add(&tags, &(TagList){}), 0);
    assert_string_equal(tags, "backup:tier=gold\nbad?key=x\nenv=\nteam=a b");
}

/* A listing that never ends has no end in memory, either. */
static void they_are_bounded(void **state) {
    AUTO_FREE char *tags = NULL;
    char value[4001];
    memset(value, 'x', 4000);
    value[4000] = '\0';
    TagInfo tag = {"k", value};
    int r = 0;
    for (int i = 0; r >= 0 && i < 100; i++)
        r = tags_add(&tags, &(TagList){.items = &tag, .n_items = 1});
    assert_int_equal(r, -E2BIG);
}

static void a_tag_is_matched_whole(void **state) {
    static const char tags[] = "backup=yes\nbackup:tier=gold\nenv=\na=b=c";
    static const struct {
        const char *wanted;
        bool matches;
    } rows[] = {
        {"backup=yes", true},   {"backup=no", false}, {"backup=ye", false}, {"ackup=yes", false}, {"backup=*", true},
        {"backup:tier=*", true}, {"env=", true},       {"env=*", true},      {"env=?*", false},    {"owner=*", false},
        {"Backup=yes", false},  {"a=b=c", true},      {"backup=[xy]es", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (tags_match(tags, rows[i].wanted) != rows[i].matches)
            fail_msg("%s", rows[i].wanted);
    assert_false(tags_match("", "backup=*"));
    assert_true(tags_match("one=1", "one=1"));
}

UNIT_MAIN(cmocka_unit_test(pages_become_one_sorted_text), cmocka_unit_test(they_are_bounded),
          cmocka_unit_test(a_tag_is_matched_whole))
