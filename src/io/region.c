#include "io/region.h"

#include <errno.h>

#include "base/text.h"
#include "core/conf/conf_check.h"
#include "io/credentials_source.h"
#include "io/imds_region.h"

int region_find(const Conf *c, char **ret, char **ret_problem) {
    AUTO_FREE char *region = NULL, *imds_problem = NULL, *problem = NULL;
    AUTO_TEXT why = TEXT_INIT(512);
    if (c->aws.region)
        return text_set(ret, c->aws.region);
    int r = credentials_source_region(c->aws.profile, &region);
    if (r == -ENOENT && !conf_needs_region(c))
        return 0;
    if (r == -ENOENT)
        r = imds_region(c, &region, &imds_problem);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r < 0)
        problem = text_format("aws.region: is not set, neither the environment nor the profile has one, and %s; HINT: "
                              "set aws.region, or AWS_REGION",
                              imds_problem);
    else if (!*region || !check_region(region, &why))
        problem = text_format("aws.region: is not set, and \"%.100s\" of the environment or the profile %s", region,
                              *region ? text_get(&why) : "is empty");
    else {
        free(*ret);
        *ret = TAKE_PTR(region);
        return 0;
    }
    if (!problem)
        return -ENOMEM;
    free(*ret_problem);
    *ret_problem = TAKE_PTR(problem);
    return r < 0 ? r : -EINVAL;
}
