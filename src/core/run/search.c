#include "core/run/search.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

void search_done(Search *s) {
    for (size_t i = 0; i < s->n_runs; i++)
        run_free(s->runs[i]);
    free(s->runs);
    for (size_t i = 0; i < s->n_orphans; i++)
        free(s->orphans[i].schedule);
    free(s->orphans);
    for (size_t i = 0; i < s->n_exports; i++)
        export_info_done(&s->exports[i]);
    free(s->exports);
    run_look_free(s->look);
    *s = (Search){};
}

bool search_is_over(const Search *s) { return s->stage >= SEARCH_DONE; }

static bool has_action(const Target *t, Action action) {
    for (size_t i = 0; i < t->n_enrolments; i++)
        if (t->enrolments[i]->schedule && t->enrolments[i]->schedule->action == action)
            return true;
    return false;
}

/* --- questions --- */

int search_request(Search *s, Now now, AwsRequest **ret) {
    static const AwsOp ops[] = {
        [SEARCH_TABLE] = AWS_OP_DESCRIBE_TABLE, [SEARCH_BACKUPS] = AWS_OP_LIST_BACKUPS,
        [SEARCH_BACKUP] = AWS_OP_DESCRIBE_BACKUP, [SEARCH_EXPORTS] = AWS_OP_LIST_EXPORTS,
        [SEARCH_EXPORT] = AWS_OP_DESCRIBE_EXPORT,
    };
    if (!s->look && !(s->look = run_look_new(now.wall)))
        return -ENOMEM;
    const RunLook *l = s->look;
    const char *candidate = l->n_candidates > 0 ? l->candidates[l->n_candidates - 1] : NULL;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(ops[s->stage]);
    if (!q)
        return -ENOMEM;
    int r = 0;
    switch (s->stage) {
    case SEARCH_TABLE:
        r = text_set(&q->describe_table.table, s->target->table);
        break;
    case SEARCH_BACKUPS:
        q->list_backups.limit = 100;
        r = text_set(&q->list_backups.table, s->target->table);
        r = r < 0 ? r : text_set(&q->list_backups.start_arn, l->cursor);
        break;
    case SEARCH_BACKUP:
        r = text_set(&q->describe_backup.arn, candidate);
        break;
    case SEARCH_EXPORTS:
        q->list_exports.limit = 25;
        r = text_set(&q->list_exports.table_arn, s->target->table_arn);
        r = r < 0 ? r : text_set(&q->list_exports.start_token, l->cursor);
        break;
    case SEARCH_EXPORT:
        r = text_set(&q->describe_export.arn, candidate);
        break;
    case SEARCH_DONE:
    case SEARCH_ABSENT:
    case SEARCH_FAILED:
        return -EINVAL;
    }
    if (r < 0)
        return r;
    *ret = TAKE_PTR(q);
    return 0;
}

/* --- answers --- */

/* The next stage with something to ask. */
static void go_on(Search *s) {
    bool more = s->look && s->look->n_candidates > 0;
    if (more && (s->stage == SEARCH_BACKUPS || s->stage == SEARCH_EXPORTS)) {
        s->stage++;
        return;
    }
    if (more)
        return;
    run_look_free(TAKE_PTR(s->look));
    if (s->stage == SEARCH_TABLE)
        s->stage = SEARCH_BACKUPS;
    else if (s->stage < SEARCH_EXPORTS && has_action(s->target, ACTION_EXPORT))
        s->stage = SEARCH_EXPORTS;
    else
        s->stage = SEARCH_DONE;
}

static void fail(Search *s, const AwsError *error) {
    s->error = *error;
    s->stage = SEARCH_FAILED;
}

/* Where the next page is to be asked for; else the listing is complete. */
static int turn_page(Search *s, const char *next) {
    int r = next ? run_look_turn_page(s->look, next) : 0;
    if (r == -ELOOP) {
        AwsError error = {.class = AWS_UNCERTAIN, .code = "the listing does not end"};
        fail(s, &error);
        return 0;
    }
    if (!next)
        go_on(s);
    return r;
}

static int add_candidate(RunLook *l, const char *arn) {
    if (ARRAY_GROW(l->candidates, l->n_candidates, l->n_room) < 0)
        return -ENOMEM;
    char *copy = strdup(arn);
    if (!copy)
        return -ENOMEM;
    l->candidates[l->n_candidates++] = copy;
    return 0;
}

static void drop_candidate(Search *s) {
    free(s->look->candidates[--s->look->n_candidates]);
    go_on(s);
}

static int add_run(Search *s, Run *run) {
    CLEANUP(run_free_ptr) Run *taken = run;
    if (ARRAY_GROW(s->runs, s->n_runs, s->n_runs_room) < 0)
        return -ENOMEM;
    s->runs[s->n_runs++] = TAKE_PTR(taken);
    return 0;
}

static int add_orphan(Search *s, const char *schedule) {
    for (size_t i = 0; i < s->n_orphans; i++)
        if (strcmp(s->orphans[i].schedule, schedule) == 0) {
            s->orphans[i].n++;
            return 0;
        }
    if (ARRAY_GROW(s->orphans, s->n_orphans, s->n_orphans_room) < 0)
        return -ENOMEM;
    char *copy = strdup(schedule);
    if (!copy)
        return -ENOMEM;
    s->orphans[s->n_orphans++] = (SearchOrphan){.schedule = copy, .n = 1};
    return 0;
}

/* A listing that leaves out the TableId proves nothing about it. */
static int take_backup(Search *s, const BackupInfo *info, bool listed, Now now) {
    char schedule[RECOVER_SCHEDULE_SIZE];
    CLEANUP(run_free_ptr) Run *run = NULL;
    Recovered what;
    int r = recover_backup(s->deployment, s->target, info, now, &what, schedule, &run);
    if (r < 0 || what == RECOVERED_FOREIGN)
        return r;
    if (what == RECOVERED_ORPHAN)
        return add_orphan(s, schedule);
    return listed && !info->table_id ? add_candidate(s->look, info->arn) : add_run(s, TAKE_PTR(run));
}

static int take_backups(Search *s, const BackupList *page, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < page->n_items; i++)
        r = take_backup(s, &page->items[i], true, now);
    return r < 0 ? r : turn_page(s, page->next);
}

static int take_exports(Search *s, const ExportList *page, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < page->n_items; i++) {
        const ExportInfo *e = &page->items[i];
        Usec made = look_wall_of_arn(e->arn);
        if (e->type && strcmp(e->type, "FULL_EXPORT") != 0) /* links are core/chain/recaller.h's */
            s->n_foreign_exports += !has_action(s->target, ACTION_INCREMENTAL);
        else if (made == WALL_UNKNOWN || made >= now.wall - SEARCH_HORIZON_USEC)
            r = add_candidate(s->look, e->arn);
    }
    return r < 0 ? r : turn_page(s, page->next);
}

/* Takes what it is told. */
static int take_export(Search *s, ExportInfo *info, Now now) {
    Run *run = NULL;
    Recovered what;
    int r = recover_export(s->deployment, s->target, info, false, now, &what, &run);
    if (r < 0)
        return r;
    if (what != RECOVERED_RUN) {
        s->n_foreign_exports++;
        return 0;
    }
    if ((r = add_run(s, run)) < 0 || ARRAY_GROW(s->exports, s->n_exports, s->n_exports_room) < 0)
        return -ENOMEM;
    s->exports[s->n_exports++] = *info;
    *info = (ExportInfo){};
    return 0;
}

static int take_error(Search *s, const AwsError *error) {
    bool gone = error->class == AWS_NOT_FOUND;
    if (gone && s->stage == SEARCH_TABLE)
        s->stage = SEARCH_ABSENT;
    else if (gone && (s->stage == SEARCH_BACKUP || s->stage == SEARCH_EXPORT))
        drop_candidate(s);
    else if (error->class == AWS_DENIED && s->stage == SEARCH_BACKUPS && !has_action(s->target, ACTION_BACKUP))
        go_on(s); /* exports alone do not need that permission */
    else
        fail(s, error);
    return 0;
}

int search_answer(Search *s, const CallDone *done, Now now) {
    int r = 0;
    if (done->error.class != AWS_OK)
        return take_error(s, &done->error);
    switch (s->stage) {
    case SEARCH_TABLE:
        r = target_describe(s->target, &done->reply->table, now.wall);
        go_on(s);
        break;
    case SEARCH_BACKUPS:
        return take_backups(s, &done->reply->backups, now);
    case SEARCH_EXPORTS:
        return take_exports(s, &done->reply->exports, now);
    case SEARCH_BACKUP:
        r = take_backup(s, &done->reply->backup, false, now);
        drop_candidate(s);
        break;
    case SEARCH_EXPORT:
        r = take_export(s, &done->reply->export, now);
        drop_candidate(s);
        break;
    case SEARCH_DONE:
    case SEARCH_ABSENT:
    case SEARCH_FAILED:
        break;
    }
    return r;
}
