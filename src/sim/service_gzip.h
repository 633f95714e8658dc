#pragma once

#include <stddef.h>

/* The gzip stream of these bytes as DynamoDB's exports have it (operating system 255, no time); to be freed.
 * -ENOMEM, -E2BIG. */
int service_gzip(const char *bytes, size_t n, char **ret, size_t *ret_n);
