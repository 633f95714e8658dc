#include "sim/service_gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/macros.h"

#define GZIP_WINDOW (15 + 16)
#define UNKNOWN_SYSTEM 255
#define LARGE ((size_t)1 << 20) /* from here on it is to be quick rather than small */

int service_gzip(const char *bytes, size_t n, char **ret, size_t *ret_n) {
    z_stream z = {};
    gz_header header = {.os = UNKNOWN_SYSTEM};
    if (n > INT_MAX)
        return -E2BIG;
    if (deflateInit2(&z, n < LARGE ? Z_DEFAULT_COMPRESSION : Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    deflateSetHeader(&z, &header);
    uLong room = deflateBound(&z, (uLong)n);
    AUTO_FREE char *to = malloc(room);
    z.next_in = (Bytef *)bytes;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    int status = to ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    *ret_n = z.total_out;
    deflateEnd(&z);
    if (status != Z_STREAM_END)
        return -ENOMEM;
    *ret = TAKE_PTR(to);
    return 0;
}
