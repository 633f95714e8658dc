#include "core/run/enrol.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* First sight: nothing that was due before it runs. A changed calendar is seen for the first time, too. */
static int set_schedule(Enrolment *e, const ScheduleConf *s, Now now) {
    AUTO_FREE char *when = text_format("%s in %s", s->when_text, zone_name(s->zone));
    if (!when)
        return -ENOMEM;
    e->schedule = s;
    e->changed |= e->max_age_usec != s->max_age_usec;
    e->max_age_usec = s->max_age_usec;
    bool first = e->first_seen_wall == WALL_UNKNOWN;
    if (first)
        e->first_seen_wall = now.wall;
    if (text_equal(e->when, when))
        return 0;
    /* a ledger older than this field has a cursor and no `when`: it goes on */
    if (first || e->when)
        e->cursor_wall = usec_max(e->cursor_wall, now.wall);
    free(e->when);
    e->when = TAKE_PTR(when);
    e->changed = true;
    return 0;
}

/* Under another name it is as fresh as it was. */
static void inherit(const Target *t, const ScheduleConf *s, Enrolment *e) {
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (conf_schedule_is(s, t->enrolments[i]->schedule_name))
            e->newest_wall = usec_max(e->newest_wall, t->enrolments[i]->newest_wall);
}

int enrol_schedules(const Target *t, const Conf *conf, const TableFacts *facts, const ScheduleConf ***ret,
                    size_t *ret_n) {
    AUTO_FREE const ScheduleConf **found = calloc(conf->n_schedules + t->n_enrolments + 1, sizeof *found);
    if (!found)
        return -ENOMEM;
    size_t n = conf_schedules_of(conf, facts, found, conf->n_schedules);
    for (size_t i = 0; !facts->tags && i < t->n_enrolments; i++) {
        const ScheduleConf *s = t->enrolments[i]->active ? conf_schedule(conf, t->enrolments[i]->schedule_name) : NULL;
        bool has = !s;
        for (size_t j = 0; !has && j < n; j++)
            has = found[j] == s;
        if (!has && conf_tags_may_give(conf, facts, s))
            found[n++] = s;
    }
    *ret = TAKE_PTR(found);
    *ret_n = n;
    return 0;
}

/* `facts` of a table that is not there are NULL. */
static int update_target(Target *t, const Conf *conf, const TableFacts *facts, Now now, EnrolNews news, void *context) {
    AUTO_FREE const ScheduleConf **schedules = NULL;
    size_t n = 0;
    int r = facts ? enrol_schedules(t, conf, facts, &schedules, &n) : 0;
    if (r < 0)
        return r;
    for (size_t i = 0; i < t->n_enrolments; i++) {
        Enrolment *e = t->enrolments[i];
        bool wanted = false;
        for (size_t j = 0; j < n; j++)
            wanted |= strcmp(schedules[j]->name, e->schedule_name) == 0;
        if (wanted || !e->active)
            continue;
        e->schedule = NULL;
        e->active = false;
        e->changed = true;
        if ((r = news(context, e, false)) < 0)
            return r;
    }
    for (size_t j = 0; j < n; j++) {
        Enrolment *e = target_enrolment(t, schedules[j]->name);
        r = e ? 0 : target_enrol(t, schedules[j]->name, &e);
        if (r < 0 || (r = set_schedule(e, schedules[j], now)) < 0)
            return r;
        if (e->active)
            continue;
        inherit(t, schedules[j], e);
        /* back after a pause: what was due meanwhile was not wanted then */
        e->cursor_wall = usec_max(e->cursor_wall, now.wall);
        e->active = true;
        e->changed = true;
        if ((r = news(context, e, true)) < 0)
            return r;
    }
    t->selected = n > 0;
    return 0;
}

static bool is_named(const char *const *names, size_t n_names, const char *table) {
    size_t low = 0, high = n_names;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = strcmp(names[middle], table);
        if (c == 0)
            return true;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The targets of a place that are to be there. */
static int ensure(Targets *targets, const Conf *conf, const Place *p, const char *const *names, size_t n_names) {
    Target *t;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < n_names; i++)
        r = targets_ensure(targets, p->account, p->region, names[i], &t);
    for (size_t i = 0; r >= 0 && p->has_listing && i < p->discovery.n_names; i++) {
        TableFacts facts = place_facts(p, p->discovery.names[i], NULL);
        if (conf_schedules_of(conf, &facts, NULL, 0) > 0)
            r = targets_ensure(targets, p->account, p->region, p->discovery.names[i], &t);
    }
    return r;
}

static int update_place(Targets *targets, const Conf *conf, const Place *p, Now now, EnrolNews news, void *context) {
    AUTO_FREE const char **names = NULL;
    size_t n_names = 0;
    TableFacts facts = place_facts(p, NULL, NULL);
    int r = conf_named_tables(conf, &facts, &names, &n_names);
    if (r >= 0)
        r = ensure(targets, conf, p, names, n_names);
    for (size_t i = 0; r >= 0 && i < targets->n_items; i++) {
        Target *t = targets->items[i];
        if (strcmp(t->account, p->account) != 0 || strcmp(t->region, p->region) != 0)
            continue;
        bool exists = p->has_listing ? discovery_has(&p->discovery, t->table) : t->selected;
        exists |= is_named(names, n_names, t->table);
        facts = place_facts(p, t->table, t->table_arn);
        r = update_target(t, conf, exists ? &facts : NULL, now, news, context);
    }
    return r;
}

int enrol_table(Targets *targets, const Conf *conf, const Place *p, const char *table, Now now, EnrolNews news,
                void *context, Target **ret) {
    TableFacts facts = place_facts(p, table, NULL);
    Target *t = targets_find(targets, p->account, p->region, table);
    int r = 0;
    if (!t && conf_schedules_of(conf, &facts, NULL, 0) > 0)
        r = targets_ensure(targets, p->account, p->region, table, &t);
    if (r < 0 || !t)
        return r;
    facts = place_facts(p, table, t->table_arn);
    *ret = t;
    return update_target(t, conf, &facts, now, news, context);
}

int enrol_update(Targets *targets, const Conf *conf, const Places *places, Now now, EnrolNews news, void *context) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < places->n_items; i++)
        r = update_place(targets, conf, &places->items[i], now, news, context);
    for (size_t i = 0; r >= 0 && i < targets->n_items; i++) {
        Target *t = targets->items[i];
        if (!places_find(places, t->account, t->region))
            r = update_target(t, conf, NULL, now, news, context);
    }
    return r;
}
