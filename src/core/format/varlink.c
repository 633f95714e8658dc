#include "core/format/varlink.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

static int read_string(JsonSpan value, size_t max, char **ret) {
    Secret s = {};
    int r = json_flat_string(value, &s);
    if (r < 0)
        return r;
    size_t n = 1;
    for (const char *at = s.bytes; *at && n > 0; at += n)
        n = text_utf8_length(at);
    r = n == 0 || s.len > max ? -EBADMSG : text_set(ret, s.bytes);
    secret_done(&s);
    return r;
}

int varlink_string(JsonSpan parameters, const char *name, size_t max, char **ret) {
    JsonSpan value = json_flat_member(parameters, name);
    return value.at ? read_string(value, max, ret) : 0;
}

int varlink_int(JsonSpan parameters, const char *name, int64_t min, int64_t max, int64_t *ret) {
    JsonSpan value = json_flat_member(parameters, name);
    char digits[24];
    if (!value.at)
        return 0;
    if (value.n >= sizeof digits)
        return -EBADMSG;
    memcpy(digits, value.at, value.n);
    digits[value.n] = '\0';
    return parse_int(digits, min, max, ret) < 0 ? -EBADMSG : 0;
}

static int read_bool(JsonSpan object, const char *name, bool *ret) {
    JsonSpan value = json_flat_member(object, name);
    *ret = value.n == 4 && memcmp(value.at, "true", 4) == 0;
    return *ret || !value.at || (value.n == 5 && memcmp(value.at, "false", 5) == 0) ? 0 : -EBADMSG;
}

static int read_parameters(JsonSpan object, JsonSpan *ret) {
    *ret = json_flat_member(object, "parameters");
    return ret->at && *ret->at != '{' ? -EBADMSG : 0;
}

/* Letters, digits, dots and dashes: an interface, a dot, and a member of it. */
static bool is_name(const char *s) {
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(s);
}

int varlink_read_call(const char *message, size_t len, VarlinkCall *ret) {
    VarlinkCall c = {};
    AUTO_FREE char *name = NULL;
    JsonSpan object = json_flat_object(message, len);
    int r = varlink_string(object, "method", VARLINK_NAME_MAX, &name);
    if (r < 0)
        return r;
    const char *dot = name && is_name(name) ? strrchr(name, '.') : NULL;
    if (!dot || dot == name || !dot[1] || read_bool(object, "more", &c.more) < 0 ||
        read_bool(object, "oneway", &c.oneway) < 0 || read_parameters(object, &c.parameters) < 0)
        return -EBADMSG;
    memcpy(c.interface, name, (size_t)(dot - name));
    memcpy(c.method, dot + 1, strlen(dot + 1));
    *ret = c;
    return 0;
}

int varlink_read_reply(const char *message, size_t len, VarlinkReply *ret) {
    VarlinkReply reply = {};
    AUTO_FREE char *error = NULL;
    JsonSpan object = json_flat_object(message, len);
    int r = varlink_string(object, "error", VARLINK_NAME_MAX, &error);
    if (r < 0)
        return r;
    if (!object.at || read_bool(object, "continues", &reply.continues) < 0 ||
        read_parameters(object, &reply.parameters) < 0)
        return -EBADMSG;
    if (error)
        memcpy(reply.error, error, strlen(error));
    *ret = reply;
    return 0;
}

/* --- writing --- */

static int end(Text *out) { return text_add_char(out, '\0'); }

int varlink_add_call(Text *out, const char *method, const char *parameters, bool more) {
    text_addf(out, "{\"method\":\"%s\",\"parameters\":%s%s}", method, parameters, more ? ",\"more\":true" : "");
    return end(out);
}

int varlink_add_reply(Text *out, const char *parameters, bool continues) {
    text_addf(out, "{\"parameters\":%s%s}", parameters, continues ? ",\"continues\":true" : "");
    return end(out);
}

int varlink_add_error(Text *out, const char *error, const char *name, const char *value) {
    text_addf(out, "{\"error\":\"%s\",\"parameters\":{", error);
    if (name) {
        text_addf(out, "\"%s\":", name);
        text_add_json(out, value);
    }
    text_add(out, "}}");
    return end(out);
}
