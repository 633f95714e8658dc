#pragma once
/* OpenSSL's digests, for names, tokens and signatures. The one file of the core that knows OpenSSL. */

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

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
/* MD5, of what comes in pieces: S3's and manifests' checksum, never for security. */
#define DIGEST_MD5_SIZE 16
#define DIGEST_MD5_HEX_SIZE 33
typedef struct Md5 Md5;
int md5_new(Md5 **ret);
void md5_free(Md5 *m);
DEFINE_CLEANUP(Md5, md5_free)
int md5_add(Md5 *m, const void *bytes, size_t n);
int md5_end(Md5 *m, uint8_t ret[static DIGEST_MD5_SIZE]); /* nothing is added any more */
int digest_md5(const void *bytes, size_t n, uint8_t ret[static DIGEST_MD5_SIZE]);
void digest_md5_to_hex(const uint8_t digest[static DIGEST_MD5_SIZE], char ret[static DIGEST_MD5_HEX_SIZE]);

void digest_to_hex(const uint8_t digest[static DIGEST_SIZE], char ret[static DIGEST_HEX_SIZE]);
