#include "core/conf/conf_account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/conf/conf_check.h"

void conf_account_done(AccountConf *a) {
    for (size_t i = 0; i < a->n_regions; i++)
        free(a->regions[i]);
    free(a->regions);
    free(a->name);
    free(a->role_arn);
    free(a->external_id);
    free(a->session_name);
}

const AccountConf *conf_account(const Conf *c, const char *name) {
    for (size_t i = 0; i < c->n_accounts; i++)
        if (strcmp(c->accounts[i].name, name) == 0)
            return &c->accounts[i];
    return NULL;
}

const char *conf_account_id(const AccountConf *a, char buffer[static 13]) {
    snprintf(buffer, 13, "%.12s", a->role_arn ? strstr(a->role_arn, "::") + 2 : "");
    return buffer;
}

size_t conf_n_places(const Conf *c) {
    size_t n = c->n_accounts == 0;
    for (size_t i = 0; i < c->n_accounts; i++)
        n += c->accounts[i].n_regions > 0 ? c->accounts[i].n_regions : 1;
    return n;
}

bool conf_needs_region(const Conf *c) {
    bool needed = c->n_accounts == 0;
    for (size_t i = 0; i < c->n_accounts; i++)
        needed |= c->accounts[i].n_regions == 0;
    return needed;
}

static bool has_region(const AccountConf *a, const char *region) {
    for (size_t i = 0; i < a->n_regions; i++)
        if (strcmp(a->regions[i], region) == 0)
            return true;
    return false;
}

/* The values are good: that was checked by the schema. */
static int read_regions(ConfReader *m, const ConfTree *list, AccountConf *a) {
    if (!list)
        return 0;
    bool single = list->kind == CONF_STRING;
    size_t n = single ? 1 : list->n_children;
    if (n == 0)
        return conf_reader_say(m, list, "accounts.%s.regions: is empty; HINT: name a region, or take the key out",
                               a->name);
    a->regions = calloc(n, sizeof *a->regions);
    if (!a->regions)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const ConfTree *node = single ? list : list->children[i];
        if (has_region(a, node->string))
            return conf_reader_say(m, node, "accounts.%s.regions: \"%s\" stands there twice; HINT: take one away",
                                   a->name, node->string);
        if (text_set(&a->regions[a->n_regions++], node->string) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* What goes with a role alone, and the one name that has none. */
static int check_role(ConfReader *m, const ConfTree *node, const AccountConf *a) {
    static const char *const with_role[] = {"external_id", "role_session_name"};
    int r = 0;
    for (size_t i = 0; r != -ENOMEM && !a->role_arn && i < ARRAY_SIZE(with_role); i++) {
        const ConfTree *key = conf_tree_get(node, with_role[i]);
        if (key)
            r = conf_reader_say(m, key, "accounts.%s.%s: goes with a role_arn alone; HINT: set that, or take it out",
                                a->name, with_role[i]);
    }
    if (r != -ENOMEM && a->role_arn && strcmp(a->name, ACCOUNT_OWN) == 0)
        r = conf_reader_say(m, conf_tree_get(node, "role_arn"),
                            "accounts.%s.role_arn: the account of this name is that of the daemon's own credentials; "
                            "HINT: choose another name, or take the role out",
                            a->name);
    return r;
}

/* Is it the same account, as far as the configuration tells? A role's ARN has the account's 12 digits. */
static bool is_same(const AccountConf *a, const AccountConf *b) {
    const char *p = a->role_arn ? strstr(a->role_arn, "::") : NULL, *q = b->role_arn ? strstr(b->role_arn, "::") : NULL;
    return p && q ? strncmp(p, q, strlen("::") + 12) == 0 : !p && !q;
}

/* The region that both have; "aws.region" where both leave it out; NULL. */
static const char *common_region(const AccountConf *a, const AccountConf *b) {
    if (a->n_regions == 0 && b->n_regions == 0)
        return "aws.region";
    for (size_t i = 0; i < a->n_regions; i++)
        if (has_region(b, a->regions[i]))
            return a->regions[i];
    return NULL;
}

/* Two names for one place would make every backup twice. */
static int check_twice(ConfReader *m, const ConfTree *node, const AccountConf *a) {
    for (const AccountConf *b = m->conf->accounts; b < a; b++) {
        const char *region = is_same(a, b) ? common_region(a, b) : NULL;
        if (region)
            return conf_reader_say(m, node,
                                   "accounts.%s: is the same account as accounts.%s, and both have %s; HINT: backups "
                                   "would be made twice: take one of the two out",
                                   a->name, b->name, region);
    }
    return 0;
}

static int read_account(ConfReader *m, const ConfTree *node, AccountConf *a) {
    AUTO_TEXT why = TEXT_INIT(256);
    AUTO_FREE char *path = text_format("accounts.%s", node->key), *below = text_format("accounts.%s.", node->key);
    if (!path || !below || text_set(&a->name, node->key) < 0)
        return -ENOMEM;
    if (!check_schedule_name(a->name, &why))
        return conf_reader_say(m, node, "%.300s: the name %s; HINT: choose another", path, text_get(&why));
    if (!conf_reader_is_group(m, node, path))
        return -EINVAL;
    bool bad_before = m->bad;
    m->bad = false;
    int r = conf_reader_section(m, CONF_SECTION_ACCOUNT, node, NULL, below, false, a);
    if (r >= 0 && !m->bad)
        r = read_regions(m, conf_tree_get(node, "regions"), a);
    if (r != -ENOMEM && !m->bad)
        r = check_role(m, node, a);
    if (r != -ENOMEM && !m->bad)
        r = check_twice(m, node, a);
    m->bad |= bad_before;
    return r;
}

int conf_accounts_read(ConfReader *m, const ConfTree *node) {
    Conf *c = m->conf;
    if (!conf_reader_is_group(m, node, "accounts"))
        return -EINVAL;
    if (node->n_children == 0)
        return conf_reader_say(m, node, "accounts: is empty; HINT: such as %s, or take it out",
                               conf_key(CONF_SECTION_ROOT, "accounts")->example);
    if (node->n_children > CONF_ACCOUNTS_MAX)
        return conf_reader_say(m, node, "accounts: are more than %d", CONF_ACCOUNTS_MAX);
    c->accounts = calloc(node->n_children, sizeof *c->accounts);
    if (!c->accounts)
        return -ENOMEM;
    for (size_t i = 0; i < node->n_children; i++)
        if (read_account(m, node->children[i], &c->accounts[c->n_accounts++]) == -ENOMEM)
            return -ENOMEM;
    return m->bad ? -EINVAL : 0;
}
