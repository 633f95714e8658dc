#pragma once
/* The tags of a table as one text: "key=value" lines, sorted. "" is a table without any. */

#include <stdbool.h>

#include "core/aws/codec.h"

/* Adds a page of them to what earlier pages had (*tags, NULL at first). -E2BIG: more than a table can have; -ENOMEM. */
int tags_add(char **tags, const TagList *page);
/* Does one of them match "key=value", in which both may hold wildcards? */
bool tags_match(const char *tags, const char *wanted);
