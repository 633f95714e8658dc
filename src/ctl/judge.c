#include "ctl/judge.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "ctl/words.h"

#define PROBLEM_MAX 8192

int judge_add(Situation *s, Level level, Text *t) {
    AUTO_FREE char *text = NULL;
    int r = text_take(t, &text);
    if (r < 0 || (r = ARRAY_GROW(s->problems, s->n_problems, s->n_problems_room)) < 0)
        return r;
    size_t i = s->n_problems++;
    for (; i > 0 && s->problems[i - 1].level < level; i--)
        s->problems[i] = s->problems[i - 1];
    s->problems[i] = (Problem){.level = level, .text = TAKE_PTR(text)};
    if (level > s->level)
        s->level = level;
    return 0;
}

static int plain_problem(Situation *s, Level level, const char *text) {
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    text_add(&t, text);
    return judge_add(s, level, &t);
}

static void name_enrolment(const Situation *s, const Enrolment *e, Text *t) {
    words_label(t, s->qualified, e->target->account, e->target->region, e->target->table);
    text_addf(t, "/%s: ", e->schedule_name);
}

static void hint_list(const Situation *s, const Enrolment *e, Text *t) {
    text_add(t, "; HINT: 'ddbackupctl list --table ");
    words_label(t, s->qualified, e->target->account, e->target->region, e->target->table);
    text_addf(t, " --schedule %s' shows what became of its runs", e->schedule_name);
}

/* Freshness in words; nothing for a fresh one. */
static Level tell_freshness(const Situation *s, const Standing *standing, Text *t) {
    const Enrolment *e = standing->enrolment;
    char age[DURATION_SIZE], max[DURATION_SIZE];
    duration_to_string(e->max_age_usec, max);
    switch (standing->freshness) {
    case FRESH_STALE:
        if (e->newest_wall == WALL_UNKNOWN)
            text_addf(t, "stale: it has made no verified artefact since it was enrolled %s ago, and max_age is %s",
                      words_age(s->now_wall - e->first_seen_wall, age), max);
        else
            text_addf(t, "stale: the newest verified artefact is %s old, and max_age is %s",
                      words_age(s->now_wall - e->newest_wall, age), max);
        return LEVEL_CRITICAL;
    case FRESH_PENDING:
        text_addf(t, "nothing verified yet; enrolled %s ago, and max_age is %s",
                  words_age(s->now_wall - e->first_seen_wall, age), max);
        return LEVEL_WARNING;
    case FRESH_UNWATCHED:
        if (e->newest_wall != WALL_UNKNOWN)
            return LEVEL_OK;
        text_add(t, "nothing verified yet, and no max_age says for how long that is all right");
        return LEVEL_WARNING;
    case FRESH_YES:
        break;
    }
    return LEVEL_OK;
}

static bool did_not_succeed(const Run *r) { return r && (r->state == RUN_FAILED || r->state == RUN_SKIPPED); }

static void count_enrolment(Situation *s, const Standing *standing) {
    const Enrolment *e = standing->enrolment;
    s->n.fresh += standing->freshness == FRESH_YES;
    s->n.stale += standing->freshness == FRESH_STALE;
    s->n.pending += standing->freshness == FRESH_PENDING;
    s->n.unwatched += standing->freshness == FRESH_UNWATCHED;
    s->n.failed += did_not_succeed(standing->latest);
    if (standing->freshness != FRESH_UNWATCHED && e->newest_wall != WALL_UNKNOWN)
        s->oldest_usec = usec_max(s->oldest_usec, usec_max(0, s->now_wall - e->newest_wall));
}

static int judge_enrolment(Situation *s, Standing *standing) {
    const Enrolment *e = standing->enrolment;
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    standing->freshness = freshness_of(e, s->now_wall);
    count_enrolment(s, standing);
    name_enrolment(s, e, &t);
    standing->level = tell_freshness(s, standing, &t);
    if (did_not_succeed(standing->latest)) {
        char slot[DATE_ISO_SIZE];
        if (standing->level != LEVEL_OK)
            text_add(&t, "; ");
        text_addf(&t, "the newest run %s (%s, run %lld): ",
                  standing->latest->state == RUN_SKIPPED ? "was skipped" : "failed",
                  words_time(standing->latest->slot_wall, slot), (long long)standing->latest->id);
        words_reason(&t, standing->latest);
        if (standing->level == LEVEL_OK)
            standing->level = LEVEL_WARNING;
    } else if (standing->freshness == FRESH_STALE)
        hint_list(s, e, &t);
    return standing->level == LEVEL_OK ? t.error : judge_add(s, standing->level, &t);
}

/* A table whose enrolments are all without max_age: whether it is protected is not known. Enrolments of a target stand
 * together. */
static int judge_tables(Situation *s) {
    int r = 0;
    for (size_t i = 0, next; r >= 0 && i < s->n_standings; i = next) {
        const Target *t = s->standings[i].enrolment->target;
        bool watched = false;
        for (next = i; next < s->n_standings && s->standings[next].enrolment->target == t; next++)
            watched |= s->standings[next].freshness != FRESH_UNWATCHED;
        s->n.tables++;
        if (watched)
            continue;
        s->n.unwatched_tables++;
        AUTO_TEXT text = TEXT_INIT(PROBLEM_MAX);
        words_label(&text, s->qualified, t->account, t->region, t->table);
        text_add(&text, ": no schedule of it has a max_age, so nothing says when it is too old; HINT: set max_age");
        r = judge_add(s, LEVEL_WARNING, &text);
    }
    return r;
}

/* Is it selected, as far as the ledger knows, by what was asked about? Enrolments of a target stand together. */
static int judge_existence(Situation *s) {
    int r = 0;
    for (size_t i = 0, next; r >= 0 && i < s->n_standings; i = next) {
        const Target *t = s->standings[i].enrolment->target;
        AUTO_TEXT text = TEXT_INIT(PROBLEM_MAX);
        char since[DATE_ISO_SIZE];
        for (next = i; next < s->n_standings && s->standings[next].enrolment->target == t; next++)
            ;
        words_label(&text, s->qualified, t->account, t->region, t->table);
        if (t->gone_wall != WALL_UNKNOWN) {
            text_addf(&text,
                      ": the table does not exist, and did not when it was looked for at %s; HINT: correct its name, "
                      "or take it out of tables",
                      words_time(t->gone_wall, since));
            s->n.gone++;
            r = judge_add(s, LEVEL_CRITICAL, &text);
        } else if (t->recovery == RECOVERY_OFF) {
            text_addf(&text, ": point-in-time recovery is off, and a schedule wants it; HINT: switch it on (billed), "
                             "or pitr = \"enable\"");
            s->n.unrecoverable++;
            r = judge_add(s, LEVEL_WARNING, &text);
        }
    }
    return r;
}

static int judge_run(Situation *s, const Run *r) {
    bool starting = r->state == RUN_DUE || r->state == RUN_INTENDED;
    Usec by = starting ? usec_min(r->start_by_wall, r->finish_by_wall) : r->finish_by_wall;
    bool overdue = s->now_wall >= usec_add(by, JUDGE_OVERDUE_USEC);
    bool late = r->warned || s->now_wall >= r->warn_at_wall;
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    char age[DURATION_SIZE], slot[DATE_ISO_SIZE];
    s->n.uncertain += r->state == RUN_UNCERTAIN;
    s->n.late += late;
    s->n.overdue += overdue;
    if (!overdue && !late && r->state != RUN_UNCERTAIN)
        return 0;
    words_label(&t, s->qualified, r->account, r->region, r->table);
    text_addf(&t, "/%s: run %lld (%s) ", r->schedule, (long long)r->id, words_time(r->slot_wall, slot));
    if (overdue)
        text_addf(&t, "is still %s %s after its deadline: the daemon does not act; HINT: systemctl status ddbackupd",
                  run_state_to_string(r->state), words_age(s->now_wall - by, age));
    else {
        text_addf(&t, "is %s%s, due %s ago", late ? "late: " : "", run_state_to_string(r->state),
                  words_age(s->now_wall - r->due_wall, age));
        if (r->why || r->hint)
            text_add(&t, ": ");
        words_reason(&t, r);
    }
    return judge_add(s, overdue ? LEVEL_CRITICAL : LEVEL_WARNING, &t);
}

static bool is_paused(const Situation *s) { return s->now_wall < s->pause.until_wall; }

static int judge_pause(Situation *s) {
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    char since[DATE_ISO_SIZE], until[DATE_ISO_SIZE];
    if (!is_paused(s))
        return 0;
    text_addf(&t, "paused by %s since %s, until %s", s->pause.who, words_time(s->pause.since_wall, since),
              words_time(s->pause.until_wall, until));
    if (s->pause.why) {
        text_add(&t, ": ");
        words_add(&t, s->pause.why);
    }
    text_add(&t, "; nothing new starts; HINT: 'ddbackupctl resume' ends it");
    return judge_add(s, LEVEL_WARNING, &t);
}

/* Does it matter to what was asked about? */
static bool concerns(const Situation *s, const VoiceTrouble *t) {
    bool found = !t->account;
    for (size_t i = 0; !found && i < s->n_standings; i++) {
        const Target *target = s->standings[i].enrolment->target;
        found = strcmp(target->account, t->account) == 0 && (!t->region || strcmp(target->region, t->region) == 0);
    }
    return found || s->n_standings == 0;
}

/* What it says itself: while it lasts, nothing that falls due is made. */
static int judge_voice(Situation *s) {
    AUTO_TEXT refused = TEXT_INIT(PROBLEM_MAX);
    int r = 0;
    if (s->voice.heard == VOICE_SILENT) {
        s->n.troubles++;
        r = plain_problem(s, LEVEL_WARNING,
                          "the daemon runs and does not answer; HINT: 'systemctl status ddbackupd' and the journal say "
                          "what it is at; the watchdog ends one that hangs");
    }
    for (size_t i = 0; r >= 0 && i < s->voice.n_troubles; i++) {
        AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
        if (!concerns(s, &s->voice.troubles[i]))
            continue;
        s->n.troubles++;
        words_add(&t, s->voice.troubles[i].message);
        r = judge_add(s, LEVEL_WARNING, &t);
    }
    if (r < 0 || !s->voice.reload_refused || s->conf_is_bad)
        return r;
    text_add(&refused, "the last reload was refused, and the daemon goes on with the configuration before it: ");
    words_add(&refused, s->voice.reload_refused);
    text_add(&refused, "; HINT: once ddbackupd --check-config finds nothing: systemctl reload ddbackupd");
    return judge_add(s, LEVEL_WARNING, &refused);
}

/* More than the configured share would have gone at once. A confirmation is for all that wait, of whatever table. */
static int judge_brake(Situation *s, const StockBrake *b) {
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    char age[DURATION_SIZE];
    size_t n_waiting = 0;
    if (b->n_confirmed >= b->n_delete)
        return 0;
    for (size_t i = 0; i < s->stock.n_brakes; i++)
        n_waiting += s->stock.brakes[i].n_confirmed ? 0 : s->stock.brakes[i].n_delete;
    s->n.braked++;
    words_label(&t, s->qualified, b->account, b->region, b->table);
    text_addf(&t,
              "/%s: %zu of %zu artefacts would expire at once, which has waited for a person for %s; HINT: "
              "'ddbackupctl prune --dry-run' shows which; if that is meant, ddbackupctl prune --confirm %zu",
              b->schedule, b->n_delete, b->n_all, words_age(s->now_wall - b->since_wall, age), n_waiting);
    if (n_waiting > b->n_delete)
        text_add(&t, ", which is for all that wait");
    return judge_add(s, LEVEL_WARNING, &t);
}

static int judge_whole(Situation *s) {
    int r = 0;
    switch (s->daemon) {
    case DAEMON_RUNNING:
        break;
    case DAEMON_STOPPED:
        r = plain_problem(s, LEVEL_CRITICAL, "the daemon is not running; HINT: systemctl start ddbackupd");
        break;
    case DAEMON_UNKNOWN:
        r = plain_problem(s, LEVEL_CRITICAL,
                          "whether the daemon runs cannot be told: its lock cannot be read; HINT: ask as a member of "
                          "its group, or as root");
        break;
    }
    if (r >= 0 && s->n_standings == 0)
        r = plain_problem(s, LEVEL_CRITICAL,
                          "no table that was asked about is enrolled in a schedule; HINT: 'ddbackupctl status' shows "
                          "which are, 'ddbackupd --dry-run' which the configuration selects");
    return r;
}

/* The worst first: by level, then the oldest; then by name. */
static int by_standing(const void *a, const void *b) {
    const Standing *p = a, *q = b;
    if (p->level != q->level)
        return p->level < q->level ? 1 : -1;
    if (p->level != LEVEL_OK && p->enrolment->newest_wall != q->enrolment->newest_wall)
        return p->enrolment->newest_wall < q->enrolment->newest_wall ? -1 : 1;
    int c = target_compare(p->enrolment->target, q->enrolment->target->account, q->enrolment->target->region,
                           q->enrolment->target->table);
    return c ? c : strcmp(p->enrolment->schedule_name, q->enrolment->schedule_name);
}

/* What is lost has no end as long as no new base is verified. */
static int judge_loss(Situation *s, const Lineage *l) {
    const LostSpan *loss = lineage_open_loss(l);
    bool is_asked = false;
    char from[DATE_ISO_SIZE];
    for (size_t i = 0; loss && i < s->n_standings; i++) {
        const Enrolment *e = s->standings[i].enrolment;
        is_asked |= strcmp(e->schedule_name, l->schedule) == 0 &&
                    target_compare(e->target, l->account, l->region, l->table) == 0;
    }
    if (!is_asked)
        return 0;
    AUTO_TEXT t = TEXT_INIT(PROBLEM_MAX);
    s->n.lost++;
    words_label(&t, s->qualified, l->account, l->region, l->table);
    text_addf(&t, "/%s: LOST: what came after %s cannot be restored: %s; HINT: 'ddbackupctl chain ", l->schedule,
              words_time(loss->from_wall, from), loss->why);
    words_label(&t, s->qualified, l->account, l->region, l->table);
    text_add(&t, "' shows what can, and a new export of the chain's base begins the next one");
    return judge_add(s, LEVEL_CRITICAL, &t);
}

int judge(Situation *s) {
    int r = judge_whole(s);
    if (r >= 0)
        r = judge_pause(s);
    if (r >= 0)
        r = judge_voice(s);
    for (size_t i = 0; r >= 0 && i < s->n_standings; i++)
        r = judge_enrolment(s, &s->standings[i]);
    if (r >= 0)
        r = judge_tables(s);
    if (r >= 0)
        r = judge_existence(s);
    for (size_t i = 0; r >= 0 && i < s->n_unsettled; i++)
        r = judge_run(s, s->unsettled[i]);
    for (size_t i = 0; r >= 0 && i < s->lost.n_lineages; i++)
        r = judge_loss(s, s->lost.lineages[i]);
    for (size_t i = 0; r >= 0 && i < s->stock.n_brakes; i++)
        r = judge_brake(s, &s->stock.brakes[i]);
    if (r < 0)
        return r;
    s->is_protected = s->n_standings > 0 && s->n.stale == 0 && s->n.pending == 0 && s->n.unwatched_tables == 0 &&
                      s->n.not_enrolled + s->n.too_few + s->n.gone + s->n.lost == 0;
    for (size_t i = 0; i < s->n_standings; i++)
        s->is_protected &= s->standings[i].enrolment->newest_wall != WALL_UNKNOWN;
    if (s->n_standings > 0)
        qsort(s->standings, s->n_standings, sizeof *s->standings, by_standing);
    return 0;
}

static void add_part(Text *t, size_t n, const char *one, const char *many) {
    if (n == 0)
        return;
    text_add(t, t->len > 0 ? ", " : "");
    words_count(t, n, one, many);
}

/* What is wrong, counted; nothing when all is well. */
static void add_parts(const Situation *s, Text *t) {
    size_t n_without = 0;
    for (size_t i = 0; i < s->n_standings; i++)
        n_without += s->standings[i].freshness != FRESH_STALE && s->standings[i].enrolment->newest_wall == WALL_UNKNOWN;
    if (is_paused(s))
        text_add(t, "paused");
    if (s->n_standings == 0)
        text_addf(t, "%sno table is enrolled", t->len > 0 ? ", " : "");
    if (s->n.stale > 0)
        text_addf(t, "%s%zu of %zu enrolments stale", t->len > 0 ? ", " : "", s->n.stale, s->n_standings);
    add_part(t, s->n.lost, "chain has lost time and no new base", "chains have lost time and no new base");
    add_part(t, n_without, "without a verified artefact yet", "without a verified artefact yet");
    add_part(t, s->n.not_enrolled, "configured and not enrolled", "configured and not enrolled");
    if (s->conf_is_bad)
        text_addf(t, "%sthe configuration is bad", t->len > 0 ? ", " : "");
    if (s->n.troubles > 0)
        text_addf(t, "%sthe daemon is held up", t->len > 0 ? ", " : "");
    add_part(t, s->n.too_few, "entry with too few tables", "entries with too few tables");
    add_part(t, s->n.gone, "table does not exist", "tables do not exist");
    add_part(t, s->n.unrecoverable, "table without point-in-time recovery", "tables without point-in-time recovery");
    add_part(t, s->n.unwatched_tables, "table without max_age", "tables without max_age");
    add_part(t, s->n.failed, "newest run without success", "newest runs without success");
    add_part(t, s->n.overdue, "run past its deadline", "runs past their deadlines");
    add_part(t, s->n.uncertain, "run uncertain", "runs uncertain");
    add_part(t, s->n.late, "run late", "runs late");
    if (s->n.braked > 0)
        text_addf(t, "%sexpiry waits for a person", t->len > 0 ? ", " : "");
}

int situation_summary(const Situation *s, Text *t) {
    char age[DURATION_SIZE];
    AUTO_TEXT parts = TEXT_INIT(1024);
    add_parts(s, &parts);
    if (parts.len == 0) {
        text_add(&parts, "every enrolment of ");
        words_count(&parts, s->n.tables, "table", "tables");
        text_addf(&parts, " is fresh (%zu of %zu", s->n.fresh, s->n_standings);
        if (s->oldest_usec != WALL_UNKNOWN)
            text_addf(&parts, ", the oldest artefact is of %s ago", words_age(s->oldest_usec, age));
        text_add(&parts, ")");
    }
    text_addf(t, "%s; the daemon ", text_get(&parts));
    switch (s->daemon) {
    case DAEMON_RUNNING:
        return text_add(t, "is running");
    case DAEMON_STOPPED:
        return text_add(t, "is NOT running");
    case DAEMON_UNKNOWN:
        return text_add(t, "may or may not be running");
    }
    return t->error;
}
