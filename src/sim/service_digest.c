#include "sim/service_digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

int service_md5(const void *bytes, size_t n, unsigned char md5[static SERVICE_MD5_SIZE]) {
    return EVP_Digest(bytes, n, md5, NULL, EVP_md5(), NULL) == 1 ? 0 : -ENOMEM;
}

int service_md5_base64(const void *bytes, size_t n, char base64[static SERVICE_MD5_BASE64_SIZE]) {
    unsigned char md5[SERVICE_MD5_SIZE];
    int rc = service_md5(bytes, n, md5);
    if (rc >= 0)
        EVP_EncodeBlock((unsigned char *)base64, md5, sizeof md5);
    return rc;
}

int service_etag_whole(const void *bytes, size_t n, char etag[static SERVICE_ETAG_SIZE]) {
    unsigned char md5[SERVICE_MD5_SIZE];
    int rc = service_md5(bytes, n, md5);
    for (size_t i = 0; rc >= 0 && i < sizeof md5; i++)
        snprintf(etag + 2 * i, 3, "%02x", md5[i]);
    return rc;
}

int service_etag_part(const void *bytes, size_t n, char etag[static SERVICE_ETAG_SIZE]) {
    unsigned char md5[SERVICE_MD5_SIZE];
    int rc = service_md5(bytes, n, md5);
    if (rc >= 0)
        rc = service_etag_whole(md5, sizeof md5, etag);
    if (rc >= 0)
        snprintf(etag + 2 * sizeof md5, 3, "-1");
    return rc;
}
