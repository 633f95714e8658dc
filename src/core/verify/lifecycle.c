#include "core/verify/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "base/text.h"
#include "core/aws/codec.h"
#include "core/format/xml_find.h"

#define RULE "LifecycleConfiguration/Rule"
#define DAYS_MAX 1000000

/* --- reading --- */

static void rule_done(LifecycleRule *r) {
    free(r->id);
    free(r->prefix);
}

static LifecycleRule rule_make(void) {
    return (LifecycleRule){.expire_usec = USEC_INFINITY,
                           .expire_wall = WALL_UNKNOWN,
                           .archive_usec = USEC_INFINITY,
                           .abort_usec = USEC_INFINITY};
}

void lifecycle_done(LifecycleRules *r) {
    for (size_t i = 0; i < r->n_items; i++)
        rule_done(&r->items[i]);
    free(r->items);
    *r = (LifecycleRules){};
}

typedef struct Reading {
    LifecycleRules *rules;
    LifecycleRule rule;    /* the one that is open */
    Usec transition_usec;  /* of its transition that is open */
    bool to_archive;
} Reading;

static void reading_done(Reading *r) { rule_done(&r->rule); }

static int read_days(const char *text, Usec *ret) {
    int64_t days;
    if (parse_int(text, 0, DAYS_MAX, &days) < 0)
        return -EBADMSG;
    *ret = days * USEC_PER_DAY;
    return 0;
}

static int read_date(const char *text, Usec *ret) { return date_from_iso(text, ret) < 0 ? -EBADMSG : 0; }

/* Instant retrieval is none of them. */
static bool is_archive(const char *class) { return text_equal(class, "GLACIER") || text_equal(class, "DEEP_ARCHIVE"); }

static int take_text(Reading *r, const XmlPlace *at, const char *text) {
    LifecycleRule *rule = &r->rule;
    Usec wall;
    if (xml_is(at, RULE "/ID"))
        return text_set(&rule->id, text);
    if (xml_is(at, RULE "/Prefix") || xml_is(at, RULE "/Filter/Prefix") || xml_is(at, RULE "/Filter/And/Prefix"))
        return text_set(&rule->prefix, text);
    if (xml_is(at, RULE "/Status"))
        rule->enabled = text_equal(text, "Enabled");
    if (xml_is(at, RULE "/Filter/Tag/Key") || xml_is(at, RULE "/Filter/And/Tag/Key"))
        rule->has_tags = true;
    if (xml_is(at, RULE "/Expiration/Days"))
        return read_days(text, &rule->expire_usec);
    if (xml_is(at, RULE "/Expiration/Date"))
        return read_date(text, &rule->expire_wall);
    if (xml_is(at, RULE "/AbortIncompleteMultipartUpload/DaysAfterInitiation"))
        return read_days(text, &rule->abort_usec);
    if (xml_is(at, RULE "/NoncurrentVersionExpiration/NoncurrentDays"))
        rule->expires_noncurrent = true;
    if (xml_is(at, RULE "/Transition/Days"))
        return read_days(text, &r->transition_usec);
    if (xml_is(at, RULE "/Transition/Date")) { /* it may be today */
        r->transition_usec = 0;
        return read_date(text, &wall);
    }
    if (xml_is(at, RULE "/Transition/StorageClass"))
        r->to_archive = is_archive(text);
    return 0;
}

static int take_element(void *context, const XmlPlace *at, const Secret *text) {
    Reading *r = context;
    if (xml_is(at, RULE "/Transition")) {
        if (r->to_archive)
            r->rule.archive_usec = usec_min(r->rule.archive_usec, r->transition_usec);
        r->to_archive = false;
        r->transition_usec = 0;
        return 0;
    }
    if (xml_is(at, RULE)) {
        LifecycleRules *rules = r->rules;
        if (ARRAY_GROW(rules->items, rules->n_items, rules->n_room) < 0)
            return -ENOMEM;
        rules->items[rules->n_items++] = r->rule;
        r->rule = rule_make();
        return 0;
    }
    return text ? take_text(r, at, text->bytes) : 0;
}

int lifecycle_read(const char *body, size_t len, LifecycleRules *ret) {
    CLEANUP(lifecycle_done) LifecycleRules rules = {};
    CLEANUP(reading_done) Reading reading = {.rules = &rules, .rule = rule_make()};
    int r = xml_each(body, len, take_element, &reading);
    if (r >= 0 && rules.n_items == 0)
        r = -EBADMSG; /* a bucket without rules has no such document */
    if (r < 0)
        return r;
    *ret = rules;
    rules = (LifecycleRules){};
    return 0;
}

/* --- judging --- */

static bool covers(const char *a, const char *b) { return text_starts_with(a, b) || text_starts_with(b, a); }

bool lifecycle_touches(const LifecycleRule *r, const char *prefix) {
    if (!r->enabled || r->has_tags)
        return false;
    if (!r->prefix || !r->prefix[0])
        return true;
    size_t n = prefix ? strlen(prefix) : 0;
    while (n > 0 && prefix[n - 1] == '/')
        n--;
    AUTO_TEXT folder = TEXT_INIT(4096);
    text_addf(&folder, "%.*s%sAWSDynamoDB/", (int)n, prefix ? prefix : "", n > 0 ? "/" : "");
    return covers(text_get(&folder), r->prefix);
}

static Usec times(int n, Usec each) {
    if (n <= 0)
        return 0;
    return each >= USEC_INFINITY / n ? USEC_INFINITY : each * n;
}

LifecycleWish lifecycle_wish(const Conf *c, const ScheduleConf *s, Usec now_wall) {
    const ScheduleConf *base = s->base ? conf_schedule(c, s->base) : NULL;
    s = base ? base : s;
    const RetentionKeep *k = &s->keep;
    Usec period = calendar_shortest_period(s->when, s->zone, now_wall);
    const Usec rules[] = {times(k->last, period),
                          times(k->hourly, USEC_PER_HOUR),
                          times(k->daily, USEC_PER_DAY),
                          times(k->weekly, 7 * USEC_PER_DAY),
                          times(k->monthly, 30 * USEC_PER_DAY),
                          times(k->yearly, 365 * USEC_PER_DAY),
                          k->within_usec};
    LifecycleWish w = {.floor_usec = times(k->floor > 1 ? k->floor : 1, period)};
    w.keep_usec = w.floor_usec;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        w.keep_usec = usec_max(w.keep_usec, rules[i]);
    return w;
}
