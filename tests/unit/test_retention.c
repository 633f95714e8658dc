#include "core/retention/retention.h"

#include "base/date.h"
#include "unit.h"

/* --- bench: a story of artefacts, one letter a day from 2026-01-05, a Monday --- */

static Usec at(const char *iso) {
    Usec wall;
    assert_int_equal(date_from_iso(iso, &wall), 0);
    return wall;
}

#define STORY_MAX 64
#define ID_SIZE 24
#define NOW at("2027-01-01T00:00:00Z")

/* Of each day: '.' nothing; 'x' an ordinary one; the others apart. */
static RetentionItem item_of(char letter, size_t day, char id[static ID_SIZE]) {
    snprintf(id, ID_SIZE, "%03zu", day);
    return (RetentionItem){
        .id = id,
        .made_wall = at("2026-01-05T02:00:00Z") + (Usec)day * USEC_PER_DAY,
        .ours = letter != 'f' && letter != 'l',
        .listed_only = letter == 'l',
        .finished = letter != 'u',
        .held = letter == 'h',
        .needed = letter == 'n',
    };
}

/* What becomes of each day's: '-' deleted, else the first letter of the reason in capitals where a rule wants it. */
static void judge(const char *story, RetentionKeep keep, Usec now_wall, char ret[static STORY_MAX]) {
    static const char letters[RETENTION_REASONS] = {
        [RETENTION_LAST] = 'L',        [RETENTION_HOURLY] = 'H',      [RETENTION_DAILY] = 'D',
        [RETENTION_WEEKLY] = 'W',      [RETENTION_MONTHLY] = 'M',     [RETENTION_YEARLY] = 'Y',
        [RETENTION_WITHIN] = 'I',      [RETENTION_FLOOR] = 'F',       [RETENTION_NEEDED] = 'n',
        [RETENTION_HELD] = 'h',        [RETENTION_NO_POLICY] = 'p',   [RETENTION_FUTURE] = 't',
        [RETENTION_UNFINISHED] = 'u',  [RETENTION_LISTED_ONLY] = 'l', [RETENTION_FOREIGN] = 'f',
        [RETENTION_BEYOND] = '-',
    };
    CLEANUP(zone_free_ptr) Zone *zone = NULL;
    RetentionItem items[STORY_MAX];
    RetentionVerdict verdicts[STORY_MAX];
    char ids[STORY_MAX][ID_SIZE];
    size_t n = 0;
    assert_int_equal(zone_utc(&zone), 0);
    for (size_t i = 0; story[i]; i++)
        if (story[i] != '.' && story[i] != ' ')
            items[n++] = item_of(story[i], i, ids[i]);
    RetentionPolicy policy = {.keep = keep, .zone = zone};
    assert_int_equal(retention_judge(items, n, &policy, now_wall, verdicts), 0);
    snprintf(ret, STORY_MAX, "%s", story);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(verdicts[i].expendable, verdicts[i].reason == RETENTION_BEYOND);
        ret[strtoul(items[i].id, NULL, 10)] = letters[verdicts[i].reason];
    }
}

typedef struct Row {
    RetentionKeep keep;
    const char *story, *expected;
} Row;

static void check_rows(const Row *rows, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char got[STORY_MAX];
        judge(rows[i].story, rows[i].keep, NOW, got);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("row %zu: of \"%s\" expected \"%s\", got \"%s\"", i, rows[i].story, rows[i].expected, got);
    }
}

/* A letter a day; a column is a week. */
static void rules_want_the_newest(void **state) {
    static const Row rows[] = {
        {{.last = 3}, "xxxxxxx", "----LLL"},
        {{.last = 3}, "xx", "LL"},
        {{.last = 1}, "x", "L"},
        {{.last = 3}, "x..x...x.x", "-..L...L.L"},
        {{.daily = 2}, "xxxxxxx", "-----DD"},
        {{.daily = 2}, "x..x.x.", "-..D.D."},
        {{.weekly = 2}, "xxxxxxxxxxxxxxxxx", "-------------W--W"},
        {{.weekly = 3}, "xxxxxxxxxxxxxxxxx", "------W------W--W"},
        {{.weekly = 2}, "xx............xx.", "-W............-W."},
        {{.last = 2, .weekly = 2}, "xxxxxxxxxxxxxxxxx", "-------------W-LL"},
        {{.monthly = 2}, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "--------------------------M-M"},
        {{.yearly = 5}, "xxx", "--Y"},
        {{.within_usec = 2 * USEC_PER_DAY}, "xxxxx", "--III"},
        {{.within_usec = 2 * USEC_PER_DAY - 1}, "xxxxx", "---II"},
        {{.weekly = 1, .floor = 3}, "xxxxx", "--FFW"},
        {{.weekly = 1}, "xxxxx", "----W"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

static void some_are_apart(void **state) {
    static const Row rows[] = {
        /* what does not count takes no place from what does */
        {{.last = 2}, "xxuufl", "LLuufl"},
        {{.last = 2}, "xxxuufl", "-LLuufl"},
        {{.weekly = 1}, "xxxu", "--Wu"},
        {{.daily = 1}, "u", "u"},
        {{.within_usec = USEC_PER_DAY}, "xxx..u", "-II..u"},
        {{.within_usec = USEC_PER_DAY}, "xxx..f", "-II..f"},
        /* what is held or needed does */
        {{.last = 2}, "xxhh", "--hh"},
        {{.last = 2}, "hxxx", "h-LL"},
        {{.last = 2}, "nxxn", "n-LL"},
        /* without a rule everything stays */
        {{}, "xhxfulx", "phpfulp"},
        {{.floor = 2}, "xxxxx", "ppppp"},
    };
    check_rows(rows, ARRAY_SIZE(rows));
}

/* "now" only ever protects. */
static void no_clock_deletes(void **state) {
    static const struct {
        const char *now;
        const char *expected;
    } rows[] = {
        {"2026-01-14T02:00:00Z", "-------ILL"},
        {"2026-01-14T01:59:59Z", "------ILLt"},
        {"2026-01-08T12:00:00Z", "-ILLtttttt"},
        {"2026-01-01T00:00:00Z", "tttttttttt"},
        {"1970-01-01T00:00:00Z", "tttttttttt"},
        {"2026-06-01T00:00:00Z", "-------ILL"},
        {"9999-12-31T23:59:59Z", "-------ILL"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char got[STORY_MAX];
        judge("xxxxxxxxxx", (RetentionKeep){.last = 2, .within_usec = 2 * USEC_PER_DAY}, at(rows[i].now), got);
        assert_string_equal(got, rows[i].expected);
    }
}

static void the_same_twice_is_refused(void **state) {
    CLEANUP(zone_free_ptr) Zone *zone = NULL;
    assert_int_equal(zone_utc(&zone), 0);
    RetentionItem items[] = {{.id = "a", .made_wall = 5, .ours = true, .finished = true},
                             {.id = "b", .made_wall = 5, .ours = true, .finished = true},
                             {.id = "a", .made_wall = 5, .ours = true, .finished = true}};
    RetentionVerdict v[3] = {{.reason = RETENTION_REASONS}};
    RetentionPolicy p = {.keep = {.last = 1}, .zone = zone};
    assert_int_equal(retention_judge(items, 3, &p, NOW, v), -EINVAL);
    assert_int_equal(v[0].reason, RETENTION_REASONS);
    assert_int_equal(retention_judge(items, 0, &p, NOW, v), 0);
    /* of one instant, the greater id is the newer */
    assert_int_equal(retention_judge(items, 2, &p, NOW, v), 0);
    assert_true(v[0].expendable);
    assert_false(v[1].expendable);
}

static void what_has_no_time_stays_and_takes_no_place(void **state) {
    CLEANUP(zone_free_ptr) Zone *zone = NULL;
    assert_int_equal(zone_utc(&zone), 0);
    RetentionItem items[] = {{.id = "a", .made_wall = -1, .ours = true, .finished = true},
                             {.id = "b", .made_wall = 5, .ours = true, .finished = true},
                             {.id = "c", .made_wall = 6, .ours = true, .finished = true}};
    RetentionVerdict v[3];
    RetentionPolicy p = {.keep = {.last = 1}, .zone = zone};
    assert_int_equal(retention_judge(items, 3, &p, NOW, v), 0);
    assert_int_equal(v[0].reason, RETENTION_UNFINISHED);
    assert_int_equal(v[1].reason, RETENTION_BEYOND);
    assert_int_equal(v[2].reason, RETENTION_LAST);
}

static void verdicts_have_words(void **state) {
    static const struct {
        RetentionKeep keep;
        RetentionVerdict verdict;
        const char *expected;
    } rows[] = {
        {{.last = 7, .weekly = 8}, {.reason = RETENTION_LAST, .place = {[RETENTION_LAST] = 3, [RETENTION_WEEKLY] = 1}},
         "last 3 of 7, weekly 1 of 8"},
        {{.last = 7, .floor = 2}, {.reason = RETENTION_LAST, .place = {[RETENTION_LAST] = 1, [RETENTION_FLOOR] = 1}},
         "last 1 of 7"},
        {{.weekly = 7, .floor = 2}, {.reason = RETENTION_FLOOR, .place = {[RETENTION_FLOOR] = 2}}, "floor 2 of 2"},
        {{.within_usec = 90 * USEC_PER_DAY}, {.reason = RETENTION_WITHIN, .place = {[RETENTION_WITHIN] = 1}},
         "within 90d"},
        {{.last = 7, .within_usec = USEC_PER_HOUR, .floor = 2}, {.expendable = true, .reason = RETENTION_BEYOND},
         "beyond last 7, within 1h"},
        {{.daily = 7, .floor = 2}, {.expendable = true, .reason = RETENTION_BEYOND}, "beyond daily 7, floor 2"},
        {{.daily = 7, .floor = 1}, {.expendable = true, .reason = RETENTION_BEYOND}, "beyond daily 7"},
        {{.last = 7}, {.reason = RETENTION_HELD, .place = {[RETENTION_LAST] = 1}}, "is held"},
        {{.floor = 7}, {.reason = RETENTION_NO_POLICY}, "its schedule keeps everything"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO_TEXT t = TEXT_INIT(256);
        assert_int_equal(retention_verdict_describe(&rows[i].verdict, &rows[i].keep, &t), 0);
        assert_string_equal(text_get(&t), rows[i].expected);
    }
    AUTO_TEXT t = TEXT_INIT(256);
    retention_keep_describe(&(RetentionKeep){.floor = 3}, &t);
    assert_string_equal(text_get(&t), "everything");
    for (RetentionReason r = 0; r < RETENTION_REASONS; r++) {
        RetentionReason back;
        assert_int_equal(retention_reason_from_string(retention_reason_to_string(r), &back), 0);
        assert_int_equal(back, r);
        assert_non_null(retention_reason_text(r));
    }
    RetentionReason none;
    assert_int_equal(retention_reason_from_string("because", &none), -EINVAL);
}

UNIT_MAIN(cmocka_unit_test(rules_want_the_newest), cmocka_unit_test(some_are_apart), cmocka_unit_test(no_clock_deletes),
          cmocka_unit_test(the_same_twice_is_refused),
          cmocka_unit_test(what_has_no_time_stays_and_takes_no_place), cmocka_unit_test(verdicts_have_words))
