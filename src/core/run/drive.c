#include "core/run/drive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/format/digest.h"

static const DriveAction *action_of(const Run *r) {
    return r->action == ACTION_BACKUP ? &backup_action : &export_action;
}

static const RunCause *cause_of(const AwsError *e, char why[static 600], RunCause *cause) {
    snprintf(why, 600, "%s%s%s", e->code, e->message[0] ? ": " : "", e->message);
    *cause = (RunCause){.why = why, .hint = e->hint, .request_id = e->request_id[0] ? e->request_id : NULL};
    return cause;
}

/* Doubles from `first` to `cap`, shortened by up to a fifth so that runs which failed together do not come back
 * together; which share is the run's own, so that a replay waits the same. */
static Usec backoff(const Run *r, int n, Usec first, Usec cap) {
    Usec wait = first;
    for (int i = 1; i < n && wait < cap; i++)
        wait *= 2;
    wait = usec_min(wait, cap);
    return wait - wait / 5 * (Usec)((uint64_t)r->id * 2654435761u % 101) / 100;
}

static Usec defer_wait(const Run *r, AwsErrorClass class) {
    int n = r->n_deferred + 1;
    switch (class) {
    case AWS_NOT_READY:
    case AWS_NOT_FOUND:
        return backoff(r, n, 3 * USEC_PER_SEC, USEC_PER_MINUTE);
    case AWS_QUOTA:
        return backoff(r, n, 5 * USEC_PER_MINUTE, 15 * USEC_PER_MINUTE);
    case AWS_TIME_REFUSED:
    case AWS_CREDENTIALS:
    case AWS_DENIED:
    case AWS_REFUSED:
    case AWS_PITR_OFF:
        return backoff(r, n, USEC_PER_MINUTE, 5 * USEC_PER_MINUTE);
    case AWS_OK:
    case AWS_THROTTLED:
    case AWS_TRANSIENT:
    case AWS_UNCERTAIN:
    case AWS_CLOCK_SKEW:
        break;
    }
    return backoff(r, n, 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE);
}

/* Errors that pass by themselves a little after a table became ACTIVE or its recovery was switched on; not for ever. */
#define MAX_HOPEFUL_DEFERRALS 5

static RunEvent ask_event(const Run *r, AwsErrorClass class) {
    if (run_is_link(r) && class != AWS_UNCERTAIN) /* whether it can still be had is for its chain to say */
        return RUN_EV_DEFERRED;
    switch (class) {
    case AWS_UNCERTAIN:
        return RUN_EV_UNSURE;
    case AWS_THROTTLED:
    case AWS_TRANSIENT:
    case AWS_NOT_READY:
    case AWS_QUOTA:
    case AWS_CREDENTIALS:
    case AWS_CLOCK_SKEW:
        return RUN_EV_DEFERRED;
    case AWS_NOT_FOUND:
    case AWS_TIME_REFUSED:
        return r->n_deferred < MAX_HOPEFUL_DEFERRALS ? RUN_EV_DEFERRED : RUN_EV_REFUSED;
    case AWS_OK:
    case AWS_PITR_OFF:
    case AWS_DENIED:
    case AWS_REFUSED:
        break;
    }
    return RUN_EV_REFUSED;
}

void drive_ask_failed(Run *r, const AwsError *error, Now now, Usec *ret_wait_usec) {
    char why[600];
    RunCause cause;
    *ret_wait_usec = defer_wait(r, error->class);
    RunEvent event = ask_event(r, error->class);
    if (event == RUN_EV_REFUSED && r->state == RUN_UNCERTAIN) /* says nothing about what was sent before */
        event = RUN_EV_DEFERRED;
    if (event == RUN_EV_UNSURE)
        *ret_wait_usec = backoff(r, r->n_sends, 2 * USEC_PER_SEC, 5 * USEC_PER_MINUTE);
    run_apply(r, event, cause_of(error, why, &cause), now);
}

void drive_read_failed(Run *r, const AwsError *error, Now now, Usec *ret_wait_usec) {
    char why[600];
    RunCause cause;
    *ret_wait_usec = defer_wait(r, error->class);
    run_apply(r, RUN_EV_DEFERRED, cause_of(error, why, &cause), now);
}

bool drive_is_gone(const Run *r, const AwsError *error) {
    return r->artefact && error->class == AWS_NOT_FOUND &&
           (run_is_settled(r) || r->n_deferred >= DRIVE_GONE_AFTER);
}

Usec drive_poll_wait(const Run *r, Usec first_usec, Now now) {
    Usec age = r->sent_wall == WALL_UNKNOWN ? 0 : now.wall - r->sent_wall;
    return backoff(r, r->n_polls, first_usec, age < 15 * USEC_PER_MINUTE ? 30 * USEC_PER_SEC : 2 * USEC_PER_MINUTE);
}

Usec drive_absent_wall(const Run *r, const DriveContext *context) {
    Usec sent = r->sent_wall != WALL_UNKNOWN ? r->sent_wall : r->intent_wall;
    return usec_add(sent, DRIVE_LOOK_AGAIN_USEC + context->listing_lag_usec);
}

Usec drive_look_wait(const Run *r, const DriveContext *context, Now now) {
    Usec left = drive_absent_wall(r, context) - now.wall;
    Usec wait = backoff(r, r->n_polls, 5 * USEC_PER_SEC, 5 * USEC_PER_MINUTE);
    return left > 0 ? usec_min(wait, left) : wait;
}

int drive_hash(const char *const *parts, size_t n_parts, size_t n_hex, char *ret_hex) {
    AUTO_TEXT t = TEXT_INIT(8192);
    for (size_t i = 0; i < n_parts; i++)
        text_add_bytes(&t, parts[i], strlen(parts[i]) + 1);
    if (t.error)
        return t.error;
    char hex[DIGEST_HEX_SIZE];
    int r = digest_sha256_hex(t.data, t.len, hex);
    if (r < 0)
        return r;
    memcpy(ret_hex, hex, n_hex);
    ret_hex[n_hex] = '\0';
    return 0;
}

int drive_artefact(Run *r, Artefact **ret) {
    if (!r->artefact) {
        r->artefact = calloc(1, sizeof *r->artefact);
        if (!r->artefact)
            return -ENOMEM;
        *r->artefact = (Artefact){
            .run_id = r->id,
            .action = r->action,
            .life = ARTEFACT_IN_PROGRESS,
            .created_wall = WALL_UNKNOWN,
            .finished_wall = WALL_UNKNOWN,
            .verified_wall = WALL_UNKNOWN,
            .size_bytes = COUNT_UNKNOWN,
            .item_count = COUNT_UNKNOWN,
        };
    }
    *ret = r->artefact;
    return 0;
}

int drive_prepare(Run *r, const DriveContext *context, Now now) {
    const Target *t = context->target;
    if (r->state != RUN_DUE || !t || t->described_wall == WALL_UNKNOWN || t->described_wall > now.wall ||
        now.wall - t->described_wall > DRIVE_TABLE_AGE_USEC)
        return 0;
    if (text_set(&r->table_id, t->table_id) < 0 || text_set(&r->table_arn, t->table_arn) < 0)
        return -ENOMEM;
    int rc = action_of(r)->intend(r, context);
    if (rc < 0)
        return rc;
    r->intent_wall = now.wall;
    run_apply(r, RUN_EV_PREPARED, NULL, now);
    return 0;
}

int drive_request(Run *r, const DriveContext *context, Now now, AwsRequest **ret, bool *ret_asks) {
    if (r->state != RUN_DUE)
        return action_of(r)->request(r, context, now, ret, ret_asks);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_TABLE);
    if (!q || text_set(&q->describe_table.table, r->table) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(q);
    *ret_asks = false;
    return 0;
}

/* The table's status, as far as it decides whether a run can begin. */
static const struct {
    const char *status;
    RunEvent event;
    const char *why, *hint;
} table_states[] = {
    {"ACTIVE", RUN_EV_PREPARED, NULL, NULL},
    {"UPDATING", RUN_EV_PREPARED, NULL, NULL},
    {"CREATING", RUN_EV_DEFERRED, "the table is still being created", NULL},
    {"DELETING", RUN_EV_REFUSED, "the table is being deleted", "take the table out of the configuration"},
    {"INACCESSIBLE_ENCRYPTION_CREDENTIALS", RUN_EV_REFUSED, "the table's KMS key cannot be used",
     "enable the key or restore DynamoDB's grant on it within 7 days, before the table is archived"},
    {"ARCHIVING", RUN_EV_REFUSED, "the table is being archived by DynamoDB", "restore it from its archival backup"},
    {"ARCHIVED", RUN_EV_REFUSED, "the table was archived by DynamoDB", "restore it from its archival backup"},
};

bool drive_table_is_ready(const TableInfo *info) {
    for (size_t i = 0; i < ARRAY_SIZE(table_states); i++)
        if (strcmp(table_states[i].status, info->status) == 0)
            return table_states[i].event == RUN_EV_PREPARED;
    return true;
}

static int take_table(Run *r, const DriveContext *context, const TableInfo *info, Now now, Usec *ret_wait_usec) {
    for (size_t i = 0; i < ARRAY_SIZE(table_states); i++) {
        if (strcmp(table_states[i].status, info->status) != 0 || table_states[i].event == RUN_EV_PREPARED)
            continue;
        *ret_wait_usec = backoff(r, r->n_deferred + 1, 5 * USEC_PER_SEC, USEC_PER_MINUTE);
        run_apply(r, table_states[i].event, &(RunCause){.why = table_states[i].why, .hint = table_states[i].hint}, now);
        return 0;
    }
    *ret_wait_usec = 0;
    if (!context->target) {
        run_apply(r, RUN_EV_REFUSED, &(RunCause){.why = "the table is no longer in the configuration"}, now);
        return 0;
    }
    int rc = target_describe(context->target, info, now.wall);
    return rc < 0 ? rc : drive_prepare(r, context, now);
}

int drive_answer(Run *r, const DriveContext *context, CallDone *done, Now now, Usec *ret_wait_usec) {
    if (r->state != RUN_DUE)
        return action_of(r)->answer(r, context, done, now, ret_wait_usec);
    if (done->error.class == AWS_OK)
        return take_table(r, context, &done->reply->table, now, ret_wait_usec);
    if (done->error.class == AWS_NOT_FOUND || done->error.class == AWS_DENIED || done->error.class == AWS_REFUSED) {
        char why[600];
        RunCause cause;
        run_apply(r, RUN_EV_REFUSED, cause_of(&done->error, why, &cause), now);
    } else
        drive_read_failed(r, &done->error, now, ret_wait_usec);
    return 0;
}
