#include "core/conf/conf_tables.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "core/aws/table_arn.h"
#include "core/conf/conf_select.h"

static void selectors_done(TableSelectors *s) {
    for (size_t i = 0; i < s->n_items; i++)
        free(s->items[i]);
    free(s->items);
}

void conf_tables_done(TablesConf *t) {
    selectors_done(&t->match);
    selectors_done(&t->exclude);
    for (size_t i = 0; i < t->n_tags; i++)
        free(t->tags[i]);
    free(t->tags);
    free(t->schedules);
    free(t->accounts);
    free(t->reason);
}

static int kind_of(const char *s) { return text_starts_with(s, "arn:") ? 1 : glob_is_pattern(s) ? 2 : 0; }

static int compare_selectors(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    TableArn p, q;
    int kinds = kind_of(x) - kind_of(y);
    int tables = kinds == 0 && table_arn_parse(x, &p) && table_arn_parse(y, &q) ? strcmp(p.table, q.table) : 0;
    return kinds ? kinds : tables ? tables : strcmp(x, y);
}

/* The strings of a value that was found good. */
static int take_texts(const ConfTree *node, char ***ret, size_t *ret_n) {
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
    return 0;
}

static int take_selectors(const ConfTree *node, TableSelectors *s) {
    int r = take_texts(node, &s->items, &s->n_items);
    if (r < 0 || s->n_items == 0)
        return r;
    qsort(s->items, s->n_items, sizeof *s->items, compare_selectors);
    for (size_t i = 0; i < s->n_items; i++) {
        s->n_names += kind_of(s->items[i]) == 0;
        s->n_arns += kind_of(s->items[i]) == 1;
    }
    return 0;
}

static int refer(ConfReader *m, TablesConf *t, const ConfTree *node, ConfUses *uses) {
    Conf *c = m->conf;
    const ScheduleConf *s = conf_schedule(c, node->string);
    if (!s) {
        const char *names[CONF_SCHEDULES_MAX];
        for (size_t i = 0; i < c->n_schedules; i++)
            names[i] = c->schedules[i].name;
        const char *nearest = name_nearest(node->string, names, c->n_schedules);
        uses->unsure = true;
        if (strpbrk(node->string, ", "))
            return conf_reader_say(m, node,
                                   "tables.schedules: \"%.100s\" is no name of a schedule; HINT: several are a list, "
                                   "[\"one\", \"two\"]",
                                   node->string);
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

/* A table that is under a schedule of incremental exports is under that of its bases, too. */
static int check_bases(ConfReader *m, const TablesConf *t, const ConfTree *list) {
    int r = 0;
    for (size_t i = 0; r != -ENOMEM && i < t->n_schedules; i++) {
        const char *base = t->schedules[i]->base;
        bool found = !base || !conf_schedule(m->conf, base); /* which was said already */
        for (size_t j = 0; j < t->n_schedules; j++)
            found |= text_equal(t->schedules[j]->name, base);
        if (!found)
            r = conf_reader_say(m, list,
                                "tables.schedules: \"%s\" stands there without its base; HINT: add \"%.100s\"",
                                t->schedules[i]->name, base);
    }
    return r;
}

static int read_references(ConfReader *m, TablesConf *t, const ConfTree *list, ConfUses *uses) {
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
    return uses->unsure ? 0 : check_bases(m, t, list);
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

static int read_entry(ConfReader *m, const ConfTree *node, ConfUses *uses, TablesConf *t) {
    const ConfTree *match = conf_tree_get(node, "match"), *list = conf_tree_get(node, "schedules"),
                   *exclude = conf_tree_get(node, "exclude"), *reason = conf_tree_get(node, "reason"),
                   *tags = conf_tree_get(node, "tags");
    bool bad_before = m->bad;
    m->bad = false;
    uses->unsure |= !list || (list->kind != CONF_STRING && list->kind != CONF_LIST);
    if (!conf_reader_is_group(m, node, "tables"))
        return 0;
    int r = conf_reader_section(m, CONF_SECTION_TABLES, node, NULL, "tables.", false, t);
    if (r >= 0 && !m->bad && (r = take_selectors(match, &t->match)) >= 0 &&
        (r = take_selectors(exclude, &t->exclude)) >= 0)
        r = take_texts(tags, &t->tags, &t->n_tags);
    m->bad |= bad_before;
    if (r >= 0)
        r = read_references(m, t, list, uses);
    if (r != -ENOMEM)
        r = read_accounts_of(m, t, conf_tree_get(node, "accounts"));
    if (r >= 0 && match && match->kind == CONF_LIST && match->n_children == 0)
        r = conf_reader_say(m, match, "tables.match: is empty; HINT: name a table or a pattern");
    if (r != -ENOMEM && tags && tags->kind == CONF_LIST && tags->n_children == 0)
        r = conf_reader_say(m, tags, "tables.tags: is empty; HINT: such as tags = \"backup=yes\"");
    if (r != -ENOMEM && !match && !tags)
        r = conf_reader_missing(m, conf_key(CONF_SECTION_TABLES, "match"), node, "tables.match");
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

int conf_tables_read(ConfReader *m, const ConfTree *node, ConfUses *uses) {
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

static bool is_region(const TableArn *arn, const char *region) {
    return strlen(region) == arn->region_len && memcmp(region, arn->region, arn->region_len) == 0;
}

/* Has it this ARN's account and region? What is not known may be the one. `a` NULL: the daemon's own. */
static bool account_has(const Conf *c, const AccountConf *a, const TableArn *arn) {
    char id[13];
    if (a && *conf_account_id(a, id) && memcmp(id, arn->account_id, 12) != 0)
        return false;
    bool found = (!a || a->n_regions == 0) && (!c->aws.region || is_region(arn, c->aws.region));
    for (size_t i = 0; a && i < a->n_regions; i++)
        found |= is_region(arn, a->regions[i]);
    return found;
}

/* Is it of a place that the entry is for? */
static bool entry_has(const Conf *c, const TablesConf *t, const TableArn *arn) {
    bool found = c->n_accounts == 0 && account_has(c, NULL, arn);
    for (size_t i = 0; !found && i < c->n_accounts; i++)
        found = conf_entry_has_account(t, c->accounts[i].name) && account_has(c, &c->accounts[i], arn);
    return found;
}

int conf_tables_check(ConfReader *m, const ConfTree *node) {
    const Conf *c = m->conf;
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *t = &c->tables[i];
        for (size_t j = t->match.n_names; j < t->match.n_names + t->match.n_arns; j++) {
            TableArn arn;
            if (!table_arn_parse(t->match.items[j], &arn) || entry_has(c, t, &arn))
                continue;
            if (conf_reader_say(m, conf_tree_get(node->children[i], "match"),
                                "tables.match: \"%s\" is of no account and region of this entry; HINT: name them "
                                "in accounts",
                                t->match.items[j]) == -ENOMEM)
                return -ENOMEM;
        }
    }
    return 0;
}
