#pragma once
/* The shared config and credentials files, as the AWS SDKs and Tools Reference ("Format of the config file") and the
 * AWS CLI have them: sections, "key = value", comments on their own line or after white space, and lines that are
 * indented deeper than the key which they continue. Sections of one name are one profile, later values win; "[profile
 * default]" makes "[default]" irrelevant. Reading the files is io/'s business. */

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

typedef enum ProfileKind {
    PROFILE_NORMAL,      /* [name] of a credentials file; [profile name] and [default] of a config file */
    PROFILE_SSO_SESSION, /* [sso-session name] */
    PROFILE_SERVICES,    /* [services name] */
} ProfileKind;

typedef struct ProfileValue {
    char *key;   /* in lower case */
    char *value; /* continued lines are joined by '\n'; one that begins with '\n' is nested */
    unsigned line;
} ProfileValue;

typedef struct Profile {
    ProfileKind kind;
    char *name;
    bool named; /* it came as [profile name] */
    ProfileValue *values;
    size_t n_values, n_values_room;
} Profile;

typedef struct Profiles {
    Profile **items;
    size_t n_items, n_room;
} Profiles;

void profiles_done(Profiles *p);

/* Adds what the text of a file holds; values wipe older ones of their names. -EBADMSG: *ret_why (static) and *ret_line
 * (1-based) say where it is no such file; -ENOMEM. */
int profiles_read(Profiles *p, const char *text, size_t len, bool config_file, const char **ret_why,
                  unsigned *ret_line);
/* The values of `from` go over those of `into`. */
int profiles_merge(Profiles *into, const Profiles *from);

const Profile *profiles_find(const Profiles *p, ProfileKind kind, const char *name); /* or NULL */
/* NULL: none, or blank. `p` may be NULL. Borrowed. */
const char *profile_get(const Profile *p, const char *key);
/* A key of a nested value ("dynamodb =\n  endpoint_url = ..."): the caller frees. -ENOENT, -ENOMEM. */
int profile_get_nested(const Profile *p, const char *key, const char *inner, char **ret);
