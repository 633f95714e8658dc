/* For monitoring: the plugin interface of Nagios and its kin. */

#include <string.h>

#include "ctl/situation_json.h"
#include "ctl/verbs.h"
#include "ctl/words.h"

static const char *const words[] = {[LEVEL_OK] = "OK", [LEVEL_WARNING] = "WARNING", [LEVEL_CRITICAL] = "CRITICAL"};

#define WORST_NAMED 3

/* The exit status of a level is its place in the enum. */
static int exit_status(Level l) { return (int)l; }

/* 'label'=value;warn;crit;min: a range "0" alarms above zero. */
static void add_perfdata(const Situation *s, Text *out) {
    text_addf(out, "enrolments=%zu;;;0 fresh=%zu;;;0 stale=%zu;;0;0 pending=%zu;0;;0 unwatched=%zu;;;0", s->n_standings,
              s->n.fresh, s->n.stale, s->n.pending, s->n.unwatched);
    text_addf(out, " not_enrolled=%zu;0;;0 failed=%zu;0;;0 under_way=%zu;;;0 uncertain=%zu;0;;0 late=%zu;0;;0",
              s->n.not_enrolled, s->n.failed, s->n_unsettled, s->n.uncertain, s->n.late);
    text_addf(out, " overdue=%zu;;0;0 troubles=%zu;0;;0", s->n.overdue, s->n.troubles);
    if (s->oldest_usec != WALL_UNKNOWN)
        text_addf(out, " oldest=%llds;;;0", (long long)(s->oldest_usec / USEC_PER_SEC));
}

/* '|' begins the performance data: it stands nowhere else. */
static void add_plain(Text *out, const char *s) {
    AUTO_TEXT clean = TEXT_INIT(65536);
    words_add(&clean, s);
    for (size_t i = 0; i < clean.len; i++)
        if (clean.data[i] == '|')
            clean.data[i] = '/';
    text_add(out, text_get(&clean));
}

/* The first line alone may be what reaches a pager: it names the worst enrolments or, where it is none of them, says
 * what the worst problem is. */
static void add_worst(const Situation *s, Text *out) {
    size_t n = 0;
    while (n < s->n_standings && s->standings[n].level != LEVEL_OK)
        n++;
    for (size_t i = 0; i < n && i < WORST_NAMED; i++) {
        const Enrolment *e = s->standings[i].enrolment;
        text_add(out, i == 0 ? ": " : ", ");
        words_label(out, s->qualified, e->target->account, e->target->region, e->target->table);
        text_addf(out, "/%s", e->schedule_name);
    }
    if (n > WORST_NAMED)
        text_addf(out, " and %zu more", n - WORST_NAMED);
    if (n == 0 && s->level != LEVEL_OK && s->daemon == DAEMON_RUNNING) {
        const char *text = s->problems[0].text, *hint = strstr(text, "; HINT: ");
        AUTO_FREE char *worst = hint ? strndup(text, (size_t)(hint - text)) : NULL;
        text_add(out, ": ");
        add_plain(out, worst ? worst : text);
    }
}

static void print_people(const Situation *s, Text *out) {
    text_addf(out, "DDBACKUPD %s - ", words[s->level]);
    situation_summary(s, out);
    add_worst(s, out);
    text_add(out, "|");
    add_perfdata(s, out);
    text_add_char(out, '\n');
    for (size_t i = 0; i < s->n_problems; i++) {
        text_addf(out, "%s: ", words[s->problems[i].level]);
        add_plain(out, s->problems[i].text);
        text_add_char(out, '\n');
    }
}

static void print_json(Level level, const char *summary, const Situation *s, Text *out) {
    Json j = {.out = out};
    json_open(&j, NULL, '{');
    json_wall(&j, "now", s->now_wall);
    json_string(&j, "level", level_to_string(level));
    json_int(&j, "exit_status", exit_status(level));
    json_string(&j, "summary", summary);
    json_string(&j, "daemon", daemon_to_string(s->daemon));
    situation_json_counts(&j, s);
    situation_json_problems(&j, s);
    json_close(&j, '}');
    text_add_char(out, '\n');
}

/* A ledger that cannot be read leaves everything unknown, and unknown is critical. */
static int print_unknown(const CtlOptions *o, Usec now_wall, const char *error, Text *out) {
    AUTO_TEXT summary = TEXT_INIT(8192);
    text_addf(&summary, "not known: %s", error ? error : "out of memory");
    if (o->json) {
        Situation nothing = {.now_wall = now_wall, .daemon = store_read_daemon(o->state_directory)};
        print_json(LEVEL_CRITICAL, text_get(&summary), &nothing, out);
    } else {
        text_add(out, "DDBACKUPD CRITICAL - ");
        add_plain(out, text_get(&summary));
        text_add_char(out, '\n');
    }
    return exit_status(LEVEL_CRITICAL);
}

int verb_check(const CtlOptions *o, Usec now_wall, Text *out) {
    CLEANUP(situation_done) Situation s = {};
    AUTO_FREE char *error = NULL;
    AUTO_TEXT summary = TEXT_INIT(4096);
    if (situation_load(o, now_wall, &s, &error) < 0)
        return print_unknown(o, now_wall, error, out);
    situation_summary(&s, &summary);
    if (o->json)
        print_json(s.level, text_get(&summary), &s, out);
    else
        print_people(&s, out);
    return exit_status(s.level);
}
