#pragma once
/* A strict look at JSON before a lenient parser reads it. */

#include <stddef.h>

/* NULL when the bytes are exactly one JSON value by the grammar of RFC 8259, nested at most max_depth deep, with
 * nothing that a terminated string cannot hold (U+0000, half a surrogate pair) and no number of over 60 characters.
 * Else what is wrong with it, to stand after a name: "is nested too deep" (static). Whether strings are UTF-8 is not
 * looked at. */
const char *json_scan(const char *s, size_t len, unsigned max_depth);
