#include "core/chain/lineage.h"

#include "base/date.h"
#include "base/text.h"
#include "core/aws/retry.h"

#include "unit.h"

#define SEC USEC_PER_SEC
#define MINUTE USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR
#define T0 (INT64_C(1795399200) * SEC) /* 2026-11-23T02:00:00Z */
#define ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders/export/01795399200000-0000000"

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

/* A chain on a base of that instant, "…1" and up. */
static Chain *chain_on(int64_t id, Usec base_wall) {
    CLEANUP(run_free_ptr) Run *base = NULL;
    Chain *c = NULL;
    assert_int_equal(run_new(100 + id, &base), 0);
    base->account = copy("own");
    base->region = copy("eu-central-1");
    base->table = copy("orders");
    base->table_id = copy("table-id");
    base->table_arn = copy("arn:aws:dynamodb:eu-central-1:111111111111:table/orders");
    base->artefact = calloc(1, sizeof *base->artefact);
    assert_non_null(base->artefact);
    base->artefact->arn = text_format(ARN "%d", (int)id);
    base->artefact->created_wall = base_wall;
    assert_int_equal(chain_new(id, base, "half", base_wall + SEC, &c), 0);
    return c;
}

static ChainWindow *add(Chain *c, Usec to_wall) {
    ChainWindow *w = NULL;
    assert_int_equal(chain_add_window(c, to_wall, &w), 0);
    w->attempt = 1;
    return w;
}

/* Every state and event: where it leads; "." is inert. One letter a state, in the order of ChainState. */
static void table_is_what_it_says(void **state) {
    static const char letters[] = "FGCDBV";
    static const struct {
        ChainEvent event;
        const char *to; /* from forming, growing, closing, closed, broken, void */
    } rows[] = {
        {CHAIN_EV_BASE_VERIFIED, "G....."}, {CHAIN_EV_BASE_FAILED, "VVVVV."}, {CHAIN_EV_SUCCEEDED, ".C...."},
        {CHAIN_EV_COMPLETED, "..D..."},     {CHAIN_EV_LOST, "VBB.B."},
        {CHAIN_EV_DAMAGED, "FGCCB."},
    };
    assert_int_equal(ARRAY_SIZE(rows), CHAIN_EVENTS);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (int from = 0; from < CHAIN_STATES; from++) {
            CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
            c->state = (ChainState)from;
            bool meant = chain_apply(c, rows[i].event, "because");
            char to = rows[i].to[from];
            if (meant != (to != '.') || letters[c->state] != (to == '.' ? letters[from] : to))
                fail_msg("event %zu from %s", i, chain_state_to_string((ChainState)from));
            assert_int_equal(c->why != NULL, meant);
        }
    for (int i = 0; i < CHAIN_STATES; i++) {
        ChainState s;
        assert_int_equal(chain_state_from_string(chain_state_to_string((ChainState)i), &s), 0);
        assert_int_equal(s, i);
    }
}

/* It waits for the base, and for the first window that is missing. */
static void watermark_is_the_end_of_the_prefix(void **state) {
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0 + 500 * USEC_PER_MSEC);
    assert_true(c->start_wall == T0 - MINUTE);
    assert_true(chain_watermark(c) == WALL_UNKNOWN);
    add(c, T0 + 30 * MINUTE);
    add(c, T0 + HOUR);
    add(c, T0 + 2 * HOUR);
    chain_take_verified(c, chain_window(c, c->start_wall));
    assert_true(chain_watermark(c) == WALL_UNKNOWN);
    chain_apply(c, CHAIN_EV_BASE_VERIFIED, NULL);
    assert_true(chain_watermark(c) == T0 + 30 * MINUTE);
    chain_take_verified(c, chain_window(c, T0 + HOUR));
    assert_true(chain_watermark(c) == T0 + 30 * MINUTE);
    assert_int_equal(chain_n_open(c), 1);
    chain_take_verified(c, chain_window(c, T0 + 30 * MINUTE));
    assert_true(chain_watermark(c) == T0 + 2 * HOUR);
    assert_true(chain_frontier(c) == T0 + 2 * HOUR);
    assert_int_equal(chain_n_open(c), 0);
}

static void base_alone_restores_to_its_instant(void **state) {
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0 + 500 * USEC_PER_MSEC);
    chain_apply(c, CHAIN_EV_BASE_VERIFIED, NULL);
    assert_true(chain_watermark(c) == T0);
}

/* A failed window waits ever longer for its next attempt, and keeps its place. */
static void failed_windows_are_tried_again(void **state) {
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
    static const int minutes[] = {1, 2, 4, 8, 16, 30, 30};
    add(c, T0 + HOUR);
    add(c, T0 + 2 * HOUR);
    for (int i = 0; i < (int)ARRAY_SIZE(minutes); i++) {
        ChainWindow *w = chain_window(c, c->start_wall);
        w->attempt = i + 1;
        chain_take_failed(c, w, (Now){.wall = T0 + 3 * HOUR});
        assert_true(w->retry_wall == T0 + 3 * HOUR + minutes[i] * MINUTE);
        assert_null(chain_retry(c, w->retry_wall - 1));
        assert_ptr_equal(chain_retry(c, w->retry_wall), w);
    }
    assert_int_equal(chain_n_open(c), 2);
    assert_true(c->covered_wall == c->start_wall);
}

/* What was accepted, or may have been, is not given up because its window has passed. */
static void gap_is_what_nobody_has(void **state) {
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
    CLEANUP(run_free_ptr) Run *run = NULL;
    assert_int_equal(run_new(1, &run), 0);
    assert_true(chain_gap(c, c->start_wall) == USEC_INFINITY);
    assert_true(chain_gap(c, c->start_wall + 1) == c->start_wall);
    add(c, T0 + HOUR)->run = run;
    static const struct {
        RunState state;
        bool has_gap;
    } rows[] = {{RUN_INTENDED, true}, {RUN_REQUESTED, false}, {RUN_UNCERTAIN, false}, {RUN_IN_PROGRESS, false},
                {RUN_VERIFYING, false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        run->state = rows[i].state;
        assert_true(chain_gap(c, T0) == (rows[i].has_gap ? c->start_wall : USEC_INFINITY));
        assert_true(chain_gap(c, T0 + HOUR) == (rows[i].has_gap ? c->start_wall : USEC_INFINITY));
        assert_true(chain_gap(c, T0 + HOUR + 1) == (rows[i].has_gap ? c->start_wall : T0 + HOUR));
    }
    c->windows[0].run = NULL;
    assert_true(chain_gap(c, T0) == c->start_wall);
    chain_cut(c, T0 - MINUTE);
    assert_int_equal(c->n_windows, 0);
    assert_true(c->end_wall == T0 - MINUTE);
    assert_true(chain_gap(c, USEC_INFINITY) == USEC_INFINITY);
}

static Run *attempt_at(RunState state, Usec from_wall, Usec to_wall, int attempt) {
    Run *r = NULL;
    assert_int_equal(run_new(attempt, &r), 0);
    *r = (Run){.id = attempt, .state = state, .chain_id = 1, .from_wall = from_wall, .to_wall = to_wall,
               .slot_wall = to_wall, .attempt = attempt, .sent_wall = T0 + 7 * HOUR, .settled_wall = T0 + 8 * HOUR,
               .step = HEAP_NODE(r), .poll = HEAP_NODE(r), .deadline = HEAP_NODE(r)};
    if (state != RUN_SUCCEEDED)
        return r;
    r->artefact = calloc(1, sizeof *r->artefact);
    assert_non_null(r->artefact);
    r->artefact->life = ARTEFACT_VERIFIED;
    return r;
}

/* A window rests on the attempt that was verified and still is good, whatever became of the others. */
static void attempts_make_windows(void **state) {
    static const struct {
        RunState first, second; /* RUN_STATES: there is none */
        ArtefactLife life;      /* of the first, where it succeeded */
        bool overdue, verified, damaged, waits;
        Usec retry_wall; /* 0: it is not asked for */
    } rows[] = {
        {RUN_SUCCEEDED, RUN_STATES, ARTEFACT_VERIFIED, false, true, false, false, 0},
        {RUN_SUCCEEDED, RUN_FAILED, ARTEFACT_VERIFIED, false, true, false, false, 0}, /* outrun */
        {RUN_SUCCEEDED, RUN_STATES, ARTEFACT_EXPIRING, false, true, false, false, 0},
        {RUN_SUCCEEDED, RUN_STATES, ARTEFACT_DISPROVED, false, false, true, false, T0 + 8 * HOUR + MINUTE},
        {RUN_SUCCEEDED, RUN_STATES, ARTEFACT_GONE, false, false, true, false, T0 + 8 * HOUR + MINUTE},
        {RUN_SUCCEEDED, RUN_IN_PROGRESS, ARTEFACT_DISPROVED, false, false, true, true, 0},
        {RUN_FAILED, RUN_STATES, ARTEFACT_FAILED, false, false, false, false, T0 + 8 * HOUR + MINUTE},
        {RUN_FAILED, RUN_FAILED, ARTEFACT_FAILED, false, false, false, false, T0 + 8 * HOUR + 2 * MINUTE},
        {RUN_IN_PROGRESS, RUN_STATES, ARTEFACT_IN_PROGRESS, false, false, false, true, 0},
        {RUN_IN_PROGRESS, RUN_STATES, ARTEFACT_IN_PROGRESS, true, false, false, false, T0 + 7 * HOUR},
        {RUN_IN_PROGRESS, RUN_INTENDED, ARTEFACT_IN_PROGRESS, true, false, false, true, 0},
        {RUN_VERIFYING, RUN_STATES, ARTEFACT_IN_PROGRESS, true, false, false, true, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
        CLEANUP(run_free_ptr) Run *first = attempt_at(rows[i].first, c->start_wall, T0 + HOUR, 1);
        CLEANUP(run_free_ptr) Run *second = attempt_at(rows[i].second, c->start_wall, T0 + HOUR, 2);
        bool waits;
        first->overdue = rows[i].overdue;
        if (first->artefact)
            first->artefact->life = rows[i].life;
        assert_int_equal(chain_take_attempt(c, first, &waits), 0);
        if (rows[i].second != RUN_STATES)
            assert_int_equal(chain_take_attempt(c, second, &waits), 0);
        const ChainWindow *w = chain_window(c, c->start_wall);
        if (w->is_verified != rows[i].verified || w->is_damaged != rows[i].damaged || waits != rows[i].waits ||
            (w->run != NULL) != rows[i].waits || c->n_windows != 1 ||
            w->attempt != 1 + (rows[i].second != RUN_STATES))
            fail_msg("row %zu", i);
        if (rows[i].retry_wall)
            assert_true(w->retry_wall == rows[i].retry_wall);
    }
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
    CLEANUP(run_free_ptr) Run *gap = attempt_at(RUN_FAILED, T0, T0 + HOUR, 1);
    bool waits;
    assert_int_equal(chain_take_attempt(c, gap, &waits), -EBADMSG);
    c->covered_wall = T0 + HOUR;
    assert_int_equal(chain_take_attempt(c, gap, &waits), 0); /* it is behind the chain */
    assert_int_equal(c->n_windows, 0);
}

/* The watermark goes back to it, and over all that follows as soon as it is good again. */
static void damage_takes_the_watermark_back(void **state) {
    CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
    CLEANUP(chain_free_ptr) Chain *found = chain_on(1, T0);
    c->state = CHAIN_CLOSED;
    c->end_wall = c->covered_wall = T0 + 3 * HOUR;
    c->settled_wall = T0 + 9 * HOUR;
    assert_int_equal(chain_take_damaged(c, T0 + HOUR, NULL, (Now){.wall = T0 + 10 * HOUR}), -ESTALE);
    found->covered_wall = T0 + HOUR;
    add(found, T0 + 2 * HOUR)->is_verified = true;
    assert_int_equal(chain_take_damaged(c, T0 + HOUR, found, (Now){.wall = T0 + 10 * HOUR}), -ESTALE); /* too few */
    add(found, T0 + 3 * HOUR)->is_verified = true;
    assert_int_equal(chain_take_damaged(c, T0 + HOUR, found, (Now){.wall = T0 + 10 * HOUR}), 0);
    assert_int_equal(c->state, CHAIN_CLOSING);
    assert_true(c->settled_wall == WALL_UNKNOWN && c->changed && !chain_is_over(c));
    assert_true(chain_watermark(c) == T0 + HOUR);
    assert_int_equal(c->n_windows, 2);
    ChainWindow *w = chain_retry(c, T0 + 10 * HOUR);
    assert_true(w && w->from_wall == T0 + HOUR && w->attempt == 1);
    assert_true(chain_gap(c, T0 + HOUR) == USEC_INFINITY);
    assert_true(chain_gap(c, T0 + HOUR + 1) == T0 + HOUR);
    /* another one of them, which it has */
    assert_int_equal(chain_take_damaged(c, T0 + 2 * HOUR, NULL, (Now){.wall = T0 + 10 * HOUR}), 0);
    assert_int_equal(chain_n_open(c), 2);
    chain_take_verified(c, chain_window(c, T0 + 2 * HOUR));
    assert_true(chain_watermark(c) == T0 + HOUR);
    chain_take_verified(c, chain_window(c, T0 + HOUR));
    assert_true(chain_watermark(c) == T0 + 3 * HOUR);
}

/* --- lineages --- */

typedef struct Case {
    Target *target;
    Enrolment *enrolment;
    Lineage *lineage;
} Case;

static void case_done(Case *c) {
    lineage_free(c->lineage);
    target_free(c->target);
}

static Case case_make(void) {
    Case c = {};
    assert_int_equal(target_new("own", "eu-central-1", "orders", &c.target), 0);
    assert_int_equal(target_enrol(c.target, "half", &c.enrolment), 0);
    assert_int_equal(lineage_new("own", "eu-central-1", "orders", "half", &c.lineage), 0);
    c.lineage->enrolment = c.enrolment;
    return c;
}

static Chain *chain_in(Case *c, int64_t id, Usec base_wall, bool verified) {
    Chain *chain = chain_on(id, base_wall);
    assert_int_equal(lineage_add_chain(c->lineage, chain), 0);
    if (verified) {
        chain_apply(chain, CHAIN_EV_BASE_VERIFIED, NULL);
        lineage_succeed(c->lineage);
    }
    return chain;
}

/* The old chain goes on until it has come to the instant of the new base, whenever that turns out to be good. */
static void bases_succeed_one_another(void **state) {
    CLEANUP(case_done) Case c = case_make();
    Chain *first = chain_in(&c, 1, T0, true), *second = chain_in(&c, 2, T0 + 10 * HOUR + 1, false);
    assert_ptr_equal(lineage_head(c.lineage), first);
    assert_true(lineage_is_fed(c.lineage, first) && !lineage_is_fed(c.lineage, second));
    add(first, T0 + 9 * HOUR);
    chain_take_verified(first, chain_window(first, first->start_wall));
    chain_apply(second, CHAIN_EV_BASE_VERIFIED, NULL);
    lineage_succeed(c.lineage);
    assert_int_equal(first->state, CHAIN_CLOSING);
    assert_true(first->end_wall == T0 + 10 * HOUR + SEC);
    assert_ptr_equal(lineage_head(c.lineage), second);
    assert_true(lineage_is_fed(c.lineage, first) && lineage_is_fed(c.lineage, second));
    /* the watermark is that of the new one; what the old one has not come to is open */
    assert_true(lineage_watermark(c.lineage) == T0 + 10 * HOUR);
    assert_int_equal(lineage_slot(c.lineage, T0 + 9 * HOUR), SLOT_COVERED);
    assert_int_equal(lineage_slot(c.lineage, T0 + 9 * HOUR + 30 * MINUTE), SLOT_OPEN);
    assert_int_equal(lineage_slot(c.lineage, T0 + 11 * HOUR), SLOT_OPEN);
    assert_int_equal(lineage_slot(c.lineage, T0 - HOUR), SLOT_BASELESS);
    /* the last window is asked for, and may yet fail */
    add(first, T0 + 11 * HOUR);
    lineage_succeed(c.lineage);
    assert_int_equal(first->state, CHAIN_CLOSING);
    chain_take_verified(first, chain_window(first, T0 + 9 * HOUR));
    lineage_succeed(c.lineage);
    assert_int_equal(first->state, CHAIN_CLOSED);
    first->base_is_made = true;
    assert_true(chain_is_over(first) && !chain_is_over(second));
}

/* An older base that takes longer than a younger one closes at once. */
static void a_late_base_closes_at_once(void **state) {
    CLEANUP(case_done) Case c = case_make();
    Chain *slow = chain_in(&c, 1, T0, false), *quick = chain_in(&c, 2, T0 + HOUR, true);
    chain_apply(slow, CHAIN_EV_BASE_VERIFIED, NULL);
    lineage_succeed(c.lineage);
    assert_int_equal(slow->state, CHAIN_CLOSING);
    assert_int_equal(quick->state, CHAIN_GROWING);
    assert_true(c.lineage->first_wall == T0);
}

/* What is lost ends with the next base, and overlaps with nothing that was recorded before. */
static void losses_end_with_the_next_base(void **state) {
    CLEANUP(case_done) Case c = case_make();
    Lineage *l = c.lineage;
    Chain *first = chain_in(&c, 1, T0, true);
    chain_apply(first, CHAIN_EV_LOST, "off");
    chain_cut(first, T0 + HOUR);
    assert_int_equal(lineage_lose(l, 1, T0 + HOUR, USEC_INFINITY, "off", T0 + 2 * HOUR), 0);
    assert_int_equal(lineage_lose(l, 1, T0 + 2 * HOUR, USEC_INFINITY, "again", T0 + 2 * HOUR), 0);
    assert_int_equal(l->n_losses, 1);
    assert_non_null(lineage_open_loss(l));
    assert_null(lineage_head(l));
    assert_int_equal(lineage_slot(l, T0 + HOUR), SLOT_OPEN); /* the window before it may yet be verified */
    assert_int_equal(lineage_slot(l, T0 + HOUR + 1), SLOT_LOST);
    assert_int_equal(lineage_slot(l, T0 + 100 * HOUR), SLOT_LOST);
    /* a window before it is lost, too */
    assert_int_equal(lineage_lose(l, 1, T0 + 30 * MINUTE, USEC_INFINITY, "failed", T0 + 3 * HOUR), 0);
    assert_int_equal(l->n_losses, 2);
    assert_true(l->losses[0].to_wall == T0 + HOUR);
    /* one that is not verified yet ends nothing */
    Chain *next = chain_in(&c, 2, T0 + 5 * HOUR + 1, false);
    lineage_succeed(l);
    assert_non_null(lineage_open_loss(l));
    chain_apply(next, CHAIN_EV_BASE_VERIFIED, NULL);
    lineage_succeed(l);
    assert_null(lineage_open_loss(l));
    assert_true(l->losses[1].to_wall == T0 + 5 * HOUR);
    assert_int_equal(lineage_slot(l, T0 + 5 * HOUR - SEC), SLOT_LOST);
    assert_int_equal(lineage_slot(l, T0 + 6 * HOUR), SLOT_OPEN);
}

static void why_time_is_lost(void **state) {
    static const struct {
        const char *table_id;
        bool gone, pitr;
        int days;
        Usec back_usec;
        const char *words;
    } rows[] = {
        {"another", false, true, 35, USEC_PER_DAY, "created again: its TableId is another, not table-id"},
        {"table-id", true, false, -1, 0, "does not exist any more"},
        {"table-id", false, false, -1, 0, "is off"},
        {"table-id", false, true, 2, 2 * USEC_PER_DAY, "keeps 2 days"},
        {"table-id", false, true, 35, HOUR, "switched off and on again"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(case_done) Case c = case_make();
        Chain *chain = chain_in(&c, 1, T0, true);
        char why[300];
        c.target->table_id = copy(rows[i].table_id);
        c.lineage->table_is_gone = rows[i].gone;
        c.lineage->recovery_wall = T0 + 10 * USEC_PER_DAY;
        c.lineage->recovery = (RecoveryInfo){.pitr_enabled = rows[i].pitr, .period_days = rows[i].days,
                                             .earliest_wall = T0 + 10 * USEC_PER_DAY - rows[i].back_usec,
                                             .latest_wall = T0 + 10 * USEC_PER_DAY - 5 * MINUTE};
        lineage_explain(c.lineage, chain, why, sizeof why);
        if (!strstr(why, rows[i].words))
            fail_msg("row %zu: %s", i, why);
        Usec earliest = lineage_earliest(c.lineage, chain);
        assert_true(i < 3 ? earliest == USEC_INFINITY : earliest == c.lineage->recovery.earliest_wall);
    }
}

static void margin_is_what_is_left_of_the_period(void **state) {
    CLEANUP(case_done) Case c = case_make();
    Chain *chain = chain_in(&c, 1, T0, true);
    assert_true(lineage_margin(c.lineage, T0) == USEC_INFINITY || !c.lineage->recovery.pitr_enabled);
    c.lineage->recovery = (RecoveryInfo){.pitr_enabled = true, .period_days = 2};
    assert_true(lineage_margin(c.lineage, T0 + USEC_PER_DAY) == USEC_PER_DAY - MINUTE);
    assert_true(lineage_margin(c.lineage, T0 + 3 * USEC_PER_DAY) == 0);
    add(chain, T0 + 12 * HOUR);
    assert_true(lineage_margin(c.lineage, T0 + USEC_PER_DAY) == USEC_PER_DAY - MINUTE);
    chain_take_verified(chain, chain_window(chain, chain->start_wall));
    assert_true(lineage_margin(c.lineage, T0 + USEC_PER_DAY) == USEC_PER_DAY + 12 * HOUR);
}

/* Windows that are verified in any order: the watermark is always the end of the longest prefix, and never goes
 * back. */
static void windows_in_any_order(void **state) {
    const char *seed_text = getenv("DDB_SEED");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 10) : 7, random = seed;
    print_message("DDB_SEED=%" PRIu64 "\n", seed);
    for (int n = 0; n < 500; n++) {
        CLEANUP(chain_free_ptr) Chain *c = chain_on(1, T0);
        bool verified[40] = {};
        size_t n_windows = 1 + retry_random(&random) % 40;
        chain_apply(c, CHAIN_EV_BASE_VERIFIED, NULL);
        for (size_t i = 0; i < n_windows; i++)
            add(c, T0 + (Usec)(i + 1) * HOUR);
        for (size_t i = 0; i < 3 * n_windows; i++) {
            size_t at = retry_random(&random) % n_windows, prefix = 0;
            Usec from = at == 0 ? c->start_wall : T0 + (Usec)at * HOUR;
            ChainWindow *w = verified[at] ? NULL : chain_window(c, from);
            if (w && retry_random(&random) % 2)
                chain_take_failed(c, w, (Now){.wall = T0});
            else if (w) {
                chain_take_verified(c, w);
                verified[at] = true;
            }
            while (prefix < n_windows && verified[prefix])
                prefix++;
            assert_true(chain_watermark(c) == T0 + (Usec)prefix * HOUR);
            assert_true(chain_frontier(c) == T0 + (Usec)n_windows * HOUR);
        }
    }
}

UNIT_MAIN(cmocka_unit_test(table_is_what_it_says), cmocka_unit_test(watermark_is_the_end_of_the_prefix),
          cmocka_unit_test(base_alone_restores_to_its_instant), cmocka_unit_test(failed_windows_are_tried_again),
          cmocka_unit_test(gap_is_what_nobody_has), cmocka_unit_test(attempts_make_windows),
          cmocka_unit_test(damage_takes_the_watermark_back), cmocka_unit_test(bases_succeed_one_another),
          cmocka_unit_test(a_late_base_closes_at_once), cmocka_unit_test(losses_end_with_the_next_base),
          cmocka_unit_test(why_time_is_lost), cmocka_unit_test(margin_is_what_is_left_of_the_period),
          cmocka_unit_test(windows_in_any_order))
