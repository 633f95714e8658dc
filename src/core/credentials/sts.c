#include "core/credentials/sts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "core/aws/sigv4.h"
#include "core/format/xml_find.h"

#define TIMEOUT_USEC (60 * USEC_PER_SEC)
#define SESSION_NAME "ddbackupd"

void sts_add_encoded(Text *t, const char *s) {
    for (; *s; s++) {
        char c = *s;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c);
        if (plain)
            text_add_char(t, c);
        else
            text_addf(t, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void add_parameter(Text *t, const char *name, const char *value) {
    if (!value)
        return;
    text_addf(t, "&%s=", name);
    sts_add_encoded(t, value);
}

static void wipe_text(Text *t) {
    if (t->data)
        secret_wipe(t->data, t->len);
    text_done(t);
}

/* The signed request with that body, which is left empty. */
static int make_request(const StsCall *call, Text *body, HttpRequest **ret) {
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    q->body_len = body->len;
    int r = text_take(body, &q->body);
    if (r < 0 || !(q->url = strdup(call->url)))
        return r < 0 ? r : -ENOMEM;
    q->method = HTTP_POST;
    q->repeatable = true;
    q->connect_timeout_usec = q->timeout_usec = TIMEOUT_USEC;
    q->max_reply = 256u << 10;
    r = http_headers_add(&q->headers, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    if (r >= 0 && call->credentials)
        r = sigv4_sign(q, &(SigV4Scope){.region = call->region, .service = "sts", .wall = call->wall},
                       call->credentials, NULL);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(q);
    return 0;
}

int sts_request(const StsCall *call, HttpRequest **ret) {
    CLEANUP(wipe_text) Text body = TEXT_INIT(128u << 10);
    const ProviderRole *role = call->role;
    char duration[16];
    snprintf(duration, sizeof duration, "%d", role->duration_seconds);
    text_addf(&body, "Action=%s&Version=2011-06-15", call->web_token ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(&body, "RoleArn", role->role_arn);
    add_parameter(&body, "RoleSessionName", role->session_name ? role->session_name : SESSION_NAME);
    add_parameter(&body, "DurationSeconds", role->duration_seconds > 0 ? duration : NULL);
    add_parameter(&body, "ExternalId", role->external_id);
    add_parameter(&body, "WebIdentityToken", call->web_token);
    return make_request(call, &body, ret);
}

int sts_identity_request(const StsCall *call, HttpRequest **ret) {
    CLEANUP(wipe_text) Text body = TEXT_INIT(256);
    text_add(&body, "Action=GetCallerIdentity&Version=2011-06-15");
    return make_request(call, &body, ret);
}

/* --- replies --- */

static bool is_one_of(const char *code, const char *const *codes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static void take_error(const HttpReply *reply, StsError *e, Text *why) {
    static const char *const transient[] = {"IDPCommunicationError",
                                            "IDPCommunicationErrorException",
                                            "Throttling",
                                            "ThrottlingException",
                                            "RequestLimitExceeded",
                                            "RequestThrottled",
                                            "RequestTimeout",
                                            "InternalFailure",
                                            "ServiceUnavailable"};
    static const char *const skewed[] = {"SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException",
                                         "RequestTimeTooSkewed",  "RequestInTheFuture"};
    CLEANUP(secret_done) Secret code = {}, message = {};
    if (xml_find(reply->body, reply->body_len, "ErrorResponse/Error/Code", &code) >= 0)
        snprintf(e->code, sizeof e->code, "%.63s", code.bytes);
    (void)xml_find(reply->body, reply->body_len, "ErrorResponse/Error/Message", &message);
    for (char *c = message.bytes; c && *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    e->transient = reply->status >= 500 || reply->status == 429 || is_one_of(e->code, transient, ARRAY_SIZE(transient));
    e->expired = strcmp(e->code, "ExpiredTokenException") == 0 || strcmp(e->code, "ExpiredToken") == 0;
    e->skewed = is_one_of(e->code, skewed, ARRAY_SIZE(skewed));
    text_addf(why, "STS answered %d %s%s%.500s", reply->status,
              *e->code ? e->code : "without a reason it can be read from", message.bytes ? ": " : "",
              message.bytes ? message.bytes : "");
}

/* Both operations wrap the same four members. */
static int take_member(const HttpReply *reply, const char *name, Secret *ret) {
    char path[160];
    snprintf(path, sizeof path, "AssumeRoleResponse/AssumeRoleResult/Credentials/%s", name);
    int r = xml_find(reply->body, reply->body_len, path, ret);
    if (r != -ENOENT)
        return r;
    snprintf(path, sizeof path, "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/%s",
             name);
    return xml_find(reply->body, reply->body_len, path, ret);
}

/* -EREMOTEIO: it is no good one, and said. */
static int check_reply(const HttpReply *reply, StsError *ret_error, Text *why) {
    *ret_error = (StsError){};
    if (reply->outcome != HTTP_REPLIED) {
        ret_error->transient = true;
        text_addf(why, "STS cannot be asked: %s", reply->error ? reply->error : "no reply");
        return -EREMOTEIO;
    }
    if (reply->status == 200)
        return 0;
    take_error(reply, ret_error, why);
    return -EREMOTEIO;
}

static int unreadable(StsError *ret_error, Text *why) {
    ret_error->transient = true;
    text_add(why, "STS gave an answer that cannot be read");
    return -EREMOTEIO;
}

int sts_reply(const HttpReply *reply, Credentials **ret, StsError *ret_error, Text *why) {
    CLEANUP(secret_done) Secret id = {}, secret = {}, token = {}, expires = {};
    Usec expires_wall;
    int r = check_reply(reply, ret_error, why);
    if (r < 0)
        return r;
    r = take_member(reply, "AccessKeyId", &id);
    if (r >= 0)
        r = take_member(reply, "SecretAccessKey", &secret);
    if (r >= 0)
        r = take_member(reply, "SessionToken", &token);
    if (r >= 0)
        r = take_member(reply, "Expiration", &expires);
    if (r >= 0)
        r = date_from_iso(expires.bytes, &expires_wall) < 0
                ? -EBADMSG
                : credentials_new(id.bytes, secret.bytes, token.bytes, expires_wall, ret);
    return r == -EBADMSG || r == -ENOENT ? unreadable(ret_error, why) : r;
}

void sts_identity_done(StsIdentity *i) {
    free(i->arn);
    free(i->account);
    *i = (StsIdentity){};
}

static bool is_word(const char *s) {
    for (const char *c = s; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *s != '\0';
}

int sts_identity_reply(const HttpReply *reply, StsIdentity *ret, StsError *ret_error, Text *why) {
    static const char result[] = "GetCallerIdentityResponse/GetCallerIdentityResult/";
    CLEANUP(secret_done) Secret arn = {}, account = {};
    char path[96];
    int r = check_reply(reply, ret_error, why);
    if (r < 0)
        return r;
    snprintf(path, sizeof path, "%sArn", result);
    r = xml_find(reply->body, reply->body_len, path, &arn);
    snprintf(path, sizeof path, "%sAccount", result);
    if (r >= 0)
        r = xml_find(reply->body, reply->body_len, path, &account);
    if (r == -EBADMSG || r == -ENOENT || (r >= 0 && (!is_word(arn.bytes) || !is_word(account.bytes))))
        return unreadable(ret_error, why);
    CLEANUP(sts_identity_done) StsIdentity identity = {};
    if (r < 0 || text_set(&identity.arn, arn.bytes) < 0 || text_set(&identity.account, account.bytes) < 0)
        return -ENOMEM;
    sts_identity_done(ret);
    *ret = identity;
    identity = (StsIdentity){};
    return 0;
}
