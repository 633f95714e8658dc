#pragma once
/* A configuration as read: groups, lists and scalars, each with the place where it stands. What libconfig gives,
 * without libconfig; drop-ins are merged into one tree. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "base/text.h"

typedef enum ConfKind { CONF_GROUP, CONF_LIST, CONF_STRING, CONF_INT, CONF_FLOAT, CONF_BOOL } ConfKind;

typedef struct ConfTree {
    char *key; /* NULL at the root and for elements of lists */
    ConfKind kind;
    char *file;    /* where it stands */
    unsigned line; /* from 1 */
    char *string;  /* CONF_STRING */
    int64_t integer;
    double number;
    bool boolean;
    struct ConfTree **children; /* CONF_GROUP, CONF_LIST */
    size_t n_children, n_room;
} ConfTree;

ConfTree *conf_tree_new(ConfKind kind, const char *key, const char *file, unsigned line); /* NULL without memory */
void conf_tree_free(ConfTree *t);
DEFINE_CLEANUP(ConfTree, conf_tree_free)
int conf_tree_add(ConfTree *parent, ConfTree *child);                  /* takes child, also on failure */
const ConfTree *conf_tree_get(const ConfTree *group, const char *key); /* or NULL */

/* What is wrong with a configuration, one line each: "FILE:LINE: what; HINT: what to do". */
typedef struct ConfProblems {
    char **items;
    size_t n_items, n_room;
} ConfProblems;
int conf_problems_add(ConfProblems *p, const char *file, unsigned line, const char *format, ...) PRINTF_LIKE(4, 5);
void conf_problems_done(ConfProblems *p);

/* Adds a drop-in's tree to `into`: groups merge by key, `tables` (and other lists of groups) append, a scalar that both
 * have is a problem that names both places. `from` is taken. */
int conf_tree_merge(ConfTree *into, ConfTree *from, ConfProblems *problems);
