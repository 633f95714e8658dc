#pragma once
/* The ARN of a table: arn:aws:dynamodb:eu-central-1:111111111111:table/orders */

#include <stdbool.h>
#include <stddef.h>

typedef struct TableArn {
    const char *region; /* region_len bytes */
    size_t region_len;
    const char *account_id; /* 12 digits */
    const char *table;      /* to the end */
} TableArn;

/* Is it one, or the beginning of one up to the name? Points into `s`. The name is not looked at. */
bool table_arn_parse(const char *s, TableArn *ret);
/* The 12 digits of it; "" when it is none (NULL is none). */
const char *table_arn_account_id(const char *s, char buffer[static 13]);
