/* Accounts: where credentials come from, and who they make us. */

#include <errno.h>
#include <string.h>

#include "core/aws/endpoint.h"
#include "core/conf/conf_client.h"
#include "ctl/doctor.h"
#include "ctl/words.h"
#include "io/clocks.h"
#include "io/exchange.h"

/* --- asking --- */

static int make_request(const Doctor *d, const DoctorAccount *a, HttpRequest **ret) {
    EndpointWish wish = conf_endpoint_wish(d->aws.conf, ENDPOINT_STS);
    const char *own = d->aws.region ? d->aws.region : "us-east-1";
    const char *region = a->conf && a->conf->n_regions > 0 ? a->conf->regions[0] : own;
    AUTO_FREE char *url = NULL;
    int r = endpoint_url(&wish, region, &url);
    if (r < 0)
        return r;
    StsCall call = {.url = url,
                    .region = endpoint_signing_region(&wish, region),
                    .credentials = a->fetched->found,
                    .wall = clocks_read().wall - (a->skew_usec != USEC_INFINITY ? a->skew_usec : 0)};
    return sts_identity_request(&call, ret);
}

/* 1: it was refused for the signature's time, and is worth another one by the service's clock. */
static int take_reply(DoctorAccount *a, const HttpReply *reply) {
    AUTO_TEXT why = TEXT_INIT(4096);
    StsError error;
    Usec date;
    const char *text = http_headers_get(&reply->headers, "Date");
    bool is_first = a->skew_usec == USEC_INFINITY;
    if (text && date_from_http(text, &date) >= 0)
        a->skew_usec = clocks_read().wall - date;
    int r = sts_identity_reply(reply, &a->identity, &error, &why);
    free(TAKE_PTR(a->identity_problem));
    if (r == -EREMOTEIO && (r = text_take(&why, &a->identity_problem)) >= 0)
        return error.skewed && is_first && a->skew_usec != USEC_INFINITY;
    return r;
}

/* Nothing is asked of who has no credentials; nor is it without signatures, when nobody is anyone. */
static bool is_to_ask(const Doctor *d, const DoctorAccount *a) {
    return a->fetched->found && !a->identity.arn && d->aws.conf->aws.unsigned_requests != SWITCH_ON;
}

/* 1: some are worth another try. */
static int ask_once(Doctor *d) {
    AUTO_FREE HttpRequest **requests = calloc(d->n_accounts + 1, sizeof(HttpRequest *));
    AUTO_FREE HttpReply **replies = calloc(d->n_accounts + 1, sizeof(HttpReply *));
    if (!requests || !replies)
        return -ENOMEM;
    int r = 0, again = 0;
    for (size_t i = 0; r >= 0 && i < d->n_accounts; i++)
        if (is_to_ask(d, &d->accounts[i]))
            r = make_request(d, &d->accounts[i], &requests[i]);
    if (r < 0) {
        for (size_t i = 0; i < d->n_accounts; i++)
            http_request_free(requests[i]);
        return r;
    }
    r = exchange(d->aws.conf->aws.ca_bundle, requests, d->n_accounts, replies);
    for (size_t i = 0; i < d->n_accounts; i++) {
        if (r >= 0 && replies[i]) {
            r = take_reply(&d->accounts[i], replies[i]);
            again |= r > 0;
        }
        http_reply_free(replies[i]);
    }
    return r < 0 ? r : again;
}

int doctor_ask_identities(Doctor *d) {
    int r = ask_once(d);
    return r > 0 ? ask_once(d) : r;
}

/* --- the checks --- */

/* What is said of a failure is one sentence and, behind "; HINT: ", what to do. */
static int add_problem(Doctor *d, const char *object, const char *name, const char *why, const char *hint) {
    const char *cut = strstr(why, "; HINT: ");
    AUTO_FREE char *detail = strndup(why, cut ? (size_t)(cut - why) : strlen(why));
    return detail ? doctor_add(d, object, name, CHECK_FAILED, detail, cut ? cut + strlen("; HINT: ") : hint) : -ENOMEM;
}

static int check_credentials(Doctor *d, const DoctorAccount *a) {
    AUTO_TEXT t = TEXT_INIT(4096);
    char until[DATE_ISO_SIZE];
    const Credentials *c = a->fetched->found;
    if (!c)
        return add_problem(d, a->fetched->account, "credentials", a->fetched->why, NULL);
    if (d->aws.conf->aws.unsigned_requests == SWITCH_ON)
        text_add(&t, "aws.unsigned: requests carry no signatures");
    else
        text_addf(&t, "key %.4s... from %s, good %s%s", c->access_key_id, c->source,
                  c->expires_wall == USEC_INFINITY ? "until it is replaced" : "until ",
                  c->expires_wall == USEC_INFINITY ? "" : words_time(c->expires_wall, until));
    return doctor_add(d, a->fetched->account, "credentials", CHECK_OK, text_get(&t), NULL);
}

static bool share_region(const Doctor *d, const DoctorAccount *a, const DoctorAccount *b) {
    for (size_t i = 0; i < d->places.n_items; i++)
        for (size_t j = 0; j < d->places.n_items; j++)
            if (d->asked[i].account == a && d->asked[j].account == b &&
                text_equal(d->places.items[i].region, d->places.items[j].region))
                return true;
    return false;
}

static int check_identity(Doctor *d, const DoctorAccount *a) {
    if (a->identity_problem)
        return add_problem(d, a->fetched->account, "identity", a->identity_problem,
                           "it says who the keys are of, and needs no permission: check keys, network and "
                           "aws.sts_endpoint_url");
    if (!a->identity.arn)
        return 0;
    for (const DoctorAccount *b = d->accounts; b < a; b++)
        if (text_equal(b->identity.account, a->identity.account) && share_region(d, a, b)) {
            AUTO_TEXT t = TEXT_INIT(4096);
            text_addf(&t, "%s, the same AWS account as %s in the same region", a->identity.arn, b->fetched->account);
            return doctor_add(d, a->fetched->account, "identity", CHECK_WARNING, text_get(&t),
                              "tables that both select are backed up twice: correct role_arn, or take one account out");
        }
    return doctor_add(d, a->fetched->account, "identity", CHECK_OK, a->identity.arn, NULL);
}

int doctor_check_accounts(Doctor *d) {
    int r = 0;
    for (size_t i = 0; r >= 0 && i < d->n_accounts; i++) {
        r = check_credentials(d, &d->accounts[i]);
        if (r >= 0)
            r = check_identity(d, &d->accounts[i]);
    }
    return r;
}
