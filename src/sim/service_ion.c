#include "sim/service_ion.h"

#include <string.h>

/* A name that needs no quotes. */
static bool is_symbol(const char *s) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";
    static const char *const words[] = {"null", "true", "false", "nan"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(s, words[i]) == 0)
            return false;
    size_t n = strspn(s, letters), digits = 0;
    while ((digits = strspn(s + n, "0123456789")) > 0)
        n += digits + strspn(s + n + digits, letters);
    return strspn(s, letters) > 0 && !s[n];
}

static void add_quoted(Text *t, const char *s, char quote) {
    text_add_char(t, quote);
    for (; *s; s++)
        if (*s == quote || *s == '\\')
            text_addf(t, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            text_addf(t, "\\x%02x", (unsigned)(unsigned char)*s);
        else
            text_add_char(t, *s);
    text_add_char(t, quote);
}

/* A decimal has a point, or it would be an integer. */
static void add_scalar(Text *t, char type, const char *s) {
    if (type == 'N')
        text_addf(t, "%s%s", s, strchr(s, '.') ? "" : ".");
    else if (type == 'B')
        text_addf(t, "{{%s}}", s);
    else
        add_quoted(t, s, '"');
}

static void add_value(Text *t, const ServiceJson *value);

static void add_list(Text *t, const ServiceJson *list, char scalar) {
    text_add_char(t, '[');
    for (const ServiceJson *j = list->first; j; j = j->next) {
        if (j != list->first)
            text_add_char(t, ',');
        if (scalar)
            add_scalar(t, scalar, j->text);
        else
            add_value(t, j);
    }
    text_add_char(t, ']');
}

static void add_value(Text *t, const ServiceJson *value) {
    const ServiceJson *j = value->first;
    const char *type = j->name;
    if (strcmp(type, "NULL") == 0)
        text_add(t, "null");
    else if (strcmp(type, "BOOL") == 0)
        text_add(t, j->type == SERVICE_JSON_TRUE ? "true" : "false");
    else if (strcmp(type, "M") == 0)
        service_ion_add_attributes(t, j);
    else if (strcmp(type, "L") == 0)
        add_list(t, j, '\0');
    else if (strlen(type) == 2) {
        text_addf(t, "$dynamodb_%s::", type);
        add_list(t, j, type[0]);
    } else
        add_scalar(t, type[0], j->text);
}

void service_ion_add_attributes(Text *t, const ServiceJson *attributes) {
    text_add_char(t, '{');
    for (const ServiceJson *j = attributes->first; j; j = j->next) {
        if (j != attributes->first)
            text_add_char(t, ',');
        if (is_symbol(j->name))
            text_add(t, j->name);
        else
            add_quoted(t, j->name, '\'');
        text_add_char(t, ':');
        add_value(t, j);
    }
    text_add_char(t, '}');
}
