#include "io/aws_defaults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/text.h"
#include "core/aws/endpoint.h"
#include "core/conf/conf_check.h"
#include "io/credentials_source.h"

/* Where a value is looked for, and what is said of it. */
typedef struct Lookup {
    Conf *conf;
    char **ret_problem;
    const char *flag; /* the endpoint that the configuration wants, by its key; NULL: any */
    char where[128];  /* the value that was found last: "AWS_RETRY_MODE", "retry_mode of the profile" */
} Lookup;

static int refuse(const Lookup *l, const char *format, ...) PRINTF_LIKE(2, 3);

static int refuse(const Lookup *l, const char *format, ...) {
    AUTO_TEXT t = TEXT_INIT(4096);
    va_list args;
    va_start(args, format);
    text_addfv(&t, format, args);
    va_end(args);
    char *problem;
    if (text_take(&t, &problem) < 0)
        return -ENOMEM;
    free(*l->ret_problem);
    *l->ret_problem = problem;
    return -EINVAL;
}

static int from_environment(Lookup *l, const char *variable, char **ret) {
    const char *value = getenv(variable);
    if (!value || !*value)
        return -ENOENT;
    snprintf(l->where, sizeof l->where, "%s", variable);
    return text_set(ret, value);
}

static int from_profile(Lookup *l, const char *key, char **ret) {
    int r = credentials_source_value(l->conf->aws.profile, key, ret);
    if (r >= 0)
        snprintf(l->where, sizeof l->where, "%s of the profile", key);
    return r;
}

/* -ENOENT: neither has it. */
static int look_up(Lookup *l, const char *variable, const char *key, char **ret) {
    int r = from_environment(l, variable, ret);
    return r == -ENOENT ? from_profile(l, key, ret) : r;
}

static int look_up_switch(Lookup *l, const char *variable, const char *key, Switch *value) {
    AUTO_FREE char *text = NULL;
    if (*value != SWITCH_UNSET)
        return 0;
    int r = look_up(l, variable, key, &text);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return refuse(l, "%s: \"%.100s\" is neither true nor false; HINT: correct it", l->where, text);
    *value = strcasecmp(text, "true") == 0 ? SWITCH_ON : SWITCH_OFF;
    return 0;
}

/* --- endpoints --- */

static int from_services(Lookup *l, const char *service, char **ret) {
    AUTO_FREE char *section = NULL;
    int r = credentials_source_value(l->conf->aws.profile, "services", &section);
    if (r < 0)
        return r;
    r = provider_service_value(credentials_port(), section, service, "endpoint_url", ret);
    if (r == -ENOENT)
        return refuse(l,
                      "services of the profile: there is no section \"services %.100s\"; HINT: correct the AWS config "
                      "file",
                      section);
    snprintf(l->where, sizeof l->where, "%s.endpoint_url of the section \"services %.60s\"", service, section);
    return r == -ENODATA ? -ENOENT : r;
}

/* The documented order: the service's own before the common one, first in the environment, then in the profile. */
static int look_up_endpoint(Lookup *l, const char *variable, const char *service, char **value) {
    AUTO_FREE char *url = NULL;
    int r = from_environment(l, variable, &url);
    if (r == -ENOENT)
        r = from_environment(l, "AWS_ENDPOINT_URL", &url);
    if (r == -ENOENT)
        r = from_services(l, service, &url);
    if (r == -ENOENT)
        r = from_profile(l, "endpoint_url", &url);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    size_t n = strlen(url);
    if (n > 0 && url[n - 1] == '/')
        url[n - 1] = '\0';
    AUTO_TEXT why = TEXT_INIT(512);
    if (!check_endpoint(url, &why))
        return refuse(l, "%s: \"%.300s\" %s", l->where, url, text_get(&why));
    *value = TAKE_PTR(url);
    return 0;
}

/* A flag of the configuration itself contradicts a URL; one of the environment or the profile gives way to it. */
static int check_flags(const Lookup *l, const char *url, const char *where) {
    return !url || !l->flag
               ? 0
               : refuse(l, "aws.%s: has no place beside the endpoint %s of %s; HINT: take one of the two out", l->flag,
                        url, where);
}

static int look_up_endpoints(Lookup *l) {
    Conf *c = l->conf;
    const struct {
        const char *key, *variable, *service;
        char **url;
    } rows[] = {
        {"aws.endpoint_url", "AWS_ENDPOINT_URL_DYNAMODB", "dynamodb", &c->aws.endpoint_url},
        {"aws.sts_endpoint_url", "AWS_ENDPOINT_URL_STS", "sts", &c->aws.sts_endpoint_url},
        {"aws.s3_endpoint_url", "AWS_ENDPOINT_URL_S3", "s3", &c->aws.s3_endpoint_url},
        {"aws.kms_endpoint_url", "AWS_ENDPOINT_URL_KMS", "kms", &c->aws.kms_endpoint_url},
    };
    Switch ignored = SWITCH_UNSET;
    int r = look_up_switch(l, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", &ignored);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
        bool own = *rows[i].url != NULL;
        if (!own && ignored != SWITCH_ON)
            r = look_up_endpoint(l, rows[i].variable, rows[i].service, rows[i].url);
        if (r >= 0)
            r = check_flags(l, *rows[i].url, own ? rows[i].key : l->where);
    }
    return r;
}

static int look_up_sts_legacy(Lookup *l) {
    AUTO_FREE char *text = NULL;
    int r = look_up(l, "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", &text);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (strcasecmp(text, "legacy") != 0 && strcasecmp(text, "regional") != 0)
        return refuse(l, "%s: \"%.100s\" is neither regional nor legacy; HINT: correct it", l->where, text);
    l->conf->aws.sts_legacy = strcasecmp(text, "legacy") == 0;
    return 0;
}

/* Requests without signatures are for what is not AWS. */
static int check_unsigned(Lookup *l) {
    const Conf *c = l->conf;
    const char *host = c->aws.endpoint_url ? strstr(c->aws.endpoint_url, "://") + 3 : NULL;
    bool local = host ? !endpoint_is_amazon(host, strcspn(host, ":/")) : text_equal(c->aws.region, "local");
    return c->aws.unsigned_requests != SWITCH_ON || local
               ? 0
               : refuse(l, "aws.unsigned: AWS takes no unsigned requests; HINT: set aws.endpoint_url to that of an "
                           "emulator, or take aws.unsigned out");
}

/* --- the rest --- */

static int look_up_ca_bundle(Lookup *l) {
    Conf *c = l->conf;
    snprintf(l->where, sizeof l->where, "aws.ca_bundle");
    int r = c->aws.ca_bundle ? 0 : look_up(l, "AWS_CA_BUNDLE", "ca_bundle", &c->aws.ca_bundle);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (access(c->aws.ca_bundle, R_OK) < 0)
        return refuse(l, "%s: %s: %s; HINT: name a file with certificates that the daemon's user may read", l->where,
                      c->aws.ca_bundle, strerror(errno));
    return 0;
}

static int look_up_retry_mode(Lookup *l) {
    AUTO_FREE char *mode = NULL;
    if (l->conf->aws.retry_mode != RETRY_MODE_UNSET)
        return 0;
    int r = look_up(l, "AWS_RETRY_MODE", "retry_mode", &mode);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    bool adaptive = strcmp(mode, "adaptive") == 0;
    if (!adaptive && strcmp(mode, "standard") != 0 && strcmp(mode, "legacy") != 0)
        return refuse(l, "%s: \"%.100s\" is no retry mode; HINT: \"standard\" or \"adaptive\"", l->where, mode);
    l->conf->aws.retry_mode = adaptive ? RETRY_MODE_ADAPTIVE : RETRY_MODE_STANDARD;
    return 0;
}

static int look_up_max_attempts(Lookup *l) {
    AUTO_FREE char *text = NULL;
    int64_t n;
    if (l->conf->aws.max_attempts > 0)
        return 0;
    int r = look_up(l, "AWS_MAX_ATTEMPTS", "max_attempts", &text);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (parse_int(text, 1, 20, &n) < 0)
        return refuse(l, "%s: \"%.100s\" is no number from 1 to 20; HINT: correct it, or set aws.max_attempts",
                      l->where, text);
    l->conf->aws.max_attempts = (int)n;
    return 0;
}

int aws_defaults_fill(Conf *c, char **ret_problem) {
    Lookup l = {.conf = c, .ret_problem = ret_problem};
    int r;
    l.flag = c->aws.fips == SWITCH_ON         ? "use_fips_endpoint"
             : c->aws.dual_stack == SWITCH_ON ? "use_dualstack_endpoint"
                                              : NULL;
    if ((r = look_up_switch(&l, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &c->aws.fips)) < 0 ||
        (r = look_up_switch(&l, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &c->aws.dual_stack)) < 0 ||
        (r = look_up_endpoints(&l)) < 0 || (r = look_up_sts_legacy(&l)) < 0 || (r = check_unsigned(&l)) < 0 ||
        (r = look_up_ca_bundle(&l)) < 0 || (r = look_up_retry_mode(&l)) < 0)
        return r;
    return look_up_max_attempts(&l);
}

int aws_defaults_no_credentials(Credentials **ret) {
    CLEANUP(credentials_free_ptr) Credentials *c = calloc(1, sizeof *c);
    if (!c || text_set(&c->access_key_id, "none") < 0 || text_set(&c->source, "aws.unsigned") < 0)
        return -ENOMEM;
    c->expires_wall = USEC_INFINITY;
    *ret = TAKE_PTR(c);
    return 0;
}
