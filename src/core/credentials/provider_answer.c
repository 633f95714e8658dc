#include "core/credentials/provider_inside.h"

#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "core/credentials/credentials_doc.h"
#include "core/credentials/sts.h"

#define TRIES_MAX 3 /* of one request, within an attempt */

/* The same question once more, if it has not been asked too often. */
static bool asks_again(Provider *p, Now now) {
    if (++p->n_tries >= TRIES_MAX)
        return false;
    p->next_mono = now.mono + (USEC_PER_SEC << (p->n_tries - 1));
    return true;
}

static int take_document(Provider *p, ProviderOutbox *out, const HttpReply *reply, Now now) {
    AUTO_TEXT why = TEXT_INIT(1024);
    bool sso = p->plan.origin == ORIGIN_SSO;
    bool refused = sso && reply->outcome == HTTP_REPLIED && reply->status >= 400 && reply->status < 500 &&
                   reply->status != 429;
    int r = -EBADMSG;
    if (reply->outcome != HTTP_REPLIED)
        text_addf(&why, "it cannot be asked: %s", reply->error ? reply->error : "no reply");
    else if (reply->status != 200)
        text_addf(&why, "it answered %d", reply->status);
    else if (sso)
        r = credentials_from_sso(reply->body, reply->body_len, &p->in_hand, &why);
    else
        r = credentials_from_metadata(reply->body, reply->body_len, &p->in_hand, &why);
    if (r >= 0)
        return provider_go_on(p, out, now);
    if (r != -EBADMSG || (!refused && asks_again(p, now)))
        return r == -EBADMSG ? 0 : r;
    return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s; HINT: %s", p->plan.named, text_get(&why),
                          sso ? "sign in again as the daemon's user: aws sso login" : "look into the agent's log");
}

static int take_sts(Provider *p, ProviderOutbox *out, const HttpReply *reply, Now now) {
    AUTO_TEXT why = TEXT_INIT(2048);
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    StsError error;
    Usec date;
    const char *text = reply->outcome == HTTP_REPLIED ? http_headers_get(&reply->headers, "Date") : NULL;
    if (text && !http_headers_get(&reply->headers, "Age") && date_from_http(text, &date) >= 0)
        p->offset_usec = date - now.wall;
    bool web = p->stage == STAGE_ORIGIN;
    const ProviderRole *role = web ? &p->plan.web : &p->plan.roles[p->n_roles_left - 1];
    int r = sts_reply(reply, &c, &error, &why);
    if (r >= 0) {
        p->n_roles_left -= !web;
        credentials_free(p->in_hand);
        p->in_hand = TAKE_PTR(c);
        return provider_go_on(p, out, now);
    }
    if (r != -EREMOTEIO)
        return r;
    Usec moved = p->offset_usec - p->sent_offset_usec;
    bool corrected = error.skewed && !p->skew_tried && (moved > 4 * USEC_PER_MINUTE || moved < -4 * USEC_PER_MINUTE);
    bool reread = web && error.expired && !p->token_read_again;
    p->skew_tried |= corrected;
    p->token_read_again |= reread;
    if (corrected || reread) {
        p->next_mono = now.mono;
        return 0;
    }
    if (error.transient && asks_again(p, now))
        return 0;
    return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "role %s by %s: %s; HINT: %s", role->role_arn,
                          p->plan.named, text_get(&why),
                          error.transient
                              ? "it is asked again by itself"
                              : "see that the role exists, trusts who asks (sts:AssumeRole), and has this external id");
}

int provider_reply(Provider *p, const HttpReply *reply, Now now, ProviderOutbox *out) {
    AUTO_TEXT why = TEXT_INIT(2048);
    if (!p->asking || reply->id != p->last_id)
        return 0;
    p->asking = false;
    p->next_mono = now.mono;
    if (p->stage == STAGE_ROLE || p->plan.origin == ORIGIN_WEB_IDENTITY)
        return take_sts(p, out, reply, now);
    if (p->plan.origin != ORIGIN_IMDS)
        return take_document(p, out, reply, now);
    ImdsSettings settings = provider_imds_settings(&p->plan);
    int r = imds_reply(&p->imds, &settings, reply, &p->in_hand, &why);
    if (r == -EREMOTEIO && !p->plan.is_last_resort)
        text_add(&why, "; HINT: attach a role to the instance, or correct credential_source");
    if (r == -EREMOTEIO)
        return provider_fail(p, out, PROVIDER_FAILURE_RETRIEVAL, text_get(&why), now);
    return r > 0 ? provider_go_on(p, out, now) : r;
}

int provider_process_done(Provider *p, uint64_t id, const char *output, size_t len, const char *problem, Now now,
                          ProviderOutbox *out) {
    AUTO_TEXT why = TEXT_INIT(1024);
    if (!p->asking || id != p->last_id)
        return 0;
    p->asking = false;
    int r = problem ? -EBADMSG : credentials_from_process(output, len, &p->in_hand, &why);
    if (r >= 0)
        return provider_go_on(p, out, now);
    if (r != -EBADMSG)
        return r;
    return provider_failf(p, out, PROVIDER_FAILURE_RETRIEVAL, now, "%s: %s%s; HINT: run it as the daemon's user to see",
                          p->plan.named, problem ? problem : "of what it printed, ", text_get(&why));
}
