#pragma once
/* Base64 of RFC 4648 with its padding, as S3 and manifests write MD5 sums. */

#include <stddef.h>
#include <stdint.h>

/* Of exactly n bytes: the text's length is the padded one of n. -EINVAL: it is no such text. */
int base64_decode(const char *text, uint8_t *ret, size_t n);
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
/* Terminated; ret has room for BASE64_SIZE(n). */
void base64_encode(const uint8_t *bytes, size_t n, char *ret);
