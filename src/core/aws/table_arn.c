#include "core/aws/table_arn.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool table_arn_parse(const char *s, TableArn *ret) {
    static const char service[] = ":dynamodb:", kind[] = ":table/";
    TableArn arn = {};
    if (!text_starts_with(s, "arn:"))
        return false;
    s += strlen("arn:");
    s += strcspn(s, ":");
    if (!text_starts_with(s, service))
        return false;
    arn.region = s + strlen(service);
    arn.region_len = strcspn(arn.region, ":");
    s = arn.region + arn.region_len;
    if (arn.region_len == 0 || *s != ':' || strspn(s + 1, "0123456789") != 12)
        return false;
    arn.account_id = s + 1;
    s += 13;
    if (!text_starts_with(s, kind))
        return false;
    arn.table = s + strlen(kind);
    *ret = arn;
    return true;
}

const char *table_arn_account_id(const char *s, char buffer[static 13]) {
    TableArn arn;
    bool is_one = s && table_arn_parse(s, &arn);
    snprintf(buffer, 13, "%.12s", is_one ? arn.account_id : "");
    return buffer;
}
