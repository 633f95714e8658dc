#include "core/credentials/provider_plan.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/parse.h"
#include "core/credentials/container.h"
#include "core/credentials/provider_files.h"
#include "core/credentials/sso.h"

void provider_role_done(ProviderRole *r) {
    free(r->role_arn);
    free(r->session_name);
    free(r->external_id);
    *r = (ProviderRole){};
}

int provider_role_copy(const ProviderRole *from, ProviderRole *ret) {
    CLEANUP(provider_role_done) ProviderRole copy = {.duration_seconds = from->duration_seconds};
    if (text_set(&copy.role_arn, from->role_arn) < 0 || text_set(&copy.session_name, from->session_name) < 0 ||
        text_set(&copy.external_id, from->external_id) < 0)
        return -ENOMEM;
    *ret = copy;
    copy = (ProviderRole){};
    return 0;
}

void provider_plan_done(ProviderPlan *p) {
    free(p->named);
    credentials_free(p->fixed);
    free(p->command);
    provider_role_done(&p->web);
    free(p->token_file);
    secret_done(&p->token);
    free(p->url);
    free(p->sso_account);
    free(p->sso_role);
    for (size_t i = 0; i < p->n_roles; i++)
        provider_role_done(&p->roles[i]);
    free(p->roles);
    free(p->sts_url);
    free(p->sts_region);
    for (size_t i = 0; i < p->n_files; i++)
        free(p->files[i]);
    free(p->files);
    *p = (ProviderPlan){};
}

typedef struct Making {
    const ProviderPort *port;
    const ProviderWish *wish;
    ProviderFiles *files;
    ProviderPlan *plan;
    ProviderFailure failure;
    Text *why;
} Making;

/* What each kind of origin answers: 1 it is the one, 0 it is not there, -EBADMSG it cannot be (said), -ENOMEM. */
static int fail(Making *m, ProviderFailure failure, const char *format, ...) PRINTF_LIKE(3, 4);
static int fail(Making *m, ProviderFailure failure, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_addfv(m->why, format, args);
    va_end(args);
    m->failure = failure;
    return -EBADMSG;
}

static const char *env(const Making *m, const char *name) { return provider_environment(m->port, name); }

static const Profile *merged(const Making *m, const char *name) {
    return profiles_find(&m->files->merged, PROFILE_NORMAL, name);
}

static int add_file(ProviderPlan *p, const char *path) {
    if (!path)
        return 0;
    if (ARRAY_GROW(p->files, p->n_files, p->n_files_room) < 0 || !(p->files[p->n_files] = strdup(path)))
        return -ENOMEM;
    p->n_files++;
    return 0;
}

static int set_named(Making *m, ProviderOrigin origin, const char *format, ...) PRINTF_LIKE(3, 4);
static int set_named(Making *m, ProviderOrigin origin, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(4096);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    m->plan->origin = origin;
    free(TAKE_PTR(m->plan->named));
    return text_take(&t, &m->plan->named);
}

/* --- static keys --- */

static int set_static(Making *m, const char *id, const char *secret, const char *token) {
    int r = credentials_new(id, secret, token, USEC_INFINITY, &m->plan->fixed);
    if (r == -EBADMSG)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "%s: a key or token holds a character that none can have; HINT: correct it", m->plan->named);
    return r < 0 ? r : 1;
}

static int from_environment(Making *m) {
    const char *id = env(m, "AWS_ACCESS_KEY_ID"), *secret = env(m, "AWS_SECRET_ACCESS_KEY");
    const char *token = env(m, "AWS_SECURITY_TOKEN");
    if (!id)
        return 0;
    if (!secret)
        return fail(m, PROVIDER_FAILURE_PARTIAL,
                    "environment: AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; HINT: set both");
    int r = set_named(m, ORIGIN_STATIC, "environment");
    return r < 0 ? r : set_static(m, id, secret, token ? token : env(m, "AWS_SESSION_TOKEN"));
}

static int from_keys(Making *m, const Profiles *profiles, const char *path, const char *name) {
    const Profile *p = profiles_find(profiles, PROFILE_NORMAL, name);
    const char *id = profile_get(p, "aws_access_key_id"), *secret = profile_get(p, "aws_secret_access_key");
    const char *token = profile_get(p, "aws_security_token");
    if (!id)
        return 0;
    if (!secret)
        return fail(m, PROVIDER_FAILURE_PARTIAL,
                    "%s: profile %s has aws_access_key_id, but no aws_secret_access_key; HINT: add it", path, name);
    int r = set_named(m, ORIGIN_STATIC, "profile %s of %s", name, path);
    return r < 0 ? r : set_static(m, id, secret, token ? token : profile_get(p, "aws_session_token"));
}

/* --- what a profile or the environment names --- */

static int from_web_identity(Making *m, const char *name, bool use_environment) {
    const Profile *p = merged(m, name);
    const char *file = use_environment ? env(m, "AWS_WEB_IDENTITY_TOKEN_FILE") : NULL;
    const char *role = use_environment ? env(m, "AWS_ROLE_ARN") : NULL;
    const char *session = use_environment ? env(m, "AWS_ROLE_SESSION_NAME") : NULL;
    bool of_environment = file != NULL;
    if (!file)
        file = profile_get(p, "web_identity_token_file");
    if (!file)
        return 0;
    if (!role)
        role = profile_get(p, "role_arn");
    if (!role)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "%s%s: there is a web identity token file, but no role; HINT: set AWS_ROLE_ARN or role_arn",
                    of_environment ? "environment" : "profile ", of_environment ? "" : name);
    int r = of_environment ? set_named(m, ORIGIN_WEB_IDENTITY, "web identity of the environment")
                           : set_named(m, ORIGIN_WEB_IDENTITY, "web identity of profile %s", name);
    ProviderRole given = {.role_arn = (char *)role,
                          .session_name = (char *)(session ? session : profile_get(p, "role_session_name"))};
    if (r < 0 || (r = provider_role_copy(&given, &m->plan->web)) < 0 ||
        (r = provider_expand(m->port, file, &m->plan->token_file)) < 0)
        return r;
    return 1;
}

static int from_sso(Making *m, const char *name) {
    const Profile *p = merged(m, name), *session;
    const char *account = profile_get(p, "sso_account_id"), *role = profile_get(p, "sso_role_name");
    const char *url = profile_get(p, "sso_start_url"), *region = profile_get(p, "sso_region");
    const char *reference = profile_get(p, "sso_session");
    if (!account && !role)
        return 0;
    if (reference) {
        session = profiles_find(&m->files->config, PROFILE_SSO_SESSION, reference);
        if (!session)
            return fail(m, PROVIDER_FAILURE_CONFIG,
                        "profile %s: its sso_session %s does not exist; HINT: add [sso-session %s]", name, reference,
                        reference);
        url = profile_get(session, "sso_start_url");
        region = profile_get(session, "sso_region");
    }
    if (!account || !role || !url || !region)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "profile %s: SSO needs sso_account_id, sso_role_name, sso_start_url and sso_region; HINT: add %s",
                    name,
                    !account ? "sso_account_id"
                    : !role  ? "sso_role_name"
                    : !url   ? "sso_start_url"
                             : "sso_region");
    AUTO_FREE char *path = NULL;
    int r = set_named(m, ORIGIN_SSO, "SSO session of profile %s", name);
    if (r < 0 || (r = sso_cache_path(reference ? reference : url, &path)) < 0 ||
        (r = provider_expand(m->port, path, &m->plan->token_file)) < 0 ||
        (r = add_file(m->plan, m->plan->token_file)) < 0 || (r = text_set(&m->plan->sso_account, account)) < 0 ||
        (r = text_set(&m->plan->sso_role, role)) < 0)
        return r;
    r = sso_endpoint(env(m, "AWS_ENDPOINT_URL_SSO"), region, &m->plan->url);
    if (r == -EINVAL)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "profile %s: sso_region cannot be part of a host name; HINT: correct it", name);
    return r < 0 ? r : 1;
}

static int from_process(Making *m, const char *name) {
    const char *command = profile_get(merged(m, name), "credential_process");
    if (!command)
        return 0;
    int r = set_named(m, ORIGIN_PROCESS, "credential_process of profile %s", name);
    return r < 0 || (r = text_set(&m->plan->command, command)) < 0 ? r : 1;
}

static int from_login(Making *m, const char *name) {
    if (!profile_get(merged(m, name), "login_session"))
        return 0;
    return fail(m, PROVIDER_FAILURE_CONFIG,
                "profile %s: login_session is for people at a terminal; HINT: give the daemon a role or keys", name);
}

/* What a profile holds by itself, without assuming a role from another one. */
static int from_profile(Making *m, const char *name, bool use_environment) {
    int r = from_web_identity(m, name, use_environment);
    if (r == 0)
        r = from_sso(m, name);
    if (r == 0)
        r = from_keys(m, &m->files->systemd, m->files->systemd_path, name);
    if (r == 0)
        r = from_keys(m, &m->files->shared, m->files->shared_path, name);
    if (r == 0)
        r = from_login(m, name);
    if (r == 0)
        r = from_process(m, name);
    return r == 0 ? from_keys(m, &m->files->config, m->files->config_path, name) : r;
}

/* --- what runs beside us --- */

static int from_container(Making *m) {
    const char *relative = env(m, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = env(m, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *token = env(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const char *file = env(m, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!relative && !full)
        return 0;
    int r = set_named(m, ORIGIN_CONTAINER, "container endpoint");
    if (r < 0)
        return r;
    m->plan->url = relative ? text_format("http://169.254.170.2%s", relative) : strdup(full);
    if (!m->plan->url)
        return -ENOMEM;
    if (!container_url_is_allowed(m->plan->url))
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI: neither https nor an address of this host or its container "
                    "agent; HINT: correct it");
    if (file && (r = text_set(&m->plan->token_file, file)) < 0)
        return r;
    if (!file && token && secret_set(&m->plan->token, token, strlen(token)) < 0)
        return -ENOMEM;
    return 1;
}

static const char *setting(const Making *m, const char *variable, const char *key) {
    const char *value = env(m, variable);
    return value ? value : profile_get(merged(m, m->files->profile), key);
}

static bool is_true(const char *s) { return s && strcasecmp(s, "true") == 0; }

static int from_imds(Making *m) {
    const char *url = setting(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = setting(m, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    const char *timeout = setting(m, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
    const char *attempts = setting(m, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts");
    int64_t seconds = 1, n = 1;
    if (is_true(env(m, "AWS_EC2_METADATA_DISABLED")))
        return 0;
    if (!url)
        url = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]/" : "http://169.254.169.254/";
    if ((timeout && parse_int(timeout, 1, 600, &seconds) < 0) || (attempts && parse_int(attempts, 1, 100, &n) < 0))
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "metadata_service_timeout or metadata_service_num_attempts is no sensible number; HINT: correct "
                    "it");
    int r = set_named(m, ORIGIN_IMDS, "instance metadata");
    if (r < 0)
        return r;
    if (!text_starts_with(url, "http://") && !text_starts_with(url, "https://"))
        return fail(m, PROVIDER_FAILURE_CONFIG, "ec2_metadata_service_endpoint is no URL; HINT: correct it");
    m->plan->url = text_format("%s%s", url, url[strlen(url) - 1] == '/' ? "" : "/");
    m->plan->imds_v1_disabled = is_true(setting(m, "AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"));
    m->plan->imds_timeout_usec = seconds * USEC_PER_SEC;
    m->plan->imds_attempts = (int)n;
    return m->plan->url ? 1 : -ENOMEM;
}

/* --- roles --- */

static int add_role(ProviderPlan *plan, const ProviderRole *role) {
    if (ARRAY_GROW(plan->roles, plan->n_roles, plan->n_roles_room) < 0 ||
        provider_role_copy(role, &plan->roles[plan->n_roles]) < 0)
        return -ENOMEM;
    plan->n_roles++;
    return 0;
}

static int from_credential_source(Making *m, const char *source, const char *name) {
    int r;
    if (strcmp(source, "Environment") == 0)
        r = from_environment(m);
    else if (strcmp(source, "EcsContainer") == 0)
        r = from_container(m);
    else if (strcmp(source, "Ec2InstanceMetadata") == 0)
        r = from_imds(m);
    else
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "profile %s: credential_source is none of Environment, Ec2InstanceMetadata, EcsContainer; HINT: "
                    "correct it",
                    name);
    return r == 0
               ? fail(m, PROVIDER_FAILURE_RETRIEVAL,
                      "profile %s: its credential_source %s has no credentials; HINT: correct it, or set its variables",
                      name, source)
               : r;
}

static bool assumes_role(const Profile *p) {
    return profile_get(p, "role_arn") && !profile_get(p, "web_identity_token_file");
}

static bool has_keys(const Profile *p) {
    return profile_get(p, "aws_access_key_id") || profile_get(p, "aws_secret_access_key");
}

/* A chain of source_profile; no profile is passed twice, but for one that is its own source and has keys. */
static int from_role(Making *m, const char *name) {
    AUTO_FREE const char **visited = calloc(m->files->merged.n_items + 1, sizeof *visited);
    if (!visited)
        return -ENOMEM;
    for (size_t n_visited = 0;;) {
        const Profile *p = merged(m, name), *q;
        const char *source = profile_get(p, "credential_source"), *next = profile_get(p, "source_profile");
        const char *duration = profile_get(p, "duration_seconds");
        int64_t seconds = 0;
        ProviderRole role = {
            .role_arn = (char *)profile_get(p, "role_arn"),
            .session_name = (char *)profile_get(p, "role_session_name"),
            .external_id = (char *)profile_get(p, "external_id"),
        };
        if (source && next)
            return fail(m, PROVIDER_FAILURE_CONFIG,
                        "profile %s: has both source_profile and credential_source; HINT: keep one of them", name);
        if (!source && !next)
            return fail(m, PROVIDER_FAILURE_PARTIAL,
                        "profile %s: has role_arn, but neither source_profile nor credential_source; HINT: add one of "
                        "them",
                        name);
        if (profile_get(p, "mfa_serial"))
            return fail(m, PROVIDER_FAILURE_CONFIG,
                        "profile %s: mfa_serial needs a person at a terminal; HINT: let the role's policy do without "
                        "MFA",
                        name);
        if (duration && parse_int(duration, 1, 1000000, &seconds) >= 0)
            role.duration_seconds = (int)seconds;
        int r = add_role(m->plan, &role);
        if (r < 0)
            return r;
        if (source)
            return from_credential_source(m, source, name);
        if (!(q = merged(m, next)))
            return fail(m, PROVIDER_FAILURE_CONFIG,
                        "profile %s: its source_profile %s does not exist; HINT: correct it", name, next);
        visited[n_visited++] = name;
        bool seen = false;
        for (size_t i = 0; i < n_visited; i++)
            seen |= strcmp(visited[i], next) == 0;
        if (seen && (strcmp(next, name) != 0 || !has_keys(q)))
            return fail(m, PROVIDER_FAILURE_CONFIG,
                        "profile %s: its source_profile %s leads round in a circle; HINT: break it", name, next);
        if (has_keys(q) || !assumes_role(q)) {
            r = from_profile(m, next, false);
            return r == 0 ? fail(m, PROVIDER_FAILURE_CONFIG,
                                 "profile %s: its source_profile %s has no credentials; HINT: add them", name, next)
                          : r;
        }
        name = q->name;
    }
}

/* --- all of it --- */

static int set_sts(Making *m) {
    const char *region = m->wish->region ? m->wish->region : "us-east-1";
    EndpointWish wish = m->wish->sts;
    wish.service = ENDPOINT_STS;
    int r = endpoint_url(&wish, region, &m->plan->sts_url);
    if (r == -EINVAL)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "STS: the region cannot be part of a host name; HINT: correct aws.region");
    return r < 0 ? r : text_set(&m->plan->sts_region, endpoint_signing_region(&wish, region));
}

static int search(Making *m) {
    const char *name = m->files->profile;
    const Profile *p = merged(m, name);
    if (!p && m->files->named)
        return fail(m, PROVIDER_FAILURE_CONFIG,
                    "profile %s: is in none of %s%s%s; HINT: correct aws.profile or AWS_PROFILE", name,
                    m->files->shared_path ? m->files->shared_path : "the files", m->files->config_path ? ", " : "",
                    m->files->config_path ? m->files->config_path : "");
    int r = m->wish->profile ? 0 : from_environment(m);
    if (r == 0 && !assumes_role(profiles_find(&m->files->systemd, PROFILE_NORMAL, name)))
        r = from_keys(m, &m->files->systemd, m->files->systemd_path, name);
    if (r == 0 && assumes_role(p))
        r = from_role(m, name);
    if (r == 0)
        r = from_profile(m, name, !m->wish->profile);
    if (r == 0)
        r = from_container(m);
    if (r == 0) {
        r = from_imds(m);
        m->plan->is_last_resort = r > 0;
    }
    return r;
}

int provider_plan_imds(const ProviderPort *port, const char *profile, ProviderPlan *ret, Text *why) {
    CLEANUP(provider_files_done) ProviderFiles files = {};
    Making m = {.port = port, .files = &files, .plan = ret, .why = why};
    int r = provider_files_load(port, profile, &files, why);
    return r < 0 ? r : from_imds(&m);
}

void provider_plan_say_nothing(const ProviderPlan *p, Text *t) {
    text_add(t, "none in the environment, none for the profile in");
    for (size_t i = 0; i < p->n_files; i++)
        text_addf(t, "%s %s", i > 0 ? "," : "", p->files[i]);
    text_add(t, p->n_files == 0 ? " any file" : "");
    text_add(t, ", none of a container or an instance; HINT: the unit loads the file "
                "/etc/credstore/ddbackupd.aws-credentials (root's, 0600, as ~/.aws/credentials) when it starts: put "
                "keys there and systemctl restart ddbackupd; other commands take it with AWS_SHARED_CREDENTIALS_FILE=; "
                "ddbackupd(8), CREDENTIALS, has the other places");
}

int provider_plan_make(const ProviderPort *port, const ProviderWish *wish, ProviderPlan *ret,
                       ProviderFailure *ret_failure, Text *why) {
    CLEANUP(provider_files_done) ProviderFiles files = {};
    Making m = {.port = port, .wish = wish, .files = &files, .plan = ret, .why = why};
    *ret_failure = PROVIDER_FAILURE_NONE;
    int loaded = provider_files_load(port, wish->profile, &files, why), r;
    if ((r = add_file(ret, files.systemd_path)) < 0 || (r = add_file(ret, files.shared_path)) < 0 ||
        (r = add_file(ret, files.config_path)) < 0 || (r = loaded) == -ENOMEM)
        return r;
    if (loaded == -EBADMSG)
        m.failure = PROVIDER_FAILURE_CONFIG;
    if (loaded >= 0 && wish->role && (r = add_role(ret, wish->role)) < 0)
        return r;
    r = loaded < 0 ? loaded : search(&m);
    if (r == 0)
        r = fail(&m, PROVIDER_FAILURE_NO_SOURCE, "no AWS credentials: ");
    if (m.failure == PROVIDER_FAILURE_NO_SOURCE)
        provider_plan_say_nothing(ret, why);
    if (r > 0)
        r = set_sts(&m);
    if (r == -EBADMSG) {
        *ret_failure = m.failure;
        return 0;
    }
    return r;
}
