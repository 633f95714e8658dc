#include "core/conf/conf_reader.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

int conf_reader_say(ConfReader *m, const ConfTree *node, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(4096);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    m->bad = true;
    if (t.error == -ENOMEM || conf_problems_add(m->problems, node->file, node->line, "%s", text_get(&t)) < 0)
        m->out_of_memory = true;
    return m->out_of_memory ? -ENOMEM : -EINVAL;
}

bool conf_reader_is_group(ConfReader *m, const ConfTree *node, const char *path) {
    if (node->kind == CONF_GROUP)
        return true;
    AUTO_TEXT kind = TEXT_INIT(128);
    conf_kind_describe(node, &kind);
    conf_reader_say(m, node, "%s: must be a group, not %s; HINT: write { ... } around its keys", path, text_get(&kind));
    return false;
}

/* The key that an unknown one was most likely meant to be, or NULL. */
static const char *guess(ConfSection in, bool defaults, const char *name) {
    const char *near[64];
    size_t n = 0;
    for (size_t i = 0; i < conf_schema_size; i++)
        if (conf_schema[i].in == in && !(defaults && conf_schema[i].own) && n < ARRAY_SIZE(near))
            near[n++] = conf_schema[i].name;
    return conf_key_is_planned(name) ? NULL : name_nearest(name, near, n);
}

static int hint_unknown(ConfSection in, bool defaults, const char *name, Text *t) {
    if (conf_key(in, name))
        return text_add(t, "each schedule says its own");
    if (conf_key_is_planned(name))
        return text_add(t, "this version does not have it; take it out");
    if (strstr(name, "access_key") || strstr(name, "secret") || strstr(name, "session_token"))
        return text_add(t, "credentials stand in no configuration; ddbackupd(8), CREDENTIALS, says where they do");
    for (size_t i = 0; i < conf_schema_size; i++)
        if (strcmp(conf_schema[i].name, name) == 0)
            return text_addf(t, "it belongs into %s", conf_section_describe(conf_schema[i].in));
    const char *nearest = guess(in, defaults, name);
    if (nearest)
        return text_addf(t, "did you mean \"%s\"?", nearest);
    text_add(t, "the keys here are ");
    const char *comma = "";
    for (size_t i = 0; i < conf_schema_size; i++)
        if (conf_schema[i].in == in && !(defaults && conf_schema[i].own)) {
            text_addf(t, "%s%s", comma, conf_schema[i].name);
            comma = ", ";
        }
    return t->error;
}

static int check_unknown(ConfReader *m, ConfSection in, bool defaults, const ConfTree *node, const char *path) {
    for (size_t i = 0; node && i < node->n_children; i++) {
        const ConfTree *child = node->children[i];
        const ConfKey *key = conf_key(in, child->key);
        if (key && !(defaults && key->own))
            continue;
        AUTO_TEXT hint = TEXT_INIT(1024);
        if (hint_unknown(in, defaults, child->key, &hint) < 0)
            return -ENOMEM;
        if (conf_reader_say(m, child, "%s%s: unknown key; HINT: %s", path, child->key, text_get(&hint)) == -ENOMEM)
            return -ENOMEM;
    }
    return 0;
}

int conf_reader_missing(ConfReader *m, const ConfKey *key, const ConfTree *group, const char *path) {
    for (size_t i = 0; i < group->n_children; i++) {
        const char *name = group->children[i]->key;
        if (!conf_key(key->in, name) && text_equal(guess(key->in, false, name), key->name))
            return 0;
    }
    return conf_reader_say(m, group, "%s: is missing: %s; HINT: such as %s = %s", path, key->doc, key->name,
                           key->example);
}

static int read_key(ConfReader *m, const ConfKey *key, const ConfTree *node, const ConfTree *inherited,
                    const char *path, bool defaults, void *base) {
    const ConfTree *child = conf_tree_get(node, key->name), *other = conf_tree_get(inherited, key->name);
    AUTO_FREE char *here = text_format("%s%s", path, key->name), *below = text_format("%s%s.", path, key->name);
    if (!here || !below)
        return -ENOMEM;
    if (defaults && key->own)
        return 0;
    if (!child && key->required && node)
        return conf_reader_missing(m, key, node, here);
    if (key->type == CONF_TYPE_SECTION && key->offset != CONF_NO_OFFSET) {
        bool bad = child && !conf_reader_is_group(m, child, here);
        return conf_reader_section(m, key->section, bad ? NULL : child, other, below, defaults,
                                   base ? (char *)base + key->offset : NULL);
    }
    if (key->type == CONF_TYPE_SECTION || key->type == CONF_TYPE_NAMED || key->type == CONF_TYPE_ENTRIES)
        return 0; /* read by their owner */
    if (child) {
        int r = conf_value_read(key, child, here, m->problems, base);
        m->bad |= r < 0;
        return r;
    }
    if (other) /* what is wrong with it was said where it stands */
        return conf_value_read(key, other, here, NULL, base);
    return conf_value_default(key, base);
}

int conf_reader_section(ConfReader *m, ConfSection in, const ConfTree *node, const ConfTree *inherited,
                        const char *path, bool defaults, void *base) {
    if (check_unknown(m, in, defaults, node, path) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < conf_schema_size; i++)
        if (conf_schema[i].in == in && read_key(m, &conf_schema[i], node, inherited, path, defaults, base) == -ENOMEM)
            return -ENOMEM;
    return 0;
}
