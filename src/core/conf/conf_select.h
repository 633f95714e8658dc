#pragma once
/* Which tables a configuration selects, and what for. */

#include "core/conf/conf.h"

/* What is known of a table. */
typedef struct TableFacts {
    const char *account; /* its name in the configuration */
    char account_id[13]; /* 12 digits; "": not known, and an ARN's account is not looked at; else not that of any ARN */
    const char *region;  /* NULL: not known, and an ARN's region is not looked at */
    const char *table;
    const char *tags; /* as in core/aws/tags.h; NULL: not known, and entries with tags select nothing */
} TableFacts;

/* The schedules that apply to a table: the union over the entries that select it, in the order of Conf. Writes at most
 * `room` and returns how many there are. */
size_t conf_schedules_of(const Conf *c, const TableFacts *t, const ScheduleConf **ret, size_t room);
/* Does an entry with tags give it this schedule, if its tags are the right ones? */
bool conf_tags_may_give(const Conf *c, const TableFacts *t, const ScheduleConf *s);
/* Does any entry ask for its tags? */
bool conf_asks_for_tags(const Conf *c, const TableFacts *t);
/* Does the entry select it? */
bool conf_entry_selects(const TablesConf *entry, const TableFacts *t);
/* 'match "app-*", tags "backup=yes"', for people. */
void conf_entry_label(const TablesConf *entry, Text *text);
/* Does the entry apply to the account? */
bool conf_entry_has_account(const TablesConf *entry, const char *account);

/* Names without wildcards, and the tables of ARNs, that some entry with schedules and without tags selects in this
 * place (its `table` and `tags` are not looked at): sorted, each once; borrowed strings, free the array. They are
 * expected to be there. */
int conf_named_tables(const Conf *c, const TableFacts *place, const char ***ret, size_t *ret_n);
/* The n-th table (from 0) of the ARNs of a place's entries with schedules, whatever their account; NULL: there are not
 * so many. */
const char *conf_arn_table(const Conf *c, const TableFacts *place, size_t n);
bool conf_needs_discovery(const Conf *c, const char *account); /* some entry for it has a pattern or tags */
