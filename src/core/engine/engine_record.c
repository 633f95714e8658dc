/* The records of chains in their buckets (core/chain/record.h). What is to be recorded stands in the ledger: links
 * that the watermark has passed, bases of chains that stand, lost time that has an end. One account and region writes
 * one record at a time, and no chain waits for that. What fails is tried again for ever; whoever was first has written
 * the same, or there is something to say. Records of what has expired go again, if they are what was written. */

#include "core/engine/engine_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/chain/record.h"

/* Between two walks through what is to be recorded. */
#define WALK_USEC USEC_PER_SEC
/* After a failure; twice as long after each further one. */
#define RETRY_USEC (30 * USEC_PER_SEC)
#define RETRY_MAX_USEC USEC_PER_HOUR
#define CALL_USEC (2 * USEC_PER_MINUTE)
/* So many failures in a row are worth a word, even if others would pass by themselves. */
#define N_PATIENT 5
/* What could not be taken away is tried again then; meanwhile others are written. */
#define STALE_AGAIN_USEC USEC_PER_HOUR

/* Of one account and region. */
struct Recorder {
    char *account, *region;
    bool wanted; /* the ledger may have something to record that no walk has seen yet */
    bool walking, walk_failed;
    RecordMark mark; /* of this walk */
    bool has_task, calling, reading; /* reading: what is in the record's place */
    RecordTask task;
    char *bucket_region, *key; /* of the task */
    char *etag; /* of what was read, and is to go; NULL: it is not known yet */
    Usec stale_mono; /* USEC_INFINITY: nothing that could not be taken away waits; else until then */
    bool moved;                /* to the region that S3 named */
    Usec next_mono;
    int n_failures; /* in a row */
    bool said;      /* that they fail, until a whole walk does not */
    bool stale_said; /* that one could not be taken away */
};

static void end_task(Recorder *c) {
    record_task_done(&c->task);
    free(TAKE_PTR(c->bucket_region));
    free(TAKE_PTR(c->key));
    free(TAKE_PTR(c->etag));
    c->has_task = c->reading = c->moved = false;
}

void engine_recorders_done(Engine *e) {
    for (size_t i = 0; i < e->n_recorders; i++) {
        end_task(e->recorders[i]);
        free(e->recorders[i]->account);
        free(e->recorders[i]->region);
        free(e->recorders[i]);
    }
    free(e->recorders);
}

/* --- when --- */

static int find(Engine *e, const Lineage *l, Recorder **ret) {
    for (size_t i = 0; i < e->n_recorders; i++)
        if (strcmp(e->recorders[i]->account, l->account) == 0 && strcmp(e->recorders[i]->region, l->region) == 0) {
            *ret = e->recorders[i];
            return 0;
        }
    if (ARRAY_GROW(e->recorders, e->n_recorders, e->n_recorders_room) < 0)
        return -ENOMEM;
    Recorder *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->stale_mono = USEC_INFINITY;
    *ret = e->recorders[e->n_recorders++] = c;
    return text_set(&c->account, l->account) < 0 || text_set(&c->region, l->region) < 0 ? -ENOMEM : 0;
}

/* The next walk begins when what this turn changes is on disk. */
int engine_want_records(Engine *e, const Lineage *l, Now now) {
    Recorder *c;
    int r = find(e, l, &c);
    if (r < 0)
        return r;
    if (!c->walking)
        c->next_mono = usec_max(c->next_mono, now.mono + WALK_USEC);
    c->wanted = true;
    return 0;
}

int engine_want_records_of(Engine *e, const char *account, const char *region, const char *table, Now now) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < e->n_lineages; i++) {
        const Lineage *l = e->lineages[i];
        if (strcmp(l->table, table) == 0 && strcmp(l->account, account) == 0 && strcmp(l->region, region) == 0)
            r = engine_want_records(e, l, now);
    }
    return r;
}

/* Its account and region are still of the configuration: without, there are no credentials. */
static bool is_idle(const Engine *e, const Recorder *c) {
    return c->calling || (!c->wanted && !c->walking) || !places_find(&e->places, c->account, c->region);
}

Usec engine_record_mono(const Engine *e) {
    Usec next = USEC_INFINITY;
    for (size_t i = 0; e->port.next_record && !e->stopping && i < e->n_recorders; i++)
        if (!is_idle(e, e->recorders[i]))
            next = usec_min(next, e->recorders[i]->next_mono);
        else if (!e->recorders[i]->calling)
            next = usec_min(next, e->recorders[i]->stale_mono);
    return next;
}

/* --- writing --- */

static int put_outcome(const Recorder *c, RecordOutcome outcome, EngineOutbox *out) {
    LedgerBatch *b = &out->batch;
    if (ARRAY_GROW(b->records, b->n_records, b->n_records_room) < 0)
        return -ENOMEM;
    const RecordTask *t = &c->task;
    b->records[b->n_records++] = (LedgerRecord){.chain_id = t->chain_id,
                                                .link_id = t->link_id,
                                                .lost_wall = t->record.lost ? t->record.from_wall : WALL_UNKNOWN,
                                                .outcome = outcome};
    return 0;
}

static int say_again(Engine *e, const Recorder *c, EngineOutbox *out) {
    char label[PLACE_LABEL_SIZE];
    Report *report = NULL;
    const Place *p = places_find(&e->places, c->account, c->region);
    if (!p)
        return 0;
    int r = report_plain(REPORT_RECORDED_AGAIN, &report,
                         "%s: the records of chains are written again; none is missing in its bucket",
                         place_label(p, e->qualified, label));
    return r < 0 ? r : engine_say(out, report);
}

/* Another one follows if something failed, or came up meanwhile. */
static int end_walk(Engine *e, Recorder *c, Now now, EngineOutbox *out) {
    bool recovered = c->said && !c->walk_failed;
    c->mark = (RecordMark){};
    c->wanted |= c->walk_failed;
    c->walking = c->walk_failed = false;
    c->next_mono = usec_max(c->next_mono, now.mono + WALK_USEC);
    if (!recovered)
        return 0;
    c->said = false;
    return say_again(e, c, out);
}

static int begin(Engine *e, Recorder *c, Now now, EngineOutbox *out) {
    RecordTask *t = &c->task;
    if (!c->walking)
        c->wanted = false;
    c->walking = true;
    if (c->stale_mono != USEC_INFINITY)
        c->mark.stale_chain_id = c->mark.stale_link_id = INT64_MAX;
    int r = e->port.next_record(e->port.context, c->account, c->region, c->mark, t);
    if (r == -ENOENT)
        return end_walk(e, c, now, out);
    if (r < 0)
        return r;
    if (t->is_stale)
        *(t->link_id ? &c->mark.stale_link_id : &c->mark.stale_chain_id) = t->link_id ? t->link_id : t->chain_id;
    else if (t->record.lost) {
        c->mark.losing_id = t->chain_id;
        c->mark.lost_wall = t->record.from_wall;
    } else if (t->link_id)
        c->mark.link_id = t->link_id;
    else
        c->mark.chain_id = t->chain_id;
    c->has_task = true;
    c->reading = t->is_stale;
    r = t->is_nowhere ? -EINVAL : text_set(&t->record.deployment, e->conf->deployment);
    if (r >= 0)
        r = record_key(&t->record, &c->key);
    if (r == -EINVAL) { /* what the service told leaves no place for it */
        r = put_outcome(c, RECORD_NOWHERE, out);
        end_task(c);
        return r;
    }
    return r < 0 ? r : text_set(&c->bucket_region, c->region);
}

static int ask(Engine *e, size_t place, Now now) {
    Recorder *c = e->recorders[place];
    AwsOp op = c->etag ? AWS_OP_DELETE_OBJECT : c->reading ? AWS_OP_GET_OBJECT : AWS_OP_PUT_OBJECT;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    if (!q || text_set(&q->object.bucket, c->task.record.bucket) < 0 ||
        text_set(&q->object.bucket_owner, c->task.bucket_owner) < 0 || text_set(&q->object.key, c->key) < 0)
        return -ENOMEM;
    int r = 0;
    q->object.last = -1;
    if (c->etag)
        r = (q->object.if_match = text_format("\"%s\"", c->etag)) ? 0 : -ENOMEM;
    else if (c->reading)
        q->object.last = RECORD_MAX - 1;
    else {
        q->object.only_new = true;
        r = record_write(&c->task.record, &q->object.body);
    }
    if (r < 0)
        return r;
    c->calling = true;
    return client_begin(e->client,
                        &(CallSpec){.account = c->account,
                                    .region = c->bucket_region,
                                    .request = TAKE_PTR(q),
                                    .tag = tag_make(TAG_OF_RECORD, place),
                                    .deadline_mono = now.mono + CALL_USEC},
                        now);
}

int engine_record(Engine *e, Now now, EngineOutbox *out) {
    int r = 0;
    for (size_t i = 0; r >= 0 && e->port.next_record && i < e->n_recorders; i++) {
        Recorder *c = e->recorders[i];
        if (c->stale_mono <= now.mono) {
            c->stale_mono = USEC_INFINITY;
            c->wanted = true;
        }
        if (is_idle(e, c) || c->next_mono > now.mono)
            continue;
        if (!c->has_task)
            r = begin(e, c, now, out);
        if (r >= 0 && c->has_task)
            r = ask(e, i, now);
    }
    return r;
}

/* --- what came of it --- */

static int say(Engine *e, const Recorder *c, ReportKind kind, EngineOutbox *out, const char *what, const char *why,
               const char *hint) {
    const Record *d = &c->task.record;
    Report *report = NULL;
    ReportArtefact about = {.account = c->account,
                            .region = c->region,
                            .table = c->task.table,
                            .schedule = d->schedule,
                            .slot_wall = d->to_wall,
                            .arn = d->lost ? d->base_arn : d->export_arn};
    int r = report_artefact(&about, kind, e->qualified, &report, "record s3://%s/%s of %s %s: %s%s%s", d->bucket,
                            c->key, d->lost ? "time that is lost" : d->export_arn, what, why, hint ? "; HINT: " : "",
                            hint ? hint : "");
    return r < 0 ? r : engine_say(out, report);
}

/* It is in nobody's way: others have their turn. */
static int stays(Engine *e, Recorder *c, const AwsError *error, Now now, EngineOutbox *out) {
    char why[700];
    snprintf(why, sizeof why, "%s: %.400s", error->code, error->message[0] ? error->message : "no message");
    bool hopeless = error->class == AWS_DENIED || error->class == AWS_REFUSED;
    int r = hopeless && !c->stale_said ? say(e, c, REPORT_NOT_RECORDED, out, "is of what has expired, and could not be "
                                             "taken away; that goes on being tried", why, error->hint)
                                       : 0;
    c->stale_said |= hopeless;
    c->stale_mono = now.mono + STALE_AGAIN_USEC;
    end_task(c);
    return r;
}

static int failed(Engine *e, Recorder *c, const AwsError *error, Now now, EngineOutbox *out) {
    if (c->task.is_stale)
        return stays(e, c, error, now, out);
    Usec wait = RETRY_USEC;
    for (int i = 0; i < c->n_failures && wait < RETRY_MAX_USEC; i++)
        wait *= 2;
    c->n_failures++;
    c->walk_failed = true;
    c->next_mono = now.mono + usec_min(wait, RETRY_MAX_USEC);
    bool hopeless = error->class == AWS_DENIED || error->class == AWS_NOT_FOUND || error->class == AWS_REFUSED;
    int r = 0;
    if (!c->said && (hopeless || c->n_failures >= N_PATIENT)) {
        char why[700];
        c->said = true;
        snprintf(why, sizeof why, "%s: %.400s", error->code, error->message[0] ? error->message : "no message");
        r = say(e, c, REPORT_NOT_RECORDED, out, "could not be written, and goes on being tried", why, error->hint);
    }
    end_task(c);
    return r;
}

static int settle(Recorder *c, RecordOutcome outcome, Now now, EngineOutbox *out) {
    int r = put_outcome(c, outcome, out);
    c->n_failures = 0;
    c->next_mono = now.mono;
    end_task(c);
    return r;
}

/* Somebody was first: this process before a reply was lost, or another one. */
static int compare(Engine *e, Recorder *c, const char *body, size_t len, const char *etag, Now now,
                   EngineOutbox *out) {
    CLEANUP(record_done) Record found = {};
    char why[CODEC_WHY_SIZE], words[CODEC_WHY_SIZE + 40];
    int r = record_read(body, len, &found, why);
    if (r < 0 && r != -EBADMSG)
        return r;
    if (r >= 0 && c->task.is_stale) /* what it followed may have been made again since */
        r = text_set(&c->task.record.previous_arn, found.previous_arn);
    if (r == -ENOMEM)
        return r;
    const char *member = r < 0 ? NULL : record_difference(&c->task.record, &found);
    if (r >= 0 && !member && c->task.is_stale && etag)
        return text_set(&c->etag, etag);
    if (r >= 0 && !member)
        return settle(c, c->task.is_stale ? RECORD_DIFFERS : RECORD_WRITTEN, now, out);
    if (member)
        snprintf(words, sizeof words, "its %s is another", member);
    else
        snprintf(words, sizeof words, "it is none: %s", why);
    r = say(e, c, REPORT_RECORD_DIFFERS, out, "is not as this daemon would have written it", words,
            "who writes there? 'ddbackupctl chain --remote' takes what is there");
    return r < 0 ? r : settle(c, RECORD_DIFFERS, now, out);
}

int engine_recorded(Engine *e, CallDone *done, Now now, EngineOutbox *out) {
    Recorder *c = e->recorders[tag_index(done->tag)];
    const AwsError *error = &done->error;
    c->calling = false;
    c->next_mono = now.mono;
    if (error->class == AWS_OK && c->reading && !c->etag)
        return compare(e, c, done->reply->object.body, done->reply->object.len, done->reply->object.etag, now, out);
    if (error->class == AWS_OK)
        return settle(c, c->etag ? RECORD_REMOVED : RECORD_WRITTEN, now, out);
    if (c->task.is_stale && strcmp(error->code, "NoSuchKey") == 0)
        return settle(c, RECORD_REMOVED, now, out);
    if (error->region[0] && strcmp(error->region, c->bucket_region) != 0 && !c->moved) {
        c->moved = true;
        return text_set(&c->bucket_region, error->region);
    }
    if (!c->reading && strcmp(error->code, "PreconditionFailed") == 0) {
        c->reading = true;
        return 0;
    }
    if (c->reading && strcmp(error->code, "InvalidRange") == 0)
        return compare(e, c, "", 0, NULL, now, out);
    return failed(e, c, error, now, out);
}
