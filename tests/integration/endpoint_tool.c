/* Resolves endpoints for tests/integration/test_endpoints.py, as the daemon does: endpoint_tool CONFIG SERVICE, with
 * its environment. Prints the URL and the region that signatures name, or "! " and what stands in the way. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/aws/endpoint.h"
#include "core/conf/conf_client.h"
#include "io/aws_defaults.h"
#include "io/conf_file.h"
#include "io/region.h"

static int resolve(const char *path, EndpointService service, char **ret_problem) {
    CLEANUP(conf_problems_done) ConfProblems problems = {};
    CLEANUP(conf_free_ptr) Conf *c = NULL;
    AUTO_FREE char *region = NULL, *url = NULL;
    int r = conf_file_load(path, &problems, &c, NULL);
    if (r < 0 && problems.n_items > 0)
        *ret_problem = strdup(problems.items[0]);
    if (r < 0 || (r = aws_defaults_fill(c, ret_problem)) < 0 || (r = region_find(c, &region, ret_problem)) < 0)
        return r;
    EndpointWish wish = conf_endpoint_wish(c, service);
    if ((r = endpoint_url(&wish, region, &url)) >= 0)
        printf("%s %s\n", url, endpoint_signing_region(&wish, region));
    return r;
}

int main(int argc, char **argv) {
    AUTO_FREE char *problem = NULL;
    if (argc != 3)
        return 2;
    EndpointService service = ENDPOINT_DYNAMODB;
    for (EndpointService s = ENDPOINT_DYNAMODB; s <= ENDPOINT_KMS; s++)
        if (strcmp(argv[2], endpoint_service_name(s)) == 0)
            service = s;
    int r = resolve(argv[1], service, &problem);
    if (r < 0)
        printf("! %s\n", problem ? problem : strerror(-r));
    return 0;
}
