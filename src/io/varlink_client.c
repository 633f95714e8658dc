#include "io/varlink_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/clocks.h"
#include "io/varlink_socket.h"

/* While the daemon has no place for one more. */
#define CONNECT_TRIES 50
#define CONNECT_WAIT_USEC (100 * USEC_PER_MSEC)

struct VarlinkClient {
    int fd;
    size_t n;       /* bytes that came */
    size_t n_taken; /* of the last answer, with its NUL */
    char bytes[VARLINK_REPLY_MAX + 1];
};

void varlink_client_free(VarlinkClient *c) {
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

int varlink_client_new(const char *path, VarlinkClient **ret) {
    CLEANUP(varlink_client_free_ptr) VarlinkClient *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->fd = -1;
    int r = varlink_connect(path, &c->fd);
    for (int i = 0; r == -EAGAIN && i < CONNECT_TRIES; i++) {
        usleep(CONNECT_WAIT_USEC);
        r = varlink_connect(path, &c->fd);
    }
    if (r < 0)
        return r;
    *ret = TAKE_PTR(c);
    return 0;
}

/* 0 when it is ready by then. */
static int wait_for(const VarlinkClient *c, short events, Usec until_mono) {
    for (;;) {
        Usec left = until_mono == USEC_INFINITY ? USEC_PER_HOUR : until_mono - clocks_read().mono;
        if (left <= 0)
            return -ETIMEDOUT;
        struct pollfd p = {.fd = c->fd, .events = events};
        int n = poll(&p, 1, (int)(usec_min(left, USEC_PER_HOUR) / 1000 + 1));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
}

int varlink_client_call(VarlinkClient *c, const char *method, const char *parameters, bool more) {
    AUTO_TEXT t = TEXT_INIT(VARLINK_CALL_MAX);
    int r = varlink_add_call(&t, method, parameters, more);
    Usec until_mono = clocks_read().mono + 10 * USEC_PER_SEC;
    for (size_t sent = 0; r >= 0 && sent < t.len;) {
        ssize_t n = send(c->fd, t.data + sent, t.len - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EPIPE) /* it may have said why before it hung up */
            return 0;
        else
            r = errno == EAGAIN ? wait_for(c, POLLOUT, until_mono) : errno == EINTR ? 0 : -errno;
    }
    return r;
}

int varlink_client_next(VarlinkClient *c, Usec timeout_usec, VarlinkReply *ret) {
    Usec until_mono = usec_add(clocks_read().mono, timeout_usec);
    memmove(c->bytes, c->bytes + c->n_taken, c->n - c->n_taken);
    c->n -= c->n_taken;
    c->n_taken = 0;
    const char *nul;
    while (!(nul = memchr(c->bytes, '\0', c->n))) {
        if (c->n > VARLINK_REPLY_MAX)
            return -EBADMSG;
        int r = wait_for(c, POLLIN, until_mono);
        if (r < 0)
            return r;
        ssize_t n = recv(c->fd, c->bytes + c->n, sizeof c->bytes - c->n, 0);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        c->n += n > 0 ? (size_t)n : 0;
    }
    c->n_taken = (size_t)(nul - c->bytes) + 1;
    return varlink_read_reply(c->bytes, c->n_taken - 1, ret);
}
