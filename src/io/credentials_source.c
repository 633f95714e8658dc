#include "io/credentials_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/services_section.h"

/* Far above any real one. */
#define FILE_MAX_SIZE (1 << 20)

void credentials_source_done(CredentialsSource *s) {
    for (size_t i = 0; i < s->n_files; i++)
        free(s->files[i]);
    *s = (CredentialsSource){};
}

static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static char *home_file(const char *variable, const char *name) {
    const char *path = environment(variable), *home = environment("HOME");
    if (path)
        return strdup(path);
    return home ? text_format("%s/.aws/%s", home, name) : NULL;
}

typedef struct FileText {
    char *bytes;
    size_t len;
} FileText;

static void file_text_done(FileText *f) {
    secret_wipe(f->bytes, f->len);
    free(f->bytes);
}

static int file_read(const char *path, FileText *ret) {
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
    *ret = (FileText){.bytes = bytes, .len = len};
    return 0;
}

/* The files in their order; the last one is of the config form. */
static int list_files(CredentialsSource *s) {
    const char *directory = environment("CREDENTIALS_DIRECTORY");
    if (directory && !(s->files[s->n_files++] = text_format("%s/aws-credentials", directory)))
        return -ENOMEM;
    char *shared = home_file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), *config = home_file("AWS_CONFIG_FILE", "config");
    if (shared)
        s->files[s->n_files++] = shared;
    if (config)
        s->files[s->n_files++] = config;
    return 0;
}

static bool is_config_form(const char *path) {
    const char *config = environment("AWS_CONFIG_FILE");
    size_t len = strlen(path);
    return config ? strcmp(path, config) == 0 : len >= 7 && strcmp(path + len - 7, "/config") == 0;
}

static const char *profile_or_default(const char *profile) {
    const char *named = profile ? profile : environment("AWS_PROFILE");
    return named ? named : "default";
}

static int from_file(const char *path, const char *profile, Credentials **ret, Text *why) {
    CLEANUP(file_text_done) FileText file = {};
    CLEANUP(credentials_free_ptr) Credentials *c = NULL;
    const char *problem = "";
    unsigned line = 0;
    int r = file_read(path, &file);
    if (r == -ENOENT || r == -ENOTDIR)
        return -ENOENT;
    if (r < 0) {
        text_addf(why, "%s: %s; HINT: let the daemon's user read it, or use LoadCredential=", path, strerror(-r));
        return r;
    }
    r = credentials_from_profile(file.bytes, file.len, profile, is_config_form(path), &c, &problem, &line);
    if (r == -EBADMSG)
        text_addf(why, "%s:%u: %s; HINT: the profile needs aws_access_key_id and aws_secret_access_key", path, line, problem);
    if (r < 0)
        return r;
    c->source = text_format("profile %s of %s", profile, path);
    if (!c->source)
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

static int from_environment(Credentials **ret) {
    const char *id = environment("AWS_ACCESS_KEY_ID"), *secret = environment("AWS_SECRET_ACCESS_KEY"),
               *token = environment("AWS_SESSION_TOKEN");
    if (!id || !secret)
        return -ENOENT;
    CLEANUP(credentials_free_ptr) Credentials *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    c->expires_wall = USEC_INFINITY;
    if (text_set(&c->access_key_id, id) < 0 || text_set(&c->source, "environment") < 0 ||
        secret_set(&c->secret_access_key, secret, strlen(secret)) < 0 ||
        (token && secret_set(&c->session_token, token, strlen(token)) < 0))
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

int credentials_source_find(const char *profile, CredentialsSource *source, Credentials **ret, Text *why) {
    credentials_source_done(source);
    int r = list_files(source);
    if (r < 0)
        return r;
    if (!profile && (r = from_environment(ret)) != -ENOENT)
        return r;
    for (size_t i = 0; i < source->n_files; i++)
        if ((r = from_file(source->files[i], profile_or_default(profile), ret, why)) != -ENOENT)
            return r;
    text_addf(why, "no AWS credentials: %s and profile %s in", profile ? "aws.profile is set" : "none in the environment",
              profile_or_default(profile));
    for (size_t i = 0; i < source->n_files; i++)
        text_addf(why, "%s %s", i > 0 ? "," : "", source->files[i]);
    text_add(why, " not found; HINT: put a shared credentials file into LoadCredential=aws-credentials:FILE "
                  "(systemctl edit ddbackupd), or set AWS_SHARED_CREDENTIALS_FILE");
    return -ENOENT;
}

int credentials_source_value(const char *profile, const char *key, char **ret) {
    CLEANUP(credentials_source_done) CredentialsSource source = {};
    int r = list_files(&source);
    for (size_t i = 0; r >= 0 && i < source.n_files; i++) {
        CLEANUP(file_text_done) FileText file = {};
        if (file_read(source.files[i], &file) >= 0 &&
            (r = profile_value(file.bytes, file.len, profile_or_default(profile), is_config_form(source.files[i]), key,
                               ret)) != -ENOENT)
            return r;
        r = 0;
    }
    return r < 0 ? r : -ENOENT;
}

int credentials_source_service_value(const char *section, const char *service, const char *key, char **ret) {
    CLEANUP(file_text_done) FileText file = {};
    AUTO_FREE char *config = home_file("AWS_CONFIG_FILE", "config");
    int r = config ? file_read(config, &file) : -ENOENT;
    return r < 0 ? -ENOENT : services_section_value(file.bytes, file.len, section, service, key, ret);
}

int credentials_source_region(const char *profile, char **ret) {
    const char *region = environment("AWS_REGION");
    if (!region)
        region = environment("AWS_DEFAULT_REGION");
    return region ? text_set(ret, region) : credentials_source_value(profile, "region", ret);
}
