#include "core/credentials/credentials_doc.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/parse.h"
#include "core/format/json_flat.h"

typedef struct Names {
    const char *id, *secret, *token, *expires;
} Names;

/* A member; absent is good where it is not required: then it stays unset. */
static int take(JsonSpan object, const char *name, bool required, Secret *ret, Text *why) {
    int r = json_flat_string(json_flat_member(object, name), ret);
    if (r == -ENOENT && !required)
        return 0;
    if (r == -ENOENT || r == -EBADMSG) {
        text_addf(why, "%s %s", name, r == -ENOENT ? "is missing" : "is no string");
        return -EBADMSG;
    }
    return r;
}

/* What a service says instead of credentials, cut and printable. */
static void add_refusal(JsonSpan object, Text *why) {
    static const char *const names[] = {"Code", "code", "Message", "message"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP(secret_done) Secret s = {};
        if (json_flat_string(json_flat_member(object, names[i]), &s) < 0)
            continue;
        if (s.len > 200)
            s.bytes[200] = '\0';
        for (char *c = s.bytes; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = '?';
        if (strcmp(s.bytes, "Success") != 0)
            text_addf(why, " (%s)", s.bytes);
    }
}

static int read_members(JsonSpan object, const Names *names, bool token_required, Usec expires_wall, Credentials **ret,
                        Text *why) {
    CLEANUP(secret_done) Secret id = {}, secret = {}, token = {};
    int r = take(object, names->id, true, &id, why);
    if (r >= 0)
        r = take(object, names->secret, true, &secret, why);
    if (r >= 0)
        r = take(object, names->token, token_required, &token, why);
    if (r >= 0) {
        r = credentials_new(id.bytes, secret.bytes, token.bytes, expires_wall, ret);
        if (r == -EBADMSG)
            text_add(why, "a key is empty or holds a character that none can have");
    } else if (r == -EBADMSG)
        add_refusal(object, why);
    return r;
}

static int read_expiry(JsonSpan object, const char *name, bool required, Usec *ret, Text *why) {
    CLEANUP(secret_done) Secret text = {};
    int r = take(object, name, required, &text, why);
    *ret = USEC_INFINITY;
    if (r < 0 || !text.bytes)
        return r;
    if (date_from_iso(text.bytes, ret) < 0) {
        text_addf(why, "%s is no instant", name);
        return -EBADMSG;
    }
    return 0;
}

static int begin(const char *text, size_t len, JsonSpan *ret, Text *why) {
    *ret = json_flat_object(text, len);
    if (ret->at)
        return 0;
    text_add(why, "it is no JSON object");
    return -EBADMSG;
}

int credentials_from_process(const char *text, size_t len, Credentials **ret, Text *why) {
    static const Names names = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"};
    JsonSpan object;
    Usec expires;
    int r = begin(text, len, &object, why);
    if (r < 0)
        return r;
    JsonSpan version = json_flat_member(object, "Version");
    if (version.n != 1 || *version.at != '1') {
        text_add(why, "its Version is not 1");
        return -EBADMSG;
    }
    r = read_expiry(object, names.expires, false, &expires, why);
    return r < 0 ? r : read_members(object, &names, false, expires, ret, why);
}

int credentials_from_metadata(const char *text, size_t len, Credentials **ret, Text *why) {
    static const Names names = {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"};
    JsonSpan object;
    Usec expires = USEC_INFINITY;
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    int r = begin(text, len, &object, why);
    if (r < 0 || (r = read_members(object, &names, true, USEC_INFINITY, &c, why)) < 0 ||
        (r = read_expiry(object, names.expires, true, &expires, why)) < 0)
        return r;
    c->expires_wall = expires;
    *ret = TAKE_PTR(c);
    return 0;
}

int credentials_from_sso(const char *text, size_t len, Credentials **ret, Text *why) {
    static const Names names = {"accessKeyId", "secretAccessKey", "sessionToken", "expiration"};
    JsonSpan object;
    char digits[24] = "";
    int64_t msec;
    int r = begin(text, len, &object, why);
    if (r < 0)
        return r;
    JsonSpan inner = json_flat_member(object, "roleCredentials"), expires = json_flat_member(inner, names.expires);
    if (expires.at && expires.n < sizeof digits)
        memcpy(digits, expires.at, expires.n);
    if (parse_int(digits, 0, WALL_MAX / USEC_PER_MSEC, &msec) < 0) {
        text_add(why, "roleCredentials.expiration is no instant");
        add_refusal(object, why);
        return -EBADMSG;
    }
    return read_members(inner, &names, true, msec * USEC_PER_MSEC, ret, why);
}

int sso_token_from_cache(const char *text, size_t len, Usec wall, Secret *ret, Usec *ret_expires_wall, Text *why) {
    JsonSpan object;
    int r = begin(text, len, &object, why);
    if (r < 0 || (r = read_expiry(object, "expiresAt", true, ret_expires_wall, why)) < 0)
        return r;
    if (*ret_expires_wall <= wall)
        return -EKEYEXPIRED;
    return take(object, "accessToken", true, ret, why);
}
