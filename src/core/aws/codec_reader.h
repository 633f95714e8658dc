#pragma once
/* Between codec.c, which knows cJSON, and codec_reply.c, which knows what each operation replies. All functions that
 * return int: 0, -EBADMSG with the reason in Reader.why, or -ENOMEM. */

#include <stdbool.h>
#include <stddef.h>

#include "core/aws/codec.h"

struct cJSON;

typedef struct Reader {
    char *why;   /* CODEC_WHY_SIZE */
    char at[80]; /* the path of the object being read, "" at the top */
} Reader;

typedef enum FieldKind {
    FIELD_STRING,  /* at most 4096 bytes; not empty where it is required */
    FIELD_MESSAGE, /* for people: cut where it is long */
    FIELD_CURSOR,  /* opaque, at most 65536 bytes, not empty */
    FIELD_COUNT,   /* whole, 0 to 2^53 - 1 */
    FIELD_WALL,    /* seconds of the years 1970 to 9999, rounded to milliseconds */
} FieldKind;

typedef struct Field {
    const char *name;
    FieldKind kind;
    bool required;
    size_t offset; /* of the char *, int64_t or Usec in the typed struct */
} Field;

int reader_bad(Reader *r, const char *name, const char *what);
void reader_enter(Reader *r, const char *where);

/* A member that is an object. *ret is NULL where it is absent or null and not required. */
int reader_object(Reader *r, const struct cJSON *parent, const char *name, bool required, const struct cJSON **ret);
/* Members that are absent or null and not required leave theirs alone. */
int reader_field(Reader *r, const struct cJSON *object, const Field *f, void *to);
int reader_fields(Reader *r, const struct cJSON *object, const Field *fields, size_t n_fields, void *to);
/* A value that stands in no object, such as an item of a list. */
int reader_value(Reader *r, const struct cJSON *value, const Field *f, void *to);

/* A required array: calls read_item for each, with the path set. */
typedef int (*ReadItem)(Reader *r, const struct cJSON *item, AwsReply *reply);
int reader_list(Reader *r, const struct cJSON *parent, const char *name, ReadItem read_item, AwsReply *reply);

/* Another document than a reply: one JSON object, read under the same bounds. */
typedef int (*ReadObject)(Reader *r, const struct cJSON *root, void *to);
int codec_read_object(const char *body, size_t len, ReadObject read, void *to, char ret_why[static CODEC_WHY_SIZE]);

/* Fills reply, whose op is set and whose rest is zero, from the body's root object. */
int codec_read_reply(Reader *r, const struct cJSON *root, AwsReply *reply);
