#include "core/chain/span.h"

#include "base/text.h"

#include "unit.h"

#define HOUR USEC_PER_HOUR
#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */

static void expect(const Spans *s, size_t i, SpanKind kind, Usec from_wall, Usec to_wall) {
    assert_true(i < s->n_items);
    const Span *span = &s->items[i];
    if (span->kind != kind || span->from_wall != from_wall || span->to_wall != to_wall)
        fail_msg("span %zu is %s from %" PRId64 " to %" PRId64 " s", i, span_kind_to_string(span->kind),
                 (span->from_wall - T0) / USEC_PER_SEC, (span->to_wall - T0) / USEC_PER_SEC);
}

static Chain growing(void) {
    return (Chain){.id = 2, .state = CHAIN_GROWING, .base_wall = T0, .start_wall = T0 - USEC_PER_MINUTE,
                   .covered_wall = T0 + 2 * HOUR, .end_wall = USEC_INFINITY};
}

/* A chain that has settled, one that grows with a window under way behind one that failed, and what was lost
 * between. */
static void all_kinds(void **state) {
    CLEANUP(run_free_ptr) Run *run = NULL;
    assert_int_equal(run_new(1, &run), 0);
    run->state = RUN_IN_PROGRESS;
    ChainWindow windows[] = {{.from_wall = T0 + 2 * HOUR, .to_wall = T0 + 3 * HOUR, .attempt = 2},
                             {.from_wall = T0 + 3 * HOUR, .to_wall = T0 + 4 * HOUR, .attempt = 1, .is_verified = true},
                             {.from_wall = T0 + 4 * HOUR, .to_wall = T0 + 5 * HOUR, .attempt = 1, .run = run}};
    Chain chain = growing();
    chain.windows = windows;
    chain.n_windows = 3;
    LostSpan loss = {.chain_id = 1, .from_wall = T0 - 9 * HOUR, .to_wall = T0, .why = "off"};
    Lineage l = {.chains = (Chain *[]){&chain}, .n_chains = 1, .losses = &loss, .n_losses = 1};
    ChainReach reaches[] = {{.id = 1, .state = CHAIN_BROKEN, .base_wall = T0 - 20 * HOUR,
                             .covered_wall = T0 - 9 * HOUR},
                            {.id = 2, .state = CHAIN_GROWING, .base_wall = T0, .covered_wall = T0 + 2 * HOUR},
                            {.id = 3, .state = CHAIN_FORMING, .base_wall = T0 + HOUR, .covered_wall = T0 + HOUR},
                            {.id = 4, .state = CHAIN_VOID, .base_wall = T0 + HOUR, .covered_wall = T0 + HOUR}};
    CLEANUP(spans_done) Spans s = {};
    assert_int_equal(spans_make(&l, reaches, ARRAY_SIZE(reaches), 2 * HOUR, T0 + 5 * HOUR + HOUR / 2, &s), 0);
    assert_int_equal(s.n_items, 6);
    expect(&s, 0, SPAN_COVERED, T0 - 20 * HOUR, T0 - 9 * HOUR);
    expect(&s, 1, SPAN_LOST, T0 - 9 * HOUR, T0);
    expect(&s, 2, SPAN_COVERED, T0, T0 + 2 * HOUR);
    expect(&s, 3, SPAN_LATE, T0 + 2 * HOUR, T0 + 3 * HOUR);
    expect(&s, 4, SPAN_IN_FLIGHT, T0 + 4 * HOUR, T0 + 5 * HOUR);
    expect(&s, 5, SPAN_IN_FLIGHT, T0 + 5 * HOUR, T0 + 5 * HOUR + HOUR / 2);
    assert_string_equal(s.items[4].state, "in_progress");
    assert_true(spans_watermark(&s) == T0 + 2 * HOUR);
    assert_int_equal(spans_level(&s), 1);
}

/* Why a window is asked for again. */
static void reasons(void **state) {
    ChainWindow windows[] = {{.from_wall = T0 + 2 * HOUR, .to_wall = T0 + 3 * HOUR, .attempt = 2},
                             {.from_wall = T0 + 3 * HOUR, .to_wall = T0 + 4 * HOUR, .attempt = 1, .is_damaged = true},
                             {.from_wall = T0 + 4 * HOUR, .to_wall = T0 + 5 * HOUR, .attempt = 1, .is_overdue = true}};
    Chain chain = growing();
    chain.windows = windows;
    chain.n_windows = 3;
    Lineage l = {.chains = (Chain *[]){&chain}, .n_chains = 1};
    CLEANUP(spans_done) Spans s = {};
    assert_int_equal(spans_make(&l, NULL, 0, 2 * HOUR, T0 + 5 * HOUR, &s), 0);
    assert_int_equal(s.n_items, 3);
    assert_null(s.items[0].why);
    assert_string_equal(s.items[1].why, "what was exported of it is damaged or gone");
    assert_string_equal(s.items[2].why, "the last attempt goes on, and is overdue");
}

static void levels(void **state) {
    static const struct {
        ChainState chain;
        Usec lost_until, now;
        int level;
    } rows[] = {
        {CHAIN_GROWING, T0, T0 + 3 * HOUR, 0},
        {CHAIN_GROWING, T0, T0 + 4 * HOUR + 1, 1},
        {CHAIN_FORMING, T0, T0 + 3 * HOUR, 2},
        {CHAIN_BROKEN, USEC_INFINITY, T0 + 3 * HOUR, 2},
        {CHAIN_BROKEN, T0 + 9 * HOUR, T0 + 3 * HOUR, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Chain chain = growing();
        chain.state = rows[i].chain;
        LostSpan loss = {.from_wall = T0 - HOUR, .to_wall = rows[i].lost_until, .why = "off"};
        Lineage l = {.chains = (Chain *[]){&chain}, .n_chains = 1, .losses = &loss, .n_losses = 1};
        ChainReach reach = {.id = 2, .state = rows[i].chain, .base_wall = T0, .covered_wall = T0 + 2 * HOUR};
        CLEANUP(spans_done) Spans s = {};
        assert_int_equal(spans_make(&l, &reach, 1, 2 * HOUR, rows[i].now, &s), 0);
        if (spans_level(&s) != rows[i].level)
            fail_msg("row %zu: %d", i, spans_level(&s));
    }
}

UNIT_MAIN(cmocka_unit_test(all_kinds), cmocka_unit_test(reasons), cmocka_unit_test(levels))
