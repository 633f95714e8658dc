#pragma once
/* Counts the lines of a gzip stream that comes in pieces, without keeping it. The one file of the
 * core that knows zlib. */

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

typedef struct Gunzip Gunzip;

int gunzip_new(Gunzip **ret);
void gunzip_free(Gunzip *g);
DEFINE_CLEANUP(Gunzip, gunzip_free)

/* -EBADMSG: this is no gzip stream, or a damaged one; -ENOMEM. Several members may follow each other. */
int gunzip_add(Gunzip *g, const void *bytes, size_t n);
/* Nothing follows. Lines without an end count, too. -EBADMSG: it is cut off. */
int gunzip_end(Gunzip *g, int64_t *ret_n_lines);
