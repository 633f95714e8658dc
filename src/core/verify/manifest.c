#include "core/verify/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/text.h"
#include "core/aws/codec_reader.h"

void manifest_summary_done(ManifestSummary *s) {
    free(s->export_arn);
    free(s->table_arn);
    free(s->table_id);
    free(s->bucket);
    free(s->prefix);
    free(s->files_key);
    free(s->type);
    free(s->view);
    *s = (ManifestSummary){};
}

void manifest_file_done(ManifestFile *f) {
    free(f->key);
    free(f->etag);
    *f = (ManifestFile){};
}

#define SUMMARY(member) offsetof(ManifestSummary, member)

static const Field summary_fields[] = {
    {"exportArn", FIELD_STRING, true, SUMMARY(export_arn)},
    {"tableArn", FIELD_STRING, true, SUMMARY(table_arn)},
    {"tableId", FIELD_STRING, true, SUMMARY(table_id)},
    {"s3Bucket", FIELD_STRING, true, SUMMARY(bucket)},
    {"s3Prefix", FIELD_STRING, false, SUMMARY(prefix)},
    {"manifestFilesS3Key", FIELD_STRING, true, SUMMARY(files_key)},
    {"exportType", FIELD_STRING, false, SUMMARY(type)},
    {"outputView", FIELD_STRING, false, SUMMARY(view)},
    {"itemCount", FIELD_COUNT, true, SUMMARY(item_count)},
    {"billedSizeBytes", FIELD_COUNT, false, SUMMARY(billed_bytes)},
};

static int read_instant(Reader *r, const struct cJSON *root, const char *name, Usec *ret) {
    AUTO_FREE char *text = NULL;
    *ret = WALL_UNKNOWN;
    int rc = reader_field(r, root, &(Field){name, FIELD_STRING, false, 0}, &text);
    if (rc < 0 || !text)
        return rc;
    return date_from_iso(text, ret) < 0 ? reader_bad(r, name, "is no date") : 0;
}

static int read_summary(Reader *r, const struct cJSON *root, void *to) {
    ManifestSummary *s = to;
    int rc = reader_fields(r, root, summary_fields, ARRAY_SIZE(summary_fields), s);
    if (rc < 0 || (rc = read_instant(r, root, "exportTime", &s->export_wall)) < 0 ||
        (rc = read_instant(r, root, "exportFromTime", &s->from_wall)) < 0)
        return rc;
    return read_instant(r, root, "exportToTime", &s->to_wall);
}

int manifest_read_summary(const char *body, size_t len, ManifestSummary *ret, char ret_why[static CODEC_WHY_SIZE]) {
    *ret = (ManifestSummary){.item_count = COUNT_UNKNOWN, .billed_bytes = COUNT_UNKNOWN};
    return codec_read_object(body, len, read_summary, ret, ret_why);
}

static int read_file(Reader *r, const struct cJSON *root, void *to) {
    static const Field fields[] = {
        {"dataFileS3Key", FIELD_STRING, true, offsetof(ManifestFile, key)},
        {"etag", FIELD_STRING, false, offsetof(ManifestFile, etag)},
        {"itemCount", FIELD_COUNT, true, offsetof(ManifestFile, item_count)},
    };
    ManifestFile *f = to;
    AUTO_FREE char *md5 = NULL;
    int rc = reader_fields(r, root, fields, ARRAY_SIZE(fields), f);
    if (rc >= 0)
        rc = reader_field(r, root, &(Field){"md5Checksum", FIELD_STRING, true, 0}, &md5);
    if (rc < 0)
        return rc;
    return base64_decode(md5, f->md5, sizeof f->md5) < 0 ? reader_bad(r, "md5Checksum", "is no MD5 in base64") : 0;
}

int manifest_read_file(const char *line, size_t len, ManifestFile *ret, char ret_why[static CODEC_WHY_SIZE]) {
    *ret = (ManifestFile){};
    return codec_read_object(line, len, read_file, ret, ret_why);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

int manifest_read_md5(const char *body, size_t len, uint8_t ret[static DIGEST_MD5_SIZE]) {
    char text[BASE64_SIZE(DIGEST_MD5_SIZE)];
    while (len > 0 && is_space(body[len - 1]))
        len--;
    for (; len > 0 && is_space(*body); len--)
        body++;
    if (len != sizeof text - 1)
        return -EINVAL;
    memcpy(text, body, len);
    text[len] = '\0';
    return base64_decode(text, ret, DIGEST_MD5_SIZE);
}

const char *manifest_export_id(const char *export_arn) {
    const char *at = strstr(export_arn, "/export/");
    return at && !strchr(at + 8, '/') ? at + 8 : "";
}

/* "<26 of a-z2-7>.json.gz" */
static bool is_data_name(const char *name) {
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz234567");
    return n == 26 && (strcmp(name + n, ".json.gz") == 0 || strcmp(name + n, ".ion.gz") == 0);
}

bool manifest_may_name(const char *key, const char *prefix, const char *export_id) {
    size_t n = prefix ? strlen(prefix) : 0;
    if (n > 0) {
        if (strncmp(key, prefix, n) != 0)
            return false;
        key += n;
        if (prefix[n - 1] != '/' && *key++ != '/')
            return false;
    }
    if (!text_starts_with(key, "AWSDynamoDB/"))
        return false;
    key += strlen("AWSDynamoDB/");
    size_t id = strlen(export_id);
    if (id > 0 && strncmp(key, export_id, id) == 0 && key[id] == '/')
        key += id + 1;
    return text_starts_with(key, "data/") && is_data_name(key + 5);
}

ManifestMatch manifest_match(const ManifestFile *f, const char *etag, const char *encryption) {
    char hex[DIGEST_MD5_HEX_SIZE], parted[DIGEST_MD5_HEX_SIZE + 2];
    uint8_t twice[DIGEST_MD5_SIZE];
    if (f->etag && etag && strcmp(f->etag, etag) == 0)
        return MANIFEST_MATCHES;
    bool plain = !encryption || strcmp(encryption, "AES256") == 0;
    const char *dash = etag ? strchr(etag, '-') : NULL;
    if (!etag || !plain || (dash && strcmp(dash, "-1") != 0) || digest_md5(f->md5, sizeof f->md5, twice) < 0)
        return MANIFEST_CANNOT_TELL;
    digest_md5_to_hex(f->md5, hex);
    digest_md5_to_hex(twice, parted);
    strcat(parted, "-1");
    return strcmp(etag, hex) == 0 || strcmp(etag, parted) == 0 ? MANIFEST_MATCHES : MANIFEST_DIFFERS;
}
