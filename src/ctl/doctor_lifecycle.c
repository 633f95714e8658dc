/* Lifecycle rules: that none deletes exports, or moves them out of reach, before the configuration lets go of them. */

#include <errno.h>
#include <inttypes.h>

#include "base/date.h"
#include "base/parse.h"
#include "ctl/doctor.h"

/* The first use of a bucket by a schedule that the rule is for; NULL: none. */
static const BucketUse *touched(const DoctorBucket *b, const LifecycleRule *rule, const ScheduleConf *s) {
    for (size_t i = 0; i < b->n_uses; i++)
        if (b->uses[i].schedule == s && lifecycle_touches(rule, b->uses[i].prefix))
            return &b->uses[i];
    return NULL;
}

/* "rule 'tidy' deletes what is 7d old below orders/" */
static void begin(const LifecycleRule *rule, const BucketUse *u, const char *what, Usec age_usec, Text *t) {
    text_addf(t, "rule '%s' %s %" PRId64 " days old", rule->id ? rule->id : "", what, age_usec / USEC_PER_DAY);
    if (u->prefix)
        text_addf(t, " below %s", u->prefix);
}

static void say_wish(const ScheduleConf *s, Usec wish_usec, Text *t) {
    char span[DURATION_SIZE];
    if (wish_usec == USEC_INFINITY)
        text_addf(t, ", and %s wants it for ever", s->name);
    else
        text_addf(t, ", and %s wants it for %s", s->name, duration_to_string(wish_usec, span));
}

static int check_expiry(Doctor *d, const LifecycleRule *rule, const BucketUse *u, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    char day[DATE_ISO_SIZE];
    const ScheduleConf *s = u->schedule;
    LifecycleWish wish = lifecycle_wish(d->aws.conf, s, d->now_wall);
    if (rule->expire_wall != WALL_UNKNOWN) {
        text_addf(&t, "rule '%s' deletes everything%s%s from %s on", rule->id ? rule->id : "",
                  u->prefix ? " below " : "", u->prefix ? u->prefix : "", date_to_iso(rule->expire_wall, day));
        return doctor_add(d, label, "lifecycle", CHECK_FAILED, text_get(&t), "take the rule out, or give it days");
    }
    if (rule->expire_usec >= wish.keep_usec)
        return 0;
    begin(rule, u, "deletes what is", rule->expire_usec, &t);
    if (rule->expire_usec >= wish.floor_usec) {
        say_wish(s, wish.keep_usec, &t);
        text_add(&t, ": ");
        const ScheduleConf *base = s->base ? conf_schedule(d->aws.conf, s->base) : NULL;
        (void)retention_keep_describe(base ? &base->keep : &s->keep, &t);
        return doctor_add(d, label, "lifecycle", CHECK_WARNING, text_get(&t),
                          "lengthen the rule, or take back from `keep` what it does not leave");
    }
    say_wish(s, wish.floor_usec, &t);
    text_add(&t, s->action == ACTION_INCREMENTAL ? ": until the next base is there, the chain needs it"
                                                 : ": it may be the last one there is");
    return doctor_add(d, label, "lifecycle", CHECK_FAILED, text_get(&t), "lengthen the rule, or take it out");
}

static int check_archive(Doctor *d, const LifecycleRule *rule, const BucketUse *u, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    const ScheduleConf *s = u->schedule;
    if (rule->archive_usec == USEC_INFINITY)
        return 0;
    begin(rule, u, "archives what is", rule->archive_usec, &t);
    text_add(&t, ": then S3 has to restore it before it can be read");
    bool is_read = s->reverify_usec > 0 && s->verify > VERIFY_SERVICE;
    if (is_read)
        text_addf(&t, ", and %s reads it again for `reverify`", s->name);
    return doctor_add(d, label, "lifecycle", is_read ? CHECK_WARNING : CHECK_OK, text_get(&t),
                      is_read ? "archive later, or check again no more: reverify = 0" : NULL);
}

static int check_abort(Doctor *d, const LifecycleRule *rule, const BucketUse *u, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    char span[DURATION_SIZE];
    if (rule->abort_usec >= u->schedule->finish_within_usec)
        return 0;
    begin(rule, u, "aborts uploads that are", rule->abort_usec, &t);
    text_addf(&t, ", and an export of %s may take %s", u->schedule->name,
              duration_to_string(u->schedule->finish_within_usec, span));
    return doctor_add(d, label, "lifecycle", CHECK_WARNING, text_get(&t), "lengthen the rule");
}

static int check_rule(Doctor *d, const LifecycleRule *rule, const BucketUse *u, const char *label) {
    int r = check_expiry(d, rule, u, label);
    r = r < 0 ? r : check_archive(d, rule, u, label);
    return r < 0 ? r : check_abort(d, rule, u, label);
}

static int say_all_is_well(Doctor *d, const DoctorBucket *b, Usec soonest_usec, const char *label) {
    AUTO_TEXT t = TEXT_INIT(256);
    if (soonest_usec == USEC_INFINITY)
        text_addf(&t, "%zu %s, and none deletes exports", b->rules.n_items, b->rules.n_items == 1 ? "rule" : "rules");
    else
        text_addf(&t,
                  "exports are deleted when they are %" PRId64 " days old; no schedule says that it wants them longer",
                  soonest_usec / USEC_PER_DAY);
    return doctor_add(d, label, "lifecycle", CHECK_OK, text_get(&t), NULL);
}

int doctor_check_lifecycle(Doctor *d, const DoctorBucket *b, const char *label) {
    size_t before = d->n_checks;
    Usec soonest_usec = USEC_INFINITY;
    for (size_t i = 0; i < b->rules.n_items; i++)
        for (size_t j = 0; j < d->aws.conf->n_schedules; j++) {
            const LifecycleRule *rule = &b->rules.items[i];
            const BucketUse *u = touched(b, rule, &d->aws.conf->schedules[j]);
            int r = u ? check_rule(d, rule, u, label) : 0;
            if (r < 0)
                return r;
            if (u)
                soonest_usec = usec_min(soonest_usec, rule->expire_usec);
        }
    return d->n_checks == before ? say_all_is_well(d, b, soonest_usec, label) : 0;
}
