#include "sim/service_shape.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static const char *const pattern_texts[] = {
    [SERVICE_PATTERN_NAME] = "[a-zA-Z0-9_.-]+",
    [SERVICE_PATTERN_TABLE] = "[a-zA-Z0-9_.-]+",
    [SERVICE_PATTERN_BUCKET] = "^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
    [SERVICE_PATTERN_ACCOUNT] = "[0-9]{12}",
    [SERVICE_PATTERN_TOKEN] = "^[^\\$]+$",
};

static bool is_alphanumeric(char c) { return c && c != '_' && c != '.' && c != '-' && strchr(NAME_CHARACTERS, c); }

static bool pattern_matches(ServicePattern p, const char *s) {
    size_t n = strlen(s);
    switch (p) {
    case SERVICE_PATTERN_NONE:
        return true;
    case SERVICE_PATTERN_NAME:
        return n > 0 && strspn(s, NAME_CHARACTERS) == n;
    case SERVICE_PATTERN_TABLE:
        return text_starts_with(s, "arn:") || strspn(s, NAME_CHARACTERS) == n;
    case SERVICE_PATTERN_BUCKET:
        return n > 1 && strspn(s, NAME_CHARACTERS) == n && is_alphanumeric(s[0]) && is_alphanumeric(s[n - 1]);
    case SERVICE_PATTERN_ACCOUNT:
        return n == 12 && strspn(s, "0123456789") == n;
    case SERVICE_PATTERN_TOKEN:
        return n > 0 && !strchr(s, '$');
    }
    return false;
}

static bool words_have(const char *words, const char *s) {
    size_t n = strlen(s);
    for (const char *w = words; *w; w += strcspn(w, ",") + (w[strcspn(w, ",")] ? 2 : 0))
        if (n > 0 && strcspn(w, ",") == n && strncmp(w, s, n) == 0)
            return true;
    return false;
}

/* ---- types ---- */

static const char *token_name(const ServiceJson *j) {
    switch (j->type) {
    case SERVICE_JSON_NULL:
        return "NULL_VALUE";
    case SERVICE_JSON_FALSE:
        return "FALSE_VALUE";
    case SERVICE_JSON_TRUE:
        return "TRUE_VALUE";
    case SERVICE_JSON_NUMBER:
        return strpbrk(j->text, ".eE") ? "DECIMAL_VALUE" : "NUMBER_VALUE";
    case SERVICE_JSON_STRING:
        return "STRING_VALUE";
    case SERVICE_JSON_LIST:
    case SERVICE_JSON_OBJECT:
        break;
    }
    return "";
}

static int refuse_type(const ServiceJson *j, const char *wanted, Text *message) {
    if (j->type == SERVICE_JSON_OBJECT)
        text_add(message, "Start of structure or map found where not expected");
    else if (j->type == SERVICE_JSON_LIST)
        text_addf(message, "Unrecognized collection type class java.lang.%s", wanted ? wanted : "Object");
    else if (wanted)
        text_addf(message, "%s cannot be converted to %s", token_name(j), wanted);
    else
        text_add(message, "Unexpected field type");
    return -EINVAL;
}

static int check_types(const ServiceJson *j, const ServiceMember *m, Text *message);

static int check_members(const ServiceJson *object, const ServiceMember *members, Text *message) {
    for (const ServiceMember *m = members; m && m->name; m++) {
        const ServiceJson *j = service_json_get(object, m->name);
        int rc = j ? check_types(j, m, message) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_types(const ServiceJson *j, const ServiceMember *m, Text *message) {
    int64_t value;
    Usec wall;
    switch (m->type) {
    case SERVICE_SHAPE_STRING:
        return j->type == SERVICE_JSON_STRING ? 0 : refuse_type(j, "String", message);
    case SERVICE_SHAPE_INTEGER:
    case SERVICE_SHAPE_LONG:
        if (j->type != SERVICE_JSON_NUMBER)
            return refuse_type(j, m->type == SERVICE_SHAPE_LONG ? "Long" : "Integer", message);
        if (service_json_to_int(j, &value) == -ERANGE ||
            (m->type == SERVICE_SHAPE_INTEGER && (value < INT32_MIN || value > INT32_MAX)))
            return refuse_type(j, m->type == SERVICE_SHAPE_LONG ? "Long" : "Integer", message);
        return 0;
    case SERVICE_SHAPE_BOOLEAN:
        return j->type == SERVICE_JSON_TRUE || j->type == SERVICE_JSON_FALSE ? 0 : refuse_type(j, "Boolean", message);
    case SERVICE_SHAPE_WALL:
        return service_json_to_wall(j, &wall) >= 0 ? 0 : refuse_type(j, "milliseconds since epoch", message);
    case SERVICE_SHAPE_LIST:
        if (j->type != SERVICE_JSON_LIST)
            return refuse_type(j, NULL, message);
        for (const ServiceJson *item = j->first; item && m->of; item = item->next) {
            int rc = item->type == SERVICE_JSON_NULL ? 0 : check_types(item, m->of, message);
            if (rc < 0)
                return rc;
        }
        return 0;
    case SERVICE_SHAPE_MAP:
        return j->type == SERVICE_JSON_OBJECT ? 0 : refuse_type(j, NULL, message);
    case SERVICE_SHAPE_STRUCTURE:
        return j->type == SERVICE_JSON_OBJECT ? check_members(j, m->of, message) : refuse_type(j, NULL, message);
    }
    return 0;
}

/* ---- constraints ---- */

typedef struct Checker {
    Text text; /* the violations so far, joined by "; " */
    unsigned n_errors;
    const char *special; /* a message that AWS has instead of the usual form */
} Checker;

static void violation(Checker *c, const char *path, const ServiceJson *j, const char *format, ...) PRINTF_LIKE(4, 5);

static void violation(Checker *c, const char *path, const ServiceJson *j, const char *format, ...) {
    va_list args;
    text_add(&c->text, c->n_errors++ > 0 ? "; Value " : "Value ");
    if (!j)
        text_add(&c->text, "null");
    else if (j->type == SERVICE_JSON_LIST || j->type == SERVICE_JSON_OBJECT)
        text_addf(&c->text, "'%s'", j->n_items == 0 ? "[]" : "[...]");
    else
        text_addf(&c->text, "'%s'", j->text ? j->text : "");
    text_addf(&c->text, " at '%s' failed to satisfy constraint: Member must ", path);
    va_start(args, format);
    text_addfv(&c->text, format, args);
    va_end(args);
}

static void check_range(Checker *c, const char *path, const ServiceJson *j, const ServiceMember *m, int64_t value,
                        const char *what) {
    if (m->max > 0 && value > m->max)
        violation(c, path, j, "have %s less than or equal to %ld", what, m->max);
    if (value < m->min)
        violation(c, path, j, "have %s greater than or equal to %ld", what, m->min);
}

static void check_string(Checker *c, const char *path, const ServiceJson *j, const ServiceMember *m) {
    size_t n = strlen(j->text);
    bool is_arn = text_starts_with(j->text, "arn:");
    if (m->pattern == SERVICE_PATTERN_TABLE && !is_arn && (n < 3 || n > 255)) {
        c->special = "TableName must be at least 3 characters long and at most 255 characters long";
        return;
    }
    if (!pattern_matches(m->pattern, j->text))
        violation(c, path, j, "satisfy regular expression pattern: %s", pattern_texts[m->pattern]);
    if (m->words && !words_have(m->words, j->text))
        violation(c, path, j, "satisfy enum value set: [%s]", m->words);
    check_range(c, path, j, m, (int64_t)n, "length");
}

/* "exportFormat" for ExportFormat, below its parent's path. */
static void add_path(Text *t, const char *parent, const char *name) {
    text_addf(t, "%s%s%c%s", parent, *parent ? "." : "",
              name[0] >= 'A' && name[0] <= 'Z' ? name[0] + ('a' - 'A') : name[0], name + 1);
}

static void check_value(Checker *c, const char *path, const ServiceJson *j, const ServiceMember *m);

static void check_structure(Checker *c, const char *path, const ServiceJson *object, const ServiceMember *members) {
    for (const ServiceMember *m = members; m && m->name; m++) {
        const ServiceJson *j = service_json_get(object, m->name);
        AUTO_TEXT inner = TEXT_INIT(1000);
        add_path(&inner, path, m->name);
        if (j)
            check_value(c, text_get(&inner), j, m);
        else if (m->required && m->pattern == SERVICE_PATTERN_TABLE)
            c->special = "The parameter 'TableName' is required but was not present in the request";
        else if (m->required)
            violation(c, text_get(&inner), NULL, "not be null");
    }
}

static void check_value(Checker *c, const char *path, const ServiceJson *j, const ServiceMember *m) {
    int64_t value;
    switch (m->type) {
    case SERVICE_SHAPE_STRING:
        check_string(c, path, j, m);
        break;
    case SERVICE_SHAPE_INTEGER:
    case SERVICE_SHAPE_LONG:
        if (service_json_to_int(j, &value) < 0)
            violation(c, path, j, "be a whole number");
        else if (m->min != 0 || m->max != 0)
            check_range(c, path, j, m, value, "value");
        break;
    case SERVICE_SHAPE_LIST: {
        size_t i = 0;
        check_range(c, path, j, m, (int64_t)j->n_items, "length");
        for (const ServiceJson *item = j->first; item && m->of; item = item->next) {
            AUTO_TEXT inner = TEXT_INIT(1000);
            text_addf(&inner, "%s.%zu.member", path, ++i);
            if (item->type == SERVICE_JSON_NULL)
                violation(c, text_get(&inner), NULL, "not be null");
            else
                check_value(c, text_get(&inner), item, m->of);
        }
        break;
    }
    case SERVICE_SHAPE_STRUCTURE:
        check_structure(c, path, j, m->of);
        break;
    case SERVICE_SHAPE_MAP:
    case SERVICE_SHAPE_BOOLEAN:
    case SERVICE_SHAPE_WALL:
        break;
    }
}

int service_shape_check(const ServiceJson *input, const ServiceMember *members, const char **ret_code, Text *message) {
    static const ServiceMember whole = {.name = "", .type = SERVICE_SHAPE_STRUCTURE};
    ServiceMember m = whole;
    m.of = members;
    if (check_types(input, &m, message) < 0) {
        *ret_code = "SerializationException";
        return -EINVAL;
    }
    Checker c = {.text = TEXT_INIT(100000)};
    check_structure(&c, "", input, members);
    if (c.special)
        text_add(message, c.special);
    else if (c.n_errors > 0)
        text_addf(message, "%u validation error%s detected: %s", c.n_errors, c.n_errors > 1 ? "s" : "",
                  text_get(&c.text));
    text_done(&c.text);
    *ret_code = "ValidationException";
    return message->len > 0 ? -EINVAL : 0;
}
