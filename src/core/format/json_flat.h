#pragma once
/* Single members of small JSON documents: those that hold credentials, and orders. They are looked for in place, so
 * that no copy of a secret is left in memory that nobody wipes. */

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

typedef struct JsonSpan {
    const char *at; /* a whole JSON value; NULL: none */
    size_t n;
} JsonSpan;

/* The document, when it is one JSON object; else .at is NULL. */
JsonSpan json_flat_object(const char *text, size_t len);
/* The member's value, of an object that json_flat_object accepted or a member of it; the last one of that name.
 * .at is NULL: it has none, or null, or `object` is no object. */
JsonSpan json_flat_member(JsonSpan object, const char *name);
/* The first member's name that is none of `names`, with its quotes; .at is NULL: they all are. */
JsonSpan json_flat_foreign(JsonSpan object, const char *const *names, size_t n_names);
/* The elements of an array one by one: *at is NULL before the first. False: there are no more, or it is no array. */
bool json_flat_next(JsonSpan array, const char **at, JsonSpan *ret);
/* A string, without its quotes and escapes. -ENOENT: .at is NULL; -EBADMSG: it is no string; -ENOMEM. */
int json_flat_string(JsonSpan value, Secret *ret);
