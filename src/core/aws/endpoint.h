#pragma once
/* Where a service of a region is. Regions fall into partitions, each with its own domains and its own ARNs. The rules
 * are those of the SDKs' endpoint rule sets (botocore: partitions.json, endpoint-rule-set-1.json). */

#include <stdbool.h>
#include <stddef.h>

typedef struct EndpointPartition {
    const char *name;        /* second field of an ARN: "aws", "aws-cn" */
    const char *suffix;      /* of its services' host names: "amazonaws.com" */
    const char *dual_suffix; /* of those that answer over IPv6, too: "api.aws" */
} EndpointPartition;

/* Of regions that nobody has told us of, the partition "aws". Never NULL. */
const EndpointPartition *endpoint_partition(const char *region);

/* Fit for a host name: [a-z0-9-], 1 to 63. */
bool endpoint_region_is_valid(const char *region);

/* Is it a host of AWS, of any partition? */
bool endpoint_is_amazon(const char *host, size_t len);

typedef enum EndpointService { ENDPOINT_DYNAMODB, ENDPOINT_STS, ENDPOINT_S3, ENDPOINT_KMS } EndpointService;

/* As host names and signatures have it: "dynamodb". */
const char *endpoint_service_name(EndpointService s);

typedef struct EndpointWish {
    EndpointService service;
    const char *configured; /* a URL that is taken as it is; NULL: none */
    bool fips, dual_stack;  /* of hosts that are not configured */
    bool legacy;            /* STS: its oldest regions share the global host, without FIPS and dual stack */
} EndpointWish;

/* The URL, with "/" where it has no path. -EINVAL: no valid region; -EOPNOTSUPP: FIPS or dual stack with the
 * region "local", which has neither, or FIPS with S3 in China; -ENOMEM. */
int endpoint_url(const EndpointWish *wish, const char *region, char **ret);
/* What signatures name as the region. */
const char *endpoint_signing_region(const EndpointWish *wish, const char *region);
