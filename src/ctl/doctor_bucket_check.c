/* Buckets: that they can be reached, whose they are and where, and what is allowed there. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/doctor.h"

const char *doctor_bucket_label(const Doctor *d, const DoctorBucket *b, char buffer[static BUCKET_LABEL_SIZE]) {
    const char *account = d->n_accounts > 1 ? b->place->place->account : "";
    snprintf(buffer, BUCKET_LABEL_SIZE, "%s%ss3://%s", account, *account ? "/" : "", b->name);
    return buffer;
}

/* --- reachable, and where --- */

static bool was_well(const DoctorBucket *b, BucketQuestion q) {
    return b->asked[q] && b->answers[q].class == AWS_OK;
}

static bool was_denied(const DoctorBucket *b, BucketQuestion q) {
    return b->asked[q] && b->answers[q].class == AWS_DENIED;
}

/* The regions of its tables that are not its own, each once. */
static size_t say_other_regions(const DoctorBucket *b, Text *t) {
    size_t n = 0;
    for (size_t i = 0; i < b->n_uses; i++) {
        const char *region = b->uses[i].place->place->region;
        bool is_new = region && strcmp(region, b->region) != 0;
        for (size_t j = 0; is_new && j < i; j++)
            is_new = !text_equal(b->uses[j].place->place->region, region);
        if (is_new)
            text_addf(t, "%s%s", n++ > 0 ? ", " : "", region);
    }
    return n;
}

static int check_reached(Doctor *d, const DoctorBucket *b, const char *label) {
    AUTO_TEXT t = TEXT_INIT(8192);
    AUTO_TEXT regions = TEXT_INIT(2048);
    text_addf(&t, "it is in %s", b->region);
    if (say_other_regions(b, &regions) > 0)
        text_addf(&t, ", and has exports from %s: transfer between regions is billed", text_get(&regions));
    return doctor_add(d, label, "bucket", CHECK_OK, text_get(&t), NULL);
}

/* HeadBucket tells a status alone; what was asked besides has words. */
static int check_unreached(Doctor *d, const DoctorBucket *b, const char *label) {
    const AwsError *e = &b->answers[BUCKET_HEAD];
    AUTO_TEXT t = TEXT_INIT(4096);
    if (e->class == AWS_NOT_FOUND) {
        text_addf(&t, "there is no bucket %s", b->name);
        return doctor_add(d, label, "bucket", CHECK_FAILED, text_get(&t),
                          "exports to it end as FAILED: create it, or correct s3.bucket");
    }
    for (BucketQuestion q = BUCKET_VERSIONING; e->class == AWS_DENIED && q < BUCKET_QUESTIONS; q++) {
        const AwsError *other = &b->answers[q];
        if (b->asked[q] && other->class != AWS_OK && other->class != AWS_NOT_FOUND && other->class != AWS_DENIED) {
            doctor_say_error(other, &t);
            return doctor_add(d, label, "bucket", CHECK_FAILED, text_get(&t), other->hint);
        }
    }
    if (e->class != AWS_DENIED) {
        doctor_say_error(e, &t);
        return doctor_add(d, label, "bucket", CHECK_FAILED, text_get(&t), e->hint);
    }
    text_add(&t, "HeadBucket was answered with 403: this identity may not list it, or it is somebody else's");
    return doctor_add(d, label, "bucket", CHECK_FAILED, text_get(&t),
                      "allow s3:ListBucket on it to this identity and, across accounts, in the bucket's policy, too; "
                      "check that s3.bucket names the bucket that is meant");
}

/* --- whose --- */

static int check_owner(Doctor *d, const DoctorBucket *b, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    if (!was_well(b, BUCKET_HEAD) || !b->asked[BUCKET_OWNER])
        return 0;
    if (was_well(b, BUCKET_OWNER)) {
        text_addf(&t, "it is of account %s, as %s", b->account,
                  b->owner ? "s3.bucket_owner says" : "this identity is");
        return doctor_add(d, label, "owner", CHECK_OK, text_get(&t), NULL);
    }
    if (!was_denied(b, BUCKET_OWNER)) {
        doctor_say_error(&b->answers[BUCKET_OWNER], &t);
        return doctor_add(d, label, "owner", CHECK_WARNING, text_get(&t), b->answers[BUCKET_OWNER].hint);
    }
    if (b->owner) {
        text_addf(&t, "it is not of account %s, as s3.bucket_owner says: S3 answers 403", b->account);
        return doctor_add(d, label, "owner", CHECK_FAILED, text_get(&t),
                          "exports to it end with S3AccessDenied: correct s3.bucket_owner, or s3.bucket");
    }
    text_addf(&t, "it is not of account %s, whose tables are exported there", b->account);
    return doctor_add(d, label, "owner", CHECK_FAILED, text_get(&t),
                      "if that is meant, set s3.bucket_owner to its account, which exports across accounts need; if "
                      "not, somebody else has a bucket of that name: correct s3.bucket");
}

/* --- what becomes of what is deleted --- */

static bool deletes(const DoctorBucket *b) {
    for (size_t i = 0; i < b->n_uses; i++)
        if (b->uses[i].schedule->expire == EXPIRE_DELETE)
            return true;
    return false;
}

static bool clears_noncurrent(const DoctorBucket *b) {
    for (size_t i = 0; i < b->rules.n_items; i++)
        if (b->rules.items[i].enabled && b->rules.items[i].expires_noncurrent)
            return true;
    return false;
}

static int check_unknown(Doctor *d, const DoctorBucket *b, BucketQuestion q, const char *label, const char *name) {
    AUTO_TEXT t = TEXT_INIT(4096);
    text_add(&t, "not known: ");
    doctor_say_error(&b->answers[q], &t);
    return doctor_add(d, label, name, CHECK_WARNING, text_get(&t), b->answers[q].hint);
}

static int check_versioning(Doctor *d, const DoctorBucket *b, const char *label) {
    if (!b->asked[BUCKET_VERSIONING])
        return 0;
    if (!was_well(b, BUCKET_VERSIONING))
        return check_unknown(d, b, BUCKET_VERSIONING, label, "versioning");
    if (!b->versioning[0])
        return doctor_add(d, label, "versioning", CHECK_OK, "off: what is deleted is gone", NULL);
    if (strcmp(b->versioning, "Enabled") != 0)
        return doctor_add(d, label, "versioning", CHECK_OK,
                          "suspended: older versions of what was overwritten or deleted stay, and are billed", NULL);
    if (clears_noncurrent(b))
        return doctor_add(d, label, "versioning", CHECK_OK,
                          "on: what is deleted stays, and is billed, until a lifecycle rule for noncurrent versions "
                          "takes it away",
                          NULL);
    return doctor_add(d, label, "versioning", deletes(b) ? CHECK_WARNING : CHECK_OK,
                      "on: what is deleted stays as a noncurrent version, and is billed for ever",
                      deletes(b) ? "add a lifecycle rule with NoncurrentVersionExpiration" : NULL);
}

static int check_rules(Doctor *d, const DoctorBucket *b, const char *label) {
    const AwsError *e = &b->answers[BUCKET_LIFECYCLE];
    if (!b->asked[BUCKET_LIFECYCLE])
        return 0;
    if (e->class == AWS_OK)
        return doctor_check_lifecycle(d, b, label);
    if (e->class == AWS_NOT_FOUND)
        return doctor_add(d, label, "lifecycle", CHECK_OK, "it has no rules: nothing is deleted by itself", NULL);
    return check_unknown(d, b, BUCKET_LIFECYCLE, label, "lifecycle");
}

/* With which key, doctor_check_keys says. */
static int check_encryption(Doctor *d, const DoctorBucket *b, const char *label) {
    bool told = was_well(b, BUCKET_ENCRYPTION) || b->answers[BUCKET_ENCRYPTION].class == AWS_NOT_FOUND;
    return told || !b->asked[BUCKET_ENCRYPTION] ? 0 : check_unknown(d, b, BUCKET_ENCRYPTION, label, "encryption");
}

/* --- what is allowed --- */

/* The daemon does without what only these checks need. */
static bool is_grave(const DoctorBucket *b) {
    for (Grant g = GRANT_FIRST_OF_S3; g < GRANT_GET_VERSIONING; g++)
        if (b->grants[g] == GRANT_DENIED)
            return true;
    return false;
}

static int check_grants(Doctor *d, const DoctorBucket *b, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    grant_say(b->grants, GRANT_FIRST_OF_S3, GRANT_LAST_OF_S3, GRANT_DENIED, &t);
    bool any = t.len > 0;
    grant_say(b->grants, GRANT_FIRST_OF_S3, GRANT_LAST_OF_S3, GRANT_ALLOWED, &t);
    grant_say(b->grants, GRANT_FIRST_OF_S3, GRANT_LAST_OF_S3, GRANT_NOT_TESTED, &t);
    return doctor_add(d, label, "permissions",
                      !any          ? CHECK_OK
                      : is_grave(b) ? CHECK_FAILED
                                    : CHECK_WARNING,
                      text_get(&t),
                      any ? "allow what is denied, across accounts in the bucket's policy, too; the statement to paste "
                            "is below"
                          : NULL);
}

static int check_bucket(Doctor *d, const DoctorBucket *b) {
    char label[BUCKET_LABEL_SIZE];
    doctor_bucket_label(d, b, label);
    if (!b->asked[BUCKET_HEAD]) /* its account has no credentials, which is said there */
        return 0;
    int r = was_well(b, BUCKET_HEAD) ? check_reached(d, b, label) : check_unreached(d, b, label);
    if (r < 0 || !b->asked[BUCKET_VERSIONING])
        return r;
    if ((r = check_owner(d, b, label)) < 0 || (r = check_versioning(d, b, label)) < 0 ||
        (r = check_rules(d, b, label)) < 0 || (r = check_encryption(d, b, label)) < 0 ||
        (r = doctor_check_keys(d, b, label)) < 0)
        return r;
    return check_grants(d, b, label);
}

int doctor_check_buckets(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->n_buckets; i++)
        r = check_bucket(d, &d->buckets[i]);
    return r;
}
