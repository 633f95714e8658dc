#include "sim/service_s3.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "sim/service_auth.h"
#include "sim/service_export_files.h"
#include "sim/service_mangle.h"
#include "sim/service_xml.h"

#define MAX_REPLY (INT64_C(8) << 30)
#define MAX_TEXT (1u << 20)

typedef enum Scope { SCOPE_SERVICE, SCOPE_NEW_BUCKET, SCOPE_BUCKET, SCOPE_OBJECT } Scope;

/* The first row that fits. A subresource is a parameter that must be there. */
static const struct {
    const char *name, *method;
    Scope scope;
    const char *subresource;
    ServiceS3Operation *run;
} operations[] = {
    {"ListBuckets", "GET", SCOPE_SERVICE, NULL, service_s3_list_buckets},
    {"CreateBucket", "PUT", SCOPE_NEW_BUCKET, NULL, service_s3_create_bucket},
    {"HeadBucket", "HEAD", SCOPE_BUCKET, NULL, service_s3_head_bucket},
    {"GetBucketLocation", "GET", SCOPE_BUCKET, "location", service_s3_get_location},
    {"GetBucketVersioning", "GET", SCOPE_BUCKET, "versioning", service_s3_get_versioning},
    {"GetBucketEncryption", "GET", SCOPE_BUCKET, "encryption", service_s3_get_encryption},
    {"GetBucketLifecycleConfiguration", "GET", SCOPE_BUCKET, "lifecycle", service_s3_get_lifecycle},
    {"ListObjectsV2", "GET", SCOPE_BUCKET, "list-type", service_s3_list_objects},
    {"GetObject", "GET", SCOPE_OBJECT, NULL, service_s3_get_object},
    {"HeadObject", "HEAD", SCOPE_OBJECT, NULL, service_s3_head_object},
    {"PutObject", "PUT", SCOPE_OBJECT, NULL, service_s3_put_object},
    {"DeleteObject", "DELETE", SCOPE_OBJECT, NULL, service_s3_delete_object},
};

static const struct {
    const char *code;
    int status;
    const char *message;
} errors[] = {
    {"AccessDenied", 403, "Access Denied"},
    {"AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid."},
    {"BadDigest", 400, "The Content-MD5 or checksum value that you specified did not match what the server received."},
    {"BucketAlreadyExists", 409,
     "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please "
     "select a different name and try again."},
    {"BucketAlreadyOwnedByYou", 409,
     "Your previous request to create the named bucket succeeded and you already own it."},
    {"ConditionalRequestConflict", 409, "The conditional request cannot succeed due to a conflicting operation."},
    {"ExpiredToken", 400, "The provided token has expired."},
    {"InternalError", 500, "We encountered an internal error. Please try again."},
    {"InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."},
    {"InvalidArgument", 400, "Invalid Argument"},
    {"InvalidBucketName", 400, "The specified bucket is not valid."},
    {"InvalidRange", 416, "The requested range is not satisfiable"},
    {"InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"},
    {"InvalidURI", 400, "Couldn't parse the specified URI."},
    {"KeyTooLongError", 400, "Your key is too long"},
    {"MethodNotAllowed", 405, "The specified method is not allowed against this resource."},
    {"NoSuchBucket", 404, "The specified bucket does not exist"},
    {"NoSuchKey", 404, "The specified key does not exist."},
    {"NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist"},
    {"NotImplemented", 501, "A header or parameter you provided implies functionality that is not implemented"},
    {"PermanentRedirect", 301,
     "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future "
     "requests to this endpoint."},
    {"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold"},
    {"RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large."},
    {"ServiceUnavailable", 503, "Service is unable to handle request."},
    {"SignatureDoesNotMatch", 403,
     "The request signature we calculated does not match the signature you provided. Check your key and signing "
     "method."},
    {"SlowDown", 503, "Please reduce your request rate."},
    {"TemporaryRedirect", 307, "Please re-send this request to the specified temporary endpoint."},
    {"XAmzContentSHA256Mismatch", 400,
     "The provided 'x-amz-content-sha256' header does not match what was computed."},
};

int service_s3_refuse(ServiceS3Call *c, const char *code, const char *message) {
    c->code = code;
    text_clear(&c->message);
    int rc = text_add(&c->message, message ? message : "");
    return rc < 0 ? rc : -EINVAL;
}

void service_s3_add_header(ServiceS3Call *c, const char *name, const char *value) {
    text_add_bytes(&c->headers, name, strlen(name) + 1);
    text_add_bytes(&c->headers, value, strlen(value) + 1);
}

/* ---- replies ---- */

static void put_header(ServiceReply *r, const char *name, const char *value) {
    if (r->n_headers < SERVICE_MAX_HEADERS)
        r->headers[r->n_headers++] = (ServiceHeader){name, value};
}

/* The headers that an operation gave; the reply owns them from here on. */
static void put_headers(ServiceS3Call *c) {
    ServiceReply *r = c->reply;
    size_t n = c->headers.len;
    if (n == 0 || text_take(&c->headers, &r->more_headers) < 0)
        return;
    for (const char *at = r->more_headers, *end = at + n; at < end;) {
        const char *value = at + strlen(at) + 1;
        put_header(r, at, value);
        at = value + strlen(value) + 1;
    }
}

static void finish(ServiceS3Call *c) {
    ServiceReply *r = c->reply;
    r->is_head = strcmp(c->request->method, "HEAD") == 0;
    date_to_http(c->now_wall, r->date);
    put_header(r, "Server", "AmazonS3");
    put_header(r, "Date", r->date);
    put_header(r, "x-amz-request-id", r->request_id);
    put_headers(c);
    if (r->is_head)
        text_clear(&r->body);
    if (r->ending == SERVICE_CLOSED)
        r->status = 0;
}

/* Replaces whatever was answered so far. Status and message are the usual ones of the code if they are left out. */
static void put_error(ServiceS3Call *c, const char *code, int status, const char *message) {
    ServiceReply *r = c->reply;
    int usual_status = 400;
    const char *usual_message = "Injected by the fault script";
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        if (strcmp(errors[i].code, code) == 0) {
            usual_status = errors[i].status;
            usual_message = errors[i].message;
        }
    r->status = status ? status : usual_status;
    r->head_len = 0;
    snprintf(r->code, sizeof r->code, "%s", code);
    text_clear(&r->body);
    text_clear(&c->headers);
    if (c->bucket)
        service_s3_add_header(c, "x-amz-bucket-region", c->bucket->region);
    service_s3_add_header(c, "Content-Type", "application/xml");
    if (r->status == 304)
        return;
    text_add(&r->body, SERVICE_XML_HEAD "<Error>");
    service_xml_add(&r->body, "Code", code);
    service_xml_add(&r->body, "Message", message && *message ? message : usual_message);
    text_add(&r->body, text_get(&c->details));
    service_xml_add(&r->body, "RequestId", r->request_id);
    service_xml_add(&r->body, "HostId", "emulator");
    text_add(&r->body, "</Error>");
}

/* ---- who asks, and where ---- */

static int refuse_signature(ServiceS3Call *c, const char *code, const char *message) {
    static const struct {
        const char *code, *s3;
    } rows[] = {{"MissingAuthenticationTokenException", "AccessDenied"},
                {"IncompleteSignatureException", "AuthorizationHeaderMalformed"},
                {"UnrecognizedClientException", "InvalidAccessKeyId"},
                {"ExpiredTokenException", "ExpiredToken"},
                {"InternalServerError", "InternalError"}};
    char iso[DATE_ISO_SIZE];
    if (text_starts_with(message, "Signature expired") || text_starts_with(message, "Signature not yet current")) {
        service_xml_add(&c->details, "ServerTime", date_to_iso(c->now_wall - c->now_wall % USEC_PER_SEC, iso));
        service_xml_add_int(&c->details, "MaxAllowedSkewMilliseconds", SERVICE_S3_SKEW_USEC / USEC_PER_MSEC);
        return service_s3_refuse(c, "RequestTimeTooSkewed", NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].code, code) == 0)
            return service_s3_refuse(c, rows[i].s3, NULL);
    return service_s3_refuse(c, "SignatureDoesNotMatch", message);
}

static int check_payload(ServiceS3Call *c) {
    const ServiceRequest *q = c->request;
    const char *said = service_header(q, "x-amz-content-sha256");
    char hash[SERVICE_AUTH_HEX_SIZE];
    if (!said)
        return service_s3_refuse(c, "InvalidRequest", NULL);
    if (strcmp(said, "UNSIGNED-PAYLOAD") == 0)
        return 0;
    if (text_starts_with(said, "STREAMING-"))
        return service_s3_refuse(c, "NotImplemented", NULL);
    int rc = service_auth_hash(q->body ? q->body : "", q->body_len, hash);
    if (rc < 0 || strcmp(said, hash) == 0)
        return rc;
    service_xml_add(&c->details, "ClientComputedContentSHA256", said);
    service_xml_add(&c->details, "S3ComputedContentSHA256", hash);
    return service_s3_refuse(c, "XAmzContentSHA256Mismatch", NULL);
}

/* A bucket answers in its own region alone: that of the host's name, or of the signature where the name has none. */
static int check_region(ServiceS3Call *c, const char *scope_region) {
    const char *asked = c->target.region[0] ? c->target.region : scope_region;
    if (!c->bucket || !*asked)
        return 0;
    if (strcmp(asked, c->bucket->region) != 0) {
        AUTO_FREE char *endpoint = text_format("%s.s3.%s.amazonaws.com", c->bucket->name, c->bucket->region);
        service_xml_add(&c->details, "Endpoint", endpoint ? endpoint : "");
        service_xml_add(&c->details, "Bucket", c->bucket->name);
        return service_s3_refuse(c, "PermanentRedirect", NULL);
    }
    if (!*scope_region || strcmp(scope_region, c->bucket->region) == 0)
        return 0;
    AUTO_FREE char *message =
        text_format("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", scope_region,
                    c->bucket->region);
    service_xml_add(&c->details, "Region", c->bucket->region);
    return service_s3_refuse(c, "AuthorizationHeaderMalformed", message);
}

static int admit(ServiceS3Call *c) {
    ServiceAuthResult auth = {};
    AUTO_TEXT message = TEXT_INIT(MAX_TEXT);
    service_auth_peek(c->request, &auth);
    text_done(&auth.message);
    const char *code = service_admit(c->service, c->request, "s3", c->now_wall, c->reply, &message);
    int rc = check_region(c, auth.region);
    if (rc >= 0 && code)
        rc = refuse_signature(c, code, text_get(&message));
    return rc < 0 || c->service->settings.without_auth ? rc : check_payload(c);
}

static int check_owner(ServiceS3Call *c) {
    const char *owner = service_header(c->request, "x-amz-expected-bucket-owner");
    return owner && c->bucket && strcmp(owner, c->bucket->owner) != 0 ? service_s3_refuse(c, "AccessDenied", NULL) : 0;
}

/* ---- one request ---- */

static bool find_operation(const ServiceS3Call *c, size_t *ret) {
    const ServiceS3Target *t = &c->target;
    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        Scope scope = operations[i].scope;
        bool fits = scope == SCOPE_SERVICE  ? !t->bucket[0]
                    : scope == SCOPE_OBJECT ? t->bucket[0] && t->key[0]
                                            : t->bucket[0] && !t->key[0];
        if (fits && strcmp(operations[i].method, c->request->method) == 0 &&
            (!operations[i].subresource || service_s3_parameter(t, operations[i].subresource))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* Parameters that make another operation of it, which is not served. */
static bool is_foreign(const ServiceS3Target *t) {
    static const char *const names[] = {"acl",     "attributes", "legal-hold", "retention", "tagging", "torrent",
                                        "uploads", "uploadId",   "partNumber", "versionId", "policy",  "replication"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (service_s3_parameter(t, names[i]))
            return true;
    return false;
}

static int run(ServiceS3Call *c, size_t i) {
    int rc = admit(c);
    if (rc >= 0 && is_foreign(&c->target))
        rc = service_s3_refuse(c, "NotImplemented", NULL);
    if (rc >= 0 && !c->bucket && operations[i].scope >= SCOPE_BUCKET) {
        service_xml_add(&c->details, "BucketName", c->target.bucket);
        rc = service_s3_refuse(c, "NoSuchBucket", NULL);
    }
    if (rc >= 0)
        rc = check_owner(c);
    if (rc >= 0)
        rc = operations[i].run(c);
    return rc >= 0 ? c->reply->body.error : rc;
}

static void put_outcome(ServiceS3Call *c, int rc) {
    if (rc < 0 && c->code)
        put_error(c, c->code, 0, text_get(&c->message));
    else if (rc < 0)
        put_error(c, "InternalError", 0, "The emulator ran out of memory or room");
}

/* With what the fault script has for it. */
static void serve(ServiceS3Call *c, size_t i) {
    ServiceReply *r = c->reply;
    c->fault = service_faults_take(&c->service->faults, r->operation, r->table);
    const ServiceFault *rule = c->fault.rule;
    ServiceFaultAction action = rule ? rule->action : SERVICE_FAULT_NONE;
    bool wrong_crc = false, html = false;
    r->delay_usec = c->fault.delay_usec;
    snprintf(r->fault, sizeof r->fault, "%s",
             rule                     ? service_fault_to_string(action)
             : c->fault.delay_usec > 0 ? "delay"
                                      : "");
    r->status = 200;
    if (action == SERVICE_FAULT_DROP_BEFORE) {
        r->ending = SERVICE_CLOSED;
        return;
    }
    if (action != SERVICE_FAULT_ERROR)
        put_outcome(c, run(c, i));
    if (action == SERVICE_FAULT_ERROR || action == SERVICE_FAULT_ERROR_AFTER)
        put_error(c, rule->word, rule->status, rule->message);
    else if (rule && service_mangle(r, rule, &wrong_crc, &html) < 0)
        put_error(c, "InternalError", 0, "The emulator ran out of memory or room");
}

/* True: it is to be handed in again. */
static bool is_late(ServiceS3Call *c) {
    ServiceReply *r = c->reply;
    r->delay_usec = c->request->held ? 0 : service_faults_take_late(&c->service->faults, r->operation, r->table);
    if (r->delay_usec > 0)
        r->ending = SERVICE_LATER;
    return r->delay_usec > 0;
}

static void handle(ServiceS3Call *c) {
    ServiceReply *r = c->reply;
    size_t i;
    int rc = service_s3_target_parse(c->request, &c->target);
    if (rc < 0) {
        put_outcome(c, rc == -EINVAL ? service_s3_refuse(c, "InvalidURI", NULL) : rc);
        return;
    }
    if ((rc = service_publish_exports(c->service, c->now_wall)) < 0) {
        put_outcome(c, rc);
        return;
    }
    c->bucket = c->target.bucket[0] ? service_s3_bucket(c->service, c->target.bucket) : NULL;
    AUTO_FREE char *whole = text_format("%s%s%s", c->target.bucket, c->target.key[0] ? "/" : "", c->target.key);
    snprintf(r->table, sizeof r->table, "%.255s", whole ? whole : "");
    if (!find_operation(c, &i)) {
        put_outcome(c, service_s3_refuse(c, c->target.bucket[0] ? "NotImplemented" : "MethodNotAllowed", NULL));
        return;
    }
    snprintf(r->operation, sizeof r->operation, "%s", operations[i].name);
    if (!is_late(c))
        serve(c, i);
}

bool service_s3_is_meant(const ServiceRequest *q) {
    ServiceAuthResult auth;
    service_auth_peek(q, &auth);
    text_done(&auth.message);
    if (service_header(q, "X-Amz-Target")) /* for DynamoDB, whatever it is signed for */
        return false;
    if (auth.service[0])
        return strcmp(auth.service, "s3") == 0;
    return strcmp(q->method, "POST") != 0 && strcmp(q->target, "/") != 0;
}

void service_s3_handle(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *ret) {
    *ret = (ServiceReply){.body = TEXT_INIT(MAX_REPLY)};
    snprintf(ret->request_id, sizeof ret->request_id, "%016" PRIX64, service_random(s));
    ServiceS3Call c = {.service = s,
                       .now_wall = now_wall,
                       .request = q,
                       .reply = ret,
                       .headers = TEXT_INIT(MAX_TEXT),
                       .message = TEXT_INIT(MAX_TEXT),
                       .details = TEXT_INIT(MAX_TEXT)};
    handle(&c);
    if (ret->ending != SERVICE_LATER)
        finish(&c);
    service_s3_target_done(&c.target);
    text_done(&c.headers);
    text_done(&c.message);
    text_done(&c.details);
}
