#pragma once
/* manifest-files.json, read in pieces: neither it nor an object is ever in memory as a whole. All pieces are of one
 * object: each asks for the ETag of the first. */

#include "core/verify/manifest.h"

typedef struct ManifestList {
    int64_t at, size; /* of the next piece; size negative: not known yet */
    char *etag;
    Md5 *md5;
    char *lines; /* what was read and not looked at */
    size_t n_lines, at_line;
    int64_t n_files, n_items; /* of the lines that were looked at */
} ManifestList;

void manifest_list_done(ManifestList *l);
/* From its first byte on, and from whatever object is there. -ENOMEM. */
int manifest_list_begin(ManifestList *l);
/* The same object once more. */
int manifest_list_rewind(ManifestList *l);
/* Makes a GetObject of the list one of its next piece. -ENOMEM. */
int manifest_list_ask(const ManifestList *l, AwsRequest *q);
/* Is it the piece that was asked for? */
bool manifest_list_fits(const ManifestList *l, const ObjectReply *o);
/* Takes a piece. -ENOMEM. */
int manifest_list_add(ManifestList *l, const ObjectReply *o);
/* Every piece was taken. */
bool manifest_list_is_read(const ManifestList *l);
/* The object of the next line: 1; or 0, no whole line is there. -EBADMSG: the line is none,
 * ret_why says how; -ENOMEM. */
int manifest_list_next(ManifestList *l, ManifestFile *ret, char ret_why[static CODEC_WHY_SIZE]);
/* Of all that was read. Once, after the last piece. */
int manifest_list_md5(ManifestList *l, uint8_t ret[static DIGEST_MD5_SIZE]);
