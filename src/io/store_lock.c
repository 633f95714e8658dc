#include "io/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A lock of the open file: a reader asks whether it is held (F_OFD_GETLK) without taking it, and so can never keep a
 * daemon from starting. */
int store_lock(const char *directory, int *ret_fd, Text *why) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    AUTO_FREE char *path = text_format("%s/lock", directory);
    if (!path)
        return -ENOMEM;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        int r = -errno;
        text_addf(why, "%s: %s; HINT: the state directory must exist and be writable for the daemon's user", path,
                  strerror(-r));
        return r;
    }
    if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
        int r = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        close(fd);
        text_addf(why,
                  "%s: %s; HINT: one daemon per state directory: stop the other one (fuser %s), or use another "
                  "--state-directory",
                  directory, r == -EBUSY ? "another ddbackupd uses this state directory" : strerror(-r), path);
        return r;
    }
    *ret_fd = fd;
    return 0;
}
