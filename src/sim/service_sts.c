/* The Security Token Service, as far as a backup daemon meets it: who asks, and AssumeRole. Every role exists, and
 * trusts everyone; what a role makes belongs to the emulator's one account all the same.
 * Query protocol, XML replies. */

#include "sim/service_sts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/parse.h"
#include "sim/service_auth.h"

#define NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
#define VALUE_SIZE 2049
#define DURATION_DEFAULT 3600
#define SESSIONS_MAX 1000

bool service_sts_is_meant(const ServiceRequest *q) {
    const char *type = service_header(q, "Content-Type");
    return strcmp(q->method, "POST") == 0 && type && text_starts_with(type, "application/x-www-form-urlencoded");
}

void service_sts_done(Service *s) {
    for (size_t i = 0; i < s->n_sessions; i++)
        free(s->sessions[i].role_arn);
    free(s->sessions);
}

const ServiceSession *service_sts_session(const Service *s, const char *key_id) {
    for (size_t i = 0; i < s->n_sessions; i++)
        if (strcmp(s->sessions[i].key_id, key_id) == 0)
            return &s->sessions[i];
    return NULL;
}

/* --- the form --- */

static int digit_of(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "" where it is not there, or too long. */
static void get_value(const ServiceRequest *q, const char *name, char value[static VALUE_SIZE]) {
    const char *at = q->body, *end = q->body + q->body_len;
    size_t n_name = strlen(name), n = 0;
    value[0] = '\0';
    while (at < end && !((size_t)(end - at) > n_name && memcmp(at, name, n_name) == 0 && at[n_name] == '=')) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    if (at >= end)
        return;
    for (at += n_name + 1; at < end && *at != '&'; at++) {
        char c = *at == '+' ? ' ' : *at;
        int high = *at == '%' && end - at > 2 ? digit_of(at[1]) : -1, low = high >= 0 ? digit_of(at[2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            at += 2;
        }
        if (n + 1 < VALUE_SIZE)
            value[n++] = c;
    }
    value[n] = '\0';
}

/* --- replies --- */

static void add_escaped(Text *t, const char *s) {
    for (; *s; s++)
        if (*s == '<' || *s == '&')
            text_add(t, *s == '<' ? "&lt;" : "&amp;");
        else
            text_add_char(t, *s);
}

static void refuse(ServiceReply *r, const char *code, int status, const char *message) {
    text_clear(&r->body);
    text_add(&r->body, "<ErrorResponse xmlns=\"" NAMESPACE "\"><Error><Type>Sender</Type>");
    text_addf(&r->body, "<Code>%s</Code><Message>", code);
    add_escaped(&r->body, message);
    text_add(&r->body, "</Message></Error></ErrorResponse>\n");
    r->status = status;
    snprintf(r->code, sizeof r->code, "%s", code);
}

/* STS has words of its own for what the signature check found. */
static void refuse_signature(ServiceReply *r, const char *code, const char *message) {
    static const char *const words[][2] = {
        {"UnrecognizedClientException", "InvalidClientTokenId"},
        {"InvalidSignatureException", "SignatureDoesNotMatch"},
        {"IncompleteSignatureException", "IncompleteSignature"},
        {"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
        {"ExpiredTokenException", "ExpiredToken"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(code, words[i][0]) == 0)
            code = words[i][1];
    refuse(r, code, 403, message);
}

/* --- the operations --- */

/* "arn:aws:iam::ACCOUNT:role/PATH/NAME" */
static const char *role_parts(const char *arn, char account[static 13]) {
    const char *iam = strstr(arn, ":iam::"), *role = iam ? strstr(iam, ":role/") : NULL, *name = strrchr(arn, '/');
    if (!text_starts_with(arn, "arn:") || !role || role - iam != 6 + 12 || !name[1])
        return NULL;
    snprintf(account, 13, "%.12s", iam + 6);
    return name + 1;
}

static void add_identity(ServiceReply *r, const Service *s, const ServiceSession *session) {
    char account[13];
    const char *partition = service_region_partition(r->region), *role;
    text_add(&r->body, "<GetCallerIdentityResponse xmlns=\"" NAMESPACE "\"><GetCallerIdentityResult><Arn>");
    if (session && (role = role_parts(session->role_arn, account))) {
        text_addf(&r->body, "arn:%s:sts::%s:assumed-role/%s/%s", partition, account, role, session->name);
        text_addf(&r->body, "</Arn><UserId>AROAEMULATOR0000000:%s</UserId><Account>%s", session->name, account);
    } else
        text_addf(&r->body, "arn:%s:iam::%s:user/emulator</Arn><UserId>AIDAEMULATOR00000000</UserId><Account>%s",
                  partition, s->settings.account, s->settings.account);
    text_add(&r->body, "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>\n");
}

static int assume_role(Service *s, const ServiceRequest *q, Usec now_wall, ServiceReply *r) {
    char arn[VALUE_SIZE], name[VALUE_SIZE], duration[VALUE_SIZE], account[13], until[DATE_ISO_SIZE];
    int64_t seconds = DURATION_DEFAULT;
    get_value(q, "RoleArn", arn);
    get_value(q, "RoleSessionName", name);
    get_value(q, "DurationSeconds", duration);
    if (!role_parts(arn, account) || strlen(name) < 2 || strlen(name) > 64 ||
        (duration[0] && parse_int(duration, 900, 43200, &seconds) < 0)) {
        refuse(r, "ValidationError", 400, "RoleArn, RoleSessionName or DurationSeconds fails to satisfy constraints");
        return 0;
    }
    if (s->n_sessions >= SESSIONS_MAX || ARRAY_GROW(s->sessions, s->n_sessions, s->n_sessions_room) < 0)
        return -ENOMEM;
    ServiceSession new = {.role_arn = strdup(arn), .expires_wall = now_wall + seconds * USEC_PER_SEC};
    if (!new.role_arn)
        return -ENOMEM;
    snprintf(new.name, sizeof new.name, "%.64s", name);
    snprintf(new.key_id, sizeof new.key_id, "ASIA%016" PRIX64, service_random(s));
    snprintf(new.secret, sizeof new.secret, "%016" PRIx64 "%016" PRIx64, service_random(s), service_random(s));
    snprintf(new.token, sizeof new.token, "session/%016" PRIx64, service_random(s));
    s->sessions[s->n_sessions++] = new;
    r->effect = true;
    text_addf(&r->body,
              "<AssumeRoleResponse xmlns=\"" NAMESPACE "\"><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId>"
              "<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration>"
              "</Credentials></AssumeRoleResult></AssumeRoleResponse>\n",
              new.key_id, new.secret, new.token, date_to_iso(new.expires_wall, until));
    return 0;
}

void service_sts_handle(Service *s, Usec now_wall, const ServiceRequest *q, ServiceReply *r) {
    char action[VALUE_SIZE];
    AUTO_TEXT message = TEXT_INIT(100000);
    const char *code = service_admit(s, q, "sts", now_wall, r, &message);
    get_value(q, "Action", action);
    snprintf(r->operation, sizeof r->operation, "%.47s", action);
    r->status = 200;
    if (code) {
        refuse_signature(r, code, text_get(&message));
        return;
    }
    ServiceFaultHit fault = service_faults_take(&s->faults, r->operation, "");
    r->delay_usec = fault.delay_usec;
    if (fault.rule && fault.rule->action == SERVICE_FAULT_DROP_BEFORE)
        r->ending = SERVICE_CLOSED;
    else if (fault.rule && fault.rule->action == SERVICE_FAULT_ERROR)
        refuse(r, fault.rule->word, fault.rule->status ? fault.rule->status : 403,
               fault.rule->message ? fault.rule->message : "Injected by the fault script");
    else if (strcmp(action, "GetCallerIdentity") == 0)
        add_identity(r, s, service_sts_session(s, r->key_id));
    else if (strcmp(action, "AssumeRole") != 0)
        refuse(r, "InvalidAction", 400, "Could not find operation for version 2011-06-15");
    else if (assume_role(s, q, now_wall, r) < 0)
        refuse(r, "InternalFailure", 500, "The emulator ran out of memory or room");
}
