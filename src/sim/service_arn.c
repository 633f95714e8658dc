#include "sim/service_arn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Copies up to the separator (or the end) and moves past it. */
static int take_part(const char **s, char separator, char *to, size_t size) {
    const char *end = strchr(*s, separator);
    size_t n = end ? (size_t)(end - *s) : strlen(*s);
    if (n >= size)
        return -EINVAL;
    memcpy(to, *s, n);
    to[n] = '\0';
    *s += n + (end ? 1 : 0);
    return end ? 1 : 0;
}

int service_arn_parse(const char *s, ServiceArn *ret) {
    ServiceArn a = {};
    char prefix[8];
    if (take_part(&s, ':', prefix, sizeof prefix) <= 0 || strcmp(prefix, "arn") != 0 ||
        take_part(&s, ':', a.partition, sizeof a.partition) <= 0 ||
        take_part(&s, ':', a.service, sizeof a.service) <= 0 || take_part(&s, ':', a.region, sizeof a.region) <= 0 ||
        take_part(&s, ':', a.account, sizeof a.account) <= 0 || !text_starts_with(s, "table/"))
        return -EINVAL;
    s += strlen("table/");
    int more = take_part(&s, '/', a.table, sizeof a.table);
    if (more < 0 || !a.table[0])
        return -EINVAL;
    if (more > 0 && (take_part(&s, '/', a.kind, sizeof a.kind) <= 0 || strlen(s) >= sizeof a.id || !*s || !a.kind[0]))
        return -EINVAL;
    snprintf(a.id, sizeof a.id, "%s", more > 0 ? s : "");
    *ret = a;
    return 0;
}

int service_arn_add(Text *t, const char *region, const char *account, const char *table, const char *kind,
                    const char *id) {
    text_addf(t, "arn:%s:dynamodb:%s:%s:table/%s", service_region_partition(region), region, account, table);
    return *kind ? text_addf(t, "/%s/%s", kind, id) : t->error;
}

bool service_region_is_valid(const char *region) {
    static const char *const areas[] = {"af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us"};
    size_t n = strcspn(region, "-"), length = strlen(region);
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(areas); i++)
        known |= strlen(areas[i]) == n && strncmp(areas[i], region, n) == 0;
    if (!known || length >= SERVICE_REGION_SIZE || length < n + 4)
        return false;
    const char *rest = region + n + 1, *number = strrchr(region, '-') + 1;
    return strspn(rest, "abcdefghijklmnopqrstuvwxyz-") == (size_t)(number - rest) && number - rest > 2 && number[0] &&
           strspn(number, "0123456789") == strlen(number);
}

const char *service_region_partition(const char *region) {
    return text_starts_with(region, "cn-")       ? "aws-cn"
           : text_starts_with(region, "us-gov-") ? "aws-us-gov"
           : text_starts_with(region, "eusc-")   ? "aws-eusc"
                                                 : "aws";
}
