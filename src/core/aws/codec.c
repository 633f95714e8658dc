/* Replies from JSON. json_scan has the first look, because cJSON lets much pass that a reply may not hold (bytes after
 * the end, U+0000, nesting up to 1000) and does not tell a lack of memory from a bad body. */

#include "core/aws/codec_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "core/format/json_scan.h"

#define MAX_DEPTH 32
#define STRING_MAX 4096              /* the longest that the service's model allows is 2048 */
#define CURSOR_MAX 65536             /* the model bounds none; they are opaque */
#define COUNT_MAX 9007199254740991.0 /* above 2^53 - 1 a double no longer holds every whole number */

DEFINE_CLEANUP(cJSON, cJSON_Delete)

int reader_bad(Reader *r, const char *name, const char *what) {
    snprintf(r->why, CODEC_WHY_SIZE, "%s%s%s %s", r->at, r->at[0] && name[0] ? "." : "", name, what);
    return -EBADMSG;
}

void reader_enter(Reader *r, const char *where) { snprintf(r->at, sizeof r->at, "%s", where); }

/* *ret is NULL where the member is absent or null. */
static int find(Reader *r, const cJSON *object, const char *name, bool required, const cJSON **ret) {
    const cJSON *found = NULL, *item;
    cJSON_ArrayForEach(item, object) {
        if (strcmp(item->string, name) != 0)
            continue;
        if (found)
            return reader_bad(r, name, "is there twice");
        found = item;
    }
    if (found && cJSON_IsNull(found))
        found = NULL;
    if (!found && required)
        return reader_bad(r, name, "is missing");
    *ret = found;
    return 0;
}

int reader_object(Reader *r, const cJSON *parent, const char *name, bool required, const cJSON **ret) {
    int rc = find(r, parent, name, required, ret);
    return rc >= 0 && *ret && !cJSON_IsObject(*ret) ? reader_bad(r, name, "is no object") : rc;
}

/* Bytes of the longest whole characters of s that fit into max. */
static size_t cut_length(const char *s, size_t max) {
    size_t n = strnlen(s, max + 1);
    if (n <= max)
        return n;
    for (n = max; n > 0 && (s[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

static int read_string(Reader *r, const Field *f, const cJSON *node, char **ret) {
    if (!cJSON_IsString(node))
        return reader_bad(r, f->name, "is no string");
    const char *s = node->valuestring;
    if (!s[0] && (f->required || f->kind == FIELD_CURSOR))
        return reader_bad(r, f->name, "is empty");
    size_t len = strlen(s), max = f->kind == FIELD_CURSOR ? CURSOR_MAX : STRING_MAX, n;
    if (len > max && f->kind != FIELD_MESSAGE)
        return reader_bad(r, f->name, "is too long");
    for (const char *c = s; *c; c += n)
        if ((n = text_utf8_length(c)) == 0)
            return reader_bad(r, f->name, "is not UTF-8");
    char *copy = strndup(s, cut_length(s, max));
    if (!copy)
        return -ENOMEM;
    free(*ret);
    *ret = copy;
    return 0;
}

static int read_count(Reader *r, const Field *f, const cJSON *node, int64_t *ret) {
    double d = node->valuedouble;
    if (!cJSON_IsNumber(node))
        return reader_bad(r, f->name, "is no number");
    if (!(d >= 0 && d <= COUNT_MAX))
        return reader_bad(r, f->name, "is out of range");
    if ((double)(int64_t)d != d)
        return reader_bad(r, f->name, "is no whole number");
    *ret = (int64_t)d;
    return 0;
}

/* Seconds, to the millisecond: what lies below is noise of the service's doubles. */
static int read_wall(Reader *r, const Field *f, const cJSON *node, Usec *ret) {
    double d = node->valuedouble;
    if (!cJSON_IsNumber(node))
        return reader_bad(r, f->name, "is no number");
    if (!(d >= 0 && d <= (double)(WALL_MAX / USEC_PER_SEC)))
        return reader_bad(r, f->name, "is out of range");
    *ret = (Usec)(d * 1000 + 0.5) * USEC_PER_MSEC;
    return 0;
}

int reader_value(Reader *r, const cJSON *value, const Field *f, void *to) {
    void *member = (char *)to + f->offset;
    switch (f->kind) {
    case FIELD_STRING:
    case FIELD_MESSAGE:
    case FIELD_CURSOR:
        return read_string(r, f, value, member);
    case FIELD_COUNT:
        return read_count(r, f, value, member);
    case FIELD_WALL:
        return read_wall(r, f, value, member);
    }
    return 0;
}

int reader_field(Reader *r, const cJSON *object, const Field *f, void *to) {
    const cJSON *value;
    int rc = find(r, object, f->name, f->required, &value);
    return rc < 0 || !value ? rc : reader_value(r, value, f, to);
}

int reader_fields(Reader *r, const cJSON *object, const Field *fields, size_t n_fields, void *to) {
    int rc = cJSON_IsObject(object) ? 0 : reader_bad(r, "", "is no object");
    for (size_t i = 0; rc >= 0 && i < n_fields; i++)
        rc = reader_field(r, object, &fields[i], to);
    return rc;
}

int reader_list(Reader *r, const cJSON *parent, const char *name, ReadItem read_item, AwsReply *reply) {
    const cJSON *list, *item;
    size_t i = 0;
    int rc = find(r, parent, name, true, &list);
    if (rc >= 0 && !cJSON_IsArray(list))
        rc = reader_bad(r, name, "is no array");
    if (rc < 0)
        return rc;
    cJSON_ArrayForEach(item, list) {
        snprintf(r->at, sizeof r->at, "%s[%zu]", name, i++);
        if ((rc = read_item(r, item, reply)) < 0)
            return rc;
    }
    reader_enter(r, "");
    return 0;
}

int codec_read_object(const char *body, size_t len, ReadObject read, void *to, char ret_why[static CODEC_WHY_SIZE]) {
    Reader r = {.why = ret_why};
    const char *problem = json_scan(body, len, MAX_DEPTH);
    if (problem)
        return reader_bad(&r, "the body", problem);
    CLEANUP(cJSON_Delete_ptr) cJSON *root = cJSON_ParseWithLength(body, len);
    if (!root) /* cJSON refuses nothing that json_scan lets pass */
        return -ENOMEM;
    return cJSON_IsObject(root) ? read(&r, root, to) : reader_bad(&r, "the body", "is no object");
}

static int read_reply(Reader *r, const cJSON *root, void *to) { return codec_read_reply(r, root, to); }

int codec_decode(AwsOp op, const char *body, size_t len, AwsReply **ret, char ret_why[static CODEC_WHY_SIZE]) {
    CLEANUP(aws_reply_free_ptr) AwsReply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return -ENOMEM;
    reply->op = op;
    int rc = codec_read_object(body, len, read_reply, reply, ret_why);
    if (rc < 0)
        return rc;
    *ret = TAKE_PTR(reply);
    return 0;
}

static void copy_cut(char *to, size_t size, const char *from) {
    size_t n = cut_length(from, size - 1);
    memcpy(to, from, n);
    to[n] = '\0';
}

void codec_error_code(const char *raw, char *ret_code, size_t code_size) {
    size_t n = strcspn(raw, ":");
    for (size_t i = n; i > 0; i--)
        if (raw[i - 1] == '#') {
            raw += i;
            n -= i;
            break;
        }
    while (n > 0 && (*raw == ' ' || *raw == '\t')) {
        raw++;
        n--;
    }
    while (n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t'))
        n--;
    snprintf(ret_code, code_size, "%.*s", (int)(n < code_size ? n : code_size), raw);
}

int codec_error(const char *body, size_t len, char *ret_code, size_t code_size, char *ret_message,
                size_t message_size) {
    static const char *const codes[] = {"__type", "code"}, *const messages[] = {"message", "Message", "errorMessage"};
    ret_code[0] = ret_message[0] = '\0';
    if (json_scan(body, len, MAX_DEPTH))
        return 0;
    CLEANUP(cJSON_Delete_ptr) cJSON *root = cJSON_ParseWithLength(body, len);
    if (!root)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(codes) && !ret_code[0]; i++) {
        const cJSON *code = cJSON_GetObjectItemCaseSensitive(root, codes[i]);
        if (cJSON_IsString(code))
            codec_error_code(code->valuestring, ret_code, code_size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(messages) && !ret_message[0]; i++) {
        const cJSON *message = cJSON_GetObjectItemCaseSensitive(root, messages[i]);
        if (cJSON_IsString(message))
            copy_cut(ret_message, message_size, message->valuestring);
    }
    return 0;
}
