/* Finds credentials as the daemon does, for tests/integration/test_credentials.py: credentials_tool REGION [PROFILE].
 * Prints "ok", key id, secret, token and expiry (seconds, or "-"), or "failed", the kind and why; one a line. */

#include <stdio.h>
#include <string.h>

#include "core/conf.h"
#include "io/credentials_fetch.h"

int main(int argc, char **argv) {
    static const char *const kinds[] = {
        [PROVIDER_FAILURE_NONE] = "none",       [PROVIDER_FAILURE_NO_SOURCE] = "no_source",
        [PROVIDER_FAILURE_PARTIAL] = "partial", [PROVIDER_FAILURE_CONFIG] = "config",
        [PROVIDER_FAILURE_RETRIEVAL] = "retrieval",
    };
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    AUTO_TEXT why = TEXT_INIT(8192);
    ProviderFailure failure = PROVIDER_FAILURE_NONE;
    Conf conf = {.aws.profile = argc > 2 ? argv[2] : NULL};
    int r = argc < 2 ? -1 : credentials_fetch(&conf, argv[1], &c, &why, &failure);
    if (!c && failure == PROVIDER_FAILURE_NONE) {
        fprintf(stderr, "credentials_tool: %s\n", strerror(-r));
        return 1;
    }
    if (!c) {
        printf("failed\n%s\n%s\n", kinds[failure], text_get(&why));
        return 0;
    }
    printf("ok\n%s\n%s\n%s\n", c->access_key_id, c->secret_access_key.bytes,
           c->session_token.bytes ? c->session_token.bytes : "-");
    if (c->expires_wall == USEC_INFINITY)
        printf("-\n");
    else
        printf("%lld\n", (long long)(c->expires_wall / USEC_PER_SEC));
    return 0;
}
