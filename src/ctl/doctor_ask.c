/* The conversation with DynamoDB: every selected table is described, and in each place a few more harmless calls show
 * what is allowed. Backups and exports that cannot exist are asked for: "not found" is a good answer. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "core/run/enrol.h"
#include "ctl/doctor.h"
#include "io/clocks.h"

#define NO_SUCH_BACKUP "%s/backup/01500000000000-00000000"
#define NO_SUCH_EXPORT "%s/export/01500000000000-00000000"

/* What a tag is made of: a number of a table or place, and what was asked. */
typedef enum Question { ASK_TABLE, ASK_RECOVERY, ASK_OF_PLACE } Question;
#define QUESTIONS 3

typedef struct PlaceQuestion {
    DoctorPlace *place;
    AwsOp op;
} PlaceQuestion;

typedef struct Asking {
    Doctor *doctor;
    PlaceQuestion *asked; /* by their number */
    size_t n_asked, n_asked_room;
} Asking;

static void asking_done(Asking *a) { free(a->asked); }

static uint64_t tag_of(Question q, size_t number) { return number * QUESTIONS + q; }

static int begin(Asking *a, const Place *p, AwsRequest *request, uint64_t tag, Now now) {
    return ask_begin(a->doctor->aws.ask, p->account, p->region, request, tag, now);
}

/* Takes the request. */
static int ask_of_place(Asking *a, DoctorPlace *p, AwsRequest *request, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *taken = request;
    size_t n = a->n_asked;
    if (ARRAY_GROW(a->asked, a->n_asked, a->n_asked_room) < 0)
        return -ENOMEM;
    a->asked[a->n_asked++] = (PlaceQuestion){.place = p, .op = taken->op};
    return begin(a, p->place, TAKE_PTR(taken), tag_of(ASK_OF_PLACE, n), now);
}

static bool is_needed(const DoctorPlace *p, Grant g) { return p->grants[g] != GRANT_NOT_NEEDED; }

/* Listings name no table. */
static int ask_listings(Asking *a, DoctorPlace *p, Now now) {
    if (is_needed(p, GRANT_LIST_BACKUPS)) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_BACKUPS);
        if (!q)
            return -ENOMEM;
        q->list_backups.limit = 1;
        int r = ask_of_place(a, p, TAKE_PTR(q), now);
        if (r < 0)
            return r;
    }
    if (!is_needed(p, GRANT_LIST_EXPORTS))
        return 0;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_LIST_EXPORTS);
    if (!q)
        return -ENOMEM;
    q->list_exports.limit = 1;
    return ask_of_place(a, p, TAKE_PTR(q), now);
}

/* One table of a place is enough. */
static int ask_for_nothing(Asking *a, DoctorPlace *p, const Target *t, Now now) {
    if (p->is_probed)
        return 0;
    p->is_probed = true;
    if (is_needed(p, GRANT_DESCRIBE_BACKUP)) {
        CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_BACKUP);
        if (!q || !(q->describe_backup.arn = text_format(NO_SUCH_BACKUP, t->table_arn)))
            return -ENOMEM;
        int r = ask_of_place(a, p, TAKE_PTR(q), now);
        if (r < 0)
            return r;
    }
    if (!is_needed(p, GRANT_DESCRIBE_EXPORT))
        return 0;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(AWS_OP_DESCRIBE_EXPORT);
    if (!q || !(q->describe_export.arn = text_format(NO_SUCH_EXPORT, t->table_arn)))
        return -ENOMEM;
    return ask_of_place(a, p, TAKE_PTR(q), now);
}

/* --- answers --- */

static void learn(DoctorPlace *p, AwsOp op, const CallDone *done, Now now) {
    if (done->error.status > 0 || done->error.class == AWS_OK)
        p->answered = true;
    else
        p->silent = done->error;
    if (done->server_wall != WALL_UNKNOWN && p->skew_usec == USEC_INFINITY)
        p->skew_usec = now.wall - done->server_wall;
    grant_learn(p, op, &done->error);
}

static int take_table(Asking *a, DoctorTable *t, const CallDone *done, Now now) {
    learn(t->place, AWS_OP_DESCRIBE_TABLE, done, now);
    t->error = done->error;
    if (!done->reply)
        return 0;
    const TableInfo *info = &done->reply->table;
    t->described = true;
    t->size_bytes = info->size_bytes;
    t->item_count = info->item_count;
    snprintf(t->status, sizeof t->status, "%s", info->status);
    int r = target_describe(t->target, info, now.wall);
    return r < 0 ? r : ask_for_nothing(a, t->place, t->target, now);
}

static void take_recovery(DoctorTable *t, const CallDone *done, Now now) {
    learn(t->place, AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS, done, now);
    t->recovery_error = done->error;
    t->recovery_known = done->reply != NULL;
    if (done->reply)
        t->recovery = done->reply->recovery;
}

static int take_answer(void *context, CallDone *done, Now now) {
    Asking *a = context;
    size_t number = done->tag / QUESTIONS;
    switch ((Question)(done->tag % QUESTIONS)) {
    case ASK_TABLE:
        return take_table(a, &a->doctor->tables[number], done, now);
    case ASK_RECOVERY:
        take_recovery(&a->doctor->tables[number], done, now);
        return 0;
    case ASK_OF_PLACE:
        learn(a->asked[number].place, a->asked[number].op, done, now);
        return 0;
    }
    return -EINVAL;
}

/* --- what is asked first --- */

static bool has_tags(const Conf *c, const char *account) {
    for (size_t i = 0; i < c->n_tables; i++)
        if (c->tables[i].n_schedules > 0 && c->tables[i].n_tags > 0 && conf_entry_has_account(&c->tables[i], account))
            return true;
    return false;
}

/* What came of a walk, as an answer to `op`. */
static void learn_walk(DoctorPlace *p, Grant g, AwsOp op, const AwsError *e) {
    CallDone done = {.error = *e, .server_wall = WALL_UNKNOWN};
    grant_need(p, g);
    learn(p, op, &done, clocks_read());
}

static int list_tables(Asking *a) {
    Doctor *d = a->doctor;
    AUTO_FREE AwsError *listing = calloc(d->places.n_items + 1, sizeof *listing);
    AUTO_FREE AwsError *tags = calloc(d->places.n_items + 1, sizeof *tags);
    if (!listing || !tags)
        return -ENOMEM;
    int r = ask_tables(a->doctor->aws.ask, &d->places, listing);
    if (r >= 0)
        r = ask_tags(a->doctor->aws.ask, d->aws.conf, &d->places, tags);
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++) {
        DoctorPlace *p = &d->asked[i];
        if (!p->place->discovery.wanted || !p->account->fetched->found)
            continue;
        p->listing = listing[i];
        learn_walk(p, GRANT_LIST_TABLES, AWS_OP_LIST_TABLES, &listing[i]);
        p->tags = tags[i];
        if (p->place->has_listing && has_tags(d->aws.conf, p->place->account))
            learn_walk(p, GRANT_LIST_TAGS, AWS_OP_LIST_TAGS, &tags[i]);
    }
    return r;
}

static int ignore_news(void *context, Enrolment *e, bool enrolled) { return 0; }

static int collect_tables(Doctor *d) {
    int r = enrol_update(&d->targets, d->aws.conf, &d->places, clocks_read(), ignore_news, NULL);
    if (r < 0)
        return r;
    d->tables = calloc(d->targets.n_items + 1, sizeof *d->tables);
    if (!d->tables)
        return -ENOMEM;
    for (size_t i = 0; i < d->targets.n_items; i++) {
        Target *t = d->targets.items[i];
        const Place *place = places_find(&d->places, t->account, t->region);
        DoctorPlace *p = place ? &d->asked[place - d->places.items] : NULL;
        if (!t->selected || !p || !p->account->fetched->found ||
            !options_select(d->options, t->account, t->region, t->table, ""))
            continue;
        DoctorTable *table = &d->tables[d->n_tables++];
        *table = (DoctorTable){.target = t, .place = p, .wish = recovery_wish(t)};
        grant_need_for(p, t);
    }
    return 0;
}

static int ask_of_table(Asking *a, size_t number, Now now) {
    const DoctorTable *t = &a->doctor->tables[number];
    CLEANUP(aws_request_free_ptr) AwsRequest *table = aws_request_new(AWS_OP_DESCRIBE_TABLE);
    CLEANUP(aws_request_free_ptr) AwsRequest *recovery = aws_request_new(AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS);
    if (!table || !recovery || text_set(&table->describe_table.table, t->target->table) < 0 ||
        text_set(&recovery->describe_continuous_backups.table, t->target->table) < 0)
        return -ENOMEM;
    int r = begin(a, t->place->place, TAKE_PTR(table), tag_of(ASK_TABLE, number), now);
    return r < 0 ? r : begin(a, t->place->place, TAKE_PTR(recovery), tag_of(ASK_RECOVERY, number), now);
}

int doctor_ask_tables(Doctor *d) {
    CLEANUP(asking_done) Asking a = {.doctor = d};
    int r = list_tables(&a);
    if (r < 0 || (r = collect_tables(d)) < 0)
        return r;
    Now now = clocks_read();
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++)
        r = ask_listings(&a, &d->asked[i], now);
    for (size_t i = 0; r >= 0 && i < d->n_tables; i++)
        r = ask_of_table(&a, i, now);
    return r < 0 ? r : ask_run(d->aws.ask, take_answer, &a);
}
