#pragma once
/* Where the service of a region is. Regions fall into partitions, each with its own domain and its own ARNs. */

#include <stdbool.h>

typedef struct EndpointPartition {
    const char *name;   /* second field of an ARN: "aws", "aws-cn" */
    const char *suffix; /* of its services' host names: "amazonaws.com" */
} EndpointPartition;

/* Of regions that nobody has told us of, the partition "aws". Never NULL. */
const EndpointPartition *endpoint_partition(const char *region);

/* Fit for a host name: [a-z0-9-], 1 to 63. */
bool endpoint_region_is_valid(const char *region);

/* https://dynamodb.<region>.<suffix>/, or the configured URL (NULL: none) with "/" where it has no path.
 * -EINVAL: no valid region; -ENOMEM. */
int endpoint_url(const char *configured, const char *region, char **ret);
