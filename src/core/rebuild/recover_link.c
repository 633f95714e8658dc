#include "core/rebuild/recover_link.h"

#include <errno.h>

#include "base/text.h"
#include "core/run/look.h"
#include "core/run/recover.h"

int recover_info(const Record *d, ExportInfo *ret) {
    bool is_base = record_is_base(d);
    *ret = (ExportInfo){.status = EXPORT_COMPLETED,
                        .start_wall = look_wall_of_arn(d->export_arn),
                        .end_wall = WALL_UNKNOWN,
                        .export_wall = is_base ? d->base_wall : WALL_UNKNOWN,
                        .billed_size_bytes = COUNT_UNKNOWN,
                        .item_count = d->item_count,
                        .from_wall = d->from_wall,
                        .to_wall = d->to_wall};
    const struct {
        char **to;
        const char *value;
    } texts[] = {{&ret->arn, d->export_arn},       {&ret->status_text, "COMPLETED"},
                 {&ret->type, is_base ? "FULL_EXPORT" : "INCREMENTAL_EXPORT"},
                 {&ret->table_arn, d->table_arn},  {&ret->table_id, d->table_id},
                 {&ret->s3_bucket, d->bucket},     {&ret->s3_prefix, d->prefix},
                 {&ret->manifest_key, d->manifest_key}, {&ret->client_token, d->client_token}};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (text_set(texts[i].to, texts[i].value) < 0)
            return -ENOMEM;
    return 0;
}

/* As it stood when its intent was stored. */
static int intend(const ChainClues *clues, const Chain *c, const LinkClue *clue, int attempt, Usec made_wall, Now now,
                  Run **ret) {
    const ScheduleConf *s = clues->schedule;
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = run_new(0, &r);
    if (rc < 0)
        return rc;
    if (text_set(&r->schedule, c->schedule) < 0 || text_set(&r->account, c->account) < 0 ||
        text_set(&r->region, c->region) < 0 || text_set(&r->table, c->table) < 0 ||
        text_set(&r->table_id, c->table_id) < 0 || text_set(&r->table_arn, c->table_arn) < 0 ||
        text_set(&r->view_type, s->view_type) < 0 || s3_conf_copy(&s->s3, &r->s3) < 0)
        return -ENOMEM;
    r->action = ACTION_INCREMENTAL;
    r->verify = s->verify;
    r->chain_id = c->id;
    r->from_wall = clue->from_wall;
    r->to_wall = r->slot_wall = r->due_wall = clue->to_wall;
    r->attempt = attempt;
    if (s->warn_after_usec > 0)
        r->warn_at_wall = usec_add(now.wall, s->warn_after_usec); /* it is followed from now on */
    DriveContext context = {.deployment = clues->facts.deployment, .target = clues->target};
    if ((rc = export_intend_link(r, &context, c->start_wall, (Now){.wall = made_wall})) < 0)
        return rc;
    run_notes_clear(r); /* its story begins with its recovery */
    *ret = TAKE_PTR(r);
    return 0;
}

/* Its record says how it was checked. When that was, nobody knows: not before it was made. */
static int take_record(Run *r, const Record *d, Usec made_wall) {
    Artefact *a = r->artefact;
    bool checked = d->summary_md5 && d->files_md5;
    a->verified_wall = a->finished_wall = made_wall;
    r->verify = a->level = checked ? VERIFY_MANIFEST : VERIFY_SERVICE;
    if (text_set(&a->name, r->name) < 0 || text_set(&a->found, RECOVER_AS_RECORDED) < 0)
        return -ENOMEM;
    return checked && (text_set(&a->summary_md5, d->summary_md5) < 0 || text_set(&a->files_md5, d->files_md5) < 0)
               ? -ENOMEM
               : 0;
}

/* Its export stays where it is, and counts for nothing. */
static int supersede(Run *r, const ExportInfo *info, bool is_gone, const char *why, Now now) {
    Artefact *a;
    run_apply(r, RUN_EV_ADOPTED, &(RunCause){.why = why}, now);
    int rc = drive_artefact(r, &a);
    if (rc < 0 || (rc = artefact_take_export(a, info)) < 0)
        return rc;
    if (a->created_wall == WALL_UNKNOWN)
        a->created_wall = r->to_wall;
    if (info->status == EXPORT_FAILED)
        a->life = ARTEFACT_FAILED;
    else if (info->status == EXPORT_COMPLETED)
        a->life = is_gone ? ARTEFACT_GONE : ARTEFACT_DISPROVED;
    run_apply(r, RUN_EV_FINISH_EXPIRED, &(RunCause){.why = why}, now);
    return 0;
}

int recover_link(const ChainClues *clues, const Chain *c, const LinkClue *clue, int attempt, const char *why_not,
                 Now now, Run **ret) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    CLEANUP(export_info_done) ExportInfo recorded = {};
    const ExportInfo *info = clue->info ? clue->info : &recorded;
    int rc = clue->info ? 0 : recover_info(clue->record, &recorded);
    if (rc < 0)
        return rc;
    Usec made = info->start_wall != WALL_UNKNOWN ? info->start_wall : clue->to_wall;
    if ((rc = intend(clues, c, clue, attempt, made, now, &r)) < 0 ||
        (rc = export_take_parameters(r, info)) < 0)
        return rc;
    if (clue->record)
        r->verify = VERIFY_SERVICE;
    r->first_sent_wall = r->sent_wall = made;
    r->n_sends = 1;
    DriveContext context = {.deployment = clues->facts.deployment, .target = clues->target};
    AwsReply reply = {.op = AWS_OP_DESCRIBE_EXPORT, .export = *info};
    bool counts = !why_not || (clue->record && !clue->is_gone); /* what was verified stays so, wanted or not */
    if (!counts)
        rc = supersede(r, info, clue->is_gone, why_not, now);
    else
        rc = recover_take(r, &context, info->arn, made, &reply, now);
    if (rc >= 0 && counts && clue->record && r->artefact)
        rc = take_record(r, clue->record, made);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(r);
    return 0;
}

int recover_link_doubt(const ChainClues *clues, const Chain *c, Usec from_wall, Usec to_wall, Now now, Run **ret) {
    CLEANUP(run_free_ptr) Run *r = NULL;
    int rc = intend(clues, c, &(LinkClue){.from_wall = from_wall, .to_wall = to_wall}, 1, now.wall, now, &r);
    if (rc < 0)
        return rc;
    r->first_sent_wall = r->sent_wall = now.wall;
    run_apply(r, RUN_EV_SENT, NULL, now);
    run_apply(r, RUN_EV_INTERRUPTED,
              &(RunCause){.why = "whether it was asked for was lost with the ledger, and nothing of it shows"}, now);
    *ret = TAKE_PTR(r);
    return 0;
}
