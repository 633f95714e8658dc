/* On-demand backups. CreateBackup has no idempotency token and names are not unique, so whatever may have taken effect
 * is looked for by its name before anything is asked again. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"

int backup_name(const char *deployment, const char *account, const char *region, const char *table,
                const char *schedule, Usec slot_wall, char **ret) {
    char slot[DATE_COMPACT_SIZE], hash[9];
    const char *parts[] = {deployment, account, region, table, schedule};
    int r = drive_hash(parts, ARRAY_SIZE(parts), 8, hash);
    if (r < 0)
        return r;
    char *name = text_format("%s.%s.%s.%s", deployment, schedule, date_to_compact(slot_wall, slot), hash);
    if (!name)
        return -ENOMEM;
    free(*ret);
    *ret = name;
    return 0;
}

static int intend(Run *r, const DriveContext *context) {
    char account[13];
    return backup_name(context->deployment, target_account_id(context->target, account), r->region, r->table,
                       r->schedule, r->slot_wall, &r->name);
}

static int request(Run *r, const DriveContext *context, Now now, AwsRequest **ret, bool *ret_asks) {
    AwsOp op = r->state == RUN_INTENDED    ? AWS_OP_CREATE_BACKUP
               : r->state == RUN_UNCERTAIN ? AWS_OP_LIST_BACKUPS
                                           : AWS_OP_DESCRIBE_BACKUP;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    if (!q)
        return -ENOMEM;
    int rc;
    if (op == AWS_OP_CREATE_BACKUP) {
        rc = text_set(&q->create_backup.table, r->table);
        if (rc >= 0)
            rc = text_set(&q->create_backup.name, r->name);
    } else if (op == AWS_OP_LIST_BACKUPS) {
        if (!r->look && !(r->look = run_look_new(now.wall)))
            return -ENOMEM;
        q->list_backups.lower_wall = usec_max(0, usec_min(r->slot_wall, r->intent_wall) - USEC_PER_DAY);
        q->list_backups.limit = 100;
        rc = text_set(&q->list_backups.table, r->table);
        if (rc >= 0)
            rc = text_set(&q->list_backups.start_arn, r->look->cursor);
    } else
        rc = text_set(&q->describe_backup.arn, r->artefact->arn);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(q);
    *ret_asks = op == AWS_OP_CREATE_BACKUP;
    return 0;
}

/* The service vouches for it: is it what was asked for? */
static void verify(Run *r, const BackupInfo *info, Now now) {
    Artefact *a = r->artefact;
    char why[700] = "";
    if (strcmp(info->name, r->name) != 0)
        snprintf(why, sizeof why, "the service shows it under the name %.255s, not %.255s", info->name, r->name);
    else if (info->table_id && !text_equal(info->table_id, r->table_id))
        snprintf(why, sizeof why,
                 "it is of TableId %.64s, not %.64s: the table was deleted and created again meanwhile", info->table_id,
                 r->table_id);
    a->finished_wall = now.wall;
    if (why[0]) {
        a->life = ARTEFACT_DISPROVED;
        run_apply(r, RUN_EV_DISPROVED,
                  &(RunCause){.why = why, .hint = "look at the backup with 'ddbackupctl show' before you rely on it"},
                  now);
        return;
    }
    a->life = ARTEFACT_VERIFIED;
    a->verified_wall = now.wall;
    run_apply(r, RUN_EV_VERIFIED, NULL, now);
}

/* Nothing has happened since the last look: nothing is to be kept. */
static bool is_no_news(const Run *r, const BackupInfo *info) {
    return r->artefact && r->n_deferred == 0 && info->status == BACKUP_CREATING &&
           text_equal(r->artefact->status, info->status_text) && text_equal(r->artefact->arn, info->arn);
}

static int take_status(Run *r, const BackupInfo *info, Now now, Usec *ret_wait_usec) {
    Artefact *a;
    r->n_polls++;
    *ret_wait_usec = drive_poll_wait(r, 500 * USEC_PER_MSEC, now);
    if (is_no_news(r, info))
        return 0;
    int rc = drive_artefact(r, &a);
    if (rc >= 0)
        rc = artefact_take_backup(a, info);
    if (rc < 0)
        return rc;
    r->changed = true;
    r->n_deferred = 0;
    switch (info->status) {
    case BACKUP_AVAILABLE:
        run_apply(r, RUN_EV_FINISHED, NULL, now);
        verify(r, info, now);
        break;
    case BACKUP_DELETED:
        a->life = ARTEFACT_GONE;
        run_apply(r, RUN_EV_VANISHED, &(RunCause){.why = "the backup was deleted by somebody before it was verified"},
                  now);
        break;
    case BACKUP_CREATING:
    case BACKUP_UNKNOWN: /* a word that we do not know is no end: go on asking until the deadline */
        break;
    }
    return 0;
}

int backup_take_listed(Run *r, const BackupInfo *info, Now now, Usec *ret_wait_usec) {
    bool tells = info->status == BACKUP_CREATING || (info->status == BACKUP_AVAILABLE && info->table_id);
    if (!tells)
        return 0;
    int rc = take_status(r, info, now, ret_wait_usec);
    return rc < 0 ? rc : 1;
}

/* CreateBackup answered. Its reply names no TableId, so even AVAILABLE is verified by DescribeBackup. */
static int take_created(Run *r, const BackupInfo *info, Now now, Usec *ret_wait_usec) {
    Artefact *a;
    int rc = drive_artefact(r, &a);
    if (rc >= 0)
        rc = artefact_take_backup(a, info);
    if (rc < 0)
        return rc;
    run_apply(r, RUN_EV_ACCEPTED, NULL, now);
    *ret_wait_usec = drive_poll_wait(r, 500 * USEC_PER_MSEC, now);
    return 0;
}

static int adopt(Run *r, Now now) {
    Artefact *a;
    int rc = drive_artefact(r, &a);
    if (rc >= 0)
        rc = text_set(&a->arn, r->look->found_arn);
    if (rc >= 0)
        rc = text_set(&a->name, r->name);
    if (rc < 0)
        return rc;
    a->created_wall = r->look->found_wall;
    char why[300];
    RunCause cause = {.why = why};
    snprintf(why, sizeof why, "found as %.250s", r->look->found_arn);
    if (r->look->n_found > 1) {
        snprintf(why, sizeof why, "%zu backups of this name exist; kept the earliest", r->look->n_found);
        cause.hint = "the others are billed: look at them with 'aws dynamodb list-backups' and delete them";
    }
    run_apply(r, RUN_EV_ADOPTED, &cause, now);
    return 0;
}

static int take_page(Run *r, const DriveContext *context, const BackupList *page, Now now, Usec *ret_wait_usec) {
    RunLook *l = r->look;
    for (size_t i = 0; i < page->n_items; i++) {
        const BackupInfo *b = &page->items[i];
        bool same_table = !b->table_id || text_equal(b->table_id, r->table_id);
        if (strcmp(b->name, r->name) != 0 || b->status == BACKUP_DELETED)
            continue;
        if (same_table && run_look_found(l, b->arn, b->created_wall) < 0)
            return -ENOMEM;
        if (!same_table && b->created_wall >= r->first_sent_wall - DRIVE_CLOCK_SLACK_USEC) {
            l->other_wall = b->created_wall;
            if (text_set(&l->other_arn, b->arn) < 0)
                return -ENOMEM;
        }
    }
    *ret_wait_usec = 0;
    if (page->next) {
        int rc = run_look_turn_page(l, page->next);
        if (rc == -ELOOP) {
            run_look_free(TAKE_PTR(r->look));
            r->n_polls++;
            *ret_wait_usec = drive_look_wait(r, context, now);
            run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = "the listing of backups does not end"}, now);
            return 0;
        }
        return rc;
    }
    /* the table was created again while the request was on its way: what that made is no success, and neither would
     * another be */
    if (l->n_found == 0 && l->other_arn && run_look_found(l, l->other_arn, l->other_wall) < 0)
        return -ENOMEM;
    if (l->n_found > 0)
        return adopt(r, now);
    if (l->begun_wall >= drive_absent_wall(r, context)) {
        run_apply(r, RUN_EV_ABSENT, &(RunCause){.why = "the request had no effect; asking again"}, now);
        return 0;
    }
    run_look_free(TAKE_PTR(r->look));
    r->n_polls++;
    *ret_wait_usec = drive_look_wait(r, context, now);
    return 0;
}

static int answer(Run *r, const DriveContext *context, CallDone *done, Now now, Usec *ret_wait_usec) {
    AwsOp op = done->reply ? done->reply->op : AWS_OP_ANY;
    if (op == AWS_OP_CREATE_BACKUP)
        return take_created(r, &done->reply->backup, now, ret_wait_usec);
    if (op == AWS_OP_LIST_BACKUPS)
        return take_page(r, context, &done->reply->backups, now, ret_wait_usec);
    if (op == AWS_OP_DESCRIBE_BACKUP)
        return take_status(r, &done->reply->backup, now, ret_wait_usec);
    if (r->state == RUN_INTENDED || r->state == RUN_REQUESTED)
        drive_ask_failed(r, &done->error, now, ret_wait_usec);
    else if (drive_is_gone(r, &done->error)) {
        r->artefact->life = ARTEFACT_GONE;
        run_apply(r, RUN_EV_VANISHED,
                  &(RunCause){.why = "the service no longer knows the backup: somebody deleted it",
                              .request_id = done->error.request_id},
                  now);
    } else {
        run_look_free(TAKE_PTR(r->look));
        r->n_polls++;
        drive_read_failed(r, &done->error, now, ret_wait_usec);
    }
    return 0;
}

const DriveAction backup_action = {.intend = intend, .request = request, .answer = answer};
