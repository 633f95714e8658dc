#include "core/chain/recaller_inside.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

void recaller_free(Recaller *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->n_shelves; i++) {
        free(r->shelves[i].bucket);
        free(r->shelves[i].folder);
        free(r->shelves[i].region);
        object_list_done(&r->shelves[i].list);
    }
    for (size_t i = 0; i < r->n_found; i++) {
        free(r->found[i].key);
        record_done(&r->found[i].record);
    }
    for (size_t i = 0; i < r->n_words; i++)
        free(r->words[i].text);
    for (size_t i = 0; i < r->listed.n_items; i++)
        export_info_done(&r->listed.items[i]);
    for (size_t i = 0; i < r->n_exports; i++)
        export_info_done(&r->exports[i]);
    free(r->shelves);
    free(r->found);
    free(r->records);
    free(r->gone);
    free(r->losses);
    free(r->listed.items);
    free(r->listed.next);
    free(r->exports);
    free(r->bases);
    free(r->questions);
    free(r->words);
    free(r);
}

int recaller_enqueue(Recaller *r, RecallerKind kind, size_t index) {
    if (ARRAY_GROW(r->questions, r->n_questions, r->n_questions_room) < 0)
        return -ENOMEM;
    r->questions[r->n_questions++] = (RecallerAsk){kind, index};
    return 0;
}

int recaller_new(const Conf *conf, const char *schedule, const Place *place, Target *target, Recaller **ret) {
    CLEANUP(recaller_free_ptr) Recaller *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->conf = conf;
    r->schedule = schedule;
    r->place = place;
    r->target = target;
    r->asked_wall = WALL_UNKNOWN;
    r->recovery = (RecoveryInfo){.period_days = COUNT_UNKNOWN, .earliest_wall = WALL_UNKNOWN};
    if (recaller_enqueue(r, ASK_TABLE, 0) < 0 || recaller_enqueue(r, ASK_RECOVERY, 0) < 0)
        return -ENOMEM;
    *ret = TAKE_PTR(r);
    return 0;
}

int recaller_add_base(Recaller *r, const char *arn, Usec export_wall) {
    if (ARRAY_GROW(r->bases, r->n_bases, r->n_bases_room) < 0)
        return -ENOMEM;
    r->bases[r->n_bases++] = (RecallerBase){.arn = arn, .wall = export_wall};
    return 0;
}

/* --- words --- */

const RecallerWord *recaller_words(const Recaller *r, size_t *ret_n) {
    *ret_n = r->n_words;
    return r->words;
}

int recaller_say(Recaller *r, bool is_fatal, char *text) {
    if (!text || ARRAY_GROW(r->words, r->n_words, r->n_words_room) < 0) {
        free(text);
        return -ENOMEM;
    }
    r->words[r->n_words++] = (RecallerWord){.is_fatal = is_fatal, .text = text};
    return 0;
}

int recaller_say_failed(Recaller *r, const char *what, const AwsError *e) {
    return recaller_say(r, true,
               text_format("%s: %s%s%s%s%s", what, e->code, e->message[0] ? ": " : "", e->message,
                           e->hint ? "; HINT: " : "", e->hint ? e->hint : ""));
}

/* --- what is not recorded --- */

/* What the records alone come to: up to where all chains of the schedule are recorded, or over. */
static int find_open(Recaller *r, const ScheduleConf *s, Now now, Usec *open_wall) {
    CLEANUP(lineage_free_ptr) Lineage *l = NULL;
    CLEANUP(recall_done) Recall recalled = {};
    int rc = lineage_new(r->target->account, r->target->region, r->target->table, s->name, &l);
    if (rc < 0 || (rc = recaller_recall(r, s, l, now, &recalled)) < 0)
        return rc;
    for (size_t i = 0; i < l->n_chains; i++)
        if (lineage_is_fed(l, l->chains[i]))
            *open_wall = usec_min(*open_wall, l->chains[i]->covered_wall);
    return 0;
}

static bool is_recorded(const Recaller *r, const char *arn) {
    for (size_t i = 0; i < r->n_records; i++)
        if (strcmp(r->records[i].export_arn, arn) == 0)
            return true;
    for (size_t i = 0; i < r->n_gone; i++)
        if (strcmp(r->gone[i].export_arn, arn) == 0)
            return true;
    return false;
}

/* Those that no record names, and that are newer than the last one that has a record. */
static Usec find_open_base(const Recaller *r) {
    Usec recorded = WALL_UNKNOWN, open_wall = USEC_INFINITY;
    for (size_t i = 0; i < r->n_records; i++)
        if (record_is_base(&r->records[i]))
            recorded = usec_max(recorded, r->records[i].base_wall);
    for (size_t i = 0; i < r->n_bases; i++)
        if (r->bases[i].wall > recorded && !is_recorded(r, r->bases[i].arn))
            open_wall = usec_min(open_wall, r->bases[i].wall);
    return open_wall;
}

static int find_exports(Recaller *r, Now now) {
    Usec open_wall = find_open_base(r);
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < r->conf->n_schedules; i++) {
        const ScheduleConf *s = &r->conf->schedules[i];
        if (s->action == ACTION_INCREMENTAL && (!r->schedule || strcmp(s->name, r->schedule) == 0))
            rc = find_open(r, s, now, &open_wall);
    }
    r->exports = calloc(r->listed.n_items + 1, sizeof *r->exports);
    if (rc < 0 || !r->exports)
        return rc < 0 ? rc : -ENOMEM;
    for (size_t i = 0; rc >= 0 && i < r->listed.n_items; i++)
        if (recall_wants_export(&r->listed.items[i], open_wall, now.wall) && !is_recorded(r, r->listed.items[i].arn))
            rc = recaller_enqueue(r, ASK_EXPORT, i);
    return rc;
}

/* --- stage by stage --- */

/* The questions of the next stage; there may be none. False: there is no further one. */
static int next_stage(Recaller *r, Now now, bool *ret_more) {
    int rc = 0;
    r->n_questions = r->n_asked = r->n_answered = 0;
    *ret_more = true;
    switch (++r->stage) {
    case 1:
        if ((rc = recaller_find_shelves(r)) >= 0 && r->target->table_arn && !r->is_gone)
            rc = recaller_enqueue(r, ASK_EXPORTS, 0);
        return rc;
    case 2:
        return recaller_find_records(r);
    case 3:
        return recaller_find_manifests(r);
    case 4:
        rc = recaller_sort_records(r);
        return rc < 0 ? rc : find_exports(r, now);
    default:
        *ret_more = false;
        return 0;
    }
}

static AwsOp op_of(RecallerKind kind) {
    switch (kind) {
    case ASK_TABLE:
        return AWS_OP_DESCRIBE_TABLE;
    case ASK_RECOVERY:
        return AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS;
    case ASK_RECORDS:
        return AWS_OP_LIST_OBJECTS;
    case ASK_RECORD:
        return AWS_OP_GET_OBJECT;
    case ASK_MANIFEST:
        return AWS_OP_HEAD_OBJECT;
    case ASK_EXPORTS:
        return AWS_OP_LIST_EXPORTS;
    case ASK_EXPORT:
        break;
    }
    return AWS_OP_DESCRIBE_EXPORT;
}

static int fill(const Recaller *r, const RecallerAsk *question, AwsRequest *q) {
    const Target *t = r->target;
    switch (question->kind) {
    case ASK_TABLE:
        return text_set(&q->describe_table.table, t->table);
    case ASK_RECOVERY:
        return text_set(&q->describe_continuous_backups.table, t->table);
    case ASK_RECORDS:
    case ASK_RECORD:
    case ASK_MANIFEST:
        return recaller_fill_object(r, question, q);
    case ASK_EXPORTS:
        q->list_exports.limit = 25;
        return text_set(&q->list_exports.table_arn, t->table_arn) < 0 ||
                       text_set(&q->list_exports.start_token, r->listed.next) < 0
                   ? -ENOMEM
                   : 0;
    case ASK_EXPORT:
        break;
    }
    return text_set(&q->describe_export.arn, r->listed.items[question->index].arn);
}

int recaller_ask(Recaller *r, Now now, RecallerQuestion *ret) {
    for (bool more = true; r->n_asked == r->n_questions;) {
        if (r->n_answered < r->n_asked)
            return -EAGAIN;
        int rc = next_stage(r, now, &more);
        if (rc < 0 || !more)
            return rc < 0 ? rc : -ENOENT;
    }
    const RecallerAsk *question = &r->questions[r->n_asked];
    const RecallerShelf *shelf = recaller_shelf(r, question);
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op_of(question->kind));
    int rc = q ? fill(r, question, q) : -ENOMEM;
    if (rc < 0)
        return rc;
    *ret = (RecallerQuestion){.request = TAKE_PTR(q),
                              .region = shelf ? shelf->region : r->target->region,
                              .tag = r->n_asked++};
    return 0;
}

/* --- answers --- */

static int take_table(Recaller *r, const CallDone *done, Now now) {
    if (done->error.class == AWS_OK)
        return target_describe(r->target, &done->reply->table, now.wall);
    r->is_gone = done->error.class == AWS_NOT_FOUND;
    return r->is_gone ? 0 : recaller_say_failed(r, r->target->table, &done->error);
}

static int take_recovery(Recaller *r, const CallDone *done, Now now) {
    r->asked_wall = now.wall;
    if (done->error.class == AWS_OK)
        r->recovery = done->reply->recovery;
    else if (done->error.class != AWS_NOT_FOUND) /* and the table is gone, which DescribeTable tells */
        return recaller_say_failed(r, r->target->table, &done->error);
    return 0;
}

/* Takes what the page holds. */
static int take_exports(Recaller *r, const CallDone *done) {
    if (done->error.class != AWS_OK)
        return recaller_say_failed(r, r->target->table, &done->error);
    ExportList *page = &done->reply->exports, *l = &r->listed;
    bool turns_in_circles = page->next && text_equal(page->next, l->next);
    while (page->n_items > 0) {
        if (ARRAY_GROW(l->items, l->n_items, l->n_room) < 0)
            return -ENOMEM;
        l->items[l->n_items++] = page->items[--page->n_items];
    }
    free(l->next);
    l->next = TAKE_PTR(page->next);
    if (turns_in_circles)
        return recaller_say_failed(r, r->target->table, &(AwsError){.code = "the listing of exports does not end"});
    return l->next ? recaller_enqueue(r, ASK_EXPORTS, 0) : 0;
}

static int take_export(Recaller *r, const CallDone *done) {
    if (done->error.class == AWS_OK) {
        r->exports[r->n_exports++] = done->reply->export;
        done->reply->export = (ExportInfo){};
    } else if (done->error.class != AWS_NOT_FOUND)
        return recaller_say_failed(r, r->target->table, &done->error);
    return 0;
}

int recaller_answer(Recaller *r, const CallDone *done, Now now) {
    const RecallerAsk q = r->questions[done->tag];
    r->n_answered++;
    switch (q.kind) {
    case ASK_TABLE:
        return take_table(r, done, now);
    case ASK_RECOVERY:
        return take_recovery(r, done, now);
    case ASK_RECORDS:
        return recaller_take_page(r, q.index, done);
    case ASK_RECORD:
        return recaller_take_record(r, &r->found[q.index], done);
    case ASK_MANIFEST:
        return recaller_take_manifest(r, &r->found[q.index], done);
    case ASK_EXPORTS:
        return take_exports(r, done);
    case ASK_EXPORT:
        break;
    }
    return take_export(r, done);
}

/* --- what it comes to --- */

RecallFacts recaller_facts(const Recaller *r) {
    return (RecallFacts){.deployment = r->conf->deployment,
                         .records = r->records,
                         .n_records = r->n_records,
                         .gone = r->gone,
                         .n_gone = r->n_gone,
                         .losses = r->losses,
                         .n_losses = r->n_losses,
                         .exports = r->exports,
                         .n_exports = r->n_exports};
}

void recaller_tell(const Recaller *r, Lineage *l) {
    l->recovery = r->recovery;
    l->recovery_wall = r->asked_wall;
    l->table_is_gone = r->is_gone;
}

int recaller_recall(Recaller *r, const ScheduleConf *s, Lineage *l, Now now, Recall *ret) {
    Enrolment *enrolment = target_enrolment(r->target, s->name);
    int rc = enrolment ? 0 : target_enrol(r->target, s->name, &enrolment);
    if (rc < 0)
        return rc;
    enrolment->active = true;
    enrolment->schedule = s;
    enrolment->max_age_usec = s->max_age_usec;
    l->enrolment = enrolment;
    recaller_tell(r, l);
    const RecallFacts facts = recaller_facts(r);
    return recall_chains(l, &facts, now, ret);
}
