#include "core/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

int digest_sha256(const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]) {
    return EVP_Digest(n > 0 ? bytes : "", n, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int digest_sha256_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX_SIZE]) {
    uint8_t digest[DIGEST_SIZE];
    int r = digest_sha256(bytes, n, digest);
    if (r < 0)
        return r;
    digest_to_hex(digest, ret);
    return 0;
}

int digest_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]) {
    if (n_key > INT32_MAX)
        return -ENOMEM;
    return HMAC(EVP_sha256(), n_key > 0 ? key : "", (int)n_key, n > 0 ? bytes : (const void *)"", n, ret, NULL)
               ? 0
               : -ENOMEM;
}

void digest_to_hex(const uint8_t digest[static DIGEST_SIZE], char ret[static DIGEST_HEX_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[DIGEST_HEX_SIZE - 1] = '\0';
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
