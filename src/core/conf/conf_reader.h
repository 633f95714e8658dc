#pragma once
/* Reads groups by the schema; inside of core/conf. */

#include "core/conf/conf.h"
#include "core/conf/conf_schema.h"

/* A reading under way. */
typedef struct ConfReader {
    ZoneLoader load_zone;
    void *context;
    ConfProblems *problems;
    Conf *conf;
    const ConfTree *defaults; /* the group, or NULL */
    bool bad, out_of_memory;
} ConfReader;

/* Adds a problem of the node; -EINVAL, -ENOMEM. */
int conf_reader_say(ConfReader *m, const ConfTree *node, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same of a required key that is not there; where it is there under a wrong name, that was said. */
int conf_reader_missing(ConfReader *m, const ConfKey *key, const ConfTree *group, const char *path);
bool conf_reader_is_group(ConfReader *m, const ConfTree *node, const char *path); /* else says so */
/* The keys of a section, from the group `node` (NULL: it is not there), else from `inherited`, else their defaults.
 * `path` ends in '.' or is empty. 0, -ENOMEM:
 * what is wrong is in m->bad. */
int conf_reader_section(ConfReader *m, ConfSection in, const ConfTree *node, const ConfTree *inherited,
                        const char *path, bool defaults, void *base);
