#pragma once
/* DynamoDB's attribute values: {"S":"text"}, {"N":"1"}, {"M":{...}} and so on. */

#include <stdint.h>

#include "base/text.h"
#include "sim/service_json.h"

/* Writes attributes (of an item or a key) in one canonical form: names and sets sorted, numbers as the service gives
 * them back. Adds their size, as the service counts it. -EINVAL with *ret_why (AWS's words; borrowed from `why`). */
int service_value_add_attributes(Text *t, const char *name, const ServiceJson *attributes, int64_t *size, Text *why);
int service_value_add(Text *t, const char *name, const ServiceJson *value, int64_t *size, Text *why);

/* The type of a value ("S"), or NULL when it has not exactly one. */
const char *service_value_type(const ServiceJson *value);

/* A number as the service gives it back: "1e2" is "100", "-0.50" is "-0.5". -EINVAL: none; -ERANGE: too large, too
 * small or over 38 digits. */
#define SERVICE_NUMBER_SIZE 180
int service_number_normalise(const char *s, char number[static SERVICE_NUMBER_SIZE]);
