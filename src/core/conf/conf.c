#include "core/conf/conf.h"

#include <errno.h>
#include <string.h>

#include "core/conf/conf_account.h"
#include "core/conf/conf_keep.h"
#include "core/conf/conf_reader.h"
#include "core/conf/conf_schedule.h"
#include "core/conf/conf_select.h"
#include "core/conf/conf_tables.h"

void conf_free(Conf *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n_schedules; i++)
        conf_schedule_done(&c->schedules[i]);
    for (size_t i = 0; i < c->n_tables; i++)
        conf_tables_done(&c->tables[i]);
    for (size_t i = 0; i < c->n_zones; i++)
        zone_free(c->zones[i]);
    for (size_t i = 0; i < c->n_accounts; i++)
        conf_account_done(&c->accounts[i]);
    free(c->zones);
    free(c->accounts);
    free(c->tables);
    free(c->schedules);
    free(c->deployment);
    free(c->control_group);
    free(c->aws.region);
    free(c->aws.endpoint_url);
    free(c->aws.sts_endpoint_url);
    free(c->aws.s3_endpoint_url);
    free(c->aws.kms_endpoint_url);
    free(c->aws.profile);
    free(c->aws.ca_bundle);
    free(c);
}

static int read_schedules(ConfReader *m, const ConfTree *node) {
    if (!conf_reader_is_group(m, node, "schedules"))
        return 0;
    if (node->n_children == 0)
        return conf_reader_say(m, node, "schedules: is empty; HINT: such as %s",
                               conf_key(CONF_SECTION_ROOT, "schedules")->example);
    if (node->n_children > CONF_SCHEDULES_MAX)
        return conf_reader_say(m, node, "schedules: are more than %d", CONF_SCHEDULES_MAX);
    m->conf->schedules = calloc(node->n_children, sizeof *m->conf->schedules);
    if (!m->conf->schedules)
        return -ENOMEM;
    for (size_t i = 0; i < node->n_children; i++)
        if (conf_schedule_read(m, node->children[i], &m->conf->schedules[m->conf->n_schedules++]) == -ENOMEM)
            return -ENOMEM;
    return conf_schedules_check_bases(m, node);
}

/* Of a configuration that is good so far. */
static int check_accounts_used(ConfReader *m, const ConfTree *accounts) {
    const Conf *c = m->conf;
    int r = 0;
    for (size_t i = 0; r != -ENOMEM && i < c->n_accounts; i++) {
        bool used = false;
        for (size_t j = 0; j < c->n_tables; j++)
            used |= conf_entry_has_account(&c->tables[j], c->accounts[i].name);
        if (!used)
            r = conf_reader_say(m, accounts->children[i],
                                "accounts.%s: no entry of tables is for it; HINT: name it in the accounts of one, or "
                                "take it out",
                                c->accounts[i].name);
    }
    return r;
}

static int read_all(ConfReader *m, const ConfTree *root) {
    const ConfTree *defaults = conf_tree_get(root, "defaults"), *schedules = conf_tree_get(root, "schedules"),
                   *tables = conf_tree_get(root, "tables"), *accounts = conf_tree_get(root, "accounts");
    ConfUses uses = {};
    if (root->kind == CONF_GROUP && root->n_children == 0)
        return conf_reader_say(m, root, "sets nothing; HINT: ddbackupd.conf(5) has an example to begin with");
    int r = conf_reader_section(m, CONF_SECTION_ROOT, root, NULL, "", false, m->conf);
    if (r != -ENOMEM && defaults && conf_reader_is_group(m, defaults, "defaults")) {
        m->defaults = defaults;
        r = conf_reader_section(m, CONF_SECTION_SCHEDULE, defaults, NULL, "defaults.", true, NULL);
    }
    if (r != -ENOMEM && accounts)
        r = conf_accounts_read(m, accounts);
    if (r != -ENOMEM && schedules)
        r = read_schedules(m, schedules);
    if (r != -ENOMEM && schedules && schedules->kind == CONF_GROUP)
        r = conf_keep_check_names(m, schedules);
    if (r != -ENOMEM && tables)
        r = conf_tables_read(m, tables, &uses);
    for (size_t i = 0; r != -ENOMEM && tables && !uses.unsure && i < m->conf->n_schedules; i++)
        if (!uses.used[i])
            r = conf_reader_say(m, schedules->children[i],
                                "schedules.%s: no entry of tables names it; HINT: name it in one, "
                                "or take it out",
                                m->conf->schedules[i].name);
    if (r != -ENOMEM && !m->bad && (r = check_accounts_used(m, accounts)) != -ENOMEM)
        r = conf_tables_check(m, tables);
    return m->out_of_memory ? -ENOMEM : r;
}

int conf_from_tree(const ConfTree *tree, ZoneLoader load_zone, void *context, ConfProblems *problems, Conf **ret) {
    CLEANUP(conf_free_ptr) Conf *conf = calloc(1, sizeof *conf);
    if (!conf)
        return -ENOMEM;
    ConfReader m = {.load_zone = load_zone, .context = context, .problems = problems, .conf = conf};
    int r = read_all(&m, tree);
    if (r == -ENOMEM || m.bad)
        return r == -ENOMEM ? r : -EINVAL;
    *ret = TAKE_PTR(conf);
    return 0;
}
