/* The conversation with S3: which buckets the exports go to, and what S3 says of each. Nothing is written there; an
 * object that cannot exist is asked for, and "not found" is a good answer. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "core/format/xml_find.h"
#include "ctl/doctor.h"
#include "io/clocks.h"

void doctor_buckets_done(Doctor *d) {
    for (size_t i = 0; i < d->n_buckets; i++) {
        DoctorBucket *b = &d->buckets[i];
        for (size_t j = 0; j < b->n_uses; j++)
            free(b->uses[j].prefix);
        free(b->uses);
        free(b->name);
        free(b->default_key);
        lifecycle_done(&b->rules);
    }
    free(d->buckets);
}

/* --- which --- */

static int find_bucket(Doctor *d, const char *name, const char *owner, DoctorPlace *p, DoctorBucket **ret) {
    for (size_t i = 0; i < d->n_buckets; i++) {
        DoctorBucket *b = &d->buckets[i];
        if (b->place->account == p->account && strcmp(b->name, name) == 0 && text_equal(b->owner, owner)) {
            *ret = b;
            return 0;
        }
    }
    if (ARRAY_GROW(d->buckets, d->n_buckets, d->n_buckets_room) < 0)
        return -ENOMEM;
    DoctorBucket *b = &d->buckets[d->n_buckets];
    *b = (DoctorBucket){.name = strdup(name), .owner = owner, .place = p};
    if (!b->name)
        return -ENOMEM;
    d->n_buckets++;
    *ret = b;
    return 0;
}

/* Takes the prefix. */
static int add_use(DoctorBucket *b, BucketUse use) {
    for (size_t i = 0; i < b->n_uses; i++) {
        const BucketUse *u = &b->uses[i];
        if (u->schedule == use.schedule && u->place == use.place && text_equal(u->prefix, use.prefix)) {
            free(use.prefix);
            return 0;
        }
    }
    if (ARRAY_GROW(b->uses, b->n_uses, b->n_uses_room) < 0) {
        free(use.prefix);
        return -ENOMEM;
    }
    b->uses[b->n_uses++] = use;
    return 0;
}

/* The account's digits, as its tables or its keys tell. */
static void learn_account(const DoctorTable *t, char ret[static 13]) {
    const char *digits = t->place->account->identity.account;
    target_account_id(t->target, ret);
    if (!ret[0] && digits)
        snprintf(ret, 13, "%s", digits);
}

static int use(Doctor *d, const DoctorTable *t, const ScheduleConf *s) {
    char digits[13];
    learn_account(t, digits);
    if (!digits[0] && strstr(s->s3.bucket, "%{account}"))
        return 0; /* why nothing is known of the account is said elsewhere */
    const ConfNames names = {d->aws.conf->deployment, digits, t->target->region, t->target->table, s->name};
    AUTO_FREE char *name = NULL, *prefix = NULL;
    DoctorBucket *b;
    int r = conf_expand(s->s3.bucket, &names, &name);
    if (r >= 0 && s->s3.prefix)
        r = conf_expand(s->s3.prefix, &names, &prefix);
    if (r >= 0)
        r = find_bucket(d, name, s->s3.bucket_owner, t->place, &b);
    if (r < 0)
        return r;
    if (!b->account[0])
        snprintf(b->account, sizeof b->account, "%s", b->owner ? b->owner : digits);
    if (!b->region[0])
        snprintf(b->region, sizeof b->region, "%s", t->target->region);
    return add_use(b, (BucketUse){.schedule = s, .place = t->place, .prefix = TAKE_PTR(prefix)});
}

/* Does a schedule's export become a part of a chain, and get a record? */
static bool is_recorded(const Doctor *d, const ScheduleConf *s) {
    bool recorded = s->action == ACTION_INCREMENTAL;
    for (size_t i = 0; i < d->aws.conf->n_schedules; i++)
        recorded |= text_equal(d->aws.conf->schedules[i].base, s->name);
    return recorded;
}

static void need(const Doctor *d, DoctorBucket *b) {
    static const Grant always[] = {GRANT_PUT_OBJECT,  GRANT_PUT_OBJECT_ACL, GRANT_ABORT_UPLOAD,
                                   GRANT_LIST_BUCKET, GRANT_GET_VERSIONING, GRANT_GET_LIFECYCLE};
    bool reads = false, deletes = false, records = false;
    for (size_t i = 0; i < b->n_uses; i++)
        reads |= b->uses[i].schedule->verify > VERIFY_SERVICE;
    for (size_t i = 0; i < b->n_uses; i++)
        deletes |= b->uses[i].schedule->expire == EXPIRE_DELETE;
    for (size_t i = 0; i < b->n_uses; i++)
        records |= is_recorded(d, b->uses[i].schedule);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        grant_need_of_bucket(b, always[i]);
    if (reads)
        grant_need_of_bucket(b, GRANT_GET_OBJECT);
    if (deletes)
        grant_need_of_bucket(b, GRANT_DELETE_OBJECT);
    if (records)
        grant_need_of_bucket(b, GRANT_GET_ENCRYPTION);
}

static int collect(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->n_tables; i++) {
        const Target *t = d->tables[i].target;
        for (size_t j = 0; r >= 0 && j < t->n_enrolments; j++) {
            const ScheduleConf *s = t->enrolments[j]->schedule;
            if (s && s->action != ACTION_BACKUP && s->s3.bucket)
                r = use(d, &d->tables[i], s);
        }
    }
    for (size_t i = 0; i < d->n_buckets; i++)
        need(d, &d->buckets[i]);
    return r;
}

/* --- questions --- */

static AwsOp op_of(BucketQuestion q) {
    switch (q) {
    case BUCKET_HEAD:
    case BUCKET_OWNER:
        return AWS_OP_HEAD_BUCKET;
    case BUCKET_VERSIONING:
    case BUCKET_LIFECYCLE:
    case BUCKET_ENCRYPTION:
        return AWS_OP_GET_BUCKET;
    case BUCKET_OBJECT:
        return AWS_OP_GET_OBJECT;
    case BUCKET_QUESTIONS:
        break;
    }
    return AWS_OP_N;
}

static int ask(Doctor *d, DoctorBucket *b, BucketQuestion q, Now now) {
    CLEANUP(aws_request_free_ptr) AwsRequest *request = aws_request_new(op_of(q));
    static const char *const queries[BUCKET_QUESTIONS] = {[BUCKET_VERSIONING] = "versioning=",
                                                          [BUCKET_LIFECYCLE] = "lifecycle=",
                                                          [BUCKET_ENCRYPTION] = "encryption="};
    const char *query = queries[q];
    if (!request)
        return -ENOMEM;
    int r = text_set(&request->object.bucket, b->name);
    if (r >= 0 && (r = text_set(&request->object.query, query)) >= 0 && q == BUCKET_OWNER)
        r = text_set(&request->object.bucket_owner, b->account);
    if (r >= 0 && q == BUCKET_OBJECT) {
        const char *prefix = b->uses[0].prefix;
        request->object.key = text_format("%s%s" NO_SUCH_OBJECT, prefix ? prefix : "", prefix ? "/" : "");
        r = request->object.key ? 0 : -ENOMEM;
    }
    if (r < 0)
        return r;
    uint64_t tag = (uint64_t)(b - d->buckets) * BUCKET_QUESTIONS + q;
    return ask_begin(d->aws.ask, b->place->place->account, b->region, TAKE_PTR(request), tag, now);
}

/* Who may not list it may know the rest. */
static int ask_rest(Doctor *d, DoctorBucket *b, Now now) {
    int r = b->account[0] ? ask(d, b, BUCKET_OWNER, now) : 0;
    if (r < 0 || (r = ask(d, b, BUCKET_VERSIONING, now)) < 0 || (r = ask(d, b, BUCKET_LIFECYCLE, now)) < 0)
        return r;
    if (b->grants[GRANT_GET_ENCRYPTION] != GRANT_NOT_NEEDED && (r = ask(d, b, BUCKET_ENCRYPTION, now)) < 0)
        return r;
    return b->grants[GRANT_GET_OBJECT] != GRANT_NOT_NEEDED ? ask(d, b, BUCKET_OBJECT, now) : 0;
}

/* --- answers --- */

/* Once in another region than was thought; and once more by the clock of that region's endpoint, which the client has
 * learned by then: a signature whose time is wrong is refused without a word, too. */
static bool is_to_repeat(DoctorBucket *b, const AwsError *e) {
    if (e->class != AWS_OK && !b->moved && e->region[0] && strcmp(e->region, b->region) != 0) {
        snprintf(b->region, sizeof b->region, "%s", e->region);
        b->moved = true;
        return true;
    }
    bool again = e->class == AWS_DENIED && !b->repeated;
    b->repeated |= again;
    return again;
}

static int take_head(Doctor *d, DoctorBucket *b, const CallDone *done, Now now) {
    const AwsError *e = &done->error;
    if (is_to_repeat(b, e))
        return ask(d, b, BUCKET_HEAD, now);
    b->asked[BUCKET_HEAD] = true;
    if (done->reply && done->reply->object.region)
        snprintf(b->region, sizeof b->region, "%s", done->reply->object.region);
    if (e->class == AWS_OK)
        grant_learn_of_bucket(b, GRANT_LIST_BUCKET, GRANT_ALLOWED);
    else if (e->class != AWS_DENIED) {
        b->region[0] = '\0';
        return 0;
    }
    return ask_rest(d, b, now);
}

static int read_versioning(DoctorBucket *b, const ObjectReply *o) {
    CLEANUP(secret_done) Secret status = {};
    int r = xml_find(o->body ? o->body : "", o->len, "VersioningConfiguration/Status", &status);
    if (r >= 0)
        snprintf(b->versioning, sizeof b->versioning, "%s", status.bytes);
    return r == -ENOENT ? 0 : r; /* who never switched it on has no status */
}

static int read_encryption(DoctorBucket *b, const ObjectReply *o) {
#define DEFAULT_OF "ServerSideEncryptionConfiguration/Rule/ApplyServerSideEncryptionByDefault/"
    CLEANUP(secret_done) Secret algorithm = {}, key = {};
    const char *body = o->body ? o->body : "";
    int r = xml_find(body, o->len, DEFAULT_OF "SSEAlgorithm", &algorithm);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    b->encrypts = text_starts_with(algorithm.bytes, "aws:kms"); /* or "aws:kms:dsse" */
    r = xml_find(body, o->len, DEFAULT_OF "KMSMasterKeyID", &key);
    return r >= 0 && *key.bytes ? text_set(&b->default_key, key.bytes) : r == -ENOENT ? 0 : r;
}

static int read_reply(DoctorBucket *b, BucketQuestion q, const ObjectReply *o) {
    int r = 0;
    if (q == BUCKET_VERSIONING)
        r = read_versioning(b, o);
    if (q == BUCKET_ENCRYPTION)
        r = read_encryption(b, o);
    if (q == BUCKET_LIFECYCLE)
        r = lifecycle_read(o->body ? o->body : "", o->len, &b->rules);
    if (r == -EBADMSG) {
        AwsError *e = &b->answers[q];
        *e = (AwsError){.class = AWS_UNCERTAIN};
        snprintf(e->code, sizeof e->code, "UnreadableReply");
        return 0;
    }
    return r;
}

static void learn(DoctorBucket *b, Grant g, const AwsError *e) {
    if (e->class == AWS_DENIED)
        grant_learn_of_bucket(b, g, GRANT_DENIED);
    else if (e->class == AWS_OK || e->class == AWS_NOT_FOUND)
        grant_learn_of_bucket(b, g, GRANT_ALLOWED);
}

static int take_answer(void *context, CallDone *done, Now now) {
    Doctor *d = context;
    DoctorBucket *b = &d->buckets[done->tag / BUCKET_QUESTIONS];
    BucketQuestion q = (BucketQuestion)(done->tag % BUCKET_QUESTIONS);
    b->answers[q] = done->error;
    if (q == BUCKET_HEAD)
        return take_head(d, b, done, now);
    b->asked[q] = true;
    if (q == BUCKET_VERSIONING)
        learn(b, GRANT_GET_VERSIONING, &done->error);
    if (q == BUCKET_LIFECYCLE)
        learn(b, GRANT_GET_LIFECYCLE, &done->error);
    if (q == BUCKET_ENCRYPTION)
        learn(b, GRANT_GET_ENCRYPTION, &done->error);
    /* who may not list is told that what is missing is forbidden */
    if (q == BUCKET_OBJECT && (b->grants[GRANT_LIST_BUCKET] == GRANT_ALLOWED || done->error.class != AWS_DENIED))
        learn(b, GRANT_GET_OBJECT, &done->error);
    return done->reply ? read_reply(b, q, &done->reply->object) : 0;
}

/* That listing is denied is known when something else was answered: HeadBucket has no words for why. */
static void learn_listing(DoctorBucket *b) {
    bool is_known = false;
    for (BucketQuestion q = BUCKET_VERSIONING; q < BUCKET_QUESTIONS; q++)
        is_known |= b->asked[q] && (b->answers[q].class == AWS_OK || b->answers[q].class == AWS_NOT_FOUND ||
                                    b->answers[q].class == AWS_DENIED);
    if (is_known && b->answers[BUCKET_HEAD].class == AWS_DENIED)
        grant_learn_of_bucket(b, GRANT_LIST_BUCKET, GRANT_DENIED);
}

int doctor_ask_buckets(Doctor *d) {
    int r = collect(d);
    if (r < 0 || d->n_buckets == 0)
        return r;
    for (size_t i = 0; r >= 0 && i < d->n_buckets; i++)
        r = ask(d, &d->buckets[i], BUCKET_HEAD, clocks_read());
    if (r >= 0)
        r = ask_run(d->aws.ask, take_answer, d);
    for (size_t i = 0; i < d->n_buckets; i++)
        learn_listing(&d->buckets[i]);
    return r;
}
