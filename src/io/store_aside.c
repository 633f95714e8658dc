#include "io/store_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"
#include "io/store_lock.h"
#include "io/store_schema.h"

/* The database first: SQLite drops the -wal of a database that is not there, and would take one without its -wal for
 * whole. */
static const char *const suffixes[] = {"", "-wal", "-shm"};

static int rename_all(const char *directory, const char *to, Text *why) {
    size_t n = 0;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(suffixes); i++) {
        AUTO_FREE char *old = text_format(STORE_FILE "%s", suffixes[i]), *new = text_format("%s%s", to, suffixes[i]);
        if (!old || !new)
            r = -ENOMEM;
        else if (renameat2(fd, old, fd, new, RENAME_NOREPLACE) == 0)
            n++;
        else if (errno != ENOENT)
            r = -errno;
    }
    if (r >= 0 && fsync(fd) < 0)
        r = -errno;
    if (fd >= 0)
        close(fd);
    if (r >= 0 && n == 0) {
        text_addf(why, "%s: there is no ledger, and nothing to set aside; HINT: correct --state-directory", directory);
        return -ENOENT;
    }
    if (r < 0)
        text_addf(why, "%s: the ledger cannot be renamed: %s%s", directory, strerror(-r),
                  r == -EEXIST ? "; HINT: ask again in a second" : "; HINT: ask as root or as the daemon's user");
    return r;
}

int store_set_aside(const char *directory, Usec now_wall, char **ret_path, char **ret_error) {
    char stamp[DATE_COMPACT_SIZE];
    AUTO_TEXT why = TEXT_INIT(4096);
    AUTO_FREE char *to = text_format(STORE_FILE ".damaged-%s", date_to_compact(now_wall, stamp));
    AUTO_FREE char *path = to ? text_format("%s/%s", directory, to) : NULL;
    int fd = -1, r = path ? store_lock(directory, &fd, &why) : -ENOMEM;
    if (r >= 0)
        r = rename_all(directory, to, &why);
    if (fd >= 0)
        close(fd);
    if (r < 0) {
        (void)text_take(&why, ret_error);
        return r;
    }
    free(*ret_path);
    *ret_path = TAKE_PTR(path);
    return 0;
}
