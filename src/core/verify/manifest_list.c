#include "core/verify/manifest_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PIECE (1 << 20)

void manifest_list_done(ManifestList *l) {
    free(l->etag);
    md5_free(l->md5);
    free(l->lines);
    *l = (ManifestList){.size = -1};
}

int manifest_list_begin(ManifestList *l) {
    manifest_list_done(l);
    return md5_new(&l->md5);
}

int manifest_list_rewind(ManifestList *l) {
    AUTO_FREE char *etag = TAKE_PTR(l->etag);
    int64_t size = l->size;
    int r = manifest_list_begin(l);
    l->etag = TAKE_PTR(etag);
    l->size = size;
    return r;
}

int manifest_list_ask(const ManifestList *l, AwsRequest *q) {
    q->object.first = l->at;
    q->object.last = (l->size >= 0 && l->at + PIECE > l->size ? l->size : l->at + PIECE) - 1;
    return l->etag && !(q->object.if_match = text_format("\"%s\"", l->etag)) ? -ENOMEM : 0;
}

bool manifest_list_fits(const ManifestList *l, const ObjectReply *o) {
    return o->first == l->at && (l->size < 0 || o->size == l->size) && (o->len > 0 || o->size == 0);
}

/* What is left of the lines, and the new piece behind it. */
static int keep_lines(ManifestList *l, const ObjectReply *o) {
    size_t n = l->n_lines - l->at_line;
    char *lines = malloc(n + o->len + 1);
    if (!lines)
        return -ENOMEM;
    memcpy(lines, l->lines ? l->lines + l->at_line : "", n);
    memcpy(lines + n, o->body ? o->body : "", o->len);
    free(l->lines);
    l->lines = lines;
    l->n_lines = n + o->len;
    l->at_line = 0;
    return 0;
}

int manifest_list_add(ManifestList *l, const ObjectReply *o) {
    int r = keep_lines(l, o);
    if (r >= 0 && l->size < 0)
        r = text_set(&l->etag, o->etag);
    if (r < 0)
        return r;
    l->size = o->size;
    l->at += (int64_t)o->len;
    return md5_add(l->md5, o->body ? o->body : "", o->len);
}

bool manifest_list_is_read(const ManifestList *l) { return l->size >= 0 && l->at >= l->size; }

int manifest_list_next(ManifestList *l, ManifestFile *ret, char ret_why[static CODEC_WHY_SIZE]) {
    const char *begin = l->lines + l->at_line;
    size_t left = l->n_lines - l->at_line;
    const char *end = left > 0 ? memchr(begin, '\n', left) : NULL;
    size_t len = end ? (size_t)(end - begin) : left;
    if (len > MANIFEST_LINE_MAX) {
        snprintf(ret_why, CODEC_WHY_SIZE, "is too long");
        return -EBADMSG;
    }
    if (!end && (left == 0 || !manifest_list_is_read(l)))
        return 0;
    l->at_line += len + (end != NULL);
    manifest_file_done(ret);
    int r = manifest_read_file(begin, len, ret, ret_why);
    if (r < 0)
        return r;
    l->n_files++;
    l->n_items += ret->item_count;
    return 1;
}

int manifest_list_md5(ManifestList *l, uint8_t ret[static DIGEST_MD5_SIZE]) { return md5_end(l->md5, ret); }
