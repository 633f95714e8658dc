/* What retention promises, over random histories: DDB_HISTORIES of them (100,000), from DDB_SEED (1) on. What fails is
 * told by its seed, which repeats it: DDB_HISTORIES=1 DDB_SEED=that. */

#include <time.h>

#include "../unit/unit.h"
#include "core/retention/retention.h"
#include "io/zone_file.h"

#define ITEMS_MAX 24
#define LIMIT_MAX 5

/* Ordinary ones; half an hour; fifteen minutes off; a day that was left out; changes one minute past midnight. */
static const char *const zone_names[] = {"UTC",           "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                         "Asia/Kathmandu", "Pacific/Apia",  "America/St_Johns"};
static Zone *zones[ARRAY_SIZE(zone_names)];
#define HISTORIES_A_ZONE 500

typedef struct History {
    uint64_t seed, random;
    const char *zone_name;
    RetentionPolicy policy;
    RetentionItem items[ITEMS_MAX];
    size_t n;
    Usec now_wall;
} History;

typedef struct Verdicts {
    RetentionVerdict of[ITEMS_MAX];
} Verdicts;

/* --- chance --- */

static uint64_t draw(History *h, uint64_t below) {
    uint64_t z = h->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

static bool one_in(History *h, uint64_t n) { return draw(h, n) == 0; }

static Usec span(History *h, Usec most) { return (Usec)draw(h, (uint64_t)most + 1); }

static int limit(History *h) { return one_in(h, 3) ? (int)draw(h, LIMIT_MAX) + 1 : 0; }

/* Names of items; the order of the ids is not that of time. */
static const char *id_of(size_t i) {
    static char ids[ITEMS_MAX + 1][4];
    snprintf(ids[i], sizeof ids[i], "%c%zu", (char)('a' + i * 7 % 26), i % 10);
    return ids[i];
}

static RetentionItem an_item(History *h, size_t i, Usec wall) {
    return (RetentionItem){.id = id_of(i),
                           .made_wall = wall,
                           .ours = !one_in(h, 12),
                           .listed_only = one_in(h, 16),
                           .finished = !one_in(h, 12),
                           .held = one_in(h, 12),
                           .needed = one_in(h, 16)};
}

/* The n-th instant, by one of several ways in which artefacts come. */
static Usec instant(History *h, unsigned kind, Usec base, size_t i) {
    static const Usec periods[] = {30 * USEC_PER_MINUTE, USEC_PER_HOUR, 6 * USEC_PER_HOUR, USEC_PER_DAY, USEC_PER_WEEK};
    switch (kind) {
    case 0: /* scattered over three years */
        return base + span(h, 1100 * USEC_PER_DAY);
    case 1: /* over three days */
        return base + span(h, 3 * USEC_PER_DAY);
    case 2: { /* around a change of the clock */
        Usec change = zone_change_after(h->policy.zone, base), around = (one_in(h, 2) ? 2 : 180) * USEC_PER_MINUTE;
        return (change == USEC_INFINITY ? base : change) + span(h, 2 * around) - around;
    }
    case 3: /* many at one instant */
        return base + (Usec)draw(h, 4) * USEC_PER_HOUR;
    default: /* by a schedule */
        return base + (Usec)i * periods[kind % ARRAY_SIZE(periods)] + span(h, 5 * USEC_PER_MINUTE);
    }
}

static RetentionKeep a_policy(History *h) {
    static const Usec spans[] = {USEC_PER_HOUR, USEC_PER_DAY, USEC_PER_WEEK, 90 * USEC_PER_DAY, 365 * USEC_PER_DAY};
    if (one_in(h, 20))
        return (RetentionKeep){.floor = (int)draw(h, 3)};
    return (RetentionKeep){.last = limit(h),
                           .hourly = limit(h),
                           .daily = limit(h),
                           .weekly = limit(h),
                           .monthly = limit(h),
                           .yearly = limit(h),
                           .within_usec = one_in(h, 4) ? spans[draw(h, ARRAY_SIZE(spans))] : 0,
                           .floor = (int)draw(h, 4)};
}

static void make(uint64_t seed, History *h) {
    size_t zone = seed / HISTORIES_A_ZONE % ARRAY_SIZE(zones);
    *h = (History){.seed = seed, .random = seed * 0x2545f4914f6cdd1du, .zone_name = zone_names[zone]};
    h->policy = (RetentionPolicy){.keep = a_policy(h), .zone = zones[zone]};
    unsigned kind = (unsigned)draw(h, 9);
    Usec base = (Usec)(10957 + draw(h, 11000)) * USEC_PER_DAY + span(h, USEC_PER_DAY); /* 2000 to 2030 */
    h->n = draw(h, ITEMS_MAX + 1);
    for (size_t i = 0; i < h->n; i++) {
        h->items[i] = an_item(h, i, instant(h, kind, base, i));
        h->now_wall = usec_max(h->now_wall, h->items[i].made_wall);
    }
    h->now_wall += one_in(h, 3) ? 0 : span(h, 40 * USEC_PER_DAY);
}

/* --- asking --- */

static Verdicts judge(const History *h, const RetentionItem *items, size_t n, Usec now_wall) {
    Verdicts v = {};
    if (retention_judge(items, n, &h->policy, now_wall, v.of) < 0)
        fail_msg("DDB_SEED=%" PRIu64 ": no verdict", h->seed);
    return v;
}

static Verdicts judge_all(const History *h) { return judge(h, h->items, h->n, h->now_wall); }

static bool counts(const RetentionItem *i, Usec now_wall) {
    return i->ours && !i->listed_only && i->finished && i->made_wall <= now_wall;
}

static bool is_newer(const RetentionItem *a, const RetentionItem *b) {
    return a->made_wall != b->made_wall ? a->made_wall > b->made_wall : strcmp(a->id, b->id) > 0;
}

static bool are_equal(const RetentionVerdict *a, const RetentionVerdict *b) { return memcmp(a, b, sizeof *a) == 0; }

/* --- what holds --- */

/* Each: NULL, or what does not hold. */

static const char *the_floor_holds(History *h) {
    Verdicts v = judge_all(h);
    size_t floor = (size_t)int_max(h->policy.keep.floor, 1);
    for (size_t i = 0; i < h->n; i++) {
        size_t n_newer = 0;
        for (size_t j = 0; j < h->n; j++)
            n_newer += counts(&h->items[j], h->now_wall) && is_newer(&h->items[j], &h->items[i]);
        if (v.of[i].expendable && n_newer < floor)
            return "one of the newest goes";
    }
    return NULL;
}

static const char *what_is_apart_is_never_touched(History *h) {
    Verdicts v = judge_all(h);
    RetentionItem others[ITEMS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) {
        const RetentionItem *item = &h->items[i];
        if (v.of[i].expendable && (!counts(item, h->now_wall) || item->held || item->needed))
            return "it goes";
        if (counts(item, h->now_wall))
            others[n++] = *item;
    }
    Verdicts alone = judge(h, others, n, h->now_wall);
    for (size_t i = 0, j = 0; i < h->n; i++)
        if (counts(&h->items[i], h->now_wall) && !are_equal(&v.of[i], &alone.of[j++]))
            return "what does not count changes another's verdict";
    return NULL;
}

static const char *no_rule_no_deletion(History *h) {
    h->policy.keep = (RetentionKeep){.floor = h->policy.keep.floor};
    Verdicts v = judge_all(h);
    for (size_t i = 0; i < h->n; i++)
        if (v.of[i].expendable)
            return "without a rule something goes";
    return NULL;
}

static const char *order_has_no_influence(History *h) {
    Verdicts v = judge_all(h), other;
    RetentionItem items[ITEMS_MAX];
    size_t from[ITEMS_MAX];
    for (size_t i = 0; i < h->n; i++)
        from[i] = i;
    for (size_t i = h->n; i > 1; i--) {
        size_t j = draw(h, i), saved = from[j];
        from[j] = from[i - 1];
        from[i - 1] = saved;
    }
    for (size_t i = 0; i < h->n; i++)
        items[i] = h->items[from[i]];
    other = judge(h, items, h->n, h->now_wall);
    for (size_t i = 0; i < h->n; i++)
        if (!are_equal(&other.of[i], &v.of[from[i]]))
            return "another order gives another verdict";
    return NULL;
}

static const char *a_clock_step_deletes_nothing(History *h) {
    Verdicts v = judge_all(h);
    for (int i = 0; i < 4; i++) {
        bool forward = i == 3;
        Usec now = forward                 ? usec_add(h->now_wall, span(h, WALL_MAX - h->now_wall))
                   : h->n > 0 && i > 0 ? h->items[draw(h, h->n)].made_wall - (i == 1)
                                           : span(h, h->now_wall);
        Verdicts stepped = judge(h, h->items, h->n, now);
        for (size_t j = 0; j < h->n; j++)
            if (stepped.of[j].expendable && h->items[j].made_wall > now)
                return "what was made after now goes";
            else if (stepped.of[j].expendable && !v.of[j].expendable)
                return forward ? "a clock ahead deletes more" : "a clock behind deletes more";
    }
    return NULL;
}

static const char *any_share_may_be_carried_out(History *h) {
    Verdicts v = judge_all(h);
    RetentionItem left[ITEMS_MAX];
    size_t from[ITEMS_MAX], n = 0;
    for (size_t i = 0; i < h->n; i++)
        if (!v.of[i].expendable || one_in(h, 2)) {
            from[n] = i;
            left[n++] = h->items[i];
        }
    Verdicts then = judge(h, left, n, h->now_wall);
    for (size_t i = 0; i < n; i++)
        if (!are_equal(&then.of[i], &v.of[from[i]]))
            return "a verdict changes when another is carried out";
    return NULL;
}

static const char *older_ones_change_nothing(History *h) {
    Verdicts v = judge_all(h), then;
    if (h->n == 0 || h->n == ITEMS_MAX)
        return NULL;
    RetentionItem late = {.id = "0", .ours = true, .finished = true};
    late.made_wall = h->items[draw(h, h->n)].made_wall - span(h, 2 * USEC_PER_DAY);
    h->items[h->n] = late;
    then = judge(h, h->items, h->n + 1, h->now_wall);
    for (size_t i = 0; i < h->n; i++)
        if (is_newer(&h->items[i], &late) && !are_equal(&then.of[i], &v.of[i]))
            return "one that comes late changes the verdict of a newer one";
    return NULL;
}

/* A life: artefacts are made, and finished in any order; time passes; some of what may go goes. */
static const char *a_verdict_to_delete_is_final(History *h) {
    RetentionItem alive[ITEMS_MAX] = {};
    bool finished[ITEMS_MAX], condemned[ITEMS_MAX] = {};
    size_t n = 0, n_steps = 2 + draw(h, 4);
    Usec first = USEC_INFINITY, last = h->now_wall;
    for (size_t i = 0; i < h->n; i++)
        first = usec_min(first, h->items[i].made_wall);
    for (size_t i = 0; i < h->n; i++)
        finished[i] = h->items[i].finished;
    bool arrived[ITEMS_MAX] = {};
    for (size_t step = 1; h->n > 0 && step <= n_steps; step++) {
        Usec now = first + (last - first) / (Usec)n_steps * (Usec)step + (step == n_steps ? USEC_PER_DAY : 0);
        for (size_t i = 0; i < h->n; i++)
            if (!arrived[i] && h->items[i].made_wall <= now) {
                arrived[i] = true;
                alive[n] = h->items[i];
                alive[n].finished = finished[i] && !one_in(h, 4); /* or later */
                condemned[n++] = false;
            }
        Verdicts v = judge(h, alive, n, now);
        for (size_t i = 0; i < n; i++)
            if (condemned[i] && !v.of[i].expendable)
                return "what was to go is wanted again";
        size_t n_left = 0;
        for (size_t i = 0; i < n; i++) {
            if (v.of[i].expendable && one_in(h, 3))
                continue;
            alive[n_left] = alive[i];
            alive[n_left].finished |= one_in(h, 2);
            condemned[n_left++] = v.of[i].expendable;
        }
        n = n_left;
    }
    return NULL;
}

/* --- as defined: every rule by its words, with the C library's zones --- */

static int64_t bucket(RetentionReason rule, Usec wall) {
    time_t seconds = (time_t)(wall / USEC_PER_SEC);
    struct tm t, day;
    localtime_r(&seconds, &t);
    day = (struct tm){.tm_year = t.tm_year, .tm_mon = t.tm_mon, .tm_mday = t.tm_mday};
    int64_t days = timegm(&day) / 86400;
    if (rule == RETENTION_HOURLY)
        return (days * 24 + t.tm_hour) * 1000000 + t.tm_gmtoff;
    if (rule == RETENTION_DAILY)
        return days;
    if (rule == RETENTION_WEEKLY)
        return days - (t.tm_wday + 6) % 7;
    return rule == RETENTION_MONTHLY ? t.tm_year * 12 + t.tm_mon : t.tm_year;
}

static int place_by_bucket(const History *h, size_t i, RetentionReason rule, int limit) {
    int64_t own = bucket(rule, h->items[i].made_wall), met[ITEMS_MAX];
    int n = 0;
    for (size_t j = 0; j < h->n; j++) {
        if (!counts(&h->items[j], h->now_wall) || !is_newer(&h->items[j], &h->items[i]))
            continue;
        int64_t other = bucket(rule, h->items[j].made_wall);
        bool is_new = true;
        for (int k = 0; k < n; k++)
            is_new &= met[k] != other;
        if (other == own)
            return 0;
        if (is_new)
            met[n++] = other;
    }
    return n < limit ? n + 1 : 0;
}

static int place_by_rank(const History *h, size_t i, int limit) {
    int rank = 1;
    for (size_t j = 0; j < h->n; j++)
        rank += counts(&h->items[j], h->now_wall) && is_newer(&h->items[j], &h->items[i]);
    return rank <= limit ? rank : 0;
}

static const char *every_rule_is_as_defined(History *h) {
    static const char *zone = NULL;
    const RetentionKeep *k = &h->policy.keep;
    const int limits[] = {[RETENTION_HOURLY] = k->hourly, [RETENTION_DAILY] = k->daily, [RETENTION_WEEKLY] = k->weekly,
                          [RETENTION_MONTHLY] = k->monthly, [RETENTION_YEARLY] = k->yearly};
    Verdicts v = judge_all(h);
    Usec newest = 0;
    if (h->zone_name != zone) {
        setenv("TZ", zone = h->zone_name, 1);
        tzset();
    }
    for (size_t i = 0; i < h->n; i++)
        if (counts(&h->items[i], h->now_wall))
            newest = usec_max(newest, h->items[i].made_wall);
    for (size_t i = 0; i < h->n; i++) {
        const RetentionItem *item = &h->items[i];
        const int *place = v.of[i].place;
        bool wanted = false;
        if (!counts(item, h->now_wall))
            continue;
        for (RetentionReason rule = RETENTION_HOURLY; rule <= RETENTION_YEARLY; rule++)
            if (place[rule] != place_by_bucket(h, i, rule, limits[rule]))
                return retention_reason_to_string(rule);
        if (place[RETENTION_LAST] != place_by_rank(h, i, k->last))
            return "last";
        if (place[RETENTION_FLOOR] != place_by_rank(h, i, int_max(k->floor, 1)))
            return "floor";
        if ((place[RETENTION_WITHIN] != 0) != (k->within_usec > 0 && newest - item->made_wall <= k->within_usec))
            return "within";
        for (RetentionReason rule = 0; rule < RETENTION_RULES; rule++)
            wanted |= place[rule] > 0;
        if (v.of[i].expendable != (!wanted && !item->held && !item->needed && retention_keep_is_set(k)))
            return "what follows from the rules";
    }
    return NULL;
}

/* --- all of it --- */

static uint64_t number(const char *name, uint64_t otherwise) {
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void over_histories(const char *(*holds)(History *h)) {
    uint64_t seed = number("DDB_SEED", 1), n = number("DDB_HISTORIES", 100000);
    for (uint64_t i = 0; i < n; i++) {
        History h;
        make(seed + i, &h);
        const char *wrong = holds(&h);
        if (wrong)
            fail_msg("DDB_SEED=%" PRIu64 " DDB_HISTORIES=1: %s", h.seed, wrong);
    }
}

#define HOLDS(property)                                                                                                \
    static void test_##property(void **state) { over_histories(property); }
HOLDS(the_floor_holds)
HOLDS(what_is_apart_is_never_touched)
HOLDS(no_rule_no_deletion)
HOLDS(order_has_no_influence)
HOLDS(a_clock_step_deletes_nothing)
HOLDS(any_share_may_be_carried_out)
HOLDS(older_ones_change_nothing)
HOLDS(a_verdict_to_delete_is_final)
HOLDS(every_rule_is_as_defined)

static int load_zones(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
        if (zone_file_load(NULL, zone_names[i], &zones[i]) < 0)
            return -1;
    printf("seed %" PRIu64 ", %" PRIu64 " histories for each property\n", number("DDB_SEED", 1),
           number("DDB_HISTORIES", 100000));
    return 0;
}

static int free_zones(void **state) {
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
        zone_free(zones[i]);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_floor_holds),
        cmocka_unit_test(test_what_is_apart_is_never_touched),
        cmocka_unit_test(test_no_rule_no_deletion),
        cmocka_unit_test(test_order_has_no_influence),
        cmocka_unit_test(test_a_clock_step_deletes_nothing),
        cmocka_unit_test(test_any_share_may_be_carried_out),
        cmocka_unit_test(test_older_ones_change_nothing),
        cmocka_unit_test(test_a_verdict_to_delete_is_final),
        cmocka_unit_test(test_every_rule_is_as_defined),
    };
    return cmocka_run_group_tests(tests, load_zones, free_zones);
}
