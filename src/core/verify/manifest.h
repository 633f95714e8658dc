#pragma once
/* What an export says of itself in its bucket: manifest-summary.json, and one line of manifest-files.json for each data
 * object. Beside each stands its MD5, in base64, under .md5 (or .checksum, as documentation has it). Observed of the
 * service; DynamoDB developer guide, "DynamoDB table export output format". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/aws/codec.h"
#include "core/format/digest.h"

typedef struct ManifestSummary {
    char *export_arn, *table_arn, *table_id, *bucket, *prefix; /* prefix: NULL, there is none */
    char *files_key;                                           /* of manifest-files.json, from the bucket's root */
    char *type;                                                /* NULL: a full export */
    char *view;
    Usec export_wall, from_wall, to_wall; /* WALL_UNKNOWN: not told */
    int64_t item_count, billed_bytes;
} ManifestSummary;

void manifest_summary_done(ManifestSummary *s);
/* -EBADMSG: it is none, ret_why says how; -ENOMEM. What it holds is to be released either way. */
int manifest_read_summary(const char *body, size_t len, ManifestSummary *ret, char ret_why[static CODEC_WHY_SIZE]);

/* A longer line is none. */
#define MANIFEST_LINE_MAX (64u << 10)

typedef struct ManifestFile {
    char *key; /* from the bucket's root */
    char *etag; /* NULL: not told */
    uint8_t md5[DIGEST_MD5_SIZE]; /* of the object as it is stored */
    int64_t item_count;
} ManifestFile;

void manifest_file_done(ManifestFile *f);
int manifest_read_file(const char *line, size_t len, ManifestFile *ret, char ret_why[static CODEC_WHY_SIZE]);

/* The text of an .md5 or .checksum object, with or without white space around it. -EINVAL. */
int manifest_read_md5(const char *body, size_t len, uint8_t ret[static DIGEST_MD5_SIZE]);

/* The export's own name out of its ARN, "01768385930622-efd1a093"; "" where it is no such ARN. Borrowed. */
const char *manifest_export_id(const char *export_arn);
/* May a manifest of that export name the key as one of its data objects? It lies in the export's own folder, or, for
 * incremental exports, is one of those that share a folder. */
bool manifest_may_name(const char *key, const char *prefix, const char *export_id);

/* Does the ETag that S3 tells fit the MD5? Objects are written in one part, whose ETag is "<MD5 of the MD5>-1"; a copy
 * has the MD5 itself. ETags of more parts and of objects under a KMS key tell nothing. */
typedef enum ManifestMatch { MANIFEST_MATCHES, MANIFEST_DIFFERS, MANIFEST_CANNOT_TELL } ManifestMatch;
ManifestMatch manifest_match(const ManifestFile *f, const char *etag, const char *encryption);
