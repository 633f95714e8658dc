/* What is said of an entry of `tables`. */

#include <string.h>

#include "base/parse.h"
#include "core/aws/table_arn.h"
#include "core/conf/conf_adviser.h"
#include "core/conf/conf_select.h"

#define TABLE_NAME_MAX 255

/* A name that the pattern selects; false: none was found. */
static bool make_example(const char *pattern, char ret[static TABLE_NAME_MAX + 1]) {
    size_t n = 0;
    const char *p = pattern;
    while (*p && n < TABLE_NAME_MAX) {
        if (*p == '[') {
            const char *first = p + 1, *end;
            bool negated = *first == '!' || *first == '^';
            first += negated;
            end = strchr(first + 1, ']');
            if (!end)
                return false;
            ret[n++] = negated ? 'x' : *first;
            p = end + 1;
        } else {
            ret[n++] = *p == '?' || *p == '*' ? 'x' : *p;
            p++;
        }
    }
    ret[n] = '\0';
    return !*p && glob_match(pattern, ret);
}

/* Some table that the selector stands for; false: none was found. */
static bool example_of(const char *selector, char buffer[static TABLE_NAME_MAX + 1], TableFacts *t) {
    TableArn arn;
    t->table = buffer;
    if (glob_is_pattern(selector))
        return make_example(selector, buffer);
    t->table = table_arn_parse(selector, &arn) ? arn.table : selector;
    return true;
}

/* Nobody asked where it is. */
static TableFacts facts_of(const TablesConf *entry) {
    return (TableFacts){.account = entry->n_accounts > 0 ? entry->accounts[0]->name : "own", .tags = NULL};
}

static bool has_selector(const TableSelectors *s, const char *item) {
    for (size_t i = 0; i < s->n_items; i++)
        if (strcmp(s->items[i], item) == 0)
            return true;
    return false;
}

/* The entry but for its tags. */
static bool may_select(const TablesConf *entry, const TableFacts *t) {
    TablesConf untagged = *entry;
    untagged.n_tags = untagged.n_accounts = 0;
    return conf_entry_selects(&untagged, t);
}

/* --- match and exclude of one entry --- */

/* Does exclude take all that it selects? Of patterns that is known where exclude has the same, or "*". */
static bool is_taken_out(const TablesConf *entry, const char *selector) {
    char buffer[TABLE_NAME_MAX + 1];
    TableFacts t = facts_of(entry);
    if (glob_is_pattern(selector))
        return has_selector(&entry->exclude, selector) || has_selector(&entry->exclude, "*");
    return example_of(selector, buffer, &t) && !may_select(entry, &t);
}

static void advise_exclude(ConfAdviser *a, const TablesConf *entry, const ConfTree *node) {
    const ConfTree *match = conf_tree_get(node, "match"), *exclude = conf_tree_get(node, "exclude");
    for (size_t i = 0; i < entry->match.n_items; i++)
        if (is_taken_out(entry, entry->match.items[i]))
            conf_adviser_say(a, match,
                             "tables.match: \"%.300s\" selects nothing, for exclude of the same entry takes it out; "
                             "HINT: take it away from one of the two",
                             entry->match.items[i]);
    TablesConf open = *entry;
    open.exclude = (TableSelectors){};
    for (size_t i = 0; i < entry->exclude.n_items && entry->match.n_items > 0; i++) {
        const char *item = entry->exclude.items[i];
        TableFacts t = facts_of(entry);
        t.table = item;
        if (!glob_is_pattern(item) && !text_starts_with(item, "arn:") && !may_select(&open, &t))
            conf_adviser_say(a, exclude,
                             "tables.exclude: \"%.300s\" takes nothing out, for match does not select it; HINT: "
                             "exclude holds for its own entry alone; is the name right?",
                             item);
    }
}

/* --- an entry that leaves out, and others --- */

/* The first entry that gives schedules to that table, whatever its tags are; NULL: none does. */
static const TablesConf *other_that_selects(const Conf *c, const TablesConf *entry, const TableFacts *t) {
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *other = &c->tables[i];
        bool shared = entry->n_accounts == 0 || other->n_accounts == 0;
        for (size_t j = 0; !shared && j < entry->n_accounts; j++)
            shared = conf_entry_has_account(other, entry->accounts[j]->name);
        if (other->n_schedules > 0 && other->n_tags == 0 && shared && may_select(other, t))
            return other;
    }
    return NULL;
}

static void advise_reason(ConfAdviser *a, const TablesConf *entry, const ConfTree *node) {
    const ConfTree *match = conf_tree_get(node, "match");
    for (size_t i = 0; entry->n_tags == 0 && i < entry->match.n_items; i++) {
        char buffer[TABLE_NAME_MAX + 1];
        AUTO_TEXT label = TEXT_INIT(1024);
        TableFacts t = facts_of(entry);
        const char *item = entry->match.items[i];
        const TablesConf *other = example_of(item, buffer, &t) && may_select(entry, &t)
                                      ? other_that_selects(a->conf, entry, &t)
                                      : NULL;
        if (!other)
            continue;
        conf_entry_label(other, &label);
        conf_adviser_say(a, match,
                         "tables.match: \"%.300s\" is left out here, but %s%s%s backed up all the same, by schedule %s "
                         "of the entry with %s; HINT: set exclude = \"%.300s\" there, too",
                         item, t.table == buffer ? "a table such as \"" : "", t.table == buffer ? buffer : "",
                         t.table == buffer ? "\" is" : "is", other->schedules[0]->name, text_get(&label), item);
    }
}

/* --- how many --- */

/* Of names and ARNs alone it is known how many there can be. */
static void advise_min_tables(ConfAdviser *a, const TablesConf *entry, const ConfTree *node) {
    const Conf *c = a->conf;
    size_t n_places = c->n_accounts == 0, n_named = entry->match.n_names + entry->match.n_arns;
    for (size_t i = 0; i < c->n_accounts; i++)
        if (conf_entry_has_account(entry, c->accounts[i].name))
            n_places += c->accounts[i].n_regions > 0 ? c->accounts[i].n_regions : 1;
    size_t most = entry->match.n_names * n_places + entry->match.n_arns;
    if (n_named > 0 && n_named == entry->match.n_items && most < (size_t)entry->min_tables)
        conf_adviser_say(a, conf_tree_get(node, "min_tables"),
                         "tables.min_tables: %d is more than the %zu that match names, which is an alarm for ever; "
                         "HINT: make it %zu, or take it out",
                         entry->min_tables, most, most);
}

void conf_advise_entry(ConfAdviser *a, size_t n, const ConfTree *node) {
    const TablesConf *entry = &a->conf->tables[n];
    advise_exclude(a, entry, node);
    if (entry->n_schedules == 0)
        advise_reason(a, entry, node);
    advise_min_tables(a, entry, node);
}
