/* The records of a table's chains: in which buckets they lie, what they say, and whether their exports are there. */

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/chain/recaller_inside.h"

static int say_strange(Recaller *r, const RecallerFound *f, const char *why) {
    return recaller_say(r, false,
               text_format("s3://%s/%s is no record and is passed over: %s", r->shelves[f->shelf].bucket, f->key, why));
}

/* --- where they lie --- */

/* Of a table that is gone the account may not be known: then all records under the prefix are looked through. */
static int make_folder(const Recaller *r, const char *prefix, char **ret) {
    const Target *t = r->target;
    const char *id = r->place->account_id;
    if (t->table_arn)
        return record_folder(prefix, t->table_arn, ret);
    AUTO_FREE char *arn = text_format("arn:aws:dynamodb:%s:%s:table/%s", t->region, id[0] ? id : "0", t->table);
    int rc = arn ? record_folder(prefix, arn, ret) : -ENOMEM;
    char *all = rc < 0 || strspn(id, "0123456789") == 12 ? NULL : strstr(*ret, "ddbackupd/0/");
    if (all)
        all[strlen("ddbackupd/")] = '\0';
    return rc;
}

static int add_shelf(Recaller *r, const ScheduleConf *s) {
    char digits[13];
    const Target *t = r->target;
    const char *account = t->table_arn ? target_account_id(t, digits) : r->place->account_id;
    const ConfNames names = {r->conf->deployment, account, t->region, t->table, s->name};
    AUTO_FREE char *bucket = NULL, *prefix = NULL, *folder = NULL;
    int rc = conf_expand(s->s3.bucket, &names, &bucket);
    if (rc >= 0 && s->s3.prefix)
        rc = conf_expand(s->s3.prefix, &names, &prefix);
    if (rc < 0 || (rc = make_folder(r, prefix, &folder)) < 0)
        return rc;
    for (size_t i = 0; i < r->n_shelves; i++)
        if (strcmp(r->shelves[i].bucket, bucket) == 0 && strcmp(r->shelves[i].folder, folder) == 0)
            return 0;
    if (ARRAY_GROW(r->shelves, r->n_shelves, r->n_shelves_room) < 0)
        return -ENOMEM;
    RecallerShelf *shelf = &r->shelves[r->n_shelves++];
    *shelf = (RecallerShelf){.bucket = TAKE_PTR(bucket), .folder = TAKE_PTR(folder), .owner = s->s3.bucket_owner};
    rc = text_set(&shelf->region, t->region);
    return rc < 0 ? rc : recaller_enqueue(r, ASK_RECORDS, r->n_shelves - 1);
}

/* Bases lie where their own schedule puts them, links where theirs does. */
int recaller_find_shelves(Recaller *r) {
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < r->conf->n_schedules; i++) {
        const ScheduleConf *s = &r->conf->schedules[i];
        if (s->action != ACTION_INCREMENTAL || (r->schedule && strcmp(s->name, r->schedule) != 0))
            continue;
        const ScheduleConf *base = conf_schedule(r->conf, s->base);
        rc = add_shelf(r, s);
        if (rc >= 0 && base)
            rc = add_shelf(r, base);
    }
    return rc;
}

static int add_found(Recaller *r, size_t shelf, const char *key) {
    const Target *t = r->target;
    size_t n = strlen(key);
    AUTO_FREE char *part = text_format("/%s/%s/", t->region, t->table);
    if (!part || n < 5 || strcmp(key + n - 5, ".json") != 0 || !strstr(key, part))
        return part ? 0 : -ENOMEM;
    if (ARRAY_GROW(r->found, r->n_found, r->n_found_room) < 0)
        return -ENOMEM;
    r->found[r->n_found] = (RecallerFound){.shelf = shelf, .key = strdup(key)};
    if (!r->found[r->n_found].key)
        return -ENOMEM;
    return recaller_enqueue(r, ASK_RECORD, r->n_found++);
}

int recaller_find_records(Recaller *r) {
    int rc = 0;
    for (size_t i = 0; i < r->n_shelves; i++)
        for (size_t j = 0; rc >= 0 && j < r->shelves[i].list.n_keys; j++)
            rc = add_found(r, i, r->shelves[i].list.keys[j]);
    return rc;
}

int recaller_find_manifests(Recaller *r) {
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < r->n_found; i++)
        rc = r->found[i].is_good && !r->found[i].record.lost ? recaller_enqueue(r, ASK_MANIFEST, i) : 0;
    return rc;
}

int recaller_sort_records(Recaller *r) {
    r->records = calloc(r->n_found + 1, sizeof *r->records);
    r->gone = calloc(r->n_found + 1, sizeof *r->gone);
    r->losses = calloc(r->n_found + 1, sizeof *r->losses);
    if (!r->records || !r->gone || !r->losses)
        return -ENOMEM;
    for (size_t i = 0; i < r->n_found; i++) {
        const RecallerFound *f = &r->found[i];
        if (f->is_good && f->record.lost)
            r->losses[r->n_losses++] = f->record;
        else if (f->is_good && f->is_gone)
            r->gone[r->n_gone++] = f->record;
        else if (f->is_good)
            r->records[r->n_records++] = f->record;
    }
    return 0;
}

/* --- questions --- */

const RecallerShelf *recaller_shelf(const Recaller *r, const RecallerAsk *question) {
    switch (question->kind) {
    case ASK_RECORDS:
        return &r->shelves[question->index];
    case ASK_RECORD:
    case ASK_MANIFEST:
        return &r->shelves[r->found[question->index].shelf];
    case ASK_TABLE:
    case ASK_RECOVERY:
    case ASK_EXPORTS:
    case ASK_EXPORT:
        break;
    }
    return NULL;
}

int recaller_fill_object(const Recaller *r, const RecallerAsk *question, AwsRequest *q) {
    const RecallerShelf *s = recaller_shelf(r, question);
    const RecallerFound *f = question->kind == ASK_RECORDS ? NULL : &r->found[question->index];
    q->object.last = question->kind == ASK_RECORD ? (int64_t)RECORD_MAX - 1 : -1;
    if (text_set(&q->object.bucket, s->bucket) < 0 || text_set(&q->object.bucket_owner, s->owner) < 0)
        return -ENOMEM;
    if (!f)
        return object_list_query(s->folder, s->list.next, &q->object.query);
    return text_set(&q->object.key, question->kind == ASK_RECORD ? f->key : f->record.manifest_key);
}

/* --- answers --- */

int recaller_take_page(Recaller *r, size_t i, const CallDone *done) {
    RecallerShelf *s = &r->shelves[i];
    const char *region = done->error.region;
    if (done->error.class != AWS_OK && region[0] && strcmp(region, s->region) != 0 && !s->moved) {
        s->moved = true;
        int rc = text_set(&s->region, region);
        return rc < 0 ? rc : recaller_enqueue(r, ASK_RECORDS, i);
    }
    if (done->error.class != AWS_OK)
        return recaller_say_failed(r, s->bucket, &done->error);
    int rc = object_list_read(done->reply->object.body, done->reply->object.len, &s->list);
    if (rc == -EBADMSG)
        return recaller_say_failed(r, s->bucket, &(AwsError){.code = "the listing makes no sense"});
    return rc < 0 || !s->list.next ? rc : recaller_enqueue(r, ASK_RECORDS, i);
}

/* It lies where a record of that content belongs. */
static int read_record(Recaller *r, RecallerFound *f, const ObjectReply *o) {
    AUTO_FREE char *key = NULL;
    char why[CODEC_WHY_SIZE] = "";
    int rc = record_read(o->body, o->len, &f->record, why);
    if (rc >= 0)
        rc = record_key(&f->record, &key);
    if (rc == -EBADMSG || rc == -EINVAL)
        return say_strange(r, f, why[0] ? why : "what it says belongs elsewhere");
    if (rc < 0)
        return rc;
    if (strcmp(key, f->key) != 0 || strcmp(f->record.bucket, r->shelves[f->shelf].bucket) != 0)
        return say_strange(r, f, "what it says belongs elsewhere");
    f->is_good = strcmp(f->record.deployment, r->conf->deployment) == 0;
    return 0;
}

int recaller_take_record(Recaller *r, RecallerFound *f, const CallDone *done) {
    if (done->error.class == AWS_OK)
        return read_record(r, f, &done->reply->object);
    if (strcmp(done->error.code, "InvalidRange") == 0)
        return say_strange(r, f, "it is empty");
    return done->error.class == AWS_NOT_FOUND ? 0 : recaller_say_failed(r, f->key, &done->error);
}

/* An export whose manifest is gone is gone. */
int recaller_take_manifest(Recaller *r, RecallerFound *f, const CallDone *done) {
    if (done->error.class == AWS_NOT_FOUND)
        f->is_gone = true;
    else if (done->error.class != AWS_OK)
        return recaller_say_failed(r, f->record.manifest_key, &done->error);
    return 0;
}
