#include "io/credentials_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "core/credentials/provider_files.h"

/* Far above any real one. */
#define FILE_MAX_SIZE (1 << 20)

static const char *environment(void *context, const char *name) { return getenv(name); }

static int read_file(void *context, const char *path, char **ret, size_t *ret_len) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) ? -EISDIR : st.st_size > FILE_MAX_SIZE ? -EFBIG : 0;
    char *bytes = r < 0 ? NULL : malloc((size_t)st.st_size + 1);
    if (r >= 0 && !bytes)
        r = -ENOMEM;
    size_t len = 0;
    while (r >= 0 && len < (size_t)st.st_size) {
        ssize_t n = read(fd, bytes + len, (size_t)st.st_size - len);
        if (n < 0)
            r = -errno;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fd);
    if (r < 0) {
        if (bytes)
            secret_wipe(bytes, len);
        free(bytes);
        return r;
    }
    bytes[len] = '\0';
    *ret = bytes;
    *ret_len = len;
    return 0;
}

const ProviderPort *credentials_port(void) {
    static const ProviderPort port = {.environment = environment, .read_file = read_file};
    return &port;
}

int credentials_source_value(const char *profile, const char *key, char **ret) {
    return provider_profile_value(credentials_port(), profile, key, ret);
}

int credentials_source_region(const char *profile, char **ret) {
    const char *region = provider_environment(credentials_port(), "AWS_REGION");
    if (!region)
        region = provider_environment(credentials_port(), "AWS_DEFAULT_REGION");
    return region ? text_set(ret, region) : credentials_source_value(profile, "region", ret);
}
