#pragma once
/* OpenSSL's digests, for names, tokens and signatures. The one file of the core that knows OpenSSL. */

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE (2 * DIGEST_SIZE + 1)

/* All: 0, or -ENOMEM when OpenSSL cannot. */
int digest_sha256(const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]);
/* For names that others chose, never for security. */
#define DIGEST_SHA1_HEX_SIZE 41
int digest_sha1_hex(const void *bytes, size_t n, char ret[static DIGEST_SHA1_HEX_SIZE]);
/* Lower-case, terminated. */
int digest_sha256_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX_SIZE]);
int digest_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n, uint8_t ret[static DIGEST_SIZE]);
void digest_to_hex(const uint8_t digest[static DIGEST_SIZE], char ret[static DIGEST_HEX_SIZE]);
