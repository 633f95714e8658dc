/* Exports that no record names yet: attempts at windows of chains, known by their client tokens. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/table_arn.h"
#include "core/chain/recall.h"
#include "core/run/drive.h"
#include "core/run/look.h"

/* A window that fails is asked for again each half hour, for as long as the table can be restored to it. */
#define MAX_ATTEMPTS 2000
/* So long a client token answers with the export that has it, also with one that failed. */
#define TOKEN_VALID_USEC (8 * USEC_PER_HOUR)

static bool is_incremental(const ExportInfo *e) { return text_equal(e->type, "INCREMENTAL_EXPORT"); }

bool recall_wants_export(const ExportInfo *listed, Usec open_wall, Usec now_wall) {
    Usec made = look_wall_of_arn(listed->arn);
    if (!is_incremental(listed) || (made != WALL_UNKNOWN && made < open_wall)) /* windows lie in the past */
        return false;
    return listed->status != EXPORT_FAILED || made == WALL_UNKNOWN || now_wall - made < TOKEN_VALID_USEC;
}

static bool is_recorded(const RecallFacts *facts, const ExportInfo *e) {
    for (size_t i = 0; i < facts->n_records; i++)
        if (strcmp(facts->records[i].export_arn, e->arn) == 0)
            return true;
    for (size_t i = 0; i < facts->n_gone; i++)
        if (strcmp(facts->gone[i].export_arn, e->arn) == 0)
            return true;
    return false;
}

int recall_attempt(const char *deployment, const char *schedule, Usec chain_start_wall, const ExportInfo *e,
                   int *ret_attempt) {
    char token[EXPORT_TOKEN_SIZE], account[13];
    int found = 0;
    bool is_window = e->from_wall != WALL_UNKNOWN && e->to_wall != WALL_UNKNOWN && e->from_wall >= chain_start_wall;
    if (is_window && e->table_arn)
        table_arn_account_id(e->table_arn, account);
    for (int n = 1; is_window && e->client_token && e->table_arn && e->table_id && n <= MAX_ATTEMPTS && !found; n++) {
        int r = export_link_token(deployment, account, e->table_id, schedule, chain_start_wall, e->from_wall,
                                  e->to_wall, n, token);
        if (r < 0)
            return r;
        found = strcmp(token, e->client_token) == 0 ? n : 0;
    }
    *ret_attempt = found;
    return 0;
}

/* The last attempt at the window that begins there; NULL: there is none. */
static int find_last(const Chain *c, Usec from_wall, const RecallFacts *facts, const ExportInfo **ret,
                     int *ret_attempt) {
    *ret = NULL;
    *ret_attempt = 0;
    for (size_t i = 0; i < facts->n_exports; i++) {
        const ExportInfo *e = &facts->exports[i];
        int attempt;
        if (e->from_wall != from_wall || e->to_wall <= from_wall || !is_incremental(e) || is_recorded(facts, e))
            continue;
        int r = recall_attempt(facts->deployment, c->schedule, c->start_wall, e, &attempt);
        if (r < 0)
            return r;
        if (attempt > *ret_attempt) {
            *ret = e;
            *ret_attempt = attempt;
        }
    }
    return 0;
}

static int follow_status(Run *r, const ExportInfo *e, Now now) {
    char why[400];
    switch (e->status) {
    case EXPORT_COMPLETED:
        run_apply(r, RUN_EV_FINISHED, NULL, now);
        break;
    case EXPORT_FAILED:
        snprintf(why, sizeof why, "the service reports FAILED: %.80s: %.300s", e->failure_code ? e->failure_code : "",
                 e->failure_message ? e->failure_message : "no FailureMessage");
        r->artefact->life = ARTEFACT_FAILED;
        run_apply(r, RUN_EV_FAILED_THERE, &(RunCause){.why = why}, now);
        break;
    case EXPORT_IN_PROGRESS:
    case EXPORT_UNKNOWN:
        break;
    }
    run_notes_clear(r);
    return 0;
}

static int make_run(const Lineage *l, const Chain *c, const ExportInfo *e, int attempt, Now now, Run **ret) {
    const ScheduleConf *s = l->enrolment ? l->enrolment->schedule : NULL;
    CLEANUP(run_free_ptr) Run *r = NULL;
    Artefact *a;
    int rc = run_new(0, &r);
    if (rc < 0)
        return rc;
    if (text_set(&r->schedule, c->schedule) < 0 || text_set(&r->account, c->account) < 0 ||
        text_set(&r->region, c->region) < 0 || text_set(&r->table, c->table) < 0 ||
        text_set(&r->table_id, c->table_id) < 0 || text_set(&r->table_arn, c->table_arn) < 0 ||
        export_take_parameters(r, e) < 0)
        return -ENOMEM;
    Usec made = e->start_wall != WALL_UNKNOWN ? e->start_wall : look_wall_of_arn(e->arn);
    r->action = ACTION_INCREMENTAL;
    r->verify = s ? s->verify : VERIFY_SERVICE;
    r->chain_id = c->id;
    r->from_wall = e->from_wall;
    r->to_wall = r->slot_wall = r->due_wall = e->to_wall;
    r->attempt = attempt;
    r->intent_wall = r->first_sent_wall = r->sent_wall = made;
    r->n_sends = 1;
    r->warn_at_wall = s && s->warn_after_usec > 0 && made != WALL_UNKNOWN ? usec_add(made, s->warn_after_usec)
                                                                           : USEC_INFINITY;
    run_apply(r, RUN_EV_PREPARED, NULL, now);
    run_apply(r, RUN_EV_SENT, NULL, now);
    run_apply(r, RUN_EV_ACCEPTED, NULL, now);
    if ((rc = drive_artefact(r, &a)) < 0 || (rc = artefact_take_export(a, e)) < 0 ||
        (rc = follow_status(r, e, now)) < 0)
        return rc;
    *ret = TAKE_PTR(r);
    return 0;
}

int recall_windows(const Lineage *l, Chain *c, const RecallFacts *facts, Now now, Recall *into) {
    while (c->state != CHAIN_CLOSED && chain_frontier(c) < c->end_wall) {
        const ExportInfo *e;
        ChainWindow *w;
        int attempt, r = find_last(c, chain_frontier(c), facts, &e, &attempt);
        if (r < 0 || !e)
            return r;
        if (ARRAY_GROW(into->runs, into->n_runs, into->n_runs_room) < 0 ||
            (r = make_run(l, c, e, attempt, now, &into->runs[into->n_runs])) < 0)
            return r < 0 ? r : -ENOMEM;
        Run *run = into->runs[into->n_runs++];
        if ((r = chain_add_window(c, e->to_wall, &w)) < 0)
            return r;
        w->attempt = attempt;
        w->run = run_is_settled(run) ? NULL : run;
        w->retry_wall = w->run ? USEC_INFINITY : now.wall;
    }
    return 0;
}
