#include "core/aws/sites.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "core/aws/endpoint.h"
#include "core/aws/limits.h"

static void account_free(Account *a) {
    if (!a)
        return;
    free(a->name);
    credentials_free(a->credentials);
    free(a);
}
DEFINE_CLEANUP(Account, account_free)

static void endpoint_free(Endpoint *e) {
    if (!e)
        return;
    free(e->region);
    free(e->url);
    free(e);
}
DEFINE_CLEANUP(Endpoint, endpoint_free)

static void settings_done(ClientSettings *s) {
    free((char *)s->endpoint_url);
    free((char *)s->s3_endpoint_url);
    free((char *)s->kms_endpoint_url);
    free((char *)s->user_agent);
}

static int settings_copy(const ClientSettings *from, ClientSettings *ret) {
    AUTO_FREE char *url = NULL, *s3_url = NULL, *kms_url = NULL, *agent = NULL;
    if (text_set(&url, from->endpoint_url) < 0 || text_set(&s3_url, from->s3_endpoint_url) < 0 ||
        text_set(&kms_url, from->kms_endpoint_url) < 0 ||
        text_set(&agent, from->user_agent ? from->user_agent : "ddbackupd") < 0)
        return -ENOMEM;
    *ret = *from;
    ret->endpoint_url = TAKE_PTR(url);
    ret->s3_endpoint_url = TAKE_PTR(s3_url);
    ret->kms_endpoint_url = TAKE_PTR(kms_url);
    ret->user_agent = TAKE_PTR(agent);
    return 0;
}

/* What cannot be reached so has no URL: its calls are refused, one by one. */
static int endpoint_set_url(Endpoint *e, const ClientSettings *s) {
    EndpointWish wish = {.service = e->service,
                         .configured = e->service == ENDPOINT_S3    ? s->s3_endpoint_url
                                       : e->service == ENDPOINT_KMS ? s->kms_endpoint_url
                                                                    : s->endpoint_url,
                         .fips = s->fips,
                         .dual_stack = s->dual_stack};
    char *url = NULL;
    int r = endpoint_url(&wish, e->region, &url);
    if (r < 0 && r != -EINVAL && r != -EOPNOTSUPP)
        return r;
    e->signing_region = endpoint_signing_region(&wish, e->region);
    if (!text_equal(e->url, url))
        e->offset_usec = 0;
    free(e->url);
    e->url = url;
    return 0;
}

int sites_account(Sites *s, const char *name, Account **ret) {
    for (size_t i = 0; i < s->n_accounts; i++)
        if (strcmp(s->accounts[i]->name, name) == 0) {
            *ret = s->accounts[i];
            return 0;
        }
    CLEANUP(account_free_ptr) Account *a = calloc(1, sizeof *a);
    if (!a || text_set(&a->name, name) < 0 || ARRAY_GROW(s->accounts, s->n_accounts, s->n_accounts_room) < 0)
        return -ENOMEM;
    *ret = s->accounts[s->n_accounts++] = TAKE_PTR(a);
    return 0;
}

static int find_endpoint(Sites *s, EndpointService service, const char *region, Endpoint **ret) {
    for (size_t i = 0; i < s->n_endpoints; i++)
        if (s->endpoints[i]->service == service && strcmp(s->endpoints[i]->region, region) == 0) {
            *ret = s->endpoints[i];
            return 0;
        }
    CLEANUP(endpoint_free_ptr) Endpoint *e = calloc(1, sizeof *e);
    if (!e || text_set(&e->region, region) < 0 || ARRAY_GROW(s->endpoints, s->n_endpoints, s->n_endpoints_room) < 0)
        return -ENOMEM;
    e->service = service;
    int r = endpoint_set_url(e, &s->settings);
    if (r < 0)
        return r;
    *ret = s->endpoints[s->n_endpoints++] = TAKE_PTR(e);
    return 0;
}

int sites_lane(Sites *s, const char *account, const char *region, AwsOp op, Now now, Lane **ret) {
    for (size_t i = 0; i < s->n_items; i++)
        if (strcmp(s->items[i]->account->name, account) == 0 && strcmp(s->items[i]->region, region) == 0) {
            *ret = &s->items[i]->lanes[op];
            return 0;
        }
    size_t n_recent = 0;
    for (size_t i = 0; i < AWS_OP_N; i++)
        n_recent += (size_t)limits[i].per_second;
    AUTO_FREE Site *site = calloc(1, sizeof *site + n_recent * sizeof site->recent[0]);
    if (!site || ARRAY_GROW(s->items, s->n_items, s->n_items_room) < 0)
        return -ENOMEM;
    int r = sites_account(s, account, &site->account);
    if (r < 0)
        return r;
    double share = s->settings.rate_share;
    site->quota.left = RETRY_QUOTA;
    Usec *recent = site->recent;
    for (size_t i = 0; i < AWS_OP_N; i++) {
        Endpoint *endpoint;
        if ((r = find_endpoint(s, aws_ops[i].service, region, &endpoint)) < 0)
            return r;
        site->region = endpoint->region;
        site->lanes[i] = (Lane){
            .account = site->account,
            .endpoint = endpoint,
            .quota = &site->quota,
            .bucket = bucket_make(limits[i].rate * share, limits[i].burst * share, now.mono),
            .ready = HEAP_NODE(&site->lanes[i]),
        };
        if (limits[i].per_second > 0)
            bucket_keep_seconds(&site->lanes[i].bucket, recent, limits[i].per_second);
        recent += limits[i].per_second;
    }
    *ret = &site->lanes[op];
    s->items[s->n_items++] = TAKE_PTR(site);
    return 0;
}

int sites_configure(Sites *s, const ClientSettings *settings) {
    ClientSettings copy;
    int r = settings_copy(settings, &copy);
    if (r < 0)
        return r;
    settings_done(&s->settings);
    s->settings = copy;
    for (size_t i = 0; i < s->n_endpoints; i++)
        if ((r = endpoint_set_url(s->endpoints[i], &s->settings)) < 0)
            return r;
    for (size_t i = 0; i < s->n_items; i++)
        for (size_t op = 0; op < AWS_OP_N; op++)
            bucket_configure(&s->items[i]->lanes[op].bucket, limits[op].rate * copy.rate_share,
                             limits[op].burst * copy.rate_share);
    return 0;
}

void sites_wipe_keys(Sites *s, const Account *a) {
    for (size_t i = 0; i < s->n_items; i++)
        for (size_t op = 0; op < AWS_OP_N; op++)
            if (s->items[i]->account == a)
                secret_wipe(&s->items[i]->lanes[op].key, sizeof s->items[i]->lanes[op].key);
}

void sites_done(Sites *s) {
    for (size_t i = 0; i < s->n_accounts; i++)
        sites_wipe_keys(s, s->accounts[i]);
    for (size_t i = 0; i < s->n_items; i++)
        free(s->items[i]);
    for (size_t i = 0; i < s->n_accounts; i++)
        account_free(s->accounts[i]);
    for (size_t i = 0; i < s->n_endpoints; i++)
        endpoint_free(s->endpoints[i]);
    free(s->items);
    free(s->accounts);
    free(s->endpoints);
    settings_done(&s->settings);
    *s = (Sites){};
}
