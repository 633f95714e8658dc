#pragma once
/* Templates in texts of the configuration, %{table}; conf_expand of core/conf/conf.h fills them in. */

#include <stdbool.h>

#include "base/text.h"

/* Is each '%' part of a template or doubled? Else *why says so, as of core/conf/conf_check.h. */
bool conf_expand_check(const char *text, Text *why);
bool conf_expand_has_template(const char *text);
/* The characters that stand for themselves; for a text that passes conf_expand_check. */
int conf_expand_strip(const char *text, char **ret);
