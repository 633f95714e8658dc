#pragma once
/* ListObjectsV2: what is under a prefix of a bucket, a page at a time (Amazon S3 API reference). */

#include "core/aws/codec.h"

typedef struct ObjectList {
    char **keys;
    size_t n_keys, n_room;
    char *next; /* the token of the next page; NULL: this was the last */
} ObjectList;

void object_list_done(ObjectList *l);

/* The query of the page after `token` (NULL: the first), encoded and sorted. -ENOMEM. */
int object_list_query(const char *prefix, const char *token, char **ret);
/* Adds the page's keys, and replaces `next`. -EBADMSG: it is no such page; -ENOMEM. */
int object_list_read(const char *body, size_t len, ObjectList *into);
