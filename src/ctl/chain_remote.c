#include "ctl/chain_remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/object_list.h"
#include "core/chain/recall.h"
#include "ctl/aws_session.h"
#include "ctl/verbs.h"
#include "io/clocks.h"

/* The table in one account and region. */
typedef struct Corner {
    const Place *place;
    Target *target;
    RecoveryInfo recovery;
    bool is_gone;
} Corner;

/* Where records of it may lie. */
typedef struct Shelf {
    size_t corner;
    char *bucket, *folder, *region;
    const char *owner;
    bool moved; /* to the region that S3 named */
    ObjectList list;
} Shelf;

typedef struct Found {
    size_t shelf;
    char *key;
    bool is_good; /* it is a record of ours, and the export's manifest is there */
    Record record;
} Found;

typedef struct Remote {
    const CtlOptions *options;
    const char *table;
    AwsSession aws;
    Places places;
    Targets *targets;
    Corner *corners;
    size_t n_corners;
    Shelf *shelves;
    size_t n_shelves, n_shelves_room;
    Found *found;
    size_t n_found, n_found_room;
    Record *of_corner; /* borrowed from what was found */
    bool failed; /* what was not seen may be there: no answer is better than a wrong one */
} Remote;

static void remote_done(Remote *m) {
    for (size_t i = 0; i < m->n_shelves; i++) {
        free(m->shelves[i].bucket);
        free(m->shelves[i].folder);
        free(m->shelves[i].region);
        object_list_done(&m->shelves[i].list);
    }
    for (size_t i = 0; i < m->n_found; i++) {
        free(m->found[i].key);
        record_done(&m->found[i].record);
    }
    free(m->shelves);
    free(m->found);
    free(m->of_corner);
    free(m->corners);
    places_done(&m->places);
    aws_session_done(&m->aws);
}

static void say_failed(Remote *m, const char *what, const AwsError *e) {
    AUTO_TEXT t = TEXT_INIT(4096);
    text_addf(&t, "%s: %s%s%s%s%s", what, e->code, e->message[0] ? ": " : "", e->message, e->hint ? "; HINT: " : "",
              e->hint ? e->hint : "");
    m->failed = true;
    ctl_failed(text_get(&t));
}

/* --- the service --- */

static int describe(Remote *m, size_t i, Now now) {
    const Corner *c = &m->corners[i];
    CLEANUP(aws_request_free_ptr) AwsRequest *table = aws_request_new(AWS_OP_DESCRIBE_TABLE);
    CLEANUP(aws_request_free_ptr) AwsRequest *recovery = aws_request_new(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS);
    if (!table || !recovery || text_set(&table->describe_table.table, m->table) < 0 ||
        text_set(&recovery->describe_continuous_backups.table, m->table) < 0)
        return -ENOMEM;
    int r = ask_begin(m->aws.ask, c->place->account, c->place->region, TAKE_PTR(table), 2 * i, now);
    return r < 0 ? r : ask_begin(m->aws.ask, c->place->account, c->place->region, TAKE_PTR(recovery), 2 * i + 1, now);
}

static int take_description(void *context, CallDone *done, Now now) {
    Remote *m = context;
    Corner *c = &m->corners[done->tag / 2];
    if (done->error.class == AWS_NOT_FOUND)
        c->is_gone = true;
    else if (done->error.class != AWS_OK)
        say_failed(m, m->table, &done->error);
    else if (done->tag % 2 == 0)
        return target_describe(c->target, &done->reply->table, now.wall);
    else
        c->recovery = done->reply->recovery;
    return 0;
}

static int ask_service(Remote *m) {
    int r = 0;
    m->corners = calloc(m->places.n_items, sizeof *m->corners);
    if (!m->corners)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < m->places.n_items; i++) {
        const Place *p = &m->places.items[i];
        if (!options_select(m->options, p->account, p->region, m->table, m->options->schedule))
            continue;
        Corner *c = &m->corners[m->n_corners];
        *c = (Corner){.place = p, .recovery = {.period_days = COUNT_UNKNOWN, .earliest_wall = WALL_UNKNOWN}};
        r = targets_ensure(m->targets, p->account, p->region, m->table, &c->target);
        if (r >= 0)
            r = describe(m, m->n_corners++, clocks_read());
    }
    return r < 0 ? r : ask_run(m->aws.ask, take_description, m);
}

/* --- where --- */

/* Of a table that is gone the account may not be known: then all records under the prefix are looked through. */
static int make_folder(const Corner *c, const char *prefix, char **ret) {
    if (c->target->table_arn)
        return record_folder(prefix, c->target->table_arn, ret);
    AUTO_FREE char *arn = text_format("arn:aws:dynamodb:%s:%s:table/%s", c->place->region,
                                      c->place->account_id[0] ? c->place->account_id : "0", c->target->table);
    int r = arn ? record_folder(prefix, arn, ret) : -ENOMEM;
    char *all = r < 0 || strspn(c->place->account_id, "0123456789") == 12 ? NULL : strstr(*ret, "ddbackupd/0/");
    if (all)
        all[strlen("ddbackupd/")] = '\0';
    return r;
}

static int add_shelf(Remote *m, size_t corner, const ScheduleConf *s) {
    const Corner *c = &m->corners[corner];
    char digits[13];
    const char *account = c->target->table_arn ? target_account_id(c->target, digits) : c->place->account_id;
    const ConfNames names = {m->aws.conf->deployment, account, c->place->region, m->table, s->name};
    AUTO_FREE char *bucket = NULL, *prefix = NULL, *folder = NULL;
    int r = conf_expand(s->s3.bucket, &names, &bucket);
    if (r >= 0 && s->s3.prefix)
        r = conf_expand(s->s3.prefix, &names, &prefix);
    if (r < 0 || (r = make_folder(c, prefix, &folder)) < 0)
        return r;
    for (size_t i = 0; i < m->n_shelves; i++)
        if (m->shelves[i].corner == corner && strcmp(m->shelves[i].bucket, bucket) == 0 &&
            strcmp(m->shelves[i].folder, folder) == 0)
            return 0;
    if (ARRAY_GROW(m->shelves, m->n_shelves, m->n_shelves_room) < 0)
        return -ENOMEM;
    Shelf *shelf = &m->shelves[m->n_shelves++];
    *shelf =
        (Shelf){.corner = corner, .bucket = TAKE_PTR(bucket), .folder = TAKE_PTR(folder), .owner = s->s3.bucket_owner};
    return text_set(&shelf->region, c->place->region);
}

static bool is_meant(const Remote *m, const ScheduleConf *s) {
    return s->action == ACTION_INCREMENTAL && (!m->options->schedule || strcmp(s->name, m->options->schedule) == 0);
}

/* Bases lie where their own schedule puts them, links where theirs does. */
static int find_shelves(Remote *m) {
    int r = 0;
    for (size_t i = 0; i < m->n_corners; i++)
        for (size_t j = 0; j < m->aws.conf->n_schedules; j++) {
            const ScheduleConf *s = &m->aws.conf->schedules[j];
            if (!is_meant(m, s))
                continue;
            if ((r = add_shelf(m, i, s)) < 0)
                return r;
            const ScheduleConf *base = conf_schedule(m->aws.conf, s->base);
            if (base && (r = add_shelf(m, i, base)) < 0)
                return r;
        }
    return 0;
}

/* --- the buckets --- */

static int ask_object(Remote *m, AwsOp op, const Shelf *s, const char *key, uint64_t tag, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    const Place *p = m->corners[s->corner].place;
    if (!q || text_set(&q->object.bucket, s->bucket) < 0 || text_set(&q->object.bucket_owner, s->owner) < 0 ||
        text_set(&q->object.key, key) < 0)
        return -ENOMEM;
    q->object.last = op == AWS_OP_GET_OBJECT ? (int64_t)RECORD_MAX - 1 : -1;
    if (op == AWS_OP_LIST_OBJECTS && object_list_query(s->folder, s->list.next, &q->object.query) < 0)
        return -ENOMEM;
    return ask_begin(m->aws.ask, p->account, s->region, TAKE_PTR(q), tag, now);
}

static int take_page(void *context, CallDone *done, Now now) {
    Remote *m = context;
    Shelf *s = &m->shelves[done->tag];
    const char *region = done->error.region;
    if (done->error.class != AWS_OK && region[0] && strcmp(region, s->region) != 0 && !s->moved) {
        s->moved = true;
        int r = text_set(&s->region, region);
        return r < 0 ? r : ask_object(m, AWS_OP_LIST_OBJECTS, s, NULL, done->tag, now);
    }
    if (done->error.class != AWS_OK) {
        say_failed(m, s->bucket, &done->error);
        return 0;
    }
    int r = object_list_read(done->reply->object.body, done->reply->object.len, &s->list);
    if (r == -EBADMSG) {
        say_failed(m, s->bucket, &(AwsError){.code = "the listing makes no sense"});
        return 0;
    }
    return r < 0 || !s->list.next ? r : ask_object(m, AWS_OP_LIST_OBJECTS, s, NULL, done->tag, now);
}

static int list(Remote *m) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < m->n_shelves; i++)
        r = ask_object(m, AWS_OP_LIST_OBJECTS, &m->shelves[i], NULL, i, clocks_read());
    return r < 0 ? r : ask_run(m->aws.ask, take_page, m);
}

static void say_strange(const Remote *m, const Found *f, const char *why) {
    AUTO_FREE char *text = text_format("s3://%s/%s is no record and is passed over: %s", m->shelves[f->shelf].bucket,
                                       f->key, why);
    ctl_failed(text);
}

/* It lies where a record of that content belongs. */
static int take_record(Remote *m, Found *f, const ObjectReply *o) {
    AUTO_FREE char *key = NULL;
    char why[CODEC_WHY_SIZE] = "";
    int r = record_read(o->body, o->len, &f->record, why);
    if (r >= 0)
        r = record_key(&f->record, &key);
    if (r == -EBADMSG || r == -EINVAL || (r >= 0 && (strcmp(key, f->key) != 0 ||
                                                    strcmp(f->record.bucket, m->shelves[f->shelf].bucket) != 0))) {
        say_strange(m, f, why[0] ? why : "what it says belongs elsewhere");
        return 0;
    }
    f->is_good = r >= 0 && strcmp(f->record.deployment, m->aws.conf->deployment) == 0;
    return r;
}

static int take_object(void *context, CallDone *done, Now now) {
    Remote *m = context;
    Found *f = &m->found[done->tag];
    if (done->error.class == AWS_OK)
        return take_record(m, f, &done->reply->object);
    if (strcmp(done->error.code, "InvalidRange") == 0)
        say_strange(m, f, "it is empty");
    else if (done->error.class != AWS_NOT_FOUND)
        say_failed(m, f->key, &done->error);
    return 0;
}

/* An export whose manifest is gone is gone. */
static int take_manifest(void *context, CallDone *done, Now now) {
    Remote *m = context;
    Found *f = &m->found[done->tag];
    if (done->error.class == AWS_NOT_FOUND)
        f->is_good = false;
    else if (done->error.class != AWS_OK)
        say_failed(m, f->record.manifest_key, &done->error);
    return 0;
}

static int add_found(Remote *m, size_t shelf, const char *key) {
    const Corner *c = &m->corners[m->shelves[shelf].corner];
    size_t n = strlen(key);
    AUTO_FREE char *part = text_format("/%s/%s/", c->place->region, m->table);
    if (!part || n < 5 || strcmp(key + n - 5, ".json") != 0 || !strstr(key, part))
        return part ? 0 : -ENOMEM;
    if (ARRAY_GROW(m->found, m->n_found, m->n_found_room) < 0)
        return -ENOMEM;
    m->found[m->n_found] = (Found){.shelf = shelf, .key = strdup(key)};
    return m->found[m->n_found++].key ? 0 : -ENOMEM;
}

static int fetch(Remote *m) {
    int r = 0;
    for (size_t i = 0; i < m->n_shelves; i++)
        for (size_t j = 0; r >= 0 && j < m->shelves[i].list.n_keys; j++)
            r = add_found(m, i, m->shelves[i].list.keys[j]);
    for (size_t i = 0; r >= 0 && i < m->n_found; i++)
        r = ask_object(m, AWS_OP_GET_OBJECT, &m->shelves[m->found[i].shelf], m->found[i].key, i, clocks_read());
    if (r < 0 || (r = ask_run(m->aws.ask, take_object, m)) < 0)
        return r;
    for (size_t i = 0; r >= 0 && i < m->n_found; i++)
        if (m->found[i].is_good)
            r = ask_object(m, AWS_OP_HEAD_OBJECT, &m->shelves[m->found[i].shelf], m->found[i].record.manifest_key, i,
                           clocks_read());
    return r < 0 ? r : ask_run(m->aws.ask, take_manifest, m);
}

/* --- the chains --- */

static int recall(Remote *m, size_t corner, const ScheduleConf *s, Usec now_wall, StoreChains *into) {
    const Corner *c = &m->corners[corner];
    size_t n = 0;
    Enrolment *enrolment;
    Lineage *l;
    int r = target_enrol(c->target, s->name, &enrolment);
    if (r < 0 || (r = ledger_lineage(&into->ledger, c->target->account, c->target->region, m->table, s->name, &l)) < 0)
        return r;
    enrolment->active = true;
    enrolment->max_age_usec = s->max_age_usec;
    l->enrolment = enrolment;
    l->recovery = c->recovery;
    l->recovery_wall = now_wall;
    l->table_is_gone = c->is_gone;
    for (size_t i = 0; i < m->n_found; i++)
        if (m->found[i].is_good && m->shelves[m->found[i].shelf].corner == corner)
            m->of_corner[n++] = m->found[i].record;
    StoreLineage *item = &into->items[into->n_items];
    *item = (StoreLineage){.lineage = l};
    r = recall_chains(l, m->of_corner, n, now_wall, &item->reaches, &item->n_reaches);
    if (item->n_reaches > 0)
        into->n_items++;
    else
        free(TAKE_PTR(item->reaches));
    return r;
}

static int recall_all(Remote *m, Usec now_wall, StoreChains *into) {
    int r = 0;
    into->items = calloc(m->n_corners * m->aws.conf->n_schedules + 1, sizeof *into->items);
    m->of_corner = calloc(m->n_found + 1, sizeof *m->of_corner);
    if (!into->items || !m->of_corner)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_corners; i++)
        for (size_t j = 0; r >= 0 && j < m->aws.conf->n_schedules; j++)
            if (is_meant(m, &m->aws.conf->schedules[j]))
                r = recall(m, i, &m->aws.conf->schedules[j], now_wall, into);
    return r;
}

/* The table's name, out of "orders" or "account/region/orders". NULL: it is a pattern. */
static const char *table_of(const CtlOptions *o) {
    const char *slash = strrchr(o->table, '/');
    return strpbrk(o->table, "*?[") ? NULL : slash ? slash + 1 : o->table;
}

int chain_remote(const CtlOptions *o, Usec now_wall, Targets *ret_targets, StoreChains *ret) {
    CLEANUP(remote_done) Remote m = {.options = o, .table = table_of(o), .targets = ret_targets};
    if (!m.table) {
        ctl_failed("--remote asks for one table at a time; HINT: give its name, or account/region/name");
        return -EINVAL;
    }
    int r = aws_session_open(&m.aws, o, USEC_INFINITY);
    if (r < 0)
        return r;
    if ((r = aws_session_places(&m.aws, &m.places)) < 0 || (r = ask_service(&m)) < 0 ||
        (r = find_shelves(&m)) < 0 || (r = list(&m)) < 0 || (r = fetch(&m)) < 0 ||
        (r = recall_all(&m, now_wall, ret)) < 0)
        ctl_failed(strerror(-r));
    return r < 0 ? r : m.failed ? -EIO : 0;
}
