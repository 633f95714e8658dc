#include "core/credentials/sts.h"

#include <errno.h>

#include "unit.h"

#define ARN "arn:aws:iam::111111111111:user/x"
#define UNREADABLE "STS gave an answer that cannot be read"
#define IDENTITY(arn, account)                                                                                         \
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"         \
    "<Arn>" arn "</Arn><UserId>AIDA</UserId><Account>" account                                                         \
    "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"

static void an_identity_is_read(void **state) {
    static const struct {
        HttpOutcome outcome;
        int status;
        const char *body, *arn, *why; /* or */
    } rows[] = {
        {HTTP_REPLIED, 200, IDENTITY(ARN, "111111111111"), ARN, ""},
        {HTTP_REPLIED, 200, IDENTITY("", "111111111111"), NULL, UNREADABLE},
        {HTTP_REPLIED, 200, IDENTITY("arn:aws:iam::1:user/&#27;[2J", "1"), NULL, UNREADABLE},
        {HTTP_REPLIED, 200, "<html>", NULL, UNREADABLE},
        {HTTP_REPLIED, 200, "", NULL, UNREADABLE},
        {HTTP_REPLIED, 403,
         "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>", NULL,
         "STS answered 403 InvalidClientTokenId: no"},
        {HTTP_NOT_SENT, 0, NULL, NULL, "STS cannot be asked: no reply"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(sts_identity_done) StsIdentity identity = {};
        AUTO_TEXT why = TEXT_INIT(1024);
        StsError error;
        HttpReply reply = {.outcome = rows[i].outcome,
                           .status = rows[i].status,
                           .body = (char *)rows[i].body,
                           .body_len = rows[i].body ? strlen(rows[i].body) : 0};
        int r = sts_identity_reply(&reply, &identity, &error, &why);
        if (r != (rows[i].arn ? 0 : -EREMOTEIO) || !text_equal(identity.arn, rows[i].arn) ||
            strcmp(text_get(&why), rows[i].why) != 0)
            fail_msg("row %zu: %d, %s, %s", i, r, identity.arn ? identity.arn : "-", text_get(&why));
    }
}

static void an_identity_is_asked_for_in_a_signed_request(void **state) {
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    CLEANUP(http_request_free_ptr) HttpRequest *q = NULL;
    assert_int_equal(credentials_new("AKID", "secret", "token", USEC_INFINITY, &c), 0);
    StsCall call = {.url = "https://sts.eu-west-1.amazonaws.com/", .region = "eu-west-1", .credentials = c, .wall = 0};
    assert_int_equal(sts_identity_request(&call, &q), 0);
    assert_string_equal(q->body, "Action=GetCallerIdentity&Version=2011-06-15");
    assert_non_null(strstr(http_headers_get(&q->headers, "Authorization"), "AKID/19700101/eu-west-1/sts/aws4_request"));
    assert_string_equal(http_headers_get(&q->headers, "X-Amz-Security-Token"), "token");
}

UNIT_MAIN(cmocka_unit_test(an_identity_is_read), cmocka_unit_test(an_identity_is_asked_for_in_a_signed_request))
