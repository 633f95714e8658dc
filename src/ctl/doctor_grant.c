/* Which IAM actions the schedules of a place need, which of them harmless calls have shown to be allowed or denied,
 * and the statements that would allow what was denied. What changes something is never tried. */

#include <errno.h>
#include <string.h>

#include "core/aws/endpoint.h"
#include "ctl/doctor.h"

#define TABLES "arn:%s:dynamodb:*:*:table/*"
#define BACKUPS TABLES "/backup/*"

static const struct {
    const char *action, *resource; /* %s: the partition; NULL: of a bucket or a key */
    AwsOp op;                      /* that shows it; AWS_OP_N: it changes something, or is no table's */
    bool of_objects;               /* of the bucket, not of itself */
} rows[GRANTS] = {
    [GRANT_LIST_TABLES] = {"dynamodb:ListTables", "*", AWS_OP_LIST_TABLES},
    [GRANT_LIST_TAGS] = {"dynamodb:ListTagsOfResource", TABLES, AWS_OP_LIST_TAGS},
    [GRANT_DESCRIBE_TABLE] = {"dynamodb:DescribeTable", TABLES, AWS_OP_DESCRIBE_TABLE},
    [GRANT_CREATE_BACKUP] = {"dynamodb:CreateBackup", TABLES, AWS_OP_N},
    [GRANT_DESCRIBE_BACKUP] = {"dynamodb:DescribeBackup", BACKUPS, AWS_OP_DESCRIBE_BACKUP},
    [GRANT_LIST_BACKUPS] = {"dynamodb:ListBackups", "*", AWS_OP_LIST_BACKUPS},
    [GRANT_DELETE_BACKUP] = {"dynamodb:DeleteBackup", BACKUPS, AWS_OP_N},
    [GRANT_DESCRIBE_RECOVERY] = {"dynamodb:DescribeContinuousBackups", TABLES,
                                 AWS_OP_DESCRIBE_CONTINUOUS_BACKUPS},
    [GRANT_ENABLE_RECOVERY] = {"dynamodb:UpdateContinuousBackups", TABLES, AWS_OP_N},
    [GRANT_EXPORT] = {"dynamodb:ExportTableToPointInTime", TABLES, AWS_OP_N},
    [GRANT_DESCRIBE_EXPORT] = {"dynamodb:DescribeExport", TABLES "/export/*", AWS_OP_DESCRIBE_EXPORT},
    [GRANT_LIST_EXPORTS] = {"dynamodb:ListExports", "*", AWS_OP_LIST_EXPORTS},
    [GRANT_PUT_OBJECT] = {"s3:PutObject", NULL, AWS_OP_N, true},
    [GRANT_PUT_OBJECT_ACL] = {"s3:PutObjectAcl", NULL, AWS_OP_N, true},
    [GRANT_ABORT_UPLOAD] = {"s3:AbortMultipartUpload", NULL, AWS_OP_N, true},
    [GRANT_GET_OBJECT] = {"s3:GetObject", NULL, AWS_OP_N, true},
    [GRANT_DELETE_OBJECT] = {"s3:DeleteObject", NULL, AWS_OP_N, true},
    [GRANT_LIST_BUCKET] = {"s3:ListBucket", NULL, AWS_OP_N, false},
    [GRANT_GET_VERSIONING] = {"s3:GetBucketVersioning", NULL, AWS_OP_N, false},
    [GRANT_GET_LIFECYCLE] = {"s3:GetLifecycleConfiguration", NULL, AWS_OP_N, false},
    [GRANT_GET_ENCRYPTION] = {"s3:GetEncryptionConfiguration", NULL, AWS_OP_N, false},
    [GRANT_DESCRIBE_KEY] = {"kms:DescribeKey", NULL, AWS_OP_N, false},
    [GRANT_DATA_KEY] = {"kms:GenerateDataKey", NULL, AWS_OP_N, false},
    [GRANT_DECRYPT] = {"kms:Decrypt", NULL, AWS_OP_N, false},
};

const char *grant_action(Grant g) { return rows[g].action; }

const char *grant_state_to_string(GrantState s) {
    static const char *const names[] = {
        [GRANT_NOT_NEEDED] = "not needed",
        [GRANT_NOT_TESTED] = "not tested",
        [GRANT_ALLOWED] = "allowed",
        [GRANT_DENIED] = "denied",
    };
    return names[s];
}

/* --- what is needed, what is known --- */

void grant_need(DoctorPlace *p, Grant g) {
    if (p->grants[g] == GRANT_NOT_NEEDED)
        p->grants[g] = GRANT_NOT_TESTED;
}

static void need(DoctorPlace *p, Grant first, Grant last) {
    for (Grant g = first; g <= last; g++)
        grant_need(p, g);
}

void grant_need_for(DoctorPlace *p, const Target *t) {
    grant_need(p, GRANT_DESCRIBE_TABLE);
    for (size_t i = 0; i < t->n_enrolments; i++) {
        const ScheduleConf *s = t->enrolments[i]->schedule;
        if (!s)
            continue;
        if (s->action == ACTION_BACKUP)
            need(p, GRANT_CREATE_BACKUP, s->expire == EXPIRE_DELETE ? GRANT_DELETE_BACKUP : GRANT_LIST_BACKUPS);
        else
            need(p, GRANT_EXPORT, GRANT_LIST_EXPORTS);
    }
    PitrWish wish = recovery_wish(t);
    if (wish > PITR_IGNORE)
        need(p, GRANT_DESCRIBE_RECOVERY, wish == PITR_ENABLE ? GRANT_ENABLE_RECOVERY : GRANT_DESCRIBE_RECOVERY);
}

/* Who is told that a thing does not exist was allowed to ask. A proxy's 403 is no denial of IAM. */
void grant_learn(DoctorPlace *p, AwsOp op, const AwsError *e) {
    bool denied = e->class == AWS_DENIED && text_starts_with(e->code, "AccessDenied");
    bool allowed = e->class == AWS_OK || e->class == AWS_NOT_FOUND;
    for (Grant g = 0; g < GRANTS; g++) {
        if (rows[g].op != op || p->grants[g] == GRANT_NOT_NEEDED)
            continue;
        if (denied)
            p->grants[g] = GRANT_DENIED;
        else if (allowed && p->grants[g] == GRANT_NOT_TESTED)
            p->grants[g] = GRANT_ALLOWED;
    }
    if (denied)
        p->denied = *e;
}

void grant_need_of_bucket(DoctorBucket *b, Grant g) {
    if (b->grants[g] == GRANT_NOT_NEEDED)
        b->grants[g] = GRANT_NOT_TESTED;
    for (size_t i = 0; i < b->n_uses; i++)
        grant_need(b->uses[i].place, g);
}

void grant_learn_of_bucket(DoctorBucket *b, Grant g, GrantState s) {
    if (b->grants[g] == GRANT_NOT_NEEDED)
        return;
    if (b->grants[g] != GRANT_DENIED) /* with another key */
        b->grants[g] = s;
    for (size_t i = 0; i < b->n_uses; i++) {
        GrantState *of_place = &b->uses[i].place->grants[g];
        if (*of_place != GRANT_DENIED)
            *of_place = s;
    }
}

/* --- the check --- */

static size_t count(const DoctorPlace *p, GrantState s) {
    size_t n = 0;
    for (Grant g = 0; g < GRANT_FIRST_OF_S3; g++)
        n += p->grants[g] == s;
    return n;
}

void grant_say(const GrantState grants[static GRANTS], Grant first, Grant last, GrantState s, Text *t) {
    size_t n = 0;
    for (Grant g = first; g <= last; g++) {
        if (grants[g] != s)
            continue;
        if (n++ == 0)
            text_addf(t, "%s%s: %s", t->len > 0 ? "; " : "", grant_state_to_string(s), rows[g].action);
        else
            text_addf(t, ", %s", rows[g].action);
    }
}

/* What is a bucket's is said of it. */
static void say(const DoctorPlace *p, GrantState s, Text *t) {
    grant_say(p->grants, 0, GRANT_FIRST_OF_S3 - 1, s, t);
}

static int check_place(Doctor *d, const DoctorPlace *p) {
    char label[PLACE_LABEL_SIZE];
    AUTO_TEXT t = TEXT_INIT(8192);
    if (!p->answered)
        return 0;
    size_t n_denied = count(p, GRANT_DENIED), n_allowed = count(p, GRANT_ALLOWED);
    say(p, GRANT_DENIED, &t);
    if (n_denied > 0)
        text_addf(&t, " (%s)", p->denied.message);
    if (n_allowed > 0)
        text_addf(&t, "%s%zu allowed", n_denied > 0 ? "; " : "", n_allowed);
    say(p, GRANT_NOT_TESTED, &t);
    CheckState state = n_denied > 0 ? CHECK_FAILED : n_allowed > 0 ? CHECK_OK : CHECK_WARNING;
    return doctor_add(d, place_label(p->place, places_are_many(&d->places), label), "permissions", state, text_get(&t),
                      n_denied > 0    ? "allow what is denied; the statement to paste is below"
                      : n_allowed > 0 ? NULL
                                      : "nothing is known of them while the service takes no call: mend that first");
}

int doctor_check_grants(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->places.n_items; i++)
        r = check_place(d, &d->asked[i]);
    return r;
}

/* --- the statements --- */

static bool is_denied(const Doctor *d, const DoctorAccount *a, Grant g) {
    for (size_t i = 0; i < d->places.n_items; i++)
        if (d->asked[i].account == a && d->asked[i].grants[g] == GRANT_DENIED)
            return true;
    return false;
}

static const char *partition_of(const Doctor *d, const DoctorAccount *a) {
    for (size_t i = 0; i < d->places.n_items; i++)
        if (d->asked[i].account == a && d->places.items[i].region)
            return endpoint_partition(d->places.items[i].region)->name;
    return "aws";
}

static bool same_resource(Grant a, Grant b) {
    return rows[a].resource && rows[b].resource && strcmp(rows[a].resource, rows[b].resource) == 0;
}

/* One statement for each resource, at the first action that has it. */
static void add_statement(const Doctor *d, const DoctorAccount *a, Grant first, Text *t) {
    const char *resource = rows[first].resource, *gap = strstr(resource, "%s");
    text_addf(t, "%s{\"Effect\": \"Allow\", \"Action\": [", t->data[t->len - 1] == '[' ? "" : ", ");
    for (Grant g = first; g < GRANTS; g++)
        if (same_resource(g, first) && is_denied(d, a, g))
            text_addf(t, "%s\"%s\"", g > first ? ", " : "", rows[g].action);
    text_addf(t, "], \"Resource\": \"%.*s%s%s\"}", (int)(gap ? gap - resource : 0), resource,
              gap ? partition_of(d, a) : "", gap ? gap + 2 : resource);
}

/* A bucket's own actions, or those on its objects. */
static void add_bucket_statement(const Doctor *d, const DoctorBucket *b, bool of_objects, Text *t) {
    size_t n = 0;
    for (Grant g = GRANT_FIRST_OF_S3; g <= GRANT_LAST_OF_S3; g++) {
        if (rows[g].of_objects != of_objects || b->grants[g] != GRANT_DENIED)
            continue;
        if (n++ == 0)
            text_addf(t, "%s{\"Effect\": \"Allow\", \"Action\": [", t->data[t->len - 1] == '[' ? "" : ", ");
        text_addf(t, "%s\"%s\"", n > 1 ? ", " : "", rows[g].action);
    }
    if (n > 0)
        text_addf(t, "], \"Resource\": \"arn:%s:s3:::%s%s\"}", partition_of(d, b->place->account), b->name,
                  of_objects ? "/*" : "");
}

static void add_bucket_statements(const Doctor *d, const DoctorAccount *a, Text *t) {
    for (size_t i = 0; i < d->n_buckets && !t->error; i++) {
        if (d->buckets[i].place->account != a)
            continue;
        add_bucket_statement(d, &d->buckets[i], true, t);
        add_bucket_statement(d, &d->buckets[i], false, t);
    }
}

/* As policies name keys: by their own ARN, never by an alias. */
static void add_key_arn(const Doctor *d, const DoctorKey *k, Text *t) {
    const DoctorAccount *a = k->bucket->place->account;
    const char *name = text_starts_with(k->id, "arn:") ? strrchr(k->id, ':') + 1 : k->id;
    if (k->info.arn) {
        text_add(t, k->info.arn);
        return;
    }
    if (name != k->id)
        text_add_bytes(t, k->id, (size_t)(name - k->id));
    else
        text_addf(t, "arn:%s:kms:%s:%s:", partition_of(d, a), k->region,
                  a->identity.account ? a->identity.account : "*");
    text_addf(t, "%s%s", text_starts_with(name, "key/") ? "" : "key/", text_starts_with(name, "alias/") ? "*" : name);
}

/* Who may not encrypt may hardly decrypt, which is not tested. */
static void add_key_statement(const Doctor *d, const DoctorKey *k, Text *t) {
    AUTO_TEXT arn = TEXT_INIT(4096);
    if (k->tried.class != AWS_DENIED)
        return;
    add_key_arn(d, k, &arn);
    text_addf(t, "%s{\"Effect\": \"Allow\", \"Action\": [", t->data[t->len - 1] == '[' ? "" : ", ");
    text_addf(t, "%s\"kms:GenerateDataKey\", \"kms:Decrypt\"], \"Resource\": ",
              k->described.class == AWS_DENIED ? "\"kms:DescribeKey\", " : "");
    text_add_json(t, text_get(&arn));
    text_add_char(t, '}');
}

bool grant_statements(const Doctor *d, const DoctorAccount *a, Text *t) {
    size_t begin = t->len;
    text_add_char(t, '[');
    if (a->role_is_denied) {
        text_add(t, "{\"Effect\": \"Allow\", \"Action\": [\"sts:AssumeRole\"], \"Resource\": ");
        text_add_json(t, a->conf->role_arn);
        text_add_char(t, '}');
    }
    for (Grant g = 0; g < GRANTS; g++) {
        bool is_first = rows[g].resource && is_denied(d, a, g);
        for (Grant h = 0; is_first && h < g; h++)
            is_first = !(same_resource(h, g) && is_denied(d, a, h));
        if (is_first && !t->error)
            add_statement(d, a, g, t);
    }
    add_bucket_statements(d, a, t);
    for (size_t i = 0; i < d->n_keys && !t->error; i++)
        if (d->keys[i].bucket->place->account == a)
            add_key_statement(d, &d->keys[i], t);
    bool any = t->len > begin + 1;
    text_add_char(t, ']');
    return any;
}
