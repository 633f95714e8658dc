/* Which IAM actions the schedules of a place need, which of them harmless calls have shown to be allowed or denied,
 * and the statements that would allow what was denied. What changes something is never tried. */

#include <errno.h>
#include <string.h>

#include "core/endpoint.h"
#include "ctl/doctor.h"

#define TABLES "arn:%s:dynamodb:*:*:table/*"
#define BACKUPS TABLES "/backup/*"

static const struct {
    const char *action, *resource; /* %s: the partition; NULL: each bucket's objects */
    AwsOp op;                      /* that shows it; AWS_OP_N: it changes something */
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
    [GRANT_PUT_OBJECT] = {"s3:PutObject", NULL, AWS_OP_N},
    [GRANT_PUT_OBJECT_ACL] = {"s3:PutObjectAcl", NULL, AWS_OP_N},
    [GRANT_ABORT_UPLOAD] = {"s3:AbortMultipartUpload", NULL, AWS_OP_N},
    [GRANT_GET_OBJECT] = {"s3:GetObject", NULL, AWS_OP_N},
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
            need(p, GRANT_EXPORT, s->verify > VERIFY_SERVICE ? GRANT_GET_OBJECT : GRANT_ABORT_UPLOAD);
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

/* --- the check --- */

static size_t count(const DoctorPlace *p, GrantState s) {
    size_t n = 0;
    for (Grant g = 0; g < GRANTS; g++)
        n += p->grants[g] == s;
    return n;
}

/* "denied: dynamodb:ListBackups, dynamodb:ListExports" */
static void say(const DoctorPlace *p, GrantState s, Text *t) {
    size_t n = 0;
    for (Grant g = 0; g < GRANTS; g++) {
        if (p->grants[g] != s)
            continue;
        if (n++ == 0)
            text_addf(t, "%s%s: %s", t->len > 0 ? "; " : "", grant_state_to_string(s), rows[g].action);
        else
            text_addf(t, ", %s", rows[g].action);
    }
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
    return doctor_add(d, place_label(p->place, places_are_many(&d->places), label), "permissions",
                      n_denied > 0 ? CHECK_FAILED : CHECK_OK, text_get(&t),
                      n_denied > 0 ? "allow what is denied; the statement to paste is below" : NULL);
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
    bool any = t->len > begin + 1;
    text_add_char(t, ']');
    return any;
}
