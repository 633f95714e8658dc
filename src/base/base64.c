#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c) {
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

int base64_decode(const char *text, uint8_t *ret, size_t n) {
    size_t len = BASE64_SIZE(n) - 1, n_padding = (3 - n % 3) % 3;
    if (strlen(text) != len)
        return -EINVAL;
    for (size_t i = 0; i < len; i += 4) {
        uint32_t bits = 0;
        for (size_t j = i; j < i + 4; j++) {
            bool padding = j >= len - n_padding;
            int value = padding ? (text[j] == '=' ? 0 : -1) : value_of(text[j]);
            if (value < 0)
                return -EINVAL;
            bits = bits << 6 | (uint32_t)value;
        }
        for (size_t j = 0; j < 3; j++)
            if (i / 4 * 3 + j < n)
                ret[i / 4 * 3 + j] = (uint8_t)(bits >> (16 - 8 * j));
    }
    return 0;
}

void base64_encode(const uint8_t *bytes, size_t n, char *ret) {
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < n ? (uint32_t)bytes[i + 2] : 0;
        *ret++ = digits[bits >> 18];
        *ret++ = digits[bits >> 12 & 63];
        *ret++ = i + 1 < n ? digits[bits >> 6 & 63] : '=';
        *ret++ = i + 2 < n ? digits[bits & 63] : '=';
    }
    *ret = '\0';
}
