#include "core/conf/conf_tree.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/array.h"

/* A person corrects a few and looks again; a file full of junk must not fill the journal. */
#define PROBLEMS_MAX 100
#define PROBLEM_LENGTH_MAX 2048

ConfTree *conf_tree_new(ConfKind kind, const char *key, const char *file, unsigned line) {
    CLEANUP(conf_tree_free_ptr) ConfTree *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->kind = kind;
    t->line = line;
    if (text_set(&t->key, key) < 0 || text_set(&t->file, file) < 0)
        return NULL;
    return TAKE_PTR(t);
}

void conf_tree_free(ConfTree *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n_children; i++)
        conf_tree_free(t->children[i]);
    free(t->children);
    free(t->key);
    free(t->file);
    free(t->string);
    free(t);
}

int conf_tree_add(ConfTree *parent, ConfTree *child) {
    CLEANUP(conf_tree_free_ptr) ConfTree *owned = child;
    if (ARRAY_GROW(parent->children, parent->n_children, parent->n_room) < 0)
        return -ENOMEM;
    parent->children[parent->n_children++] = TAKE_PTR(owned);
    return 0;
}

const ConfTree *conf_tree_get(const ConfTree *group, const char *key) {
    if (!group || group->kind != CONF_GROUP)
        return NULL;
    for (size_t i = 0; i < group->n_children; i++)
        if (text_equal(group->children[i]->key, key))
            return group->children[i];
    return NULL;
}

static int problems_add_line(ConfProblems *p, const char *text) {
    AUTO_FREE char *line = strdup(text);
    if (!line || ARRAY_GROW(p->items, p->n_items, p->n_room) < 0)
        return -ENOMEM;
    p->items[p->n_items++] = TAKE_PTR(line);
    return 0;
}

/* One line: what came out of a file may hold anything. */
static void make_printable(char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

int conf_problems_add(ConfProblems *p, const char *file, unsigned line, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(PROBLEM_LENGTH_MAX);
    if (line > 0)
        text_addf(&t, "%s:%u: ", file, line);
    else
        text_addf(&t, "%s: ", file);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    if (t.error == -ENOMEM)
        return -ENOMEM;
    if (t.error < 0) { /* too long to show: the place at least */
        text_clear(&t);
        text_addf(&t, "%.1000s:%u: is wrong in a way too long to show", file, line);
    }
    if (!t.data)
        return -ENOMEM;
    make_printable(t.data);
    for (size_t i = 0; i < p->n_items; i++)
        if (strcmp(p->items[i], t.data) == 0)
            return 0;
    if (p->n_items == PROBLEMS_MAX)
        return problems_add_line(p, "and more; HINT: correct these first");
    return p->n_items > PROBLEMS_MAX ? 0 : problems_add_line(p, t.data);
}

void conf_problems_done(ConfProblems *p) {
    for (size_t i = 0; i < p->n_items; i++)
        free(p->items[i]);
    free(p->items);
    *p = (ConfProblems){};
}

/* Does it hold nothing but groups? An empty list does. */
static bool is_list_of_groups(const ConfTree *t) {
    if (t->kind != CONF_LIST)
        return false;
    for (size_t i = 0; i < t->n_children; i++)
        if (t->children[i]->kind != CONF_GROUP)
            return false;
    return true;
}

static ConfTree *find(ConfTree *group, const char *key) {
    for (size_t i = 0; i < group->n_children; i++)
        if (text_equal(group->children[i]->key, key))
            return group->children[i];
    return NULL;
}

static int merge(ConfTree *into, ConfTree *from, const char *path, ConfProblems *problems) {
    bool bad = false;
    for (size_t i = 0; i < from->n_children; i++) {
        ConfTree *child = from->children[i], *same = into->kind == CONF_GROUP ? find(into, child->key) : NULL;
        int r = 0;
        if (!same)
            r = conf_tree_add(into, TAKE_PTR(from->children[i]));
        else {
            AUTO_FREE char *key = text_format("%s%s%s", path, *path ? "." : "", child->key);
            if (!key)
                return -ENOMEM;
            if ((same->kind == CONF_GROUP && child->kind == CONF_GROUP) ||
                (is_list_of_groups(same) && is_list_of_groups(child)))
                r = merge(same, child, key, problems);
            else {
                bad = true;
                r = conf_problems_add(problems, child->file, child->line,
                                      "%s: is set in %s:%u already; HINT: keep one of the two", key, same->file,
                                      same->line);
            }
        }
        if (r == -ENOMEM)
            return r;
        bad |= r < 0;
    }
    return bad ? -EINVAL : 0;
}

int conf_tree_merge(ConfTree *into, ConfTree *from, ConfProblems *problems) {
    CLEANUP(conf_tree_free_ptr) ConfTree *owned = from;
    return merge(into, owned, "", problems); /* children that moved have left NULL behind */
}
