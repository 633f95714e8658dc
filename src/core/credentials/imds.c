#include "core/credentials/imds.h"

#include <errno.h>
#include <string.h>

#include "core/aws/endpoint.h"
#include "core/credentials/credentials_doc.h"
#include "core/format/json_flat.h"

#define MAX_REPLY (64u << 10)
#define ROLE_PATH "latest/meta-data/iam/security-credentials/"

void imds_done(Imds *i) {
    secret_done(&i->token);
    free(i->role);
    *i = (Imds){};
}

int imds_request(const Imds *i, const ImdsSettings *s, HttpRequest **ret) {
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    static const char *const paths[] = {
        [IMDS_TOKEN] = "latest/api/token",
        [IMDS_ROLE] = ROLE_PATH,
        [IMDS_CREDENTIALS] = ROLE_PATH,
        [IMDS_REGION] = "latest/dynamic/instance-identity/document",
    };
    bool token = i->step == IMDS_TOKEN;
    q->method = token ? HTTP_PUT : HTTP_GET;
    q->url = text_format("%s%s%s", s->url, paths[i->step], i->step == IMDS_CREDENTIALS ? i->role : "");
    q->repeatable = q->direct = true;
    q->connect_timeout_usec = q->timeout_usec = s->timeout_usec;
    q->max_reply = MAX_REPLY;
    int r = !q->url ? -ENOMEM : 0;
    if (r >= 0 && token)
        r = http_headers_add(&q->headers, "x-aws-ec2-metadata-token-ttl-seconds", "21600");
    else if (r >= 0 && i->token.bytes)
        r = http_headers_add(&q->headers, "x-aws-ec2-metadata-token", i->token.bytes);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(q);
    return 0;
}

static int refuse(Imds *i, const HttpReply *reply, const char *what, Text *why) {
    if (reply->outcome == HTTP_REPLIED)
        text_addf(why, "the instance metadata service answered %d to the question for %s", reply->status, what);
    else
        text_addf(why, "the instance metadata service cannot be asked for %s: %s", what,
                  reply->error ? reply->error : "no reply");
    if (i->timed_out)
        text_add(why, " (from within a container its hop limit must be at least 2: aws ec2 "
                      "modify-instance-metadata-options --http-put-response-hop-limit 2)");
    return -EREMOTEIO;
}

static bool is_token(const HttpReply *reply) {
    if (reply->outcome != HTTP_REPLIED || reply->status != 200 || reply->body_len == 0)
        return false;
    for (size_t n = 0; n < reply->body_len; n++)
        if (reply->body[n] <= ' ' || reply->body[n] > '~')
            return false;
    return true;
}

static int take_token(Imds *i, const ImdsSettings *s, const HttpReply *reply, Text *why) {
    bool none = reply->outcome == HTTP_REPLIED &&
                (reply->status == 404 || reply->status == 403 || reply->status == 405);
    ImdsStep next = i->wants_region ? IMDS_REGION : IMDS_ROLE;
    if (is_token(reply)) {
        i->step = next;
        i->n_tries = 0;
        return secret_set(&i->token, reply->body, reply->body_len);
    }
    if (reply->outcome == HTTP_REPLIED && reply->status == 400)
        return refuse(i, reply, "a token", why);
    i->timed_out = reply->outcome == HTTP_UNKNOWN;
    if (!none && !i->timed_out && ++i->n_tries < s->attempts)
        return 0;
    if (s->v1_disabled)
        return refuse(i, reply, "a token", why);
    i->step = next;
    i->n_tries = 0;
    return 0;
}

/* The first line; it becomes part of a path. */
static int take_role(Imds *i, const HttpReply *reply, Text *why) {
    size_t n = strcspn(reply->body, "\r\n");
    for (size_t k = 0; k < n; k++)
        if (reply->body[k] <= ' ' || reply->body[k] > '~' || strchr("?#/", reply->body[k]))
            n = 0;
    if (n == 0) {
        text_add(why, "the instance metadata service names no role that can be one");
        return -EREMOTEIO;
    }
    free(i->role);
    if (!(i->role = strndup(reply->body, n)))
        return -ENOMEM;
    i->step = IMDS_CREDENTIALS;
    i->n_tries = 0;
    return 0;
}

static bool is_good(const HttpReply *reply) {
    return reply->outcome == HTTP_REPLIED && reply->status == 200 && reply->body_len > 0;
}

/* The token is refused: once, a new one is worth a try. */
static bool renews(Imds *i, const HttpReply *reply) {
    if (reply->outcome != HTTP_REPLIED || reply->status != 401 || !i->token.bytes || i->renewed)
        return false;
    i->step = IMDS_TOKEN;
    i->renewed = true;
    secret_done(&i->token);
    return true;
}

/* Of the instance's identity document. 1, -EBADMSG: there is none that could be one; -ENOMEM. */
static int take_region(const HttpReply *reply, char **ret) {
    CLEANUP(secret_done) Secret region = {};
    int r = json_flat_string(json_flat_member(json_flat_object(reply->body, reply->body_len), "region"), &region);
    if (r == -ENOMEM)
        return r;
    if (r < 0 || !endpoint_region_is_valid(region.bytes))
        return -EBADMSG;
    r = text_set(ret, region.bytes);
    return r < 0 ? r : 1;
}

int imds_region_reply(Imds *i, const ImdsSettings *s, const HttpReply *reply, char **ret, Text *why) {
    if (i->step == IMDS_TOKEN)
        return take_token(i, s, reply, why);
    if (renews(i, reply))
        return 0;
    int r = is_good(reply) ? take_region(reply, ret) : -EBADMSG;
    if (r != -EBADMSG)
        return r;
    if (++i->n_tries < s->attempts)
        return 0;
    if (!is_good(reply))
        return refuse(i, reply, "the region", why);
    text_add(why, "the instance metadata service names no region that can be one");
    return -EREMOTEIO;
}

int imds_reply(Imds *i, const ImdsSettings *s, const HttpReply *reply, Credentials **ret, Text *why) {
    const char *what = i->step == IMDS_ROLE ? "the instance's role" : "the role's credentials";
    if (i->step == IMDS_TOKEN)
        return take_token(i, s, reply, why);
    bool good = is_good(reply);
    if (renews(i, reply))
        return 0;
    if (good && i->step == IMDS_ROLE)
        return take_role(i, reply, why);
    if (good) {
        AUTO_TEXT problem = TEXT_INIT(1024);
        int r = credentials_from_metadata(reply->body, reply->body_len, ret, &problem);
        if (r != -EBADMSG)
            return r < 0 ? r : 1;
        if (++i->n_tries < s->attempts)
            return 0;
        text_addf(why, "the instance metadata service gave no credentials: %s", text_get(&problem));
        return -EREMOTEIO;
    }
    return ++i->n_tries < s->attempts ? 0 : refuse(i, reply, what, why);
}
