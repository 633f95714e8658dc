/* Which exports may go, and with them their chains: src/core/expire_exports. */

#include "core/expiry/expire.h"

#include "base/text.h"
#include "core/run/drive.h"
#include "unit.h"

#define DAY USEC_PER_DAY
#define T0 (INT64_C(1790042400) * USEC_PER_SEC)
#define NOW (T0 + 30 * DAY)
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define N_BASES 4
#define N (3 * N_BASES)

/* A table with four full exports of a schedule that keeps two, each the base of a chain of two
 * links; the last grows. */
typedef struct Bench {
    Zone *zone;
    ScheduleConf schedule;
    Target *target;
    Stock stock;
} Bench;

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

static void set(char **to, const char *value) { assert_int_equal(text_set(to, value), 0); }

static StockItem *item(Bench *b, const char *schedule, Action action, Usec slot) {
    size_t n = b->stock.n_items++;
    StockItem *s = &b->stock.items[n];
    *s = (StockItem){.schedule = copy(schedule),
                     .slot_wall = slot,
                     .account = copy("own"),
                     .region = copy("eu-central-1"),
                     .table = copy("orders"),
                     .hold_until_wall = WALL_UNKNOWN,
                     .adopted_wall = WALL_UNKNOWN,
                     .decision = DECISIONS,
                     .attempt = 1,
                     .from_wall = WALL_UNKNOWN,
                     .chain_start_wall = WALL_UNKNOWN};
    s->artefact = calloc(1, sizeof *s->artefact);
    assert_non_null(s->artefact);
    *s->artefact =
        (Artefact){.action = action,
                   .life = ARTEFACT_VERIFIED,
                   .table_id = copy("id"),
                   .created_wall = slot,
                   .verified_wall = slot + USEC_PER_HOUR,
                   .arn = text_format(TABLE_ARN "/export/%04zu", n),
                   .summary_md5 = copy("sum"),
                   .files_md5 = copy("files"),
                   .details = copy("{\"ExportManifest\":\"AWSDynamoDB/1/manifest-summary.json\",\"S3Bucket\":\"b\"}")};
    return s;
}

static void name(StockItem *s, const char *token) {
    set(&s->intended_name, token);
    set(&s->artefact->name, token);
}

static void add(Bench *b, int i) {
    char token[EXPORT_TOKEN_SIZE];
    Usec slot = T0 + i * 7 * DAY;
    StockItem *base = item(b, "full", ACTION_EXPORT, slot);
    assert_int_equal(export_token("acme", "111111111111", "id", "full", slot, 1 + i % 2, token), 0);
    name(base, token);
    base->chain_is_open = i == N_BASES - 1;
    for (int j = 0; j < 2; j++) {
        Usec from = slot + j * USEC_PER_HOUR;
        StockItem *link = item(b, "half", ACTION_INCREMENTAL, from + USEC_PER_HOUR);
        link->from_wall = from;
        link->chain_start_wall = slot;
        link->chain_is_open = base->chain_is_open;
        set(&link->base_arn, base->artefact->arn);
        assert_int_equal(export_link_token("acme", "111111111111", "id", "half", slot, from, link->slot_wall, 1, token),
                         0);
        name(link, token);
    }
}

static void bench_init(Bench *b) {
    *b = (Bench){.schedule = {.name = copy("full"),
                              .action = ACTION_EXPORT,
                              .expire = EXPIRE_DELETE,
                              .verify = VERIFY_OBJECTS,
                              .keep = {.last = 2, .floor = 1}}};
    Enrolment *e;
    assert_int_equal(zone_utc(&b->zone), 0);
    b->schedule.zone = b->zone;
    assert_int_equal(target_new("own", "eu-central-1", "orders", &b->target), 0);
    b->target->table_arn = copy(TABLE_ARN);
    assert_int_equal(target_enrol(b->target, "full", &e), 0);
    e->schedule = &b->schedule;
    b->stock.items = calloc(N, sizeof *b->stock.items);
    assert_non_null(b->stock.items);
    for (int i = 0; i < N_BASES; i++)
        add(b, i);
}

static void bench_done(Bench *b) {
    stock_done(&b->stock);
    target_free(b->target);
    free(b->schedule.name);
    zone_free(b->zone);
}

/* Of each base: 'x' may go, else the first letter of why it stays. */
static void expect(const Bench *b, char *const *seen, size_t n_seen, const char *verdicts, const char *what) {
    CLEANUP(expire_plan_done) ExpirePlan p = {};
    char is[N_BASES + 1] = "";
    size_t n_beyond = 0;
    assert_int_equal(expire_plan_exports("acme", b->target, &b->stock, seen, n_seen, NOW, &p), 0);
    assert_int_equal(p.n_lines, N);
    for (size_t i = 0; i < N; i++) {
        const ExpireLine *l = &p.lines[i];
        if (i % 3 > 0) {
            assert_null(l->schedule);
            continue;
        }
        assert_int_equal(l->n_links, 2);
        is[i / 3] = l->verdict.expendable ? 'x' : retention_reason_to_string(l->verdict.reason)[0];
        n_beyond += l->verdict.expendable;
    }
    if (strcmp(is, verdicts) != 0)
        fail_msg("%s: %s, not %s", what, is, verdicts);
    assert_int_equal(p.n_beyond, n_beyond);
}

static void the_older_ones_may_go(void **state) {
    Bench b;
    bench_init(&b);
    expect(&b, NULL, 0, "xxll", "all closed but the last");
    b.schedule.keep.last = 1;
    expect(&b, NULL, 0, "xxxl", "keeps one");
    b.stock.items[6].chain_is_open = true; /* the next base stands, and its predecessor has not come to it */
    expect(&b, NULL, 0, "xxnl", "a predecessor that still grows");
    bench_done(&b);
}

static void held(Bench *b) { b->stock.items[0].hold_until_wall = USEC_INFINITY; }
static void link_held(Bench *b) { b->stock.items[2].hold_until_wall = USEC_INFINITY; }
static void hold_over(Bench *b) { b->stock.items[2].hold_until_wall = NOW - 1; }
static void open_chain(Bench *b) { b->stock.items[0].chain_is_open = true; }
static void open_link(Bench *b) { b->stock.items[1].chain_is_open = true; }
static void expiring(Bench *b) { b->stock.items[0].artefact->life = ARTEFACT_EXPIRING; }
static void no_md5(Bench *b) { set(&b->stock.items[0].artefact->files_md5, NULL); }
static void no_place(Bench *b) { set(&b->stock.items[0].artefact->details, "{}"); }
static void no_md5_of_a_link(Bench *b) { set(&b->stock.items[2].artefact->summary_md5, NULL); }
static void other_name(Bench *b) { name(&b->stock.items[0], "token"); }
static void other_handle(Bench *b) { set(&b->stock.items[0].intended_name, "token"); }
static void other_slot(Bench *b) { b->stock.items[0].slot_wall++; b->stock.items[0].slot_wall += USEC_PER_SEC; }
static void other_window(Bench *b) { b->stock.items[1].from_wall -= USEC_PER_SEC; }
static void other_attempt(Bench *b) { b->stock.items[1].attempt = 2; }
static void other_region(Bench *b) {
    set(&b->stock.items[0].artefact->arn, "arn:aws:dynamodb:us-east-1:111111111111:table/orders/export/0");
}
static void a_backup(Bench *b) { set(&b->stock.items[0].artefact->arn, TABLE_ARN "/backup/0000"); }

static void every_guard_keeps_it(void **state) {
    static const struct {
        const char *name;
        void (*change)(Bench *b);
        const char *verdicts;
    } rows[] = {
        {"held", held, "hxll"},
        {"a link is held", link_held, "hxll"},
        {"a hold that has ended", hold_over, "xxll"},
        {"its chain may grow", open_chain, "nxll"},
        {"a link's chain may grow", open_link, "nxll"},
        {"expiring", expiring, "uxll"},
        {"manifests not known", no_md5, "uxll"},
        {"place not known", no_place, "uxll"},
        {"a link's manifests not known", no_md5_of_a_link, "uxll"},
        {"another token", other_name, "fxll"},
        {"another token in its run", other_handle, "fxll"},
        {"another slot", other_slot, "fxll"},
        {"a link of another window", other_window, "fxll"},
        {"a link of another attempt", other_attempt, "fxll"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Bench b;
        bench_init(&b);
        rows[i].change(&b);
        expect(&b, NULL, 0, rows[i].verdicts, rows[i].name);
        bench_done(&b);
    }
}

static void of_another_place(void **state) {
    void (*const changes[])(Bench *) = {other_region, a_backup};
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        Bench b;
        const char *why;
        bench_init(&b);
        assert_int_equal(expire_guard_export("acme", b.target, &b.stock.items[0], &why), 0);
        assert_null(why);
        changes[i](&b);
        assert_int_equal(expire_guard_export("acme", b.target, &b.stock.items[0], &why), 0);
        assert_string_equal(why, "its ARN is of another account, region or table");
        bench_done(&b);
    }
}

/* What is to stay must have been seen in this pass, and checked within its period. */
static void what_is_not_seen_takes_nobodys_place(void **state) {
    Bench b;
    bench_init(&b);
    char *const all[] = {b.stock.items[0].artefact->arn, b.stock.items[3].artefact->arn, b.stock.items[6].artefact->arn,
                         b.stock.items[9].artefact->arn};
    expect(&b, all, 4, "xxll", "all seen");
    expect(&b, all, 3, "xllu", "the newest was not");
    expect(&b, all, 1, "luuu", "but one");
    expect(&b, all, 0, "uuuu", "none");
    b.schedule.reverify_usec = 10 * DAY;
    expect(&b, NULL, 0, "uuul", "checked lately");
    b.stock.items[0].artefact->verified_wall = b.stock.items[3].artefact->verified_wall = NOW - DAY;
    expect(&b, NULL, 0, "xlul", "checked again");
    b.schedule.expire = EXPIRE_REPORT;
    b.schedule.verify = VERIFY_SERVICE;
    b.schedule.reverify_usec = 0;
    set(&b.stock.items[9].artefact->summary_md5, NULL);
    expect(&b, all, 0, "xxll", "a schedule that checks and deletes nothing");
    bench_done(&b);
}

UNIT_MAIN(cmocka_unit_test(the_older_ones_may_go), cmocka_unit_test(every_guard_keeps_it),
          cmocka_unit_test(of_another_place), cmocka_unit_test(what_is_not_seen_takes_nobodys_place))
