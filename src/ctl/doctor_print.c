/* The answer: rows for people, with what to do behind them; everything, for programs. */

#include <stdio.h>

#include "core/aws/endpoint.h"
#include "core/conf/conf_client.h"
#include "ctl/doctor.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/words.h"

/* With more of them, people see the tables that are not well. */
#define TABLES_SHOWN 20

/* --- for people --- */

static bool is_shown(const Doctor *d, const Check *c) {
    return !c->of_table || c->state != CHECK_OK || d->options->all || d->n_tables <= TABLES_SHOWN;
}

static int print_rows(const Doctor *d, Text *out) {
    static const TableColumn columns[] = {{"OBJECT"}, {"CHECK"}, {"STATE"}, {"FOUND"}};
    CLEANUP(table_done) Table t;
    table_init(&t, columns, ARRAY_SIZE(columns));
    for (size_t i = 0; i < d->n_checks; i++) {
        const Check *c = &d->checks[i];
        if (!is_shown(d, c))
            continue;
        table_add(&t, c->object);
        table_add(&t, c->name);
        table_add(&t, check_state_to_string(c->state));
        table_add(&t, c->detail);
    }
    return table_print(&t, 2, out);
}

static void print_hints(const Doctor *d, Text *out) {
    bool any = false;
    for (size_t i = 0; i < d->n_checks; i++) {
        const Check *c = &d->checks[i];
        if (!c->hint)
            continue;
        text_add(out, any ? "" : "\nWhat to do:\n");
        any = true;
        text_add(out, "  ");
        words_add(out, c->object);
        text_addf(out, ": %s; HINT: ", c->name);
        words_add(out, c->hint);
        text_add_char(out, '\n');
    }
}

/* Whose policy it is; an assumed role's session is its role's. */
static const char *principal_of(const DoctorAccount *a) {
    if (a->role_is_denied)
        return "the identity that assumes the role";
    return a->conf && a->conf->role_arn ? a->conf->role_arn : a->identity.arn ? a->identity.arn : "this identity";
}

static void print_statements(const Doctor *d, Text *out) {
    for (size_t i = 0; i < d->n_accounts; i++) {
        AUTO_TEXT t = TEXT_INIT(16384);
        if (!grant_statements(d, &d->accounts[i], &t))
            continue;
        text_add(out, "\nStatements for the policy of ");
        words_add(out, principal_of(&d->accounts[i]));
        text_addf(out, ":\n  %s\n", text_get(&t));
    }
}

static void print_count(size_t n, const char *word, Text *out) {
    if (n > 0)
        text_addf(out, "%zu %s, ", n, word);
}

int doctor_print(const Doctor *d, Text *out) {
    size_t n_hidden = 0;
    for (size_t i = 0; i < d->n_checks; i++)
        n_hidden += !is_shown(d, &d->checks[i]);
    text_addf(out, "Deployment %s, by ", d->aws.conf->deployment);
    words_add(out, d->options->config);
    text_add(out, ":\n");
    int r = print_rows(d, out);
    print_hints(d, out);
    print_statements(d, out);
    text_add_char(out, '\n');
    print_count(d->n_of[CHECK_FAILED], "failed", out);
    print_count(d->n_of[CHECK_WARNING], d->n_of[CHECK_WARNING] == 1 ? "warning" : "warnings", out);
    text_addf(out, "%zu ok", d->n_of[CHECK_OK]);
    if (n_hidden > 0)
        text_addf(out, " (%zu of tables are not shown; --all shows them)", n_hidden);
    text_add_char(out, '\n');
    return r;
}

/* --- for programs --- */

static void add_account(Json *j, const DoctorAccount *a) {
    const Credentials *c = a->fetched->found;
    char key[8];
    snprintf(key, sizeof key, "%.4s...", c ? c->access_key_id : "");
    json_open(j, NULL, '{');
    json_string(j, "account", a->fetched->account);
    json_string(j, "source", c ? c->source : NULL);
    json_string(j, "key_id", c ? key : NULL);
    json_wall(j, "expires", c ? c->expires_wall : WALL_UNKNOWN);
    json_string(j, "problem", a->fetched->why);
    json_string(j, "role_arn", a->conf ? a->conf->role_arn : NULL);
    json_string(j, "identity", a->identity.arn);
    json_string(j, "account_id", a->identity.account);
    json_close(j, '}');
}

static void add_endpoint(Json *j, const Doctor *d, const DoctorPlace *p, EndpointService service, const char *name) {
    EndpointWish wish = conf_endpoint_wish(d->aws.conf, service);
    AUTO_FREE char *url = NULL;
    (void)endpoint_url(&wish, p->place->region ? p->place->region : "", &url);
    json_string(j, name, url);
}

static void add_place(Json *j, const Doctor *d, const DoctorPlace *p) {
    json_open(j, NULL, '{');
    json_string(j, "account", p->place->account);
    json_string(j, "region", p->place->region);
    json_open(j, "endpoints", '{');
    add_endpoint(j, d, p, ENDPOINT_DYNAMODB, "dynamodb");
    add_endpoint(j, d, p, ENDPOINT_STS, "sts");
    add_endpoint(j, d, p, ENDPOINT_S3, "s3");
    add_endpoint(j, d, p, ENDPOINT_KMS, "kms");
    json_close(j, '}');
    json_bool(j, "answered", p->answered);
    json_seconds(j, "clock_ahead_seconds", doctor_skew(p));
    json_open(j, "permissions", '{');
    for (Grant g = 0; g < GRANTS; g++)
        json_string(j, grant_action(g), grant_state_to_string(p->grants[g]));
    json_close(j, '}');
    json_close(j, '}');
}

static void add_table(Json *j, const DoctorTable *t) {
    json_open(j, NULL, '{');
    json_target(j, t->target->account, t->target->region, t->target->table, NULL);
    json_string(j, "arn", t->described ? t->target->table_arn : NULL);
    json_string(j, "status", t->described ? t->status : NULL);
    json_raw(j, "pitr", !t->recovery_known ? NULL : t->recovery.pitr_enabled ? "true" : "false");
    bool is_on = t->recovery_known && t->recovery.pitr_enabled;
    json_wall(j, "pitr_since", is_on ? t->recovery.earliest_wall : WALL_UNKNOWN);
    json_bool(j, "pitr_needed", t->wish > PITR_IGNORE);
    json_close(j, '}');
}

static void add_bucket(Json *j, const DoctorBucket *b) {
    json_open(j, NULL, '{');
    json_string(j, "account", b->place->place->account);
    json_string(j, "bucket", b->name);
    json_string(j, "region", b->region[0] ? b->region : NULL);
    json_bool(j, "reached", b->asked[BUCKET_HEAD] && b->answers[BUCKET_HEAD].class == AWS_OK);
    json_string(j, "bucket_owner", b->owner);
    bool is_told = b->asked[BUCKET_VERSIONING] && b->answers[BUCKET_VERSIONING].class == AWS_OK;
    json_string(j, "versioning", !is_told ? NULL : b->versioning[0] ? b->versioning : "never");
    json_open(j, "permissions", '{');
    for (Grant g = GRANT_FIRST_OF_S3; g <= GRANT_LAST_OF_S3; g++)
        json_string(j, grant_action(g), grant_state_to_string(b->grants[g]));
    json_close(j, '}');
    json_close(j, '}');
}

static void add_key(Json *j, const DoctorKey *k) {
    json_open(j, NULL, '{');
    json_string(j, "account", k->bucket->place->place->account);
    json_string(j, "bucket", k->bucket->name);
    json_string(j, "key", k->id);
    json_string(j, "region", k->region);
    json_string(j, "arn", k->info.arn);
    json_string(j, "state", k->info.state);
    json_string(j, "usage", k->info.usage);
    json_string(j, "spec", k->info.spec);
    json_raw(j, "usable", !k->asked || (k->tried.class != AWS_OK && k->tried.class != AWS_NOT_FOUND &&
                                        k->tried.class != AWS_REFUSED)
                              ? NULL
                          : k->tried.class == AWS_OK ? "true"
                                                     : "false");
    json_close(j, '}');
}

static void add_check(Json *j, const Check *c) {
    json_open(j, NULL, '{');
    json_string(j, "object", c->object);
    json_string(j, "check", c->name);
    json_string(j, "state", check_state_to_string(c->state));
    json_string(j, "found", c->detail);
    json_string(j, "hint", c->hint);
    json_close(j, '}');
}

static void add_missing(Json *j, const Doctor *d) {
    json_open(j, "missing", '[');
    for (size_t i = 0; i < d->n_accounts; i++) {
        AUTO_TEXT t = TEXT_INIT(16384);
        if (!grant_statements(d, &d->accounts[i], &t))
            continue;
        json_open(j, NULL, '{');
        json_string(j, "account", d->accounts[i].fetched->account);
        json_string(j, "principal", principal_of(&d->accounts[i]));
        json_raw(j, "statements", text_get(&t));
        json_close(j, '}');
    }
    json_close(j, ']');
}

void doctor_print_json(const Doctor *d, Text *out) {
    Json j = {.out = out};
    CheckState worst = d->n_of[CHECK_FAILED] > 0 ? CHECK_FAILED : d->n_of[CHECK_WARNING] > 0 ? CHECK_WARNING : CHECK_OK;
    json_open(&j, NULL, '{');
    json_wall(&j, "now", d->now_wall);
    json_string(&j, "deployment", d->aws.conf->deployment);
    json_string(&j, "config", d->options->config);
    json_string(&j, "state", check_state_to_string(worst));
    json_open(&j, "accounts", '[');
    for (size_t i = 0; i < d->n_accounts; i++)
        add_account(&j, &d->accounts[i]);
    json_close(&j, ']');
    json_open(&j, "places", '[');
    for (size_t i = 0; i < d->places.n_items; i++)
        add_place(&j, d, &d->asked[i]);
    json_close(&j, ']');
    json_open(&j, "tables", '[');
    for (size_t i = 0; i < d->n_tables; i++)
        add_table(&j, &d->tables[i]);
    json_close(&j, ']');
    json_open(&j, "buckets", '[');
    for (size_t i = 0; i < d->n_buckets; i++)
        add_bucket(&j, &d->buckets[i]);
    json_close(&j, ']');
    json_open(&j, "keys", '[');
    for (size_t i = 0; i < d->n_keys; i++)
        add_key(&j, &d->keys[i]);
    json_close(&j, ']');
    json_open(&j, "checks", '[');
    for (size_t i = 0; i < d->n_checks; i++)
        add_check(&j, &d->checks[i]);
    json_close(&j, ']');
    add_missing(&j, d);
    json_close(&j, '}');
    text_add_char(out, '\n');
}
