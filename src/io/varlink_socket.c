#include "io/varlink_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

/* Where the path is too long, the directory's descriptor is a short one. *ret_dir stays -1 where none is needed. */
static int make_address(const char *path, struct sockaddr_un *ret, int *ret_dir) {
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    const char *slash = strrchr(path, '/');
    if (strlen(path) < sizeof ret->sun_path) {
        memcpy(ret->sun_path, path, strlen(path));
        return 0;
    }
    AUTO_FREE char *directory = slash && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;
    if (!directory)
        return -ENAMETOOLONG;
    *ret_dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*ret_dir < 0)
        return -errno;
    int n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", *ret_dir, slash + 1);
    return n < (int)sizeof ret->sun_path ? 0 : -ENAMETOOLONG;
}

static int make(const char *path, bool bound, int *ret_fd) {
    struct sockaddr_un address;
    int directory = -1, fd = -1, r = make_address(path, &address, &directory);
    if (r >= 0) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const struct sockaddr *to = (const struct sockaddr *)&address;
        if (fd < 0 || (bound ? bind(fd, to, sizeof address) : connect(fd, to, sizeof address)) < 0)
            r = -errno;
    }
    if (directory >= 0)
        close(directory);
    if (r < 0 && fd >= 0)
        close(fd);
    if (r >= 0)
        *ret_fd = fd;
    return r;
}

int varlink_bind(const char *path, int *ret_fd) { return make(path, true, ret_fd); }

int varlink_connect(const char *path, int *ret_fd) { return make(path, false, ret_fd); }
