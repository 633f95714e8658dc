/* Exports to S3: full ones, and the links of chains. Repeating the request with its token and its stored parameters
 * is safe for the 8 hours in which the token is valid; later it is looked for first. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "core/run/drive.h"
#include "core/verify/verify.h"

/* ExportTableToPointInTime, ClientToken: valid for 8 hours after the first request; an hour is left for the doubt. */
#define TOKEN_TRUSTED_USEC (7 * USEC_PER_HOUR)

static int expand(char **text, const DriveContext *context, const Run *r, const char *account) {
    if (!*text)
        return 0;
    char *expanded = NULL;
    int rc = conf_expand(*text,
                         &(ConfNames){.deployment = context->deployment,
                                      .account = account,
                                      .region = r->region,
                                      .table = r->table,
                                      .schedule = r->schedule},
                         &expanded);
    if (rc < 0)
        return rc;
    free(*text);
    *text = expanded;
    return 0;
}

int export_token(const char *deployment, const char *account, const char *table_id, const char *schedule,
                 Usec slot_wall, int attempt, char ret[static EXPORT_TOKEN_SIZE]) {
    char slot[DATE_COMPACT_SIZE], number[16];
    snprintf(number, sizeof number, "%d", attempt);
    const char *parts[] = {deployment, account, table_id, schedule, date_to_compact(slot_wall, slot), number};
    return drive_hash(parts, ARRAY_SIZE(parts), EXPORT_TOKEN_SIZE - 1, ret);
}

static int set_token(Run *r, const char *deployment, const char *account) {
    char token[EXPORT_TOKEN_SIZE];
    int rc = export_token(deployment, account, r->table_id, r->schedule, r->slot_wall, r->attempt, token);
    return rc < 0 ? rc : text_set(&r->name, token);
}

int export_link_token(const char *deployment, const char *account, const char *table_id, const char *schedule,
                      Usec chain_start_wall, Usec from_wall, Usec to_wall, int attempt,
                      char ret[static EXPORT_TOKEN_SIZE]) {
    char start[DATE_COMPACT_SIZE], from[DATE_COMPACT_SIZE], to[DATE_COMPACT_SIZE], number[16];
    snprintf(number, sizeof number, "%d", attempt);
    const char *parts[] = {deployment,
                           account,
                           table_id,
                           schedule,
                           date_to_compact(chain_start_wall, start),
                           date_to_compact(from_wall, from),
                           date_to_compact(to_wall, to),
                           number};
    return drive_hash(parts, ARRAY_SIZE(parts), EXPORT_TOKEN_SIZE - 1, ret);
}

static int set_link_token(Run *r, const char *deployment, const char *account, Usec chain_start_wall) {
    char token[EXPORT_TOKEN_SIZE];
    int rc = export_link_token(deployment, account, r->table_id, r->schedule, chain_start_wall, r->from_wall,
                               r->to_wall, r->attempt, token);
    return rc < 0 ? rc : text_set(&r->name, token);
}

/* The account's digits stand in the stored ARN, so that a later attempt needs no configuration. */
static const char *account_of(const Run *r, char buffer[static 13]) {
    return target_account_id(&(Target){.table_arn = r->table_arn}, buffer);
}

static int expand_s3(Run *r, const DriveContext *context, const char *account) {
    int rc = expand(&r->s3.bucket, context, r, account);
    return rc < 0 ? rc : expand(&r->s3.prefix, context, r, account);
}

static int intend(Run *r, const DriveContext *context) {
    char account[13];
    int rc = expand_s3(r, context, account_of(r, account));
    return rc < 0 ? rc : set_token(r, context->deployment, account);
}

int export_intend_link(Run *r, const DriveContext *context, Usec chain_start_wall, Now now) {
    char account[13];
    int rc = expand_s3(r, context, account_of(r, account));
    if (rc >= 0)
        rc = set_link_token(r, context->deployment, account, chain_start_wall);
    if (rc < 0)
        return rc;
    r->intent_wall = now.wall;
    run_apply(r, RUN_EV_PREPARED, NULL, now);
    return 0;
}

static int keep(char **to, const char *value) { return value ? text_set(to, value) : 0; }

int export_take_parameters(Run *r, const ExportInfo *info) {
    if (keep(&r->name, info->client_token) < 0 || keep(&r->s3.bucket, info->s3_bucket) < 0 ||
        keep(&r->s3.bucket_owner, info->s3_bucket_owner) < 0 || keep(&r->s3.prefix, info->s3_prefix) < 0 ||
        keep(&r->s3.sse_algorithm, info->s3_sse_algorithm) < 0 ||
        keep(&r->s3.kms_key_id, info->s3_sse_kms_key_id) < 0 || keep(&r->s3.format, info->format) < 0 ||
        keep(&r->view_type, info->view_type) < 0)
        return -ENOMEM;
    return 0;
}

static int ask(const Run *r, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_EXPORT_TABLE);
    if (!q)
        return -ENOMEM;
    int rc = text_set(&q->export_table.table_arn, r->table_arn);
    rc = rc < 0 ? rc : text_set(&q->export_table.client_token, r->name);
    rc = rc < 0 ? rc : text_set(&q->export_table.s3_bucket, r->s3.bucket);
    rc = rc < 0 ? rc : text_set(&q->export_table.s3_bucket_owner, r->s3.bucket_owner);
    rc = rc < 0 ? rc : text_set(&q->export_table.s3_prefix, r->s3.prefix);
    rc = rc < 0 ? rc : text_set(&q->export_table.s3_sse_algorithm, r->s3.sse_algorithm);
    rc = rc < 0 ? rc : text_set(&q->export_table.s3_sse_kms_key_id, r->s3.kms_key_id);
    rc = rc < 0 ? rc : text_set(&q->export_table.format, r->s3.format);
    rc = rc < 0 ? rc : text_set(&q->export_table.view_type, r->view_type);
    q->export_table.from_wall = r->from_wall;
    q->export_table.to_wall = r->to_wall;
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(q);
    return 0;
}

static int describe(const char *arn, AwsRequest **ret) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_EXPORT);
    if (!q || text_set(&q->describe_export.arn, arn) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(q);
    return 0;
}

/* The next page of the table's exports; then each export of the right time, one by one, until one has our token. */
static int look(Run *r, Now now, AwsRequest **ret) {
    if (!r->look && !(r->look = run_look_new(now.wall)))
        return -ENOMEM;
    RunLook *l = r->look;
    if (l->listed)
        return describe(l->candidates[l->n_candidates - 1], ret);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_EXPORTS);
    if (!q || text_set(&q->list_exports.table_arn, r->table_arn) < 0 ||
        text_set(&q->list_exports.start_token, l->cursor) < 0)
        return -ENOMEM;
    q->list_exports.limit = 25;
    *ret = TAKE_PTR(q);
    return 0;
}

static bool token_is_trusted(const Run *r, Now now) {
    return r->first_sent_wall == WALL_UNKNOWN ||
           (now.wall >= r->first_sent_wall && now.wall - r->first_sent_wall < TOKEN_TRUSTED_USEC);
}

static int request(Run *r, const DriveContext *context, Now now, AwsRequest **ret, bool *ret_asks) {
    *ret_asks = false;
    if (r->verification)
        return verify_request(r->verification, ret);
    if (r->artefact)
        return describe(r->artefact->arn, ret);
    if (r->look || !token_is_trusted(r, now))
        return look(r, now, ret);
    *ret_asks = true;
    return ask(r, ret);
}

/* Failures that the same request would meet again until a person has acted. */
static const struct {
    const char *code, *hint;
} failures[] = {
    {"S3NoSuchBucket", "create the bucket, or correct s3.bucket of the schedule"},
    {"S3AccessDenied",
     "allow s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload on the bucket's objects to this "
     "principal, in its policy and, across accounts, in the bucket's; check s3.bucket_owner"},
    {"KmsNotFoundException", "correct s3.kms_key_id: the key must exist in the bucket's region; 'ddbackupctl doctor' "
                             "asks for it"},
    {"KmsAccessDenied", "allow kms:GenerateDataKey and kms:Decrypt on the key to this principal"},
};

/* A link's next attempt is a row of its own, and its chain's to make. */
static bool may_try_again(const Run *r, Now now) {
    return !run_is_settled(r) && !run_is_link(r) && r->attempt < EXPORT_MAX_ATTEMPTS && now.wall <= r->start_by_wall;
}

/* The same token would answer with the same export. */
static int try_again(Run *r, const DriveContext *context, const RunCause *cause, Now now, Usec *ret_wait_usec) {
    char account[13];
    *ret_wait_usec = USEC_PER_MINUTE;
    r->failed_artefact = TAKE_PTR(r->artefact);
    run_apply(r, RUN_EV_RETRIED, cause, now);
    return set_token(r, context->deployment, account_of(r, account));
}

static int fail(Run *r, const DriveContext *context, const ExportInfo *info, Now now, Usec *ret_wait_usec) {
    char why[900];
    const char *code = info->failure_code ? info->failure_code : "no FailureCode";
    snprintf(why, sizeof why, "the service reports FAILED: %.80s: %.700s", code,
             info->failure_message ? info->failure_message : "no FailureMessage");
    RunCause cause = {.why = why};
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
        if (strcmp(failures[i].code, code) == 0) {
            cause.hint = failures[i].hint;
            known = true;
        }
    if (!known && text_starts_with(code, "Kms"))
        cause.hint = "is the key of s3.kms_key_id enabled, symmetric and allowed? 'ddbackupctl doctor' asks for it";
    r->artefact->life = ARTEFACT_FAILED;
    if (known || !may_try_again(r, now)) {
        run_apply(r, RUN_EV_FAILED_THERE, &cause, now);
        return 0;
    }
    return try_again(r, context, &cause, now, ret_wait_usec);
}

/* It is not what was asked for, or not any more. */
static int disprove(Run *r, const DriveContext *context, const char *why, Now now, Usec *ret_wait_usec) {
    RunCause cause = {.why = why, .hint = "look at the bucket: who else writes or deletes there?"};
    r->artefact->life = ARTEFACT_DISPROVED;
    if (r->verification && may_try_again(r, now))
        return try_again(r, context, &cause, now, ret_wait_usec);
    run_apply(r, RUN_EV_DISPROVED, r->verification ? &cause : &(RunCause){.why = why}, now);
    return 0;
}

static int prove(Run *r, const VerifyFacts *facts, Now now) {
    char found[VERIFY_TEXT_SIZE];
    Artefact *a = r->artefact;
    if (facts && text_set(&a->found, verify_facts_to_string(facts, r->verify, found)) < 0)
        return -ENOMEM;
    if (facts && (text_set(&a->summary_md5, facts->summary_md5) < 0 || text_set(&a->files_md5, facts->files_md5) < 0))
        return -ENOMEM;
    a->level = r->verify;
    a->life = ARTEFACT_VERIFIED;
    a->verified_wall = now.wall;
    run_apply(r, RUN_EV_VERIFIED, NULL, now);
    return 0;
}

/* What DescribeExport says is what was asked for; what lies in the bucket is looked at next, where that is wanted. */
static int verify(Run *r, const DriveContext *context, const ExportInfo *info, Now now, Usec *ret_wait_usec) {
    Artefact *a = r->artefact;
    char why[300] = "";
    *ret_wait_usec = 0;
    const char *type = run_is_link(r) ? "INCREMENTAL_EXPORT" : "FULL_EXPORT";
    if (info->table_id && !text_equal(info->table_id, r->table_id))
        snprintf(why, sizeof why, "it is of TableId %.64s, not %.64s", info->table_id, r->table_id);
    else if (info->type && strcmp(info->type, type) != 0)
        snprintf(why, sizeof why, "it is of type %.64s, not %s", info->type, type);
    else if (run_is_link(r) && (info->from_wall != r->from_wall || info->to_wall != r->to_wall))
        snprintf(why, sizeof why, "it is of another window than was asked for");
    else if (r->verify != VERIFY_SERVICE && !info->manifest_key)
        snprintf(why, sizeof why, "the service tells of no manifest");
    if (a->finished_wall == WALL_UNKNOWN)
        a->finished_wall = now.wall;
    if (why[0])
        return disprove(r, context, why, now, ret_wait_usec);
    if (r->verify == VERIFY_SERVICE)
        return prove(r, NULL, now);
    return verify_new(&(VerifyWish){.level = r->verify,
                                    .region = r->region,
                                    .bucket = r->s3.bucket,
                                    .bucket_owner = r->s3.bucket_owner,
                                    .prefix = r->s3.prefix,
                                    .manifest_key = info->manifest_key,
                                    .export_arn = info->arn,
                                    .table_id = r->table_id,
                                    .from_wall = info->from_wall,
                                    .to_wall = info->to_wall,
                                    .item_count = info->item_count,
                                    .bytes_per_sec = context->verify_rate},
                      &r->verification);
}

static int take_verification(Run *r, const DriveContext *context, const CallDone *done, Now now, Usec *ret_wait_usec) {
    Verify *v = r->verification;
    bool unknown;
    int rc = verify_answer(v, done, &unknown, ret_wait_usec);
    if (rc < 0)
        return rc;
    if (unknown && done->error.class != AWS_OK) {
        r->n_polls++;
        drive_read_failed(r, &done->error, now, ret_wait_usec);
        return 0;
    }
    if (unknown) {
        *ret_wait_usec = USEC_PER_MINUTE;
        run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = verify_why(v), .hint = verify_hint(v)}, now);
        return 0;
    }
    r->changed |= verify_state(v) != VERIFY_ASKS;
    switch (verify_state(v)) {
    case VERIFY_ASKS:
        return 0;
    case VERIFY_PASSED:
        rc = prove(r, verify_facts(v), now);
        break;
    case VERIFY_BAD:
        rc = disprove(r, context, verify_why(v), now, ret_wait_usec);
        break;
    }
    verify_free(TAKE_PTR(r->verification));
    return rc;
}

static int take_status(Run *r, const DriveContext *context, const ExportInfo *info, Now now, Usec *ret_wait_usec) {
    Artefact *a;
    int rc = drive_artefact(r, &a);
    if (rc >= 0)
        rc = artefact_take_export(a, info);
    if (rc < 0)
        return rc;
    if (a->created_wall == WALL_UNKNOWN) /* the service always tells ExportTime; without it, what we asked for */
        a->created_wall = r->first_sent_wall;
    r->changed = true;
    r->n_polls++;
    *ret_wait_usec = drive_poll_wait(r, 5 * USEC_PER_SEC, now);
    switch (info->status) {
    case EXPORT_COMPLETED:
        run_apply(r, RUN_EV_FINISHED, NULL, now);
        return verify(r, context, info, now, ret_wait_usec);
    case EXPORT_FAILED:
        return fail(r, context, info, now, ret_wait_usec);
    case EXPORT_IN_PROGRESS:
    case EXPORT_UNKNOWN:
        break;
    }
    return 0;
}

/* Nothing has our token. When the listing was complete long enough after the last send, what was sent had no effect,
 * and the token may be used afresh. */
static void not_found(Run *r, const DriveContext *context, Now now, Usec *ret_wait_usec) {
    bool final = r->look->begun_wall >= drive_absent_wall(r, context);
    run_look_free(TAKE_PTR(r->look));
    r->n_polls++;
    *ret_wait_usec = final ? 0 : drive_look_wait(r, context, now);
    if (!final)
        return;
    r->first_sent_wall = WALL_UNKNOWN;
    run_apply(r, RUN_EV_ABSENT, &(RunCause){.why = "no export has our token; asking again"}, now);
}

static int take_page(Run *r, const DriveContext *context, const ExportList *page, Now now, Usec *ret_wait_usec) {
    RunLook *l = r->look;
    *ret_wait_usec = 0;
    for (size_t i = 0; i < page->n_items; i++) {
        Usec made = look_wall_of_arn(page->items[i].arn);
        if (made != WALL_UNKNOWN && made < r->first_sent_wall - DRIVE_CLOCK_SLACK_USEC)
            continue;
        if (ARRAY_GROW(l->candidates, l->n_candidates, l->n_room) < 0)
            return -ENOMEM;
        l->candidates[l->n_candidates] = strdup(page->items[i].arn);
        if (!l->candidates[l->n_candidates])
            return -ENOMEM;
        l->n_candidates++;
    }
    if (page->next) {
        int rc = run_look_turn_page(l, page->next);
        if (rc != -ELOOP)
            return rc;
        run_look_free(TAKE_PTR(r->look));
        *ret_wait_usec = USEC_PER_MINUTE;
        run_apply(r, RUN_EV_DEFERRED, &(RunCause){.why = "the listing of exports does not end"}, now);
        return 0;
    }
    l->listed = true;
    if (l->n_candidates == 0)
        not_found(r, context, now, ret_wait_usec);
    return 0;
}

static int take_candidate(Run *r, const DriveContext *context, const ExportInfo *info, Now now, Usec *ret_wait_usec) {
    *ret_wait_usec = 0;
    if (text_equal(info->client_token, r->name)) {
        char why[300];
        snprintf(why, sizeof why, "found as %.250s", info->arn);
        run_look_free(TAKE_PTR(r->look));
        run_apply(r, RUN_EV_ADOPTED, &(RunCause){.why = why}, now);
        return take_status(r, context, info, now, ret_wait_usec);
    }
    free(r->look->candidates[--r->look->n_candidates]);
    if (r->look->n_candidates == 0)
        not_found(r, context, now, ret_wait_usec);
    return 0;
}

static int answer(Run *r, const DriveContext *context, CallDone *done, Now now, Usec *ret_wait_usec) {
    AwsOp op = done->reply ? done->reply->op : AWS_OP_ANY;
    if (r->verification)
        return take_verification(r, context, done, now, ret_wait_usec);
    if (op == AWS_OP_EXPORT_TABLE) {
        run_apply(r, RUN_EV_ACCEPTED, NULL, now);
        return take_status(r, context, &done->reply->export, now, ret_wait_usec);
    }
    if (op == AWS_OP_LIST_EXPORTS)
        return take_page(r, context, &done->reply->exports, now, ret_wait_usec);
    if (op == AWS_OP_DESCRIBE_EXPORT)
        return r->look ? take_candidate(r, context, &done->reply->export, now, ret_wait_usec)
                       : take_status(r, context, &done->reply->export, now, ret_wait_usec);
    if (r->look) {
        drive_read_failed(r, &done->error, now, ret_wait_usec);
        if (done->error.class == AWS_NOT_FOUND && r->look->listed) { /* a candidate that is gone is not ours to adopt */
            free(r->look->candidates[--r->look->n_candidates]);
            if (r->look->n_candidates == 0)
                not_found(r, context, now, ret_wait_usec);
        }
    } else if (r->state == RUN_INTENDED || r->state == RUN_REQUESTED || r->state == RUN_UNCERTAIN)
        drive_ask_failed(r, &done->error, now, ret_wait_usec);
    else if (drive_is_gone(r, &done->error)) {
        r->artefact->life = ARTEFACT_GONE;
        run_apply(r, RUN_EV_VANISHED,
                  &(RunCause){.why = "the service no longer knows the export", .request_id = done->error.request_id},
                  now);
    } else {
        r->n_polls++;
        drive_read_failed(r, &done->error, now, ret_wait_usec);
    }
    return 0;
}

const DriveAction export_action = {.intend = intend, .request = request, .answer = answer};
