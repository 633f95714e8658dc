#include "core/format/digest.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Looked up once: for EVP_sha256() OpenSSL would ask its providers anew each time, which costs more than the digest. */
static const EVP_MD *sha256(void) {
    static EVP_MD *md;
    if (!md)
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
    return md;
}

int digest_sha256(const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]) {
    const EVP_MD *md = sha256();
    return md && EVP_Digest(n > 0 ? bytes : "", n, ret, NULL, md, NULL) == 1 ? 0 : -ENOMEM;
}

int digest_sha256_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX_SIZE]) {
    uint8_t digest[DIGEST_SIZE];
    int r = digest_sha256(bytes, n, digest);
    if (r < 0)
        return r;
    digest_to_hex(digest, ret);
    return 0;
}

/* A copy of one that has no key yet. */
static EVP_MAC_CTX *hmac_context(void) {
    static EVP_MAC_CTX *keyless;
    if (!keyless) {
        OSSL_PARAM sha256_wanted[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
                                      OSSL_PARAM_construct_end()};
        EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
        EVP_MAC_free(mac); /* the context holds it */
        if (!context || !EVP_MAC_CTX_set_params(context, sha256_wanted)) {
            EVP_MAC_CTX_free(context);
            return NULL;
        }
        keyless = context;
    }
    return EVP_MAC_CTX_dup(keyless);
}

int digest_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]) {
    EVP_MAC_CTX *context = hmac_context();
    if (!context)
        return -ENOMEM;
    const void *some = ""; /* not NULL, which would mean the key before */
    bool done = EVP_MAC_init(context, n_key > 0 ? key : some, n_key, NULL) &&
                EVP_MAC_update(context, n > 0 ? bytes : some, n) && EVP_MAC_final(context, ret, NULL, DIGEST_SIZE);
    EVP_MAC_CTX_free(context);
    return done ? 0 : -ENOMEM;
}

static void to_hex(const uint8_t *digest, size_t n, char *ret) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[2 * n] = '\0';
}

void digest_to_hex(const uint8_t digest[static DIGEST_SIZE], char ret[static DIGEST_HEX_SIZE]) {
    to_hex(digest, DIGEST_SIZE, ret);
}

void digest_md5_to_hex(const uint8_t digest[static DIGEST_MD5_SIZE], char ret[static DIGEST_MD5_HEX_SIZE]) {
    to_hex(digest, DIGEST_MD5_SIZE, ret);
}

struct Md5 {
    EVP_MD_CTX *context;
};

void md5_free(Md5 *m) {
    if (m)
        EVP_MD_CTX_free(m->context);
    free(m);
}

int md5_new(Md5 **ret) {
    CLEANUP(md5_free_ptr) Md5 *m = calloc(1, sizeof *m);
    if (!m || !(m->context = EVP_MD_CTX_new()) || !EVP_DigestInit_ex(m->context, EVP_md5(), NULL))
        return -ENOMEM;
    *ret = TAKE_PTR(m);
    return 0;
}

int md5_add(Md5 *m, const void *bytes, size_t n) { return EVP_DigestUpdate(m->context, bytes, n) ? 0 : -ENOMEM; }

int md5_end(Md5 *m, uint8_t ret[static DIGEST_MD5_SIZE]) {
    return EVP_DigestFinal_ex(m->context, ret, NULL) ? 0 : -ENOMEM;
}

int digest_md5(const void *bytes, size_t n, uint8_t ret[static DIGEST_MD5_SIZE]) {
    return EVP_Digest(n > 0 ? bytes : "", n, ret, NULL, EVP_md5(), NULL) == 1 ? 0 : -ENOMEM;
}

int digest_sha1_hex(const void *bytes, size_t n, char ret[static DIGEST_SHA1_HEX_SIZE]) {
    uint8_t padded[DIGEST_SIZE] = {};
    char hex[DIGEST_HEX_SIZE];
    if (!EVP_Digest(n > 0 ? bytes : (const void *)"", n, padded, NULL, EVP_sha1(), NULL))
        return -ENOMEM;
    digest_to_hex(padded, hex);
    memcpy(ret, hex, DIGEST_SHA1_HEX_SIZE - 1);
    ret[DIGEST_SHA1_HEX_SIZE - 1] = '\0';
    return 0;
}
