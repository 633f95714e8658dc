/* Exports to S3: ExportTableToPointInTime, DescribeExport. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "sim/service_export_files.h"
#include "sim/service_item.h"
#include "sim/service_kms.h"
#include "sim/service_s3_store.h"

#define MAX_CONCURRENT 300
#define MAX_CONCURRENT_BYTES (INT64_C(100) << 40)
#define TOKEN_USEC (8 * USEC_PER_HOUR)
#define MIN_WINDOW_USEC (15 * USEC_PER_MINUTE)
#define MAX_WINDOW_USEC (24 * USEC_PER_HOUR)
#define MIN_BILLED_INCREMENTAL 10000000
/* A window of recovery that is so young does not reach up to now. */
#define YOUNG_USEC (5 * USEC_PER_MINUTE)

void service_export_free(ServiceExport *e) {
    if (!e)
        return;
    free(e->region);
    free(e->table);
    free(e->token);
    free(e->fingerprint);
    free(e->echo);
    free(e->bucket);
    free(e->prefix);
    free(e->kms_key);
    service_items_leave(e->items);
    free(e->failure_code);
    free(e->failure_message);
    free(e);
}
DEFINE_CLEANUP(ServiceExport, service_export_free)

const char *service_export_status(const ServiceExport *e, Usec now_wall) {
    return now_wall < e->end_wall ? "IN_PROGRESS" : e->failure_code ? "FAILED" : "COMPLETED";
}

/* The parameters as they are understood. */
typedef struct Order {
    const char *token, *bucket, *owner, *prefix, *algorithm, *key_id, *format, *type, *view;
    const ServiceJson *specification, *filter, *time, *from, *to;
    bool is_incremental;
    Usec time_wall, from_wall, to_wall;
} Order;

static int order_parse(ServiceCall *c, Order *o) {
    const ServiceJson *in = c->input, *spec = service_json_get(in, "IncrementalExportSpecification");
    const char *type = service_json_get_string(in, "ExportType");
    *o = (Order){
        .token = service_json_get_string(in, "ClientToken"),
        .bucket = service_json_get_string(in, "S3Bucket"),
        .owner = service_json_get_string(in, "S3BucketOwner"),
        .prefix = service_json_get_string(in, "S3Prefix"),
        .algorithm = service_json_get_string(in, "S3SseAlgorithm"),
        .key_id = service_json_get_string(in, "S3SseKmsKeyId"),
        .format = service_json_get_string(in, "ExportFormat"),
        .type = type,
        .view = service_json_get_string(spec, "ExportViewType"),
        .specification = spec,
        .filter = service_json_get(in, "FilterSpecification"),
        .time = service_json_get(in, "ExportTime"),
        .from = service_json_get(spec, "ExportFromTime"),
        .to = service_json_get(spec, "ExportToTime"),
        .is_incremental = type && strcmp(type, "INCREMENTAL_EXPORT") == 0,
    };
    if (o->key_id && !(o->algorithm && strcmp(o->algorithm, "KMS") == 0))
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: KMS Key Id is not supported for this encryption type");
    if (o->filter && o->filter->n_items == 0)
        return SERVICE_REFUSE_VALUE(
            c, "Invalid Request: Invalid FilterSpecification: The specification can not be empty");
    if (o->key_id && strpbrk(o->key_id, " \t\"'<>"))
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: 1 validation error detected: Value '%s' at 's3SseKmsKeyId' "
                                       "failed to satisfy constraint: Member must satisfy regular expression pattern: "
                                       "^[a-zA-Z0-9:/_-]+$",
                                    o->key_id);
    if (o->specification && !type)
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: Export Type expected to be Incremental Export when "
                                       "incremental export specification is provided");
    if (o->specification && !o->is_incremental)
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: When Export Type is Full Export , Incremental Export "
                                       "Specification should not be provided");
    if (o->is_incremental && !o->specification)
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: Incremental Export Specification expected when export type is "
                                       "set as Incremental Export");
    if (o->is_incremental && !o->from)
        return SERVICE_REFUSE_VALUE(
            c, "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification");
    return 0;
}

/* The table that TableArn names. Its region is not looked at: the name counts, in the region that was asked. */
static int find_table(ServiceCall *c, ServiceTable **ret) {
    const char *s = service_json_get_string(c->input, "TableArn");
    ServiceArn arn;
    if (!text_starts_with(s, "arn:") || service_arn_parse(s, &arn) < 0 || strcmp(arn.service, "dynamodb") != 0)
        return SERVICE_REFUSE_VALUE(c, "One or more parameter values were invalid: tableArn is not a valid ARN");
    if (arn.kind[0])
        return SERVICE_REFUSE_VALUE(c, "Invalid Request: Table ARN is invalid.");
    if (strcmp(arn.account, c->service->settings.account) != 0 ||
        strcmp(arn.partition, service_region_partition(c->region)) != 0)
        return service_refuse(c, "AccessDeniedException", "Access is denied");
    ServiceTable *t = NULL;
    if (strcmp(arn.region, c->region) == 0 && service_find_protected_table(c, arn.table, &t) >= 0) {
        *ret = t;
        return 0;
    }
    text_clear(&c->message);
    return service_refuse(c, "TableNotFoundException", "Table not found: %s", s);
}

/* What a token is bound to: every parameter but the token, as sent. */
static int make_fingerprint(const ServiceCall *c, char **ret) {
    static const char *const names[] = {"TableArn",       "ExportTime",    "S3Bucket",      "S3BucketOwner",
                                        "S3Prefix",       "S3SseAlgorithm", "S3SseKmsKeyId", "ExportFormat",
                                        "ExportType",     "IncrementalExportSpecification", "FilterSpecification"};
    AUTO_TEXT t = TEXT_INIT(1u << 16);
    service_json_open(&t, NULL, '{');
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        service_json_add_value(&t, names[i], service_json_get(c->input, names[i]));
    service_json_close(&t, '}');
    return text_take(&t, ret);
}

static ServiceExport *find_token(const ServiceCall *c, const char *token) {
    const Service *s = c->service;
    for (size_t i = s->n_exports; i-- > 0;) {
        ServiceExport *e = s->exports[i];
        if (c->now_wall >= e->token_wall + TOKEN_USEC) /* those before it are older */
            break;
        if (strcmp(e->token, token) == 0 && strcmp(e->region, c->region) == 0)
            return e;
    }
    return NULL;
}

#define REFUSE_TIME(c, ...) service_refuse(c, "InvalidExportTimeException", __VA_ARGS__)

static int check_full(ServiceCall *c, const ServiceTable *t, Order *o) {
    if (t->pitr_wall == USEC_INFINITY)
        return service_refuse(c, "PointInTimeRecoveryUnavailableException",
                              "Point in time recovery is not enabled for table '%s'", t->name);
    o->time_wall = c->now_wall - c->now_wall % USEC_PER_MSEC;
    if (!o->time)
        return 0;
    (void)service_json_to_wall(o->time, &o->time_wall);
    Usec earliest = service_earliest_wall(t, c->now_wall); /* shown in whole seconds, so that one counts */
    if (o->time_wall > c->now_wall || o->time_wall < earliest - earliest % USEC_PER_SEC)
        return REFUSE_TIME(c, "Export Time is invalid");
    if (o->time_wall > service_latest_wall(t, c->now_wall) && c->now_wall < t->pitr_wall + YOUNG_USEC)
        return REFUSE_TIME(c, "Point in Time Recovery is not available for specified export time");
    return 0;
}

static int check_incremental(ServiceCall *c, const ServiceTable *t, Order *o) {
    char said[DATE_ISO_SIZE];
    o->to_wall = c->now_wall - c->now_wall % USEC_PER_SEC;
    (void)service_json_to_wall(o->from, &o->from_wall);
    if (o->to)
        (void)service_json_to_wall(o->to, &o->to_wall);
    /* the same words for a table without recovery */
    Usec earliest = t->pitr_wall == USEC_INFINITY ? USEC_INFINITY : service_earliest_wall(t, c->now_wall);
    if (earliest == USEC_INFINITY || o->from_wall < earliest - earliest % USEC_PER_SEC)
        return REFUSE_TIME(c, "Incremental export period from time cannot be less than the table creation time : %s",
                           date_to_iso(o->from_wall, said));
    if (o->to_wall > c->now_wall)
        return REFUSE_TIME(c, "Incremental export period to time cannot be greater than the current time : %s",
                           date_to_iso(o->to_wall, said));
    if (o->to_wall - o->from_wall < MIN_WINDOW_USEC)
        return REFUSE_TIME(
            c, "Difference between export period from time and export period to time is less than 15 minutes");
    if (o->to_wall - o->from_wall > MAX_WINDOW_USEC)
        return REFUSE_TIME(
            c, "Difference between export period from time and export period to time is greater than 24 hours");
    return 0;
}

static int check_room(ServiceCall *c, const ServiceTable *t) {
    int64_t n = 0, bytes = t->size_bytes;
    for (size_t i = 0; i < c->service->n_exports; i++) {
        const ServiceExport *e = c->service->exports[i];
        if (c->now_wall < e->end_wall && strcmp(e->region, c->region) == 0) {
            n++;
            bytes = usec_add(bytes, e->table_bytes);
        }
    }
    return n < MAX_CONCURRENT && bytes <= MAX_CONCURRENT_BYTES
               ? 0
               : service_refuse(c, "LimitExceededException",
                                "Subscriber limit exceeded: Too many exports, or too many bytes, are in progress");
}

/* The members of the description that say what was asked, with the service's defaults. */
static int make_echo(const Order *o, const ServiceTable *t, const ServiceCall *c, char **ret) {
    AUTO_TEXT s = TEXT_INIT(1u << 16);
    service_json_open(&s, NULL, '{');
    service_json_add_string(&s, "DestinationType", "S3");
    service_json_add_string(&s, "ExportFormat", o->format ? o->format : "DYNAMODB_JSON");
    if (!o->is_incremental)
        service_json_add_wall(&s, "ExportTime", o->time_wall);
    service_json_add_string(&s, "ExportType", o->type);
    service_json_add_value(&s, "FilterSpecification", o->filter);
    if (o->is_incremental) {
        service_json_open(&s, "IncrementalExportSpecification", '{');
        service_json_add_wall(&s, "ExportFromTime", o->from_wall);
        service_json_add_wall(&s, "ExportToTime", o->to_wall);
        service_json_add_string(&s, "ExportViewType", o->view ? o->view : "NEW_AND_OLD_IMAGES");
        service_json_close(&s, '}');
    }
    service_json_add_string(&s, "S3Bucket", o->bucket);
    service_json_add_string(&s, "S3BucketOwner", o->owner);
    service_json_add_string(&s, "S3Prefix", o->prefix);
    service_json_add_string(&s, "S3SseAlgorithm", o->algorithm ? o->algorithm : "AES256");
    service_json_add_string(&s, "S3SseKmsKeyId", o->key_id);
    service_add_table_arn(&s, c, "TableArn", t->name);
    service_json_add_string(&s, "TableId", t->id);
    service_json_close(&s, '}');
    return text_take(&s, ret);
}

static int fail(ServiceExport *e, const char *code, const char *message) {
    int rc = text_set(&e->failure_code, code);
    return rc < 0 ? rc : text_set(&e->failure_message, message);
}

/* Will its bucket let it write? */
static int check_bucket(ServiceCall *c, ServiceExport *e, const Order *o) {
    const ServiceS3Bucket *b = service_s3_bucket(c->service, o->bucket);
    const char *owner = o->owner ? o->owner : c->service->settings.account;
    if (!c->service->only_known_buckets)
        return 0;
    if (!b)
        return fail(e, "S3NoSuchBucket",
                    "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: "
                    "NoSuchBucket; Request ID: EMULATOR; S3 Extended Request ID: emulator; Proxy: null)");
    if (strcmp(b->owner, owner) != 0)
        return fail(e, "S3AccessDenied",
                    "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: "
                    "EMULATOR; S3 Extended Request ID: emulator; Proxy: null)");
    return 0;
}

/* A key is looked for where the bucket is. */
static int check_key(ServiceCall *c, ServiceExport *e, const Order *o) {
    const ServiceS3Bucket *b = service_s3_bucket(c->service, o->bucket);
    AUTO_TEXT why = TEXT_INIT(4096);
    if (!o->key_id || e->failure_code)
        return 0;
    const char *code = service_key_failure(c, b ? b->region : c->region, o->key_id, &why);
    return code ? fail(e, code, text_get(&why)) : 0;
}

static int set_ending(ServiceCall *c, ServiceExport *e, const ServiceTable *t, const Order *o) {
    const ServiceFault *rule = c->fault.rule;
    e->n_items = service_export_count(e);
    e->billed_bytes = e->is_incremental ? MIN_BILLED_INCREMENTAL : t->size_bytes;
    e->table_bytes = t->size_bytes;
    e->end_wall = usec_add(e->start_wall, c->service->settings.export_usec);
    e->visible_wall = usec_add(c->now_wall, c->fault.lag_usec);
    if (rule && rule->action == SERVICE_FAULT_HOLD_EXPORT)
        e->end_wall = usec_add(e->start_wall, rule->usec);
    if (rule && rule->action == SERVICE_FAULT_FAIL_EXPORT)
        return fail(e, rule->word, rule->message ? rule->message : rule->word);
    int rc = check_bucket(c, e, o);
    return rc < 0 ? rc : check_key(c, e, o);
}

/* What it holds is settled now: what a table had before an instant does not change any more. */
static int set_content(const ServiceCall *c, ServiceExport *e, ServiceTable *t, const Order *o) {
    e->time_wall = o->time_wall;
    e->from_wall = o->from_wall;
    e->until_wall = e->is_incremental ? o->to_wall : usec_min(o->time_wall + USEC_PER_MSEC, c->now_wall + 1);
    e->new_images_only = text_equal(o->view, "NEW_IMAGE");
    e->is_ion = text_equal(o->format, "ION");
    e->is_kms = text_equal(o->algorithm, "KMS");
    e->items = service_items_share(t->items);
    e->items->frozen_wall = usec_max(e->items->frozen_wall, usec_max(c->now_wall, e->until_wall));
    int rc = text_set(&e->bucket, o->bucket);
    if (rc >= 0)
        rc = text_set(&e->prefix, o->prefix);
    if (rc >= 0)
        rc = text_set(&e->kms_key, o->key_id);
    return rc < 0 ? rc : service_make_items(e->items);
}

static int insert(ServiceCall *c, ServiceTable *t, const Order *o, char **fingerprint, ServiceExport **ret) {
    Service *s = c->service;
    char uuid[SERVICE_UUID_SIZE];
    CLEANUP(service_export_free_ptr) ServiceExport *e = calloc(1, sizeof *e);
    if (!e)
        return -ENOMEM;
    Usec unit = o->is_incremental ? USEC_PER_SEC : USEC_PER_MSEC;
    e->is_incremental = o->is_incremental;
    e->start_wall = c->now_wall - c->now_wall % unit;
    e->token_wall = c->now_wall;
    service_make_id(s, e->start_wall, e->id);
    service_make_uuid(s, uuid);
    memcpy(e->table_id, t->id, sizeof e->table_id);
    e->region = strdup(c->region);
    e->table = strdup(t->name);
    e->token = strdup(o->token ? o->token : uuid);
    int rc = e->region && e->table && e->token ? make_echo(o, t, c, &e->echo) : -ENOMEM;
    if (rc >= 0)
        rc = set_content(c, e, t, o);
    if (rc >= 0)
        rc = set_ending(c, e, t, o);
    if (rc >= 0)
        rc = ARRAY_GROW(s->exports, s->n_exports, s->n_exports_room);
    if (rc < 0)
        return rc;
    e->fingerprint = TAKE_PTR(*fingerprint);
    *ret = s->exports[s->n_exports++] = TAKE_PTR(e);
    return 0;
}

void service_export_add_arn(const ServiceCall *c, const ServiceExport *e, const char *name) {
    AUTO_TEXT arn = TEXT_INIT(2000);
    service_arn_add(&arn, e->region, c->service->settings.account, e->table, "export", e->id);
    service_json_add_string(c->out, name, text_get(&arn));
}

/* The outcome of an export that has ended. */
static void add_ending(const ServiceCall *c, const ServiceExport *e) {
    service_json_add_wall(c->out, "EndTime", e->end_wall);
    if (e->failure_code) {
        service_json_add_string(c->out, "FailureCode", e->failure_code);
        service_json_add_string(c->out, "FailureMessage", e->failure_message);
        return;
    }
    AUTO_TEXT key = TEXT_INIT(4000);
    service_export_add_key(&key, e, "manifest-summary.json");
    service_json_add_int(c->out, "BilledSizeBytes", e->billed_bytes);
    service_json_add_string(c->out, "ExportManifest", text_get(&key));
    service_json_add_int(c->out, "ItemCount", e->n_items);
}

static int describe(ServiceCall *c, const ServiceExport *e) {
    const char *status = service_export_status(e, c->now_wall);
    CLEANUP(service_json_free_ptr) ServiceJson *echo = NULL;
    int rc = service_json_parse(e->echo, strlen(e->echo), &echo);
    if (rc < 0)
        return rc;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "ExportDescription", '{');
    service_json_add_string(c->out, "ClientToken", e->token);
    service_export_add_arn(c, e, "ExportArn");
    service_json_add_string(c->out, "ExportStatus", status);
    service_json_add_wall(c->out, "StartTime", e->start_wall);
    if (strcmp(status, "IN_PROGRESS") != 0)
        add_ending(c, e);
    for (const ServiceJson *m = echo->first; m; m = m->next)
        service_json_add_value(c->out, m->name, m);
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
    return 0;
}

int service_export_table(ServiceCall *c) {
    AUTO_FREE char *fingerprint = NULL;
    ServiceTable *t = NULL;
    ServiceExport *e;
    Order o;
    int rc = order_parse(c, &o);
    if (rc >= 0)
        rc = find_table(c, &t);
    if (rc >= 0)
        rc = make_fingerprint(c, &fingerprint);
    if (rc < 0)
        return rc;
    e = o.token ? find_token(c, o.token) : NULL;
    if (e && strcmp(e->fingerprint, fingerprint) != 0)
        return service_refuse(c, "ExportConflictException",
                              "Export conflict: Duplicate request detected with conflicting parameters");
    if (e)
        return describe(c, e);
    rc = o.is_incremental ? check_incremental(c, t, &o) : check_full(c, t, &o);
    if (rc >= 0)
        rc = check_room(c, t);
    if (rc >= 0)
        rc = insert(c, t, &o, &fingerprint, &e);
    if (rc < 0)
        return rc;
    c->effect = true;
    return describe(c, e);
}

int service_describe_export(ServiceCall *c) {
    const char *s = service_json_get_string(c->input, "ExportArn");
    ServiceArn arn;
    if (service_arn_parse(s, &arn) < 0 || strcmp(arn.kind, "export") != 0)
        return SERVICE_REFUSE_VALUE(c, "Invalid Export ARN");
    if (strcmp(arn.account, c->service->settings.account) != 0 || strcmp(arn.service, "dynamodb") != 0 ||
        strcmp(arn.partition, service_region_partition(c->region)) != 0)
        return service_refuse(c, "AccessDeniedException", "Access is denied");
    if (strcmp(arn.region, c->region) != 0)
        return service_refuse(c, "ExportNotFoundException", "Export not found: Invalid export arn");
    for (size_t i = c->service->n_exports; i-- > 0;) {
        const ServiceExport *e = c->service->exports[i];
        if (strcmp(e->id, arn.id) == 0 && strcmp(e->table, arn.table) == 0 && strcmp(e->region, c->region) == 0)
            return describe(c, e);
    }
    return service_refuse(c, "ExportNotFoundException", "Export not found: Export not found: %s", s);
}
