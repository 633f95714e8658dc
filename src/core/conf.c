#include "core/conf.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "core/conf_account.h"
#include "core/conf_keep.h"
#include "core/conf_reader.h"
#include "core/conf_schedule.h"

void conf_free(Conf *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n_schedules; i++)
        conf_schedule_done(&c->schedules[i]);
    for (size_t i = 0; i < c->n_tables; i++) {
        TablesConf *t = &c->tables[i];
        for (size_t j = 0; j < t->n_match; j++)
            free(t->match[j]);
        for (size_t j = 0; j < t->n_exclude; j++)
            free(t->exclude[j]);
        free(t->match);
        free(t->exclude);
        free(t->schedules);
        free(t->accounts);
        free(t->reason);
    }
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
    free(c->aws.profile);
    free(c->aws.ca_bundle);
    free(c);
}

/* --- tables --- */

static int compare_names(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int patterns = (int)glob_is_pattern(x) - (int)glob_is_pattern(y);
    return patterns ? patterns : strcmp(x, y);
}

/* The strings of a value that was found good: names first, sorted. */
static int take_texts(const ConfTree *node, char ***ret, size_t *ret_n, size_t *ret_n_names) {
    bool list = node && node->kind == CONF_LIST;
    size_t n = !node ? 0 : list ? node->n_children : 1;
    if (n == 0)
        return 0;
    *ret = calloc(n, sizeof **ret);
    if (!*ret)
        return -ENOMEM;
    for (*ret_n = 0; *ret_n < n; ++*ret_n)
        if (text_set(&(*ret)[*ret_n], list ? node->children[*ret_n]->string : node->string) < 0)
            return -ENOMEM;
    qsort(*ret, n, sizeof **ret, compare_names);
    while (*ret_n_names < n && !glob_is_pattern((*ret)[*ret_n_names]))
        ++*ret_n_names;
    return 0;
}

/* The names of schedules that tables use, by index; `unsure`: some could not be read. */
typedef struct Uses {
    bool used[CONF_SCHEDULES_MAX];
    bool unsure;
} Uses;

static int refer(ConfReader *m, TablesConf *t, const ConfTree *node, Uses *uses) {
    Conf *c = m->conf;
    const ScheduleConf *s = conf_schedule(c, node->string);
    if (!s) {
        const char *names[CONF_SCHEDULES_MAX];
        for (size_t i = 0; i < c->n_schedules; i++)
            names[i] = c->schedules[i].name;
        const char *nearest = name_nearest(node->string, names, c->n_schedules);
        uses->unsure = true;
        return nearest ? conf_reader_say(m, node,
                                         "tables.schedules: there is no schedule \"%.100s\"; HINT: did you mean "
                                         "\"%s\"?",
                                         node->string, nearest)
                       : conf_reader_say(m, node,
                                         "tables.schedules: there is no schedule \"%.100s\"; HINT: define it in "
                                         "schedules",
                                         node->string);
    }
    for (size_t i = 0; i < t->n_schedules; i++)
        if (t->schedules[i] == s)
            return conf_reader_say(m, node, "tables.schedules: \"%s\" stands there twice; HINT: take one away",
                                   s->name);
    uses->used[s - c->schedules] = true;
    t->schedules[t->n_schedules++] = s;
    return 0;
}

static int read_references(ConfReader *m, TablesConf *t, const ConfTree *list, Uses *uses) {
    bool single = list && list->kind == CONF_STRING;
    size_t n = single ? 1 : list && list->kind == CONF_LIST ? list->n_children : 0;
    if (n == 0)
        return 0;
    t->schedules = calloc(n, sizeof *t->schedules);
    if (!t->schedules)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const ConfTree *name = single ? list : list->children[i];
        if (name->kind == CONF_STRING && *name->string && refer(m, t, name, uses) == -ENOMEM)
            return -ENOMEM;
        uses->unsure |= name->kind != CONF_STRING;
    }
    return 0;
}

static int refer_account(ConfReader *m, TablesConf *t, const ConfTree *node) {
    const Conf *c = m->conf;
    const AccountConf *a = conf_account(c, node->string);
    if (!a) {
        const char *names[CONF_ACCOUNTS_MAX];
        for (size_t i = 0; i < c->n_accounts; i++)
            names[i] = c->accounts[i].name;
        const char *nearest = name_nearest(node->string, names, c->n_accounts);
        return nearest ? conf_reader_say(
                             m, node, "tables.accounts: there is no account \"%.100s\"; HINT: did you mean \"%s\"?",
                             node->string, nearest)
                       : conf_reader_say(m, node,
                                         "tables.accounts: there is no account \"%.100s\"; HINT: define it in accounts",
                                         node->string);
    }
    if (conf_entry_has_account(t, a->name) && t->n_accounts > 0)
        return conf_reader_say(m, node, "tables.accounts: \"%s\" stands there twice; HINT: take one away", a->name);
    t->accounts[t->n_accounts++] = a;
    return 0;
}

static int read_accounts_of(ConfReader *m, TablesConf *t, const ConfTree *list) {
    bool single = list && list->kind == CONF_STRING;
    size_t n = single ? 1 : list && list->kind == CONF_LIST ? list->n_children : 0;
    if (n == 0)
        return list && list->kind == CONF_LIST
                   ? conf_reader_say(m, list,
                                     "tables.accounts: is empty; HINT: name an account, or leave it out for every one")
                   : 0;
    t->accounts = calloc(n, sizeof *t->accounts);
    if (!t->accounts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const ConfTree *name = single ? list : list->children[i];
        if (name->kind == CONF_STRING && *name->string && refer_account(m, t, name) == -ENOMEM)
            return -ENOMEM;
    }
    return 0;
}

static int read_entry(ConfReader *m, const ConfTree *node, Uses *uses, TablesConf *t) {
    const ConfTree *match = conf_tree_get(node, "match"), *list = conf_tree_get(node, "schedules"),
                   *exclude = conf_tree_get(node, "exclude"), *reason = conf_tree_get(node, "reason");
    bool bad_before = m->bad;
    m->bad = false;
    uses->unsure |= !list || (list->kind != CONF_STRING && list->kind != CONF_LIST);
    if (!conf_reader_is_group(m, node, "tables"))
        return 0;
    int r = conf_reader_section(m, CONF_SECTION_TABLES, node, NULL, "tables.", false, t);
    if (r >= 0 && !m->bad && (r = take_texts(match, &t->match, &t->n_match, &t->n_names)) >= 0)
        r = take_texts(exclude, &t->exclude, &t->n_exclude, &t->n_exclude_names);
    m->bad |= bad_before;
    if (r >= 0)
        r = read_references(m, t, list, uses);
    if (r != -ENOMEM)
        r = read_accounts_of(m, t, conf_tree_get(node, "accounts"));
    if (r >= 0 && match && match->kind == CONF_LIST && match->n_children == 0)
        r = conf_reader_say(m, match, "tables.match: is empty; HINT: name a table or a pattern");
    bool empty = list && list->kind == CONF_LIST && list->n_children == 0;
    if (r != -ENOMEM && empty && !reason)
        r = conf_reader_say(m, list,
                            "tables.schedules: is empty without a reason; HINT: name schedules, or say why nothing "
                            "is done, reason = \"...\"");
    if (r != -ENOMEM && reason && list && !empty)
        r = conf_reader_say(m, reason,
                            "tables.reason: goes with an empty list of schedules alone; HINT: take one of the two "
                            "out");
    return r;
}

static int read_tables(ConfReader *m, const ConfTree *node, Uses *uses) {
    uses->unsure = node->kind != CONF_LIST || node->n_children == 0;
    if (node->kind != CONF_LIST) {
        AUTO_TEXT kind = TEXT_INIT(128);
        conf_kind_describe(node, &kind);
        return conf_reader_say(m, node,
                               "tables: must be a list of groups, not %s; HINT: write ( { match = ...; schedules "
                               "= ...; } )",
                               text_get(&kind));
    }
    if (node->n_children == 0)
        return conf_reader_say(m, node, "tables: is empty; HINT: such as %s",
                               conf_key(CONF_SECTION_ROOT, "tables")->example);
    m->conf->tables = calloc(node->n_children, sizeof *m->conf->tables);
    if (!m->conf->tables)
        return -ENOMEM;
    for (size_t i = 0; i < node->n_children; i++)
        if (read_entry(m, node->children[i], uses, &m->conf->tables[m->conf->n_tables++]) == -ENOMEM)
            return -ENOMEM;
    return 0;
}

/* --- all of it --- */

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
    return 0;
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
    Uses uses = {};
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
        r = read_tables(m, tables, &uses);
    for (size_t i = 0; r != -ENOMEM && tables && !uses.unsure && i < m->conf->n_schedules; i++)
        if (!uses.used[i])
            r = conf_reader_say(m, schedules->children[i],
                                "schedules.%s: no entry of tables names it; HINT: name it in one, "
                                "or take it out",
                                m->conf->schedules[i].name);
    if (r != -ENOMEM && !m->bad)
        r = check_accounts_used(m, accounts);
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
