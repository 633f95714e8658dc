/* GetObject, HeadObject, PutObject, DeleteObject. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "sim/service_auth.h"
#include "sim/service_s3.h"
#include "sim/service_xml.h"

#define MAX_KEY 1024

/* The bytes that a Range header asks for; the whole where there is none, or none that can be read. */
typedef struct Range {
    size_t first, n;
    bool is_part;
} Range;

/* -ERANGE: it begins beyond the end. */
static int range_parse(const char *s, size_t size, Range *ret) {
    *ret = (Range){.n = size};
    unsigned long long first, last;
    char junk;
    if (!s || !text_starts_with(s, "bytes=") || strchr(s, ','))
        return 0;
    s += strlen("bytes=");
    if (sscanf(s, "-%llu%c", &last, &junk) == 1) {
        if (last == 0 || size == 0)
            return -ERANGE;
        size_t n = last < size ? (size_t)last : size;
        *ret = (Range){.first = size - n, .n = n, .is_part = true};
        return 0;
    }
    int n_read = sscanf(s, "%llu-%llu%c", &first, &last, &junk);
    if (n_read == 1 && strchr(s, '-') && strchr(s, '-')[1] == '\0')
        last = (unsigned long long)size - 1;
    else if (n_read != 2 || last < first)
        return 0;
    if (first >= size)
        return -ERANGE;
    size_t end = last < size ? (size_t)last + 1 : size;
    *ret = (Range){.first = (size_t)first, .n = end - (size_t)first, .is_part = true};
    return 0;
}

static bool etag_matches(const char *condition, const ServiceS3Object *o) {
    size_t n = strlen(o->etag);
    if (strcmp(condition, "*") == 0)
        return true;
    condition += condition[0] == '"';
    return strncmp(condition, o->etag, n) == 0 && (!condition[n] || condition[n] == '"');
}

static int check_conditions(ServiceS3Call *c, const ServiceS3Object *o) {
    const char *match = service_header(c->request, "If-Match"), *none = service_header(c->request, "If-None-Match");
    if (match && !etag_matches(match, o))
        return service_s3_refuse(c, "PreconditionFailed", NULL);
    if (none && etag_matches(none, o)) {
        c->reply->status = 304;
        return 1;
    }
    return 0;
}

static void add_headers(ServiceS3Call *c, const ServiceS3Object *o) {
    char modified[DATE_HTTP_SIZE], etag[SERVICE_ETAG_SIZE + 2];
    snprintf(etag, sizeof etag, "\"%s\"", o->etag);
    service_s3_add_header(c, "Last-Modified", date_to_http(o->modified_wall, modified));
    service_s3_add_header(c, "ETag", etag);
    service_s3_add_header(c, "Accept-Ranges", "bytes");
    service_s3_add_header(c, "Content-Type", o->content_type);
    service_s3_add_header(c, "x-amz-server-side-encryption", o->is_kms ? "aws:kms" : "AES256");
}

/* What GET and HEAD have in common: all but the bytes. 1: nothing more is to be said. */
static int begin_object(ServiceS3Call *c, const ServiceS3Object **ret, Range *ret_range) {
    const ServiceS3Object *o = service_s3_get(c->bucket, c->target.key, c->now_wall);
    if (!o) {
        service_xml_add(&c->details, "Key", c->target.key);
        return service_s3_refuse(c, "NoSuchKey", NULL);
    }
    int rc = check_conditions(c, o);
    if (rc != 0)
        return rc;
    if (range_parse(service_header(c->request, "Range"), o->n_bytes, ret_range) < 0) {
        service_xml_add_int(&c->details, "ActualObjectSize", (long long)o->n_bytes);
        return service_s3_refuse(c, "InvalidRange", NULL);
    }
    add_headers(c, o);
    if (ret_range->is_part) {
        AUTO_FREE char *part = text_format("bytes %zu-%zu/%zu", ret_range->first, ret_range->first + ret_range->n - 1,
                                           o->n_bytes);
        if (!part)
            return -ENOMEM;
        service_s3_add_header(c, "Content-Range", part);
        c->reply->status = 206;
    }
    *ret = o;
    return 0;
}

int service_s3_get_object(ServiceS3Call *c) {
    const ServiceS3Object *o = NULL;
    Range range;
    int rc = begin_object(c, &o, &range);
    if (rc != 0)
        return rc;
    return range.n > 0 ? text_add_bytes(&c->reply->body, o->bytes + range.first, range.n) : 0;
}

int service_s3_head_object(ServiceS3Call *c) {
    const ServiceS3Object *o = NULL;
    Range range;
    int rc = begin_object(c, &o, &range);
    if (rc == 0)
        c->reply->head_len = range.n;
    return rc;
}

static int check_put(ServiceS3Call *c) {
    const ServiceRequest *q = c->request;
    const char *none = service_header(q, "If-None-Match"), *said = service_header(q, "Content-MD5");
    const char *encoding = service_header(q, "Content-Encoding");
    char md5[SERVICE_MD5_BASE64_SIZE];
    if (strlen(c->target.key) > MAX_KEY)
        return service_s3_refuse(c, "KeyTooLongError", NULL);
    if ((none && strcmp(none, "*") != 0) || service_header(q, "If-Match") || service_header(q, "x-amz-copy-source") ||
        (encoding && strstr(encoding, "aws-chunked")))
        return service_s3_refuse(c, "NotImplemented", NULL);
    int rc = said ? service_md5_base64(q->body ? q->body : "", q->body_len, md5) : 0;
    if (rc < 0)
        return rc;
    if (said && strcmp(said, md5) != 0)
        return service_s3_refuse(c, "BadDigest", NULL);
    if (none && service_s3_get(c->bucket, c->target.key, c->now_wall)) {
        service_xml_add(&c->details, "Condition", "If-None-Match");
        return service_s3_refuse(c, "PreconditionFailed", NULL);
    }
    return 0;
}

int service_s3_put_object(ServiceS3Call *c) {
    const ServiceRequest *q = c->request;
    CLEANUP(service_s3_object_free_ptr) ServiceS3Object *o = NULL;
    char etag[SERVICE_ETAG_SIZE + 2];
    int rc = check_put(c);
    if (rc < 0)
        return rc;
    char *bytes = malloc(q->body_len + 1);
    if (!bytes)
        return -ENOMEM;
    if (q->body_len > 0)
        memcpy(bytes, q->body, q->body_len);
    rc = service_s3_object_new(c->target.key, service_header(q, "Content-Type"), bytes, q->body_len, c->now_wall,
                               &o);
    if (rc < 0)
        return rc;
    snprintf(etag, sizeof etag, "\"%s\"", o->etag);
    rc = service_s3_put(c->bucket, o);
    if (rc < 0)
        return rc;
    o = NULL;
    c->reply->effect = true;
    service_s3_add_header(c, "ETag", etag);
    service_s3_add_header(c, "x-amz-server-side-encryption", "AES256");
    return 0;
}

int service_s3_delete_object(ServiceS3Call *c) {
    c->reply->effect = service_s3_remove(c->bucket, c->target.key);
    c->reply->status = 204; /* whether there was one or not */
    return 0;
}
