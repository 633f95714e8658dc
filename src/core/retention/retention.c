#include "core/retention/retention.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"

static int limit_of(const RetentionKeep *k, RetentionReason rule) {
    const int limits[RETENTION_RULES] = {
        [RETENTION_LAST] = k->last,       [RETENTION_HOURLY] = k->hourly,   [RETENTION_DAILY] = k->daily,
        [RETENTION_WEEKLY] = k->weekly,   [RETENTION_MONTHLY] = k->monthly, [RETENTION_YEARLY] = k->yearly,
        [RETENTION_WITHIN] = k->within_usec > 0, [RETENTION_FLOOR] = int_max(k->floor, 1),
    };
    return limits[rule];
}

bool retention_keep_is_set(const RetentionKeep *k) {
    for (RetentionReason rule = 0; rule < RETENTION_FLOOR; rule++)
        if (limit_of(k, rule) > 0)
            return true;
    return false;
}

/* --- buckets --- */

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* The bucket of an instant as a number that grows with time. */
static int64_t bucket_of(RetentionReason rule, const Zone *zone, Usec wall) {
    Usec offset_usec = zone_offset(zone, wall, NULL) * USEC_PER_SEC, local = wall + offset_usec;
    int64_t days = floor_divide(local, USEC_PER_DAY);
    Date d;
    /* by the instant at which the hour began: one that the clock shows twice is two. The offset, as a part of the
     * second by which instants differ, tells those apart that began at one: 00:00 and, put forward at 00:01, 01:00 */
    if (rule == RETENTION_HOURLY)
        return floor_divide(local, USEC_PER_HOUR) * USEC_PER_HOUR - offset_usec + offset_usec / USEC_PER_SEC;
    if (rule == RETENTION_DAILY)
        return days;
    if (rule == RETENTION_WEEKLY)
        return floor_divide(days + 3, 7); /* 1970-01-01 was a Thursday */
    date_set_days(&d, days);
    return rule == RETENTION_MONTHLY ? d.year * 12 + d.month : d.year;
}

/* Buckets met so far, from the newest. */
typedef struct Buckets {
    int64_t *numbers; /* descending */
    size_t n;
} Buckets;

/* The bucket's place when this is the first of it, and among the `limit` newest; else 0. Artefacts come from the newest
 * on, hence buckets almost do: where the clock is put back over midnight a day comes twice. */
static int enter_bucket(Buckets *b, int64_t number, int limit) {
    size_t i = b->n;
    while (i > 0 && b->numbers[i - 1] < number)
        i--;
    if ((i > 0 && b->numbers[i - 1] == number) || b->n >= (size_t)limit)
        return 0;
    memmove(&b->numbers[i + 1], &b->numbers[i], (b->n - i) * sizeof *b->numbers);
    b->numbers[i] = number;
    return (int)++b->n;
}

/* --- the verdict --- */

/* What protects an artefact before any rule is asked, and keeps it from counting; RETENTION_BEYOND: nothing. */
static RetentionReason is_apart(const RetentionItem *i, Usec now_wall) {
    if (i->listed_only)
        return RETENTION_LISTED_ONLY;
    if (!i->ours)
        return RETENTION_FOREIGN;
    if (!i->finished || i->made_wall < 0)
        return RETENTION_UNFINISHED;
    return i->made_wall > now_wall ? RETENTION_FUTURE : RETENTION_BEYOND;
}

/* What may be deleted must come through all of these. */
static void conclude(const RetentionItem *i, const RetentionPolicy *p, RetentionVerdict *v) {
    v->reason = RETENTION_BEYOND;
    if (i->held)
        v->reason = RETENTION_HELD;
    else if (!retention_keep_is_set(&p->keep))
        v->reason = RETENTION_NO_POLICY;
    for (RetentionReason rule = 0; v->reason == RETENTION_BEYOND && rule < RETENTION_RULES; rule++)
        if (v->place[rule] > 0)
            v->reason = rule;
    if (v->reason == RETENTION_BEYOND && i->needed)
        v->reason = RETENTION_NEEDED;
    v->expendable = v->reason == RETENTION_BEYOND;
}

static int compare_newest_first(const void *a, const void *b) {
    const RetentionItem *x = *(const RetentionItem *const *)a, *y = *(const RetentionItem *const *)b;
    if (x->made_wall != y->made_wall)
        return x->made_wall < y->made_wall ? 1 : -1;
    return strcmp(y->id, x->id);
}

/* One rule, over what counts, from the newest. */
static void apply_rule(RetentionReason rule, const RetentionPolicy *p, const RetentionItem *const *newest, size_t n,
                       const RetentionItem *first, int64_t *room, RetentionVerdict *ret) {
    Buckets buckets = {.numbers = room};
    int limit = limit_of(&p->keep, rule);
    for (size_t i = 0; limit > 0 && i < n; i++) {
        int *place = &ret[newest[i] - first].place[rule];
        if (rule == RETENTION_LAST || rule == RETENTION_FLOOR)
            *place = i < (size_t)limit ? (int)i + 1 : 0;
        else if (rule == RETENTION_WITHIN)
            *place = newest[0]->made_wall - newest[i]->made_wall <= p->keep.within_usec;
        else
            *place = enter_bucket(&buckets, bucket_of(rule, p->zone, newest[i]->made_wall), limit);
    }
}

int retention_judge(const RetentionItem *items, size_t n_items, const RetentionPolicy *policy, Usec now_wall,
                    RetentionVerdict *ret) {
    if (n_items == 0)
        return 0;
    AUTO_FREE const RetentionItem **newest = calloc(n_items, sizeof *newest);
    AUTO_FREE int64_t *room = calloc(n_items, sizeof *room);
    if (!newest || !room)
        return -ENOMEM;
    for (size_t i = 0; i < n_items; i++)
        newest[i] = &items[i];
    qsort(newest, n_items, sizeof *newest, compare_newest_first);
    for (size_t i = 1; i < n_items; i++)
        if (compare_newest_first(&newest[i - 1], &newest[i]) == 0)
            return -EINVAL;

    size_t n = 0;
    for (size_t i = 0; i < n_items; i++)
        if (is_apart(newest[i], now_wall) == RETENTION_BEYOND)
            newest[n++] = newest[i];
    memset(ret, 0, n_items * sizeof *ret);
    for (RetentionReason rule = 0; rule < RETENTION_RULES; rule++)
        apply_rule(rule, policy, newest, n, items, room, ret);
    for (size_t i = 0; i < n_items; i++) {
        ret[i].reason = is_apart(&items[i], now_wall);
        if (ret[i].reason == RETENTION_BEYOND)
            conclude(&items[i], policy, &ret[i]);
    }
    return 0;
}

/* --- words --- */

typedef struct ReasonWords {
    const char *name, *text;
} ReasonWords;

static const ReasonWords words[RETENTION_REASONS] = {
    [RETENTION_LAST] = {"last", "is one of the last"},
    [RETENTION_HOURLY] = {"hourly", "is the newest of its hour"},
    [RETENTION_DAILY] = {"daily", "is the newest of its day"},
    [RETENTION_WEEKLY] = {"weekly", "is the newest of its week"},
    [RETENTION_MONTHLY] = {"monthly", "is the newest of its month"},
    [RETENTION_YEARLY] = {"yearly", "is the newest of its year"},
    [RETENTION_WITHIN] = {"within", "is not older than the newest by more"},
    [RETENTION_FLOOR] = {"floor", "is one of those that are never deleted"},
    [RETENTION_NEEDED] = {"needed", "another artefact builds on it"},
    [RETENTION_HELD] = {"held", "is held"},
    [RETENTION_NO_POLICY] = {"no-policy", "its schedule keeps everything"},
    [RETENTION_FUTURE] = {"future", "was made after now"},
    [RETENTION_UNFINISHED] = {"unfinished", "is not finished and verified"},
    [RETENTION_LISTED_ONLY] = {"listed-only", "the ledger does not know it"},
    [RETENTION_FOREIGN] = {"foreign", "is not of this deployment"},
    [RETENTION_BEYOND] = {"beyond", "no rule wants it"},
};

const char *retention_reason_to_string(RetentionReason r) { return words[r].name; }

int retention_reason_from_string(const char *s, RetentionReason *ret) {
    for (RetentionReason r = 0; r < RETENTION_REASONS; r++)
        if (strcmp(words[r].name, s) == 0) {
            *ret = r;
            return 0;
        }
    return -EINVAL;
}

const char *retention_reason_text(RetentionReason r) { return words[r].text; }

static int add_rule(const RetentionKeep *k, RetentionReason rule, int place, Text *t) {
    char duration[DURATION_SIZE];
    if (rule == RETENTION_WITHIN)
        return text_addf(t, "within %s", duration_to_string(k->within_usec, duration));
    return place > 0 ? text_addf(t, "%s %d of %d", words[rule].name, place, limit_of(k, rule))
                     : text_addf(t, "%s %d", words[rule].name, limit_of(k, rule));
}

int retention_keep_describe(const RetentionKeep *k, Text *t) {
    if (!retention_keep_is_set(k))
        return text_add(t, "everything");
    const char *comma = "";
    for (RetentionReason rule = 0; rule < RETENTION_RULES; rule++)
        /* a floor says more than the other rules only where it is higher */
        if (limit_of(k, rule) > (rule == RETENTION_FLOOR ? int_max(k->last, 1) : 0)) {
            text_add(t, comma);
            add_rule(k, rule, 0, t);
            comma = ", ";
        }
    return t->error;
}

int retention_verdict_describe(const RetentionVerdict *v, const RetentionKeep *k, Text *t) {
    if (v->reason == RETENTION_BEYOND) {
        text_add(t, "beyond ");
        return retention_keep_describe(k, t);
    }
    if (v->reason >= RETENTION_RULES)
        return text_add(t, words[v->reason].text);
    const char *comma = "";
    for (RetentionReason rule = 0; rule < RETENTION_RULES; rule++)
        /* the floor is of interest where nothing else wants it */
        if (v->place[rule] > 0 && (rule != RETENTION_FLOOR || v->reason == RETENTION_FLOOR)) {
            text_add(t, comma);
            add_rule(k, rule, v->place[rule], t);
            comma = ", ";
        }
    return t->error;
}
