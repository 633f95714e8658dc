#pragma once
/* What S3 and the manifests of exports say of bytes. */

#include <stddef.h>

#define SERVICE_MD5_SIZE 16
#define SERVICE_MD5_BASE64_SIZE 25
#define SERVICE_ETAG_SIZE 48

/* All return -ENOMEM when the library has no memory. */
int service_md5(const void *bytes, size_t n, unsigned char md5[static SERVICE_MD5_SIZE]);
/* As in Content-MD5, manifest-files.json and the .md5 objects. */
int service_md5_base64(const void *bytes, size_t n, char base64[static SERVICE_MD5_BASE64_SIZE]);
/* The ETag (without quotes) of an object that was put as a whole: its MD5. */
int service_etag_whole(const void *bytes, size_t n, char etag[static SERVICE_ETAG_SIZE]);
/* Of one that came as an upload of one part: the MD5 of that part's MD5, and "-1". */
int service_etag_part(const void *bytes, size_t n, char etag[static SERVICE_ETAG_SIZE]);
