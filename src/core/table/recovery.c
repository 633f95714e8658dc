#include "core/table/recovery.h"

/* A window begins at most so long before we could have seen it: clocks differ, and enabling takes a while. */
#define SLACK_USEC (5 * USEC_PER_MINUTE)

static PitrWish wish_of(const ScheduleConf *s) {
    if (s->pitr != PITR_UNSET)
        return s->pitr;
    return s->action == ACTION_BACKUP ? PITR_IGNORE : PITR_REQUIRE;
}

PitrWish recovery_wish(const Target *t) {
    PitrWish wish = PITR_IGNORE;
    for (size_t i = 0; i < t->n_enrolments; i++) {
        const Enrolment *e = t->enrolments[i];
        if (e->schedule && wish_of(e->schedule) > wish)
            wish = wish_of(e->schedule);
    }
    return wish;
}

static RecoveryNews compare(const Target *t, const RecoveryInfo *info) {
    switch (t->recovery) {
    case RECOVERY_UNKNOWN:
        return info->pitr_enabled ? RECOVERY_NEWS_NONE : RECOVERY_NEWS_OFF;
    case RECOVERY_OFF:
        return info->pitr_enabled ? RECOVERY_NEWS_BACK : RECOVERY_NEWS_NONE;
    case RECOVERY_ON:
        break;
    }
    if (!info->pitr_enabled)
        return RECOVERY_NEWS_LOST;
    return info->earliest_wall > t->recovery_wall + SLACK_USEC ? RECOVERY_NEWS_RESTARTED : RECOVERY_NEWS_NONE;
}

RecoveryNews recovery_take(Target *t, const RecoveryInfo *info, Usec now_wall) {
    RecoveryNews news = compare(t, info);
    t->recovery = info->pitr_enabled ? RECOVERY_ON : RECOVERY_OFF;
    t->recovery_wall = now_wall;
    t->changed = true;
    return news;
}
