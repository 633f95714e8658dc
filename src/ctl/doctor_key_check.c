/* Keys of KMS: that they are there and fit, and that the identity may encrypt with them. */

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "ctl/doctor_key.h"

#define HINT_ENDS "exports end as FAILED until then: "

/* --- the key that AWS keeps --- */

static bool is_of_another(const DoctorBucket *b) {
    const char *own = b->place->account->identity.account;
    return own && b->owner && strcmp(b->owner, own) != 0;
}

/* The managed key is that of the account that writes, and its policy lets no other account in (AWS KMS, AWS managed
 * keys). */
static int check_managed_key(Doctor *d, const DoctorBucket *b, const char *what, const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    text_addf(&t, "%s: the key that AWS keeps for S3 (aws/s3)", what);
    if (!is_of_another(b))
        return doctor_add(d, label, "encryption", CHECK_OK, text_get(&t), NULL);
    text_addf(&t, " is of the account that exports: account %s, whose bucket it is, cannot read what it encrypts",
              b->owner);
    return doctor_add(d, label, "encryption", CHECK_WARNING, text_get(&t),
                      "set s3.kms_key_id to a key whose policy allows both accounts");
}

/* --- one of one's own: the first thing that is wrong, with what to do --- */

typedef struct Finding {
    CheckState state;
    const char *hint;
} Finding;

static bool check_there(const DoctorKey *k, Text *t, Finding *ret) {
    if (doctor_key_is_elsewhere(k)) {
        text_addf(t, " is of %s, and the bucket of %s", k->region, k->bucket->region);
        *ret = (Finding){CHECK_FAILED, "a key encrypts in its own region alone: correct s3.kms_key_id"};
        return false;
    }
    if (k->described.class != AWS_NOT_FOUND && k->tried.class != AWS_NOT_FOUND)
        return true;
    text_addf(t, " is not there: KMS of %s does not know it", k->region);
    *ret = (Finding){CHECK_FAILED, "exports end with KmsNotFoundException: correct s3.kms_key_id, or make the key"};
    return false;
}

static const char *hint_of_state(const char *state) {
    static const char *const rows[][2] = {
        {"Disabled", HINT_ENDS "enable it"},
        {"PendingDeletion",
         "cancel the deletion and enable it: when it is gone, all that it encrypts is lost, exports among it"},
        {"PendingImport", HINT_ENDS "import its key material"},
        {"Unavailable", HINT_ENDS "its key store must be connected"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(state, rows[i][0]) == 0)
            return rows[i][1];
    return HINT_ENDS "it must become Enabled";
}

/* One that is Updating encrypts on (AWS KMS, key states). What is not told contradicts nothing. */
static bool check_state(const DoctorKey *k, Text *t, Finding *ret) {
    const KeyInfo *info = &k->info;
    char iso[DATE_ISO_SIZE];
    if (info->state && strcmp(info->state, "Enabled") != 0 && strcmp(info->state, "Updating") != 0) {
        text_addf(t, " is %s", info->state);
        if (strcmp(info->state, "PendingDeletion") == 0 && info->deletion_wall != WALL_UNKNOWN)
            text_addf(t, ", and goes at %s", date_to_iso(info->deletion_wall, iso));
        *ret = (Finding){CHECK_FAILED, hint_of_state(info->state)};
        return false;
    }
    if (info->arn && ((info->usage && strcmp(info->usage, "ENCRYPT_DECRYPT") != 0) ||
                      (info->spec && strcmp(info->spec, "SYMMETRIC_DEFAULT") != 0))) {
        text_addf(t, " is one of %s for %s", info->spec ? info->spec : "?", info->usage ? info->usage : "?");
        *ret = (Finding){CHECK_FAILED, "S3 encrypts with symmetric keys alone: set s3.kms_key_id to one"};
        return false;
    }
    return true;
}

/* What is denied to us may be allowed to S3 on our behalf, which nobody but S3 can try. */
static bool check_use(const DoctorKey *k, Text *t, Finding *ret) {
    const AwsError *e = &k->tried;
    if (e->class == AWS_OK)
        return true;
    if (e->class == AWS_DENIED) {
        text_addf(t, ": denied: kms:GenerateDataKey (%s); not tested: kms:Decrypt", e->message);
        *ret = (Finding){CHECK_WARNING,
                         "allow both on the key, in its policy, too; the statement to paste is below. If its policy "
                         "allows them through S3 alone (kms:ViaService), exports can use it, and this cannot be shown"};
        return false;
    }
    text_add(t, e->class == AWS_REFUSED ? ": " : " is not known: ");
    doctor_say_error(e, t);
    *ret = (Finding){e->class == AWS_REFUSED ? CHECK_FAILED : CHECK_WARNING, e->hint};
    return false;
}

static bool check_account(const DoctorKey *k, Text *t, Finding *ret) {
    if (!is_of_another(k->bucket) || text_starts_with(k->id, "arn:"))
        return true;
    text_addf(t, "; it is of the account that exports, and the bucket of account %s", k->bucket->owner);
    *ret = (Finding){CHECK_WARNING,
                     "if that is meant, its policy must let that account decrypt; if not, name the key by its ARN"};
    return false;
}

static int check_key(Doctor *d, const DoctorBucket *b, const char *what, const char *id,
                     const char *label) {
    AUTO_TEXT t = TEXT_INIT(4096);
    Finding found = {CHECK_OK, NULL};
    if (doctor_key_is_managed(id))
        return check_managed_key(d, b, what, label);
    const DoctorKey *k = doctor_key_of(d, b, id);
    if (!k)
        return 0;
    text_addf(&t, "%s: the key %s", what, k->id);
    if (check_there(k, &t, &found) && check_state(k, &t, &found) && check_use(k, &t, &found)) {
        text_add(&t, k->described.class == AWS_DENIED ? " can be used; denied, and needed here alone: kms:DescribeKey"
                                                      : " is enabled");
        text_add(&t, "; allowed: kms:GenerateDataKey; not tested: kms:Decrypt");
        check_account(k, &t, &found);
    }
    return doctor_add(d, label, "encryption", found.state, text_get(&t), found.hint);
}

/* Once for each schedule; and what has no schedule's key: the records of chains. */
int doctor_check_keys(Doctor *d, const DoctorBucket *b, const char *label) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < b->n_uses; i++) {
        const ScheduleConf *s = b->uses[i].schedule;
        bool is_first = text_equal(s->s3.sse_algorithm, "KMS");
        for (size_t j = 0; is_first && j < i; j++)
            is_first = b->uses[j].schedule != s;
        if (is_first)
            r = check_key(d, b, s->name, s->s3.kms_key_id, label);
    }
    return r < 0 || !b->encrypts ? r : check_key(d, b, "records of chains", b->default_key, label);
}
