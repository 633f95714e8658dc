#pragma once
/* Unix sockets by a path of any length: the kernel's addresses end after 107 bytes. -errno. */

int varlink_bind(const char *path, int *ret_fd);    /* not listening yet */
int varlink_connect(const char *path, int *ret_fd); /* -EAGAIN: too many others wait to be let in */
