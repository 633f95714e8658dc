#pragma once
/* CRC-32/ISO-HDLC, as in x-amz-crc32, gzip and zip. */

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *bytes, size_t n);
