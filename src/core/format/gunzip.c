#include "core/format/gunzip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define WINDOW_GZIP (15 + 16) /* inflateInit2: the gzip format alone */

struct Gunzip {
    z_stream stream;
    bool is_open; /* within a member */
    bool had_member;
    bool in_line;
    int64_t n_lines;
    unsigned char out[64 << 10];
};

int gunzip_new(Gunzip **ret) {
    Gunzip *g = calloc(1, sizeof *g);
    if (!g || inflateInit2(&g->stream, WINDOW_GZIP) != Z_OK) {
        free(g);
        return -ENOMEM;
    }
    *ret = g;
    return 0;
}

void gunzip_free(Gunzip *g) {
    if (g)
        inflateEnd(&g->stream);
    free(g);
}

static void count(Gunzip *g, size_t n) {
    const unsigned char *at = g->out, *end = g->out + n, *newline;
    for (; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1)
        g->n_lines++;
    if (n > 0)
        g->in_line = end[-1] != '\n';
}

int gunzip_add(Gunzip *g, const void *bytes, size_t n) {
    g->stream.next_in = (unsigned char *)bytes; /* zlib does not write there */
    g->stream.avail_in = (unsigned)n;
    while (g->stream.avail_in > 0 || (g->is_open && g->stream.avail_out == 0)) {
        if (!g->is_open && g->had_member && inflateReset(&g->stream) != Z_OK)
            return -EBADMSG;
        g->is_open = true;
        g->stream.next_out = g->out;
        g->stream.avail_out = sizeof g->out;
        int code = inflate(&g->stream, Z_NO_FLUSH);
        count(g, sizeof g->out - g->stream.avail_out);
        if (code == Z_MEM_ERROR)
            return -ENOMEM;
        if (code == Z_STREAM_END) {
            g->is_open = false;
            g->had_member = true;
        } else if (code != Z_OK && code != Z_BUF_ERROR)
            return -EBADMSG;
    }
    return 0;
}

int gunzip_end(Gunzip *g, int64_t *ret_n_lines) {
    if (g->is_open || !g->had_member)
        return -EBADMSG;
    *ret_n_lines = g->n_lines + g->in_line;
    return 0;
}
