#include "core/conf/conf_expand.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "core/conf/conf.h"

#define EXPANDED_MAX 4096

static const char *const names[] = {"account", "region", "table", "deployment", "schedule"};

static const char *value_of(const ConfNames *n, size_t index) {
    const char *const values[ARRAY_SIZE(names)] = {n->account, n->region, n->table, n->deployment, n->schedule};
    return values[index];
}

/* After a '%': the index of the name in braces, with *ret_len what it takes of the text; -EINVAL. */
static int read_name(const char *s, size_t *ret_index, size_t *ret_len) {
    if (*s != '{')
        return -EINVAL;
    size_t len = strcspn(s + 1, "}");
    if (s[1 + len] != '}')
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == len && memcmp(s + 1, names[i], len) == 0) {
            *ret_index = i;
            *ret_len = len + 2;
            return 0;
        }
    return -EINVAL;
}

int conf_expand(const char *text, const ConfNames *n, char **ret) {
    AUTO_TEXT t = TEXT_INIT(EXPANDED_MAX);
    for (const char *s = text; *s;) {
        size_t plain = strcspn(s, "%"), index, len;
        text_add_bytes(&t, s, plain);
        s += plain;
        if (!*s)
            break;
        s++;
        if (*s == '%') {
            text_add_char(&t, '%');
            s++;
            continue;
        }
        if (read_name(s, &index, &len) < 0 || !value_of(n, index))
            return -EINVAL;
        text_add(&t, value_of(n, index));
        s += len;
    }
    return text_take(&t, ret);
}

bool conf_expand_check(const char *text, Text *why) {
    for (const char *s = strchr(text, '%'); s; s = strchr(s, '%')) {
        size_t index, len = 1;
        s++;
        if (*s != '%' && read_name(s, &index, &len) < 0) {
            char name[65] = "";
            size_t n = *s == '{' ? strcspn(s + 1, "}") : 0;
            strncat(name, s + (n > 0), n < sizeof name ? n : 0);
            const char *nearest = name_nearest(name, names, ARRAY_SIZE(names));
            text_addf(why, "holds a '%%' that begins no template; HINT: ");
            if (nearest && *name)
                text_addf(why, "did you mean %%{%s}?", nearest);
            else
                text_add(why, "%{account}, %{region}, %{table}, %{deployment}, %{schedule}, or %% for the character");
            return false;
        }
        s += len;
    }
    return true;
}

bool conf_expand_has_template(const char *text) { return strchr(text, '%') != NULL; }

int conf_expand_strip(const char *text, char **ret) {
    AUTO_TEXT t = TEXT_INIT(EXPANDED_MAX);
    for (const char *s = text; *s; s++) {
        size_t index, len;
        if (*s != '%')
            text_add_char(&t, *s);
        else if (read_name(s + 1, &index, &len) >= 0)
            s += len;
        else
            text_add_char(&t, *s++);
    }
    return text_take(&t, ret);
}
