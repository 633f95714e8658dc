#include "core/conf/conf_select.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "core/aws/table_arn.h"
#include "core/aws/tags.h"

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool arn_is_in(const TableArn *arn, const TableFacts *t) {
    return (!t->region ||
            (strlen(t->region) == arn->region_len && memcmp(t->region, arn->region, arn->region_len) == 0)) &&
           (!*t->account_id || memcmp(t->account_id, arn->account_id, 12) == 0);
}

/* ARNs stand behind the names, sorted by their tables. */
static bool arn_matches(const TableSelectors *names, const TableFacts *t) {
    size_t low = names->n_names, high = names->n_names + names->n_arns;
    TableArn arn;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table_arn_parse(names->items[middle], &arn) && strcmp(arn.table, t->table) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < names->n_names + names->n_arns; low++) {
        if (!table_arn_parse(names->items[low], &arn) || strcmp(arn.table, t->table) != 0)
            return false;
        if (arn_is_in(&arn, t))
            return true;
    }
    return false;
}

static bool matches(const TableSelectors *names, const TableFacts *t) {
    if (names->n_names > 0 && bsearch(&t->table, names->items, names->n_names, sizeof *names->items, compare))
        return true;
    if (names->n_arns > 0 && arn_matches(names, t))
        return true;
    for (size_t i = names->n_names + names->n_arns; i < names->n_items; i++)
        if (glob_match(names->items[i], t->table))
            return true;
    return false;
}

/* But for the tags. */
static bool may_select(const TablesConf *entry, const TableFacts *t) {
    return conf_entry_has_account(entry, t->account) && (entry->match.n_items == 0 || matches(&entry->match, t)) &&
           !matches(&entry->exclude, t);
}

bool conf_entry_selects(const TablesConf *entry, const TableFacts *t) {
    if ((entry->n_tags > 0 && !t->tags) || !may_select(entry, t))
        return false;
    for (size_t i = 0; i < entry->n_tags; i++)
        if (!tags_match(t->tags, entry->tags[i]))
            return false;
    return true;
}

static void add_words(Text *text, const char *key, char *const *items, size_t n) {
    if (n == 0)
        return;
    text_addf(text, "%s%s \"%.100s\"", text->len > 0 ? ", " : "", key, items[0]);
    if (n > 1)
        text_addf(text, " and %zu more", n - 1);
}

void conf_entry_label(const TablesConf *entry, Text *text) {
    add_words(text, "match", entry->match.items, entry->match.n_items);
    add_words(text, "tags", entry->tags, entry->n_tags);
}

bool conf_entry_has_account(const TablesConf *t, const char *account) {
    bool has = t->n_accounts == 0;
    for (size_t i = 0; !has && i < t->n_accounts; i++)
        has = strcmp(t->accounts[i]->name, account) == 0;
    return has;
}

size_t conf_schedules_of(const Conf *c, const TableFacts *t, const ScheduleConf **ret, size_t room) {
    bool applies[CONF_SCHEDULES_MAX];
    size_t n = 0, n_found = 0;
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *entry = &c->tables[i];
        if (entry->n_schedules == 0 || !conf_entry_selects(entry, t))
            continue;
        if (n_found++ == 0)
            memset(applies, 0, c->n_schedules * sizeof *applies);
        for (size_t j = 0; j < entry->n_schedules; j++)
            applies[entry->schedules[j] - c->schedules] = true;
    }
    for (size_t i = 0; n_found > 0 && i < c->n_schedules; i++)
        if (applies[i]) {
            if (n < room)
                ret[n] = &c->schedules[i];
            n++;
        }
    return n;
}

bool conf_tags_may_give(const Conf *c, const TableFacts *t, const ScheduleConf *s) {
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *entry = &c->tables[i];
        for (size_t j = 0; entry->n_tags > 0 && j < entry->n_schedules; j++)
            if (entry->schedules[j] == s && may_select(entry, t))
                return true;
    }
    return false;
}

bool conf_asks_for_tags(const Conf *c, const TableFacts *t) {
    for (size_t i = 0; i < c->n_tables; i++)
        if (c->tables[i].n_tags > 0 && may_select(&c->tables[i], t))
            return true;
    return false;
}

static void add_named(const TablesConf *entry, const TableFacts *place, const char **names, size_t *n) {
    for (size_t i = 0; i < entry->match.n_names + entry->match.n_arns; i++) {
        TableFacts t = *place;
        TableArn arn;
        t.table = entry->match.items[i];
        if (i >= entry->match.n_names) {
            if (!table_arn_parse(t.table, &arn) || !arn_is_in(&arn, place))
                continue;
            t.table = arn.table;
        }
        if (!matches(&entry->exclude, &t))
            names[(*n)++] = t.table;
    }
}

int conf_named_tables(const Conf *c, const TableFacts *place, const char ***ret, size_t *ret_n) {
    size_t room = 0, n = 0, n_kept = 0;
    for (size_t i = 0; i < c->n_tables; i++)
        room += c->tables[i].match.n_names + c->tables[i].match.n_arns;
    AUTO_FREE const char **names = calloc(room + 1, sizeof *names);
    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *entry = &c->tables[i];
        if (entry->n_schedules > 0 && entry->n_tags == 0 && conf_entry_has_account(entry, place->account))
            add_named(entry, place, names, &n);
    }
    qsort(names, n, sizeof *names, compare);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || strcmp(names[n_kept - 1], names[i]) != 0)
            names[n_kept++] = names[i];
    *ret = TAKE_PTR(names);
    *ret_n = n_kept;
    return 0;
}

const char *conf_arn_table(const Conf *c, const TableFacts *place, size_t n) {
    TableFacts anywhere = *place;
    anywhere.account_id[0] = '\0';
    for (size_t i = 0; i < c->n_tables; i++) {
        const TableSelectors *m = &c->tables[i].match;
        if (c->tables[i].n_schedules == 0 || !conf_entry_has_account(&c->tables[i], place->account))
            continue;
        for (size_t j = m->n_names; j < m->n_names + m->n_arns; j++) {
            TableArn arn;
            if (table_arn_parse(m->items[j], &arn) && arn_is_in(&arn, &anywhere) && n-- == 0)
                return arn.table;
        }
    }
    return NULL;
}

bool conf_needs_discovery(const Conf *c, const char *account) {
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *entry = &c->tables[i];
        bool has_patterns = entry->match.n_names + entry->match.n_arns < entry->match.n_items;
        if ((entry->n_tags > 0 || (entry->n_schedules > 0 && has_patterns)) && conf_entry_has_account(entry, account))
            return true;
    }
    return false;
}
