#include "core/run/recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/run/slot.h"

/* One more than any version asks for. */
#define MAX_ATTEMPTS (EXPORT_MAX_ATTEMPTS + 1)
/* An export's slot lies so long before its start at most, beside the spread; one that was caught up with after a long
 * pause is the newest before that. */
#define SLOT_WINDOW_USEC USEC_PER_DAY
#define SLOTS_BEFORE_WINDOW 2
/* One that was asked for out of its calendar began soon after. */
#define ORDERED_WINDOW_USEC (2 * USEC_PER_HOUR)
#define CLOCK_SLACK_USEC (10 * USEC_PER_MINUTE)

/* The run as it stood when its intent was stored; `schedule` is its schedule's name at that time. */
static int begin(const DriveContext *context, const Enrolment *e, const char *schedule, Usec slot_wall, int attempt,
                 Usec begun_wall, Run **ret) {
    const ScheduleConf *s = e->schedule;
    const Target *t = e->target;
    CLEANUP(run_free_ptr) Run *r = NULL;
    Usec share;
    int rc = slot_share(context->deployment, e, &share);
    if (rc < 0 || (rc = run_new(0, &r)) < 0)
        return rc;
    if (text_set(&r->schedule, schedule) < 0 || text_set(&r->account, t->account) < 0 ||
        text_set(&r->region, t->region) < 0 || text_set(&r->table, t->table) < 0 || s3_conf_copy(&s->s3, &r->s3) < 0)
        return -ENOMEM;
    r->action = s->action;
    r->slot_wall = slot_wall;
    r->due_wall = slot_wall + share;
    r->attempt = attempt;
    begun_wall = usec_max(begun_wall, r->due_wall);
    r->start_by_wall = usec_add(begun_wall, s->start_within_usec);
    r->warn_at_wall = s->warn_after_usec > 0 ? usec_add(begun_wall, s->warn_after_usec) : USEC_INFINITY;
    r->finish_by_wall = usec_add(begun_wall, s->finish_within_usec);
    if ((rc = drive_prepare(r, context, (Now){.wall = t->described_wall})) < 0)
        return rc;
    if (r->state != RUN_INTENDED)
        return -EINVAL;
    run_notes_clear(r); /* its story begins with its recovery */
    r->intent_wall = begun_wall;
    *ret = TAKE_PTR(r);
    return 0;
}

int recover_take(Run *r, const DriveContext *context, const char *arn, Usec made_wall, AwsReply *reply, Now now) {
    char why[400];
    CallDone done = {.reply = reply};
    Usec wait_usec;
    snprintf(why, sizeof why, "found at the service when the ledger was rebuilt: %.300s", arn);
    r->first_sent_wall = r->sent_wall = made_wall;
    r->n_sends = 1;
    run_apply(r, RUN_EV_ADOPTED, &(RunCause){.why = why}, now);
    return drive_answer(r, context, &done, now, &wait_usec);
}

/* --- backups --- */

/* Cuts "<deployment>.<schedule>.<slot>.<hash>"; neither deployment nor schedule holds a dot. */
static bool parse_name(const char *name, const char *deployment, char ret_schedule[static RECOVER_SCHEDULE_SIZE],
                       Usec *ret_slot) {
    char slot[DATE_COMPACT_SIZE];
    size_t n = strlen(deployment);
    if (strncmp(name, deployment, n) != 0 || name[n] != '.')
        return false;
    const char *schedule = name + n + 1;
    n = strcspn(schedule, ".");
    if (n >= RECOVER_SCHEDULE_SIZE || schedule[n] != '.' || strcspn(schedule + n + 1, ".") != sizeof slot - 1)
        return false;
    memcpy(ret_schedule, schedule, n);
    ret_schedule[n] = '\0';
    memcpy(slot, schedule + n + 1, sizeof slot - 1);
    slot[sizeof slot - 1] = '\0';
    return date_from_iso(slot, ret_slot) >= 0;
}

/* The enrolment whose backups have that schedule in their names, or had. */
static const Enrolment *find_enrolment(const Target *t, const char *schedule) {
    const Enrolment *own = target_enrolment(t, schedule);
    for (size_t i = 0; i < t->n_enrolments && !(own && own->schedule); i++)
        if (t->enrolments[i]->schedule && conf_schedule_is(t->enrolments[i]->schedule, schedule))
            own = t->enrolments[i];
    return own;
}

int recover_backup(const char *deployment, Target *t, const BackupInfo *info, Now now, Recovered *ret_what,
                   char ret_schedule[static RECOVER_SCHEDULE_SIZE], Run **ret_run) {
    char account[13];
    AUTO_FREE char *name = NULL;
    Usec slot;
    *ret_what = RECOVERED_FOREIGN;
    if (!parse_name(info->name, deployment, ret_schedule, &slot))
        return 0;
    int rc = backup_name(deployment, target_account_id(t, account), t->region, t->table, ret_schedule, slot, &name);
    if (rc < 0 || strcmp(name, info->name) != 0)
        return rc;
    *ret_what = RECOVERED_ORPHAN;
    const Enrolment *e = find_enrolment(t, ret_schedule);
    if (!e || !e->schedule || e->schedule->action != ACTION_BACKUP)
        return 0;
    CLEANUP(run_free_ptr) Run *r = NULL;
    DriveContext context = {.deployment = deployment, .target = t};
    AwsReply reply = {.op = AWS_OP_DESCRIBE_BACKUP, .backup = *info};
    Usec made = info->created_wall != WALL_UNKNOWN ? info->created_wall : slot;
    if ((rc = begin(&context, e, ret_schedule, slot, 1, made, &r)) < 0 ||
        (rc = recover_take(r, &context, info->arn, made, &reply, now)) < 0)
        return rc;
    *ret_what = RECOVERED_RUN;
    *ret_run = TAKE_PTR(r);
    return 0;
}

/* --- exports --- */

/* What the token is made of, and what it says. */
typedef struct Token {
    const char *deployment, *account, *table_id, *token;
    const char *schedule; /* its name then */
} Token;

/* 1: found. */
static int try_slot(const Token *wanted, Usec slot, int *ret_attempt) {
    char token[EXPORT_TOKEN_SIZE];
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        int r = export_token(wanted->deployment, wanted->account, wanted->table_id, wanted->schedule, slot, attempt,
                             token);
        if (r < 0)
            return r;
        if (strcmp(token, wanted->token) == 0) {
            *ret_attempt = attempt;
            return 1;
        }
    }
    return 0;
}

/* The slot whose token it is. 1: found. */
static int find_slot(const Token *wanted, const Enrolment *e, Usec made_wall, Usec *ret_slot, int *ret_attempt) {
    const ScheduleConf *s = e->schedule;
    Usec from = usec_max(0, made_wall - SLOT_WINDOW_USEC - s->spread_usec), slot, until = from;
    int r = 0;
    for (int i = 0; r == 0 && i < SLOTS_BEFORE_WINDOW; i++) {
        if (calendar_last(s->when, s->zone, 0, until, ret_slot) < 0)
            break;
        r = try_slot(wanted, *ret_slot, ret_attempt);
        until = *ret_slot - 1;
    }
    for (slot = from; r == 0 && slot_next(e, slot, &slot) >= 0 && slot <= made_wall + CLOCK_SLACK_USEC;) {
        r = try_slot(wanted, slot, ret_attempt);
        *ret_slot = slot;
    }
    return r;
}

/* A slot that somebody ordered is the second in which that was. 1: found. */
static int find_ordered(const Token *wanted, Usec made_wall, Usec *ret_slot, int *ret_attempt) {
    Usec slot = (made_wall + CLOCK_SLACK_USEC) / USEC_PER_SEC * USEC_PER_SEC;
    int r = 0;
    for (; r == 0 && slot > made_wall - ORDERED_WINDOW_USEC; slot -= USEC_PER_SEC) {
        r = try_slot(wanted, slot, ret_attempt);
        *ret_slot = slot;
    }
    return r;
}

/* Under its name, or under one that it had. 1: found. */
static int find_name(Token *wanted, const Enrolment *e, Usec made_wall, Usec *ret_slot, int *ret_attempt) {
    const ScheduleConf *s = e->schedule;
    int r = 0;
    for (size_t i = 0; r == 0 && i <= s->n_formerly; i++) {
        wanted->schedule = i == 0 ? s->name : s->formerly[i - 1];
        r = find_slot(wanted, e, made_wall, ret_slot, ret_attempt);
        if (r == 0)
            r = find_ordered(wanted, made_wall, ret_slot, ret_attempt);
    }
    return r;
}

/* One that is being made is checked when it is, as its schedule asks for. */
static VerifyLevel level_of(const ScheduleConf *s, const ExportInfo *info, bool anew) {
    return anew || info->status != EXPORT_COMPLETED ? s->verify : VERIFY_SERVICE;
}

int recover_export(const char *deployment, Target *t, const ExportInfo *info, bool anew, Now now, Recovered *ret_what,
                   Run **ret_run) {
    char account[13];
    Usec slot = 0, made = info->start_wall != WALL_UNKNOWN ? info->start_wall : look_wall_of_arn(info->arn);
    int attempt = 0, rc = 0;
    const Enrolment *e = NULL;
    *ret_what = RECOVERED_FOREIGN;
    if (!info->client_token || made == WALL_UNKNOWN)
        return 0;
    Token wanted = {.deployment = deployment,
                    .account = target_account_id(t, account),
                    .table_id = info->table_id ? info->table_id : t->table_id,
                    .token = info->client_token};
    for (size_t i = 0; rc == 0 && i < t->n_enrolments; i++) {
        e = t->enrolments[i];
        if (e->schedule && e->schedule->action == ACTION_EXPORT)
            rc = find_name(&wanted, e, made, &slot, &attempt);
    }
    if (rc <= 0)
        return rc;
    CLEANUP(run_free_ptr) Run *r = NULL;
    DriveContext context = {.deployment = deployment, .target = t};
    AwsReply reply = {.op = AWS_OP_DESCRIBE_EXPORT, .export = *info};
    if ((rc = begin(&context, e, wanted.schedule, slot, attempt, made, &r)) < 0 ||
        (rc = text_set(&r->table_id, wanted.table_id)) < 0 || (rc = export_take_parameters(r, info)) < 0)
        return rc;
    r->verify = level_of(e->schedule, info, anew);
    if (anew) { /* its deadlines are those of the check */
        r->finish_by_wall = usec_max(r->finish_by_wall, usec_add(now.wall, e->schedule->finish_within_usec));
        r->warn_at_wall = usec_max(r->warn_at_wall, usec_add(now.wall, e->schedule->warn_after_usec));
    }
    if ((rc = recover_take(r, &context, info->arn, made, &reply, now)) < 0)
        return rc;
    *ret_what = RECOVERED_RUN;
    *ret_run = TAKE_PTR(r);
    return 0;
}

/* --- one run a slot --- */

/* How good it is; an attempt that failed and is to be asked for again counts as failed. */
static int rank(const Run *r) {
    if (r->state == RUN_SUCCEEDED)
        return 0;
    return r->state == RUN_IN_PROGRESS || r->state == RUN_VERIFYING ? 1 : 2;
}

static int made_attempt(const Run *r) { return r->artefact ? r->attempt : r->attempt - 1; }

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_slots(const Run *a, const Run *b) {
    int c = strcmp(a->schedule, b->schedule);
    return c ? c : compare(a->slot_wall, b->slot_wall);
}

static int by_slot_and_worth(const void *a, const void *b) {
    const Run *p = *(Run *const *)a, *q = *(Run *const *)b;
    int c = compare_slots(p, q);
    if (c == 0)
        c = compare(made_attempt(q), made_attempt(p));
    if (c == 0)
        c = compare(rank(p), rank(q));
    return c ? c : compare(p->first_sent_wall, q->first_sent_wall);
}

static void inherit(Run *winner, Run *loser) {
    if (winner->failed_artefact || made_attempt(loser) >= made_attempt(winner))
        return;
    if (loser->failed_artefact)
        winner->failed_artefact = TAKE_PTR(loser->failed_artefact);
    else if (loser->artefact && loser->artefact->life == ARTEFACT_FAILED)
        winner->failed_artefact = TAKE_PTR(loser->artefact);
}

size_t recover_merge(Run **runs, size_t n) {
    size_t n_kept = 0;
    if (n > 0)
        qsort(runs, n, sizeof *runs, by_slot_and_worth);
    for (size_t i = 0; i < n; i++) {
        Run *r = runs[i];
        if (n_kept > 0 && compare_slots(runs[n_kept - 1], r) == 0) {
            inherit(runs[n_kept - 1], r);
            continue;
        }
        runs[i] = runs[n_kept];
        runs[n_kept++] = r;
    }
    return n_kept;
}

/* --- enrolments --- */

bool recover_is_of(const Enrolment *e, const Run *r) {
    return strcmp(r->schedule, e->schedule_name) == 0 || (e->schedule && conf_schedule_is(e->schedule, r->schedule));
}

static bool is_on_calendar(const Enrolment *e, Usec slot_wall) {
    Usec slot;
    return !e->schedule || (slot_next(e, slot_wall - 1, &slot) >= 0 && slot == slot_wall);
}

void recover_enrolment(Enrolment *e, bool is_new, Run *const *runs, size_t n, Now now) {
    Usec oldest = USEC_INFINITY, newest = WALL_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        const Run *r = runs[i];
        if (!recover_is_of(e, r))
            continue;
        if (r->state == RUN_SUCCEEDED && r->artefact->created_wall > e->newest_wall &&
            text_equal(r->table_id, e->target->table_id)) {
            e->newest_wall = r->artefact->created_wall;
            e->changed = true;
        }
        /* made by a clock that was wrong: the slots until then are still to come; or under another name and calendar */
        if (r->slot_wall > now.wall || strcmp(r->schedule, e->schedule_name) != 0)
            continue;
        if (!is_on_calendar(e, r->slot_wall)) { /* somebody ordered it, or it is of another calendar */
            e->changed |= r->slot_wall > e->ordered_wall;
            e->ordered_wall = usec_max(e->ordered_wall, r->slot_wall);
            continue;
        }
        oldest = usec_min(oldest, r->slot_wall);
        newest = usec_max(newest, r->slot_wall);
    }
    if (newest == WALL_UNKNOWN || (!is_new && newest <= e->cursor_wall))
        return;
    if (is_new)
        e->first_seen_wall = usec_min(e->first_seen_wall, oldest);
    e->cursor_wall = newest;
    e->changed = true;
}

int recover_doubt(const char *deployment, Enrolment *e, Usec listing_lag_usec, Now now, Run **ret) {
    const ScheduleConf *s = e->schedule;
    Usec share, slot;
    if (s->action != ACTION_BACKUP)
        return 0;
    int rc = slot_share(deployment, e, &share);
    if (rc < 0 || (rc = calendar_last(s->when, s->zone, e->cursor_wall, now.wall - share, &slot)) < 0)
        return rc == -ENOENT ? 0 : rc;
    /* the daemon may still have begun it until just now; without catch-up, only soon after it was due */
    Usec begun = s->catch_up == CATCH_UP_LAST ? now.wall : slot + share;
    if (now.wall >= usec_add(begun, s->start_within_usec + DRIVE_LOOK_AGAIN_USEC + listing_lag_usec))
        return 0;
    CLEANUP(run_free_ptr) Run *r = NULL;
    DriveContext context = {.deployment = deployment, .target = e->target};
    if ((rc = begin(&context, e, s->name, slot, 1, begun, &r)) < 0)
        return rc;
    run_apply(r, RUN_EV_SENT, NULL, now);
    run_notes_clear(r);
    run_apply(r, RUN_EV_INTERRUPTED,
              &(RunCause){.why = "whether it was asked for was lost with the ledger, and nothing of it shows yet"},
              now);
    e->cursor_wall = slot;
    e->changed = true;
    *ret = TAKE_PTR(r);
    return 0;
}
