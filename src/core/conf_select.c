/* Which tables a configuration selects, and what for. */

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "core/conf.h"

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* `items`: n_names sorted names, then patterns. */
static bool matches(char *const *items, size_t n_items, size_t n_names, const char *table) {
    if (n_names > 0 && bsearch(&table, items, n_names, sizeof *items, compare))
        return true;
    for (size_t i = n_names; i < n_items; i++)
        if (glob_match(items[i], table))
            return true;
    return false;
}

static bool selects(const TablesConf *t, const char *table) {
    return matches(t->match, t->n_match, t->n_names, table) &&
           !matches(t->exclude, t->n_exclude, t->n_exclude_names, table);
}

bool conf_entry_has_account(const TablesConf *t, const char *account) {
    bool has = t->n_accounts == 0;
    for (size_t i = 0; !has && i < t->n_accounts; i++)
        has = strcmp(t->accounts[i]->name, account) == 0;
    return has;
}

size_t conf_schedules_of(const Conf *c, const char *account, const char *table, const ScheduleConf **ret, size_t room) {
    bool applies[CONF_SCHEDULES_MAX];
    size_t n = 0, n_found = 0;
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *t = &c->tables[i];
        if (t->n_schedules == 0 || !conf_entry_has_account(t, account) || !selects(t, table))
            continue;
        if (n_found++ == 0)
            memset(applies, 0, c->n_schedules * sizeof *applies);
        for (size_t j = 0; j < t->n_schedules; j++)
            applies[t->schedules[j] - c->schedules] = true;
    }
    for (size_t i = 0; n_found > 0 && i < c->n_schedules; i++)
        if (applies[i]) {
            if (n < room)
                ret[n] = &c->schedules[i];
            n++;
        }
    return n;
}

int conf_named_tables(const Conf *c, const char *account, const char ***ret, size_t *ret_n) {
    size_t room = 0, n = 0, n_kept = 0;
    for (size_t i = 0; i < c->n_tables; i++)
        room += c->tables[i].n_names;
    AUTO_FREE const char **names = calloc(room + 1, sizeof *names);
    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < c->n_tables; i++) {
        const TablesConf *t = &c->tables[i];
        for (size_t j = 0; t->n_schedules > 0 && conf_entry_has_account(t, account) && j < t->n_names; j++)
            if (!matches(t->exclude, t->n_exclude, t->n_exclude_names, t->match[j]))
                names[n++] = t->match[j];
    }
    qsort(names, n, sizeof *names, compare);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || strcmp(names[n_kept - 1], names[i]) != 0)
            names[n_kept++] = names[i];
    *ret = TAKE_PTR(names);
    *ret_n = n_kept;
    return 0;
}

bool conf_needs_discovery(const Conf *c, const char *account) {
    for (size_t i = 0; i < c->n_tables; i++)
        if (c->tables[i].n_schedules > 0 && c->tables[i].n_names < c->tables[i].n_match &&
            conf_entry_has_account(&c->tables[i], account))
            return true;
    return false;
}
