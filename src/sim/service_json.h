#pragma once
/* The service model's own JSON, strict and bounded: apart from core/codec on purpose, so that the two do not share
 * mistakes. The reader takes RFC 8259 in UTF-8 and nothing else: no trailing bytes, no duplicate names, no lone
 * surrogates, no NUL in strings, 32 levels, 256 members an object, 20,000 values. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/text.h"

typedef enum ServiceJsonType {
    SERVICE_JSON_NULL,
    SERVICE_JSON_FALSE,
    SERVICE_JSON_TRUE,
    SERVICE_JSON_NUMBER,
    SERVICE_JSON_STRING,
    SERVICE_JSON_LIST,
    SERVICE_JSON_OBJECT,
} ServiceJsonType;

typedef struct ServiceJson {
    ServiceJsonType type;
    char *name;               /* of a member of an object, else NULL */
    char *text;               /* a string, decoded; a number, as it was written */
    struct ServiceJson *first; /* of a list or an object */
    struct ServiceJson *next;  /* the next sibling */
    size_t n_items;
} ServiceJson;

/* -EBADMSG: not JSON as above; -E2BIG: beyond a bound; -ENOMEM. */
int service_json_parse(const char *bytes, size_t n, ServiceJson **ret);
void service_json_free(ServiceJson *j);
DEFINE_CLEANUP(ServiceJson, service_json_free)

/* The member of that name, or NULL; null counts as absent, as it does for the service. `j` may be NULL. */
const ServiceJson *service_json_get(const ServiceJson *j, const char *name);
/* The string of that member, or NULL when it is absent or no string. */
const char *service_json_get_string(const ServiceJson *j, const char *name);
/* A number without fraction that fits int64_t ("3", "3.0", "3e2"). -EINVAL, -ERANGE. */
int service_json_to_int(const ServiceJson *j, int64_t *ret);
/* Epoch seconds, whole or not, rounded to the millisecond. -EINVAL, -ERANGE. */
int service_json_to_wall(const ServiceJson *j, Usec *ret);

/* The writer: commas come by themselves. `name` is NULL for an element of a list. Values of NULL are left out. */
void service_json_open(Text *t, const char *name, char bracket);
void service_json_close(Text *t, char bracket);
void service_json_add_string(Text *t, const char *name, const char *value);
void service_json_add_int(Text *t, const char *name, int64_t value);
void service_json_add_bool(Text *t, const char *name, bool value);
/* 1576616366.715, without trailing zeros. */
void service_json_add_wall(Text *t, const char *name, Usec wall);
/* 1.576616366715E9, as the service writes the creation times of tables. */
void service_json_add_wall_scientific(Text *t, const char *name, Usec wall);
void service_json_add_value(Text *t, const char *name, const ServiceJson *value);
/* `json` is a text made by this writer. */
void service_json_add_raw(Text *t, const char *name, const char *json);
