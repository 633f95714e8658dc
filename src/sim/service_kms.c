#include "sim/service_kms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/base64.h"

#define ALIAS "alias/"
#define MANAGED "aws/s3"
#define SYMMETRIC "SYMMETRIC_DEFAULT"
#define WAITING_USEC (30 * USEC_PER_DAY) /* until one that is PendingDeletion goes */

void service_keys_done(Service *s) {
    for (size_t i = 0; i < s->n_keys; i++) {
        free(s->keys[i]->region);
        free(s->keys[i]->alias);
        free(s->keys[i]);
    }
    free(s->keys);
}

/* --- which there are --- */

static const char *const states[] = {"Enabled", "Disabled", "PendingDeletion", "PendingImport", "Unavailable"};
static const char *const specs[] = {SYMMETRIC, "RSA_2048", "RSA_4096", "ECC_NIST_P256", "HMAC_256"};

static bool is_one_of(const char *word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static int add_key(Service *s, const char *region, const char *alias, Usec now_wall, ServiceKey **ret) {
    if (ARRAY_GROW(s->keys, s->n_keys, s->n_keys_room) < 0)
        return -ENOMEM;
    ServiceKey *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    s->keys[s->n_keys++] = k;
    service_make_uuid(s, k->id);
    snprintf(k->state, sizeof k->state, "Enabled");
    snprintf(k->spec, sizeof k->spec, SYMMETRIC);
    k->created_wall = now_wall;
    *ret = k;
    int rc = text_set(&k->region, region);
    return rc < 0 ? rc : text_set(&k->alias, alias);
}

int service_add_key(Service *s, const ServiceKeySeed *seed) {
    const char *own = s->settings.region ? s->settings.region : "us-east-1";
    const char *region = seed->region ? seed->region : own;
    size_t n = strlen(seed->alias);
    ServiceKey *k;
    if (n == 0 || n > 200 || text_starts_with(seed->alias, "aws/") || !service_region_is_valid(region) ||
        strspn(seed->alias, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-") != n ||
        (seed->state && !is_one_of(seed->state, states, ARRAY_SIZE(states))) ||
        (seed->spec && !is_one_of(seed->spec, specs, ARRAY_SIZE(specs))))
        return -EINVAL;
    for (size_t i = 0; i < s->n_keys; i++)
        if (text_equal(s->keys[i]->alias, seed->alias) && strcmp(s->keys[i]->region, region) == 0)
            return -EEXIST;
    int rc = add_key(s, region, seed->alias, 0, &k);
    if (rc < 0)
        return rc;
    if (seed->state)
        snprintf(k->state, sizeof k->state, "%s", seed->state);
    if (seed->spec)
        snprintf(k->spec, sizeof k->spec, "%s", seed->spec);
    s->only_known_keys = true;
    return 0;
}

int service_key_add_arn(const Service *s, const ServiceKey *k, Text *t) {
    return text_addf(t, "arn:%s:kms:%s:%s:key/%s", service_region_partition(k->region), k->region, s->settings.account,
                     k->id);
}

/* --- which is meant --- */

/* "arn:PARTITION:kms:REGION:ACCOUNT:" comes before key/ID and alias/NAME. False after a refusal, with its code. */
static bool skip_arn(ServiceCall *c, const char *region, const char **name) {
    char own[200];
    const Service *s = c->service;
    const char *partition = service_region_partition(region), *rest = strrchr(*name, ':');
    if (!text_starts_with(*name, "arn:"))
        return true;
    int n = snprintf(own, sizeof own, "arn:%s:kms:%s:%s:", partition, region, s->settings.account);
    int n_region = n - (int)strlen(s->settings.account) - 1;
    if (strncmp(*name, own, (size_t)n_region) != 0) {
        (void)service_refuse(c, "NotFoundException", "Invalid arn %s", region);
        return false;
    }
    if (strncmp(*name, own, (size_t)n) != 0) {
        (void)service_refuse(c, "AccessDeniedException",
                             "User: arn:%s:iam::%s:user/emulator is not authorized to perform this operation on "
                             "resource: %s because the resource does not exist in this Region, no resource-based "
                             "policies allow access, or a resource-based policy explicitly denies access",
                             partition, s->settings.account, *name);
        return false;
    }
    *name = text_starts_with(rest + 1, "key/") ? rest + 1 + strlen("key/") : rest + 1;
    return true;
}

static bool is_named(const ServiceKey *k, const char *name) {
    return text_starts_with(name, ALIAS) ? text_equal(k->alias, name + strlen(ALIAS)) : strcmp(k->id, name) == 0;
}

/* AWS's own key for S3 is made when it is first asked for. */
static int find(ServiceCall *c, const char *region, const char *id, ServiceKey **ret) {
    Service *s = c->service;
    const char *name = id;
    if (!skip_arn(c, region, &name))
        return -EINVAL;
    for (size_t i = 0; i < s->n_keys; i++)
        if (strcmp(s->keys[i]->region, region) == 0 && is_named(s->keys[i], name)) {
            *ret = s->keys[i];
            return 0;
        }
    if (strcmp(name, ALIAS MANAGED) == 0) {
        int rc = add_key(s, region, MANAGED, c->now_wall, ret);
        if (rc >= 0)
            (*ret)->is_managed = true;
        return rc;
    }
    if (text_starts_with(name, ALIAS))
        return service_refuse(c, "NotFoundException", "Alias arn:%s:kms:%s:%s:%s is not found.",
                              service_region_partition(region), region, s->settings.account, name);
    return service_refuse(c, "NotFoundException", "Key 'arn:%s:kms:%s:%s:key/%s' does not exist",
                          service_region_partition(region), region, s->settings.account, name);
}

static int find_asked(ServiceCall *c, ServiceKey **ret) {
    return find(c, c->region, service_json_get_string(c->input, "KeyId"), ret);
}

/* --- what it can do --- */

static const char *usage_of(const ServiceKey *k) {
    return strcmp(k->spec, SYMMETRIC) == 0     ? "ENCRYPT_DECRYPT"
           : text_starts_with(k->spec, "HMAC") ? "GENERATE_VERIFY_MAC"
                                               : "SIGN_VERIFY";
}

static int check_usable(ServiceCall *c, const ServiceKey *k) {
    AUTO_TEXT arn = TEXT_INIT(300);
    service_key_add_arn(c->service, k, &arn);
    if (strcmp(k->spec, SYMMETRIC) != 0)
        return service_refuse(c, "InvalidKeyUsageException",
                              "%s key usage is %s which is not valid for GenerateDataKey.", text_get(&arn),
                              usage_of(k));
    if (strcmp(k->state, "Disabled") == 0)
        return service_refuse(c, "DisabledException", "%s is disabled.", text_get(&arn));
    if (strcmp(k->state, "Enabled") != 0)
        return service_refuse(c, "KMSInvalidStateException", "%s is %s.", text_get(&arn),
                              strcmp(k->state, "PendingDeletion") == 0 ? "pending deletion"
                              : strcmp(k->state, "PendingImport") == 0 ? "pending import"
                                                                       : "unavailable");
    return 0;
}

const char *service_key_failure(ServiceCall *c, const char *region, const char *key, Text *why) {
    static const char *const codes[][2] = {{"NotFoundException", "KmsNotFoundException"},
                                           {"AccessDeniedException", "KmsAccessDenied"},
                                           {"DisabledException", "KmsDisabledException"},
                                           {"InvalidKeyUsageException", "KmsInvalidKeyUsageException"},
                                           {"KMSInvalidStateException", "KmsInvalidStateException"}};
    ServiceKey *k = NULL;
    const char *failure = NULL;
    if (!c->service->only_known_keys)
        return NULL;
    if (find(c, region, key, &k) < 0 || check_usable(c, k) < 0)
        for (size_t i = 0; c->code && i < ARRAY_SIZE(codes); i++)
            if (strcmp(c->code, codes[i][0]) == 0)
                failure = codes[i][1];
    if (failure)
        text_addf(why,
                  "%s (Service: Amazon S3; Status Code: 400; Error Code: KMS.%s; Request ID: EMULATOR; S3 Extended "
                  "Request ID: emulator; Proxy: null)",
                  text_get(&c->message), c->code);
    c->code = NULL;
    text_clear(&c->message);
    return failure;
}

/* --- the operations --- */

static void add_metadata(ServiceCall *c, const ServiceKey *k) {
    AUTO_TEXT arn = TEXT_INIT(300);
    service_key_add_arn(c->service, k, &arn);
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "KeyMetadata", '{');
    service_json_add_string(c->out, "AWSAccountId", c->service->settings.account);
    service_json_add_string(c->out, "KeyId", k->id);
    service_json_add_string(c->out, "Arn", text_get(&arn));
    service_json_add_wall(c->out, "CreationDate", k->created_wall);
    service_json_add_bool(c->out, "Enabled", strcmp(k->state, "Enabled") == 0);
    service_json_add_string(c->out, "Description", k->is_managed ? "The default key for S3" : "");
    service_json_add_string(c->out, "KeyUsage", usage_of(k));
    service_json_add_string(c->out, "KeyState", k->state);
    if (strcmp(k->state, "PendingDeletion") == 0)
        service_json_add_wall(c->out, "DeletionDate", c->now_wall + WAITING_USEC);
    service_json_add_string(c->out, "Origin", strcmp(k->state, "PendingImport") == 0 ? "EXTERNAL" : "AWS_KMS");
    service_json_add_string(c->out, "KeyManager", k->is_managed ? "AWS" : "CUSTOMER");
    service_json_add_string(c->out, "CustomerMasterKeySpec", k->spec);
    service_json_add_string(c->out, "KeySpec", k->spec);
    service_json_add_bool(c->out, "MultiRegion", false);
    service_json_close(c->out, '}');
    service_json_close(c->out, '}');
}

int service_describe_key(ServiceCall *c) {
    ServiceKey *k;
    int rc = find_asked(c, &k);
    if (rc >= 0)
        add_metadata(c, k);
    return rc;
}

int service_create_key(ServiceCall *c) {
    const char *spec = service_json_get_string(c->input, "KeySpec");
    ServiceKey *k;
    if (spec && !is_one_of(spec, specs, ARRAY_SIZE(specs)))
        return service_refuse(c, "UnsupportedOperationException", "The emulator makes no keys of %s", spec);
    int rc = add_key(c->service, c->region, NULL, c->now_wall, &k);
    if (rc < 0)
        return rc;
    if (spec)
        snprintf(k->spec, sizeof k->spec, "%s", spec);
    c->effect = c->service->only_known_keys = true;
    add_metadata(c, k);
    return 0;
}

int service_list_keys(ServiceCall *c) {
    const Service *s = c->service;
    service_json_open(c->out, NULL, '{');
    service_json_open(c->out, "Keys", '[');
    for (size_t i = 0; i < s->n_keys; i++) {
        AUTO_TEXT arn = TEXT_INIT(300);
        if (strcmp(s->keys[i]->region, c->region) != 0)
            continue;
        service_key_add_arn(s, s->keys[i], &arn);
        service_json_open(c->out, NULL, '{');
        service_json_add_string(c->out, "KeyId", s->keys[i]->id);
        service_json_add_string(c->out, "KeyArn", text_get(&arn));
        service_json_close(c->out, '}');
    }
    service_json_close(c->out, ']');
    service_json_add_bool(c->out, "Truncated", false);
    service_json_close(c->out, '}');
    return 0;
}

static void add_random(ServiceCall *c, const char *name, size_t n) {
    uint8_t bytes[1024];
    char text[BASE64_SIZE(sizeof bytes)];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)service_random(c->service);
    base64_encode(bytes, n, text);
    service_json_add_string(c->out, name, text);
}

/* AWS's own keys are for its services alone. */
static int check_caller(ServiceCall *c, const ServiceKey *k) {
    return !k->is_managed ? 0 : service_refuse(c, "AccessDeniedException", "Only S3 may use the key %s", k->id);
}

int service_generate_data_key(ServiceCall *c) {
    const char *spec = service_json_get_string(c->input, "KeySpec");
    const ServiceJson *number = service_json_get(c->input, "NumberOfBytes");
    const ServiceJson *dry = service_json_get(c->input, "DryRun");
    AUTO_TEXT arn = TEXT_INIT(300);
    int64_t n = text_equal(spec, "AES_128") ? 16 : 32;
    ServiceKey *k;
    if (!spec == !number)
        return SERVICE_REFUSE_VALUE(c, "Please specify either number of bytes or key spec.");
    if (number)
        (void)service_json_to_int(number, &n); /* its shape was checked */
    int rc = find_asked(c, &k);
    if (rc < 0 || (rc = check_caller(c, k)) < 0 || (rc = check_usable(c, k)) < 0)
        return rc;
    if (dry && dry->type == SERVICE_JSON_TRUE)
        return service_refuse(c, "DryRunOperationException",
                              "The request would have succeeded, but the DryRun option is set.");
    service_key_add_arn(c->service, k, &arn);
    service_json_open(c->out, NULL, '{');
    add_random(c, "CiphertextBlob", 184);
    add_random(c, "Plaintext", (size_t)n);
    service_json_add_string(c->out, "KeyId", text_get(&arn));
    service_json_close(c->out, '}');
    return 0;
}
