#include "core/conf/conf_client.h"

ClientSettings conf_client_settings(const Conf *c, const char *user_agent) {
    return (ClientSettings){
        .endpoint_url = c->aws.endpoint_url,
        .s3_endpoint_url = c->aws.s3_endpoint_url,
        .kms_endpoint_url = c->aws.kms_endpoint_url,
        .fips = c->aws.fips == SWITCH_ON,
        .dual_stack = c->aws.dual_stack == SWITCH_ON,
        .unsigned_requests = c->aws.unsigned_requests == SWITCH_ON,
        .keeps_rate = c->aws.retry_mode == RETRY_MODE_STANDARD,
        .connect_timeout_usec = c->aws.connect_timeout_usec,
        .read_timeout_usec = c->aws.read_timeout_usec,
        .max_attempts = c->aws.max_attempts > 0 ? c->aws.max_attempts : CONF_MAX_ATTEMPTS,
        .rate_share = c->limits.rate_share,
        .user_agent = user_agent,
    };
}

static const char *configured(const Conf *c, EndpointService service) {
    switch (service) {
    case ENDPOINT_STS:
        return c->aws.sts_endpoint_url;
    case ENDPOINT_S3:
        return c->aws.s3_endpoint_url;
    case ENDPOINT_KMS:
        return c->aws.kms_endpoint_url;
    case ENDPOINT_DYNAMODB:
        break;
    }
    return c->aws.endpoint_url;
}

EndpointWish conf_endpoint_wish(const Conf *c, EndpointService service) {
    return (EndpointWish){
        .service = service,
        .configured = configured(c, service),
        .fips = c->aws.fips == SWITCH_ON,
        .dual_stack = c->aws.dual_stack == SWITCH_ON,
        .legacy = c->aws.sts_legacy,
    };
}
