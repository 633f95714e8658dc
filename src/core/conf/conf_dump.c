/* The text of --dump-config. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/conf/conf.h"
#include "core/conf/conf_schema.h"

#define DUMP_MAX (16 << 20)

static void indent(Text *t, int depth) {
    for (int i = 0; i < depth; i++)
        text_add(t, "    ");
}

static void add_string(Text *t, const char *s) {
    text_add_char(t, '"');
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            text_addf(t, "\\%c", *s);
        else if ((unsigned char)*s < 0x20 || *s == 0x7f)
            text_addf(t, "\\x%02x", (unsigned)(unsigned char)*s);
        else
            text_add_char(t, *s);
    text_add_char(t, '"');
}

/* The shortest text that reads back as the same number. */
static void add_number(Text *t, double number) {
    for (int digits = 1; digits <= 17; digits++) {
        AUTO_TEXT s = TEXT_INIT(64);
        if (text_addf(&s, "%.*g", digits, number) < 0)
            return (void)(t->error = s.error);
        if (strtod(text_get(&s), NULL) == number || digits == 17)
            return (void)text_add(t, text_get(&s));
    }
}

static void add_value(Text *t, const ConfTree *node) {
    switch (node->kind) {
    case CONF_STRING:
        add_string(t, node->string);
        break;
    case CONF_INT:
        text_addf(t, "%" PRId64, node->integer);
        break;
    case CONF_FLOAT:
        add_number(t, node->number);
        break;
    case CONF_BOOL:
        text_add(t, node->boolean ? "true" : "false");
        break;
    case CONF_LIST:
        text_add(t, "[");
        for (size_t i = 0; i < node->n_children; i++) {
            text_add(t, i > 0 ? ", " : "");
            add_value(t, node->children[i]);
        }
        text_add(t, "]");
        break;
    case CONF_GROUP: /* no key has one for a value */
        break;
    }
}

static void add_place(Text *t, const ConfTree *node) {
    for (const char *s = node->file; *s; s++)
        text_add_char(t, (unsigned char)*s < 0x20 ? '?' : *s);
    text_addf(t, ":%u\n", node->line);
}

/* `timezone` means nothing where `when` names its own. */
static bool names_zone(const ConfTree *schedule) {
    const ConfTree *when = conf_tree_get(schedule, "when");
    CLEANUP(calendar_free_ptr) Calendar *c = NULL;
    CalendarError error;
    return when && when->kind == CONF_STRING && calendar_parse(when->string, &c, &error) >= 0 &&
           calendar_zone_name(c) != NULL;
}

static bool has_word(const ConfTree *group, const char *key, const char *word) {
    const ConfTree *node = conf_tree_get(group, key);
    return node && node->kind == CONF_STRING && strcmp(node->string, word) == 0;
}

/* Exports of the schedule are not looked at in their bucket. */
static bool is_unchecked(const ConfTree *group, const ConfTree *inherited) {
    const ConfTree *from = conf_tree_get(group, "verify") ? group : inherited;
    return !conf_tree_get(from, "verify") || has_word(from, "verify", "service");
}

static void dump_key(Text *t, const ConfKey *key, const ConfTree *group, const ConfTree *inherited,
                     const char *in_defaults, int depth) {
    const ConfTree *own = conf_tree_get(group, key->name), *other = conf_tree_get(inherited, key->name);
    indent(t, depth);
    if (!own && strcmp(key->name, "timezone") == 0 && names_zone(group)) {
        text_addf(t, "# %s = \"\";  # not set: when names its own\n", key->name);
        return;
    }
    if (!own && strcmp(key->name, "expire") == 0 && has_word(inherited, key->name, "delete") &&
        (has_word(group, "action", "incremental") ||
         (has_word(group, "action", "export") && is_unchecked(group, inherited)))) {
        text_addf(t, "%s = \"report\";  # %s\n", key->name,
                  has_word(group, "action", "export") ? "exports that nobody checks are not deleted"
                                                      : "links go with the export that their chain begins with");
        return;
    }
    if (!own && !other && !key->default_text) {
        text_addf(t, "# %s = %s;  # not set: %s\n", key->name,
                  key->example                    ? key->example
                  : key->type == CONF_TYPE_TEXTS ? "[]"
                                                 : "\"\"",
                  key->unset);
        return;
    }
    text_addf(t, "%s = ", key->name);
    if (own || other)
        add_value(t, own ? own : other);
    else if (key->type == CONF_TYPE_COUNT || key->type == CONF_TYPE_SHARE)
        text_add(t, key->default_text);
    else
        add_string(t, key->default_text);
    text_add(t, ";  # ");
    if (own)
        add_place(t, own);
    else if (other) {
        text_addf(t, "%s%s at ", in_defaults, key->name);
        add_place(t, other);
    } else
        text_add(t, "default\n");
}

/* The keys of a section that have values, and the sections in it. `defaults` has no place in what is effective. */
static void dump_section(Text *t, ConfSection in, const ConfTree *group, const ConfTree *inherited,
                         const char *in_defaults, int depth) {
    for (size_t i = 0; i < conf_schema_size; i++) {
        const ConfKey *key = &conf_schema[i];
        if (key->in != in || (key->chains && !has_word(group, "action", "incremental")))
            continue;
        const ConfTree *child = conf_tree_get(group, key->name);
        switch (key->type) {
        case CONF_TYPE_SECTION:
            if (key->offset == CONF_NO_OFFSET ||
                (key->section == CONF_SECTION_S3 && has_word(group, "action", "backup")))
                break;
            indent(t, depth);
            text_addf(t, "%s = {\n", key->name);
            dump_section(t, key->section, child, conf_tree_get(inherited, key->name),
                         key->section == CONF_SECTION_KEEP ? "defaults.keep." : "defaults.s3.", depth + 1);
            indent(t, depth);
            text_add(t, "};\n");
            break;
        case CONF_TYPE_NAMED:
            if (!child && key->unset) {
                text_addf(t, "# %s = {};  # not set: %s\n", key->name, key->unset);
                break;
            }
            text_addf(t, "%s = {\n", key->name);
            for (size_t j = 0; child && j < child->n_children; j++) {
                indent(t, depth + 1);
                text_addf(t, "%s = {\n", child->children[j]->key);
                dump_section(t, key->section, child->children[j], conf_tree_get(group, "defaults"), "defaults.",
                             depth + 2);
                indent(t, depth + 1);
                text_add(t, "};\n");
            }
            text_add(t, "};\n");
            break;
        case CONF_TYPE_ENTRIES:
            text_addf(t, "%s = (\n", key->name);
            for (size_t j = 0; child && j < child->n_children; j++) {
                indent(t, depth + 1);
                text_add(t, "{\n");
                dump_section(t, key->section, child->children[j], NULL, "", depth + 2);
                indent(t, depth + 1);
                text_add(t, j + 1 < child->n_children ? "},\n" : "}\n");
            }
            text_add(t, ");\n");
            break;
        case CONF_TYPE_TEXT:
        case CONF_TYPE_WORD:
        case CONF_TYPE_DURATION:
        case CONF_TYPE_COUNT:
        case CONF_TYPE_SIZE:
        case CONF_TYPE_SWITCH:
        case CONF_TYPE_SHARE:
        case CONF_TYPE_TEXTS:
            dump_key(t, key, group, inherited, in_defaults, depth);
            break;
        }
    }
}

int conf_dump(const ConfTree *tree, char **ret) {
    AUTO_TEXT t = TEXT_INIT(DUMP_MAX);
    dump_section(&t, CONF_SECTION_ROOT, tree, NULL, "", 0);
    return text_take(&t, ret);
}
