#pragma once
/* A strict look into small XML documents: elements, attributes that are passed over, character data with the five named
 * entities and character references. No document types, comments or CDATA: the services that we ask send none. */

#include <stddef.h>

#include "base/secret.h"

/* The text of the first element on that path of names from the root, "ErrorResponse/Error/Code". The whole document is
 * read, whatever is found. -ENOENT: there is none, or it holds elements; -EBADMSG: it is no such document; -ENOMEM. */
int xml_find(const char *text, size_t len, const char *path, Secret *ret);
