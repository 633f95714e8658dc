/* What is asked of buckets: ListBuckets, CreateBucket, HeadBucket, GetBucketLocation, GetBucketVersioning,
 * GetBucketEncryption, GetBucketLifecycleConfiguration, ListObjectsV2. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"
#include "sim/service_auth.h"
#include "sim/service_s3.h"
#include "sim/service_xml.h"

#define PAGE 1000
#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static void begin_xml(ServiceS3Call *c, const char *element) {
    service_s3_add_header(c, "Content-Type", "application/xml");
    text_addf(&c->reply->body, SERVICE_XML_HEAD "<%s" NAMESPACE ">", element);
}

int service_s3_list_buckets(ServiceS3Call *c) {
    const Service *s = c->service;
    Text *t = &c->reply->body;
    char iso[DATE_ISO_SIZE];
    begin_xml(c, "ListAllMyBucketsResult");
    text_add(t, "<Owner>");
    service_xml_add(t, "ID", s->settings.account);
    text_add(t, "</Owner><Buckets>");
    for (size_t i = 0; i < s->n_s3; i++) {
        if (strcmp(s->s3[i]->owner, s->settings.account) != 0)
            continue;
        text_add(t, "<Bucket>");
        service_xml_add(t, "Name", s->s3[i]->name);
        service_xml_add(t, "CreationDate", date_to_iso(s->s3[i]->created_wall, iso));
        text_add(t, "</Bucket>");
    }
    return text_add(t, "</Buckets></ListAllMyBucketsResult>");
}

/* The region is the one that the request is signed for; a LocationConstraint in the body would have to say the same. */
int service_s3_create_bucket(ServiceS3Call *c) {
    ServiceBucketSeed seed = {.name = c->target.bucket,
                              .region = c->reply->region[0] ? c->reply->region : NULL};
    ServiceS3Bucket *b;
    if (c->bucket)
        return service_s3_refuse(c,
                                 strcmp(c->bucket->owner, c->service->settings.account) == 0 ? "BucketAlreadyOwnedByYou"
                                                                                             : "BucketAlreadyExists",
                                 NULL);
    int rc = service_s3_make_bucket(c->service, &seed, c->now_wall, &b);
    if (rc == -EINVAL)
        return service_s3_refuse(c, "InvalidBucketName", NULL);
    if (rc < 0)
        return rc;
    AUTO_FREE char *location = text_format("/%s", b->name);
    if (!location)
        return -ENOMEM;
    service_s3_add_header(c, "Location", location);
    c->reply->effect = true;
    return 0;
}

int service_s3_head_bucket(ServiceS3Call *c) {
    service_s3_add_header(c, "x-amz-bucket-region", c->bucket->region);
    service_s3_add_header(c, "Content-Type", "application/xml");
    return 0;
}

/* An empty element is us-east-1. */
int service_s3_get_location(ServiceS3Call *c) {
    bool is_first = strcmp(c->bucket->region, "us-east-1") == 0;
    begin_xml(c, "LocationConstraint");
    return text_addf(&c->reply->body, "%s</LocationConstraint>", is_first ? "" : c->bucket->region);
}

int service_s3_get_versioning(ServiceS3Call *c) {
    begin_xml(c, "VersioningConfiguration");
    service_xml_add(&c->reply->body, "Status", c->bucket->versioned ? "Enabled" : NULL);
    return text_add(&c->reply->body, "</VersioningConfiguration>");
}

/* Every bucket encrypts, with a key of S3's own where nobody said otherwise. */
int service_s3_get_encryption(ServiceS3Call *c) {
    Text *t = &c->reply->body;
    begin_xml(c, "ServerSideEncryptionConfiguration");
    text_add(t, "<Rule><ApplyServerSideEncryptionByDefault>");
    service_xml_add(t, "SSEAlgorithm", c->bucket->kms_key ? "aws:kms" : "AES256");
    service_xml_add(t, "KMSMasterKeyID", c->bucket->kms_key);
    text_add(t, "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>");
    return text_add(t, "</ServerSideEncryptionConfiguration>");
}

int service_s3_get_lifecycle(ServiceS3Call *c) {
    Text *t = &c->reply->body;
    if (c->bucket->expire_days == 0)
        return service_s3_refuse(c, "NoSuchLifecycleConfiguration", NULL);
    begin_xml(c, "LifecycleConfiguration");
    text_add(t, "<Rule>");
    service_xml_add(t, "ID", "expire");
    text_add(t, "<Filter><Prefix></Prefix></Filter>");
    service_xml_add(t, "Status", "Enabled");
    text_add(t, "<Expiration>");
    service_xml_add_int(t, "Days", c->bucket->expire_days);
    return text_add(t, "</Expiration></Rule></LifecycleConfiguration>");
}

/* ---- ListObjectsV2 ---- */

typedef struct Listing {
    const char *prefix, *delimiter;
    bool is_encoded; /* keys are percent-encoded */
    size_t max_keys, n_keys;
    char *after;  /* keys beyond this one; "": from the start */
    char *folder; /* the common prefix that was told last */
    Text contents, folders;
} Listing;

static void listing_done(Listing *l) {
    free(l->after);
    free(l->folder);
    text_done(&l->contents);
    text_done(&l->folders);
}

/* A token is the last key that was told, in hexadecimal. */
static int token_parse(const char *token, char **ret) {
    size_t n = strlen(token);
    AUTO_TEXT t = TEXT_INIT(n);
    if (n == 0 || n % 2 || strspn(token, "0123456789abcdef") != n)
        return -EINVAL;
    for (size_t i = 0; i < n; i += 2) {
        unsigned byte;
        if (sscanf(token + i, "%2x", &byte) != 1 || byte == 0)
            return -EINVAL;
        text_add_char(&t, (char)byte);
    }
    return text_take(&t, ret);
}

static int listing_parse(ServiceS3Call *c, Listing *l) {
    const ServiceS3Target *t = &c->target;
    const char *prefix = service_s3_parameter(t, "prefix"), *delimiter = service_s3_parameter(t, "delimiter");
    const char *max_keys = service_s3_parameter(t, "max-keys"), *start = service_s3_parameter(t, "start-after");
    const char *token = service_s3_parameter(t, "continuation-token");
    int64_t n = PAGE;
    if (strcmp(service_s3_parameter(t, "list-type"), "2") != 0)
        return service_s3_refuse(c, "NotImplemented", NULL);
    if (max_keys && parse_int(max_keys, 0, INT32_MAX, &n) < 0)
        return service_s3_refuse(c, "InvalidArgument", "Provided max-keys not an integer or within integer range");
    l->prefix = prefix ? prefix : "";
    l->delimiter = delimiter ? delimiter : "";
    l->is_encoded = text_equal(service_s3_parameter(t, "encoding-type"), "url");
    l->max_keys = n < PAGE ? (size_t)n : PAGE;
    int rc = token ? token_parse(token, &l->after) : text_set(&l->after, start ? start : "");
    return rc == -EINVAL ? service_s3_refuse(c, "InvalidArgument", "The continuation token provided is incorrect") : rc;
}

static void add_name(const Listing *l, Text *t, const char *element, const char *name) {
    AUTO_TEXT encoded = TEXT_INIT(8192);
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/";
    for (const char *s = name; l->is_encoded && *s; s++)
        if (strchr(plain, *s))
            text_add_char(&encoded, *s);
        else
            text_addf(&encoded, "%%%02X", (unsigned)(unsigned char)*s);
    service_xml_add(t, element, l->is_encoded ? text_get(&encoded) : name);
}

static void add_object(Listing *l, const ServiceS3Object *o) {
    char iso[DATE_ISO_SIZE];
    AUTO_FREE char *etag = text_format("\"%s\"", o->etag);
    text_add(&l->contents, "<Contents>");
    add_name(l, &l->contents, "Key", o->key);
    service_xml_add(&l->contents, "LastModified", date_to_iso(o->modified_wall, iso));
    service_xml_add(&l->contents, "ETag", etag);
    service_xml_add_int(&l->contents, "Size", (long long)o->n_bytes);
    service_xml_add(&l->contents, "StorageClass", "STANDARD");
    text_add(&l->contents, "</Contents>");
}

/* The key's part up to the delimiter after the prefix, or NULL; to be freed. -ENOMEM. */
static int find_folder(const Listing *l, const char *key, char **ret) {
    const char *end = *l->delimiter ? strstr(key + strlen(l->prefix), l->delimiter) : NULL;
    *ret = end ? strndup(key, (size_t)(end - key) + strlen(l->delimiter)) : NULL;
    return end && !*ret ? -ENOMEM : 0;
}

/* Goes on with one object; 1: the page is full. `after` remembers what was told; a folder is told as a whole. */
static int listing_add(Listing *l, const ServiceS3Object *o) {
    AUTO_FREE char *folder = NULL;
    int rc = find_folder(l, o->key, &folder);
    if (rc < 0)
        return rc;
    bool is_told = folder && (text_equal(folder, l->folder) || (text_starts_with(l->after, folder) && l->n_keys == 0));
    if (is_told)
        return text_set(&l->after, o->key);
    if (l->n_keys == l->max_keys)
        return 1;
    l->n_keys++;
    if (folder) {
        text_add(&l->folders, "<CommonPrefixes>");
        add_name(l, &l->folders, "Prefix", folder);
        text_add(&l->folders, "</CommonPrefixes>");
        free(l->folder);
        l->folder = TAKE_PTR(folder);
    } else
        add_object(l, o);
    return text_set(&l->after, o->key);
}

static int collect(ServiceS3Call *c, Listing *l, bool *ret_more) {
    const ServiceS3Bucket *b = c->bucket;
    const char *from = strcmp(l->after, l->prefix) > 0 ? l->after : l->prefix;
    *ret_more = false;
    for (size_t i = service_s3_lower_bound(b, from); i < b->n_objects && l->max_keys > 0; i++) {
        const ServiceS3Object *o = b->objects[i];
        if (!text_starts_with(o->key, l->prefix))
            break;
        if (strcmp(o->key, l->after) == 0 || service_s3_is_expired(b, o, c->now_wall))
            continue;
        int rc = listing_add(l, o);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            *ret_more = true;
            break;
        }
    }
    return 0;
}

static int write_listing(ServiceS3Call *c, const Listing *l, bool more) {
    Text *t = &c->reply->body;
    begin_xml(c, "ListBucketResult");
    service_xml_add(t, "Name", c->bucket->name);
    add_name(l, t, "Prefix", l->prefix);
    if (*l->delimiter)
        add_name(l, t, "Delimiter", l->delimiter);
    service_xml_add_int(t, "KeyCount", (long long)l->n_keys);
    service_xml_add_int(t, "MaxKeys", (long long)l->max_keys);
    service_xml_add(t, "EncodingType", l->is_encoded ? "url" : NULL);
    service_xml_add(t, "ContinuationToken", service_s3_parameter(&c->target, "continuation-token"));
    service_xml_add(t, "IsTruncated", more ? "true" : "false");
    if (more) {
        text_add(t, "<NextContinuationToken>");
        for (const char *s = l->after; *s; s++)
            text_addf(t, "%02x", (unsigned)(unsigned char)*s);
        text_add(t, "</NextContinuationToken>");
    }
    text_add(t, text_get(&l->contents));
    text_add(t, text_get(&l->folders));
    text_add(t, "</ListBucketResult>");
    return l->contents.error ? l->contents.error : l->folders.error;
}

int service_s3_list_objects(ServiceS3Call *c) {
    CLEANUP(listing_done) Listing l = {.contents = TEXT_INIT(8u << 20), .folders = TEXT_INIT(8u << 20)};
    bool more = false;
    int rc = listing_parse(c, &l);
    if (rc >= 0)
        rc = collect(c, &l, &more);
    return rc < 0 ? rc : write_listing(c, &l, more);
}
