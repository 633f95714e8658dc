#include "core/credentials/provider_files.h"

#include <errno.h>
#include <string.h>

void provider_files_done(ProviderFiles *f) {
    free(f->systemd_path);
    free(f->shared_path);
    free(f->config_path);
    profiles_done(&f->systemd);
    profiles_done(&f->shared);
    profiles_done(&f->config);
    profiles_done(&f->merged);
    *f = (ProviderFiles){};
}

const char *provider_environment(const ProviderPort *port, const char *name) {
    const char *value = port->environment(port->context, name);
    return value && *value ? value : NULL;
}

int provider_port_read(const ProviderPort *port, const char *path, Secret *ret) {
    char *bytes;
    size_t len;
    int r = port->read_file(port->context, path, &bytes, &len);
    if (r < 0)
        return r;
    secret_done(ret);
    *ret = (Secret){.bytes = bytes, .len = len};
    return 0;
}

int provider_expand(const ProviderPort *port, const char *path, char **ret) {
    const char *home = provider_environment(port, "HOME");
    bool tilde = path[0] == '~' && (path[1] == '/' || !path[1]) && home;
    char *copy = tilde ? text_format("%s%s", home, path + 1) : strdup(path);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

/* No home, no variable: no path. */
static int home_path(const ProviderPort *port, const char *variable, const char *standard, char **ret) {
    const char *path = provider_environment(port, variable);
    if (!path && !provider_environment(port, "HOME"))
        return 0;
    return provider_expand(port, path ? path : standard, ret);
}

static int load(const ProviderPort *port, const char *path, bool config_file, Profiles *ret, Text *why) {
    CLEANUP(secret_done) Secret text = {};
    const char *problem = "";
    unsigned line = 0;
    int r = path ? provider_port_read(port, path, &text) : -ENOENT;
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        text_addf(why, "%s: %s; HINT: let the daemon's user read it, or use LoadCredential=", path, strerror(-r));
        return -EBADMSG;
    }
    r = profiles_read(ret, text.bytes, text.len, config_file, &problem, &line);
    if (r == -EBADMSG)
        text_addf(why, "%s:%u: %s; HINT: the file has [sections] with key = value lines", path, line, problem);
    return r;
}

int provider_files_load(const ProviderPort *port, const char *profile, ProviderFiles *ret, Text *why) {
    const char *directory = provider_environment(port, "CREDENTIALS_DIRECTORY");
    if (!profile)
        profile = provider_environment(port, "AWS_DEFAULT_PROFILE");
    if (!profile)
        profile = provider_environment(port, "AWS_PROFILE");
    ret->named = profile != NULL;
    ret->profile = profile ? profile : "default";
    int r = 0;
    if (directory && !(ret->systemd_path = text_format("%s/aws-credentials", directory)))
        return -ENOMEM;
    if ((r = home_path(port, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", &ret->shared_path)) < 0 ||
        (r = home_path(port, "AWS_CONFIG_FILE", "~/.aws/config", &ret->config_path)) < 0 ||
        (r = load(port, ret->systemd_path, false, &ret->systemd, why)) < 0 ||
        (r = load(port, ret->shared_path, false, &ret->shared, why)) < 0 ||
        (r = load(port, ret->config_path, true, &ret->config, why)) < 0 ||
        (r = profiles_merge(&ret->merged, &ret->config)) < 0 || (r = profiles_merge(&ret->merged, &ret->shared)) < 0)
        return r;
    return profiles_merge(&ret->merged, &ret->systemd);
}

int provider_service_value(const ProviderPort *port, const char *section, const char *service, const char *key,
                           char **ret) {
    CLEANUP(provider_files_done) ProviderFiles files = {};
    AUTO_TEXT why = TEXT_INIT(1024);
    int r = provider_files_load(port, NULL, &files, &why);
    if (r == -ENOMEM)
        return r;
    const Profile *found = profiles_find(&files.config, PROFILE_SERVICES, section);
    if (!found)
        return -ENOENT;
    AUTO_FREE char *value = NULL;
    r = profile_get_nested(found, service, key, &value);
    if (r == -ENOENT || (r >= 0 && !*value))
        return -ENODATA;
    if (r < 0)
        return r;
    free(*ret);
    *ret = TAKE_PTR(value);
    return 0;
}

int provider_profile_value(const ProviderPort *port, const char *profile, const char *key, char **ret) {
    CLEANUP(provider_files_done) ProviderFiles files = {};
    AUTO_TEXT why = TEXT_INIT(1024);
    int r = provider_files_load(port, profile, &files, &why);
    if (r == -ENOMEM)
        return r;
    const char *value = profile_get(profiles_find(&files.merged, PROFILE_NORMAL, files.profile), key);
    return value ? text_set(ret, value) : -ENOENT;
}
