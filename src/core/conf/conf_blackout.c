#include "core/conf/conf_blackout.h"

#include <errno.h>
#include <string.h>

#include "core/conf/conf_schedule.h"

/* Any day does to see whether there is an end: they come every week. */
#define FROM_WALL (INT64_C(20454) * USEC_PER_DAY)

static int read_one(ConfReader *m, const ConfTree *text, const char *path, Blackout *ret) {
    CalendarError error = {.message = "is no span of the week"};
    AUTO_TEXT where = TEXT_INIT(2048);
    int r = blackout_from_string(text->string, ret, &error);
    if (r != -EINVAL)
        return r;
    conf_schedule_point(&where, text->string, error.position);
    return conf_reader_say(m, text,
                           "%s: \"%.200s\": %s, %s; HINT: such as \"Mon..Fri 08:00..18:00\" or \"22:00..02:00\"", path,
                           text->string, error.message, text_get(&where));
}

int conf_blackout_read(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "not_during");
    const ConfTree *list = own ? own : conf_tree_get(m->defaults, "not_during");
    bool single = list && list->kind == CONF_STRING;
    size_t n = single ? 1 : list && list->kind == CONF_LIST ? list->n_children : 0;
    if (n == 0)
        return 0;
    AUTO_FREE char *path = own ? text_format("schedules.%s.not_during", s->name) : strdup("defaults.not_during");
    s->not_during = calloc(n, sizeof *s->not_during);
    if (!path || !s->not_during)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const ConfTree *text = single ? list : list->children[i];
        if (text->kind != CONF_STRING || !*text->string)
            return 0; /* said already */
        int r = read_one(m, text, path, &s->not_during[s->n_not_during]);
        if (r < 0)
            return r;
        s->n_not_during++;
    }
    if (blackouts_end(s->not_during, s->n_not_during, s->zone, FROM_WALL) < USEC_INFINITY)
        return 0;
    return conf_reader_say(
        m, list, "%s: holds at every time, so that nothing would ever begin; HINT: leave some of the week", path);
}
