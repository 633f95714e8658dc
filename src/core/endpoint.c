#include "core/endpoint.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* As in the SDKs' partitions.json. */
static const struct {
    const char *prefix, *global; /* of the partition's regions; its one region without a place */
    EndpointPartition partition;
} partitions[] = {
    {"cn-", "aws-cn-global", {"aws-cn", "amazonaws.com.cn"}},
    {"eusc-", "aws-eusc-global", {"aws-eusc", "amazonaws.eu"}},
    {"us-gov-", "aws-us-gov-global", {"aws-us-gov", "amazonaws.com"}},
    {"us-iso-", "aws-iso-global", {"aws-iso", "c2s.ic.gov"}},
    {"us-isob-", "aws-iso-b-global", {"aws-iso-b", "sc2s.sgov.gov"}},
    {"eu-isoe-", "aws-iso-e-global", {"aws-iso-e", "cloud.adc-e.uk"}},
    {"us-isof-", "aws-iso-f-global", {"aws-iso-f", "csp.hci.ic.gov"}},
};

const EndpointPartition *endpoint_partition(const char *region) {
    static const EndpointPartition standard = {"aws", "amazonaws.com"};
    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        if (text_starts_with(region, partitions[i].prefix) || strcmp(region, partitions[i].global) == 0)
            return &partitions[i].partition;
    return &standard;
}

bool endpoint_region_is_valid(const char *region) {
    size_t n = strlen(region);
    return n >= 1 && n <= 63 && strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

int endpoint_url(const char *configured, const char *region, char **ret) {
    if (!endpoint_region_is_valid(region))
        return -EINVAL;
    char *url;
    if (configured) {
        const char *host = strstr(configured, "://");
        url = text_format("%s%s", configured, host && strchr(host + 3, '/') ? "" : "/");
    } else
        url = text_format("https://dynamodb.%s.%s/", region, endpoint_partition(region)->suffix);
    if (!url)
        return -ENOMEM;
    *ret = url;
    return 0;
}
