#pragma once
/* The shapes of requests: types (SerializationException), then constraints (ValidationException), in AWS's words.
 * Derived from the service's published model; members that are not listed are accepted silently, as AWS does. */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "sim/service_json.h"

typedef enum ServiceShapeType {
    SERVICE_SHAPE_STRING,
    SERVICE_SHAPE_INTEGER,
    SERVICE_SHAPE_LONG,
    SERVICE_SHAPE_BOOLEAN,
    SERVICE_SHAPE_WALL,
    SERVICE_SHAPE_LIST,
    SERVICE_SHAPE_MAP, /* of names to whatever; its values have words of their own */
    SERVICE_SHAPE_STRUCTURE,
} ServiceShapeType;

/* Patterns that strings must match as a whole. */
typedef enum ServicePattern {
    SERVICE_PATTERN_NONE,
    SERVICE_PATTERN_NAME,    /* [a-zA-Z0-9_.-]+ */
    SERVICE_PATTERN_TABLE,   /* a table's name, or its ARN; own words */
    SERVICE_PATTERN_BUCKET,  /* ^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$ */
    SERVICE_PATTERN_ACCOUNT, /* [0-9]{12} */
    SERVICE_PATTERN_TOKEN,   /* ^[^\$]+$ */
} ServicePattern;

typedef struct ServiceMember {
    const char *name; /* NULL ends a table */
    ServiceShapeType type;
    bool required;
    long min, max;                  /* of a length or a value; max 0: none */
    ServicePattern pattern;
    const char *words;              /* "A, B": the values of an enumeration */
    const struct ServiceMember *of; /* members of a structure; the one element of a list */
} ServiceMember;

/* 0: it fits. -EINVAL: *ret_code (static) and `message` say why. `input` is any JSON. */
int service_shape_check(const ServiceJson *input, const ServiceMember *members, const char **ret_code, Text *message);

/* Of CreateTable and so on; NULL for an operation that is not emulated. */
const ServiceMember *service_shape_of(const char *operation);
