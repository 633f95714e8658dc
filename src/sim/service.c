#include "sim/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "sim/service_auth.h"
#include "sim/service_kms.h"
#include "sim/service_mangle.h"
#include "sim/service_reply.h"
#include "sim/service_s3.h"
#include "sim/service_shape.h"
#include "sim/service_state.h"
#include "sim/service_sts.h"

#define MAX_REPLY (8u << 20)
#define MAX_REGIONS 64
#define TARGET_PREFIX "DynamoDB_20120810."
#define KMS_PREFIX "TrentService."
#define CONTENT_TYPE "application/x-amz-json-1.0"
#define KMS_CONTENT_TYPE "application/x-amz-json-1.1"

/* Documented calls a second with bursts as measured; where nothing is documented, what was seen. */
static const struct {
    const char *name;
    ServiceOperation *run;
    ServiceRate rate;
    bool changes_table; /* it also counts against the limit for changes of tables */
    bool is_kms;
} operations[] = {
    {"CreateTable", service_create_table, {}, true},
    {"DeleteTable", service_delete_table, {}, true},
    {"DescribeTable", service_describe_table, {}, false},
    {"ListTables", service_list_tables, {}, false},
    {"DescribeContinuousBackups", service_describe_continuous_backups, {10, 10}, false},
    {"UpdateContinuousBackups", service_update_continuous_backups, {10, 10}, false},
    {"TagResource", service_tag_resource, {5, 5}, true},
    {"UntagResource", service_untag_resource, {5, 5}, true},
    {"ListTagsOfResource", service_list_tags, {10, 40}, false},
    {"CreateBackup", service_create_backup, {50, 50}, false},
    {"DescribeBackup", service_describe_backup, {10, 12}, false},
    {"ListBackups", service_list_backups, {5, 5}, false},
    {"DeleteBackup", service_delete_backup, {10, 12}, false},
    {"ExportTableToPointInTime", service_export_table, {1, 20}, false},
    {"DescribeExport", service_describe_export, {10, 13}, false},
    {"ListExports", service_list_exports, {10, 10}, false},
    {"PutItem", service_put_item, {}, false},
    {"GetItem", service_get_item, {}, false},
    {"DeleteItem", service_delete_item, {}, false},
    {"BatchWriteItem", service_batch_write, {}, false},
    {"Scan", service_scan, {}, false},
    {"RestoreTableFromBackup", service_restore_table, {10, 10}, true},
    {"DescribeKey", service_describe_key, .is_kms = true},
    {"GenerateDataKey", service_generate_data_key, .is_kms = true},
    {"CreateKey", service_create_key, .is_kms = true},
    {"ListKeys", service_list_keys, .is_kms = true},
};
#define N_OPERATIONS ARRAY_SIZE(operations)
static const ServiceRate change_rate = {5, 6};

/* ---- settings, making and freeing ---- */

ServiceSettings service_settings_default(void) {
    return (ServiceSettings){
        .account = "123456789012",
        .access_key = "AKIAEMULATOR00000000",
        .secret_key = "emulator/secret/which/nobody/keeps/00000",
        .backup_usec = 50 * USEC_PER_MSEC,
        .export_usec = 5 * USEC_PER_SEC,
        .restore_usec = USEC_PER_SEC,
    };
}

void service_settings_lifelike(ServiceSettings *s) {
    s->backup_usec = 50 * USEC_PER_MSEC;
    s->export_usec = 125 * USEC_PER_SEC;
    s->restore_usec = 81 * USEC_PER_SEC;
    s->table_usec = 6 * USEC_PER_SEC;
    s->enable_usec = 6 * USEC_PER_SEC;
    s->tag_usec = 1700 * USEC_PER_MSEC;
}

static void free_settings(ServiceSettings *s) {
    free((char *)s->account);
    free((char *)s->region);
    free((char *)s->access_key);
    if (s->secret_key)
        secret_wipe((char *)s->secret_key, strlen(s->secret_key));
    free((char *)s->secret_key);
    free((char *)s->session_token);
}

static int copy_setting(const char **to, const char *from) {
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

int service_new(const ServiceSettings *settings, uint64_t seed, Service **ret) {
    CLEANUP(service_free_ptr) Service *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->random = seed;
    s->settings = *settings;
    const char **strings[] = {&s->settings.account, &s->settings.region, &s->settings.access_key,
                              &s->settings.secret_key, &s->settings.session_token};
    int rc = 0;
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        if (copy_setting(strings[i], *strings[i]) < 0)
            rc = -ENOMEM;
    if (rc >= 0)
        *ret = TAKE_PTR(s);
    return rc;
}

void service_free(Service *s) {
    if (!s)
        return;
    free_settings(&s->settings);
    for (size_t i = 0; i < s->n_seeds; i++) {
        free(s->seeds[i].name);
        free(s->seeds[i].tag);
    }
    for (size_t i = 0; i < s->n_regions; i++)
        free(s->regions[i].buckets);
    for (size_t i = 0; i < s->n_tables; i++)
        service_table_free(s->tables[i]);
    for (size_t i = 0; i < s->n_backups; i++)
        service_backup_free(s->backups[i]);
    for (size_t i = 0; i < s->n_exports; i++)
        service_export_free(s->exports[i]);
    free(s->seeds);
    free(s->regions);
    free(s->tables);
    free(s->backups);
    for (size_t i = 0; i < s->n_s3; i++)
        service_s3_bucket_free(s->s3[i]);
    free(s->exports);
    service_sts_done(s);
    service_keys_done(s);
    free(s->s3);
    service_faults_clear(&s->faults);
    free(s);
}

int service_add_seed(Service *s, const ServiceSeed *seed) {
    size_t n = strlen(seed->name);
    if (n < 3 || n > 255 ||
        strspn(seed->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
        return -EINVAL;
    for (size_t i = 0; i < s->n_seeds; i++)
        if (strcmp(s->seeds[i].name, seed->name) == 0)
            return -EEXIST;
    ServiceSeed copy = *seed;
    copy.name = strdup(seed->name);
    copy.tag = NULL;
    if (!copy.name || text_set(&copy.tag, seed->tag) < 0 ||
        ARRAY_GROW(s->seeds, s->n_seeds, s->n_seeds_room) < 0) {
        free(copy.tag);
        free(copy.name);
        return -ENOMEM;
    }
    s->seeds[s->n_seeds++] = copy;
    return 0;
}

/* ---- one request ---- */

int service_refuse(ServiceCall *c, const char *code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int rc = text_addfv(&c->message, format, args);
    va_end(args);
    c->code = code;
    return rc < 0 ? rc : -EINVAL;
}

/* The table that a request is about, for fault rules and the log. */
static void note_table(ServiceReply *r, const ServiceJson *input) {
    static const char *const members[] = {"TableName", "TableArn", "BackupArn", "ExportArn", "ResourceArn",
                                          "KeyId"};
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *s = service_json_get_string(input, members[i]);
        ServiceArn arn;
        if (s)
            snprintf(r->table, sizeof r->table, "%.255s", service_arn_parse(s, &arn) >= 0 ? arn.table : s);
    }
    const ServiceJson *batch = service_json_get(input, "RequestItems");
    if (batch && batch->type == SERVICE_JSON_OBJECT && batch->first)
        snprintf(r->table, sizeof r->table, "%.255s", batch->first->name);
}

static int get_region(Service *s, const char *name, Usec now_wall, ServiceRegion **ret) {
    for (size_t i = 0; i < s->n_regions; i++)
        if (strcmp(s->regions[i].name, name) == 0) {
            *ret = &s->regions[i];
            return 0;
        }
    if (s->n_regions >= MAX_REGIONS)
        return -E2BIG;
    if (ARRAY_GROW(s->regions, s->n_regions, s->n_regions_room) < 0)
        return -ENOMEM;
    ServiceRegion *r = &s->regions[s->n_regions];
    *r = (ServiceRegion){.buckets = calloc(N_OPERATIONS + 1, sizeof r->buckets[0])};
    if (!r->buckets)
        return -ENOMEM;
    snprintf(r->name, sizeof r->name, "%s", name);
    s->n_regions++;
    *ret = r;
    int rc = service_plant_seeds(s, name, now_wall);
    return rc < 0 ? rc : service_plant_foreign(s, name, now_wall);
}

int service_open_region(Service *s, const char *region, Usec now_wall) {
    ServiceRegion *opened;
    return get_region(s, region, now_wall, &opened);
}

static int take_rate(ServiceCall *c, ServiceRegion *region, size_t i) {
    if (c->service->settings.without_rates)
        return 0;
    if (!service_rate_take(&region->buckets[i], operations[i].rate, c->now_wall))
        return service_refuse(c, "ThrottlingException", "Rate exceeded");
    if (operations[i].changes_table &&
        !service_rate_take(&region->buckets[N_OPERATIONS], change_rate, c->now_wall))
        return service_refuse(c, "ThrottlingException",
                              "The rate of control plane requests made by this account is too high");
    return 0;
}

static int run(ServiceCall *c, size_t i) {
    ServiceRegion *region;
    int rc = get_region(c->service, c->region, c->now_wall, &region);
    if (rc >= 0)
        rc = take_rate(c, region, i);
    if (rc >= 0)
        rc = service_shape_check(c->input, service_shape_of(operations[i].name), &c->code, &c->message);
    if (rc >= 0) {
        c->code = NULL;
        rc = operations[i].run(c);
    }
    return rc >= 0 ? c->out->error : rc;
}

/* Runs the operation with what the fault script has for it. */
static void serve(Service *s, ServiceReply *r, size_t i, const ServiceJson *input, Usec now_wall) {
    ServiceCall c = {.service = s,
                     .now_wall = now_wall,
                     .region = r->region,
                     .input = input,
                     .fault = service_faults_take(&s->faults, r->operation, r->table),
                     .out = &r->body,
                     .message = TEXT_INIT(100000)};
    const ServiceFault *rule = c.fault.rule;
    ServiceFaultAction action = rule ? rule->action : SERVICE_FAULT_NONE;
    bool wrong_crc = false, html = false;
    r->delay_usec = c.fault.delay_usec;
    snprintf(r->fault, sizeof r->fault, "%s",
             rule                   ? service_fault_to_string(action)
             : c.fault.delay_usec > 0 ? "delay"
             : c.fault.lag_usec > 0   ? "lag"
                                      : "");
    r->status = 200;
    if (action == SERVICE_FAULT_DROP_BEFORE)
        r->ending = SERVICE_CLOSED;
    else if (action != SERVICE_FAULT_ERROR) {
        int rc = run(&c, i);
        if (rc < 0 && c.code)
            service_reply_set_error(r, c.code, 0, text_get(&c.message));
        else if (rc < 0)
            service_reply_set_error(r, "InternalServerError", 0, "The emulator ran out of memory or room");
        r->effect = c.effect;
    }
    if (action == SERVICE_FAULT_ERROR || action == SERVICE_FAULT_ERROR_AFTER)
        service_reply_set_error(r, rule->word, rule->status,
                                rule->message ? rule->message : service_reply_usual_message(rule->word));
    else if (rule && service_mangle(r, rule, &wrong_crc, &html) < 0)
        service_reply_set_error(r, "InternalServerError", 0, "The emulator ran out of memory or room");
    text_done(&c.message);
    service_reply_finish(s, r, now_wall, html ? "text/html" : r->is_kms ? KMS_CONTENT_TYPE : CONTENT_TYPE, wrong_crc);
}

static bool is_for_kms(const char *target) { return target && text_starts_with(target, KMS_PREFIX); }

static bool find_operation(const char *target, size_t *ret) {
    bool is_kms = is_for_kms(target);
    if (!is_kms && (!target || !text_starts_with(target, TARGET_PREFIX)))
        return false;
    const char *name = target + strlen(is_kms ? KMS_PREFIX : TARGET_PREFIX);
    for (size_t i = 0; i < N_OPERATIONS; i++)
        if (operations[i].is_kms == is_kms && strcmp(operations[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static bool is_json_type(const char *content_type) {
    static const char *const types[] = {CONTENT_TYPE, KMS_CONTENT_TYPE, "application/json"};
    for (size_t i = 0; content_type && i < ARRAY_SIZE(types); i++) {
        size_t n = strlen(types[i]);
        if (strncmp(content_type, types[i], n) == 0 && (!content_type[n] || strchr("; ", content_type[n])))
            return true;
    }
    return false;
}

const char *service_admit(Service *s, const ServiceRequest *q, const char *service, Usec now_wall, ServiceReply *r,
                          Text *message) {
    ServiceAuthKey key = {.access_key = s->settings.access_key,
                          .secret_key = s->settings.secret_key,
                          .session_token = s->settings.session_token,
                          .service = service,
                          .region = s->settings.region,
                          .skew_usec = strcmp(service, "s3") == 0 ? SERVICE_S3_SKEW_USEC : 0};
    ServiceAuthResult auth;
    int rc = 0;
    service_auth_peek(q, &auth);
    const ServiceSession *session = service_sts_session(s, auth.key_id);
    if (session) {
        key.access_key = session->key_id;
        key.secret_key = session->secret;
        key.session_token = session->token;
    }
    if (!s->settings.without_auth)
        rc = service_auth_check(q, &key, now_wall, &auth);
    const char *region = auth.region[0] ? auth.region : s->settings.region ? s->settings.region : "us-east-1";
    snprintf(r->region, sizeof r->region, "%s", region);
    snprintf(r->key_id, sizeof r->key_id, "%s", auth.key_id);
    text_add(message, rc < 0 ? "The emulator could not check the signature" : text_get(&auth.message));
    text_done(&auth.message);
    if (rc < 0)
        return "InternalServerError";
    if (auth.code || s->settings.without_auth || !session || now_wall < session->expires_wall)
        return auth.code;
    text_add(message, "The security token included in the request is expired");
    return "ExpiredTokenException";
}

/* False with an error reply. */
static bool admit(Service *s, const ServiceRequest *q, Usec now_wall, ServiceReply *r) {
    AUTO_TEXT message = TEXT_INIT(1u << 20);
    const char *code = service_admit(s, q, r->is_kms ? "kms" : "dynamodb", now_wall, r, &message);
    if (code)
        service_reply_set_error(r, code, 0, text_get(&message));
    return !code;
}

static void handle_post(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *r) {
    CLEANUP(service_json_free_ptr) ServiceJson *input = NULL;
    size_t operation = 0;
    int parsed = service_json_parse(q->body ? q->body : "", q->body_len, &input);
    const char *target = service_header(q, "X-Amz-Target");
    bool known = find_operation(target, &operation);
    bool is_object = parsed >= 0 && input->type == SERVICE_JSON_OBJECT;
    r->is_kms = is_for_kms(target);
    if (known)
        snprintf(r->operation, sizeof r->operation, "%s", operations[operation].name);
    note_table(r, input);
    if (known && !q->held) {
        r->delay_usec = service_faults_take_late(&s->faults, r->operation, r->table);
        if (r->delay_usec > 0) {
            r->ending = SERVICE_LATER;
            return;
        }
    }
    if (parsed < 0 && q->body_len > 0)
        service_reply_set_error(r, "SerializationException", 0, NULL);
    else if (!known)
        service_reply_set_error(r, "UnknownOperationException", 0, NULL);
    else if (!admit(s, q, now_wall, r))
        ;
    else if (!is_object)
        service_reply_set_error(r, "SerializationException", 0, parsed < 0 ? NULL : "Unexpected field type");
    else {
        serve(s, r, operation, input, now_wall);
        return;
    }
    service_reply_finish(s, r, now_wall, r->is_kms ? KMS_CONTENT_TYPE : CONTENT_TYPE, false);
}

void service_handle(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *ret) {
    if (service_s3_is_meant(q)) {
        service_s3_handle(s, now_wall, q, ret);
        return;
    }
    *ret = (ServiceReply){.body = TEXT_INIT(MAX_REPLY)};
    if (strcmp(q->method, "GET") == 0) {
        const char *region = s->settings.region ? s->settings.region : "us-east-1";
        ret->status = 200;
        text_addf(&ret->body, "healthy: dynamodb.%s.amazonaws.com ", region);
        service_reply_finish(s, ret, now_wall, "text/plain", false);
    } else if (service_sts_is_meant(q)) {
        service_sts_handle(s, now_wall, q, ret);
        service_reply_finish(s, ret, now_wall, "text/xml", false);
    } else if (strcmp(q->method, "POST") != 0 || !is_json_type(service_header(q, "Content-Type"))) {
        ret->status = 404;
        text_add(&ret->body, "<UnknownOperationException/>\n");
        service_reply_finish(s, ret, now_wall, "application/xml", false);
    } else
        handle_post(s, now_wall, q, ret);
}
