#include "core/credentials/keeper.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "core/aws/retry.h"
#include "core/conf/conf_client.h"

/* Ids of requests: the keeper's bit, the number of the provider, and its count. The client's count from 1. */
#define OWN_BIT (UINT64_C(1) << 63)
#define NUMBER_SHIFT 36

typedef struct Kept {
    Provider *provider;
    uint64_t number; /* never used again */
} Kept;

struct Keeper {
    ProviderPort port;
    uint64_t random, last_number;
    Kept *items;
    size_t n_items, n_room;
    ProviderOutbox pending; /* of events */
};

int keeper_new(const ProviderPort *port, uint64_t seed, Keeper **ret) {
    Keeper *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->port = *port;
    k->random = seed;
    *ret = k;
    return 0;
}

void keeper_free(Keeper *k) {
    if (!k)
        return;
    for (size_t i = 0; i < k->n_items; i++)
        provider_free(k->items[i].provider);
    free(k->items);
    provider_outbox_done(&k->pending);
    free(k);
}

static Kept *find(const Keeper *k, const char *account) {
    for (size_t i = 0; i < k->n_items; i++)
        if (strcmp(provider_account(k->items[i].provider), account) == 0)
            return &k->items[i];
    return NULL;
}

int keeper_set(Keeper *k, const char *account, const ProviderWish *wish) {
    CLEANUP(provider_free_ptr) Provider *p = NULL;
    Kept *kept = find(k, account);
    uint64_t number = ++k->last_number;
    int r = provider_new(account, &k->port, wish, OWN_BIT | number << NUMBER_SHIFT, retry_random(&k->random), &p);
    if (r < 0 || (!kept && ARRAY_GROW(k->items, k->n_items, k->n_room) < 0))
        return -ENOMEM;
    if (!kept)
        k->items[k->n_items++] = (Kept){.provider = TAKE_PTR(p), .number = number};
    else {
        provider_free(kept->provider);
        *kept = (Kept){.provider = TAKE_PTR(p), .number = number};
    }
    return 0;
}

void keeper_remove(Keeper *k, const char *account) {
    Kept *kept = find(k, account);
    if (!kept)
        return;
    provider_free(kept->provider);
    *kept = k->items[--k->n_items];
}

void keeper_restart(Keeper *k, Now now) {
    for (size_t i = 0; i < k->n_items; i++)
        provider_restart(k->items[i].provider, now);
}

static int set_account(Keeper *k, const Conf *conf, const AccountConf *a, const ProviderWish *own) {
    AUTO_FREE char *session = text_format("ddbackupd-%s", conf->deployment);
    if (!session)
        return -ENOMEM;
    ProviderRole role = {.role_arn = a->role_arn,
                         .external_id = a->external_id,
                         .session_name = a->session_name ? a->session_name : session};
    ProviderWish wish = *own;
    wish.role = a->role_arn ? &role : NULL;
    if (a->n_regions > 0)
        wish.region = a->regions[0];
    return keeper_set(k, a->name, &wish);
}

int keeper_follow(Keeper *k, const Conf *conf, const char *region) {
    ProviderWish own = {.profile = conf->aws.profile, .region = region, .sts = conf_endpoint_wish(conf, ENDPOINT_STS)};
    int r = conf->n_accounts == 0 ? keeper_set(k, ACCOUNT_OWN, &own) : 0;
    for (size_t i = 0; r >= 0 && i < conf->n_accounts; i++)
        r = set_account(k, conf, &conf->accounts[i], &own);
    for (size_t i = k->n_items; r >= 0 && i-- > 0;) {
        const char *name = provider_account(k->items[i].provider);
        if (conf->n_accounts > 0 ? !conf_account(conf, name) : strcmp(name, ACCOUNT_OWN) != 0)
            keeper_remove(k, name);
    }
    return r;
}

void keeper_refresh(Keeper *k, const char *account, Now now) {
    Kept *kept = find(k, account);
    if (kept)
        provider_refresh(kept->provider, now);
}

bool keeper_owns(uint64_t request_id) { return request_id & OWN_BIT; }

static Provider *of_id(const Keeper *k, uint64_t id) {
    for (size_t i = 0; i < k->n_items; i++)
        if (k->items[i].number == (id & ~OWN_BIT) >> NUMBER_SHIFT)
            return k->items[i].provider;
    return NULL;
}

int keeper_reply(Keeper *k, HttpReply *reply, Now now) {
    CLEANUP(http_reply_free_ptr) HttpReply *taken = reply;
    Provider *p = of_id(k, taken->id);
    return p ? provider_reply(p, taken, now, &k->pending) : 0;
}

int keeper_process_done(Keeper *k, uint64_t id, const char *output, size_t len, const char *problem, Now now) {
    Provider *p = of_id(k, id);
    return p ? provider_process_done(p, id, output, len, problem, now, &k->pending) : 0;
}

/* What events brought about lies in an outbox of our own; it is news only. */
static int tell_pending(Keeper *k, ProviderOutbox *out) {
    for (size_t i = 0; i < k->pending.n_news; i++) {
        if (ARRAY_GROW(out->news, out->n_news, out->n_news_room) < 0)
            return -ENOMEM;
        out->news[out->n_news++] = k->pending.news[i];
        k->pending.news[i] = (ProviderNews){};
    }
    provider_outbox_clear(&k->pending);
    return 0;
}

int keeper_turn(Keeper *k, Now now, ProviderOutbox *out, Usec *ret_next_mono) {
    Usec next = USEC_INFINITY, one;
    int r = tell_pending(k, out);
    for (size_t i = 0; r >= 0 && i < k->n_items; i++) {
        r = provider_turn(k->items[i].provider, now, out, &one);
        if (r >= 0)
            next = usec_min(next, one);
    }
    if (r >= 0)
        *ret_next_mono = next;
    return r;
}

size_t keeper_n_accounts(const Keeper *k) { return k->n_items; }
const Provider *keeper_provider(const Keeper *k, size_t i) { return k->items[i].provider; }

static bool has(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

int keeper_files(const Keeper *k, const char ***ret, size_t *ret_n) {
    size_t n = 0, n_of_one;
    for (size_t i = 0; i < k->n_items; i++) {
        provider_files(k->items[i].provider, &n_of_one);
        n += n_of_one;
    }
    const char **files = calloc(n + 1, sizeof *files);
    if (!files)
        return -ENOMEM;
    n = 0;
    for (size_t i = 0; i < k->n_items; i++) {
        const char *const *of_one = provider_files(k->items[i].provider, &n_of_one);
        for (size_t j = 0; j < n_of_one; j++)
            if (!has(files, n, of_one[j]))
                files[n++] = of_one[j];
    }
    *ret = files;
    *ret_n = n;
    return 0;
}
