#include "core/credentials/sso.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/aws/endpoint.h"
#include "core/credentials/sts.h"
#include "core/format/digest.h"

#define TIMEOUT_USEC (60 * USEC_PER_SEC)

int sso_cache_path(const char *name, char **ret) {
    char hex[DIGEST_SHA1_HEX_SIZE];
    int r = digest_sha1_hex(name, strlen(name), hex);
    if (r < 0)
        return r;
    return (*ret = text_format("~/.aws/sso/cache/%s.json", hex)) ? 0 : -ENOMEM;
}

int sso_endpoint(const char *configured, const char *region, char **ret) {
    if (!endpoint_region_is_valid(region))
        return -EINVAL;
    char *url = configured ? strdup(configured)
                           : text_format("https://portal.sso.%s.%s", region, endpoint_partition(region)->suffix);
    if (!url)
        return -ENOMEM;
    *ret = url;
    return 0;
}

int sso_request(const char *endpoint, const char *account, const char *role, const char *token, HttpRequest **ret) {
    AUTO_TEXT url = TEXT_INIT(8192);
    size_t n = strlen(endpoint);
    CLEANUP(http_request_free_ptr) HttpRequest *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    text_addf(&url, "%.*s/federation/credentials?role_name=", (int)(n > 0 && endpoint[n - 1] == '/' ? n - 1 : n),
              endpoint);
    sts_add_encoded(&url, role);
    text_add(&url, "&account_id=");
    sts_add_encoded(&url, account);
    int r = text_take(&url, &q->url);
    if (r < 0 || (r = http_headers_add(&q->headers, "x-amz-sso_bearer_token", token)) < 0)
        return r;
    q->method = HTTP_GET;
    q->repeatable = true;
    q->connect_timeout_usec = q->timeout_usec = TIMEOUT_USEC;
    q->max_reply = 64u << 10;
    *ret = TAKE_PTR(q);
    return 0;
}
