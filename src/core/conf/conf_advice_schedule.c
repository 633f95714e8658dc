/* What is said of a schedule. */

#include <string.h>

#include "base/parse.h"
#include "core/conf/conf_adviser.h"

/* So much of the calendar is looked at. */
#define LOOKED_AT_USEC (366 * USEC_PER_DAY)
#define LOOKED_AT_SLOTS 2000

/* Links last this long at least, and DynamoDB can restore a table to five minutes ago. */
#define LINK_USEC (15 * USEC_PER_MINUTE)
#define LINK_LAG_USEC (5 * USEC_PER_MINUTE)

#define OFTEN_USEC (5 * USEC_PER_MINUTE)

/* When it comes, as far as it was looked at. */
typedef struct Slots {
    size_t n, n_shut;   /* that not_during keeps from running */
    Usec shortest_usec; /* between two of them; USEC_INFINITY: there are not two */
    Usec longest_usec;  /* between two beginnings; 0: there are not two */
} Slots;

static bool waits_in_vain(const ScheduleConf *s, Usec slot, Usec open_wall) {
    return s->catch_up == CATCH_UP_NONE && open_wall > slot + s->spread_usec;
}

static void look_at_slots(const ScheduleConf *s, Usec now_wall, Slots *ret) {
    Slots found = {.shortest_usec = USEC_INFINITY};
    Usec slot = now_wall, last = now_wall, before = USEC_INFINITY;
    for (; found.n < LOOKED_AT_SLOTS && calendar_next(s->when, s->zone, slot, &slot) >= 0; last = slot) {
        Usec open_wall = blackouts_end(s->not_during, s->n_not_during, s->zone, slot);
        if (found.n++ > 0)
            found.shortest_usec = usec_min(found.shortest_usec, slot - last);
        if (waits_in_vain(s, slot, open_wall))
            found.n_shut++;
        else {
            if (before != USEC_INFINITY)
                found.longest_usec = usec_max(found.longest_usec, open_wall - before);
            before = open_wall;
        }
        if (slot > usec_add(now_wall, LOOKED_AT_USEC) && found.n > 1)
            break;
    }
    *ret = found;
}

/* --- when --- */

static void advise_often(ConfAdviser *a, const ScheduleConf *s, const ConfTree *when, Usec period) {
    char text[DURATION_SIZE];
    if (s->action == ACTION_INCREMENTAL || period >= OFTEN_USEC)
        return;
    conf_adviser_say(a, when,
                     "schedules.%s.when: \"%.200s\" comes again after %s, and each time makes a whole %s of every "
                     "table, which is billed; HINT: %s",
                     s->name, s->when_text, duration_to_string(period, text), action_to_string(s->action),
                     text_starts_with(s->when_text, "* ")
                         ? "a minute of \"*\" is every minute; \"0 2 * * *\" is once a day"
                         : "'ddbackupctl calendar' shows when it comes");
}

/* "02:00,14:00": hour, minutes and seconds, where two times of the day are meant. A zero for the seconds says nothing
 * else. */
static void advise_commas(ConfAdviser *a, const ScheduleConf *s, const ConfTree *when) {
    static const char digits[] = "0123456789";
    const char *text = s->when_text, *first = strchr(text, ':'), *hour = first;
    while (hour && hour > text && strchr(digits, hour[-1]))
        hour--;
    if (!first || hour == first)
        return;
    const char *minute = first + 1, *comma = minute + strspn(minute, digits);
    const char *second = *comma == ',' ? comma + 1 : comma, *colon = second + strspn(second, digits);
    if (minute == comma || second == comma || second == colon || strncmp(colon, ":00", 3) != 0)
        return;
    conf_adviser_say(a, when,
                     "schedules.%s.when: \"%.200s\" is the hour %.*s with the minutes %.*s; HINT: two hours are "
                     "written \"%.*s,%.*s:%.*s\"; else leave the seconds out",
                     s->name, text, (int)(first - hour), hour, (int)(colon - minute), minute,
                     (int)(first - hour), hour, (int)(colon - second), second, (int)(comma - minute), minute);
}

static bool advise_when(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node, const Slots *slots) {
    const ConfTree *when = conf_tree_get(node, "when");
    if (slots->n == 0) {
        conf_adviser_say(a, when,
                         "schedules.%s.when: \"%.200s\" is over, and nothing is done any more; HINT: '*' stands for "
                         "every year, month or day; else take the schedule out",
                         s->name, s->when_text);
        return false;
    }
    if (slots->n_shut == slots->n) {
        conf_adviser_say(a, when,
                         "schedules.%s.when: \"%.200s\" always falls into not_during, and with catch_up = \"none\" "
                         "nothing is done at its end; HINT: set catch_up = \"last\", or another time",
                         s->name, s->when_text);
        return false;
    }
    advise_often(a, s, when, slots->shortest_usec);
    advise_commas(a, s, when);
    return true;
}

/* --- max_age --- */

/* What leaves room for a run that takes its time. */
static Usec suggest_age(Usec longest_usec) {
    bool often = longest_usec < 6 * USEC_PER_HOUR, rarely = longest_usec >= 3 * USEC_PER_DAY;
    Usec unit = often ? USEC_PER_MINUTE : rarely ? USEC_PER_DAY : USEC_PER_HOUR;
    Usec age = often ? 2 * longest_usec + 30 * USEC_PER_MINUTE : longest_usec + longest_usec / 8;
    return (age + unit - 1) / unit * unit;
}

static void advise_max_age(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node, const Slots *slots) {
    char longest_text[DURATION_SIZE], age[DURATION_SIZE];
    bool chain = s->action == ACTION_INCREMENTAL;
    Usec longest = chain ? usec_max(slots->longest_usec, LINK_USEC) + LINK_LAG_USEC : slots->longest_usec;
    if (s->max_age_usec == 0 || slots->longest_usec == 0 || s->max_age_usec > longest)
        return;
    const ConfTree *own = conf_tree_get(node, "max_age"), *place = own ? own : conf_tree_get(a->defaults, "max_age");
    conf_adviser_say(a, place,
                     "%s%s.max_age: \"%.100s\" is not longer than %s, the longest time between two slots of schedule "
                     "%s%s, so that its tables would be stale in between; HINT: such as max_age = \"%s\"%s%s",
                     own ? "schedules." : "", own ? s->name : "defaults", place->string,
                     duration_to_string(longest, longest_text), s->name,
                     chain ? " and the five minutes after which they can be exported" : "",
                     duration_to_string(suggest_age(longest), age), own ? "" : " in schedules.", own ? "" : s->name);
}

/* --- deadlines --- */

static void advise_deadlines(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node) {
    const ConfTree *own = conf_tree_get(node, "warn_after");
    char finish[DURATION_SIZE];
    if (own && s->warn_after_usec > 0 && s->warn_after_usec >= s->finish_within_usec)
        conf_adviser_say(a, own,
                         "schedules.%s.warn_after: \"%.100s\" never comes, for a run has failed after %s; HINT: make "
                         "it shorter than finish_within",
                         s->name, own->string, duration_to_string(s->finish_within_usec, finish));
}

/* --- retention --- */

/* Would no rule ever want a second artefact? */
static bool keeps_one(const ScheduleConf *s, const Slots *slots) {
    const RetentionKeep *k = &s->keep;
    int most = int_max(int_max(int_max(k->last, k->hourly), int_max(k->daily, k->weekly)),
                       int_max(k->monthly, k->yearly));
    return retention_keep_is_set(k) && most <= 1 && k->floor <= 1 &&
           (k->within_usec == 0 || (slots->longest_usec > 0 && k->within_usec < slots->longest_usec));
}

static void advise_keep(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node, const Slots *slots) {
    const ConfTree *keep = conf_tree_get(node, "keep"), *expire = conf_tree_get(node, "expire"),
                   *inherited = conf_tree_get(a->defaults, "expire");
    bool sets_rule = keep && retention_keep_is_set(&s->keep);
    if (s->action == ACTION_INCREMENTAL) {
        if (sets_rule)
            conf_adviser_say(a, keep,
                             "schedules.%s.keep: has no effect, for links go with the export that their chain begins "
                             "with; HINT: set it in schedules.%s",
                             s->name, s->base);
        return;
    }
    if (sets_rule && !expire && !inherited)
        conf_adviser_say(a, keep,
                         "schedules.%s.keep: deletes nothing, for expire is not set, and what keep does not want is "
                         "only reported; HINT: set expire = \"delete\", or expire = \"report\" if that is meant",
                         s->name);
    if (expire && s->expire == EXPIRE_DELETE && !retention_keep_is_set(&s->keep))
        conf_adviser_say(a, expire,
                         "schedules.%s.expire: deletes nothing, for keep has no rule above 0 and so wants everything; "
                         "HINT: say what to keep, such as keep = { last = 7; }",
                         s->name);
    if (!expire && inherited && text_equal(inherited->string, "delete") && s->expire == EXPIRE_REPORT &&
        retention_keep_is_set(&s->keep))
        conf_adviser_say(a, inherited,
                         "defaults.expire: deletes nothing of schedule %s, whose exports are not checked in their "
                         "bucket; HINT: set verify = \"manifest\", or more, there, or expire = \"report\" if that is "
                         "meant",
                         s->name);
    if (s->expire == EXPIRE_DELETE && keeps_one(s, slots) && !conf_tree_get(keep, "floor") &&
        !conf_tree_get(conf_tree_get(a->defaults, "keep"), "floor"))
        conf_adviser_say(a, keep ? keep : conf_tree_get(a->defaults, "keep"),
                         "%s%s.keep: keeps nothing but the newest %s of a table, which may have what it should save "
                         "from; HINT: keep more, or set floor = 1 if that is meant",
                         keep ? "schedules." : "", keep ? s->name : "defaults", action_to_string(s->action));
}

void conf_advise_schedule(ConfAdviser *a, const ScheduleConf *s, const ConfTree *node) {
    Slots slots;
    look_at_slots(s, a->now_wall, &slots);
    if (advise_when(a, s, node, &slots))
        advise_max_age(a, s, node, &slots);
    advise_deadlines(a, s, node);
    advise_keep(a, s, node, &slots);
}
