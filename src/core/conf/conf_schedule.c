#include "core/conf/conf_schedule.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "core/conf/conf_blackout.h"
#include "core/conf/conf_check.h"
#include "core/conf/conf_keep.h"

/* Where the search for the shortest period begins: any day does, and the same one always gives the same answer. */
#define PERIOD_FROM_WALL (INT64_C(20454) * USEC_PER_DAY) /* 2026-01-01 */

/* The name of a backup is <deployment>.<schedule>.<slot>.<8 hex digits>, and DynamoDB takes 255 characters. */
_Static_assert(32 + 1 + 64 + 1 + DATE_COMPACT_SIZE - 1 + 1 + 8 <= 255, "the longest name of a backup fits");

void conf_schedule_done(ScheduleConf *s) {
    free(s->name);
    free(s->when_text);
    calendar_free(s->when);
    free(s->not_during);
    s3_conf_done(&s->s3);
    conf_keep_done(s);
    free(s->base);
    free(s->view_type);
}

const ScheduleConf *conf_schedule(const Conf *c, const char *name) {
    for (size_t i = 0; i < c->n_schedules; i++)
        if (strcmp(c->schedules[i].name, name) == 0)
            return &c->schedules[i];
    return NULL;
}

int conf_schedule_point(Text *t, const char *text, size_t position) {
    return position < strlen(text) ? text_addf(t, "at \"%.60s\", character %zu", text + position, position + 1)
                                   : text_add(t, "at its end");
}

static int read_when(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    CalendarError error = {.message = "is no calendar expression"};
    int r = calendar_parse(s->when_text, &s->when, &error);
    if (r != -EINVAL)
        return r;
    AUTO_TEXT where = TEXT_INIT(2048);
    conf_schedule_point(&where, s->when_text, error.position);
    return conf_reader_say(m, node,
                           "schedules.%s.when: \"%.200s\": %s, %s; HINT: such as \"02:00\", \"Sun 03:30\" or "
                           "\"*:0/15\"",
                           s->name, s->when_text, error.message, text_get(&where));
}

/* Zones are loaded once each and shared. */
static int find_zone(ConfReader *m, const char *name, const Zone **ret) {
    Conf *c = m->conf;
    for (size_t i = 0; i < c->n_zones; i++)
        if (strcmp(zone_name(c->zones[i]), name) == 0) {
            *ret = c->zones[i];
            return 0;
        }
    size_t n_room = c->n_zones;
    if (ARRAY_GROW(c->zones, c->n_zones, n_room) < 0)
        return -ENOMEM;
    int r = m->load_zone(m->context, name, &c->zones[c->n_zones]);
    if (r < 0)
        return r;
    *ret = c->zones[c->n_zones++];
    return 0;
}

static int read_zone(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "timezone"), *inherited = conf_tree_get(m->defaults, "timezone");
    const ConfTree *place = own ? own : inherited;
    const char *named = calendar_zone_name(s->when), *name = named ? named : place ? place->string : "UTC";
    if (place && (place->kind != CONF_STRING || !*place->string))
        return 0; /* said already */
    if (named && own && strcmp(own->string, named) != 0)
        return conf_reader_say(
            m, own,
            "schedules.%s.timezone: \"%.100s\" has no effect, for when names %.100s itself; HINT: take "
            "one of the two out",
            s->name, own->string, named);
    AUTO_FREE char *path = named || own ? text_format("schedules.%s.%s", s->name, named ? "when" : "timezone")
                                        : strdup("defaults.timezone");
    if (!path)
        return -ENOMEM;
    if (named || !place)
        place = conf_tree_get(node, "when");
    int r = find_zone(m, name, &s->zone);
    if (r == -ENOENT)
        return conf_reader_say(
            m, place,
            "%s: there is no time zone \"%.100s\"; HINT: an IANA name such as \"Europe/Berlin\", see "
            "timedatectl list-timezones",
            path, name);
    if (r < 0 && r != -ENOMEM)
        return conf_reader_say(m, place,
                               "%s: the time zone \"%.100s\" cannot be read; HINT: install the package tzdata again",
                               path, name);
    return r;
}

/* Does it come at all, and often enough apart for the spread? */
static int check_calendar(ConfReader *m, const ConfTree *node, const ScheduleConf *s) {
    char period_text[DURATION_SIZE];
    Usec first, period = calendar_shortest_period(s->when, s->zone, PERIOD_FROM_WALL);
    if (calendar_next(s->when, s->zone, 0, &first) == -ENOENT)
        return conf_reader_say(m, conf_tree_get(node, "when"),
                               "schedules.%s.when: \"%.200s\" never comes; HINT: is there such a day?", s->name,
                               s->when_text);
    const ConfTree *own = conf_tree_get(node, "spread"), *place = own ? own : conf_tree_get(m->defaults, "spread");
    if (!place || place->kind != CONF_STRING || s->spread_usec == 0 || s->spread_usec < period)
        return 0;
    return conf_reader_say(m, place,
                           "%s%s.spread: \"%.100s\" is not shorter than %s, the shortest time between two slots of "
                           "schedule %s; HINT: make it shorter",
                           own ? "schedules." : "", own ? s->name : "defaults", place->string,
                           duration_to_string(period, period_text), s->name);
}

static int check_verify(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "verify"), *again = conf_tree_get(node, "reverify");
    if (s->verify == VERIFY_SERVICE || s->action == ACTION_BACKUP) {
        if (again && s->reverify_usec > 0)
            return conf_reader_say(m, again,
                                   "schedules.%s.reverify: there is nothing to check again; HINT: %s", s->name,
                                   s->action == ACTION_BACKUP ? "it is for exports" : "set verify = \"objects\", too");
        s->reverify_usec = 0;
    }
    if (s->action != ACTION_BACKUP || s->verify == VERIFY_SERVICE)
        return 0;
    s->verify = VERIFY_SERVICE; /* what defaults say is meant for exports */
    return !own ? 0
                : conf_reader_say(m, own,
                                  "schedules.%s.verify: \"%s\" is for exports; HINT: take it out, of a backup DynamoDB "
                                  "shows nothing more",
                                  s->name, own->string);
}

static int check_s3(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *own = conf_tree_get(node, "s3"), *inherited = conf_tree_get(m->defaults, "s3");
    if (s->action == ACTION_BACKUP && own)
        return conf_reader_say(m, own,
                               "schedules.%s.s3: backups stay in DynamoDB; HINT: take it out, or use action = "
                               "\"export\"",
                               s->name);
    if (s->action == ACTION_BACKUP) {
        s3_conf_done(&s->s3);
        return 0;
    }
    if (!conf_tree_get(own, "bucket") && !conf_tree_get(inherited, "bucket") &&
        conf_reader_say(m, node,
                        "schedules.%s.s3.bucket: is missing; HINT: exports go to a bucket, s3 = { bucket = "
                        "\"...\"; };",
                        s->name) == -ENOMEM)
        return -ENOMEM;
    const ConfTree *sse = conf_tree_get(own, "sse_algorithm"), *key = conf_tree_get(own, "kms_key_id"),
                   *inherited_key = conf_tree_get(inherited, "kms_key_id");
    if (!s->s3.kms_key_id || text_equal(s->s3.sse_algorithm, "KMS"))
        return 0;
    if (!key && sse)
        return conf_reader_say(m, sse,
                               "schedules.%s.s3.sse_algorithm: leaves the kms_key_id of defaults.s3 without use; "
                               "HINT: take it back with kms_key_id = \"\"",
                               s->name);
    return conf_reader_say(m, key ? key : inherited_key,
                           "%s%s.s3.kms_key_id: goes with sse_algorithm = \"KMS\" alone; "
                           "HINT: set that, or take the key out",
                           key ? "schedules." : "", key ? s->name : "defaults");
}

/* What goes with incremental exports alone, or not with them. */
static int check_incremental(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    const ConfTree *catch_up = conf_tree_get(node, "catch_up");
    bool incremental = s->action == ACTION_INCREMENTAL;
    for (size_t i = 0; !incremental && i < conf_schema_size; i++) {
        const ConfTree *key = conf_schema[i].chains ? conf_tree_get(node, conf_schema[i].name) : NULL;
        if (key && conf_reader_say(m, key,
                                   "schedules.%s.%s: goes with action = \"incremental\" alone; HINT: take it out",
                                   s->name, conf_schema[i].name) == -ENOMEM)
            return -ENOMEM;
    }
    if (!incremental)
        return 0;
    if (!conf_tree_get(node, "base") && conf_reader_say(m, node,
                                                        "schedules.%s.base: is missing; HINT: chains begin with a full "
                                                        "export, base = \"...\", the name "
                                                        "of a schedule with action = \"export\"",
                                                        s->name) == -ENOMEM)
        return -ENOMEM;
    if (catch_up && s->catch_up == CATCH_UP_NONE)
        return conf_reader_say(m, catch_up,
                               "schedules.%s.catch_up: has no effect, for incremental exports cover all time that was "
                               "missed; HINT: take it out",
                               s->name);
    s->catch_up = CATCH_UP_LAST;
    return 0;
}

int conf_schedule_read(ConfReader *m, const ConfTree *node, ScheduleConf *s) {
    AUTO_TEXT why = TEXT_INIT(256);
    AUTO_FREE char *path = text_format("schedules.%s", node->key), *below = text_format("schedules.%s.", node->key);
    if (!path || !below || text_set(&s->name, node->key) < 0)
        return -ENOMEM;
    if (!check_schedule_name(s->name, &why))
        return conf_reader_say(m, node, "%.300s: the name %s; HINT: choose another", path, text_get(&why));
    if (!conf_reader_is_group(m, node, path))
        return -EINVAL;
    int r = conf_reader_section(m, CONF_SECTION_SCHEDULE, node, m->defaults, below, false, s);
    const ConfTree *when = conf_tree_get(node, "when"), *action = conf_tree_get(node, "action");
    if (r != -ENOMEM && s->when_text)
        r = read_when(m, when, s);
    if (r != -ENOMEM && s->when)
        r = read_zone(m, node, s);
    if (r != -ENOMEM && s->when && s->zone)
        r = check_calendar(m, node, s);
    if (r != -ENOMEM && s->zone)
        r = conf_blackout_read(m, node, s);
    /* what an action needs cannot be said while there is none */
    if (r != -ENOMEM && action && action->kind == CONF_STRING && action_from_string(action->string, &s->action) >= 0) {
        r = (r = check_verify(m, node, s)) < 0 ? r : check_s3(m, node, s);
        r = r == -ENOMEM ? r : check_incremental(m, node, s);
    }
    return r == -ENOMEM ? r : conf_keep_read(m, node, s);
}

int conf_schedules_check_bases(ConfReader *m, const ConfTree *node) {
    const char *names[CONF_SCHEDULES_MAX];
    int r = 0;
    for (size_t i = 0; i < m->conf->n_schedules; i++)
        names[i] = m->conf->schedules[i].name;
    for (size_t i = 0; r != -ENOMEM && i < m->conf->n_schedules; i++) {
        const ScheduleConf *s = &m->conf->schedules[i], *base = s->base ? conf_schedule(m->conf, s->base) : NULL;
        const ConfTree *place = conf_tree_get(node->children[i], "base");
        if (base && base->expire == EXPIRE_DELETE && s->action == ACTION_INCREMENTAL && s->verify == VERIFY_SERVICE)
            r = conf_reader_say(m, place,
                                "schedules.%s.base: exports of %s expire with their links, and these are not checked "
                                "in their bucket; HINT: set verify = \"manifest\", or more, here, too",
                                s->name, base->name);
        if (s->action != ACTION_INCREMENTAL || !s->base || (base && base->action == ACTION_EXPORT))
            continue;
        const char *nearest = base ? NULL : name_nearest(s->base, names, m->conf->n_schedules);
        if (base)
            r = conf_reader_say(m, place,
                                "schedules.%s.base: %s makes no full exports; HINT: name a schedule with action = "
                                "\"export\"",
                                s->name, base->name);
        else
            r = conf_reader_say(m, place, "schedules.%s.base: there is no schedule \"%.100s\"; HINT: %s%s%s", s->name,
                                s->base, nearest ? "did you mean \"" : "define it", nearest ? nearest : "",
                                nearest ? "\"?" : "");
    }
    return r;
}
