#pragma once
/* Every key of the configuration: one row each. The rows drive reading, the refusal of unknown keys, --dump-config,
 * and the check that manual page and sample name exactly these keys. To add a key: a row here, a field in
 * core/conf/conf.h, an entry in ddbackupd.conf(5) and in etc/ddbackupd.conf. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf/conf_tree.h"

typedef enum ConfSection {
    CONF_SECTION_ROOT,
    CONF_SECTION_AWS,
    CONF_SECTION_SCHEDULE, /* `defaults` and each group of `schedules` */
    CONF_SECTION_S3,
    CONF_SECTION_KEEP,
    CONF_SECTION_ACCOUNT, /* each group of `accounts` */
    CONF_SECTION_TABLES, /* each entry of `tables` */
    CONF_SECTION_LIMITS,
    CONF_SECTIONS,
} ConfSection;

typedef enum ConfType {
    CONF_TYPE_TEXT,     /* a string: char * */
    CONF_TYPE_WORD,     /* one of `words`: an int, `first` for the first of them */
    CONF_TYPE_DURATION, /* a string with units: Usec */
    CONF_TYPE_COUNT,    /* a whole number: int */
    CONF_TYPE_SIZE,     /* a string with units: uint64_t */
    CONF_TYPE_SWITCH,   /* true or false: a Switch */
    CONF_TYPE_SHARE,    /* a number above 0, at most 1: double */
    CONF_TYPE_TEXTS,    /* a string or a list of strings; read by its owner */
    CONF_TYPE_SECTION,  /* a group with the keys of `section` */
    CONF_TYPE_NAMED,    /* a group of groups with the keys of `section` */
    CONF_TYPE_ENTRIES,  /* a list of groups with the keys of `section` */
} ConfType;

#define CONF_NO_OFFSET SIZE_MAX

typedef struct ConfKey {
    ConfSection in;
    const char *name;
    ConfType type;
    size_t offset; /* in Conf, ScheduleConf, S3Conf, RetentionKeep, AccountConf or TablesConf; CONF_NO_OFFSET: read by
                      its owner */
    const char *default_text; /* as in a file, without quotes; NULL: not set */
    const char *unset;        /* what happens without it, where there is no default */
    const char *example;      /* for the hint when it is missing, where it is required; for the dump */
    int64_t min, max;         /* DURATION, COUNT */
    bool zero_too;            /* DURATION: 0, too */
    bool empty_too;           /* TEXT: "", too: takes back what a schedule would inherit */
    bool required;
    bool chains; /* of schedules of incremental exports alone */
    bool own; /* not in `defaults`: each schedule says its own */
    const char *const *words;
    int first;
    ConfSection section; /* SECTION, NAMED, ENTRIES */
    /* TEXT, TEXTS: is the value good? Else *why goes on after the quoted value: "is no region; HINT: ...". */
    bool (*check)(const char *value, Text *why);
    const char *doc;
} ConfKey;

extern const ConfKey conf_schema[];
extern const size_t conf_schema_size;

const ConfKey *conf_key(ConfSection in, const char *name); /* or NULL */
const char *conf_section_describe(ConfSection in);         /* "a schedule" */
/* Is it a key that a later version will have? Then the hint says so. */
bool conf_key_is_planned(const char *name);

/* Reads the value of a key. What is wrong is added to `problems` (NULL: is not said) as of the key `path`. Stores it at
 * base + key->offset, unless base is NULL. Not for SECTION, NAMED, ENTRIES. -EINVAL, -ENOMEM. */
int conf_value_read(const ConfKey *key, const ConfTree *node, const char *path, ConfProblems *problems, void *base);
/* The same of its default, which is good. */
int conf_value_default(const ConfKey *key, void *base);
/* "a string", "the number 30", "a group". */
int conf_kind_describe(const ConfTree *node, Text *text);
