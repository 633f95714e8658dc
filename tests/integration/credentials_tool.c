/* Finds credentials as the daemon does, for tests/integration/test_credentials.py: credentials_tool REGION [PROFILE].
 * Prints "ok", key id, secret, token and expiry (seconds, or "-"), or "failed", the kind and why; one a line. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/conf/conf.h"
#include "io/aws_defaults.h"
#include "io/credentials_fetch.h"

int main(int argc, char **argv) {
    static const char *const kinds[] = {
        [PROVIDER_FAILURE_NONE] = "none",       [PROVIDER_FAILURE_NO_SOURCE] = "no_source",
        [PROVIDER_FAILURE_PARTIAL] = "partial", [PROVIDER_FAILURE_CONFIG] = "config",
        [PROVIDER_FAILURE_RETRIEVAL] = "retrieval",
    };
    CLEANUP(conf_free_ptr) Conf *conf = calloc(1, sizeof *conf);
    CLEANUP(fetched_done) Fetched fetched = {};
    AUTO_FREE char *problem = NULL;
    if (argc < 2 || !conf || text_set(&conf->aws.profile, argc > 2 ? argv[2] : NULL) < 0)
        return 2;
    if (aws_defaults_fill(conf, &problem) < 0) {
        printf("failed\nconfig\n%s\n", problem);
        return 0;
    }
    int r = credentials_fetch(conf, argv[1], &fetched);
    if (r < 0) {
        fprintf(stderr, "credentials_tool: %s\n", strerror(-r));
        return 1;
    }
    const FetchedAccount *a = &fetched.items[0];
    if (!a->found) {
        printf("failed\n%s\n%s\n", kinds[a->failure], a->why);
        return 0;
    }
    const Credentials *c = a->found;
    printf("ok\n%s\n%s\n%s\n", c->access_key_id, c->secret_access_key.bytes,
           c->session_token.bytes ? c->session_token.bytes : "-");
    if (c->expires_wall == USEC_INFINITY)
        printf("-\n");
    else
        printf("%lld\n", (long long)(c->expires_wall / USEC_PER_SEC));
    return 0;
}
