#pragma once
/* Inside the client: as whom it asks, whom, and how fast. Accounts, endpoints and rates come into being with the first
 * call that needs them, and stay; they follow the settings. */

#include "core/aws/aws_op.h"
#include "core/aws/call.h"

/* One account's view of one region. */
typedef struct Site {
    Account *account;
    const char *region; /* its endpoints' */
    RetryQuota quota;
    Lane lanes[AWS_OP_N];
    Usec recent[]; /* of the buckets that keep seconds */
} Site;

typedef struct Sites {
    ClientSettings settings; /* its strings are owned */
    Account **accounts;
    size_t n_accounts, n_accounts_room;
    Endpoint **endpoints;
    size_t n_endpoints, n_endpoints_room;
    Site **items;
    size_t n_items, n_items_room;
} Sites;

/* Copies the settings; endpoints and rates are as they say. -ENOMEM. */
int sites_configure(Sites *s, const ClientSettings *settings);
void sites_done(Sites *s);

int sites_account(Sites *s, const char *name, Account **ret);
int sites_lane(Sites *s, const char *account, const char *region, AwsOp op, Now now, Lane **ret);
/* What was derived from the account's secret. */
void sites_wipe_keys(Sites *s, const Account *a);
