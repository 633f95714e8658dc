#pragma once
/* A strict look into small XML documents: elements, attributes that are passed over, character data with the five named
 * entities and character references. No document types, comments or CDATA: the services that we ask send none. */

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

/* The text of the first element on that path of names from the root, "ErrorResponse/Error/Code". The whole document is
 * read, whatever is found. -ENOENT: there is none, or it holds elements; -EBADMSG: it is no such document; -ENOMEM. */
int xml_find(const char *text, size_t len, const char *path, Secret *ret);

/* An element in its ancestors. */
typedef struct XmlPlace XmlPlace;
/* Is that its path from the root, "ListBucketResult/Contents/Key"? */
bool xml_is(const XmlPlace *place, const char *path);

/* An element ended; `text` is what it holds, borrowed for the call; NULL: it holds elements, which have been told
 * before. Negative: ends the reading. */
typedef int (*XmlEnded)(void *context, const XmlPlace *place, const Secret *text);

/* Tells of every element, in the order of their ends. What comes before an error has been told by then. -EBADMSG: it is
 * no such document; -ENOMEM; else what `ended` gave. */
int xml_each(const char *text, size_t len, XmlEnded ended, void *context);
