#pragma once
/* ARNs of tables, backups and exports: arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME[/KIND/ID]. */

#include <stdbool.h>

#include "base/text.h"

#define SERVICE_REGION_SIZE 32
#define SERVICE_ID_SIZE 24 /* "01791504762511-2779fadd" */

typedef struct ServiceArn {
    char partition[16];
    char service[16];
    char region[SERVICE_REGION_SIZE];
    char account[16];
    char table[256];
    char kind[16]; /* "", "backup", "export", "index", "stream", ... */
    char id[256];
} ServiceArn;

/* -EINVAL when it has not this form; the parts are not checked further. */
int service_arn_parse(const char *s, ServiceArn *ret);
/* "" for kind and id makes the table's own. */
int service_arn_add(Text *t, const char *region, const char *account, const char *table, const char *kind,
                    const char *id);

/* Has it the form of a region that AWS could have ("eu-central-1")? */
bool service_region_is_valid(const char *region);
const char *service_region_partition(const char *region);
