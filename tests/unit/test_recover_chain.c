/* Chains out of records and tokens. */

#include "core/rebuild/recover_chain.h"

#include "base/text.h"
#include "core/run/drive.h"

#include "unit.h"

#define ACCOUNT "111111111111"
#define ID "11111111-2222-3333-4444-555555555555"
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:" ACCOUNT ":table/orders"
#define ARN(name) TABLE_ARN "/export/01795399200000-" name
#define T0 (INT64_C(1795399200) * USEC_PER_SEC) /* 2026-11-23T02:00:00Z */
#define HOUR USEC_PER_HOUR
#define START (T0 - USEC_PER_MINUTE) /* of the first link on a base of T0 */
#define NEVER USEC_INFINITY

typedef struct Bench {
    Zone *zone;
    Calendar *when;
    Target *target;
    Enrolment *enrolment;
    ScheduleConf half;
    Lineage *lineage;
    const char *known_base; /* that the ledger has a chain on, settled; NULL: none */
    Record records[8], gone[2], losses[2];
    ExportInfo exports[8];
    char tokens[8][EXPORT_TOKEN_SIZE];
    Run *runs[4];
    ChainClues clues;
    int64_t next_chain_id;
    ChainFinds finds;
    Now now;
} Bench;

static void bench_done(Bench *b) {
    chain_finds_done(&b->finds);
    for (size_t i = 0; i < b->clues.n_runs; i++)
        run_free(b->runs[i]);
    lineage_free(b->lineage);
    target_free(b->target);
    calendar_free(b->when);
    zone_free(b->zone);
}

static int knows(void *context, const char *base_arn, bool *ret) {
    *ret = text_equal(((Bench *)context)->known_base, base_arn);
    return 0;
}

static void bench_init(Bench *b) {
    CalendarError error;
    TableInfo info = {.name = "orders", .arn = TABLE_ARN, .id = ID, .status = "ACTIVE"};
    *b = (Bench){.now = {.wall = T0 + 20 * HOUR, .mono = HOUR}, .next_chain_id = 7};
    assert_int_equal(zone_utc(&b->zone), 0);
    assert_int_equal(calendar_parse("*:00", &b->when, &error), 0);
    assert_int_equal(target_new(ACCOUNT_OWN, "eu-central-1", "orders", &b->target), 0);
    assert_int_equal(target_describe(b->target, &info, b->now.wall), 0);
    b->half = (ScheduleConf){.name = "half",
                             .action = ACTION_INCREMENTAL,
                             .base = "full",
                             .when = b->when,
                             .zone = b->zone,
                             .verify = VERIFY_MANIFEST,
                             .s3 = {.bucket = "acme", .prefix = "%{table}"}};
    assert_int_equal(target_enrol(b->target, "half", &b->enrolment), 0);
    b->enrolment->schedule = &b->half;
    assert_int_equal(lineage_new(ACCOUNT_OWN, "eu-central-1", "orders", "half", &b->lineage), 0);
    b->lineage->enrolment = b->enrolment;
    b->lineage->recovery = (RecoveryInfo){
        .pitr_enabled = true, .period_days = 35, .earliest_wall = T0 - 35 * USEC_PER_DAY, .latest_wall = b->now.wall};
    b->lineage->recovery_wall = b->now.wall;
    b->clues = (ChainClues){.facts = {.deployment = "acme", .records = b->records, .gone = b->gone, .losses = b->losses,
                                      .exports = b->exports},
                            .schedule = &b->half,
                            .target = b->target,
                            .runs = b->runs,
                            .knows = knows,
                            .context = b};
}

/* --- what there is --- */

static void add_record(Bench *b, const char *base, const char *arn, const char *previous, Usec from, Usec to) {
    b->records[b->clues.facts.n_records++] = (Record){.deployment = "acme",
                                                      .schedule = "half",
                                                      .table_arn = TABLE_ARN,
                                                      .table_id = ID,
                                                      .base_arn = (char *)base,
                                                      .base_wall = T0,
                                                      .export_arn = (char *)arn,
                                                      .previous_arn = (char *)previous,
                                                      .from_wall = from,
                                                      .to_wall = to,
                                                      .bucket = "acme",
                                                      .prefix = "orders",
                                                      .manifest_key = "manifest",
                                                      .summary_md5 = "1B2M2Y8AsgTpgAmY7PhCfg==",
                                                      .files_md5 = "1B2M2Y8AsgTpgAmY7PhCfg==",
                                                      .item_count = 3};
}

static void record_base(Bench *b, const char *arn, Usec wall) {
    add_record(b, arn, arn, NULL, WALL_UNKNOWN, WALL_UNKNOWN);
    b->records[b->clues.facts.n_records - 1].base_wall = wall;
}

/* A base of T0, recorded, and links in a row from it on; each ends at the next of these hours. */
static void record_row(Bench *b, const int *hours, size_t n) {
    static const char *const arns[] = {ARN("10000000"), ARN("20000000"), ARN("30000000"), ARN("40000000")};
    record_base(b, ARN("b0000000"), T0);
    for (size_t i = 0; i < n; i++)
        add_record(b, ARN("b0000000"), arns[i], i ? arns[i - 1] : ARN("b0000000"), i ? T0 + hours[i - 1] * HOUR : START,
                   T0 + hours[i] * HOUR);
}

static void add_export(Bench *b, const char *deployment, Usec base, Usec from, Usec to, int attempt,
                       ExportStatus status) {
    static const char *const arns[] = {ARN("a1000000"), ARN("a2000000"), ARN("a3000000"), ARN("a4000000")};
    size_t i = b->clues.facts.n_exports++;
    assert_int_equal(export_link_token(deployment, ACCOUNT, ID, "half", link_first_from(base), from, to, attempt,
                                       b->tokens[i]),
                     0);
    b->exports[i] = (ExportInfo){.arn = (char *)arns[i],
                                 .type = "INCREMENTAL_EXPORT",
                                 .status = status,
                                 .status_text = "word",
                                 .client_token = b->tokens[i],
                                 .table_arn = TABLE_ARN,
                                 .table_id = ID,
                                 .s3_bucket = "as-it-was",
                                 .manifest_key = "manifest",
                                 .start_wall = to + 5 * USEC_PER_MINUTE,
                                 .end_wall = WALL_UNKNOWN,
                                 .export_wall = WALL_UNKNOWN,
                                 .billed_size_bytes = COUNT_UNKNOWN,
                                 .item_count = COUNT_UNKNOWN,
                                 .from_wall = from,
                                 .to_wall = to};
}

static void see(Bench *b, int from, int to, int attempt, ExportStatus status) {
    add_export(b, "acme", T0, from == 0 ? START : T0 + from * HOUR, T0 + to * HOUR, attempt, status);
}

static void add_base_run(Bench *b, const char *arn, Usec wall, RunState state) {
    Run *r;
    assert_int_equal(run_new(40 + (int64_t)b->clues.n_runs, &r), 0);
    Artefact *a = r->artefact = calloc(1, sizeof *a);
    assert_non_null(a);
    r->action = ACTION_EXPORT;
    r->state = state;
    a->created_wall = wall;
    a->life = state == RUN_SUCCEEDED ? ARTEFACT_VERIFIED : ARTEFACT_IN_PROGRESS;
    assert_int_equal(text_set(&r->schedule, "full") | text_set(&r->table_id, ID) | text_set(&r->table_arn, TABLE_ARN) |
                         text_set(&a->arn, arn),
                     0);
    b->runs[b->clues.n_runs++] = r;
}

/* --- what it comes to --- */

static long long hours(Usec wall) { return wall == NEVER ? -1 : (long long)((wall - START) / HOUR); }

/* Chains with how far they are covered and where they end, links, losses. */
static void expect(Bench *b, const char *expected) {
    AUTO_TEXT t = TEXT_INIT(2000);
    assert_int_equal(recover_chains(&b->clues, b->lineage, &b->next_chain_id, b->now, &b->finds), 0);
    for (size_t i = 0; i < b->lineage->n_chains; i++) {
        const Chain *c = b->lineage->chains[i];
        text_addf(&t, "%s%lld %s %lld/%lld%s", i ? ", " : "", (long long)c->id, chain_state_to_string(c->state),
                  hours(c->covered_wall), hours(c->end_wall), c->settled_wall != WALL_UNKNOWN ? " over" : "");
    }
    for (size_t i = 0; i < b->finds.n_links; i++) {
        const Run *r = b->finds.links[i].run;
        text_addf(&t, "; %lld-%lld #%d %s%s", hours(r->from_wall), hours(r->to_wall), r->attempt,
                  run_state_to_string(r->state), b->finds.links[i].is_recorded ? " recorded" : "");
    }
    for (size_t i = 0; i < b->lineage->n_losses; i++)
        text_addf(&t, "; LOST %lld-%lld", hours(b->lineage->losses[i].from_wall), hours(b->lineage->losses[i].to_wall));
    assert_string_equal(text_get(&t), expected);
}

/* --- */

static void what_is_recorded_is_verified(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 3}, 2);
    expect(&b, "7 growing 3/-1; 0-1 #1 succeeded recorded; 1-3 #1 succeeded recorded");
    const Run *r = b.finds.links[1].run;
    const Artefact *a = r->artefact;
    assert_int_equal(r->chain_id, 7);
    assert_int_equal(a->life, ARTEFACT_VERIFIED);
    assert_int_equal(a->level, VERIFY_MANIFEST);
    assert_string_equal(a->arn, ARN("20000000"));
    assert_string_equal(a->name, r->name);
    assert_string_equal(a->summary_md5, "1B2M2Y8AsgTpgAmY7PhCfg==");
    CLEANUP(export_place_done) ExportPlace p = {};
    assert_int_equal(artefact_export_place(a, &p), 0);
    assert_string_equal(p.manifest_key, "manifest");
    assert_int_equal(p.from_wall, T0 + HOUR);
    assert_int_equal(b.lineage->first_wall, T0);
    assert_int_equal(b.next_chain_id, 8);
}

static void records_without_their_base_are_none(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 3}, 2);
    b.records[0].schedule = "other";
    expect(&b, "");
}

static void what_has_no_record_is_checked_again(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    see(&b, 3, 4, 1, EXPORT_IN_PROGRESS);
    see(&b, 1, 2, 1, EXPORT_COMPLETED);
    see(&b, 2, 3, 1, EXPORT_FAILED);
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded; 1-2 #1 verifying; 2-3 #1 failed; 3-4 #1 in_progress");
    assert_string_equal(b.finds.links[1].run->s3.bucket, "as-it-was");
    assert_int_equal(b.finds.links[1].run->verify, VERIFY_MANIFEST);
    const Chain *c = b.lineage->chains[0];
    assert_int_equal(c->n_windows, 3);
    assert_ptr_equal(c->windows[0].run, b.finds.links[1].run);
    assert_null(c->windows[1].run);
    assert_true(c->windows[1].retry_wall > b.now.wall && c->windows[1].retry_wall < NEVER);
}

/* At the level of the service alone its word is enough. */
static void the_level_of_the_service(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    b.half.verify = VERIFY_SERVICE;
    record_row(&b, (const int[]){1}, 1);
    see(&b, 1, 2, 1, EXPORT_COMPLETED);
    expect(&b, "7 growing 2/-1; 0-1 #1 succeeded recorded; 1-2 #1 succeeded");
}

static void attempts_at_one_window(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    see(&b, 0, 1, 1, EXPORT_FAILED);
    see(&b, 1, 2, 2, EXPORT_IN_PROGRESS);
    see(&b, 1, 2, 1, EXPORT_COMPLETED);
    expect(&b, "7 growing 1/-1; 0-1 #1 failed; 0-1 #2 succeeded recorded; 1-2 #1 failed; 1-2 #2 in_progress");
    assert_int_equal(b.finds.links[2].run->artefact->life, ARTEFACT_DISPROVED);
    assert_int_equal(b.lineage->chains[0]->windows[0].attempt, 2);
}

/* The token in its record tells the attempt; one that nobody would have given it makes it no record. */
static void the_token_of_a_record(void **state) {
    char token[EXPORT_TOKEN_SIZE];
    for (int i = 0; i < 2; i++) {
        CLEANUP(bench_done) Bench b;
        bench_init(&b);
        record_row(&b, (const int[]){1}, 1);
        assert_int_equal(
            export_link_token(i ? "other" : "acme", ACCOUNT, ID, "half", START, START, T0 + HOUR, 5, token), 0);
        b.records[1].client_token = token;
        expect(&b, i ? "7 growing 0/-1" : "7 growing 1/-1; 0-1 #5 succeeded recorded");
    }
}

/* Its record is there alone: it is asked for again, as another attempt. */
static void a_link_that_is_gone(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 2, 3}, 3);
    b.gone[b.clues.facts.n_gone++] = b.records[2];
    b.records[2] = b.records[3];
    b.clues.facts.n_records--;
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded; 1-2 #1 failed recorded; 2-3 #1 succeeded recorded");
    assert_int_equal(b.finds.links[1].run->artefact->life, ARTEFACT_GONE);
    const ChainWindow *w = &b.lineage->chains[0]->windows[0];
    assert_null(w->run);
    assert_true(!w->is_verified && w->attempt == 1 && w->retry_wall < NEVER);
}

/* It was made again since. */
static void a_link_that_was_made_again(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    add_record(&b, ARN("b0000000"), ARN("20000000"), ARN("b0000000"), START, T0 + HOUR);
    b.records[2].attempt = 2;
    b.records[1].attempt = 0;
    expect(&b, "7 growing 1/-1; 0-1 #2 succeeded recorded");
    assert_string_equal(b.finds.links[0].run->artefact->arn, ARN("20000000"));
}

static Record lost(const char *base, Usec from, Usec to) {
    return (Record){.schedule = "half", .table_arn = TABLE_ARN, .table_id = ID, .base_arn = (char *)base,
                    .base_wall = T0, .from_wall = from, .to_wall = to, .lost = "it was off"};
}

/* Though the table could be restored to it by now, for all that is told. */
static void what_is_recorded_as_lost(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 3}, 2);
    record_base(&b, ARN("c0000000"), T0 + 5 * HOUR);
    see(&b, 3, 4, 1, EXPORT_COMPLETED);
    b.losses[b.clues.facts.n_losses++] = lost(ARN("b0000000"), T0 + 3 * HOUR, T0 + 5 * HOUR);
    expect(&b, "7 broken 3/3 over, 8 growing 5/-1; 0-1 #1 succeeded recorded; 1-3 #1 succeeded recorded; "
               "3-4 #1 failed; LOST 3-5");
    assert_string_equal(b.lineage->losses[0].why, "it was off");
}

/* Nothing can be restored from it: it was found damaged. */
static void a_base_that_is_no_good(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    b.losses[b.clues.facts.n_losses] = lost(ARN("b0000000"), T0, T0 + 5 * HOUR);
    b.losses[b.clues.facts.n_losses++].export_arn = ARN("b0000000");
    record_base(&b, ARN("c0000000"), T0 + 5 * HOUR);
    expect(&b, "7 void 0/0 over, 8 growing 5/-1; LOST 0-5");
}

static void exports_of_others(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    add_export(&b, "other", T0, T0 + HOUR, T0 + 2 * HOUR, 1, EXPORT_COMPLETED);
    add_export(&b, "acme", T0 + HOUR, T0 + HOUR, T0 + 2 * HOUR, 1, EXPORT_COMPLETED); /* of a chain that is none */
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded");
}

/* Its request may have been under way when the ledger was lost. */
static void a_window_of_which_nothing_shows(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1}, 1);
    see(&b, 2, 4, 1, EXPORT_COMPLETED);
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded; 1-2 #1 uncertain; 2-4 #1 verifying");
    const Run *r = b.finds.links[1].run;
    char token[EXPORT_TOKEN_SIZE];
    assert_int_equal(
        export_link_token("acme", ACCOUNT, ID, "half", START, T0 + HOUR, T0 + 2 * HOUR, 1, token), 0);
    assert_string_equal(r->name, token);
    assert_int_equal(r->first_sent_wall, b.now.wall);
    assert_string_equal(r->s3.prefix, "orders");
}

static void a_hole_that_is_lost(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    b.lineage->recovery.earliest_wall = T0 + 90 * USEC_PER_MINUTE;
    record_row(&b, (const int[]){1}, 1);
    see(&b, 2, 4, 1, EXPORT_COMPLETED);
    /* which the daemon finds out, and says */
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded; 2-4 #1 failed");
}

static void chains_after_each_other(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 3}, 2);
    record_base(&b, ARN("c0000000"), T0 + 5 * HOUR);
    see(&b, 3, 6, 1, EXPORT_COMPLETED);
    expect(&b, "7 closing 3/5, 8 growing 5/-1; 0-1 #1 succeeded recorded; 1-3 #1 succeeded recorded; 3-6 #1 verifying");
}

static void a_chain_that_is_complete(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 6}, 2);
    record_base(&b, ARN("c0000000"), T0 + 5 * HOUR);
    see(&b, 6, 7, 1, EXPORT_COMPLETED); /* the next chain has it */
    expect(&b, "7 closed 6/5 over, 8 growing 5/-1; 0-1 #1 succeeded recorded; 1-6 #1 succeeded recorded; "
               "6-7 #1 failed");
}

static void what_is_lost_stays_lost(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    b.lineage->recovery.earliest_wall = T0 + 4 * HOUR;
    record_row(&b, (const int[]){1, 3}, 2);
    record_base(&b, ARN("c0000000"), T0 + 5 * HOUR);
    expect(&b, "7 broken 3/3 over, 8 growing 5/-1; 0-1 #1 succeeded recorded; 1-3 #1 succeeded recorded; LOST 3-5");
    assert_int_equal(b.lineage->losses[0].from_wall, T0 + 3 * HOUR);
    assert_int_equal(b.lineage->losses[0].to_wall, T0 + 5 * HOUR);
}

/* The base is being made or checked: links count for nothing until then. */
static void a_chain_that_was_forming(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    add_base_run(&b, ARN("b0000000"), T0, RUN_VERIFYING);
    see(&b, 0, 1, 1, EXPORT_COMPLETED);
    expect(&b, "7 forming 0/-1; 0-1 #1 verifying");
    assert_int_equal(b.lineage->chains[0]->base_run_id, 40);
    assert_false(b.lineage->chains[0]->base_is_made);
}

/* It may be none of a chain; one that is newer than a chain's is the next one's. */
static void a_base_without_links(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    add_base_run(&b, ARN("b0000000"), T0, RUN_SUCCEEDED);
    expect(&b, "");
    record_base(&b, ARN("b0000000"), T0);
    add_base_run(&b, ARN("c0000000"), T0 + 5 * HOUR, RUN_SUCCEEDED);
    add_base_run(&b, ARN("d0000000"), T0 - 5 * HOUR, RUN_SUCCEEDED);
    expect(&b, "7 closing 0/5, 8 growing 5/-1");
}

/* --- with an older ledger --- */

static void what_the_ledger_has_stays(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 3}, 2);
    b.known_base = ARN("b0000000");
    expect(&b, "");
}

static void a_chain_comes_further(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 2, 3, 4}, 2);
    expect(&b, "7 growing 2/-1; 0-1 #1 succeeded recorded; 1-2 #1 succeeded recorded");
    b.lineage->chains[0]->changed = false;
    chain_finds_done(&b.finds);
    expect(&b, "7 growing 2/-1"); /* once more: nothing */
    assert_false(b.lineage->chains[0]->changed);
    b.clues.facts.n_records = 0;
    record_row(&b, (const int[]){1, 2, 3, 4}, 4);
    see(&b, 4, 5, 1, EXPORT_IN_PROGRESS);
    expect(&b, "7 growing 4/-1; 2-3 #1 succeeded recorded; 3-4 #1 succeeded recorded; 4-5 #1 in_progress");
    assert_true(b.lineage->chains[0]->changed);
    assert_int_equal(b.next_chain_id, 8);
}

/* It looks for that by itself. */
static void what_the_ledger_waits_for(void **state) {
    CLEANUP(bench_done) Bench b;
    bench_init(&b);
    record_row(&b, (const int[]){1, 2, 3}, 1);
    see(&b, 1, 2, 1, EXPORT_IN_PROGRESS);
    expect(&b, "7 growing 1/-1; 0-1 #1 succeeded recorded; 1-2 #1 in_progress");
    ChainFinds before = b.finds;
    b.finds = (ChainFinds){};
    b.clues.facts.n_exports = b.clues.facts.n_records = 0;
    record_row(&b, (const int[]){1, 2, 3}, 3);
    expect(&b, "7 growing 1/-1; 2-3 #1 succeeded recorded");
    assert_int_equal(b.lineage->chains[0]->n_windows, 2);
    chain_finds_done(&before);
}

UNIT_MAIN(cmocka_unit_test(what_is_recorded_is_verified), cmocka_unit_test(records_without_their_base_are_none),
          cmocka_unit_test(what_has_no_record_is_checked_again), cmocka_unit_test(the_level_of_the_service),
          cmocka_unit_test(attempts_at_one_window), cmocka_unit_test(the_token_of_a_record),
          cmocka_unit_test(a_link_that_is_gone), cmocka_unit_test(a_link_that_was_made_again),
          cmocka_unit_test(what_is_recorded_as_lost), cmocka_unit_test(a_base_that_is_no_good),
          cmocka_unit_test(exports_of_others), cmocka_unit_test(a_window_of_which_nothing_shows),
          cmocka_unit_test(a_hole_that_is_lost), cmocka_unit_test(chains_after_each_other),
          cmocka_unit_test(a_chain_that_is_complete), cmocka_unit_test(what_is_lost_stays_lost),
          cmocka_unit_test(a_chain_that_was_forming), cmocka_unit_test(a_base_without_links),
          cmocka_unit_test(what_the_ledger_has_stays), cmocka_unit_test(a_chain_comes_further),
          cmocka_unit_test(what_the_ledger_waits_for))
