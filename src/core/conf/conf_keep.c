#include "core/conf/conf_keep.h"

#include <errno.h>
#include <string.h>

void conf_keep_done(ScheduleConf *s) {
    for (size_t i = 0; i < s->n_formerly; i++)
        free(s->formerly[i]);
    free(s->formerly);
}

bool conf_schedule_is(const ScheduleConf *s, const char *name) {
    if (strcmp(s->name, name) == 0)
        return true;
    for (size_t i = 0; i < s->n_formerly; i++)
        if (strcmp(s->formerly[i], name) == 0)
            return true;
    return false;
}

/* The names that are good; what is wrong with others was said. */
static int read_formerly(ScheduleConf *s, const ConfTree *list) {
    bool single = list && list->kind == CONF_STRING;
    size_t n = single ? 1 : list && list->kind == CONF_LIST ? list->n_children : 0;
    if (n == 0)
        return 0;
    s->formerly = calloc(n, sizeof *s->formerly);
    if (!s->formerly)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const ConfTree *name = single ? list : list->children[i];
        if (name->kind == CONF_STRING && text_set(&s->formerly[s->n_formerly++], name->string) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* A group that names no rule was meant otherwise; one that sets them to 0 means it. */
static int check_rules(ConfReader *m, const ConfTree *node, const ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "keep");
    if (!own || own->n_children > (conf_tree_get(own, "floor") != NULL) || retention_keep_is_set(&s->keep))
        return 0;
    return conf_reader_say(m, own,
                           "schedules.%s.keep: has no rule; HINT: say what to keep, such as last = 7, or leave keep "
                           "out to keep everything",
                           s->name);
}

/* What a schedule inherits is not its mistake: it holds where it can. */
static int check_expire(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "expire");
    if (s->expire != EXPIRE_DELETE)
        return 0;
    if (own && s->action == ACTION_INCREMENTAL)
        return conf_reader_say(m, own,
                               "schedules.%s.expire: links go with the export that their chain begins with; HINT: take "
                               "it out, and set it in the schedule that base names",
                               s->name);
    if (own && s->action == ACTION_EXPORT && s->verify == VERIFY_SERVICE)
        return conf_reader_say(m, own,
                               "schedules.%s.expire: only exports that were checked in their bucket are deleted; HINT: "
                               "set verify = \"manifest\", or more, too",
                               s->name);
    if (own && !conf_tree_get(node, "keep") && !conf_tree_get(m->defaults, "keep"))
        return conf_reader_say(m, own,
                               "schedules.%s.expire: without keep nothing is deleted; HINT: say what to keep, keep = { "
                               "last = 7; }",
                               s->name);
    if (s->action == ACTION_INCREMENTAL || (s->action == ACTION_EXPORT && s->verify == VERIFY_SERVICE))
        s->expire = EXPIRE_REPORT;
    return 0;
}

int conf_keep_read(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    int r = read_formerly(s, conf_tree_get(node, "formerly"));
    if (r >= 0 && !m->bad)
        r = check_rules(m, node, s);
    if (r != -ENOMEM && !m->bad)
        r = check_expire(m, node, s);
    return r;
}

/* Two schedules that keep the same artefacts would each delete what the other wants. */
int conf_keep_check_names(ConfReader *m, const ConfTree *schedules) {
    const Conf *c = m->conf;
    int r = 0;
    for (size_t i = 0; i < c->n_schedules; i++)
        for (size_t j = 0; j < c->schedules[i].n_formerly; j++) {
            const char *name = c->schedules[i].formerly[j];
            const ConfTree *place = conf_tree_get(schedules->children[i], "formerly");
            if (conf_schedule(c, name))
                r = conf_reader_say(m, place,
                                    "schedules.%s.formerly: \"%.100s\" is the name of a schedule; HINT: what two "
                                    "schedules made stays apart: take it out",
                                    c->schedules[i].name, name);
            for (size_t k = 0; r != -ENOMEM && k < i; k++)
                if (conf_schedule_is(&c->schedules[k], name) && !conf_schedule(c, name))
                    r = conf_reader_say(m, place,
                                        "schedules.%s.formerly: \"%.100s\" is a former name of %s, too; HINT: keep "
                                        "one of the two",
                                        c->schedules[i].name, name, c->schedules[k].name);
            if (r == -ENOMEM)
                return r;
        }
    return r;
}
