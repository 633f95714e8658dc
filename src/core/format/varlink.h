#pragma once
/* Messages of Varlink (https://varlink.org/Method-Call): JSON objects, each ended by a NUL, which is not part of them
 * here. Bytes in, values out; who sends and receives them is in io/varlink_server and io/varlink_client. */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "core/format/json_flat.h"

/* No call is longer: they are orders, not data. */
#define VARLINK_CALL_MAX ((size_t)16 * 1024)
/* No answer of ours is longer. */
#define VARLINK_REPLY_MAX ((size_t)64 * 1024)
#define VARLINK_NAME_MAX 255

typedef struct VarlinkCall {
    char interface[VARLINK_NAME_MAX + 1]; /* "org.varlink.service" */
    char method[VARLINK_NAME_MAX + 1];    /* "GetInfo" */
    JsonSpan parameters;                  /* in the message; .at is NULL: it has none */
    bool more, oneway;
} VarlinkCall;

/* -EBADMSG: that is no call; -ENOMEM. */
int varlink_read_call(const char *message, size_t len, VarlinkCall *ret);

/* What came back. */
typedef struct VarlinkReply {
    char error[VARLINK_NAME_MAX + 1]; /* "": it went well */
    JsonSpan parameters;
    bool continues;
} VarlinkReply;
int varlink_read_reply(const char *message, size_t len, VarlinkReply *ret);

/* Members of parameters. Absent or null leaves *ret alone. -EBADMSG: it is something else, too long, out of range, or
 * no UTF-8; -ENOMEM. */
int varlink_string(JsonSpan parameters, const char *name, size_t max, char **ret);
int varlink_int(JsonSpan parameters, const char *name, int64_t min, int64_t max, int64_t *ret);

/* Whole messages, with their NUL. Errors stick in the text. */
int varlink_add_call(Text *out, const char *method, const char *parameters, bool more); /* parameters are JSON */
int varlink_add_reply(Text *out, const char *parameters, bool continues);
/* With one parameter, or with none where `name` is NULL. */
int varlink_add_error(Text *out, const char *error, const char *name, const char *value);
