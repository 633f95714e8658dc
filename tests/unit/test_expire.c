/* What may go by a listing, and the guards before it: src/core/expire. */

#include "core/expiry/expire.h"

#include <errno.h>

#include "base/text.h"
#include "core/run/drive.h"
#include "unit.h"

#define T0 (INT64_C(1790042400) * USEC_PER_SEC)
#define TABLE_ARN "arn:aws:dynamodb:eu-central-1:111111111111:table/orders"
#define N 6

/* A table with six backups of a schedule that keeps three, and a listing that shows them. */
typedef struct Bench {
    Zone *zone;
    ScheduleConf schedule;
    Target *target;
    Stock stock;
    ExpireListing listing;
} Bench;

static char *copy(const char *s) {
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

static void set(char **to, const char *value) { assert_int_equal(text_set(to, value), 0); }

static void add(Bench *b, int i) {
    StockItem *s = &b->stock.items[b->stock.n_items++];
    *s = (StockItem){.schedule = copy("nightly"), .slot_wall = T0 + i * USEC_PER_DAY, .account = copy("own"),
                     .region = copy("eu-central-1"), .table = copy("orders"), .hold_until_wall = WALL_UNKNOWN,
                     .adopted_wall = WALL_UNKNOWN, .decision = DECISIONS};
    assert_int_equal(backup_name("acme", "111111111111", s->region, s->table, s->schedule, s->slot_wall,
                                 &s->intended_name),
                     0);
    s->artefact = calloc(1, sizeof *s->artefact);
    assert_non_null(s->artefact);
    *s->artefact = (Artefact){.action = ACTION_BACKUP,
                              .life = ARTEFACT_VERIFIED,
                              .name = copy(s->intended_name),
                              .arn = text_format(TABLE_ARN "/backup/0179004240%d000-0000000%d", i, i),
                              .table_id = copy("id"),
                              .created_wall = s->slot_wall + USEC_PER_SEC};
    BackupInfo *info = &b->listing.items[b->listing.n_items++];
    *info = (BackupInfo){.arn = copy(s->artefact->arn),
                         .name = copy(s->intended_name),
                         .status = BACKUP_AVAILABLE,
                         .status_text = copy("AVAILABLE"),
                         .type = copy("USER"),
                         .created_wall = s->artefact->created_wall,
                         .table_id = copy("id")};
}

static void bench_init(Bench *b) {
    *b = (Bench){.schedule = {.name = copy("nightly"), .action = ACTION_BACKUP, .expire = EXPIRE_DELETE,
                              .keep = {.last = 3, .floor = 1}}};
    Enrolment *e;
    assert_int_equal(zone_utc(&b->zone), 0);
    b->schedule.zone = b->zone;
    assert_int_equal(target_new("own", "eu-central-1", "orders", &b->target), 0);
    b->target->table_arn = copy(TABLE_ARN);
    assert_int_equal(target_enrol(b->target, "nightly", &e), 0);
    e->schedule = &b->schedule;
    b->stock.items = calloc(N, sizeof *b->stock.items);
    b->listing.items = calloc(N, sizeof *b->listing.items);
    assert_true(b->stock.items && b->listing.items);
    b->listing.wall = T0 + 100 * USEC_PER_DAY;
    b->listing.complete = true;
    for (int i = 0; i < N; i++)
        add(b, i);
}

static void bench_done(Bench *b) {
    expire_listing_done(&b->listing);
    stock_done(&b->stock);
    target_free(b->target);
    free(b->schedule.name);
    zone_free(b->zone);
}

static int by_arn_again(const void *a, const void *b) {
    return strcmp(((const BackupInfo *)a)->arn, ((const BackupInfo *)b)->arn);
}

static ExpirePlan plan_of(const Bench *b, bool listed) {
    ExpirePlan p = {};
    assert_int_equal(expire_plan("acme", b->target, &b->stock, listed ? &b->listing : NULL, b->listing.wall, &p), 0);
    assert_int_equal(p.n_lines, N);
    return p;
}

static void the_older_ones_may_go(void **state) {
    Bench b;
    bench_init(&b);
    for (int listed = 0; listed < 2; listed++) {
        CLEANUP(expire_plan_done) ExpirePlan p = plan_of(&b, listed);
        assert_int_equal(p.n_groups, 1);
        assert_int_equal(p.n_beyond, 3);
        assert_int_equal(p.groups[0].n_counted, 6);
        assert_int_equal(p.groups[0].n_beyond, 3);
        assert_int_equal(p.groups[0].n_sudden, 3);
        for (int i = 0; i < N; i++)
            assert_int_equal(p.lines[i].verdict.expendable, i < 3);
    }
    bench_done(&b);
}

/* Each of them alone keeps the oldest, which then counts no more. */
typedef void (*Spoil)(Bench *b, StockItem *s, BackupInfo *i);
static void other_name(Bench *b, StockItem *s, BackupInfo *i) { set(&i->name, "acme.nightly.other"); }
static void other_handle(Bench *b, StockItem *s, BackupInfo *i) { set(&s->intended_name, "acme.nightly.other"); }
static void other_artefact_name(Bench *b, StockItem *s, BackupInfo *i) {
    set(&s->artefact->name, "acme.nightly.other");
}
static void other_slot(Bench *b, StockItem *s, BackupInfo *i) { s->slot_wall += USEC_PER_SEC; }
static void other_table_id(Bench *b, StockItem *s, BackupInfo *i) { set(&i->table_id, "another"); }
static void no_table_id(Bench *b, StockItem *s, BackupInfo *i) { set(&i->table_id, NULL); }
static void system_type(Bench *b, StockItem *s, BackupInfo *i) { set(&i->type, "SYSTEM"); }
static void no_type(Bench *b, StockItem *s, BackupInfo *i) { set(&i->type, NULL); }
static void other_time(Bench *b, StockItem *s, BackupInfo *i) { i->created_wall++; }
static void other_account(Bench *b, StockItem *s, BackupInfo *i) { set(&s->account, "prod"); }
static void other_region(Bench *b, StockItem *s, BackupInfo *i) { set(&s->region, "us-east-1"); }
static void other_table(Bench *b, StockItem *s, BackupInfo *i) { set(&s->table, "orders-2"); }
static void creating(Bench *b, StockItem *s, BackupInfo *i) { i->status = BACKUP_CREATING; }
static void unknown_status(Bench *b, StockItem *s, BackupInfo *i) { i->status = BACKUP_UNKNOWN; }
static void of_an_export(Bench *b, StockItem *s, BackupInfo *i) { s->artefact->action = ACTION_EXPORT; }
static void expiring(Bench *b, StockItem *s, BackupInfo *i) { s->artefact->life = ARTEFACT_EXPIRING; }
static void not_listed(Bench *b, StockItem *s, BackupInfo *i) { set(&i->arn, TABLE_ARN "/backup/00"); }
static void deleted(Bench *b, StockItem *s, BackupInfo *i) { i->status = BACKUP_DELETED; }
static void other_schedule(Bench *b, StockItem *s, BackupInfo *i) { set(&s->schedule, "weekly"); }

static void rename_both(StockItem *s, BackupInfo *i, const char *arn) {
    set(&s->artefact->arn, arn);
    set(&i->arn, arn);
}
static void arn_of_region(Bench *b, StockItem *s, BackupInfo *i) {
    rename_both(s, i, "arn:aws:dynamodb:us-east-1:111111111111:table/orders/backup/01790042400000-00000000");
}
static void arn_of_account(Bench *b, StockItem *s, BackupInfo *i) {
    rename_both(s, i, "arn:aws:dynamodb:eu-central-1:222222222222:table/orders/backup/01790042400000-00000000");
}
static void arn_of_table(Bench *b, StockItem *s, BackupInfo *i) {
    rename_both(s, i, "arn:aws:dynamodb:eu-central-1:111111111111:table/order/backup/01790042400000-00000000");
}
static void arn_with_more(Bench *b, StockItem *s, BackupInfo *i) { rename_both(s, i, TABLE_ARN "/backup/0179/1"); }
static void arn_within(Bench *b, StockItem *s, BackupInfo *i) {
    rename_both(s, i, "arn:aws:s3:::x:dynamodb:eu-central-1:111111111111:table/orders/backup/01790042400000-00000000");
}

static void every_guard_keeps_it(void **state) {
    static const Spoil rows[] = {
        other_name,     other_handle,   other_artefact_name, other_slot,    other_table_id, no_table_id,
        system_type,    no_type,        other_time,          other_account, other_region,   other_table,
        creating,       unknown_status, of_an_export,        expiring,      not_listed,     deleted,
        other_schedule, arn_of_region,  arn_of_account,      arn_of_table,  arn_with_more,  arn_within,
    };
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
        Bench b;
        bench_init(&b);
        rows[row](&b, &b.stock.items[0], &b.listing.items[0]);
        qsort(b.listing.items, N, sizeof *b.listing.items, by_arn_again);
        CLEANUP(expire_plan_done) ExpirePlan p = plan_of(&b, true);
        if (p.lines[0].verdict.expendable || p.groups[0].n_counted != N - 1 || p.n_beyond != 2)
            fail_msg("row %zu: expendable %d, %zu count, %zu beyond", row, p.lines[0].verdict.expendable,
                     p.groups[0].n_counted, p.n_beyond);
        bench_done(&b);
    }
}

/* The newest one does not count: one more of the others is wanted. */
static void what_does_not_count_takes_nobodys_place(void **state) {
    static const Spoil rows[] = {other_name, other_table_id, creating, not_listed, system_type, expiring};
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
        Bench b;
        bench_init(&b);
        rows[row](&b, &b.stock.items[N - 1], &b.listing.items[N - 1]);
        qsort(b.listing.items, N, sizeof *b.listing.items, by_arn_again);
        CLEANUP(expire_plan_done) ExpirePlan p = plan_of(&b, true);
        assert_int_equal(p.n_beyond, 2);
        assert_false(p.lines[2].verdict.expendable);
        bench_done(&b);
    }
}

static void holds_end_by_the_services_time(void **state) {
    Bench b;
    bench_init(&b);
    b.stock.items[0].hold_until_wall = b.listing.wall + 1;
    b.stock.items[1].hold_until_wall = b.listing.wall;
    b.stock.items[2].decision = DECISION_WITHDRAWN;
    CLEANUP(expire_plan_done) ExpirePlan p = plan_of(&b, true);
    assert_false(p.lines[0].verdict.expendable);
    assert_int_equal(p.lines[0].verdict.reason, RETENTION_HELD);
    assert_true(p.lines[1].verdict.expendable);
    assert_true(p.lines[2].verdict.expendable);
    assert_int_equal(p.groups[0].n_beyond, 2);
    assert_int_equal(p.groups[0].n_sudden, 0); /* one was to go before, the other's hold has ended */
    bench_done(&b);
}

static void each_incarnation_is_judged_alone(void **state) {
    Bench b;
    bench_init(&b);
    for (int i = 0; i < 4; i++) {
        set(&b.stock.items[i].artefact->table_id, "old");
        set(&b.listing.items[i].table_id, "old");
    }
    CLEANUP(expire_plan_done) ExpirePlan p = plan_of(&b, true);
    assert_int_equal(p.n_groups, 2);
    assert_int_equal(p.n_beyond, 1);
    assert_true(p.lines[0].verdict.expendable);
    bench_done(&b);
}

static void only_schedules_that_say_so_expire(void **state) {
    Bench b;
    bench_init(&b);
    char *former[] = {(char *)"old-name"};
    assert_true(expire_is_wanted(b.target, ACTION_BACKUP));
    assert_ptr_equal(expire_schedule(b.target, ACTION_BACKUP, "nightly"), &b.schedule);
    assert_null(expire_schedule(b.target, ACTION_BACKUP, "old-name"));
    b.schedule.formerly = former;
    b.schedule.n_formerly = 1;
    assert_ptr_equal(expire_schedule(b.target, ACTION_BACKUP, "old-name"), &b.schedule);
    b.schedule.formerly = NULL;
    b.schedule.n_formerly = 0;
    b.schedule.expire = EXPIRE_REPORT;
    assert_true(expire_is_wanted(b.target, ACTION_BACKUP));
    b.schedule.expire = EXPIRE_OFF;
    assert_false(expire_is_wanted(b.target, ACTION_BACKUP));
    b.schedule.expire = EXPIRE_DELETE;
    b.schedule.action = ACTION_EXPORT;
    assert_false(expire_is_wanted(b.target, ACTION_BACKUP));
    b.schedule.action = ACTION_BACKUP;
    b.schedule.keep.last = 0; /* a floor alone is no rule */
    assert_false(expire_is_wanted(b.target, ACTION_BACKUP));
    b.schedule.keep.last = 3;
    b.target->enrolments[0]->schedule = NULL;
    assert_false(expire_is_wanted(b.target, ACTION_BACKUP));
    bench_done(&b);
}

static void the_allowance(void **state) {
    static const struct {
        RetentionKeep keep;
        double share;
        int number;
        size_t n_counted, allowed, n_new;
    } rows[] = {
        {{.last = 7}, 0.1, 1000, 10, 3, 3}, {{.last = 7, .daily = 7}, 0.1, 5, 10, 5, 3},
        {{.last = 7}, 0.1, 1000, 8, 1},     {{.last = 7}, 0.1, 1000, 20, 2},
        {{.last = 7}, 0.1, 1000, 500, 50},  {{.last = 7}, 0.1, 20, 500, 20},
        {{.last = 7, .weekly = 8, .monthly = 12, .floor = 2}, 0.1, 1000, 27, 3},
        {{.hourly = 1, .daily = 1, .yearly = 1, .within_usec = 1}, 0.1, 1000, 3, 4},
        {{.last = 1}, 1.0, 1000, 9, 9},     {{.last = 1, .daily = 2}, 0.1, 1, 9, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Conf c = {.limits = {.max_delete_share = rows[i].share, .max_delete = rows[i].number}};
        ScheduleConf s = {.keep = rows[i].keep};
        ExpireGroup g = {.schedule = &s, .n_counted = rows[i].n_counted, .n_new = rows[i].n_new};
        assert_int_equal(expire_allowance(&c, &g), rows[i].allowed);
    }
}

/* --- the walk --- */

static BackupList page_of(const char *arn, const char *next) {
    BackupList l = {.n_items = 1, .n_room = 1, .items = calloc(1, sizeof *l.items), .next = next ? copy(next) : NULL};
    assert_non_null(l.items);
    l.items[0].arn = copy(arn);
    return l;
}

static int take(ExpireListing *l, const char *arn, const char *next, Usec wall, bool *more) {
    BackupList page = page_of(arn, next);
    int r = expire_listing_take(l, &page, wall, more);
    backup_info_done(&page.items[0]);
    free(page.items);
    free(page.next);
    return r;
}

static void a_listing_is_walked_to_its_end(void **state) {
    CLEANUP(expire_listing_done) ExpireListing l = {.wall = WALL_UNKNOWN};
    AwsRequest *q = NULL;
    bool more = false;
    assert_int_equal(take(&l, "b", "b", T0, &more), 0);
    assert_true(more && !l.complete);
    assert_int_equal(expire_listing_request(&l, "orders", &q), 0);
    assert_int_equal(q->op, AWS_OP_LIST_BACKUPS);
    assert_string_equal(q->list_backups.table, "orders");
    assert_string_equal(q->list_backups.start_arn, "b");
    assert_null(q->list_backups.type);
    assert_int_equal(q->list_backups.lower_wall, WALL_UNKNOWN);
    aws_request_free(q);
    assert_int_equal(take(&l, "a", NULL, T0 + USEC_PER_HOUR, &more), 0);
    assert_true(!more && l.complete);
    assert_int_equal(l.wall, T0); /* the earlier one protects */
    assert_string_equal(expire_listing_find(&l, "a")->arn, "a");
    assert_string_equal(expire_listing_find(&l, "b")->arn, "b");
    assert_null(expire_listing_find(&l, "c"));
}

static void a_listing_that_turns_in_circles_is_none(void **state) {
    CLEANUP(expire_listing_done) ExpireListing l = {.wall = WALL_UNKNOWN};
    bool more = false;
    assert_int_equal(take(&l, "a", "b", WALL_UNKNOWN, &more), -ENODATA);
    assert_int_equal(take(&l, "a", "b", T0, &more), 0);
    assert_int_equal(take(&l, "b", "b", T0, &more), -ELOOP);
    assert_false(l.complete);
}

UNIT_MAIN(cmocka_unit_test(the_older_ones_may_go), cmocka_unit_test(every_guard_keeps_it),
          cmocka_unit_test(what_does_not_count_takes_nobodys_place), cmocka_unit_test(holds_end_by_the_services_time),
          cmocka_unit_test(each_incarnation_is_judged_alone), cmocka_unit_test(only_schedules_that_say_so_expire),
          cmocka_unit_test(the_allowance), cmocka_unit_test(a_listing_is_walked_to_its_end),
          cmocka_unit_test(a_listing_that_turns_in_circles_is_none))
