#pragma once
/* Where credentials come from, as botocore finds it: a pure reading of environment and files into one origin and the
 * roles that are assumed from it. The order is botocore's, with systemd's credentials before the files of a home:
 *   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (not when a profile is configured)
 *   2. static keys in $CREDENTIALS_DIRECTORY/aws-credentials (systemd's LoadCredential=)
 *   3. the profile: role_arn from a source; web identity (its environment variables go first); SSO; static keys of the
 *      credentials file; credential_process; static keys of the config file
 *   4. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI
 *   5. the instance metadata service
 * What is found first is what is used: a source that fails does not make way for the next one. */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "core/aws/credentials.h"
#include "core/aws/endpoint.h"
#include "core/credentials/aws_profile.h"

/* Environment and files, as functions. */
typedef struct ProviderPort {
    void *context;
    const char *(*environment)(void *context, const char *name); /* NULL: unset; valid while the plan is made */
    /* *ret is terminated beyond *ret_len; the caller wipes and frees it. -errno. */
    int (*read_file)(void *context, const char *path, char **ret, size_t *ret_len);
} ProviderPort;

/* A file as a secret: wiped when it goes. -errno. */
int provider_port_read(const ProviderPort *port, const char *path, Secret *ret);

typedef enum ProviderFailure {
    PROVIDER_FAILURE_NONE,      /* it did not fail */
    PROVIDER_FAILURE_NO_SOURCE, /* nothing names any credentials */
    PROVIDER_FAILURE_PARTIAL,   /* half of a pair of keys, or of a role's description */
    PROVIDER_FAILURE_CONFIG,    /* what is written in files or environment cannot be followed */
    PROVIDER_FAILURE_RETRIEVAL, /* the source refused, or did not answer */
} ProviderFailure;

typedef struct ProviderRole {
    char *role_arn;
    char *session_name;   /* NULL: ours */
    char *external_id;    /* NULL: none */
    int duration_seconds; /* 0: the service's default */
} ProviderRole;

typedef enum ProviderOrigin {
    ORIGIN_STATIC,
    ORIGIN_PROCESS,
    ORIGIN_WEB_IDENTITY,
    ORIGIN_SSO,
    ORIGIN_CONTAINER,
    ORIGIN_IMDS,
} ProviderOrigin;

typedef struct ProviderPlan {
    ProviderOrigin origin;
    char *named;        /* the origin, for people: "profile prod of /root/.aws/credentials" */
    Credentials *fixed; /* ORIGIN_STATIC */
    char *command;      /* ORIGIN_PROCESS */
    ProviderRole web;   /* ORIGIN_WEB_IDENTITY */
    char *token_file;   /* of web identity, of SSO's cache, of the container (NULL there: none) */
    Secret token;       /* ORIGIN_CONTAINER: the authorization (unset: none) */
    char *url;          /* ORIGIN_CONTAINER, ORIGIN_IMDS (ends in '/'), ORIGIN_SSO */
    char *sso_account, *sso_role;
    bool imds_v1_disabled;
    int imds_attempts;
    Usec imds_timeout_usec;
    bool is_last_resort; /* nothing asked for it: its failure means that there are no credentials */
    ProviderRole *roles; /* to assume, the last one first */
    size_t n_roles, n_roles_room;
    char *sts_url, *sts_region;
    char **files; /* that make it what it is, existing or not: a change of one is a reason to make it anew */
    size_t n_files, n_files_room;
} ProviderPlan;

void provider_plan_done(ProviderPlan *p);
void provider_role_done(ProviderRole *r);
int provider_role_copy(const ProviderRole *from, ProviderRole *ret);

typedef struct ProviderWish {
    const char *profile;      /* as configured; NULL: that of the environment, or "default" */
    const char *region;       /* where roles are assumed; NULL: us-east-1 */
    EndpointWish sts;         /* who is asked for them there */
    const ProviderRole *role; /* to assume at the end of it all; NULL: none */
} ProviderWish;

/* 0: *ret_failure says whether there is a plan; *why, without a secret and with a HINT, what is wrong. In every case
 * ret->files is set. -ENOMEM. */
int provider_plan_make(const ProviderPort *port, const ProviderWish *wish, ProviderPlan *ret,
                       ProviderFailure *ret_failure, Text *why);

/* How the instance metadata service is asked, whatever else there is: 1; 0: it is switched off; -EBADMSG: its settings
 * cannot be followed, *why says so; -ENOMEM. */
int provider_plan_imds(const ProviderPort *port, const char *profile, ProviderPlan *ret, Text *why);

/* Where a plan that found nothing has looked, with a HINT. */
void provider_plan_say_nothing(const ProviderPlan *p, Text *t);

/* A value of the profile in the merged files; -ENOENT. */
int provider_profile_value(const ProviderPort *port, const char *profile, const char *key, char **ret);
/* A value of one service in a "[services SECTION]" of the config file. -ENOENT: there is no such section; -ENODATA: it
 * does not have that key for the service; -ENOMEM. */
int provider_service_value(const ProviderPort *port, const char *section, const char *service, const char *key,
                           char **ret);
