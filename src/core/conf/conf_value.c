#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/parse.h"
#include "core/conf/conf.h"
#include "core/conf/conf_schema.h"

#define WHY_MAX 1024
#define TEXT_MAX 1024

int conf_kind_describe(const ConfTree *node, Text *t) {
    switch (node->kind) {
    case CONF_GROUP:
        return text_add(t, "a group");
    case CONF_LIST:
        return text_add(t, "a list");
    case CONF_STRING:
        return text_add(t, "a string");
    case CONF_INT:
        return text_addf(t, "the number %" PRId64, node->integer);
    case CONF_FLOAT:
        return text_addf(t, "the number %g", node->number);
    case CONF_BOOL:
        return text_add(t, node->boolean ? "true" : "false");
    }
    return -EINVAL;
}

/* Where and of what a value is read; problems NULL: nobody wants to hear. */
typedef struct Reading {
    const ConfKey *key;
    const ConfTree *node;
    const char *path;
    ConfProblems *problems;
} Reading;

static int bad(const Reading *r, const char *format, ...) PRINTF_LIKE(2, 3);

static int bad(const Reading *r, const char *format, ...) {
    if (!r->problems)
        return -EINVAL;
    AUTO_TEXT t = TEXT_INIT(4 * WHY_MAX);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    int rc = t.error == -ENOMEM
                 ? -ENOMEM
                 : conf_problems_add(r->problems, r->node->file, r->node->line, "%s: %s", r->path, text_get(&t));
    return rc < 0 ? rc : -EINVAL;
}

static int bad_kind(const Reading *r, const char *wanted, const char *hint) {
    AUTO_TEXT kind = TEXT_INIT(128);
    if (conf_kind_describe(r->node, &kind) < 0)
        return -ENOMEM;
    return bad(r, "must be %s, not %s; HINT: %s", wanted, text_get(&kind), hint);
}

/* "error", "warning" or "debug"; returns how many they are. */
static size_t list_words(const char *const *words, Text *t) {
    size_t n = 0;
    for (; words[n]; n++)
        text_addf(t, "%s\"%s\"", n == 0 ? "" : words[n + 1] ? ", " : " or ", words[n]);
    return n;
}

/* The word that was most likely meant, or NULL: in other letters ("INFO"), a part of it ("JSON", "warn"), with more
 * around it ("aws:kms"), misspelt. */
static const char *guess_word(const char *value, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(value, words[i]) == 0)
            return words[i];
    const char *longest = NULL;
    for (size_t i = 0; i < n; i++)
        if (((strlen(value) >= 3 && strcasestr(words[i], value)) || strcasestr(value, words[i])) &&
            (!longest || strlen(words[i]) > strlen(longest)))
            longest = words[i];
    return longest ? longest : name_nearest(value, words, n);
}

static int check_words(const Reading *r, const char *value, size_t *ret_index) {
    AUTO_TEXT list = TEXT_INIT(256);
    for (size_t i = 0; r->key->words[i]; i++)
        if (strcmp(value, r->key->words[i]) == 0) {
            *ret_index = i;
            return 0;
        }
    const char *nearest = guess_word(value, r->key->words, list_words(r->key->words, &list));
    return nearest ? bad(r, "must be %s, not \"%.100s\"; HINT: did you mean \"%s\"?", text_get(&list), value, nearest)
                   : bad(r, "must be %s, not \"%.100s\"", text_get(&list), value);
}

/* One string of a TEXT or TEXTS. */
static int check_text(const Reading *r) {
    const char *value = r->node->string;
    size_t index;
    if (r->key->words)
        return check_words(r, value, &index);
    if (!*value)
        return r->key->empty_too  ? 0
               : r->key->required ? bad(r, "must not be empty; HINT: such as %s", r->key->example)
                                  : bad(r, "must not be empty; HINT: leave the key out");
    if (strlen(value) > TEXT_MAX)
        return bad(r, "must not be longer than %d characters", TEXT_MAX);
    AUTO_TEXT why = TEXT_INIT(WHY_MAX);
    if (r->key->check && !r->key->check(value, &why))
        return why.error == -ENOMEM ? -ENOMEM : bad(r, "\"%.300s\" %s", value, text_get(&why));
    return 0;
}

static int read_text(const Reading *r, char **ret) {
    if (r->node->kind == CONF_LIST && strcmp(r->key->name, "when") == 0)
        return bad_kind(r, "a string", "hours are one expression, such as \"02,14:00\"; else write two schedules");
    if (r->node->kind != CONF_STRING)
        return bad_kind(r, "a string",
                        r->node->kind == CONF_GROUP || r->node->kind == CONF_LIST ? "a single text in quotes"
                                                                                  : "put it in quotes");
    int rc = check_text(r);
    if (rc < 0 || !ret)
        return rc;
    return text_set(ret, *r->node->string ? r->node->string : NULL);
}

static int read_texts(const Reading *r) {
    if (r->node->kind == CONF_STRING)
        return check_text(r);
    if (r->node->kind != CONF_LIST)
        return bad_kind(r, "a string or a list of strings", "write [\"one\", \"two\"]");
    int result = 0;
    for (size_t i = 0; i < r->node->n_children; i++) {
        Reading element = *r;
        element.node = r->node->children[i];
        int rc = element.node->kind == CONF_STRING
                     ? check_text(&element)
                     : bad_kind(&element, "a list of strings", "write [\"one\", \"two\"]");
        if (rc == -ENOMEM)
            return rc;
        result = rc < 0 ? rc : result;
    }
    return result;
}

static int read_word(const Reading *r, int *ret) {
    AUTO_TEXT list = TEXT_INIT(256);
    size_t index;
    list_words(r->key->words, &list);
    if (r->node->kind != CONF_STRING)
        return bad_kind(r, "a string", text_get(&list));
    int rc = check_words(r, r->node->string, &index);
    if (rc >= 0 && ret)
        *ret = r->key->first + (int)index;
    return rc;
}

/* "never": what "0" says where it is taken. */
static bool is_without_end(const char *s) {
    static const char *const words[] = {"never", "none", "off", "no", "infinity", "infinite", "unlimited"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    return false;
}

static bool is_month_or_year(const char *s) {
    static const char *const units[] = {"month", "months", "mo", "M", "y", "year", "years"};
    s += strspn(s, "0123456789");
    s += strspn(s, " ");
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcmp(s, units[i]) == 0)
            return true;
    return false;
}

static int read_duration(const Reading *r, Usec *ret) {
    char least[DURATION_SIZE], most[DURATION_SIZE];
    if (r->node->kind == CONF_INT || r->node->kind == CONF_FLOAT) {
        AUTO_TEXT hint = TEXT_INIT(128);
        if (r->node->kind == CONF_INT)
            text_addf(&hint, "write \"%" PRId64 "%s\"", r->node->integer, r->node->integer == 0 ? "" : "s");
        else
            text_addf(&hint, "write \"%gs\"", r->node->number);
        return hint.error < 0 ? hint.error : bad_kind(r, "a string with a unit", text_get(&hint));
    }
    if (r->node->kind != CONF_STRING)
        return bad_kind(r, "a string with a unit", "write \"90min\"");
    const char *s = r->node->string;
    Usec usec = 0;
    int64_t plain;
    int rc = parse_duration(s, &usec);
    if (rc == -EINVAL && parse_int(s, 0, INT64_MAX, &plain) >= 0)
        return bad(r, "\"%.100s\" has no unit; HINT: write \"%.100ss\" for seconds, or min, h, d, w", s, s);
    if (rc == -EINVAL && r->key->zero_too && is_without_end(s))
        return bad(r, "\"%.100s\" is no duration; HINT: write \"0\"", s);
    if (rc == -EINVAL && is_month_or_year(s))
        return bad(r, "\"%.100s\" is no duration, for months and years differ; HINT: such as \"30d\" or \"365d\"", s);
    if (rc == -EINVAL)
        return bad(r,
                   "\"%.100s\" is no duration; HINT: numbers with the units ms, s, min, h, d, w, such as \"90min\" or "
                   "\"1h 30min\"",
                   s);
    if (rc == -ERANGE || usec > r->key->max || (usec < r->key->min && !(usec == 0 && r->key->zero_too)))
        return bad(r, "\"%.100s\" is out of range; HINT: %s%s to %s", s, r->key->zero_too ? "0, or " : "",
                   duration_to_string(r->key->min, least), duration_to_string(r->key->max, most));
    if (ret)
        *ret = usec;
    return 0;
}

static int read_count(const Reading *r, int *ret) {
    if (r->node->kind != CONF_INT)
        return bad_kind(r, "a whole number",
                        r->node->kind == CONF_STRING ? "take the quotes away" : "write it without fraction");
    if (r->node->integer < r->key->min || r->node->integer > r->key->max)
        return bad(r, "%" PRId64 " is out of range; HINT: %" PRId64 " to %" PRId64, r->node->integer, r->key->min,
                   r->key->max);
    if (ret)
        *ret = (int)r->node->integer;
    return 0;
}

static int read_size(const Reading *r, uint64_t *ret) {
    uint64_t bytes = 0;
    if (r->node->kind != CONF_STRING)
        return bad_kind(r, "a string with a unit", "write \"500G\"");
    if (parse_size(r->node->string, &bytes) < 0)
        return bad(r, "\"%.100s\" is no size; HINT: a number with the units K, M, G, T, such as \"500G\"",
                   r->node->string);
    if (ret)
        *ret = bytes;
    return 0;
}

static int read_switch(const Reading *r, Switch *ret) {
    if (r->node->kind != CONF_BOOL)
        return bad_kind(r, "true or false",
                        r->node->kind == CONF_STRING ? "take the quotes away" : "write true or false");
    if (ret)
        *ret = r->node->boolean ? SWITCH_ON : SWITCH_OFF;
    return 0;
}

static int read_share(const Reading *r, double *ret) {
    if (r->node->kind == CONF_STRING && strchr(r->node->string, '%'))
        return bad_kind(r, "a number", "50% is 0.5, without quotes");
    if (r->node->kind != CONF_INT && r->node->kind != CONF_FLOAT)
        return bad_kind(r, "a number", r->node->kind == CONF_STRING ? "take the quotes away" : "write 0.5");
    double share = r->node->kind == CONF_INT ? (double)r->node->integer : r->node->number;
    if (!(share > 0 && share <= 1))
        return bad(r, "%g is out of range; HINT: above 0, at most 1", share);
    if (ret)
        *ret = share;
    return 0;
}

int conf_value_read(const ConfKey *key, const ConfTree *node, const char *path, ConfProblems *problems, void *base) {
    Reading r = {.key = key, .node = node, .path = path, .problems = problems};
    void *at = base && key->offset != CONF_NO_OFFSET ? (char *)base + key->offset : NULL;
    switch (key->type) {
    case CONF_TYPE_TEXT:
        return read_text(&r, at);
    case CONF_TYPE_WORD:
        return read_word(&r, at);
    case CONF_TYPE_DURATION:
        return read_duration(&r, at);
    case CONF_TYPE_COUNT:
        return read_count(&r, at);
    case CONF_TYPE_SIZE:
        return read_size(&r, at);
    case CONF_TYPE_SWITCH:
        return read_switch(&r, at);
    case CONF_TYPE_SHARE:
        return read_share(&r, at);
    case CONF_TYPE_TEXTS:
        return read_texts(&r);
    case CONF_TYPE_SECTION:
    case CONF_TYPE_NAMED:
    case CONF_TYPE_ENTRIES:
        break;
    }
    return -EINVAL;
}

int conf_value_default(const ConfKey *key, void *base) {
    if (!key->default_text)
        return 0;
    AUTO_FREE char *text = strdup(key->default_text);
    if (!text)
        return -ENOMEM;
    ConfTree node = {.kind = CONF_STRING, .string = text};
    if (key->type == CONF_TYPE_COUNT) {
        node.kind = CONF_INT;
        if (parse_int(text, INT64_MIN, INT64_MAX, &node.integer) < 0)
            return -EINVAL;
    } else if (key->type == CONF_TYPE_SHARE) {
        node.kind = CONF_FLOAT;
        node.number = strtod(text, NULL);
    }
    return conf_value_read(key, &node, key->name, NULL, base);
}
