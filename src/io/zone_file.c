#include "io/zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define DIRECTORY "/usr/share/zoneinfo"
#define SIZE_MAX_BYTES (256 * 1024) /* the largest real ones have 4 KiB */
#define NAME_LENGTH_MAX 255

/* No dots: the names of the database have none, and so "." and ".." lead nowhere. */
static bool name_is_safe(const char *name) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t length = strlen(name);
    return length > 0 && length <= NAME_LENGTH_MAX && name[0] != '/' && strspn(name, allowed) == length;
}

static void fd_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

/* A byte more than SIZE_MAX_BYTES is read to see that the file is too large. */
static int file_read(const char *path, uint8_t **ret, size_t *ret_len) {
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG ? -ENOENT : -errno;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode)) /* "Europe" */
        return -ENOENT;
    AUTO_FREE uint8_t *bytes = malloc(SIZE_MAX_BYTES + 1);
    if (!bytes)
        return -ENOMEM;
    size_t len = 0;
    while (len <= SIZE_MAX_BYTES) {
        ssize_t n = read(fd, bytes + len, SIZE_MAX_BYTES + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    if (len > SIZE_MAX_BYTES)
        return -EBADMSG;
    *ret = TAKE_PTR(bytes);
    *ret_len = len;
    return 0;
}

int zone_file_path(const char *name, char **ret) {
    if (strcmp(name, "UTC") == 0 || !name_is_safe(name))
        return -ENOENT;
    const char *directory = getenv("TZDIR");
    *ret = text_format("%s/%s", directory && *directory ? directory : DIRECTORY, name);
    return *ret ? 0 : -ENOMEM;
}

int zone_file_load(void *context, const char *name, Zone **ret) {
    if (strcmp(name, "UTC") == 0)
        return zone_utc(ret);
    AUTO_FREE char *path = NULL;
    AUTO_FREE uint8_t *bytes = NULL;
    size_t len = 0;
    int rc = zone_file_path(name, &path);
    if (rc >= 0)
        rc = file_read(path, &bytes, &len);
    return rc < 0 ? rc : zone_from_tzif(name, bytes, len, ret);
}
