/* The conversation with KMS: is the key there with which exports are to be encrypted, and might one encrypt with it?
 * Both are asked without effect: what GenerateDataKey would give is not made. */

#include "ctl/doctor_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "core/aws/endpoint.h"
#include "io/clocks.h"

void doctor_keys_done(Doctor *d) {
    for (size_t i = 0; i < d->n_keys; i++)
        key_info_done(&d->keys[i].info);
    free(d->keys);
}

/* "arn:aws:kms:eu-central-1:111122223333:key/..." is of that region; other names are looked for where the bucket is. */
static void learn_region(DoctorKey *k) {
    const char *at = k->id;
    snprintf(k->region, sizeof k->region, "%s", k->bucket->region);
    for (int i = 0; i < 3 && at; i++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    if (text_starts_with(k->id, "arn:") && at && strchr(at, ':'))
        snprintf(k->region, sizeof k->region, "%.*s", (int)strcspn(at, ":"), at);
}

DoctorKey *doctor_key_of(const Doctor *d, const DoctorBucket *b, const char *id) {
    for (size_t i = 0; i < d->n_keys; i++)
        if (d->keys[i].bucket == b && strcmp(d->keys[i].id, id) == 0)
            return &d->keys[i];
    return NULL;
}

bool doctor_key_is_managed(const char *id) {
    const char *name = id ? strstr(id, "alias/") : NULL;
    return !id || (name && strcmp(name, "alias/aws/s3") == 0);
}

bool doctor_key_is_elsewhere(const DoctorKey *k) { return strcmp(k->region, k->bucket->region) != 0; }

static int add_key(Doctor *d, DoctorBucket *b, const char *id) {
    if (doctor_key_is_managed(id) || doctor_key_of(d, b, id))
        return 0;
    if (ARRAY_GROW(d->keys, d->n_keys, d->n_keys_room) < 0)
        return -ENOMEM;
    DoctorKey *k = &d->keys[d->n_keys++];
    *k = (DoctorKey){.bucket = b, .id = id};
    learn_region(k);
    for (Grant g = GRANT_FIRST_OF_KMS; g <= GRANT_LAST_OF_KMS; g++)
        grant_need_of_bucket(b, g);
    return 0;
}

/* --- asking --- */

static int ask(Doctor *d, AwsOp op, size_t number, Now now) {
    const DoctorKey *k = &d->keys[number];
    const DoctorBucket *b = k->bucket;
    const char *prefix = b->uses[0].prefix;
    CLEANUP(aws_request_free_ptr) AwsRequest *q = aws_request_new(op);
    if (!q || text_set(&q->key.id, k->id) < 0 ||
        !(q->key.object_arn = text_format("arn:%s:s3:::%s/%s%s" NO_SUCH_OBJECT, endpoint_partition(k->region)->name,
                                          b->name, prefix ? prefix : "", prefix ? "/" : "")))
        return -ENOMEM;
    uint64_t tag = 2 * number + (op == AWS_OP_TRY_DATA_KEY);
    return ask_begin(d->aws.ask, b->place->place->account, k->region, TAKE_PTR(q), tag, now);
}

static void learn(DoctorKey *k, Grant g, const AwsError *e) {
    if (e->class == AWS_OK || e->class == AWS_NOT_FOUND)
        grant_learn_of_bucket(k->bucket, g, GRANT_ALLOWED);
    else if (e->class == AWS_DENIED)
        grant_learn_of_bucket(k->bucket, g, GRANT_DENIED);
}

static int take_answer(void *context, CallDone *done, Now now) {
    Doctor *d = context;
    DoctorKey *k = &d->keys[done->tag / 2];
    bool tried = done->tag % 2 == 1;
    *(tried ? &k->tried : &k->described) = done->error;
    k->asked = true;
    learn(k, tried ? GRANT_DATA_KEY : GRANT_DESCRIBE_KEY, &done->error);
    if (!tried && done->reply) {
        k->info = done->reply->key;
        done->reply->key = (KeyInfo){};
    }
    return 0;
}

/* Where a bucket was not found, exports cannot go anyway. */
static int add_keys(Doctor *d, DoctorBucket *b) {
    int r = b->encrypts ? add_key(d, b, b->default_key) : 0;
    for (size_t i = 0; r >= 0 && b->asked[BUCKET_VERSIONING] && i < b->n_uses; i++)
        if (text_equal(b->uses[i].schedule->s3.sse_algorithm, "KMS"))
            r = add_key(d, b, b->uses[i].schedule->s3.kms_key_id);
    return r;
}

int doctor_ask_keys(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->n_buckets; i++)
        r = add_keys(d, &d->buckets[i]);
    for (size_t i = 0; r >= 0 && i < d->n_keys; i++) {
        Now now = clocks_read();
        if (doctor_key_is_elsewhere(&d->keys[i]))
            continue;
        r = ask(d, AWS_OP_DESCRIBE_KEY, i, now);
        if (r >= 0)
            r = ask(d, AWS_OP_TRY_DATA_KEY, i, now);
    }
    return r < 0 || d->n_keys == 0 ? r : ask_run(d->aws.ask, take_answer, d);
}
