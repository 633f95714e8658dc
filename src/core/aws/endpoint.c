#include "core/aws/endpoint.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* The region of a DynamoDB that runs here. */
#define LOCAL "local"

static const EndpointPartition standard = {"aws", "amazonaws.com", "api.aws"};

static const struct {
    const char *prefix, *global; /* of the partition's regions; its one region without a place */
    EndpointPartition partition;
} partitions[] = {
    {"cn-", "aws-cn-global", {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"}},
    {"eusc-de-", "aws-eusc-global", {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"}},
    {"us-gov-", "aws-us-gov-global", {"aws-us-gov", "amazonaws.com", "api.aws"}},
    {"us-iso-", "aws-iso-global", {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"}},
    {"us-isob-", "aws-iso-b-global", {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"}},
    {"eu-isoe-", "aws-iso-e-global", {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"}},
    {"us-isof-", "aws-iso-f-global", {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"}},
};

/* The prefix, a word and a number: "us-gov-west-1". */
static bool is_of(const char *region, const char *prefix) {
    if (!text_starts_with(region, prefix))
        return false;
    const char *word = region + strlen(prefix), *dash = word + strspn(word, LOWER DIGITS);
    size_t n_digits = dash > word && *dash == '-' ? strspn(dash + 1, DIGITS) : 0;
    return n_digits > 0 && dash[1 + n_digits] == '\0';
}

const EndpointPartition *endpoint_partition(const char *region) {
    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        if (is_of(region, partitions[i].prefix) || strcmp(region, partitions[i].global) == 0)
            return &partitions[i].partition;
    return &standard;
}

bool endpoint_region_is_valid(const char *region) {
    size_t n = strlen(region);
    return n >= 1 && n <= 63 && strspn(region, LOWER DIGITS "-") == n;
}

/* Regions that "legacy" sends to STS's global host, as in the SDKs' rule set. */
static bool is_legacy_region(const char *region) {
    static const char *const regions[] = {
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1",
        "eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3",  "sa-east-1",
        "us-east-1",      "us-east-2",  "us-west-1",      "us-west-2"};
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
        if (strcmp(region, regions[i]) == 0)
            return true;
    return false;
}

static bool is_global(const EndpointWish *w, const char *region) {
    return w->service == ENDPOINT_STS && !w->configured && !w->fips && !w->dual_stack &&
           (w->legacy ? is_legacy_region(region) : strcmp(region, "aws-global") == 0);
}

const char *endpoint_service_name(EndpointService s) {
    static const char *const names[] = {
        [ENDPOINT_DYNAMODB] = "dynamodb", [ENDPOINT_STS] = "sts", [ENDPOINT_S3] = "s3", [ENDPOINT_KMS] = "kms"};
    return names[s];
}

static bool is_under(const char *host, size_t len, const char *suffix) {
    size_t n = strlen(suffix);
    return len > n && host[len - n - 1] == '.' && strncasecmp(host + len - n, suffix, n) == 0;
}

bool endpoint_is_amazon(const char *host, size_t len) {
    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        if (is_under(host, len, partitions[i].partition.suffix) ||
            is_under(host, len, partitions[i].partition.dual_suffix))
            return true;
    return is_under(host, len, standard.suffix) || is_under(host, len, standard.dual_suffix);
}

static char *url_of(const EndpointWish *w, const char *region) {
    const EndpointPartition *p = endpoint_partition(region);
    if (is_global(w, region))
        return strdup("https://sts.amazonaws.com/");
    bool global = w->service == ENDPOINT_S3 && strcmp(region, "aws-global") == 0;
    if (global && !w->fips && !w->dual_stack)
        return strdup("https://s3.amazonaws.com/");
    if (w->service == ENDPOINT_S3) /* it has a scheme of its own, in the partition's usual domain */
        return text_format("https://s3%s%s.%s.%s/", w->fips ? "-fips" : "", w->dual_stack ? ".dualstack" : "",
                           global ? "us-east-1" : region, p->suffix);
    /* in GovCloud every host is one with FIPS, and of these KMS alone says so */
    bool named = w->fips && (w->dual_stack || w->service == ENDPOINT_KMS || strcmp(p->name, "aws-us-gov") != 0);
    return text_format("https://%s%s.%s.%s/", endpoint_service_name(w->service), named ? "-fips" : "", region,
                       w->dual_stack ? p->dual_suffix : p->suffix);
}

int endpoint_url(const EndpointWish *w, const char *region, char **ret) {
    bool local = w->service == ENDPOINT_DYNAMODB && strcmp(region, LOCAL) == 0;
    if (!endpoint_region_is_valid(region))
        return -EINVAL;
    bool no_fips = w->service == ENDPOINT_S3 && w->fips && strcmp(endpoint_partition(region)->name, "aws-cn") == 0;
    if (!w->configured && ((local && (w->fips || w->dual_stack)) || no_fips))
        return -EOPNOTSUPP;
    char *url;
    if (w->configured) {
        const char *host = strstr(w->configured, "://");
        url = text_format("%s%s", w->configured, host && strchr(host + 3, '/') ? "" : "/");
    } else
        url = local ? strdup("http://localhost:8000/") : url_of(w, region);
    if (!url)
        return -ENOMEM;
    *ret = url;
    return 0;
}

const char *endpoint_signing_region(const EndpointWish *w, const char *region) {
    bool nowhere =
        w->service != ENDPOINT_KMS && strcmp(region, w->service == ENDPOINT_DYNAMODB ? LOCAL : "aws-global") == 0;
    return (nowhere && !w->configured) || is_global(w, region) ? "us-east-1" : region;
}
